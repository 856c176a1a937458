"""Tables: certificates that a tenant asked for, and those that are just being made.

What state a certificate is in stands in the authority's ledger and nowhere else; here stands whose it is.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
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
    person_id: Mapped[str | None] = mapped_column(String(40), index=True)
    organisation_id: Mapped[str | None] = mapped_column(String(40), index=True)
    identity: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """On which identity proofs it was issued (`api.identity.gate`)."""
    repetition: Mapped[str | None] = mapped_column(String(64), index=True)
    """What tells a repetition of the request that got it (`Unit.repetition`)."""
    pair_id: Mapped[str | None] = mapped_column(String(40), index=True)
    """What the two certificates of a pair have in common."""
    delivery: Mapped[str | None] = mapped_column(Text)
    """Of the second certificate of a pair: its private key, encrypted to the key of the first; PEM."""


class CertificateIntent(Base):
    """A certificate that may have been signed for a tenant: on record before the key is used, gone with its row above.

    What is left of a process that died is settled by `api.certificates.issuing`.
    """

    __tablename__ = "certificate_intents"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    """The id the certificate will have."""
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), index=True)
    suite: Mapped[str] = mapped_column(String(40))
    profile: Mapped[str] = mapped_column(String(40))
    serial: Mapped[str] = mapped_column(String(40))
    """Hexadecimal."""
    owner: Mapped[str] = mapped_column(String(200))
    """The process that is at it (`api.kit.presence`)."""
    created_at: Mapped[datetime]
    identity: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    repetition: Mapped[str | None] = mapped_column(String(64), index=True)
    pair_id: Mapped[str | None] = mapped_column(String(40))
    delivery: Mapped[str | None] = mapped_column(Text)
