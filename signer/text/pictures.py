"""Pictures of the pages that carry signatures, and where each signature stands on them.

    for picture in pictures_of(report, data):
        picture.page, picture.png, picture.marks[0].left

The file is drawn as it is now, later revisions included: that is what a reader sees, and why the verdict stands beside.
"""

from __future__ import annotations

from dataclasses import dataclass

from signer.errors import RenderingFailed
from signer.rendering import render
from signer.report import PlaceReport, Report, Verdict
from signer.verification.kinds.pdf import looks_like

DPI = 84
"""An A4 page has 982 pixels then: under the 1000 that our own PDF writer keeps."""
MAX_PAGES = 6


@dataclass(frozen=True)
class Mark:
    """One signature on a page; lengths as parts of the picture's width and height, from its upper left corner."""

    number: int
    """Of the signature in the report, from 1."""
    verdict: Verdict
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class PagePicture:
    """One page."""

    page: int
    png: bytes
    """Empty where it could not be drawn."""
    marks: tuple[Mark, ...]


def pictures_of(report: Report, data: bytes, dpi: int = DPI) -> tuple[PagePicture, ...]:
    """Draw the pages with visible signatures, the first MAX_PAGES; without any, the first page. Never raises."""
    if not looks_like(data) or not report.signatures:
        return ()
    marks: dict[int, list[Mark]] = {}
    for number, signature in enumerate(report.signatures, 1):
        for place in () if signature.place is None else (signature.place, *signature.more_places):
            if place.visible and (mark := _mark(number, signature.verdict, place)):
                marks.setdefault(place.page, []).append(mark)
    pages = sorted(marks)[:MAX_PAGES] or [1]
    return tuple(PagePicture(page, _drawn(data, page, dpi), tuple(marks.get(page, ()))) for page in pages)


def _drawn(data: bytes, page: int, dpi: int) -> bytes:
    try:
        return render(data, page, dpi)
    except RenderingFailed:
        return b""


def _mark(number: int, verdict: Verdict, place: PlaceReport) -> Mark | None:
    """Turn a rectangle of the page into one of the picture, as the page is turned; None where it lies outside."""
    x0, y0, x1, y1 = place.page_box
    across, up = x1 - x0, y1 - y0
    left, right = sorted(min(max((x - x0) / across, 0.0), 1.0) for x in (place.box[0], place.box[2]))
    bottom, top = sorted(min(max((y - y0) / up, 0.0), 1.0) for y in (place.box[1], place.box[3]))
    edges = {
        0: (left, 1 - top, right, 1 - bottom),
        90: (bottom, left, top, right),
        180: (1 - right, bottom, 1 - left, top),
        270: (1 - top, 1 - right, 1 - bottom, 1 - left),
    }[place.rotation]
    if edges[2] <= edges[0] or edges[3] <= edges[1]:
        return None
    return Mark(number, verdict, edges[0], edges[1], edges[2] - edges[0], edges[3] - edges[1])
