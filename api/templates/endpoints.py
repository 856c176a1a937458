"""`/v1/templates`."""

from __future__ import annotations

from typing import Annotated

from starlette.responses import Response

from api.audit.schemas import LogCheckOut
from api.contracts.evidence_schemas import EventList
from api.contracts.schemas import ContractOut
from api.kit.edge import Reply, Router, Unit, Version, changes, etag, reads, writes
from api.kit.pagination import After, Cursor, Limit, paginate
from api.templates import repository, service
from api.templates.models import Template
from api.templates.schemas import FilledIn, TemplateIn, TemplateItem, TemplateList, TemplateOut, TemplatePatch

router = Router(prefix="/v1/templates", tags=["templates"])


def _reply(row: Template, **headers: str) -> Reply:
    return Reply(TemplateOut.of(row), etag=etag(row.version), headers=headers)


@router.post("", status_code=201, response_model=TemplateOut)
def create_template(unit: Annotated[Unit, writes("templates:write")], body: TemplateIn) -> Reply:
    """Make a template. What it says is looked at as for a contract; what it leaves open is filled in for each."""
    row = service.create(unit, body)
    return _reply(row, location=f"/v1/templates/{row.id}")


@router.get("", response_model=TemplateList)
def list_templates(unit: Annotated[Unit, reads("contracts:read")], limit: Limit = 50, cursor: Cursor = None) -> Reply:
    """List templates, newest first."""
    with unit.read() as session:
        page = paginate(session, repository.all_of(unit.tenant_id), Template, unit, cursor=cursor, limit=limit)
    rows = [TemplateItem.model_validate(row, from_attributes=True) for row in page.rows]
    return Reply(TemplateList(data=rows, next_cursor=page.next_cursor), headers=page.link("/v1/templates", limit))


@router.get("/{template_id}", response_model=TemplateOut)
def get_template(unit: Annotated[Unit, reads("contracts:read")], template_id: str) -> Reply:
    """Read a template."""
    with unit.read() as session:
        return _reply(repository.get(session, unit.tenant_id, template_id))


@router.patch("/{template_id}", response_model=TemplateOut)
def update_template(
    unit: Annotated[Unit, changes("templates:write")], template_id: str, version: Version, body: TemplatePatch
) -> Reply:
    """Change a template. Needs If-Match. Contracts and bulk sends that were made of it stay as they are."""
    return _reply(service.update(unit, template_id, version, body))


@router.delete("/{template_id}", status_code=204, response_class=Response)
def delete_template(unit: Annotated[Unit, changes("templates:write")], template_id: str, version: Version) -> Reply:
    """Delete a template. Needs If-Match. Its log is kept, and so is everything that was made of it."""
    service.delete(unit, template_id, version)
    return Reply(None)


@router.post("/{template_id}/contracts", status_code=201, response_model=ContractOut)
def create_contract_from_template(
    unit: Annotated[Unit, writes("contracts:write")], template_id: str, body: FilledIn
) -> Reply:
    """Make a contract draft of a template as it is now."""
    contract = service.make_contract(unit, template_id, body)
    headers = {"location": f"/v1/contracts/{contract.id}"}
    return Reply(ContractOut.of(contract), etag=etag(contract.version), headers=headers)


@router.get("/{template_id}/events", response_model=EventList)
def list_template_events(
    unit: Annotated[Unit, reads("contracts:read")], template_id: str, after: After = 0, limit: Limit = 200
) -> Reply:
    """Read the log of a template, which has every version in full."""
    with unit.read() as session:
        row = repository.get(session, unit.tenant_id, template_id)
        found = service.LOG.entries_of(session, row, after=after, limit=limit + 1)
    return Reply(EventList.of(found, limit))


@router.get("/{template_id}/events/check", response_model=LogCheckOut)
def check_template_events(unit: Annotated[Unit, reads("contracts:read")], template_id: str) -> Reply:
    """Check that the log of a template is as it was written."""
    with unit.read() as session:
        row = repository.get(session, unit.tenant_id, template_id)
        return Reply(LogCheckOut.of(row, service.LOG.check(session, row)))
