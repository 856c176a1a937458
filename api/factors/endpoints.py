"""`/v1/factors`, `/v1/factor-enrolments` and `/v1/factor-policy`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from api.factors import repository, service
from api.factors.models import Factor
from api.factors.schemas import (
    ChangeIn,
    ConfirmIn,
    EnrolIn,
    EnrolmentIn,
    EnrolmentOut,
    FactorList,
    FactorOut,
    PolicyIn,
    PolicyOut,
    ResetIn,
)
from api.kit.edge import OptionalVersion, Reply, Router, Unit, Version, changes, etag, reads, writes
from api.kit.pagination import Cursor, Limit, paginate

router = Router(prefix="/v1", tags=["factors"])

READ, SIGN, WRITE = "people:read", "contracts:sign", "factors:write"


@router.post("/factor-enrolments", status_code=201, response_model=EnrolmentOut)
def offer_enrolment(unit: Annotated[Unit, writes(WRITE)], body: EnrolmentIn) -> Reply:
    """Let a signer enrol a factor: the secret is handed to them, and good once. An earlier one ends.

    Refused where the signer has a factor of this kind: they change it themselves, or it is reset first.
    """
    row, secret = service.offer(unit, body)
    return Reply(EnrolmentOut.of(row, secret), kept=EnrolmentOut.of(row))


@router.post("/factors", status_code=201, response_model=FactorOut)
def enrol_factor(unit: Annotated[Unit, writes(SIGN)], body: EnrolIn) -> Reply:
    """Enrol a factor, by the secret of an enrolment.

    A passphrase counts at once, and keys of contracts that are on their way come under it. One for codes is pending
    until its first code is confirmed.
    """
    return _new(*service.enrol(unit, body))


@router.get("/factors", response_model=FactorList)
def list_factors(
    unit: Annotated[Unit, reads(READ)],
    limit: Limit = 50,
    cursor: Cursor = None,
    person: Annotated[str | None, Query(max_length=40, description="Only those of this person.")] = None,
    party: Annotated[str | None, Query(max_length=40, description="Only those of this party.")] = None,
) -> Reply:
    """List factors, newest first, with those that have ended."""
    query = repository.factors(unit.tenant_id, person, party)
    with unit.read() as session:
        page = paginate(session, query, Factor, unit, cursor=cursor, limit=limit)
        data = [FactorOut.of(row) for row in page.rows]
    headers = page.link("/v1/factors", limit, person=person, party=party)
    return Reply(FactorList(data=data, next_cursor=page.next_cursor), headers=headers)


@router.get("/factors/{factor_id}", response_model=FactorOut)
def get_factor(unit: Annotated[Unit, reads(READ)], factor_id: str) -> Reply:
    """Read a factor; nothing of its value."""
    with unit.read() as session:
        row = repository.get(session, unit.tenant_id, factor_id)
    return Reply(FactorOut.of(row), etag=etag(row.version))


@router.post("/factors/{factor_id}/confirm", response_model=FactorOut)
def confirm_factor(
    unit: Annotated[Unit, writes(SIGN)], factor_id: str, version: OptionalVersion, body: ConfirmIn
) -> Reply:
    """Confirm a factor for codes by a first code. The one that it replaces ends."""
    row = service.confirm(unit, factor_id, version, body.code.get_secret_value())
    return Reply(FactorOut.of(row), etag=etag(row.version))


@router.post("/factors/{factor_id}/change", response_model=FactorOut)
def change_factor(
    unit: Annotated[Unit, writes(SIGN)], factor_id: str, version: OptionalVersion, body: ChangeIn
) -> Reply:
    """Change a factor, on proof of the present one.

    A passphrase is another from now on, and keys under it stay usable. Of codes the answer is a new factor, pending
    until its first code is confirmed; the present one counts until then.
    """
    return _new(*service.change(unit, factor_id, version, body))


@router.post("/factors/{factor_id}/reset", response_model=FactorOut)
def reset_factor(
    unit: Annotated[Unit, writes(WRITE)], factor_id: str, version: OptionalVersion, body: ResetIn
) -> Reply:
    """End a factor that its signer has lost. It is on record. Keys under a passphrase are lost with it."""
    row = service.reset(unit, factor_id, version, body.reason)
    return Reply(FactorOut.of(row), etag=etag(row.version))


@router.get("/factor-policy", response_model=PolicyOut)
def get_factor_policy(unit: Annotated[Unit, reads(READ)]) -> Reply:
    """Read what every signer has to show whose key the service holds."""
    with unit.read() as session:
        body = PolicyOut.of(repository.policy(session, unit.tenant_id))
    return Reply(body, etag=etag(body.version))


@router.put("/factor-policy", response_model=PolicyOut)
def put_factor_policy(unit: Annotated[Unit, changes(WRITE)], version: Version, body: PolicyIn) -> Reply:
    """Say what they have to show. Needs If-Match. Contracts that were sent stay as they are."""
    row = service.require_of_held_keys(unit, version, body)
    return Reply(PolicyOut.of(row), etag=etag(row.version))


def _new(row: Factor, otpauth: str | None) -> Reply:
    return Reply(
        FactorOut.of(row, otpauth),
        etag=etag(row.version),
        headers={"location": f"/v1/factors/{row.id}"},
        kept=FactorOut.of(row),
    )
