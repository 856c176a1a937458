"""Verify a file, in a process of its own, against the service's closed circles and whatever the caller trusts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from api.context import Context
from api.contracts import repository as contracts
from api.documents import repository as documents
from api.documents.opening import password_of
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


class Verifying(Protocol):
    """Gives the report on a file, by path and name."""

    def __call__(self, path: Path, name: str, password: str | None = None) -> Report:
        """Verify; `password` opens an encrypted file in place of the demand's."""
        ...


def verifier(context: Context, wanted: Demand) -> Verifying:
    """Return what gives the report on a file, by path and name, the same as `sealroad verify` gives.

    What the demand names is read, and the agreement verified, once for all files. Raises BasisError.
    """
    from signer.layers import judge, load_agreement, load_policy
    from signer.verification.setting import VerifyOptions

    trust = context.circles.trust_store(wanted.trust)

    def verify(data: bytes, name: str, content: bytes | None = None, password: str | None = None) -> Report:
        options = VerifyOptions(password=password)
        return context.workers.verify(
            data, name=name, trust=trust, at=wanted.at, clock=context.clock, options=options, content=content
        )

    def signatures(data: bytes, content: bytes | None) -> tuple[SignatureReport, ...]:
        return verify(data, "agreement", content, wanted.password).signatures

    agreement = None
    if wanted.agreement is not None:
        agreement = load_agreement(wanted.agreement, verify=signatures, detached=wanted.agreement_signatures)
    policies = tuple(map(load_policy, wanted.policies))

    def verifying(path: Path, name: str, password: str | None = None) -> Report:
        report = verify(path.read_bytes(), name, password=password or wanted.password)
        return judge(report, agreement, policies)

    return verifying


def verify_path(
    context: Context, path: Path, *, name: str, password: str | None, agreement: bytes | None = None
) -> dict[str, Any]:
    """Return the report on a file as JSON (sealroad.report/1), judged by a framework agreement if there is one.

    The password opens an encrypted one.
    """
    body: dict[str, Any] = verifier(context, Demand(password=password, agreement=agreement))(path, name).to_json()
    return body


@dataclass(frozen=True)
class Stored:
    """A file that the service holds."""

    sha256: str
    name: str
    password: str | None = field(default=None, repr=False)
    """What it was uploaded with, where it is encrypted."""


def stored(unit: Unit, contract_id: str | None, document_id: str | None) -> list[Stored]:
    """Return what an id means: the newest revision of a contract's documents, or an upload.

    Raises NotFound for what is not the tenant's, Forbidden without the scope to read it.
    """
    unit.principal.require("documents:read" if contract_id is None else "contracts:read")
    with unit.read() as session:
        if contract_id is None:
            document = documents.get(session, unit.tenant_id, document_id or "")
            return [Stored(document.sha256, document.name, password_of(unit.context, document))]
        contract = contracts.get(session, unit.tenant_id, contract_id)
        rows = [row for row in contract.documents if document_id in (None, row.document_id)]
        if not rows:
            raise NotFound("the contract has no such document")
        return [Stored(row.head_sha256, row.document.name, password_of(unit.context, row.document)) for row in rows]


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


def pictures(report: Report, path: Path, password: str | None) -> tuple[PagePicture, ...]:
    """Return the signed pages of a file as pictures; of an encrypted one, as its password shows them."""
    from signer.encryption.pdf import in_clear
    from signer.errors import SignerError
    from signer.pdf.encryption import Credentials
    from signer.text.pictures import pictures_of

    data = path.read_bytes()
    if password is not None:
        try:
            data = in_clear(data, Credentials(password=password))
        except SignerError:  # no PDF, or one that nobody can read: the report says so
            return ()
    return pictures_of(report, data)
