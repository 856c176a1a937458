"""Decide about seals: apply, approve, file, suspend, resume, cancel; grant and revoke."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.orm import Session

from api.audit.service import GENESIS, moment
from api.auth import repository as keys
from api.context import Context
from api.contracts import repository as contracts
from api.contracts.transition import SYSTEM, actor_of
from api.documents import repository as documents
from api.errors import NotFound, StateConflict, ValidationFailed
from api.jobs.models import Job
from api.jobs.queue import enqueue
from api.kit.edge import Unit
from api.kit.ids import new_id
from api.pki.circles import UNKNOWN_COUNTRY
from api.seals import applying, repository, uses
from api.seals.life import check_version, grant_of, life_of, put
from api.seals.log import record
from api.seals.models import Seal, SealGrant, SealMaker
from api.seals.pictures import picture_of
from api.seals.refusals import problem_at, refuse
from api.seals.schemas import GrantIn, SealDocumentIn, SealIn
from certs.errors import SealroadError
from signer.errors import SealStateConflict
from signer.seals import lifecycle
from signer.seals.lifecycle import Life, SealState
from signer.seals.model import SealVersion

if TYPE_CHECKING:
    from certs.subject import Subject

USUAL_LIFE: Final = timedelta(days=365)
LONGEST_LIFE: Final = timedelta(days=1095)
"""A day less than a certificate of the profile `seal` may be valid."""
MAX_CHAIN: Final = 10
VERSIONS: Final = {"v1": SealVersion.V1, "v4": SealVersion.V4, "v5": SealVersion.V5}


def apply_for(unit: Unit, body: SealIn) -> Seal:
    """Take an application. Raises ValidationFailed; AppearanceError for a picture that cannot be used."""
    from signer.seals.kinds import number_of

    now, context = unit.context.now(), unit.context
    suite, certificates = _suite_of(body)
    valid_from, valid_to = _period(body, now)
    picture = picture_of(body)
    with context.storage.receive([picture.data]) as received:
        context.storage.keep(received)
    seal = Seal(
        id=new_id("seal"),
        tenant_id=unit.tenant_id,
        version=1,
        state=str(SealState.APPLIED),
        name=body.name,
        kind=body.kind,
        type=number_of(body.kind, VERSIONS[body.standard]),
        standard=body.standard,
        suite=suite,
        owner=body.owner.model_dump(mode="json") if body.owner is not None else None,
        key_holder="service" if body.certificates is None else "party",
        certificates=certificates,
        picture_sha256=received.sha256,
        picture_type=picture.type,
        width=picture.width,
        height=picture.height,
        valid_from=valid_from,
        valid_to=valid_to,
        applicant=unit.principal.key_id,
        approvals_needed=body.approvals,
        approvals=[],
        filing_required=body.filing_required,
        assigned_number=body.filing_number,
        was_used=False,
        log_sequence=0,
        log_hash=GENESIS,
        created_at=now,
        updated_at=now,
    )
    unit.session.add(seal)
    unit.session.flush()
    facts = {
        "name": seal.name,
        "kind": seal.kind,
        "standard": seal.standard,
        "suite": suite,
        "picture_sha256": received.sha256,
        "valid_from": moment(valid_from),
        "valid_to": moment(valid_to),
        "filing_required": seal.filing_required,
        "approvals": seal.approvals_needed,
    }
    record(unit.session, seal, "seal.applied", now=now, actor=actor_of(unit), data=facts)
    unit.session.flush()
    return seal


def approve(unit: Unit, seal_id: str, version: int | None) -> Seal:
    """Approve an application. Raises SealRefused for the applicant, and for whoever has approved it."""
    who, at = unit.principal.key_id, moment(unit.context.now())
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

    context, now, who = unit.context, unit.context.now(), unit.principal.key_id
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
    job = enqueue(unit.session, tenant_id=unit.tenant_id, kind="seal", key=f"seal:{use_id}", payload=payload, now=now)
    unit.wake_worker()
    return job


def maker_pem(session: Session, seal: Seal) -> str | None:
    """Return the certificate of a seal's maker, PEM."""
    return session.get_one(SealMaker, seal.maker_id).certificates if seal.maker_id is not None else None


# grants --------------------------------------------------------------------------------------------------------------
def give(unit: Unit, seal_id: str, body: GrantIn) -> SealGrant:
    """Grant the use of a seal. Raises NotFound, SealStateConflict where the seal is over, ValidationFailed."""
    session, now = unit.session, unit.context.now()
    seal = repository.get(session, unit.tenant_id, seal_id, lock=True)
    if SealState(seal.state) in lifecycle.OVER:
        raise SealStateConflict(f"a seal that is {seal.state} is not granted", state=seal.state, allowed=[])
    _check_grant(unit, body)
    grant = SealGrant(
        id=new_id("grt"),
        seal_id=seal.id,
        grantee=body.grantee,
        granter=unit.principal.key_id,
        contracts=sorted(set(body.contracts)) if body.contracts is not None else None,
        kinds=sorted(set(body.kinds)) if body.kinds is not None else None,
        valid_from=_utc(body.valid_from, "/valid_from") if body.valid_from is not None else now,
        valid_to=_utc(body.valid_to, "/valid_to") if body.valid_to is not None else seal.valid_to,
        count=body.count,
        used=0,
        approvals_needed=seal.approvals_needed - 1,
        approvals=[],
        created_at=now,
    )
    if grant.valid_from > grant.valid_to:
        raise refuse("/valid_to", "order", "is before valid_from")
    session.add(grant)
    facts = {
        "grant": grant.id,
        "grantee": grant.grantee,
        "contracts": grant.contracts,
        "kinds": grant.kinds,
        "valid_from": moment(grant.valid_from),
        "valid_to": moment(grant.valid_to),
        "count": grant.count,
    }
    _note(unit, seal, "grant.made", facts)
    return grant


