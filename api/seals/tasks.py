"""The job `seal`: a seal whose key the service holds goes on one stored document; the sealed one is a new document.

 1. Prepare, keep the prepared file, commit the use: permitted, counted, and what will be signed.
 2. Use the key once on exactly that; commit the value.
 3. Complete a copy and keep it; the new document and the end of the use are one commit.

A job that is repeated after a crash finds what was committed and goes on from there.
"""

from __future__ import annotations

from typing import Any

from api.context import Context
from api.documents import repository as documents
from api.documents.inspect import inspect_pdf
from api.documents.opening import credentials_of, password_of, seal_password
from api.documents.service import available_digests, document_of
from api.jobs import queue
from api.jobs.queue import JobRun
from api.kit.files import copy_file, file_chunks
from api.seals import applying, repository, uses
from api.seals.models import SealUse
from api.seals.uses import Use
from certs.certificate import load_certificates


def seal_document(context: Context, run: JobRun) -> dict[str, Any]:
    """Run the job. Payload: seal, document, use, who, name, placement, national, level, reason, location, locale."""
    use = _use_of(context, run) or _prepare(context, run)
    if use.state == "done":  # killed before the job was marked as done
        return {"seal": use.seal_id, "use": use.id, "document": use.result}
    if use.value is None:
        use = _sign(context, run, use)
    return _finish(context, run, use)


def gave_up(context: Context, run: JobRun, failure: dict[str, Any]) -> None:
    """Note in the seal's log that a use came to nothing."""
    with context.database.write() as session:
        queue.fence(session, run)
        use = session.get(SealUse, run.payload["use"])
        if use is not None and use.state == "recorded":
            uses.failed(session, run.tenant_id, use, failure, context.now())


def _use_of(context: Context, run: JobRun) -> SealUse | None:
    with context.database.read() as session:
        return session.get(SealUse, run.payload["use"])


def _prepare(context: Context, run: JobRun) -> SealUse:
    from signer.pades.options import NationalForm
    from signer.pades.sign import prepare

    asked = run.payload
    row = applying.row_of(context, run.tenant_id, asked["seal"])
    seal = applying.load(context, row)
    with context.database.read() as session:
        document = documents.get(session, run.tenant_id, asked["document"])
    certificate, *chain = load_certificates((row.certificates or [""])[0].encode())
    with context.storage.scratch() as directory, context.storage.local(document.sha256) as source:
        path = directory / "prepared.pdf"
        credentials = credentials_of(context, document)
        options = applying.options_of(
            seal,
            source,
            asked["placement"],
            credentials=credentials,
            national=NationalForm() if asked["national"] else None,
            level=asked["level"],
            reason=asked["reason"],
            location=asked["location"],
            locale=asked["locale"],
            field=asked["use"],  # leads from the document to the log
        )
        prepared = prepare(
            source, path, options, certificate, chain, context.clock, suite=row.suite, credentials=credentials
        )
        with context.storage.receive(file_chunks(path)) as received:
            context.storage.keep(received)
    with context.database.write() as session:
        queue.fence(session, run)
        wanted = Use(
            id=asked["use"],
            who=asked["who"],
            kind="document",
            document_id=document.id,
            base_sha256=document.sha256,
            prepared_sha256=received.sha256,
            prepared=prepared.to_json(),
        )
        locked = repository.get(session, run.tenant_id, row.id, lock=True)
        return uses.begin(session, locked, wanted, now=context.now(), actor=run.actor)


def _sign(context: Context, run: JobRun, use: SealUse) -> SealUse:
    from signer.pades.sign import Prepared

    prepared = Prepared.from_json(use.prepared or "")
    value = applying.open_key(context, run.tenant_id, use.seal_id).sign(prepared.dtbs)
    with context.database.write() as session:
        queue.fence(session, run)
        row = session.get_one(SealUse, use.id, with_for_update=True)
        row.value, row.updated_at = value, context.now()
        return row


def _finish(context: Context, run: JobRun, use: SealUse) -> dict[str, Any]:
    from signer.pades.sign import Prepared, complete

    asked = run.payload
    assert use.prepared_sha256 is not None
    with context.database.read() as session:
        password = password_of(context, documents.get(session, run.tenant_id, asked["document"]))
    row = applying.row_of(context, run.tenant_id, use.seal_id)
    timestamper = context.circles.get(row.suite).tsa if asked["level"] == "B-T" else None
    with context.storage.scratch() as directory:
        path = directory / "sealed.pdf"
        with context.storage.local(use.prepared_sha256) as source:
            copy_file(source, path)
        complete(path, Prepared.from_json(use.prepared or ""), value=use.value, timestamper=timestamper)
        with context.storage.receive(file_chunks(path), digests=available_digests()) as received:
            found = inspect_pdf(received.path, max_pages=context.settings.max_pages, password=password)
            context.storage.keep(received)
    with context.database.write() as session:
        queue.fence(session, run)
        now = context.now()
        document = document_of(received, tenant_id=run.tenant_id, name=asked["name"], pages=found.pages, now=now)
        document.encryption = found.encryption
        document.sealed_key = seal_password(context, document.id, password)
        session.add(document)
        facts = {"document": document.id, "sha256": received.sha256}
        uses.done(session, run.tenant_id, use.seal_id, use.id, now=now, actor=run.actor, facts=facts)
        session.get_one(SealUse, use.id).result = document.id
    return {"seal": use.seal_id, "use": use.id, "document": document.id}
