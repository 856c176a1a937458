"""`/v1/verifications`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import File, UploadFile
from pydantic import RootModel

from api.documents.service import clean_name
from api.errors import PayloadTooLarge, ValidationFailed
from api.kit.edge import Reply, Router, Unit, writes
from api.kit.files import upload_chunks
from api.verification import service

router = Router(prefix="/v1/verifications", tags=["verification"])

MAX_TRUST_FILES = 20
MAX_TRUST_SIZE = 5 * 2**20


class Report(RootModel[dict[str, Any]]):
    """A report of schema sealroad.report/1; `trust` says what was trusted besides the files sent."""


@router.post("", response_model=Report)
def verify_document(
    unit: Annotated[Unit, writes("verifications:write")],
    file: Annotated[UploadFile, File(description="A PDF.")],
    trust: Annotated[
        list[UploadFile] | None,
        File(description="Certificates or revocation lists to trust in addition: PEM, DER or PKCS#7."),
    ] = None,
) -> Reply:
    """Verify every signature in a file. The file is not kept.

    The answer is a report, whatever is in the file: what is wrong with it is in the report, not in the status.
    """
    context = unit.context
    if trust is not None and len(trust) > MAX_TRUST_FILES:
        raise ValidationFailed(f"at most {MAX_TRUST_FILES} trust files are taken")
    with context.storage.scratch() as directory:
        path = directory / "document"
        with context.storage.receive(upload_chunks(file), limit=context.settings.max_upload) as received:
            received.path.rename(path)
        report = service.verify_path(
            context, path, name=clean_name(file.filename), trust=tuple(_small(item) for item in trust or [])
        )
    return Reply(Report(report))


def _small(item: UploadFile) -> bytes:
    data = item.file.read(MAX_TRUST_SIZE + 1)
    if len(data) > MAX_TRUST_SIZE:
        raise PayloadTooLarge(f"a trust file is larger than {MAX_TRUST_SIZE} octets")
    return data
