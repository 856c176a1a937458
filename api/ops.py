"""`/healthz`, `/readyz`, `/metrics`: for whoever operates the service."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlalchemy import func, select, text
from starlette.responses import PlainTextResponse

from api.contracts.models import Contract
from api.errors import ServiceUnavailable
from api.jobs.models import Job
from api.kit.edge import context_of

router = APIRouter(tags=["operations"])


class Health(BaseModel):
    """How the service is."""

    status: str


@router.get("/healthz")
def healthz() -> Health:
    """Tell that the process serves requests."""
    return Health(status="ok")


@router.get("/readyz")
def readyz(request: Request) -> Health:
    """Tell that the database answers and, where one runs in this process, that the job worker is alive."""
    with context_of(request).database.read() as session:
        session.execute(text("SELECT 1"))
    worker = request.app.state.worker
    if worker is not None and not worker.alive:
        raise ServiceUnavailable("the job worker is not running")
    return Health(status="ready")


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(request: Request) -> PlainTextResponse:
    """Return counters in the Prometheus text format."""
    lines = [request.app.state.metrics.text().rstrip()]
    with context_of(request).database.read() as session:
        for name, column in (("contracts", Contract.state), ("jobs", Job.state)):
            lines.append(f"# HELP sealroad_{name} {name.capitalize()} by state.")
            lines.append(f"# TYPE sealroad_{name} gauge")
            rows = session.execute(select(column, func.count()).group_by(column).order_by(column))
            lines += [f'sealroad_{name}{{state="{state}"}} {number}' for state, number in rows]
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4; charset=utf-8")
