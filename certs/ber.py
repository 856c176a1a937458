"""Reads the BER of strangers without changing one octet of it.

    value = ber.load(data)                  # the outermost value; nothing may follow
    for member in value:                    # each member still knows where its octets stand
        member.tag, member.raw(), member.content()

`certs.der` is strict and for what we write ourselves; this page is for certificates, CRLs, tokens and CMS that others
wrote: indefinite lengths, lengths that are not minimal, constructed strings, TRUE as 01. Values are views of the
original octets, so what was signed can be verified as received. Depth and size are bounded; every error is
MalformedInput.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from certs import der
from certs.errors import MalformedInput

MAX_DEPTH = 32
"""Nesting of values; a CAdES-A signature with its tokens needs about 25."""

MAX_SIZE = 64 * 1024 * 1024
"""Octets of one object; the largest CRLs in use have some tens of MiB."""

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OBJECT_IDENTIFIER = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
ENUMERATED, UTF8_STRING, SEQUENCE, SET, UTC_TIME, GENERALIZED_TIME = 0x0A, 0x0C, 0x30, 0x31, 0x17, 0x18
CONSTRUCTED = 0x20


def context(number: int, *, constructed: bool = True) -> int:
    """Return the tag octet of context-specific tag `number` (0 to 30)."""
    return 0x80 | number | (CONSTRUCTED if constructed else 0)


class Value:
    """One value inside `data`: header from `start`, contents `data[body:stop]`, next value at `end`."""

    __slots__ = ("body", "data", "depth", "end", "start", "stop", "tag")

    def __init__(self, data: bytes, position: int, limit: int, depth: int = 0) -> None:
        if depth > MAX_DEPTH:
            raise MalformedInput("values nested too deep")
        self.data = data
        self.depth = depth
        self.start = position
        self.tag, self.body, length = _header(data, position, limit)
        if length < 0:
            self.stop = _find_end(data, self.body, limit, MAX_DEPTH - depth)
            self.end = self.stop + 2
        else:
            self.stop = self.end = self.body + length

    @property
    def indefinite(self) -> bool:
        """Whether the length is of the indefinite form."""
        return self.end != self.stop

    @property
    def constructed(self) -> bool:
        """Whether the contents are values themselves."""
        return bool(self.tag & CONSTRUCTED)

    def raw(self) -> bytes:
        """Return the octets as received: header, contents and end."""
        return self.data[self.start : self.end]

    def content(self) -> bytes:
        """Return the octets of the contents, as received."""
        return self.data[self.body : self.stop]

    def __iter__(self) -> Iterator[Value]:
        if not self.tag & CONSTRUCTED:
            raise MalformedInput(f"a primitive value (tag {self.tag:#04x}) where members belong")
        position, stop, data, depth = self.body, self.stop, self.data, self.depth + 1
        while position < stop:
            member = Value(data, position, stop, depth)
            yield member
            position = member.end

    def members(self, tag: int = SEQUENCE) -> Members:
        """Return a cursor over the members of this value, which must have `tag`."""
        self.expect(tag)
        return Members(self)

    def expect(self, tag: int) -> Value:
        """Return this value if it has `tag`, else raise MalformedInput."""
        if self.tag != tag:
            raise MalformedInput(f"tag {self.tag:#04x} where {tag:#04x} belongs")
        return self

    def only(self) -> Value:
        """Return the single member of an explicitly tagged value."""
        members = Members(self)
        member = members.next()
        members.end()
        return member

    def integer(self, tag: int = INTEGER) -> int:
        """Return an INTEGER; not necessarily minimal, but not empty."""
        content = self.expect(tag).content()
        if not content or len(content) > 8192:
            raise MalformedInput("INTEGER is empty or enormous")
        return int.from_bytes(content, "big", signed=True)

    def oid(self, tag: int = OBJECT_IDENTIFIER) -> str:
        """Return an OBJECT IDENTIFIER, dotted."""
        return der.decode_oid(self.expect(tag).content())

    def boolean(self) -> bool:
        """Return a BOOLEAN; any octet but 00 is true, as in BER."""
        content = self.expect(BOOLEAN).content()
        if len(content) != 1:
            raise MalformedInput("BOOLEAN of a wrong length")
        return content != b"\x00"

    def octets(self, primitive_tag: int = OCTET_STRING) -> bytes:
        """Return the octets of an OCTET STRING or character string, primitive or in pieces."""
        if self.tag == primitive_tag:
            return self.content()
        if self.tag == primitive_tag | CONSTRUCTED:
            return b"".join(piece.octets() for piece in self)
        raise MalformedInput(f"tag {self.tag:#04x} where a string {primitive_tag:#04x} belongs")

    def bit_string(self) -> bytes:
        """Return the octets of a BIT STRING without unused bits."""
        content = self.expect(BIT_STRING).content()
        if not content or content[0] != 0:
            raise MalformedInput("BIT STRING with unused bits")
        return content[1:]

    def named_bits(self) -> frozenset[int]:
        """Return the numbers of the bits that are set in a BIT STRING; bit 0 is the first."""
        content = self.expect(BIT_STRING).content()
        if not content or content[0] > 7 or (content[0] and len(content) == 1) or len(content) > 64:
            raise MalformedInput("malformed BIT STRING")
        size = 8 * (len(content) - 1) - content[0]
        return frozenset(bit for bit in range(size) if content[1 + bit // 8] >> (7 - bit % 8) & 1)

    def time(self) -> datetime:
        """Return a UTCTime or GeneralizedTime in UTC."""
        if self.tag not in (UTC_TIME, GENERALIZED_TIME):
            raise MalformedInput(f"tag {self.tag:#04x} where a time belongs")
        return parse_time(self.content(), generalized=self.tag == GENERALIZED_TIME)

    def definite(self) -> bytes:
        """Return this value with definite lengths throughout; octets otherwise untouched."""
        if not self.constructed:
            return self.raw()
        return der.tlv(self.tag, b"".join(member.definite() for member in self))


class Members:
    """A cursor over the members of a constructed value."""

    __slots__ = ("_ahead", "_members")

    def __init__(self, value: Value) -> None:
        self._members = iter(value)
        self._ahead = next(self._members, None)

    def peek(self) -> int | None:
        """Return the tag of the next member, or None at the end."""
        return None if self._ahead is None else self._ahead.tag

    def next(self, tag: int | None = None) -> Value:
        """Return the next member, which must have `tag` where one is given."""
        member = self._ahead
        if member is None:
            raise MalformedInput("a member is missing")
        if tag is not None:
            member.expect(tag)
        self._ahead = next(self._members, None)
        return member

    def optional(self, *tags: int) -> Value | None:
        """Return the next member if it has one of `tags`, else None."""
        return self.next() if self._ahead is not None and self._ahead.tag in tags else None

    def end(self) -> None:
        """Raise MalformedInput where members are left."""
        if self._ahead is not None:
            raise MalformedInput("unexpected further members")


def load(data: bytes, *, padding: bool = False) -> Value:
    """Return the one value that `data` holds; with `padding`, zero octets may follow it."""
    if len(data) > MAX_SIZE:
        raise MalformedInput("object too large")
    value = Value(bytes(data), 0, len(data))
    if value.end != len(data) and not (padding and not any(data[value.end :])):
        raise MalformedInput("octets follow the value")
    return value


def _header(data: bytes, position: int, limit: int) -> tuple[int, int, int]:
    """Return tag, position of the contents and their length (-1: indefinite)."""
    if position + 2 > limit:
        raise MalformedInput("a value is cut short")
    tag, length = data[position], data[position + 1]
    position += 2
    if tag & 0x1F == 0x1F:
        raise MalformedInput("a tag of several octets")
    if length == 0x80:
        if not tag & CONSTRUCTED:
            raise MalformedInput("a primitive value of indefinite length")
        return tag, position, -1
    if length > 0x80:
        size = length & 0x7F
        if size > 8 or position + size > limit:
            raise MalformedInput("a length that is too long or cut short")
        length = int.from_bytes(data[position : position + size], "big")
        position += size
    if position + length > limit:
        raise MalformedInput("a value is cut short")
    return tag, position, length


def _find_end(data: bytes, position: int, limit: int, depth: int) -> int:
    """Return where the end-of-contents octets stand that close an indefinite length opened before `position`."""
    open_values = 1
    while True:
        if data[position : position + 2] == b"\x00\x00" and position + 2 <= limit:
            open_values -= 1
            if not open_values:
                return position
            position += 2
            continue
        _, position, length = _header(data, position, limit)
        if length < 0:
            open_values += 1
            if open_values > depth:
                raise MalformedInput("values nested too deep")
        else:
            position += length


def parse_time(content: bytes, *, generalized: bool) -> datetime:
    """Return the moment that UTCTime or GeneralizedTime `content` names, in UTC.

    Takes what real certificates hold: missing seconds, fractions of a second, an offset (X.680 46, 47). UTCTime years
    00 to 49 are 20xx (RFC 5280 4.1.2.5.1). Raises MalformedInput.
    """
    try:
        text = content.decode("ascii")
        year = text[:4] if generalized else ("20" if int(text[:2]) < 50 else "19") + text[:2]
        rest, offset = text[4 if generalized else 2 :], timedelta(0)
        if rest.endswith("Z"):
            rest = rest[:-1]
        elif rest[-5:-4] in ("+", "-"):
            offset = timedelta(hours=int(rest[-4:-2]), minutes=int(rest[-2:]))
            offset, rest = (-offset if rest[-5] == "-" else offset), rest[:-5]
        else:
            raise ValueError(text)  # local time of nobody knows where
        rest, _, fraction = rest.replace(",", ".").partition(".")
        if len(rest) not in (8, 10) or not (year + rest + (fraction or "0")).isdigit() or not text.isascii():
            raise ValueError(text)
        month, day, hour, minute, second = (int(rest[i : i + 2] or "0") for i in range(0, 10, 2))
        microsecond = int((fraction + "000000")[:6])
        return datetime(int(year), month, day, hour, minute, second, microsecond, tzinfo=UTC) - offset
    except (ValueError, OverflowError) as error:
        raise MalformedInput("a time that cannot be read") from error


def encode_time(moment: datetime) -> bytes:
    """Return UTCTime up to 2049 and GeneralizedTime after it, in whole seconds (RFC 5280 4.1.2.5)."""
    moment = moment.astimezone(UTC)
    if 1950 <= moment.year < 2050:
        return der.tlv(UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())
    return der.tlv(GENERALIZED_TIME, f"{moment:%Y%m%d%H%M%S}Z".rjust(15, "0").encode())


def encode_generalized_time(moment: datetime) -> bytes:
    """Return GeneralizedTime in whole seconds, as TSTInfo and CRL extensions want it."""
    return der.tlv(GENERALIZED_TIME, f"{moment.astimezone(UTC):%Y%m%d%H%M%S}Z".rjust(15, "0").encode())
