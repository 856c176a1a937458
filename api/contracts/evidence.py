"""Verify a contract's documents, and collect what proves it."""

from __future__ import annotations

import base64
from typing import Any

from api.audit.service import events_of
from api.context import Context
from api.contracts import repository
from api.contracts.models import Contract, Revision
from api.contracts.schemas import ContractOut, DocumentReport, EventOut, EvidenceOut
from api.identity import repository as identity
from api.identity.schemas import evidence_of
from api.kit.edge import Unit
from api.signing import repository as signatures
from api.signing.models import Signature
from api.verification.service import verify_path


def verify_documents(context: Context, contract: Contract) -> list[DocumentReport]:
    """Return a report on the newest revision of every document."""
    reports = []
    for row in contract.documents:
        with context.storage.local(row.head_sha256) as path:
            report = verify_path(context, path, name=row.document.name)
        reports.append(DocumentReport(document=row.document_id, revision=row.head_number, report=report))
    return reports


def collect(unit: Unit, contract_id: str) -> EvidenceOut:
    """Return the evidence of a contract as it is now."""
    context = unit.context
    with unit.read() as session:
        contract = repository.get(session, unit.tenant_id, contract_id)
        revisions = repository.revisions_of(session, contract)
        made = signatures.of_contract(session, contract.id)
        events = events_of(session, unit.tenant_id, contract.id, limit=1_000_000)
        stored = contract.reports
        used = [name for party in contract.parties for name in (party.identity or {}).get("proofs", ())]
        proofs = [evidence_of(proof) for proof in identity.named(session, unit.tenant_id, used)]
    suites_in_use = {party.suite for party in contract.parties if party.suite}
    circles = [circle for circle in context.circles.existing() if circle.suite in suites_in_use]
    if stored is not None:
        reports = [DocumentReport.model_validate(entry) for entry in stored]
    else:
        reports = verify_documents(context, contract)
    return EvidenceOut(
        schema="sealroad.evidence/1",
        created_at=context.now(),
        contract=ContractOut.of(contract),
        revisions=[_revision(row) for row in revisions],
        signatures=[_signature(row) for row in made],
        identity_proofs=proofs,
        events=[EventOut.model_validate(event, from_attributes=True) for event in events],
        reports=reports,
        certificates=[party.certificates for party in contract.parties if party.certificates],
        authorities=[circle.root.pem for circle in circles],
        crls=[base64.b64encode(crl).decode() for circle in circles for crl in circle.crls().values()],
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
