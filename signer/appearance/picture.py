"""The picture in a stamp: a PNG or JPEG of unknown origin, made into an image XObject.

    picture = load(data)                 # size-limited, whatever the header promises
    picture.width, picture.height, picture.mask

The file is foreign: its size is limited before it is opened, its dimensions before its pixels are decoded, and every
way in which the decoder fails is an AppearanceError.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from signer.errors import AppearanceError

if TYPE_CHECKING:
    from PIL import Image

MAX_BYTES = 5_000_000
"""Bytes of a picture file; a scanned seal at 600 dpi has under a million."""

MAX_PIXELS = 25_000_000
"""Width times height, told by the header: what a camera makes, and 100 MB decoded."""

MAX_SIDE = 1000
"""Pixels of the longer side that are kept: 300 dpi for a picture of 8 cm."""

_HINT = "give a PNG or JPEG file of at most 5 MB and 25 megapixels"


@dataclass(frozen=True)
class EmbeddedImage:
    """An encoded image: one (grey) or three (sRGB) components."""

    width: int
    height: int
    components: int
    filter: str
    """FlateDecode with PNG predictors, or DCTDecode."""
    data: bytes
    mask: EmbeddedImage | None = None
    """Opacity, one component, same size; of one bit: a stencil."""
    bits: int = 8
    """Of a component; 1 for a stencil, in which 1 is not painted."""
    predictor: int = 15
    """Of FlateDecode (ISO 32000-1, 7.4.4.4); 1 for none."""

    @property
    def ratio(self) -> float:
        """Width divided by height."""
        return self.width / self.height


@lru_cache(maxsize=8)
def load(data: bytes, *, grey: bool = False, transparency: bool = True) -> EmbeddedImage:
    """Decode, shrink to MAX_SIDE and encode a picture; the last few are remembered, for a seal is used again and again.

    `grey` gives one component. Without `transparency` the picture is laid on white: PDF/A-1 knows no soft mask, and in
    PDF/A-2 one needs a page group that the file may not have (ISO 19005-2, 6.2.10).
    Raises AppearanceError if it is not a PNG or JPEG, is damaged or too large.
    """
    from PIL import Image, ImageOps, JpegImagePlugin, PngImagePlugin

    if len(data) > MAX_BYTES:
        raise AppearanceError(f"the picture has {len(data)} bytes, more than {MAX_BYTES}", hint=_HINT)
    # The plug-ins directly: Image.open would try every format it knows.
    photo = data.startswith(b"\xff\xd8\xff")
    plugin = JpegImagePlugin.JpegImageFile if photo else PngImagePlugin.PngImageFile
    if not photo and not data.startswith(b"\x89PNG\r\n\x1a\n"):
        raise AppearanceError("the picture is neither PNG nor JPEG", hint=_HINT)
    try:
        with plugin(io.BytesIO(data)) as source:
            if source.width * source.height > MAX_PIXELS:
                raise AppearanceError(f"the picture has {source.width} × {source.height} pixels", hint=_HINT)
            if photo:
                source.draft("RGB", (MAX_SIDE, MAX_SIDE))
            source.load()
            picture: Image.Image = ImageOps.exif_transpose(source)
            if picture.mode.startswith("I;16"):
                picture = picture.point(lambda value: value / 256).convert("L")
            rgba = picture.convert("RGBA")
        rgba.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
        colour, opacity = layers_of(rgba, transparency=transparency)
        mask = _flate(opacity) if transparency and opacity is not None else None
        if grey:
            colour = colour.convert("L")
        return _jpeg(colour) if photo else _flate(colour, mask)
    except AppearanceError:
        raise
    except Exception as error:  # decoders fail in any way, down to SyntaxError and struct.error
        raise AppearanceError("the picture is damaged", hint=_HINT) from error


def layers_of(rgba: Image.Image, *, transparency: bool) -> tuple[Image.Image, Image.Image | None]:
    """Return colours, laid on white without `transparency`, and opacity; None: nothing shows through."""
    from PIL import Image

    opacity, colour = rgba.getchannel("A"), rgba.convert("RGB")
    if opacity.getextrema()[0] == 255:
        return colour, None
    if transparency:
        return colour, opacity
    white = Image.new("RGB", rgba.size, (255, 255, 255))
    white.paste(colour, mask=opacity)
    return white, opacity


def _flate(picture: object, mask: EmbeddedImage | None = None) -> EmbeddedImage:
    """Encode without loss; the data of a PNG is what FlateDecode with predictor 15 reads (ISO 32000-1, 7.4.4.4)."""
    from PIL import Image

    assert isinstance(picture, Image.Image)
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=6)
    data = file.getvalue()
    at, parts = 8, []
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IDAT":
            parts.append(data[at + 8 : at + 8 + size])
        at += 12 + size
    body = b"".join(parts)
    return EmbeddedImage(picture.width, picture.height, len(picture.getbands()), "FlateDecode", body, mask)


def _jpeg(picture: object) -> EmbeddedImage:
    from PIL import Image

    assert isinstance(picture, Image.Image)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return EmbeddedImage(picture.width, picture.height, len(picture.getbands()), "DCTDecode", file.getvalue())
