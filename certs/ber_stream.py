"""Reads BER that does not fit into memory: the frame around a long string, and the string piece by piece.

    stream = BERStream(file)
    outer = stream.enter(ber.SEQUENCE)
    kind = stream.raw(outer)                         # one whole value, of bounded size, for `certs.ber`
    for piece in stream.pieces(outer, 0x80):         # a string, primitive or constructed, however long
        …
    stream.leave(outer)
    stream.end()                                     # MalformedInput where octets follow

Tags are of one octet, and the size of every value that is kept is bounded; every error is MalformedInput.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from certs import ber
from certs.errors import MalformedInput

BLOCK = 1 << 18
"""Octets read at a time, and the most that one piece has."""
MAX_VALUES = 1 << 19
"""Values inside of one that is kept, as far as they have to be looked at for its end: each costs some microseconds."""
_END = b"\0\0"


@dataclass(frozen=True)
class Frame:
    """An opened value: where it ends, or None where end-of-contents octets say so; and the nearest known end."""

    end: int | None
    limit: int | None


class BERStream:
    """Values of a binary stream in their order."""

    def __init__(self, reader: BinaryIO) -> None:
        self._reader = reader
        self._buffer, self._offset = b"", 0
        self._consumed = 0

    # Octets -----------------------------------------------------------------------------------------------------------
    def _peek(self, size: int) -> bytes:
        """Return the next `size` octets without taking them; fewer at the end of the stream."""
        while len(self._buffer) - self._offset < size:
            more = self._reader.read(BLOCK)
            if not more:
                break
            self._buffer, self._offset = self._buffer[self._offset :] + more, 0
        return self._buffer[self._offset : self._offset + size]

    def _take(self, size: int) -> bytes:
        """Take the next `size` octets."""
        ready = self._buffer[self._offset : self._offset + size]
        self._offset += len(ready)
        parts, missing = [ready], size - len(ready)
        while missing:
            more = self._reader.read(max(missing, BLOCK))
            if not more:
                raise MalformedInput("the message is cut short")
            parts.append(more[:missing])
            if len(more) > missing:
                self._buffer, self._offset = more, missing
            missing -= len(parts[-1])
        self._consumed += size
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _some(self, size: int) -> bytes:
        """Take at most `size` of the next octets, and one at least: what is at hand, or what one reading gives."""
        octets = self._buffer[self._offset : self._offset + size]
        self._offset += len(octets)
        if not octets:
            octets = self._reader.read(size)
            if not octets:
                raise MalformedInput("the message is cut short")
        self._consumed += len(octets)
        return octets

    def _header(self, limit: int | None) -> tuple[bytes, int, int]:
        """Take a header; return it, its tag and its length (-1: indefinite)."""
        first = self._peek(2)
        if len(first) < 2:
            raise MalformedInput("the message is cut short")
        tag, length, size = first[0], first[1], 2
        if tag & 0x1F == 0x1F:
            raise MalformedInput("a tag of several octets")
        if length == 0x80:
            if not tag & ber.CONSTRUCTED:
                raise MalformedInput("a primitive value of indefinite length")
            length = -1
        elif length > 0x80:
            size += length & 0x7F
            if size > 10:
                raise MalformedInput("a length that is too long")
            length = int.from_bytes(self._peek(size)[2:], "big")
        octets = self._take(size)
        if limit is not None and self._consumed + max(length, 0) > limit:
            raise MalformedInput("a value is longer than what holds it")
        return octets, tag, length

    # Values -----------------------------------------------------------------------------------------------------------
    def enter(self, tag: int, parent: Frame | None = None) -> Frame:
        """Open the next value, which must have `tag`."""
        limit = parent.limit if parent else None
        _, found, length = self._header(limit)
        if found != tag:
            raise MalformedInput(f"tag {found:#04x} where {tag:#04x} belongs")
        if length < 0:
            return Frame(None, limit)
        return Frame(self._consumed + length, self._consumed + length)

    def next_tag(self, frame: Frame) -> int | None:
        """Return the tag of the next value in `frame`, or None where there is none."""
        if frame.end is not None:
            return None if self._consumed >= frame.end else self._peek(1)[0] if self._peek(1) else None
        following = self._peek(2)
        return None if following == _END or not following else following[0]

    def leave(self, frame: Frame) -> None:
        """Close a value. Raises MalformedInput where members are left."""
        if frame.end is None:
            if self._take(2) != _END:
                raise MalformedInput("unexpected further members")
        elif self._consumed != frame.end:
            raise MalformedInput("unexpected further members")

    def raw(self, frame: Frame, maximum: int = 1 << 16) -> bytes:
        """Take the next value whole; one of more than `maximum` octets is refused."""
        out, depth = bytearray(), 0
        for _ in range(MAX_VALUES):
            header, _, length = self._header(frame.limit)
            out += header
            if header == _END and depth:
                depth -= 1
            elif length < 0:
                depth += 1
            else:
                if len(out) + length > maximum:
                    raise MalformedInput("a value is too large")
                out += self._take(length)
            if len(out) > maximum:
                raise MalformedInput("a value is too large")
            if not depth:
                return bytes(out)
        raise MalformedInput("a value of too many values")

    def pieces(self, frame: Frame, tag: int) -> Iterator[bytes]:
        """Take the next value, a string with the primitive `tag` or in constructed form; yield its octets in pieces."""
        waiting: list[bytes] = []
        size = 0
        for piece in self._pieces(frame, tag, 0):
            waiting.append(piece)
            size += len(piece)
            if size >= BLOCK:  # strings in tiny pieces are joined: every piece costs the cipher a call
                yield b"".join(waiting)
                waiting, size = [], 0
        if waiting:
            yield b"".join(waiting)

    def _pieces(self, frame: Frame, tag: int, depth: int) -> Iterator[bytes]:
        _, found, length = self._header(frame.limit)
        yield from self._contents(frame, tag, found, length, depth)

    def _contents(self, frame: Frame, tag: int, found: int, length: int, depth: int) -> Iterator[bytes]:
        """Yield the octets of a string whose header was taken."""
        if depth > 4:
            raise MalformedInput("values nested too deep")
        if found == tag:
            while length > 0:
                piece = self._some(min(length, BLOCK))  # without a copy, but for the first
                length -= len(piece)
                yield piece
            return
        if found != tag | ber.CONSTRUCTED:
            raise MalformedInput(f"tag {found:#04x} where a string {tag:#04x} belongs")
        end = self._consumed + length if length >= 0 else None
        inner = Frame(end, frame.limit if end is None else end)
        while self.next_tag(inner) is not None:
            yield from self._pieces(inner, ber.OCTET_STRING, depth + 1)
        self.leave(inner)

    def skip(self, frame: Frame, tag: int) -> None:
        """Pass over such a string; the stream must be able to go forward."""
        _, found, length = self._header(frame.limit)
        if found != tag:
            for _ in self._contents(frame, tag, found, length, 0):
                pass
            return
        ready = min(length, len(self._buffer) - self._offset)
        self._offset += ready
        try:
            self._reader.seek(length - ready, 1)
        except (OSError, OverflowError, ValueError) as error:  # no file is that long
            raise MalformedInput("the message is cut short") from error
        self._consumed += length

    def end(self) -> None:
        """Raise MalformedInput where octets are left."""
        if self._peek(1):
            raise MalformedInput("octets follow the message")
