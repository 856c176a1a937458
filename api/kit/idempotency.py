"""Idempotency-Key: the same POST twice has one effect and one answer (draft-ietf-httpapi-idempotency-key-header).

1. `begin` records (tenant, key) as running, in a transaction of its own: a second request meets it at once.
2. The request does its work; `finish` stores the answer in the *same* transaction as the work.
3. A request that fails leaves nothing: `forget` removes the record, and the client may repeat it.

A process killed between 1 and 2 leaves a running record without an effect. It is taken over at once if that process is
known to be dead, else after `Settings.request_lease`. The body of an answer is stored as it was sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import JSON, ColumnElement, CursorResult, ForeignKey, LargeBinary, String, delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column
from starlette.responses import Response

from api.context import Context
from api.db import Base
from api.errors import IdempotencyInProgress, IdempotencyMismatch

KEY = re.compile(r"[ -~]{1,200}")
"""Printable ASCII, which every client can send and every server in between leaves alone (RFC 9110 clause 5.5)."""
KEPT_HEADERS = ("content-type", "etag", "location", "link")


class IdempotencyRecord(Base):
    """A POST that was begun, and its answer once it has ended (`status` set)."""

    __tablename__ = "idempotency_records"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    owner: Mapped[str] = mapped_column(String(200))
    locked_until: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    status: Mapped[int | None]
    headers: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    body: Mapped[bytes | None] = mapped_column(LargeBinary)


@dataclass
class Claim:
    """A request that says it may be a repetition; `locked_until` tells our claim from a later one."""

    tenant_id: str
    key: str
    fingerprint: str
    locked_until: datetime | None = None


def begin(context: Context, claim: Claim) -> Response | None:
    """Claim the key, or return the stored answer. Raises IdempotencyMismatch or IdempotencyInProgress."""
    try:
        return _begin(context, claim)
    except IntegrityError:  # PostgreSQL: two first requests at the same instant
        raise IdempotencyInProgress("the first request with this Idempotency-Key is still running") from None


def _begin(context: Context, claim: Claim) -> Response | None:
    now, settings = context.now(), context.settings
    with context.database.write() as session:
        row = session.get(IdempotencyRecord, (claim.tenant_id, claim.key), with_for_update=True)
        if row is not None and row.expires_at <= now:
            session.delete(row)
            session.flush()
            row = None
        if row is None:
            claim.locked_until = now + settings.request_lease
            session.add(
                IdempotencyRecord(
                    tenant_id=claim.tenant_id,
                    key=claim.key,
                    fingerprint=claim.fingerprint,
                    owner=context.presence.name,
                    locked_until=claim.locked_until,
                    expires_at=now + settings.idempotency_life,
                    status=None,
                    headers=None,
                    body=None,
                )
            )
            return None
        if row.fingerprint != claim.fingerprint:
            raise IdempotencyMismatch("this Idempotency-Key was used for another request")
        if row.status is not None:
            headers = {**(row.headers or {}), "idempotency-replayed": "true"}
            return Response(row.body, row.status, headers)
        if row.locked_until > now and not context.presence.is_dead(row.owner):
            raise IdempotencyInProgress("the first request with this Idempotency-Key is still running")
        row.owner = context.presence.name
        row.locked_until = claim.locked_until = now + settings.request_lease
        return None


def finish(session: Session, context: Context, claim: Claim, response: Response) -> None:
    """Store the answer, in the transaction of the work itself.

    Raises IdempotencyInProgress, which undoes the work, where a later request has taken the claim over.
    """
    done = session.execute(
        update(IdempotencyRecord)
        .where(*_ours(claim))
        .values(
            status=response.status_code,
            headers={name: response.headers[name] for name in KEPT_HEADERS if name in response.headers},
            body=bytes(response.body),
            expires_at=context.now() + context.settings.idempotency_life,
        )
    )
    if cast("CursorResult[Any]", done).rowcount != 1:
        raise IdempotencyInProgress("another request with this Idempotency-Key has taken over")


def forget(context: Context, claim: Claim) -> None:
    """Remove the record of a request that failed."""
    with context.database.write() as session:
        session.execute(delete(IdempotencyRecord).where(*_ours(claim)))


def _ours(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (
        IdempotencyRecord.tenant_id == claim.tenant_id,
        IdempotencyRecord.key == claim.key,
        IdempotencyRecord.status.is_(None),
        IdempotencyRecord.locked_until == claim.locked_until,
    )


def purge(session: Session, now: datetime) -> None:
    """Remove records past their time."""
    session.execute(delete(IdempotencyRecord).where(IdempotencyRecord.expires_at <= now))
