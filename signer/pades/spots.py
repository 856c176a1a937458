"""The fields that will show a signature, each on its page.

    spots = spots_of(view, options, "Seal1", existing, ("Seal1-2", "Seal1-3"))
    spots[0].page, spots[0].rectangle, spots[0].geometry

Pages are found by /Count (ISO 32000-2 7.7.3.2), strictly: a tree that does not count right is a damaged file.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from signer.errors import OptionError, SigningRefused
from signer.pades.geometry import Box, PageGeometry
from signer.pades.options import SignOptions
from signer.pdf.boxes import box_of
from signer.pdf.structure import View
from signer.pdf.tokens import Dictionary, Ref, SyntaxFault

MAX_DEPTH = 60


@dataclass(frozen=True)
class ExistingField:
    """An empty signature field that will be signed."""

    number: int
    rectangle: Box
    lock: tuple[str, tuple[str, ...], int | None] | None


@dataclass(frozen=True)
class Spot:
    """One field that will show the signature, on its page."""

    field: str
    page: int
    """Counted from 0."""
    page_object: Ref
    geometry: PageGeometry
    rectangle: Box | None
    """/Rect in user space, None for an invisible new field."""
    part: tuple[float, float] = (0.0, 1.0)
    """What of the width of its picture is shown."""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height as the reader sees them; zero for an invisible field."""
        return self.geometry.shown_size(self.rectangle) if self.rectangle is not None else (0.0, 0.0)


def spots_of(
    view: View, options: SignOptions, name: str, existing: ExistingField | None, further: tuple[str, ...]
) -> tuple[Spot, ...]:
    """Return every field that will show the signature, the one asked for first."""
    pages = page_count(view)
    wanted = [page_index(place.page, pages) for place in options.places]
    if existing is not None or not wanted:
        wanted.insert(0, page_index(options.page or 1, pages))
    found = dict(leaves(view, set(wanted)))
    spots: list[Spot] = []
    if existing is not None or not options.places:
        located, page = found[wanted[0]]
        if existing is not None:
            located, page = _page_of(view, existing, located, page)
        geometry = geometry_of(view, page)
        box = geometry.place(options.box) if options.box is not None else None
        box = existing.rectangle if existing is not None else box
        spots.append(Spot(name, wanted[0], located, geometry, box))
    free = iter(further)
    for place, index in zip(options.places, wanted[len(spots) :], strict=True):
        located, page = found[index]
        geometry = geometry_of(view, page)
        field = next(free) if spots else name
        spots.append(Spot(field, index, located, geometry, geometry.place(place.box), place.part))
    return tuple(spots)


def page_count(view: View) -> int:
    """Return the number of pages. Raises SyntaxFault, SigningRefused where there are none."""
    root = view.get(view.catalog, "Pages")
    pages = view.get(root, "Count") if isinstance(root, Dictionary) else None
    kids = view.get(root, "Kids") if isinstance(root, Dictionary) else None
    if type(pages) is not int or not isinstance(kids, list):
        raise SyntaxFault("the page tree has no /Count or no /Kids")
    if pages < 1 or not kids:
        raise SigningRefused("the document has no pages", hint="there is nothing to sign", reason="no-pages")
    return pages


def page_index(wanted: int, pages: int) -> int:
    """Return a page counted from 0; `wanted` is counted from 1, or from the end. Raises OptionError."""
    if not 1 <= (wanted if wanted > 0 else pages + 1 + wanted) <= pages:
        raise OptionError(f"there is no page {wanted}", hint=f"the document has {pages}", pages=pages)
    return wanted - 1 if wanted > 0 else pages + wanted


def leaves(view: View, wanted: set[int]) -> Iterator[tuple[int, tuple[Ref, Dictionary]]]:
    """Yield index, reference and dictionary of the pages wanted, walking down by /Count."""
    fault = SyntaxFault("the page tree does not count its pages right")
    order, missing = sorted(wanted), set(wanted)
    stack: list[tuple[Any, int, int]] = [(view.catalog.get("Pages"), 0, 0)]
    while stack:
        node, first, depth = stack.pop()
        value = view.resolve(node)
        if not isinstance(value, Dictionary) or not isinstance(node, Ref):
            raise SyntaxFault("a node of the page tree is no indirect dictionary")
        if depth > MAX_DEPTH:
            raise SyntaxFault("the page tree is too deep")
        kids = view.get(value, "Kids")
        if not isinstance(kids, list):
            if first not in missing or view.get(value, "Type") not in ("Page", None):
                raise fault
            missing.discard(first)
            yield first, (node, value)
            continue
        for kid in kids:
            view.pdf.budget.spend(1)
            below = view.resolve(kid)
            inner = isinstance(below, Dictionary) and "Kids" in below
            size = view.get(below, "Count") if inner else 1
            if type(size) is not int or size < 0:
                raise fault
            at = bisect_left(order, first)
            if at == len(order):
                break
            if order[at] < first + size:
                stack.append((kid, first, depth + 1))
            first += size
    if missing:
        raise fault


def _page_of(view: View, existing: ExistingField, given: Ref, page: Dictionary) -> tuple[Ref, Dictionary]:
    """Return the page an existing field says it is on (/P), or the one given."""
    located = view.locate(existing.number)
    holder = located.value if located else None
    for candidate in (holder, *(view.get(holder, "Kids") or ())) if isinstance(holder, Dictionary) else ():
        widget = view.resolve(candidate)
        named = widget.get("P") if isinstance(widget, Dictionary) else None
        target = view.resolve(named)
        if isinstance(named, Ref) and isinstance(target, Dictionary):
            return named, target
    return given, page


def geometry_of(view: View, page: Dictionary) -> PageGeometry:
    """Return visible area and rotation of a page. Raises SyntaxFault."""
    media = box_of(view, _inherited(view, page, "MediaBox"))
    if media is None:
        raise SyntaxFault("the page has no /MediaBox")
    left, bottom, right, top = media
    crop = box_of(view, _inherited(view, page, "CropBox"))
    if crop is not None:
        a, b, c, d = crop
        cut = (max(left, a), max(bottom, b), min(right, c), min(top, d))
        if cut[0] < cut[2] and cut[1] < cut[3]:
            left, bottom, right, top = cut
    turn = _inherited(view, page, "Rotate")
    rotate = int(turn) % 360 if isinstance(turn, int | float) and not isinstance(turn, bool) else 0
    return PageGeometry((left, bottom, right, top), rotate if rotate % 90 == 0 else 0)


def _inherited(view: View, page: Dictionary, key: str) -> Any:
    return view.resolve(view.inherited(page, key, MAX_DEPTH))
