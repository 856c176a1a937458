"""The jobs `seal-envelope` and `open-envelope`.

Sealing:

1. Encrypt to each family, keep everything but the signatures; commit the manifest: what will be signed. With it the
   uses of seals are permitted and counted, and the contract's audit trail says that a party's key is used.
2. Use each sender's key once on exactly that; commit the signature.
3. Put together the whole package and what each family needs, keep them; one commit makes the envelope sealed.

A job that is repeated after a crash finds what was committed and goes on from there. What a process that died had kept
and not committed is nobody's and goes with the next sweep.

Opening decrypts into a temporary directory; only after the last check the content becomes a document of the tenant, in
one commit with the end of the job. That it was to be opened, by whom and with which key, stood in the log before.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.audit.service import record as record_on_contract
from api.context import Context
from api.contracts import repository as contracts
from api.contracts import workflow
from api.documents.models import Document
from api.documents.opening import password_of, seal_password
from api.documents.service import available_digests, clean_name, document_of
from api.envelopes import keys, repository
from api.envelopes.addressing import Basis, Recipient, check
from api.envelopes.log import record
from api.envelopes.models import Envelope
from api.errors import StateConflict
from api.jobs import queue
from api.jobs.queue import JobRun
from api.kit.files import file_chunks
from api.seals import applying, uses
from api.seals import repository as seals
from api.seals.models import SealUse
from api.seals.uses import Use
from api.storage import Received
from certs.certificate import load_certificates
from certs.files import WholeFile

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from certs.suites.base import Family, PrivateKey


# Sealing -------------------------------------------------------------------------------------------------------------
def seal_envelope(context: Context, run: JobRun) -> dict[str, Any]:
    """Run the job. Payload: envelope, who, trust, revocation."""
    with context.database.read() as session:
        envelope = repository.get(session, run.tenant_id, run.payload["envelope"])
    if envelope.manifest is None:
        envelope = _prepare(context, run, envelope)
    for sender in envelope.senders:
        if sender["family"] not in envelope.signatures:
            envelope = _sign(context, run, envelope, sender)
    if envelope.state == "queued":
        _finish(context, run, envelope)
    return {"envelope": envelope.id}


def sealing_gave_up(context: Context, run: JobRun, failure: dict[str, Any]) -> None:
    """Mark the envelope as failed, and the uses of seals that came to nothing."""
    with context.database.write() as session:
        queue.fence(session, run)
        envelope = repository.get(session, run.tenant_id, run.payload["envelope"], lock=True)
        if envelope.state != "queued":
            return
        envelope.state, envelope.failure = "failed", failure
        for use in _uses(session, envelope):
            uses.failed(session, run.tenant_id, use, failure, context.now())
        record(session, envelope, "envelope.failed", now=context.now(), actor=run.actor, data=failure)


def _prepare(context: Context, run: JobRun, envelope: Envelope) -> Envelope:
    from signer.encryption.envelope import prepare

    recipients = [Recipient.of(row) for row in envelope.recipients]
    check(context, recipients, Basis.of(run.payload))
    senders = [load_certificates(row["certificates"].encode())[0] for row in envelope.senders]
    with context.storage.scratch() as directory, context.storage.local(envelope.source_sha256) as source:
        path = directory / "prepared"
        with source.open("rb") as reader:
            octets = prepare(
                reader,
                WholeFile(path, mode=0o600),
                [recipient.certificates[0] for recipient in recipients],
                senders,
                clock=context.clock,
                name=envelope.name,
            )
        received = _kept(context, path)
    with context.database.write() as session:
        queue.fence(session, run)
        row = repository.get(session, run.tenant_id, envelope.id, lock=True)
        row.manifest, row.prepared_sha256 = octets.decode(), received.sha256
        for sender in row.senders:
            _announce(context, session, run, row, sender)
        facts = {"manifest_sha256": row.manifest_sha256, "prepared_sha256": received.sha256}
        record(session, row, "envelope.prepared", now=context.now(), actor=run.actor, data=facts)
        return row


def _announce(context: Context, session: Session, run: JobRun, envelope: Envelope, sender: dict[str, Any]) -> None:
    """Put the use of a sender's key on record where its owner looks. Raises SealRefused, StateConflict."""
    now = context.now()
    if sender.get("key") is not None:
        keys.usable(context, session, run.tenant_id, sender["key"])
        return  # what the service's own key is for stands in the log of the envelope
    if sender["seal"] is not None:
        wanted = Use(
            id=sender["use"],
            who=run.payload["who"],
            kind="envelope",
            document_id=envelope.document_id,
            base_sha256=envelope.source_sha256,
            prepared_sha256=envelope.prepared_sha256 or "",
            contract_id=envelope.contract_id,
        )
        seal = seals.get(session, run.tenant_id, sender["seal"], lock=True)
        uses.begin(session, seal, wanted, now=now, actor=run.actor)
        return
    contract = contracts.get(session, run.tenant_id, envelope.contract_id or "", lock=True)
    facts = {"envelope": envelope.id, "manifest_sha256": envelope.manifest_sha256, "api_key": run.payload["who"]}
    record_on_contract(
        session,
        contract,
        "party.sends-envelope",
        now=now,
        actor=run.actor,
        party_id=sender["party"],
        data=facts,
    )


