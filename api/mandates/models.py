"""Tables: powers of attorney, and the log of each. Their files lie in the document store under their SHA-256."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.audit.models import Entry, Logged


class PowerOfAttorney(Logged):
    """One power of attorney as it was handed in. Only a statement of revocation is added to it, once."""

    __tablename__ = "powers_of_attorney"
    __table_args__ = (UniqueConstraint("tenant_id", "kind", "number"),)

    kind: Mapped[str] = mapped_column(String(30))
    """"ru-mchd" or "cn-authorisation-letter"."""
    number: Mapped[str] = mapped_column(String(64))
    """GUID of a МЧД, SHA-256 of the PDF of a letter: the same is on record once, so that one revocation is enough."""
    version: Mapped[int]
    said: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What it says; of a letter, what was stated."""
    first_day: Mapped[str] = mapped_column(String(10))
    last_day: Mapped[str] = mapped_column(String(10))
    """ISO 8601; the last day on which it may be used."""
    content_name: Mapped[str] = mapped_column(String(255))
    content_sha256: Mapped[str] = mapped_column(String(64), index=True)
    content_size: Mapped[int] = mapped_column(BigInteger)
    signature_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    """Of the detached signature; None where it is in the PDF."""
    trust: Mapped[list[str]] = mapped_column(JSON)
    """What it was verified against besides the service's own authorities: certificates and lists, base64."""
    checks: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """What was found when it came in."""
    created_at: Mapped[datetime]
    """When it came in: its signature is judged as of this moment ever after."""
    updated_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    """From when it is revoked, as somebody stated."""
    revoked_reason: Mapped[str | None] = mapped_column(Text)
    revocation_stated_at: Mapped[datetime | None]


class PowerOfAttorneyEvent(Entry):
    """One entry of the log of a power of attorney."""

    __tablename__ = "power_of_attorney_events"
    __table_args__ = (UniqueConstraint("power_of_attorney_id", "sequence"),)

    power_of_attorney_id: Mapped[str] = mapped_column(String(40))
