"""Decide about templates: make, change, delete; and make contracts of them."""

from __future__ import annotations

from typing import Any, Final

from api.audit.chain import Log
from api.audit.service import GENESIS
from api.contracts import service as contracts
from api.contracts.models import Contract
from api.contracts.origin import Origin
from api.contracts.rows import parties_of
from api.contracts.transition import actor_of
from api.contracts.workflow import SIGNS, Role
from api.errors import PreconditionFailed
from api.kit.edge import Unit, etag
from api.kit.ids import new_id
from api.kit.refusals import validated
from api.templates import repository
from api.templates.filling import Draft, fill, narrowed, slots_of, told_as
from api.templates.models import Template, TemplateDocument, TemplateEvent
from api.templates.schemas import FilledIn, TemplateIn, TemplatePatch

LOG: Final[Log[Template, TemplateEvent]] = Log("template", TemplateEvent)
"""template.created · template.changed · template.deleted, with every version in full."""


def create(unit: Unit, body: TemplateIn) -> Template:
    """Make a template. Raises ValidationFailed where no contract could be made of it."""
    draft, now = _draft(unit, body), unit.context.now()
    row = Template(
        id=new_id("tpl"),
        tenant_id=unit.tenant_id,
        version=0,
        log_sequence=0,
        log_hash=GENESIS,
        created_at=now,
    )
    unit.session.add(row)
    return _written(unit, row, draft, "template.created")


def update(unit: Unit, template_id: str, version: int, body: TemplatePatch) -> Template:
    """Change a template; contracts that were made of it stay. Raises NotFound, PreconditionFailed, ValidationFailed."""
    row = repository.get(unit.session, unit.tenant_id, template_id, lock=True)
    _check_version(row, version)
    changed = row.draft | body.model_dump(mode="json", exclude_unset=True)
    draft = _draft(unit, validated(TemplateIn, {name: value for name, value in changed.items() if value is not None}))
    return _written(unit, row, draft, "template.changed")


def delete(unit: Unit, template_id: str, version: int) -> None:
    """Delete a template. Its log and the contracts that were made of it stay."""
    row = repository.get(unit.session, unit.tenant_id, template_id, lock=True)
    _check_version(row, version)
    LOG.record(unit.session, row, "template.deleted", now=unit.context.now(), actor=actor_of(unit))
    unit.session.flush()
    unit.session.delete(row)


def make_contract(unit: Unit, template_id: str, filled: FilledIn) -> Contract:
    """Make a contract draft of a template as it is now. Raises NotFound, ValidationFailed, Conflict."""
    with unit.read() as session:
        template = repository.get(session, unit.tenant_id, template_id)
    draft = narrowed(template.draft, filled.parties)
    said = {value.slot: index for index, value in enumerate(filled.parties)}

    def place(slot: str, rest: str) -> str:
        return f"/parties/{said[slot]}{rest}" if slot in said else "/parties"

    with told_as(place, slots_of(draft)):
        body = fill(draft, filled, unit.context.now())
        return contracts.create(unit, body, Origin(template.id, template.version))


def _draft(unit: Unit, body: TemplateIn) -> Draft:
    """Return a template as it is stored, once a contract could be made of it. Raises ValidationFailed.

    What is left open is taken to be something that goes: the rest is looked at as for a contract.
    """
    draft = body.model_dump(mode="json", exclude_unset=True)
    complete = draft | {"parties": [_completed(slot) for slot in draft["parties"]]}
    trial = fill(complete, FilledIn.model_validate({}), unit.context.now())
    contracts.draft_of(unit, trial, parties_of(unit, trial.parties))
    return draft


def _completed(slot: dict[str, Any]) -> dict[str, Any]:
    slot = dict(slot)
    if "person" not in slot:
        slot.setdefault("name", "X")
    if slot.get("role") == Role.SEAL and "seal" not in slot:
        slot["role"] = Role.SIGNER
        slot.pop("seal_placement", None)
    if slot.get("role", Role.SIGNER) in SIGNS and not {"certificate", "suite", "seal"} & slot.keys():
        slot["suite"] = "ecdsa-p256"
    return slot


def _written(unit: Unit, row: Template, draft: Draft, event: str) -> Template:
    """Write a version, and note it in the log."""
    now = unit.context.now()
    row.title, row.draft, row.updated_at = draft["title"], draft, now
    row.version += 1
    wanted = {entry["id"] for entry in draft["documents"]}
    held = {each.document_id for each in row.documents}
    row.documents = [each for each in row.documents if each.document_id in wanted]
    row.documents += [TemplateDocument(document_id=name) for name in sorted(wanted - held)]
    LOG.record(unit.session, row, event, now=now, actor=actor_of(unit), data={"version": row.version, "draft": draft})
    unit.session.flush()
    return row


def _check_version(row: Template, expected: int) -> None:
    if row.version != expected:
        raise PreconditionFailed(f"the template is at {etag(row.version)} by now")
