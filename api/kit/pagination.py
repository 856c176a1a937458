"""Pages of a list: an opaque, signed cursor over (created_at, id).

    page = paginate(session, select(Document), Document, unit, cursor=cursor, limit=50)
    page.rows, page.next_cursor

The cursor is signed so that it stays ours to change; it says nothing that the client may not know, and it gives no
access: the query it continues is always the tenant's own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from sqlalchemy import Select
from sqlalchemy.orm import Session

from api.errors import ValidationFailed
from api.kit.edge import Unit

Limit = Annotated[int, Query(ge=1, le=200, description="How many, at most.")]
Cursor = Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before.")]


T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows, and where the next ones begin."""

    rows: list[T]
    next_cursor: str | None

    def link(self, path: str, limit: int) -> dict[str, str]:
        """Return the Link header of RFC 8288, where there is a next page."""
        if self.next_cursor is None:
            return {}
        return {"link": f'<{path}?limit={limit}&cursor={self.next_cursor}>; rel="next"'}


def paginate(
    session: Session, query: Select[T], model: type[T], unit: Unit, *, cursor: str | None, limit: int
) -> Page[T]:
    """Return the page after `cursor`, newest first. Identifiers sort by time (RFC 9562), so they are the order."""
    key = unit.context.vault.derive("cursor")
    column: Any = model.id  # type: ignore[attr-defined]
    table: str = model.__tablename__  # type: ignore[attr-defined]
    query = query.order_by(column.desc()).limit(limit + 1)
    if cursor is not None:
        query = query.where(column < _open(cursor, table, key))
    rows = list(session.scalars(query))
    more = len(rows) > limit
    rows = rows[:limit]
    last: Any = rows[-1] if more else None
    return Page(rows, _seal(last.id, table, key) if more else None)


def _seal(position: str, table: str, key: bytes) -> str:
    tag = hmac.new(key, f"{table}:{position}".encode(), hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(tag + position.encode()).decode().rstrip("=")


def _open(cursor: str, table: str, key: bytes) -> str:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        tag, position = raw[:16], raw[16:].decode("ascii")
    except ValueError:
        tag, position = b"", ""
    good = hmac.new(key, f"{table}:{position}".encode(), hashlib.sha256).digest()[:16]
    if not hmac.compare_digest(tag, good):
        raise ValidationFailed("the cursor is not one of ours", hint="start again without a cursor")
    return position
