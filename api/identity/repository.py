"""Queries over identity proofs; who may read is part of every one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from api.errors import NotFound
from api.identity.models import IdentityProof
from api.people.models import Organisation, Person


def of(tenant_id: str, owner: Organisation | Person) -> Select[IdentityProof]:
    """Return the query for the proofs of an organisation or a person."""
    column = IdentityProof.organisation_id if isinstance(owner, Organisation) else IdentityProof.person_id
    return select(IdentityProof).where(IdentityProof.tenant_id == tenant_id, column == owner.id)


def get(session: Session, owner: Organisation | Person, proof_id: str) -> IdentityProof:
    """Return a proof of an organisation or a person. Raises NotFound."""
    found = session.scalars(of(owner.tenant_id, owner).where(IdentityProof.id == proof_id)).one_or_none()
    if found is None:
        raise NotFound("there is no such identity proof")
    return found


def standing(session: Session, owner: Organisation | Person) -> Sequence[IdentityProof]:
    """Return the proofs of an organisation or a person that are not revoked, newest first."""
    query = of(owner.tenant_id, owner).where(IdentityProof.revoked_at.is_(None))
    return session.scalars(query.order_by(IdentityProof.id.desc()).limit(200)).all()


def named(session: Session, tenant_id: str, ids: Sequence[str]) -> Sequence[IdentityProof]:
    """Return those of the tenant's proofs that have these ids, oldest first."""
    query = select(IdentityProof).where(IdentityProof.tenant_id == tenant_id, IdentityProof.id.in_(ids))
    return session.scalars(query.order_by(IdentityProof.id)).all()
