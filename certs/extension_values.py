"""The contents of extensions, read as strangers write them (RFC 5280 4.2 and 5.2).

    extensions = read_extensions(value)
    read_key_usage(ber.load(extension.value))        # frozenset({"digital_signature"})

Every reader takes the value inside the extension's OCTET STRING and raises MalformedInput for what it cannot read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from certs import ber, der, oids
from certs.errors import MalformedInput
from certs.names import decode_text

KEY_USAGE_BITS = (
    "digital_signature",
    "non_repudiation",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
"""RFC 5280 4.2.1.3, bit 0 first."""


@dataclass(frozen=True)
class Extension:
    """One extension as received; `value` is the contents of its OCTET STRING."""

    oid: str
    critical: bool
    value: bytes


@dataclass(frozen=True)
class DistributionPoint:
    """One CRL distribution point: the URIs of its full name, and whether it is limited to reasons or another issuer."""

    uris: tuple[str, ...]
    names: tuple[bytes, ...]
    """DER of each GeneralName of the full name, for comparison with a CRL's own."""
    reasons: bool
    other_issuer: bool
    reason_bits: frozenset[int] | None = None
    """Bits of ReasonFlags the point is limited to (RFC 5280 4.2.1.13); None: all."""
    issuers: tuple[bytes, ...] = ()
    """DER of each GeneralName in cRLIssuer."""
    relative: bytes | None = None
    """The contents of nameRelativeToCRLIssuer, a SET of attributes."""


def read_extensions(value: ber.Value) -> tuple[Extension, ...]:
    """Return the extensions of a certificate, CRL or CRL entry. Raises MalformedInput."""
    out: list[Extension] = []
    for item in value.expect(ber.SEQUENCE):
        members = item.members()
        kind = members.next().oid()
        flag = members.optional(ber.BOOLEAN)
        out.append(Extension(kind, flag is not None and flag.boolean(), members.next().octets()))
        members.end()
        if len(out) > 100:
            raise MalformedInput("more than 100 extensions")
    return tuple(out)


def read_key_usage(value: ber.Value) -> frozenset[str]:
    """Return the names of the bits of keyUsage that are set."""
    return frozenset(KEY_USAGE_BITS[bit] for bit in value.named_bits() if bit < len(KEY_USAGE_BITS))


def read_oids(value: ber.Value) -> frozenset[str]:
    """Return a SEQUENCE OF OBJECT IDENTIFIER as a set."""
    return frozenset(item.oid() for item in value.expect(ber.SEQUENCE))


def read_basic_constraints(value: ber.Value) -> tuple[bool, int | None]:
    """Return whether the subject is a CA, and the path length."""
    members = value.members()
    flag = members.optional(ber.BOOLEAN)
    length = members.optional(ber.INTEGER)
    members.end()
    path_length = length.integer() if length else None
    if path_length is not None and path_length < 0:
        raise MalformedInput("a negative path length")
    return (flag is not None and flag.boolean(), path_length)


def read_aki(value: ber.Value) -> bytes | None:
    """Return the key identifier of an authorityKeyIdentifier."""
    return next((member.content() for member in value.expect(ber.SEQUENCE) if member.tag == 0x80), None)


def read_distribution_points(value: ber.Value) -> tuple[DistributionPoint, ...]:
    """Return the points of cRLDistributionPoints."""
    out: list[DistributionPoint] = []
    for item in value.expect(ber.SEQUENCE):
        members = item.members()
        name = members.optional(ber.context(0))
        reasons = members.optional(0x81)
        issuer = members.optional(ber.context(2))
        members.end()
        names = read_full_name(name.only()) if name else ()
        bits = read_reason_flags(reasons) if reasons else None
        issuers = tuple(general.raw() for general in issuer) if issuer else ()
        relative = read_relative_name(name.only()) if name else None
        out.append(
            DistributionPoint(uris_of(names), names, bits is not None, issuer is not None, bits, issuers, relative)
        )
    return tuple(out)


def read_reason_flags(value: ber.Value) -> frozenset[int]:
    """Return the bits of an implicitly tagged ReasonFlags; bit 0 means nothing (RFC 5280 4.2.1.13)."""
    return ber.load(der.tlv(ber.BIT_STRING, value.content())).named_bits() - {0}


def read_relative_name(value: ber.Value) -> bytes | None:
    """Return the contents of nameRelativeToCRLIssuer, or None for a full name."""
    return value.content() if value.tag == ber.context(1) else None


def read_full_name(value: ber.Value) -> tuple[bytes, ...]:
    """Return the DER of each GeneralName of a DistributionPointName's fullName; none for a relative name."""
    return tuple(general.raw() for general in value) if value.tag == ber.context(0) else ()


def uris_of(names: tuple[bytes, ...]) -> tuple[str, ...]:
    """Return the URIs among encoded GeneralNames."""
    values = (ber.load(name) for name in names)
    return tuple(decode_text(0x16, value.content()) for value in values if value.tag == 0x86)


def read_policies(value: ber.Value) -> tuple[str, ...]:
    """Return the OIDs of certificatePolicies."""
    return tuple(item.members().next().oid() for item in value.expect(ber.SEQUENCE))


READERS: dict[str, Callable[[ber.Value], object]] = {
    oids.KEY_USAGE: read_key_usage,
    oids.EXTENDED_KEY_USAGE: read_oids,
    oids.BASIC_CONSTRAINTS: read_basic_constraints,
    oids.SUBJECT_KEY_IDENTIFIER: lambda value: value.octets(),
    oids.AUTHORITY_KEY_IDENTIFIER: read_aki,
    oids.CRL_DISTRIBUTION_POINTS: read_distribution_points,
    oids.FRESHEST_CRL: read_distribution_points,
    oids.CERTIFICATE_POLICIES: read_policies,
}
"""Extensions whose contents we read; one that its reader refuses is a problem of the certificate."""


def text_of(value: bytes) -> str:
    """Return the text of a private extension: a string, a string in something, or bare octets."""
    try:
        inner = ber.load(value)
        while inner.constructed:
            inner = next(iter(inner))
        return decode_text(inner.tag, inner.content()).strip()
    except (MalformedInput, StopIteration):
        return decode_text(0x0C, value).strip()
