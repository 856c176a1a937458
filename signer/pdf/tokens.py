r"""A small, bounded reader of raw PDF syntax that remembers where everything stands.

The guard must know *which bytes* are the value of /Contents, not merely what they decode to, so every
dictionary keeps the span of each of its values:

    d, end = parse(b"<< /Contents <00ff> /N#61me (x) >>", 0)
    d["Contents"]            # b"\x00\xff"
    d.spans["Contents"]      # (13, 19): offsets of `<` and behind `>`
    d["Name"]                # b"x": names are compared after #xx decoding (ISO 32000-2 7.3.5)

Values are plain Python: None, bool, int, float, `Name` (text), bytes, `Array`, `Dictionary`, `Ref`.
Nothing is resolved, nothing is repaired. Nesting and the number of tokens are limited; whatever is not PDF
syntax raises `SyntaxFault`, and nothing else does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

MAX_NESTING = 100
MAX_TOKENS = 4_000_000
WHITE = b"\x00\t\n\x0c\r "


class SyntaxFault(Exception):
    """Bytes that are not PDF syntax where PDF syntax must stand. Stays inside `signer.pdf`."""


class Name(str):
    """A PDF name, without the slash, `#xx` decoded, one character per octet (ISO 32000-2 7.3.5)."""

    __slots__ = ()


class Ref(NamedTuple):
    """An indirect reference."""

    number: int
    generation: int


class Array(list[Any]):
    """A PDF array; `span` are the offsets of `[` and behind `]`."""

    __slots__ = ("span",)
    span: tuple[int, int]


class Dictionary(dict[str, Any]):
    """A PDF dictionary. Of a key that stands twice the first value is kept and the key is noted."""

    __slots__ = ("duplicates", "key_offsets", "span", "spans")
    span: tuple[int, int]
    spans: dict[str, tuple[int, int]]
    key_offsets: tuple[int, ...]
    duplicates: tuple[str, ...]


class Keyword(str):
    """A bare word such as `obj`, `stream`, `endobj`."""

    __slots__ = ()


# White space includes comments, which run to the end of their line (7.2.4).
_SKIP = re.compile(rb"(?:[\x00\t\n\x0c\r ]+|%[^\r\n]*)*")
_TOKEN = re.compile(
    rb"(?P<ref>\d{1,10}[\x00\t\n\x0c\r ]+\d{1,5}[\x00\t\n\x0c\r ]+R(?=[\x00\t\n\x0c\r ()<>\[\]{}/%]|\Z))"
    rb"|(?P<real>[+-]?(?:\d+\.\d*|\.\d+))(?=[\x00\t\n\x0c\r ()<>\[\]{}/%]|\Z)"
    rb"|(?P<int>[+-]?\d+)(?=[\x00\t\n\x0c\r ()<>\[\]{}/%]|\Z)"
    rb"|/(?P<name>[^\x00\t\n\x0c\r ()<>\[\]{}/%]*)"
    rb"|(?P<open><<)|(?P<close>>>)"
    rb"|<(?P<hex>[0-9A-Fa-f\x00\t\n\x0c\r ]*)>"
    rb"|\((?P<plain>[^()\\\r]*)\)"
    rb"|(?P<paren>\()"
    rb"|(?P<aopen>\[)|(?P<aclose>\])"
    rb"|(?P<word>[^\x00\t\n\x0c\r ()<>\[\]{}/%]+)"
)
_ESCAPED_NAME = re.compile(r"#([0-9A-Fa-f]{2})")
_STRING_SPECIAL = re.compile(rb"[()\\\r]")
_ESCAPES = {0x6E: 10, 0x72: 13, 0x74: 9, 0x62: 8, 0x66: 12, 0x28: 0x28, 0x29: 0x29, 0x5C: 0x5C}
_WHITE_TABLE = bytes.maketrans(b"", b"")
_WORDS = {b"true": True, b"false": False, b"null": None}


def skip(data: bytes, at: int) -> int:
    """Return the offset of the first octet at or behind `at` that is neither white space nor comment."""
    found = _SKIP.match(data, at)
    return found.end() if found else at


def decode_name(raw: bytes) -> Name:
    """Decode the octets of a name (without its slash)."""
    text = raw.decode("latin-1")
    if "#" in text:
        text = _ESCAPED_NAME.sub(lambda m: chr(int(m.group(1), 16)), text)
    return Name(text)


def decode_hex(raw: bytes) -> bytes:
    """Decode the inside of a hexadecimal string; an odd last digit counts as followed by 0 (7.3.4.3)."""
    digits = raw.translate(_WHITE_TABLE, WHITE)
    if len(digits) % 2:
        digits += b"0"
    return bytes.fromhex(digits.decode("ascii"))


def _literal(data: bytes, at: int) -> tuple[bytes, int]:
    """Decode a literal string whose `(` stands at `at`; escapes and line ends as in 7.3.4.2."""
    out = bytearray()
    depth = 1
    position = at + 1
    while True:
        special = _STRING_SPECIAL.search(data, position)
        if special is None:
            raise SyntaxFault(f"string at {at} has no end")
        out += data[position : special.start()]
        position = special.end()
        char = special.group()
        if char == b"(":
            depth += 1
            out += char
        elif char == b")":
            depth -= 1
            if depth == 0:
                return bytes(out), position
            out += char
        elif char == b"\r":
            out.append(10)
            position += data[position : position + 1] == b"\n"
        else:
            position = _escape(data, position, out)


def _escape(data: bytes, position: int, out: bytearray) -> int:
    """Append what the escape sequence behind a backslash means; return the offset behind it."""
    follow = data[position : position + 1]
    if not follow:
        raise SyntaxFault("string ends in a backslash")
    if follow in b"01234567":
        octal = re.compile(rb"[0-7]{1,3}").match(data, position)
        assert octal is not None
        out.append(int(octal.group(), 8) & 0xFF)
        return octal.end()
    if follow == b"\r":
        return position + 1 + (data[position + 1 : position + 2] == b"\n")
    if follow == b"\n":
        return position + 1
    out.append(_ESCAPES.get(follow[0], follow[0]))
    return position + 1


class _Reader:
    """One parse; counts its tokens."""

    def __init__(self, data: bytes, limit: int) -> None:
        self.data = data
        self.limit = limit

    def value(self, at: int, depth: int) -> tuple[Any, int]:
        if depth > MAX_NESTING:
            raise SyntaxFault(f"nested deeper than {MAX_NESTING} at {at}")
        self.limit -= 1
        if self.limit < 0:
            raise SyntaxFault("too many tokens in one object")
        data = self.data
        start = skip(data, at)
        token = _TOKEN.match(data, start)
        if token is None:
            raise SyntaxFault(f"no PDF syntax at {start}")
        kind = token.lastgroup
        end = token.end()
        if kind == "name":
            return decode_name(token.group("name")), end
        if kind == "int":
            return _integer(token.group()), end
        if kind == "ref":
            number, generation, _ = token.group().split()
            return Ref(int(number), int(generation)), end
        if kind == "open":
            return self.dictionary(start, end, depth)
        if kind == "aopen":
            return self.array(start, end, depth)
        if kind == "hex":
            return decode_hex(token.group("hex")), end
        if kind == "plain":
            return token.group("plain"), end
        if kind == "paren":
            return _literal(data, start)
        if kind == "real":
            return float(token.group()), end
        if kind == "word":
            word = token.group()
            if word in _WORDS:
                return _WORDS[word], end
            return Keyword(word.decode("latin-1")), end
        raise SyntaxFault(f"unexpected {token.group()!r} at {start}")

    def array(self, start: int, at: int, depth: int) -> tuple[Array, int]:
        items = Array()
        while True:
            at = skip(self.data, at)
            if self.data.startswith(b"]", at):
                items.span = (start, at + 1)
                return items, at + 1
            item, at = self.value(at, depth + 1)
            if isinstance(item, Keyword):
                raise SyntaxFault(f"word {item!r} inside an array at {at}")
            items.append(item)

    def dictionary(self, start: int, at: int, depth: int) -> tuple[Dictionary, int]:
        entries = Dictionary()
        spans: dict[str, tuple[int, int]] = {}
        key_offsets: list[int] = []
        duplicates: list[str] = []
        while True:
            at = skip(self.data, at)
            if self.data.startswith(b">>", at):
                entries.span = (start, at + 2)
                entries.spans = spans
                entries.key_offsets = tuple(key_offsets)
                entries.duplicates = tuple(duplicates)
                return entries, at + 2
            key_offsets.append(at)
            key, at = self.value(at, depth + 1)
            if not isinstance(key, Name):
                raise SyntaxFault(f"dictionary key at {at} is not a name")
            value_start = skip(self.data, at)
            value, at = self.value(value_start, depth + 1)
            if isinstance(value, Keyword):
                raise SyntaxFault(f"word {value!r} inside a dictionary at {at}")
            if key in entries:
                duplicates.append(key)
            else:
                entries[key] = value
                spans[key] = (value_start, at)


def _integer(raw: bytes) -> int:
    if len(raw) > 20:
        raise SyntaxFault("integer of more than 20 digits")
    return int(raw)


def parse(
    data: bytes, at: int, *, limit: int = MAX_TOKENS, spend: Callable[[int], None] | None = None
) -> tuple[Any, int]:
    """Parse one value at or behind `at`; return it and the offset behind it.

    A bare word is returned as `Keyword`. `spend` is told how many tokens were read. Raises SyntaxFault.
    """
    reader = _Reader(data, limit)
    try:
        return reader.value(at, 0)
    except (ValueError, OverflowError, RecursionError) as error:
        raise SyntaxFault(f"unreadable value at {at}") from error
    finally:
        if spend is not None:
            spend(limit - reader.limit)


_HEADER = re.compile(rb"(\d{1,10})[\x00\t\n\x0c\r ]+(\d{1,5})[\x00\t\n\x0c\r ]+obj")


def object_header(data: bytes, at: int) -> tuple[int, int, int]:
    """Return number, generation and the offset behind `obj` of the indirect object at `at`."""
    found = _HEADER.match(data, skip(data, at))
    if found is None:
        raise SyntaxFault(f"no indirect object at {at}")
    return int(found.group(1)), int(found.group(2)), found.end()
