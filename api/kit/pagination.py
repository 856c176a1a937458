"""Pages of a list: an opaque, signed cursor over (created_at, id).

    page = paginate(session, select(Document), Document, unit, cursor=cursor, limit=50)
    page.rows, page.next_cursor

The cursor is signed, for one list of one tenant, so that it stays ours to change; it says nothing that the client may
not know, and it gives no access: the query it continues is always the tenant's own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Query
from sqlalchemy import Select
from sqlalchemy.orm import Session

from api.errors import ValidationFailed
from api.kit.edge import Unit

Limit = Annotated[int, Query(ge=1, le=200, description="How many, at most.")]
Cursor = Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before.")]
After = Annotated[int, Query(ge=0, le=10**9, description="Only entries with a higher sequence number.")]

SCAN: Final = 2000
"""Rows that one request looks at, where it wants only some of them."""

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows, and where the next ones begin."""

    rows: list[T]
    next_cursor: str | None

    def link(self, path: str, limit: int, **more: str | None) -> dict[str, str]:
        """Return the Link header of RFC 8288, where there is a next page; `more` is what else the query said."""
        if self.next_cursor is None:
            return {}
        words = {name: value for name, value in more.items() if value is not None}
        query = urlencode(words | {"limit": str(limit), "cursor": self.next_cursor})
        return {"link": f'<{path}?{query}>; rel="next"'}


def paginate(
    session: Session,
    query: Select[T],
    model: type[T],
    unit: Unit,
    *,
    cursor: str | None,
    limit: int,
    keep: Callable[[T], bool] | None = None,
) -> Page[T]:
    """Return the page after `cursor`, newest first. Identifiers sort by time (RFC 9562), so they are the order.

    `keep` is a condition that the database cannot test; with it a page looks at `SCAN` rows at most, and may be short
    or empty although there is a next one.
    """
    key = unit.context.vault.derive("cursor")
    column: Any = model.id  # type: ignore[attr-defined]
    table = f"{unit.tenant_id}:{model.__tablename__}"  # type: ignore[attr-defined]
    most = limit if keep is None else SCAN
    query = query.order_by(column.desc()).limit(most + 1).execution_options(yield_per=200)
    if cursor is not None:
        query = query.where(column < _open(cursor, table, key))
    rows: list[T] = []
    last: Any = None
    for seen, row in enumerate(session.scalars(query)):
        if len(rows) == limit or seen == most:
            return Page(rows, _seal(last.id, table, key))
        last = row
        if keep is None or keep(row):
            rows.append(row)
    return Page(rows, None)


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
