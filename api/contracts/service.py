"""Decide about contracts: make, change, send, withdraw, decline."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from api.audit.service import GENESIS, record
from api.contracts import repository, workflow
from api.contracts.models import Contract, ContractDocument, Party, Revision
from api.contracts.people import party_facts
from api.contracts.readiness import make_ready
from api.contracts.schemas import ContractIn, ContractPatch, PartyIn
from api.contracts.transition import actor_of, agreement_of, apply, check_version, touch
from api.contracts.workflow import ContractState, PartyState, Role
from api.errors import Conflict, NotFound, StateConflict, ValidationFailed
from api.kit.edge import Unit
from api.kit.ids import new_id
from api.kit.refusals import problem_at
from api.seals import repository as seals
from api.seals.models import Seal
from certs.errors import BadIdentifier, SealroadError

MAX_CHAIN: Final = 10
"""Certificates of a party that are kept: its own and its chain."""


def create(unit: Unit, body: ContractIn) -> Contract:
    """Make a draft. Raises ValidationFailed or Conflict (external_id)."""
    now = unit.context.now()
    contract = Contract(
        id=new_id("ctr"),
        tenant_id=unit.tenant_id,
        external_id=body.external_id,
        title=body.title,
        state=str(ContractState.DRAFT),
        version=1,
        level=body.level,
        created_at=now,
        updated_at=now,
        expires_at=_deadline(body.expires_at, now),
        audit_sequence=0,
        audit_hash=GENESIS,
    )
    parties = _parties(unit, body.parties)
    _claim_external_id(unit, contract)
    contract.documents = _documents(unit, body.documents)
    contract.parties = parties
    unit.session.add(contract)
    facts = {"title": body.title, "documents": body.documents, "parties": len(parties)}
    record(unit.session, contract, "contract.created", now=now, actor=actor_of(unit), data=facts)
    unit.session.flush()
    return contract


def update(unit: Unit, contract_id: str, version: int, body: ContractPatch) -> Contract:
    """Change a draft. Raises NotFound, PreconditionFailed, StateConflict, ValidationFailed or Conflict."""
    session, now = unit.session, unit.context.now()
    contract = repository.get(session, unit.tenant_id, contract_id, lock=True)
    check_version(contract, version)
    _require_draft(contract)
    given = body.model_fields_set
    for name in ("title", "documents", "parties", "level"):
        if name in given and getattr(body, name) is None:
            raise ValidationFailed(f"{name} cannot be null", errors=[problem_at(f"/{name}", "null", "cannot be null")])
    if body.title is not None:
        contract.title = body.title
    if body.level is not None:
        contract.level = body.level
    if "expires_at" in given:
        contract.expires_at = _deadline(body.expires_at, now)
    if "external_id" in given:
        contract.external_id = body.external_id
        _claim_external_id(unit, contract)
    if body.documents is not None:
        replacement = _documents(unit, body.documents)
        contract.documents.clear()
        session.flush()
        contract.documents.extend(replacement)
    if body.parties is not None:
        replaced = _parties(unit, body.parties)
        contract.parties.clear()
        session.flush()
        contract.parties.extend(replaced)
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
    ready = make_ready(context, contract)

    session, now = unit.session, context.now()
    contract = repository.get(session, unit.tenant_id, contract_id, lock=True)
    check_version(contract, version)
    change = workflow.send(agreement_of(contract))
    for party in contract.parties:
        key = ready.keys.get(party.id)
        if key is not None:
            party.certificates, party.sealed_key = key.certificates, key.sealed_key
            party.identity = key.identity or party.identity
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
    apply(session, contract, change, now=now, actor=actor_of(unit), data=_what_is_sent(contract))
    return contract


def void(unit: Unit, contract_id: str, version: int | None, reason: str | None) -> Contract:
    """Withdraw a contract that is not complete."""
    contract = repository.get(unit.session, unit.tenant_id, contract_id, lock=True)
    check_version(contract, version)
    change = workflow.void(agreement_of(contract))
    apply(unit.session, contract, change, now=unit.context.now(), actor=actor_of(unit), data={"reason": reason})
    return contract


def decline(unit: Unit, contract_id: str, party_id: str, reason: str | None) -> Contract:
    """Let a party refuse."""
    contract = repository.get(unit.session, unit.tenant_id, contract_id, lock=True)
    party = repository.party_of(contract, party_id)
    change = workflow.decline(agreement_of(contract), party_id)
    party.declined_reason = reason
    apply(unit.session, contract, change, now=unit.context.now(), actor=actor_of(unit), data={"reason": reason})
    return contract


def retry_finalisation(unit: Unit, contract_id: str) -> Contract:
    """Finalise a failed contract again."""
    contract = repository.get(unit.session, unit.tenant_id, contract_id, lock=True)
    change = workflow.retry(agreement_of(contract))
    contract.failure = None
    apply(unit.session, contract, change, now=unit.context.now(), actor=actor_of(unit))
    unit.wake_worker()
    return contract


def _what_is_sent(contract: Contract) -> dict[str, Any]:
    """Return, for the audit, the exact documents and certificates that the parties were asked to sign with."""
    from api.contracts.schemas import certificate_out

    return {
        "documents": [
            {"id": row.document_id, "sha256": row.document.sha256, "revision_sha256": row.head_sha256}
            for row in contract.documents
        ],
        "parties": [
            {
                "id": party.id,
                "name": party.name,
                "role": party.role,
                "order": party.order,
                "seal": party.seal_id,
                "suite": party.suite,
                "certificate_sha256": certificate_out(party.certificates).sha256 if party.certificates else None,
                "identity": party.identity,
            }
            for party in contract.parties
        ],
        "expires_at": contract.expires_at.astimezone(UTC).isoformat() if contract.expires_at else None,
    }


def _require_draft(contract: Contract) -> None:
    if contract.state != ContractState.DRAFT:
        moves = sorted(workflow.CONTRACT_MOVES[ContractState(contract.state)])
        raise StateConflict("only a draft can be changed", state=contract.state, allowed=moves)


def _deadline(value: datetime | None, now: datetime) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        error = problem_at("/expires_at", "naive", "state the offset, e.g. 2027-01-31T00:00:00Z")
        raise ValidationFailed("expires_at has no time zone", errors=[error])
    try:
        value = value.astimezone(UTC)
    except OverflowError:
        value = now
    if value <= now:
        raise ValidationFailed("expires_at is past", errors=[problem_at("/expires_at", "past", "is not in the future")])
    return value


def _claim_external_id(unit: Unit, contract: Contract) -> None:
    taken = contract.external_id is not None and repository.external_id_taken(
        unit.session, unit.tenant_id, contract.external_id, by_other_than=contract.id
    )
    if taken:
        raise Conflict("another contract has this external_id")


def _documents(unit: Unit, ids: list[str]) -> list[ContractDocument]:
    known = repository.documents_named(unit.session, unit.tenant_id, ids)
    errors = [
        problem_at(f"/documents/{index}", "not-found", "there is no such document")
        for index, name in enumerate(ids)
        if name not in known
    ]
    errors += [
        problem_at(f"/documents/{index}", "repeated", "named twice")
        for index, name in enumerate(ids)
        if name in ids[:index]
    ]
    if errors:
        raise ValidationFailed("some documents cannot be used", errors=errors)
    return [
        ContractDocument(
            document_id=name,
            document=known[name],
            position=position,
            head_number=0,
            head_sha256=known[name].sha256,
            head_size=known[name].size,
        )
        for position, name in enumerate(ids)
    ]


def _parties(unit: Unit, bodies: list[PartyIn]) -> list[Party]:
    """Return the rows of parties in the order in which they act."""
    rows = [_party(unit, index, body) for index, body in enumerate(bodies)]
    return sorted(rows, key=lambda row: (row.order, row.position))


def _party(unit: Unit, index: int, body: PartyIn) -> Party:
    pointer = f"/parties/{index}"
    known = party_facts(unit, pointer, body)
    suite, certificates = _way_to_sign(pointer, body)
    holder = None if body.role is Role.CC else "party" if body.certificate is not None else "service"
    if body.seal is not None:
        seal = _seal(unit, f"{pointer}/seal", body.seal)
        suite, holder = seal.suite, seal.key_holder
    for place, identifier in enumerate(body.identifiers):
        _check_identifier(f"{pointer}/identifiers/{place}", identifier.scheme, identifier.value)
    return Party(
        id=new_id("pty"),
        position=index,
        order=body.order,
        role=str(body.role),
        state=str(PartyState.PENDING),
        **known,
        signature_area=body.signature_area.model_dump(mode="json") if body.signature_area else None,
        reason=body.reason,
        location=body.location,
        seal_id=body.seal,
        seal_placement=body.seal_placement.model_dump() if body.seal_placement is not None else None,
        key_holder=holder,
        suite=suite,
        certificates=certificates,
    )


def _seal(unit: Unit, pointer: str, name: str) -> Seal:
    with unit.read() as session:
        try:
            return seals.get(session, unit.tenant_id, name)
        except NotFound as error:
            problem = problem_at(pointer, error.code, error.message)
            raise ValidationFailed("a seal of a party cannot be used", errors=[problem]) from None


def _way_to_sign(pointer: str, body: PartyIn) -> tuple[str | None, str | None]:
    """Return a party's suite and its certificates as PEM; whatever else stood in the PEM (a key!) is dropped."""
    from certs import suites
    from certs.certificate import load_certificates

    try:
        if body.suite is not None:
            suites.not_old(body.suite)
            return suites.get(body.suite).name, None
        if body.certificate is not None:
            bundle = load_certificates(body.certificate.encode())[:MAX_CHAIN]
            suite = bundle[0].public_key().suite.name
            suites.not_old(suite)
            return suite, "".join(each.pem for each in bundle)
    except SealroadError as error:
        where = "suite" if body.suite is not None else "certificate"
        problem = problem_at(f"{pointer}/{where}", error.code, error.message)
        raise ValidationFailed(f"the {where} of a party cannot be used: {error}", errors=[problem]) from None
    return None, None


def _check_identifier(pointer: str, scheme: str, value: str) -> None:
    from certs.identifiers import Identifier

    try:
        Identifier(scheme, value).check()
    except BadIdentifier as error:
        raise ValidationFailed(str(error), errors=[problem_at(pointer, error.code, error.message)]) from None
