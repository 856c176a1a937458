"""Two things timed in turn, and the table that says how they compare.

pairs = alternate(ours, peer, rounds=30)                       # seconds of each, A B A B …
row = Row("1 page", milliseconds(pairs.ours), milliseconds(pairs.peer), pairs.ratios)
print(Table("sign: against a peer", "ours", "peer", [row]))
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter, process_time
from typing import Any

ENOUGH = 0.02
"""Seconds for which a quick action is repeated."""


@dataclass(frozen=True)
class Pairs:
    """Seconds, one of each side for every round."""

    ours: tuple[float, ...]
    peer: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """Ours to the peer's, pair by pair."""
        return tuple(a / b for a, b in zip(self.ours, self.peer, strict=True))

    @property
    def speedups(self) -> tuple[float, ...]:
        """How many times as fast we are."""
        return tuple(b / a for a, b in zip(self.ours, self.peer, strict=True))


@dataclass(frozen=True)
class Row:
    """One comparison. Without ratios there is nothing to compare with, and `peer` says why."""

    what: str
    ours: str
    peer: str
    ratios: tuple[float, ...] = ()

    @property
    def ratio(self) -> float | None:
        """The median of the pairs."""
        return median(self.ratios) if self.ratios else None

    def cells(self) -> tuple[str, ...]:
        """Return the row as texts."""
        if not self.ratios:
            return (self.what, self.ours, self.peer, "", "")
        spread = f"{min(self.ratios):.2f}–{max(self.ratios):.2f}"
        return (self.what, self.ours, self.peer, f"{median(self.ratios):.2f}", spread)


@dataclass(frozen=True)
class Table:
    """Rows under one heading."""

    title: str
    ours: str
    """What the second column is."""
    peer: str
    """What the third column is."""
    rows: Sequence[Row]
    ratio: str = "ratio"
    notes: Sequence[str] = field(default=())

    def __str__(self) -> str:
        head = ("", self.ours, self.peer, self.ratio, "min–max")
        lines = [head, *(row.cells() for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
        out = [f"\n== {self.title}", *(f"   {note}" for note in self.notes), ""]
        for first, *others in lines:
            cells = (text.rjust(width) for text, width in zip(others, widths[1:], strict=True))
            out.append("  ".join((first.ljust(widths[0]), *cells)).rstrip())
        return "\n".join(out)


def alternate(ours: Callable[[], Any], peer: Callable[[], Any], rounds: int, *, processes: bool = False) -> Pairs:
    """Time both in turn; the first run of each is not counted.

    Counted is the processor's time, which other programs on the machine disturb least; the time on the wall where
    the work is done by `processes`. A quick action is repeated, so that one is not measured in the cold that the other
    left behind; nor does either pay for the other's garbage, or for what was in memory before.
    """
    clock = perf_counter if processes else process_time

    def timed(action: Callable[[], Any], count: int) -> float:
        gc.collect()
        start = clock()
        for _ in range(count):
            action()
        return (clock() - start) / count

    counts = []
    for action in (ours, peer):
        timed(action, 1)
        counts.append(1 if processes else 1 + int(ENOUGH / max(timed(action, 1), 1e-6)))
    gc.freeze()
    try:
        times = [(timed(ours, counts[0]), timed(peer, counts[1])) for _ in range(rounds)]
    finally:
        gc.unfreeze()
    return Pairs(tuple(a for a, _ in times), tuple(b for _, b in times))


def milliseconds(times: Sequence[float]) -> str:
    """Return the median."""
    return f"{median(times) * 1000:.2f} ms"
