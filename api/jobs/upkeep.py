"""What is said of the jobs as a whole, and what is forgotten of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, func, select

from api.context import Context
from api.jobs.models import Job, JobEvent, JobWorker
from api.jobs.queue import VERSION

KEEP_EVENTS: Final = timedelta(days=7)
"""How long one can still read what happened in a job; the job itself stays."""
KEEP_ROUNDS: Final = timedelta(days=1)
"""How long the engine remembers what it has carried."""
LATE: Final = timedelta(minutes=1)
"""A job that waits so long for a worker is worth a warning."""


def forget_ended(context: Context) -> None:
    """Delete events of jobs, and what the engine keeps, when nobody asks for them any more."""
    from api.jobs import engine

    now = context.now()
    with context.database.write() as session:
        session.execute(delete(JobEvent).where(JobEvent.at < now - KEEP_EVENTS))
    engine.sweep(context.database, before=now - KEEP_ROUNDS)


def diagnosis(context: Context) -> list[str]:
    """Return what `sealroad doctor` says of the jobs of a service. Raises ConfigurationError."""
    from api.jobs import engine, guard

    engine.prepare(context.database, migrate=False)
    now, where = context.now(), "SQLite" if context.database.embedded else "PostgreSQL"
    lines = ["", "Jobs:", f"  carried by dbos {guard.version()} on {where}, self-test passed: no pickle, no services"]
    with context.database.read() as session:
        for worker in session.scalars(select(JobWorker).order_by(JobWorker.id)):
            ago = max(0, round((now - worker.beat_at).total_seconds()))
            lines.append(f"  worker {worker.id}, version {worker.version} of jobs, last heard {ago} s ago")
        for state, count in session.execute(select(Job.state, func.count()).group_by(Job.state).order_by(Job.state)):
            lines.append(f"  {state}: {count}")
    return lines + [f"warning: {words}" for words in warnings(context)]


def warnings(context: Context) -> list[str]:
    """Return what somebody should look at: nobody who works, work that waits, work for a newer version."""
    now, found = context.now(), []
    with context.database.read() as session:
        fresh = now - 2 * context.settings.job_lease
        versions = set(session.scalars(select(JobWorker.version).where(JobWorker.beat_at > fresh)))
        late = select(func.count(), func.min(Job.run_after)).where(Job.state == "queued", Job.run_after < now - LATE)
        count, since = session.execute(late).one()
    if not versions:
        found.append("jobs: no worker is at work")
    elif max(versions) > VERSION:
        found.append(f"jobs: a worker runs version {max(versions)} of jobs, this process makes version {VERSION}")
    elif max(versions) < VERSION:
        found.append(f"jobs: all workers run version {max(versions)} of jobs, this process makes version {VERSION}")
    if count:
        found.append(f"jobs: {count} wait for a worker, the first since {since:%Y-%m-%dT%H:%M:%SZ}")
    return found
