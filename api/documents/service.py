"""Take in a PDF, give it out, delete it while nothing uses it."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from pathlib import Path

from fastapi import UploadFile

from api.documents import repository
from api.documents.inspect import inspect_pdf
from api.documents.models import Document
from api.documents.opening import seal_password
from api.errors import Conflict
from api.kit.edge import Unit
from api.kit.files import upload_chunks
from api.kit.ids import new_id
from api.storage import Received
from certs.errors import BackendUnavailable


def upload(unit: Unit, file: UploadFile, password: str | None) -> Document:
    """Store a PDF and return its row; an encrypted one stays so, and its password is kept sealed with the row.

    Raises PayloadTooLarge, DocumentRefused, EncryptedPDF, UnreadablePDF or SigningRefused; nothing is kept then.
    """
    context = unit.context
    digests = available_digests()
    with context.storage.receive(upload_chunks(file), limit=context.settings.max_upload, digests=digests) as received:
        found = inspect_pdf(received.path, max_pages=context.settings.max_pages, password=password)
        context.storage.keep(received)
    document = document_of(
        received, tenant_id=unit.tenant_id, name=clean_name(file.filename), pages=found.pages, now=context.now()
    )
    if found.encryption is not None:
        document.encryption = found.encryption
        document.sealed_key = seal_password(context, document.id, password)
    unit.session.add(document)
    unit.session.flush()
    return document


def document_of(received: Received, *, tenant_id: str, name: str, pages: int, now: datetime) -> Document:
    """Return the row of a new document: a file that was received with the `available_digests` and is kept."""
    return Document(
        id=new_id("doc"),
        tenant_id=tenant_id,
        name=name,
        size=received.size,
        pages=pages,
        sha256=received.sha256,
        sm3=received.digests.get("sm3"),
        streebog256=received.digests.get("streebog256"),
        created_at=now,
    )


def delete(unit: Unit, document_id: str) -> None:
    """Delete a document that nothing holds. Raises NotFound or Conflict. Its octets go with the next sweep."""
    document = repository.get(unit.session, unit.tenant_id, document_id)
    if repository.in_use(unit.session, document_id):
        raise Conflict("a contract or a template holds this document")
    unit.session.delete(document)


def available_digests() -> tuple[str, ...]:
    """Return the digests a document gets: SHA-256 always, the national ones where this machine can compute them."""
    from certs import suites

    names = ["sha256"]
    for name in ("sm3", "streebog256"):
        try:
            suites.new_digest(name)
        except BackendUnavailable:
            continue
        names.append(name)
    return tuple(names)


def clean_name(name: str | None) -> str:
    """Return a file name to show: no directories, no control or invisible direction characters, 1 to 255 characters."""
    base = Path((name or "").replace("\\", "/")).name
    kept = "".join(char for char in base if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"})
    return kept.strip()[:255] or "document.pdf"
