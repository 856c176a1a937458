"""Take in a table, look at all of it, and have a job send what is good."""

from __future__ import annotations

from typing import Any, Final

from fastapi import UploadFile

from api.auth.service import Principal
from api.bulk import repository
from api.bulk.checking import Checked, checked
from api.bulk.models import BulkDocument, BulkRow, BulkSend
from api.bulk.reading import MAX_OCTETS, read
from api.bulk.schemas import BulkSendOut, Common
from api.context import Context
from api.errors import PayloadTooLarge, ValidationFailed
from api.jobs import queue
from api.kit.edge import Source, Unit
from api.kit.ids import new_id
from api.templates import repository as templates
from api.templates.filling import narrowed

KIND: Final = "bulk-send"
MAX_FINDINGS: Final = 1000
"""Of all rows together, in one answer."""
KEPT_FINDINGS: Final = 20
"""Of one row, in its result."""


def create(unit: Unit, template_id: str, file: UploadFile, common: Common, *, skip_invalid: bool) -> BulkSendOut:
    """Check a table and begin to send it. Nothing is made where any row is wrong, unless `skip_invalid`.

    Raises NotFound, PayloadTooLarge, ValidationFailed with every finding, Forbidden.
    """
    with unit.read() as session:
        template = templates.get(session, unit.tenant_id, template_id)
    draft = narrowed(template.draft, common.parties)
    data = file.file.read(MAX_OCTETS + 1)
    if len(data) > MAX_OCTETS:
        raise PayloadTooLarge(f"the table is larger than {MAX_OCTETS} octets", hint="send it in several parts")
    table = read(data)
    rows, findings = [], 0
    for row in checked(unit, draft, table):
        rows.append(row)
        findings += len(row.findings)
        if not skip_invalid and findings >= MAX_FINDINGS:
            break
    wrong = sum(bool(row.findings) for row in rows)
    if wrong and (not skip_invalid or wrong == len(rows)):
        raise _refusal(rows, wrong, complete=len(rows) == len(table.records))
    return _begin(unit, template.id, template.version, draft, rows)


def out(unit: Unit, bulk_id: str) -> BulkSendOut:
    """Return how far a bulk send has come. Raises NotFound."""
    with unit.read() as session:
        bulk = repository.get(session, unit.tenant_id, bulk_id)
        return BulkSendOut.of(bulk, repository.counts(session, bulk.id))


def sender_of(context: Context, bulk: BulkSend) -> Unit:
    """Return a unit of work that acts as whoever asked for a bulk send."""
    sender = bulk.sender
    principal = Principal(bulk.tenant_id, sender["key"], frozenset(sender["scopes"]), sender["user"])
    source = Source(sender["address"], sender["user_agent"], sender["request_id"])
    return Unit(context, principal, source, None)


def _begin(unit: Unit, template_id: str, version: int, draft: dict[str, Any], rows: list[Checked]) -> BulkSendOut:
    session, now, bulk_id = unit.session, unit.context.now(), new_id("blk")
    key, payload = f"{KIND}:{bulk_id}", {"bulk_send": bulk_id}
    job = queue.enqueue(session, tenant_id=unit.tenant_id, kind=KIND, key=key, payload=payload, now=now)
    bulk = BulkSend(
        id=bulk_id,
        tenant_id=unit.tenant_id,
        template_id=template_id,
        template_version=version,
        draft=draft,
        state="running",
        job_id=job.id,
        sender={
            "key": unit.principal.key_id,
            "user": unit.principal.user_id,
            "scopes": sorted(unit.principal.scopes),
            "address": unit.address,
            "user_agent": unit.user_agent,
            "request_id": unit.request_id,
        },
        total=len(rows),
        created_at=now,
    )
    session.add(bulk)
    session.flush()
    session.add_all(_row(bulk_id, row) for row in rows)
    session.add_all(BulkDocument(bulk_send_id=bulk_id, document_id=entry["id"]) for entry in draft["documents"])
    session.flush()
    return BulkSendOut.of(bulk, repository.counts(session, bulk_id))


def _row(bulk_id: str, row: Checked) -> BulkRow:
    good = not row.findings
    error = {"code": ValidationFailed.code, "errors": row.findings[:KEPT_FINDINGS]} if not good else None
    return BulkRow(
        bulk_send_id=bulk_id,
        number=row.number,
        state="waiting" if good else "invalid",
        external_id=row.filled.external_id if row.filled is not None else None,
        filled=row.filled.model_dump(mode="json", exclude_unset=True) if good and row.filled is not None else None,
        columns=row.where,
        contract_id=None,
        error=error,
    )


def _refusal(rows: list[Checked], wrong: int, *, complete: bool) -> ValidationFailed:
    errors = [entry for row in rows for entry in row.findings][:MAX_FINDINGS]
    more = "" if complete else " among the first ones; the rest was not looked at"
    hint = "mend them and send the table again, or send it with skip_invalid: nothing was made"
    return ValidationFailed(f"{wrong} of {len(rows)} rows cannot be sent{more}", hint=hint, errors=errors)
