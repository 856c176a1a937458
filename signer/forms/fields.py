"""What a field is, what may stand in it, and how that reads.

    field = FormField("delivery", page=1, box=(300, 400, 480, 420), kind="date", language="zh")
    objections_to_value(field, "2026-12-31")      # () where it may stand there
    shown(field, "2026-12-31")                    # "2026年12月31日": /V and what is drawn

A value is text, an ISO 8601 date or true and false. It is never changed to fit: a character that is not drawn, or a
text that does not fit in its box at a readable size, is objected to.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from signer.appearance.text import MAX_MARKS, is_mark, is_variation_selector
from signer.appearance.words import day
from signer.errors import AppearanceError, OptionError
from signer.forms.typesetting import typeset
from signer.pades.geometry import Box

Kind = Literal["text", "date", "checkbox"]
Value = str | bool

MAX_FIELDS: Final = 400
"""Fields of one document."""
MAX_VALUE: Final = 4000
"""Characters of a value: a page of small print."""
MIN_TEXT: Final = (20.0, 12.0)
"""Points, width and height, of a field with text: one line of the smallest size."""
SLACK: Final = 0.05
"""Points that a value is asked to leave free: /Rect is rounded, and what was taken must fit there too."""
MIN_CHECKBOX: Final = (6.0, 6.0)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_:-]{0,79}")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""General categories of what nobody sees, or what moves the rest (UTR 36)."""


@dataclass(frozen=True)
class Objection:
    """Why a field cannot be laid out, or a value cannot stand in it."""

    field: str
    code: str
    detail: str


@dataclass(frozen=True)
class FormField:
    """One field in one place. Raises OptionError."""

    name: str
    page: int
    """Counted from 1."""
    box: Box
    """x1, y1, x2, y2 in points as the reader sees the page."""
    kind: Kind
    label: str = ""
    """What readers who do not see the page are told (/TU)."""
    required: bool = False
    max_length: int | None = None
    value: Value | None = None
    """What stands there from the beginning."""
    language: str = ""
    """Of the document: how a date is written. Another than zh, ru and en, or none: as ISO 8601 has it."""

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            raise OptionError(f"{self.name!r} is not the name of a field", hint="letters of ASCII, digits, - and _")
        least = MIN_CHECKBOX if self.kind == "checkbox" else MIN_TEXT
        if self.size[0] < least[0] or self.size[1] < least[1]:
            raise OptionError(
                f"the box of {self.name!r} is too small", hint=f"at least {least[0]:g} by {least[1]:g} points"
            )

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in points."""
        return self.box[2] - self.box[0], self.box[3] - self.box[1]


def shown(field: FormField, value: Value) -> Value:
    """Return what the field holds in the file for a value: a date as the document's language writes it."""
    if field.kind != "date" or not isinstance(value, str) or not value:
        return value
    language = field.language.split("-")[0]
    return day(date.fromisoformat(value), language) if language in ("en", "zh", "ru") else value


def objections_to_value(field: FormField, value: Value) -> tuple[Objection, ...]:
    """Return why a value cannot stand in a field; an empty text and false are values, though no answer."""
    found = _objection(field, value)
    return () if found is None else (Objection(field.name, *found),)


def answers(value: Value | None) -> bool:
    """Tell whether a value is what is asked for where one is required: a tick, or something written."""
    return value is True or (isinstance(value, str) and bool(value.strip()))


def _objection(field: FormField, value: Value) -> tuple[str, str] | None:
    if field.kind == "checkbox" or isinstance(value, bool):
        right = (field.kind == "checkbox") == isinstance(value, bool)
        return None if right else ("wrong-kind", f"a field of the kind {field.kind} holds something else")
    if field.kind == "date" and value and not _is_date(value):
        return "not-a-date", "a date is written as YYYY-MM-DD (ISO 8601)"
    if len(value) > min(field.max_length or MAX_VALUE, MAX_VALUE):
        return "too-long", f"{len(value)} characters, {min(field.max_length or MAX_VALUE, MAX_VALUE)} are allowed"
    if (unseen := _unseen(value)) is not None:
        return "characters", unseen
    try:
        typeset(str(shown(field, value)), field.size[0] - SLACK, field.size[1] - SLACK)
    except AppearanceError as error:
        return str(error.facts.get("reason", "no-glyph")), error.message
    return None


def _is_date(value: str) -> bool:
    try:
        return _ISO_DATE.fullmatch(value) is not None and date.fromisoformat(value).year > 0
    except ValueError:
        return False


def _unseen(value: str) -> str | None:
    """Return what of a text its reader would not see, or would see as something else."""
    marks = 0
    for char in value:
        category = unicodedata.category(char)
        marks = marks + 1 if is_mark(char) else 0
        if (category in _UNSEEN and char != "\n") or (category == "Zs" and char not in " \u3000\u00a0\u202f\u2009"):
            return f"U+{ord(char):04X} is a character that nobody sees"
        if marks > MAX_MARKS:
            return "too many marks on one letter"
    if value and is_variation_selector(value[0]):
        return "a variation selector stands alone"
    return None
