"""A file as a reader sees it from one end: its objects by number (ISO 32000-2 7.3.10, 7.5).

view = PDFFile(data).view(len(data))                  # `signer.pdf.structure`
view.get(view.catalog, "AcroForm"), view.locate(7)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from signer.pdf.sections import FREE, Entry, Section
from signer.pdf.streams import Stream
from signer.pdf.tokens import Dictionary, Ref, SyntaxFault

if TYPE_CHECKING:
    from signer.pdf.structure import PDFFile


@dataclass(frozen=True)
class Located:
    """An object and the octets it was read from.

    `start` and `end` span the whole indirect object in the file (for a compressed one: of its container).
    """

    number: int
    generation: int
    value: Any
    start: int
    end: int
    container: int | None = None


@dataclass
class View:
    """The file as a reader sees it from one end: all sections reachable from the last `startxref` before it."""

    pdf: PDFFile
    end: int
    start_section: int
    sections: tuple[Section, ...]
    """Newest first."""
    entries: dict[int, Entry]
    trailer: Dictionary
    forward_steps: int

    @property
    def catalog(self) -> Dictionary:
        """The document catalog; raises SyntaxFault."""
        root = self.trailer.get("Root")
        value = self.resolve(root)
        if not isinstance(root, Ref) or not isinstance(value, Dictionary):
            raise SyntaxFault("the trailer names no document catalog")
        return value

    @property
    def encryption(self) -> Dictionary | None:
        """The encryption dictionary as it is written (7.6.2: never encrypted itself), or None; raises SyntaxFault."""
        value = self.trailer.get("Encrypt")
        if isinstance(value, Ref):
            entry = self.entries.get(value.number, FREE)
            if entry is FREE or entry.compressed:
                raise SyntaxFault("/Encrypt is missing or in an object stream")
            found = self.pdf.written_at(entry.offset, None)
            if (found.number, found.generation) != value or found.end > self.end:
                raise SyntaxFault("/Encrypt is not at its offset")
            value = found.value
        if value is not None and not isinstance(value, Dictionary):
            raise SyntaxFault("/Encrypt is not a dictionary")
        return value

    def resolve(self, value: Any) -> Any:
        """Follow a reference (not a chain of them) to its value; null for free and missing objects (7.3.10)."""
        if isinstance(value, Ref):
            located = self.locate(value.number)
            if located is None or located.generation != value.generation:
                return None
            return located.value
        return value

    def get(self, dictionary: Dictionary, key: str) -> Any:
        """Return the resolved value of a key, or None."""
        return self.resolve(dictionary.get(key))

    def inherited(self, node: Any, key: str, most: int) -> Any:
        """Return a value, not resolved, of a page or field or of its nearest ancestor that has it (7.7.3.4, 12.7.4).

        None where none of the first `most` has it; the bound is for a tree that bites its tail.
        """
        for _ in range(most):
            if not isinstance(node, Dictionary):
                return None
            if key in node:
                return node[key]
            node = self.get(node, "Parent")
        return None

    def locate(self, number: int) -> Located | None:
        """Return the object of that number, or None when it is free or missing; raises SyntaxFault."""
        entry = self.entries.get(number)
        if entry is None or entry is FREE:
            return None
        if entry.compressed:
            return self._compressed(number, entry)
        found = self.pdf.object_at(entry.offset, self)
        if found.number != number or found.generation != entry.place:
            raise SyntaxFault(f"object {number} is not at its offset {entry.offset}")
        if found.end > self.end:
            raise SyntaxFault(f"object {number} reaches beyond its revision")
        return found

    def _compressed(self, number: int, entry: Entry) -> Located:
        holder = self.entries.get(entry.offset)
        if holder is None or holder is FREE or holder.compressed:
            raise SyntaxFault(f"object {number} is in object stream {entry.offset}, which is not there")
        container = self.locate(entry.offset)
        assert container is not None
        items = self.pdf.object_stream(container, self)
        if entry.place >= len(items) or items[entry.place][0] != number:
            raise SyntaxFault(f"object {number} is not number {entry.place} of object stream {entry.offset}")
        value = items[entry.place][1]
        return Located(number, 0, value, container.start, container.end, entry.offset)

    def stream_data(self, stream: Stream) -> bytes:
        """Return the decoded octets of a stream with filters we know; raises SyntaxFault."""
        return self.pdf.decode(stream, self)

    def encoded(self, stream: Stream) -> bytes:
        """Return the octets of a stream in the clear, with its filters still on; raises SyntaxFault."""
        return self.pdf.encoded(stream, self)[0]
