"""One object of a tenant, or not found: who asks is part of the query, so another tenant's object is not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

from api.errors import NotFound

T = TypeVar("T")


def one(
    session: Session, query: Select[T], what: str, *, lock: bool = False, given: Mapping[str, str] | None = None
) -> T:
    """Return the one object of a query; `what` names its kind, `given` its parameters. Raises NotFound.

    With `lock` nobody else changes it until the transaction ends. What the session knows of it is read again then: it
    may be from before whoever had the lock until now.
    """
    if lock:
        query = locked(query)
    found = session.scalars(query, given).one_or_none()
    if found is None:
        raise NotFound(f"there is no such {what}")
    return found


def locked(query: Select[T]) -> Select[T]:
    """Return a query whose rows nobody else changes until the transaction ends, and which reads them anew."""
    return query.with_for_update().execution_options(populate_existing=True)
