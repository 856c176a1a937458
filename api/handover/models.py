"""Table: hand-overs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from api.db import Base


class Handover(Base):
    """One signature request's one-time address. `open → shown → used | refused`, or `replaced`, `withdrawn`, `locked`.

    Its time is that of the request: whether it has expired is read there.
    """

    __tablename__ = "handovers"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), index=True)
    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.id"))
    party_id: Mapped[str] = mapped_column(ForeignKey("parties.id"))
    signature_id: Mapped[str] = mapped_column(ForeignKey("signatures.id"), index=True)
    token_sha256: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    """All that is kept of the token. The row is found by it, so nothing secret is compared octet by octet."""
    state: Mapped[str] = mapped_column(String(10))
    digests: Mapped[dict[str, str]] = mapped_column(JSON)
    """Of the document as it is shown, hexadecimal: SHA-256, and the national ones that this machine computes."""
    attempts: Mapped[int]
    """Values that were looked at and not taken, and those that are being looked at."""
    created_by: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    shown_at: Mapped[datetime | None]
    shown_to: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Address and user agent of the device that asked first."""
    ended_at: Mapped[datetime | None]
    refusal: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    """Why the device's holder did not sign: code and message."""
