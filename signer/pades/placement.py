"""Where a seal goes, said as people say it: at a point, at a word, on every page, across the edges of all pages.

    places = place(data, AtKeyword("（盖章）", occurrence=2), width, height)        # points; tuple[Place, ...]
    SignOptions(places=places, appearance=face)

A cross-page seal (骑缝章) is one impression over the edges of fanned-out sheets: each page shows a slice at its
edge, and only all pages together show the seal. Slices too narrow to be recognised prove nothing, so many pages are
taken in groups, an impression for each, as is done on paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from signer.errors import OptionError
from signer.pades.geometry import POINTS_PER_MM, PageGeometry
from signer.pades.options import Box, Place
from signer.pades.preflight import page_geometries
from signer.pades.spots import page_index

if TYPE_CHECKING:
    from signer.pdf.encryption import Credentials

MARGIN = 36.0
"""Points from the edges, where no point is given: half an inch."""
MIN_SLICE = 3 * POINTS_PER_MM
"""Points a slice is wide at least: 3 mm, 14 pages for a seal of 42 mm."""
MAX_KEYWORD = 200


@dataclass(frozen=True)
class AtPoint:
    """The middle of the seal at a point of one page, as the reader sees it from its lower left corner."""

    page: int
    """Counted from 1; -1 is the last."""
    x: float
    y: float


@dataclass(frozen=True)
class AtKeyword:
    """The middle of the seal on a text of the document, moved by an offset in points."""

    text: str
    occurrence: int = 1
    """Counted from 1 in reading order; -1 is the last."""
    dx: float = 0.0
    dy: float = 0.0

    def __post_init__(self) -> None:
        if not "".join(self.text.split()) or len(self.text) > MAX_KEYWORD:
            raise OptionError("a keyword has 1 to 200 characters", hint="give a text that stands in the document")
        if self.occurrence == 0:
            raise OptionError("occurrences are counted from 1", hint="-1 is the last")


@dataclass(frozen=True)
class EveryPage:
    """The middle of the seal at the same point of every page. None: in the lower right corner."""

    x: float | None = None
    y: float | None = None


@dataclass(frozen=True)
class CrossPage:
    """A slice of the seal at the edge of every page."""

    side: Literal["left", "right"] = "right"
    height: float = 0.5
    """Where the middle of the seal is: 0 at the bottom of each page, 1 at the top."""
    min_slice: float = MIN_SLICE
    """Points a slice is wide at least."""

    def __post_init__(self) -> None:
        if self.side not in ("left", "right"):
            raise OptionError(f"a page has no {self.side!r} edge", hint="left or right")
        if not 0 <= self.height <= 1 or not self.min_slice >= 1:
            raise OptionError("a height lies between 0 and 1, and a slice is a point wide at least")


Placement = AtPoint | AtKeyword | EveryPage | CrossPage


def place(
    data: bytes, placement: Placement, width: float, height: float, credentials: Credentials | None = None
) -> tuple[Place, ...]:
    """Return where a seal of `width` × `height` points goes; `credentials` open an encrypted file.

    Raises OptionError where it has no place, UnreadablePDF, EncryptedPDF, SigningRefused for the file, and
    SearchFailed where the text of the file cannot be read.
    """
    pages = page_geometries(data, credentials)
    match placement:
        case AtPoint(page, x, y):
            index = page_index(page, len(pages))
            return (Place(index + 1, _around(pages[index], x, y, width, height)),)
        case AtKeyword():
            return (_at_keyword(data, pages, placement, width, height, credentials),)
        case EveryPage(across, up):
            return tuple(_on_page(number, page, across, up, width, height) for number, page in enumerate(pages, 1))
        case CrossPage():
            return cross_page(pages, placement, width, height)


def _around(page: PageGeometry, x: float, y: float, width: float, height: float) -> Box:
    """Return the box around a point, moved onto the page where it stands out. Raises OptionError where it cannot be."""
    across, up = page.size
    if width > across or height > up:
        raise OptionError(
            f"the seal is larger than the page, which is {across:.0f} × {up:.0f} points",
            hint="leave that page out",
            width=across,
            height=up,
        )
    if not (0 <= x <= across and 0 <= y <= up):
        raise OptionError(
            f"the point is not on the page, which is {across:.0f} × {up:.0f} points",
            hint="points from the lower left corner of the page as it is shown",
            width=across,
            height=up,
        )
    left = min(max(x - width / 2, 0.0), across - width)
    bottom = min(max(y - height / 2, 0.0), up - height)
    return (left, bottom, left + width, bottom + height)


def _on_page(number: int, page: PageGeometry, x: float | None, y: float | None, width: float, height: float) -> Place:
    across = page.size[0]
    right = max(across - MARGIN - width / 2, width / 2)
    return Place(
        number,
        _around(page, right if x is None else x, MARGIN + height / 2 if y is None else y, width, height),
    )


def _at_keyword(
    data: bytes,
    pages: Sequence[PageGeometry],
    keyword: AtKeyword,
    width: float,
    height: float,
    credentials: Credentials | None,
) -> Place:
    from signer.searching import find_text

    if credentials is not None:
        from signer.encryption.pdf import in_clear

        data = in_clear(data, credentials)  # a copy for the search; its pages are those of the file
    hits = find_text(data, keyword.text, enough=keyword.occurrence)
    if not hits:
        raise OptionError(
            f"the text {keyword.text!r} is not in the document",
            hint="give a text as it stands there; pictures of text are not read",
            found=0,
        )
    try:
        hit = hits[keyword.occurrence - 1 if keyword.occurrence > 0 else keyword.occurrence]
    except IndexError as error:
        raise OptionError(
            f"the text {keyword.text!r} stands {len(hits)} times in the document",
            hint="give one of these occurrences",
            found=len(hits),
        ) from error
    page = pages[hit.page - 1]
    left, bottom, right, top = page.seen(hit.box)
    across, up = page.size
    x = min(max((left + right) / 2 + keyword.dx, 0.0), across)
    y = min(max((bottom + top) / 2 + keyword.dy, 0.0), up)
    return Place(hit.page, _around(page, x, y, width, height))


def cross_page(pages: Sequence[PageGeometry], how: CrossPage, width: float, height: float) -> tuple[Place, ...]:
    """Return a slice for every page. A document of one page shows the whole seal at its edge.

    The sheets are fanned out towards the side that is sealed: on the right, the first page has the leftmost slice; on
    the left, the rightmost. Raises OptionError.
    """
    places: list[Place] = []
    for group in groups(len(pages), width, how.min_slice):
        count = len(group)
        edges = [index / count for index in range(count + 1)]
        slices = list(pairwise(edges))
        if how.side == "left":
            slices.reverse()
        for number, part in zip(group, slices, strict=True):
            places.append(_slice(number, pages[number - 1], how, part, width, height))
    return tuple(places)


def groups(pages: int, width: float, min_slice: float) -> list[range]:
    """Return page numbers in groups as equal as can be, each small enough for slices of `min_slice`."""
    most = max(int(width / min_slice + 1e-6), 1)
    count = -(-pages // most)
    edges = [1 + pages * index // count for index in range(count + 1)]
    return [range(start, end) for start, end in pairwise(edges)]


def _slice(
    number: int, page: PageGeometry, how: CrossPage, part: tuple[float, float], width: float, height: float
) -> Place:
    across, up = page.size
    shown = width * (part[1] - part[0])
    if shown > across or height > up:
        raise OptionError(
            f"the seal is larger than page {number}, which is {across:.0f} × {up:.0f} points",
            hint="seal the other pages",
            width=across,
            height=up,
        )
    bottom = min(max(up * how.height - height / 2, 0.0), up - height)
    left = across - shown if how.side == "right" else 0.0
    return Place(number, (left, bottom, left + shown, bottom + height), part)
