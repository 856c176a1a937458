"""Queries over agreements and the signatures on them; who may read is part of every one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, select, update
from sqlalchemy.orm import Session, undefer

from api.agreements.models import Agreement, AgreementSignature
from api.agreements.states import SIGNED, State
from api.contracts.models import Contract
from api.kit.owned import one

_LIVE = tuple(str(state) for state in (State.OFFERED, *sorted(SIGNED)))


def get(session: Session, tenant_id: str, agreement_id: str, *, lock: bool = False) -> Agreement:
    """Return a tenant's agreement; with `lock`, nobody else changes it until the transaction ends. Raises NotFound."""
    query = select(Agreement).where(Agreement.tenant_id == tenant_id, Agreement.id == agreement_id)
    query = query.options(undefer(Agreement.octets))
    return one(session, query, "agreement", lock=lock)


def all_of(tenant_id: str, *, state: str | None) -> Select[Agreement]:
    """Return the query for a tenant's agreements."""
    query = select(Agreement).where(Agreement.tenant_id == tenant_id)
    return query if state is None else query.where(Agreement.state == state)


def with_octets(session: Session, tenant_id: str, sha256: str) -> Agreement | None:
    """Return the agreement that was offered with these octets and not withdrawn, if there is one."""
    query = select(Agreement).where(
        Agreement.tenant_id == tenant_id, Agreement.sha256 == sha256, Agreement.state.in_(_LIVE)
    )
    return session.scalars(query.options(undefer(Agreement.octets)).limit(1)).one_or_none()


def endings_of(session: Session, agreement: Agreement) -> list[Agreement]:
    """Return what ended an agreement, signed by all."""
    query = select(Agreement).where(
        Agreement.tenant_id == agreement.tenant_id,
        Agreement.ends_id == agreement.id,
        Agreement.state.in_([str(state) for state in SIGNED]),
    )
    return list(session.scalars(query.options(undefer(Agreement.octets)).order_by(Agreement.id)))


def is_named(session: Session, agreement: Agreement) -> bool:
    """Tell whether a contract names an agreement."""
    named = exists().where(Contract.tenant_id == agreement.tenant_id, Contract.agreement_id == agreement.id)
    return bool(session.scalar(select(named)))


def signatures_of(session: Session, agreement: Agreement) -> list[AgreementSignature]:
    """Return the signatures that came in, in the order of the parties."""
    query = select(AgreementSignature).where(
        AgreementSignature.agreement_id == agreement.id, AgreementSignature.state == "signed"
    )
    return list(session.scalars(query.order_by(AgreementSignature.party)))


def signature(
    session: Session, tenant_id: str, agreement_id: str, signature_id: str, *, lock: bool = False
) -> AgreementSignature:
    """Return a signature request. Raises NotFound."""
    query = (
        select(AgreementSignature)
        .join(Agreement, Agreement.id == AgreementSignature.agreement_id)
        .where(
            Agreement.tenant_id == tenant_id,
            AgreementSignature.agreement_id == agreement_id,
            AgreementSignature.id == signature_id,
        )
    )
    if lock:
        query = query.with_for_update(of=AgreementSignature).execution_options(populate_existing=True)
    return one(session, query, "signature request")


def abandon(session: Session, agreement: Agreement, failure: dict[str, Any], *, party: int | None = None) -> None:
    """Abandon the open requests of an agreement, or of one party."""
    statement = update(AgreementSignature).where(
        AgreementSignature.agreement_id == agreement.id, AgreementSignature.state == "prepared"
    )
    if party is not None:
        statement = statement.where(AgreementSignature.party == party)
    statement = statement.values(state="abandoned", failure=failure)
    session.execute(statement.execution_options(synchronize_session="fetch"))


def touch(agreement: Agreement, now: datetime) -> None:
    """Count one more version."""
    agreement.version += 1
    agreement.updated_at = now
