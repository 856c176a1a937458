"""Proofs of existence: since when each object is known to have existed (EN 319 102-1 5.6.2.3).

    proofs = Proofs(now)
    proofs = proofs.with_(covered_by(view), token.gen_time)      # a time-stamp over a CMS and all that is in it
    proofs.moment(signature, certificate.der)                    # the earliest of them; now where nothing is proven

An object is its octets: the value of a signature, a certificate, a list, an OCSP answer. Whatever is at hand exists at
the moment of validation; with `--at` the caller's word stands for that. Only a time-stamp that was itself believed may
add a proof (`signer.verification.times`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from certs import oids
from certs.certificate import Certificate
from certs.crl import CRL
from certs.errors import CertsError
from certs.ocsp import OCSPResponse
from certs.signed_data import SignedDataView
from certs.timestamp import TimeStampToken, read_token
from signer.verification.revocation import read_evidence
from signer.verification.setting import Setting

TIME_STAMP_ATTRIBUTES = {
    oid: oids.name(oid)
    for oid in (
        oids.CADES_C_TIME_STAMP,
        oids.REFERENCES_TIME_STAMP,
        oids.ARCHIVE_TIME_STAMP,
        oids.ARCHIVE_TIME_STAMP_V2,
        oids.ARCHIVE_TIME_STAMP_V3,
    )
} | {oids.TIME_STAMP_TOKEN: "signature-time-stamp"}
"""Unsigned attributes whose values are time-stamp tokens, and what CAdES calls them."""
MAX_NESTING = 3
"""Tokens about tokens about …"""
MAX_TOKENS = 50
"""Tokens in one signature."""


@dataclass(frozen=True)
class Proofs:
    """Immutable; `with_` makes a larger one."""

    now: datetime
    known: Mapping[bytes, datetime] = field(default_factory=dict)

    def with_(self, objects: Iterable[bytes], moment: datetime) -> Proofs:
        """Return these proofs and that the objects existed at `moment`."""
        known = dict(self.known)
        for item in objects:
            key = _key(item)
            known[key] = min(moment, known.get(key, moment))
        return Proofs(self.now, known)

    def moment(self, *objects: bytes) -> datetime:
        """Return the earliest moment at which one of the objects is proven to have existed; at the latest, now."""
        return min((self.known.get(_key(item), self.now) for item in objects), default=self.now)

    def proven(self, *objects: bytes) -> datetime | None:
        """Return the same, or None where a time-stamp proves none of them."""
        return min((self.known[key] for key in map(_key, objects) if key in self.known), default=None)


def proofs_of(setting: Setting) -> Proofs:
    """Return what is proven in a setting; nothing, where no time-stamp was looked at yet."""
    return setting.proofs or Proofs(setting.now)


def _key(item: bytes) -> bytes:
    return hashlib.sha256(item).digest()


def covered_by(view: SignedDataView, depth: int = 0) -> Iterator[bytes]:
    """Yield every object inside a CMS: what a time-stamp over its octets proves the existence of."""
    for certificate in view.certificates:
        yield certificate.der
    for signer in view.signers:
        yield signer.signature
        found, _ = read_evidence(view, signer)
        yield from octets_of(found.certificates, found.crls, found.ocsps)
        if depth < MAX_NESTING:
            for token in tokens_in(signer.unsigned_attributes):
                yield from covered_by(token.signed_data, depth + 1)


def octets_of(
    certificates: Iterable[Certificate], crls: Iterable[CRL], answers: Iterable[OCSPResponse]
) -> Iterator[bytes]:
    """Yield certificates, lists, answers, and the certificates that came with answers."""
    yield from (item.der for item in certificates)
    yield from (item.der for item in crls)
    for answer in answers:
        yield answer.der
        if answer.status == "successful":
            yield from (item.der for item in answer.certificates)


def tokens_in(attributes: Iterable[tuple[str, tuple[bytes, ...]]]) -> Iterator[TimeStampToken]:
    """Yield the time-stamp tokens among unsigned attributes that can be read."""
    encoded = [value for kind, values in attributes if kind in TIME_STAMP_ATTRIBUTES for value in values]
    for value in encoded[:MAX_TOKENS]:
        try:
            yield read_token(value)
        except CertsError:
            continue
