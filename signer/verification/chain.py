"""Step 7 of `signer.verify`: the signer's chain, now, or else at the time a time-stamp proves (EN 319 102-1 5.5).

A chain that holds now needs no proof of time. Where it does not (expired, revoked, …) and a time-stamp proves that the
signature is older, the chain is judged at that time. A signer who claims to have signed after the revocation is taken
at the word: that signature is TOTAL-FAILED / REVOKED.
"""

from __future__ import annotations

from datetime import datetime

from certs.certificate import Certificate
from certs.path import PathResult, validate_path
from signer.report import CheckResult, Verdict
from signer.verification.draft import Draft
from signer.verification.revocation import Evidence
from signer.verification.setting import Setting

CLAUSE = "EN 319 102-1 5.2.6"


def judge_chain(
    draft: Draft,
    certificate: Certificate,
    evidence: Evidence,
    setting: Setting,
    *,
    best: datetime | None,
    claimed: datetime | None,
) -> None:
    """Validate the chain and record its checks. `best` is proven by a time-stamp, `claimed` only stated."""
    result = _validate(certificate, evidence, setting, setting.now)
    moment = setting.now
    if not result.passed and best is not None:
        earlier = _validate(certificate, evidence, setting, best)
        if earlier.passed or earlier.sub_indication != "NO_CERTIFICATE_CHAIN_FOUND":
            result, moment = earlier, best
    _say_what_was_fetched(draft, result, setting)
    draft.keep_path(result, ("signer", "issuer", "anchor"))
    for check in result.checks:
        draft.checks.append(CheckResult(check.id, check.clause, check.result, check.detail, check.basis))
    if result.passed:
        at = "now" if moment is setting.now else f"at {moment.isoformat()}"
        draft.passed("x509-validation", CLAUSE, f"{at}, up to {result.chain[-1].subject}")
        return
    _lower(draft, result, claimed)


def _validate(certificate: Certificate, evidence: Evidence, setting: Setting, at: datetime) -> PathResult:
    return validate_path(
        certificate,
        evidence.certificates,
        setting.trust,
        at,
        purpose="signing",
        crls=evidence.crls,
        ocsps=evidence.ocsps,
        revocation=setting.options.revocation,
        fetch=setting.options.fetch,
    )


def _say_what_was_fetched(draft: Draft, result: PathResult, setting: Setting) -> None:
    """Say which addresses were asked, and with what success."""
    if setting.options.fetch is not None:
        for note in result.notes:
            draft.warn("fetch", note)


def _lower(draft: Draft, result: PathResult, claimed: datetime | None) -> None:
    sub_indication = result.sub_indication or "CERTIFICATE_CHAIN_GENERAL_FAILURE"
    after = claimed is not None and result.revoked_at is not None and claimed >= result.revoked_at
    if sub_indication == "REVOKED_NO_POE" and after and claimed is not None:
        detail = f"{result.detail}; the signature claims to be of {claimed.isoformat()}"
        draft.failed("signing-time", "EN 319 102-1 5.2.6", detail, Verdict.TOTAL_FAILED, "REVOKED")
        return
    verdict = Verdict.TOTAL_FAILED if result.indication == "FAILED" else Verdict.INDETERMINATE
    draft.lower(verdict, sub_indication, result.detail)
