"""The queue: enqueue in the caller's transaction; claim, renew and end with a fencing token.

    enqueue(session, tenant_id=..., kind="sign", key="sign:pty_1:4", payload={...}, now=now)
    run = claim(session, owner="host:1234", lease=timedelta(seconds=30), now=now)
    end(session, run, state="succeeded", result={...}, now=now)      # LeaseLost if another worker took over

States: queued → running → succeeded | failed; running → queued (again) after a failure that may pass or a dead worker.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.orm import Session

from api.errors import LeaseLost
from api.jobs.models import Job
from api.kit.ids import new_id


@dataclass(frozen=True)
class JobRun:
    """One attempt at a job."""

    id: str
    tenant_id: str
    kind: str
    payload: dict[str, Any]
    attempt: int
    token: str

    @property
    def actor(self) -> dict[str, Any]:
        """Who acts, as a log says it."""
        return {"type": "job", "id": self.id}


def enqueue(session: Session, *, tenant_id: str, kind: str, key: str, payload: dict[str, Any], now: datetime) -> Job:
    """Enqueue a job once per `key`; one that has ended is started again, one that has not is returned as it is."""
    job = session.scalars(select(Job).where(Job.key == key)).one_or_none()
    if job is None:
        job = Job(id=new_id("job"), tenant_id=tenant_id, key=key, kind=kind, created_at=now)
        session.add(job)
    elif job.state in {"queued", "running"}:
        return job
    job.payload, job.state, job.attempts, job.run_after = payload, "queued", 0, now
    job.lease_owner = job.lease_token = job.lease_until = None
    job.result = job.error = job.started_at = job.finished_at = None
    session.flush()
    return job


def claim(session: Session, *, owner: str, lease: timedelta, now: datetime) -> JobRun | None:
    """Take the job that waits longest, or one whose worker has gone silent."""
    query = (
        select(Job)
        .where(
            or_(
                (Job.state == "queued") & (Job.run_after <= now),
                (Job.state == "running") & (Job.lease_until <= now),
            )
        )
        .order_by(Job.run_after, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    job = session.scalars(query).one_or_none()
    if job is None:
        return None
    job.state, job.attempts = "running", job.attempts + 1
    job.lease_owner, job.lease_token, job.lease_until = owner, new_id("req"), now + lease
    job.started_at = job.started_at or now
    session.flush()
    return JobRun(job.id, job.tenant_id, job.kind, dict(job.payload), job.attempts, job.lease_token)


def fence(session: Session, run: JobRun) -> None:
    """Raise LeaseLost unless this attempt still holds the job; the row stays locked until the transaction ends."""
    query = select(Job.id).where(Job.id == run.id, Job.lease_token == run.token, Job.state == "running")
    if session.scalar(query.with_for_update()) is None:
        raise LeaseLost("another worker has taken the job over")


def renew(session: Session, run: JobRun, *, lease: timedelta, now: datetime) -> None:
    """Hold the job for another lease. Raises LeaseLost."""
    _set(session, run, lease_until=now + lease)


def end(
    session: Session,
    run: JobRun,
    *,
    state: str,
    now: datetime,
    result: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> None:
    """Record how a job ended. Raises LeaseLost."""
    _set(session, run, state=state, result=result, error=error, finished_at=now, lease_until=None, lease_owner=None)


def postpone(session: Session, run: JobRun, *, until: datetime, attempts: int, error: dict[str, Any]) -> None:
    """Put a job back, to be tried again at a moment; `attempts` is what counts as tried so far. Raises LeaseLost."""
    _set(
        session,
        run,
        state="queued",
        run_after=until,
        attempts=attempts,
        error=error,
        lease_until=None,
        lease_owner=None,
    )


def owners(session: Session) -> list[str]:
    """Return the workers that hold jobs."""
    query = select(Job.lease_owner).where(Job.state == "running", Job.lease_owner.is_not(None)).distinct()
    return [owner for owner in session.scalars(query) if owner is not None]


def release(session: Session, dead: Iterable[str], now: datetime) -> int:
    """Put back every job held by a worker that is known to be dead; return how many."""
    done = session.execute(
        update(Job)
        .where(Job.state == "running", Job.lease_owner.in_(list(dead)))
        .values(state="queued", run_after=now, lease_owner=None, lease_token=None, lease_until=None)
    )
    return cast("CursorResult[Any]", done).rowcount


def _set(session: Session, run: JobRun, **values: Any) -> None:
    done = session.execute(
        update(Job).where(Job.id == run.id, Job.lease_token == run.token, Job.state == "running").values(**values)
    )
    if cast("CursorResult[Any]", done).rowcount != 1:
        raise LeaseLost("another worker has taken the job over")
