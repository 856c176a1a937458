"""`/v1/agreements`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response

from api.agreements import log, repository, service, signing, standing, tasks
from api.agreements.models import Agreement
from api.agreements.schemas import (
    AgreementCMSIn,
    AgreementIn,
    AgreementItem,
    AgreementList,
    AgreementLogList,
    AgreementOut,
    AgreementSealIn,
    AgreementSignatureRequestIn,
    AgreementSignatureRequestOut,
    AgreementSignatureResult,
    AgreementValueIn,
)
from api.agreements.states import State
from api.audit.schemas import LogCheckOut
from api.contracts.act_schemas import ReasonIn
from api.errors import MalformedRequest, StateConflict
from api.jobs.schemas import JobOut
from api.kit.edge import OptionalVersion, Reply, Router, Unit, Version, changes, etag, reads, writes
from api.kit.pagination import After, Cursor, Limit, paginate
from certs import canonical
from certs.errors import MalformedInput
from signer.layers.reading import MAX_FILE

router = Router(prefix="/v1/agreements", tags=["agreements"])

JSON = "application/json"
_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {JSON: {}}, "description": "The file, octet for octet."}}


async def one_meaning(request: Request) -> None:
    """Refuse JSON that another reader could read in another way: a name that stands twice, a number nobody keeps."""
    try:
        canonical.read(await request.body(), limit=MAX_FILE)
    except MalformedInput as error:
        raise MalformedRequest(f"this JSON can be read in more than one way: {error}") from None


def _reply(unit: Unit, agreement: Agreement, **headers: str) -> Reply:
    with unit.read() as session:
        found = repository.signatures_of(session, agreement)
    return Reply(AgreementOut.of(agreement, found), etag=etag(agreement.version), headers=headers)


@router.post("", status_code=201, response_model=AgreementOut, dependencies=[Depends(one_meaning)])
def create_agreement(unit: Annotated[Unit, writes("agreements:write")], body: AgreementIn) -> Reply:
    """Draft a framework agreement, or a termination of one."""
    agreement = service.create(unit, body.agreement)
    return _reply(unit, agreement, location=f"/v1/agreements/{agreement.id}")


@router.get("", response_model=AgreementList)
def list_agreements(
    unit: Annotated[Unit, reads("agreements:read")],
    limit: Limit = 50,
    cursor: Cursor = None,
    state: State | None = None,
) -> Reply:
    """List agreements and terminations, newest first."""
    query = repository.all_of(unit.tenant_id, state=state)
    with unit.read() as session:
        page = paginate(session, query, Agreement, unit, cursor=cursor, limit=limit)
        rows = [AgreementItem.model_validate(row, from_attributes=True) for row in page.rows]
    listing = AgreementList(data=rows, next_cursor=page.next_cursor)
    return Reply(listing, headers=page.link("/v1/agreements", limit, state=state))


@router.get("/{agreement_id}", response_model=AgreementOut)
def get_agreement(unit: Annotated[Unit, reads("agreements:read")], agreement_id: str) -> Reply:
    """Read an agreement and who has signed it."""
    with unit.read() as session:
        agreement = repository.get(session, unit.tenant_id, agreement_id)
    return _reply(unit, agreement)


@router.patch("/{agreement_id}", response_model=AgreementOut, dependencies=[Depends(one_meaning)])
def update_agreement(
    unit: Annotated[Unit, changes("agreements:write")], agreement_id: str, version: Version, body: AgreementIn
) -> Reply:
    """Put other words into a draft. Needs If-Match."""
    return _reply(unit, service.update(unit, agreement_id, version, body.agreement))


@router.delete("/{agreement_id}", status_code=204, response_class=Response)
def delete_agreement(unit: Annotated[Unit, changes("agreements:write")], agreement_id: str, version: Version) -> Reply:
    """Delete a draft that no contract names. Needs If-Match. Its log is kept."""
    service.delete(unit, agreement_id, version)
    return Reply(None)


@router.post("/{agreement_id}/offer", response_model=AgreementOut)
def offer_agreement(unit: Annotated[Unit, writes("agreements:write")], agreement_id: str, version: Version) -> Reply:
    """Fix the octets of a draft (RFC 8785), for the parties to sign. Needs If-Match."""
    return _reply(unit, service.offer(unit, agreement_id, version))


@router.post("/{agreement_id}/withdraw", response_model=AgreementOut)
def withdraw_agreement(
    unit: Annotated[Unit, writes("agreements:write")],
    agreement_id: str,
    version: OptionalVersion,
    body: ReasonIn | None = None,
) -> Reply:
    """Take an offer back that not all parties have signed."""
    return _reply(unit, service.withdraw(unit, agreement_id, version, body.reason if body else None))


@router.get("/{agreement_id}/content", response_class=Response, responses=_FILE)
def get_agreement_content(unit: Annotated[Unit, reads("agreements:read")], agreement_id: str) -> Response:
    """Download the octets that are signed: to be read by every party before it signs."""
    agreement = _offered(unit, agreement_id)
    tag = f'"{agreement.sha256}"'
    return Response(agreement.octets, 200, {"etag": tag, **_attached(agreement)}, media_type=JSON)


@router.get("/{agreement_id}/file", response_class=Response, responses=_FILE)
def get_agreement_file(unit: Annotated[Unit, reads("agreements:read")], agreement_id: str) -> Response:
    """Download the agreement with its signatures and what ended it, as `sealroad verify --agreement` reads it."""
    agreement = _offered(unit, agreement_id)
    with unit.read() as session:
        data = standing.file_of(session, agreement)
    return Response(data, 200, _attached(agreement), media_type=JSON)


@router.post("/{agreement_id}/signatures", status_code=201, response_model=AgreementOut)
def add_agreement_signature(
    unit: Annotated[Unit, writes("agreements:sign")], agreement_id: str, body: AgreementCMSIn
) -> Reply:
    """Hand in a detached signature over the content, as `sealroad sign --detached` makes it.

    Its certificate says whose it is. Everything is verified before anything changes. With the last party's signature
    the agreement is in force, and the one that it ends is ended.
    """
    return _reply(unit, signing.take(unit, agreement_id, body.cms))


@router.post("/{agreement_id}/sign", status_code=202, response_model=JobOut)
def sign_agreement(unit: Annotated[Unit, writes("agreements:sign")], agreement_id: str, body: AgreementSealIn) -> Reply:
    """Sign with the key of an organisation's seal that the service holds; follow the job at `Location`.

    Needs also the scope `seals:use`, and a grant. The certificate of the seal says whose signature it is.
    """
    job = tasks.ask(unit, agreement_id, body.seal)
    return Reply(JobOut.of(job), headers={"location": f"/v1/jobs/{job.id}"})


@router.post("/{agreement_id}/signature-requests", status_code=201, response_model=AgreementSignatureRequestOut)
def create_agreement_signature_request(
    unit: Annotated[Unit, writes("agreements:sign")], agreement_id: str, body: AgreementSignatureRequestIn
) -> Reply:
    """Get the octets that a party's own key is to sign. A newer request of the same party replaces an older one."""
    row, agreement = signing.request(unit, agreement_id, body.certificate)
    location = f"/v1/agreements/{agreement_id}/signature-requests/{row.id}"
    return Reply(AgreementSignatureRequestOut.of(row, agreement), headers={"location": location})


