"""SVG drawings as content streams: shapes, paint, transforms; what would have to be guessed at is refused."""

from __future__ import annotations

import hashlib
import io
import math
import time
import zlib

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageChops

from signer.appearance.colour import ColourMode
from signer.appearance.seal import SealFace, exact_image, render_seal
from signer.appearance.svg import svg_content
from signer.appearance.svg_path import parse_path
from signer.errors import AppearanceError


def svg(inside: str, box: str = "0 0 100 100", more: str = "") -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" {more}>{inside}</svg>'.encode()


def drawn(data: bytes, width: float = 100, height: float = 100) -> Image.Image:
    """Return the drawing as PDFium shows it, a pixel for a point."""
    document = pikepdf.new()
    document.add_blank_page(page_size=(width, height))
    document.pages[0].obj.Contents = document.make_stream(svg_content(data, width, height, ColourMode.RGB))
    out = io.BytesIO()
    document.save(out)
    with pypdfium2.PdfDocument(out.getvalue()) as shown:
        return shown[0].render(scale=1).to_pil().convert("RGB")


def box(image: Image.Image) -> tuple[int, int, int, int] | None:
    white = Image.new("RGB", image.size, (255, 255, 255))
    return ImageChops.difference(image, white).convert("L").point(lambda v: 255 if v > 100 else 0).getbbox()


def same(one: str, other: str) -> bool:
    """Whether two drawings look alike, up to the edges of lines."""
    difference = ImageChops.difference(drawn(svg(one)), drawn(svg(other))).convert("L")
    return sum(difference.histogram()[128:]) < 20


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ('<rect x="10" y="20" width="30" height="40" fill="red"/>', (10, 20, 40, 60)),
        ('<circle cx="50" cy="40" r="20" fill="#c00"/>', (30, 20, 70, 60)),
        ('<ellipse cx="50" cy="40" rx="40" ry="10" style="fill: rgb(200, 0, 0)"/>', (10, 30, 90, 50)),
        ('<line x1="10" y1="50" x2="90" y2="50" stroke="red" stroke-width="10"/>', (10, 45, 90, 55)),
        ('<polygon points="10,10 90,10 90,30 10,30" fill="blue"/>', (10, 10, 90, 30)),
        ('<polyline points="10 10 90 10 90 30" fill="none" stroke="blue" stroke-width="4"/>', (10, 8, 92, 30)),
        ('<path d="M10 10h80v20H10z"/>', (10, 10, 90, 30)),
        ('<path d="m10 10 80 0 0 20-80 0z"/>', (10, 10, 90, 30)),
        ('<g transform="translate(10 20) scale(2)"><rect width="10" height="5"/></g>', (10, 20, 30, 30)),
        ('<rect width="20" height="10" transform="rotate(90) translate(10,-60)"/>', (50, 10, 60, 30)),
        ('<rect x="40" y="40" width="20" height="10" transform="rotate(90 50 50)"/>', (50, 40, 60, 60)),
        ('<g fill="red"><g transform="matrix(1 0 0 1 5 5)"><rect width="10" height="10"/></g></g>', (5, 5, 15, 15)),
    ],
)
def test_shapes_stand_where_svg_puts_them(inside: str, expected: tuple[int, ...]) -> None:
    found = box(drawn(svg(inside)))
    assert found is not None
    assert found == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('<circle cx="50" cy="50" r="30"/>', '<path d="M20 50a30 30 0 1 1 60 0a30 30 0 1 1-60 0z"/>'),
        ('<circle cx="50" cy="50" r="30"/>', '<path d="M20 50A30 30 0 01 80 50A30 30 0 0120 50"/>'),
        (
            '<ellipse cx="50" cy="50" rx="40" ry="20" transform="rotate(30 50 50)"/>',
            '<path d="M{0} {1}A40 20 30 1 1 {2} {3}A40 20 30 1 1 {0} {1}z"/>'.format(
                *(f(math.radians(30)) * sign * 40 + 50 for sign in (-1, 1) for f in (math.cos, math.sin))
            ),
        ),
        ('<path d="M10 50Q30 10 50 50T90 50V90H10z"/>', '<path d="M10 50Q30 10 50 50Q70 90 90 50V90H10z"/>'),
        (
            '<path d="M10 50C10 10 50 10 50 50S90 90 90 50z"/>',
            '<path d="M10 50C10 10 50 10 50 50C50 90 90 90 90 50z"/>',
        ),
        ('<path d="M10 50A5 5 0 0 1 90 50z"/>', '<path d="M10 50A40 40 0 0 1 90 50z"/>'),
        ('<path d="M10 50A0 5 0 0 1 90 50V90z"/>', '<path d="M10 50L90 50V90z"/>'),
    ],
)
def test_curves_are_what_svg_says_they_are(one: str, other: str) -> None:
    assert same(one, other)
    assert not same(one, '<rect width="100" height="100"/>')


def test_fill_rules_and_inheritance() -> None:
    twice = "M10 10H90V90H10zM30 30H70V70H30z"
    assert drawn(svg(f'<path d="{twice}"/>')).getpixel((50, 50)) == (0, 0, 0)
    assert drawn(svg(f'<g fill-rule="evenodd"><path d="{twice}"/></g>')).getpixel((50, 50)) == (255, 255, 255)
    inner = svg(f'<g fill="red"><path d="{twice}" style="fill:blue" fill="lime"/></g>')
    assert drawn(inner).getpixel((50, 50)) == (0, 0, 255)


