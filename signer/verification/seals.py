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

from dataclasses import dataclass, replace
from datetime import datetime
from hmac import compare_digest

from certs import oids, suites
from certs.certificate import Certificate
from certs.errors import BackendUnavailable, BadKey, BadSignature, CertsError, MalformedInput, UnsupportedAlgorithm
from signer.report import NOT_CHECKED, CheckResult, LayerReport, TimeReport, Verdict
from signer.seals.check import CheckedValue, digest_beside, verify_value
from signer.seals.model import Seal, SealExtension, SealSignature, SealVersion
from signer.verification.chain import judge_chain
from signer.verification.cms import Source, describe
from signer.verification.draft import Draft
from signer.verification.past import TOLERANCE
from signer.verification.poe import Proofs
from signer.verification.revocation import Evidence
from signer.verification.seal_facts import seal_report
from signer.verification.seal_maker import judge_made, judge_maker
from signer.verification.seal_steps import Use, clause, use_clause
from signer.verification.setting import Setting
from signer.verification.times import judge_stamp, weak_since

ACCEPT = "EN 319 102-1 5.2.8"
KNOWN_EXTENSIONS = frozenset({oids.SEAL_FILING_NUMBER})
_GOOD, _FAILED = LayerReport("passed"), LayerReport("failed")


# -- the seal -------------------------------------------------------------------------------------------


def judge_seal(
    draft: Draft, seal: Seal, setting: Setting, moment: datetime | None, *, latest: datetime | None = None
) -> None:
    """Verify a seal and record every step; `draft.seal` says what it is.

    `moment` is when it was used, as a time-stamp proves or the signer claims; None: it stands alone and is judged as of
    now. `latest` is a moment that is proven: it was used no later; None: nothing is proven.
    """
    certificates = tuple(dict.fromkeys((*setting.certificates, *setting.trust.anchors, *setting.trust.certificates)))
    evidence = Evidence(certificates, setting.crls, setting.ocsps)
    proofs = setting.proofs or Proofs(setting.now)
    use = Use(moment or setting.now, latest or setting.now)
    _judge_seal(draft, seal, evidence, setting, proofs, use, alone=moment is None)


def _judge_seal(
    draft: Draft, seal: Seal, evidence: Evidence, setting: Setting, proofs: Proofs, use: Use, *, alone: bool
) -> None:
    maker = _certificate(draft, seal.maker, "seal-maker-value", clause(seal.version, "value"))
    draft.seal = seal_report(draft, seal, maker)
    # S1
    for name in seal.variants:
        draft.warn("seal-variant", name)
    if _extensions_known(draft, seal.extensions, clause(seal.version, "format")):
        draft.passed(
            "seal-format", clause(seal.version, "format"), f"version {seal.version:d}, {seal.version.standard}"
        )
    if maker is None:
        return
    if alone:
        draft.signer, draft.value = describe(maker), seal.signature
        draft.signature_algorithm = seal.signature_algorithm
        draft.signed_at = TimeReport(seal.created, "claimed")
    # S2
    checked = _maker_value(draft, seal, maker, proofs.moment(seal.signature))
    if checked is None:
        draft.seal = replace(draft.seal, picture=b"")  # not shown to be this maker's
    elif alone:
        draft.suite, draft.cryptographic = checked.suite, _GOOD
    # S6, because it may prove how old the seal is
    made_before = use.latest
    if seal.time_stamp is not None and checked is not None:
        stamped = _seal_stamp(draft, seal, evidence, setting, proofs)
        if stamped is not None:
            made_before = min(made_before, stamped)
            if alone:
                draft.signed_at = TimeReport(stamped, "timestamp")
    # S5 before S4: where both have ended, the seal's own validity is the reason to name
    _validity(draft, seal, setting, use, alone=alone)
    # S3, S4
    judge_made(draft, seal, maker, use)
    known = Use(use.moment, made_before) if seal.version is SealVersion.V5 else use
    pool = replace(evidence, certificates=(*evidence.certificates, maker))
    judge_maker(draft, seal, maker, pool, setting, proofs, known, alone=alone)


