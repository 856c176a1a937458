"""Completed contracts go to their parties as envelopes: each reads with its own algorithms, all get the same content.

    findings = objections(context, contract)        # before sending: to whom could nothing be encrypted?
    job = request(unit, contract_id)                # deliver a completed contract, or once more

A contract with `delivery` enqueues the job `deliver` in the transaction that completes it. The job checks the parties'
certificates and puts one envelope for each document on record, all in one transaction; sealing them are jobs of their
own. The service sends them, with a key for each family of algorithms among the recipients: it vouches for what it
handed out, and the parties' signatures in the content say what was agreed.

A completed contract stays completed whatever becomes of its delivery: that can be asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from api.audit.service import record
from api.context import Context
from api.contracts import repository as contracts
from api.contracts.models import Contract, Party
from api.contracts.transition import SYSTEM, actor_of, touch
from api.contracts.workflow import ContractState, PartyState
from api.envelopes.addressing import Basis, Recipient, Sender, Wanted, check, recipients_of
from api.envelopes.service import Content, seal_for
from api.errors import StateConflict
from api.jobs import queue
from api.jobs.models import Job
from api.jobs.queue import JobRun
from api.kit.edge import Unit
from signer.errors import RecipientRefused

KIND = "deliver"


def objections(context: Context, contract: Contract, delegate: Party | None = None) -> list[dict[str, str]]:
    """Return why a contract could not be delivered to some of its parties, as errors of a request for the contract.

    With `delegate`, whether it could be to this one, who is no party yet, as errors of a request for him.

    Keys for decryption of parties whose keys the service holds are made. Raises IssuanceError, MalformedInput.
    """
    if contract.delivery is None:
        return []
    try:
        _recipients(context, contract, contract.parties if delegate is None else [delegate])
    except RecipientRefused as error:
        place = "/parties/" if delegate is None else ""
        return [
            {**item, "pointer": place + item["pointer"].removeprefix("/recipients/") if place else ""}
            for item in error.facts["errors"]
        ]
    return []


def request(unit: Unit, contract_id: str) -> Job:
    """Enqueue the delivery of a completed contract. Raises Forbidden, NotFound, StateConflict."""
    unit.principal.require("contracts:read")
    session, now = unit.session, unit.context.now()
    contract = contracts.get(session, unit.tenant_id, contract_id, lock=True)
    if contract.state != ContractState.COMPLETED:
        raise StateConflict("only a completed contract is delivered", state=contract.state, allowed=[])
    record(session, contract, "contract.delivery-requested", now=now, actor=actor_of(unit))
    touch(contract, now)
    return enqueue(unit.context, session, contract)


def enqueue(context: Context, session: Session, contract: Contract) -> Job:
    """Enqueue the delivery of a contract, in the caller's transaction."""
    return queue.enqueue(
        session,
        tenant_id=contract.tenant_id,
        kind=KIND,
        key=f"{KIND}:{contract.id}",
        payload={"contract": contract.id},
        now=context.now(),
    )


def deliver(context: Context, run: JobRun) -> None:
    """Run the job. Payload: contract."""
    with context.database.read() as session:
        contract = contracts.get(session, run.tenant_id, run.payload["contract"])
    recipients = _recipients(context, contract, contract.parties)
    families = sorted({recipient.row()["family"] for recipient in recipients})
    senders = [Sender.own(context, run.tenant_id, family) for family in families]
    with context.database.write() as session:
        queue.fence(session, run)
        now = context.now()
        contract = contracts.get(session, run.tenant_id, contract.id, lock=True)
        envelopes = {
            row.document_id: seal_for(
                session,
                context,
                run.tenant_id,
                Content(row.document.name, row.head_sha256, row.document.pages, row.document_id, contract.id),
                recipients,
                senders,
                _basis(contract),
                who=run.id,
                actor=run.actor,
            )[0].id
            for row in contract.documents
        }
        record(session, contract, "contract.delivering", now=now, actor=run.actor, data={"envelopes": envelopes})
        touch(contract, now)
        result = {"contract": contract.id, "envelopes": sorted(envelopes.values())}
        queue.end(session, run, state="succeeded", result=result, now=now)


def gave_up(context: Context, run: JobRun, failure: dict[str, Any]) -> None:
    """Note in the contract's trail that nothing was sent."""
    with context.database.write() as session:
        queue.fence(session, run)
        contract = contracts.get(session, run.tenant_id, run.payload["contract"], lock=True)
        now = context.now()
        record(session, contract, "contract.delivery-failed", now=now, actor=SYSTEM, data=failure)
        touch(contract, now)


def _recipients(context: Context, contract: Contract, parties: Iterable[Party]) -> Sequence[Recipient]:
    """Return whom a contract goes to; of those who gave their part to somebody else, that one."""
    present = [party for party in parties if party.state != PartyState.DELEGATED]
    wanted = [Wanted(party, party.encryption_certificates) for party in present]
    recipients = recipients_of(context, contract.tenant_id, wanted)
    check(context, recipients, _basis(contract))
    return recipients


def _basis(contract: Contract) -> Basis:
    delivery = contract.delivery or {}
    return Basis(tuple(delivery.get("trust", ())), delivery.get("revocation", "require"))
