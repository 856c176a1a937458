"""A PDF written anew from what our reader read: values, objects, one cross-reference table (ISO 32000-2 7.3, 7.5).

    octets = written(value, sealed)                          # every string goes through `sealed`
    data = assembled({1: (0, octets), …}, trailer)           # header, objects, table, trailer

Strings are hexadecimal, names are escaped (7.3.5), numbers keep their value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from itertools import groupby
from typing import Any

from signer.pdf.tokens import Array, Dictionary, Name, Ref, SyntaxFault

Sealer = Callable[[bytes], bytes]
"""What becomes of the octets of a string."""

HEADER = b"%PDF-2.0\n%\xe2\xe3\xcf\xd3\n"
_REGULAR = frozenset(range(0x21, 0x7F)) - frozenset(b"()<>[]{}/%#")


def plain(octets: bytes) -> bytes:
    """Leave a string as it is."""
    return octets


def made(items: Mapping[str, Any], duplicates: tuple[str, ...] = ()) -> Dictionary:
    """Return a dictionary that was not read from a file; `duplicates` are those of the one it is made from."""
    out = Dictionary(items)
    out.duplicates = duplicates
    return out


def written(value: Any, sealed: Sealer) -> bytes:
    """Return a value as PDF syntax. Raises SyntaxFault for what no PDF means: a key that stands twice."""
    if isinstance(value, Dictionary):
        if value.duplicates:
            raise SyntaxFault(f"the key {value.duplicates[0]!r} stands twice in a dictionary")
        pairs = (b"%b %b" % (_name(key), written(item, sealed)) for key, item in value.items())
        return b"<< %b >>" % b" ".join(pairs)
    if isinstance(value, Array):
        return b"[%b]" % b" ".join(written(item, sealed) for item in value)
    if isinstance(value, bytes):
        return b"<%b>" % sealed(value).hex().encode("ascii")
    if isinstance(value, Ref):
        return b"%d %d R" % value
    if isinstance(value, Name):
        return _name(value)
    if value is None:
        return b"null"
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise SyntaxFault(f"{value!r} is no value")
    text = f"{Decimal(repr(value)):f}"  # 7.3.3: no exponents
    return (text + "." if isinstance(value, float) and "." not in text else text).encode("ascii")


def _name(text: str) -> bytes:
    octets = text.encode("latin-1")
    return b"/" + b"".join(bytes((octet,)) if octet in _REGULAR else b"#%02X" % octet for octet in octets)


def stream(dictionary: Dictionary, body: bytes, sealed: Sealer) -> bytes:
    """Return a stream whose octets are `body`, whatever length the dictionary says."""
    items = made({**dictionary, "Length": len(body)}, dictionary.duplicates)
    return b"%b\nstream\n%b\nendstream" % (written(items, sealed), body)


def assembled(objects: Iterable[tuple[int, int, bytes]], trailer: bytes) -> bytes:
    """Return a whole file; each object is number, generation and octets, `trailer` the inside of its dictionary."""
    out = bytearray(HEADER)
    offsets: dict[int, tuple[int, int]] = {}
    for number, generation, octets in objects:
        offsets[number] = (len(out), generation)
        out += b"%d %d obj\n%b\nendobj\n" % (number, generation, octets)
    size, start = max(offsets) + 1, len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for _, run in groupby(enumerate(sorted(offsets)), key=lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        out += b"%d %d\n" % (numbers[0], len(numbers))
        out += b"".join(b"%010d %05d n \n" % offsets[number] for number in numbers)
    out += b"trailer\n<< /Size %d %b >>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start)
    return bytes(out)


__all__ = ["Sealer", "assembled", "made", "plain", "stream", "written"]
