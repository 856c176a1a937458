"""How long the parties of a contract have."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from api.audit.service import moment
from api.contracts import repository, workflow
from api.contracts.models import Contract, Party
from api.contracts.reminders import next_reminder
from api.contracts.transition import actor_of, agreement_of, apply, check_version, require_time
from api.contracts.workflow import DONE, SIGNS
from api.errors import ValidationFailed
from api.kit.edge import Unit
from api.kit.refusals import problem_at
from api.seals import repository as seals
from certs.certificate import load_certificates


def deadline(value: datetime | None, now: datetime) -> datetime | None:
    """Return a deadline in UTC. Raises ValidationFailed where it is past, or without an offset."""
    if value is None:
        return None
    if value.tzinfo is None:
        error = problem_at("/expires_at", "naive", "state the offset, e.g. 2027-01-31T00:00:00Z")
        raise ValidationFailed("expires_at has no time zone", errors=[error])
    try:
        value = value.astimezone(UTC)
    except OverflowError:
        value = now
    if value <= now:
        raise ValidationFailed("expires_at is past", errors=[problem_at("/expires_at", "past", "is not in the future")])
    return value


def extend(unit: Unit, contract_id: str, version: int, until: datetime) -> Contract:
    """Give the parties of an open contract more time.

    Raises NotFound, PreconditionFailed, StateConflict (over already); ValidationFailed where it would not be more, or
    where a certificate or seal that is still to be used ends before.
    """
    session, now = unit.session, unit.context.now()
    contract = repository.get(session, unit.tenant_id, contract_id, lock=True)
    check_version(contract, version)
    change = workflow.extend(agreement_of(contract))
    require_time(contract, now)
    wanted, before = deadline(until, now), contract.expires_at
    assert wanted is not None
    assert before is not None  # of every contract that was sent
    if wanted <= before:
        raise _refuse([problem_at("/expires_at", "not-later", f"is not later than {moment(before)}")])
    views = {view.id: view for view in change.agreement.parties}
    findings = [
        finding
        for index, party in enumerate(contract.parties)
        if (view := views[party.id]).required and view.role in SIGNS and view.state not in DONE
        for finding in _ends_before(session, contract, party, index, wanted)
    ]
    if findings:
        raise _refuse(findings)
    contract.expires_at = wanted
    contract.next_reminder_at = next_reminder(contract, now)
    facts = {"from": moment(before), "to": moment(wanted)}
    apply(session, contract, change, now=now, actor=actor_of(unit), data=facts)
    return contract


def _ends_before(
    session: Session, contract: Contract, party: Party, index: int, wanted: datetime
) -> list[dict[str, str]]:
    found = []
    if load_certificates((party.certificates or "").encode())[0].not_after < wanted:
        detail = f"the certificate of {party.name} expires before the new deadline"
        found.append(problem_at(f"/parties/{index}/certificate", "expires-too-early", detail))
    if party.seal_id is not None and seals.get(session, contract.tenant_id, party.seal_id).valid_to < wanted:
        detail = f"the seal of {party.name} expires before the new deadline"
        found.append(problem_at(f"/parties/{index}/seal", "expires-too-early", detail))
    return found


def _refuse(findings: list[dict[str, str]]) -> ValidationFailed:
    return ValidationFailed(f"the deadline cannot be moved: {findings[0]['detail']}", errors=findings)
