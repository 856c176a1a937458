"""A small strict DER seam: what suites and key files need, and no more.

    der.sequence(der.oid("1.3.101.112"))              # bytes of an AlgorithmIdentifier
    body = der.members(data)                          # of a SEQUENCE with nothing behind it; or step by step:
    reader = der.Reader(data)                         # strict: definite, minimal lengths
    body = reader.enter(der.SEQUENCE)                 # a Reader over the contents
    number = body.integer()
    reader.end()                                      # MalformedInput where octets are left

Whole certificates and CMS go through asn1crypto or `cryptography`; this page is for the few fixed shapes that are read
and written at every signature, where strictness and speed matter. Every error is MalformedInput.
"""

from __future__ import annotations

from functools import lru_cache

from certs.errors import MalformedInput
from certs.suites.base import AlgorithmID

INTEGER, BIT_STRING, OCTET_STRING, NULL, OBJECT_IDENTIFIER, SEQUENCE, SET = 0x02, 0x03, 0x04, 0x05, 0x06, 0x30, 0x31
NULL_DER = b"\x05\x00"


# Writing -------------------------------------------------------------------------------------------------------------
def tlv(tag: int, content: bytes) -> bytes:
    """Return tag, minimal definite length and content. `tag` is one octet."""
    return header(tag, len(content)) + content


def header(tag: int, length: int) -> bytes:
    """Return tag and minimal definite length of a value whose contents have `length` octets."""
    if length < 0x80:
        return bytes((tag, length))
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big")


def sequence(*parts: bytes) -> bytes:
    """Return a SEQUENCE of parts that are already DER."""
    return tlv(SEQUENCE, b"".join(parts))


def integer(value: int) -> bytes:
    """Return an INTEGER, minimal two's complement."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return tlv(INTEGER, value.to_bytes(size, "big", signed=True))


def octet_string(content: bytes) -> bytes:
    """Return an OCTET STRING."""
    return tlv(OCTET_STRING, content)


def bit_string(content: bytes) -> bytes:
    """Return a BIT STRING without unused bits."""
    return tlv(BIT_STRING, b"\x00" + content)


@lru_cache(maxsize=512)
def oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER. Raises MalformedInput where `dotted` is none."""
    try:
        arcs = [int(arc) for arc in dotted.split(".")]
    except ValueError as error:
        raise MalformedInput(f"not a dotted object identifier: {dotted!r}") from error
    if len(arcs) < 2 or arcs[0] > 2 or min(arcs) < 0 or (arcs[0] < 2 and arcs[1] > 39):
        raise MalformedInput(f"not a dotted object identifier: {dotted!r}")
    out = bytearray()
    for arc in (arcs[0] * 40 + arcs[1], *arcs[2:]):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | (arc & 0x7F))
        out += bytes(reversed(groups))
    return tlv(OBJECT_IDENTIFIER, bytes(out))


@lru_cache(maxsize=256)
def encode_algorithm_identifier(algorithm: AlgorithmID) -> bytes:
    """Return the DER of an AlgorithmIdentifier (RFC 5280 4.1.1.2)."""
    return sequence(oid(algorithm.oid), algorithm.parameters or b"")


def subject_public_key_info(algorithm: AlgorithmID, key: bytes) -> bytes:
    """Return SubjectPublicKeyInfo whose BIT STRING holds `key` (RFC 5280 4.1.2.7)."""
    return sequence(encode_algorithm_identifier(algorithm), bit_string(key))


def private_key_info(algorithm: AlgorithmID, key: bytes) -> bytes:
    """Return PKCS#8 PrivateKeyInfo, version 0, whose OCTET STRING holds `key` (RFC 5958 2)."""
    return sequence(integer(0), encode_algorithm_identifier(algorithm), octet_string(key))


