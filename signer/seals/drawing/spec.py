"""What a seal shall look like: its kind, what it says, how large it is and in which ink.

    SealDrawing(kind=SealKind.ROUND, name="上海示例贸易有限公司", title="合同专用章")

Where the measures come from:

- round: 国发〔1999〕25号 (the State Council's rules for seals): a circle of at most 45 mm, a five-pointed star in the
  middle, the name around it from left to right, in Song type. The registration rules of the provinces add: 42 mm, the
  tips of the star on a circle of 14 mm, a border of 1.2 mm.
- oval: 国家税务总局公告2011年第7号 and its annex (invoice seals): 40 × 30 mm, border 1 mm, name 4.2 mm high over
  210° to 260°, tax number 3.7 mm, 发票专用章 4.6 mm, serial number 2.2 mm. Companies with foreign investment have
  45 × 30 mm by the registration rules of the provinces.
- square: no national rule; 20 mm is usual for the seal of a legal representative.
- ru-round: no rule since companies need no seal (Federal Law 82-FZ of 2015); 40 mm, the least size of
  GOST R 51511-2001, 3.2, for seals with the arms of the state, is usual for others too.
- eu-block: no rule at all. It does not imitate the EU trust mark, whose use Regulation (EU) 2015/806 reserves.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from signer.appearance.colour import RGB
from signer.appearance.fonts import describe
from signer.appearance.text import MAX_MARKS
from signer.errors import AppearanceError

MAX_NAME = 120
"""Characters. No seal has room for so many; the limit keeps hostile text from being shaped at all."""

MAX_LINES = 6

MIN_SIZE, MAX_SIZE = 10.0, 120.0
"""Millimetres of a side. The largest seal of the State Council's rules has 60."""


class SealKind(StrEnum):
    """The form of a seal."""

    ROUND = "round"
    """公章 and 专用章 of a Chinese organisation: circle, star, name around it."""
    OVAL = "oval"
    """Chinese invoice, contract and finance seals, and those of companies with foreign investment."""
    SQUARE = "square"
    """Personal name of the legal representative (法定代表人名章)."""
    RU_ROUND = "ru-round"
    """Печать of a Russian organisation: name and numbers on rings."""
    EU_BLOCK = "eu-block"
    """A block of text for an electronic seal of Regulation (EU) 910/2014, Article 3(25)."""


RED: RGB = (0.83, 0.10, 0.12)
BLUE: RGB = (0.13, 0.22, 0.60)


@dataclass(frozen=True)
class Usual:
    """The usual size, in mm, and ink of a kind."""

    width: float
    height: float
    colour: RGB


USUAL: Mapping[SealKind, Usual] = MappingProxyType(
    {
        SealKind.ROUND: Usual(42, 42, RED),
        SealKind.OVAL: Usual(40, 30, RED),
        SealKind.SQUARE: Usual(20, 20, RED),
        SealKind.RU_ROUND: Usual(40, 40, BLUE),
        SealKind.EU_BLOCK: Usual(70, 28, BLUE),
    }
)

_OBLONG = frozenset({SealKind.OVAL, SealKind.EU_BLOCK})


@dataclass(frozen=True, kw_only=True)
class SealDrawing:
    """A seal to draw. Texts are refused, not mended: a name without one of its letters is another name."""

    kind: SealKind
    name: str
    """Whose seal it is. On the arc or ring; in the square, the characters of the person's name."""
    title: str | None = None
    """round, oval: the words below the middle, as 合同专用章. square: what follows the name, as 印 or 之印. ru-round:
    the seat, as г. Москва, on the lower arc. eu-block: the heading ("Electronic seal" by default)."""
    code: str | None = None
    """round: the registration number on the lower arc, 13 digits. oval: the tax number in the middle. ru-round: ОГРН
    and ИНН, on the ring. eu-block: the identifier below the name."""
    lines: tuple[str, ...] = ()
    """round, oval: one short line at the foot, as (1). ru-round: what stands in the middle (by default, what the
    name has in quotation marks, or the name, where it has room). eu-block: lines of detail, as the time."""
    width: float | None = None
    """Millimetres; the usual size of the kind by default. Everything grows with it."""
    height: float | None = None
    """Millimetres; only ovals and blocks may differ from the proportions of their usual size."""
    colour: RGB | None = None
    """One ink for all."""

    def __post_init__(self) -> None:
        """Raise AppearanceError for a text, size or colour that cannot be drawn."""
        check_text(self.name, "the name")
        for what, text in (("the title", self.title), ("the code", self.code)):
            if text is not None:
                check_text(text, what)
        for line in self.lines:
            check_text(line, "a line")
        if len(self.lines) > MAX_LINES:
            raise AppearanceError(f"{len(self.lines)} lines are too many for a seal", hint=f"at most {MAX_LINES}")
        if self.height is not None and self.kind not in _OBLONG and self.height != self.width:
            raise AppearanceError(f"a seal of kind {self.kind} is as high as it is wide", hint="leave out the height")
        for side in self.size:
            if not (math.isfinite(side) and MIN_SIZE <= side <= MAX_SIZE):
                raise AppearanceError(
                    f"a seal cannot have a side of {side:g} mm", hint=f"give {MIN_SIZE:g} to {MAX_SIZE:g} mm"
                )
        if not all(math.isfinite(part) and 0 <= part <= 1 for part in self.ink):
            raise AppearanceError("a colour has red, green and blue parts from 0 to 1")

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in mm."""
        usual = USUAL[self.kind]
        if self.width is None and self.height is None:
            return usual.width, usual.height
        ratio = usual.width / usual.height
        width = self.width if self.width is not None else (self.height or 0) * ratio
        return width, self.height if self.height is not None else width / ratio

    @property
    def ink(self) -> RGB:
        """The colour it is drawn in."""
        return self.colour or USUAL[self.kind].colour


def check_text(text: str, what: str) -> None:
    """Raise AppearanceError for a text that is empty, too long, or holds anything that does not show.

    Line breaks, control characters, direction overrides (Unicode Standard Annex 9, 6.3), joiners, unassigned and
    private characters would make a name read as another one.
    """
    if len(text) > MAX_NAME:
        raise AppearanceError(
            f"{what} has {len(text)} characters, too many for a seal", hint=f"use the short form: at most {MAX_NAME}"
        )
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        if category in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
            raise AppearanceError(f"{what} holds {describe(char)}, which does not show", hint="take it out of the text")
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks > MAX_MARKS:
            raise AppearanceError(f"{what} has more than {MAX_MARKS} marks on one letter")
    if not text.strip():
        raise AppearanceError(f"{what} of a seal is empty", hint="give the text as it shall read")


def parse_colour(text: str) -> RGB:
    """Return the colour for `#rrggbb`. Raises AppearanceError."""
    if not re.fullmatch(r"#?[0-9A-Fa-f]{6}", text):
        raise AppearanceError(f"{text!r} is no colour", hint="write it as #c41e22")
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return (red / 255, green / 255, blue / 255)
