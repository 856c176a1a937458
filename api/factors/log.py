"""Where it is written what happens to factors: in the log of the person, or in the trail of the party's contract.

factor.offered · factor.enrolled · factor.changed · factor.locked · factor.reset · party.key_locked
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from api.audit.service import record
from api.contracts import repository as contracts
from api.contracts.models import Contract
from api.contracts.transition import touch
from api.factors import repository
from api.factors.models import Factor, FactorEnrolment
from api.people.kinds import PEOPLE
from api.people.models import Person


def owner_of(session: Session, row: Factor | FactorEnrolment) -> Person | Contract:
    """Return the person, or the contract of the party, and lock it. Raises NotFound."""
    if row.person_id is not None:
        person = PEOPLE.get(session, row.tenant_id, row.person_id, lock=True)
        assert isinstance(person, Person)
        return person
    contract_id = repository.party(session, row.tenant_id, row.party_id or "").contract_id
    return contracts.get(session, row.tenant_id, contract_id, lock=True)


def note(
    session: Session,
    row: Factor | FactorEnrolment,
    event: str,
    *,
    now: datetime,
    actor: dict[str, Any],
    data: dict[str, Any],
) -> None:
    """Write an entry; the version of the person or contract rises with it."""
    owner = owner_of(session, row)
    if isinstance(owner, Contract):
        record(session, owner, event, now=now, actor=actor, party_id=row.party_id, data=data)
        touch(owner, now)
    else:
        PEOPLE.log.record(session, owner, event, now=now, actor=actor, data=data)
        owner.version += 1
        owner.updated_at = now
    session.flush()
