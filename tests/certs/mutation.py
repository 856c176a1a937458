"""Damages octets as attackers and bad disks do: bits, lengths, members, splices, nesting.

    damaged = damage(random.Random(7), valid, others=[another])

Half of the time the structure is kept: one member of the DER or JSON is changed and every length above it is made right
again, so that the damage arrives where lengths are not looked at any more.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any

from certs import der
from certs.errors import CertsError

MAX = 200_000
"""Octets of what is made."""
WORDS = (
    *(b"", b"\x00", b"\xff", b"\x80", b"\x30\x80", b"\x84\xff\xff\xff\xff", b"\x1f\x81\x80\x80", b"\xed\xa0\x80"),
    *(b"-----BEGIN X-----", b"\n\n", b"]]>", b"&a;", b"%00", b'"', b"\\u0000", b"\\ud800", b"1e999", b"-", b"9" * 5000),
)
BOMBS = (
    *(b"\x30\x80", b"\x30\x84\x00\x00\xff\xff", b"\xa0\x80", b"\x24\x80", b"\x30\x00", b"\x02\x01\x00"),
    *(
        b"[",
        b'{"a":',
        b"(",
        b"<a>",
        b"\xef\xbb\xbf",
        b"-----BEGIN CERTIFICATE-----",
        b"[[a]]\n",
        b"a.",
        b";a=b",
        b"%41",
    ),
)


def damage(random: Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """Return `data` with one to four changes."""
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        ways: list[Callable[[], bytes]] = [
            partial(_octets, random, data),
            partial(_spans, random, data, others),
            partial(_json, random, data) if data[:1] in b"{[" else partial(_members, random, data, others),
            partial(_members, random, data, others),
        ]
        if random.random() < 0.03:
            ways = [partial(_bomb, random, data)]
        data = random.choice(ways)()[:MAX]
    return data


def _octets(random: Random, data: bytes) -> bytes:
    out = bytearray(data or b"\x00")
    place = random.randrange(len(out))
    way = random.randrange(3)
    if way == 0:
        out[place] ^= 1 << random.randrange(8)
    elif way == 1:
        out[place] = random.choice((0x00, 0x01, 0x7F, 0x80, 0x81, 0x84, 0xFF, random.randrange(256)))
    else:
        out[place : place + 1] = random.choice(WORDS)
    return bytes(out)


def _spans(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    first, last = sorted(random.randrange(len(data) + 1) for _ in range(2))
    last = min(last, first + random.choice((1, 4, 64, MAX)))
    way = random.randrange(5)
    if way == 0:
        return data[:first]
    if way == 1:
        return data[:first] + data[last:]
    if way == 2:
        return data[:last] + data[first:last] * random.choice((1, 2, 200)) + data[last:]
    if way == 3 and others:
        other = random.choice(others)
        return data[:first] + other[min(first, len(other)) :]
    return data[:first] + random.randbytes(random.choice((1, 2, 16))) + data[last:]


def _bomb(random: Random, data: bytes) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + random.choice(BOMBS) * random.choice((33, 1000, 20_000)) + data[place:]


# DER ------------------------------------------------------------------------------------------------------------------
Node = tuple[int, Any]
"""Tag, and octets or a list of nodes."""


def _tree(data: bytes, depth: int = 0) -> list[Node] | None:
    """Return the values in `data`, or None where it is no DER."""
    out: list[Node] = []
    try:
        reader = der.Reader(data)
        while (tag := reader.peek()) is not None:
            content = reader.value(tag)
            inside = _tree(content, depth + 1) if depth < 24 and (tag & 0x20 or tag == 4) and content else None
            out.append((tag, content if inside is None else inside))
    except CertsError:
        return None
    return out


def _encode(nodes: Sequence[Node]) -> bytes:
    return b"".join(der.tlv(tag, inside if isinstance(inside, bytes) else _encode(inside)) for tag, inside in nodes)


def _members(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    tree = _tree(data)
    if not tree:
        return _octets(random, data)
    places: list[tuple[list[Node], int]] = []

    def walk(nodes: list[Node]) -> None:
        for index, (_, inside) in enumerate(nodes):
            places.append((nodes, index))
            if isinstance(inside, list):
                walk(inside)

    walk(tree)
    nodes, index = random.choice(places)
    tag, inside = nodes[index]
    way = random.randrange(8)
    if way == 0:
        del nodes[index]
    elif way == 1:
        nodes[index:index] = [nodes[index]] * random.choice((1, 1, 40))
    elif way == 2:
        nodes[index] = (
            random.choice((tag ^ 0x20, tag ^ 0x80, 0x02, 0x03, 0x05, 0x0C, 0x1E, random.randrange(31))),
            inside,
        )
    elif way == 3:
        nodes[index] = (tag, random.choice((b"", b"\x00", b"\xff" * 20, b"\x80", random.randbytes(8))))
    elif way == 4:
        where, other = random.choice(places)
        nodes[index] = copy.deepcopy(where[other])
    elif way == 5:
        nodes[index] = (0x30, [nodes[index]])
    elif way == 6 and others:
        foreign = _tree(random.choice(others)) or [(5, b"")]
        nodes[index] = random.choice(foreign)
    else:
        content = inside if isinstance(inside, bytes) else _encode(inside)
        nodes[index] = (tag, _octets(random, content))
    return _encode(tree)


# JSON -----------------------------------------------------------------------------------------------------------------
STRANGE: tuple[Any, ...] = (
    *(None, True, [], {}, "", 0, -1, 2**70, 1.5, 1e308, "\x00", "\ud800", "x" * 3000, [[]], {"a": 1}, [None] * 50),
    *("9999-12-31T23:59:59Z", "0000-00-00T00:00:00Z", "00" * 40, "é"),
)


def _json(random: Random, data: bytes) -> bytes:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return _octets(random, data)
    holder, key = [value], 0
    at: Any = value
    while isinstance(at, dict | list) and at and random.random() < 0.8:
        holder, key = at, random.choice(list(at) if isinstance(at, dict) else range(len(at)))
        at = holder[key]
    way = random.randrange(4)
    if way == 0 and holder:
        del holder[key]
    elif way == 1 and isinstance(holder, dict):
        holder["\u202e" + str(key)] = at
    else:
        holder[key] = random.choice(STRANGE)
    if holder is not value and isinstance(holder, list) and holder and holder[0] is value:
        return data
    made = json.dumps(value if holder is not value else holder, ensure_ascii=random.random() < 0.5, allow_nan=True)
    return made.encode("utf-8", "surrogatepass")
