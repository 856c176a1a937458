"""Logs of objects of the service: append-only, each entry bound to the one before by its hash.

    append(session, SealEvent, seal, "seal", "use.recorded", now=now, actor=actor, data={...})
    check(session, SealEvent, seal, "seal")          # Broken(at=3), or None where every entry is as it was written

As in the audit trail of a contract (`api.audit.service`), the hash of an entry is SHA-256 over its canonical JSON: the
object under the name of its kind, `sequence`, `type`, `at`, `actor`, `data` and `previous`, the hash of the entry
before. The object's row keeps number and hash of the newest entry (`log_sequence`, `log_hash`), so that an end that was
cut off is noticed too; whoever keeps them elsewhere notices also a log that was written anew from some entry on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.audit.service import GENESIS, event_hash, moment
from api.db import Base
from api.kit.ids import new_id

E = TypeVar("E", bound=Base)


@dataclass(frozen=True)
class Broken:
    """The first entry that is not as it was written, or is missing."""

    at: int


def append(
    session: Session,
    table: type[E],
    owner: Any,
    kind: str,
    event_type: str,
    *,
    now: datetime,
    actor: dict[str, Any],
    data: dict[str, Any] | None = None,
) -> E:
    """Append an entry to the log of `owner`, whose row must be locked in the same transaction."""
    sequence = owner.log_sequence + 1
    body: dict[str, Any] = {
        kind: owner.id,
        "sequence": sequence,
        "type": event_type,
        "at": moment(now),
        "actor": actor,
        "data": data or {},
        "previous": owner.log_hash,
    }
    digest = event_hash(body)
    event = table(
        id=new_id("evt"),
        tenant_id=owner.tenant_id,
        sequence=sequence,
        type=event_type,
        at=now,
        body=body,
        hash=digest,
        **{f"{kind}_id": owner.id},
    )
    session.add(event)
    owner.log_sequence, owner.log_hash = sequence, digest
    return event


def entries_of(
    session: Session,
    table: type[E],
    owner: Any,
    kind: str,
    *,
    after: int,
    limit: int,
    types: tuple[str, ...] | None = None,
) -> list[E]:
    """Return entries in order, those after a sequence number; of some types only where they are given."""
    columns: Any = table
    query = select(table).where(getattr(table, f"{kind}_id") == owner.id, columns.sequence > after)
    if types is not None:
        query = query.where(columns.type.in_(types))
    return list(session.scalars(query.order_by(columns.sequence).limit(limit)))


def check(session: Session, table: type[Any], owner: Any, kind: str) -> Broken | None:
    """Return the first entry that was changed, moved or removed; None where the log is whole."""
    query = select(table).where(getattr(table, f"{kind}_id") == owner.id).order_by(table.sequence)
    previous, expected = GENESIS, 1
    for event in session.scalars(query.execution_options(yield_per=200)):
        body = event.body
        told = (body.get(kind), body.get("sequence"), body.get("type"), body.get("previous"))
        if told != (owner.id, expected, event.type, previous) or event.sequence != expected:
            return Broken(expected)
        if body.get("at") != moment(event.at) or event_hash(body) != event.hash:
            return Broken(expected)
        previous, expected = event.hash, expected + 1
    if (expected - 1, previous) != (owner.log_sequence, owner.log_hash):
        return Broken(expected)
    return None
