"""Lines broken to a width: words kept together, hanzi broken anywhere their punctuation allows, long words cut.

lines = wrap("Общество с ограниченной ответственностью «Ромашка»", 9, 120, FontSet.default())
[line.text for line in lines]
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

from signer.appearance.fonts import FontSet, Line
from signer.appearance.text import ELLIPSIS, may_break


@dataclass(frozen=True)
class Measured:
    """A text with the width of each cluster, in thousandths of the font size: measured once, broken often."""

    pieces: tuple[str, ...]
    ends: tuple[float, ...]
    """Where each piece ends, from the start of the text."""
    breaks: tuple[bool, ...]
    """Whether a line may begin with this piece."""
    bold: bool

    @property
    def width(self) -> float:
        """The width of the whole text on one line."""
        return self.ends[-1] if self.ends else 0.0


def measure(text: str, fonts: FontSet, *, bold: bool = False) -> Measured:
    """Measure `text`. Raises AppearanceError for a character that no font has."""
    pieces: list[str] = []
    ends: list[float] = []
    at = 0.0
    for glyph in fonts.shape(text, bold=bold).glyphs:
        at += glyph.advance
        if glyph.text:
            pieces.append(glyph.text)
            ends.append(at)
        elif ends:
            ends[-1] = at
    breaks = [False, *(may_break(left, right) for left, right in pairwise(pieces))] if pieces else []
    return Measured(tuple(pieces), tuple(ends), tuple(breaks), bold)


def wrap(text: str, size: float, width: float, fonts: FontSet, *, bold: bool = False) -> list[Line]:
    """Break `text` into lines of at most `width` points at `size` points."""
    measured = measure(text, fonts, bold=bold)
    return [fonts.shape(part, bold=bold) for part in break_lines(measured, width * 1000 / size)]


def break_lines(text: Measured, width: float, last: int | None = None) -> list[str]:
    """Break a measured text into lines of at most `width` thousandths of the font size.

    With `last`, at most so many lines; the last one ends in an ellipsis if text is left over.
    A single letter wider than `width` stands alone on its line.
    """
    pieces = text.pieces
    if text.width <= width:
        return ["".join(pieces)] if pieces else []
    lines: list[str] = []
    start = 0
    while start < len(pieces):
        if pieces[start] == " " and lines:
            start += 1
            continue
        end = _line_end(text, start, width)
        if last is not None and len(lines) == last - 1 and end < len(pieces):
            lines.append(_shorten(text, start, width))
            return lines
        lines.append("".join(pieces[start:end]).rstrip())
        start = end
    return lines


def _line_end(text: Measured, start: int, width: float) -> int:
    """Return the index after the last piece of the line that begins at `start`."""
    edge = (text.ends[start - 1] if start else 0.0) + width + 1
    end = bisect_right(text.ends, edge, start)
    if end == len(text.pieces):
        return end
    if text.pieces[end] == " " and all(text.breaks[end + 1 : end + 2]):  # a space may hang over the edge
        return end + 1
    for index in range(end, start, -1):
        if text.breaks[index]:
            return index
    return max(end, start + 1)


def _shorten(text: Measured, start: int, width: float) -> str:
    """Return as much of the text as fits before an ellipsis."""
    edge = (text.ends[start - 1] if start else 0.0) + width - 1000  # an ellipsis is at most one em wide
    end = bisect_right(text.ends, edge, start)
    return "".join(text.pieces[start:end]).rstrip(" ,;.—-") + ELLIPSIS
