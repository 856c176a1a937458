"""The revisions of a PDF: what a signer saw, octet for octet, and what the pages looked like then and now.

    found = Revisions(data)
    found.count, found.signed          # 3, {1: ("Signature1",), 2: ("Signature2",)}
    found.extract(1)                   # the file as it was signed; a file of its own
    for page in found.differing(1): …  # the pages that look different in the last revision

A revision that a signature covers ends where its /ByteRange ends; any other one behind the line of its %%EOF.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.errors import EncryptedPDF, OptionError, RenderingFailed, UnreadablePDF
from signer.pdf.changes import compare_revisions
from signer.pdf.encryption import Credentials, unlock
from signer.pdf.guard import guard, is_revision_end
from signer.pdf.listing import SignatureEntry, list_signatures
from signer.pdf.second_reading import pages_of
from signer.pdf.structure import BudgetSpent, PDFFile, View
from signer.pdf.tokens import SyntaxFault
from signer.rendering import Renderer

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PAGES = 300
"""Pages that are drawn, twice each."""
GAP = 16
"""Pixels between the two pictures."""


@dataclass(frozen=True)
class PagePair:
    """One page in two revisions."""

    number: int
    """From 1."""
    picture: bytes | None
    """PNG: the earlier page left, the later one right, what differs framed; None where it could not be drawn."""
    fault: str = ""
    """Why not."""


class Revisions:
    """The revisions of one file."""

    def __init__(self, data: bytes) -> None:
        """Read the file. Raises UnreadablePDF."""
        self._pdf = PDFFile(data)
        self._view: View | None = None
        self._locked = False
        """Whether a password is needed to see what changed."""
        self.fault = ""
        """Why the file as it is now cannot be read; what was signed before may still be."""
        try:
            self._view = self._pdf.view(len(data))
            if (decryptor := unlock(self._view, Credentials())) is not None:
                self._pdf.unlock(decryptor)
        except EncryptedPDF:
            self._locked = True
        except (SyntaxFault, BudgetSpent, RecursionError) as error:
            self.fault = str(error)
        lines = [(e.marker_end, e.line_end) for e in self._pdf.endings if is_revision_end(self._pdf, e.target, e.start)]
        if not lines:
            raise UnreadablePDF(
                f"the file has no complete revision: {self.fault}", hint="see what `sealroad verify` says of it"
            )
        self._ends = [line for _, line in lines]
        self.signed: dict[int, tuple[str, ...]] = {}
        """Field names of the signatures that cover each revision, by its number."""
        for entry in self._entries():
            found = guard(self._pdf, self._view, self.fault, entry)
            broken = {finding.rule[:2] for finding in found.broken}
            if found.signed_view is None or broken & {"G1", "G2", "G3"}:
                continue
            for position, (marker, line) in enumerate(lines):
                if marker <= found.signed_view.end <= line:
                    self._ends[position] = found.signed_view.end
                    names = ", ".join(entry.fields) or "?"
                    self.signed[position + 1] = (*self.signed.get(position + 1, ()), names)

    def _entries(self) -> list[SignatureEntry]:
        try:
            return list_signatures(self._pdf, self._view).signatures
        except (SyntaxFault, BudgetSpent, RecursionError):
            return []

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._ends)

    def extract(self, number: int) -> bytes:
        """Return the file as it was at the end of revision `number`, from 1. Raises OptionError."""
        return self._pdf.data[: self._ends[self._checked(number) - 1]]

    def changes(self, number: int) -> tuple[str, ...]:
        """Return in words what came after revision `number`, most serious first. Raises OptionError, EncryptedPDF."""
        if self._locked:
            raise EncryptedPDF(
                "the PDF is encrypted", hint="what changed is shown of files that open with the empty user password"
            )
        try:
            old = self._at(number)
            if self._view is None:
                return (f"the file as it is now cannot be read: {self.fault}",)
            changes = compare_revisions(old, self._view)
        except (SyntaxFault, BudgetSpent, RecursionError) as error:
            return (f"what was changed cannot be told: {error}",)
        return tuple(dict.fromkeys(c.detail for c in sorted(changes, key=lambda c: -c.level)))

    def differing(self, number: int, dpi: float = 96) -> Iterator[PagePair]:
        """Yield the pages that look different in revision `number` and in the last one; draws every page twice.

        What the last revision lacks of what our reader needs, the one that draws may mend, as a viewer would.
        Raises OptionError.
        """
        old, new = self.extract(number), self._pdf.data
        before, after = self._page_count(self._at, number), self._page_count(lambda _: self._view, number)
        with Renderer() as renderer:
            for page in range(1, min(max(before or 1, after or 1), MAX_PAGES) + 1):
                try:
                    left = renderer.render(old, page, dpi) if before is None or page <= before else None
                    right = renderer.render(new, page, dpi) if after is None or page <= after else None
                except RenderingFailed as error:
                    yield PagePair(page, None, error.message)
                    continue
                if left != right:
                    yield PagePair(page, _side_by_side(left, right))

    def _page_count(self, view_of: Callable[[int], View | None], number: int) -> int | None:
        try:
            view = view_of(number)
            return None if view is None else len(pages_of(view))
        except (SyntaxFault, BudgetSpent, RecursionError):
            return None

    def _checked(self, number: int) -> int:
        if not 1 <= number <= self.count:
            raise OptionError(
                f"there is no revision {number}, the file has {self.count}",
                hint=f"give a number from 1 to {self.count}",
            )
        return number

    def _at(self, number: int) -> View:
        return self._pdf.view(self._ends[self._checked(number) - 1])


def _side_by_side(before: bytes | None, after: bytes | None) -> bytes:
    """Return both pictures in one, what differs framed in red; an absent page is an empty one."""
    from PIL import Image, ImageChops, ImageDraw

    pictures = [_opened(picture) for picture in (before, after)]
    width = max(p.width for p in pictures if p is not None)
    height = max(p.height for p in pictures if p is not None)
    sheets = [Image.new("RGB", (width, height), "#dddddd") for _ in pictures]
    for sheet, picture in zip(sheets, pictures, strict=True):
        if picture is not None:
            sheet.paste(picture, (0, 0))
    box = ImageChops.difference(sheets[0], sheets[1]).getbbox()
    out = Image.new("RGB", (2 * width + GAP, height), "#888888")
    for position, sheet in enumerate(sheets):
        if box is not None:
            frame = (max(box[0] - 3, 0), max(box[1] - 3, 0), min(box[2] + 2, width - 1), min(box[3] + 2, height - 1))
            ImageDraw.Draw(sheet).rectangle(frame, outline="#d00000", width=2)
        out.paste(sheet, (position * (width + GAP), 0))
    encoded = io.BytesIO()
    out.save(encoded, "PNG")
    return encoded.getvalue()


def _opened(picture: bytes | None) -> Image | None:
    from PIL import Image

    return None if picture is None else Image.open(io.BytesIO(picture), formats=["PNG"]).convert("RGB")
