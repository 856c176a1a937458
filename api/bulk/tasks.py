"""The job `bulk-send`: of every row exactly one contract, whatever is killed when.

A row goes through two transactions, each behind the fence of the job (`api.jobs.queue.fence`):

1. The contract is made, as a draft, and the row says which one it is (`made`).
2. The contract is sent, and the row says so (`sent`).

So the row always knows its contract, and whoever goes on after a crash does the other half. That no row makes two
contracts is a unique index over (bulk send, row) besides. A draft that cannot be sent is deleted, and the row says why;
others go on. After `BATCH` rows the job goes to the end of the queue: signatures of others do not wait for it.
Nothing more is sent once the key that asked is revoked, or its user deactivated.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from api.auth.service import require_standing
from api.bulk import repository
from api.bulk.checking import by_column, findings_of
from api.bulk.models import BulkSend
from api.bulk.service import KEPT_FINDINGS, sender_of
from api.context import Context
from api.contracts import service as contracts
from api.contracts.origin import Origin
from api.errors import (
    Conflict,
    InternalError,
    JobCancelled,
    LeaseLost,
    NotFound,
    PreconditionFailed,
    ServiceUnavailable,
    StateConflict,
    row_of,
)
from api.jobs import queue
from api.jobs.queue import JobRun
from api.jobs.worker import PASSING
from api.templates.filling import acting_of, fill, narrowed, slots_of
from api.templates.schemas import FilledIn
from certs.errors import SealroadError

log = logging.getLogger("sealroad.jobs")

BATCH: Final = 25
"""Rows in one go."""


def send_rows(context: Context, run: JobRun) -> None:
    """Run the job. Payload: bulk_send."""
    bulk_id = run.payload["bulk_send"]
    with context.database.read() as session:
        bulk = repository.get(session, run.tenant_id, bulk_id)
        numbers = repository.open_rows(session, bulk_id, BATCH)
    for number in numbers:
        with context.database.read() as session:
            require_standing(session, bulk.sender["key"])
        _deal_with(context, run, bulk, number)
    with context.database.write() as session:
        now = context.now()
        counts = _progress(context, session, run, bulk)
        if any(counts.get(state) for state in repository.OPEN):
            queue.pass_on(session, run, now=now)
        else:
            _end(context, session, run, "ended", "failed")
            queue.end(session, run, state="succeeded", result=_result(bulk_id, counts), now=now)


def gave_up(context: Context, run: JobRun, failure: dict[str, Any]) -> None:
    """End a bulk send that was cancelled, or whose job failed: what was sent stays, the rest is not made."""
    cancelled = failure["code"] == JobCancelled.code
    with context.database.read() as session:
        bulk = repository.get(session, run.tenant_id, run.payload["bulk_send"])
        begun = repository.begun_rows(session, bulk.id)
    for number in begun:
        _fail(context, run, bulk, number, failure, "cancelled" if cancelled else "failed")
    with context.database.write() as session:
        queue.fence(session, run)
        _end(context, session, run, "cancelled" if cancelled else "failed", "cancelled")
        _progress(context, session, run, bulk)


def _deal_with(context: Context, run: JobRun, bulk: BulkSend, number: int) -> None:
    try:
        _send(context, run, bulk, _make(context, run, bulk, number), number)
    except (LeaseLost, JobCancelled):
        raise
    except SealroadError as error:
        if error.code == "verifier-busy":
            raise ServiceUnavailable(error.message) from error
        if error.code in PASSING:
            raise
        if row_of(error.code).private:
            log.exception("row %d of %s", number, bulk.id)
            error = InternalError("the log has the details")
        _fail(context, run, bulk, number, _problem(error, number))
    except IntegrityError:  # another contract took the external_id a moment ago
        _fail(context, run, bulk, number, _problem(Conflict("something else got there first"), number))
    except SQLAlchemyError:
        raise
    except Exception:
        log.exception("row %d of %s", number, bulk.id)
        _fail(context, run, bulk, number, _problem(InternalError("the log has the details"), number))


def _make(context: Context, run: JobRun, bulk: BulkSend, number: int) -> str:
    """Make the contract of a row, if it is not there; return its id."""
    with context.database.read() as session:
        row = repository.row(session, bulk.id, number)
    if row.contract_id is not None:
        return row.contract_id
    filled = FilledIn.model_validate(row.filled)
    unit = sender_of(context, bulk)
    with unit, by_column(slots_of(bulk.draft), row.columns):
        body = fill(narrowed(bulk.draft, filled.parties), filled, context.now())
        origin = Origin(bulk.template_id, bulk.template_version, bulk.id, number)
        contract = contracts.create(unit, body, origin)
        queue.fence(unit.session, run)
        row = repository.row(unit.session, bulk.id, number)
        row.state, row.contract_id = "made", contract.id
    return contract.id


def _send(context: Context, run: JobRun, bulk: BulkSend, contract_id: str, number: int) -> None:
    unit = sender_of(context, bulk)
    with context.database.read() as session:
        where = repository.row(session, bulk.id, number).columns
    with unit, by_column(acting_of(bulk.draft), where):
        contracts.send(unit, contract_id, 1)
        queue.fence(unit.session, run)
        row = repository.row(unit.session, bulk.id, number)
        row.state, row.filled = "sent", None


def _fail(
    context: Context, run: JobRun, bulk: BulkSend, number: int, problem: dict[str, Any], state: str = "failed"
) -> None:
    """Note why a row was not sent, and delete its draft unless somebody has taken that over."""
    unit = sender_of(context, bulk)
    with unit:
        queue.fence(unit.session, run)
        row = repository.row(unit.session, bulk.id, number)
        if row.contract_id is not None:
            try:
                contracts.delete(unit, row.contract_id, 1)
                row.contract_id = None
            except NotFound:
                row.contract_id = None
            except (PreconditionFailed, StateConflict):
                pass
        row.state, row.error, row.filled = state, problem, None


def _end(context: Context, session: Session, run: JobRun, state: str, rows: str) -> None:
    bulk = repository.get(session, run.tenant_id, run.payload["bulk_send"], lock=True)
    bulk.state, bulk.finished_at = state, context.now()
    repository.close(session, bulk.id, rows)


def _progress(context: Context, session: Session, run: JobRun, bulk: BulkSend) -> dict[str, int]:
    session.flush()
    counts = repository.counts(session, bulk.id)
    done, failed = counts.get("sent", 0), counts.get("failed", 0)
    total = bulk.total - counts.get("invalid", 0)
    queue.progress(session, run, now=context.now(), total=total, done=done, failed=failed)
    return counts


def _result(bulk_id: str, counts: dict[str, int]) -> dict[str, Any]:
    return {"bulk_send": bulk_id, "sent": counts.get("sent", 0), "failed": counts.get("failed", 0)}


def _problem(error: SealroadError, number: int) -> dict[str, Any]:
    found = findings_of(error, number)[:KEPT_FINDINGS]
    return {"code": error.code, "detail": error.message, "errors": found}
