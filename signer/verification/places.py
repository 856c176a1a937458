"""Where each signature shows: page and rectangle of its widget, from the page tree of the file as it is.

    places_of(view, [(7,), (12,)])       # object numbers of the fields -> PlaceReports for each, in order of pages

Only for pictures and for people: nothing is decided by it, so what cannot be read has no place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from signer.pdf.boxes import Box
from signer.pdf.pages import pages
from signer.pdf.structure import BudgetSpent, View
from signer.pdf.tokens import Dictionary, Ref, SyntaxFault
from signer.report import PlaceReport, Rotation

MAX_PAGES = 5000
MAX_PLACES = 2000
"""Of one signature; a seal on every page has as many as there are pages."""


def places_of(view: View, fields: Sequence[tuple[int, ...]]) -> list[tuple[PlaceReport, ...]]:
    """Return the places of each tuple of field objects: the visible ones, else the first. Never raises."""
    wanted = {number: index for index, numbers in enumerate(fields) for number in numbers}
    found: list[list[PlaceReport]] = [[] for _ in fields]
    try:
        for number, page in enumerate(pages(view, MAX_PAGES), 1):
            for index, box in _widgets(view, page.dictionary, wanted):
                place = _place(view, Dictionary(page.inherited), number, box)
                known = found[index]
                if place is None or len(known) >= MAX_PLACES:
                    continue
                if place.visible and known and not known[0].visible:
                    known.clear()
                if place.visible or not known:
                    known.append(place)
    except (SyntaxFault, BudgetSpent, RecursionError):
        pass
    return [tuple(item) for item in found]


def _widgets(view: View, page: Dictionary, wanted: dict[int, int]) -> Iterator[tuple[int, Box]]:
    annotations = view.get(page, "Annots")
    if not isinstance(annotations, list):
        return
    for item in annotations:
        annotation = view.resolve(item)
        if not isinstance(annotation, Dictionary):
            continue
        parent = annotation.get("Parent")
        numbers = [ref.number for ref in (item, parent) if isinstance(ref, Ref)]
        index = next((wanted[number] for number in numbers if number in wanted), None)
        box = _box(view, annotation, "Rect")
        if index is not None and box is not None:
            yield index, box


def _place(view: View, page: Dictionary, number: int, box: Box) -> PlaceReport | None:
    page_box = _box(view, page, "CropBox") or _box(view, page, "MediaBox")
    rotation = view.get(page, "Rotate")
    if page_box is None or page_box[2] <= page_box[0] or page_box[3] <= page_box[1]:
        return None
    turns: tuple[Rotation, ...] = (0, 90, 180, 270)
    turned = turns[rotation // 90 % 4] if type(rotation) is int and rotation % 90 == 0 else 0
    return PlaceReport(number, box, page_box, turned)


def _box(view: View, holder: Dictionary, key: str) -> Box | None:
    """Return a rectangle with its corners in order (7.9.5), or None."""
    value = view.get(holder, key)
    if not isinstance(value, list) or len(value) != 4:
        return None
    edges = [view.resolve(item) for item in value]
    if not all(isinstance(edge, int | float) and abs(edge) < 1e6 for edge in edges):
        return None
    a, b, c, d = (round(float(edge), 2) for edge in edges)
    return (min(a, c), min(b, d), max(a, c), max(b, d))
