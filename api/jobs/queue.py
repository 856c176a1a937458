"""The port: enqueue in the caller's transaction; begin, fence and end an attempt with a token.

    enqueue(session, tenant_id=..., kind="sign", key="sign:pty_1:4", payload={...}, now=now)
    run = begin(session, job_id, round=1, owner="host.0", taken=lambda owner: False, now=now)
    fence(session, run)                                              # LeaseLost if another worker took over
    end(session, run, state="succeeded", result={...}, now=now)

States: queued → running → succeeded | failed | cancelled; running → queued (again) after a failure that may pass or a
dead worker. The rows here are the truth. An engine carries each round of a job from the commit to a worker
(`api.jobs.engine`); what it loses, or does twice, changes nothing: `api.jobs.reconcile` hands over again, and of two
attempts only the one with the newest token commits anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import bindparam, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.errors import JobCancelled, LeaseLost, StateConflict
from api.jobs.models import Job, JobEvent
from api.kit.bell import QUEUE, announce
from api.kit.ids import new_id

T = TypeVar("T", Job, Any)
VERSION: Final = 1
"""Of the jobs: raised only when older workers cannot run what newer ones enqueue. Newer ones always run older jobs."""
ENDED: Final = frozenset({"succeeded", "failed", "cancelled"})
OPEN: Final = ("queued", "running")
CANCELLABLE: Final = {
    "sign": "contracts:sign",
    "sign-batch": "contracts:sign",
    "prepare-batch": "contracts:sign",
    "seal": "seals:use",
    "seal-envelope": "envelopes:write",
    "open-envelope": "envelopes:open",
    "bulk-send": "contracts:write",
}
"""Kinds that may be cancelled, because what they leave is cleaned up as after a failure; and the scope that allows it.

