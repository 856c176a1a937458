"""SM2EnvelopedKey: an SM2 private key encrypted to another SM2 key (GM/T 0009-2012 7.4, GB/T 35276-2017 7.4).

    SM2EnvelopedKey ::= SEQUENCE {
        symAlgID                AlgorithmIdentifier,   -- SM4 in ECB: two blocks of a random number under a fresh key
        symEncryptedKey         SM2Cipher,
        Sm2PublicKey            SM2PublicKey,          -- BIT STRING, of the key that is delivered
        Sm2EncryptedPrivateKey  BIT STRING }

Nothing in it authenticates. What tells a changed octet is that the private key must belong to the public one, so that
is checked before anything is given out. Read besides: an OID alone as symAlgID, SM4 by its bare OID, and a scalar of 64
octets with zeros in front, as tokens have it (GB/T 35291-2017).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from certs import der, oids
from certs.errors import DecryptionFailed, MalformedInput, UnsupportedAlgorithm
from certs.suites.base import AlgorithmID, PublicKey, WrappedKey
from certs.suites.common import no_parameters
from certs.suites.encryption_vectors import check_sm4
from certs.suites.transport_sm import ENCRYPTION

_KEY_SIZE, _SCALAR = 16, 32
_CIPHER = AlgorithmID(oids.SM4_ECB, der.NULL_DER)
_MAX_SIZE = 4096


def wrap(scalar: bytes, point: bytes, recipient: PublicKey) -> bytes:
    """Return SM2EnvelopedKey, DER: a private key, of 32 octets, and its point, for the holder of `recipient`."""
    content_key = secrets.token_bytes(_KEY_SIZE)
    running = _ecb(content_key).encryptor()
    encrypted = running.update(scalar) + running.finalize()
    encrypted_key = recipient.wrap_key(content_key, "sm4-ecb").encrypted_key
    return der.sequence(_CIPHER.der(), encrypted_key, der.bit_string(point), der.bit_string(encrypted))


def unwrap(encoded: bytes, unwrap_key: Callable[[WrappedKey, int], bytes]) -> tuple[bytes, bytes]:
    """Return the private key in SM2EnvelopedKey, of 32 octets, and the point that it must have.

    `unwrap_key` is that of the key it is encrypted to. Raises DecryptionFailed whatever the reason, but MalformedInput
    and UnsupportedAlgorithm for what everybody can read.
    """
    encrypted_key, point, encrypted = _split(encoded)
    content_key = unwrap_key(WrappedKey(ENCRYPTION, encrypted_key), _KEY_SIZE)
    running = _ecb(content_key).decryptor()
    return bare(running.update(encrypted) + running.finalize()), point


def bare(octets: bytes) -> bytes:
    """Return the 32 octets of a decrypted private key, which may have 32 zeros in front. Raises DecryptionFailed."""
    if len(octets) not in (_SCALAR, 2 * _SCALAR) or any(octets[:-_SCALAR]):
        raise DecryptionFailed
    return octets[-_SCALAR:]


def is_one(encoded: bytes) -> bool:
    """Tell whether octets begin as SM2EnvelopedKey does and CMS does not: with a cipher, not with a content type."""
    try:
        return _cipher_of(der.Reader(encoded).enter()).oid.startswith(oids.SM4)
    except MalformedInput:
        return False


def _split(encoded: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the encrypted key, the public point and the encrypted scalar."""
    if len(encoded) > _MAX_SIZE:
        raise MalformedInput("too large for an SM2EnvelopedKey")
    body = der.members(encoded)
    algorithm = _cipher_of(body)
    if algorithm.oid not in (oids.SM4_ECB, oids.SM4):
        name = oids.name(algorithm.oid)
        raise UnsupportedAlgorithm(f"a private key encrypted by {name} is not supported", oid=algorithm.oid)
    no_parameters(algorithm)
    encrypted_key, point, encrypted = body.raw(der.SEQUENCE), body.bit_string(), body.bit_string()
    body.end()
    if len(point) != 1 + 2 * _SCALAR or len(encrypted) not in (_SCALAR, 2 * _SCALAR):
        raise MalformedInput("an SM2EnvelopedKey with a member of a wrong length")
    return encrypted_key, point, encrypted


def _cipher_of(body: der.Reader) -> AlgorithmID:
    if body.peek() == der.OBJECT_IDENTIFIER:
        return AlgorithmID(body.oid())
    return der.read_algorithm_identifier(body)


def _ecb(key: bytes) -> Cipher[modes.ECB]:
    check_sm4()
    return Cipher(algorithms.SM4(key), modes.ECB())  # noqa: S305 - GM/T 0009-2012 7.4 says so; never twice under a key
