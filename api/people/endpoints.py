"""`/v1/organisations` and `/v1/people`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from api.audit.schemas import LogCheckOut
from api.contracts.evidence_schemas import EventList
from api.kit.edge import Reply, Router, Unit, Version, changes, etag, reads, writes
from api.kit.pagination import After, Cursor, Limit, paginate
from api.people import repository, service
from api.people.kinds import ORGANISATIONS, PEOPLE, Kind
from api.people.models import Organisation, Person
from api.people.schemas import (
    OrganisationIn,
    OrganisationList,
    OrganisationOut,
    OrganisationPatch,
    PersonIn,
    PersonList,
    PersonOut,
    PersonPatch,
)

router = Router(prefix="/v1", tags=["people"])

READ, WRITE = "people:read", "people:write"


# organisations ---------------------------------------------------------------------------------------------------


@router.post("/organisations", status_code=201, response_model=OrganisationOut)
def create_organisation(unit: Annotated[Unit, writes(WRITE)], body: OrganisationIn) -> Reply:
    """Take an organisation on record. The checksums of its identifiers are checked."""
    row = service.create_organisation(unit, body)
    return _shown(row, location=f"/v1/organisations/{row.id}")


@router.get("/organisations", response_model=OrganisationList)
def list_organisations(unit: Annotated[Unit, reads(READ)], limit: Limit = 50, cursor: Cursor = None) -> Reply:
    """List organisations, newest first."""
    query = repository.organisations(unit.tenant_id)
    with unit.read() as session:
        page = paginate(session, query, Organisation, unit, cursor=cursor, limit=limit)
        data = [OrganisationOut.of(row) for row in page.rows]
    listing = OrganisationList(data=data, next_cursor=page.next_cursor)
    return Reply(listing, headers=page.link("/v1/organisations", limit))


@router.get("/organisations/{organisation_id}", response_model=OrganisationOut)
def get_organisation(unit: Annotated[Unit, reads(READ)], organisation_id: str) -> Reply:
    """Read an organisation. Its people are at `/v1/people?organisation=`."""
    with unit.read() as session:
        return _shown(repository.organisation(session, unit.tenant_id, organisation_id))


@router.patch("/organisations/{organisation_id}", response_model=OrganisationOut)
def update_organisation(
    unit: Annotated[Unit, changes(WRITE)], organisation_id: str, version: Version, body: OrganisationPatch
) -> Reply:
    """Change an organisation. Needs If-Match. What was proven of it counts no longer where it changes."""
    row = service.update_organisation(unit, organisation_id, version, body)
    return _shown(row)


@router.delete("/organisations/{organisation_id}", status_code=204, response_class=Response)
def delete_organisation(unit: Annotated[Unit, changes(WRITE)], organisation_id: str, version: Version) -> Reply:
    """Delete an organisation. Needs If-Match. Refused while it has people, a sent contract, a certificate or a seal."""
    service.delete(unit, ORGANISATIONS, organisation_id, version)
    return Reply(None)


@router.get("/organisations/{organisation_id}/events", response_model=EventList)
def list_organisation_events(
    unit: Annotated[Unit, reads(READ)], organisation_id: str, after: After = 0, limit: Limit = 200
) -> Reply:
    """Read the log of an organisation: append-only, each entry bound to the one before by its hash."""
    return _events(unit, ORGANISATIONS, organisation_id, after, limit)


@router.get("/organisations/{organisation_id}/events/check", response_model=LogCheckOut)
def check_organisation_events(unit: Annotated[Unit, reads(READ)], organisation_id: str) -> Reply:
    """Check that the log of an organisation is as it was written."""
    return _check(unit, ORGANISATIONS, organisation_id)


# people ----------------------------------------------------------------------------------------------------------


@router.post("/people", status_code=201, response_model=PersonOut)
def create_person(unit: Annotated[Unit, writes(WRITE)], body: PersonIn) -> Reply:
    """Take a person on record, with the organisations they belong to."""
    row = service.create_person(unit, body)
    return _shown(row, location=f"/v1/people/{row.id}")


@router.get("/people", response_model=PersonList)
def list_people(
    unit: Annotated[Unit, reads(READ)],
    limit: Limit = 50,
    cursor: Cursor = None,
    organisation: Annotated[str | None, Query(max_length=40, description="Only the people of this one.")] = None,
) -> Reply:
    """List people, newest first."""
    query = repository.people(unit.tenant_id, organisation)
    with unit.read() as session:
        page = paginate(session, query, Person, unit, cursor=cursor, limit=limit)
        data = [PersonOut.of(row) for row in page.rows]
    headers = page.link("/v1/people", limit, organisation=organisation)
    return Reply(PersonList(data=data, next_cursor=page.next_cursor), headers=headers)


@router.get("/people/{person_id}", response_model=PersonOut)
def get_person(unit: Annotated[Unit, reads(READ)], person_id: str) -> Reply:
    """Read a person."""
    with unit.read() as session:
        return _shown(repository.person(session, unit.tenant_id, person_id))


@router.patch("/people/{person_id}", response_model=PersonOut)
def update_person(unit: Annotated[Unit, changes(WRITE)], person_id: str, version: Version, body: PersonPatch) -> Reply:
    """Change a person. Needs If-Match. What was proven of them counts no longer where it changes."""
    return _shown(service.update_person(unit, person_id, version, body))


@router.delete("/people/{person_id}", status_code=204, response_class=Response)
def delete_person(unit: Annotated[Unit, changes(WRITE)], person_id: str, version: Version) -> Reply:
    """Delete a person. Needs If-Match. Refused while there is a sent contract, a certificate or a seal of theirs."""
    service.delete(unit, PEOPLE, person_id, version)
    return Reply(None)


@router.get("/people/{person_id}/events", response_model=EventList)
def list_person_events(
    unit: Annotated[Unit, reads(READ)], person_id: str, after: After = 0, limit: Limit = 200
) -> Reply:
    """Read the log of a person: append-only, each entry bound to the one before by its hash."""
    return _events(unit, PEOPLE, person_id, after, limit)


@router.get("/people/{person_id}/events/check", response_model=LogCheckOut)
def check_person_events(unit: Annotated[Unit, reads(READ)], person_id: str) -> Reply:
    """Check that the log of a person is as it was written."""
    return _check(unit, PEOPLE, person_id)


# both ------------------------------------------------------------------------------------------------------------


def _shown(row: Organisation | Person, **headers: str) -> Reply:
    body = OrganisationOut.of(row) if isinstance(row, Organisation) else PersonOut.of(row)
    return Reply(body, etag=etag(row.version), headers=headers)


def _events(unit: Unit, kind: Kind, name: str, after: int, limit: int) -> Reply:
    with unit.read() as session:
        owner = kind.get(session, unit.tenant_id, name)
        return Reply(EventList.of(kind.log.entries_of(session, owner, after=after, limit=limit + 1), limit))


def _check(unit: Unit, kind: Kind, name: str) -> Reply:
    with unit.read() as session:
        owner = kind.get(session, unit.tenant_id, name)
        return Reply(LogCheckOut.of(owner, kind.log.check(session, owner)))
