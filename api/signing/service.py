"""Decide about signing: whose turn it is, whether the consent fits, whose key it is."""

from __future__ import annotations

import base64
from typing import Any

from sqlalchemy.orm import Session

from api.contracts import repository as contracts
from api.contracts import workflow
from api.contracts.models import Contract, Party
from api.contracts.transition import actor_of, agreement_of, apply, check_version, require_time
from api.errors import MalformedRequest, StateConflict
from api.jobs.models import Job
from api.jobs.queue import enqueue
from api.kit.edge import Unit
from api.mandates import standing as mandates
from api.seals import repository as seals
from api.seals import uses
from api.signing import intent, locked, pdf, repository
from api.signing.consent import consent_of
from api.signing.embedding import embed, record_intent
from api.signing.grounds import Grounds, examine
from api.signing.models import Signature
from api.signing.schemas import Consent, SignatureRequestIn, SignatureValueIn, SignIn
from signer.errors import StaleRequest
from signer.seals.lifecycle import Purpose


def sign(unit: Unit, contract_id: str, party_id: str, version: int | None, body: SignIn) -> Job:
    """Take the consent of a party whose key the service holds, with what it fills in, and enqueue the signing."""
    grounds = examine(unit, contract_id, party_id, version, body.consent, body.factors, body.values)
    first = begin if grounds.proven.holder is None else locked.begin
    payload, number = first(unit, party_id, version, body.consent, grounds)
    key, now = f"sign:{party_id}:{number}", unit.context.now()
    return enqueue(unit.session, tenant_id=unit.tenant_id, kind="sign", key=key, payload=payload, now=now)


def begin(
    unit: Unit, party_id: str, version: int | None, consent: Consent, grounds: Grounds
) -> tuple[dict[str, Any], int]:
    """Take the consent of a party whose key the service holds; return what a job then does, and the new version."""
    session, now = unit.session, unit.context.now()
    contract = contracts.again(session, grounds.contract)
    contracts.party_of(contract, party_id)
    check_version(contract, version)
    party = _party_that_may_sign(unit, contract, party_id, holder="service")
    agreed = consent_of(session, unit, contract, party, consent)
    change = workflow.start_signing(agreement_of(contract), party.id)
    _may_seal(session, unit, contract, party, [row.document_id for row in contract.documents])
    authority = grounds.confirm(session, contract, party, now)
    recorded = intent.draw_up(contract, party, agreed, now, authority, grounds.proven.facts)
    session.add(recorded)
    facts = intent.facts_of(recorded, agreed, authority)
    apply(session, contract, change, now=now, actor=actor_of(unit), data=facts)
    return intent.payload_of(recorded, agreed, unit.principal.who), contract.version


def request_signature(
    unit: Unit, contract_id: str, party_id: str, version: int | None, body: SignatureRequestIn
) -> tuple[Signature, Party]:
    """Prepare a document for a party that holds its own key, and put what it is to sign on record."""
    context = unit.context
    grounds = examine(unit, contract_id, party_id, version, body.consent, body.factors, body.values)
    with unit.read() as session:
        contract = contracts.get(session, unit.tenant_id, contract_id)
        contracts.party_of(contract, party_id)
        check_version(contract, version)
        party = _party_that_may_sign(unit, contract, party_id, holder="party")
        workflow.start_signing(agreement_of(contract), party.id, again=True)
        done = contracts.signed_documents(session, contract, party.id)
        document_id = _document_to_sign(contract, done, body.document)
        agreed = consent_of(session, unit, contract, party, body.consent)
        _may_seal(session, unit, contract, party, [document_id])
        base = contracts.document_of(contract, document_id).head_sha256
        authority = mandates.confirm(session, party, grounds.standing, context.now())
    party.field_values = grounds.stated  # of the detached copy, for the record and the file
    recorded = intent.draw_up(contract, party, agreed, context.now(), authority, grounds.proven.facts)
    recorded = intent.certified(context, recorded, party.suite or "")
    prepared, received = pdf.prepare_kept(context, contract, party, document_id, base)

    session, now, actor = unit.session, context.now(), actor_of(unit)
    contract = contracts.get(session, unit.tenant_id, contract_id, lock=True)
    check_version(contract, version)
    party = _party_that_may_sign(unit, contract, party_id, holder="party")
    change = workflow.start_signing(agreement_of(contract), party.id, again=True)
    grounds.confirm(session, contract, party, now)
    session.add(recorded)
    apply(session, contract, change, now=now, actor=actor, data=intent.facts_of(recorded, agreed, authority))
    signature = record_intent(
        session,
        contract,
        party,
        document_id=document_id,
        base_sha256=base,
        prepared=prepared,
        prepared_file=received,
        consent=agreed,
        who=unit.principal.who,
        now=now,
        actor=actor,
        expires_at=now + context.settings.signature_request_life,
    )
    return signature, party


def get_request(unit: Unit, contract_id: str, party_id: str, signature_id: str) -> tuple[Signature, Party]:
    """Return a signature request."""
    with unit.read() as session:
        signature = repository.get(session, unit.tenant_id, contract_id, party_id, signature_id)
        contract = contracts.get(session, unit.tenant_id, contract_id)
        return signature, contracts.party_of(contract, party_id)


