"""`/v1/bulk-sends`."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import File, Form, Request, UploadFile
from starlette.responses import Response, StreamingResponse

from api.bulk import repository, results, service
from api.bulk.models import BulkSend
from api.bulk.reading import MAX_ROWS
from api.bulk.schemas import BulkSendList, BulkSendOut, Common
from api.kit.accept import choose
from api.kit.edge import Reply, Router, Unit, reads, writes
from api.kit.pagination import Cursor, Limit, paginate
from api.kit.refusals import refuse, validated

router = Router(prefix="/v1/bulk-sends", tags=["templates"])


@router.post("", status_code=202, response_model=BulkSendOut)
def create_bulk_send(
    unit: Annotated[Unit, writes("contracts:write")],
    file: Annotated[
        UploadFile,
        File(description=f"CSV in UTF-8 with column names, NDJSON, or a JSON array; {MAX_ROWS} rows at most."),
    ],
    template: Annotated[str, Form(max_length=40, description="The template that contracts are made of.")],
    parties: Annotated[
        str | None,
        Form(max_length=1_000_000, description="JSON: what all rows fill in alike, a list as `parties` of a row."),
    ] = None,
    skip_invalid: Annotated[bool, Form(description="Leave rows out that are wrong, in place of sending none.")] = False,
) -> Reply:
    """Make and send a contract for every row of a table.

    The whole table is looked at first. If any row is wrong, every finding is told by row and column and nothing is
    made. Otherwise a job does the rest; what became of each row is at `/results`.
    """
    bulk = service.create(unit, template, file, _common(parties), skip_invalid=skip_invalid)
    return Reply(bulk, headers={"location": f"/v1/jobs/{bulk.job}"})


@router.get("", response_model=BulkSendList)
def list_bulk_sends(unit: Annotated[Unit, reads("contracts:read")], limit: Limit = 50, cursor: Cursor = None) -> Reply:
    """List bulk sends, newest first."""
    with unit.read() as session:
        page = paginate(session, repository.all_of(unit.tenant_id), BulkSend, unit, cursor=cursor, limit=limit)
        rows = [BulkSendOut.of(row, repository.counts(session, row.id)) for row in page.rows]
    return Reply(BulkSendList(data=rows, next_cursor=page.next_cursor), headers=page.link("/v1/bulk-sends", limit))


@router.get("/{bulk_id}", response_model=BulkSendOut)
def get_bulk_send(unit: Annotated[Unit, reads("contracts:read")], bulk_id: str) -> Reply:
    """Read how far a bulk send has come."""
    return Reply(service.out(unit, bulk_id))


@router.get(
    "/{bulk_id}/results",
    response_class=Response,
    responses={
        200: {
            "description": "A line for each row.",
            "content": {media: {"schema": {"type": "string"}} for media in results.FORMATS},
        }
    },
)
def get_bulk_results(unit: Annotated[Unit, reads("contracts:read")], request: Request, bulk_id: str) -> Response:
    """Read what became of every row: its contract, or what was wrong. NDJSON, or CSV where `Accept` says text/csv."""
    form = choose(request, results.FORMATS)
    bulk = service.out(unit, bulk_id)
    media = results.CSV if form == "csv" else results.NDJSON
    headers = {"vary": "accept", "content-disposition": f'attachment; filename="{bulk.id}.{form}"'}
    return StreamingResponse(results.lines(unit.context, bulk.id, form), 200, headers, media_type=media)


def _common(parties: str | None) -> Common:
    if parties is None:
        return Common()
    try:
        said = json.loads(parties)
    except (ValueError, RecursionError):
        raise refuse("/parties", "json", "is not JSON") from None
    return validated(Common, {"parties": said})
