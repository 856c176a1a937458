"""The record of an intent: the words a party agreed to and what it was shown, signed and time-stamped by the service.

    row = draw_up(contract, party, consent, now)             # canonical JSON; in the transaction that takes the consent
    value = certify(context, tenant_id, row.record, suite)    # CAdES B-T, before the party's key is used

A signature proves that a key was used. The record says what its holder was told and agreed to: the text verbatim, its
language, what it fills into form fields, SHA-256 of every document as it was shown, when, from where, by which
credential. The service signs it in the party's own algorithms, with a certificate of the profile `service`, so that
`sealroad verify` judges it:

    sealroad verify intent.p7s --content intent.json --trust root.pem

Nothing of a party is signed before its record is: without a time-stamp the job waits, and a request is refused.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from api.audit.service import moment
from api.context import Context
from api.contracts import fields
from api.contracts.models import Contract, Party
from api.envelopes import keys
from api.jobs.queue import JobRun
from api.kit.ids import new_id
from api.mandates import standing as mandates
from api.signing import repository
from api.signing.models import Intent
from certs import canonical
from certs.certificate import load_certificates
from signer.cms import sign_detached

SCHEMA: Final = "sealroad.intent/1"


def draw_up(
    contract: Contract,
    party: Party,
    consent: dict[str, Any],
    now: datetime,
    mandate: dict[str, Any] | None,
    factors: Sequence[dict[str, Any]],
) -> Intent:
    """Return the record of a consent, not signed yet.

    `mandate` is what was found of a power of attorney, `factors` which of the signer's were checked.
    """
    intent_id = new_id("int")
    body = {
        "schema": SCHEMA,
        "id": intent_id,
        "contract": {"id": contract.id, "title": contract.title},
        "party": {
            "id": party.id,
            "name": party.name,
            "organisation": party.organisation,
            "identifiers": party.identifiers,
            "role": party.role,
            "key_holder": party.key_holder,
            "suite": party.suite,
        },
        "consent": consent,
        **({"fields": filled} if (filled := fields.on_record(contract, party)) else {}),
        **({"mandate": mandate} if mandate is not None else {}),
        "factors": list(factors),
        "recorded_at": moment(now),
    }
    octets = canonical.encode(body)
    return Intent(
        id=intent_id,
        tenant_id=contract.tenant_id,
        contract_id=contract.id,
        party_id=party.id,
        record=octets.decode(),
        sha256=hashlib.sha256(octets).hexdigest(),
        signature=None,
        created_at=now,
        signed_at=None,
    )


def certify(context: Context, tenant_id: str, record: str, suite: str) -> bytes:
    """Return the service's signature on a record (CMS, DER), in the party's suite.

    Raises TimeStampError, IssuanceError, StateConflict, VaultError.
    """
    held = keys.own_key(context, tenant_id, suite)
    certificate, *chain = load_certificates(held.pem.encode())
    return sign_detached(
        io.BytesIO(record.encode()),
        keys.open_own(context, held),
        certificate,
        chain,
        clock=context.clock,
        level="B-T",
        timestamper=context.circles.get(held.suite).tsa,
    )


def certified(context: Context, recorded: Intent, suite: str) -> Intent:
    """Return a record with the service's signature on it. Raises as `certify`."""
    recorded.signature = certify(context, recorded.tenant_id, recorded.record, suite)
    recorded.signed_at = context.now()
    return recorded


def facts_of(recorded: Intent, consent: dict[str, Any], mandate: dict[str, Any] | None) -> dict[str, Any]:
    """Return what an event says of a consent that is on record."""
    return {"consent": consent, "intent": recorded.id, "intent_sha256": recorded.sha256, **mandates.facts(mandate)}


def payload_of(recorded: Intent, consent: dict[str, Any], who: str) -> dict[str, Any]:
    """Return what the job that signs has to know."""
    return {
        "contract": recorded.contract_id,
        "party": recorded.party_id,
        "consent": consent,
        "intent": recorded.id,
        "who": who,
    }


def certified_now(context: Context, run: JobRun, intent_id: str, suite: str) -> bytes | None:
    """Return the service's signature on the record of a job's party, for `keep_certified`; None where it has one.

    Raises as `certify`.
    """
    with context.database.read() as session:
        row = repository.intent(session, run.tenant_id, intent_id)
    return certify(context, run.tenant_id, row.record, suite) if row.signature is None else None


def keep_certified(session: Session, tenant_id: str, intent_id: str, value: bytes, now: datetime) -> None:
    """Put a signature on a record that has none, in the transaction after which the party's key may be used."""
    row = repository.intent(session, tenant_id, intent_id)
    if row.signature is None:
        row.signature, row.signed_at = value, now
