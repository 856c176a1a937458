"""Queries over signing policies and batches; who may read is part of every one."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from api.batches.models import Batch, BatchItem, SigningPolicy
from api.contracts.models import Party
from api.kit.owned import locked, one
from api.signing.models import Signature


def policy(session: Session, tenant_id: str, policy_id: str, *, lock: bool = False) -> SigningPolicy:
    """Return a tenant's policy; with `lock`, nobody else changes it until the transaction ends. Raises NotFound."""
    query = select(SigningPolicy).where(SigningPolicy.tenant_id == tenant_id, SigningPolicy.id == policy_id)
    return one(session, query, "signing policy", lock=lock)


def policies(tenant_id: str) -> Select[SigningPolicy]:
    """Return the query for a tenant's policies."""
    return select(SigningPolicy).where(SigningPolicy.tenant_id == tenant_id)


def batch(session: Session, tenant_id: str, batch_id: str, *, lock: bool = False) -> Batch:
    """Return a tenant's batch with its items; with `lock`, nobody else ends it meanwhile. Raises NotFound."""
    query = select(Batch).where(Batch.tenant_id == tenant_id, Batch.id == batch_id)
    return one(session, query, "batch", lock=lock)


def batches(tenant_id: str, *, policy_id: str | None) -> Select[Batch]:
    """Return the query for a tenant's batches."""
    query = select(Batch).where(Batch.tenant_id == tenant_id)
    return query if policy_id is None else query.where(Batch.policy_id == policy_id)


def item(session: Session, batch_id: str, position: int) -> BatchItem:
    """Return an item of a batch, which nobody else changes until the transaction ends."""
    query = select(BatchItem).where(BatchItem.batch_id == batch_id, BatchItem.position == position)
    return session.scalars(locked(query)).one()


def requests(session: Session, ids: Iterable[str]) -> list[tuple[Signature, str | None]]:
    """Return signature requests by their ids, with the suite of the party."""
    query = (
        select(Signature, Party.suite).join(Party, Party.id == Signature.party_id).where(Signature.id.in_(list(ids)))
    )
    return [(row, suite) for row, suite in session.execute(query)]
