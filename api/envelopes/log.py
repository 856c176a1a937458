"""The log of an envelope (see `api.audit.chain`): who asked for it, what was signed, who got which part and when.

record(session, envelope, "part.delivered", now=now, actor=actor, data={...})

envelope.requested · envelope.prepared · envelope.sealed · envelope.failed ·
content.delivered · part.delivered · open.recorded · open.done · open.failed
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from api.audit import chain
from api.audit.chain import Broken
from api.envelopes.models import Envelope, EnvelopeEvent

DELIVERIES = ("content.delivered", "part.delivered", "open.recorded", "open.done", "open.failed")


def record(
    session: Session,
    envelope: Envelope,
    event_type: str,
    *,
    now: datetime,
    actor: dict[str, Any],
    data: dict[str, Any] | None = None,
) -> EnvelopeEvent:
    """Append an entry. The envelope's row must be locked in the same transaction."""
    return chain.append(session, EnvelopeEvent, envelope, "envelope", event_type, now=now, actor=actor, data=data)


def entries_of(
    session: Session, envelope: Envelope, *, after: int, limit: int, types: tuple[str, ...] | None = None
) -> list[EnvelopeEvent]:
    """Return entries in order, those after a sequence number; of some types only where they are given."""
    return chain.entries_of(session, EnvelopeEvent, envelope, "envelope", after=after, limit=limit, types=types)


def check(session: Session, envelope: Envelope) -> Broken | None:
    """Return the first entry that was changed, moved or removed; None where the log is whole."""
    return chain.check(session, EnvelopeEvent, envelope, "envelope")
