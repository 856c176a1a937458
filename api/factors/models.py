"""Tables: factors, the secrets that let somebody enrol one, and what a tenant requires for keys held here."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.db import Base

WAITS: Final = (0, 0, 0, 30, 60, 300, 900, 900, 900, 900)
"""Seconds after the first, second, … wrong value in a row before the next one is looked at."""
MOST: Final = len(WAITS)
"""Wrong values in a row after which a factor is locked."""


class Factor(Base):
    """One factor of one signer: of a person on record, or of a party that is on no record. `version` is the ETag.

    `pending → active → replaced | reset`. Of each kind a signer has one that is active: the constraint says so.
    """

    __tablename__ = "factors"
    __table_args__ = (UniqueConstraint("slot"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), index=True)
    person_id: Mapped[str | None] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    """Whose it is: exactly one of the two is named. With a person or a draft's party it goes."""
    party_id: Mapped[str | None] = mapped_column(ForeignKey("parties.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    version: Mapped[int]
    slot: Mapped[str | None] = mapped_column(String(80))
    """Signer and kind, while it is active."""
    sealed_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Under the vault: the shared secret of a one-time code; of a passphrase the private half of the signer's lock,
    under the passphrase. Gone when the factor has ended."""
    public_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Of a passphrase: the public half of the lock, to which keys are closed."""
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON)
    """How it is computed, for the record of an intent."""
    enrolment_id: Mapped[str | None] = mapped_column(String(40))
    """The enrolment that allowed it; None where the factor before it was proof."""
    replaces_id: Mapped[str | None] = mapped_column(String(40))
    """The factor that was the proof, and ends when this one is active."""
    failures: Mapped[int]
    """Wrong values since the last right one. Counted before a value is looked at."""
    retry_at: Mapped[datetime | None]
    last_step: Mapped[int | None] = mapped_column(BigInteger)
    """Of a one-time code: the newest time step of which one was taken."""
    created_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    @property
    def owner_id(self) -> str:
        """The person or party."""
        return self.person_id or self.party_id or ""


class FactorEnrolment(Base):
    """A permission for one signer to enrol one factor of one kind, once, with a secret that was handed to them."""

    __tablename__ = "factor_enrolments"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), index=True)
    person_id: Mapped[str | None] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    party_id: Mapped[str | None] = mapped_column(ForeignKey("parties.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_by: Mapped[str] = mapped_column(String(40))
    """The user or API key."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    @property
    def owner_id(self) -> str:
        """The person or party."""
        return self.person_id or self.party_id or ""


class FactorPolicy(Base):
    """What a tenant requires of everybody whose key the service holds. `version` is the ETag."""

    __tablename__ = "factor_policies"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    version: Mapped[int]
    held_keys: Mapped[list[str]] = mapped_column(JSON)
    updated_at: Mapped[datetime]
    updated_by: Mapped[str] = mapped_column(String(40))