def _certificate(draft: Draft, encoded: bytes, check: str, where: str) -> Certificate | None:
    try:
        return Certificate(encoded)
    except CertsError as error:
        draft.failed(
            check, where, f"the certificate cannot be read: {error}", Verdict.TOTAL_FAILED, "FORMAT_FAILURE",
            "seal-certificate-unreadable",
        )  # fmt: skip
        return None


def _extensions_known(draft: Draft, extensions: tuple[SealExtension, ...], where: str) -> bool:
    unknown = [item.oid for item in extensions if item.critical and item.oid not in KNOWN_EXTENSIONS]
    if unknown:
        detail = f"unknown critical extension {unknown[0]}"
        draft.unknown("seal-format", where, detail, "GENERIC", "seal-critical-extension")
    return not unknown


def _maker_value(draft: Draft, seal: Seal, maker: Certificate, moment: datetime) -> CheckedValue | None:
    where = clause(seal.version, "value")
    try:
        checked = verify_value(maker, seal.signature_algorithm, seal.signature, seal.tbs)
    except CertsError as error:
        _wrong_value(draft, "seal-maker-value", where, seal.signature_algorithm, error)
        return None
    for name in checked.variants:
        draft.warn("seal-variant", name)
    draft.passed("seal-maker-value", where, checked.suite, f"key of {maker.subject}")
    _strong(draft, seal.signature_algorithm, checked, maker, moment, where)
    return checked


