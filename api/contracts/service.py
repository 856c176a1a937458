"""Decide about contracts: make, change, send, withdraw, decline."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from api.agreements import repository as agreements
from api.audit.service import GENESIS, record
from api.contracts import fields, languages, relations, repository, workflow
from api.contracts.deadlines import deadline
from api.contracts.models import Contract, Party, Revision
from api.contracts.origin import Origin
from api.contracts.parts import DocumentEntry, certificate_out
from api.contracts.readiness import make_ready
from api.contracts.reminders import next_reminder
from api.contracts.rows import documents_of, parties_of
from api.contracts.schemas import ContractIn, ContractPatch
from api.contracts.transition import actor_of, agreement_of, apply, check_version, touch
from api.contracts.workflow import ContractState
from api.errors import Conflict, NotFound, StateConflict, ValidationFailed
from api.factors import policy as factors
from api.kit.bell import announce
from api.kit.edge import Unit
from api.kit.ids import new_id
from api.kit.refusals import problem_at


def create(unit: Unit, body: ContractIn, origin: Origin | None = None) -> Contract:
    """Make a draft. Raises ValidationFailed or Conflict (external_id)."""
    parties = parties_of(unit, body.parties)
    session = unit.session  # what was read until here needs no lock; from here on nobody else writes
    contract = draft_of(unit, body, parties)
    facts: dict[str, Any] = {"title": body.title, "documents": [entry.id for entry in body.documents]}
    facts |= {"parties": len(parties), **relations.facts_of(contract)}
    if origin is not None:
        origin.mark(contract)
        facts |= origin.facts
    session.add(contract)
    record(session, contract, "contract.created", now=contract.created_at, actor=actor_of(unit), data=facts)
    session.flush()
    return contract


def draft_of(unit: Unit, body: ContractIn, parties: list[Party]) -> Contract:
    """Return a draft that is in no session yet. Raises ValidationFailed or Conflict (external_id)."""
    now = unit.context.now()
    contract = Contract(
        id=new_id("ctr"),
        tenant_id=unit.tenant_id,
        external_id=body.external_id,
        title=body.title,
        state=str(ContractState.DRAFT),
        version=1,
        level=body.level,
        agreement_id=_agreement(unit, body.agreement),
        created_at=now,
        updated_at=now,
        expires_at=deadline(body.expires_at, now),
        prevailing_language=body.prevailing_language,
        consent=body.consent,
        reminders=body.reminders.model_dump() if body.reminders is not None else None,
        delivery=body.delivery.model_dump() if body.delivery is not None else None,
        audit_sequence=0,
        audit_hash=GENESIS,
    )
    _claim_external_id(unit, contract)
    relations.relate(unit, contract, body.relates_to)
    contract.documents = documents_of(unit, body.documents, body.prevailing_language)
    contract.parties = parties
    contract.fields = fields.drafted(contract, body.fields)
    return contract


def update(unit: Unit, contract_id: str, version: int, body: ContractPatch) -> Contract:
    """Change a draft. Raises NotFound, PreconditionFailed, StateConflict, ValidationFailed or Conflict."""
    session, now = unit.session, unit.context.now()
    contract = repository.get(session, unit.tenant_id, contract_id, lock=True)
    check_version(contract, version)
    _require_draft(contract)
    given = body.model_fields_set
    for name in ("title", "documents", "parties", "level", "consent"):
        if name in given and getattr(body, name) is None:
            raise ValidationFailed(f"{name} cannot be null", errors=[problem_at(f"/{name}", "null", "cannot be null")])
    if body.title is not None:
        contract.title = body.title
    if body.level is not None:
        contract.level = body.level
    if body.consent is not None:
        contract.consent = body.consent
    if "expires_at" in given:
        contract.expires_at = deadline(body.expires_at, now)
    if "delivery" in given:
        contract.delivery = body.delivery.model_dump() if body.delivery is not None else None
    if "external_id" in given:
        contract.external_id = body.external_id
        _claim_external_id(unit, contract)
    if "agreement" in given:
        contract.agreement_id = _agreement(unit, body.agreement)
    if "reminders" in given:
        contract.reminders = body.reminders.model_dump() if body.reminders is not None else None
    if "relates_to" in given:
        relations.relate(unit, contract, body.relates_to)
    if "prevailing_language" in given:
        contract.prevailing_language = body.prevailing_language
    if given & {"documents", "prevailing_language"}:
        entries = body.documents if body.documents is not None else _entries(contract)
        replacement = documents_of(unit, entries, contract.prevailing_language)
        contract.documents.clear()
        session.flush()
        contract.documents.extend(replacement)
    if body.parties is not None:
        replaced = parties_of(unit, body.parties)
        contract.parties.clear()
        session.flush()
        contract.parties.extend(replaced)
    if given & {"documents", "parties", "fields"}:
        contract.fields = fields.drafted(contract, (body.fields or []) if "fields" in given else None)
    record(session, contract, "contract.changed", now=now, actor=actor_of(unit), data={"fields": sorted(given)})
    touch(contract, now)
    session.flush()
    return contract


def delete(unit: Unit, contract_id: str, version: int) -> None:
    """Delete a draft; its audit trail stays."""
    contract = repository.get(unit.session, unit.tenant_id, contract_id, lock=True)
    check_version(contract, version)
    _require_draft(contract)
    record(unit.session, contract, "contract.deleted", now=unit.context.now(), actor=actor_of(unit))
    unit.session.flush()
    unit.session.delete(contract)
    announce(unit.session, contract.id)


def send(unit: Unit, contract_id: str, version: int) -> Contract:
    """Send a draft to its parties, once everything that would make signing fail later has been ruled out.

    1. Read the draft and ask the state machine.
    2. Without holding the database: check certificates, names, areas; issue certificates; lay out (`readiness`).
    3. Write, if the draft is still the one that was checked.
    """
    context = unit.context
    with unit.read() as session:
        contract = repository.get(session, unit.tenant_id, contract_id)
        check_version(contract, version)
        workflow.send(agreement_of(contract))
        relations.check(session, contract)
    ready = make_ready(context, contract)

    session, now = unit.session, context.now()
    contract = repository.get(session, unit.tenant_id, contract_id, lock=True)
    check_version(contract, version)
    change = workflow.send(agreement_of(contract))
    relations.check(session, contract)
    for party in contract.parties:
        key = ready.keys.get(party.id)
        if key is not None:
            party.certificates, party.sealed_key = key.certificates, key.sealed_key
            party.identity = key.identity or party.identity
    factors.apply(context, session, contract)
    for document in contract.documents:
        layout = ready.layouts[document.document_id]
        document.head_number, document.head_sha256, document.head_size = 0, layout.sha256, layout.size
        session.add(
            Revision(
                id=new_id("rev"),
                contract_id=contract.id,
                document_id=document.document_id,
                number=0,
                sha256=layout.sha256,
                size=layout.size,
                parent_sha256=None,
                party_id=None,
                signature_id=None,
                created_at=now,
            )
        )
    contract.sent_at, contract.expires_at = now, ready.expires_at
    contract.next_reminder_at = next_reminder(contract, now)
    apply(session, contract, change, now=now, actor=actor_of(unit), data=_what_is_sent(contract))
    return contract


def void(unit: Unit, contract_id: str, version: int | None, reason: str | None) -> Contract:
    """Withdraw a contract that is not complete."""
    contract = repository.get(unit.session, unit.tenant_id, contract_id, lock=True)
    check_version(contract, version)
    change = workflow.void(agreement_of(contract))
    apply(unit.session, contract, change, now=unit.context.now(), actor=actor_of(unit), data={"reason": reason})
    return contract


def decline(unit: Unit, contract_id: str, party_id: str, version: int | None, reason: str | None) -> Contract:
    """Let a party refuse."""
    contract = repository.get(unit.session, unit.tenant_id, contract_id, lock=True)
    party = repository.party_of(contract, party_id)
    check_version(contract, version)
    change = workflow.decline(agreement_of(contract), party_id)
    party.declined_reason = reason
    apply(unit.session, contract, change, now=unit.context.now(), actor=actor_of(unit), data={"reason": reason})
    return contract


def retry_finalisation(unit: Unit, contract_id: str, version: int | None) -> Contract:
    """Finalise a failed contract again."""
    contract = repository.get(unit.session, unit.tenant_id, contract_id, lock=True)
    check_version(contract, version)
    change = workflow.retry(agreement_of(contract))
    contract.failure = None
    apply(unit.session, contract, change, now=unit.context.now(), actor=actor_of(unit))
    return contract


def _what_is_sent(contract: Contract) -> dict[str, Any]:
    """Return, for the audit, the exact documents and certificates that the parties were asked to sign with."""
    return {
        "documents": [
            {
                "id": row.document_id,
                "language": row.language,
                "version_of": row.version_of,
                "sha256": row.document.sha256,
                "revision_sha256": row.head_sha256,
            }
            for row in contract.documents
        ],
        "prevailing_language": contract.prevailing_language,
        "manifest": languages.digests_of(languages.manifest_of(contract)),
        **relations.facts_of(contract),
        "parties": [
            {
                "id": party.id,
                "name": party.name,
                "role": party.role,
                "order": party.order,
                "seal": party.seal_id,
                "suite": party.suite,
                "factors": party.factors,
                "certificate_sha256": certificate_out(party.certificates).sha256 if party.certificates else None,
                "identity": party.identity,
            }
            for party in contract.parties
        ],
        "fields": fields.digests_of(contract),
        "expires_at": contract.expires_at.astimezone(UTC).isoformat() if contract.expires_at else None,
        "agreement": contract.agreement_id,
    }


def _require_draft(contract: Contract) -> None:
    if contract.state != ContractState.DRAFT:
        moves = sorted(workflow.CONTRACT_MOVES[ContractState(contract.state)])
        raise StateConflict("only a draft can be changed", state=contract.state, allowed=moves)


def _entries(contract: Contract) -> list[DocumentEntry]:
    return [
        DocumentEntry(id=row.document_id, language=row.language, version_of=row.version_of)
        for row in contract.documents
    ]


def _claim_external_id(unit: Unit, contract: Contract) -> None:
    if contract.external_id is None:
        return
    with unit.read() as session:
        taken = repository.external_id_taken(session, unit.tenant_id, contract.external_id, by_other_than=contract.id)
    if taken:
        raise Conflict("another contract has this external_id")


def _agreement(unit: Unit, name: str | None) -> str | None:
    """Return the id of an agreement that is the tenant's. Raises ValidationFailed."""
    if name is not None:
        with unit.read() as session:
            try:
                agreements.get(session, unit.tenant_id, name)
            except NotFound as error:
                problem = problem_at("/agreement", error.code, error.message)
                raise ValidationFailed("the agreement cannot be used", errors=[problem]) from None
    return name
