"""The log of a seal (see `api.audit.chain`).

record(session, seal, "use.recorded", now=now, actor=actor, data={...})
check(session, seal)                     # Broken(at=3), or None where every entry is as it was written

seal.applied · seal.approved · seal.prepared · seal.made · seal.filed · seal.suspended · seal.resumed ·
seal.cancelled · seal.expired · grant.made · grant.approved · grant.revoked · use.recorded · use.done · use.failed
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from api.audit import chain
from api.audit.chain import Broken
from api.seals.models import Seal, SealEvent

USES = ("use.recorded", "use.done", "use.failed")


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
    return chain.append(session, SealEvent, seal, "seal", event_type, now=now, actor=actor, data=data)


def entries_of(
    session: Session, seal: Seal, *, after: int, limit: int, types: tuple[str, ...] | None = None
) -> list[SealEvent]:
    """Return entries in order, those after a sequence number; of some types only where they are given."""
    return chain.entries_of(session, SealEvent, seal, "seal", after=after, limit=limit, types=types)


def check(session: Session, seal: Seal) -> Broken | None:
    """Return the first entry that was changed, moved or removed; None where the log is whole."""
    return chain.check(session, SealEvent, seal, "seal")
