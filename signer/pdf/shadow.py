"""Signs that a signed document hides something: a "shadow" that a later revision could bring out.

    for code, detail in signs(view): …          # ("covered-content", "page 1: …")

Warnings, never verdicts: a form with an image over a line of text may be somebody's letterhead. Looked for, within
bounds:

- text that lies wholly under an image, or under an annotation or form field with an appearance (hide)
- content in optional-content groups that are switched off (8.11)
- objects that stand twice in one revision, of which readers may take either (hide and replace)
- whole pages that nothing leads to (hide and replace)

White text, text of size zero and the like are not looked for; nobody finds every shadow.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

from signer.pdf.boxes import Box, inside, intersect, rectangle, words
from signer.pdf.compare import references
from signer.pdf.content_boxes import inherited, page_marks
from signer.pdf.pages import pages
from signer.pdf.structure import FREE, BudgetSpent, Stream, View
from signer.pdf.tokens import Dictionary, Ref, SyntaxFault

MAX_SIGNS = 10
"""Signs of one kind that are told."""
MAX_PAGES = 20
"""Pages that are looked at."""
MAX_OPERATORS = 15_000
"""For all pages together."""
MAX_OBJECTS = 20_000
"""Objects of a file whose reachability is looked at."""
MAX_HEADERS = 200_000
_OBJ = re.compile(rb"(?<=[ \t\r\n])obj(?![A-Za-z0-9])")
_HEADER = re.compile(rb"(?<![0-9])(\d{1,7})[ \t\r\n]+(\d{1,5})[ \t\r\n]+\Z")
_PAGE = re.compile(rb"/Type[ \t\r\n]*/Page(?![A-Za-z])")
_NO_COVER = frozenset({"Link", "Popup"})


def signs(view: View) -> list[tuple[str, str]]:
    """Return every sign of both searches. Never raises: these are warnings, and no verdict rests on them."""
    found: list[tuple[str, str]] = []
    for search in (hidden_content, defined_twice):
        try:
            found += search(view)
        except Exception:  # noqa: BLE001, S112 - a warning less, never a verdict
            continue
    return found


def hidden_content(view: View) -> list[tuple[str, str]]:
    """Return code and words of each sign found in a file as it is now. Raises BudgetSpent."""
    found: list[tuple[str, str]] = []
    for search in (_covered, _switched_off, _unreachable_pages):
        try:
            found += list(search(view))[:MAX_SIGNS]
        except SyntaxFault:
            continue  # what cannot be read is the guard's business
    return found


# -- covered ------------------------------------------------------------------------------------------


def _covered(view: View) -> Iterator[tuple[str, str]]:
    left = MAX_OPERATORS
    for number, (_, page, _) in enumerate(pages(view, MAX_PAGES), 1):
        overlays = list(_overlays(view, page))
        if not overlays and not _has_images(view, page):
            continue
        found = page_marks(view, page, left)
        marks = found.marks if found else []
        left -= found.operators if found else 0
        for position, mark in enumerate(marks):
            if mark.kind == "text" and any(
                later.kind == "image" and later.opaque and inside(mark.box, later.box)
                for later in marks[position + 1 :]
            ):
                yield "covered-content", f"page {number}: text lies under an image, {words(mark.box)}"
                break
        for kind, box in overlays:
            if any(mark.kind != "path" and intersect(mark.box, box) and inside(mark.box, box) for mark in marks):
                yield "covered-content", f"page {number}: {kind} lies over page content, {words(box)}"


def _overlays(view: View, page: Dictionary) -> Iterator[tuple[str, Box]]:
    """Return the annotations that draw something over the page, signatures apart."""
    items = view.get(page, "Annots")
    for item in items if isinstance(items, list) else ():
        annotation = view.resolve(item)
        if not isinstance(annotation, Dictionary):
            continue
        kind, box = view.get(annotation, "Subtype"), rectangle(view, annotation)
        field = inherited(view, annotation, "FT")
        if kind in _NO_COVER or field == "Sig" or box is None or not _draws(view, annotation):
            continue
        what = "a form field" if kind == "Widget" else f"a {kind} annotation"
        yield what, box


def _draws(view: View, annotation: Dictionary) -> bool:
    """Whether a normal appearance is there that draws something."""
    appearances = view.get(annotation, "AP")
    normal = view.get(appearances, "N") if isinstance(appearances, Dictionary) else None
    if isinstance(normal, Dictionary):
        state = view.get(annotation, "AS")
        normal = view.get(normal, state) if isinstance(state, str) else None
    return isinstance(normal, Stream) and normal.end - normal.start > 1


def _has_images(view: View, page: Dictionary) -> bool:
    resources = inherited(view, page, "Resources")
    objects = view.get(resources, "XObject") if isinstance(resources, Dictionary) else None
    if not isinstance(objects, Dictionary):
        return False
    streams = [view.resolve(value) for value in list(objects.values())[:50]]
    return any(isinstance(s, Stream) and view.get(s.dictionary, "Subtype") == "Image" for s in streams)


# -- switched off -------------------------------------------------------------------------------------


def _switched_off(view: View) -> Iterator[tuple[str, str]]:
    properties = view.get(view.catalog, "OCProperties")
    if not isinstance(properties, Dictionary):
        return
    default = view.get(properties, "D")
    groups = view.get(properties, "OCGs")
    if not isinstance(default, Dictionary):
        return
    off = view.get(default, "OFF")
    if isinstance(off, list) and off:
        yield "hidden-layers", f"{len(off)} layer(s) of optional content are switched off"
    elif view.get(default, "BaseState") == "OFF" and isinstance(groups, list) and groups:
        yield "hidden-layers", "layers of optional content are switched off unless named"


# -- unreachable --------------------------------------------------------------------------------------


def _unreachable_pages(view: View) -> Iterator[tuple[str, str]]:
    lost = set(_page_objects(view)) - {page.number for page in pages(view, MAX_OBJECTS)}
    if not lost or len(view.entries) > MAX_OBJECTS:
        return
    seen: set[int] = set()
    waiting: list[Any] = [view.trailer.get(key) for key in ("Root", "Info", "Encrypt")]
    while waiting and lost:
        item = waiting.pop()
        if not isinstance(item, Ref) or item.number in seen:
            continue
        seen.add(item.number)
        lost.discard(item.number)
        try:
            located = view.locate(item.number)
        except SyntaxFault:
            continue  # what cannot be read leads nowhere
        if located is not None:
            waiting.extend(references(view, located))
    if lost:
        yield "unreachable-content", f"{len(lost)} page(s) that nothing leads to, the first is object {min(lost)}"


def _page_objects(view: View) -> Iterator[int]:
    """Yield the numbers of the objects in use, outside of object streams, that are pages."""
    places = {entry.offset: number for number, entry in view.entries.items() if entry is not FREE}
    order = sorted(places)
    for hit in _PAGE.finditer(view.pdf.data):
        position = bisect_right(order, hit.start()) - 1
        number = places[order[position]] if position >= 0 else 0
        if number and not view.entries[number].compressed:
            located = view.locate(number)
            if (
                located is not None
                and located.start < hit.start() < located.end
                and isinstance(located.value, Dictionary)
                and located.value.get("Type") == "Page"
            ):
                yield number


# -- twice --------------------------------------------------------------------------------------------


def defined_twice(view: View) -> list[tuple[str, str]]:
    """Return the objects that stand twice between one end of a revision and the next. Raises BudgetSpent."""
    pdf = view.pdf
    ends = sorted(ending.marker_end for ending in pdf.endings)
    known = {entry.offset for section in view.sections for entry in section.entries.values() if not entry.compressed}
    places = sorted(known)
    seen: dict[tuple[int, int], int] = {}
    found: list[tuple[str, str]] = []
    revision = 0
    for count, word in enumerate(_OBJ.finditer(pdf.data)):
        if count > MAX_HEADERS:
            raise BudgetSpent("too many object headers")
        begin = max(0, word.start() - 20)
        header = _HEADER.search(pdf.data[begin : word.start()])
        if header is None:
            continue
        at = begin + header.start()
        while revision < len(ends) and ends[revision] <= at:
            revision += 1
        key = (revision, int(header.group(1)))
        other = seen.setdefault(key, at)
        if other != at and not (_inside_an_object(view, places, at) or _inside_an_object(view, places, other)):
            detail = f"object {key[1]} stands twice in one revision, at {other} and at {at}"
            found.append(("object-defined-twice", detail))
    pdf.budget.spend(len(seen) // 4)
    return found[:MAX_SIGNS]


def _inside_an_object(view: View, places: list[int], at: int) -> bool:
    """Whether what looks like the head of an object stands within another one, as in a file embedded in a stream."""
    position = bisect_right(places, at) - 1
    if position < 0 or places[position] == at:
        return False
    try:
        located = view.pdf.object_at(places[position], view)
    except SyntaxFault:
        return False
    return located.start < at < located.end
