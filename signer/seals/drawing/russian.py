"""The round stamp of a Russian organisation: name, numbers and seat on rings, a short name in the middle.

All measures are those of a stamp of 40 mm and grow with it. No letters have capitals under MIN_CAPITALS.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from signer.appearance.fonts import FontSet
from signer.appearance.layout import measure
from signer.seals.drawing.fitting import along, refused, stacked
from signer.seals.drawing.letters import CAPITAL, Letters, Style, shape
from signer.seals.drawing.paths import ring, star
from signer.seals.drawing.setting import Manner, Placed, Rim, Shape, row
from signer.seals.drawing.spec import SealDrawing

BORDER, THIN = 1.0, 0.25
"""The outer circle, and the lines inside it."""
GAP = 0.55
"""Between lines and letters, and between rings of letters."""
MIN_CAPITALS = 1.35
"""Millimetres at 40 mm: 5.4 points, about the smallest that rubber and a laser printer reproduce."""
GOOD_CAPITALS = 1.5
"""Below this height a name takes a second ring."""
NAME_CAPITALS = (2.4, 2.2, 2.0, 1.75, GOOD_CAPITALS, MIN_CAPITALS)
TWO_RINGS = NAME_CAPITALS[3:]
CODE_CAPITALS = (1.9, 1.7, 1.5, MIN_CAPITALS)
MAX_MIDDLE = 4.6
"""Height of the capitals in the middle."""
LEAST_MIDDLE = 3.0
"""Radius of the circle in the middle."""
LEADING = 1.45
"""From line to line in the middle, in heights of capitals."""
MAX_LINES = 4
MAX_BREAKS = 8
"""Places looked at to break the text of the middle: enough for 93 ways."""

RING = Manner(widest=1.0, narrowest=0.62, loose=0.16, tight=0.06)
MIDDLE = Manner(widest=1.0, narrowest=0.8, loose=0.04, tight=0.02)


def draw(spec: SealDrawing) -> tuple[Shape, ...]:
    """Return the outlines. Raises AppearanceError for a text that has no room."""
    middle = spec.size[0] / 2
    scale = spec.size[0] / 40
    edge = middle - (BORDER + 0.45) * scale
    shapes = [Shape(ring(middle, middle, middle, middle, BORDER * scale))]
    shapes.append(Shape(ring(middle, middle, edge, edge, THIN * scale)))
    inner = edge - THIN * scale

    rings = _name_rings(spec.name, middle, inner, scale)
    # A small star closes the ring at its foot.
    size = rings[0].capitals / 2
    shapes.append(Shape(star(middle, middle - inner + rings[0].depth - size, size)))
    for letters in rings:
        shapes += letters.shapes
        inner -= letters.depth
    inner = _numbers(spec, shapes, middle, inner, scale)

    inner -= GAP * scale
    if inner < LEAST_MIDDLE * scale:
        raise refused("the text of the rings")
    shapes.append(Shape(ring(middle, middle, inner, inner, THIN * scale)))
    shapes += _middle(spec, middle, inner - (THIN + 0.5) * scale, scale)
    return tuple(shapes)


def _name_rings(name: str, middle: float, edge: float, scale: float) -> list[Placed]:
    """Set the name on one ring, or on two where the letters of one would be too low."""
    whole = shape(name, Style.BOLD)
    one = _ring(whole, Rim(middle, middle, edge, edge), NAME_CAPITALS, scale)
    if one is not None and one.capitals > (GOOD_CAPITALS - 0.01) * scale:
        return [one]
    rings: list[Placed] = []
    for part in _halves(whole):
        placed = _ring(part, Rim(middle, middle, edge, edge), TWO_RINGS, scale)
        if placed is None:
            rings = []
            break
        rings.append(placed)
        edge -= placed.depth
    if rings:
        return rings
    if one is None:
        raise refused("the name", whole)
    return [one]


def _ring(name: Letters, rim: Rim, capitals: Sequence[float], scale: float) -> Placed | None:
    tries = [(height, math.radians(angle)) for height in _heights(name, capitals, scale) for angle in (140, 160)]
    return along(rim, name, GAP * scale, tries, RING)


def _heights(letters: Letters, capitals: Sequence[float], scale: float) -> list[float]:
    """Return the heights of the box of letters whose capitals have these heights."""
    return [value * scale * letters.height / CAPITAL for value in capitals]


def _halves(name: Letters) -> tuple[Letters, ...]:
    """Cut a name at the space nearest to where the outer ring, which is longer, has its share; () without a space."""
    at, cuts = 0.0, []
    for index, cell in enumerate(name.cells):
        if cell.text == " ":
            cuts.append((abs(at / name.width - 0.56), index))
        at += cell.width
    if not cuts:
        return ()
    _, cut = min(cuts)
    return Letters(name.cells[:cut]), Letters(name.cells[cut + 1 :])


def _numbers(spec: SealDrawing, shapes: list[Shape], middle: float, edge: float, scale: float) -> float:
    """Set the numbers on the upper arc and the seat on the lower one; return the radius that is left inside them."""
    rim = Rim(middle, middle, edge, edge)
    taken = []
    depth = 0.0
    if spec.title is not None:
        letters = shape(spec.title, Style.SANS)
        tries = [(height, math.radians(60)) for height in _heights(letters, CODE_CAPITALS, scale)]
        seat = along(rim, letters, GAP * scale, tries, RING, below=True)
        if seat is None:
            raise refused("the title", letters)
        shapes += seat.shapes
        taken = list(seat.boxes)
        depth = seat.depth
    if spec.code is not None:
        letters = shape(spec.code, Style.SANS)
        tries = [(height, math.radians(165)) for height in _heights(letters, CODE_CAPITALS, scale)]
        code = along(rim, letters, GAP * scale, tries, RING, taken, 1.0 * scale)
        if code is None:
            raise refused("the code", letters)
        shapes += code.shapes
        depth = max(depth, code.depth)
    return edge - depth


def _middle(spec: SealDrawing, middle: float, radius: float, scale: float) -> list[Shape]:
    """Set the lines of the middle as large as the circle allows.

    The name, which the ring has already, is left out of the middle where it has no room there.
    """
    quoted = re.search(r"[«„“\"].+[»“”\"]", spec.name)
    texts = spec.lines or (quoted.group() if quoted else spec.name,)
    layouts = [texts] if spec.lines else list(_layouts(texts[0]))
    capitals = MAX_MIDDLE * scale
    while capitals >= MIN_CAPITALS * scale:
        for lines in layouts:
            found = _lines(lines, middle, radius, capitals)
            if found is not None:
                return [each for placed in found for each in placed.shapes]
        capitals *= 0.95
    if spec.lines:
        raise refused("the text in the middle", hint="give shorter lines for the middle, as a monogram")
    return []


def _layouts(text: str) -> Iterator[tuple[str, ...]]:
    """Break a text into one to MAX_LINES lines in every way that keeps words whole, the even ones first."""
    measured = measure(text, FontSet.default(), bold=True)
    places = [index for index, may in enumerate(measured.breaks) if may]
    places = places[:: max(1, math.ceil(len(places) / MAX_BREAKS))]
    for count in range(min(MAX_LINES, len(places) + 1)):
        layouts = []
        for chosen in combinations(places, count):
            cuts = [0, *chosen, len(measured.pieces)]
            lines = tuple("".join(measured.pieces[start:end]).strip() for start, end in pairwise(cuts))
            ends = [0.0, *(measured.ends[cut - 1] for cut in cuts[1:])]
            layouts.append((max(end - start for start, end in pairwise(ends)), lines))
        yield from (lines for _, lines in sorted(layouts))


def _lines(lines: tuple[str, ...], middle: float, radius: float, capitals: float) -> list[Placed] | None:
    """Set lines with capitals of so many mm. None if they have no room in the circle."""
    em = capitals / CAPITAL
    shaped = [shape(line, Style.BOLD) for line in lines]
    sets: list[Placed] = []
    for letters, (y, height) in zip(shaped, stacked([(each, em) for each in shaped], LEADING), strict=True):
        far = abs(y) + height / 2
        if far >= radius:
            return None
        placed = row(letters, middle, middle + y, height, 2 * math.sqrt(radius**2 - far**2), MIDDLE)
        if placed is None:
            return None
        sets.append(placed)
    return sets
