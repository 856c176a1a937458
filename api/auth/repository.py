"""Queries over tenants, users, API keys and access tokens."""

from __future__ import annotations

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from api.auth.models import APIKey, Tenant, User
from api.kit.owned import one


def tenant_named(session: Session, name: str) -> Tenant | None:
    """Return the tenant of this name."""
    return session.scalars(select(Tenant).where(Tenant.name == name)).one_or_none()


def count_tenants(session: Session) -> int:
    """Return how many tenants there are."""
    return session.scalar(select(func.count()).select_from(Tenant)) or 0


def key(session: Session, key_id: str) -> APIKey | None:
    """Return an API key by its identifier."""
    return session.get(APIKey, key_id)


def key_of(session: Session, tenant_id: str, key_id: str, *, lock: bool = False) -> APIKey:
    """Return a tenant's API key. Raises NotFound."""
    query = keys(tenant_id, None).where(APIKey.id == key_id)
    return one(session, query, "API key", lock=lock)


def keys(tenant_id: str, user_id: str | None) -> Select[APIKey]:
    """Return the query for a tenant's API keys, those of one user where that is given."""
    query = select(APIKey).where(APIKey.tenant_id == tenant_id)
    return query if user_id is None else query.where(APIKey.user_id == user_id)


def user(session: Session, tenant_id: str, user_id: str, *, lock: bool = False) -> User:
    """Return a tenant's user. Raises NotFound."""
    query = users(tenant_id).where(User.id == user_id)
    return one(session, query, "user", lock=lock)


def user_with_email(session: Session, tenant_id: str, email: str) -> User | None:
    """Return the tenant's user of this address."""
    return session.scalars(users(tenant_id).where(User.email == email)).one_or_none()


def users(tenant_id: str) -> Select[User]:
    """Return the query for a tenant's users."""
    return select(User).where(User.tenant_id == tenant_id)
