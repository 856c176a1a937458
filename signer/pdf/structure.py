"""Cross-reference sections, revisions and objects of a PDF, strictly as written.

    pdf = PDFFile(data)
    view = pdf.view(len(data))           # what a reader sees of the whole file
    view.catalog["AcroForm"]
    signed = pdf.view(48_211)            # what a reader sees when the file is cut off there: a signed revision

A file is never repaired: what does not follow ISO 32000-2 7.5 raises `SyntaxFault`. Two revisions are compared
by asking two views; an object that both find at the same place is the same octets. Work is counted in steps
(objects read, entries merged, octets inflated), so that no file takes longer than its budget: `BudgetSpent`.
An encrypted file is read in the clear once `unlock` has been given what decrypts it (`signer.pdf.encryption`).

Sections are read in `signer.pdf.sections`, filters taken off in `signer.pdf.streams`; what a reader sees is a
`signer.pdf.view.View`, and all of them spend one `signer.pdf.budget.Budget`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from signer.pdf.budget import Budget, BudgetSpent
from signer.pdf.sections import FREE, MAX_OBJECTS, Entry, Section, read_section
from signer.pdf.streams import Filters, NotRead, Stream, filters_of, taken_off
from signer.pdf.tokens import Array, Dictionary, Name, Ref, SyntaxFault, object_header, parse, skip
from signer.pdf.view import Located, View

if TYPE_CHECKING:
    from signer.pdf.encryption import Decryptor

MAX_SECTIONS = 1000
"""Two per revision at most (linearized and hybrid files), 500 revisions."""


_STARTXREF = re.compile(rb"startxref[\x00\t\n\x0c\r ]+(\d{1,15})[\x00\t\n\x0c\r ]+%%EOF(\r\n|\r|\n)?")


class Ending(NamedTuple):
    """One `startxref N %%EOF` in the file: where it begins, N, the offset behind %%EOF and behind its line end."""

    start: int
    target: int
    marker_end: int
    line_end: int


class PDFFile:
    """The octets of one file with everything already read from them."""

    def __init__(self, data: bytes, budget: Budget | None = None) -> None:
        self.data = data
        self.budget = budget or Budget()
        self.decryptor: Decryptor | None = None
        self.endings: tuple[Ending, ...] = tuple(
            Ending(m.start(), int(m.group(1)), m.end() - len(m.group(2) or b""), m.end())
            for m in _STARTXREF.finditer(data)
        )
        self._sections: dict[int, Section] = {}
        self._objects: dict[int, Located] = {}
        self._object_streams: dict[int, list[tuple[int, Any]]] = {}
        self._views: dict[int, View] = {}
        self.references: dict[tuple[int, int], tuple[Ref, ...]] = {}
        """References inside an object by its offset and number, for `signer.pdf.compare`."""
        self.marks: dict[tuple[int, ...], Any] = {}
        """What content streams paint, by their offsets, for `signer.pdf.content_boxes`."""

    def unlock(self, decryptor: Decryptor) -> None:
        """Read objects in the clear from now on."""
        self.decryptor = decryptor
        self._objects.clear()
        self._object_streams.clear()

    @property
    def linearized(self) -> bool:
        """Whether the first object is a linearization dictionary (Annex F)."""
        found = re.compile(rb"\d+\s+\d+\s+obj").search(self.data, 0, 1100)
        if found is None:
            return False
        try:
            value, _ = parse(self.data, found.end(), limit=200)
        except SyntaxFault:
            return False
        return isinstance(value, Dictionary) and "Linearized" in value

    def last_startxref(self, end: int) -> int:
        """Return the number behind the last `startxref` before `end`; raises SyntaxFault."""
        at = self.data.rfind(b"startxref", 0, end)
        if at < 0:
            raise SyntaxFault("no startxref")
        value, behind = parse(self.data, at + 9, limit=1)
        if type(value) is not int or behind > end:
            raise SyntaxFault("startxref without a number")
        return value

    def view(self, end: int) -> View:
        """Return the file as read when cut off at `end`; raises SyntaxFault, BudgetSpent."""
        known = self._views.get(end)
        if known is not None:
            return known
        start = self.last_startxref(end)
        sections, order, forward = self._chain(start, end)
        entries: dict[int, Entry] = {}
        for section, hybrid in reversed(order):
            self.budget.spend(len(section.entries) // 8 + len(entries) // 64 + 1)
            if hybrid is not None:
                # A hybrid file marks what only its cross-reference stream knows as free (7.5.8.4).
                self.budget.spend(len(hybrid.entries) // 8)  # one stream may serve several tables
                entries.update(section.entries)
                entries.update((n, e) for n, e in hybrid.entries.items() if section.entries.get(n, FREE) is FREE)
            else:
                entries.update(section.entries)
        if len(entries) > MAX_OBJECTS:
            raise BudgetSpent(f"more than {MAX_OBJECTS} objects")
        view = View(self, end, start, sections, entries, sections[0].trailer, forward)
        self._views[end] = view
        return view

    def _chain(self, start: int, end: int) -> tuple[tuple[Section, ...], list[tuple[Section, Section | None]], int]:
        """Follow /Prev and /XRefStm from `start`; a loop or a section behind `end` raises SyntaxFault.

        An update may name the /XRefStm of a section before it again, where its writer copied the trailer: no loop,
        since nothing is followed from there.
        """
        order: list[tuple[Section, Section | None]] = []
        sections: list[Section] = []
        seen: set[int] = set()
        hybrids: set[int] = set()
        forward = 0
        at: int | None = start
        while at is not None:
            if at in seen:
                raise SyntaxFault(f"cross-reference sections form a loop at {at}")
            seen.add(at)
            if len(seen) > MAX_SECTIONS:
                raise BudgetSpent(f"more than {MAX_SECTIONS} cross-reference sections")
            section = self.section(at)
            if section.end > end:
                raise SyntaxFault(f"cross-reference section at {at} reaches beyond its revision")
            hybrid = None
            extra = section.integer("XRefStm") if section.number is None else None
            if extra is not None:
                if extra in seen and extra not in hybrids:
                    raise SyntaxFault(f"cross-reference sections form a loop at {extra}")
                hybrid = self.section(extra)
                if hybrid.end > end:
                    raise SyntaxFault(f"cross-reference section at {extra} reaches beyond its revision")
            sections.append(section)
            if hybrid is not None and hybrid.offset not in hybrids:
                sections.append(hybrid)
                hybrids.add(hybrid.offset)
                seen.add(hybrid.offset)
            order.append((section, hybrid))
            previous = section.integer("Prev")
            if previous == 0 and "Linearized" not in section.trailer:
                previous = None  # some writers say /Prev 0 for "none"; nothing can stand before the header
            if previous is not None and previous > at:
                forward += 1
            at = previous
        return tuple(sections), order, forward

    def section(self, offset: int) -> Section:
        """Read the cross-reference table or stream at `offset`; raises SyntaxFault."""
        known = self._sections.get(offset)
        if known is None:
            known = self._sections[offset] = read_section(self, offset)
        return known

    # -- objects ----------------------------------------------------------------------------------

    def object_at(self, offset: int, view: View | None) -> Located:
        """Read the indirect object at `offset`; raises SyntaxFault."""
        known = self._objects.get(offset)
        if known is None:
            known = self.written_at(offset, view)
            if self.decryptor is not None:
                value = self.decryptor.opened(known.value, known.number, known.generation, self.budget.spend)
                known = replace(known, value=value)
            self._objects[offset] = known
        return known

    def written_at(self, offset: int, view: View | None) -> Located:
        """Read the indirect object at `offset` as it is written, encrypted or not; raises SyntaxFault."""
        if not 0 <= offset < len(self.data):
            raise SyntaxFault(f"object offset {offset} is outside the file")
        self.budget.spend(10)
        start = skip(self.data, offset)
        number, generation, at = object_header(self.data, start)
        value, end = parse(self.data, at, spend=self.budget.spend)
        behind = skip(self.data, end)
        if isinstance(value, Dictionary) and self.data.startswith(b"stream", behind):
            value, behind = self._body(value, behind + 6, view)
        if self.data.startswith(b"endobj", behind):
            behind += 6
        elif not isinstance(value, Stream) and not self.data[behind : behind + 1].isdigit():
            raise SyntaxFault(f"object at {offset} has no end")
        return Located(number, generation, value, start, behind)

    def _body(self, dictionary: Dictionary, at: int, view: View | None) -> tuple[Stream, int]:
        """Return the stream whose `stream` keyword ends at `at`, and the offset behind `endstream`."""
        data = self.data
        if data.startswith(b"\r\n", at):
            at += 2
        elif data[at : at + 1] in (b"\n", b"\r"):
            at += 1
        length = dictionary.get("Length")
        if isinstance(length, Ref):
            # Only where a direct object says so; a stream inside another's length would be a loop.
            entry = view.entries.get(length.number) if view is not None else None
            length = None
            if entry is not None and entry is not FREE and not entry.compressed:
                try:
                    _, _, behind = object_header(data, entry.offset)
                    length = parse(data, behind, limit=1)[0]
                except SyntaxFault:
                    length = None
        if type(length) is int and 0 <= length <= len(data) - at:
            behind = skip_eol(data, at + length)
            if data.startswith(b"endstream", behind):
                return Stream(dictionary, at, at + length), skip(data, behind + 9)
        behind = data.find(b"endstream", at)
        if behind < 0:
            raise SyntaxFault(f"stream at {at} has no end")
        end = behind
        if data[end - 2 : end] == b"\r\n":
            end -= 2
        elif data[end - 1 : end] in (b"\n", b"\r"):
            end -= 1
        return Stream(dictionary, at, max(end, at)), skip(data, behind + 9)

    def object_stream(self, container: Located, view: View) -> list[tuple[int, Any]]:
        """Return number and value of every object in an object stream (7.5.7); raises SyntaxFault."""
        known = self._object_streams.get(container.start)
        if known is not None:
            return known
        stream = container.value
        if not isinstance(stream, Stream) or stream.dictionary.get("Type") != "ObjStm":
            raise SyntaxFault(f"object {container.number} is not an object stream")
        count, first = stream.dictionary.get("N"), stream.dictionary.get("First")
        if type(count) is not int or type(first) is not int or count < 0 or first < 0:
            raise SyntaxFault(f"object stream {container.number}: /N or /First is wrong")
        body = self.decode(stream, view)
        if count > len(body):
            raise SyntaxFault(f"object stream {container.number} announces {count} objects")
        self.budget.spend(10 * count + 1)
        head = body[:first].split()
        if len(head) < 2 * count:
            raise SyntaxFault(f"object stream {container.number} is malformed")
        items: list[tuple[int, Any]] = []
        try:
            pairs = [(int(head[2 * i]), int(head[2 * i + 1])) for i in range(count)]
        except ValueError as error:
            raise SyntaxFault(f"object stream {container.number} is malformed") from error
        for number, offset in pairs:
            value, _ = parse(body, first + offset, spend=self.budget.spend)
            items.append((number, value))
        self._object_streams[container.start] = items
        return items

    # -- streams ----------------------------------------------------------------------------------

    def decode(self, stream: Stream, view: View | None) -> bytes:
        """Return the decoded octets; raises SyntaxFault for filters that structure does not need."""
        body, filters = self.encoded(stream, view)
        return taken_off(body, filters, self.budget)

    def encoded(self, stream: Stream, view: View | None) -> tuple[bytes, Filters]:
        """Return the octets in the clear and the filters that are still on them; raises SyntaxFault."""
        body, filters = self.data[stream.start : stream.end], filters_of(stream, view)
        if stream.owner is None or self.decryptor is None:
            return body, filters
        self.budget.spend(len(body) // 256 + 10)
        return self.decryptor.stream(body, stream.dictionary, stream.owner, filters)


def skip_eol(data: bytes, at: int) -> int:
    """Return the offset behind at most one end-of-line at `at`."""
    if data.startswith(b"\r\n", at):
        return at + 2
    return at + (data[at : at + 1] in (b"\n", b"\r") and at < len(data))


__all__ = [
    "FREE", "Array", "Budget", "BudgetSpent", "Dictionary", "Ending", "Entry", "Filters", "Located", "Name", "NotRead",
    "PDFFile", "Ref", "Section", "Stream", "SyntaxFault", "View", "filters_of",
]  # fmt: skip
