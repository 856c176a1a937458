"""Attributes of a SignerInfo as received, and the algorithms in it; the small parts of `certs.signed_view`."""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest

from certs import ber, oids, suites
from certs.certificate import Certificate
from certs.errors import MalformedInput
from certs.suites.base import AlgorithmID

_DIGEST_OF_SIGNATURE = {
    oids.SM2_WITH_SM3: "sm3",
    oids.SM2_SIGNATURE: "sm3",
    oids.GOST2012_256_SIGNATURE: "streebog256",
    oids.GOST2012_512_SIGNATURE: "streebog512",
    oids.GOST2001_SIGNATURE: "gost94",
    oids.SHA1_WITH_RSA: "sha1",
    oids.SHA224_WITH_RSA: "sha224",
    oids.SHA256_WITH_RSA: "sha256",
    oids.SHA384_WITH_RSA: "sha384",
    oids.SHA512_WITH_RSA: "sha512",
    oids.DSA_SHA1: "sha1",
    oids.DSA_SHA224: "sha224",
    oids.DSA_SHA256: "sha256",
    oids.DSA_SHA384: "sha384",
    oids.DSA_SHA512: "sha512",
    oids.ECDSA_SHA1: "sha1",
    oids.ECDSA_SHA224: "sha224",
    oids.ECDSA_SHA256: "sha256",
    oids.ECDSA_SHA384: "sha384",
    oids.ECDSA_SHA512: "sha512",
}
"""Signature OIDs met in digestAlgorithm."""


def digest_name(oid: str) -> str:
    """Return the digest that `oid` in a digestAlgorithm means. Raises UnsupportedAlgorithm."""
    return _DIGEST_OF_SIGNATURE.get(oid) or suites.digest_name(oid)


@dataclass(frozen=True)
class SigningCertificate:
    """What signing-certificate(-v2) says the signer's certificate is (RFC 5035)."""

    digest_oid: str
    digest: bytes
    issuer: bytes | None = None
    """DER of the issuer's Name where issuerSerial is given."""
    serial: int | None = None

    def matches(self, certificate: Certificate) -> bool:
        """Tell whether `certificate` is the one named. Raises UnsupportedAlgorithm for a digest we cannot compute."""
        computed = suites.digest(digest_name(self.digest_oid), certificate.der)
        if not compare_digest(computed, self.digest):
            return False
        return self.serial is None or self.serial == certificate.serial


def read_ess(value: ber.Value, default: str) -> SigningCertificate:
    """Read ESSCertID or ESSCertIDv2."""
    members = value.members()
    algorithm = members.optional(ber.SEQUENCE)
    digest_oid = read_algorithm(algorithm).oid if algorithm else default
    digest = members.next().octets()
    issuer_serial = members.optional(ber.SEQUENCE)
    members.end()
    issuer: bytes | None = None
    serial: int | None = None
    if issuer_serial is not None:
        pair = issuer_serial.members()
        names = [name for name in pair.next(ber.SEQUENCE) if name.tag == 0xA4]
        issuer = names[0].only().raw() if names else None
        serial = pair.next().integer()
        pair.end()
    return SigningCertificate(digest_oid, digest, issuer, serial)


def values_of(attributes: tuple[tuple[str, tuple[bytes, ...]], ...], oid: str) -> tuple[bytes, ...]:
    """Return the encoded values of attribute `oid`; none where it is absent. Raises MalformedInput if twice."""
    found = [values for kind, values in attributes if kind == oid]
    if len(found) > 1:
        raise MalformedInput(f"attribute {oids.name(oid)} stands twice")
    return found[0] if found else ()


def read_attributes(value: ber.Value) -> tuple[tuple[str, tuple[bytes, ...]], ...]:
    """Return OID and encoded values of each attribute, in order. Raises MalformedInput."""
    out: list[tuple[str, tuple[bytes, ...]]] = []
    for item in value:
        members = item.members()
        kind = members.next().oid()
        values = tuple(inner.raw() for inner in members.next(ber.SET))
        members.end()
        out.append((kind, values))
        if len(out) > 200:
            raise MalformedInput("more than 200 attributes")
    return tuple(out)


def looks_like_attributes(content: bytes) -> bool:
    """Tell whether `content` is a SET OF Attribute with message-digest.

    A signature over signed attributes also verifies as one without them over the attributes' own octets; nobody signs
    such octets as a document (the ambiguity of RFC 5652 5.4).
    """
    if content[:1] != b"\x31":
        return False
    try:
        return any(kind == oids.MESSAGE_DIGEST for kind, _ in read_attributes(ber.load(content)))
    except MalformedInput:
        return False


def read_algorithm(value: ber.Value) -> AlgorithmID:
    """Read AlgorithmIdentifier. Raises MalformedInput."""
    members = value.members()
    algorithm = members.next().oid()
    parameters = None if members.peek() is None else members.next().raw()
    members.end()
    return AlgorithmID(algorithm, parameters)
