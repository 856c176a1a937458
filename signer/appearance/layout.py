"""Lines broken to a width: words kept together, hanzi broken anywhere their punctuation allows, long words cut.

lines = wrap("Общество с ограниченной ответственностью «Ромашка»", 9, 120, FontSet.default())
[line.text for line in lines]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from signer.appearance.fonts import FontSet, Line
from signer.appearance.text import ELLIPSIS, may_break


@dataclass(frozen=True)
class Measured:
    """A text with the width of each of its clusters, in thousandths of the font size: measured once, wrapped often."""

    pieces: tuple[str, ...]
    widths: tuple[float, ...]
    bold: bool


def measure(text: str, fonts: FontSet, *, bold: bool = False) -> Measured:
    """Measure `text`. Raises AppearanceError for a character that no font has."""
    pieces: list[str] = []
    widths: list[float] = []
    for glyph in fonts.shape(text, bold=bold).glyphs:
        if glyph.text:
            pieces.append(glyph.text)
            widths.append(glyph.advance)
        elif widths:
            widths[-1] += glyph.advance
    return Measured(tuple(pieces), tuple(widths), bold)


def wrap(text: str, size: float, width: float, fonts: FontSet, *, bold: bool = False) -> list[Line]:
    """Break `text` into lines of at most `width` points at `size` points."""
    measured = measure(text, fonts, bold=bold)
    return [fonts.shape(part, bold=bold) for part in break_lines(measured, width * 1000 / size)]


def break_lines(text: Measured, width: float, last: int | None = None) -> list[str]:
    """Break a measured text into lines of at most `width` thousandths of the font size.

    With `last`, at most so many lines; the last one ends in an ellipsis if text is left over.
    A single letter wider than `width` stands alone on its line.
    """
    lines: list[str] = []
    pieces, widths = text.pieces, text.widths
    start = 0
    while start < len(pieces):
        if pieces[start] == " " and lines:
            start += 1
            continue
        end = _line_end(pieces, widths, start, width)
        if last is not None and len(lines) == last - 1 and end < len(pieces):
            lines.append(_shorten(pieces, widths, start, width))
            return lines
        lines.append("".join(pieces[start:end]).rstrip())
        start = end
    return lines


def _line_end(pieces: Sequence[str], widths: Sequence[float], start: int, width: float) -> int:
    """Return the index after the last cluster of the line that begins at `start`."""
    used = 0.0
    possible = start
    for index in range(start, len(pieces)):
        if index > start and may_break(pieces[index - 1], pieces[index]):
            possible = index
        # A space may hang over the edge.
        if used + widths[index] > width + 1 and pieces[index] != " ":
            if possible > start:
                return possible
            return max(index, start + 1)
        used += widths[index]
    return len(pieces)


def _shorten(pieces: Sequence[str], widths: Sequence[float], start: int, width: float) -> str:
    """Return as much of the text as fits before an ellipsis."""
    room = width - 1000  # an ellipsis is at most one em wide
    kept = ""
    for index in range(start, len(pieces)):
        room -= widths[index]
        if room < 0:
            break
        kept += pieces[index]
    return kept.rstrip(" ,;.—-") + ELLIPSIS
