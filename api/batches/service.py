"""Send a batch, and hand in what came back for it.

    batch = create(unit, body)                    # recorded, counted on its policy, and a job enqueued: or nothing
    results = hand_in(unit, batch_id, body)       # of keys elsewhere: each value by itself, as if it came alone

A batch is a way of saying many things at once, and no other way of signing: every item goes through
`api.signing.service`, in a transaction of its own, and one that fails leaves the others alone.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from api.batches import policies, repository
from api.batches.models import Batch, BatchItem
from api.batches.policy import Part, permit
from api.batches.schemas import BatchIn, BatchItemIn, BatchOut, BatchValueIn, BatchValueResult, BatchValuesIn
from api.contracts import repository as contracts
from api.contracts.models import Contract, Party
from api.errors import NotFound, StateConflict, ValidationFailed
from api.jobs.queue import enqueue
from api.jobs.worker import public
from api.kit.edge import Unit
from api.kit.ids import new_id
from api.kit.refusals import problem_at
from api.signing import repository as signatures
from api.signing import service as signing
from api.signing.schemas import SignatureRequestOut
from certs.errors import SealroadError

ENDED = ("signed", "failed")
KINDS = {"service": "sign-batch", "party": "prepare-batch"}


def create(unit: Unit, body: BatchIn) -> Batch:
    """Put a batch on record and enqueue its job. Raises ValidationFailed, NotFound, SigningPolicyRefused."""
    with unit.read() as reading:
        found = _parties(reading, unit.tenant_id, body.items)
    session, now, batch_id = unit.session, unit.context.now(), new_id("bat")
    holder = _holder(found)
    if holder == "service":
        _count(unit, body.policy, found)
    elif body.policy is not None:
        raise _refusal([problem_at("/policy", "not-needed", "is for keys that the service holds")])
    job = enqueue(
        session,
        tenant_id=unit.tenant_id,
        kind=KINDS[holder],
        key=f"{KINDS[holder]}:{batch_id}",
        payload={"batch": batch_id},
        now=now,
    )
    source = unit.source
    batch = Batch(
        id=batch_id,
        tenant_id=unit.tenant_id,
        key_holder=holder,
        state="working",
        policy_id=body.policy,
        text=body.consent.text,
        locale=body.consent.locale,
        key_id=unit.principal.key_id,
        user_id=unit.principal.user_id,
        source={"address": source.address, "user_agent": source.user_agent, "request_id": source.request_id},
        job_id=job.id,
        created_at=now,
        updated_at=now,
        items=[
            BatchItem(
                position=position,
                contract_id=contract.id,
                party_id=party.id,
                documents=item.documents,
                size=len(contract.documents),
                state="waiting",
                payload=None,
                signatures=[],
                failure=None,
            )
            for position, (item, (contract, party)) in enumerate(zip(body.items, found, strict=True))
        ],
    )
    session.add(batch)
    session.flush()
    return batch


def shown(session: Session, batch: Batch) -> BatchOut:
    """Return a batch as it is seen from outside, with what is to be signed by keys elsewhere."""
    rows = repository.requests(session, [name for item in batch.items for name in item.signatures])
    return BatchOut.of(batch, {row.id: SignatureRequestOut.of(row, suite) for row, suite in rows})


def hand_in(unit: Unit, batch_id: str, body: BatchValuesIn) -> list[BatchValueResult]:
    """Take what came back for a batch, each value in a transaction of its own.

    Raises NotFound, StateConflict; ValidationFailed where a value is for no request of the batch: then none is taken.
    """
    with unit.read() as session:
        batch = repository.batch(session, unit.tenant_id, batch_id)
    if batch.key_holder != "party":
        raise StateConflict("the service holds the keys of this batch", state=batch.state, allowed=[])
    places = {name: item for item in batch.items for name in item.signatures}
    errors = [
        problem_at(f"/values/{index}/request", "not-found", "the batch has no such signature request")
        for index, value in enumerate(body.values)
        if value.request not in places
    ]
    if errors:
        raise ValidationFailed("the values cannot be taken", errors=errors)
    return [_take(unit, places[value.request], value) for value in body.values]


def _take(unit: Unit, item: BatchItem, value: BatchValueIn) -> BatchValueResult:
    """Hand in one value, as `PUT …/signature-requests/{id}` does; what is wrong with it is a result."""
    failure = None
    try:
        with Unit(unit.context, unit.principal, unit.source) as each:
            signature, party, contract = signing.hand_in(each, item.contract_id, item.party_id, value.request, value)
            row = repository.item(each.session, item.batch_id, item.position)
            if signature.state == "abandoned":
                row.state, row.failure = "failed", signature.failure
            elif len(contracts.signed_documents(each.session, contract, party.id)) == row.size:
                row.state, row.failure = "signed", None
            each.session.flush()
            batch = repository.batch(each.session, unit.tenant_id, item.batch_id, lock=True)
            if batch.state == "ready" and all(other.state in ENDED for other in batch.items):
                batch.state = "ended"
            batch.updated_at = unit.context.now()
    except SealroadError as error:
        failure = public(error)
    with unit.context.database.read() as session:
        after = signatures.get(session, unit.tenant_id, item.contract_id, item.party_id, value.request)
    return BatchValueResult.model_validate({"request": value.request, "state": after.state, "error": failure})


def _parties(session: Session, tenant_id: str, items: list[BatchItemIn]) -> list[tuple[Contract, Party]]:
    """Return the contract and party of each item. Raises ValidationFailed where one is not there, or there twice."""
    found: list[tuple[Contract, Party]] = []
    errors = []
    for index, item in enumerate(items):
        try:
            contract = contracts.get(session, tenant_id, item.contract)
        except NotFound as error:
            errors.append(problem_at(f"/items/{index}/contract", error.code, error.message))
            continue
        try:
            party = contracts.party_of(contract, item.party)
        except NotFound as error:
            errors.append(problem_at(f"/items/{index}/party", error.code, error.message))
            continue
        if any(party.id == other.id for _, other in found):
            errors.append(problem_at(f"/items/{index}", "repeated", "is in the batch already"))
        elif party.key_holder is None:
            errors.append(problem_at(f"/items/{index}/party", "role", f"does not sign, as {party.role}"))
        found.append((contract, party))
    if errors:
        raise _refusal(errors)
    return found


def _holder(found: list[tuple[Contract, Party]]) -> str:
    """Return who holds the keys of all items. Raises ValidationFailed where that differs."""
    first = found[0][1].key_holder or ""
    other = [index for index, (_, party) in enumerate(found) if party.key_holder != first]
    if other:
        detail = "has its key elsewhere than the first: make two batches"
        raise _refusal([problem_at(f"/items/{index}", "key-holder", detail) for index in other])
    return first


def _count(unit: Unit, policy_id: str | None, found: list[tuple[Contract, Party]]) -> None:
    """Count a batch on its policy, before anything is signed. Raises ValidationFailed, SigningPolicyRefused."""
    if policy_id is None:
        raise _refusal([problem_at("/policy", "missing", "is needed: the service holds the keys")])
    try:
        row = repository.policy(unit.session, unit.tenant_id, policy_id, lock=True)
    except NotFound as error:
        raise _refusal([problem_at("/policy", error.code, error.message)]) from None
    now = unit.context.now()
    parts = [
        Part(
            role=party.role,
            documents=len(contract.documents),
            person=party.person_id,
            organisation=party.organisation_id,
            seal=party.seal_id,
            agreement=contract.agreement_id,
        )
        for contract, party in found
    ]
    policies.count(row, permit(policies.view_of(row, now), unit.principal.who, parts, now), now)


def _refusal(errors: list[dict[str, str]]) -> ValidationFailed:
    return ValidationFailed("the batch cannot be taken", errors=errors)
