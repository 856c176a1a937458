"""Carry a decision of the state machine into the database: states, audit, version, jobs, in one transaction.

contract = repository.get(session, tenant_id, contract_id, lock=True)
change = workflow.decline(agreement_of(contract), party_id)
apply(session, contract, change, now=now, actor=actor)
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session, object_session

from api.audit.service import record
from api.contracts.models import Contract
from api.contracts.workflow import OPEN, PARTY_MOVES, Agreement, Change, ContractState, PartyState, Role
from api.contracts.workflow import Party as PartyView
from api.errors import PreconditionFailed, StateConflict
from api.jobs.queue import enqueue
from api.kit.bell import announce
from api.kit.edge import Unit, etag

SYSTEM: dict[str, Any] = {"type": "system"}


def agreement_of(contract: Contract) -> Agreement:
    """Return a contract as the state machine sees it."""
    parties = tuple(
        PartyView(party.id, party.order, Role(party.role), PartyState(party.state), party.delegate_of)
        for party in contract.parties
    )
    return Agreement(ContractState(contract.state), parties)


def actor_of(unit: Unit) -> dict[str, Any]:
    """Return who acts, for the audit."""
    user = {"user": unit.principal.user_id} if unit.principal.user_id is not None else {}
    return {
        "type": unit.principal.kind,
        "id": unit.principal.key_id,
        **user,
        "address": unit.address,
        "user_agent": unit.user_agent,
        "request_id": unit.request_id,
        **unit.source.more,
    }


def check_version(contract: Contract, expected: int | None) -> None:
    """Raise PreconditionFailed unless the contract has the version that If-Match named."""
    if expected is not None and contract.version != expected:
        raise PreconditionFailed(f"the contract is at {etag(contract.version)} by now")


def require_time(contract: Contract, now: datetime) -> None:
    """Raise StateConflict where the time of a contract is over, though the timers have not been there yet."""
    if contract.expires_at is not None and contract.expires_at <= now:
        raise StateConflict("the time to sign is over", state=contract.state, allowed=[])


def touch(contract: Contract, now: datetime) -> None:
    """Count one more version, and tell those who wait for it."""
    contract.version += 1
    contract.updated_at = now
    session = object_session(contract)
    if session is not None:
        announce(session, contract.id)


def apply(
    session: Session,
    contract: Contract,
    change: Change,
    *,
    now: datetime,
    actor: dict[str, Any],
    data: dict[str, Any] | None = None,
) -> None:
    """Write a change. `data` goes to its first event. The contract's row is locked by the caller."""
    contract.state = str(change.agreement.state)
    views = {view.id: view for view in change.agreement.parties}
    over = change.agreement.state not in OPEN | {ContractState.DRAFT}
    for party in contract.parties:
        state = views[party.id].state
        party.state = str(state)
        if over or not PARTY_MOVES[state]:
            party.sealed_key = None  # nobody signs with it again: what is not there is not stolen
    for index, event in enumerate(change.events):
        facts = data if index == 0 else None
        record(session, contract, event.type, now=now, actor=actor, party_id=event.party_id, data=facts)
    if contract.state not in OPEN:
        contract.next_reminder_at = None
    for kind in change.jobs:
        key, payload = f"{kind}:{contract.id}", {"contract": contract.id}
        enqueue(session, tenant_id=contract.tenant_id, kind=kind, key=key, payload=payload, now=now)
    touch(contract, now)
    session.flush()
