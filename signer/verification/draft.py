"""One signature's report while it is being established.

Every step adds checks; a check that does not pass may lower the verdict, never raise it. The first reason of the
gravest kind is the one reported.

    draft = Draft(field="Signature1", kind="signature")
    draft.passed("message-digest", "RFC 5652 11.2", "sha256")
    draft.failed("signature-value", "RFC 5652 5.4", "…", Verdict.TOTAL_FAILED, "SIG_CRYPTO_FAILURE")
    draft.report().verdict
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from signer.report import (
    NOT_CHECKED,
    ChangesReport,
    CheckResult,
    Kind,
    LayerReport,
    Notice,
    RevisionReport,
    SignatureReport,
    SignerReport,
    TimeReport,
    TimestampReport,
    Verdict,
)

_GRAVITY = {Verdict.TOTAL_PASSED: 0, Verdict.INDETERMINATE: 1, Verdict.TOTAL_FAILED: 2}


@dataclass
class Draft:
    """Everything of `SignatureReport`, mutable."""

    field: str
    kind: Kind = "signature"
    fields: tuple[str, ...] = ()
    subfilter: str | None = None
    suite: str | None = None
    signature_algorithm: str | None = None
    digest_algorithm: str | None = None
    level: str | None = None
    signer: SignerReport | None = None
    signed_at: TimeReport | None = None
    revision: RevisionReport | None = None
    changes_after: ChangesReport | None = None
    cryptographic: LayerReport = NOT_CHECKED
    agreed: LayerReport = NOT_CHECKED
    recognised: tuple[tuple[str, LayerReport], ...] = ()
    stated: tuple[tuple[str, str], ...] = ()
    timestamps: list[TimestampReport] = dataclasses.field(default_factory=list)
    checks: list[CheckResult] = dataclasses.field(default_factory=list)
    warnings: list[Notice] = dataclasses.field(default_factory=list)
    verdict: Verdict = Verdict.TOTAL_PASSED
    sub_indication: str | None = None
    reason: str = ""
    code: str = ""

    def passed(self, check: str, clause: str, detail: str = "", basis: str = "") -> None:
        """Record a check that holds."""
        self.checks.append(CheckResult(check, clause, "passed", detail, basis))

    def skipped(self, check: str, clause: str, detail: str) -> None:
        """Record a check that was not made, and why."""
        self.checks.append(CheckResult(check, clause, "not-checked", detail))

    def failed(
        self, check: str, clause: str, detail: str, verdict: Verdict, sub_indication: str, code: str = ""
    ) -> None:
        """Record a check that does not hold and lower the verdict."""
        self.checks.append(CheckResult(check, clause, "failed", detail))
        self.lower(verdict, sub_indication, detail, code)

    def unknown(self, check: str, clause: str, detail: str, sub_indication: str, code: str = "") -> None:
        """Record a check that could not be made though it had to be: INDETERMINATE."""
        self.checks.append(CheckResult(check, clause, "not-checked", detail))
        self.lower(Verdict.INDETERMINATE, sub_indication, detail, code)

    def warn(self, code: str, detail: str) -> None:
        """Say something that decides nothing."""
        self.warnings.append(Notice(code, detail))

    def lower(self, verdict: Verdict, sub_indication: str, reason: str, code: str = "") -> None:
        """Lower the verdict, keep the first reason of the gravest kind."""
        if _GRAVITY[verdict] > _GRAVITY[self.verdict]:
            self.verdict, self.sub_indication, self.reason, self.code = verdict, sub_indication, reason, code

    def report(self) -> SignatureReport:
        """Freeze it."""
        values: dict[str, Any] = dict(vars(self))
        for name in ("timestamps", "checks", "warnings"):
            values[name] = tuple(values[name])
        return SignatureReport(**values)