def _sign(context: Context, run: JobRun, envelope: Envelope, sender: dict[str, Any]) -> Envelope:
    from signer.encryption.envelope import Sender, sign_manifest

    certificate, *chain = load_certificates(sender["certificates"].encode())
    key = _key_of(context, run, envelope, sender)
    value = sign_manifest((envelope.manifest or "").encode(), Sender(key, certificate, tuple(chain)))
    with context.database.write() as session:
        item, steps = {"envelope": envelope.id, "signed_for": sender["family"]}, len(envelope.senders) + 1
        done = len(envelope.signatures) + 1
        queue.progress(session, run, now=context.now(), total=steps, done=done, item=item)
        row = repository.get(session, run.tenant_id, envelope.id, lock=True)
        row.signatures = {**row.signatures, sender["family"]: base64.b64encode(value).decode()}
        return row


def _key_of(context: Context, run: JobRun, envelope: Envelope, sender: dict[str, Any]) -> PrivateKey:
    """Return a sender's key, unless it must not be used any more."""
    if sender.get("key") is not None:
        return keys.open_held(context, run.tenant_id, sender["key"])
    if sender["seal"] is not None:
        return applying.open_key(context, run.tenant_id, sender["seal"])
    with context.database.read() as session:
        contract = contracts.get(session, run.tenant_id, envelope.contract_id or "")
        party = contracts.party_of(contract, sender["party"])
    if party.sealed_key is None or workflow.ContractState(contract.state) not in workflow.OPEN:
        raise StateConflict("no key of this party is held here now", state=party.state, allowed=[])
    return context.vault.open_key(party.sealed_key, party.id, party.suite or "")


def _finish(context: Context, run: JobRun, envelope: Envelope) -> None:
    families = sorted({row["family"] for row in envelope.recipients})
    whole = _assembled(context, envelope, None)
    # with one family, what its recipients need is everything
    parts = {name: _assembled(context, envelope, name).sha256 for name in families} if families[1:] else {}
    with context.database.write() as session:
        now, steps = context.now(), len(envelope.senders) + 1
        queue.progress(session, run, now=now, total=steps, done=steps)
        row = repository.get(session, run.tenant_id, envelope.id, lock=True)
        row.state, row.sealed_at = "sealed", now
        row.content_sha256, row.size = whole.sha256, whole.size
        row.parts = parts or {families[0]: whole.sha256}
        facts = {"envelope": row.id, "sha256": whole.sha256}
        for use in _uses(session, row):
            uses.done(session, run.tenant_id, use.seal_id, use.id, now=now, actor=run.actor, facts=facts)
            use.result = row.id
        record(
            session,
            row,
            "envelope.sealed",
            now=now,
            actor=run.actor,
            data={"sha256": whole.sha256, "parts": row.parts},
        )


