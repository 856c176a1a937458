"""The job `finalize`, and what runs by the clock.

Finalisation verifies every document once more, as a stranger would: a contract is completed only if every party's
signature is cryptographically intact in the file that is handed out. Whether a certificate chain is *trusted* depends
on whom one trusts, so a party's own certificate from elsewhere may leave a report at INDETERMINATE; nothing may be
TOTAL-FAILED.
"""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any, Final

from sqlalchemy import literal, or_, select

from api.context import Context
from api.contracts import relations, repository, workflow
from api.contracts.evidence import verify_documents
from api.contracts.evidence_schemas import DocumentReport
from api.contracts.models import Contract, ContractDocument, Revision
from api.contracts.transition import SYSTEM, agreement_of, apply
from api.documents.models import Document
from api.envelopes import delivery
from api.envelopes import repository as envelopes
from api.errors import NotFound, ServiceUnavailable, StateConflict
from api.jobs import queue
from api.jobs.models import Job
from api.jobs.queue import JobRun
from api.mandates import repository as mandates
from api.seals.models import Seal, SealUse
from api.signing.models import Signature

PATIENCE: Final = 6
"""How often a verification may be cut short, with longer and longer pauses, before that is the document's own doing."""


def finalize(context: Context, run: JobRun) -> dict[str, Any] | None:
    """Run the job. Payload: contract."""
    with context.database.read() as session:
        contract = repository.get(session, run.tenant_id, run.payload["contract"])
    if contract.state != workflow.ContractState.FINALIZING:
        return {"contract": contract.id, "state": contract.state}
    reports = verify_documents(context, contract)
    if run.attempt < PATIENCE and any(map(_cut_short, reports)):  # a busy machine is no reason to fail a contract
        raise ServiceUnavailable("the documents could not be verified within the limits")
    problem = _objection(contract, reports)
    with context.database.write() as session:
        queue.fence(session, run)
        contract = repository.get(session, run.tenant_id, contract.id, lock=True)
        now, agreement = context.now(), agreement_of(contract)
        facts: dict[str, Any] = {"verdicts": {report.document: report.report["verdict"] for report in reports}}
        if problem is None:
            contract.reports = [report.model_dump(mode="json") for report in reports]
            contract.completed_at = now
            apply(session, contract, workflow.completed(agreement), now=now, actor=SYSTEM, data=facts)
            relations.succeed(session, contract, now)
            if contract.delivery is not None:
                delivery.enqueue(context, session, contract)
        else:
            contract.failure = {"code": "verification-failed", "detail": problem}
            apply(
                session, contract, workflow.failed(agreement), now=now, actor=SYSTEM, data={**facts, "detail": problem}
            )
        result = {"contract": contract.id, "state": contract.state}
        queue.end(session, run, state="succeeded", result=result, now=now)
    return None


def gave_up(context: Context, run: JobRun, failure: dict[str, Any]) -> None:
    """Mark the contract as failed; it can be finalised again."""
    with context.database.write() as session:
        queue.fence(session, run)
        with contextlib.suppress(NotFound, StateConflict):
            contract = repository.get(session, run.tenant_id, run.payload["contract"], lock=True)
            change = workflow.failed(agreement_of(contract))
            contract.failure = failure
            apply(session, contract, change, now=context.now(), actor=SYSTEM, data=failure)


def expire_overdue(context: Context) -> int:
    """End contracts whose time is over; return how many."""
    with context.database.read() as session:
        overdue = repository.overdue(session, context.now())
    count = 0
    for tenant_id, contract_id in overdue:
        with context.database.write() as session, contextlib.suppress(NotFound, StateConflict):
            contract = repository.get(session, tenant_id, contract_id, lock=True)
            now = context.now()
            if contract.expires_at is not None and contract.expires_at <= now:
                apply(session, contract, workflow.expire(agreement_of(contract)), now=now, actor=SYSTEM)
                count += 1
    return count


def finalize_forgotten(context: Context) -> int:
    """Enqueue the finalisation of contracts that wait for one which nobody will do; return how many.

    That is so where it was asked for again between the end of the contract's failure and the end of the failed job.
    """
    key = literal("finalize:") + Contract.id
    query = (
        select(Contract.tenant_id, Contract.id)
        .outerjoin(Job, Job.key == key)
        .where(Contract.state == workflow.ContractState.FINALIZING, or_(Job.id.is_(None), Job.state.in_(queue.ENDED)))
        .limit(100)
    )
    with context.database.read() as session:
        forgotten = session.execute(query).all()
    for tenant_id, contract_id in forgotten:
        with context.database.write() as session:
            contract = repository.get(session, tenant_id, contract_id, lock=True)
            if contract.state == workflow.ContractState.FINALIZING:
                queue.enqueue(
                    session,
                    tenant_id=tenant_id,
                    kind="finalize",
                    key=f"finalize:{contract_id}",
                    payload={"contract": contract_id},
                    now=context.now(),
                )
    return len(forgotten)


def sweep_storage(context: Context, *, before: datetime) -> int:
    """Delete stored files that no row names and that are older than a moment; return how many."""
    with context.database.read() as session:
        needed: set[str] = set(session.scalars(select(Document.sha256)))
        needed |= set(session.scalars(select(Revision.sha256)))
        needed |= set(session.scalars(select(ContractDocument.head_sha256)))
        needed |= set(
            session.scalars(select(Signature.prepared_sha256).where(Signature.state.in_(("prepared", "signed"))))
        )
        needed |= set(session.scalars(select(Seal.picture_sha256)))
        needed |= set(session.scalars(select(Seal.content_sha256).where(Seal.content_sha256.is_not(None))))
        needed |= set(session.scalars(select(SealUse.prepared_sha256).where(SealUse.state == "recorded")))
        needed |= envelopes.needed_files(session)
        needed |= mandates.needed_files(session)
    return context.storage.sweep(needed, before=before)


def _objection(contract: Contract, reports: list[DocumentReport]) -> str | None:
    """Return why the documents cannot be handed out as completed, if there is a reason."""
    signers = [view.id for view in agreement_of(contract).parties if view.required and view.role in workflow.SIGNS]
    for entry in reports:
        if _cut_short(entry):
            return f"{entry.document} could not be verified within the limits"
        if entry.report["verdict"] == "TOTAL-FAILED":
            return f"verification of {entry.document} says TOTAL-FAILED"
        results = {
            name: item["layers"]["cryptographic"]["result"]
            for item in entry.report["signatures"]
            for name in item["fields"]  # a seal on several pages has a field on each
        }
        for party in signers:  # a signature field is named after its party
            if results.get(party) != "passed":
                return f"{entry.document} has no intact signature of {party}"
    return None


def _cut_short(entry: DocumentReport) -> bool:
    """Tell whether a verification did not come to its end: then it says nothing about the document."""
    return any(item["code"] in {"limits", "crashed"} for item in entry.report["signatures"])
