"""Queries over documents; who may read is part of every one."""

from __future__ import annotations

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from api.contracts.models import ContractDocument
from api.documents.models import Document
from api.kit.owned import one


def get(session: Session, tenant_id: str, document_id: str) -> Document:
    """Return a tenant's document. Raises NotFound."""
    query = select(Document).where(Document.tenant_id == tenant_id, Document.id == document_id)
    return one(session, query, "document")


def all_of(tenant_id: str) -> Select[Document]:
    """Return the query for a tenant's documents."""
    return select(Document).where(Document.tenant_id == tenant_id)


def in_use(session: Session, document_id: str) -> bool:
    """Tell whether any contract holds the document."""
    return bool(session.scalar(select(exists().where(ContractDocument.document_id == document_id))))
