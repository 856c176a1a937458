"""Tables: envelopes, the keys for decryption that the service holds for parties, and the log of each envelope."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.audit.models import Entry, Logged
from api.db import Base


class Envelope(Logged):
    """One envelope. `queued → sealed | failed`.

    What is handed out lies in the document store: the whole package, and for each family what its recipients need.
    """

    __tablename__ = "envelopes"

    state: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(255))
    """What the content is called."""
    contract_id: Mapped[str | None] = mapped_column(String(40), index=True)
    """No foreign key: an envelope outlives what it was made of."""
    document_id: Mapped[str] = mapped_column(String(40))
    source_sha256: Mapped[str] = mapped_column(String(64), index=True)
    """The content, as it was when the envelope was asked for."""
    pages: Mapped[int]
    recipients: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """As `api.envelopes.addressing.Recipient` writes them."""
    senders: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """As `api.envelopes.addressing.Sender` writes them."""
    manifest: Mapped[str | None] = mapped_column(Text)
    """What the senders' keys sign: on record before they are used."""
    prepared_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    """Everything but the signatures."""
    signatures: Mapped[dict[str, str]] = mapped_column(JSON)
    """Family to signature, base64 of DER."""
    content_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    size: Mapped[int | None] = mapped_column(BigInteger)
    parts: Mapped[dict[str, str]] = mapped_column(JSON)
    """Family to SHA-256 of what its recipients need."""
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]
    sealed_at: Mapped[datetime | None]

    @property
    def manifest_sha256(self) -> str | None:
        """SHA-256 of the manifest: what recipients may compare."""
        return hashlib.sha256(self.manifest.encode()).hexdigest() if self.manifest is not None else None


class EnvelopeKey(Base):
    """A key that the service holds: a party's, for decryption, or its own, for signing.

    It is on record before a certificate is asked for. The certificate is the tenant's (`api.certificates`), found by
    suite and serial number. `suite` is that of the circle; where it only signs, a party's key is of the one beside it
    (`certs.suites.for_encryption`).
    """

    __tablename__ = "envelope_keys"
    __table_args__ = (Index("ix_envelope_keys_tenant_id_party_id", "tenant_id", "party_id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    party_id: Mapped[str | None] = mapped_column(String(40), index=True)
    """None: the service's own, with which it signs for this tenant."""
    suite: Mapped[str] = mapped_column(String(40))
    serial: Mapped[str] = mapped_column(String(40))
    """Hexadecimal."""
    sealed_key: Mapped[bytes] = mapped_column(LargeBinary)
    """Under the vault; opens only for this row's id and the suite of the key."""
    created_at: Mapped[datetime]


class EnvelopeEvent(Entry):
    """One entry of the log of an envelope."""

    __tablename__ = "envelope_events"
    __table_args__ = (UniqueConstraint("envelope_id", "sequence"),)

    envelope_id: Mapped[str] = mapped_column(ForeignKey("envelopes.id"))
