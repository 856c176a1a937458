"""Queries over templates; who may read is part of every one."""

from __future__ import annotations

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from api.kit.owned import one
from api.templates.models import Template


def get(session: Session, tenant_id: str, template_id: str, *, lock: bool = False) -> Template:
    """Return a tenant's template; with `lock`, nobody else changes it until the transaction ends. Raises NotFound."""
    query = select(Template).where(Template.tenant_id == tenant_id, Template.id == template_id)
    return one(session, query, "template", lock=lock)


def all_of(tenant_id: str) -> Select[Template]:
    """Return the query for a tenant's templates."""
    return select(Template).where(Template.tenant_id == tenant_id)
