"""`/v1/jobs`."""

from __future__ import annotations

from typing import Annotated

from sqlalchemy import select

from api.errors import NotFound
from api.jobs.models import Job
from api.jobs.schemas import JobOut
from api.kit.edge import Reply, Router, Unit, reads

router = Router(prefix="/v1/jobs", tags=["jobs"])


@router.get("/{job_id}", response_model=JobOut)
def get_job(unit: Annotated[Unit, reads("contracts:read")], job_id: str) -> Reply:
    """Read how a job is getting on."""
    with unit.read() as session:
        job = session.scalars(select(Job).where(Job.tenant_id == unit.tenant_id, Job.id == job_id)).one_or_none()
    if job is None:
        raise NotFound("there is no such job")
    return Reply(JobOut.of(job))
