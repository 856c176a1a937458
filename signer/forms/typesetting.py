r"""A value set into its box: one size, whole, readable; or not at all.

    canvas = typeset("Поставка до склада\n上海", 180, 40)       # AppearanceError where it does not fit
    canvas = ticked(12, 12)

Text is as large as fits, between 11 and 6 points, broken into lines where one does not do. Nothing is cut: what does
not fit at 6 points is refused, and so is a character that no font here has.
"""

from __future__ import annotations

from typing import Final

from signer.appearance.canvas import Canvas, number
from signer.appearance.colour import RGB, operator
from signer.appearance.fonts import FontSet, describe
from signer.appearance.layout import Measured, break_lines, measure
from signer.errors import AppearanceError

INK: Final[RGB] = (0.05, 0.09, 0.30)
"""Dark blue, as of a pen: told from what is printed."""
LINE: Final[RGB] = (0.55, 0.58, 0.62)
LARGEST, SMALLEST, STEP = 11.0, 6.0, 0.5
"""Points of the text."""
LEADING: Final = 1.24
PAD_X, PAD_Y = 2.0, 1.5
"""Points between the frame and the text."""
ROOMY: Final = 30.0
"""Points of height from which text begins at the top."""
TWO_LINES: Final = 2 * SMALLEST * LEADING + 2 * PAD_Y


def framed(width: float, height: float) -> Canvas:
    """Return the picture of a field with nothing in it."""
    canvas = Canvas(width, height)
    canvas.frame(0.25, 0.25, width - 0.5, height - 0.5, LINE, weight=0.5)
    return canvas


def ticked(width: float, height: float) -> Canvas:
    """Return the picture of a box that is ticked."""
    canvas = framed(width, height)
    side = min(width, height)
    left, bottom = (width - side) / 2, (height - side) / 2
    corners = [(left + x * side, bottom + y * side) for x, y in ((0.2, 0.5), (0.42, 0.24), (0.8, 0.8))]
    (first, *others) = (f"{number(x)} {number(y)}" for x, y in corners)
    path = f"{first} m " + " ".join(f"{corner} l" for corner in others)
    canvas.mark(f"q {operator(canvas.mode, INK, stroke=True)} {number(side / 9)} w 1 J 1 j {path} S Q")
    return canvas


def typeset(text: str, width: float, height: float) -> Canvas:
    """Return the picture of a field with a text in it. Raises AppearanceError where it cannot be written whole."""
    fonts = FontSet.default()
    missing = fonts.missing(text.replace("\n", ""))
    if missing:
        named = ", ".join(describe(char) for char in missing[:5])
        raise AppearanceError(f"no font here has {named}", hint="use another spelling", reason="no-glyph")
    paragraphs = [measure(part, fonts) for part in text.split("\n")] if text else []
    _told_apart(paragraphs)
    size, lines = _fit(paragraphs, width - 2 * PAD_X, height - 2 * PAD_Y)
    canvas = framed(width, height)
    canvas.mark("/Tx BMC")  # ISO 32000-2 12.7.4.3
    block = len(lines) * size * LEADING
    y = height - PAD_Y if height >= ROOMY else (height + block) / 2
    for line in lines:
        # the baseline stands 0.95 of a size below the top of its line, as in stamps
        canvas.text(PAD_X, y - size * 0.95, size, fonts.shape(line), INK)
        y -= size * LEADING
    canvas.mark("EMC")
    return canvas


def is_multiline(height: float) -> bool:
    """Tell whether a box takes more than one line."""
    return height >= TWO_LINES


def _fit(paragraphs: list[Measured], width: float, height: float) -> tuple[float, list[str]]:
    size = min(LARGEST, max(SMALLEST, height / LEADING))
    while size >= SMALLEST:
        lines = [line for each in paragraphs for line in (break_lines(each, width * 1000 / size) or [""])]
        if len(lines) * size * LEADING <= height + 0.01 or not lines:
            return size, lines
        size = max(SMALLEST, size - STEP) if size > SMALLEST else 0.0
    raise AppearanceError(
        f"the text does not fit in its box of {width:.0f} by {height:.0f} points, at {SMALLEST:g} points and whole",
        hint="shorten it",
        reason="does-not-fit",
    )


def _told_apart(paragraphs: list[Measured]) -> None:
    """Refuse two characters that share a glyph: whoever copies the text would get one of them twice."""
    fonts, seen = FontSet.default(), dict[tuple[str, int], str]()
    for piece in {piece for each in paragraphs for piece in each.pieces}:
        glyphs = fonts.shape(piece).glyphs
        if len(glyphs) == 1 and seen.setdefault((glyphs[0].face.name, glyphs[0].gid), piece) != piece:
            other = seen[glyphs[0].face.name, glyphs[0].gid]
            raise AppearanceError(
                f"{describe(other[0])} and {describe(piece[0])} look the same", hint="use one", reason="no-glyph"
            )
