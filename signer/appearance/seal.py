"""The picture of a seal as the appearance of a signature: as it is, in its own size, whole or in slices.

    face = SealFace(picture=png, width=119.06, height=119.06, name="合同专用章")        # points: 42 mm
    drawing = render_seal(face)
    frame = frame_of(drawing, (39.7, 119.06), part=(0.0, 1 / 3))                         # the first of three slices

A verifier compares what a signed file shows with the picture in the seal (`signer.verification.seal_face`). So nothing
is scaled or encoded with loss: a JPEG is embedded octet for octet, every other raster picture pixel for pixel, and an
SVG becomes the same outlines (`signer.appearance.svg`).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from signer.appearance.colour import ColourMode
from signer.appearance.numbers import decimal
from signer.appearance.picture import EmbeddedImage, layers_of
from signer.appearance.stamp import Drawing, StampSpec, alternative
from signer.appearance.svg import svg_content
from signer.errors import AppearanceError
from signer.seals.picture import MAX_BYTES, is_markup, open_raster, raster_kind

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 4_000_000
"""2000 × 2000: a seal of 42 mm at 1200 dpi."""
HALF = 128
"""Opacity, of 255, from which a pixel is painted where there is no transparency."""
MAX_SIDE = 1000.0
"""Points: 35 cm."""

_HINT = "a PNG, JPEG, GIF or BMP of at most 5 MB and 4 megapixels, or a plain SVG"


@dataclass(frozen=True, kw_only=True)
class SealFace:
    """What a seal looks like."""

    picture: bytes = field(repr=False)
    width: float
    """Points."""
    height: float
    """Points."""
    name: str
    """For readers who do not see it."""
    locale: str = "zh"


@dataclass(frozen=True)
class Frame:
    """A form XObject around the drawing of a seal, of the size of one field."""

    width: float
    height: float
    scale: float
    x: float
    y: float
    """Where the lower left corner of the whole drawing comes to lie."""

    @property
    def content(self) -> bytes:
        """The content stream; the drawing is its resource /Seal."""
        scale = number(self.scale)
        return f"q {scale} 0 0 {scale} {number(self.x)} {number(self.y)} cm /Seal Do Q\n".encode()


def frame_of(drawing: Drawing, size: tuple[float, float], part: tuple[float, float] = (0.0, 1.0)) -> Frame:
    """Return where `part` of the width of a drawing goes in a field: in the middle, made smaller where it must be."""
    width, height = size
    start, end = part
    shown = drawing.width * (end - start)
    scale = min(1.0, width / shown, height / drawing.height)
    if scale > 0.999:
        scale = 1.0
    x = (width - scale * shown) / 2 - scale * start * drawing.width
    return Frame(width, height, scale, x, (height - scale * drawing.height) / 2)


def number(value: float) -> str:
    """Return a number for a content stream."""
    return decimal(value, 4)


def render_seal(face: SealFace, *, pdfa_part: int | None = None) -> Drawing:
    """Draw a seal. Raises AppearanceError for a picture that cannot be drawn, or a size that is none."""
    for side in (face.width, face.height):
        if not 1 <= side <= MAX_SIDE:
            raise AppearanceError(f"a seal cannot be {face.width:.0f} × {face.height:.0f} points")
    images: tuple[tuple[str, EmbeddedImage], ...] = ()
    if is_markup(face.picture):
        content = svg_content(face.picture, face.width, face.height)
    else:
        content = f"q {number(face.width)} 0 0 {number(face.height)} 0 0 cm /Im0 Do Q\n".encode()
        images = (("Im0", exact_image(face.picture, transparency=pdfa_part is None)),)
    return Drawing(
        width=face.width,
        height=face.height,
        content=content,
        fonts=(),
        images=images,
        mode=ColourMode.ICC,
        alternative=alternative(StampSpec(name=face.name, locale=face.locale)),
    )


@lru_cache(maxsize=8)
def exact_image(data: bytes, *, transparency: bool = True) -> EmbeddedImage:
    """Embed a picture without loss; the last few are remembered, as by `signer.appearance.picture.load`.

    PDF/A-1 knows no `transparency`, and in PDF/A-2 it needs a page group that the file may not have (ISO 19005-2,
    6.2.10): without it what is mostly transparent is cut out, and the rest is laid on white.
    Raises AppearanceError.
    """
    if len(data) > MAX_BYTES:
        raise AppearanceError(f"the picture of the seal has {len(data)} bytes, more than {MAX_BYTES}", hint=_HINT)
    kind = raster_kind(data)
    if kind is None:
        raise AppearanceError("the picture of the seal is of a kind that cannot be drawn here", hint=_HINT)
    try:
        with open_raster(data, kind) as source:
            if source.width * source.height > MAX_PIXELS:
                raise AppearanceError(
                    f"the picture of the seal has {source.width} × {source.height} pixels", hint=_HINT
                )
            source.load()
            if kind == "jpeg" and source.mode in ("L", "RGB"):
                return EmbeddedImage(source.width, source.height, len(source.getbands()), "DCTDecode", data)
            rgba: Image.Image = source.convert("RGBA")
        colour, opacity = layers_of(rgba, transparency=transparency)
        if opacity is None:
            return _flate(colour)
        return _flate(colour, _flate(opacity if transparency else _cut_out(opacity)))
    except AppearanceError:
        raise
    except Exception as error:  # decoders fail in any way, down to SyntaxError and struct.error
        raise AppearanceError("the picture of the seal is damaged", hint=_HINT) from error


def _cut_out(opacity: Image.Image) -> Image.Image:
    """Return a stencil of one bit a pixel: 1 where nothing is painted."""
    from PIL import Image

    return opacity.point(lambda level: 255 if level < HALF else 0).convert("1", dither=Image.Dither.NONE)


def _flate(picture: object, mask: EmbeddedImage | None = None) -> EmbeddedImage:
    """Encode without a predictor, which a verifier undoes at once."""
    from PIL import Image

    assert isinstance(picture, Image.Image)
    data = zlib.compress(picture.tobytes(), 9)
    return EmbeddedImage(
        picture.width,
        picture.height,
        len(picture.getbands()),
        "FlateDecode",
        data,
        mask,
        bits=1 if picture.mode == "1" else 8,
        predictor=1,
    )
