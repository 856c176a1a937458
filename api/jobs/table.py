"""The table of jobs: kind → handler; and what runs by the clock."""

from __future__ import annotations

import time
from datetime import timedelta

from api.agreements import tasks as agreement_tasks
from api.batches import tasks as batch_tasks
from api.bulk import tasks as bulk_tasks
from api.certificates import issuing
from api.context import Context
from api.contracts import reminders
from api.contracts import tasks as contract_tasks
from api.envelopes import delivery
from api.envelopes import keys as envelope_keys
from api.envelopes import repository as envelopes
from api.envelopes import tasks as envelope_tasks
from api.jobs.upkeep import forget_ended
from api.jobs.worker import Handler
from api.kit import idempotency
from api.seals import service as seals
from api.seals import tasks as seal_tasks
from api.signing import tasks as signing_tasks

_MINUTE, _HOUR = 60.0, 3600.0


def handlers() -> dict[str, Handler]:
    """Return every kind of job there is."""
    return {
        "sign": Handler(signing_tasks.sign_with_held_key, signing_tasks.gave_up),
        "sign-batch": Handler(batch_tasks.sign_batch, batch_tasks.gave_up),
        "prepare-batch": Handler(batch_tasks.prepare_batch, batch_tasks.gave_up),
        "seal": Handler(seal_tasks.seal_document, seal_tasks.gave_up),
        "seal-envelope": Handler(envelope_tasks.seal_envelope, envelope_tasks.sealing_gave_up),
        "open-envelope": Handler(envelope_tasks.open_envelope, envelope_tasks.opening_gave_up),
        "deliver": Handler(delivery.deliver, delivery.gave_up),
        "sign-agreement": Handler(agreement_tasks.sign_with_seal, agreement_tasks.gave_up),
        "bulk-send": Handler(bulk_tasks.send_rows, bulk_tasks.gave_up),
        "finalize": Handler(contract_tasks.finalize, contract_tasks.gave_up),
    }


class Timers:
    """What is looked at regularly: contracts and seals whose time is over, every second; leftovers, every hour.

    So are reminders. Certificates that a process left half-made, and contracts whose finalisation nobody does, are
    settled at once, and then every minute.
    """

    def __init__(self) -> None:
        self._cleaned = time.monotonic()
        self._settled: float | None = None

    def __call__(self, context: Context) -> None:
        """Do what is due."""
        contract_tasks.expire_overdue(context)
        reminders.remind_due(context)
        seals.expire_overdue(context)
        if self._settled is None or time.monotonic() - self._settled > _MINUTE:
            self._settled = time.monotonic()
            issuing.settle(context)
            contract_tasks.finalize_forgotten(context)
        if time.monotonic() - self._cleaned > _HOUR:
            self._cleaned = time.monotonic()
            with context.database.write() as session:
                idempotency.purge(session, context.now())
                envelopes.forget_keys_without_certificate(session, context.now() - envelope_keys.UNCERTIFIED_LIFE)
            forget_ended(context)
            contract_tasks.sweep_storage(context, before=context.now() - timedelta(days=1))
