"""Step 7 of `signer.verify`: the signer's chain, now, or else at the time that is proven (EN 319 102-1 5.5, 5.6).

`signer.verification.past` judges; here its answer becomes checks and a verdict. A time-stamp inside what was signed
proves that the signature is younger: made after the revocation or the end of the certificate it is TOTAL-FAILED,
REVOKED or EXPIRED (5.1.3). Who claims to have signed after the revocation is taken at the word; a clock that is wrong
is no reason to fail somebody whose certificate has just expired.
"""

from __future__ import annotations

from datetime import datetime

from certs.certificate import Certificate
from certs.path import PathResult
from signer.report import CheckResult, Verdict
from signer.verification.draft import Draft
from signer.verification.past import judge_certificate, older_than
from signer.verification.poe import Proofs
from signer.verification.revocation import Evidence
from signer.verification.setting import Setting
from signer.verification.times import say_what_was_fetched

CLAUSE = "EN 319 102-1 5.2.6"


def judge_chain(
    draft: Draft,
    certificate: Certificate,
    evidence: Evidence,
    setting: Setting,
    proofs: Proofs,
    *,
    best: datetime | None,
    after: datetime | None,
    claimed: datetime | None,
) -> None:
    """Validate the chain and record its checks.

    Time-stamps prove that the signature was made after `after` and before `best`; `claimed` is what the signer says.
    """
    outcome = judge_certificate(certificate, evidence, setting, proofs, proven=best)
    result = outcome.result
    say_what_was_fetched(draft, outcome.notes, setting)
    draft.keep_path(result, ("signer", "issuer", "anchor"))
    for check in result.checks:
        draft.checks.append(CheckResult(check.id, check.clause, check.result, check.detail, check.basis))
    if not result.passed:
        _lower(draft, result, certificate, after, claimed)
        return
    older = older_than(outcome, best) if best is not None else None
    if older is not None and setting.options.revocation == "after":
        detail = f"the newest word on the certificate is of {older.isoformat()}, older than the proven time of signing"
        draft.failed("freshness", "EN 319 102-1 5.2.5", detail, Verdict.INDETERMINATE, "TRY_LATER")
        return
    if outcome.moment == setting.now:
        draft.passed("x509-validation", CLAUSE, f"now, up to {result.chain[-1].subject}")
        return
    detail = f"at {outcome.moment.isoformat()}, up to {result.chain[-1].subject}"
    draft.passed("x509-validation", "EN 319 102-1 5.5.4, 5.6.2.4", detail)
    if older is not None:
        detail = f"the newest word on the certificate is of {older.isoformat()}, before the proven time of signing"
        draft.warn("revocation-older", detail)


def _lower(
    draft: Draft, result: PathResult, certificate: Certificate, after: datetime | None, claimed: datetime | None
) -> None:
    sub_indication = result.sub_indication or "CERTIFICATE_CHAIN_GENERAL_FAILURE"
    latest = max(filter(None, (after, claimed)), default=None)
    if sub_indication == "REVOKED_NO_POE" and latest and result.revoked_at and latest >= result.revoked_at:
        detail = f"{result.detail}; the signature claims to be of {latest.isoformat()}"
        draft.failed("signing-time", "EN 319 102-1 5.1.3", detail, Verdict.TOTAL_FAILED, "REVOKED")
    elif sub_indication == "OUT_OF_BOUNDS_NO_POE" and after is not None and after > certificate.not_after:
        detail = f"{result.detail}; the signature was made after {after.isoformat()}"
        draft.failed("signing-time", "EN 319 102-1 5.1.3", detail, Verdict.TOTAL_FAILED, "EXPIRED")
    else:
        verdict = Verdict.TOTAL_FAILED if result.indication == "FAILED" else Verdict.INDETERMINATE
        draft.lower(verdict, sub_indication, result.detail)
