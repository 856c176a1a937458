"""Queries over seals, grants and uses; who may read is part of every one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from api.errors import NotFound
from api.kit.owned import one
from api.seals.models import Seal, SealGrant, SealMaker, SealUse
from signer.seals.lifecycle import OVER


def get(session: Session, tenant_id: str, seal_id: str, *, lock: bool = False) -> Seal:
    """Return a tenant's seal; with `lock`, nobody else changes it until the transaction ends. Raises NotFound."""
    query = select(Seal).where(Seal.tenant_id == tenant_id, Seal.id == seal_id)
    return one(session, query, "seal", lock=lock)


def all_of(tenant_id: str, *, state: str | None) -> Select[Seal]:
    """Return the query for a tenant's seals."""
    query = select(Seal).where(Seal.tenant_id == tenant_id)
    return query if state is None else query.where(Seal.state == state)


def grants_to(session: Session, seal: Seal, grantee: str) -> Sequence[SealGrant]:
    """Return somebody's grants of a seal; to be changed with the seal's row locked."""
    query = select(SealGrant).where(SealGrant.seal_id == seal.id, SealGrant.grantee == grantee)
    return session.scalars(query.execution_options(populate_existing=True)).all()


def grants_of(seal: Seal) -> Select[SealGrant]:
    """Return the query for the grants of a seal."""
    return select(SealGrant).where(SealGrant.seal_id == seal.id)


def grant(session: Session, seal: Seal, grant_id: str) -> SealGrant:
    """Return a grant of a seal. Raises NotFound."""
    query = grants_of(seal).where(SealGrant.id == grant_id).execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound("the seal has no such grant")
    return found


def use(session: Session, seal: Seal, use_id: str) -> SealUse:
    """Return a use of a seal. Raises NotFound."""
    query = select(SealUse).where(SealUse.seal_id == seal.id, SealUse.id == use_id)
    found = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound("the seal has no such use")
    return found


def use_by(session: Session, party_id: str, document_id: str) -> SealUse | None:
    """Return the use that a party of a contract made of its seal on a document."""
    query = select(SealUse).where(SealUse.party_id == party_id, SealUse.document_id == document_id)
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def makers(session: Session, suite: str) -> Sequence[SealMaker]:
    """Return the seal makers of a suite, the newest first."""
    return session.scalars(select(SealMaker).where(SealMaker.suite == suite).order_by(SealMaker.id.desc())).all()


def overdue(session: Session, now: datetime, limit: int = 100) -> list[tuple[str, str]]:
    """Return (tenant, seal) of seals whose time is over."""
    states = [str(state) for state in OVER]
    query = select(Seal.tenant_id, Seal.id).where(Seal.state.not_in(states), Seal.valid_to < now).limit(limit)
    return [(tenant, seal) for tenant, seal in session.execute(query)]
