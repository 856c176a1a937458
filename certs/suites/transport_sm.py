"""Content keys encrypted to SM2 keys: SM2Cipher written (GM/T 0009-2012 7.2), and what is met in the field read.

    SM2Cipher ::= SEQUENCE { XCoordinate INTEGER, YCoordinate INTEGER, HASH OCTET STRING, CipherText OCTET STRING }

Old software writes C1 ‖ C3 ‖ C2 or, older still, C1 ‖ C2 ‖ C3, with or without the octet 04 in front. Nothing says
which; but C3 is SM3 over the key and the shared point, so only the right reading decrypts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from certs import der, oids
from certs.errors import DecryptionFailed, MalformedInput, UnsupportedAlgorithm
from certs.suites import backends
from certs.suites.base import AlgorithmID, WrappedKey
from certs.suites.common import no_parameters

ENCRYPTION = AlgorithmID(oids.SM2_ENCRYPTION, der.NULL_DER)
_POINT, _HASH = 64, 32
MAX_SIZE = 255
"""Octets of a content key; GmSSL encrypts no more at once."""


def wrap(backend: backends.SM2Backend, handle: Any, content_key: bytes) -> WrappedKey:
    """Encrypt a content key."""
    return WrappedKey(ENCRYPTION, backend.encrypt(handle, content_key))


def unwrap(backend: backends.SM2Backend, handle: Any, wrapped: WrappedKey, size: int) -> bytes:
    """Decrypt a content key; see `PrivateKey.unwrap_key`."""
    return unwrap_by(lambda form: backend.decrypt(handle, form), wrapped, size)


def unwrap_by(decrypt: Callable[[bytes], bytes | None], wrapped: WrappedKey, size: int) -> bytes:
    """Decrypt a content key with whatever holds the private key; see `PrivateKey.unwrap_key`.

    `decrypt` is given SM2Cipher, and returns None where it does not open that.
    """
    if wrapped.algorithm.oid not in (oids.SM2_ENCRYPTION, oids.SM2):
        name = oids.name(wrapped.algorithm.oid)
        raise UnsupportedAlgorithm(f"key encryption {name} is not supported for SM2", oid=wrapped.algorithm.oid)
    no_parameters(wrapped.algorithm)
    for form in _readings(wrapped.encrypted_key, size):
        content_key = decrypt(form)
        if content_key is not None and len(content_key) == size:
            return content_key
    raise DecryptionFailed


def _readings(encrypted: bytes, size: int) -> Iterator[bytes]:
    """Yield the SM2Cipher that `encrypted` may mean."""
    if _is_cipher(encrypted, size):
        yield encrypted
    bare = encrypted[1:] if len(encrypted) == 1 + _POINT + _HASH + size and encrypted[:1] == b"\x04" else encrypted
    if len(bare) == _POINT + _HASH + size:
        x, y = (int.from_bytes(part, "big") for part in (bare[:32], bare[32:_POINT]))
        rest = bare[_POINT:]
        yield encode(x, y, rest[:_HASH], rest[_HASH:])
        yield encode(x, y, rest[-_HASH:], rest[:-_HASH])


def encode(x: int, y: int, digest: bytes, ciphertext: bytes) -> bytes:
    """Return SM2Cipher, DER."""
    return der.sequence(der.integer(x), der.integer(y), der.octet_string(digest), der.octet_string(ciphertext))


def raw(cipher: bytes, order: str) -> bytes:
    """Return SM2Cipher as its members stand in `order`, "c1c3c2" or "c1c2c3", C1 with the octet 04 in front."""
    body = der.members(cipher)
    point = b"".join(body.integer().to_bytes(32, "big") for _ in range(2))
    digest, text = body.value(der.OCTET_STRING), body.value(der.OCTET_STRING)
    return b"\x04" + point + (digest + text if order == "c1c3c2" else text + digest)


def _is_cipher(encrypted: bytes, size: int) -> bool:
    """Tell whether `encrypted` is a strict SM2Cipher over `size` octets."""
    try:
        body = der.members(encrypted)
        numbers = body.integer(), body.integer()
        lengths = len(body.value(der.OCTET_STRING)), len(body.value(der.OCTET_STRING))
        body.end()
    except MalformedInput:
        return False
    return lengths == (_HASH, size) and all(0 <= number < 1 << 256 for number in numbers)
