"""Logs of objects of the service: append-only, each entry bound to the one before by its hash.

    LOG: Final[Log[Seal, SealEvent]] = Log("seal", SealEvent)
    LOG.record(session, seal, "use.recorded", now=now, actor=actor, data={...})
    LOG.check(session, seal)                         # Broken(at=3), or None where every entry is as it was written

As in the audit trail of a contract (`api.audit.service`), the hash of an entry is SHA-256 over its canonical JSON: the
object under the name of its kind, `sequence`, `type`, `at`, `actor`, `data` and `previous`, the hash of the entry
before. The object's row keeps number and hash of the newest entry (`log_sequence`, `log_hash`), so that an end that was
cut off is noticed too; whoever keeps them elsewhere notices also a log that was written anew from some entry on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from api.audit.models import Entry, Logged
from api.audit.service import GENESIS, event_hash, moment
from api.kit.ids import new_id

T = TypeVar("T", bound=Logged)
E = TypeVar("E", bound=Entry)


@dataclass(frozen=True)
class Broken:
    """The first entry that is not as it was written, or is missing."""

    at: int


@dataclass(frozen=True)
class Log(Generic[T, E]):
    """The logs of all objects of one kind; the column `{kind}_id` of the table says whose an entry is."""

    kind: str
    table: type[E]

    def record(
        self,
        session: Session,
        owner: T,
        event_type: str,
        *,
        now: datetime,
        actor: dict[str, Any],
        data: dict[str, Any] | None = None,
    ) -> E:
        """Append an entry to the log of `owner`, whose row must be locked in the same transaction."""
        sequence = owner.log_sequence + 1
        body: dict[str, Any] = {
            self.kind: owner.id,
            "sequence": sequence,
            "type": event_type,
            "at": moment(now),
            "actor": actor,
            "data": data or {},
            "previous": owner.log_hash,
        }
        digest = event_hash(body)
        event = self.table(
            id=new_id("evt"),
            tenant_id=owner.tenant_id,
            sequence=sequence,
            type=event_type,
            at=now,
            body=body,
            hash=digest,
            **{f"{self.kind}_id": owner.id},
        )
        session.add(event)
        owner.log_sequence, owner.log_hash = sequence, digest
        return event

    def entries_of(
        self, session: Session, owner: T, *, after: int, limit: int, types: tuple[str, ...] | None = None
    ) -> list[E]:
        """Return entries in order, those after a sequence number; of some types only where they are given."""
        query = self._all_of(owner).where(self.table.sequence > after)
        if types is not None:
            query = query.where(self.table.type.in_(types))
        return list(session.scalars(query.limit(limit)))

    def check(self, session: Session, owner: T) -> Broken | None:
        """Return the first entry that was changed, moved or removed; None where the log is whole."""
        previous, expected = GENESIS, 1
        for event in session.scalars(self._all_of(owner).execution_options(yield_per=200)):
            body = event.body
            told = (body.get(self.kind), body.get("sequence"), body.get("type"), body.get("previous"))
            if told != (owner.id, expected, event.type, previous) or event.sequence != expected:
                return Broken(expected)
            if body.get("at") != moment(event.at) or event_hash(body) != event.hash:
                return Broken(expected)
            previous, expected = event.hash, expected + 1
        if (expected - 1, previous) != (owner.log_sequence, owner.log_hash):
            return Broken(expected)
        return None

    def _all_of(self, owner: T) -> Select[E]:
        return (
            select(self.table).where(getattr(self.table, f"{self.kind}_id") == owner.id).order_by(self.table.sequence)
        )
