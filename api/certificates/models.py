"""Table: certificates that a tenant asked for. The authority's own record is its ledger; here stands whose they are."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.db import Base


class IssuedCertificate(Base):
    """One certificate of a closed circle, and whose it is."""

    __tablename__ = "certificates"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), index=True)
    suite: Mapped[str] = mapped_column(String(40))
    profile: Mapped[str] = mapped_column(String(40))
    serial: Mapped[str] = mapped_column(String(40))
    """Hexadecimal."""
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    subject_sha256: Mapped[str] = mapped_column(String(64), index=True)
    """Of the subject's DER: EST finds by it what is to be renewed."""
    pem: Mapped[str] = mapped_column(Text)
    """The certificate, then its chain."""
    not_after: Mapped[datetime]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(40))