def _assembled(context: Context, envelope: Envelope, family: str | None) -> Received:
    from certs.suites.base import Family
    from signer.encryption.envelope import assemble

    assert envelope.prepared_sha256 is not None
    signatures: dict[Family, bytes] = {
        Family(name): base64.b64decode(value) for name, value in envelope.signatures.items()
    }
    with context.storage.scratch() as directory, context.storage.local(envelope.prepared_sha256) as source:
        path = directory / "envelope"
        with source.open("rb") as reader:
            only = Family(family) if family is not None else None
            assemble(reader, WholeFile(path, mode=0o600), signatures, only=only)
        return _kept(context, path)


def _kept(context: Context, path: Path) -> Received:
    with context.storage.receive(file_chunks(path)) as received:
        context.storage.keep(received)
    return received


def _uses(session: Session, envelope: Envelope) -> list[SealUse]:
    """Return the uses of seals that have begun for an envelope and not ended."""
    found = [session.get(SealUse, row["use"]) for row in envelope.senders if row["use"] is not None]
    return [use for use in found if use is not None and use.state == "recorded"]


# Opening -------------------------------------------------------------------------------------------------------------
def open_envelope(context: Context, run: JobRun) -> None:
    """Run the job. Payload: envelope, recipient, recorded (the entry of the log)."""
    from signer.encryption import opening

    with context.database.read() as session:
        envelope = repository.get(session, run.tenant_id, run.payload["envelope"])
    recipient = repository.recipient_of(envelope, run.payload["recipient"])
    certificate = load_certificates(recipient["certificates"].encode())[0]
    key = keys.open_held(context, run.tenant_id, recipient["key"])
    part = envelope.parts[recipient["family"]]
    with context.storage.scratch() as directory, context.storage.local(part) as source:
        path = directory / "content"
        with source.open("rb") as reader:
            opened = opening.open_envelope(
                reader,
                WholeFile(path, mode=0o600),
                key,
                certificate,
                trust=context.circles.trust_store(),
                clock=context.clock,
            )
        with context.storage.receive(file_chunks(path), digests=available_digests()) as received:
            context.storage.keep(received)
    name, now = clean_name(opened.about.name), context.now()
    document = document_of(received, tenant_id=run.tenant_id, name=name, pages=envelope.pages, now=now)
    with context.database.read() as session:
        source_row = session.get(Document, envelope.document_id)
    if source_row is not None and source_row.encryption is not None:  # the same file, with the signatures it had then
        document.encryption = source_row.encryption
        document.sealed_key = seal_password(context, document.id, password_of(context, source_row))
    with context.database.write() as session:
        queue.fence(session, run)
        session.add(document)
        facts = {
            "recorded": run.payload["recorded"],
            "recipient": recipient["id"],
            "document": document.id,
            "sha256": received.sha256,
            "sender": str(opened.sender),
        }
        row = repository.get(session, run.tenant_id, envelope.id, lock=True)
        record(session, row, "open.done", now=now, actor=run.actor, data=facts)
        result = {"envelope": envelope.id, "document": document.id, "sender": str(opened.sender)}
        queue.end(session, run, state="succeeded", result=result, now=now)


def opening_gave_up(context: Context, run: JobRun, failure: dict[str, Any]) -> None:
    """Note in the log that nothing was given out."""
    with context.database.write() as session:
        queue.fence(session, run)
        row = repository.get(session, run.tenant_id, run.payload["envelope"], lock=True)
        facts = {"recorded": run.payload["recorded"], "recipient": run.payload["recipient"], **failure}
        record(session, row, "open.failed", now=context.now(), actor=run.actor, data=facts)
