"""Queries over contracts, parties and revisions; who may read is part of every one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Select, and_, bindparam, func, select, update
from sqlalchemy.orm import Session, lazyload, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from api.contracts.models import Contract, ContractDocument, Party, Revision
from api.contracts.workflow import OPEN
from api.documents.models import Document
from api.errors import NotFound
from api.kit.owned import locked, one

# Asked at every step of every contract, so made once: making a query takes as long as running it.
_NAMED: Final = and_(Contract.tenant_id == bindparam("tenant_id"), Contract.id == bindparam("contract_id"))
_CONTRACT: Final = (
    select(Contract)
    .where(_NAMED)
    .options(lazyload(Contract.parties), lazyload(Contract.documents))  # `get` asks for them, in two thirds of the time
)
_PARTIES: Final = (
    select(Party).where(Party.contract_id == bindparam("contract_id")).order_by(Party.order, Party.position, Party.id)
)
_DOCUMENTS: Final = (
    select(ContractDocument)
    .where(ContractDocument.contract_id == bindparam("contract_id"))
    .order_by(ContractDocument.position)
)
_CONTRACT_LOCKED: Final = locked(_CONTRACT)
_READ_ANEW: Final = {"populate_existing": True}
_COUNTS_LOCKED: Final = select(Contract.version, Contract.audit_sequence).where(_NAMED).with_for_update()
_SIGNED: Final = select(Revision.document_id).where(
    Revision.contract_id == bindparam("contract_id"), Revision.party_id == bindparam("party_id")
)


def get(session: Session, tenant_id: str, contract_id: str, *, lock: bool = False) -> Contract:
    """Return a tenant's contract; with `lock`, nobody else changes it until the transaction ends. Raises NotFound."""
    named = {"tenant_id": tenant_id, "contract_id": contract_id}
    contract = one(session, _CONTRACT_LOCKED if lock else _CONTRACT, "contract", given=named)
    options = _READ_ANEW if lock else {}
    parties = session.scalars(_PARTIES, {"contract_id": contract_id}, execution_options=options).all()
    documents = session.scalars(_DOCUMENTS, {"contract_id": contract_id}, execution_options=options).all()
    set_committed_value(contract, "parties", list(parties))
    set_committed_value(contract, "documents", list(documents))
    return contract


def again(session: Session, seen: Contract) -> Contract:
    """Return a contract that was read before, locked as by `get`. Raises NotFound.

    It is `seen` itself where nothing has happened since: whatever changes a contract, its parties or documents counts
    a version or an event, and a test holds every transaction to that. It belongs to this session then.
    """
    counts = session.execute(_COUNTS_LOCKED, {"tenant_id": seen.tenant_id, "contract_id": seen.id}).one_or_none()
    if counts is None or tuple(counts) != (seen.version, seen.audit_sequence):
        return get(session, seen.tenant_id, seen.id, lock=True)
    session.add(seen)
    return seen


def party_of(contract: Contract, party_id: str) -> Party:
    """Return a party of a contract. Raises NotFound."""
    for party in contract.parties:
        if party.id == party_id:
            return party
    raise NotFound("the contract has no such party")


def document_of(contract: Contract, document_id: str) -> ContractDocument:
    """Return a document of a contract. Raises NotFound."""
    for document in contract.documents:
        if document.document_id == document_id:
            return document
    raise NotFound("the contract has no such document")


def all_of(
    tenant_id: str,
    *,
    state: str | None = None,
    external_id: str | None = None,
    party_email: str | None = None,
    created_after: datetime | None = None,
) -> Select[Contract]:
    """Return the query for a tenant's contracts."""
    query = select(Contract).where(Contract.tenant_id == tenant_id).options(selectinload(Contract.successors))
    if state is not None:
        query = query.where(Contract.state == state)
    if external_id is not None:
        query = query.where(Contract.external_id == external_id)
    if party_email is not None:
        query = query.where(Contract.parties.any(func.lower(Party.email) == func.lower(party_email)))
    if created_after is not None:
        query = query.where(Contract.created_at > created_after)
    return query


def documents_named(session: Session, tenant_id: str, ids: Iterable[str]) -> dict[str, Document]:
    """Return those of the tenant's documents that have these ids."""
    query = select(Document).where(Document.tenant_id == tenant_id, Document.id.in_(list(ids)))
    return {document.id: document for document in session.scalars(query)}


def external_id_taken(session: Session, tenant_id: str, external_id: str, *, by_other_than: str) -> bool:
    """Tell whether another contract of the tenant has this external id."""
    query = select(Contract.id).where(
        Contract.tenant_id == tenant_id, Contract.external_id == external_id, Contract.id != by_other_than
    )
    return session.scalar(query.limit(1)) is not None


def revisions_of(session: Session, contract: Contract, document_id: str | None = None) -> list[Revision]:
    """Return the revisions of a contract's documents, oldest first."""
    query = select(Revision).where(Revision.contract_id == contract.id)
    if document_id is not None:
        query = query.where(Revision.document_id == document_id)
    return list(session.scalars(query.order_by(Revision.document_id, Revision.number)))


def signed_documents(session: Session, contract: Contract, party_id: str) -> set[str]:
    """Return the documents of a contract that a party has signed."""
    return set(session.scalars(_SIGNED, {"contract_id": contract.id, "party_id": party_id}))


def move_head(
    session: Session, contract_id: str, document_id: str, *, base: str, number: int, sha256: str, size: int
) -> bool:
    """Make a revision the newest one, if `base` still is; tell whether it was."""
    done = session.execute(
        update(ContractDocument)
        .where(
            ContractDocument.contract_id == contract_id,
            ContractDocument.document_id == document_id,
            ContractDocument.head_sha256 == base,
        )
        .values(head_sha256=sha256, head_size=size, head_number=number)
        .execution_options(synchronize_session="fetch")
    )
    return cast("CursorResult[Any]", done).rowcount == 1


def overdue(session: Session, now: datetime, limit: int = 100) -> list[tuple[str, str]]:
    """Return (tenant, contract) of open contracts whose time is over."""
    query = (
        select(Contract.tenant_id, Contract.id)
        .where(Contract.state.in_([str(state) for state in OPEN]), Contract.expires_at <= now)
        .limit(limit)
    )
    return [(tenant, contract) for tenant, contract in session.execute(query)]


def to_remind(session: Session, now: datetime, limit: int = 100) -> list[tuple[str, str]]:
    """Return (tenant, contract) of open contracts whose parties are to be reminded by now."""
    query = (
        select(Contract.tenant_id, Contract.id)
        .where(Contract.state.in_([str(state) for state in OPEN]), Contract.next_reminder_at <= now)
        .limit(limit)
    )
    return [(tenant, contract) for tenant, contract in session.execute(query)]


def revision_sha256(session: Session, row: ContractDocument, number: int | None) -> str:
    """Return the content of a revision, the newest if `number` is None. Raises NotFound."""
    if number is None or number == row.head_number:
        return row.head_sha256
    query = select(Revision.sha256).where(
        Revision.contract_id == row.contract_id, Revision.document_id == row.document_id, Revision.number == number
    )
    found = session.scalar(query)
    if found is None:
        raise NotFound("the document has no such revision")
    return found
