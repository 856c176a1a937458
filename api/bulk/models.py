"""Tables: bulk sends, their rows, and the documents that they hold until they are over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from api.db import Base


class BulkSend(Base):
    """One table of rows, and the template as it was when the table came."""

    __tablename__ = "bulk_sends"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), index=True)
    template_id: Mapped[str] = mapped_column(String(40))
    template_version: Mapped[int]
    draft: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The template, with what all rows have in common."""
    state: Mapped[str] = mapped_column(String(10))
    """running, then ended, cancelled or failed."""
    job_id: Mapped[str] = mapped_column(String(40))
    sender: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Who asked for it, with what rights and from where: the contracts are sent as theirs."""
    total: Mapped[int]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class BulkRow(Base):
    """One row of a table, and what became of it.

    `waiting → made → sent`; or `failed`, `cancelled`; `invalid` from the start. A row is in `made` between two
    transactions: its contract is there as a draft and not sent yet.
    """

    __tablename__ = "bulk_rows"
    __table_args__ = (Index("ix_bulk_rows_bulk_send_id_state", "bulk_send_id", "state"),)

    bulk_send_id: Mapped[str] = mapped_column(ForeignKey("bulk_sends.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """As a spreadsheet counts."""
    state: Mapped[str] = mapped_column(String(10))
    external_id: Mapped[str | None] = mapped_column(String(200))
    filled: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What the row says; gone once it is dealt with, for the contract has it then."""
    columns: Mapped[dict[str, str]] = mapped_column(JSON)
    """Where it said it, where the name of the column is not that of the field."""
    contract_id: Mapped[str | None] = mapped_column(String(40), unique=True)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class BulkDocument(Base):
    """A document that rows still need: it is not deleted until the bulk send is over."""

    __tablename__ = "bulk_documents"

    bulk_send_id: Mapped[str] = mapped_column(ForeignKey("bulk_sends.id"), primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"), primary_key=True, index=True)
