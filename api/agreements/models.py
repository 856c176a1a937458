"""Tables: agreements and what ends them, the signatures of the parties, and the log of each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.audit.models import Entry, Logged
from api.db import Base


class Agreement(Logged):
    """One agreement, or one termination. `version` rises with every change and is the ETag."""

    __tablename__ = "agreements"

    kind: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12), index=True)
    version: Mapped[int]
    title: Mapped[str] = mapped_column(String(300))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    """As it was drafted."""
    octets: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    """Fixed at offering: what is signed, and what signatures under it are bound to."""
    sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    """Of the octets, hexadecimal."""
    parties: Mapped[list[str]] = mapped_column(JSON)
    """Their names, in the order of the agreement; those of the one that is ended, for a termination."""
    valid_from: Mapped[datetime | None]
    """Of an agreement that supersedes another, and of a termination: from when the other is ended."""
    valid_to: Mapped[datetime | None]
    ends_id: Mapped[str | None] = mapped_column(String(40), index=True)
    """The agreement that this one ends, once all have signed."""
    ended_at: Mapped[datetime | None]
    """From when nothing is signed under it any more."""
    ended_by_id: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    offered_at: Mapped[datetime | None]
    concluded_at: Mapped[datetime | None]
    """When the last party had signed."""


class AgreementSignature(Base):
    """One signature of a party on the octets, from the request to the CMS.

    `prepared → signed`, or `abandoned`. No party signs twice: the constraint says so.
    """

    __tablename__ = "agreement_signatures"
    __table_args__ = (UniqueConstraint("agreement_id", "signed_party"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    agreement_id: Mapped[str] = mapped_column(ForeignKey("agreements.id"), index=True)
    party: Mapped[int]
    """Which of the parties, from 0."""
    signed_party: Mapped[int | None]
    """The same, once it has signed."""
    state: Mapped[str] = mapped_column(String(12))
    suite: Mapped[str] = mapped_column(String(40))
    certificates: Mapped[str] = mapped_column(Text)
    """PEM: the signing certificate, then the chain as far as it is known."""
    attributes: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The octets to be signed, where they were asked for here."""
    value: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Of a key that the service holds: kept as soon as the key was used, so that it is used once."""
    seal_id: Mapped[str | None] = mapped_column(String(40))
    seal_use_id: Mapped[str | None] = mapped_column(String(40))
    """The use of a seal that this is."""
    cms: Mapped[bytes | None] = mapped_column(LargeBinary)
    verdict: Mapped[str | None] = mapped_column(String(20))
    """What verification said when it came in."""
    sub_indication: Mapped[str | None] = mapped_column(String(60))
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]
    signed_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class AgreementEvent(Entry):
    """One entry of the log of an agreement. No foreign key: the log outlives a deleted draft."""

    __tablename__ = "agreement_events"
    __table_args__ = (UniqueConstraint("agreement_id", "sequence"),)

    agreement_id: Mapped[str] = mapped_column(String(40))
