"""The picture of a Chinese company's contract seal, for the demo's seller: a red ring, a star, the company's name.

    picture = chop("杭州砚川自动化设备有限公司")       # PNG

It is a picture to look at, drawn beside the words of the signature, and says 演示 ("demonstration") at its foot. It is
no electronic seal; what counts is the signature.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL import Image, ImageFont

RED: Final = (196, 30, 34)
SIDE: Final = 420
"""Pixels: 300 dpi at 3.5 cm, the size at which a stamp shows it."""
_FINE: Final = 2  # drawn larger and then reduced, for smooth edges


def chop(name: str, kind: str = "合同专用章", foot: str = "演示") -> bytes:
    """Return the seal as PNG: `name` along the upper arc, `kind` below the star, `foot` small at the bottom."""
    from PIL import Image, ImageDraw

    side = SIDE * _FINE
    middle = side / 2
    picture = Image.new("RGBA", (side, side), (255, 255, 255, 0))
    pen = ImageDraw.Draw(picture)
    ring = round(side * 0.022)
    pen.ellipse((ring, ring, side - ring, side - ring), outline=RED, width=ring)
    pen.polygon(_star(middle, middle * 0.97, side * 0.125), fill=RED)
    _arc(picture, name, middle, radius=side * 0.395, size=side * min(0.118, 1.45 / max(len(name), 1)))
    _row(picture, kind, middle, y=side * 0.71, size=side * 0.088)
    _row(picture, foot, middle, y=side * 0.835, size=side * 0.06)
    out = io.BytesIO()
    picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()


def _star(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    """Return the ten corners of a five-pointed star that stands on two of them."""
    corners = []
    for index in range(10):
        reach = radius * (1 if index % 2 == 0 else 0.382)
        angle = math.pi * index / 5
        corners.append((x + reach * math.sin(angle), y - reach * math.cos(angle)))
    return corners


def _arc(picture: Image.Image, text: str, middle: float, *, radius: float, size: float) -> None:
    """Write along the upper part of a circle, each character upright to the centre."""
    from PIL import Image

    span = math.radians(min(244, 21 * len(text)))
    step = span / max(len(text) - 1, 1)
    for index, char in enumerate(text):
        angle = -span / 2 + index * step if len(text) > 1 else 0.0
        glyph = _glyph(char, size).rotate(-math.degrees(angle), resample=Image.Resampling.BICUBIC, expand=True)
        x, y = middle + radius * math.sin(angle), middle - radius * math.cos(angle)
        picture.alpha_composite(glyph, (round(x - glyph.width / 2), round(y - glyph.height / 2)))


def _row(picture: Image.Image, text: str, middle: float, *, y: float, size: float) -> None:
    """Write a straight line around the middle."""
    left = middle - size * (len(text) - 1) / 2
    for index, char in enumerate(text):
        glyph = _glyph(char, size)
        picture.alpha_composite(glyph, (round(left + index * size - glyph.width / 2), round(y - glyph.height / 2)))


def _glyph(char: str, size: float) -> Image.Image:
    """Return one character in the middle of a square."""
    from PIL import Image, ImageDraw

    side = round(size * 1.2)
    square = Image.new("RGBA", (side, side), (*RED, 0))
    pen = ImageDraw.Draw(square)
    font = _font(size)
    pen.text((side / 2, side / 2), char, RED, font=font, anchor="mm", stroke_width=round(size * 0.022))
    return square


def _font(size: float) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    from signer.appearance.fonts import DIRECTORY

    return ImageFont.truetype(str(DIRECTORY / "NotoSansSC-Regular.ttf"), size)
