"""`/v1/jobs`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Request
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.errors import MalformedRequest
from api.jobs import queue
from api.jobs.models import Job
from api.jobs.schemas import JobList, JobOut, JobState
from api.jobs.stream import MEDIA_TYPE, stream
from api.kit.edge import Reply, Router, Unit, reads, writes
from api.kit.owned import one
from api.kit.pagination import Cursor, Limit, paginate
from api.kit.waiting import WAITS

router = Router(prefix="/v1/jobs", tags=["jobs"])


@router.get("", response_model=JobList)
def list_jobs(
    unit: Annotated[Unit, reads("contracts:read")],
    limit: Limit = 50,
    cursor: Cursor = None,
    state: JobState | None = None,
    kind: str | None = None,
) -> Reply:
    """List jobs, newest first."""
    query = select(Job).where(Job.tenant_id == unit.tenant_id)
    if state is not None:
        query = query.where(Job.state == state)
    if kind is not None:
        query = query.where(Job.kind == kind)
    with unit.read() as session:
        page = paginate(session, query, Job, unit, cursor=cursor, limit=limit)
    now = unit.context.now()
    body = JobList(data=[JobOut.of(job, now) for job in page.rows], next_cursor=page.next_cursor)
    return Reply(body, headers=page.link("/v1/jobs", limit, state=state, kind=kind))


@router.get("/{job_id}", response_model=JobOut, openapi_extra=WAITS)
def get_job(unit: Annotated[Unit, reads("contracts:read")], job_id: str) -> Reply:
    """Read how a job is getting on. With `Prefer: wait`, when it has ended."""
    with unit.read() as session:
        job = _job(session, unit, job_id)
    return Reply(JobOut.of(job, unit.context.now()), settled=job.state in queue.ENDED)


@router.get(
    "/{job_id}/events",
    response_class=Response,
    responses={200: {"description": "Server-sent events.", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}},
)
def follow_job(
    request: Request,
    unit: Annotated[Unit, reads("contracts:read")],
    job_id: str,
    last_event_id: Annotated[
        str | None,
        Header(
            description="The id of the last event that was received.", json_schema_extra={"pattern": "^[0-9]{1,9}$"}
        ),
    ] = None,
) -> Response:
    """Follow a job as server-sent events: `progress`, `item` and, at its end, `done`.

    A client that comes back with `Last-Event-ID` gets what it has missed. Events are kept for seven days.
    """
    after = last_event_id or "0"
    if not after.isascii() or not after.isdecimal() or len(after) > 9:
        raise MalformedRequest("Last-Event-ID is not the id of an event of a job")
    with unit.read() as session:
        _job(session, unit, job_id)
    return stream(unit.context, job_id, int(after), lambda: bool(getattr(request.app.state, "stopping", False)))


@router.post("/{job_id}/cancel", status_code=202, response_model=JobOut)
def cancel_job(unit: Annotated[Unit, writes("contracts:read")], job_id: str) -> Reply:
    """Ask that a job be cancelled; it ends before its next step, and what it had begun is undone as after a failure.

    Needs the scope that such a job is begun with. The finalisation of a contract cannot be cancelled.
    """
    job = _job(unit.session, unit, job_id, lock=True)
    scope = queue.CANCELLABLE.get(job.kind)
    if scope is not None:
        unit.principal.require(scope)
    queue.cancel(unit.session, job, by=unit.principal.key_id, now=unit.context.now())
    return Reply(JobOut.of(job, unit.context.now()), headers={"location": f"/v1/jobs/{job.id}"})


def _job(session: Session, unit: Unit, job_id: str, *, lock: bool = False) -> Job:
    query = select(Job).where(Job.tenant_id == unit.tenant_id, Job.id == job_id)
    return one(session, query, "job", lock=lock)
