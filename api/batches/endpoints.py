"""`/v1/signing-policies` and `/v1/batches`."""

from __future__ import annotations

from typing import Annotated

from api.batches import policies, repository, service
from api.batches.models import Batch, SigningPolicy
from api.batches.schemas import (
    BatchBase,
    BatchIn,
    BatchList,
    BatchOut,
    BatchResult,
    BatchValuesIn,
    PolicyID,
    SigningPolicyIn,
    SigningPolicyList,
    SigningPolicyOut,
)
from api.kit.edge import Reply, Router, Unit, changes, reads, writes
from api.kit.pagination import Cursor, Limit, paginate

router = Router(prefix="/v1", tags=["batches"])


@router.post("/signing-policies", status_code=201, response_model=SigningPolicyOut)
def create_signing_policy(unit: Annotated[Unit, writes("signing-policies:write")], body: SigningPolicyIn) -> Reply:
    """Let somebody else sign in batches with keys that the service holds, within limits."""
    row = policies.give(unit, body)
    return Reply(_policy(unit, row), headers={"location": f"/v1/signing-policies/{row.id}"})


@router.get("/signing-policies", response_model=SigningPolicyList)
def list_signing_policies(
    unit: Annotated[Unit, reads("signing-policies:read")], limit: Limit = 50, cursor: Cursor = None
) -> Reply:
    """List signing policies, newest first."""
    with unit.read() as session:
        query = repository.policies(unit.tenant_id)
        page = paginate(session, query, SigningPolicy, unit, cursor=cursor, limit=limit)
        rows = [_policy(unit, row) for row in page.rows]
    body = SigningPolicyList(data=rows, next_cursor=page.next_cursor)
    return Reply(body, headers=page.link("/v1/signing-policies", limit))


@router.get("/signing-policies/{policy_id}", response_model=SigningPolicyOut)
def get_signing_policy(unit: Annotated[Unit, reads("signing-policies:read")], policy_id: str) -> Reply:
    """Read a signing policy, and how much of it was used."""
    with unit.read() as session:
        return Reply(_policy(unit, repository.policy(session, unit.tenant_id, policy_id)))


@router.post("/signing-policies/{policy_id}/revoke", response_model=SigningPolicyOut)
def revoke_signing_policy(unit: Annotated[Unit, writes("signing-policies:write")], policy_id: str) -> Reply:
    """Take a policy back. Batches under it sign nothing more from then on. To do it again changes nothing."""
    return Reply(_policy(unit, policies.revoke(unit, policy_id)))


@router.post("/batches", status_code=202, response_model=BatchOut)
def create_batch(unit: Annotated[Unit, writes("contracts:sign")], body: BatchIn) -> Reply:
    """Sign many contracts under one consent.

    Keys that the service holds: under a signing policy, a job signs all; follow it at `/v1/jobs/{job}/events`.
    Keys that the parties hold: a job prepares everything; then the batch is `ready`, and has all that is to be signed.
    """
    batch = service.create(unit, body)
    return Reply(service.shown(unit.session, batch), headers={"location": f"/v1/batches/{batch.id}"})


@router.get("/batches", response_model=BatchList)
def list_batches(
    unit: Annotated[Unit, reads("contracts:read")],
    limit: Limit = 50,
    cursor: Cursor = None,
    policy: PolicyID | None = None,
) -> Reply:
    """List batches, newest first."""
    with unit.read() as session:
        query = repository.batches(unit.tenant_id, policy_id=policy)
        page = paginate(session, query, Batch, unit, cursor=cursor, limit=limit)
        rows = [BatchBase.model_validate(BatchBase.facts(row)) for row in page.rows]
    body = BatchList(data=rows, next_cursor=page.next_cursor)
    return Reply(body, headers=page.link("/v1/batches", limit, policy=policy))


@router.get("/batches/{batch_id}", response_model=BatchOut)
def get_batch(unit: Annotated[Unit, reads("contracts:read")], batch_id: str) -> Reply:
    """Read a batch: what became of each item, and what keys elsewhere are to sign."""
    with unit.read() as session:
        return Reply(service.shown(session, repository.batch(session, unit.tenant_id, batch_id)))


@router.put("/batches/{batch_id}", response_model=BatchResult)
def hand_in_batch(unit: Annotated[Unit, changes("contracts:sign")], batch_id: str, body: BatchValuesIn) -> Reply:
    """Hand in what the parties' keys returned, all or some of it.

    Each value is verified by itself; one that is wrong, late, repeated or foreign changes nothing and has its error.
    """
    results = service.hand_in(unit, batch_id, body)
    with unit.read() as session:
        batch = service.shown(session, repository.batch(session, unit.tenant_id, batch_id))
    return Reply(BatchResult(results=results, batch=batch))


def _policy(unit: Unit, row: SigningPolicy) -> SigningPolicyOut:
    return SigningPolicyOut.of(row, policies.day_of(unit.context.now()))
