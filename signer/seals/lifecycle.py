"""The life of an electronic seal, and who may use it. Pure: values in, values out; no clock, no database.

    life = Life(valid_from=…, valid_to=…, applicant="key_1", approvals_needed=2)
    life = approve(approve(life, "key_2"), "key_3")
    life = file(make(life), "31010120260001")
    grant = permit_use(life, grants, now, "key_4", Purpose("contract", contract="ctr_1"))      # or SealRefused
    life, grant = used(life), consume(grant)

    applied → made → filed → active          active: in use, from the first use on
    made | filed | active ⇄ suspended
    every state but the last two → cancelled | expired

The steps are those of 《电子印章管理办法》 (国办发〔2025〕33号): apply, make, file, use, cancel. A seal that need not
be filed is used as it was made. A cancelled or expired seal does not come back: the validity is signed into the seal,
so another one is made.

People approve, not machines: whoever asked for the seal is none of its approvers, and nobody counts twice. Where a seal
takes two approvals, a grant takes two people as well: who grants, and one more who is not the one that receives.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from signer.errors import SealRefused, SealStateConflict


class SealState(StrEnum):
    """Where a seal is in its life."""

    APPLIED = "applied"
    MADE = "made"
    FILED = "filed"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


S = SealState

_ENDS: Final = {"cancel": S.CANCELLED, "expire": S.EXPIRED}
MOVES: Final[dict[SealState, dict[str, SealState]]] = {
    S.APPLIED: {"approve": S.APPLIED, "make": S.MADE, **_ENDS},
    S.MADE: {"file": S.FILED, "use": S.ACTIVE, "suspend": S.SUSPENDED, **_ENDS},
    S.FILED: {"use": S.ACTIVE, "suspend": S.SUSPENDED, **_ENDS},
    S.ACTIVE: {"use": S.ACTIVE, "suspend": S.SUSPENDED, **_ENDS},
    S.SUSPENDED: {"resume": S.ACTIVE, **_ENDS},  # or to where it was, see `resume`
    S.CANCELLED: {},
    S.EXPIRED: {},
}
OVER: Final = frozenset({S.CANCELLED, S.EXPIRED})
USABLE: Final = frozenset({S.MADE, S.FILED, S.ACTIVE})


@dataclass(frozen=True, kw_only=True)
class Life:
    """What the state machine needs to know of a seal. Moments are aware; both ends of a period belong to it."""

    valid_from: datetime
    valid_to: datetime
    applicant: str
    """Who asked for it."""
    state: SealState = S.APPLIED
    approvals_needed: int = 1
    approvals: tuple[str, ...] = ()
    """Who approved, in order."""
    filing_required: bool = True
    filing_number: str | None = None
    """Once it is filed."""
    was_used: bool = False


@dataclass(frozen=True)
class Purpose:
    """What somebody wants to seal."""

    kind: str
    """"contract": a document inside a contract; "document": one by itself; "envelope": the manifest of an envelope;
    "agreement": a framework agreement."""
    contract: str | None = None
    times: int = 1
    """How many documents: each is one use."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Who may use a seal, for what, when and how often."""

    id: str
    grantee: str
    granter: str
    valid_from: datetime
    valid_to: datetime
    contracts: frozenset[str] | None = None
    """Only in these; None: in any, and outside of contracts."""
    kinds: frozenset[str] | None = None
    """Only for these kinds of purpose; None: for any."""
    count: int | None = None
    """How often at most; None: as often as needed."""
    used: int = 0
    approvals_needed: int = 0
    approvals: tuple[str, ...] = ()
    revoked: bool = False

    def covers(self, what: Purpose) -> bool:
        """Tell whether the scope of the grant includes a purpose."""
        in_contracts = self.contracts is None or what.contract in self.contracts
        return in_contracts and (self.kinds is None or what.kind in self.kinds)


# The seal ------------------------------------------------------------------------------------------------------------
def approve(life: Life, who: str) -> Life:
    """Count an approval. Raises SealStateConflict; SealRefused for the applicant and for whoever has approved."""
    _move(life, "approve")
    if len(life.approvals) >= life.approvals_needed:
        raise _conflict("the seal has all its approvals", life)
    if who == life.applicant:
        raise SealRefused("who asked for a seal does not approve it", reason="needs-approval")
    if who in life.approvals:
        raise SealRefused("the same person does not approve twice", reason="needs-approval")
    return replace(life, approvals=(*life.approvals, who))


def make(life: Life) -> Life:
    """Let the seal be made. Raises SealStateConflict; SealRefused while approvals are missing."""
    state = _move(life, "make")
    _require_approvals(life)
    return replace(life, state=state)


def file(life: Life, number: str) -> Life:
    """File the seal under a number. Raises SealStateConflict."""
    return replace(life, state=_move(life, "file"), filing_number=number)


def used(life: Life) -> Life:
    """Note a use. Raises SealStateConflict."""
    return replace(life, state=_move(life, "use"), was_used=True)


def suspend(life: Life) -> Life:
    """Stop all use for a while. Raises SealStateConflict."""
    return replace(life, state=_move(life, "suspend"))


def resume(life: Life) -> Life:
    """End a suspension: the seal is where it was. Raises SealStateConflict."""
    state = _move(life, "resume")
    if not life.was_used:
        state = S.MADE if life.filing_number is None else S.FILED
    return replace(life, state=state)


def cancel(life: Life) -> Life:
    """End the seal for good. Raises SealStateConflict."""
    return replace(life, state=_move(life, "cancel"))


