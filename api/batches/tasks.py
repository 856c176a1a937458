"""The jobs of a batch: `sign-batch` uses keys that are here, `prepare-batch` prepares what keys elsewhere are to sign.

Items are done in order, each by the code that does it alone, on behalf of whoever sent the batch:

1. `begin`: the consent goes on record, in a transaction of its own with the item's state.
2. The signing or preparing, with its own transactions and its own recovery after a crash.
3. What became of it, with the item's state. An item that fails is given up by itself.

An item that only has to wait (no time-stamp to be had) is passed over; the job is then put off, and tries those again.
A job that is repeated after a crash goes on with the items that have not ended. Once the key that sent the batch is
revoked, or its user deactivated, those fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from api.auth.service import Principal, require_standing
from api.batches import policies, repository
from api.batches.models import Batch, BatchItem
from api.batches.policy import check_in_force
from api.context import Context
from api.contracts import repository as contracts
from api.contracts.parts import Locale
from api.errors import JobCancelled, LeaseLost
from api.jobs import queue
from api.jobs.queue import JobRun
from api.jobs.worker import PASSING, public
from api.kit.edge import Source, Unit
from api.signing import service as signing
from api.signing import tasks as signing_tasks
from api.signing.grounds import examine
from api.signing.schemas import Consent, SignatureRequestIn
from certs.errors import SealroadError

OPEN = ("waiting", "begun")


def sign_batch(context: Context, run: JobRun) -> dict[str, Any]:
    """Run the job. Payload: batch."""
    work = _Work.of(context, run)
    return work.each(work.sign)


def prepare_batch(context: Context, run: JobRun) -> dict[str, Any]:
    """Run the job. Payload: batch."""
    work = _Work.of(context, run)
    return work.each(work.prepare)


def gave_up(context: Context, run: JobRun, failure: dict[str, Any]) -> None:
    """Let the parties of the items that have not ended begin again; what is signed stays signed."""
    work = _Work.of(context, run)
    for item in work.batch.items:
        if item.state in OPEN:
            work.fail(item, failure)
    work.end()


@dataclass
class _Work:
    """One attempt at a batch. Its items are as they were read, and then as this attempt left them."""

    context: Context
    run: JobRun
    batch: Batch

    @classmethod
    def of(cls, context: Context, run: JobRun) -> _Work:
        with context.database.read() as session:
            return cls(context, run, repository.batch(session, run.tenant_id, run.payload["batch"]))

    def each(self, do: Callable[[BatchItem], None]) -> dict[str, Any]:
        """Do every item that has not ended; return what the job says in the end."""
        waits: SealroadError | None = None
        for item in self.batch.items:
            if item.state not in OPEN:
                continue
            with self.context.database.read() as session:
                require_standing(session, self.batch.key_id)
            try:
                do(item)
            except (LeaseLost, JobCancelled):
                raise
            except SealroadError as error:
                if error.code in PASSING:
                    waits = error
                else:
                    self.fail(item, public(error))
        if waits is not None:
            raise waits
        return self.end()

    def sign(self, item: BatchItem) -> None:
        """Sign every document of an item with the key that is here."""
        if item.payload is None:
            with self.unit() as unit:
                # whoever has to show a factor is not here: such an item is refused
                consent = self.consent(item)
                grounds = examine(unit, item.contract_id, item.party_id, None, consent)
                queue.fence(unit.session, self.run)
                self._check_policy(unit)
                payload, _ = signing.begin(unit, item.party_id, None, consent, grounds)
                row = repository.item(unit.session, item.batch_id, item.position)
                row.payload, row.state = payload, "begun"
            item.payload = payload
        part = replace(self.run, payload=item.payload, before=self._size("signed"), of=self.total)
        signing_tasks.sign_with_held_key(self.context, part)
        with self.context.database.write() as session:
            queue.fence(session, self.run)
            repository.item(session, item.batch_id, item.position).state = item.state = "signed"

    def prepare(self, item: BatchItem) -> None:
        """Prepare every document of an item for the key that is elsewhere."""
        with self.context.database.read() as session:
            contract = contracts.get(session, self.run.tenant_id, item.contract_id)
            done = contracts.signed_documents(session, contract, item.party_id)
            done |= {row.document_id for row, _ in repository.requests(session, item.signatures)}
        left: list[str | None] = [row.document_id for row in contract.documents if row.document_id not in done]
        wanted = left or [None]  # nothing is left: then the request says so
        before = self._size("prepared")
        for name in wanted:
            body = SignatureRequestIn(consent=self.consent(item), document=name, values=None)
            with self.unit() as unit:
                made, _ = signing.request_signature(unit, item.contract_id, item.party_id, None, body)
                row = repository.item(unit.session, item.batch_id, item.position)
                row.signatures = [*row.signatures, made.id]
                row.state = "prepared" if name == wanted[-1] else "waiting"
                told = {"signature": made.id, "document": made.document_id}
                number = before + len(row.signatures)
                now = self.context.now()
                queue.progress(unit.session, self.run, now=now, total=self.total, done=number, item=told)
            item.signatures, item.state = row.signatures, row.state

    def fail(self, item: BatchItem, failure: dict[str, Any]) -> None:
        """Give an item up: its party may begin again."""
        if item.payload is not None:
            signing_tasks.gave_up(self.context, replace(self.run, payload=item.payload), failure)
        with self.context.database.write() as session:
            row = repository.item(session, item.batch_id, item.position)
            row.state, row.failure = item.state, item.failure = "failed", failure
            told = {"contract": item.contract_id, "party": item.party_id, "error": failure}
            failed = self._size("failed")
            queue.progress(session, self.run, now=self.context.now(), total=self.total, failed=failed, item=told)

    def end(self) -> dict[str, Any]:
        """Note that the job has done what it can; return what it says."""
        with self.context.database.write() as session:
            queue.fence(session, self.run)
            batch = repository.batch(session, self.run.tenant_id, self.batch.id, lock=True)
            states = Counter(item.state for item in batch.items)
            batch.state = "ready" if states["prepared"] else "ended"
            batch.updated_at = self.context.now()
        return {"batch": batch.id, **{state: states[state] for state in ("prepared", "signed", "failed")}}

    def unit(self) -> Unit:
        """Return a unit on behalf of whoever sent the batch."""
        batch = self.batch
        who = Principal(batch.tenant_id, batch.key_id, frozenset(), batch.user_id)
        more = {"batch": batch.id} | ({"policy": batch.policy_id} if batch.policy_id is not None else {})
        return Unit(self.context, who, Source(**batch.source, at=batch.created_at, more=more))

    def consent(self, item: BatchItem) -> Consent:
        """Return the consent of the batch, for one item."""
        batch = self.batch
        locale = cast("Locale", batch.locale)
        return Consent(
            text=batch.text,
            text_id=None,
            text_sha256=None,
            locale=locale,
            accepted=True,
            document_sha256=None,
            documents=item.documents,
        )

    @property
    def total(self) -> int:
        """Documents of all items."""
        return sum(item.size for item in self.batch.items)

    def _size(self, state: str) -> int:
        return sum(item.size for item in self.batch.items if item.state == state)

    def _check_policy(self, unit: Unit) -> None:
        """Raise SigningPolicyRefused where the policy was revoked, or has ended, since the batch was counted on it."""
        row = repository.policy(unit.session, unit.tenant_id, self.batch.policy_id or "")
        now = self.context.now()
        check_in_force(policies.view_of(row, now), unit.principal.who, now)
