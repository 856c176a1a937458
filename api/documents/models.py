"""Table: uploaded documents. The bytes lie in the document store under their SHA-256."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from api.db import Base


class Document(Base):
    """One upload. Never changes; signing makes revisions of the contract's copy."""

    __tablename__ = "documents"
    __table_args__ = (Index("ix_documents_tenant_id_id", "tenant_id", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    name: Mapped[str] = mapped_column(String(255))
    size: Mapped[int] = mapped_column(BigInteger)
    pages: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    sm3: Mapped[str | None] = mapped_column(String(64))
    streebog256: Mapped[str | None] = mapped_column(String(64))
    encryption: Mapped[str | None] = mapped_column(String(80))
    """By which cipher the file is encrypted; None: it is not."""
    sealed_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Its password, sealed for this document (`api.documents.opening`)."""
    created_at: Mapped[datetime]
