"""Verify a file, in a process of its own, against the service's closed circles and whatever the caller trusts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.context import Context
from api.contracts import repository as contracts
from api.documents import repository as documents
from api.errors import NotFound
from api.kit.edge import Unit

if TYPE_CHECKING:
    from signer.report import Report, SignatureReport
    from signer.text.pictures import PagePicture


@dataclass(frozen=True)
class Demand:
    """What a verification stands on besides the file."""

    trust: tuple[bytes, ...] = ()
    """Certificates and lists to trust in addition to the service's own circles."""
    at: datetime | None = None
    """Judge as of this moment."""
    agreement: bytes | None = None
    """The parties' framework agreement."""
    agreement_signatures: tuple[bytes, ...] = ()
    """Detached signatures on the agreement."""
    policies: tuple[bytes, ...] = ()
    """What jurisdictions ask for."""
    password: str | None = field(default=None, repr=False)
    """Opens the file if it is an encrypted PDF."""


def verifier(context: Context, wanted: Demand) -> Callable[[Path, str], Report]:
    """Return what gives the report on a file, by path and name, the same as `sealroad verify` gives.

    What the demand names is read, and the agreement verified, once for all files. Raises BasisError.
    """
    from signer.layers import judge, load_agreement, load_policy
    from signer.verification.setting import VerifyOptions

    options = VerifyOptions(password=wanted.password)
    trust = context.circles.trust_store(wanted.trust)

    def verify(data: bytes, name: str, content: bytes | None = None) -> Report:
        return context.workers.verify(
            data, name=name, trust=trust, at=wanted.at, clock=context.clock, options=options, content=content
        )

    def signatures(data: bytes, content: bytes | None) -> tuple[SignatureReport, ...]:
        return verify(data, "agreement", content).signatures

    agreement = None
    if wanted.agreement is not None:
        agreement = load_agreement(wanted.agreement, verify=signatures, detached=wanted.agreement_signatures)
    policies = tuple(map(load_policy, wanted.policies))
    return lambda path, name: judge(verify(path.read_bytes(), name), agreement, policies)


def verify_path(context: Context, path: Path, *, name: str, agreement: bytes | None = None) -> dict[str, Any]:
    """Return the report on a file as JSON (sealroad.report/1), judged by a framework agreement if there is one."""
    body: dict[str, Any] = verifier(context, Demand(agreement=agreement))(path, name).to_json()
    return body


def stored(unit: Unit, contract_id: str | None, document_id: str | None) -> list[tuple[str, str]]:
    """Return SHA-256 and name of what an id means: the newest revision of a contract's documents, or an upload.

    Raises NotFound for what is not the tenant's, Forbidden without the scope to read it.
    """
    unit.principal.require("documents:read" if contract_id is None else "contracts:read")
    with unit.read() as session:
        if contract_id is None:
            document = documents.get(session, unit.tenant_id, document_id or "")
            return [(document.sha256, document.name)]
        contract = contracts.get(session, unit.tenant_id, contract_id)
        rows = [row for row in contract.documents if document_id in (None, row.document_id)]
        if not rows:
            raise NotFound("the contract has no such document")
        return [(row.head_sha256, row.document.name) for row in rows]


def written(reports: Sequence[tuple[Report, tuple[PagePicture, ...]]], form: str, lang: str) -> tuple[bytes, str]:
    """Return reports in a format other than JSON, and its media type."""
    if form == "pdf":
        from signer.text.pdf import document

        return document(reports, lang), "application/pdf"
    if form == "xml":
        from signer.etsi_report import document as etsi

        return etsi(report for report, _ in reports), "application/xml"
    if form == "text":
        from signer.report import to_text

        return "\n".join(to_text(report, lang) for report, _ in reports).encode(), "text/plain; charset=utf-8"
    from signer.text.html import page

    pictures = {index: drawn for index, (_, drawn) in enumerate(reports)}
    return page(tuple(report for report, _ in reports), lang, pictures).encode(), "text/html; charset=utf-8"


def pictures(report: Report, path: Path) -> tuple[PagePicture, ...]:
    """Return the signed pages of a file as pictures."""
    from signer.text.pictures import pictures_of

    return pictures_of(report, path.read_bytes())
