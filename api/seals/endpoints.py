"""`/v1/seals`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from api.audit.schemas import LogCheckOut
from api.contracts.act_schemas import ReasonIn
from api.errors import StateConflict
from api.jobs.schemas import JobOut
from api.kit.content import file_response
from api.kit.edge import OptionalVersion, Reply, Router, Unit, etag, reads, writes
from api.kit.pagination import After, Cursor, Limit, paginate
from api.seals import application, grants, log, making, repository, service
from api.seals.models import Seal, SealGrant
from api.seals.schemas import (
    FilingIn,
    GrantIn,
    GrantList,
    GrantOut,
    LogList,
    SealDocumentIn,
    SealIn,
    SealList,
    SealOut,
)
from signer.seals.lifecycle import SealState

router = Router(prefix="/v1/seals", tags=["seals"])
PICTURES = {"PNG": ("image/png", "png"), "JPG": ("image/jpeg", "jpg"), "SVG": ("image/svg+xml", "svg")}
_FILES: dict[str, dict[str, str]] = {media: {} for media, _ in PICTURES.values()}


def _shown(unit: Unit, seal: Seal, **headers: str) -> Reply:
    with unit.read() as session:
        maker = service.maker_pem(session, seal)
    return Reply(SealOut.of(seal, maker), etag=etag(seal.version), headers=headers)


@router.post("", status_code=201, response_model=SealOut)
def apply_for_seal(unit: Annotated[Unit, writes("seals:write")], body: SealIn) -> Reply:
    """Apply for a seal.

    It is made when enough other people have approved, filed where it has to be, and used by whom it is granted to.
    """
    seal = application.apply_for(unit, body)
    return _shown(unit, seal, location=f"/v1/seals/{seal.id}")


@router.get("", response_model=SealList)
def list_seals(
    unit: Annotated[Unit, reads("seals:read")],
    limit: Limit = 50,
    cursor: Cursor = None,
    state: SealState | None = None,
) -> Reply:
    """List seals, newest first."""
    with unit.read() as session:
        page = paginate(session, repository.all_of(unit.tenant_id, state=state), Seal, unit, cursor=cursor, limit=limit)
        rows = [SealOut.of(row, service.maker_pem(session, row)) for row in page.rows]
    return Reply(SealList(data=rows, next_cursor=page.next_cursor), headers=page.link("/v1/seals", limit, state=state))


@router.get("/{seal_id}", response_model=SealOut)
def get_seal(unit: Annotated[Unit, reads("seals:read")], seal_id: str) -> Reply:
    """Read a seal."""
    with unit.read() as session:
        return _shown(unit, repository.get(session, unit.tenant_id, seal_id))


@router.get(
    "/{seal_id}/picture",
    response_class=Response,
    responses={200: {"content": _FILES, "description": "The picture, as it is in the seal."}},
)
def get_seal_picture(unit: Annotated[Unit, reads("seals:read")], request: Request, seal_id: str) -> Response:
    """Download the picture."""
    with unit.read() as session:
        seal = repository.get(session, unit.tenant_id, seal_id)
    media_type, ending = PICTURES[seal.picture_type]
    return file_response(unit, request, seal.picture_sha256, name=f"{seal.name}.{ending}", media_type=media_type)


@router.get(
    "/{seal_id}/content",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "SESeal, DER (.esl)."}},
)
def get_seal_content(unit: Annotated[Unit, reads("seals:read")], request: Request, seal_id: str) -> Response:
    """Download the seal object, once it is made."""
    with unit.read() as session:
        seal = repository.get(session, unit.tenant_id, seal_id)
    if seal.content_sha256 is None:
        raise StateConflict("the seal has not been made", state=seal.state, allowed=[])
    return file_response(
        unit, request, seal.content_sha256, name=f"{seal.name}.esl", media_type="application/octet-stream"
    )


@router.post("/{seal_id}/approve", response_model=SealOut)
def approve_seal(unit: Annotated[Unit, writes("seals:approve")], seal_id: str, version: OptionalVersion) -> Reply:
    """Approve an application, as somebody who neither applied nor has approved it."""
    return _shown(unit, service.approve(unit, seal_id, version))


@router.post("/{seal_id}/make", response_model=SealOut)
def make_seal(unit: Annotated[Unit, writes("seals:write")], seal_id: str, version: OptionalVersion) -> Reply:
    """Make an approved seal: the service signs it as its maker.

    Where the service is to hold the key, key and certificate are made first. After a broken connection repeat it.
    """
    return _shown(unit, making.make(unit, seal_id, version))


@router.post("/{seal_id}/file", response_model=SealOut)
def file_seal(
    unit: Annotated[Unit, writes("seals:write")], seal_id: str, version: OptionalVersion, body: FilingIn
) -> Reply:
    """Put on record that the seal is on file with the authority, and under which number."""
    return _shown(unit, service.file(unit, seal_id, version, body.filing_number))


@router.post("/{seal_id}/suspend", response_model=SealOut)
def suspend_seal(
    unit: Annotated[Unit, writes("seals:write")],
    seal_id: str,
    version: OptionalVersion,
    body: ReasonIn | None = None,
) -> Reply:
    """Stop all use of a seal for a while."""
    return _shown(unit, service.suspend(unit, seal_id, version, body.reason if body else None))


@router.post("/{seal_id}/resume", response_model=SealOut)
def resume_seal(unit: Annotated[Unit, writes("seals:write")], seal_id: str, version: OptionalVersion) -> Reply:
    """End a suspension."""
    return _shown(unit, service.resume(unit, seal_id, version))


@router.post("/{seal_id}/cancel", response_model=SealOut)
def cancel_seal(
    unit: Annotated[Unit, writes("seals:write")],
    seal_id: str,
    version: OptionalVersion,
    body: ReasonIn | None = None,
) -> Reply:
    """End a seal for good; its key goes. What it has sealed stays sealed."""
    return _shown(unit, service.cancel(unit, seal_id, version, body.reason if body else None))


@router.post("/{seal_id}/apply", status_code=202, response_model=JobOut)
def apply_seal(unit: Annotated[Unit, writes("seals:use")], seal_id: str, body: SealDocumentIn) -> Reply:
    """Seal a stored document by itself, under a grant.

    A job does it; follow it at `Location`. Its result names the sealed document, which is a new one.
    """
    job = service.apply_to(unit, seal_id, body)
    return Reply(JobOut.of(job), headers={"location": f"/v1/jobs/{job.id}"})


@router.post("/{seal_id}/grants", status_code=201, response_model=GrantOut)
def grant_seal(unit: Annotated[Unit, writes("seals:write")], seal_id: str, body: GrantIn) -> Reply:
    """Let somebody use the seal. Where it takes two people, somebody else has to approve the grant."""
    grant = grants.give(unit, seal_id, body)
    return Reply(GrantOut.of(grant))


@router.get("/{seal_id}/grants", response_model=GrantList)
def list_seal_grants(
    unit: Annotated[Unit, reads("seals:read")], seal_id: str, limit: Limit = 50, cursor: Cursor = None
) -> Reply:
    """List the grants of a seal, newest first."""
    with unit.read() as session:
        seal = repository.get(session, unit.tenant_id, seal_id)
        page = paginate(session, repository.grants_of(seal), SealGrant, unit, cursor=cursor, limit=limit)
        rows = [GrantOut.of(row) for row in page.rows]
    return Reply(
        GrantList(data=rows, next_cursor=page.next_cursor), headers=page.link(f"/v1/seals/{seal_id}/grants", limit)
    )


@router.post("/{seal_id}/grants/{grant_id}/approve", response_model=GrantOut)
def approve_seal_grant(unit: Annotated[Unit, writes("seals:approve")], seal_id: str, grant_id: str) -> Reply:
    """Approve a grant, as somebody who neither gives nor receives it."""
    return Reply(GrantOut.of(grants.approve_grant(unit, seal_id, grant_id)))


@router.post("/{seal_id}/grants/{grant_id}/revoke", response_model=GrantOut)
def revoke_seal_grant(unit: Annotated[Unit, writes("seals:write")], seal_id: str, grant_id: str) -> Reply:
    """Take a grant back. To do it again changes nothing."""
    return Reply(GrantOut.of(grants.revoke_grant(unit, seal_id, grant_id)))


@router.get("/{seal_id}/uses", response_model=LogList)
def list_seal_uses(
    unit: Annotated[Unit, reads("seals:read")], seal_id: str, after: After = 0, limit: Limit = 200
) -> Reply:
    """Read the uses of a seal: what its log says of them."""
    return _log(unit, seal_id, after, limit, log.USES)


@router.get("/{seal_id}/events", response_model=LogList)
def list_seal_events(
    unit: Annotated[Unit, reads("seals:read")], seal_id: str, after: After = 0, limit: Limit = 200
) -> Reply:
    """Read the whole log of a seal: append-only, each entry bound to the one before by its hash."""
    return _log(unit, seal_id, after, limit, None)


@router.get("/{seal_id}/events/check", response_model=LogCheckOut)
def check_seal_events(unit: Annotated[Unit, reads("seals:read")], seal_id: str) -> Reply:
    """Check that the log of a seal is as it was written."""
    with unit.read() as session:
        seal = repository.get(session, unit.tenant_id, seal_id)
        return Reply(LogCheckOut.of(seal, log.check(session, seal)))


def _log(unit: Unit, seal_id: str, after: int, limit: int, types: tuple[str, ...] | None) -> Reply:
    with unit.read() as session:
        seal = repository.get(session, unit.tenant_id, seal_id)
        found = log.entries_of(session, seal, after=after, limit=limit + 1, types=types)
    return Reply(LogList.of(found, limit))
