"""Queries over bulk sends and their rows; who may read is part of every one."""

from __future__ import annotations

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from api.bulk.models import BulkDocument, BulkRow, BulkSend
from api.kit.owned import one

OPEN = ("waiting", "made")


def get(session: Session, tenant_id: str, bulk_id: str, *, lock: bool = False) -> BulkSend:
    """Return a tenant's bulk send. Raises NotFound."""
    query = select(BulkSend).where(BulkSend.tenant_id == tenant_id, BulkSend.id == bulk_id)
    return one(session, query, "bulk send", lock=lock)


def all_of(tenant_id: str) -> Select[BulkSend]:
    """Return the query for a tenant's bulk sends."""
    return select(BulkSend).where(BulkSend.tenant_id == tenant_id)


def counts(session: Session, bulk_id: str) -> dict[str, int]:
    """Return how many rows are in which state."""
    query = select(BulkRow.state, func.count()).where(BulkRow.bulk_send_id == bulk_id).group_by(BulkRow.state)
    return dict(session.execute(query).all())


def open_rows(session: Session, bulk_id: str, limit: int | None = None) -> list[int]:
    """Return the numbers of rows that are still to be dealt with, in their order."""
    query = select(BulkRow.number).where(BulkRow.bulk_send_id == bulk_id, BulkRow.state.in_(OPEN))
    return list(session.scalars(query.order_by(BulkRow.number).limit(limit)))


def begun_rows(session: Session, bulk_id: str) -> list[int]:
    """Return the numbers of rows whose contract was made and not sent."""
    query = select(BulkRow.number).where(BulkRow.bulk_send_id == bulk_id, BulkRow.state == "made")
    return list(session.scalars(query))


def row(session: Session, bulk_id: str, number: int) -> BulkRow:
    """Return a row."""
    return session.get_one(BulkRow, (bulk_id, number))


def rows_after(session: Session, bulk_id: str, number: int, limit: int) -> list[BulkRow]:
    """Return rows in their order, those after one."""
    query = select(BulkRow).where(BulkRow.bulk_send_id == bulk_id, BulkRow.number > number)
    return list(session.scalars(query.order_by(BulkRow.number).limit(limit)))


def close(session: Session, bulk_id: str, state: str) -> None:
    """Let go of what an ended bulk send holds; rows that nobody has dealt with get a state."""
    open_ones = update(BulkRow).where(BulkRow.bulk_send_id == bulk_id, BulkRow.state.in_(OPEN))
    session.execute(open_ones.values(state=state, filled=None))
    session.execute(delete(BulkDocument).where(BulkDocument.bulk_send_id == bulk_id))
