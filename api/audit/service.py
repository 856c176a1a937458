"""Write and check the hash-chained audit trail of a contract.

    record(session, contract, "contract.sent", now=now, actor=actor, data={...})
    check_chain(events)                      # raises ValueError at the first break

The hash of an event is SHA-256 over its canonical JSON: keys sorted, no spaces, UTF-8, non-ASCII characters as they
are. The JSON holds `contract`, `sequence`, `type`, `at` (RFC 3339, UTC, microseconds), `actor`, `party`, `data` and
`previous`, the hash of the event before (64 zeros for the first). The contract's row keeps the number and hash of the
newest event, so that cutting off the end is noticed too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.audit.models import AuditEvent
from api.contracts.models import Contract
from api.kit.ids import new_id

GENESIS: Final = "0" * 64


def moment(value: datetime) -> str:
    """Return a moment as the trail writes it."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def event_hash(body: dict[str, Any]) -> str:
    """Return the hash of an event's body."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def record(
    session: Session,
    contract: Contract,
    event_type: str,
    *,
    now: datetime,
    actor: dict[str, Any],
    party_id: str | None = None,
    data: dict[str, Any] | None = None,
) -> AuditEvent:
    """Append an event. The contract's row must be locked or compared by version in the same transaction."""
    sequence = contract.audit_sequence + 1
    body: dict[str, Any] = {
        "contract": contract.id,
        "sequence": sequence,
        "type": event_type,
        "at": moment(now),
        "actor": actor,
        "party": party_id,
        "data": data or {},
        "previous": contract.audit_hash,
    }
    event = AuditEvent(
        id=new_id("evt"),
        tenant_id=contract.tenant_id,
        contract_id=contract.id,
        sequence=sequence,
        type=event_type,
        at=now,
        body=body,
        hash=event_hash(body),
    )
    session.add(event)
    contract.audit_sequence, contract.audit_hash = sequence, event.hash
    return event


def events_of(
    session: Session, tenant_id: str, contract_id: str, *, after: int = 0, limit: int = 1000
) -> list[AuditEvent]:
    """Return a contract's events in order, those after a sequence number."""
    query = (
        select(AuditEvent)
        .where(AuditEvent.tenant_id == tenant_id, AuditEvent.contract_id == contract_id, AuditEvent.sequence > after)
        .order_by(AuditEvent.sequence)
        .limit(limit)
    )
    return list(session.scalars(query))


def check_chain(events: Iterable[tuple[dict[str, Any], str]], *, head: str | None = None) -> None:
    """Check (body, hash) pairs from the first event on. Raises ValueError naming the first that does not fit."""
    previous, expected = GENESIS, 1
    for body, stated in events:
        if body.get("sequence") != expected or body.get("previous") != previous or event_hash(body) != stated:
            raise ValueError(f"the audit chain breaks at event {expected}")
        previous, expected = stated, expected + 1
    if head is not None and previous != head:
        raise ValueError("the audit chain ends before its newest event")
