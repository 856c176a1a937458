"""Tables: signatures, from the preparation to the embedded value, and the records of what parties agreed to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.db import Base


class Signature(Base):
    """One intended signature of one party on one document, against one head.

    `prepared → signed → embedded`, or `abandoned`. The row is committed before any key is used.
    """

    __tablename__ = "signatures"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.id"), index=True)
    party_id: Mapped[str] = mapped_column(ForeignKey("parties.id"), index=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"))
    state: Mapped[str] = mapped_column(String(12))
    base_sha256: Mapped[str] = mapped_column(String(64))
    """The head that is being signed."""
    prepared: Mapped[str] = mapped_column(Text)
    """What will be signed, as `signer.pades.sign.Prepared` writes it."""
    prepared_sha256: Mapped[str] = mapped_column(String(64), index=True)
    """The prepared file in the document store."""
    consent: Mapped[dict[str, Any]] = mapped_column(JSON)
    seal_use_id: Mapped[str | None] = mapped_column(String(40))
    """The use of a seal that this is, where the party seals."""
    value: Mapped[bytes | None] = mapped_column(LargeBinary)
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    """When a value from outside comes too late; None for a key held by the service."""


class Intent(Base):
    """What a party agreed to, on record, and the service's signature on it (`api.signing.intent`). It never changes."""

    __tablename__ = "intents"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), index=True)
    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.id"), index=True)
    party_id: Mapped[str] = mapped_column(ForeignKey("parties.id"))
    record: Mapped[str] = mapped_column(Text)
    """Canonical JSON: exactly the octets that are signed, in UTF-8."""
    sha256: Mapped[str] = mapped_column(String(64))
    signature: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Detached CAdES with a time-stamp, DER; None until the job signs it, before it uses the party's key."""
    created_at: Mapped[datetime]
    signed_at: Mapped[datetime | None]
