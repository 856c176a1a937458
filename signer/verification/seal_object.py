"""Steps S1 to S6 of `signer.verification.seals`: the seal itself, alone or as a signature was made with it.

    judge_seal(draft, seal, setting, None)                               # alone: may it be used now?
    judge_seal(draft, seal, setting, moment, latest=proven)              # as it was used

What both a seal and a signature need (a value, a time-stamp, extensions) is at the end.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from certs import oids, suites
from certs.certificate import Certificate
from certs.errors import BackendUnavailable, BadKey, BadSignature, CertsError, MalformedInput, UnsupportedAlgorithm
from signer.report import NOT_CHECKED, CheckResult, LayerReport, TimeReport, Verdict
from signer.seals.check import CheckedValue, digest_beside, verify_value
from signer.seals.model import Seal, SealExtension, SealVersion
from signer.verification.cms import describe
from signer.verification.draft import Draft
from signer.verification.past import TOLERANCE
from signer.verification.poe import Proofs, proofs_of
from signer.verification.revocation import Evidence, evidence_at_hand
from signer.verification.seal_facts import seal_report
from signer.verification.seal_maker import judge_made, judge_maker
from signer.verification.seal_steps import Use, clause, use_clause
from signer.verification.setting import Setting
from signer.verification.times import judge_stamp, weak_since

ACCEPT = "EN 319 102-1 5.2.8"
KNOWN_EXTENSIONS = frozenset({oids.SEAL_FILING_NUMBER})
GOOD, FAILED = LayerReport("passed"), LayerReport("failed")


def judge_seal(
    draft: Draft, seal: Seal, setting: Setting, moment: datetime | None, *, latest: datetime | None = None
) -> None:
    """Verify a seal and record every step; `draft.seal` says what it is.

    `moment` is when it was used, as a time-stamp proves or the signer claims; None: it stands alone and is judged as of
    now. `latest` is a moment that is proven: it was used no later; None: nothing is proven.
    """
    use = Use(moment or setting.now, latest or setting.now)
    judge_used_seal(draft, seal, evidence_at_hand(setting), setting, proofs_of(setting), use, alone=moment is None)


def judge_used_seal(
    draft: Draft, seal: Seal, evidence: Evidence, setting: Setting, proofs: Proofs, use: Use, *, alone: bool
) -> None:
    """Do the same with what else is known: where chains may be built from, and what is proven."""
    maker = certificate_in(draft, seal.maker, "seal-maker-value", clause(seal.version, "value"))
    draft.seal = seal_report(draft, seal, maker)
    # S1
    for name in seal.variants:
        draft.warn("seal-variant", name)
    if extensions_known(draft, seal.extensions, clause(seal.version, "format")):
        draft.passed(
            "seal-format", clause(seal.version, "format"), f"version {seal.version:d}, {seal.version.standard}"
        )
    if maker is None:
        draft.seal = replace(draft.seal, picture=b"")
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
        draft.suite, draft.cryptographic = checked.suite, GOOD
    # S6, because it may prove how old the seal is
    made_before = use.latest
    if seal.time_stamp is not None and checked is not None:
        stamped = _seal_stamp(draft, seal, evidence, setting, proofs, alone=alone)
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


def _maker_value(draft: Draft, seal: Seal, maker: Certificate, moment: datetime) -> CheckedValue | None:
    where = clause(seal.version, "value")
    try:
        checked = verify_value(maker, seal.signature_algorithm, seal.signature, seal.tbs)
    except CertsError as error:
        wrong_value(draft, "seal-maker-value", where, seal.signature_algorithm, error)
        return None
    for name in checked.variants:
        draft.warn("seal-variant", name)
    draft.passed("seal-maker-value", where, checked.suite, f"key of {maker.subject}")
    strong_enough(draft, seal.signature_algorithm, checked, maker, moment, where)
    return checked


def _seal_stamp(
    draft: Draft, seal: Seal, evidence: Evidence, setting: Setting, proofs: Proofs, *, alone: bool
) -> datetime | None:
    """S6: the time-stamp over the maker's value; the seal was made no later. Return its time if it is believed."""
    where = clause(seal.version, "stamp")
    own = Draft(field=draft.field)  # the time of the seal is not the time of the signature
    report, _ = judge_stamp(
        own, "seal-time-stamp", seal.time_stamp or b"", seal.signature, (seal.signature,), evidence, setting, proofs
    )
    draft.objects += own.objects
    if alone:
        draft.timestamps += own.timestamps
    detail = own.checks[-1].detail
    if report.verdict is not Verdict.TOTAL_PASSED or report.gen_time is None:
        stamp_refused(draft, "seal-time-stamp", where, report.verdict, report.sub_indication, detail)
        return None
    if seal.created > report.gen_time + TOLERANCE:
        detail = f"made {seal.created.isoformat()}, after its time-stamp of {report.gen_time.isoformat()}"
        code = "seal-made-after-time-stamp"
        draft.failed("seal-time-stamp", where, detail, Verdict.TOTAL_FAILED, "TIMESTAMP_ORDER_FAILURE", code)
        return None
    draft.passed("seal-time-stamp", where, detail)
    return report.gen_time


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


# -- what a seal and a signature have in common -------------------------------------------------------------


def certificate_in(draft: Draft, encoded: bytes, check: str, where: str) -> Certificate | None:
    """Return a certificate, or record that it cannot be read."""
    try:
        return Certificate(encoded)
    except CertsError as error:
        draft.failed(
            check, where, f"the certificate cannot be read: {error}", Verdict.TOTAL_FAILED, "FORMAT_FAILURE",
            "seal-certificate-unreadable",
        )  # fmt: skip
        return None


def extensions_known(draft: Draft, extensions: tuple[SealExtension, ...], where: str) -> bool:
    """Tell whether every critical extension is one we know; where not, that is recorded."""
    unknown = [item.oid for item in extensions if item.critical and item.oid not in KNOWN_EXTENSIONS]
    if unknown:
        detail = f"unknown critical extension {unknown[0]}"
        draft.unknown("seal-format", where, detail, "GENERIC", "seal-critical-extension")
    return not unknown


def wrong_value(draft: Draft, check: str, where: str, algorithm: str, error: CertsError) -> None:
    """Record that a value is wrong, or that it cannot be computed here; the layer is as good as its worst value."""
    if isinstance(error, BadSignature | MalformedInput):
        draft.cryptographic = FAILED
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


def strong_enough(
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


def stamp_refused(
    draft: Draft, check: str, where: str, verdict: Verdict, sub_indication: str | None, detail: str
) -> None:
    """Record a time-stamp that is wrong, or one that is not believed: where there is one, it is a step (S6, D7)."""
    sub = sub_indication or "GENERIC"
    if verdict is Verdict.TOTAL_FAILED:
        draft.failed(check, where, detail, verdict, sub, "seal-time-stamp-wrong")
    else:
        draft.unknown(check, where, detail, sub, "seal-time-stamp-not-believed")
