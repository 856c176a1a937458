"""Certificate revocation lists of every suite: written by us, read from anybody.

    encoded = build_crl(issuer, key, entries, number=7, this_update=now, next_update=now + timedelta(days=7))
    encoded = build_crl(…, base_number=5)                                    # a delta to list 5 and all after it
    encoded = build_crl(…, scope=DistributionScope(names=(uri_name("http://…/3.crl"),)))          # one partition

    crl = CRL(encoded)
    crl.check_signed_by(issuer)          # None, or BadSignature; over the octets as received
    crl.status(serial)                   # None: not listed; else Revoked(at, reason)

RFC 5280 section 5. A list is signed in its issuer's own suite. Entries may be given already encoded, so that an
authority encodes each once in its life (`encode_entry`) and a list is a concatenation. Reading is in `certs.crl_view`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from certs import ber, der, extensions, oids
from certs.certificate import Certificate
from certs.crl_view import (
    ALL_REASONS,
    CRL,
    KNOWN_CRITICAL,
    REASONS,
    DistributionScope,
    Revoked,
    load_crls,
)
from certs.errors import BadSignature, IssuanceError
from certs.extension_values import Extension
from certs.keys.base import KeyHandle
from certs.names import Name
from certs.suites.base import Use

__all__ = [
    "ALL_REASONS",
    "CRL",
    "KNOWN_CRITICAL",
    "REASONS",
    "REMOVE_FROM_CRL",
    "DistributionScope",
    "Revoked",
    "build_crl",
    "encode_entry",
    "issuing_distribution_point",
    "load_crls",
    "uri_name",
]

REMOVE_FROM_CRL = "removeFromCRL"
"""Stands in delta lists only (RFC 5280 5.3.1): the certificate was on hold and is good again."""


def build_crl(
    issuer: Certificate,
    key: KeyHandle,
    revoked: Sequence[tuple[int, datetime, str]] | bytes,
    *,
    number: int,
    this_update: datetime,
    next_update: datetime,
    issuer_key_id: bytes | None = None,
    scope: DistributionScope | None = None,
    base_number: int | None = None,
    freshest: Sequence[str] = (),
    expired_since: datetime | None = None,
) -> bytes:
    """Return a list (DER) signed by `key` in its own suite.

    `revoked` holds serial, moment and reason (a name of RFC 5280 5.3.1), or the concatenated octets of `encode_entry`.
    `scope` limits the list, `base_number` makes it a delta, `freshest` says where deltas to it are, `expired_since`
    promises that certificates which expired from then on stay listed. The list is read back and verified before it is
    returned. Raises IssuanceError, and what the key raises.
    """
    algorithm = key.suite.signature_algorithm(Use.X509).der()
    if isinstance(revoked, bytes):
        entries = revoked
    else:
        entries = b"".join(encode_entry(serial, at, reason) for serial, at, reason in revoked)
    identifier = issuer_key_id or issuer.ski or extensions.key_id(issuer.spki)
    members = [
        extensions.authority_key_identifier(identifier),
        Extension(oids.CRL_NUMBER, False, der.integer(number)),
    ]
    if base_number is not None:
        members.append(Extension(oids.DELTA_CRL_INDICATOR, True, der.integer(base_number)))
    if scope is not None and scope != DistributionScope():
        members.append(issuing_distribution_point(scope))
    if freshest:
        members.append(extensions.freshest_crl(freshest))
    if expired_since is not None:
        members.append(Extension(oids.EXPIRED_CERTS_ON_CRL, False, ber.encode_generalized_time(expired_since)))
    tbs = der.sequence(
        der.integer(1),
        algorithm,
        issuer.subject_name.der,
        ber.encode_time(this_update),
        ber.encode_time(next_update),
        der.tlv(der.SEQUENCE, entries) if entries else b"",
        der.tlv(0xA0, der.sequence(*map(extensions.encode, members))),
    )
    encoded = extensions.signed(tbs, algorithm, key.sign(tbs))
    made = CRL(encoded)
    try:
        made.check_signed_by(issuer)
    except BadSignature as error:
        raise IssuanceError("the revocation list does not verify with the issuer's certificate") from error
    return encoded


def encode_entry(
    serial: int,
    at: datetime,
    reason: str,
    *,
    invalid_since: datetime | None = None,
    certificate_issuer: Name | None = None,
) -> bytes:
    """Return one entry (DER); the reason is left out where it is "unspecified" (RFC 5280 5.3.1).

    `certificate_issuer` is for indirect lists (RFC 5280 5.3.3). Raises IssuanceError for an unknown reason.
    """
    number = 8 if reason == REMOVE_FROM_CRL else REASONS.get(reason)
    if number is None:
        raise IssuanceError(f"{reason!r} is no reason for revocation")
    tail: list[Extension] = []
    if number:
        tail.append(Extension(oids.CRL_REASON, False, der.tlv(ber.ENUMERATED, bytes((number,)))))
    if invalid_since is not None:
        tail.append(Extension(oids.INVALIDITY_DATE, False, ber.encode_generalized_time(invalid_since)))
    if certificate_issuer is not None:
        names = der.sequence(der.tlv(0xA4, certificate_issuer.der))
        tail.append(Extension(oids.CERTIFICATE_ISSUER, True, names))
    wrapped = der.sequence(*map(extensions.encode, tail)) if tail else b""
    return der.sequence(der.integer(serial), ber.encode_time(at), wrapped)


def uri_name(address: str) -> bytes:
    """Return a GeneralName (DER) that holds an address."""
    return extensions.uri(address)


def issuing_distribution_point(scope: DistributionScope) -> Extension:
    """Return issuingDistributionPoint, critical (RFC 5280 5.2.5)."""
    true = b"\x01\xff"
    point = b""
    if scope.names:
        point = der.tlv(0xA0, der.tlv(0xA0, b"".join(scope.names)))
    elif scope.relative is not None:
        point = der.tlv(0xA0, der.tlv(0xA1, scope.relative))
    reasons = b"" if scope.reasons == ALL_REASONS else der.tlv(0x83, extensions.reason_flags(scope.reasons))
    return Extension(
        oids.ISSUING_DISTRIBUTION_POINT,
        True,
        der.sequence(
            point,
            b"\x81" + true if scope.only_users else b"",
            b"\x82" + true if scope.only_authorities else b"",
            reasons,
            b"\x84" + true if scope.indirect else b"",
            b"\x85" + true if scope.only_attributes else b"",
        ),
    )
