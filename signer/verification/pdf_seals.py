"""Electronic seals in the signatures of a PDF: in a signed attribute, or as SES_Signature in /Contents.

    judge_attribute(draft, signer, setting)              # form (a): after the signature itself was verified
    judge_national(draft, entry, contents, source, …)    # form (b), under the known names and under any other
    judge_faces(draft, seal, signed_view, fields)        # what the widgets show

A signature with a seal in it is as good as the seal is: who signs with a certificate that the seal does not list has
not sealed. What our forms are: docs/seals-in-pdf.md.
"""

from __future__ import annotations

from dataclasses import replace

from certs import ber, oids
from certs.certificate import Certificate
from certs.errors import CertsError, MalformedInput
from certs.signed_data import SignedDataView
from signer.pades.options import NationalForm
from signer.pades.sealing import property_info
from signer.pdf.listing import LEGACY_SUBFILTERS, SUBFILTERS, SignatureEntry
from signer.pdf.structure import BudgetSpent, View
from signer.report import Verdict
from signer.seals import Seal, SealSignature, read_seal, read_seal_signature
from signer.verification.cms import Source, without_padding
from signer.verification.draft import Draft
from signer.verification.legacy import certificates_in
from signer.verification.poe import proofs_of
from signer.verification.revocation import evidence_at_hand
from signer.verification.seals import judge_listed, judge_seal, judge_seal_signature
from signer.verification.setting import Setting

ATTRIBUTE = "docs/seals-in-pdf.md, form (a)"
NATIONAL = "docs/seals-in-pdf.md, form (b); GM/T 0112-2021"
NAMES = frozenset({(NationalForm().filter, NationalForm().subfilter)})
"""/Filter and /SubFilter that are known to announce an SES_Signature."""


# Form (a) ------------------------------------------------------------------------------------------------------------
def judge_attribute(draft: Draft, view: SignedDataView, setting: Setting) -> Seal | None:
    """Judge the seal in the signed attributes of a signature that was verified; return it where there is one."""
    signer = view.signers[0]
    try:
        values = signer.values(oids.SEAL_ATTRIBUTE)
        if not values:
            return None
        draft.kind = "seal"
        if len(values) > 1:
            raise MalformedInput("several seals in one signature")
        seal = read_seal(values[0])
    except MalformedInput as error:
        draft.kind = "seal"
        detail = f"the seal in the signed attributes cannot be read: {error}"
        draft.failed("seal-attribute", ATTRIBUTE, detail, Verdict.TOTAL_FAILED, "FORMAT_FAILURE", "seal-malformed")
        return None
    draft.passed("seal-attribute", ATTRIBUTE, f"{seal.name} ({seal.seal_id})")
    certificate = _signer_of(draft, view, setting)
    if certificate is None:
        detail = "the signer's certificate is not here"
        draft.unknown("seal-owner-listed", ATTRIBUTE, detail, "NO_SIGNING_CERTIFICATE_FOUND")
    else:
        judge_listed(draft, seal, certificate)
    moment, latest = setting.now, None
    proofs = proofs_of(setting)
    if draft.signed_at is not None:
        moment = draft.signed_at.value
        if draft.signed_at.source == "timestamp":
            # what is over the value is over the seal, which the value signs
            latest, proofs = moment, proofs.with_((seal.signature, seal.maker), moment)
    around = replace(setting, certificates=(*setting.certificates, *view.certificates), proofs=proofs)
    judge_seal(draft, seal, around, moment, latest=latest)
    return seal


def _signer_of(draft: Draft, view: SignedDataView, setting: Setting) -> Certificate | None:
    """Return the certificate that the signature was verified with."""
    if draft.signer is None:
        return None
    at_hand = evidence_at_hand(setting, *view.certificates).certificates
    return next((item for item in at_hand if item.fingerprint("sha256") == draft.signer.fingerprint), None)


# Form (b) ------------------------------------------------------------------------------------------------------------
def read_national(contents: bytes) -> SealSignature | None:
    """Return the seal signature in /Contents, or None where it is something else."""
    try:
        return read_seal_signature(contents[: ber.Value(contents, 0, len(contents)).end])
    except CertsError:
        return None


def covered_by_seal(signed: SealSignature) -> tuple[bytes, ...]:
    """Return what a later time-stamp over the whole proves the age of: both values and what they were made with."""
    parts = (signed.signature, signed.certificate, signed.seal.signature, signed.seal.maker)
    return (*parts, *(token for token in (signed.time_stamp, signed.seal.time_stamp) if token is not None))


def judge_national(
    draft: Draft,
    entry: SignatureEntry,
    contents: bytes,
    signed: SealSignature,
    source: Source,
    setting: Setting,
    byte_range: tuple[int, int, int, int],
) -> None:
    """Judge a seal signature over the octets of /ByteRange, under whatever names it stands."""
    draft.kind = "seal"
    handler = entry.dictionary.get("Filter")
    names = (str(handler) if isinstance(handler, str) else "", entry.subfilter or "")
    shown = f"/Filter /{names[0]} /SubFilter /{names[1]}"
    if names in NAMES:
        draft.passed("seal-names", NATIONAL, shown)
    elif names[1] in SUBFILTERS | LEGACY_SUBFILTERS:
        detail = f"{shown} promises a CMS, and /Contents is a seal signature"
        draft.failed("seal-names", NATIONAL, detail, Verdict.INDETERMINATE, "FORMAT_FAILURE", "seal-under-cms-name")
    else:
        detail = f"a seal signature under {shown}, names that are not known"
        draft.unknown("seal-names", NATIONAL, detail, "GENERIC", "unsupported-subfilter")
    without_padding(draft, contents)
    chain = certificates_in(entry.dictionary.get("Cert"))
    around = replace(setting, certificates=(*setting.certificates, *chain))
    judge_seal_signature(draft, signed, source, around)
    if signed.property_info != property_info(byte_range):
        draft.warn("seal-range", f"propertyInfo does not name the /ByteRange: {signed.property_info[:200]}")


# What shows ----------------------------------------------------------------------------------------------------------
def judge_faces(draft: Draft, seal: Seal, view: View | None, fields: tuple[int, ...]) -> None:
    """Record whether the widgets of a signature show its seal; `view` is the signed revision."""
    check, clause = "seal-appearance", "docs/seals-in-pdf.md, what shows"
    if view is None:
        draft.unknown(check, clause, "the signed revision cannot be read", "GENERIC", "seal-appearance-unknown")
        return
    from signer.verification.seal_face import faces

    try:
        found = faces(view, fields, seal)
    except BudgetSpent as error:
        draft.unknown(check, clause, str(error), "GENERIC", "limits")
        return
    if found.wrong:
        draft.failed(check, clause, found.wrong, Verdict.INDETERMINATE, "SIG_CONSTRAINTS_FAILURE", "seal-appearance")
    elif found.unknown:
        draft.unknown(check, clause, found.unknown, "GENERIC", "seal-appearance-unknown")
    elif found.places:
        draft.passed(check, clause, f"the picture of the seal, in {found.places} place(s)")
    else:
        draft.skipped(check, clause, "the seal does not show")
