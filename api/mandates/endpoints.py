"""`/v1/powers-of-attorney`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import File, Form, Request, UploadFile
from starlette.responses import Response

from api.contracts.evidence_schemas import EventList
from api.errors import MalformedRequest, NotFound
from api.kit.content import file_response
from api.kit.edge import OptionalVersion, Reply, Router, Unit, etag, reads, writes
from api.kit.pagination import After, Cursor, Limit, paginate
from api.mandates import receiving, repository
from api.mandates.log import entries_of
from api.mandates.models import PowerOfAttorney
from api.mandates.schemas import PowerOfAttorneyList, PowerOfAttorneyOut, RevocationIn

router = Router(prefix="/v1/powers-of-attorney", tags=["powers of attorney"])

MAX_TRUST_FILES = 20
_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/xml": {}, "application/pdf": {}}, "description": "The file, octet for octet."}
}
_SIGNATURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pkcs7-signature": {}}, "description": "The file, octet for octet."}
}


def _reply(unit: Unit, row: PowerOfAttorney, **headers: str) -> Reply:
    return Reply(PowerOfAttorneyOut.of(row, unit.context.now()), etag=etag(row.version), headers=headers)


@router.post("", status_code=201, response_model=PowerOfAttorneyOut)
def register_power_of_attorney(
    unit: Annotated[Unit, writes("mandates:write")],
    xml: Annotated[UploadFile | None, File(description="A machine-readable power of attorney (МЧД, EMCHD_1).")] = None,
    sig: Annotated[UploadFile | None, File(description="The detached CMS signature on it: DER, PEM or base64.")] = None,
    pdf: Annotated[UploadFile | None, File(description="In place of both: a signed letter of authorisation.")] = None,
    data: Annotated[
        str | None,
        Form(
            max_length=20_000,
            description="JSON, with `pdf`: what the letter says. organisation, uscc, representative, representative_id "
            "(scheme, value), scope, limit, first_day, last_day. It is kept as stated, and not compared with the PDF.",
        ),
    ] = None,
    trust: Annotated[
        list[UploadFile] | None,
        File(description="Certificates and revocation lists to judge the signer's certificate by; kept with it."),
    ] = None,
) -> Reply:
    """Hand in a power of attorney: `xml` and `sig`, or `pdf` and `data`.

    It is verified now, and refused (`mandate-refused`) if a check fails. What nobody can check from here is listed in
    `open`: no register is asked whether it is revoked.
    """
    further = trust or []
    if len(further) > MAX_TRUST_FILES:
        raise MalformedRequest(f"at most {MAX_TRUST_FILES} files to trust")
    if xml is not None and sig is not None and pdf is None and data is None:
        row = receiving.receive_mandate(unit, xml, sig, further)
    elif pdf is not None and data is not None and xml is None and sig is None:
        row = receiving.receive_letter(unit, pdf, data, further)
    else:
        raise MalformedRequest("send xml and sig, or pdf and data")
    return _reply(unit, row, location=f"/v1/powers-of-attorney/{row.id}")


@router.get("", response_model=PowerOfAttorneyList)
def list_powers_of_attorney(
    unit: Annotated[Unit, reads("mandates:read")], limit: Limit = 50, cursor: Cursor = None
) -> Reply:
    """List powers of attorney, newest first."""
    with unit.read() as session:
        query = repository.all_of(unit.tenant_id)
        page = paginate(session, query, PowerOfAttorney, unit, cursor=cursor, limit=limit)
    rows = [PowerOfAttorneyOut.of(row, unit.context.now()) for row in page.rows]
    listing = PowerOfAttorneyList(data=rows, next_cursor=page.next_cursor)
    return Reply(listing, headers=page.link("/v1/powers-of-attorney", limit))


@router.get("/{power_of_attorney_id}", response_model=PowerOfAttorneyOut)
def get_power_of_attorney(unit: Annotated[Unit, reads("mandates:read")], power_of_attorney_id: str) -> Reply:
    """Read what a power of attorney says, and what was found when it came in."""
    with unit.read() as session:
        row = repository.get(session, unit.tenant_id, power_of_attorney_id)
    return _reply(unit, row)


@router.get("/{power_of_attorney_id}/content", response_class=Response, responses=_CONTENT)
def get_power_of_attorney_content(
    unit: Annotated[Unit, reads("mandates:read")], request: Request, power_of_attorney_id: str
) -> Response:
    """Download the XML or the PDF as it was handed in."""
    with unit.read() as session:
        row = repository.get(session, unit.tenant_id, power_of_attorney_id)
    plain, media = ("mandate.xml", "application/xml") if row.kind == "ru-mchd" else ("letter.pdf", "application/pdf")
    return file_response(unit, request, row.content_sha256, name=row.content_name, plain_name=plain, media_type=media)


@router.get("/{power_of_attorney_id}/signature", response_class=Response, responses=_SIGNATURE)
def get_power_of_attorney_signature(
    unit: Annotated[Unit, reads("mandates:read")], request: Request, power_of_attorney_id: str
) -> Response:
    """Download the detached signature as it was handed in; a letter has its signature in the PDF."""
    with unit.read() as session:
        row = repository.get(session, unit.tenant_id, power_of_attorney_id)
    if row.signature_sha256 is None:
        raise NotFound("the signature is in the PDF")
    name = f"{row.content_name}.sig"
    media = "application/pkcs7-signature"
    return file_response(unit, request, row.signature_sha256, name=name, plain_name="mandate.sig", media_type=media)


@router.get("/{power_of_attorney_id}/events", response_model=EventList)
def list_power_of_attorney_events(
    unit: Annotated[Unit, reads("mandates:read")], power_of_attorney_id: str, after: After = 0, limit: Limit = 200
) -> Reply:
    """Read the log: when it came in and what was found, and when somebody stated that it is revoked."""
    with unit.read() as session:
        row = repository.get(session, unit.tenant_id, power_of_attorney_id)
        events = entries_of(session, row, after=after, limit=limit + 1)
    return Reply(EventList.of(events, limit))


@router.post("/{power_of_attorney_id}/revoke", response_model=PowerOfAttorneyOut)
def revoke_power_of_attorney(
    unit: Annotated[Unit, writes("mandates:write")],
    power_of_attorney_id: str,
    version: OptionalVersion,
    body: RevocationIn,
) -> Reply:
    """State that a power of attorney is revoked. From then on nobody signs under it; what was signed before stays."""
    return _reply(unit, receiving.revoke(unit, power_of_attorney_id, version, body))
