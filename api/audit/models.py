"""Tables: audit events of contracts; what the logs of other objects have in common with them (`api.audit.chain`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.db import Base


class Entry(Base):
    """One thing that happened. Triggers in the database refuse to change or delete rows."""

    __abstract__ = True

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    sequence: Mapped[int]
    type: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What is hashed, see `api.audit.service` and `api.audit.chain`."""
    hash: Mapped[str] = mapped_column(String(64))


class AuditEvent(Entry):
    """One entry of the trail of a contract. No foreign key: the trail outlives a deleted draft."""

    __tablename__ = "audit_events"
    __table_args__ = (UniqueConstraint("contract_id", "sequence"),)

    contract_id: Mapped[str] = mapped_column(String(40))


class Logged(Base):
    """An object with a log: `log_*` are number and hash of the newest entry."""

    __abstract__ = True

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), index=True)
    log_sequence: Mapped[int]
    log_hash: Mapped[str] = mapped_column(String(64))