Not `finalize`: a contract that everybody has signed would be left without its end.
"""


_HELD: Final = (
    select(Job)
    .where(Job.id == bindparam("job_id"), Job.token == bindparam("held_by"), Job.state == "running")
    .with_for_update()
    .execution_options(populate_existing=True)
)
"""Made once, like the next: they are asked at every step of every job."""
_OF_KEY: Final = select(Job).where(Job.key == bindparam("of_key")).with_for_update()
_HANDED: Final = select(Job.id).where(Job.state == "queued", Job.handed_at.is_not(None)).limit(1)
_OURS: Final = "job"
"""Under this name a session knows the job that its transaction has locked."""
_FENCE: Final = (
    select(Job.cancel)
    .where(Job.id == bindparam("job_id"), Job.token == bindparam("held_by"), Job.state == "running")
    .with_for_update()
)


@dataclass(frozen=True)
class JobRun:
    """One attempt at a job."""

    id: str
    tenant_id: str
    kind: str
    payload: dict[str, Any]
    attempt: int
    token: str
    cancel: dict[str, Any] | None = None
    closing: bool = False
    """Whether it is being given up: then a wish to cancel it stops nothing more."""
    before: int = 0
    """Of a part of a job: how much was done before it, and in the next one how much there is in all."""
    of: int | None = None

    @property
    def actor(self) -> dict[str, Any]:
        """Who acts, as a log says it."""
        return {"type": "job", "id": self.id}

    def to_close(self) -> JobRun:
        """Return the attempt as the one that cleans up."""
        return replace(self, closing=True)


def enqueue(session: Session, *, tenant_id: str, kind: str, key: str, payload: dict[str, Any], now: datetime) -> Job:
    """Enqueue a job once per `key`; one that has ended is started again, one that has not is returned as it is."""
    job = session.scalars(_OF_KEY, {"of_key": key}).one_or_none()
    if job is None:
        job = Job(id=new_id("job"), tenant_id=tenant_id, key=key, kind=kind, created_at=now)
        job.round, job.done, job.failed, job.sequence = 1, 0, 0, 0
        job.payload, job.state, job.attempts, job.run_after, job.handed_at = payload, "queued", 0, now, now
        try:
            with session.begin_nested():
                session.add(job)
        except IntegrityError:  # somebody else was first, a moment ago
            return session.scalars(_OF_KEY, {"of_key": key}).one()
        _hand_over(session, job)
        return job
    if job.state in OPEN:
        return job
    session.execute(delete(JobEvent).where(JobEvent.job_id == job.id))  # of the time before; their numbers go on
    job.payload, job.attempts, job.total, job.done, job.failed = payload, 0, None, 0, 0
    job.cancel = job.result = job.error = job.started_at = job.finished_at = None
    requeue(session, job, now)
    return job


def requeue(session: Session, job: Job, now: datetime) -> None:
    """Hand a job to the engine in a new round; whoever still works on it is fenced off. Its row is locked."""
    job.state, job.run_after, job.owner, job.token = "queued", now, None, None
    job.round, job.handed_at = job.round + 1, now
    session.flush()
    _hand_over(session, job)


def hand_over_due(session: Session, now: datetime) -> int:
    """Hand over the jobs whose time to be tried again has come; return how many."""
    query = select(Job).where(Job.state == "queued", Job.handed_at.is_(None), Job.run_after <= now)
    jobs = session.scalars(query.limit(500).with_for_update(skip_locked=True)).all()
    for job in jobs:
        requeue(session, job, now)
    return len(jobs)


def any_due(session: Session, now: datetime) -> bool:
    """Tell whether there is a job to be handed over."""
    query = select(Job.id).where(Job.state == "queued", Job.handed_at.is_(None), Job.run_after <= now)
    return session.scalar(query.limit(1)) is not None


def any_handed(session: Session) -> bool:
    """Tell whether there is a job that the engine has and no worker yet."""
    return session.scalar(_HANDED) is not None


def begin(
    session: Session,
    job_id: str,
    *,
    round: int,  # noqa: A002 - the column's name
    owner: str,
    alive: Callable[[str], bool],
    now: datetime,
) -> JobRun | None:
    """Begin an attempt; None where there is nothing to do: the job has ended, is in another round or in good hands."""
    job = session.get(Job, job_id, with_for_update=True)
    if job is None or job.round != round or job.state in ENDED:
        return None
    if job.state == "running" and job.owner not in {None, owner} and alive(job.owner or ""):
        return None
    job.state, job.attempts = "running", job.attempts + 1
    job.owner, job.token = owner, new_id("req")
    job.started_at = job.started_at or now
    session.flush()
    return JobRun(job.id, job.tenant_id, job.kind, dict(job.payload), job.attempts, job.token, job.cancel)


def fence(session: Session, run: JobRun) -> None:
    """Raise LeaseLost unless this attempt still holds the job, JobCancelled where it shall not go on.

    The row stays locked until the transaction ends.
    """
    _require(session.execute(_FENCE, {"job_id": run.id, "held_by": run.token}).one_or_none(), run)


def progress(
    session: Session,
    run: JobRun,
    *,
    now: datetime,
    total: int | None = None,
    done: int | None = None,
    failed: int | None = None,
    item: dict[str, Any] | None = None,
) -> None:
    """Record how far a job has come, and tell those who follow it; `item` is what became of one of its parts.

    In the transaction that did it. Raises LeaseLost, JobCancelled.
    """
    job = _held(session, run)
    if run.of is not None:
        total, done = run.of, run.before + done if done is not None else None
    before = (job.total, job.done, job.failed)
    job.total = total if total is not None else job.total
    job.done = done if done is not None else job.done
    job.failed = failed if failed is not None else job.failed
    if item is not None:
        _tell(session, job, "item", item, now)
    if (job.total, job.done, job.failed) != before:
        _tell(session, job, "progress", {"total": job.total, "done": job.done, "failed": job.failed}, now)


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
    job = _held(session, run.to_close())  # what is done is done: it is too late to cancel it
    job.state, job.result, job.error, job.finished_at = state, result, error, now
    job.owner = job.token = None
    _tell(session, job, "done", {"state": state, "result": result, "error": error}, now)


def postpone(session: Session, run: JobRun, *, until: datetime, attempts: int, error: dict[str, Any]) -> None:
    """Put a job back, to be tried again at a moment; `attempts` is what counts as tried so far. Raises LeaseLost."""
    job = _held(session, run.to_close())
    job.state, job.attempts, job.error = "queued", attempts, error
    job.run_after, job.handed_at = until, None
    job.owner = job.token = None
    announce(session, job.id)


def pass_on(session: Session, run: JobRun, *, now: datetime) -> None:
    """Put a job behind those that wait, to go on with its next items: it came as far as it should at one time.

    What was tried so far does not count. Raises LeaseLost, JobCancelled.
    """
    job = _held(session, run)
    job.attempts, job.error = 0, None
    requeue(session, job, now)


def cancel(session: Session, job: Job, *, by: str, now: datetime) -> None:
    """Ask that a job be cancelled: by a worker, before its next step. Its row is locked. Raises StateConflict."""
    if job.state in ENDED:
        raise StateConflict(f"the job has {job.state}", state=job.state, allowed=[])
    if job.kind not in CANCELLABLE:
        raise StateConflict(f"a job of the kind {job.kind} is not cancelled", state=job.state, allowed=[])
    if job.cancel is not None:
        return
    job.cancel = {"api_key": by, "at": now.isoformat()}
    if job.handed_at is None:
        requeue(session, job, now)


def events_after(session: Session, job_id: str, sequence: int, limit: int = 100) -> Sequence[JobEvent]:
    """Return what happened after an event."""
    query = select(JobEvent).where(JobEvent.job_id == job_id, JobEvent.sequence > sequence)
    return session.scalars(query.order_by(JobEvent.sequence).limit(limit)).all()


def _hand_over(session: Session, job: Job) -> None:
    from api.jobs import engine

    engine.hand_over(session, job)
    announce(session, QUEUE, job.id)


def _held(session: Session, run: JobRun) -> Job:
    job: Job | None = session.info.get(_OURS)
    if job is None or (job.id, job.token) != (run.id, run.token):
        job = session.scalars(_HELD, {"job_id": run.id, "held_by": run.token}).one_or_none()
    session.info[_OURS] = job = _require(job, run)  # locked until this transaction ends, and so does the session
    return job


def _require(held: T | None, run: JobRun) -> T:
    """Return what was found of a job: its row, or the one column that matters."""
    if held is None:
        raise LeaseLost("another worker has taken the job over")
    if held.cancel is not None and not run.closing:
        raise JobCancelled("the job was cancelled")
    return held


def _tell(session: Session, job: Job, kind: str, body: dict[str, Any], now: datetime) -> None:
    job.sequence += 1
    session.add(JobEvent(job_id=job.id, sequence=job.sequence, type=kind, body=body, at=now))
    announce(session, job.id)
