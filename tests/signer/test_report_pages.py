"""Pictures, the PDF and the page: where a signature stands, in three languages, whatever is in the names."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from typing import Any

import pikepdf
import pytest

from signer.appearance import StampSpec
from signer.errors import RenderingFailed
from signer.layers import judge, load_agreement, load_policy
from signer.rendering import render
from signer.report import PlaceReport, Report, Verdict
from signer.text import LANGUAGES, html, pdf, pictures, strings
from signer.text.pictures import pictures_of
from tests.conftest import circle_of, make_pdf
from tests.signer.signing import edited, many_pages, sign
from tests.signer.test_layers import ONE, agreement, policy
from tests.signer.test_report import SIGNER, report, signature
from tests.signer.test_verify import verify

BOX = (100.0, 200.0, 300.0, 280.0)


def size_of(png: bytes) -> tuple[int, int]:
    return struct.unpack(">II", png[16:24])


def visible(base: bytes | None = None, **options: Any) -> tuple[bytes, Report]:
    stamp = StampSpec(name="王𠮷", organisation="江海贸易有限公司", locale="zh")
    data = sign(base or make_pdf(), "sm2", box=BOX, appearance=stamp, **options)
    return data, verify(data, circle_of("sm2"))


# -- places -------------------------------------------------------------------------------------------


def test_a_signature_has_its_page_and_rectangle() -> None:
    _, made = visible(many_pages(3), page=2)
    assert made.signatures[0].place == PlaceReport(2, BOX, (0.0, 0.0, 595.0, 842.0))


def test_an_invisible_one_has_an_empty_rectangle() -> None:
    place = verify(sign(make_pdf(), "sm2"), circle_of("sm2")).signatures[0].place
    assert place is not None
    assert not place.visible


@pytest.mark.parametrize("rotation", [0, 90, 180, 270, -90, 450, 45])
def test_page_box_and_rotation_are_those_of_the_tree(rotation: int) -> None:
    def change(document: pikepdf.Pdf) -> None:
        document.Root.Pages.Rotate = rotation
        document.Root.Pages.CropBox = [10, 20, 510, 720]

    _, made = visible(edited(change), page=1)
    place = made.signatures[0].place
    assert place is not None
    assert place.page_box == (10.0, 20.0, 510.0, 720.0)
    assert place.rotation == (rotation % 360 if rotation % 90 == 0 else 0)


def turned(rotation: Any) -> pictures.Mark:
    place = PlaceReport(1, (10, 20, 30, 60), (0, 0, 100, 200), rotation)
    mark = pictures._mark(1, Verdict.TOTAL_PASSED, place)
    assert mark is not None
    return mark


@pytest.mark.parametrize(
    ("rotation", "expected"),
    [
        (0, (0.1, 0.7, 0.2, 0.2)),
        (90, (0.1, 0.1, 0.2, 0.2)),
        (180, (0.7, 0.1, 0.2, 0.2)),
        (270, (0.7, 0.7, 0.2, 0.2)),
    ],
)
def test_the_frame_turns_with_the_page(rotation: int, expected: tuple[float, ...]) -> None:
    mark = turned(rotation)
    assert (mark.left, mark.top, mark.width, mark.height) == pytest.approx(expected)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_the_frame_is_where_the_stamp_is_drawn(rotation: int) -> None:
    """Most of what is dark on an otherwise empty page lies inside the frame."""
    from PIL import Image

    def change(document: pikepdf.Pdf) -> None:
        document.pages[0].obj.Rotate = rotation
        document.pages[0].obj.Contents = document.make_stream(b"")

    data, made = visible(edited(change), page=1)
    (page,) = pictures_of(made, data)
    with Image.open(io.BytesIO(page.png)) as opened:
        picture = opened.convert("L")
    assert (picture.width > picture.height) == (rotation in (90, 270))
    (mark,) = page.marks
    dark = [
        (x / picture.width, y / picture.height)
        for x in range(picture.width)
        for y in range(picture.height)
        if picture.getpixel((x, y)) < 128
    ]
    assert len(dark) > 100
    margin = 0.01
    inside = [
        (x, y)
        for x, y in dark
        if mark.left - margin <= x <= mark.left + mark.width + margin
        and mark.top - margin <= y <= mark.top + mark.height + margin
    ]
    assert len(inside) == len(dark)


def test_a_rectangle_outside_the_page_is_no_mark() -> None:
    assert pictures._mark(1, Verdict.TOTAL_PASSED, PlaceReport(1, (200, 0, 300, 50), (0, 0, 100, 100))) is None


# -- rendering ----------------------------------------------------------------------------------------


def test_a_page_becomes_a_picture() -> None:
    png = render(make_pdf(), 1, 72)
    assert size_of(png) == (595, 842)
    assert size_of(render(make_pdf(), 1, 36)) == (298, 421)


@pytest.mark.parametrize(
    ("data", "page", "dpi"),
    [
        (b"", 1, 72),
        (b"%PDF-1.7\nnothing", 1, 72),
        (make_pdf(), 2, 72),
        (make_pdf(), 0, 72),
        (make_pdf(), 1, 0),
        (make_pdf(), 1, 5000),
    ],
)
def test_what_cannot_be_drawn_is_a_clear_error(data: bytes, page: int, dpi: int) -> None:
    with pytest.raises(RenderingFailed):
        render(data, page, dpi)


def test_a_page_of_any_size_stays_within_the_limit_of_pixels() -> None:
    def change(document: pikepdf.Pdf) -> None:
        document.pages[0].MediaBox = [0, 0, 14400, 14400]

    width, height = size_of(render(edited(change), 1, 300))
    assert width * height < 25_100_000


def test_a_report_goes_on_without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    data, made = visible(page=1)

    def fail(*_: object) -> bytes:
        raise RenderingFailed("no")

    monkeypatch.setattr(pictures, "render", fail)
    drawn = pictures_of(made, data)
    assert [page.png for page in drawn] == [b""]
    for lang in LANGUAGES:
        assert strings(lang)["label.no-picture"] in html.page((made,), lang, {0: drawn})
        assert pdf.document([(made, drawn)], lang).startswith(b"%PDF-")


def test_pages_without_a_visible_signature() -> None:
    data = sign(make_pdf(), "sm2")
    made = verify(data, circle_of("sm2"))
    drawn = pictures_of(made, data)
    assert [(page.page, page.marks) for page in drawn] == [(1, ())]
    assert "These signatures do not show on any page: 1." in html.page((made,), "en", {0: drawn})
    assert pictures_of(report(), b"%PDF-1.7") == ()
    assert pictures_of(made, b"\x30\x82") == ()


# -- the PDF ------------------------------------------------------------------------------------------


def text_of(data: bytes) -> str:
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    pages = [document[index].get_textpage().get_text_range() for index in range(len(document))]
    return "\n".join(pages)


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_pdf_says_what_the_page_says(lang: str) -> None:
    data, made = visible(page=1)
    drawn = pictures_of(made, data)
    judged = judge(made, load_agreement(agreement()), [load_policy(policy())])
    words = strings(lang)
    said = squeezed(text_of(pdf.document([(judged, drawn)], lang)))
    for expected in (
        words["verdict.TOTAL-PASSED"],
        *(words[f"question.{name}"] for name in ("who", "what", "when", "unchanged")),
        words["report.unchanged.none"],
        words["html.footer"],
        words["label.page"].format(number=1),
        made.sha256,
        made.signatures[0].signer.common_name,
        "Nobody says so.",
    ):
        assert squeezed(expected) in said, expected


def test_the_same_report_gives_the_same_pdf() -> None:
    data, made = visible(page=1)
    drawn = pictures_of(made, data)
    assert pdf.document([(made, drawn)], "zh") == pdf.document([(made, drawn)], "zh")


def test_three_signatures_fit_on_one_page() -> None:
    drawn = (pictures.PagePicture(1, render(make_pdf(), 1, 84), ()),)
    for lang in LANGUAGES:
        one = signature(signer=replace(SIGNER, identifiers=SIGNER.identifiers[:1]), recognised=())
        made = report(one, one, one)
        with pikepdf.open(io.BytesIO(pdf.document([(made, drawn)], lang))) as document:
            assert len(document.pages) == 1, lang


@pytest.mark.parametrize("count", [1, 40])
def test_many_signatures_and_pages_are_all_there(count: int) -> None:
    made = report(*(replace(ONE, field=f"S{number}") for number in range(count)))
    picture = pictures.PagePicture(1, render(make_pdf(), 1, 84), ())
    drawn = tuple(replace(picture, page=number + 1) for number in range(min(count, 6)))
    data = pdf.document([(made, drawn), (made, ())], "ru", checks=True)
    said = text_of(data)
    assert said.count("G1-byte-range-shape") == 2 * count
    assert said.count("Страница") >= len(drawn)


def test_names_that_no_font_has_are_written_by_their_number() -> None:
    name = "عقد \x1b\u202e 𠮷 🖋 " + "x" * 3000
    one = signature(
        signer=replace(SIGNER, common_name=name, organisation=name, issuer=name), stated=(("reason", name),)
    )
    data = pdf.document([(report(one, file=name), ())], "zh", checks=True)
    said = text_of(data)
    assert "[U+0639]" in said
    assert "𠮷" in said


def test_the_pdf_is_made_for_keeping() -> None:
    """PDF/A-2u by what it declares and by its fonts; veraPDF judges ours in `make test-all`."""
    data, made = visible(page=1)
    with pikepdf.open(io.BytesIO(pdf.document([(made, pictures_of(made, data))], "zh"))) as document:
        assert document.Root.Lang == "zh"
        assert b"pdfaid:part>2<" in document.Root.Metadata.read_bytes()
        for page in document.pages:
            assert all("/FontFile2" in font.DescendantFonts[0].FontDescriptor for font in page.Resources.Font.values())
            assert "/JavaScript" not in document.Root


# -- the letters of the page --------------------------------------------------------------------------


def test_a_page_carries_the_hanzi_it_needs_and_no_others() -> None:
    import base64
    import re

    from fontTools.ttLib import TTFont

    one = signature(signer=replace(SIGNER, common_name="沈𠮷明"))
    part = html.report_part(report(one), "zh")
    fonts = re.findall(
        r'@font-face\{font-family:"Sealroad Report";src:url\(data:font/ttf;base64,([^)]+)\);([^}]*)\}', part
    )
    carried: set[str] = set()
    for encoded, ranges in fonts:
        letters = set(map(chr, TTFont(io.BytesIO(base64.b64decode(encoded))).getBestCmap()))
        assert {f"U+{ord(letter):X}" for letter in letters} == set(ranges.partition(":")[2].split(","))
        carried |= letters
    shown = set(part[part.index("</style>") :])
    assert carried == {letter for letter in shown if letter >= "\u2e80"}
    assert "𠮷" in carried
    assert fonts
    assert "@font-face" not in html.report_part(report(), "ru")
