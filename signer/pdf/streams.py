"""The octets of a stream, its filters taken off as far as structure needs them (ISO 32000-2 7.4).

    octets = taken_off(encoded, filters_of(stream, view), budget)

What a picture or a font needs is not read here: `NotRead`.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from signer.pdf.budget import Budget, BudgetSpent
from signer.pdf.tokens import Dictionary, Ref, SyntaxFault, decode_hex

if TYPE_CHECKING:
    from signer.pdf.view import View

MAX_STREAM = 100 * 1024 * 1024


class NotRead(SyntaxFault):
    """What is no damage, but nothing that is read here: a filter, a predictor."""


class Stream(NamedTuple):
    """A stream object: its dictionary and the span of its encoded octets."""

    dictionary: Dictionary
    start: int
    end: int
    owner: Ref | None = None
    """The object it is, where its octets are encrypted: some keys depend on it."""


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


def taken_off(body: bytes, filters: Sequence[tuple[Any, Dictionary | None]], budget: Budget) -> bytes:
    """Return octets without their filters; raises SyntaxFault for those that structure does not need, BudgetSpent."""
    for name, options in filters:
        if name in ("FlateDecode", "Fl"):
            body = _inflate(body, budget)
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


def _inflate(body: bytes, budget: Budget) -> bytes:
    engine = zlib.decompressobj()
    try:
        out = engine.decompress(body, min(MAX_STREAM, budget.inflated) + 1)
    except zlib.error as error:
        raise SyntaxFault("FlateDecode: damaged data") from error
    budget.inflated -= len(out)
    if len(out) > MAX_STREAM or budget.inflated < 0:
        raise BudgetSpent("decoded streams exceed their limit")
    return out


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
