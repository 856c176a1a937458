"""Certificates, revocation lists and OCSP answers that come with a signature.

From the CMS itself (certificates, crls, and OCSP answers among them by RFC 5940), from the signed attribute
adbe-revocationInfoArchival (ISO 32000-2 12.8.3.3), from the unsigned attributes certificate-values and
revocation-values (CAdES X-Long, RFC 5126 6.3), from the document security store and from what the caller trusts.
Nothing here is trusted for being here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from certs import ber
from certs.certificate import Certificate
from certs.crl import CRL
from certs.errors import CertsError
from certs.ocsp import OCSPResponse, load_response
from certs.ocsp_check import TOLERANCE
from certs.signed_data import SignedDataView, SignerView
from signer.verification.draft import Draft
from signer.verification.setting import Setting

ADBE_REVOCATION = "1.2.840.113583.1.1.8"
CERTIFICATE_VALUES = "1.2.840.113549.1.9.16.2.23"
REVOCATION_VALUES = "1.2.840.113549.1.9.16.2.24"
RI_OCSP_RESPONSE = "1.3.6.1.5.5.7.16.2"
OTHER = b"\xa1"
MAX_VALUES = 500
EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Evidence:
    """What chains may be built from."""

    certificates: tuple[Certificate, ...]
    crls: tuple[CRL, ...]
    ocsps: tuple[OCSPResponse, ...] = ()

    def until(self, now: datetime | None) -> Evidence:
        """Leave out lists and answers that are of a later day than today: who makes them cannot know yet.

        With `--at` a list may well be later than the moment of validation, but not than the clock (RFC 6960 4.2.2.1).
        """
        if now is None:
            return self
        latest = now + TOLERANCE
        crls = tuple(item for item in self.crls if item.this_update <= latest)
        return replace(self, crls=crls, ocsps=tuple(item for item in self.ocsps if _made(item) <= latest))


def _made(response: OCSPResponse) -> datetime:
    try:
        return max((single.this_update for single in response.responses), default=response.produced_at)
    except CertsError:
        return EARLIEST  # cannot be used, which is said where it is tried


def evidence_of(draft: Draft, view: SignedDataView, signer: SignerView, setting: Setting) -> Evidence:
    """Collect everything that came with one signature; what cannot be read is said, and left out."""
    found, bad = read_evidence(view, signer)
    if bad:
        draft.warn("evidence-unreadable", f"{bad} certificate(s) or revocation value(s) cannot be read")
    beside = evidence_at_hand(setting, *found.certificates)
    return Evidence(beside.certificates, (*found.crls, *beside.crls), (*found.ocsps, *beside.ocsps))


def evidence_at_hand(setting: Setting, *inside: Certificate) -> Evidence:
    """Collect what is at hand for something that is no CMS; `inside` are certificates that came with it."""
    trusted = (*setting.trust.anchors, *setting.trust.certificates)
    return Evidence(_unique((*inside, *setting.certificates, *trusted)), setting.crls, setting.ocsps)


def read_evidence(view: SignedDataView, signer: SignerView) -> tuple[Evidence, int]:
    """Return what is inside a CMS for one of its signers, and how many values cannot be read."""
    certificates = list(view.certificates)
    found = _Found()
    bad = view.other_certificates
    for raw in view.crls[:MAX_VALUES]:
        found.add(_other(raw) if raw[:1] == OTHER else raw, CRL if raw[:1] == b"\x30" else load_response)
    for read in (_certificate_values, _revocation_values):
        try:
            read(signer, certificates, found)
        except CertsError:
            bad += 1
    return Evidence(tuple(certificates), tuple(found.crls), tuple(found.ocsps)), bad + found.bad


def _certificate_values(signer: SignerView, certificates: list[Certificate], _: _Found) -> None:
    for encoded in signer.unsigned_values(CERTIFICATE_VALUES):
        certificates.extend(Certificate(item.raw()) for item in list(ber.load(encoded))[:MAX_VALUES])


def _revocation_values(signer: SignerView, _: list[Certificate], found: _Found) -> None:
    for encoded in (*signer.values(ADBE_REVOCATION), *signer.unsigned_values(REVOCATION_VALUES)):
        found.add_values(encoded)


class _Found:
    """Lists and answers that could be read, and how many values could not."""

    def __init__(self) -> None:
        self.crls: list[CRL] = []
        self.ocsps: list[OCSPResponse] = []
        self.bad = 0

    def add(self, raw: bytes | None, read: Callable[[bytes], CRL | OCSPResponse]) -> None:
        try:
            value = read(raw) if raw is not None else None
        except CertsError:
            value = None
        if isinstance(value, CRL):
            self.crls.append(value)
        elif value is not None:
            self.ocsps.append(value)
        else:
            self.bad += 1

    def add_values(self, encoded: bytes) -> None:
        """Read RevocationValues or RevocationInfoArchival: both hold lists under [0] and OCSP answers under [1]."""
        for member in ber.load(encoded).expect(ber.SEQUENCE):
            for tag, read in ((ber.context(0), CRL), (ber.context(1), load_response)):
                if member.tag == tag:
                    for item in list(member.only())[:MAX_VALUES]:
                        self.add(item.raw(), read)


def _other(raw: bytes) -> bytes | None:
    """Return the OCSP response in an OtherRevocationInfoFormat (RFC 5652 10.2.1, RFC 5940 2.1)."""
    try:
        members = ber.load(raw).members(ber.context(1))
        if members.next().oid() == RI_OCSP_RESPONSE:
            return members.next().raw()
    except CertsError:
        pass
    return None


def _unique(certificates: Iterable[Certificate]) -> tuple[Certificate, ...]:
    return tuple(dict.fromkeys(certificates))
