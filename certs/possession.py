"""Requests for keys that cannot sign: another key of the holder states that he has this one (RFC 9883).

    data = make_request(key, name, by=Voucher(signing_key, signing_certificate))       # certs.request
    request.statement                                    # which certificate vouches for it
    request.verify(certificate)                          # the suite, or BadSignature

    PrivateKeyPossessionStatement ::= SEQUENCE { signer IssuerAndSerialNumber, cert Certificate OPTIONAL }

It is no proof that the holder has the key, but his signature under saying so; what is encrypted to a key that he lacks
is lost to him alone. A statement counts for keys that only encrypt (RFC 9883 4): all others sign for themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from certs import ber, der, oids
from certs.certificate import Certificate
from certs.errors import BadKey, IssuanceError
from certs.keys.base import KeyHandle
from certs.names import Name

if TYPE_CHECKING:
    from certs.ledger import Entry

SIGNING = ("digital_signature", "non_repudiation")


@dataclass(frozen=True)
class Voucher:
    """Who signs a request for a key that cannot."""

    key: KeyHandle
    certificate: Certificate

    def check(self) -> None:
        """Raise BadKey where the two do not belong together, or do not sign."""
        if self.key.public_key.spki != self.certificate.public_key().spki:
            raise BadKey("the certificate that vouches is of another key than the one that signs")
        if not self.certificate.allows(*SIGNING):
            raise BadKey("the certificate that vouches is not for signatures, by its key usage")


@dataclass(frozen=True)
class Statement:
    """Whose certificate vouches for the key of a request."""

    issuer: bytes
    """Name, DER."""
    serial: int
    certificate: Certificate | None = None
    """The certificate itself, where it stands in the request; nobody has looked at it."""

    def is_of(self, certificate: Certificate) -> bool:
        """Tell whether it names `certificate`."""
        return self.serial == certificate.serial and Name(self.issuer).key == certificate.issuer_name.key


def encode(certificate: Certificate) -> bytes:
    """Return the attribute of a request, DER; the certificate stands in it."""
    signer = der.sequence(certificate.issuer_name.der, der.integer(certificate.serial))
    value = der.sequence(signer, certificate.der)
    return der.sequence(der.oid(oids.STATEMENT_OF_POSSESSION), der.tlv(der.SET, value))


def read(value: bytes) -> Statement:
    """Read the value of the attribute. Raises MalformedInput."""
    members = ber.load(value).members()
    signer = members.next(ber.SEQUENCE).members()
    issuer, serial = signer.next(ber.SEQUENCE).raw(), signer.next().integer()
    signer.end()
    certificate = members.optional(ber.SEQUENCE)
    members.end()
    return Statement(issuer, serial, None if certificate is None else Certificate(certificate.raw()))


def certified(statement: Statement, entry: Entry | None, now: datetime) -> Certificate:
    """Return the certificate that vouches, as an authority has it on record: its own, for signatures, good today.

    RFC 9883 5 asks for a path validation; what the authority issued itself it finds in its ledger. Raises
    IssuanceError.
    """
    refused = "the certificate that vouches for the key"
    if entry is None or entry.certificate is None:
        raise IssuanceError(f"{refused} is none of this authority", hint="sign with a key that it has certified")
    certificate = Certificate(entry.certificate)
    if not statement.is_of(certificate):
        raise IssuanceError(f"{refused} is none of this authority", hint="sign with a key that it has certified")
    if entry.state != "issued":
        raise IssuanceError(f"{refused} is revoked or on hold", serial=certificate.serial_hex)
    if not certificate.not_before <= now <= certificate.not_after:
        raise IssuanceError(f"{refused} is not valid now", serial=certificate.serial_hex)
    if certificate.is_ca or not certificate.allows(*SIGNING):
        raise IssuanceError(f"{refused} is not for a holder's signatures", serial=certificate.serial_hex)
    return certificate
