"""Whether the certificate of a seal's maker was good when it counted (GM/T 0031-2014 6.1.2 c; GM/T 0031-2025 step S4).

    judge_maker(draft, seal, certificate, evidence, setting, proofs, use, alone=False)

The two older standards fail a seal on any failure of the maker's certificate. What must be good is the moment at
which the seal is used: now, where it stands alone; else the moment of signing, which a time-stamp proves or the signer
claims. Claimed and no longer provable is INDETERMINATE. From 2025 on, a certificate that has ended or was revoked
since, but was good when the seal was made, is a warning.

A maker who was revoked could give a new seal an old date. So we ask for proof there, where the standard (as far as its
text is known to us) asks for none: the seal's own time-stamp, or that of a signature made with it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from certs.certificate import Certificate
from certs.path_result import PathResult
from signer.report import CheckResult, Verdict
from signer.seals.model import Seal, SealVersion
from signer.verification.draft import Draft
from signer.verification.past import TOLERANCE, judge_certificate
from signer.verification.poe import Proofs
from signer.verification.revocation import Evidence
from signer.verification.seal_steps import Use, clause
from signer.verification.setting import Setting
from signer.verification.times import say_what_was_fetched

_ENDED, _REVOKED = "OUT_OF_BOUNDS_NO_POE", ("REVOKED_NO_POE", "REVOKED_CA_NO_POE")


def judge_made(draft: Draft, seal: Seal, certificate: Certificate, use: Use) -> None:
    """Record whether the seal was made while its maker's certificate was valid; only from 2025 on that is a step.

    Real seals of the older standards are dated some days before the certificate of their maker.
    """
    clause_of = clause(seal.version, "made")
    made, begin, end = seal.created, certificate.not_before, certificate.not_after
    if made > use.moment + TOLERANCE:
        detail = f"made {made.isoformat()}, later than it was used, {use.moment.isoformat()}"
        sub_indication, code = "NOT_YET_VALID", "seal-made-after-use"
    elif begin <= made <= end:
        draft.passed("seal-made-within-maker", clause_of, made.isoformat())
        return
    else:
        detail = f"made {made.isoformat()}; the maker's certificate is of {begin.isoformat()} to {end.isoformat()}"
        sub_indication, code = "NOT_YET_VALID" if made < begin else "EXPIRED", "seal-made-outside-maker"
    if seal.version is SealVersion.V5:
        draft.failed("seal-made-within-maker", clause_of, detail, Verdict.TOTAL_FAILED, sub_indication, code)
    else:
        draft.skipped("seal-made-within-maker", clause_of, detail)
        draft.warn("seal-made-outside-maker", detail)


def judge_maker(
    draft: Draft,
    seal: Seal,
    certificate: Certificate,
    evidence: Evidence,
    setting: Setting,
    proofs: Proofs,
    use: Use,
    *,
    alone: bool,
) -> None:
    """Validate the maker's chain and record the check."""
    proven = use.latest if use.latest < setting.now else None
    outcome = judge_certificate(certificate, evidence, setting, proofs, proven=proven)
    result = outcome.result
    say_what_was_fetched(draft, outcome.notes, setting)
    draft.keep_path(
        result, ("signer", "issuer", "anchor") if alone else ("seal-maker", "seal-maker-issuer", "seal-maker-anchor")
    )
    clause_of = clause(seal.version, "maker")
    if result.passed:
        detail = f"at {outcome.moment.isoformat()}, up to {result.chain[-1].subject}"
        draft.passed("seal-maker-chain", clause_of, detail)
        if outcome.moment != setting.now:
            draft.warn("seal-maker-ended", detail)
        if alone:
            draft.passed("x509-validation", clause_of, f"up to {result.chain[-1].subject}")
        return
    sub_indication = result.sub_indication or "CERTIFICATE_CHAIN_GENERAL_FAILURE"
    if sub_indication == _ENDED or sub_indication in _REVOKED:
        _not_good_now(draft, seal, certificate, evidence, setting, use, result, alone=alone)
        return
    verdict = Verdict.TOTAL_FAILED if result.indication == "FAILED" else Verdict.INDETERMINATE
    draft.checks.append(CheckResult("seal-maker-chain", clause_of, "failed", result.detail))
    draft.lower(verdict, sub_indication, f"the seal maker: {result.detail}", "seal-maker-chain")


def _not_good_now(
    draft: Draft,
    seal: Seal,
    certificate: Certificate,
    evidence: Evidence,
    setting: Setting,
    use: Use,
    result: PathResult,
    *,
    alone: bool,
) -> None:
    """Judge a certificate that has ended or was revoked, as of the moment that the standard names."""
    clause_of = clause(seal.version, "maker")
    later_ruled = seal.version is SealVersion.V5
    moment = seal.created if later_ruled else use.moment
    what = "when the seal was made" if later_ruled else "when the seal was used"
    revoked = result.sub_indication in _REVOKED
    if result.revoked_at is not None and result.revoked_at <= moment:
        detail = f"{result.detail}, not later than {what} ({moment.isoformat()})"
        draft.failed("seal-maker-chain", clause_of, detail, Verdict.TOTAL_FAILED, "REVOKED", "seal-maker-revoked")
        return
    good = None if alone and not later_ruled else _as_of(certificate, evidence, setting, moment)
    if good is None or not (good.passed or (revoked and good.sub_indication in _REVOKED)):
        _never_good(draft, clause_of, certificate, moment, good or result, revoked=revoked)
        return
    detail = f"good {what} ({moment.isoformat()}); now: {result.detail}"
    if later_ruled and (not revoked or use.latest < (result.revoked_at or setting.now)):
        draft.checks.append(CheckResult("seal-maker-chain", clause_of, "passed", detail))
        draft.warn("seal-maker-ended", detail)
        return
    code = "seal-maker-revoked-since" if revoked else "seal-maker-expired-since"
    draft.unknown(
        "seal-maker-chain", clause_of, f"{detail}; nothing proves the time", result.sub_indication or _ENDED, code
    )


def _never_good(
    draft: Draft, clause_of: str, certificate: Certificate, moment: datetime, result: PathResult, *, revoked: bool
) -> None:
    """Record that the certificate was not good at the moment that counts, or that this cannot be told."""
    if revoked:
        draft.failed(
            "seal-maker-chain", clause_of, result.detail, Verdict.TOTAL_FAILED, "REVOKED", "seal-maker-revoked"
        )
    elif result.sub_indication == _ENDED:
        early = moment < certificate.not_before
        code = "seal-maker-not-yet-valid" if early else "seal-maker-expired"
        sub_indication = "NOT_YET_VALID" if early else "EXPIRED"
        detail = f"at {moment.isoformat()}: {result.detail}"
        draft.failed("seal-maker-chain", clause_of, detail, Verdict.TOTAL_FAILED, sub_indication, code)
    else:
        detail = f"at {moment.isoformat()}: {result.detail}"
        draft.unknown("seal-maker-chain", clause_of, detail, result.sub_indication or "GENERIC", "seal-maker-chain")


def _as_of(certificate: Certificate, evidence: Evidence, setting: Setting, moment: datetime) -> PathResult:
    """Validate the chain as of a moment that is claimed, with what is at hand: a fact of its own, no proof."""
    options = replace(setting.options, fetch=None)
    then = replace(setting, now=moment, options=options)
    return judge_certificate(certificate, evidence, then, Proofs(moment), proven=None).result
