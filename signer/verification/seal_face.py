"""Whether a sealed PDF shows the picture that is in the seal, and nothing else.

    shown = faces(signed_view, entry.field_objects, seal)
    shown.places, shown.wrong, shown.unknown

The signature covers what its widgets show, whatever that is: who may use a seal could still draw another one. So each
widget is compared with what `signer.appearance.seal` draws of the seal's picture: the same content streams, the same
pixels. A widget that is drawn in another way may show the same; that cannot be told without looking, and is said. So is
an annotation that lies over a widget: whoever prepared the file could cover the seal before it was there.

Widgets are looked for on the pages, where readers take them from, and not in the form.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from signer.appearance.objects import Indirect, Name, Stream
from signer.appearance.seal import SealFace, render_seal
from signer.appearance.stamp import Drawing
from signer.errors import AppearanceError
from signer.pades.sealing import seal_face
from signer.pdf import structure
from signer.pdf.boxes import Box, box_of, numbers, rectangle
from signer.pdf.pages import pages
from signer.pdf.structure import BudgetSpent, View
from signer.pdf.tokens import Dictionary, Ref, SyntaxFault
from signer.seals.model import Seal

MAX_DEPTH = 12
MAX_PAGES = 5000
_FRAME = re.compile(
    rb"q (\d{1,3}(?:\.\d{1,4})?) 0 0 \1 (-?\d{1,5}(?:\.\d{1,4})?) (-?\d{1,5}(?:\.\d{1,4})?) cm /Seal Do Q\n"
)
_FRAME_KEYS = frozenset({"Type", "Subtype", "BBox", "Resources", "Matrix", "Length", "Filter", "DecodeParms"})
_ENCODING = frozenset({"Length", "Filter", "DecodeParms"})
_LEAST = 0.2
"""How small a seal may be shown: a fifth of its size. A smaller one is none."""
_SLICE = 1.0
"""Points of its width that are seen at least."""
_TURNS = ((1.0, 0.0, 0.0, 1.0), (0.0, 1.0, -1.0, 0.0), (-1.0, 0.0, 0.0, -1.0), (0.0, -1.0, 1.0, 0.0))
_HIDDEN = 0b10
"""Of /F (Table 167). NoView does not count: it may be printed, or seen under the pointer."""
_CONDITIONS = frozenset({"OC", "BM", "CA", "ca"})
"""Entries of a widget that let it show sometimes, or blend it with the page."""
_NOT_DRAWN = frozenset({"Popup", "Link", "Widget"})
"""Annotations that show nothing, or a border, where they have no appearance."""
_WHOLE = 0.02
"""Of its width, what may be missing between slices for being rounded."""


@dataclass(frozen=True)
class Faces:
    """What the visible widgets of one signature show."""

    places: int = 0
    """How many show the seal, whole or a slice."""
    wrong: str = ""
    """The first that shows something else."""
    unknown: str = ""
    """The first of which it cannot be told."""


def faces(view: View, fields: tuple[int, ...], seal: Seal) -> Faces:
    """Look at every widget of the fields, by object number. Raises BudgetSpent."""
    places, wrong, unknown = 0, "", ""
    expected = _Expected(seal)
    try:
        for one in _widgets(view, frozenset(fields)):
            try:
                outcome = expected.shown(view, one.dictionary)
            except (SyntaxFault, RecursionError) as error:
                outcome = f"?it cannot be read: {error}"
            if outcome == "seal" and one.covered:
                outcome = "?another annotation lies over it"
            if outcome == "seal":
                places += 1
            elif outcome.startswith("?"):
                unknown = unknown or f"{one.name}: {outcome[1:]}"
            elif outcome:
                wrong = wrong or f"{one.name}: {outcome}"
    except SyntaxFault as error:
        unknown = unknown or f"the pages cannot be read: {error}"
    if places and not wrong and not unknown and not _whole(expected.parts):
        wrong = "only a part of the seal is shown"
    return Faces(places, wrong, unknown)


class _Shown(NamedTuple):
    """A visible annotation on a page."""

    name: str
    dictionary: Dictionary
    box: Box
    number: int | None
    """Of the field that it is a widget of; None: of none that matters here."""
    covered: bool = False


def _widgets(view: View, fields: frozenset[int]) -> Iterator[_Shown]:
    """Yield the visible widgets of the fields, page by page. Raises SyntaxFault, BudgetSpent."""
    for position, page in enumerate(pages(view, MAX_PAGES + 1), 1):
        if position > MAX_PAGES:
            raise BudgetSpent(f"more than {MAX_PAGES} pages")
        shown = list(_annotations(view, page.dictionary, fields))
        for index, one in enumerate(shown, 1):
            if one.number is not None:
                above = [other for other in shown[index:] if other.number is None and _meet(one.box, other.box)]
                view.pdf.budget.spend(len(shown) // 16)
                yield one._replace(covered=any(_draws(view, other.dictionary) for other in above))


def _annotations(view: View, page: Dictionary, fields: frozenset[int]) -> Iterator[_Shown]:
    """Yield what a page shows besides its contents, the lowest first."""
    listed = view.get(page, "Annots")
    for item in listed if isinstance(listed, list) else ():
        view.pdf.budget.spend(1)
        annotation = view.resolve(item)
        if not isinstance(annotation, Dictionary):
            continue
        box, flags = rectangle(view, annotation), view.get(annotation, "F")
        hidden = type(flags) is int and flags & _HIDDEN
        if box is None or box[2] <= box[0] or box[3] <= box[1] or hidden:
            continue
        numbers_of = [ref.number for ref in (item, annotation.get("Parent")) if isinstance(ref, Ref)]
        number = next((number for number in numbers_of if number in fields), None)
        yield _Shown(f"the widget of object {numbers_of[0] if numbers_of else 0}", annotation, box, number)


def _draws(view: View, annotation: Dictionary) -> bool:
    """Tell whether an annotation may draw anything."""
    appearances = view.get(annotation, "AP")
    normal = view.get(appearances, "N") if isinstance(appearances, Dictionary) else None
    if isinstance(normal, structure.Stream):
        return bool(view.stream_data(normal).strip())
    return normal is not None or view.get(annotation, "Subtype") not in _NOT_DRAWN


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _whole(parts: list[tuple[float, float]]) -> bool:
    """Tell whether slices of a seal, each from and to a share of its width, are the whole of it together."""
    reached = 0.0
    for start, end in sorted(parts):
        if start > reached + _WHOLE:
            return False
        reached = max(reached, end)
    return reached >= 1 - _WHOLE


class _Expected:
    """What the picture of one seal looks like in a PDF."""

    def __init__(self, seal: Seal) -> None:
        self._face = seal_face(seal, "en")
        self._drawings: dict[bool, Drawing | None] = {}
        self._known: dict[int, bool] = {}
        """Whether a form XObject is the seal, by object number: it is in the file once."""
        self.parts: list[tuple[float, float]] = []
        """What of the seal's width was shown, each time."""

    def shown(self, view: View, widget: Dictionary) -> str:
        """Return "seal", "" for nothing, what is wrong, or "?" and why it cannot be told."""
        appearances = view.get(widget, "AP")
        if widget.keys() & _CONDITIONS:
            return "?it shows under a condition"
        if not isinstance(appearances, Dictionary):
            return ""
        if appearances.keys() - {"N"}:
            return "?it looks another way under the pointer"
        normal = view.get(appearances, "N")
        if not isinstance(normal, structure.Stream):
            return "" if normal is None else "?its appearance is no single picture"
        content = view.stream_data(normal)
        if not content.strip():
            return ""
        frame = _FRAME.fullmatch(content)
        resources = view.get(normal.dictionary, "Resources")
        if frame is None or not isinstance(resources, Dictionary) or resources.keys() != {"XObject"}:
            return "?it is drawn in another way"
        pictures = view.get(resources, "XObject")
        if not isinstance(pictures, Dictionary) or pictures.keys() != {"Seal"}:
            return "?it is drawn in another way"
        if normal.dictionary.keys() - _FRAME_KEYS:
            return "its appearance has an entry that it must not have"
        problem = self._seen(view, widget, normal.dictionary, tuple(float(number) for number in frame.groups()))
        if problem:
            return problem
        return "seal" if self._is_seal(view, pictures["Seal"]) else "it shows another picture than the seal has"

    def _seen(self, view: View, widget: Dictionary, form: Dictionary, frame: tuple[float, ...]) -> str:
        """Say why the picture would not be seen as it is: too small, out of its frame, or bent."""
        scale, x, y = frame
        box, place = box_of(view, form.get("BBox")), rectangle(view, widget)
        turn = numbers(view, form["Matrix"], 6) if "Matrix" in form else (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
        if box is None or box[:2] != (0.0, 0.0) or place is None or turn is None or turn[:4] not in _TURNS:
            return "the picture of the seal is bent"
        width, height = box[2:]
        across, up = (place[2] - place[0], place[3] - place[1])[:: 1 if turn[0] else -1]
        if abs(width - across) > 1 or abs(height - up) > 1:
            return "the picture of the seal is stretched"
        shown = min(width, x + scale * self._face.width) - max(0.0, x)
        high = min(height, y + scale * self._face.height) - max(0.0, y)
        if scale < _LEAST or shown < _SLICE or high < 0.95 * scale * self._face.height:
            return "the seal is too small to be seen, or out of its frame"
        whole = scale * self._face.width
        self.parts.append((max(0.0, -x) / whole, min(width - x, whole) / whole))
        return ""

    def _is_seal(self, view: View, value: Any) -> bool:
        if isinstance(value, Ref) and value.number in self._known:
            return self._known[value.number]
        drawings = map(self._drawing, (True, False))  # the second is drawn only where it is not the first
        same = any(drawing is not None and _same(view, value, drawing.form(), 0) for drawing in drawings)
        if isinstance(value, Ref):
            self._known[value.number] = same
        return same

    def _drawing(self, transparency: bool) -> Drawing | None:
        if transparency not in self._drawings:
            self._drawings[transparency] = _drawn(self._face, transparency)
        return self._drawings[transparency]


def _drawn(face: SealFace, transparency: bool) -> Drawing | None:
    try:
        return render_seal(face, pdfa_part=None if transparency else 1)
    except AppearanceError:
        return None


def _same(view: View, value: Any, expected: object, depth: int) -> bool:
    """Tell whether an object of the file is what the plain object would be written as."""
    value = view.resolve(value)
    view.pdf.budget.spend(1)
    if depth > MAX_DEPTH:
        raise BudgetSpent("the appearance of a seal is nested too deep")
    if isinstance(expected, Stream):
        return isinstance(value, structure.Stream) and _same_stream(view, value, expected, depth)
    if isinstance(expected, Indirect):
        expected = expected.entries
    if isinstance(expected, dict):
        return (
            isinstance(value, Dictionary)
            and not value.duplicates
            and value.keys() == expected.keys()
            and all(_same(view, value[key], item, depth + 1) for key, item in expected.items())
        )
    if isinstance(expected, list):
        return (
            isinstance(value, list)
            and len(value) == len(expected)
            and all(_same(view, a, b, depth + 1) for a, b in zip(value, expected, strict=True))
        )
    if isinstance(expected, Name):
        return isinstance(value, str) and str(value) == str(expected)
    if isinstance(expected, bool) or isinstance(value, bool):
        return value is expected
    if isinstance(expected, int | float):
        return isinstance(value, int | float) and abs(value - expected) < 0.002
    return bool(value == expected)


def _same_stream(view: View, value: structure.Stream, expected: Stream, depth: int) -> bool:
    """Compare dictionaries apart from the encoding, and octets: encoded ones of a JPEG, else decoded ones."""
    had, wanted = value.dictionary, expected.entries
    if had.duplicates or had.keys() - _ENCODING != wanted.keys() - _ENCODING:
        return False
    if not all(_same(view, had[key], wanted[key], depth + 1) for key in wanted.keys() - _ENCODING):
        return False
    view.pdf.budget.spend(len(expected.data) // 64 + 10)
    if wanted.get("Filter") == "DCTDecode":
        # parameters of a JPEG change its colours
        plain = view.get(had, "Filter") == "DCTDecode" and "DecodeParms" not in had
        return plain and view.encoded(value) == expected.data
    data = zlib.decompress(expected.data) if wanted.get("Filter") == "FlateDecode" else expected.data
    return view.stream_data(value) == data
