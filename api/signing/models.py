"""Table: signatures, from the intent to the embedded value."""

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
