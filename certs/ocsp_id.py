"""How OCSP names certificates, keys and questions: CertID, KeyHash, nonce (RFC 6960 4.1.1, 4.2.1; RFC 9654)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from certs import ber, der, oids, suites
from certs.certificate import Certificate
from certs.errors import CertsError, MalformedInput
from certs.extension_values import Extension
from certs.suites.base import AlgorithmID

MAX_CERT_ID = 1024
"""Octets of one CertID; with digests of 64 octets it has about 180."""
_WITH_NULL = frozenset({"sha1", "sha224", "sha256", "sha384", "sha512"})


@dataclass(frozen=True)
class CertID:
    """Which certificate is meant: digests of its issuer's name and key, and its serial number (RFC 6960 4.1.1)."""

    digest_oid: str
    name_hash: bytes
    key_hash: bytes
    serial: int
    der: bytes = field(default=b"", compare=False, repr=False)
    """As received, in definite lengths: copied into the answer, for readers who compare octets."""

    @property
    def issuer_key(self) -> tuple[str, bytes, bytes]:
        """What identifies the issuer, under one digest."""
        return self.digest_oid, self.name_hash, self.key_hash

    def matches(self, issuer: Certificate) -> bool:
        """Tell whether the certificate meant is one of `issuer`'s; false where the digest cannot be computed."""
        try:
            return self.issuer_key == issuer_key(issuer, self.digest_oid)
        except CertsError:
            return False


@lru_cache(maxsize=256)
def issuer_key(issuer: Certificate, digest_oid: str) -> tuple[str, bytes, bytes]:
    """Return how CertIDs under a digest name `issuer`. Raises UnsupportedAlgorithm, BackendUnavailable."""
    digest = suites.digest_name(digest_oid)
    name, key = issuer.subject_name.der, der.split_spki(issuer.spki)[1]
    return digest_oid, suites.digest(digest, name), suites.digest(digest, key)


def make_cert_id(issuer: Certificate, serial: int, digest: str = "sha1") -> bytes:
    """Return CertID (DER) for a serial number of `issuer`.

    SHA-1 is what every responder understands (RFC 6960 4.3) and is no protection of anything here. Parameters are NULL
    for the SHA family, as nearly everybody writes them, and absent for others. Raises UnsupportedAlgorithm.
    """
    oid, name_hash, key_hash = issuer_key(issuer, suites.digest_oid(digest))
    algorithm = AlgorithmID(oid, der.NULL_DER if digest in _WITH_NULL else None).der()
    return der.sequence(algorithm, der.octet_string(name_hash), der.octet_string(key_hash), der.integer(serial))


@lru_cache(maxsize=4096)
def read_cert_id(encoded: bytes) -> CertID:
    """Read CertID; cached, since the same certificates are asked for again and again. Raises MalformedInput."""
    if len(encoded) > MAX_CERT_ID:
        raise MalformedInput("a CertID that is too large")
    value = ber.load(encoded)
    members = value.members()
    algorithm = members.next(ber.SEQUENCE).members()
    oid = algorithm.next().oid()
    if algorithm.peek() is not None:
        algorithm.next()
    algorithm.end()
    name_hash, key_hash, serial = members.next().octets(), members.next().octets(), members.next().integer()
    members.end()
    return CertID(oid, name_hash, key_hash, serial, value.definite())


def key_hash(certificate: Certificate) -> bytes:
    """Return KeyHash: SHA-1 of the bits of the key, whatever the suite (RFC 6960 4.2.1)."""
    key = der.split_spki(ber.load(certificate.spki).definite())[1]
    return hashlib.sha1(key, usedforsecurity=False).digest()


def nonce_of(extensions: Iterable[Extension]) -> bytes | None:
    """Return the octets of the nonce; old clients put them into the extension without an OCTET STRING around."""
    for extension in extensions:
        if extension.oid == oids.OCSP_NONCE:
            try:
                return ber.load(extension.value).octets()
            except MalformedInput:
                return extension.value
    return None
