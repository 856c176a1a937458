"""`/v1/contracts/{id}/parties/{pid}/signature-requests/{sid}/handover`, and `/h/{token}` for the device."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from api.handover import qr, service, visit
from api.handover.schemas import HandoverOut, HandoverResult, HandoverShown, HandoverValueIn, picture
from api.kit.content import file_response
from api.kit.edge import Reply, Router, Unit, changes, reads, writes

router = Router(
    prefix="/v1/contracts/{contract_id}/parties/{party_id}/signature-requests/{signature_id}/handover",
    tags=["handover"],
)
public = Router(prefix="/h/{token}", tags=["handover"])


@router.post("", status_code=201, response_model=HandoverOut)
def hand_over_signature_request(
    unit: Annotated[Unit, writes("contracts:sign")],
    request: Request,
    contract_id: str,
    party_id: str,
    signature_id: str,
) -> Reply:
    """Make a one-time address for a device that holds the party's key, and a QR code of it.

    The device needs no credential: whoever has the address may see what is to be signed and return the value, once. A
    newer address replaces an older one. A repetition with the same Idempotency-Key does not show the address again.
    """
    base = unit.context.settings.public_url or str(request.base_url)
    row, signature, address = service.create(unit, contract_id, party_id, signature_id, base)
    rows, now = qr.modules(address), unit.context.now()
    code = picture(qr.as_svg(rows), qr.as_png(rows))
    location = request.url.path
    shown, kept = HandoverOut.of(row, signature, now, address, code), HandoverOut.of(row, signature, now)
    return Reply(shown, kept=kept, headers={"location": location})


@router.get("", response_model=HandoverOut)
def get_handover(
    unit: Annotated[Unit, reads("contracts:read")], contract_id: str, party_id: str, signature_id: str
) -> Reply:
    """Read what became of the newest address of a signature request."""
    row, signature = service.get(unit, contract_id, party_id, signature_id)
    return Reply(HandoverOut.of(row, signature, unit.context.now()))


@router.delete("", status_code=204, response_class=Response)
def withdraw_handover(
    unit: Annotated[Unit, changes("contracts:sign")], contract_id: str, party_id: str, signature_id: str
) -> Reply:
    """Take the address back. The signature request stays; to do it again changes nothing."""
    service.withdraw(unit, contract_id, party_id, signature_id)
    return Reply(None)


@public.get("", response_model=HandoverShown)
def look_at_handover(unit: Annotated[Unit, Depends(visit.visitor)]) -> Reply:
    """See what is to be signed. For the device: the address is the only credential, and 410 says that it is over."""
    return Reply(visit.look(unit))


@public.get(
    "/content",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "The document that is to be signed."}},
)
def get_handover_content(unit: Annotated[Unit, Depends(visit.visitor)], request: Request) -> Response:
    """Download the document that is to be signed; its digests are in `/h/{token}`."""
    sha256, name = visit.document(unit)
    return file_response(unit, request, sha256, name=name)


@public.put("", response_model=HandoverResult)
def return_value(unit: Annotated[Unit, Depends(visit.visitor)], body: HandoverValueIn) -> Reply:
    """Return the value, a complete CMS, or why there is none.

    It is verified before anything changes. After five values that do not fit the address is locked.
    """
    return Reply(visit.return_value(unit, body))
