"""Extensions and to-be-signed structures as we write them, straight to DER.

    extensions.key_usage({"key_cert_sign", "crl_sign"})
    extensions.certificate_tbs(serial=…, …)

Nothing here decides what a certificate should hold; `certs.profiles` and `certs.ca` do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime

from certs import ber, der, oids
from certs.errors import MalformedInput
from certs.extension_values import KEY_USAGE_BITS, Extension

TRUE = b"\x01\x01\xff"


def key_id(spki: bytes) -> bytes:
    """Return the key identifier: the first 20 octets of SHA-256 over the key bits (RFC 7093 section 2, method 1)."""
    return hashlib.sha256(der.split_spki(spki)[1]).digest()[:20]


def encode(extension: Extension) -> bytes:
    """Return the DER of an Extension; `critical` only where true, as DER wants it."""
    flag = TRUE if extension.critical else b""
    return der.sequence(der.oid(extension.oid), flag, der.octet_string(extension.value))


def key_usage(names: Collection[str]) -> Extension:
    """Return keyUsage, critical (RFC 5280 4.2.1.3); names in snake case."""
    bits = sorted(KEY_USAGE_BITS.index(name) for name in names)
    octets = bytearray(bits[-1] // 8 + 1)
    for bit in bits:
        octets[bit // 8] |= 0x80 >> bit % 8
    unused = 7 - bits[-1] % 8
    return Extension(oids.KEY_USAGE, True, der.tlv(der.BIT_STRING, bytes((unused,)) + octets))


def basic_constraints(*, ca: bool, path_length: int | None = None) -> Extension:
    """Return basicConstraints, critical (RFC 5280 4.2.1.9)."""
    length = b"" if path_length is None else der.integer(path_length)
    return Extension(oids.BASIC_CONSTRAINTS, True, der.sequence(TRUE + length if ca else b""))


def subject_key_identifier(identifier: bytes) -> Extension:
    """Return subjectKeyIdentifier."""
    return Extension(oids.SUBJECT_KEY_IDENTIFIER, False, der.octet_string(identifier))


def authority_key_identifier(identifier: bytes) -> Extension:
    """Return authorityKeyIdentifier with the key identifier only."""
    return Extension(oids.AUTHORITY_KEY_IDENTIFIER, False, der.sequence(der.tlv(0x80, identifier)))


def extended_key_usage(purposes: Sequence[str], *, critical: bool) -> Extension:
    """Return extendedKeyUsage; dotted OIDs."""
    return Extension(oids.EXTENDED_KEY_USAGE, critical, der.sequence(*map(der.oid, purposes)))


def _uri(address: str) -> bytes:
    try:
        octets = address.encode("ascii")
    except UnicodeEncodeError as error:
        raise MalformedInput("an address in a certificate must be ASCII") from error
    return der.tlv(0x86, octets)


def uri(address: str) -> bytes:
    """Return a GeneralName (DER) that holds an address. Raises MalformedInput."""
    return _uri(address)


def crl_distribution_points(
    addresses: Sequence[str], *, crl_issuer: bytes | None = None, reasons: Collection[int] = ()
) -> Extension:
    """Return cRLDistributionPoints, one point per address.

    `crl_issuer` is the DER of the name of an indirect list's issuer, `reasons` bits of ReasonFlags.
    """
    return Extension(oids.CRL_DISTRIBUTION_POINTS, False, _points(addresses, crl_issuer, reasons))


def freshest_crl(addresses: Sequence[str]) -> Extension:
    """Return freshestCRL, where delta lists are; never critical (RFC 5280 4.2.1.15, 5.2.6)."""
    return Extension(oids.FRESHEST_CRL, False, _points(addresses, None, ()))


def _points(addresses: Sequence[str], crl_issuer: bytes | None, reasons: Collection[int]) -> bytes:
    tail = der.tlv(0x81, reason_flags(reasons)) if reasons else b""
    if crl_issuer is not None:
        tail += der.tlv(0xA2, der.tlv(0xA4, crl_issuer))
    return der.sequence(*(der.sequence(der.tlv(0xA0, der.tlv(0xA0, _uri(address))), tail) for address in addresses))


def reason_flags(bits: Collection[int]) -> bytes:
    """Return the contents of a ReasonFlags BIT STRING (RFC 5280 4.2.1.13)."""
    octets = bytearray(max(bits) // 8 + 1)
    for bit in bits:
        octets[bit // 8] |= 0x80 >> bit % 8
    return bytes((7 - max(bits) % 8,)) + octets


def ca_issuers(address: str) -> Extension:
    """Return authorityInfoAccess that says where the issuer's certificate is."""
    return Extension(
        oids.AUTHORITY_INFO_ACCESS, False, der.sequence(der.sequence(der.oid(oids.CA_ISSUERS), _uri(address)))
    )


def certificate_tbs(
    *,
    serial: int,
    algorithm: bytes,
    issuer: bytes,
    not_before: datetime,
    not_after: datetime,
    subject: bytes,
    spki: bytes,
    extensions: Sequence[Extension],
) -> bytes:
    """Return TBSCertificate, version 3. `algorithm`, `issuer`, `subject` and `spki` are DER; times are inclusive."""
    return der.sequence(
        b"\xa0\x03\x02\x01\x02",
        der.integer(serial),
        algorithm,
        issuer,
        der.sequence(ber.encode_time(not_before), ber.encode_time(not_after)),
        subject,
        spki,
        der.tlv(0xA3, der.sequence(*map(encode, extensions))),
    )


def signed(tbs: bytes, algorithm: bytes, signature: bytes) -> bytes:
    """Return SEQUENCE { tbs, algorithm, BIT STRING }: a certificate or a CRL."""
    return der.sequence(tbs, algorithm, der.bit_string(signature))
