"""The text of a stamp fitted into its box: as large as it may be, as small as it must be.

Entries have a worth. Where not everything fits at a readable size, those of least worth are given up first; names are
broken into more lines before that, and end in an ellipsis only when nothing else is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from signer.appearance.colour import RGB
from signer.appearance.layout import Measured, break_lines
from signer.appearance.text import ELLIPSIS

MIN_READABLE = 4.6
"""Points of the smallest text that is kept on the page before entries are given up."""

LEADING = 1.24
"""Distance of baselines in font sizes; hanzi need more air than letters."""

COMFORTABLE = 6.0
"""Points of detail text below which a picture gives way."""

LARGEST = 16.0
"""Points of detail text in a large box."""

ENDLESS = 110
"""Characters after which an entry may end in an ellipsis at any size."""

TITLE, NAMES = 7, 9
"""Worth of the title; the least worth of a name."""

_LINES = ((1, 1), (2, 2), (3, 2), (4, 2))
"""Lines that a name, and any other entry, may take; tried in this order."""

LABEL_SHARE = 0.36
"""The label column's share of the width, at most."""


@dataclass(frozen=True)
class Row:
    """One entry of the stamp. `size` is relative to the detail text; a row of lower `worth` is given up first."""

    value: Measured
    label: Measured | None
    size: float
    worth: int
    colour: RGB
    gap: float = 0.0
    """Space above, in relative sizes."""
    endless: bool = False
    """So long that an ellipsis is no loss of layout."""


@dataclass(frozen=True)
class Plan:
    """Rows broken into lines at one size."""

    size: float
    label_width: float
    rows: tuple[tuple[Row, tuple[str, ...]], ...]
    height: float
    cut: int
    """The worth of the worthiest row that ends in an ellipsis, 0 if none does or only endless ones do."""


def fit(rows: Sequence[Row], width: float, height: float) -> Plan:
    """Find the largest size at which everything fits.

    Where it would become unreadable, names get more lines, then entries are given up from the least worth upwards; an
    entry ends in an ellipsis only when nothing of less worth is left.
    """
    kept = list(rows)
    while True:
        plan = _largest(kept, width, height)
        least = min(kept, key=lambda row: row.worth)
        if plan is not None and plan.cut <= least.worth:
            return plan
        if len(kept) == 1:
            break
        kept.remove(least)
    # A box of a few millimetres: as much of the name as one line holds.
    size = max(1.0, min(MIN_READABLE, height / LEADING)) / kept[0].size
    return _plan(kept, size, width, most_lines=1)


def _largest(rows: Sequence[Row], width: float, height: float) -> Plan | None:
    """Return the best plan for exactly these rows: nothing cut if possible, then the larger text."""
    relative = [row.size for row in rows]
    smallest = MIN_READABLE / min(row.size for row in rows if row.worth != TITLE or len(rows) == 1)
    largest = min(LARGEST, max(height / 7, height / (LEADING * sum(relative))))
    best: tuple[int, float] | None = None
    found: Plan | None = None
    for level, (name_lines, most_lines) in enumerate(_LINES):
        for size in _sizes(max(smallest, largest), smallest):
            plan = _plan(rows, size, width, most_lines, name_lines)
            if plan.height <= height:
                # A larger name on more lines is worth a little less than a smaller one on fewer.
                rank = (-plan.cut, size * 0.9**level)
                if best is None or rank > best:
                    best, found = rank, plan
                if plan.cut == 0:
                    break
        if found is not None and found.cut == 0 and found.size >= COMFORTABLE:
            break
    return found


def _sizes(largest: float, smallest: float) -> Iterator[float]:
    """Yield the sizes to try, each a little smaller than the one before, down to the smallest."""
    size = largest
    while size > smallest:
        yield size
        size *= 0.955
    yield smallest


def _plan(rows: Sequence[Row], size: float, width: float, most_lines: int, name_lines: int = 1) -> Plan:
    """Break all rows into lines at one size, names into at most `name_lines` and others into at most `most_lines`."""
    labels = [row.label.width * size / 1000 for row in rows if row.label]
    label_width = min(max(labels) + 0.7 * size, width * LABEL_SHARE) if labels else 0.0
    broken: list[tuple[Row, tuple[str, ...]]] = []
    total = 0.0
    cut = 0
    for index, row in enumerate(rows):
        room = width - (label_width if row.label else 0.0)
        most = name_lines if row.worth >= NAMES else most_lines
        lines = break_lines(row.value, room * 1000 / (size * row.size), most)
        if lines and lines[-1].endswith(ELLIPSIS) and not row.endless:
            cut = max(cut, row.worth)
        if row.label is not None and row.label.width * size / 1000 > label_width and not row.endless:
            cut = max(cut, row.worth)
        broken.append((row, tuple(lines)))
        total += len(lines) * size * row.size * LEADING + (row.gap * size if index else 0.0)
    return Plan(size, label_width, tuple(broken), total, cut)
