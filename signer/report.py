"""The verdict as plain data, in the words of ETSI EN 319 102-1, and as text, JSON and HTML.

    report = verify_bytes(data, name="contract.pdf", trust=store, clock=clock)
    report.verdict            # Verdict.TOTAL_PASSED …
    report.to_json()          # "sealroad.report/1", docs: the interface page
    to_text(report, lang="zh", verbose=True)

Nothing here verifies anything and nothing here says that a signature is legally valid anywhere: it prints the checks,
their result and the basis.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

SCHEMA = "sealroad.report/1"

Result = Literal["passed", "failed", "not-checked"]


class Verdict(StrEnum):
    """Overall and per signature (EN 319 102-1 clause 5.1.3); NO-SIGNATURE is for a whole file only."""

    TOTAL_PASSED = "TOTAL-PASSED"
    TOTAL_FAILED = "TOTAL-FAILED"
    INDETERMINATE = "INDETERMINATE"
    NO_SIGNATURE = "NO-SIGNATURE"


@dataclass(frozen=True)
class CheckResult:
    """One check, named so that a reader finds it in the standard."""

    id: str
    clause: str
    result: Result
    detail: str = ""
    basis: str = ""
    """What the result rests on: a key, a certificate, a CRL, a rule of ours; empty when the clause says it all."""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of the interface."""
        out: dict[str, Any] = {"id": self.id, "clause": self.clause, "result": self.result, "detail": self.detail}
        if self.basis:
            out["basis"] = self.basis
        return out


@dataclass(frozen=True)
class IdentifierReport:
    """A national identifier found in the certificate."""

    scheme: str
    value: str
    checksum_ok: bool | None


@dataclass(frozen=True)
class SignerReport:
    """Who signed, as the certificate says."""

    subject: str
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime
    common_name: str | None = None
    organisation: str | None = None
    identifiers: tuple[IdentifierReport, ...] = ()
    fingerprint: str = ""
    """SHA-256 of the certificate, hexadecimal."""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of the interface."""
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "serial": self.serial,
            "not_before": stamp(self.not_before),
            "not_after": stamp(self.not_after),
            "common_name": self.common_name,
            "organisation": self.organisation,
            "fingerprint_sha256": self.fingerprint,
            "identifiers": [
                {"scheme": i.scheme, "value": i.value, "checksum_ok": i.checksum_ok} for i in self.identifiers
            ],
        }


@dataclass(frozen=True)
class TimeReport:
    """When it was signed, and who says so."""

    value: datetime
    source: Literal["timestamp", "claimed"]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of the interface."""
        return {"value": stamp(self.value), "source": self.source}


@dataclass(frozen=True)
class TimestampReport:
    """A time-stamp inside a signature."""

    verdict: Verdict
    sub_indication: str | None
    gen_time: datetime | None
    authority: str
    suite: str | None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {
            "verdict": self.verdict.value,
            "sub_indication": self.sub_indication,
            "gen_time": stamp(self.gen_time) if self.gen_time else None,
            "authority": self.authority,
            "suite": self.suite,
        }


@dataclass(frozen=True)
class RevisionReport:
    """Which revision of the file a signature covers, counted from 1."""

    index: int
    of: int
    covers_whole_file: bool

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of the interface."""
        return {"index": self.index, "of": self.of, "covers_whole_file": self.covers_whole_file}


@dataclass(frozen=True)
class ChangesReport:
    """What later revisions did."""

    level: str
    """none, lta-updates, form-filling, annotations, forbidden; unknown where it could not be told."""
    detail: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of the interface."""
        return {"level": self.level, "detail": list(self.detail)}


