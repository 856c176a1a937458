"""Form fields filled in within the revision of a signature.

    filling = Filling(ground, (("price", "1 200 000 ¥"), ("agreed", True)))      # FieldError, AppearanceError
    request = Request(…, fill=filling.write)

Only what a later reader can compare is filled: text fields whose picture says their value, and check boxes that show
one of the pictures they always had (`signer.pdf.form_changes`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name

from signer.appearance.canvas import Canvas
from signer.errors import FieldError
from signer.forms.appearance import written
from signer.forms.typesetting import framed, typeset
from signer.pades.geometry import PageGeometry
from signer.pades.spots import geometry_of
from signer.pdf.boxes import rectangle
from signer.pdf.listing import Field, walk_fields
from signer.pdf.tokens import Dictionary, Name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signer.pades.engine import RevisionWriter
    from signer.pades.preflight import Ground

_PUSH, _RADIO = 1 << 16, 1 << 15
_OTHERWISE: Final = 1 << 13 | 1 << 20 | 1 << 24 | 1 << 25
"""Password, file select, comb and rich text: values that are not simply what is drawn (Table 231)."""


@dataclass(frozen=True)
class _Entry:
    """One field and what becomes of it."""

    number: int
    generation: int
    value: str | Name
    picture: tuple[Canvas, PageGeometry] | None
    """Of a text; a check box has its pictures."""


class Filling:
    """What is filled in, looked up and set before anything is written."""

    def __init__(self, ground: Ground, values: Sequence[tuple[str, str | bool]]) -> None:
        """Look the fields up. Raises FieldError for one that cannot be filled so, AppearanceError for its value."""
        self._cid_set = ground.pdfa_part() == 1
        fields = {item.name: item for item in walk_fields(ground.view, [])}
        self._entries = [_entry(ground, name, fields.get(name), value) for name, value in values]

    def write(self, writer: RevisionWriter) -> None:
        """Change the fields in a revision that is being written."""
        drawn = [entry.picture for entry in self._entries if entry.picture is not None]
        canvases, pages = [canvas for canvas, _ in drawn], [page for _, page in drawn]
        pictures = iter(written(writer, canvases, pages, cid_set=self._cid_set))
        for entry in self._entries:
            reference = generic.Reference(entry.number, entry.generation, writer)
            field: Any = writer.get_object(reference)
            if entry.picture is None:
                field[pdf_name("/V")] = field[pdf_name("/AS")] = pdf_name(f"/{entry.value}")
            else:
                field[pdf_name("/V")] = generic.pdf_string(entry.value)
                normal = {pdf_name("/N"): next(pictures)}
                field[pdf_name("/AP")] = generic.DictionaryObject(normal)  # type: ignore[no-untyped-call]
            writer.mark_update(reference)


def _entry(ground: Ground, name: str, item: Field | None, value: str | bool) -> _Entry:
    view = ground.view
    if item is None or item.number is None:
        raise FieldError(f"there is no field {name!r} to fill in", hint="name a field that is in the file")
    flags = view.resolve(view.inherited(item.dictionary, "Ff", 60)) or 0
    box = rectangle(view, item.dictionary)
    if "Kids" in item.dictionary or box is None or type(flags) is not int or "AA" in item.dictionary:
        raise FieldError(f"the field {name!r} is not a simple one", hint="name a field with one widget, and no script")
    if item.kind == "Btn" and isinstance(value, bool) and not flags & (_PUSH | _RADIO):
        return _Entry(item.number, item.generation, _state(ground, item) if value else Name("Off"), None)
    if item.kind != "Tx" or isinstance(value, bool) or flags & _OTHERWISE:
        raise FieldError(f"the field {name!r} is of another kind than its value", hint="name another field")
    page = view.get(item.dictionary, "P")
    if not isinstance(page, Dictionary):
        raise FieldError(f"the field {name!r} is on no page", hint="name another field")
    geometry = geometry_of(view, page)
    size = geometry.shown_size(box)
    return _Entry(item.number, item.generation, value, (typeset(value, *size) if value else framed(*size), geometry))


def _state(ground: Ground, item: Field) -> Name:
    """Return the name of the one state of a check box that is not off (12.7.5.2.3)."""
    appearances = ground.view.get(item.dictionary, "AP")
    normal = ground.view.get(appearances, "N") if isinstance(appearances, Dictionary) else None
    states = [key for key in normal if key != "Off"] if isinstance(normal, Dictionary) else []
    if len(states) != 1:
        raise FieldError(f"the check box {item.name!r} has no picture of being ticked", hint="name another field")
    return Name(states[0])
