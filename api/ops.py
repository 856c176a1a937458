"""`/healthz`, `/readyz`, `/metrics`: for whoever operates the service."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy import func, select, text
from starlette.responses import PlainTextResponse

from api.context import Context
from api.contracts.models import Contract
from api.errors import ServiceUnavailable
from api.jobs import upkeep as jobs
from api.jobs.models import Job
from api.kit.edge import context_of
from api.pki.upkeep import TASKS
from certs.errors import CertsError

log = logging.getLogger("sealroad.ops")
router = APIRouter(tags=["operations"])


class Health(BaseModel):
    """How the service is."""

    status: str
    warnings: list[str] = Field(default=[], description="What somebody should look at, and that stops nothing.")


@router.get("/healthz", response_model_exclude_defaults=True)
def healthz() -> Health:
    """Tell that the process serves requests."""
    return Health(status="ok")


@router.get("/readyz", response_model_exclude_defaults=True)
def readyz(request: Request) -> Health:
    """Tell that the database and the document store answer and, where one runs here, that the job worker is alive.

    What the worker could not do for the circles stands in `warnings`, and jobs that nobody does: nothing stops for it.
    """
    with context_of(request).database.read() as session:
        session.execute(text("SELECT 1"))
    context_of(request).storage.check()
    worker = request.app.state.worker
    if worker is not None and not worker.alive:
        raise ServiceUnavailable("the job worker is not running")
    failures = sorted(context_of(request).upkeep.failures.items())
    warnings = [f"{task} of the circle of {suite}: {why}" for (suite, task), why in failures]
    return Health(status="ready", warnings=warnings + jobs.warnings(context_of(request)))


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
    try:
        lines += list(_circles(context_of(request)))
    except CertsError:  # one circle that cannot be read must not take the other figures away
        log.exception("the circles cannot be measured")
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4; charset=utf-8")


def _circles(context: Context) -> Iterator[str]:
    """Give what an alarm is set on: both moments come from the records, whichever process made them."""
    circles = context.circles.existing()
    yield "# HELP sealroad_audit_checkpoint_timestamp_seconds When the last checkpoint of the audit log was made."
    yield "# TYPE sealroad_audit_checkpoint_timestamp_seconds gauge"
    for circle in circles:
        made = circle.last_checkpoint()
        if made is not None:
            yield f'sealroad_audit_checkpoint_timestamp_seconds{{suite="{circle.suite}"}} {made.timestamp():.0f}'
    yield "# HELP sealroad_crl_next_update_timestamp_seconds The earliest nextUpdate of an authority's lists."
    yield "# TYPE sealroad_crl_next_update_timestamp_seconds gauge"
    for circle in circles:
        for issuer, end in circle.list_ends().items():
            labels = f'suite="{circle.suite}",issuer="{issuer}"'
            yield f"sealroad_crl_next_update_timestamp_seconds{{{labels}}} {end.timestamp():.0f}"
    yield "# HELP sealroad_upkeep_failed What this process could not do for a circle the last time it tried."
    yield "# TYPE sealroad_upkeep_failed gauge"
    for suite, task in ((circle.suite, task) for circle in circles for task in TASKS):
        yield f'sealroad_upkeep_failed{{suite="{suite}",task="{task}"}} {int((suite, task) in context.upkeep.failures)}'
