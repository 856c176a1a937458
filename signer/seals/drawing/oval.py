"""The oval seal: the invoice seal of 国家税务总局公告2011年第7号, and contract and finance seals of the same form.

All measures are those of the annex of that rule, for 40 × 30 mm; they grow with the seal.
"""

from __future__ import annotations

import math

from signer.seals.drawing.fitting import along, refused, straight
from signer.seals.drawing.letters import Style, shape
from signer.seals.drawing.paths import ring
from signer.seals.drawing.setting import Manner, Point, Rim, Shape
from signer.seals.drawing.spec import SealDrawing

BORDER = 1.0
GAP = 0.5
"""Between border and letters."""
NAME_HEIGHTS = (4.2, 3.8, 3.4, 3.0)
NAME_ANGLES = (105, 118, 130)
"""Degrees to either side of the top: 210 to 260 in all."""
CODE_HEIGHT, CODE_WIDTH = 3.7, 26.0
TITLE_HEIGHT, TITLE_WIDTH, TITLE_TOP = 4.6, 17.0, 4.2
"""Five characters of 3 mm; the top is so far below the middle."""
LINE_HEIGHT, LINE_WIDTH, LINE_TOP = 2.2, 9.0, 10.0

NAME = Manner(widest=0.9, narrowest=0.32, loose=0.42, tight=0.10)
TITLE = Manner(widest=0.66, narrowest=0.36, loose=0.14, tight=0.06)
CODE = Manner(widest=0.85, narrowest=0.34, loose=0.18, tight=0.10)
"""18 digits over 26 mm are 1.3 mm wide."""


def draw(spec: SealDrawing) -> tuple[Shape, ...]:
    """Return the outlines. Raises AppearanceError for a text that has no room."""
    wide, high = spec.size
    x, y = wide / 2, high / 2
    across = wide / 40
    scale = min(across, high / 30)
    rim = Rim(x, y, x - BORDER * scale, y - BORDER * scale)
    shapes = [Shape(ring(x, y, x, y, BORDER * scale))]
    taken: list[tuple[Point, ...]] = []
    if len(spec.lines) > 1:
        raise refused("the lines", hint="an oval seal has one line at its foot, the serial number")

    if spec.code is not None:
        code = straight(
            shape(spec.code, Style.FIGURES), "the code", x, y, CODE_HEIGHT * scale, CODE_WIDTH * across, CODE
        )
        shapes += code.shapes
        taken += code.boxes
    if spec.title is not None:
        # Without a number in the middle the title takes its place.
        drop = TITLE_TOP + TITLE_HEIGHT / 2 if spec.code is not None else 2.4
        title = straight(
            shape(spec.title, Style.SONG),
            "the title",
            x,
            y - drop * scale,
            TITLE_HEIGHT * scale,
            TITLE_WIDTH * across,
            TITLE,
        )
        shapes += title.shapes
        taken += title.boxes
    for line in spec.lines:
        drop = LINE_TOP + LINE_HEIGHT / 2
        number = straight(
            shape(line, Style.FIGURES), "the line", x, y - drop * scale, LINE_HEIGHT * scale, LINE_WIDTH * across, CODE
        )
        shapes += number.shapes
        taken += number.boxes

    tries = [(height * scale, math.radians(angle)) for height in NAME_HEIGHTS for angle in NAME_ANGLES]
    letters = shape(spec.name, Style.SONG)
    name = along(rim, letters, GAP * scale, tries, NAME, taken, 0.8 * scale)
    if name is None:
        raise refused("the name", letters)
    return (*shapes, *name.shapes)
