"""Electronic seals and signatures made with them: every step of the standards as one check.

    judge_seal(draft, seal, setting, None)                       # the seal alone: may it be used now?
    judge_seal_signature(draft, signed, source, setting)         # a signature made with a seal, over `source`

The seal (S) and the signature (D), with the names of the checks; clauses in `signer.verification.seal_steps`:

 S1 seal-format              the structure (read before this room), no critical extension that we do not know
 S2 seal-maker-value         the maker's signature
 S3 seal-made-within-maker   the seal was made while its maker's certificate was valid (from 2025 on)
 S4 seal-maker-chain         the maker's certificate                        signer.verification.seal_maker
 S5 seal-validity            the seal's own validity, at the time of signing; seal-validity-now is the other reading
 S6 seal-time-stamp          the seal's time-stamp (from 2025 on)

 D1 seal-signature-format    the structure
 D2 seal-signer-value        the signer's signature
 D3 seal-owner-listed        the signer's certificate is in the list of the seal
 D4                          the seal: S1 to S6
 D5 seal-signer-chain        the signer's certificate, at the time of signing
 D6 seal-document            the document's digest
 D7 seal-signature-time-stamp  the time-stamp over the signature value

D7 is made before the others: it says what time is proven. Without it the time is the signer's claim. A claim outside a
validity fails, since the signer says so himself; a claim inside one proves nothing once it has ended: INDETERMINATE.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest

from certs import suites
from certs.certificate import Certificate
from certs.errors import BackendUnavailable, BadKey, CertsError, MalformedInput, UnsupportedAlgorithm
from signer.report import TimeReport, Verdict
from signer.seals.check import digest_beside, verify_value
from signer.seals.model import Seal, SealSignature, SealVersion
from signer.verification.chain import judge_chain
from signer.verification.cms import Source, describe
from signer.verification.draft import Draft
from signer.verification.past import TOLERANCE
from signer.verification.poe import Proofs, proofs_of
from signer.verification.revocation import Evidence, evidence_at_hand
from signer.verification.seal_object import (
    FAILED,
    GOOD,
    certificate_in,
    extensions_known,
    judge_seal,
    judge_used_seal,
    stamp_refused,
    strong_enough,
    wrong_value,
)
from signer.verification.seal_steps import Use, use_clause
from signer.verification.setting import Setting
from signer.verification.times import judge_stamp

__all__ = ["judge_seal", "judge_seal_signature"]


@dataclass(frozen=True)
class _Signed:
    """What the steps need of one signature."""

    signed: SealSignature
    certificate: Certificate
    evidence: Evidence

    @property
    def version(self) -> SealVersion:
        return self.signed.version


def judge_seal_signature(draft: Draft, signed: SealSignature, source: Source | None, setting: Setting) -> None:
    """Verify a signature made with a seal and record every step; `source` is what was sealed, None: it is not here."""
    where = use_clause(signed.version, "value")
    draft.signature_algorithm, draft.value = signed.signature_algorithm, signed.signature
    # D1
    for name in signed.variants:
        draft.warn("seal-variant", name)
    if extensions_known(draft, signed.extensions, use_clause(signed.version, "format")):
        draft.passed("seal-signature-format", use_clause(signed.version, "format"), signed.version.standard)
    certificate = certificate_in(draft, signed.certificate, "seal-signer-value", where)
    evidence = evidence_at_hand(setting, *(() if certificate is None else (certificate,)))
    proofs, best = proofs_of(setting), None
    listed = None
    part: _Signed | None = None
    if certificate is not None:
        draft.signer = describe(certificate)
        part = _Signed(signed, certificate, evidence)
        # D2
        _signer_value(draft, part, proofs)
        # D3
        listed = judge_listed(draft, signed.seal, certificate)
        # D7
        if signed.time_stamp is not None and draft.cryptographic.result == "passed":
            proofs = _signature_stamp(draft, part, setting, proofs, listed=bool(listed))
        if draft.cryptographic.result == "passed":
            best = proofs.proven(signed.signature)  # by D7, or by what was time-stamped later as a whole
    use = _time(draft, signed, setting, best)
    # D4
    judge_used_seal(draft, signed.seal, evidence, setting, proofs, use, alone=False)
    # D5
    if part is not None:
        _signer_chain(draft, part, setting, proofs, use, best)
    # D6
    _document(draft, signed, certificate, source)


def _signer_value(draft: Draft, part: _Signed, proofs: Proofs) -> None:
    signed, where = part.signed, use_clause(part.version, "value")
    try:
        checked = verify_value(part.certificate, signed.signature_algorithm, signed.signature, signed.tbs)
    except CertsError as error:
        wrong_value(draft, "seal-signer-value", where, signed.signature_algorithm, error)
        return
    for name in checked.variants:
        draft.warn("seal-variant", name)
    draft.suite, draft.cryptographic = checked.suite, GOOD
    digest = digest_beside(signed.signature_algorithm, part.certificate)
    draft.digest_algorithm = suites.digest_oid(digest)
    draft.passed("seal-signer-value", where, checked.suite, f"key of {part.certificate.subject}")
    moment = proofs.moment(signed.signature)
    strong_enough(draft, signed.signature_algorithm, checked, part.certificate, moment, where)


def judge_listed(draft: Draft, seal: Seal, certificate: Certificate) -> str | None:
    """D3: by the certificate itself, octet for octet, or by its digest; return which."""
    where = use_clause(seal.version, "listed")
    try:
        how = seal.lists(certificate.der)
    except BackendUnavailable as error:
        draft.unknown("seal-owner-listed", where, str(error), "GENERIC", "unsupported-algorithm")
        return None
    if how is None:
        detail = f"{certificate.subject} is not among those who may use the seal {seal.seal_id}"
        if seal.foreign_entries and not seal.certificates:
            # the list names certificates in a way that only its vendor can resolve
            draft.unknown("seal-owner-listed", where, detail, "SIG_CONSTRAINTS_FAILURE", "seal-list-foreign")
        else:
            draft.failed(
                "seal-owner-listed",
                where,
                detail,
                Verdict.TOTAL_FAILED,
                "SIG_CONSTRAINTS_FAILURE",
                "signer-not-in-seal",
            )
        return None
    draft.passed("seal-owner-listed", where, f"by its {how}", certificate.subject)
    _compare_names(draft, seal, certificate)
    return how


def _compare_names(draft: Draft, seal: Seal, certificate: Certificate) -> None:
    """Tell where seal and certificate name two: a maker may write any name into a seal, and list anybody."""
    signer = describe(certificate)
    names = [name for name in (signer.organisation, signer.common_name) if name]
    if not any(_letters(name) in _letters(seal.name) for name in names if _letters(name)):
        draft.warn("seal-name", f"the seal is of {seal.name}, the certificate of {' / '.join(names)}")


def _letters(name: str) -> str:
    """Return the letters and digits of a name, to compare: blanks, brackets and widths are written in many ways."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))


