"""The round seal of a Chinese organisation: circle, star, name on the upper arc, what it is for below the star.

All measures are those of a seal of 42 mm and grow with it.
"""

from __future__ import annotations

import math

from signer.seals.drawing.fitting import along, refused, straight
from signer.seals.drawing.letters import Style, shape
from signer.seals.drawing.paths import ring, star
from signer.seals.drawing.setting import Manner, Point, Rim, Shape
from signer.seals.drawing.spec import SealDrawing

BORDER = 1.2
STAR = 7.0
"""Radius of the circle through the tips."""
GAP = 0.8
"""Between border and letters."""

NAME_HEIGHTS = (6.1, 5.6, 5.1, 4.6, 4.2, 3.8, 3.4)
NAME_ANGLES = (118, 132, 150)
"""Degrees to either side of the top."""
TITLE_HEIGHT = 4.0
CODE_HEIGHT = 1.6
LINE_HEIGHT = 2.7

NAME = Manner(widest=0.92, narrowest=0.32, loose=0.42, tight=0.10)
TITLE = Manner(widest=0.88, narrowest=0.42, loose=0.14, tight=0.06)
CODE = Manner(widest=1.0, narrowest=0.6, loose=0.35, tight=0.10)


def draw(spec: SealDrawing) -> tuple[Shape, ...]:
    """Return the outlines. Raises AppearanceError for a text that has no room."""
    middle = spec.size[0] / 2
    scale = spec.size[0] / 42
    rim = Rim(middle, middle, middle - BORDER * scale, middle - BORDER * scale)
    shapes = [Shape(ring(middle, middle, middle, middle, BORDER * scale)), Shape(star(middle, middle, STAR * scale))]
    taken: list[tuple[Point, ...]] = []
    if len(spec.lines) > 1:
        raise refused("the lines", hint="a round seal has one line at its foot")

    if spec.code is not None:
        code = rim.set(
            shape(spec.code, Style.FIGURES), GAP * scale, CODE_HEIGHT * scale, math.radians(48), CODE, below=True
        )
        if code is None:
            raise refused("the code", hint="a registration number has 13 digits")
        shapes += code.shapes
        taken += code.boxes
    if spec.title is not None:
        # Below the two feet of the star; higher where another line follows.
        y = middle - (9.7 if spec.lines else 10.6) * scale
        title = straight(shape(spec.title, Style.SONG), "the title", middle, y, TITLE_HEIGHT * scale, 21 * scale, TITLE)
        shapes += title.shapes
        taken += title.boxes
    for line in spec.lines:
        y = middle - (13.9 if spec.title else 10.6) * scale
        small = straight(shape(line, Style.SONG), "the line", middle, y, LINE_HEIGHT * scale, 14 * scale, TITLE)
        shapes += small.shapes
        taken += small.boxes

    tries = [(height * scale, math.radians(angle)) for height in NAME_HEIGHTS for angle in NAME_ANGLES]
    letters = shape(spec.name, Style.SONG)
    name = along(rim, letters, GAP * scale, tries, NAME, taken, 1.1 * scale)
    if name is None:
        raise refused("the name", letters)
    return (*shapes, *name.shapes)
