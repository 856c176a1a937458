"""`/v1/envelopes`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from api.audit.schemas import LogCheckOut
from api.envelopes import log, repository, service
from api.envelopes.models import Envelope
from api.envelopes.schemas import EnvelopeIn, EnvelopeList, EnvelopeLogList, EnvelopeOut, OpeningIn
from api.jobs.schemas import JobOut
from api.kit.content import file_response
from api.kit.edge import Reply, Router, Unit, reads, writes
from api.kit.fields import ContractID
from api.kit.pagination import After, Cursor, Limit, paginate

router = Router(prefix="/v1/envelopes", tags=["envelopes"])

PACKAGE = "application/zip"


@router.post("", status_code=202, response_model=JobOut)
def create_envelope(unit: Annotated[Unit, writes("envelopes:write")], body: EnvelopeIn) -> Reply:
    """Seal a document, or the document of a contract, for several recipients, each in its own algorithms.

    Every recipient's certificate is checked first. Needs also the scope to read the content, and `contracts:sign` or
    `seals:use` for the senders. The job's result has the envelope's id.
    """
    job = service.create(unit, body)
    return Reply(JobOut.of(job), headers={"location": f"/v1/jobs/{job.id}"})


@router.get("", response_model=EnvelopeList)
def list_envelopes(
    unit: Annotated[Unit, reads("envelopes:read")],
    contract: Annotated[ContractID | None, Query(description="Only those of this contract.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Reply:
    """List envelopes, newest first."""
    query = repository.all_of(unit.tenant_id, contract_id=contract)
    with unit.read() as session:
        page = paginate(session, query, Envelope, unit, cursor=cursor, limit=limit)
    listing = EnvelopeList(data=[EnvelopeOut.of(row) for row in page.rows], next_cursor=page.next_cursor)
    return Reply(listing, headers=page.link("/v1/envelopes", limit, contract=contract))


@router.get("/{envelope_id}", response_model=EnvelopeOut)
def get_envelope(unit: Annotated[Unit, reads("envelopes:read")], envelope_id: str) -> Reply:
    """Read what is known of an envelope."""
    with unit.read() as session:
        return Reply(EnvelopeOut.of(repository.get(session, unit.tenant_id, envelope_id)))


@router.get(
    "/{envelope_id}/content",
    response_class=Response,
    responses={200: {"content": {PACKAGE: {}}, "description": "The whole package."}},
)
def get_envelope_content(
    unit: Annotated[Unit, reads("envelopes:read")], request: Request, envelope_id: str
) -> Response:
    """Download the whole package: the parts of all recipients. Who downloads it is noted."""
    with unit.read() as session:
        envelope = repository.get(session, unit.tenant_id, envelope_id)
    service.require_sealed(envelope)
    return _handed_out(unit, request, envelope, envelope.content_sha256 or "", "content.delivered", {})


@router.get(
    "/{envelope_id}/parts/{recipient_id}",
    response_class=Response,
    responses={200: {"content": {PACKAGE: {}}, "description": "A package with the part of one family."}},
)
def get_envelope_part(
    unit: Annotated[Unit, reads("envelopes:read")], request: Request, envelope_id: str, recipient_id: str
) -> Response:
    """Download what one recipient needs: the messages of its family, the manifest, the signatures. It is noted."""
    with unit.read() as session:
        envelope = repository.get(session, unit.tenant_id, envelope_id)
    recipient = repository.recipient_of(envelope, recipient_id)
    service.require_sealed(envelope)
    facts = {name: recipient[name] for name in ("party", "family")} | {"recipient": recipient_id}
    return _handed_out(unit, request, envelope, envelope.parts[recipient["family"]], "part.delivered", facts)


@router.post("/{envelope_id}/open", status_code=202, response_model=JobOut)
def open_envelope(unit: Annotated[Unit, writes("envelopes:open")], envelope_id: str, body: OpeningIn) -> Reply:
    """Open an envelope with a recipient's key that the service holds. The job's result has the document's id.

    Nothing is given out unless everything in the envelope holds together. `sender` in the result is TOTAL-PASSED where
    a sender's signature can be traced to an authority of this service, else INDETERMINATE.
    """
    job = service.open_with_held_key(unit, envelope_id, body.recipient)
    return Reply(JobOut.of(job), headers={"location": f"/v1/jobs/{job.id}"})


@router.get("/{envelope_id}/deliveries", response_model=EnvelopeLogList)
def list_envelope_deliveries(
    unit: Annotated[Unit, reads("envelopes:read")], envelope_id: str, after: After = 0, limit: Limit = 200
) -> Reply:
    """Read who got which part and when, and who had the envelope opened: what its log says of them."""
    return _log(unit, envelope_id, after, limit, log.DELIVERIES)


@router.get("/{envelope_id}/events", response_model=EnvelopeLogList)
def list_envelope_events(
    unit: Annotated[Unit, reads("envelopes:read")], envelope_id: str, after: After = 0, limit: Limit = 200
) -> Reply:
    """Read the whole log of an envelope: append-only, each entry bound to the one before by its hash."""
    return _log(unit, envelope_id, after, limit, None)


@router.get("/{envelope_id}/events/check", response_model=LogCheckOut)
def check_envelope_events(unit: Annotated[Unit, reads("envelopes:read")], envelope_id: str) -> Reply:
    """Check that the log of an envelope is as it was written."""
    with unit.read() as session:
        envelope = repository.get(session, unit.tenant_id, envelope_id)
        return Reply(LogCheckOut.of(envelope, log.check(session, envelope)))


def _handed_out(
    unit: Unit, request: Request, envelope: Envelope, sha256: str, event: str, facts: dict[str, str | None]
) -> Response:
    response = file_response(
        unit, request, sha256, name=f"{envelope.id}.zip", plain_name="envelope.zip", media_type=PACKAGE
    )
    if response.status_code != 304:
        octets = response.headers.get("content-range", f"bytes 0-{int(response.headers['content-length']) - 1}")
        service.deliver(unit, envelope.id, event, {"sha256": sha256, "octets": octets, **facts})
    return response


def _log(unit: Unit, envelope_id: str, after: int, limit: int, types: tuple[str, ...] | None) -> Reply:
    with unit.read() as session:
        envelope = repository.get(session, unit.tenant_id, envelope_id)
        found = log.entries_of(session, envelope, after=after, limit=limit + 1, types=types)
    return Reply(EnvelopeLogList.of(found, limit))
