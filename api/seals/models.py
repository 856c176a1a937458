"""Tables: seals, who may use them, every use, the log of each seal, and the service's own seal makers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.audit.models import Entry, Logged
from api.db import Base


class Seal(Logged):
    """One seal. `version` rises with every change and is the ETag.

    Picture and seal lie in the document store under their SHA-256.
    """

    __tablename__ = "seals"

    version: Mapped[int]
    state: Mapped[str] = mapped_column(String(12), index=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    type: Mapped[int]
    """As the seal itself says it: an open number in every standard."""
    standard: Mapped[str] = mapped_column(String(2))
    """"v1", "v4" or "v5"."""
    suite: Mapped[str] = mapped_column(String(40))
    owner: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Of a seal whose key the service holds: the subject that its certificate will have."""
    person_id: Mapped[str | None] = mapped_column(String(40), index=True)
    """On whose record the owner was found. Like the next one."""
    organisation_id: Mapped[str | None] = mapped_column(String(40), index=True)
    identity: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The proof that came with the application, as `stated`; then, on which proofs the certificate was issued."""
    key_holder: Mapped[str] = mapped_column(String(10))
    certificates: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """PEM with chain: who may sign with the seal."""
    sealed_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Under the vault; opens only for this seal's id and suite. Gone when the seal is over."""
    picture_sha256: Mapped[str] = mapped_column(String(64), index=True)
    picture_type: Mapped[str] = mapped_column(String(8))
    width: Mapped[int]
    """Millimetres, like the height."""
    height: Mapped[int]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime]
    applicant: Mapped[str] = mapped_column(String(40))
    approvals_needed: Mapped[int]
    approvals: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    """Who, and when."""
    filing_required: Mapped[bool]
    assigned_number: Mapped[str | None] = mapped_column(String(60))
    """A filing number that was known before the seal was made, and is written into it."""
    filing_number: Mapped[str | None] = mapped_column(String(60))
    was_used: Mapped[bool]
    maker_id: Mapped[str | None] = mapped_column(ForeignKey("seal_makers.id"))
    prepared: Mapped[str | None] = mapped_column(Text)
    """What the maker signs, as `signer.seals.make.PreparedSeal` writes it: on record before the key is used."""
    value: Mapped[bytes | None] = mapped_column(LargeBinary)
    content_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    """The seal, DER, once it is made."""
    reason: Mapped[str | None] = mapped_column(String(1000))
    """Why it was suspended or cancelled."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    made_at: Mapped[datetime | None]
    filed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class SealMaker(Base):
    """The service as the maker of seals of one suite: a certificate of the suite's circle, and its key."""

    __tablename__ = "seal_makers"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    suite: Mapped[str] = mapped_column(String(40), index=True)
    certificates: Mapped[str] = mapped_column(Text)
    """PEM: the maker's certificate, then its chain."""
    sealed_key: Mapped[bytes] = mapped_column(LargeBinary)
    not_after: Mapped[datetime]
    created_at: Mapped[datetime]


class SealGrant(Base):
    """Somebody's permission to use a seal. `used` is changed only with the seal's row locked."""

    __tablename__ = "seal_grants"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    seal_id: Mapped[str] = mapped_column(ForeignKey("seals.id"), index=True)
    grantee: Mapped[str] = mapped_column(String(40))
    """A user of the tenant, or an API key that is no user's: what this service knows of a person."""
    granter: Mapped[str] = mapped_column(String(40))
    contracts: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    kinds: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime]
    count: Mapped[int | None]
    used: Mapped[int]
    approvals_needed: Mapped[int]
    approvals: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class SealUse(Base):
    """One use of a seal: one document. The row, and the use counted on the grant, are committed before the key is used.

    `recorded → done`, or `failed` where a job gave up. A party seals a document of its contract once: the constraint
    says so, and a newer preparation for the same document is the same use.
    """

    __tablename__ = "seal_uses"
    __table_args__ = (UniqueConstraint("party_id", "document_id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    seal_id: Mapped[str] = mapped_column(ForeignKey("seals.id"), index=True)
    grant_id: Mapped[str] = mapped_column(ForeignKey("seal_grants.id"))
    who: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10))
    contract_id: Mapped[str | None] = mapped_column(String(40), index=True)
    """No foreign key: the log of a seal outlives what it was used on."""
    party_id: Mapped[str | None] = mapped_column(String(40))
    document_id: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(10))
    base_sha256: Mapped[str] = mapped_column(String(64))
    prepared: Mapped[str | None] = mapped_column(Text)
    """Of a document by itself: what is signed. Inside a contract the signature's row has it."""
    prepared_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    value: Mapped[bytes | None] = mapped_column(LargeBinary)
    result: Mapped[str | None] = mapped_column(String(40))
    """The sealed document, by its id."""
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class SealEvent(Entry):
    """One entry of the log of a seal."""

    __tablename__ = "seal_events"
    __table_args__ = (UniqueConstraint("seal_id", "sequence"),)

    seal_id: Mapped[str] = mapped_column(ForeignKey("seals.id"))