def _signature_stamp(draft: Draft, part: _Signed, setting: Setting, proofs: Proofs, *, listed: bool) -> Proofs:
    """D7: the token proves the age of the value, and of what the value binds: the seal, and a certificate it lists."""
    signed, where = part.signed, use_clause(part.version, "stamp")
    covers = [signed.signature, signed.seal.signature, signed.seal.maker]
    if listed:
        covers.append(part.certificate.der)
    report, proofs = judge_stamp(
        draft,
        "signature-time-stamp",
        signed.time_stamp or b"",
        signed.signature,
        tuple(covers),
        part.evidence,
        setting,
        proofs,
    )
    detail = draft.checks[-1].detail
    if report.verdict is Verdict.TOTAL_PASSED:
        draft.passed("seal-signature-time-stamp", where, detail)
    else:
        stamp_refused(draft, "seal-signature-time-stamp", where, report.verdict, report.sub_indication, detail)
    return proofs


def _time(draft: Draft, signed: SealSignature, setting: Setting, best: datetime | None) -> Use:
    """Say when it was signed: as the time-stamp proves, and as the signer claims (timeInfo)."""
    claimed, where = signed.time, use_clause(signed.version, "signer")
    if best is not None:
        draft.signed_at = TimeReport(best, "timestamp")
    elif claimed is not None:
        draft.signed_at = TimeReport(claimed, "claimed")
    if signed.time_token is not None:
        detail = "timeInfo is a time-stamp token; what it is over is not laid down, so its time counts as claimed"
        draft.skipped("seal-signature-time-stamp", use_clause(signed.version, "stamp"), detail)
    latest = best or setting.now
    if claimed is None:
        if best is None:
            draft.unknown("seal-time", where, "the time of signing cannot be read", "NO_POE", "seal-time-unreadable")
        return Use(latest, latest)
    if claimed > latest + TOLERANCE:
        detail = f"claims {claimed.isoformat()}, but was there by {latest.isoformat()}"
        if best is None:
            draft.failed(
                "seal-time", where, detail, Verdict.INDETERMINATE, "SIG_CONSTRAINTS_FAILURE", "seal-time-ahead"
            )
            return Use(claimed, latest)
        draft.warn("seal-time", detail)
        return Use(latest, latest)
    draft.passed("seal-time", where, claimed.isoformat(), "claimed by the signer" if best is None else "")
    return Use(claimed, latest)


def _signer_chain(
    draft: Draft, part: _Signed, setting: Setting, proofs: Proofs, use: Use, best: datetime | None
) -> None:
    """D5: the chain as for any signature, and whether the time of signing lies inside the certificate's validity."""
    certificate, where = part.certificate, use_clause(part.version, "signer")
    term = f"{certificate.not_before.isoformat()} to {certificate.not_after.isoformat()}"
    place = use.within(certificate.not_before, certificate.not_after)
    if place in ("before", "after"):
        detail = f"signed {use.moment.isoformat()}, the certificate is of {term}"
        sub_indication = "EXPIRED" if place == "after" else "NOT_YET_VALID"
        code = "signed-outside-certificate"
        draft.failed("seal-signer-chain", where, detail, Verdict.TOTAL_FAILED, sub_indication, code)
    else:
        detail = f"signed {use.moment.isoformat()}, inside {term}"
        draft.passed("seal-signer-chain", where, detail + ("; only claimed" if place == "unproven" else ""))
    judge_chain(draft, certificate, part.evidence, setting, proofs, best=best, after=None, claimed=part.signed.time)


def _document(draft: Draft, signed: SealSignature, certificate: Certificate | None, source: Source | None) -> None:
    """D6: the digest that goes with the signature algorithm, over what was sealed."""
    where = use_clause(signed.version, "document")
    if source is None:
        detail = f"what was sealed is not here ({signed.property_info[:200]})"
        draft.unknown("content", where, detail, "SIGNED_DATA_NOT_FOUND")
        return
    if certificate is None:
        return
    try:
        digest = source.digest(digest_beside(signed.signature_algorithm, certificate))
    except (UnsupportedAlgorithm, BackendUnavailable, BadKey, MalformedInput) as error:
        draft.unknown("seal-document", where, str(error), "GENERIC", "unsupported-algorithm")
        return
    if compare_digest(digest, signed.data_hash):
        draft.passed("seal-document", where, signed.property_info[:200])
        return
    draft.cryptographic = FAILED
    detail = "the content is not what was sealed: another digest"
    draft.failed("seal-document", where, detail, Verdict.TOTAL_FAILED, "HASH_FAILURE")
