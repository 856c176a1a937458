"""Content ciphers: what is encrypted with a content key, piece by piece in constant memory.

    cipher = content.default(Family.CHINA)                       # what we write for a family of suites
    sealing = cipher.seal(key, parameters)                       # sealing.update(octets) …, sealing.finish()
    opening = content.for_algorithm(algorithm).open(key, parameters)

What a decryptor gives out counts only once `finish` has returned: until then it is unauthenticated. Where a cipher
authenticates (`authentication`), finish raises DecryptionFailed for a single changed bit.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import algorithms

from certs import oids
from certs.errors import UnsupportedAlgorithm
from certs.suites.base import AlgorithmID, Family
from certs.suites.content_base import Authentication, ContentCipher, Opening, Sealing
from certs.suites.content_blocks import CBC, GCM, BareSM4
from certs.suites.content_gost import ACPKM, ACPKMOMAC, GOST89

__all__ = [
    "WRITTEN",
    "Authentication",
    "ContentCipher",
    "Opening",
    "Sealing",
    "default",
    "for_algorithm",
    "for_name",
]

_WORLD, _CHINA = Family.INTERNATIONAL, Family.CHINA
_CIPHERS: tuple[ContentCipher, ...] = (
    GCM("aes-256-gcm", oids.AES256_GCM, _WORLD, 32, algorithms.AES, written=True),
    GCM("aes-192-gcm", oids.AES192_GCM, _WORLD, 24, algorithms.AES),
    GCM("aes-128-gcm", oids.AES128_GCM, _WORLD, 16, algorithms.AES),
    CBC("aes-256-cbc", oids.AES256_CBC, _WORLD, 32, algorithms.AES),
    CBC("aes-192-cbc", oids.AES192_CBC, _WORLD, 24, algorithms.AES),
    CBC("aes-128-cbc", oids.AES128_CBC, _WORLD, 16, algorithms.AES),
    CBC("sm4-cbc", oids.SM4_CBC, _CHINA, 16, algorithms.SM4, written=True),
    GCM("sm4-gcm", oids.SM4_GCM, _CHINA, 16, algorithms.SM4, written=True),
    BareSM4("sm4", oids.SM4, _CHINA, 16, algorithms.SM4),
    ACPKMOMAC("kuznyechik-ctr-acpkm-omac", oids.KUZNYECHIK_ACPKM_OMAC, 16, 262_144),
    ACPKMOMAC("magma-ctr-acpkm-omac", oids.MAGMA_ACPKM_OMAC, 8, 8_192),
    ACPKM("kuznyechik-ctr-acpkm", oids.KUZNYECHIK_ACPKM, 16, 262_144),
    ACPKM("magma-ctr-acpkm", oids.MAGMA_ACPKM, 8, 8_192),
    GOST89("gost89", oids.GOST89, Family.RUSSIA, 32),
)
_BY_NAME = {cipher.name: cipher for cipher in _CIPHERS}
_BY_OID = {cipher.oid: cipher for cipher in _CIPHERS}
_DEFAULTS = {cipher.family: cipher for cipher in reversed(_CIPHERS) if cipher.written}
WRITTEN = tuple(cipher.name for cipher in _CIPHERS if cipher.written)
"""The ciphers we encrypt with; the first of a family is its default."""


def default(family: Family) -> ContentCipher:
    """Return the cipher we write for a family of suites."""
    return _DEFAULTS[family]


def for_name(name: str) -> ContentCipher:
    """Return the cipher called `name`. Raises UnsupportedAlgorithm."""
    if name not in _BY_NAME:
        known = ", ".join(WRITTEN)
        raise UnsupportedAlgorithm(f"there is no content cipher {name!r}", hint=f"known: {known}", cipher=name)
    return _BY_NAME[name]


def for_algorithm(algorithm: AlgorithmID) -> ContentCipher:
    """Return the cipher that a contentEncryptionAlgorithm names. Raises UnsupportedAlgorithm."""
    cipher = _BY_OID.get(algorithm.oid)
    if cipher is None:
        name = oids.name(algorithm.oid)
        raise UnsupportedAlgorithm(f"the content cipher {name} is not supported", oid=algorithm.oid)
    return cipher