def test_a_drawing_is_as_large_as_fits_and_is_cut_at_its_view_box() -> None:
    wide = svg('<rect x="-50" y="-50" width="900" height="900" fill="red"/>', "10 10 40 20")
    assert box(drawn(wide)) == (0, 25, 100, 75)
    sized = b'<svg xmlns="http://www.w3.org/2000/svg" width="50" height="50"><rect width="25" height="25"/></svg>'
    assert box(drawn(sized)) == (0, 0, 50, 50)


def test_a_seal_in_svg_is_drawn_as_outlines() -> None:
    face = SealFace(picture=svg('<circle cx="50" cy="50" r="49"/>'), width=119, height=119, name="章")
    drawing = render_seal(face)
    assert drawing.images == ()
    assert drawing.content.count(b" c\n") == 4
    assert render_seal(face) == drawing


@pytest.mark.parametrize(
    "inside",
    [
        "<text>章</text>",
        '<image href="x.png"/>',
        '<use href="#a"/>',
        "<style>path{fill:red}</style>",
        "<script>alert(1)</script>",
        '<defs><linearGradient id="a"/></defs>',
        '<rect width="9" height="9" rx="3"/>',
        '<path d="M1 1h9" fill="url(#a)"/>',
        '<path d="M1 1h9" opacity="0.5"/>',
        '<path d="M1 1h9" style="fill:red;display:none"/>',
        '<path d="M1 1h9" clip-path="url(#a)"/>',
        '<path d="M1 1h9" stroke-dasharray="1 2"/>',
        '<path d="M1 1h9" visibility="hidden"/>',
        '<path d="M1 1h9" transform="skewX(3)"/>',
        '<path d="M1 1h9" transform="scale()"/>',
        '<path d="M1 1h9" fill="chartreuse-ish"/>',
        '<path d="M1 1h9" stroke-width="1mm"/>',
        '<path d="h9"/>',
        '<path d="M1"/>',
        '<path d="M1 1 2 2 3"/>',
        '<path d="M1 1X"/>',
        '<path d="M1 1 z 5"/>',
        '<path d="M1e9 1h9"/>',
        '<polygon points="1 2 3"/>',
        '<circle r="1e400"/>',
        "<g>" * 70 + "</g>" * 70,
    ],
)
def test_what_would_have_to_be_guessed_at_is_refused(inside: str) -> None:
    with pytest.raises(AppearanceError):
        svg_content(svg(inside), 100, 100)


@pytest.mark.parametrize("size", ["0 0 0 0", "0 0 -1 5", "0 0 1", "a b c d", "0 0 1e9 1", "0 0 nan 1"])
def test_a_drawing_without_a_size_is_refused(size: str) -> None:
    with pytest.raises(AppearanceError):
        svg_content(svg("", size), 100, 100)


@pytest.mark.parametrize(
    "data", [b"<", b"<svg/>", b"<html xmlns='http://www.w3.org/1999/xhtml'/>", b"<svg xmlns='x'/>"]
)
def test_what_is_no_svg_is_refused(data: bytes) -> None:
    with pytest.raises(AppearanceError):
        svg_content(data, 100, 100)


def test_a_path_of_endless_points_is_refused_in_time() -> None:
    began = time.process_time()
    with pytest.raises(AppearanceError):
        svg_content(svg(f'<path d="M0 0{"h1" * 300_000}"/>'), 100, 100)
    assert time.process_time() - began < 20
    assert len(list(parse_path("M0 0" + "h1" * 10, 100))) == 11


def test_a_seal_drawn_before_is_recognised_by_later_versions() -> None:
    """A verifier compares files with what it draws itself: a change here leaves every sealed file of before open."""
    shapes = '<g transform="rotate(10 50 50)"><path d="M10 50A40 30 5 1 0 90 50Q70 10 50 50z" fill="#c01010"/></g>'
    drawing = svg_content(svg(shapes + '<circle cx="50" cy="50" r="48" fill="none" stroke="red"/>'), 119.055, 119.055)
    assert hashlib.sha256(drawing).hexdigest() == "68656368e5d19f4e9e2e529f18f8f5777c5e608c7cc0bb39b4291a9a14c9a825"
    image = Image.new("RGBA", (9, 3), (200, 16, 16, 255))
    for x in range(9):
        image.putpixel((x, 1), (200, 16, 16, 30 * x))
    out = io.BytesIO()
    image.save(out, "PNG")
    for transparency, colours, mask in (
        (True, "f021dd3de5c3e9b7", "38d88440501048ad"),
        (False, "243788953aa5eb59", "3a28c7f284d8d373"),
    ):
        made = exact_image(out.getvalue(), transparency=transparency)
        assert made.mask is not None
        assert hashlib.sha256(zlib.decompress(made.data)).hexdigest()[:16] == colours
        assert hashlib.sha256(zlib.decompress(made.mask.data)).hexdigest()[:16] == mask
