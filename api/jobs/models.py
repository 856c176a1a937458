"""Tables: jobs, what happened in them, and the workers there are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from api.db import Base


class Job(Base):
    """Work that outlives a request, as its tenant sees it.

    `token` is new for every attempt and fences off the one before; `round` is new for every hand-over to the engine,
    which knows the job as `workflow_id`.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_state_run_after", "state", "run_after"),
        Index("ix_jobs_tenant_id_id", "tenant_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    key: Mapped[str] = mapped_column(String(200), unique=True)
    """What the job is about; the same key is never enqueued twice at once."""
    kind: Mapped[str] = mapped_column(String(40))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int]
    run_after: Mapped[datetime]
    round: Mapped[int] = mapped_column(default=1)
    handed_at: Mapped[datetime | None]
    """When this round went to the engine; None while the job waits for `run_after`."""
    owner: Mapped[str | None] = mapped_column(String(200))
    """The worker that runs it (`JobWorker.id`)."""
    token: Mapped[str | None] = mapped_column(String(40))
    cancel: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Who asked to cancel it, and when."""
    total: Mapped[int | None]
    """How many items it has, where that is known."""
    done: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    sequence: Mapped[int] = mapped_column(default=0)
    """Of its last event."""
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    @property
    def workflow_id(self) -> str:
        """What the engine calls this round. It follows from the row, so that what the engine loses is made again."""
        return f"{self.key}#{self.round}"


class JobEvent(Base):
    """What a client that follows a job is told; kept until some days after the end."""

    __tablename__ = "job_events"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(String(10))
    """progress, item or done."""
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(index=True)


class JobWorker(Base):
    """A worker and its heart-beat."""

    __tablename__ = "job_workers"

    id: Mapped[str] = mapped_column(String(120), primary_key=True)
    """host.slot: the same after a restart, different in every process; the engine's executor id."""
    process: Mapped[str] = mapped_column(String(200))
    """Its presence (`api.kit.presence`), which tells at once, on the same machine, that it died."""
    version: Mapped[int]
    """Of the jobs it runs (`api.jobs.queue.VERSION`)."""
    beats: Mapped[int]
    """Others compare it with what they saw before, by their own clocks: those of hosts need not agree."""
    beat_at: Mapped[datetime]
    started_at: Mapped[datetime]
