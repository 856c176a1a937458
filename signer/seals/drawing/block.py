"""A block of text for an electronic seal: heading, name, identifier, lines of detail, in a frame.

It says what Regulation (EU) 910/2014, Article 3(25), calls it, and leaves the EU trust mark alone: that is for the
services of qualified providers, Implementing Regulation (EU) 2015/806.
"""

from __future__ import annotations

from signer.appearance.fonts import FontSet
from signer.appearance.layout import break_lines, measure
from signer.seals.drawing.fitting import refused, stacked
from signer.seals.drawing.letters import CAPITAL, Style, shape
from signer.seals.drawing.paths import frame, rectangle
from signer.seals.drawing.setting import Manner, Placed, Shape, row
from signer.seals.drawing.spec import SealDrawing

HEADING = "Electronic seal"
BORDER = 0.35
BAND = 2.4
"""Width of the band on the left, for a block of 70 × 28 mm."""
PAD = 2.4
LARGEST, LEAST = 2.5, 1.35
"""Millimetres of the capitals of a line of detail: from comfortable to the smallest, 5.4 points."""
LEADING = 1.75
"""From line to line, in heights of capitals."""

TEXT = Manner(widest=1.0, narrowest=0.8, loose=0.03, tight=0.02)
CAPS = Manner(widest=1.0, narrowest=0.8, loose=0.14, tight=0.05)


def draw(spec: SealDrawing) -> tuple[Shape, ...]:
    """Return the outlines. Raises AppearanceError for texts that have no room."""
    wide, high = spec.size
    scale = min(wide / 70, high / 28)
    shapes = [
        Shape(frame(0, 0, wide, high, BORDER * scale)),
        Shape(rectangle(0, 0, BAND * scale, high)),
    ]
    entries = [(spec.title or HEADING, 0.95, Style.BOLD, CAPS), (spec.name, 1.6, Style.BOLD, TEXT)]
    if spec.code is not None:
        entries.append((spec.code, 1.0, Style.SANS, TEXT))
    entries += [(line, 0.9, Style.SANS, TEXT) for line in spec.lines]
    left = (BAND + PAD) * scale
    width, height = wide - left - PAD * scale, high - 2 * PAD * scale
    capitals = LARGEST * scale
    while capitals >= LEAST * scale:
        found = _set(entries, left, high / 2, width, height, capitals)
        if found is not None:
            return (*shapes, *(each for placed in found for each in placed.shapes))
        capitals *= 0.96
    raise refused("the text", hint="leave out lines, or give the block more room")


def _set(
    entries: list[tuple[str, float, Style, Manner]], left: float, y: float, width: float, height: float, capitals: float
) -> list[Placed] | None:
    """Set all entries with capitals of so many mm. None if they have no room."""
    fonts = FontSet.default()
    lines = [
        (shape(line, style), capitals * size / CAPITAL, manner)
        for text, size, style, manner in entries
        for line in break_lines(
            measure(text, fonts, bold=style is Style.BOLD), width / (capitals * size / CAPITAL) * 1000
        )
    ]
    sets: list[Placed] = []
    for (letters, _, manner), (middle, tall) in zip(lines, stacked([line[:2] for line in lines], LEADING), strict=True):
        if abs(middle) + tall / 2 > height / 2:
            return None
        placed = row(letters, left, y + middle, tall, width, manner, left=True)
        if placed is None:
            return None
        sets.append(placed)
    return sets
