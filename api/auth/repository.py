"""Queries over tenants and API keys."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.auth.models import APIKey, Tenant


def tenant_named(session: Session, name: str) -> Tenant | None:
    """Return the tenant of this name."""
    return session.scalars(select(Tenant).where(Tenant.name == name)).one_or_none()


def count_tenants(session: Session) -> int:
    """Return how many tenants there are."""
    return session.scalar(select(func.count()).select_from(Tenant)) or 0


def key(session: Session, key_id: str) -> APIKey | None:
    """Return an API key by its identifier."""
    return session.get(APIKey, key_id)
