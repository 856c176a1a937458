"""Queries over signatures."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, bindparam, select, update
from sqlalchemy.orm import Session

from api.contracts.models import Contract
from api.errors import NotFound
from api.kit.owned import one
from api.signing.models import Intent, Signature

OPEN = ("prepared", "signed")


# Made once, as in `api.contracts.repository`.
_SIGNATURE: Final = (
    select(Signature)
    .join(Contract, Contract.id == Signature.contract_id)
    .where(
        Contract.tenant_id == bindparam("tenant_id"),
        Signature.contract_id == bindparam("contract_id"),
        Signature.party_id == bindparam("party_id"),
        Signature.id == bindparam("signature_id"),
    )
)
_SIGNATURE_LOCKED: Final = _SIGNATURE.with_for_update(of=Signature).execution_options(populate_existing=True)
_OPEN_INTENT: Final = (
    select(Signature)
    .where(
        Signature.party_id == bindparam("party_id"),
        Signature.document_id == bindparam("document_id"),
        Signature.base_sha256 == bindparam("base_sha256"),
        Signature.state.in_(OPEN),
    )
    .order_by(Signature.id.desc())
    .limit(1)
)
_ABANDON: Final = (
    update(Signature)
    .where(Signature.party_id == bindparam("of_party"), Signature.state.in_(OPEN))
    .values(state="abandoned", failure=bindparam("why"), updated_at=bindparam("at"))
    .execution_options(synchronize_session=False)  # nobody who abandons has them in hand
)
_ABANDON_ONE: Final = _ABANDON.where(Signature.document_id == bindparam("of_document"))
_KEEP_VALUE: Final = (
    update(Signature)
    .where(Signature.id == bindparam("signature_id"), Signature.state == "prepared")
    .values(state="signed", value=bindparam("given"), updated_at=bindparam("at"))
    .execution_options(synchronize_session=False)
)
_INTENT: Final = select(Intent).where(Intent.tenant_id == bindparam("tenant_id"), Intent.id == bindparam("intent_id"))


def get(
    session: Session, tenant_id: str, contract_id: str, party_id: str, signature_id: str, *, lock: bool = False
) -> Signature:
    """Return a signature of a tenant's contract. Raises NotFound."""
    named = {
        "tenant_id": tenant_id,
        "contract_id": contract_id,
        "party_id": party_id,
        "signature_id": signature_id,
    }
    return one(session, _SIGNATURE_LOCKED if lock else _SIGNATURE, "signature request", given=named)


def open_intent(session: Session, party_id: str, document_id: str, base_sha256: str) -> Signature | None:
    """Return the intent of a party on a document's head that has neither been embedded nor abandoned."""
    named = {"party_id": party_id, "document_id": document_id, "base_sha256": base_sha256}
    return session.scalars(_OPEN_INTENT, named).one_or_none()


def has_values(session: Session, party_id: str) -> bool:
    """Tell whether a party's key was used, and a job is to embed what it gave."""
    query = select(Signature.id).where(Signature.party_id == party_id, Signature.state == "signed")
    return session.scalar(query.limit(1)) is not None


def abandon(
    session: Session, party_id: str, now: datetime, failure: dict[str, Any], document_id: str | None = None
) -> int:
    """Abandon a party's open intents; return how many."""
    named = {"of_party": party_id, "why": failure, "at": now}
    done = (
        session.execute(_ABANDON, named)
        if document_id is None
        else session.execute(_ABANDON_ONE, named | {"of_document": document_id})
    )
    return cast("CursorResult[Any]", done).rowcount


def keep_value(session: Session, signature: Signature, value: bytes, now: datetime) -> bool:
    """Put on record what a key gave for what was prepared; tell whether that is still wanted."""
    done = session.execute(_KEEP_VALUE, {"signature_id": signature.id, "given": value, "at": now})
    return cast("CursorResult[Any]", done).rowcount == 1


def of_contract(session: Session, contract_id: str) -> list[Signature]:
    """Return a contract's signatures, oldest first."""
    return list(session.scalars(select(Signature).where(Signature.contract_id == contract_id).order_by(Signature.id)))


def intent(session: Session, tenant_id: str, intent_id: str) -> Intent:
    """Return the record of an intent. Raises NotFound."""
    found = session.scalars(_INTENT, {"tenant_id": tenant_id, "intent_id": intent_id}).one_or_none()
    if found is None:
        raise NotFound("there is no such record of an intent")
    return found


def intents_of(session: Session, contract_id: str) -> list[Intent]:
    """Return the records of what the parties of a contract agreed to, oldest first."""
    return list(session.scalars(select(Intent).where(Intent.contract_id == contract_id).order_by(Intent.id)))