def expire(life: Life, now: datetime) -> Life:
    """End the seal because its time is over. Raises SealStateConflict; also where it is not over."""
    state = _move(life, "expire")
    if now <= life.valid_to:
        raise _conflict("the time of the seal is not over", life)
    return replace(life, state=state)


# Its use -------------------------------------------------------------------------------------------------------------
def permit_use(life: Life, grants: Iterable[Grant], now: datetime, who: str, what: Purpose) -> Grant:
    """Return the grant under which somebody may use the seal now. Raises SealRefused, whose `reason` says why not.

    1. The seal is in use: neither over nor suspended, made, and filed where it has to be.
    2. A grant to this person is in force, covers the purpose, has begun and not ended, has uses left, and is approved.

    Of several grants that do it is the one that ends first. Where none does, the reason is that of the one that came
    furthest through the conditions.
    """
    check_usable(life, now)
    mine = [(_refusal(grant, now, what), grant) for grant in grants if grant.grantee == who]
    good = [grant for (_, refused), grant in mine if refused is None]
    if good:
        return min(good, key=lambda grant: (grant.valid_to, grant.id))
    refusals = [(step, refused) for (step, refused), _ in mine if refused is not None]
    if refusals:
        raise max(refusals, key=lambda each: each[0])[1]
    raise SealRefused("nobody granted you the use of this seal", reason="not-granted")


def check_usable(life: Life, now: datetime) -> None:
    """Raise SealRefused unless the seal, whoever uses it, may be used at a moment."""
    if life.state is S.CANCELLED:
        raise SealRefused("the seal is cancelled", reason="cancelled")
    if life.state is S.EXPIRED or now > life.valid_to:
        raise SealRefused(f"the seal expired on {life.valid_to:%Y-%m-%d}", reason="expired", not_after=life.valid_to)
    if life.state is S.SUSPENDED:
        raise SealRefused("the seal is suspended", reason="suspended")
    if life.state is S.APPLIED:
        _require_approvals(life)
        raise SealRefused("the seal has not been made", reason="not-made")
    if life.filing_required and life.filing_number is None:
        raise SealRefused("the seal has not been filed", reason="not-filed")
    if now < life.valid_from:
        message = f"the seal is valid only from {life.valid_from:%Y-%m-%d}"
        raise SealRefused(message, reason="not-yet-valid", not_before=life.valid_from)


def approve_grant(grant: Grant, who: str) -> Grant:
    """Count an approval of a grant. Raises SealRefused where it is over or complete, or `who` is no third person."""
    if grant.revoked:
        raise SealRefused("the grant is revoked", reason="not-granted")
    if len(grant.approvals) >= grant.approvals_needed:
        raise SealRefused("the grant has all its approvals", reason="not-granted")
    if who in {grant.granter, grant.grantee, *grant.approvals}:
        raise SealRefused("a grant is approved by somebody who neither gives nor receives it", reason="needs-approval")
    return replace(grant, approvals=(*grant.approvals, who))


def revoke_grant(grant: Grant) -> Grant:
    """Take a grant back. What was sealed under it stays sealed. To do it again changes nothing."""
    return replace(grant, revoked=True)


def consume(grant: Grant) -> Grant:
    """Count one use. Raises SealRefused where none is left."""
    if grant.count is not None and grant.used >= grant.count:
        raise _used_up(grant)
    return replace(grant, used=grant.used + 1)


def _refusal(grant: Grant, now: datetime, what: Purpose) -> tuple[int, SealRefused | None]:
    """Return how far a grant came through the conditions, and what stopped it."""
    if grant.revoked:
        return 0, SealRefused("the grant to use this seal was revoked", reason="not-granted", grant=grant.id)
    if not grant.covers(what):
        return 1, SealRefused("the grant to use this seal is for something else", reason="grant-scope", grant=grant.id)
    if now < grant.valid_from:
        message = f"the grant to use this seal begins on {grant.valid_from:%Y-%m-%d}"
        return 2, SealRefused(message, reason="not-granted", grant=grant.id, not_before=grant.valid_from)
    if now > grant.valid_to:
        message = f"the grant to use this seal ended on {grant.valid_to:%Y-%m-%d}"
        return 3, SealRefused(message, reason="grant-expired", grant=grant.id, not_after=grant.valid_to)
    if grant.count is not None and grant.used + what.times > grant.count:
        return 4, _used_up(grant)
    if len(grant.approvals) < grant.approvals_needed:
        return 5, SealRefused("the grant to use this seal awaits approval", reason="needs-approval", grant=grant.id)
    return 6, None


def _used_up(grant: Grant) -> SealRefused:
    message = f"of the {grant.count} uses granted {grant.used} were made"
    return SealRefused(message, reason="grant-used-up", grant=grant.id, count=grant.count, used=grant.used)


def _require_approvals(life: Life) -> None:
    missing = life.approvals_needed - len(life.approvals)
    if missing > 0:
        raise SealRefused(f"approvals are missing: {missing}", reason="needs-approval", missing=missing)


def _move(life: Life, command: str) -> SealState:
    moves = MOVES[life.state]
    if command not in moves:
        raise _conflict(f"a seal that is {life.state} cannot {command}", life)
    return moves[command]


def _conflict(message: str, life: Life) -> SealStateConflict:
    return SealStateConflict(message, state=str(life.state), allowed=sorted(MOVES[life.state]))
