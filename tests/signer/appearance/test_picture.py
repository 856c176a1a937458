"""Pictures of unknown origin: usable ones are embedded, all others are one kind of error."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from signer.appearance.picture import MAX_BYTES, MAX_SIDE, EmbeddedImage, load
from signer.errors import AppearanceError


def picture(mode: str = "RGBA", size: tuple[int, int] = (60, 40), kind: str = "PNG", **options: object) -> bytes:
    image = Image.new(mode, size)
    if mode == "RGBA":
        image.paste((200, 20, 20, 255), (10, 10, 30, 30))
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, body: bytes = b"", *extra: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *extra, chunk(b"IDAT", zlib.compress(body)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def samples(image: EmbeddedImage) -> Image.Image:
    """Decode what was embedded, as a viewer would."""
    assert image.filter == "FlateDecode"
    header = struct.pack(">IIBBBBB", image.width, image.height, 8, {1: 0, 3: 2}[image.components], 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", image.data) + chunk(b"IEND", b"")
    return Image.open(io.BytesIO(data))


def test_alpha_becomes_a_soft_mask():
    image = load(picture())
    assert image.mask is not None
    assert (image.mask.width, image.mask.height, image.mask.components) == (60, 40, 1)
    assert samples(image).getpixel((15, 15)) == (200, 20, 20)
    assert samples(image.mask).getpixel((15, 15)) == 255
    assert samples(image.mask).getpixel((0, 0)) == 0


def test_without_transparency_the_picture_lies_on_white():
    image = load(picture(), transparency=False)
    assert image.mask is None
    assert samples(image).getpixel((0, 0)) == (255, 255, 255)
    assert samples(image).getpixel((15, 15)) == (200, 20, 20)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_is_read(mode):
    assert load(picture(mode)).width == 60


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_kind_of_jpeg_is_read(mode):
    image = load(picture(mode, kind="JPEG"))
    assert (image.filter, image.components, image.mask) == ("DCTDecode", 3, None)


def test_grey_gives_one_component():
    assert load(picture(), grey=True).components == 1
    assert load(picture("RGB", kind="JPEG"), grey=True).components == 1


def test_a_large_picture_is_shrunk():
    image = load(picture("RGB", (3000, 1500)))
    assert (image.width, image.height) == (MAX_SIDE, MAX_SIDE // 2)


def test_a_photo_is_turned_the_way_its_camera_was_held():
    exif = Image.Exif()
    exif[0x0112] = 6
    image = load(picture("RGB", (60, 40), "JPEG", exif=exif))
    assert (image.width, image.height) == (40, 60)


HOSTILE = {
    "empty": b"",
    "text": b"not a picture",
    "gif": picture("P", kind="GIF"),
    "tiff": picture("RGB", kind="TIFF"),
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "only_a_signature": b"\x89PNG\r\n\x1a\n",
    "only_a_jpeg_marker": b"\xff\xd8\xff",
    "truncated_png": picture()[:-40],
    "truncated_jpeg": picture("RGB", kind="JPEG", size=(600, 400))[:700],
    "decompression_bomb": png(100_000, 100_000),
    "bomb_by_one_side": png(2**31 - 1, 1),
    "too_many_pixels": png(6000, 6000),
    "no_pixels": png(0, 0),
    "fewer_rows_than_promised": png(100, 100, b"\0" * 50),
    "broken_checksum": picture()[:40] + b"\xff" + picture()[41:],
    "text_chunk_bomb": png(1, 1, b"\0" * 5, chunk(b"zTXt", b"k\0\0" + zlib.compress(b"\0" * 80_000_000))),
    "icc_profile_of_rubbish": png(1, 1, b"\0" * 2, chunk(b"iCCP", b"x\0\0" + b"\xff" * 40)),
    "too_long": b"\x89PNG\r\n\x1a\n" + b"\0" * MAX_BYTES,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_picture_is_one_kind_of_error(name):
    with pytest.raises(AppearanceError) as caught:
        load(HOSTILE[name])
    assert caught.value.hint


@given(st.integers(0, 400), st.integers(0, 255), st.sampled_from(["PNG", "JPEG"]))
def test_any_changed_byte_gives_a_picture_or_the_error(at, value, kind):
    data = bytearray(picture("RGB", kind=kind))
    data[at % len(data)] = value
    try:
        assert load(bytes(data)).width > 0
    except AppearanceError:
        pass
