"""What a job looks like from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.jobs.models import Job

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class JobOut(BaseModel):
    """Work in progress, or its result."""

    id: str = Field(examples=["job_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    kind: str
    state: JobState
    attempts: int
    total: int | None = Field(description="How many items it has, where that is known.")
    done: int = Field(description="Items that are done.")
    failed: int = Field(description="Items that failed.")
    result: dict[str, Any] | None
    error: dict[str, Any] | None = Field(description="Why it failed, or why it has to be tried again.")
    cancel_requested: bool = Field(description="Whether somebody asked to cancel it.")
    run_after: datetime = Field(description="Not run before this; later than now after a failure that may pass.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    eta: datetime | None = Field(description="When it should end, judged by its items so far; null where unknown.")

    @classmethod
    def of(cls, job: Job, now: datetime | None = None) -> JobOut:
        """Return the outside of a row."""
        return cls.model_validate(
            {
                "id": job.id,
                "kind": job.kind,
                "state": job.state,
                "attempts": job.attempts,
                "total": job.total,
                "done": job.done,
                "failed": job.failed,
                "result": job.result,
                "error": job.error,
                "cancel_requested": job.cancel is not None,
                "run_after": job.run_after,
                "created_at": job.created_at,
                "started_at": job.started_at,
                "finished_at": job.finished_at,
                "eta": _eta(job, now),
            }
        )


class JobList(BaseModel):
    """A page of jobs."""

    data: list[JobOut]
    next_cursor: str | None


def _eta(job: Job, now: datetime | None) -> datetime | None:
    passed = job.done + job.failed
    if now is None or job.state != "running" or job.started_at is None or not job.total or not passed:
        return None
    return now + (now - job.started_at) / passed * max(job.total - passed, 0)
