"""Content keys under secrets that ML-KEM encapsulates (RFC 9936, RFC 9629).

HKDF with SHA-256 over CMSORIforKEMOtherInfo and AES-256 key wrap are written; HKDF with SHA-384 and SHA-512 and the
shorter key wraps are read. A ciphertext that was changed gives another secret and no error (FIPS 203 6.3), so the key
wrap is what fails then; one of a wrong length fails before. Both look the same.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from certs import der, oids
from certs.errors import DecryptionFailed, MalformedInput, UnsupportedAlgorithm
from certs.suites.base import AlgorithmID, Encapsulated, WrappedKey
from certs.suites.common import no_parameters
from certs.suites.transport_ec import WRAP, WRAPS, known_wrap

_KDFS: dict[str, type[hashes.HashAlgorithm]] = {
    oids.HKDF_SHA256: hashes.SHA256,
    oids.HKDF_SHA384: hashes.SHA384,
    oids.HKDF_SHA512: hashes.SHA512,
}
_KDF = AlgorithmID(oids.HKDF_SHA256)


def wrap(key: Any, oid: str, content_key: bytes) -> WrappedKey:
    """Encrypt a content key; `oid` is that of the recipient's parameter set."""
    secret, ciphertext = key.encapsulate()
    encapsulated = Encapsulated(ciphertext, _KDF, WRAPS[WRAP.oid], WRAP)
    encrypted = aes_key_wrap(_derive(secret, encapsulated, None), content_key)
    return WrappedKey(AlgorithmID(oid), encrypted, encapsulated=encapsulated)


def unwrap(key: Any, oid: str, wrapped: WrappedKey, size: int) -> bytes:
    """Decrypt a content key; see `PrivateKey.unwrap_key`. Raises MalformedInput for a kekLength that does not fit."""
    encapsulated = wrapped.encapsulated
    if encapsulated is None or wrapped.algorithm.oid != oid:
        name = oids.name(wrapped.algorithm.oid)
        raise UnsupportedAlgorithm(f"{name} is not for a key of {oids.name(oid)}", oid=wrapped.algorithm.oid)
    if encapsulated.kdf.oid not in _KDFS:
        name = oids.name(encapsulated.kdf.oid)
        raise UnsupportedAlgorithm(f"key derivation {name} is not supported", oid=encapsulated.kdf.oid)
    known_wrap(encapsulated.wrap)
    for algorithm in (wrapped.algorithm, encapsulated.kdf):
        no_parameters(algorithm, null=False)  # RFC 9935 3, RFC 8619 2: MUST be absent
    if encapsulated.kek_size != WRAPS[encapsulated.wrap.oid]:  # RFC 9629 3: MUST be consistent
        raise MalformedInput("the length of the key-encryption key is not the key wrap's")
    try:
        secret = key.decapsulate(encapsulated.ciphertext)
        content_key = aes_key_unwrap(_derive(secret, encapsulated, wrapped.ukm), wrapped.encrypted_key)
    except (InvalidUnwrap, ValueError):
        raise DecryptionFailed from None
    if len(content_key) != size:
        raise DecryptionFailed
    return content_key


def _derive(secret: bytes, encapsulated: Encapsulated, ukm: bytes | None) -> bytes:
    """Return the key-encryption key: HKDF without salt over CMSORIforKEMOtherInfo (RFC 9629 5, RFC 9936 2.2.1)."""
    info = der.sequence(
        encapsulated.wrap.der(),
        der.integer(encapsulated.kek_size),
        b"" if ukm is None else der.tlv(0xA0, der.octet_string(ukm)),
    )
    return HKDF(_KDFS[encapsulated.kdf.oid](), encapsulated.kek_size, None, info).derive(secret)