def approve_grant(unit: Unit, seal_id: str, grant_id: str) -> SealGrant:
    """Approve a grant, as a third person. Raises NotFound, SealRefused."""
    seal = repository.get(unit.session, unit.tenant_id, seal_id, lock=True)
    grant, who = repository.grant(unit.session, seal, grant_id), unit.principal.key_id
    lifecycle.approve_grant(grant_of(grant), who)
    grant.approvals = [*grant.approvals, {"by": who, "at": moment(unit.context.now())}]
    _note(unit, seal, "grant.approved", {"grant": grant.id, "by": who})
    return grant


def revoke_grant(unit: Unit, seal_id: str, grant_id: str) -> SealGrant:
    """Take a grant back; to do it again changes nothing. Raises NotFound."""
    seal = repository.get(unit.session, unit.tenant_id, seal_id, lock=True)
    grant = repository.grant(unit.session, seal, grant_id)
    if grant.revoked_at is None:
        grant.revoked_at = unit.context.now()
        _note(unit, seal, "grant.revoked", {"grant": grant.id, "used": grant.used})
    return grant


def _check_grant(unit: Unit, body: GrantIn) -> None:
    key, errors = keys.key(unit.session, body.grantee), []
    if key is None or key.tenant_id != unit.tenant_id or key.revoked_at is not None:
        errors.append(problem_at("/grantee", "not-found", "there is no such API key"))
    for index, name in enumerate(body.contracts or ()):
        try:
            contracts.get(unit.session, unit.tenant_id, name)
        except NotFound as error:
            errors.append(problem_at(f"/contracts/{index}", error.code, error.message))
    if errors:
        raise ValidationFailed("the grant cannot be made", errors=errors)


def _note(unit: Unit, seal: Seal, event: str, facts: dict[str, Any]) -> None:
    """Record something about a seal whose state stays; its version rises all the same: the log is part of it."""
    now = unit.context.now()
    record(unit.session, seal, event, now=now, actor=actor_of(unit), data=facts)
    seal.version += 1
    seal.updated_at = now
    unit.session.flush()


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


# the application -----------------------------------------------------------------------------------------------------
def _suite_of(body: SealIn) -> tuple[str, list[str] | None]:
    """Return the suite of a seal, and the certificates of those who hold their keys, as PEM with chain."""
    from certs import suites
    from certs.certificate import load_certificates
    from signer.seals.make import seal_algorithm

    try:
        if body.suite is not None and body.owner is not None:
            suites.not_old(body.suite)
            seal_algorithm(suites.get(body.suite))
            owner = subject_of(body.name, body.owner.model_dump(mode="json"))
            for identifier in owner.identifiers:
                identifier.check()
            owner.name()
            return suites.get(body.suite).name, None
        bundles = [load_certificates(pem.encode())[:MAX_CHAIN] for pem in body.certificates or ()]
        found = {bundle[0].public_key().suite.name for bundle in bundles}
        for name in found:
            suites.not_old(name)
            seal_algorithm(suites.get(name))
    except SealroadError as error:
        where = "suite" if body.suite is not None else "certificates"
        problem = problem_at(f"/{where}", error.code, error.message)
        raise ValidationFailed(f"the {where} cannot be used: {error}", errors=[problem]) from None
    if len(found) != 1:
        raise refuse("/certificates", "mixed", "are of several suites: " + ", ".join(sorted(found)))
    for index, (certificate, *_) in enumerate(bundles):
        if certificate.is_ca or not certificate.allows("digital_signature", "non_repudiation"):
            raise refuse(f"/certificates/{index}", "key-usage", "is not one for signatures")
    return found.pop(), ["".join(each.pem for each in bundle) for bundle in bundles]


def subject_of(name: str, owner: dict[str, Any]) -> Subject:
    """Return the subject of the certificate of a seal whose key the service holds."""
    from certs.identifiers import Identifier
    from certs.subject import Subject

    return Subject(
        name,
        organisation=owner["organisation"],
        country=owner["country"] or UNKNOWN_COUNTRY,
        identifiers=tuple(Identifier(item["scheme"], item["value"]) for item in owner["identifiers"]),
    )


def _period(body: SealIn, now: datetime) -> tuple[datetime, datetime]:
    """Return the validity, in whole seconds: seals have no finer ones."""
    valid_from = _utc(body.valid_from or now, "/valid_from")
    if valid_from - now > LONGEST_LIFE:
        raise refuse("/valid_from", "too-late", "lies too far in the future")
    valid_to = _utc(body.valid_to, "/valid_to") if body.valid_to is not None else valid_from + USUAL_LIFE
    if valid_to <= max(valid_from, now):
        raise refuse("/valid_to", "past", "is not after valid_from and in the future")
    if valid_to - min(valid_from, now) > LONGEST_LIFE:
        raise refuse("/valid_to", "too-long", f"a seal is valid for {LONGEST_LIFE.days} days at most")
    return valid_from, valid_to


def _utc(value: datetime, pointer: str) -> datetime:
    """Return a moment in UTC, in whole seconds. Raises ValidationFailed where it has none."""
    try:
        return value.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise refuse(pointer, "overflow", "is no moment in UTC") from None
