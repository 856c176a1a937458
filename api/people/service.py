"""Decide about organisations and people: take on record, change, delete."""

from __future__ import annotations

from typing import Any, TypeVar

from api.audit.service import GENESIS
from api.contracts.parts import IdentifierIn
from api.contracts.transition import actor_of
from api.errors import NotFound, PreconditionFailed, StateConflict, ValidationFailed
from api.kit.edge import Unit, etag
from api.kit.ids import new_id
from api.kit.refusals import problem_at, refuse
from api.people import repository
from api.people.kinds import ORGANISATIONS, PEOPLE, Kind
from api.people.models import Membership, Organisation, Person
from api.people.schemas import (
    MembershipIn,
    NamesIn,
    OrganisationIn,
    OrganisationPatch,
    PersonIn,
    PersonPatch,
)
from certs.errors import BadIdentifier

T = TypeVar("T", Organisation, Person)

_REQUIRED = ("name", "names", "identifiers", "locale", "organisations")
"""Fields that a PATCH may replace and not remove."""


def create_organisation(unit: Unit, body: OrganisationIn) -> Organisation:
    """Take an organisation on record. Raises ValidationFailed for an identifier that is wrong."""
    row = Organisation(id=new_id("org"), **_new(unit, body))
    unit.session.add(row)
    return _noted(unit, ORGANISATIONS, row, "created", body.model_dump(mode="json"))


def create_person(unit: Unit, body: PersonIn) -> Person:
    """Take a person on record. Raises ValidationFailed for an identifier or an organisation that is none."""
    row = Person(id=new_id("per"), given_name=body.given_name, surname=body.surname, **_new(unit, body))
    row.memberships = _memberships(unit, body.organisations)
    unit.session.add(row)
    return _noted(unit, PEOPLE, row, "created", body.model_dump(mode="json"))


def update_organisation(unit: Unit, name: str, version: int, body: OrganisationPatch) -> Organisation:
    """Change an organisation. Raises NotFound, PreconditionFailed, ValidationFailed."""
    row = repository.organisation(unit.session, unit.tenant_id, name, lock=True)
    _change(row, version, body)
    return _noted(unit, ORGANISATIONS, row, "changed", body.model_dump(mode="json", exclude_unset=True))


def update_person(unit: Unit, name: str, version: int, body: PersonPatch) -> Person:
    """Change a person. Raises NotFound, PreconditionFailed, ValidationFailed."""
    row = repository.person(unit.session, unit.tenant_id, name, lock=True)
    _change(row, version, body)
    for field in {"given_name", "surname"} & body.model_fields_set:
        setattr(row, field, getattr(body, field))
    if body.organisations is not None:
        found = _memberships(unit, body.organisations)
        row.memberships.clear()
        unit.session.flush()
        row.memberships.extend(found)
    return _noted(unit, PEOPLE, row, "changed", body.model_dump(mode="json", exclude_unset=True))


def delete(unit: Unit, kind: Kind, name: str, version: int) -> None:
    """Delete an organisation or a person; log and identity proofs stay. Raises StateConflict where it is in use."""
    row = kind.get(unit.session, unit.tenant_id, name, lock=True)
    _check_version(row, version)
    user = repository.in_use(unit.session, row)
    if user is not None:
        raise StateConflict(f"the {kind.name} is in use by {user}", state="in-use", allowed=[])
    kind.log.record(unit.session, row, f"{kind.name}.deleted", now=unit.context.now(), actor=actor_of(unit))
    unit.session.flush()
    unit.session.delete(row)


def _new(unit: Unit, body: OrganisationIn | PersonIn) -> dict[str, Any]:
    now = unit.context.now()
    return {
        "tenant_id": unit.tenant_id,
        "version": 0,
        "name": body.name,
        "names": _names(body.names),
        "country": body.country,
        "identifiers": _identifiers(body.identifiers),
        "email": body.email,
        "locale": body.locale,
        "log_sequence": 0,
        "log_hash": GENESIS,
        "created_at": now,
        "updated_at": now,
    }


def _change(row: Organisation | Person, version: int, body: OrganisationPatch | PersonPatch) -> None:
    _check_version(row, version)
    given = body.model_fields_set
    for name in _REQUIRED:
        if name in given and getattr(body, name) is None:
            raise refuse(f"/{name}", "null", "cannot be null")
    for name in {"name", "country", "email", "locale"} & given:
        setattr(row, name, getattr(body, name))
    if body.names is not None:
        row.names = _names(body.names)
    if body.identifiers is not None:
        row.identifiers = _identifiers(body.identifiers)


def _check_version(row: Organisation | Person, expected: int) -> None:
    if row.version != expected:
        raise PreconditionFailed(f"the object is at {etag(row.version)} by now")


def _noted(unit: Unit, kind: Kind, row: T, what: str, facts: dict[str, Any]) -> T:
    """Count one more version and write it into the log, which tells every change."""
    now = unit.context.now()
    unit.session.flush()
    row.version += 1
    row.updated_at = now
    kind.log.record(unit.session, row, f"{kind.name}.{what}", now=now, actor=actor_of(unit), data=facts)
    unit.session.flush()
    return row


def _names(names: NamesIn) -> dict[str, str]:
    return names.model_dump(exclude_none=True)


def _identifiers(items: list[IdentifierIn]) -> list[dict[str, str]]:
    from certs.identifiers import Identifier

    errors = []
    for index, item in enumerate(items):
        try:
            Identifier(item.scheme, item.value).check()
        except BadIdentifier as error:
            errors.append(problem_at(f"/identifiers/{index}", error.code, error.message))
        if any(item.scheme == other.scheme for other in items[:index]):
            errors.append(problem_at(f"/identifiers/{index}", "repeated", f"there is a second {item.scheme}"))
    if errors:
        raise ValidationFailed(errors[0]["detail"], errors=errors)
    return [{"scheme": item.scheme, "value": item.value} for item in items]


def _memberships(unit: Unit, items: list[MembershipIn]) -> list[Membership]:
    errors = []
    for index, item in enumerate(items):
        pointer = f"/organisations/{index}/organisation"
        try:
            repository.organisation(unit.session, unit.tenant_id, item.organisation, lock=True)
        except NotFound as error:
            errors.append(problem_at(pointer, error.code, error.message))
        if any(item.organisation == other.organisation for other in items[:index]):
            errors.append(problem_at(pointer, "repeated", "is named twice"))
    if errors:
        raise ValidationFailed("an organisation of the person cannot be used", errors=errors)
    return [
        Membership(
            number=number,
            organisation_id=item.organisation,
            position=item.position,
            legal_representative=item.legal_representative,
        )
        for number, item in enumerate(items)
    ]