# Reading -------------------------------------------------------------------------------------------------------------
class Reader:
    """Reads DER values one after the other from `data[start:stop]`."""

    __slots__ = ("data", "position", "stop")

    def __init__(self, data: bytes, start: int = 0, stop: int | None = None) -> None:
        self.data = data
        self.position = start
        self.stop = len(data) if stop is None else stop

    def at_end(self) -> bool:
        """Tell whether nothing is left."""
        return self.position >= self.stop

    def end(self) -> None:
        """Raise MalformedInput where octets are left."""
        if self.position != self.stop:
            raise MalformedInput("octets follow the DER value")

    def peek(self) -> int | None:
        """Return the next tag octet, or None at the end."""
        return self.data[self.position] if self.position < self.stop else None

    def _header(self, tag: int | None) -> tuple[int, int]:
        """Consume tag and length; return where the contents begin and end."""
        data, position, stop = self.data, self.position, self.stop
        if position + 2 > stop:
            raise MalformedInput("DER ends early")
        if tag is not None and data[position] != tag:
            raise MalformedInput(f"DER tag {data[position]:#04x} where {tag:#04x} belongs")
        if data[position] & 0x1F == 0x1F:
            raise MalformedInput("DER tag of several octets")
        length, position = data[position + 1], position + 2
        if length >= 0x80:
            size = length & 0x7F
            if not 1 <= size <= 4 or position + size > stop:
                raise MalformedInput("DER length is indefinite, too long or cut short")
            length = int.from_bytes(data[position : position + size], "big")
            if length < 0x80 or length >> (8 * (size - 1)) == 0:
                raise MalformedInput("DER length is not minimal")
            position += size
        if position + length > stop:
            raise MalformedInput("DER ends early")
        self.position = position + length
        return position, position + length

    def value(self, tag: int) -> bytes:
        """Return the contents of the next value, which must have `tag`."""
        start, stop = self._header(tag)
        return self.data[start:stop]

    def raw(self, tag: int | None = None) -> bytes:
        """Return the next value whole: tag, length and contents."""
        start = self.position
        _, stop = self._header(tag)
        return self.data[start:stop]

    def enter(self, tag: int = SEQUENCE) -> Reader:
        """Return a Reader over the contents of the next value, which must have `tag`."""
        start, stop = self._header(tag)
        return Reader(self.data, start, stop)

    def integer(self) -> int:
        """Return an INTEGER in minimal form (X.690 8.3.2)."""
        content = self.value(INTEGER)
        if not content or (len(content) > 1 and content[0] in (0x00, 0xFF) and not (content[0] ^ content[1]) & 0x80):
            raise MalformedInput("INTEGER is empty or not minimal")
        return int.from_bytes(content, "big", signed=True)

    def bit_string(self) -> bytes:
        """Return the octets of a BIT STRING that has no unused bits."""
        content = self.value(BIT_STRING)
        if not content or content[0] != 0:
            raise MalformedInput("BIT STRING with unused bits")
        return content[1:]

    def oid(self) -> str:
        """Return an OBJECT IDENTIFIER, dotted."""
        return decode_oid(self.value(OBJECT_IDENTIFIER))

    def null(self) -> None:
        """Consume a NULL."""
        if self.value(NULL):
            raise MalformedInput("NULL with contents")


def members(encoded: bytes) -> Reader:
    """Return a Reader over the contents of the SEQUENCE that `encoded` is, and nothing behind it."""
    reader = Reader(encoded)
    body = reader.enter()
    reader.end()
    return body


@lru_cache(maxsize=512)
def decode_oid(content: bytes) -> str:
    """Return the dotted form of the contents of an OBJECT IDENTIFIER."""
    if not content or content[-1] & 0x80 or len(content) > 64:
        raise MalformedInput("malformed object identifier")
    arcs: list[int] = []
    arc, fresh = 0, True
    for octet in content:
        if fresh and octet == 0x80:
            raise MalformedInput("malformed object identifier")
        arc, fresh = (arc << 7) | (octet & 0x7F), not octet & 0x80
        if fresh:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def read_algorithm_identifier(reader: Reader) -> AlgorithmID:
    """Read an AlgorithmIdentifier: an OID and at most one value of any type."""
    body = reader.enter(SEQUENCE)
    dotted = body.oid()
    parameters = None if body.at_end() else body.raw()
    body.end()
    return AlgorithmID(dotted, parameters)


@lru_cache(maxsize=256)
def decode_algorithm_identifier(der: bytes) -> AlgorithmID:
    """Read a whole AlgorithmIdentifier; nothing may follow it."""
    reader = Reader(der)
    algorithm = read_algorithm_identifier(reader)
    reader.end()
    return algorithm


def split_spki(spki: bytes) -> tuple[AlgorithmID, bytes]:
    """Return the algorithm and the octets of the key of a SubjectPublicKeyInfo."""
    body = members(spki)
    algorithm = read_algorithm_identifier(body)
    key = body.bit_string()
    body.end()
    return algorithm, key


def split_pkcs8(pkcs8: bytes) -> tuple[AlgorithmID, bytes]:
    """Return the algorithm and the octets of the key of a PrivateKeyInfo; attributes and public key are passed over."""
    body = members(pkcs8)
    if body.integer() not in (0, 1):
        raise MalformedInput("PrivateKeyInfo of an unknown version")
    algorithm = read_algorithm_identifier(body)
    key = body.value(OCTET_STRING)
    while not body.at_end():
        if body.peek() not in (0xA0, 0x81):
            raise MalformedInput("PrivateKeyInfo with an unknown member")
        body.raw()
    return algorithm, key


def decode_integer_pair(signature: bytes) -> tuple[int, int]:
    """Return r and s of a strict DER SEQUENCE { r INTEGER, s INTEGER } (RFC 3279 2.2.3, GM/T 0009 7.3)."""
    body = members(signature)
    r, s = body.integer(), body.integer()
    body.end()
    return r, s


def encode_integer_pair(r: int, s: int) -> bytes:
    """Return SEQUENCE { r INTEGER, s INTEGER }."""
    return sequence(integer(r), integer(s))
