"""Signing policies are given and taken back."""

from __future__ import annotations

from datetime import datetime

from api.agreements import repository as agreements
from api.batches import repository
from api.batches.models import SigningPolicy
from api.batches.policy import Policy
from api.batches.schemas import SigningPolicyIn
from api.errors import NotFound, ValidationFailed
from api.kit.edge import Unit
from api.kit.ids import new_id
from api.kit.refusals import problem_at, refuse, utc
from api.people import repository as people
from api.seals import repository as seals
from api.seals.grants import grantee_named


def give(unit: Unit, body: SigningPolicyIn) -> SigningPolicy:
    """Let somebody else sign in batches. Raises ValidationFailed."""
    now = unit.context.now()
    grantee = _check(unit, body)
    if grantee == unit.principal.who:
        raise refuse("/grantee", "same-person", "is who gives the policy: somebody else has to")
    row = SigningPolicy(
        id=new_id("spl"),
        tenant_id=unit.tenant_id,
        name=body.name,
        grantee=grantee,
        granter=unit.principal.who,
        person_id=body.person,
        organisation_id=body.organisation,
        seal_id=body.seal,
        agreement_id=body.agreement,
        roles=sorted(set(body.roles)) if body.roles is not None else None,
        max_documents=body.max_documents,
        max_per_day=body.max_per_day,
        valid_from=utc(body.valid_from, "/valid_from") if body.valid_from is not None else now,
        valid_to=utc(body.valid_to, "/valid_to"),
        day=None,
        used_today=0,
        used=0,
        revoked_at=None,
        revoked_by=None,
        created_at=now,
    )
    if row.valid_from > row.valid_to:
        raise refuse("/valid_to", "order", "is before valid_from")
    unit.session.add(row)
    unit.session.flush()
    return row


def revoke(unit: Unit, policy_id: str) -> SigningPolicy:
    """Take a policy back; to do it again changes nothing. What a batch has not signed yet stays unsigned."""
    row = repository.policy(unit.session, unit.tenant_id, policy_id, lock=True)
    if row.revoked_at is None:
        row.revoked_at, row.revoked_by = unit.context.now(), unit.principal.who
        unit.session.flush()
    return row


def view_of(row: SigningPolicy, now: datetime) -> Policy:
    """Return a policy as its rules see it, at a moment."""
    return Policy(
        id=row.id,
        grantee=row.grantee,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        person=row.person_id,
        organisation=row.organisation_id,
        seal=row.seal_id,
        agreement=row.agreement_id,
        roles=frozenset(row.roles) if row.roles is not None else None,
        max_documents=row.max_documents,
        max_per_day=row.max_per_day,
        used_today=row.used_today if row.day == day_of(now) else 0,
        revoked=row.revoked_at is not None,
    )


def count(row: SigningPolicy, documents: int, now: datetime) -> None:
    """Count documents on a policy whose row is locked. They stay counted: what is permitted may be signed."""
    today = day_of(now)
    row.used_today = (row.used_today if row.day == today else 0) + documents
    row.day, row.used = today, row.used + documents


def day_of(now: datetime) -> str:
    """Return the calendar day, UTC, that a policy counts by."""
    return f"{now:%Y-%m-%d}"


def _check(unit: Unit, body: SigningPolicyIn) -> str:
    """Return who gets the policy. Raises ValidationFailed, which lists what is not there."""
    session, tenant_id = unit.session, unit.tenant_id
    grantee, errors = grantee_named(unit, body.grantee), []
    if grantee is None:
        errors.append(problem_at("/grantee", "not-found", "there is no such user or API key"))
    for name, value, find in (
        ("person", body.person, people.person),
        ("organisation", body.organisation, people.organisation),
        ("seal", body.seal, seals.get),
        ("agreement", body.agreement, agreements.get),
    ):
        if value is not None:
            try:
                find(session, tenant_id, value)
            except NotFound as error:
                errors.append(problem_at(f"/{name}", error.code, error.message))
    if errors or grantee is None:
        raise ValidationFailed("the policy cannot be made", errors=errors)
    return grantee