@dataclass(frozen=True)
class LayerReport:
    """One of the three layers: is it mathematically right, did the parties agree on it, does a state recognise it."""

    result: Result
    basis: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of the interface."""
        return {"result": self.result, "basis": self.basis}


NOT_CHECKED = LayerReport("not-checked")


Kind = Literal[
    "signature",
    "certification",
    "seal",
    "document-timestamp",
    "countersignature",
    "timestamp",
    "evidence-record",
    "certificate",
    "revocation-list",
    "ocsp-response",
]
"""What a report is about; the last three are files by which others are judged."""


@dataclass(frozen=True)
class SignatureReport:
    """Everything about one signature."""

    field: str
    kind: Kind
    verdict: Verdict
    sub_indication: str | None = None
    reason: str = ""
    """One English sentence: why it is not TOTAL-PASSED."""
    code: str = ""
    """Stable code of the reason, where the sub-indication does not say it all."""
    suite: str | None = None
    signature_algorithm: str | None = None
    digest_algorithm: str | None = None
    subfilter: str | None = None
    level: str | None = None
    signer: SignerReport | None = None
    signed_at: TimeReport | None = None
    timestamps: tuple[TimestampReport, ...] = ()
    revision: RevisionReport | None = None
    changes_after: ChangesReport | None = None
    cryptographic: LayerReport = NOT_CHECKED
    agreed: LayerReport = NOT_CHECKED
    recognised: tuple[tuple[str, LayerReport], ...] = ()
    """Per jurisdiction."""
    stated: tuple[tuple[str, str], ...] = ()
    """What the signature dictionary itself says: reason, location, name, contact."""
    fields: tuple[str, ...] = ()
    """Every field whose value this signature is."""
    checks: tuple[CheckResult, ...] = ()
    warnings: tuple[Notice, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of the interface."""
        return {
            "field": self.field,
            "fields": list(self.fields),
            "kind": self.kind,
            "verdict": self.verdict.value,
            "sub_indication": self.sub_indication,
            "reason": self.reason,
            "code": self.code,
            "suite": self.suite,
            "signature_algorithm": self.signature_algorithm,
            "digest_algorithm": self.digest_algorithm,
            "subfilter": self.subfilter,
            "level": self.level,
            "signer": self.signer.to_json() if self.signer else None,
            "signed_at": self.signed_at.to_json() if self.signed_at else None,
            "timestamps": [t.to_json() for t in self.timestamps],
            "revision": self.revision.to_json() if self.revision else None,
            "changes_after": self.changes_after.to_json() if self.changes_after else None,
            "layers": {
                "cryptographic": {"result": self.cryptographic.result},
                "agreed": self.agreed.to_json(),
                "recognised": [{"jurisdiction": j, **layer.to_json()} for j, layer in self.recognised],
            },
            "stated": dict(self.stated),
            "checks": [c.to_json() for c in self.checks],
            "warnings": [w.to_json() for w in self.warnings],
        }


@dataclass(frozen=True)
class Notice:
    """Something worth a word that decides nothing."""

    code: str
    detail: str

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {"code": self.code, "detail": self.detail}


@dataclass(frozen=True)
class Report:
    """The verdict on one file."""

    file: str
    sha256: str
    checked_at: datetime
    verdict: Verdict
    signatures: tuple[SignatureReport, ...] = ()
    warnings: tuple[Notice, ...] = ()
    validation_time: datetime | None = None
    """The moment certificates were judged at, where it is not `checked_at`."""
    empty_fields: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of schema "sealroad.report/1"."""
        out: dict[str, Any] = {
            "schema": SCHEMA,
            "file": self.file,
            "sha256": self.sha256,
            "checked_at": stamp(self.checked_at),
            "verdict": self.verdict.value,
            "signatures": [s.to_json() for s in self.signatures],
            "receipts": [],
            "warnings": [w.to_json() for w in self.warnings],
        }
        if self.validation_time is not None:
            out["validation_time"] = stamp(self.validation_time)
        if self.empty_fields:
            out["empty_fields"] = list(self.empty_fields)
        return out | self.extra

    def dumps(self) -> str:
        """Return the report as a JSON text, UTF-8 characters kept."""
        return json.dumps(self.to_json(), ensure_ascii=False, indent=1)


def overall(signatures: tuple[SignatureReport, ...]) -> Verdict:
    """Return the verdict on a file: its worst signature; one failed, else one indeterminate, else passed."""
    verdicts = {s.verdict for s in signatures}
    for verdict in (Verdict.TOTAL_FAILED, Verdict.INDETERMINATE, Verdict.TOTAL_PASSED):
        if verdict in verdicts:
            return verdict
    return Verdict.NO_SIGNATURE


def stamp(moment: datetime) -> str:
    """Return a moment in UTC as RFC 3339 with `Z`; fractions of a second only where there are any."""
    text = moment.astimezone(UTC).isoformat(timespec="auto")
    return text.replace("+00:00", "Z")


def to_text(report: Report, lang: str = "en", *, verbose: bool = False, colour: bool = False) -> str:
    """Return the report as a person reads it; `lang` is en, zh or ru."""
    from signer.text.render import text  # the words are only loaded when words are wanted

    return text(report, lang, verbose=verbose, colour=colour)


def to_html(reports: tuple[Report, ...], lang: str = "en") -> str:
    """Return one self-contained page for one or several files."""
    from signer.text.html import page

    return page(reports, lang)
