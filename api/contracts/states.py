"""The states of a contract and its parties, and the moves between them: tables, without any decision.

`CONTRACT_MOVES` and `PARTY_MOVES` say what a command does in each state; what is not there is a conflict.
`api.contracts.workflow` has the commands.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from api.errors import NotFound


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
    APPROVER = "approver"
    """Has to approve, and does not sign."""
    WITNESS = "witness"
    """Signs as a witness to the others."""
    VIEWER = "viewer"
    """Is asked to acknowledge having read the contract, and does not sign."""
    CC = "cc"
    """Receives a copy when the contract is complete."""


C, P = ContractState, PartyState

_OPEN_MOVES: Final = {
    "sign": C.IN_PROGRESS,
    "approve": C.IN_PROGRESS,
    "acknowledge": C.IN_PROGRESS,
    "decline": C.DECLINED,
    "expire": C.EXPIRED,
    "void": C.VOIDED,
}

CONTRACT_MOVES: Final[dict[ContractState, dict[str, ContractState]]] = {
    C.DRAFT: {"send": C.SENT},
    **{
        state: {**_OPEN_MOVES, **dict.fromkeys(("view", "delegate", "remind", "extend"), state)}
        for state in (C.SENT, C.IN_PROGRESS)
    },
    C.FINALIZING: {"complete": C.COMPLETED, "fail": C.FAILED},
    C.FAILED: {"retry": C.FINALIZING},
    C.COMPLETED: {},
    C.DECLINED: {},
    C.EXPIRED: {},
    C.VOIDED: {},
}
CONTRACT_MOVES[C.IN_PROGRESS]["finalize"] = C.FINALIZING

PARTY_MOVES: Final[dict[PartyState, dict[str, PartyState]]] = {
    P.PENDING: {
        "notify": P.NOTIFIED,
        "decline": P.DECLINED,
        "delegate": P.DELEGATED,
        "skip": P.SKIPPED,
        "expire": P.EXPIRED,
    },
    **{
        state: {
            "view": P.IDENTIFIED if state is P.IDENTIFIED else P.VIEWED,  # nobody becomes less known by looking
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
        "view": P.SIGNING,
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
SIGNS: Final = frozenset({Role.SIGNER, Role.SEAL, Role.WITNESS})
"""Roles with a key: a signature of each is in every document of a completed contract."""
BINDS: Final = frozenset({Role.SIGNER, Role.SEAL})
"""Roles of which a contract needs one: a witness alone agrees to nothing."""
ACT_OF: Final[dict[Role, str]] = {
    **dict.fromkeys(SIGNS, "sign"),
    Role.APPROVER: "approve",
    Role.VIEWER: "acknowledge",
}
"""How a party of each role does its part."""


@dataclass(frozen=True)
class Party:
    """What the state machine needs to know of a party."""

    id: str
    order: int = 1
    role: Role = Role.SIGNER
    state: PartyState = PartyState.PENDING
    delegate_of: str | None = None
    """Whose part this party has taken over."""

    @property
    def required(self) -> bool:
        """Whether the contract needs this party's part: not where it only gets a copy, or has a delegate."""
        return self.role is not Role.CC and self.state is not P.DELEGATED


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
