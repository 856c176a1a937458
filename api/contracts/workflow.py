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

Parties act in groups of equal `order`, lowest first; within a group in any order. `sent` becomes `in_progress` with the
first signature. Whoever receives a copy only (`cc`) is told at the end and is never waited for. Terminal contract
states are never left: annulment is a new signed contract, not a transition of the old one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from api.errors import NotFound, StateConflict, ValidationFailed


class ContractState(StrEnum):
    """Where a contract is."""

    DRAFT = "draft"
    SENT = "sent"
    IN_PROGRESS = "in_progress"
    FINALIZING = "finalizing"
    COMPLETED = "completed"
    DECLINED = "declined"
    EXPIRED = "expired"
    VOIDED = "voided"
    FAILED = "failed"


class PartyState(StrEnum):
    """Where a party is."""

    PENDING = "pending"
    NOTIFIED = "notified"
    VIEWED = "viewed"
    IDENTIFIED = "identified"
    SIGNING = "signing"
    SIGNED = "signed"
    APPROVED = "approved"
    ACKNOWLEDGED = "acknowledged"
    DECLINED = "declined"
    DELEGATED = "delegated"
    EXPIRED = "expired"
    SKIPPED = "skipped"


class Role(StrEnum):
    """What a party is there for."""

    SIGNER = "signer"
    SEAL = "seal"
    """Signs with the seal of its organisation."""
    WITNESS = "witness"
    CC = "cc"


C, P = ContractState, PartyState

CONTRACT_MOVES: Final[dict[ContractState, dict[str, ContractState]]] = {
    C.DRAFT: {"send": C.SENT},
    C.SENT: {"sign": C.IN_PROGRESS, "decline": C.DECLINED, "expire": C.EXPIRED, "void": C.VOIDED},
    C.IN_PROGRESS: {
        "sign": C.IN_PROGRESS,
        "finalize": C.FINALIZING,
        "decline": C.DECLINED,
        "expire": C.EXPIRED,
        "void": C.VOIDED,
    },
    C.FINALIZING: {"complete": C.COMPLETED, "fail": C.FAILED},
    C.FAILED: {"retry": C.FINALIZING},
    C.COMPLETED: {},
    C.DECLINED: {},
    C.EXPIRED: {},
    C.VOIDED: {},
}

PARTY_MOVES: Final[dict[PartyState, dict[str, PartyState]]] = {
    P.PENDING: {"notify": P.NOTIFIED, "decline": P.DECLINED, "skip": P.SKIPPED, "expire": P.EXPIRED},
    **{
        state: {
            "view": P.IDENTIFIED if state is P.IDENTIFIED else P.VIEWED,
            "identify": P.IDENTIFIED,
            "start": P.SIGNING,
            "approve": P.APPROVED,
            "acknowledge": P.ACKNOWLEDGED,
            "decline": P.DECLINED,
            "delegate": P.DELEGATED,
            "skip": P.SKIPPED,
            "expire": P.EXPIRED,
        }
        for state in (P.NOTIFIED, P.VIEWED, P.IDENTIFIED)
    },
    P.SIGNING: {
        "start": P.SIGNING,
        "abandon": P.NOTIFIED,
        "sign": P.SIGNED,
        "decline": P.DECLINED,
        "skip": P.SKIPPED,
        "expire": P.EXPIRED,
    },
    P.SIGNED: {},
    P.APPROVED: {},
    P.ACKNOWLEDGED: {},
    P.DECLINED: {},
    P.DELEGATED: {},
    P.EXPIRED: {},
    P.SKIPPED: {},
}

TERMINAL: Final = frozenset({C.COMPLETED, C.DECLINED, C.EXPIRED, C.VOIDED})
OPEN: Final = frozenset({C.SENT, C.IN_PROGRESS})
DONE: Final = frozenset({P.SIGNED, P.APPROVED, P.ACKNOWLEDGED})


@dataclass(frozen=True)
class Party:
    """What the state machine needs to know of a party."""

    id: str
    order: int = 1
    role: Role = Role.SIGNER
    state: PartyState = PartyState.PENDING

    @property
    def required(self) -> bool:
        """Whether the contract waits for this party."""
        return self.role is not Role.CC


@dataclass(frozen=True)
class Agreement:
    """A contract and its parties, as states."""

    state: ContractState
    parties: tuple[Party, ...]

    def party(self, party_id: str) -> Party:
        """Return a party. Raises NotFound."""
        for party in self.parties:
            if party.id == party_id:
                return party
        raise NotFound("the contract has no such party")


@dataclass(frozen=True)
class Event:
    """Something that happened, for the audit."""

    type: str
    party_id: str | None = None


@dataclass(frozen=True)
class Change:
    """A new agreement, what happened on the way, and the jobs that follow."""

    agreement: Agreement
    events: tuple[Event, ...]
    jobs: tuple[str, ...] = ()


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
    if not any(party.role in {Role.SIGNER, Role.SEAL} for party in agreement.parties):
        raise ValidationFailed(
            "a contract needs at least one party that signs",
            errors=[{"pointer": "/parties", "code": "no-signer", "detail": "no party has the role signer or seal"}],
        )
    return _notify(Change(replace(agreement, state=state), (Event("contract.sent"),)))


def start_signing(agreement: Agreement, party_id: str, *, again: bool = False) -> Change:
    """Let a party begin to sign. `again` lets one that has begun start over. Raises StateConflict out of turn."""
    _require(agreement, "sign")
    party = agreement.party(party_id)
    if party.state is P.SIGNING and not again:
        raise _conflict("the party is signing already", P.SIGNING, sorted(PARTY_MOVES[P.SIGNING]))
    moved = _step(party, "start")
    if party_id not in whose_turn(agreement):
        raise _conflict("it is not this party's turn", party.state, [])
    return Change(_with(agreement, moved), (Event("party.signing", party_id),))


def abandon_signing(agreement: Agreement, party_id: str) -> Change:
    """Let a party that began to sign go back: its key failed, or the document moved on."""
    party = agreement.party(party_id)
    return Change(_with(agreement, _step(party, "abandon")), (Event("party.signing_abandoned", party_id),))


def signed(agreement: Agreement, party_id: str) -> Change:
    """Record a party's signature; the next group is notified, or finalisation begins."""
    state = _move(agreement, "sign")
    party = agreement.party(party_id)
    if party_id not in whose_turn(agreement):
        raise _conflict("it is not this party's turn", party.state, [])
    after = replace(_with(agreement, _step(party, "sign")), state=state)
    change = Change(after, (Event("party.signed", party_id),))
    if whose_turn(after):
        return _notify(change)
    final = replace(after, state=_move(after, "finalize"))
    return Change(final, (*change.events, Event("contract.finalizing")), ("finalize",))


def decline(agreement: Agreement, party_id: str) -> Change:
    """Let a party that has not finished refuse; that ends the contract."""
    state = _move(agreement, "decline")
    party = agreement.party(party_id)
    if not party.required:
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


def _require(agreement: Agreement, command: str) -> None:
    _move(agreement, command)


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
