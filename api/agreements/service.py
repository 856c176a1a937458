"""Decide about agreements: draft, change, offer, withdraw; take effect, and end another."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from api.agreements import repository
from api.agreements.log import record
from api.agreements.models import Agreement
from api.agreements.reading import Terms, read, same_parties
from api.agreements.repository import touch
from api.agreements.states import Kind, State, move
from api.audit.service import GENESIS, moment
from api.contracts.transition import actor_of
from api.errors import Conflict, PreconditionFailed, StateConflict
from api.kit.edge import Unit, etag
from api.kit.ids import new_id
from api.kit.refusals import refuse

REPLACED: dict[str, Any] = {"code": "replaced", "detail": "a newer request took its place"}
CLOSED: dict[str, Any] = {"code": "closed", "detail": "the agreement is not offered any more"}


def create(unit: Unit, body: dict[str, Any]) -> Agreement:
    """Make a draft. Raises ValidationFailed, BasisError."""
    now, terms = unit.context.now(), read(body)
    agreement = Agreement(
        id=new_id("agr"),
        tenant_id=unit.tenant_id,
        kind=str(terms.kind),
        state=str(State.DRAFT),
        version=1,
        body=body,
        log_sequence=0,
        log_hash=GENESIS,
        created_at=now,
        updated_at=now,
    )
    _put(unit.session, agreement, terms)
    unit.session.add(agreement)
    facts = {"title": terms.title, "kind": agreement.kind, "ends": agreement.ends_id}
    record(unit.session, agreement, "agreement.created", now=now, actor=actor_of(unit), data=facts)
    unit.session.flush()
    return agreement


def update(unit: Unit, agreement_id: str, version: int, body: dict[str, Any]) -> Agreement:
    """Change a draft. Raises NotFound, PreconditionFailed, StateConflict, ValidationFailed, BasisError."""
    agreement, now = _locked(unit, agreement_id, version), unit.context.now()
    move(agreement.state, "change")
    terms = read(body)
    if agreement.kind != terms.kind:
        raise refuse("/agreement/schema", "changed", "cannot make an agreement of a termination, or the reverse")
    agreement.body = body
    _put(unit.session, agreement, terms)
    record(unit.session, agreement, "agreement.changed", now=now, actor=actor_of(unit), data={"title": terms.title})
    touch(agreement, now)
    unit.session.flush()
    return agreement


def delete(unit: Unit, agreement_id: str, version: int) -> None:
    """Delete a draft that no contract names; its log stays. Raises as `update`, and Conflict."""
    agreement = _locked(unit, agreement_id, version)
    move(agreement.state, "change")
    if repository.is_named(unit.session, agreement):
        raise Conflict("a contract names this agreement", hint="change the contract first")
    record(unit.session, agreement, "agreement.deleted", now=unit.context.now(), actor=actor_of(unit))
    unit.session.flush()
    unit.session.delete(agreement)


def offer(unit: Unit, agreement_id: str, version: int) -> Agreement:
    """Fix the octets that the parties are to sign. Raises NotFound, PreconditionFailed, StateConflict, Conflict.

    ValidationFailed, BasisError where the draft cannot be what it says: what it ends is not in force, or is agreed on
    by others, or ended in the past.
    """
    session, now = unit.session, unit.context.now()
    agreement = _locked(unit, agreement_id, version)
    state, terms = move(agreement.state, "offer"), read(agreement.body)
    _put(session, agreement, terms)
    if terms.valid_to is not None and terms.valid_to < now:
        raise refuse("/agreement/valid_to", "past", "is past")
    if agreement.ends_id is not None:
        _check_ending(repository.get(session, unit.tenant_id, agreement.ends_id), terms, now)
    agreement.octets, agreement.sha256 = terms.octets, hashlib.sha256(terms.octets).hexdigest()
    if repository.with_octets(session, unit.tenant_id, agreement.sha256) is not None:
        raise Conflict("an agreement with exactly these words is offered or in force already")
    agreement.state, agreement.offered_at = str(state), now
    facts = {"sha256": agreement.sha256, "parties": agreement.parties, "ends": agreement.ends_id}
    record(session, agreement, "agreement.offered", now=now, actor=actor_of(unit), data=facts)
    touch(agreement, now)
    session.flush()
    return agreement


def withdraw(unit: Unit, agreement_id: str, version: int | None, reason: str | None) -> Agreement:
    """Take an offer back that not all have signed."""
    agreement, now = _locked(unit, agreement_id, version), unit.context.now()
    agreement.state = str(move(agreement.state, "withdraw"))
    repository.abandon(unit.session, agreement, CLOSED)
    record(unit.session, agreement, "agreement.withdrawn", now=now, actor=actor_of(unit), data={"reason": reason})
    touch(agreement, now)
    unit.session.flush()
    return agreement


def conclude(session: Session, agreement: Agreement, *, now: datetime, actor: dict[str, Any]) -> None:
    """Let an agreement take effect that all have signed, and end the one that it ends. Its row is locked.

    Raises StateConflict where that one has ended otherwise meanwhile.
    """
    agreement.state, agreement.concluded_at = str(move(agreement.state, "conclude")), now
    record(session, agreement, "agreement.concluded", now=now, actor=actor, data={"sha256": agreement.sha256})
    if agreement.ends_id is None:
        return
    other = repository.get(session, agreement.tenant_id, agreement.ends_id, lock=True)
    other.state = str(move(other.state, "terminate" if agreement.kind == Kind.TERMINATION else "supersede"))
    other.ended_at, other.ended_by_id = agreement.valid_from, agreement.id
    facts = {"by": agreement.id, "sha256": agreement.sha256, "from": moment(agreement.valid_from or now)}
    record(session, other, "agreement.ended", now=now, actor=actor, data=facts)
    touch(other, now)


def check_version(agreement: Agreement, expected: int | None) -> None:
    """Raise PreconditionFailed unless the agreement has the version that If-Match named."""
    if expected is not None and agreement.version != expected:
        raise PreconditionFailed(f"the agreement is at {etag(agreement.version)} by now")


def _locked(unit: Unit, agreement_id: str, version: int | None) -> Agreement:
    agreement = repository.get(unit.session, unit.tenant_id, agreement_id, lock=True)
    check_version(agreement, version)
    return agreement


def _put(session: Session, agreement: Agreement, terms: Terms) -> None:
    """Write down what a draft says. Raises ValidationFailed where it ends what is not there."""
    agreement.title, agreement.valid_from, agreement.valid_to = terms.title, terms.valid_from, terms.valid_to
    agreement.parties, agreement.ends_id = [party.name for party in terms.parties], None
    if terms.ends is None:
        return
    place = "/agreement/terminates" if terms.kind == Kind.TERMINATION else "/agreement/supersedes"
    ended = repository.with_octets(session, agreement.tenant_id, terms.ends)
    if ended is None or ended.kind != Kind.AGREEMENT:
        raise refuse(place, "not-found", "names no agreement that was offered here")
    agreement.ends_id = ended.id
    if terms.kind == Kind.TERMINATION:
        agreement.parties = list(ended.parties)


def _check_ending(ended: Agreement, terms: Terms, now: datetime) -> None:
    if ended.state != State.IN_FORCE:
        raise StateConflict(f"the agreement to be ended is {ended.state}", state=ended.state, allowed=[])
    start = "/agreement/effective_from" if terms.kind == Kind.TERMINATION else "/agreement/valid_from"
    if terms.valid_from is None or terms.valid_from < now:
        raise refuse(start, "past", "is past: what was signed until now was signed under the agreement")
    if terms.kind == Kind.AGREEMENT:
        from signer.layers.agreement import read_agreement

        if not same_parties(read_agreement(ended.octets or b"").parties, terms.parties):
            raise refuse("/agreement/parties", "missing", "leave out a party of the agreement that is superseded")
