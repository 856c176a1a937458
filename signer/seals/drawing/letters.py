"""Text as outlines: each letter with its marks is one cell, measured in ems from its own origin.

    letters = shape("上海示例", Style.SONG)
    letters.cells[0].path, letters.cells[0].width
    letters.height               # of the box that all letters of the text share

Chinese seals are cut in Song type (国发〔1999〕25号); numbers and the other kinds are set in a sans serif. A character
that no font has is an AppearanceError which names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property, lru_cache

from signer.appearance.fonts import DIRECTORY, Face, FontSet, Glyph
from signer.appearance.text import is_ideographic
from signer.errors import AppearanceError
from signer.seals.drawing.paths import Affine, Path, Step, bounds

HANZI_BOX = (-0.075, 0.845)
"""Ems below and above the baseline that hanzi of either font fill; 字高 is the height of this box."""

CAPITAL = 0.714
"""Ems: the height of the capitals and figures of Noto Sans."""

_BRACKETS, _BESIDE = frozenset("（）〔〕《》〈〉「」『』【】"), 0.1
"""Half of their square is empty: on a seal they have only so many ems on both sides."""

MAX_PILE = 2.2
"""Ems from the lowest to the highest mark; more would leave no room for the letters themselves."""

_SONG_WEIGHT, _FIGURES_WEIGHT = 0.020, 0.028
"""Ems. Strokes of Song type across are 0.03 em: in ink on paper they have about twice that."""


class Style(Enum):
    """The type a text is set in."""

    SONG = "song"
    SANS = "sans"
    BOLD = "bold"
    FIGURES = "figures"
    """Sans serif for numbers that are made narrow: a little heavier, or their strokes would fade."""


@dataclass(frozen=True)
class Cell:
    """One letter with its marks. Lengths in ems; the origin is the left end of its room on the baseline."""

    text: str
    path: Path
    width: float
    """Its room: the advance, or more where the ink is wider."""
    weight: float
    """An outline of so many ems is drawn around it."""
    bottom: float
    top: float
    """Of the ink."""


@dataclass(frozen=True)
class Letters:
    """A shaped text on one line."""

    cells: tuple[Cell, ...]

    @cached_property
    def hanzi(self) -> bool:
        """Whether hanzi are among the letters."""
        return any(is_ideographic(cell.text[0]) for cell in self.cells)

    @cached_property
    def box(self) -> tuple[float, float]:
        """Bottom and top of the box that every letter fits in: of hanzi, or of capitals, or of what exceeds them."""
        low, high = HANZI_BOX if self.hanzi else (0.0, CAPITAL)
        inked = [cell for cell in self.cells if cell.path]
        return min([low, *(cell.bottom for cell in inked)]), max([high, *(cell.top for cell in inked)])

    @property
    def height(self) -> float:
        """Height of the common box."""
        return self.box[1] - self.box[0]

    @cached_property
    def width(self) -> float:
        """The sum of the widths."""
        return sum(cell.width for cell in self.cells)

    @property
    def text(self) -> str:
        """The text that was shaped."""
        return "".join(cell.text for cell in self.cells)


@lru_cache(maxsize=256)
def shape(text: str, style: Style) -> Letters:
    """Place the letters of `text` on one line; the last few hundred texts are remembered.

    Raises AppearanceError for a character that no font has.
    """
    line = _fonts(style).shape(" ".join(text.split()), bold=style is Style.BOLD)
    groups: list[list[Glyph]] = []
    for glyph in line.glyphs:
        if glyph.text or not groups:
            groups.append([glyph])
        else:
            groups[-1].append(glyph)
    letters = Letters(tuple(_cell(group, style) for group in groups))
    if not any(cell.path for cell in letters.cells):
        raise AppearanceError(f"nothing of {text!r} shows", hint="give the text as it shall read")
    if letters.height > MAX_PILE:
        raise AppearanceError(f"the marks of {text[:20]!r} pile up too high for a seal", hint="use another spelling")
    return letters


@lru_cache(maxsize=1)
def _song() -> FontSet:
    """Song type first, then the fonts of stamps. Its regular weight is cut a little heavier, as in rubber or brass."""
    plain = FontSet.default()
    face = Face("NotoSerifSC-Regular", DIRECTORY / "NotoSerifSC-Regular.ttf", serif=True)
    return FontSet(regular=(face, *plain.regular), bold=(face, *plain.bold))


def _fonts(style: Style) -> FontSet:
    return _song() if style is Style.SONG else FontSet.default()


def _cell(glyphs: list[Glyph], style: Style) -> Cell:
    path: list[Step] = []
    pen = 0.0
    for glyph in glyphs:
        scale = glyph.face.scale / 1000
        move = Affine(scale, 0, 0, scale, (pen + glyph.dx) / 1000, glyph.dy / 1000)
        path += move.path(_outline(glyph.face, glyph.gid))
        pen += glyph.advance
    weight = max(_weight(glyph.face, style) for glyph in glyphs)
    ink = bounds(tuple(path))
    if ink is None:
        return Cell(glyphs[0].text, (), pen / 1000, 0, 0, 0)
    if glyphs[0].text in _BRACKETS:
        left, right = ink[0] - _BESIDE, ink[2] + _BESIDE
    else:
        left, right = min(0.0, ink[0] - weight / 2), max(pen / 1000, ink[2] + weight / 2)
    shifted = Affine(1, 0, 0, 1, -left, 0).path(tuple(path))
    return Cell(glyphs[0].text, shifted, right - left, weight, ink[1] - weight / 2, ink[3] + weight / 2)


def _weight(face: Face, style: Style) -> float:
    """Return the outline that a style draws around the letters of a face."""
    if style is Style.SONG and face.serif:
        return _SONG_WEIGHT
    return _FIGURES_WEIGHT if style is Style.FIGURES else face.strokes[style is Style.BOLD]


class _Pen:
    """Collects what HarfBuzz draws; closes what it leaves open."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def moveTo(self, point: tuple[float, float]) -> None:
        self.steps.append(("M", point))

    def lineTo(self, point: tuple[float, float]) -> None:
        self.steps.append(("L", point))

    def qCurveTo(self, control: tuple[float, float], point: tuple[float, float]) -> None:
        self.steps.append(("Q", (*control, *point)))

    def curveTo(self, one: tuple[float, float], two: tuple[float, float], point: tuple[float, float]) -> None:
        self.steps.append(("C", (*one, *two, *point)))

    def closePath(self) -> None:
        self.steps.append(("Z", ()))


@lru_cache(maxsize=2048)
def _outline(face: Face, gid: int) -> Path:
    """Return the outline of a glyph in font units; the last few thousand are remembered."""
    pen = _Pen()
    face.hb_font.draw_glyph_with_pen(gid, pen)
    return tuple(pen.steps)
