"""The same outlines as SVG, as form XObject in a PDF, as PDF page and as PNG; and `sealroad seal draw`."""

from __future__ import annotations

import io
import re
import shlex
from pathlib import Path
from xml.etree import ElementTree as ET

import pikepdf
import pytest
from PIL import Image, ImageChops
from pyhanko.pdf_utils.writer import PdfFileWriter

from api.cli import main
from signer.appearance import ColourMode
from signer.appearance.embed import form_xobject
from signer.appearance.picture import load
from signer.errors import AppearanceError
from signer.rendering import render
from signer.seals.drawing import DrawnSeal, SealDrawing, SealKind, draw
from signer.seals.picture import check_picture

ROOT = Path(__file__).parents[3]
SVG = "{http://www.w3.org/2000/svg}"
SPECS = {
    SealKind.ROUND: SealDrawing(
        kind=SealKind.ROUND, name="上海𠮷示例（贸易）有限公司", title="合同专用章", code="3101150012345"
    ),
    SealKind.OVAL: SealDrawing(
        kind=SealKind.OVAL, name="上海示例贸易有限公司", title="发票专用章", code="91310115MA1K7R20"
    ),
    SealKind.SQUARE: SealDrawing(kind=SealKind.SQUARE, name="沈𠮷明", title="印"),
    SealKind.RU_ROUND: SealDrawing(kind=SealKind.RU_ROUND, name="ООО «Кедр»", title="г. Томск", code="ИНН 7017000000"),
    SealKind.EU_BLOCK: SealDrawing(kind=SealKind.EU_BLOCK, name="Nordwind GmbH", code="VATDE-123456789"),
}


@pytest.fixture(params=SealKind)
def drawn(request: pytest.FixtureRequest) -> DrawnSeal:
    return draw(SPECS[request.param])


def picture(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_an_svg_has_paths_of_one_ink_and_nothing_else(drawn: DrawnSeal) -> None:
    text = drawn.svg()
    root = ET.fromstring(text)
    assert {element.tag for element in root.iter()} == {SVG + "svg", SVG + "path"}
    assert set(root.attrib) == {"version", "width", "height", "viewBox"}
    for path in root:
        assert set(path.attrib) <= {"fill", "stroke", "stroke-width", "stroke-linejoin", "d"}
        assert re.fullmatch(r"[MLQCZ0-9 .-]+", path.attrib["d"])
    assert len({path.get("fill") for path in root}) == 1
    assert root.get("width") == f"{drawn.width:g}mm"
    assert text.isascii(), "no letter is there as text"
    assert check_picture(text.encode(), stated="SVG").kind == "svg"


def numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"-?\d+(?:\.\d+)?", text)]


def test_svg_and_pdf_have_the_same_outlines(drawn: DrawnSeal) -> None:
    paths = "".join(path.attrib["d"] for path in ET.fromstring(drawn.svg()))
    ours = [(verb, numbers(values)) for verb, values in re.findall(r"([MLQCZ])([^MLQCZ]*)", paths)]
    lines = drawn.appearance().content.decode("ascii").splitlines()
    theirs = [(line[-1], numbers(line)) for line in lines if re.fullmatch(r"[-\d. ]* ?[mlch]", line)]
    assert "".join(verb for verb, _ in ours).translate(str.maketrans("MLQCZ", "mlcch")) == "".join(
        verb for verb, _ in theirs
    )
    x = y = 0.0
    for (verb, svg), (_, pdf) in zip(ours, theirs, strict=True):
        svg[1::2] = [drawn.height - value for value in svg[1::2]]
        if verb == "Q":
            # Half way along, the two curves are at the same point.
            half = [(x + 2 * svg[0] + svg[2]) / 4, (y + 2 * svg[1] + svg[3]) / 4]
            other = [
                (start + 3 * a + 3 * b + end) / 8
                for start, a, b, end in zip((x, y), pdf[:2], pdf[2:4], pdf[4:], strict=True)
            ]
            assert half == pytest.approx(other, abs=0.003)
            assert svg[2:] == pytest.approx(pdf[4:], abs=0.0011)
        else:
            assert svg == pytest.approx(pdf, abs=0.0011)
        if svg:
            x, y = svg[-2:]


def test_an_appearance_is_a_form_without_fonts_or_transparency(drawn: DrawnSeal) -> None:
    form = drawn.appearance().form()
    assert form.entries["BBox"] == pytest.approx([0, 0, drawn.width * 72 / 25.4, drawn.height * 72 / 25.4], abs=0.001)
    assert form.entries["Resources"]["Font"] == {}
    assert set(form.entries["Resources"]) == {"Font", "ColorSpace"}
    operators = set(re.findall(r"[A-Za-z]+$", form.data.decode("ascii"), re.MULTILINE))
    assert operators <= {"q", "Q", "j", "scn", "sc", "SC", "m", "l", "c", "h", "f", "B"}
    assert drawn.spec.name in drawn.appearance().alternative


def on_page(drawn: DrawnSeal, mode: ColourMode) -> bytes:
    """Return a page of the seal's size that shows its form XObject, written by pyHanko."""
    appearance = drawn.appearance(mode)
    writer = PdfFileWriter(stream_xrefs=False)
    reference = form_xobject(writer, appearance)
    out = io.BytesIO()
    writer.write(out)
    number = reference.idnum
    with pikepdf.open(out) as pdf:
        pdf.add_blank_page(page_size=(appearance.width, appearance.height))
        page = pdf.pages[0]
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Seal=pdf.get_object(number, 0)))
        page.Contents = pdf.make_stream(b"/Seal Do")
        again = io.BytesIO()
        pdf.save(again)
    return again.getvalue()


