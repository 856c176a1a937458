"""Content ciphers of `cryptography`: AES and SM4 in GCM and CBC."""

from __future__ import annotations

import secrets
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from certs import der
from certs.errors import DecryptionFailed, MalformedInput
from certs.suites.base import Family
from certs.suites.content_base import Authentication, ContentCipher, Opening, Sealing
from certs.suites.encryption_vectors import check_aes, check_sm4


class _Block(ContentCipher):
    """A mode of AES or SM4."""

    def __init__(self, name: str, oid: str, family: Family, key_size: int, kind: Any, *, written: bool = False) -> None:
        super().__init__(name, oid, family, key_size)
        self._kind, self.written = kind, written

    def _algorithm(self, key: bytes) -> Any:
        """Return the block cipher under a key, once the library has passed its vectors."""
        (check_sm4 if self.family is Family.CHINA else check_aes)()
        return self._kind(key)


class GCM(_Block):
    """Galois/Counter Mode (RFC 5084 3.2): nonce of 12 octets and tag of 16 written, tags of 12 and more read."""

    authentication = Authentication.TAG
    tag_size = 16
    max_size = 2**36 - 32  # NIST SP 800-38D 5.2.1.1

    def new_parameters(self) -> bytes:
        if not self.written:
            return super().new_parameters()
        return der.sequence(der.octet_string(secrets.token_bytes(12)), der.integer(self.tag_size))

    def seal(self, key: bytes, parameters: bytes) -> Sealing:
        return _GCMSealing(self._algorithm(key), _read_gcm(parameters)[0])

    def open(self, key: bytes, parameters: bytes | None, associated: bytes = b"") -> Opening:
        nonce, size = _read_gcm(parameters)
        return _GCMOpening(self._algorithm(key), nonce, size, associated)


def _read_gcm(parameters: bytes | None) -> tuple[bytes, int]:
    """Return the nonce and the length of the tag of GCMParameters; the default is 12."""
    if parameters is None:
        raise MalformedInput("GCM without parameters")
    body = der.members(parameters)
    nonce = body.value(der.OCTET_STRING)
    size = 12 if body.at_end() else body.integer()
    body.end()
    if not 8 <= len(nonce) <= 128 or not 12 <= size <= 16:
        raise MalformedInput("GCM with a nonce or tag of a wrong length")
    return nonce, size


class _GCMSealing:
    def __init__(self, algorithm: Any, nonce: bytes) -> None:
        self._running = Cipher(algorithm, modes.GCM(nonce)).encryptor()
        self.tag = b""

    def update(self, data: bytes) -> bytes:
        return self._running.update(data)

    def finish(self) -> bytes:
        rest = self._running.finalize()
        self.tag = self._running.tag
        return rest


class _GCMOpening:
    def __init__(self, algorithm: Any, nonce: bytes, size: int, associated: bytes) -> None:
        self._running = Cipher(algorithm, modes.GCM(nonce, None, min_tag_length=size)).decryptor()
        self._running.authenticate_additional_data(associated)
        self._size = size

    def update(self, data: bytes) -> bytes:
        try:
            return self._running.update(data)
        except ValueError:  # more than GCM can have under one key
            raise DecryptionFailed from None

    def finish(self, tag: bytes | None) -> bytes:
        if tag is None or len(tag) != self._size:
            raise DecryptionFailed
        try:
            return self._running.finalize_with_tag(tag)
        except InvalidTag:
            raise DecryptionFailed from None


class CBC(_Block):
    """Cipher Block Chaining with the padding of RFC 5652 6.3."""

    def new_parameters(self) -> bytes:
        return der.octet_string(secrets.token_bytes(16)) if self.written else super().new_parameters()

    def ciphertext_size(self, size: int) -> int:
        return size - size % 16 + 16

    def seal(self, key: bytes, parameters: bytes) -> Sealing:
        return _CBCSealing(self._algorithm(key), _octets(parameters, 16))

    def open(self, key: bytes, parameters: bytes | None, associated: bytes = b"") -> Opening:
        return _cbc_opening(self._algorithm(key), parameters)


def _cbc_opening(algorithm: Any, parameters: bytes | None) -> Opening:
    running = Cipher(algorithm, modes.CBC(_octets(parameters, 16))).decryptor()
    return _BlockOpening(running, padding.PKCS7(128).unpadder())


def _octets(parameters: bytes | None, size: int) -> bytes:
    """Return parameters that are an OCTET STRING of `size` octets."""
    reader = der.Reader(parameters or b"")
    octets = reader.value(der.OCTET_STRING)
    reader.end()
    if len(octets) != size:
        raise MalformedInput("an initialisation vector of a wrong length")
    return octets


class _CBCSealing:
    tag = b""

    def __init__(self, algorithm: Any, iv: bytes) -> None:
        self._running = Cipher(algorithm, modes.CBC(iv)).encryptor()
        self._padder = padding.PKCS7(128).padder()

    def update(self, data: bytes) -> bytes:
        return self._running.update(self._padder.update(data))

    def finish(self) -> bytes:
        return self._running.update(self._padder.finalize()) + self._running.finalize()


class _BlockOpening:
    """A decryption that may end in padding."""

    def __init__(self, running: Any, unpadder: Any | None) -> None:
        self._running, self._unpadder = running, unpadder

    def update(self, data: bytes) -> bytes:
        plain: bytes = self._running.update(data)
        return plain if self._unpadder is None else self._unpadder.update(plain)

    def finish(self, tag: bytes | None) -> bytes:
        try:
            rest: bytes = self._running.finalize()
            return rest if self._unpadder is None else self._unpadder.update(rest) + self._unpadder.finalize()
        except ValueError:  # no whole block, or a wrong padding
            raise DecryptionFailed from None


class BareSM4(_Block):
    """SM4 by its bare OID, as met in the field: with a vector it is CBC, without one ECB over whole blocks."""

    def open(self, key: bytes, parameters: bytes | None, associated: bytes = b"") -> Opening:
        if parameters not in (None, der.NULL_DER):
            return _cbc_opening(self._algorithm(key), parameters)
        return _BlockOpening(Cipher(self._algorithm(key), modes.ECB()).decryptor(), None)  # noqa: S305 - others wrote it so
