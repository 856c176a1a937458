"""`/v1/verifications`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import File, Form, Request, UploadFile
from pydantic import RootModel
from starlette.responses import Response

from api.context import Context
from api.documents.opening import first_line
from api.documents.service import clean_name
from api.errors import PayloadTooLarge, ValidationFailed
from api.kit.accept import choose
from api.kit.edge import Reply, Router, Unit, writes
from api.kit.files import upload_chunks
from api.verification import service

router = Router(prefix="/v1/verifications", tags=["verification"])

MAX_TRUST_FILES = 20
MAX_TRUST_SIZE = 5 * 2**20
MAX_POLICIES = 20
MAX_BASIS_SIZE = 4 * 2**20

FORMATS = {
    "application/json": "json",
    "text/html": "html",
    "application/pdf": "pdf",
    "application/xml": "xml",
    "text/plain": "text",
}
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; frame-ancestors 'none'"
"""The page holds its own style, pictures and fonts, and nothing that runs."""


class Report(RootModel[dict[str, Any] | list[dict[str, Any]]]):
    """A report of schema sealroad.report/1 (docs/report.schema.json); an array for a contract of several documents."""


@router.post(
    "",
    response_model=Report,
    responses={
        200: {
            "description": "The report, in the format that Accept asks for.",
            "content": {media: {} for media in FORMATS if media != "application/json"},
        }
    },
)
def verify_document(
    unit: Annotated[Unit, writes("verifications:write")],
    request: Request,
    file: Annotated[UploadFile | None, File(description="A PDF or a CMS signature. It is not kept.")] = None,
    contract: Annotated[
        str | None, Form(max_length=100, description="Instead of a file: verify the documents of this contract.")
    ] = None,
    document: Annotated[
        str | None,
        Form(max_length=100, description="Instead of a file: this upload, or with `contract` this document of it."),
    ] = None,
    lang: Annotated[Literal["en", "zh", "ru"], Form(description="Language of the sentences.")] = "en",
    at: Annotated[datetime | None, Form(description="Judge as of this moment instead of now.")] = None,
    password: Annotated[
        str | None,
        Form(
            max_length=1024,
            description="User or owner password of an encrypted PDF. It is neither kept nor written to a log. What the "
            "service holds is opened with the password it was uploaded with.",
        ),
    ] = None,
    trust: Annotated[
        list[UploadFile] | None,
        File(description="Certificates or revocation lists to trust in addition: PEM, DER or PKCS#7."),
    ] = None,
    agreement: Annotated[
        UploadFile | None, File(description="Framework agreement of the parties: JSON or TOML, or signed.")
    ] = None,
    agreement_signature: Annotated[
        list[UploadFile] | None, File(description="Detached CMS signatures over the agreement file.")
    ] = None,
    policy: Annotated[
        list[UploadFile] | None, File(description="What a jurisdiction asks for: TOML or JSON, several if need be.")
    ] = None,
) -> Reply | Response:
    """Verify every signature in a file, in an uploaded document or in the documents of a contract.

    The answer is a report, whatever is in the file: what is wrong with it is in the report, not in the status. It is
    the report of `sealroad verify`, in the format that Accept asks for: JSON, HTML, PDF, XML (ETSI TS 119 102-2), text.
    """
    form = choose(request, FORMATS)
    if (file is None) == (contract is None and document is None):
        raise ValidationFailed("either a file is sent, or a contract or a document is named")
    if agreement_signature and agreement is None:
        raise ValidationFailed("a signature needs the agreement it is on")
    if len(trust or []) > MAX_TRUST_FILES or max(len(policy or []), len(agreement_signature or [])) > MAX_POLICIES:
        raise ValidationFailed(
            f"at most {MAX_TRUST_FILES} trust files, {MAX_POLICIES} policies and {MAX_POLICIES} signatures are taken"
        )
    demand = service.Demand(
        trust=tuple(_small(item, MAX_TRUST_SIZE) for item in trust or []),
        at=at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at,
        agreement=_small(agreement, MAX_BASIS_SIZE) if agreement is not None else None,
        agreement_signatures=tuple(_small(item, MAX_BASIS_SIZE) for item in agreement_signature or []),
        policies=tuple(_small(item, MAX_BASIS_SIZE) for item in policy or []),
        password=first_line(password),
    )
    stored = service.stored(unit, contract, document) if file is None else []
    verify = service.verifier(unit.context, demand)
    reports = []
    for path, name, opening in _files(unit.context, file, stored):
        given = demand.password or opening
        report = verify(path, name, given)
        drawn = service.pictures(report, path, given) if form in ("html", "pdf") else ()
        reports.append((report, drawn))
    if form == "json":
        bodies = [report.to_json(lang) for report, _ in reports]
        return Reply(Report(bodies if len(bodies) > 1 else bodies[0]), headers={"vary": "accept"})
    content, media = service.written(reports, form, lang)
    headers = {"vary": "accept"} | ({"content-security-policy": PAGE_POLICY} if form == "html" else {})
    return Response(content, 200, headers, media_type=media)


def _files(
    context: Context, file: UploadFile | None, stored: list[service.Stored]
) -> Iterator[tuple[Path, str, str | None]]:
    """Yield path, name and password of what is to be verified; each path lives until the next one is asked for."""
    if file is None:
        for item in stored:
            with context.storage.local(item.sha256) as path:
                yield path, item.name, item.password
        return
    with context.storage.scratch() as directory:
        path = directory / "document"
        with context.storage.receive(upload_chunks(file), limit=context.settings.max_upload) as received:
            received.path.rename(path)
        yield path, clean_name(file.filename), None


def _small(item: UploadFile, limit: int) -> bytes:
    data = item.file.read(limit + 1)
    if len(data) > limit:
        raise PayloadTooLarge(f"a file beside the document is larger than {limit} octets")
    return data
