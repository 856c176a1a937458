"""Tables: signing policies, batches and their items."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from api.db import Base


class SigningPolicy(Base):
    """Who may sign in batches with keys that the service holds. What was used is changed only with the row locked."""

    __tablename__ = "signing_policies"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    grantee: Mapped[str] = mapped_column(String(40))
    granter: Mapped[str] = mapped_column(String(40))
    person_id: Mapped[str | None] = mapped_column(String(40))
    organisation_id: Mapped[str | None] = mapped_column(String(40))
    seal_id: Mapped[str | None] = mapped_column(String(40))
    agreement_id: Mapped[str | None] = mapped_column(String(40))
    roles: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    max_documents: Mapped[int]
    max_per_day: Mapped[int]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime]
    day: Mapped[str | None] = mapped_column(String(10))
    """Of the last use, UTC; `used_today` counts the documents of that day, `used` those of all days."""
    used_today: Mapped[int]
    used: Mapped[int]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime]


class Batch(Base):
    """Many contracts under one consent. `working → ended` with keys held here, else `working → ready → ended`."""

    __tablename__ = "batches"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), index=True)
    key_holder: Mapped[str] = mapped_column(String(10))
    """"service" or "party", of all items."""
    state: Mapped[str] = mapped_column(String(10))
    policy_id: Mapped[str | None] = mapped_column(String(40), index=True)
    text: Mapped[str] = mapped_column(String(5000))
    locale: Mapped[str] = mapped_column(String(5))
    key_id: Mapped[str] = mapped_column(String(40))
    """Whose act it is, with the next one; and from where."""
    user_id: Mapped[str | None] = mapped_column(String(40))
    source: Mapped[dict[str, str]] = mapped_column(JSON)
    job_id: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    items: Mapped[list[BatchItem]] = relationship(
        order_by="BatchItem.position", cascade="all, delete-orphan", lazy="selectin"
    )


class BatchItem(Base):
    """One party of one contract. `waiting → begun | prepared → signed`, or `failed`, whatever becomes of the others."""

    __tablename__ = "batch_items"
    __table_args__ = (UniqueConstraint("batch_id", "contract_id", "party_id"),)

    batch_id: Mapped[str] = mapped_column(ForeignKey("batches.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    contract_id: Mapped[str] = mapped_column(String(40))
    party_id: Mapped[str] = mapped_column(String(40))
    """No foreign keys: a draft may still lose its parties, and then the item fails."""
    documents: Mapped[dict[str, str]] = mapped_column(JSON)
    """What was shown: id → SHA-256."""
    size: Mapped[int]
    """How many documents the contract has."""
    state: Mapped[str] = mapped_column(String(10))
    payload: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Of a key held here: what the signing needs, once the consent is on record."""
    signatures: Mapped[list[str]] = mapped_column(JSON)
    """Of a key held by the party: the signature requests, one for each document."""
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
