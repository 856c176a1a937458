"""The state machine of a contract and its parties. Pure: values in, values out; no clock, no database.

    agreement = Agreement(ContractState.DRAFT, (Party("pty_1", order=1), Party("pty_2", order=2)))
    change = send(agreement)
    change.agreement.state, change.events         # SENT, (contract.sent, party.notified pty_1)
    change = signed(start_signing(change.agreement, "pty_1").agreement, "pty_1")

    contract   draft → sent → in_progress → finalizing → completed
               sent | in_progress → declined | expired | voided
               finalizing → failed → (retry) → finalizing
    party      pending → notified → viewed → identified → signing → signed | approved | acknowledged
                        → declined | delegated | expired | skipped

Parties act in groups of equal `order`, lowest first; within a group in any order. `sent` becomes `in_progress` when the
first party has done its part: signed, approved or acknowledged. Whoever delegates is replaced by the delegate, in the
same group. Whoever receives a copy only (`cc`) is told at the end and is never waited for. Terminal contract states are
never left: annulment is a new signed contract, not a transition of the old one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from enum import StrEnum

from api.contracts.states import (
    ACT_OF,
    BINDS,
    CONTRACT_MOVES,
    DONE,
    OPEN,
    PARTY_MOVES,
    SIGNS,
    TERMINAL,
    Agreement,
    Change,
    ContractState,
    Event,
    Party,
    PartyState,
    Role,
)
from api.errors import StateConflict, ValidationFailed

__all__ = [
    "ACT_OF",
    "BINDS",
    "CONTRACT_MOVES",
    "DONE",
    "OPEN",
    "PARTY_MOVES",
    "SIGNS",
    "TERMINAL",
    "Agreement",
    "Change",
    "ContractState",
    "Event",
    "Party",
    "PartyState",
    "Role",
    "abandon_signing",
    "acknowledged",
    "approved",
    "completed",
    "decline",
    "delegate",
    "expire",
    "extend",
    "failed",
    "remind",
    "retry",
    "send",
    "signed",
    "start_signing",
    "viewed",
    "void",
    "whose_turn",
]

C, P = ContractState, PartyState


def whose_turn(agreement: Agreement) -> frozenset[str]:
    """Return the parties that may act now: the lowest group in which somebody is still waited for."""
    waiting = [party for party in agreement.parties if party.required and party.state not in DONE]
    if agreement.state not in OPEN or not waiting:
        return frozenset()
    lowest = min(party.order for party in waiting)
    return frozenset(party.id for party in waiting if party.order == lowest)


def send(agreement: Agreement) -> Change:
    """Send a draft. Raises StateConflict; ValidationFailed where nobody would sign."""
    state = _move(agreement, "send")
    if not any(party.role in BINDS for party in agreement.parties):
        raise ValidationFailed(
            "a contract needs at least one party that signs",
            errors=[{"pointer": "/parties", "code": "no-signer", "detail": "no party has the role signer or seal"}],
        )
    return _notify(Change(replace(agreement, state=state), (Event("contract.sent"),)))


def viewed(agreement: Agreement, party_id: str) -> Change:
    """Note that a party has looked at the contract. A second look is no event. Raises StateConflict."""
    _require(agreement, "view")
    party = agreement.party(party_id)
    moved = _step(party, "view")
    if moved == party:
        return Change(agreement, ())
    return Change(_with(agreement, moved), (Event("party.viewed", party_id),))


def start_signing(agreement: Agreement, party_id: str, *, again: bool = False) -> Change:
    """Let a party begin to sign. `again` lets one that has begun start over. Raises StateConflict out of turn."""
    _require(agreement, "sign")
    party = agreement.party(party_id)
    _require_role(party, "sign")
    if party.state is P.SIGNING and not again:
        raise _conflict("the party is signing already", P.SIGNING, sorted(PARTY_MOVES[P.SIGNING]))
    moved = _step(party, "start")
    _require_turn(agreement, party)
    return Change(_with(agreement, moved), (Event("party.signing", party_id),))


def abandon_signing(agreement: Agreement, party_id: str) -> Change:
    """Let a party that began to sign go back: its key failed, or the document moved on."""
    party = agreement.party(party_id)
    return Change(_with(agreement, _step(party, "abandon")), (Event("party.signing_abandoned", party_id),))


def signed(agreement: Agreement, party_id: str) -> Change:
    """Record a party's signature; the next group is notified, or finalisation begins."""
    return _do_part(agreement, party_id, "sign", "party.signed")


def approved(agreement: Agreement, party_id: str) -> Change:
    """Record an approver's approval, and go on as after a signature. Raises StateConflict."""
    return _do_part(agreement, party_id, "approve", "party.approved")


def acknowledged(agreement: Agreement, party_id: str) -> Change:
    """Record that a viewer has read the contract, and go on as after a signature. Raises StateConflict."""
    return _do_part(agreement, party_id, "acknowledge", "party.acknowledged")


def delegate(agreement: Agreement, party_id: str, delegate_id: str) -> Change:
    """Let somebody else take a party's part, in its group. Raises StateConflict.

    A delegate does not delegate: whether an authority may be passed on is written in it, and is not known here.
    """
    _require(agreement, "delegate")
    party = agreement.party(party_id)
    if not party.required or party.delegate_of is not None:
        reason = "a delegate cannot delegate" if party.delegate_of is not None else "there is nothing to delegate"
        raise _conflict(reason, party.state, [])
    moved = _step(party, "delegate")
    successor = Party(delegate_id, party.order, party.role, delegate_of=party.id)
    parties = [*_with(agreement, moved).parties]
    parties.insert(parties.index(moved) + 1, successor)
    return _notify(Change(replace(agreement, parties=tuple(parties)), (Event("party.delegated", party_id),)))


