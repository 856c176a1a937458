"""Tables: templates, the documents that they hold, and the log of each template."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from api.audit.models import Entry, Logged
from api.db import Base


class Template(Logged):
    """A draft of contracts. `version` rises with every change and is the ETag; the log has every version in full."""

    __tablename__ = "templates"

    version: Mapped[int]
    title: Mapped[str] = mapped_column(String(300))
    draft: Mapped[dict[str, Any]] = mapped_column(JSON)
    """As it was given: what it does not say is not there."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    documents: Mapped[list[TemplateDocument]] = relationship(cascade="all, delete-orphan", lazy="selectin")


class TemplateDocument(Base):
    """A document that a template holds: it is not deleted while it does."""

    __tablename__ = "template_documents"

    template_id: Mapped[str] = mapped_column(ForeignKey("templates.id"), primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"), primary_key=True, index=True)


class TemplateEvent(Entry):
    """One entry of the log of a template. No foreign key: the log outlives a deleted template."""

    __tablename__ = "template_events"
    __table_args__ = (UniqueConstraint("template_id", "sequence"),)

    template_id: Mapped[str] = mapped_column(String(40))
