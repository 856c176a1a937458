"""Certificates and revocation lists that come with a signature.

From the CMS itself (certificates, crls), from the signed attribute adbe-revocationInfoArchival (ISO 32000-2 12.8.3.3),
from the unsigned attributes certificate-values and revocation-values (CAdES X-Long, RFC 5126 6.3), from the document
security store and from what the caller trusts. Nothing here is trusted for being here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from certs import ber
from certs.certificate import Certificate
from certs.crl import CRL
from certs.errors import CertsError
from certs.signed_data import SignedDataView, SignerView
from signer.verification.draft import Draft
from signer.verification.setting import Setting

ADBE_REVOCATION = "1.2.840.113583.1.1.8"
CERTIFICATE_VALUES = "1.2.840.113549.1.9.16.2.23"
REVOCATION_VALUES = "1.2.840.113549.1.9.16.2.24"
MAX_VALUES = 500


@dataclass(frozen=True)
class Evidence:
    """What chains may be built from."""

    certificates: tuple[Certificate, ...]
    crls: tuple[CRL, ...]


def evidence_of(draft: Draft, view: SignedDataView, signer: SignerView, setting: Setting) -> Evidence:
    """Collect everything that came with one signature; what cannot be read is said, and left out."""
    certificates = [*view.certificates, *setting.certificates]
    crls: list[CRL] = []
    responses = 0
    bad = view.other_certificates
    for raw in view.crls[:MAX_VALUES]:
        if raw[:1] == b"\x30":
            bad += _add_crl(crls, raw)
        else:
            responses += 1
    try:
        for encoded in signer.unsigned_values(CERTIFICATE_VALUES):
            certificates.extend(Certificate(item.raw()) for item in list(ber.load(encoded))[:MAX_VALUES])
        for encoded in (*signer.values(ADBE_REVOCATION), *signer.unsigned_values(REVOCATION_VALUES)):
            found, more, unread = _revocation_values(encoded)
            crls += found
            responses += more
            bad += unread
    except CertsError:
        bad += 1
    if responses:
        draft.warn("ocsp-not-read", f"{responses} OCSP response(s) in the signature are not used")
    if bad:
        draft.warn("evidence-unreadable", f"{bad} certificate(s) or revocation value(s) cannot be read")
    trusted = (*setting.trust.anchors, *setting.trust.certificates)
    return Evidence(_unique((*certificates, *trusted)), (*crls, *setting.crls))


def _revocation_values(encoded: bytes) -> tuple[list[CRL], int, int]:
    """Read RevocationValues or RevocationInfoArchival: both hold lists under [0] and OCSP under [1]."""
    crls: list[CRL] = []
    responses = bad = 0
    for member in ber.load(encoded).expect(ber.SEQUENCE):
        if member.tag == ber.context(0):
            for item in list(member.only())[:MAX_VALUES]:
                bad += _add_crl(crls, item.raw())
        elif member.tag == ber.context(1):
            responses += len(list(member.only())[:MAX_VALUES])
    return crls, responses, bad


def _add_crl(crls: list[CRL], raw: bytes) -> int:
    """Add one list; return 1 when it cannot be read."""
    try:
        crls.append(CRL(raw))
    except CertsError:
        return 1
    return 0


def _unique(certificates: Iterable[Certificate]) -> tuple[Certificate, ...]:
    return tuple(dict.fromkeys(certificates))
