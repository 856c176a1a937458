"""Table: audit events. No foreign key to contracts: the trail outlives a deleted draft."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.db import Base


class AuditEvent(Base):
    """One thing that happened. Triggers in the database refuse to change or delete rows."""

    __tablename__ = "audit_events"
    __table_args__ = (UniqueConstraint("contract_id", "sequence"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    contract_id: Mapped[str] = mapped_column(String(40))
    sequence: Mapped[int]
    type: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What is hashed, see `api.audit.service`."""
    hash: Mapped[str] = mapped_column(String(64))
