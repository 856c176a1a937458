"""Finding room: the largest letters at which a text fits where it belongs, or an error that says what does not fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from signer.errors import AppearanceError
from signer.seals.drawing.letters import CAPITAL, Letters
from signer.seals.drawing.setting import Manner, Placed, Point, Rim, row

COMFORTABLE, TOLERABLE = 0.55, 0.42
"""Widths of letters, to their natural one, that are asked for in turn: lower letters before very narrow ones."""


def straight(letters: Letters, what: str, x: float, y: float, height: float, width: float, manner: Manner) -> Placed:
    """Set a row around (x, y), `height` mm high; down to two thirds of it where the letters would become too narrow.

    Raises AppearanceError, naming `what`, if it does not fit.
    """
    for share in (1.0, 0.9, 0.8, 0.7, 0.65):
        placed = row(letters, x, y, height * share, width, manner)
        if placed is not None:
            return placed
    raise refused(what, letters)


def along(
    rim: Rim,
    letters: Letters,
    gap: float,
    tries: Sequence[tuple[float, float]],
    manner: Manner,
    taken: Sequence[Sequence[Point]] = (),
    clearance: float = 0.0,
    *,
    below: bool = False,
) -> Placed | None:
    """Set letters along an edge at the first of the `tries`, heights in mm and angles in radians, that suits.

    They keep `clearance` mm from the boxes that are `taken`. None if none suits.
    """
    found: list[Placed] = []
    for height, half in tries:
        free = free_half(rim, gap + height, taken, clearance)
        placed = rim.set(letters, gap, height, min(half, free), manner, below=below)
        if placed is not None:
            if placed.condensed >= COMFORTABLE:
                return placed
            found.append(placed)
    tolerable = (placed for placed in found if placed.condensed >= TOLERABLE)
    return next(tolerable, max(found, key=lambda placed: placed.condensed, default=None))


def stacked(lines: Sequence[tuple[Letters, float]], leading: float) -> list[tuple[float, float]]:
    """Return the middle and the height of the box of each line, for lines under one another around y = 0.

    Each line comes with its em in mm. From line to line there are `leading` heights of the larger capitals, or more
    where marks of one would touch marks of the next.
    """
    middles = [0.0]
    for (above, large), (below, small) in pairwise(lines):
        marks = (CAPITAL / 2 - above.box[0]) * large + (below.box[1] - CAPITAL / 2) * small
        middles.append(middles[-1] - max(leading * CAPITAL * max(large, small), 1.08 * marks))
    shift = (middles[-1] + (lines[0][1] - lines[-1][1]) * CAPITAL / 2) / 2
    return [
        (middle - shift + (sum(letters.box) - CAPITAL) / 2 * em, letters.height * em)
        for middle, (letters, em) in zip(middles, lines, strict=True)
    ]


def free_half(rim: Rim, depth: float, taken: Sequence[Sequence[Point]], clearance: float) -> float:
    """Return how far, in radians from the top, a band `depth` mm deep is free on both sides."""
    half = math.pi
    wide, high = rim.wide - depth - clearance, rim.high - depth - clearance
    if min(wide, high) <= 0:
        return 0.0
    for box in taken:
        for (x0, y0), (x1, y1) in zip(box, (*box[1:], box[0]), strict=True):
            for step in range(_STEPS):
                x = x0 + (x1 - x0) * step / _STEPS - rim.x
                y = y0 + (y1 - y0) * step / _STEPS - rim.y
                if (x / wide) ** 2 + (y / high) ** 2 >= 1:
                    half = min(half, math.atan2(abs(x), y) - clearance / math.hypot(x, y))
    return max(half, 0.0)


_STEPS = 8
"""Points looked at on each side of a box."""


def refused(what: str, letters: Letters | None = None, *, hint: str = "") -> AppearanceError:
    """Return the error for a text that has no room."""
    shown = "" if letters is None else f" ({len(letters.cells)} characters)"
    return AppearanceError(
        f"{what}{shown} does not fit on the seal",
        hint=hint or "use the short form of the text",
    )
