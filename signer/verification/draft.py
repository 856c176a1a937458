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
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, get_args

from certs.path_result import PathResult
from signer.report import (
    NOT_CHECKED,
    ChangesReport,
    CheckResult,
    Kind,
    LayerReport,
    Notice,
    ObjectKind,
    ObjectUse,
    PlaceReport,
    RevisionReport,
    SealReport,
    SignaturePolicyReport,
    SignatureReport,
    SignerReport,
    TimeReport,
    TimestampReport,
    ValidationObject,
    Verdict,
)

_USES: tuple[str, ...] = get_args(ObjectUse)
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
    place: PlaceReport | None = None
    objects: list[ValidationObject] = dataclasses.field(default_factory=list)
    seal: SealReport | None = None
    policy: SignaturePolicyReport | None = None
    value: bytes = b""

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

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Let nothing out: what nobody foresaw is INDETERMINATE with the code "internal", never a pass or a crash.

        That the memory was not enough has the code "limits".
        """
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the document's own try
            detail, code = why(error)
            self.unknown(code, "", detail, "GENERIC", code)

    def warn(self, code: str, detail: str) -> None:
        """Say something that decides nothing."""
        self.warnings.append(Notice(code, detail))

    def copy(self) -> Draft:
        """Return one that goes its own way from here."""
        lists: dict[str, Any] = {name: list(value) for name, value in vars(self).items() if isinstance(value, list)}
        return dataclasses.replace(self, **lists)

    def keep(self, kind: ObjectKind, use: ObjectUse, name: str, data: bytes) -> None:
        """Remember what the verdict rests on; the same twice is kept once."""
        made = ValidationObject(kind, use, name, hashlib.sha256(data).hexdigest(), data)
        if all((known.sha256, known.use) != (made.sha256, use) for known in self.objects):
            self.objects.append(made)

    def keep_path(self, path: PathResult, uses: tuple[ObjectUse, ObjectUse, ObjectUse]) -> None:
        """Remember a chain, its lists and its answers; `uses` name the leaf, an authority and the anchor.

        Where no chain to an anchor was found, its last certificate is an authority as the others. One that is trusted
        itself is both leaf and anchor.
        """
        anchored = path.sub_indication != "NO_CERTIFICATE_CHAIN_FOUND"
        for position, certificate in enumerate(path.chain):
            last = anchored and position == len(path.chain) - 1
            use = uses[0] if position == 0 else uses[2] if last else uses[1]
            self.keep("certificate", use, certificate.subject, certificate.der)
            if last and position == 0:
                self.keep("certificate", uses[2], certificate.subject, certificate.der)
        for crl in path.crls:
            self.keep("crl", "revocation", crl.issuer, crl.der)
        for ocsp in path.ocsps:
            self.keep("ocsp", "revocation", "OCSP", ocsp.der)

    def lower(self, verdict: Verdict, sub_indication: str, reason: str, code: str = "") -> None:
        """Lower the verdict, keep the first reason of the gravest kind."""
        if _GRAVITY[verdict] > _GRAVITY[self.verdict]:
            self.verdict, self.sub_indication, self.reason, self.code = verdict, sub_indication, reason, code

    def report(self) -> SignatureReport:
        """Freeze it."""
        values: dict[str, Any] = dict(vars(self))
        for name in ("timestamps", "checks", "warnings"):
            values[name] = tuple(values[name])
        values["objects"] = tuple(sorted(self.objects, key=lambda found: _USES.index(found.use)))
        return SignatureReport(**values)


def why(error: Exception) -> tuple[str, str]:
    """Return what an exception that nobody foresaw is called in a report, and its code."""
    if isinstance(error, MemoryError):
        return "it needs more memory than it may have", "limits"
    return type(error).__name__, "internal"
