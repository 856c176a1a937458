"""The attribute signature-policy-identifier (ETSI EN 319 122-1 5.2.9): rules that a signature was made under, by hash.

    value = encode(octets, "sm3")                  # the value of the signed attribute, DER
    policy = read(value)                           # SignaturePolicy, or None for "implied"
    policy.is_of(octets)                           # by the digest alone; the name proves nothing

A framework agreement is such a policy: rules for making and verifying signatures, agreed by the parties. The object
identifier is only a name for people and programs, made from the octets themselves under 2.25 (Rec. ITU-T X.667, with a
UUID of version 8, RFC 9562 5.8), so that nobody has to register anything; what binds is the digest.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final

from certs import ber, der, oids, suites
from certs.errors import MalformedInput, UnsupportedAlgorithm
from certs.signed_attributes import digest_name, read_algorithm

ACCEPTED: Final = frozenset(
    {"sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512", "sm3", "streebog256", "streebog512"}
)
"""Digests by which octets can be named; of a weaker one somebody may have found two files."""


@dataclass(frozen=True)
class SignaturePolicy:
    """What the attribute says."""

    oid: str
    digest_oid: str
    digest: bytes

    def is_of(self, octets: bytes) -> bool:
        """Tell whether `octets` are the policy. Raises UnsupportedAlgorithm for a digest that is unknown or weak."""
        name = digest_name(self.digest_oid)
        if name not in ACCEPTED:
            raise UnsupportedAlgorithm(f"a policy is not named by {name}, which is too weak")
        return compare_digest(suites.digest(name, octets), self.digest)


def name_of(octets: bytes) -> str:
    """Return the object identifier that these octets are called by."""
    head = bytearray(hashlib.sha256(octets).digest()[:16])
    head[6] = 0x80 | head[6] & 0x0F  # version 8
    head[8] = 0x80 | head[8] & 0x3F  # variant of RFC 9562
    return f"2.25.{uuid.UUID(bytes=bytes(head)).int}"


def encode(octets: bytes, digest: str) -> bytes:
    """Return the value that names `octets` by a digest, such as that of the signer's suite."""
    algorithm = suites.digest_algorithm(digest).der()
    hashed = der.sequence(algorithm, der.octet_string(suites.digest(digest, octets)))
    return der.sequence(der.oid(name_of(octets)), hashed)


def read(value: bytes) -> SignaturePolicy | None:
    """Read a value of the attribute; None where the policy is implied and nothing is named. Raises MalformedInput."""
    found = ber.load(value)
    if found.tag == ber.NULL:
        return None
    members = found.members()
    name = members.next().oid()
    hashed = members.next(ber.SEQUENCE).members()
    algorithm = read_algorithm(hashed.next(ber.SEQUENCE))
    digest = hashed.next().octets()
    hashed.end()
    if members.optional(ber.SEQUENCE) is not None:
        pass  # qualifiers: an address or a notice, which bind nothing
    members.end()
    return SignaturePolicy(name, algorithm.oid, digest)


def of_attributes(values: tuple[bytes, ...]) -> SignaturePolicy | None:
    """Return what the values of the attribute say; None where there is none. Raises MalformedInput."""
    if not values:
        return None
    if len(values) > 1:
        raise MalformedInput(f"attribute {oids.name(oids.SIGNATURE_POLICY)} has several values")
    return read(values[0])
