"""The log of a seal: append-only, each entry bound to the one before by its hash.

    record(session, seal, "use.recorded", now=now, actor=actor, data={...})
    check(session, seal)                     # Broken(at=3), or None where every entry is as it was written

As in the audit trail of a contract (`api.audit.service`), the hash of an entry is SHA-256 over its canonical JSON:
`seal`, `sequence`, `type`, `at`, `actor`, `data` and `previous`, the hash of the entry before. The seal's row keeps
number and hash of the newest entry, so that an end that was cut off is noticed too; whoever keeps them elsewhere
notices also a log that was written anew from some entry on.

    seal.applied · seal.approved · seal.prepared · seal.made · seal.filed · seal.suspended · seal.resumed ·
    seal.cancelled · seal.expired · grant.made · grant.approved · grant.revoked · use.recorded · use.done · use.failed
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.audit.service import GENESIS, event_hash, moment
from api.kit.ids import new_id
from api.seals.models import Seal, SealEvent

USES = ("use.recorded", "use.done", "use.failed")


@dataclass(frozen=True)
class Broken:
    """The first entry that is not as it was written, or is missing."""

    at: int


def record(
    session: Session,
    seal: Seal,
    event_type: str,
    *,
    now: datetime,
    actor: dict[str, Any],
    data: dict[str, Any] | None = None,
) -> SealEvent:
    """Append an entry. The seal's row must be locked in the same transaction."""
    sequence = seal.log_sequence + 1
    body: dict[str, Any] = {
        "seal": seal.id,
        "sequence": sequence,
        "type": event_type,
        "at": moment(now),
        "actor": actor,
        "data": data or {},
        "previous": seal.log_hash,
    }
    event = SealEvent(
        id=new_id("evt"),
        tenant_id=seal.tenant_id,
        seal_id=seal.id,
        sequence=sequence,
        type=event_type,
        at=now,
        body=body,
        hash=event_hash(body),
    )
    session.add(event)
    seal.log_sequence, seal.log_hash = sequence, event.hash
    return event


def entries_of(
    session: Session, seal: Seal, *, after: int, limit: int, types: tuple[str, ...] | None = None
) -> list[SealEvent]:
    """Return entries in order, those after a sequence number; of some types only where they are given."""
    query = select(SealEvent).where(SealEvent.seal_id == seal.id, SealEvent.sequence > after)
    if types is not None:
        query = query.where(SealEvent.type.in_(types))
    return list(session.scalars(query.order_by(SealEvent.sequence).limit(limit)))


def check(session: Session, seal: Seal) -> Broken | None:
    """Return the first entry that was changed, moved or removed; None where the log is whole."""
    query = select(SealEvent).where(SealEvent.seal_id == seal.id).order_by(SealEvent.sequence)
    previous, expected = GENESIS, 1
    for event in session.scalars(query.execution_options(yield_per=200)):
        body = event.body
        told = (body.get("seal"), body.get("sequence"), body.get("type"), body.get("previous"))
        if told != (seal.id, expected, event.type, previous) or event.sequence != expected:
            return Broken(expected)
        if body.get("at") != moment(event.at) or event_hash(body) != event.hash:
            return Broken(expected)
        previous, expected = event.hash, expected + 1
    if (expected - 1, previous) != (seal.log_sequence, seal.log_hash):
        return Broken(expected)
    return None
