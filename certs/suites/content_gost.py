"""Content ciphers of GOST: CTR-ACPKM with and without OMAC, and GOST 28147-89 of old senders; by gost-engine."""

from __future__ import annotations

import secrets
from hmac import compare_digest
from typing import TYPE_CHECKING

from certs import der, oids
from certs.errors import DecryptionFailed, MalformedInput
from certs.suites.base import Family
from certs.suites.content_base import Authentication, ContentCipher, Opening, Sealing

if TYPE_CHECKING:
    from certs.suites.backends.gost_encryption import GOSTEncryption, Omac, Stream


class ACPKM(ContentCipher):
    """CTR-ACPKM (R 1323565.1.025-2019 7): a UKM that is half a block of vector and 8 octets of seed."""

    def __init__(self, name: str, oid: str, block: int, section: int) -> None:
        super().__init__(name, oid, Family.RUSSIA, 32)
        self._family, self._block, self._section = name.partition("-")[0], block, section
        if block == 8:
            self.max_size = 8 << 32  # a counter of 32 bits over blocks of 8 octets

    def _stream(self, backend: GOSTEncryption, key: bytes, ukm: bytes, *, encrypt: bool) -> Stream:
        half = self._block // 2
        return backend.acpkm(self._family, key, ukm[:half] + bytes(half), self._section, encrypt=encrypt)

    def _read(self, parameters: bytes | None) -> bytes:
        body = der.members(parameters or b"")
        ukm = body.value(der.OCTET_STRING)
        body.end()
        if len(ukm) != self._block // 2 + 8:
            raise MalformedInput("a UKM of a wrong length")
        return ukm

    def open(self, key: bytes, parameters: bytes | None, associated: bytes = b"") -> Opening:
        return _PlainOpening(self._stream(_gost(), key, self._read(parameters), encrypt=False))


class ACPKMOMAC(ACPKM):
    """CTR-ACPKM with OMAC, both under keys derived from the content key; the OMAC is encrypted too."""

    authentication = Authentication.MAC
    written = True

    def __init__(self, name: str, oid: str, block: int, section: int) -> None:
        super().__init__(name, oid, block, section)
        self.tag_size = block
        self.max_size -= block

    def new_parameters(self) -> bytes:
        return der.sequence(der.octet_string(secrets.token_bytes(self._block // 2 + 8)))

    def _start(self, key: bytes, parameters: bytes | None, *, encrypt: bool) -> tuple[Stream, Omac]:
        backend, ukm = _gost(), self._read(parameters)
        keys = backend.kdf_tree(key, b"kdf tree", ukm[self._block // 2 :])
        return self._stream(backend, keys[:32], ukm, encrypt=encrypt), backend.omac(self._family, keys[32:])

    def seal(self, key: bytes, parameters: bytes) -> Sealing:
        return _OMACSealing(*self._start(key, parameters, encrypt=True))

    def open(self, key: bytes, parameters: bytes | None, associated: bytes = b"") -> Opening:
        return _OMACOpening(*self._start(key, parameters, encrypt=False))


class _OMACSealing:
    def __init__(self, stream: Stream, omac: Omac) -> None:
        self._stream, self._omac, self.tag = stream, omac, b""

    def update(self, data: bytes) -> bytes:
        self._omac.update(data)
        return self._stream.update(data)

    def finish(self) -> bytes:
        self.tag = self._stream.update(self._omac.digest())
        return b""


class _PlainOpening:
    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def update(self, data: bytes) -> bytes:
        return self._stream.update(data)

    def finish(self, tag: bytes | None) -> bytes:
        return b""


class _OMACOpening(_PlainOpening):
    def __init__(self, stream: Stream, omac: Omac) -> None:
        super().__init__(stream)
        self._omac = omac

    def update(self, data: bytes) -> bytes:
        plain = self._stream.update(data)
        self._omac.update(plain)
        return plain

    def finish(self, tag: bytes | None) -> bytes:
        expected = self._omac.digest()
        if tag is None or len(tag) != len(expected) or not compare_digest(self._stream.update(tag), expected):
            raise DecryptionFailed
        return b""


class GOST89(ContentCipher):
    """GOST 28147-89 in CFB with key meshing (RFC 4490 5.1), of old senders."""

    def open(self, key: bytes, parameters: bytes | None, associated: bytes = b"") -> Opening:
        body = der.members(parameters or b"")
        iv, box = body.value(der.OCTET_STRING), body.oid()
        body.end()
        if len(iv) != 8 or box not in (oids.GOST89_CRYPTOPRO_A, oids.GOST89_TC26_Z):
            raise MalformedInput("GOST 28147-89 with a vector or an S-box that is not supported")
        return _PlainOpening(_gost().gost89(key, parameters or b""))


def _gost() -> GOSTEncryption:
    from certs.suites.backends import gost_encryption

    return gost_encryption.load()
