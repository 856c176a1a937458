"""`/v1/certificates`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from api.certificates import pairing, repository, service
from api.certificates.models import IssuedCertificate
from api.certificates.schemas import (
    CertificateIn,
    HoldIn,
    IssuedCertificateList,
    IssuedCertificateOut,
    RenewalIn,
    RevocationIn,
    State,
)
from api.kit.edge import IfMatch, Reply, Router, Unit, reads, writes
from api.kit.pagination import Cursor, Limit

router = Router(prefix="/v1/certificates", tags=["certificates"])


@router.post("", status_code=201, response_model=IssuedCertificateOut)
def issue_certificate(unit: Annotated[Unit, writes("certificates:write")], body: CertificateIn) -> Reply:
    """Get a closed-circle certificate for a key of your own, or with `pair` two.

    The circle is the one of the key's suite. Whoever accepts its root can check the certificate, and nobody else. The
    same request for a pair gives the same pair, whenever it is asked.
    """
    return _made(unit, service.issue(unit, body))


@router.get("", response_model=IssuedCertificateList)
def list_certificates(
    unit: Annotated[Unit, reads("certificates:read")],
    state: Annotated[State | None, Query(description="Only those in this state; a page may then be short.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Reply:
    """List certificates, newest first."""
    rows, page = service.page_of(unit, state, cursor, limit)
    listing = IssuedCertificateList(data=rows, next_cursor=page.next_cursor)
    return Reply(listing, headers=page.link("/v1/certificates", limit, state=state))


@router.get("/{certificate_id}", response_model=IssuedCertificateOut)
def get_certificate_by_id(unit: Annotated[Unit, reads("certificates:read")], certificate_id: str) -> Reply:
    """Read a certificate, in the state that the authority's record has it in now."""
    with unit.read() as session:
        row = repository.get(session, unit.tenant_id, certificate_id)
    return _shown(service.present(unit, row))


@router.get(
    "/{certificate_id}/pair",
    response_class=Response,
    responses={
        200: {
            "content": {"application/x-pem-file": {}},
            "description": "PEM: both certificates, the private key for decryption encrypted to the signing key, and "
            "the certificates above, as `sealroad key accept-pair` takes them.",
        }
    },
)
def get_certificate_pair(unit: Annotated[Unit, reads("certificates:read")], certificate_id: str) -> Response:
    """Download the pair that a certificate belongs to. Only who has the signing key can open the key in it."""
    content = pairing.file_of(unit, certificate_id)
    headers = {"content-disposition": f'attachment; filename="{certificate_id}.pair.pem"'}
    return Response(content, 200, headers, media_type="application/x-pem-file")


@router.post("/{certificate_id}/renew", status_code=201, response_model=IssuedCertificateOut)
def renew_certificate(
    unit: Annotated[Unit, writes("certificates:write")], certificate_id: str, body: RenewalIn, if_match: IfMatch = None
) -> Reply:
    """Get the next certificate of the same subject, for the key that signed the request.

    The certificate must be good. It stays so; revoke it as superseded when nobody needs it any more.
    """
    return _made(unit, service.renew(unit, certificate_id, body, if_match))


@router.post("/{certificate_id}/revoke", response_model=IssuedCertificateOut)
def revoke_certificate(
    unit: Annotated[Unit, writes("certificates:write")],
    certificate_id: str,
    body: RevocationIn | None = None,
    if_match: IfMatch = None,
) -> Reply:
    """Revoke a certificate, for good. The circle's revocation list and its OCSP responder say so from then on."""
    return _shown(service.revoke(unit, certificate_id, body or RevocationIn(), if_match))


@router.post("/{certificate_id}/hold", response_model=IssuedCertificateOut)
def hold_certificate(
    unit: Annotated[Unit, writes("certificates:write")],
    certificate_id: str,
    body: HoldIn | None = None,
    if_match: IfMatch = None,
) -> Reply:
    """Suspend a certificate, until it is released or revoked. Lists and OCSP say certificateHold from then on."""
    return _shown(service.hold(unit, certificate_id, body or HoldIn(), if_match))


@router.post("/{certificate_id}/release", response_model=IssuedCertificateOut)
def release_certificate(
    unit: Annotated[Unit, writes("certificates:write")], certificate_id: str, if_match: IfMatch = None
) -> Reply:
    """End the suspension of a certificate: it is good again."""
    return _shown(service.release(unit, certificate_id, if_match))


def _made(unit: Unit, row: IssuedCertificate) -> Reply:
    shown = service.present(unit, row)
    return Reply(shown, etag=shown.etag, headers={"location": f"/v1/certificates/{row.id}"})


def _shown(certificate: IssuedCertificateOut) -> Reply:
    return Reply(certificate, etag=certificate.etag)