def test_the_form_shows_what_the_page_shows() -> None:
    drawn = draw(SPECS[SealKind.ROUND])
    shown = picture(render(on_page(drawn, ColourMode.RGB), 1, 96)).convert("L")
    alone = picture(render(drawn.pdf(), 1, 96)).convert("L")
    assert shown.size == alone.size
    assert alone.getextrema()[0] < 128, "there is ink"
    assert ImageChops.difference(shown, alone).getextrema()[1] < 8, "but for rounding"


@pytest.mark.parametrize(("kind", "size"), [(SealKind.ROUND, (993, 993)), (SealKind.OVAL, (945, 709))])
def test_a_png_is_transparent_sized_and_of_one_ink(kind: SealKind, size: tuple[int, int]) -> None:
    drawn = draw(SPECS[kind])
    data = drawn.png(600)
    shown = picture(data)
    assert (shown.mode, shown.size) == ("RGBA", size)
    assert shown.info["dpi"] == pytest.approx((600, 600), abs=0.1)
    opacity = shown.getchannel("A")
    assert opacity.getpixel((0, 0)) == opacity.getpixel((size[0] // 2, size[1] - 40)) == 0
    assert opacity.getextrema() == (0, 255)
    left, top, right, bottom = opacity.point(lambda value: 255 * (value > 127)).getbbox() or (0, 0, 0, 0)
    assert (left, top) <= (1, 1), "the border touches every side"
    assert (right, bottom) >= (size[0] - 2, size[1] - 2)
    solid = {pixel[:3] for _, pixel in shown.getcolors(1 << 20) or () if pixel[3]}
    assert solid == {tuple(round(part * 255) for part in drawn.colour)}
    assert load(data).mask is not None
    assert check_picture(data, stated="PNG").width_px == size[0]


def test_a_colour_is_what_is_drawn() -> None:
    drawn = draw(SealDrawing(kind=SealKind.SQUARE, name="王", colour=(0, 0.5, 1)))
    assert 'fill="#0080ff"' in drawn.svg()
    assert "0 0.5 1 sc" in drawn.appearance().content.decode()
    assert picture(drawn.png(72)).getpixel((1, 28))[:3] == (0, 128, 255)


def test_every_format_is_the_same_every_time() -> None:
    one, two = (draw(SPECS[SealKind.SQUARE]) for _ in range(2))
    assert one.pdf() == two.pdf()
    assert one.png(72) == two.png(72)


@pytest.mark.parametrize("dpi", [0, -600, 35, 601, 10**9])
def test_a_resolution_out_of_bounds_is_refused(dpi: int) -> None:
    with pytest.raises(AppearanceError, match="dpi"):
        draw(SPECS[SealKind.SQUARE]).png(dpi)


@pytest.mark.parametrize(("ending", "start"), [("svg", b"<svg "), ("png", b"\x89PNG"), ("PDF", b"%PDF-")])
def test_the_command_draws_what_the_name_of_the_file_asks_for(
    ending: str, start: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / f"seal.{ending}"
    arguments = ("--kind", "oval", "--name", "上海示例贸易有限公司", "--title", "合同专用章", "--line", "(1)")
    looks = ("--size", "45x30", "--colour", "#c41e22", "--dpi", "96")
    assert main(["seal", "draw", str(target), *arguments, *looks]) == 0
    assert capsys.readouterr().out.startswith(f"{target}: oval, 45 × 30 mm, ")
    assert target.read_bytes().startswith(start)
    if ending == "svg":
        assert 'fill="#c41e22"' in target.read_text()


def test_the_command_knows_every_kind() -> None:
    from signer.seal_commands.draw import KINDS

    assert tuple(SealKind) == KINDS


def commands_of_the_page() -> list[list[str]]:
    page = (ROOT / "docs" / "seal-drawing.md").read_text("utf-8")
    return [shlex.split(line)[1:] for line in page.splitlines() if line.startswith("sealroad seal draw ")]


@pytest.mark.parametrize("command", commands_of_the_page(), ids=lambda command: Path(command[2]).stem)
def test_the_pictures_of_the_page_are_what_its_commands_draw(command: list[str], tmp_path: Path) -> None:
    target = tmp_path / "seal.svg"
    assert main([*command[:2], str(target), *command[3:]]) == 0
    assert target.read_bytes() == (ROOT / command[2]).read_bytes(), "run the commands of docs/seal-drawing.md again"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("seal.gif", "--name", "公司"), "hint: name a file .svg, .png or .pdf"),
        (("seal.svg", "--name", "公司", "--size", "large"), "hint: give millimetres, as 42 or 45x30"),
        (("seal.svg", "--name", "公司", "--size", "500"), "hint: give 10 to 120 mm"),
        (("seal.svg", "--name", "公司", "--colour", "red"), "hint: write it as #c41e22"),
        (("seal.svg", "--name", "公司\u202e"), "U+202E"),
        (("seal.svg", "--name", "田" * 119), "hint: use the short form"),
        (("seal.png", "--name", "公司", "--dpi", "9"), "hint: give 36 to 600 dpi"),
    ],
    ids=lambda case: case[0] if isinstance(case, tuple) else "",
)
def test_the_command_says_what_is_wrong(
    arguments: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["seal", "draw", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
