"""Signature values that no suite may accept, made from a good one."""

from __future__ import annotations

from collections.abc import Iterator

from certs import der, suites
from certs.suites import sm
from certs.suites.base import PublicKey
from certs.suites.gost_parameters import BY_NAME

EDDSA_ORDER = {
    "ed25519": 2**252 + 27742317777372353535851937790883648493,  # RFC 8032 5.1
    "ed448": 2**446 - 13818066809895115352007386748515426880336692474882178609894547503885,  # RFC 8032 5.2
}


def order_of(key: PublicKey) -> int:
    """Return n of a key whose signatures are two numbers."""
    if key.suite.name == "sm2":
        return sm.ORDER
    if key.suite.name.startswith("gost"):
        return BY_NAME[key.parameter].curve.q
    return int(suites.get(key.suite.name).order)  # type: ignore[attr-defined]


def forgeries(key: PublicKey, value: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield each forgery with the words that name it."""
    yield "empty", b""
    yield "one octet", b"\x00"
    yield "cut by one", value[:-1]
    yield "cut in half", value[: len(value) // 2]
    yield "first octet missing", value[1:]
    yield "one octet more", value + b"\x00"
    yield "one octet before", b"\x00" + value
    yield "twice", value + value
    yield "all zero", bytes(len(value))
    yield "all ones", b"\xff" * len(value)
    yield "reversed", value[::-1]
    for position in sorted({0, 1, len(value) - 1, *range(0, len(value), max(1, len(value) // 12))}):
        for bit in (0, 7):
            flipped = bytearray(value)
            flipped[position] ^= 1 << bit
            yield f"bit {bit} of octet {position} turned", bytes(flipped)
    name = key.suite.name
    if name == "sm2" or name.startswith("ecdsa"):
        yield from _der_pairs(key, value)
    elif name.startswith("gost"):
        yield from _gost_pairs(key, value)
    elif name in EDDSA_ORDER:
        half = len(value) // 2
        number = int.from_bytes(value[half:], "little") + EDDSA_ORDER[name]
        yield "S + L (RFC 8032 5.1.7: S < L)", value[:half] + number.to_bytes(half, "little")
        yield "R and S swapped", value[half:] + value[:half]
    elif name.startswith("rsa"):
        yield "0 as a number", bytes(len(value))
        yield "1 as a number", (1).to_bytes(len(value), "big")


def _pairs(r: int, s: int, n: int) -> Iterator[tuple[str, int, int]]:
    yield "r = 0", 0, s
    yield "s = 0", r, 0
    yield "r = s = 0", 0, 0
    yield "r = n", n, s
    yield "s = n", r, n
    yield "r + n", r + n, s
    yield "s + n", r, s + n
    yield "r + s = n", r, n - r
    yield "r = s = 1", 1, 1
    yield "r and s swapped", s, r


def _der_pairs(key: PublicKey, value: bytes) -> Iterator[tuple[str, bytes]]:
    r, s = der.decode_integer_pair(value)
    n = order_of(key)
    size = (n.bit_length() + 7) // 8
    for words, one, other in (*_pairs(r, s, n), ("-r", -r, s), ("-s", r, -s), ("r - n", r - n, s)):
        yield words, der.encode_integer_pair(one, other)
    first, second = der.integer(r), der.integer(s)
    padded = der.tlv(der.INTEGER, b"\x00" + der.Reader(first).value(der.INTEGER))
    body = first + second
    long = bytes((0x82,)) + len(body).to_bytes(2, "big")
    yield "r with a zero too many (X.690 8.3.2)", der.sequence(padded, second)
    yield "length in more octets than needed (X.690 10.1)", b"\x30" + long + body
    yield "indefinite length (X.690 10.1)", b"\x30\x80" + body + b"\x00\x00"
    yield "octets inside after s", der.sequence(first, second, der.NULL_DER)
    yield "a third number", der.sequence(first, second, der.integer(1))
    yield "only one number", der.sequence(first)
    yield "an empty INTEGER", der.sequence(first, der.tlv(der.INTEGER, b""))
    yield "a SET", der.tlv(der.SET, body)
    yield "numbers as OCTET STRINGs", der.sequence(der.octet_string(r.to_bytes(size, "big")), second)
    yield "bare r and s", r.to_bytes(size, "big") + s.to_bytes(size, "big")


def _gost_pairs(key: PublicKey, value: bytes) -> Iterator[tuple[str, bytes]]:
    half = len(value) // 2
    s, r = (int.from_bytes(part, "big") for part in (value[:half], value[half:]))
    for words, one, other in _pairs(r, s, order_of(key)):
        if max(one, other) < 1 << (8 * half):
            yield words, other.to_bytes(half, "big") + one.to_bytes(half, "big")
    yield "numbers little-endian", value[:half][::-1] + value[half:][::-1]
    yield "as a DER pair", der.encode_integer_pair(r, s)