@router.get("/{agreement_id}/signature-requests/{request_id}", response_model=AgreementSignatureRequestOut)
def get_agreement_signature_request(
    unit: Annotated[Unit, reads("agreements:read")], agreement_id: str, request_id: str
) -> Reply:
    """Read a signature request."""
    with unit.read() as session:
        row = repository.signature(session, unit.tenant_id, agreement_id, request_id)
        agreement = repository.get(session, unit.tenant_id, agreement_id)
    return Reply(AgreementSignatureRequestOut.of(row, agreement))


@router.put("/{agreement_id}/signature-requests/{request_id}", response_model=AgreementSignatureResult)
def hand_in_agreement_signature(
    unit: Annotated[Unit, changes("agreements:sign")], agreement_id: str, request_id: str, body: AgreementValueIn
) -> Reply:
    """Hand in the value (or a complete CMS, or why there is none).

    It is verified before anything changes: a wrong, late, repeated or foreign value leaves the agreement as it was.
    """
    row, agreement = signing.hand_in(unit, agreement_id, request_id, body)
    with unit.read() as session:
        found = repository.signatures_of(session, agreement)
    out = AgreementSignatureResult(
        request=AgreementSignatureRequestOut.of(row, agreement), agreement=AgreementOut.of(agreement, found)
    )
    return Reply(out, etag=etag(agreement.version))


@router.get("/{agreement_id}/events", response_model=AgreementLogList)
def list_agreement_events(
    unit: Annotated[Unit, reads("agreements:read")], agreement_id: str, after: After = 0, limit: Limit = 200
) -> Reply:
    """Read the log of an agreement: append-only, each entry bound to the one before by its hash."""
    with unit.read() as session:
        agreement = repository.get(session, unit.tenant_id, agreement_id)
        found = log.entries_of(session, agreement, after=after, limit=limit + 1)
    return Reply(AgreementLogList.of(found, limit))


@router.get("/{agreement_id}/events/check", response_model=LogCheckOut)
def check_agreement_events(unit: Annotated[Unit, reads("agreements:read")], agreement_id: str) -> Reply:
    """Check that the log of an agreement is as it was written."""
    with unit.read() as session:
        agreement = repository.get(session, unit.tenant_id, agreement_id)
        return Reply(LogCheckOut.of(agreement, log.check(session, agreement)))


def _offered(unit: Unit, agreement_id: str) -> Agreement:
    with unit.read() as session:
        agreement = repository.get(session, unit.tenant_id, agreement_id)
    if agreement.octets is None:
        raise StateConflict("a draft has no octets yet", state=agreement.state, allowed=["offer"])
    return agreement


def _attached(agreement: Agreement) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{agreement.id}.json"'}
