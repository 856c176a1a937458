"""`/v1/documents`."""

from __future__ import annotations

from typing import Annotated

from fastapi import File, Form, Request, UploadFile
from starlette.responses import Response

from api.documents import repository, service
from api.documents.models import Document
from api.documents.opening import first_line
from api.documents.schemas import DocumentList, DocumentOut
from api.kit.content import file_response
from api.kit.edge import Reply, Router, Unit, changes, reads, writes
from api.kit.pagination import Cursor, Limit, paginate

router = Router(prefix="/v1/documents", tags=["documents"])


@router.post("", status_code=201, response_model=DocumentOut)
def upload_document(
    unit: Annotated[Unit, writes("documents:write")],
    file: Annotated[UploadFile, File(description="A PDF.")],
    password: Annotated[
        str | None,
        Form(
            max_length=1024,
            description="User or owner password of an encrypted PDF, its first line. It is kept sealed until the "
            "document is deleted, and stands in no log and no answer.",
        ),
    ] = None,
) -> Reply:
    """Upload a PDF.

    It is hashed while it arrives (SHA-256, SM3, Streebog) and refused if it is damaged, without pages, or encrypted in
    a way that the password does not open. An encrypted file stays as it is, and so do the signatures made in it.
    """
    document = service.upload(unit, file, first_line(password))
    return Reply(DocumentOut.of(document), headers={"location": f"/v1/documents/{document.id}"})


@router.get("", response_model=DocumentList)
def list_documents(unit: Annotated[Unit, reads("documents:read")], limit: Limit = 50, cursor: Cursor = None) -> Reply:
    """List documents, newest first."""
    with unit.read() as session:
        page = paginate(session, repository.all_of(unit.tenant_id), Document, unit, cursor=cursor, limit=limit)
    rows = [DocumentOut.of(row) for row in page.rows]
    return Reply(DocumentList(data=rows, next_cursor=page.next_cursor), headers=page.link("/v1/documents", limit))


@router.get("/{document_id}", response_model=DocumentOut)
def get_document(unit: Annotated[Unit, reads("documents:read")], document_id: str) -> Reply:
    """Read what is known of a document."""
    with unit.read() as session:
        return Reply(DocumentOut.of(repository.get(session, unit.tenant_id, document_id)))


@router.get(
    "/{document_id}/content",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "The file as it was uploaded."}},
)
def get_document_content(
    unit: Annotated[Unit, reads("documents:read")], request: Request, document_id: str
) -> Response:
    """Download the file. The ETag is its SHA-256; ranges are honoured."""
    with unit.read() as session:
        document = repository.get(session, unit.tenant_id, document_id)
    return file_response(unit, request, document.sha256, name=document.name)


@router.delete("/{document_id}", status_code=204, response_class=Response)
def delete_document(unit: Annotated[Unit, changes("documents:write")], document_id: str) -> Reply:
    """Delete a document that no contract and no template holds."""
    service.delete(unit, document_id)
    return Reply(None)
