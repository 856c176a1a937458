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
from collections.abc import Callable, Generator
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

MAX_NESTING = 100
MAX_TOKENS = 4_000_000
MAX_OPERANDS = 1000
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


# White space includes comments, which run to the end of their line (7.2.4). Possessive: nothing is tried twice.
_SPACE = rb"(?:[\x00\t\n\x0c\r ]++|%[^\r\n]*+)*+"
_SKIP = re.compile(_SPACE)
# One token and the space before it; the empty first group marks where the token itself begins.
_TOKEN = re.compile(
    _SPACE + rb"()(?:"
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
    rb")"
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
    return _usual_name(raw) if len(raw) <= 40 else _decoded_name(raw)


def _decoded_name(raw: bytes) -> Name:
    text = raw.decode("latin-1")
    if "#" in text:
        text = _ESCAPED_NAME.sub(lambda m: chr(int(m.group(1), 16)), text)
    return Name(text)


_usual_name = lru_cache(maxsize=4096)(_decoded_name)
"""The same few names stand everywhere."""


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

    def nothing(self, at: int) -> NoReturn:
        raise SyntaxFault(f"no PDF syntax at {skip(self.data, at)}")

    def value(self, token: re.Match[bytes], depth: int) -> tuple[Any, int]:
        """Return the value that begins with `token`, and the offset behind it."""
        if depth > MAX_NESTING:
            raise SyntaxFault(f"nested deeper than {MAX_NESTING} at {token.start(1)}")
        self.limit -= 1
        if self.limit < 0:
            raise SyntaxFault("too many tokens in one object")
        kind = token.lastgroup
        end = token.end()
        if kind == "name":
            return decode_name(token["name"]), end
        if kind == "int":
            return _integer(token["int"]), end
        if kind == "ref":
            number, generation, _ = token["ref"].split()
            return Ref(int(number), int(generation)), end
        if kind == "open":
            return self.dictionary(token.start(1), end, depth)
        if kind == "aopen":
            return self.array(token.start(1), end, depth)
        if kind == "hex":
            return decode_hex(token["hex"]), end
        if kind == "plain":
            return token["plain"], end
        if kind == "paren":
            return _literal(self.data, token.start(1))
        if kind == "real":
            return float(token["real"]), end
        if kind == "word":
            word = token["word"]
            if word in _WORDS:
                return _WORDS[word], end
            return Keyword(word.decode("latin-1")), end
        raise SyntaxFault(f"unexpected {self.data[token.start(1) : end]!r} at {token.start(1)}")

    def array(self, start: int, at: int, depth: int) -> tuple[Array, int]:
        items = Array()
        match, data = _TOKEN.match, self.data
        while True:
            token = match(data, at) or self.nothing(at)
            if token.lastgroup == "aclose":
                items.span = (start, token.end())
                return items, token.end()
            item, at = self.value(token, depth + 1)
            if isinstance(item, Keyword):
                raise SyntaxFault(f"word {item!r} inside an array at {at}")
            items.append(item)

    def dictionary(self, start: int, at: int, depth: int) -> tuple[Dictionary, int]:
        entries = Dictionary()
        spans: dict[str, tuple[int, int]] = {}
        key_offsets: list[int] = []
        duplicates: list[str] = []
        match, data = _TOKEN.match, self.data
        while True:
            token = match(data, at) or self.nothing(at)
            if token.lastgroup == "close":
                entries.span = (start, token.end())
                entries.spans = spans
                entries.key_offsets = tuple(key_offsets)
                entries.duplicates = tuple(duplicates)
                return entries, token.end()
            key_offsets.append(token.start(1))
            key, at = self.value(token, depth + 1)
            if not isinstance(key, Name):
                raise SyntaxFault(f"dictionary key at {at} is not a name")
            token = match(data, at) or self.nothing(at)
            value, at = self.value(token, depth + 1)
            if isinstance(value, Keyword):
                raise SyntaxFault(f"word {value!r} inside a dictionary at {at}")
            if key in entries:
                duplicates.append(key)
            else:
                entries[key] = value
                spans[key] = (token.start(1), at)


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
        return reader.value(_TOKEN.match(data, at) or reader.nothing(at), 0)
    except (ValueError, OverflowError, RecursionError) as error:
        raise SyntaxFault(f"unreadable value at {at}") from error
    finally:
        if spend is not None:
            spend(limit - reader.limit)


def operations(
    data: bytes, *, limit: int = MAX_TOKENS, spend: Callable[[int], None] | None = None
) -> Generator[tuple[str, list[Any], int], int | None, None]:
    """Yield operator, operands and the offset behind the operator, of a content stream (7.8.2).

    Whoever reads an inline image sends back where to go on. Raises SyntaxFault.
    """
    match = _TOKEN.match
    reader = _Reader(data, limit)
    operands: list[Any] = []
    at, told = 0, limit
    while True:
        token = match(data, at)
        if token is None:
            if skip(data, at) < len(data):
                reader.nothing(at)
            return
        kind = token.lastgroup
        if kind in ("int", "real"):  # nearly all of them
            reader.limit -= 1
            operands.append(float(token[kind]))
            at = token.end()
        else:
            value, at = reader.value(token, 0)
            if isinstance(value, Keyword):
                if spend is not None:
                    spend(told - reader.limit)
                    told = reader.limit
                moved = yield str(value), operands, at
                at = moved if moved is not None else at
                operands = []
            else:
                operands.append(value)
        if len(operands) > MAX_OPERANDS or reader.limit < 0:
            raise SyntaxFault("too many operands or tokens")


_HEADER = re.compile(rb"(\d{1,10})[\x00\t\n\x0c\r ]+(\d{1,5})[\x00\t\n\x0c\r ]+obj")


def starts_object(data: bytes, at: int) -> bool:
    """Tell whether an indirect object begins at or behind `at`."""
    return _HEADER.match(data, skip(data, at)) is not None


def object_header(data: bytes, at: int) -> tuple[int, int, int]:
    """Return number, generation and the offset behind `obj` of the indirect object at `at`."""
    found = _HEADER.match(data, skip(data, at))
    if found is None:
        raise SyntaxFault(f"no indirect object at {at}")
    return int(found.group(1)), int(found.group(2)), found.end()