def hand_in(
    unit: Unit, contract_id: str, party_id: str, signature_id: str, body: SignatureValueIn
) -> tuple[Signature, Party, Contract]:
    """Take what a party's key returned. A wrong, late, repeated or foreign value changes nothing.

    Raises WrongValue, StaleRequest, StateConflict or TimeStampError.
    """
    context = unit.context
    with unit.read() as session:
        signature = repository.get(session, unit.tenant_id, contract_id, party_id, signature_id)
        contract = contracts.get(session, unit.tenant_id, contract_id)
        party = contracts.party_of(contract, party_id)
    require_open(unit, contract, party, signature)
    if body.error is not None:
        return _report_failure(unit, contract_id, party_id, signature_id, body.error)
    with unit.read() as session:
        mandates.require_in_term(session, unit.tenant_id, party, context.now())

    value, cms = _decode(body.signature), _decode(body.cms)
    received = pdf.complete_kept(context, contract, party, signature, value=value, cms=cms)

    session = unit.session
    contract = contracts.get(session, unit.tenant_id, contract_id, lock=True)
    signature = repository.get(session, unit.tenant_id, contract_id, party_id, signature_id, lock=True)
    party = contracts.party_of(contract, party_id)
    require_open(unit, contract, party, signature)
    mandates.require_in_term(session, unit.tenant_id, party, context.now())
    embed(session, contract, signature, signed_file=received, now=context.now(), actor=actor_of(unit))
    return signature, party, contract


def _report_failure(
    unit: Unit, contract_id: str, party_id: str, signature_id: str, error: str
) -> tuple[Signature, Party, Contract]:
    session, now = unit.session, unit.context.now()
    contract = contracts.get(session, unit.tenant_id, contract_id, lock=True)
    signature = repository.get(session, unit.tenant_id, contract_id, party_id, signature_id, lock=True)
    party = contracts.party_of(contract, party_id)
    require_open(unit, contract, party, signature)
    failure = {"code": "reported", "detail": error}
    signature.state, signature.failure, signature.updated_at = "abandoned", failure, now
    change = workflow.abandon_signing(agreement_of(contract), party.id)
    apply(session, contract, change, now=now, actor=actor_of(unit), data={"signature": signature.id, **failure})
    return signature, party, contract


def require_open(unit: Unit, contract: Contract, party: Party, signature: Signature) -> None:
    """Raise unless a value for this request may still come in."""
    agreement = agreement_of(contract)
    if agreement.state not in workflow.OPEN or party.id not in workflow.whose_turn(agreement):
        allowed = sorted(workflow.CONTRACT_MOVES[agreement.state])
        raise StateConflict("the party cannot sign now", state=str(agreement.state), allowed=allowed)
    if party.key_holder != "party" or signature.state != "prepared":
        raise StateConflict("this signature request is over", state=signature.state, allowed=[])
    now = unit.context.now()
    if signature.expires_at is None or signature.expires_at <= now or _is_overdue(unit, contract):
        raise StaleRequest("the signature request has expired", hint="ask for a new signature request")
    if contracts.document_of(contract, signature.document_id).head_sha256 != signature.base_sha256:
        raise StaleRequest("the document has got another signature meanwhile", hint="ask for a new signature request")


def _party_that_may_sign(unit: Unit, contract: Contract, party_id: str, *, holder: str) -> Party:
    party = contracts.party_of(contract, party_id)
    require_time(contract, unit.context.now())
    act = workflow.ACT_OF.get(workflow.Role(party.role))
    if act != "sign":
        hint = f"use …/parties/{party_id}/{act}" if act else None
        message = f"a party with the role {party.role} does not sign"
        raise StateConflict(message, hint=hint, state=party.state, allowed=[act] if act else [])
    if party.key_holder != holder:
        hint = f"use …/parties/{party_id}/{'signature-requests' if party.key_holder == 'party' else 'sign'}"
        message = f"the key of this party is held by the {party.key_holder}"
        raise StateConflict(message, hint=hint, state=party.state, allowed=[])
    return party


def _may_seal(session: Session, unit: Unit, contract: Contract, party: Party, documents: list[str]) -> None:
    """Refuse early whoever may not use the seal of a party. Counted it is when it is recorded. Raises SealRefused."""
    if party.seal_id is None:
        return
    seal, who = seals.get(session, unit.tenant_id, party.seal_id), unit.principal.who
    begun = [seals.use_by(session, party.id, name) for name in documents]
    times = sum(use is None or use.who != who for use in begun)
    what = Purpose("contract", contract=contract.id, times=times)
    uses.check(session, seal, who, what, unit.context.now())


def _is_overdue(unit: Unit, contract: Contract) -> bool:
    return contract.expires_at is not None and contract.expires_at <= unit.context.now()


def _document_to_sign(contract: Contract, done: set[str], wanted: str | None) -> str:
    if wanted is not None:
        contracts.document_of(contract, wanted)
    for row in contract.documents:
        if row.document_id not in done and wanted in {None, row.document_id}:
            return row.document_id
    raise StateConflict("the party has signed this document already", state="signed", allowed=[])


def _decode(value: str | None) -> bytes | None:
    if value is None:
        return None
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except ValueError:  # not base64, or not ASCII
        raise MalformedRequest("the value is not base64") from None
