"""One cross-reference section: a table (ISO 32000-2 7.5.4) or a stream (7.5.8), as it is written.

section = read_section(pdf, 48_211)
section.entries[7].offset, section.trailer["Root"], section.integer("Prev")
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from signer.pdf.streams import Stream
from signer.pdf.tokens import Dictionary, SyntaxFault, parse, skip, starts_object

if TYPE_CHECKING:
    from signer.pdf.structure import PDFFile

MAX_OBJECTS = 1_000_000


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


_TABLE_ENTRY = re.compile(rb"[\x00\t\n\x0c\r ]*(\d{1,10})[\x00\t\n\x0c\r ]+(\d{1,5})[\x00\t\n\x0c\r ]*([nf])")
_TABLE_HEAD = re.compile(rb"[\x00\t\n\x0c\r ]*(\d{1,10})[\x00\t\n\x0c\r ]+(\d{1,7})(?=[\x00\t\n\x0c\r ])")


def read_section(pdf: PDFFile, offset: int) -> Section:
    """Read the section at `offset`; raises SyntaxFault, BudgetSpent."""
    if not 0 <= offset < len(pdf.data):
        raise SyntaxFault(f"cross-reference offset {offset} is outside the file")
    at = skip(pdf.data, offset)
    return _table(pdf, at, offset) if pdf.data.startswith(b"xref", at) else _xref_stream(pdf, at, offset)


def _table(pdf: PDFFile, at: int, offset: int) -> Section:
    data = pdf.data
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
        pdf.budget.spend(count // 4 + 1)
        for number in range(first, first + count):
            entry = _TABLE_ENTRY.match(data, position)
            if entry is None:
                raise SyntaxFault(f"cross-reference table at {offset} ends early")
            position = entry.end()
            if number not in entries:
                in_use = entry.group(3) == b"n" and int(entry.group(1)) != 0
                entries[number] = (
                    Entry(compressed=False, offset=int(entry.group(1)), place=int(entry.group(2))) if in_use else FREE
                )
    trailer, end = parse(data, position + 7, spend=pdf.budget.spend)
    if not isinstance(trailer, Dictionary):
        raise SyntaxFault(f"cross-reference table at {offset} has no trailer dictionary")
    return Section(offset, end, entries, trailer, None)


def _xref_stream(pdf: PDFFile, at: int, offset: int) -> Section:
    if not starts_object(pdf.data, at):
        raise SyntaxFault(f"no cross-reference section at {offset}")
    found = pdf.written_at(at, None)
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
    body = pdf.decode(stream, None)
    w0, w1, w2 = widths[0], widths[1], widths[2]
    row = sum(widths)
    if row == 0:
        raise SyntaxFault(f"cross-reference stream at {offset}: /W is all zero")
    entries: dict[int, Entry] = {}
    position = 0
    pdf.budget.spend(len(body) // max(row, 1) // 4 + 1)
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
