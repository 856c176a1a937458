"""Cross-reference sections, revisions and objects of a PDF, strictly as written.

    pdf = PDFFile(data)
    view = pdf.view(len(data))           # what a reader sees of the whole file
    view.catalog["AcroForm"]
    signed = pdf.view(48_211)            # what a reader sees when the file is cut off there: a signed revision

A file is never repaired: what does not follow ISO 32000-2 7.5 raises `SyntaxFault`. Two revisions are compared
by asking two views; an object that both find at the same place is the same octets. Work is counted in steps
(objects read, entries merged, octets inflated), so that no file takes longer than its budget: `BudgetSpent`.
An encrypted file is read in the clear once `unlock` has been given what decrypts it (`signer.pdf.encryption`).
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from signer.pdf.tokens import (
    Array,
    Dictionary,
    Name,
    Ref,
    SyntaxFault,
    decode_hex,
    object_header,
    parse,
    skip,
    starts_object,
)

if TYPE_CHECKING:
    from signer.pdf.encryption import Decryptor

MAX_SECTIONS = 1000
"""Two per revision at most (linearized and hybrid files), 500 revisions."""
MAX_OBJECTS = 1_000_000
MAX_STREAM = 100 * 1024 * 1024
MAX_INFLATED = 1024 * 1024 * 1024


class NotRead(SyntaxFault):
    """What is no damage, but nothing that is read here: a filter, a predictor."""


class BudgetSpent(Exception):
    """The work allowed for one file is used up. Stays inside `signer`."""


@dataclass
class Budget:
    """Steps left for one file; shared by everything that reads it."""

    steps: int = 12_000_000
    """Some 20 s on one slow core; the honest file seen to need most, with 25 signatures, takes a twelfth of it."""
    inflated: int = MAX_INFLATED

    def spend(self, steps: int) -> None:
        """Use up `steps`; raises BudgetSpent."""
        self.steps -= steps
        if self.steps < 0:
            raise BudgetSpent("the work limit for one file is reached")


class Entry(NamedTuple):
    """Where an object stands: at `offset` in the file, or as number `index` of the object stream `offset`."""

    compressed: bool
    offset: int
    place: int
    """Generation for a plain object, index for a compressed one."""


FREE = Entry(compressed=False, offset=0, place=65535)


@dataclass(frozen=True)
class Section:
    """One cross-reference table or stream."""

    offset: int
    end: int
    entries: dict[int, Entry]
    trailer: Dictionary
    number: int | None
    """Object number when it is a cross-reference stream."""

    def integer(self, key: str) -> int | None:
        """Return a direct, non-negative integer of the trailer, or None when absent; raises SyntaxFault."""
        value = self.trailer.get(key)
        if value is None:
            return None
        if type(value) is not int or value < 0:
            raise SyntaxFault(f"/{key} of the section at {self.offset} is not a non-negative integer")
        return value


class Stream(NamedTuple):
    """A stream object: its dictionary and the span of its encoded octets."""

    dictionary: Dictionary
    start: int
    end: int
    owner: Ref | None = None
    """The object it is, where its octets are encrypted: some keys depend on it."""


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


_STARTXREF = re.compile(rb"startxref[\x00\t\n\x0c\r ]+(\d{1,15})[\x00\t\n\x0c\r ]+%%EOF(\r\n|\r|\n)?")
_TABLE_ENTRY = re.compile(rb"[\x00\t\n\x0c\r ]*(\d{1,10})[\x00\t\n\x0c\r ]+(\d{1,5})[\x00\t\n\x0c\r ]*([nf])")
_TABLE_HEAD = re.compile(rb"[\x00\t\n\x0c\r ]*(\d{1,10})[\x00\t\n\x0c\r ]+(\d{1,7})(?=[\x00\t\n\x0c\r ])")


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

    # -- sections ---------------------------------------------------------------------------------

    def section(self, offset: int) -> Section:
        """Read the cross-reference table or stream at `offset`; raises SyntaxFault."""
        known = self._sections.get(offset)
        if known is None:
            if not 0 <= offset < len(self.data):
                raise SyntaxFault(f"cross-reference offset {offset} is outside the file")
            at = skip(self.data, offset)
            known = self._table(at, offset) if self.data.startswith(b"xref", at) else self._xref_stream(at, offset)
            self._sections[offset] = known
        return known

    def _table(self, at: int, offset: int) -> Section:
        data = self.data
        position = at + 4
        entries: dict[int, Entry] = {}
        while True:
            position = skip(data, position)
            if data.startswith(b"trailer", position):
                break
            head = _TABLE_HEAD.match(data, position)
            if head is None:
                raise SyntaxFault(f"cross-reference table at {offset} is malformed")
            first, count = int(head.group(1)), int(head.group(2))
            position = head.end()
            if count > MAX_OBJECTS or first > 10 * MAX_OBJECTS:
                raise SyntaxFault(f"cross-reference table at {offset} announces {count} objects")
            self.budget.spend(count // 4 + 1)
            for number in range(first, first + count):
                entry = _TABLE_ENTRY.match(data, position)
                if entry is None:
                    raise SyntaxFault(f"cross-reference table at {offset} ends early")
                position = entry.end()
                if number not in entries:
                    in_use = entry.group(3) == b"n" and int(entry.group(1)) != 0
                    entries[number] = (
                        Entry(compressed=False, offset=int(entry.group(1)), place=int(entry.group(2)))
                        if in_use
                        else FREE
                    )
        trailer, end = parse(data, position + 7, spend=self.budget.spend)
        if not isinstance(trailer, Dictionary):
            raise SyntaxFault(f"cross-reference table at {offset} has no trailer dictionary")
        return Section(offset, end, entries, trailer, None)

    def _xref_stream(self, at: int, offset: int) -> Section:
        if not starts_object(self.data, at):
            raise SyntaxFault(f"no cross-reference section at {offset}")
        found = self.written_at(at, None)
        stream = found.value
        if not isinstance(stream, Stream) or stream.dictionary.get("Type") != "XRef":
            raise SyntaxFault(f"no cross-reference section at {offset}")
        trailer = stream.dictionary
        widths = trailer.get("W")
        size = trailer.get("Size")
        if (
            not isinstance(widths, list)
            or len(widths) < 3
            or not all(type(w) is int and 0 <= w <= 8 for w in widths)
            or type(size) is not int
        ):
            raise SyntaxFault(f"cross-reference stream at {offset}: /W or /Size is wrong")
        index = trailer.get("Index", [0, size])
        if not isinstance(index, list) or len(index) % 2 or not all(type(n) is int and n >= 0 for n in index):
            raise SyntaxFault(f"cross-reference stream at {offset}: /Index is wrong")
        body = self.decode(stream, None)
        w0, w1, w2 = widths[0], widths[1], widths[2]
        row = sum(widths)
        if row == 0:
            raise SyntaxFault(f"cross-reference stream at {offset}: /W is all zero")
        entries: dict[int, Entry] = {}
        position = 0
        self.budget.spend(len(body) // max(row, 1) // 4 + 1)
        for first, count in zip(index[::2], index[1::2], strict=True):
            if count * row > len(body) - position:
                count = (len(body) - position) // row  # noqa: PLW2901 - what is announced but not there is missing
            for number in range(first, first + count):
                kind = int.from_bytes(body[position : position + w0], "big") if w0 else 1
                second = int.from_bytes(body[position + w0 : position + w0 + w1], "big")
                third = int.from_bytes(body[position + w0 + w1 : position + w0 + w1 + w2], "big")
                position += row
                if number not in entries:
                    entries[number] = Entry(kind == 2, second, third) if kind in (1, 2) else FREE
        return Section(offset, found.end, entries, trailer, found.number)

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
        for name, options in filters:
            if name in ("FlateDecode", "Fl"):
                body = self._inflate(body)
                if options is not None and options.get("Predictor", 1) != 1:
                    body = _unpredict(body, options)
            elif name in ("ASCIIHexDecode", "AHx"):
                try:
                    body = decode_hex(body.split(b">", 1)[0])
                except ValueError as error:
                    raise SyntaxFault("ASCIIHexDecode: not hexadecimal") from error
            else:
                raise NotRead(f"filter {name!r} is not read here")
        return body

    def encoded(self, stream: Stream, view: View | None) -> tuple[bytes, Filters]:
        """Return the octets in the clear and the filters that are still on them; raises SyntaxFault."""
        body, filters = self.data[stream.start : stream.end], filters_of(stream, view)
        if stream.owner is None or self.decryptor is None:
            return body, filters
        self.budget.spend(len(body) // 256 + 10)
        return self.decryptor.stream(body, stream.dictionary, stream.owner, filters)

    def _inflate(self, body: bytes) -> bytes:
        engine = zlib.decompressobj()
        try:
            out = engine.decompress(body, min(MAX_STREAM, self.budget.inflated) + 1)
        except zlib.error as error:
            raise SyntaxFault("FlateDecode: damaged data") from error
        self.budget.inflated -= len(out)
        if len(out) > MAX_STREAM or self.budget.inflated < 0:
            raise BudgetSpent("decoded streams exceed their limit")
        return out


Filters = list[tuple[Any, Dictionary | None]]
"""Name and parameters of each filter of a stream, the outermost first."""


def filters_of(stream: Stream, view: View | None) -> Filters:
    """Return the filters of a stream; raises SyntaxFault."""

    def resolved(value: Any) -> Any:
        return view.resolve(value) if view is not None else value

    filters = resolved(stream.dictionary.get("Filter"))
    parameters = resolved(stream.dictionary.get("DecodeParms"))
    if filters is None:
        return []
    if not isinstance(filters, list):
        filters, parameters = [filters], [parameters]
    if not isinstance(parameters, list):
        parameters = [parameters]
    if len(filters) > 4:
        raise SyntaxFault("more than four filters on one stream")
    found: Filters = []
    for position, name in enumerate(filters):
        options = resolved(parameters[position]) if position < len(parameters) else None
        found.append((resolved(name), options if isinstance(options, Dictionary) else None))
    return found


def skip_eol(data: bytes, at: int) -> int:
    """Return the offset behind at most one end-of-line at `at`."""
    if data.startswith(b"\r\n", at):
        return at + 2
    return at + (data[at : at + 1] in (b"\n", b"\r") and at < len(data))


def _unpredict(body: bytes, options: Dictionary) -> bytes:
    """Undo a PNG predictor (7.4.4.4), 8 bits per component."""
    predictor = options.get("Predictor")
    columns, colors, bits = options.get("Columns", 1), options.get("Colors", 1), options.get("BitsPerComponent", 8)
    if (
        type(predictor) is not int
        or predictor < 10
        or type(columns) is not int
        or type(colors) is not int
        or bits != 8
        or not 0 < columns * colors <= 1 << 20
    ):
        raise NotRead("this predictor is not read here")
    width, step = columns * colors, colors
    previous = bytearray(width)
    out = bytearray()
    for at in range(0, len(body) - width, width + 1):
        kind, row = body[at], bytearray(body[at + 1 : at + 1 + width])
        if kind == 2:
            row = bytearray((a + b) & 0xFF for a, b in zip(row, previous, strict=True))
        elif kind == 1:
            for i in range(step, width):
                row[i] = (row[i] + row[i - step]) & 0xFF
        elif kind in (3, 4):
            for i in range(width):
                left = row[i - step] if i >= step else 0
                corner = previous[i - step] if i >= step else 0
                guess = (left + previous[i]) // 2 if kind == 3 else _paeth(left, previous[i], corner)
                row[i] = (row[i] + guess) & 0xFF
        elif kind != 0:
            raise SyntaxFault("unknown PNG predictor")
        out += row
        previous = row
    return bytes(out)


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    distances = (abs(guess - left), abs(guess - up), abs(guess - corner))
    return (left, up, corner)[distances.index(min(distances))]


__all__ = [
    "FREE", "Array", "Budget", "BudgetSpent", "Dictionary", "Ending", "Entry", "Located", "Name", "NotRead", "PDFFile",
    "Ref", "Section", "Stream", "SyntaxFault", "View",
]  # fmt: skip