def _wrong_value(draft: Draft, check: str, where: str, algorithm: str, error: CertsError) -> None:
    """Record that a value is wrong, or that it cannot be computed here; the layer is as good as its worst value."""
    if isinstance(error, BadSignature | MalformedInput):
        draft.cryptographic = _FAILED
    elif draft.cryptographic.result == "passed":
        draft.cryptographic = NOT_CHECKED
    if isinstance(error, UnsupportedAlgorithm | BackendUnavailable):
        detail = f"signature algorithm {oids.name(algorithm)}: {error}"
        draft.unknown(check, where, detail, "GENERIC", "unsupported-algorithm")
    elif isinstance(error, BadKey):
        draft.failed(check, where, str(error), Verdict.INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE")
    else:
        crypto = isinstance(error, BadSignature)
        sub_indication = "SIG_CRYPTO_FAILURE" if crypto else "FORMAT_FAILURE"
        draft.failed(check, where, str(error), Verdict.TOTAL_FAILED, sub_indication, f"{check}-wrong")


def _strong(
    draft: Draft, algorithm: str, checked: CheckedValue, certificate: Certificate, moment: datetime, where: str
) -> None:
    """Record whether the digest inside a signature was good enough at the moment that is proven (`suites.policy`)."""
    if checked.suite in suites.OLD_NAMES:
        draft.warn(
            "old-algorithm", f"{checked.suite} is verified for old signatures only; nothing new is signed with it"
        )
    weak = weak_since(moment, (digest_beside(algorithm, certificate),))
    if weak:
        draft.failed(
            "algorithm-policy", f"{ACCEPT}; {where}", weak, Verdict.INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
        )


def _seal_stamp(draft: Draft, seal: Seal, evidence: Evidence, setting: Setting, proofs: Proofs) -> datetime | None:
    """S6: the time-stamp over the maker's value; the seal was made no later. Return its time if it is believed."""
    where = clause(seal.version, "stamp")
    own = Draft(field=draft.field)  # the time of the seal is not the time of the signature
    report, _ = judge_stamp(
        own, "seal-time-stamp", seal.time_stamp or b"", seal.signature, (seal.signature,), evidence, setting, proofs
    )
    draft.objects += own.objects
    detail = own.checks[-1].detail
    if report.verdict is not Verdict.TOTAL_PASSED or report.gen_time is None:
        _stamp_refused(draft, "seal-time-stamp", where, report.verdict, report.sub_indication, detail)
        return None
    if seal.created > report.gen_time + TOLERANCE:
        detail = f"made {seal.created.isoformat()}, after its time-stamp of {report.gen_time.isoformat()}"
        code = "seal-made-after-time-stamp"
        draft.failed("seal-time-stamp", where, detail, Verdict.TOTAL_FAILED, "TIMESTAMP_ORDER_FAILURE", code)
        return None
    draft.passed("seal-time-stamp", where, detail)
    return report.gen_time


def _stamp_refused(
    draft: Draft, check: str, where: str, verdict: Verdict, sub_indication: str | None, detail: str
) -> None:
    """Record a time-stamp that is wrong, or one that is not believed: where there is one, it is a step (S6, D7)."""
    sub = sub_indication or "GENERIC"
    if verdict is Verdict.TOTAL_FAILED:
        draft.failed(check, where, detail, verdict, sub, "seal-time-stamp-wrong")
    else:
        draft.unknown(check, where, detail, sub, "seal-time-stamp-not-believed")


def _validity(draft: Draft, seal: Seal, setting: Setting, use: Use, *, alone: bool) -> None:
    """S5, in both readings of GM/T 0031-2014: the seal is valid now (6.1.2 d), and at the time of signing (6.2.3 f).

    The time of signing decides; what is true now is said.
    """
    where = clause(seal.version, "validity") if alone else use_clause(seal.version, "seal")
    term = f"valid {seal.valid_from.isoformat()} to {seal.valid_to.isoformat()}"
    detail = f"{term}; {'now' if alone else 'used'} {use.moment.isoformat()}"
    place = use.within(seal.valid_from, seal.valid_to)
    if place == "after":
        code = "seal-expired" if alone else "signed-after-seal-expiry"
        draft.failed("seal-validity", where, detail, Verdict.TOTAL_FAILED, "EXPIRED", code)
    elif place == "before":
        code = "seal-not-yet-valid" if alone else "signed-before-seal-validity"
        draft.failed("seal-validity", where, detail, Verdict.TOTAL_FAILED, "NOT_YET_VALID", code)
    elif place == "unproven":
        detail += "; the seal has ended since, and nothing proves the time"
        draft.unknown("seal-validity", where, detail, "OUT_OF_BOUNDS_NO_POE", "seal-expired-since")
    else:
        draft.passed("seal-validity", where, detail)
    if alone:
        return
    good_now = seal.valid_from <= setting.now <= seal.valid_to
    now = f"{term}; now {setting.now.isoformat()}"
    draft.checks.append(
        CheckResult("seal-validity-now", clause(seal.version, "validity"), "passed" if good_now else "failed", now)
    )
    if not good_now and place == "inside":
        draft.warn("seal-ended-since", term)


# -- a signature made with a seal ------------------------------------------------------------------------


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
    if _extensions_known(draft, signed.extensions, use_clause(signed.version, "format")):
        draft.passed("seal-signature-format", use_clause(signed.version, "format"), signed.version.standard)
    certificate = _certificate(draft, signed.certificate, "seal-signer-value", where)
    at_hand = (*setting.certificates, *setting.trust.anchors, *setting.trust.certificates)
    inside = () if certificate is None else (certificate,)
    evidence = Evidence(tuple(dict.fromkeys((*inside, *at_hand))), setting.crls, setting.ocsps)
    proofs, best = setting.proofs or Proofs(setting.now), None
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
    _judge_seal(draft, signed.seal, evidence, setting, proofs, use, alone=False)
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
        _wrong_value(draft, "seal-signer-value", where, signed.signature_algorithm, error)
        return
    for name in checked.variants:
        draft.warn("seal-variant", name)
    draft.suite, draft.cryptographic = checked.suite, _GOOD
    digest = digest_beside(signed.signature_algorithm, part.certificate)
    draft.digest_algorithm = suites.digest_oid(digest)
    draft.passed("seal-signer-value", where, checked.suite, f"key of {part.certificate.subject}")
    moment = proofs.moment(signed.signature)
    _strong(draft, signed.signature_algorithm, checked, part.certificate, moment, where)


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
    return how


def _signature_stamp(draft: Draft, part: _Signed, setting: Setting, proofs: Proofs, *, listed: bool) -> Proofs:
    """D7: the token proves the age of the value, and of what the value binds: the seal, and a certificate it lists."""
    signed, where = part.signed, use_clause(part.version, "stamp")
    covers = [signed.signature, signed.seal.signature]
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
        _stamp_refused(draft, "seal-signature-time-stamp", where, report.verdict, report.sub_indication, detail)
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
    draft.cryptographic = _FAILED
    detail = "the content is not what was sealed: another digest"
    draft.failed("seal-document", where, detail, Verdict.TOTAL_FAILED, "HASH_FAILURE")
