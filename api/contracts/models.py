"""Tables: contracts, their parties, their documents and the revisions that signing makes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from api.db import Base
from api.documents.models import Document


class Contract(Base):
    """One agreement. `version` rises with every change and is the ETag; state changes are compare-and-set on it."""

    __tablename__ = "contracts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "external_id"),
        Index("ix_contracts_bulk_send_id_bulk_row", "bulk_send_id", "bulk_row", unique=True),
        # However many are open: lists come in the order of identifiers, and the timers look every second.
        Index("ix_contracts_tenant_id_id", "tenant_id", "id"),
        Index("ix_contracts_tenant_id_state_id", "tenant_id", "state", "id"),
        Index("ix_contracts_state_expires_at", "state", "expires_at"),
        Index("ix_contracts_state_next_reminder_at", "state", "next_reminder_at"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    external_id: Mapped[str | None] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(20))
    version: Mapped[int]
    level: Mapped[str] = mapped_column(String(10))
    agreement_id: Mapped[str | None] = mapped_column(String(40))
    """The framework agreement that it is signed under."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    prevailing_language: Mapped[str | None] = mapped_column(String(35))
    relates_to_id: Mapped[str | None] = mapped_column(String(40), index=True)
    """The earlier contract, and in `relates_to_kind` what this one does to it once it is complete."""
    relates_to_kind: Mapped[str | None] = mapped_column(String(20))
    reminders: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    next_reminder_at: Mapped[datetime | None]
    """When the timers are to look at it next; None where nobody is to be reminded any more."""
    audit_sequence: Mapped[int]
    audit_hash: Mapped[str] = mapped_column(String(64))
    consent: Mapped[str] = mapped_column(String(10), default="free")
    """"standard" where nothing but the service's own words of consent is taken."""
    delivery: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """How the completed contract goes to its parties: as envelopes, and what their certificates are checked against."""
    fields: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    """Its form fields (`api.contracts.fields`)."""
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    template_id: Mapped[str | None] = mapped_column(String(40))
    """The template that it was made from, and in `template_version` as it was when; a template may be gone."""
    template_version: Mapped[int | None]
    bulk_send_id: Mapped[str | None] = mapped_column(String(40))
    """The bulk send that it belongs to, and its row there: no row makes two contracts, the index says so."""
    bulk_row: Mapped[int | None]
    reports: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    """What verification said when the contract was completed, one entry per document; large, so read when asked for."""

    parties: Mapped[list[Party]] = relationship(
        order_by="(Party.order, Party.position, Party.id)", cascade="all, delete-orphan", lazy="selectin"
    )
    documents: Mapped[list[ContractDocument]] = relationship(
        order_by="ContractDocument.position", cascade="all, delete-orphan", lazy="selectin"
    )
    successors: Mapped[list[Succession]] = relationship(
        order_by="(Succession.at, Succession.successor_id)",
        foreign_keys="Succession.contract_id",
        viewonly=True,
    )


class Party(Base):
    """Somebody who signs, seals, approves, witnesses, reads or receives a copy.

    A delegate is a party of its own, behind the one whose part it has taken over.
    """

    __tablename__ = "parties"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.id"), index=True)
    position: Mapped[int]
    order: Mapped[int]
    role: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(200))
    organisation: Mapped[str | None] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(254))
    country: Mapped[str | None] = mapped_column(String(2))
    locale: Mapped[str] = mapped_column(String(5))
    identifiers: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    person_id: Mapped[str | None] = mapped_column(String(40), index=True)
    """On whose record the party's name and identifiers were; they stay as they were then. Like the next one."""
    organisation_id: Mapped[str | None] = mapped_column(String(40), index=True)
    identity: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The proof that came with the party, as `stated`; then on what its certificate was issued."""
    signature_area: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    reason: Mapped[str | None] = mapped_column(String(300))
    location: Mapped[str | None] = mapped_column(String(200))
    key_holder: Mapped[str | None] = mapped_column(String(10))
    """"service" or "party"; None for whoever does not sign."""
    seal_id: Mapped[str | None] = mapped_column(String(40))
    """The seal that this party signs with; its key is the seal's."""
    seal_placement: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    suite: Mapped[str | None] = mapped_column(String(20))
    certificates: Mapped[str | None] = mapped_column(Text)
    """PEM: the signing certificate first, then the chain as far as it is known."""
    encryption_certificates: Mapped[str | None] = mapped_column(Text)
    """PEM: the certificate that what is delivered to the party is encrypted to, then its chain."""
    sealed_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    """A key under the vault; opens only for this party's id and suite. Gone when the party has signed."""
    factors: Mapped[list[str]] = mapped_column(JSON, default=list)
    """What the party has to show when it acts; fixed when the contract is sent (`api.factors`)."""
    key_factor_id: Mapped[str | None] = mapped_column(String(40), index=True)
    """The passphrase that `sealed_key` is locked by, besides the vault."""
    delegate_of: Mapped[str | None] = mapped_column(String(40))
    """The party whose part this one has taken over."""
    mandate: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """By which authority: a reference to its document."""
    field_values: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What the party fills into its form fields: stated with its consent, fixed by its signature."""
    reminded_at: Mapped[datetime | None]
    signed_at: Mapped[datetime | None]
    declined_reason: Mapped[str | None] = mapped_column(String(1000))


class ContractDocument(Base):
    """A document of a contract. `head_*` is the newest revision; moving it is compare-and-set on `head_sha256`."""

    __tablename__ = "contract_documents"

    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.id"), primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"), primary_key=True, index=True)
    position: Mapped[int]
    language: Mapped[str | None] = mapped_column(String(35))
    version_of: Mapped[str | None] = mapped_column(String(40))
    """The document of the same contract of which this one is another language version."""
    head_number: Mapped[int]
    head_sha256: Mapped[str] = mapped_column(String(64))
    head_size: Mapped[int] = mapped_column(BigInteger)

    document: Mapped[Document] = relationship(lazy="joined")


class Succession(Base):
    """What a completed contract did to an earlier one, whose documents, signatures and state stay as they are."""

    __tablename__ = "contract_successions"

    successor_id: Mapped[str] = mapped_column(ForeignKey("contracts.id"), primary_key=True)
    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]


class Revision(Base):
    """A state of a document inside a contract. Number 0 is what was sent; every signature adds one.

    Nobody signs a document of a contract twice, and no head has two successors: the constraints say so.
    """

    __tablename__ = "revisions"
    __table_args__ = (
        UniqueConstraint("contract_id", "document_id", "number"),
        UniqueConstraint("contract_id", "document_id", "party_id"),
        UniqueConstraint("contract_id", "document_id", "parent_sha256"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.id"))
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"))
    number: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    parent_sha256: Mapped[str | None] = mapped_column(String(64))
    party_id: Mapped[str | None] = mapped_column(ForeignKey("parties.id"))
    signature_id: Mapped[str | None] = mapped_column(ForeignKey("signatures.id"))
    created_at: Mapped[datetime]
