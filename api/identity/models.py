"""Table: identity proofs. A row never changes, but for its revocation; triggers in the database see to that."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from api.db import Base


class IdentityProof(Base):
    """How an organisation or a person was identified: one of the two is named.

    No foreign key to either: the record outlives an organisation or person that is deleted.
    """

    __tablename__ = "identity_proofs"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), index=True)
    organisation_id: Mapped[str | None] = mapped_column(String(40), index=True)
    person_id: Mapped[str | None] = mapped_column(String(40), index=True)
    method: Mapped[str] = mapped_column(String(40))
    evidence: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    operator: Mapped[str] = mapped_column(String(200))
    source: Mapped[str | None] = mapped_column(String(300))
    at: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    subject: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What was proven, word for word: the proof is for these facts and no others."""
    recorded_by: Mapped[str] = mapped_column(String(40))
    """The user or the API key that put it on record."""
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str | None] = mapped_column(String(1000))
