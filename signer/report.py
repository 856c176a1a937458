"""The verdict as plain data, in the words of ETSI EN 319 102-1, and as text, JSON and HTML.

    report = verify_bytes(data, name="contract.pdf", trust=store, clock=clock)
    report.verdict            # Verdict.TOTAL_PASSED …
    report.to_json()          # "sealroad.report/1", docs: the interface page
    to_text(report, lang="zh", verbose=True)

Nothing here verifies anything and nothing here says that a signature is legally valid anywhere: it prints the checks,
their result and the basis.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

SCHEMA = "sealroad.report/1"
MAX_ANCHORS = 50
"""Anchors a report names; a national list has thousands."""

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
    key_suite: str | None = None
    """Suite of the key in the certificate, or the OID of its algorithm."""
    key_parameter: str | None = None
    """Key size or parameter set: "3072", "P-256", "CryptoPro-A"."""
    policies: tuple[str, ...] = ()
    """Certificate policies, dotted (RFC 5280 4.2.1.4)."""

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
            "key": {"suite": self.key_suite, "parameter": self.key_parameter},
            "policies": list(self.policies),
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
    fingerprint: str = ""
    """SHA-256 of the authority's certificate, hexadecimal; empty where it is not known."""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {
            "verdict": self.verdict.value,
            "sub_indication": self.sub_indication,
            "gen_time": stamp(self.gen_time) if self.gen_time else None,
            "authority": self.authority,
            "authority_sha256": self.fingerprint or None,
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
    """The file the result rests on: its title and SHA-256, and for a jurisdiction the basis it states."""
    checks: tuple[CheckResult, ...] = ()
    """One for every condition of that file; `clause` says where the condition stands in it."""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of the interface."""
        out: dict[str, Any] = {"result": self.result, "basis": self.basis}
        if self.checks:
            out["checks"] = [check.to_json() for check in self.checks]
        return out


NOT_CHECKED = LayerReport("not-checked")

CONSENT = frozenset({"signature", "certification", "seal"})
"""Kinds by which somebody agrees to something; the others prove a time or serve to judge these."""

ObjectKind = Literal["certificate", "crl", "ocsp", "timestamp"]
ObjectUse = Literal[
    "signer",
    "issuer",
    "anchor",
    "seal-maker",
    "seal-maker-issuer",
    "seal-maker-anchor",
    "revocation",
    "timestamp",
    "tsa",
    "tsa-issuer",
    "tsa-anchor",
]


@dataclass(frozen=True)
class ValidationObject:
    """Something the verdict rests on (ETSI TS 119 102-2 clause 4.4)."""

    kind: ObjectKind
    use: ObjectUse
    """What it was used for; "anchor", "seal-maker-anchor" and "tsa-anchor" are what the chain ends in."""
    name: str
    """Subject of a certificate, issuer of a list, whoever made an answer or a time-stamp."""
    sha256: str
    """Of `data`, hexadecimal."""
    data: bytes = dataclasses.field(repr=False)
    """DER; not in the JSON, which names it by its digest."""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {"kind": self.kind, "use": self.use, "name": self.name, "sha256": self.sha256}


@dataclass(frozen=True)
class SealReport:
    """The electronic seal that a signature was made with, as its maker wrote it."""

    version: int
    """1, 4 or 5."""
    standard: str
    """The standard that this version is of: "GB/T 38540-2020"."""
    id: str
    """esID."""
    name: str
    type: int
    """An open number; what it usually means, `signer.seals.kinds` says."""
    vendor: str
    maker: str
    """Subject of the seal maker's certificate; empty where it cannot be read."""
    created: datetime
    valid_from: datetime
    valid_to: datetime
    filing_number: str | None
    picture_type: str
    """As the seal writes it."""
    picture_sha256: str
    width: int
    """Millimetres."""
    height: int
    """Millimetres."""
    variants: tuple[str, ...] = ()
    """How seal and signature deviate from the text of the standard (`signer.seals.reading`)."""
    picture: bytes = dataclasses.field(default=b"", repr=False)
    """PNG or JPEG that is safe to show; empty where the picture is of another kind. Not in the JSON."""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {
            "version": self.version,
            "standard": self.standard,
            "id": self.id,
            "name": self.name,
            "type": self.type,
            "vendor": self.vendor,
            "maker": self.maker,
            "created": stamp(self.created),
            "valid_from": stamp(self.valid_from),
            "valid_to": stamp(self.valid_to),
            "filing_number": self.filing_number,
            "picture": {
                "type": self.picture_type,
                "sha256": self.picture_sha256,
                "width_mm": self.width,
                "height_mm": self.height,
            },
            "variants": list(self.variants),
        }


Rotation = Literal[0, 90, 180, 270]


@dataclass(frozen=True)
class PlaceReport:
    """Where a signature shows: page and rectangle, in points from the lower left corner (ISO 32000-2 12.5.2)."""

    page: int
    """From 1."""
    box: tuple[float, float, float, float]
    page_box: tuple[float, float, float, float]
    """The crop box of that page."""
    rotation: Rotation = 0
    """How far the page is turned clockwise when it is shown."""

    @property
    def visible(self) -> bool:
        """Whether there is anything to see."""
        return self.box[2] > self.box[0] and self.box[3] > self.box[1]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {
            "page": self.page,
            "box": list(self.box),
            "page_box": list(self.page_box),
            "rotation": self.rotation,
        }


