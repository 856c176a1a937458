"""Decide about seals that were applied for: approve, file, suspend, resume, cancel, expire; use on one document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from api.audit.service import moment
from api.context import Context
from api.contracts.transition import SYSTEM, actor_of
from api.documents import repository as documents
from api.errors import StateConflict
from api.jobs.models import Job
from api.jobs.queue import enqueue
from api.kit.edge import Unit
from api.kit.ids import new_id
from api.kit.refusals import refuse
from api.seals import applying, repository, uses
from api.seals.life import check_version, life_of, put
from api.seals.log import record
from api.seals.models import Seal, SealMaker
from api.seals.schemas import SealDocumentIn
from signer.errors import SealStateConflict
from signer.seals import lifecycle
from signer.seals.lifecycle import Life


def approve(unit: Unit, seal_id: str, version: int | None) -> Seal:
    """Approve an application. Raises SealRefused for the applicant, and for whoever has approved it."""
    who, at = unit.principal.who, moment(unit.context.now())
    seal = _change(unit, seal_id, version, lambda life: lifecycle.approve(life, who), "seal.approved", {"by": who})
    seal.approvals = [*seal.approvals, {"by": who, "at": at}]
    unit.session.flush()
    return seal


def file(unit: Unit, seal_id: str, version: int | None, number: str) -> Seal:
    """File a seal. Raises ValidationFailed where another number stands in the seal."""
    with unit.read() as session:
        assigned = repository.get(session, unit.tenant_id, seal_id).assigned_number
    if assigned not in (None, number):
        raise refuse("/filing_number", "other", f"is not the number in the seal, {assigned}")
    facts = {"filing_number": number}
    seal = _change(unit, seal_id, version, lambda life: lifecycle.file(life, number), "seal.filed", facts)
    seal.filed_at = seal.updated_at
    unit.session.flush()
    return seal


def suspend(unit: Unit, seal_id: str, version: int | None, reason: str | None) -> Seal:
    """Stop all use of a seal, until it is resumed."""
    seal = _change(unit, seal_id, version, lifecycle.suspend, "seal.suspended", {"reason": reason})
    seal.reason = reason
    unit.session.flush()
    return seal


def resume(unit: Unit, seal_id: str, version: int | None) -> Seal:
    """End a suspension."""
    seal = _change(unit, seal_id, version, lifecycle.resume, "seal.resumed")
    seal.reason = None
    unit.session.flush()
    return seal


def cancel(unit: Unit, seal_id: str, version: int | None, reason: str | None) -> Seal:
    """End a seal for good. What it has sealed stays sealed."""
    seal = _change(unit, seal_id, version, lifecycle.cancel, "seal.cancelled", {"reason": reason})
    seal.reason = reason
    unit.session.flush()
    return seal


def expire_overdue(context: Context) -> int:
    """End seals whose time is over; return how many."""
    with context.database.read() as session:
        overdue = repository.overdue(session, context.now())
    count = 0
    for tenant_id, seal_id in overdue:
        with context.database.write() as session:
            seal, now = repository.get(session, tenant_id, seal_id, lock=True), context.now()
            try:
                life = lifecycle.expire(life_of(seal), now)
            except SealStateConflict:  # cancelled meanwhile
                continue
            record(session, seal, "seal.expired", now=now, actor=SYSTEM)
            put(seal, life, now)
            count += 1
    return count


def apply_to(unit: Unit, seal_id: str, body: SealDocumentIn) -> Job:
    """Enqueue the sealing of a document by itself. Raises NotFound, SealRefused, OptionError, StateConflict."""
    from signer.pades.options import NationalForm
    from signer.pades.sealing import seal_options

    context, now, who = unit.context, unit.context.now(), unit.principal.who
    with unit.read() as session:
        seal = repository.get(session, unit.tenant_id, seal_id)
        document = documents.get(session, unit.tenant_id, body.document)
        uses.check(session, seal, who, lifecycle.Purpose("document"), now)
    if seal.key_holder != "service":
        hint = "name the seal for a party of a contract: it gets what its key is to sign"
        raise StateConflict("the key of this seal is not held here", hint=hint, state=seal.state, allowed=[])
    loaded, national = applying.load(context, seal), body.form == "national"
    seal_options(loaded, national=NationalForm() if national else None, level=body.level)  # refuses what cannot be
    use_id = new_id("use")
    payload = {
        "seal": seal.id,
        "document": document.id,
        "name": document.name,
        "use": use_id,
        "who": who,
        "placement": body.placement.model_dump() if body.placement is not None else None,
        "national": national,
        "level": body.level,
        "reason": body.reason,
        "location": body.location,
        "locale": body.locale,
    }
    return enqueue(unit.session, tenant_id=unit.tenant_id, kind="seal", key=f"seal:{use_id}", payload=payload, now=now)


def maker_pem(session: Session, seal: Seal) -> str | None:
    """Return the certificate of a seal's maker, PEM."""
    return session.get_one(SealMaker, seal.maker_id).certificates if seal.maker_id is not None else None


def _change(
    unit: Unit,
    seal_id: str,
    version: int | None,
    decide: Callable[[Life], Life],
    event: str,
    facts: dict[str, Any] | None = None,
) -> Seal:
    """Ask the state machine and carry out what it says. Raises NotFound, PreconditionFailed, SealStateConflict."""
    session, now = unit.session, unit.context.now()
    seal = repository.get(session, unit.tenant_id, seal_id, lock=True)
    check_version(seal, version)
    life = decide(life_of(seal))
    record(session, seal, event, now=now, actor=actor_of(unit), data=facts)
    put(seal, life, now)
    session.flush()
    return seal
