"""Queries over powers of attorney; who may read is part of every one."""

from __future__ import annotations

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from api.kit.owned import one
from api.mandates.models import PowerOfAttorney


def get(session: Session, tenant_id: str, name: str, *, lock: bool = False) -> PowerOfAttorney:
    """Return a tenant's power of attorney; with `lock`, nobody else changes it meanwhile. Raises NotFound."""
    query = select(PowerOfAttorney).where(PowerOfAttorney.tenant_id == tenant_id, PowerOfAttorney.id == name)
    return one(session, query, "power of attorney", lock=lock)


def all_of(tenant_id: str) -> Select[PowerOfAttorney]:
    """Return the query for a tenant's powers of attorney."""
    return select(PowerOfAttorney).where(PowerOfAttorney.tenant_id == tenant_id)


def numbered(session: Session, tenant_id: str, kind: str, number: str) -> PowerOfAttorney | None:
    """Return the one with a number, if it is on record."""
    query = all_of(tenant_id).where(PowerOfAttorney.kind == kind, PowerOfAttorney.number == number)
    return session.scalars(query).one_or_none()


def needed_files(session: Session) -> set[str]:
    """Return the stored files that powers of attorney name."""
    content = set(session.scalars(select(PowerOfAttorney.content_sha256)))
    signatures = select(PowerOfAttorney.signature_sha256).where(PowerOfAttorney.signature_sha256.is_not(None))
    return content | {name for name in session.scalars(signatures) if name is not None}
