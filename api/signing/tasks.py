"""The job `sign`: a party's key that the service holds signs every document of a contract.

For each document, until the party's revision exists:

0. Before the first: sign and time-stamp the record of what the party agreed to.
1. Prepare against the head, keep the prepared file, commit the intent, and with it the signature on the record.
2. Use the key once on exactly that; commit the value.
3. Complete a copy, keep it, and make it the newest revision by compare-and-set. The last one ends the job.

A job that is repeated after a crash finds what was committed and goes on from there. If somebody else signed first,
the intent is abandoned and the loop prepares again on the new head.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

from api.context import Context
from api.contracts import repository as contracts
from api.contracts import workflow
from api.contracts.models import Contract, ContractDocument, Party
from api.contracts.transition import SYSTEM, agreement_of, apply
from api.errors import NotFound, StateConflict
from api.jobs import queue
from api.jobs.queue import JobRun
from api.mandates import standing as mandates
from api.seals import applying, uses
from api.signing import pdf, repository
from api.signing.embedding import STALE, embed, record_intent
from api.signing.intent import certified_now, keep_certified
from api.signing.models import Signature
from signer.errors import StaleRequest

MAX_ROUNDS = 1000
"""How often somebody else may sign first: as often as a contract can have parties times documents."""


def sign_with_held_key(context: Context, run: JobRun) -> dict[str, Any] | None:
    """Run the job, or the part of one that `run` is. Payload: contract, party, consent, intent, who."""
    signatures: list[str] = []
    seen = _look(context, run)
    record = certified_now(context, run, run.payload["intent"], seen.party.suite or "")
    for _ in range(MAX_ROUNDS):
        contract, party, rows = seen.contract, seen.party, seen.unsigned
        if not rows:
            return {"contract": contract.id, "party": party.id, "signatures": signatures}
        if workflow.ContractState(contract.state) not in workflow.OPEN:
            raise StateConflict(f"the contract is {contract.state}", state=contract.state, allowed=[])
        if party.key_factor_id is not None and (seen.intent is None or seen.intent.value is None):
            # its signer's passphrase was here with the request only (api.signing.locked)
            raise StaleRequest("somebody else signed first", hint="the party signs again, with its passphrase")
        of_party, of_document = party.id, rows[0].document_id  # a transaction that fails forgets what it had
        try:
            intent = seen.intent or _prepare(context, run, seen, record)
            result = {"contract": contract.id, "party": party.id, "signatures": [*signatures, intent.id]}
            ends = len(rows) == 1 and run.of is None  # what is a part of a job does not end it
            _finish(context, run, seen, intent, result if ends else None)
            if len(rows) == 1:
                return None if ends else result
            signatures.append(intent.id)
        except StaleRequest:
            with context.database.write() as session:
                queue.fence(session, run)
                repository.abandon(session, of_party, context.now(), STALE, of_document)
        seen = _look(context, run)
    raise StateConflict("the document kept changing", state="signing", allowed=[])


@dataclass(frozen=True)
class _Seen:
    """A contract as it was at one moment, and what its party has still to sign."""

    contract: Contract
    party: Party
    unsigned: list[ContractDocument]
    intent: Signature | None
    """What an attempt before this one began with the first of them."""


def _look(context: Context, run: JobRun) -> _Seen:
    with context.database.read() as session:
        contract = contracts.get(session, run.tenant_id, run.payload["contract"])
        party = contracts.party_of(contract, run.payload["party"])
        done = contracts.signed_documents(session, contract, party.id)
        rows = [row for row in contract.documents if row.document_id not in done]
        first = rows[0] if rows else None
        begun = repository.open_intent(session, party.id, first.document_id, first.head_sha256) if first else None
    return _Seen(contract, party, rows, begun)


def _prepare(context: Context, run: JobRun, seen: _Seen, record: bytes | None) -> Signature:
    row = seen.unsigned[0]
    prepared, received = pdf.prepare_kept(context, seen.contract, seen.party, row.document_id, row.head_sha256)
    with context.database.write() as session:
        queue.fence(session, run)
        now = context.now()
        contract = contracts.again(session, seen.contract)
        party = contracts.party_of(contract, seen.party.id)
        mandates.require_in_term(session, run.tenant_id, party, now)
        if record is not None:
            keep_certified(session, run.tenant_id, run.payload["intent"], record, now)
        return record_intent(
            session,
            contract,
            party,
            document_id=row.document_id,
            base_sha256=row.head_sha256,
            prepared=prepared,
            prepared_file=received,
            consent=run.payload["consent"],
            who=run.payload.get("who", ""),  # a job from before there were seals has none
            now=now,
            actor=run.actor,
        )


def _finish(context: Context, run: JobRun, seen: _Seen, intent: Signature, result: dict[str, Any] | None) -> None:
    """Use the key and embed what it gives; with it the job ends where a result is given."""
    from signer.pades.sign import Prepared

    contract, party = seen.contract, seen.party
    value = intent.value
    if value is None:
        if party.seal_id is not None:
            key = applying.open_key(context, run.tenant_id, party.seal_id)
        else:
            key = context.vault.open_key(party.sealed_key or b"", party.id, party.suite or "")
        value = key.sign(Prepared.from_json(intent.prepared).dtbs)
        with context.database.write() as session:
            queue.fence(session, run)
            if not repository.keep_value(session, intent, value, context.now()):
                raise StaleRequest("the contract was closed, or the party has begun to sign anew")
    received = pdf.complete_kept(context, contract, party, intent, value=value, cms=None)
    total = len(contract.documents)
    done = total - len(seen.unsigned) + 1
    with context.database.write() as session:
        now, item = context.now(), {"signature": intent.id, "document": intent.document_id}
        queue.progress(session, run, now=now, total=total, done=done, item=item)
        locked = contracts.again(session, contract)
        row = repository.get(session, run.tenant_id, contract.id, party.id, intent.id, lock=True)
        embed(session, locked, row, signed_file=received, now=now, actor=run.actor)
        if result is not None:
            queue.end(session, run, state="succeeded", result=result, now=now)


def gave_up(context: Context, run: JobRun, failure: dict[str, Any]) -> None:
    """Let the party begin again after a job that failed for good."""
    with context.database.write() as session:
        queue.fence(session, run)
        try:
            contract = contracts.get(session, run.tenant_id, run.payload["contract"], lock=True)
        except NotFound:
            return
        now = context.now()
        repository.abandon(session, run.payload["party"], now, failure)
        for use in uses.open_uses(session, run.payload["party"]):
            uses.failed(session, run.tenant_id, use, failure, now)
        with contextlib.suppress(StateConflict):  # the contract was closed meanwhile, and the party with it
            change = workflow.abandon_signing(agreement_of(contract), run.payload["party"])
            apply(session, contract, change, now=now, actor=SYSTEM, data={"job": run.id, **failure})
