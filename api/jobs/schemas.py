"""What a job looks like from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.jobs.models import Job


class JobOut(BaseModel):
    """Work in progress, or its result."""

    id: str = Field(examples=["job_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    kind: str
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    attempts: int
    result: dict[str, Any] | None
    error: dict[str, Any] | None = Field(description="Why it failed, or why it has to be tried again.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> JobOut:
        """Return the outside of a row."""
        return cls.model_validate(
            {
                "id": job.id,
                "kind": job.kind,
                "state": job.state,
                "attempts": job.attempts,
                "result": job.result,
                "error": job.error,
                "created_at": job.created_at,
                "started_at": job.started_at,
                "finished_at": job.finished_at,
            }
        )
