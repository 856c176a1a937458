"""Reminders: asked for, or by a schedule.

Nothing sleeps until a reminder is due: the contract's row says when (`next_reminder_at`), and the timers look there.
A reminder is an event of the trail, one for each party that is waited for; how it reaches people is another room's.
Reminders that a stopped service missed are not made up for: one is given, and the next is in the future.
"""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from typing import Any

from api.context import Context
from api.contracts import repository, workflow
from api.contracts.act_schemas import RemindIn
from api.contracts.models import Contract
from api.contracts.parts import Reminders
from api.contracts.transition import SYSTEM, actor_of, agreement_of, apply, check_version, require_time
from api.errors import NotFound, StateConflict
from api.kit.edge import Unit


def next_reminder(contract: Contract, now: datetime) -> datetime | None:
    """Return when the parties of a contract that was sent are reminded next, after `now`; None: not any more."""
    if contract.reminders is None or contract.sent_at is None or contract.expires_at is None:
        return None
    return next_moment(Reminders.model_validate(contract.reminders), contract.sent_at, contract.expires_at, now)


def next_moment(plan: Reminders, sent: datetime, deadline: datetime, now: datetime) -> datetime | None:
    """Return the first moment of a schedule that is after `now` and before the deadline."""
    first = sent + timedelta(days=plan.after_days)
    moments = [first]
    if plan.every_days is not None and first <= now:
        every = timedelta(days=plan.every_days)
        moments.append(first + every * ((now - first) // every + 1))
    if plan.before_deadline_days is not None:
        moments.append(deadline - timedelta(days=plan.before_deadline_days))
    return min((moment for moment in moments if now < moment < deadline), default=None)


def remind(unit: Unit, contract_id: str, version: int | None, body: RemindIn | None) -> Contract:
    """Remind those whose turn it is, or those that are named. Raises NotFound, PreconditionFailed, StateConflict."""
    body = body or RemindIn.model_validate({})
    contract = repository.get(unit.session, unit.tenant_id, contract_id, lock=True)
    for name in body.parties or ():
        repository.party_of(contract, name)
    check_version(contract, version)
    now = unit.context.now()
    require_time(contract, now)
    change = workflow.remind(agreement_of(contract), body.parties)
    _write(unit.session, contract, change, now, actor_of(unit), {"scheduled": False, "message": body.message})
    return contract


def remind_due(context: Context) -> int:
    """Give the reminders that are due by their schedules; return to how many contracts."""
    with context.database.read() as session:
        due = repository.to_remind(session, context.now())
    count = 0
    for tenant_id, contract_id in due:
        with context.database.write() as session, contextlib.suppress(NotFound, StateConflict):
            contract = repository.get(session, tenant_id, contract_id, lock=True)
            now, moment = context.now(), contract.next_reminder_at
            if moment is None or moment > now:
                continue  # another process was here first
            require_time(contract, now)
            change = workflow.remind(agreement_of(contract))
            contract.next_reminder_at = next_reminder(contract, now)
            _write(session, contract, change, now, SYSTEM, {"scheduled": True})
            count += 1
    return count


def _write(
    session: Any,
    contract: Contract,
    change: workflow.Change,
    now: datetime,
    actor: dict[str, Any],
    data: dict[str, Any],
) -> None:
    reminded = {event.party_id for event in change.events}
    for party in contract.parties:
        if party.id in reminded:
            party.reminded_at = now
    apply(session, contract, change, now=now, actor=actor, data=data)
