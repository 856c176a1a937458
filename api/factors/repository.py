"""Queries over factors and enrolments; who may read is part of every one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Select, delete, or_, select, update
from sqlalchemy.orm import Session

from api.contracts.models import Contract, Party
from api.contracts.workflow import OPEN
from api.factors.models import Factor, FactorEnrolment, FactorPolicy
from api.kit.owned import locked, one


def get(session: Session, tenant_id: str, factor_id: str, *, lock: bool = False) -> Factor:
    """Return a tenant's factor. Raises NotFound."""
    query = factors(tenant_id).where(Factor.id == factor_id)
    return one(session, query, "factor", lock=lock)


def factors(tenant_id: str, person_id: str | None = None, party_id: str | None = None) -> Select[Factor]:
    """Return the query for a tenant's factors, those of one signer where that is given."""
    query = select(Factor).where(Factor.tenant_id == tenant_id)
    if person_id is not None:
        query = query.where(Factor.person_id == person_id)
    if party_id is not None:
        query = query.where(Factor.party_id == party_id)
    return query


def slot_of(owner_id: str, kind: str) -> str:
    """Return the place that the one active factor of a signer and kind takes."""
    return f"{owner_id} {kind}"


def active(session: Session, owner_id: str, kind: str, *, lock: bool = False) -> Factor | None:
    """Return the active factor of a person or party."""
    query = select(Factor).where(Factor.slot == slot_of(owner_id, kind))
    if lock:
        query = locked(query)
    return session.scalars(query).one_or_none()


def enrolment(session: Session, tenant_id: str, enrolment_id: str, *, lock: bool = False) -> FactorEnrolment | None:
    """Return an enrolment; with `lock`, nobody else uses it meanwhile."""
    query = select(FactorEnrolment).where(FactorEnrolment.tenant_id == tenant_id, FactorEnrolment.id == enrolment_id)
    if lock:
        query = locked(query)
    return session.scalars(query).one_or_none()


def drop_unused(session: Session, owner_id: str, kind: str) -> None:
    """Forget enrolments of a signer that were not used, and factors that were not confirmed."""
    for table, still in (
        (FactorEnrolment, FactorEnrolment.used_at.is_(None)),
        (Factor, Factor.state == "pending"),
    ):
        owner = or_(table.person_id == owner_id, table.party_id == owner_id)
        session.execute(delete(table).where(owner, table.kind == kind, still))


def party(session: Session, tenant_id: str, party_id: str) -> Party:
    """Return a party of any of a tenant's contracts. Raises NotFound."""
    query = select(Party).join(Contract, Contract.id == Party.contract_id)
    return one(session, query.where(Contract.tenant_id == tenant_id, Party.id == party_id), "party")


def unlocked(session: Session, owner_id: str) -> Sequence[tuple[str, str]]:
    """Return (contract, party) of a signer's keys that are under the vault alone, in open contracts."""
    query = (
        select(Party.contract_id, Party.id)
        .join(Contract, Contract.id == Party.contract_id)
        .where(
            or_(Party.person_id == owner_id, Party.id == owner_id),
            Party.sealed_key.is_not(None),
            Party.key_factor_id.is_(None),
            Contract.state.in_([str(state) for state in OPEN]),
        )
    )
    return [(contract, party) for contract, party in session.execute(query.order_by(Party.contract_id, Party.id))]


def policy(session: Session, tenant_id: str, *, lock: bool = False) -> FactorPolicy | None:
    """Return what a tenant requires."""
    query = select(FactorPolicy).where(FactorPolicy.tenant_id == tenant_id)
    if lock:
        query = locked(query)
    return session.scalars(query).one_or_none()


def count(session: Session, factor: Factor, retry_at: datetime | None) -> bool:
    """Count one more attempt, if nobody else has counted one since the row was read; tell whether it was counted."""
    statement = update(Factor).where(
        Factor.id == factor.id, Factor.failures == factor.failures, Factor.state == factor.state
    )
    return _one(session, statement.values(failures=factor.failures + 1, retry_at=retry_at))


def settle(session: Session, factor: Factor, step: int | None) -> bool:
    """Forget the wrong attempts before a right one; with a time step, take it, unless it or a later one was taken."""
    statement = update(Factor).where(Factor.id == factor.id, Factor.state == factor.state)
    values: dict[str, Any] = {"failures": 0, "retry_at": None}
    if step is not None:
        statement = statement.where(or_(Factor.last_step.is_(None), Factor.last_step < step))
        values["last_step"] = step
    return _one(session, statement.values(**values))


def _one(session: Session, statement: Any) -> bool:
    done = session.execute(statement.execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", done).rowcount == 1
