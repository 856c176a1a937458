"""Content keys agreed with keys on Curve25519 and Curve448 (RFC 8418), ephemeral-static.

HKDF over ECC-CMS-SharedInfo and AES-256 key wrap are written, with SHA-256 for X25519 and SHA-512 for X448; the X9.63
KDF of RFC 8418 2.1 and the shorter key wraps are read. A shared secret of zeros, which a sender's point of small order
gives whatever the private key is, is refused (RFC 7748 6.1; the library does it).
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import x448, x25519
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from certs import der, oids
from certs.errors import BadKey, DecryptionFailed, MalformedInput
from certs.suites.base import AlgorithmID, WrappedKey
from certs.suites.common import no_parameters
from certs.suites.plain import spki_of
from certs.suites.transport_ec import WRAP, WRAPS, X963_SCHEMES, read_agreement, shared_info

_HKDF_SCHEMES: dict[str, type[hashes.HashAlgorithm]] = {
    oids.ECDH_HKDF_SHA256: hashes.SHA256,
    oids.ECDH_HKDF_SHA384: hashes.SHA384,
    oids.ECDH_HKDF_SHA512: hashes.SHA512,
}
"""dhSinglePass-stdDH-hkdf-…-scheme to the digest of its KDF."""
_X963 = {oid: X963_SCHEMES[oid] for oid in (oids.ECDH_SHA256, oids.ECDH_SHA384, oids.ECDH_SHA512)}
_SCHEMES = frozenset((*_HKDF_SCHEMES, *_X963))
_OIDS = {x25519.X25519PrivateKey: oids.X25519, x448.X448PrivateKey: oids.X448}


def wrap_x25519(key: x25519.X25519PublicKey, content_key: bytes) -> WrappedKey:
    """Encrypt a content key."""
    return _wrap(x25519.X25519PrivateKey.generate(), key, oids.ECDH_HKDF_SHA256, content_key)


def wrap_x448(key: x448.X448PublicKey, content_key: bytes) -> WrappedKey:
    """Encrypt a content key."""
    return _wrap(x448.X448PrivateKey.generate(), key, oids.ECDH_HKDF_SHA512, content_key)


def _wrap(ephemeral: Any, key: Any, scheme: str, content_key: bytes) -> WrappedKey:
    encrypted = aes_key_wrap(_derive(ephemeral.exchange(key), scheme, WRAP, None), content_key)
    return WrappedKey(AlgorithmID(scheme, WRAP.der()), encrypted, spki_of(ephemeral.public_key()))


def unwrap_x25519(key: x25519.X25519PrivateKey, wrapped: WrappedKey, size: int) -> bytes:
    """Decrypt a content key; see `PrivateKey.unwrap_key`."""
    return _unwrap(key, x25519.X25519PublicKey, oids.X25519, wrapped, size)


def unwrap_x448(key: x448.X448PrivateKey, wrapped: WrappedKey, size: int) -> bytes:
    """Decrypt a content key; see `PrivateKey.unwrap_key`."""
    return _unwrap(key, x448.X448PublicKey, oids.X448, wrapped, size)


def _unwrap(key: Any, kind: Any, oid: str, wrapped: WrappedKey, size: int) -> bytes:
    scheme, algorithm, originator = read_agreement(wrapped, _SCHEMES)
    try:
        point = kind.from_public_bytes(_octets(originator, oid))
        kek = _derive(key.exchange(point), scheme, algorithm, wrapped.ukm)
        content_key: bytes = aes_key_unwrap(kek, wrapped.encrypted_key)
    except (InvalidUnwrap, BadKey, MalformedInput, ValueError):  # among them: a shared secret of zeros
        raise DecryptionFailed from None
    if len(content_key) != size:
        raise DecryptionFailed
    return content_key


def _octets(originator: bytes, oid: str) -> bytes:
    """Return the sender's point, which must be on the recipient's curve (RFC 8418 3)."""
    algorithm, octets = der.split_spki(originator)
    if algorithm.oid != oid:
        raise BadKey("the sender's key is of another kind")
    no_parameters(algorithm)
    return octets


def _derive(shared: bytes, scheme: str, algorithm: AlgorithmID, ukm: bytes | None) -> bytes:
    """Return the key-encryption key."""
    size, info = WRAPS[algorithm.oid], shared_info(algorithm, ukm)
    if scheme in _X963:
        return X963KDF(_X963[scheme](), size, info).derive(shared)
    # RFC 8418 2.2: what keying material there is, is the salt too
    return HKDF(_HKDF_SCHEMES[scheme](), size, ukm, info).derive(shared)
