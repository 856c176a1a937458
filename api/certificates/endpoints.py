"""`/v1/certificates`."""

from __future__ import annotations

from typing import Annotated

from api.certificates import repository, service
from api.certificates.models import IssuedCertificate
from api.certificates.schemas import CertificateIn, IssuedCertificateList, IssuedCertificateOut, RevocationIn
from api.kit.edge import Reply, Router, Unit, reads, writes
from api.kit.pagination import Cursor, Limit, paginate

router = Router(prefix="/v1/certificates", tags=["certificates"])


@router.post("", status_code=201, response_model=IssuedCertificateOut)
def issue_certificate(unit: Annotated[Unit, writes("certificates:write")], body: CertificateIn) -> Reply:
    """Get a closed-circle certificate for a key of your own.

    The circle is the one of the key's suite. Whoever accepts its root can check the certificate, and nobody else.
    """
    row = service.issue(unit, body)
    return Reply(IssuedCertificateOut.of(row), headers={"location": f"/v1/certificates/{row.id}"})


@router.get("", response_model=IssuedCertificateList)
def list_certificates(
    unit: Annotated[Unit, reads("certificates:read")], limit: Limit = 50, cursor: Cursor = None
) -> Reply:
    """List certificates, newest first."""
    with unit.read() as session:
        query = repository.all_of(unit.tenant_id)
        page = paginate(session, query, IssuedCertificate, unit, cursor=cursor, limit=limit)
    rows = [IssuedCertificateOut.of(row) for row in page.rows]
    listing = IssuedCertificateList(data=rows, next_cursor=page.next_cursor)
    return Reply(listing, headers=page.link("/v1/certificates", limit))


@router.get("/{certificate_id}", response_model=IssuedCertificateOut)
def get_certificate_by_id(unit: Annotated[Unit, reads("certificates:read")], certificate_id: str) -> Reply:
    """Read a certificate."""
    with unit.read() as session:
        return Reply(IssuedCertificateOut.of(repository.get(session, unit.tenant_id, certificate_id)))


@router.post("/{certificate_id}/revoke", response_model=IssuedCertificateOut)
def revoke_certificate(
    unit: Annotated[Unit, writes("certificates:write")], certificate_id: str, body: RevocationIn | None = None
) -> Reply:
    """Revoke a certificate, for good. The circle's revocation list says so from then on."""
    reason = body.reason if body else "unspecified"
    return Reply(IssuedCertificateOut.of(service.revoke(unit, certificate_id, reason)))
