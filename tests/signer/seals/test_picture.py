"""Pictures of strangers: found out by their octets, and refused where decoding or showing them could do harm."""

from __future__ import annotations

import io
import struct
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from signer.errors import AppearanceError
from signer.seals import picture as module
from signer.seals import read_seal
from signer.seals.picture import check_picture, kind_named
from tests.signer.seals import corpus as files
from tests.signer.seals.making import SVG, raster

KINDS = {"png": "PNG", "jpeg": "JPEG", "gif": "GIF", "bmp": "BMP"}


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, body: bytes = b"", *more: bytes) -> bytes:
    """Return a PNG whose header promises a size; `body` are its pixels before compression."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(body, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(more) + data + chunk(b"IEND", b"")


FRAME = b"\x2c" + struct.pack("<HHHHB", 0, 0, 60000, 60000, 0) + b"\x02\x01\x00\x00\x3b"
"""One image descriptor of a GIF, with nothing in it."""


def svg(inside: str, attributes: str = "") -> bytes:
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"<svg {names} {attributes}>{inside}</svg>".encode()


# What a picture is ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_is_found_in_the_octets(kind: str) -> None:
    checked = check_picture(raster(KINDS[kind], (30, 20)))
    assert (checked.kind, checked.width_px, checked.height_px, checked.mismatch) == (kind, 30, 20, False)


def test_an_svg_has_no_pixels() -> None:
    checked = check_picture(SVG, stated="svg")
    assert (checked.kind, checked.width_px, checked.height_px, checked.mismatch) == ("svg", None, None, False)
    assert check_picture(b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?>\n" + SVG).kind == "svg"


@pytest.mark.parametrize(
    ("stated", "kind"),
    [
        *(("PNG", "png"), ("png", "png"), (".png", "png"), ("image/png", "png"), ("JPG", "jpeg"), ("jpeg", "jpeg")),
        *(("GIF", "gif"), ("BMP", "bmp"), ("SVG", "svg"), ("image/svg+xml", "svg"), ("TIFF", None), ("", None)),
    ],
)
def test_types_as_seals_write_them(stated: str, kind: str | None) -> None:
    assert kind_named(stated) == kind


def test_a_type_that_is_not_what_the_picture_is_is_told() -> None:
    assert check_picture(raster("PNG"), stated="JPG").mismatch
    assert check_picture(SVG, stated="PNG").mismatch
    assert check_picture(raster("PNG"), stated="TIFF").mismatch
    assert not check_picture(raster("JPEG"), stated="jpg").mismatch


@pytest.mark.corpus
def test_pictures_in_seals_of_others(corpus: Path) -> None:
    for data in files.seals(corpus).values():
        picture = read_seal(data).picture
        checked = check_picture(picture.data, stated=picture.type)
        assert (checked.kind, checked.width_px, checked.mismatch) == ("png", 400, False)


# Bombs ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(png(60_000, 60_000), "60000 × 60000 pixels", id="dimensions"),
        pytest.param(png(5001, 5000, bytes(5002 * 5000)), "5001 × 5000 pixels", id="a_little_too_many_pixels"),
        pytest.param(png(2**31 - 1, 1), "2147483647 × 1 pixels", id="one_line"),
        pytest.param(png(1000, 10, bytes(1001 * 10)), "1000 × 10 pixels", id="no_shape_of_a_seal"),
        pytest.param(b"GIF89a" + struct.pack("<HHBBB", 60000, 60000, 0, 0, 0) + FRAME, "60000 × 60000", id="gif"),
        pytest.param(raster("JPEG") + b"\xff\xda" * 64, "too many passes", id="many_passes"),
        pytest.param(raster("PNG") + bytes(5_000_000), "more than 5000000", id="octets"),
        pytest.param(png(40, 40, b"\x00" * 10), "damaged", id="pixels_missing"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "damaged", id="only_a_beginning"),
        pytest.param(b"BM" + bytes(60), "damaged", id="bmp"),
        pytest.param(b"", "no kind", id="nothing"),
        pytest.param(b"%PDF-1.7", "no kind", id="pdf"),
        pytest.param(b"II*\x00" + bytes(100), "no kind", id="tiff"),
    ],
)
def test_a_raster_bomb_is_refused_quickly(data: bytes, message: str) -> None:
    start = time.process_time()
    with pytest.raises(AppearanceError, match=message):
        check_picture(data)
    assert time.process_time() - start < 20


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_what_a_png_carries_along_is_not_unpacked_without_end(kind: bytes) -> None:
    carried = chunk(kind, b"a\x00\x00" + zlib.compress(bytes(20_000_000)))
    start = time.process_time()
    try:
        assert check_picture(png(40, 40, bytes(41 * 40), carried)).width_px == 40
    except AppearanceError:
        pass  # the decoder may refuse it or pass it over, as it likes
    assert time.process_time() - start < 20


def test_the_largest_picture_is_taken() -> None:
    checked = check_picture(png(5000, 5000, bytes(5001 * 5000)))
    assert (checked.width_px, checked.height_px) == (5000, 5000)


@pytest.mark.parametrize("kind", ["GIF", "PNG"])
def test_a_picture_that_moves_is_refused(kind: str) -> None:
    file = io.BytesIO()
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue", "green")]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    with pytest.raises(AppearanceError, match="moves"):
        check_picture(file.getvalue())


def test_a_picture_behind_another_beginning_is_what_it_begins_as() -> None:
    with pytest.raises(AppearanceError, match="damaged"):
        check_picture(b"BM" + raster("PNG"))


# SVG ------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "inside",
    [
        '<circle r="19" style="fill:none;stroke:rgb(200,0,0)"/>',
        '<defs><linearGradient id="a"><stop offset="0"/></linearGradient></defs><rect fill="url(#a)"/>',
        '<symbol id="a"><path d="M0 0L1 1"/></symbol><use href="#a"/><use xlink:href=" #a "/>',
        '<clipPath id="c"><rect/></clipPath><g clip-path="url( \'#c\' )" transform="rotate(45) translate(1 2)"/>',
        "<text>江海贸易有限公司(北京) 𠮷 Ёлкин</text>",
        "<title>Seal (contract)</title><style>.a{fill:rgb(200,0,0)}</style><!-- drawn -->",
        '<g id="a(b)" aria-label="Seal(1)"/>',
    ],
)
def test_drawing_is_allowed(inside: str) -> None:
    assert check_picture(svg(inside)).kind == "svg"


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        pytest.param("<script>alert(1)</script>", "'script'", id="script"),
        pytest.param('<g onload="alert(1)"/>', "'onload'", id="event"),
        pytest.param('<g OnClick="alert(1)"/>', "'OnClick'", id="event_in_capitals"),
        pytest.param("<foreignObject/>", "'foreignObject'", id="html_inside"),
        pytest.param('<h:script xmlns:h="http://www.w3.org/1999/xhtml"/>', "'script'", id="script_of_html"),
        pytest.param('<use href="http://evil.example/a.svg#a"/>', "outside", id="use_from_outside"),
        pytest.param('<use xlink:href="//evil.example/a.svg#a"/>', "outside", id="use_without_scheme"),
        pytest.param('<use href="data:image/svg+xml,x#a"/>', "outside", id="use_of_data"),
        pytest.param('<image href="https://evil.example/a.png"/>', "'image'", id="image_from_outside"),
        pytest.param('<image href="data:image/png;base64,AAAA"/>', "'image'", id="image_inside"),
        pytest.param('<a href="javascript:alert(1)"/>', "'a'", id="link"),
        pytest.param('<set attributeName="href" to="javascript:alert(1)"/>', "'set'", id="animation"),
        pytest.param('<animate attributeName="href"/>', "'animate'", id="another_animation"),
        pytest.param('<rect fill="url(http://evil.example/#a)"/>', "outside", id="url_in_attribute"),
        pytest.param("<rect style=\"fill:URL( 'a.svg#b' )\"/>", "outside", id="url_in_style"),
        pytest.param("<style>@import 'http://evil.example/a.css';</style>", "load something", id="import"),
        pytest.param("<style>a{}<g/>@import 'a.css';</style>", "load something", id="import_behind_an_element"),
        pytest.param("<style>@font-face{src:local(x)}</style>", "load something", id="font"),
        pytest.param("<style>a{fill:u\\72l(http://evil.example/)}</style>", "load something", id="escaped_url"),
        pytest.param("<style>.a{clip-path:url(#a)}</style>", "load something", id="url_in_rules"),
        pytest.param("<g style=\"background:image-set('a.png' 1x)\"/>", "image-set", id="image_set"),
        pytest.param('<g xml:base="http://evil.example/"/>', "'base'", id="base"),
        pytest.param('<use id="a" href="#a"/>', "itself", id="draws_itself"),
        pytest.param('<g id="a"><use href="#a"/></g>', "itself", id="draws_what_holds_it"),
        pytest.param("<rect/>" * 20_001, "more than 20000", id="elements"),
        pytest.param("<g>" * 70 + "</g>" * 70, "too deep", id="depth"),
        pytest.param(
            "".join(f'<g id="g{i}">' + f'<use href="#g{i + 1}"/>' * 10 + "</g>" for i in range(12)) + '<g id="g12"/>',
            "more than 20000",
            id="billion_laughs_by_use",
        ),
        pytest.param(
            "".join(f'<g id="g{i}"><use href="#g{i + 1}"/></g>' for i in range(200)) + '<g id="g200"/>',
            "too deep",
            id="depth_by_use",
        ),
        pytest.param(
            "".join(
                f'<clipPath id="c{i}">' + f'<rect clip-path="url(#c{i + 1})"/>' * 10 + "</clipPath>" for i in range(12)
            ),
            "more than 20000",
            id="billion_laughs_by_clip_path",
        ),
    ],
)
def test_anything_but_drawing_is_refused(inside: str, message: str) -> None:
    start = time.process_time()
    with pytest.raises(AppearanceError, match=message):
        check_picture(svg(inside))
    assert time.process_time() - start < 20


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'<!DOCTYPE svg [<!ENTITY a "aa">]>' + svg("&a;"), id="entity"),
        pytest.param(b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + svg("&a;"), id="external_entity"),
        pytest.param(b'<!DOCTYPE svg SYSTEM "http://evil.example/a.dtd">' + svg(""), id="external_dtd"),
        pytest.param(b'<?xml-stylesheet href="http://evil.example/a.css"?>' + svg(""), id="stylesheet"),
        pytest.param(b"<?xml version='1.0'?><?php ?>" + svg(""), id="instruction"),
        pytest.param(svg("<?x y?>"), id="instruction_inside"),
        pytest.param(b"<?xml version='1.0' encoding='utf-7'?>" + svg(""), id="utf7"),
        pytest.param(b"<?xml version='1.0' encoding='utf-16'?>" + svg(""), id="said_to_be_utf16"),
        pytest.param(b"<?xml version='1.0' encoding='iso-8859-1'?>" + svg(""), id="latin1"),
        pytest.param(svg("").decode().encode("utf-16"), id="utf16"),
        pytest.param(b"<svg/>", id="no_namespace"),
        pytest.param(b"<html xmlns='http://www.w3.org/1999/xhtml'/>", id="html"),
        pytest.param(svg("")[:-1], id="cut_short"),
        pytest.param(svg("") * 2, id="two_of_them"),
        pytest.param(svg("<text>x</text>").replace(b">x<", b">\xff<"), id="not_utf8"),
        pytest.param(svg("<desc>" + "x" * 5_000_000 + "</desc>"), id="octets"),
    ],
)
def test_what_is_no_plain_svg_is_refused(data: bytes) -> None:
    with pytest.raises(AppearanceError):
        check_picture(data)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([*KINDS.values(), "SVG"]), st.data())
def test_octets_that_were_changed_are_a_picture_or_an_error_of_ours(kind: str, more: st.DataObject) -> None:
    data = bytearray(SVG if kind == "SVG" else raster(kind, (6, 6)))
    for _ in range(more.draw(st.integers(0, 4))):
        data[more.draw(st.integers(0, len(data) - 1))] = more.draw(st.integers(0, 255))
    cut = more.draw(st.none() | st.integers(0, len(data)))
    try:
        check_picture(bytes(data[:cut]))
    except AppearanceError:
        pass


def test_limits_are_those_of_stamps_too() -> None:
    from signer.appearance import picture as stamps

    assert (module.MAX_BYTES, module.MAX_PIXELS) == (stamps.MAX_BYTES, stamps.MAX_PIXELS)
