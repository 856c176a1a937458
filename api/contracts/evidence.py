"""Verify a contract's documents, and collect what proves it."""

from __future__ import annotations

import base64
from typing import Any

from asn1crypto import pem
from sqlalchemy.orm import Session

from api.agreements import repository as agreements
from api.agreements import standing
from api.agreements.log import entries_of
from api.audit.service import events_of
from api.context import Context
from api.contracts import repository
from api.contracts.evidence_schemas import AgreementEvidence, DocumentReport, EventOut, EvidenceOut, IntentOut
from api.contracts.languages import digests_of, manifest_of
from api.contracts.models import Contract, Revision
from api.contracts.schemas import ContractOut
from api.documents.opening import password_of
from api.envelopes import log as envelope_log
from api.envelopes.models import Envelope
from api.envelopes.repository import all_of
from api.envelopes.schemas import EnvelopeOut
from api.identity import repository as identity
from api.identity.schemas import evidence_of
from api.kit.edge import Unit
from api.mandates import standing as mandates
from api.pki.circle import Circle
from api.signing import repository as signatures
from api.signing.models import Signature
from api.verification.service import verify_path


def verify_documents(context: Context, contract: Contract) -> list[DocumentReport]:
    """Return a report on the newest revision of every document."""
    reports = []
    agreement = agreement_file(context, contract)
    for row in contract.documents:
        with context.storage.local(row.head_sha256) as path:
            password = password_of(context, row.document)
            report = verify_path(context, path, name=row.document.name, password=password, agreement=agreement)
        reports.append(DocumentReport(document=row.document_id, revision=row.head_number, report=report))
    return reports


def agreement_file(context: Context, contract: Contract) -> bytes | None:
    """Return the framework agreement of a contract with the signatures on it, if it names one that was offered."""
    if contract.agreement_id is None:
        return None
    with context.database.read() as session:
        row = agreements.get(session, contract.tenant_id, contract.agreement_id)
        return standing.file_of(session, row) if row.octets is not None else None


def collect(unit: Unit, contract_id: str) -> EvidenceOut:
    """Return the evidence of a contract as it is now."""
    context = unit.context
    with unit.read() as session:
        contract = repository.get(session, unit.tenant_id, contract_id)
        shown = ContractOut.of(contract)
        revisions = repository.revisions_of(session, contract)
        made = signatures.of_contract(session, contract.id)
        events = events_of(session, unit.tenant_id, contract.id, limit=1_000_000)
        agreed = signatures.intents_of(session, contract.id)
        stored = contract.reports
        sent = [_envelope(session, row) for row in session.scalars(all_of(unit.tenant_id, contract_id=contract.id))]
        agreement = _agreement(session, contract)
        authority = mandates.evidence_of(context, session, contract)
        used = [name for party in contract.parties for name in (party.identity or {}).get("proofs", ())]
        proofs = [evidence_of(proof) for proof in identity.named(session, unit.tenant_id, used)]
    circles = _circles(context, contract)
    if stored is not None:
        reports = [DocumentReport.model_validate(entry) for entry in stored]
    else:
        reports = verify_documents(context, contract)
    return EvidenceOut(
        schema="sealroad.evidence/1",
        created_at=context.now(),
        contract=shown,
        manifest=manifest_of(contract),
        manifest_digests=digests_of(manifest_of(contract)),
        revisions=[_revision(row) for row in revisions],
        signatures=[_signature(row) for row in made],
        identity_proofs=proofs,
        events=[EventOut.model_validate(event, from_attributes=True) for event in events],
        reports=reports,
        certificates=[party.certificates for party in contract.parties if party.certificates],
        authorities=[circle.root.pem for circle in circles],
        intents=[IntentOut.of(row) for row in agreed],
        envelopes=sent,
        agreement=agreement,
        powers_of_attorney=authority,
        crls=[base64.b64encode(crl).decode() for circle in circles for crl in circle.crls().values()],
    )


def authorities_of(context: Context, contract: Contract) -> str:
    """Return the roots and revocation lists that a contract's parties here depend on, as one file of PEM."""
    found = []
    for circle in _circles(context, contract):
        found += [circle.root.pem, *(pem.armor("X509 CRL", crl).decode() for crl in circle.crls().values())]
    return "".join(found)


def _circles(context: Context, contract: Contract) -> list[Circle]:
    """Return the service's own circles in which parties of a contract have their algorithms."""
    suites = {party.suite for party in contract.parties if party.suite}
    return [circle for circle in context.circles.existing() if circle.suite in suites]


def _envelope(session: Session, row: Envelope) -> dict[str, Any]:
    events = envelope_log.entries_of(session, row, after=0, limit=1_000_000)
    return {
        **EnvelopeOut.of(row).model_dump(mode="json"),
        "events": [EventOut.model_validate(event, from_attributes=True).model_dump(mode="json") for event in events],
    }


def _agreement(session: Session, contract: Contract) -> AgreementEvidence | None:
    if contract.agreement_id is None:
        return None
    row = agreements.get(session, contract.tenant_id, contract.agreement_id)
    if row.octets is None:
        return None
    entries = entries_of(session, row, after=0, limit=1_000_000)
    return AgreementEvidence(
        id=row.id,
        state=row.state,
        sha256=row.sha256 or "",
        file=base64.b64encode(standing.file_of(session, row)).decode(),
        events=[EventOut.model_validate(event, from_attributes=True) for event in entries],
    )


def _revision(row: Revision) -> dict[str, Any]:
    return {
        "document": row.document_id,
        "number": row.number,
        "sha256": row.sha256,
        "size": row.size,
        "parent_sha256": row.parent_sha256,
        "party": row.party_id,
        "signature": row.signature_id,
        "created_at": row.created_at.isoformat(),
    }


def _signature(row: Signature) -> dict[str, Any]:
    return {
        "id": row.id,
        "party": row.party_id,
        "document": row.document_id,
        "state": row.state,
        "base_sha256": row.base_sha256,
        "prepared_sha256": row.prepared_sha256,
        "consent": row.consent,
        "created_at": row.created_at.isoformat(),
    }
