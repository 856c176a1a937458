"""Tables: organisations, people, who belongs where, and the log of each organisation and person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from api.audit.models import Entry, Logged
from api.db import Base


class Subject(Logged):
    """What an organisation and a person have in common. `version` rises with every change and is the ETag."""

    __abstract__ = True

    version: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    """In their own script: as certificates and signatures carry it."""
    names: Mapped[dict[str, str]] = mapped_column(JSON)
    """The same in zh, ru and en, as far as known."""
    country: Mapped[str | None] = mapped_column(String(2))
    identifiers: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    email: Mapped[str | None] = mapped_column(String(254))
    locale: Mapped[str] = mapped_column(String(5))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Organisation(Subject):
    """A company or another body."""

    __tablename__ = "organisations"


class Person(Subject):
    """A natural person."""

    __tablename__ = "people"

    given_name: Mapped[str | None] = mapped_column(String(100))
    surname: Mapped[str | None] = mapped_column(String(100))

    memberships: Mapped[list[Membership]] = relationship(
        order_by="Membership.number", cascade="all, delete-orphan", lazy="selectin"
    )


class Membership(Base):
    """A person belongs to an organisation."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("person_id", "organisation_id"),)

    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)
    position: Mapped[str | None] = mapped_column(String(200))
    """What they are there, as in 总经理 or Генеральный директор."""
    legal_representative: Mapped[bool]


class OrganisationEvent(Entry):
    """One entry of the log of an organisation. No foreign key: the log outlives what it tells of."""

    __tablename__ = "organisation_events"
    __table_args__ = (UniqueConstraint("organisation_id", "sequence"),)

    organisation_id: Mapped[str] = mapped_column(String(40))


class PersonEvent(Entry):
    """One entry of the log of a person. No foreign key: the log outlives what it tells of."""

    __tablename__ = "person_events"
    __table_args__ = (UniqueConstraint("person_id", "sequence"),)

    person_id: Mapped[str] = mapped_column(String(40))