def remind(agreement: Agreement, parties: Collection[str] | None = None) -> Change:
    """Remind those whose turn it is, or some of them. Raises NotFound, StateConflict for others."""
    _require(agreement, "remind")
    turn = whose_turn(agreement)
    for name in parties if parties is not None else ():
        party = agreement.party(name)
        if name not in turn:
            raise _conflict("nothing is waited for from this party", party.state, [])
    chosen = [party.id for party in agreement.parties if party.id in (turn if parties is None else parties)]
    return Change(agreement, tuple(Event("party.reminded", name) for name in chosen))


def extend(agreement: Agreement) -> Change:
    """Give the parties more time. Raises StateConflict."""
    _require(agreement, "extend")
    return Change(agreement, (Event("contract.extended"),))


def decline(agreement: Agreement, party_id: str) -> Change:
    """Let a party that has not finished refuse; that ends the contract."""
    state = _move(agreement, "decline")
    party = agreement.party(party_id)
    if party.role is Role.CC:
        raise _conflict("whoever only receives a copy cannot decline", party.state, [])
    after = _with(agreement, _step(party, "decline"))
    events = (Event("party.declined", party_id), Event("contract.declined"))
    return Change(_close(replace(after, state=state), "skip"), events)


def void(agreement: Agreement) -> Change:
    """Let the sender withdraw a contract that is not complete."""
    return Change(_close(replace(agreement, state=_move(agreement, "void")), "skip"), (Event("contract.voided"),))


def expire(agreement: Agreement) -> Change:
    """End a contract whose time is over."""
    return Change(_close(replace(agreement, state=_move(agreement, "expire")), "expire"), (Event("contract.expired"),))


def completed(agreement: Agreement) -> Change:
    """End finalisation well; copies go out."""
    state = _move(agreement, "complete")
    copies = [party for party in agreement.parties if party.role is Role.CC and party.state is P.PENDING]
    after = replace(agreement, state=state)
    for party in copies:
        after = _with(after, _step(party, "notify"))
    events = (Event("contract.completed"), *(Event("party.notified", party.id) for party in copies))
    return Change(after, events)


def failed(agreement: Agreement) -> Change:
    """End finalisation badly; it can be tried again."""
    return Change(replace(agreement, state=_move(agreement, "fail")), (Event("contract.failed"),))


def retry(agreement: Agreement) -> Change:
    """Try finalisation again."""
    after = replace(agreement, state=_move(agreement, "retry"))
    return Change(after, (Event("contract.finalizing"),), ("finalize",))


def _do_part(agreement: Agreement, party_id: str, command: str, event: str) -> Change:
    state = _move(agreement, command)
    party = agreement.party(party_id)
    _require_role(party, command)
    _require_turn(agreement, party)
    after = replace(_with(agreement, _step(party, command)), state=state)
    change = Change(after, (Event(event, party_id),))
    if whose_turn(after):
        return _notify(change)
    final = replace(after, state=_move(after, "finalize"))
    return Change(final, (*change.events, Event("contract.finalizing")), ("finalize",))


def _require(agreement: Agreement, command: str) -> None:
    _move(agreement, command)


def _require_role(party: Party, command: str) -> None:
    act = ACT_OF.get(party.role)
    if act != command:
        raise _conflict(f"a party with the role {party.role} cannot {command}", party.state, [act] if act else [])


def _require_turn(agreement: Agreement, party: Party) -> None:
    if party.id not in whose_turn(agreement):
        raise _conflict("it is not this party's turn", party.state, [])


def _move(agreement: Agreement, command: str) -> ContractState:
    moves = CONTRACT_MOVES[agreement.state]
    if command not in moves:
        raise _conflict(f"a contract that is {agreement.state} cannot {command}", agreement.state, sorted(moves))
    return moves[command]


def _step(party: Party, command: str) -> Party:
    moves = PARTY_MOVES[party.state]
    if command not in moves:
        raise _conflict(f"a party that is {party.state} cannot {command}", party.state, sorted(moves))
    return replace(party, state=moves[command])


def _conflict(message: str, state: StrEnum, allowed: list[str]) -> StateConflict:
    return StateConflict(message, state=str(state), allowed=allowed)


def _with(agreement: Agreement, changed: Party) -> Agreement:
    parties = tuple(changed if party.id == changed.id else party for party in agreement.parties)
    return replace(agreement, parties=parties)


def _notify(change: Change) -> Change:
    """Notify everybody whose turn has come and who does not know yet."""
    agreement, events = change.agreement, list(change.events)
    turn = whose_turn(agreement)
    for party in agreement.parties:
        if party.id in turn and party.state is P.PENDING:
            agreement = _with(agreement, _step(party, "notify"))
            events.append(Event("party.notified", party.id))
    return Change(agreement, tuple(events), change.jobs)


def _close(agreement: Agreement, command: str) -> Agreement:
    """Take everybody who has not finished out of the contract."""
    for party in agreement.parties:
        if command in PARTY_MOVES[party.state]:
            agreement = _with(agreement, _step(party, command))
    return agreement
