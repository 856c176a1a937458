"""`/v1/contracts`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from pydantic import AwareDatetime
from starlette.responses import Response

from api.audit.service import events_of
from api.contracts import deadlines, delegation, evidence, reminders, repository, service
from api.contracts.act_schemas import DelegateIn, ExtendIn, ReasonIn, RemindIn
from api.contracts.evidence_schemas import EventList, EvidenceOut, IntentList, IntentOut, VerificationOut
from api.contracts.models import Contract
from api.contracts.schemas import ContractIn, ContractList, ContractOut, ContractPatch
from api.contracts.workflow import ContractState
from api.envelopes import delivery
from api.jobs.schemas import JobOut
from api.kit.content import file_response
from api.kit.edge import OptionalVersion, Reply, Router, Unit, Version, changes, etag, reads, writes
from api.kit.pagination import Cursor, Limit, paginate
from api.kit.refusals import utc
from api.kit.waiting import WAITS
from api.signing.repository import intents_of

router = Router(prefix="/v1/contracts", tags=["contracts"])


def _reply(contract: Contract, **headers: str) -> Reply:
    return Reply(ContractOut.of(contract), etag=etag(contract.version), headers=headers)


@router.post("", status_code=201, response_model=ContractOut)
def create_contract(unit: Annotated[Unit, writes("contracts:write")], body: ContractIn) -> Reply:
    """Make a draft from uploaded documents and parties."""
    contract = service.create(unit, body)
    return _reply(contract, location=f"/v1/contracts/{contract.id}")


@router.get("", response_model=ContractList)
def list_contracts(
    unit: Annotated[Unit, reads("contracts:read")],
    limit: Limit = 50,
    cursor: Cursor = None,
    state: ContractState | None = None,
    external_id: Annotated[str | None, Query(max_length=200)] = None,
    party_email: Annotated[
        str | None, Query(max_length=254, description="Only those with a party of this address, in any spelling.")
    ] = None,
    created_after: Annotated[AwareDatetime | None, Query(description="Only those made after this moment.")] = None,
) -> Reply:
    """List contracts, newest first."""
    since = None
    if created_after is not None:
        since = utc(created_after, "query/created_after").replace(microsecond=created_after.microsecond)
    query = repository.all_of(
        unit.tenant_id, state=state, external_id=external_id, party_email=party_email, created_after=since
    )
    with unit.read() as session:
        page = paginate(session, query, Contract, unit, cursor=cursor, limit=limit)
        rows = [ContractOut.of(row) for row in page.rows]
    after = since.isoformat() if since is not None else None
    headers = page.link(
        "/v1/contracts", limit, state=state, external_id=external_id, party_email=party_email, created_after=after
    )
    return Reply(ContractList(data=rows, next_cursor=page.next_cursor), headers=headers)


@router.get("/{contract_id}", response_model=ContractOut, openapi_extra=WAITS)
def get_contract(unit: Annotated[Unit, reads("contracts:read")], contract_id: str) -> Reply:
    """Read a contract with its parties and documents. With `Prefer: wait` and `If-None-Match`, when it has changed."""
    with unit.read() as session:
        return _reply(repository.get(session, unit.tenant_id, contract_id))


@router.patch("/{contract_id}", response_model=ContractOut)
def update_contract(
    unit: Annotated[Unit, changes("contracts:write")], contract_id: str, version: Version, body: ContractPatch
) -> Reply:
    """Change a draft. Needs If-Match."""
    return _reply(service.update(unit, contract_id, version, body))


@router.delete("/{contract_id}", status_code=204, response_class=Response)
def delete_contract(unit: Annotated[Unit, changes("contracts:write")], contract_id: str, version: Version) -> Reply:
    """Delete a draft. Needs If-Match. The audit trail is kept."""
    service.delete(unit, contract_id, version)
    return Reply(None)


@router.post("/{contract_id}/send", response_model=ContractOut)
def send_contract(unit: Annotated[Unit, writes("contracts:write")], contract_id: str, version: Version) -> Reply:
    """Send a draft to its parties. Needs If-Match.

    Refused while anything would make signing fail later: a certificate that is expired or of the wrong kind, a name
    that no font can draw, a signature area outside the page, a document that cannot be signed.
    """
    return _reply(service.send(unit, contract_id, version))


@router.post("/{contract_id}/void", response_model=ContractOut)
def void_contract(
    unit: Annotated[Unit, writes("contracts:write")],
    contract_id: str,
    version: OptionalVersion,
    body: ReasonIn | None = None,
) -> Reply:
    """Withdraw a contract that is not complete."""
    return _reply(service.void(unit, contract_id, version, body.reason if body else None))


@router.post("/{contract_id}/remind", response_model=ContractOut)
def remind_parties(
    unit: Annotated[Unit, writes("contracts:write")],
    contract_id: str,
    version: OptionalVersion,
    body: RemindIn | None = None,
) -> Reply:
    """Remind those whose turn it is."""
    return _reply(reminders.remind(unit, contract_id, version, body))


@router.post("/{contract_id}/extend", response_model=ContractOut)
def extend_contract(
    unit: Annotated[Unit, writes("contracts:write")], contract_id: str, version: Version, body: ExtendIn
) -> Reply:
    """Give the parties more time. Needs If-Match.

    Refused where a certificate or a seal that is still to be used ends before the new deadline.
    """
    return _reply(deadlines.extend(unit, contract_id, version, body.expires_at))


@router.post("/{contract_id}/finalize-retry", response_model=ContractOut)
def retry_finalisation(
    unit: Annotated[Unit, writes("contracts:write")], contract_id: str, version: OptionalVersion
) -> Reply:
    """Finalise a failed contract again."""
    return _reply(service.retry_finalisation(unit, contract_id, version))


@router.post("/{contract_id}/deliver", status_code=202, response_model=JobOut)
def deliver_contract(unit: Annotated[Unit, writes("envelopes:write")], contract_id: str) -> Reply:
    """Deliver a completed contract, or deliver it once more: one envelope for each document, to all parties.

    The service is the sender. The job's result has the ids of the envelopes; each is sealed by a job of its own.
    """
    job = delivery.request(unit, contract_id)
    return Reply(JobOut.of(job), headers={"location": f"/v1/jobs/{job.id}"})


@router.post("/{contract_id}/parties/{party_id}/decline", response_model=ContractOut, tags=["signing"])
def decline_contract(
    unit: Annotated[Unit, writes("contracts:sign")],
    contract_id: str,
    party_id: str,
    version: OptionalVersion,
    body: ReasonIn | None = None,
) -> Reply:
    """Refuse, as a party that has not done its part. That ends the contract."""
    return _reply(service.decline(unit, contract_id, party_id, version, body.reason if body else None))


@router.post("/{contract_id}/parties/{party_id}/delegate", response_model=ContractOut, tags=["signing"])
def delegate_part(
    unit: Annotated[Unit, writes("contracts:sign")],
    contract_id: str,
    party_id: str,
    version: OptionalVersion,
    body: DelegateIn,
) -> Reply:
    """Let somebody else of the party's organisation do its part, under a mandate.

    The delegate becomes a party in the same place, with a key and a certificate of its own.
    """
    return _reply(delegation.delegate(unit, contract_id, party_id, version, body))


@router.get("/{contract_id}/events", response_model=EventList)
def list_contract_events(
    unit: Annotated[Unit, reads("contracts:read")],
    contract_id: str,
    after: Annotated[int, Query(ge=0, le=10**9, description="Only events with a higher sequence number.")] = 0,
    limit: Limit = 200,
) -> Reply:
    """Read the audit trail: append-only, each event bound to the one before by its hash."""
    with unit.read() as session:
        contract = repository.get(session, unit.tenant_id, contract_id)
        events = events_of(session, unit.tenant_id, contract.id, after=after, limit=limit + 1)
    return Reply(EventList.of(events, limit))


@router.get("/{contract_id}/intents", response_model=IntentList)
def list_contract_intents(unit: Annotated[Unit, reads("contracts:read")], contract_id: str) -> Reply:
    """Read what the parties agreed to: the words, what they were shown, when and from where.

    Each record is signed and time-stamped by the service before the party's key is used.
    """
    with unit.read() as session:
        contract = repository.get(session, unit.tenant_id, contract_id)
        rows = intents_of(session, contract.id)
    return Reply(IntentList(data=[IntentOut.of(row) for row in rows]))


@router.get(
    "/{contract_id}/documents/{document_id}/content",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "The document with its signatures so far."}},
)
def get_contract_document_content(
    unit: Annotated[Unit, reads("contracts:read")],
    request: Request,
    contract_id: str,
    document_id: str,
    revision: Annotated[
        int | None, Query(ge=0, le=10_000, description="An earlier revision; the newest if left out.")
    ] = None,
) -> Response:
    """Download a document of the contract as it is now, or as it was at a revision."""
    with unit.read() as session:
        contract = repository.get(session, unit.tenant_id, contract_id)
        row = repository.document_of(contract, document_id)
        sha256 = repository.revision_sha256(session, row, revision)
    return file_response(unit, request, sha256, name=row.document.name)


@router.get("/{contract_id}/verification", response_model=VerificationOut)
def verify_contract(unit: Annotated[Unit, reads("contracts:read")], contract_id: str) -> Reply:
    """Verify the contract's documents as they are now."""
    with unit.read() as session:
        contract = repository.get(session, unit.tenant_id, contract_id)
    return Reply(VerificationOut(contract=contract.id, documents=evidence.verify_documents(unit.context, contract)))


@router.get("/{contract_id}/evidence", response_model=EvidenceOut)
def get_contract_evidence(unit: Annotated[Unit, reads("contracts:read")], contract_id: str) -> Reply:
    """Read everything needed to check the contract elsewhere: trail, reports, certificates, revocation lists."""
    return Reply(evidence.collect(unit, contract_id))


@router.get(
    "/{contract_id}/authorities",
    response_class=Response,
    responses={
        200: {"content": {"application/x-pem-file": {}}, "description": "Root certificates and revocation lists, PEM."}
    },
)
def get_contract_authorities(unit: Annotated[Unit, reads("contracts:read")], contract_id: str) -> Response:
    """Download what `sealroad verify --trust` needs for the parties whose certificates this service issued.

    Whoever uses the file trusts this service's closed circles. Authorities of other parties come from elsewhere.
    """
    with unit.read() as session:
        contract = repository.get(session, unit.tenant_id, contract_id)
    text = evidence.authorities_of(unit.context, contract)
    return Response(text, media_type="application/x-pem-file")