@dataclass(frozen=True)
class BasisFile:
    """A framework agreement or a recognition policy that the report was judged by."""

    kind: Literal["agreement", "policy"]
    title: str
    sha256: str
    """Of the file, hexadecimal."""
    jurisdiction: str | None = None
    version: str | None = None
    text: str = ""
    """What a policy says it rests on, word for word."""
    details: tuple[tuple[str, str], ...] = ()
    """What else the file states and nobody judges: number, prevailing language, governing law, forum."""
    signatures: tuple[SignatureReport, ...] | None = None
    """The signatures on the agreement file itself; None where it carries none."""

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on the file's own signatures; None where it carries none."""
        return None if self.signatures is None else overall(self.signatures)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object; the signatures without their checks."""
        return {
            "kind": self.kind,
            "title": self.title,
            "sha256": self.sha256,
            "jurisdiction": self.jurisdiction,
            "version": self.version,
            "text": self.text,
            "details": dict(self.details),
            "verdict": self.verdict,
            "signatures": [
                {
                    "verdict": one.verdict.value,
                    "sub_indication": one.sub_indication,
                    "suite": one.suite,
                    "signer": one.signer.to_json() if one.signer else None,
                    "signed_at": one.signed_at.to_json() if one.signed_at else None,
                }
                for one in self.signatures or ()
            ],
        }


@dataclass(frozen=True)
class AnchorReport:
    """A certificate the verifier was told to trust."""

    subject: str
    sha256: str

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {"subject": self.subject, "sha256": self.sha256}


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
    "seal-object",
]
"""What a report is about; the last four are files by which others are judged. A "seal" is a signature made with an
electronic seal, a "seal-object" the seal itself, which nobody has put to anything."""


@dataclass(frozen=True)
class SignaturePolicyReport:
    """What a signed attribute says the signature was made under (EN 319 122-1 5.2.9)."""

    oid: str
    """Empty where the attribute says "implied", or cannot be read."""
    digest_algorithm: str | None
    """OID; None where nothing is named."""
    digest: str
    """Hexadecimal."""
    readable: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {
            "oid": self.oid,
            "digest_algorithm": self.digest_algorithm,
            "digest": self.digest,
            "readable": self.readable,
        }


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
    place: PlaceReport | None = None
    """Where it shows in the file as it is; None outside a PDF and where no page has it."""
    more_places: tuple[PlaceReport, ...] = ()
    """Where it shows besides: a seal on every page, or across the edges of all pages."""
    objects: tuple[ValidationObject, ...] = ()
    """What the verdict rests on, the signer's certificate first."""
    seal: SealReport | None = None
    """The electronic seal it was made with, or which is itself the file."""
    policy: SignaturePolicyReport | None = None
    """What it says it was made under, such as a framework agreement."""
    value: bytes = dataclasses.field(default=b"", repr=False)
    """The signature value; the JSON has its SHA-256, which tells this signature from every other."""

    def to_json(self, lang: str = "en") -> dict[str, Any]:
        """Return the JSON object of the interface; the sentences in `lang`."""
        from signer.text.answers import signature_answers

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
            "answers": [answer.to_json(lang) for answer in signature_answers(self)],
            "stated": dict(self.stated),
            "checks": [c.to_json() for c in self.checks],
            "warnings": [w.to_json() for w in self.warnings],
            "place": self.place.to_json() if self.place else None,
            "more_places": [place.to_json() for place in self.more_places],
            "objects": [o.to_json() for o in self.objects],
            "seal": self.seal.to_json() if self.seal else None,
            "policy": self.policy.to_json() if self.policy else None,
            "value_sha256": hashlib.sha256(self.value).hexdigest() if self.value else None,
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
    trust: tuple[AnchorReport, ...] = ()
    """What the verifier was told to trust, the first MAX_ANCHORS."""
    trusted: int = 0
    """How many anchors that were."""
    bases: tuple[BasisFile, ...] = ()
    """The agreement and the policies it was judged by."""

    def to_json(self, lang: str = "en") -> dict[str, Any]:
        """Return the JSON object of schema "sealroad.report/1"; the sentences of `answers` in `lang`."""
        from signer.text.answers import report_answers

        out: dict[str, Any] = {
            "schema": SCHEMA,
            "file": self.file,
            "sha256": self.sha256,
            "checked_at": stamp(self.checked_at),
            "verdict": self.verdict.value,
            "answers": [answer.to_json(lang) for answer in report_answers(self)],
            "signatures": [s.to_json(lang) for s in self.signatures],
            "receipts": [],
            "warnings": [w.to_json() for w in self.warnings],
            "trust": {"anchors": [a.to_json() for a in self.trust], "count": self.trusted},
            "bases": [b.to_json() for b in self.bases],
        }
        if self.validation_time is not None:
            out["validation_time"] = stamp(self.validation_time)
        if self.empty_fields:
            out["empty_fields"] = list(self.empty_fields)
        return out

    def dumps(self, lang: str = "en") -> str:
        """Return the report as a JSON text, UTF-8 characters kept."""
        return json.dumps(self.to_json(lang), ensure_ascii=False, indent=1)


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
