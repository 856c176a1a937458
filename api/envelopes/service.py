"""Decide about envelopes: what goes into one, to whom, from whom; who may have it opened.

    envelope, job = seal_for(session, context, tenant_id, content, recipients, senders, basis, who=…, actor=…)

`create` is what a request asks for; `seal_for` is for whoever has parties and content at hand already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from api.audit.service import GENESIS
from api.context import Context
from api.contracts import repository as contracts
from api.contracts.models import Contract
from api.contracts.states import PartyState
from api.contracts.transition import actor_of
from api.documents import repository as documents
from api.envelopes import keys, repository
from api.envelopes.addressing import Basis, Recipient, Sender, Wanted, check, recipients_of
from api.envelopes.log import record
from api.envelopes.models import Envelope
from api.envelopes.schemas import EnvelopeIn, SenderIn
from api.errors import StateConflict
from api.jobs.models import Job
from api.jobs.queue import enqueue
from api.kit.edge import Unit
from api.kit.ids import new_id
from api.kit.refusals import refuse
from api.seals import repository as seals
from api.seals import uses
from signer.seals.lifecycle import Purpose


@dataclass(frozen=True)
class Content:
    """A stored file."""

    name: str
    sha256: str
    pages: int
    document_id: str
    contract_id: str | None = None


def create(unit: Unit, body: EnvelopeIn) -> Job:
    """Check everything, and enqueue the sealing.

    Raises NotFound, Forbidden (without the scopes to read the content, or to use the senders' keys), ValidationFailed,
    RecipientRefused, SealRefused, StateConflict.
    """
    context, basis = unit.context, Basis(tuple(body.trust), body.revocation)
    unit.principal.require("documents:read" if body.contract is None else "contracts:read")
    with unit.read() as session:
        contract = contracts.get(session, unit.tenant_id, body.contract) if body.contract is not None else None
        content = _content(session, unit, contract, body.document)
        wanted = _wanted(contract, body)
        senders = [_sender(session, unit, contract, index, item) for index, item in enumerate(body.senders)]
    families = [sender.family for sender in senders]
    if len(set(families)) != len(families):
        raise refuse("/senders", "repeated", "are two of one family of algorithms")
    recipients = recipients_of(context, unit.tenant_id, wanted)
    check(context, recipients, basis)
    _, job = seal_for(
        unit.session,
        context,
        unit.tenant_id,
        content,
        recipients,
        senders,
        basis,
        who=unit.principal.who,
        actor=actor_of(unit),
    )
    return job


def seal_for(
    session: Session,
    context: Context,
    tenant_id: str,
    content: Content,
    recipients: Sequence[Recipient],
    senders: Sequence[Sender],
    basis: Basis,
    *,
    who: str,
    actor: dict[str, Any],
) -> tuple[Envelope, Job]:
    """Put an envelope on record and enqueue its sealing, in the caller's transaction. `who` uses the senders' seals."""
    now = context.now()
    envelope = Envelope(
        id=new_id("env"),
        tenant_id=tenant_id,
        state="queued",
        name=content.name,
        contract_id=content.contract_id,
        document_id=content.document_id,
        source_sha256=content.sha256,
        pages=content.pages,
        recipients=[recipient.row() for recipient in recipients],
        senders=[sender.row() for sender in senders],
        signatures={},
        parts={},
        log_sequence=0,
        log_hash=GENESIS,
        created_at=now,
    )
    session.add(envelope)
    session.flush()
    facts = {
        "contract": content.contract_id,
        "document": content.document_id,
        "sha256": content.sha256,
        "recipients": {
            row["id"]: recipient.certificates[0].fingerprint()
            for row, recipient in zip(envelope.recipients, recipients, strict=True)
        },
        "senders": [{name: row[name] for name in ("party", "seal", "use", "key")} for row in envelope.senders],
    }
    record(session, envelope, "envelope.requested", now=now, actor=actor, data=facts)
    payload = {"envelope": envelope.id, "who": who, **basis.to_json()}
    key = f"seal-envelope:{envelope.id}"
    return envelope, enqueue(session, tenant_id=tenant_id, kind="seal-envelope", key=key, payload=payload, now=now)


def open_with_held_key(unit: Unit, envelope_id: str, recipient_id: str) -> Job:
    """Put on record that an envelope is to be opened with a key of a recipient that is held here, and enqueue it.

    Raises NotFound, StateConflict where it is not sealed, or the key is not held here or must not be used.
    """
    session, now = unit.session, unit.context.now()
    envelope = repository.get(session, unit.tenant_id, envelope_id, lock=True)
    recipient = repository.recipient_of(envelope, recipient_id)
    require_sealed(envelope)
    if recipient["key"] is None:
        hint = "download the part of this recipient and open it where the key is"
        raise StateConflict("the key of this recipient is not held here", hint=hint, state=envelope.state, allowed=[])
    keys.usable(unit.context, session, unit.tenant_id, recipient["key"])
    facts = {"recipient": recipient_id, "party": recipient["party"], "key": recipient["key"]}
    event = record(session, envelope, "open.recorded", now=now, actor=actor_of(unit), data=facts)
    return enqueue(
        session,
        tenant_id=unit.tenant_id,
        kind="open-envelope",
        key=f"open-envelope:{event.id}",
        payload={"envelope": envelope.id, "recipient": recipient_id, "recorded": event.sequence},
        now=now,
    )


def deliver(unit: Unit, envelope_id: str, event: str, facts: dict[str, Any]) -> None:
    """Note in the log that somebody got something."""
    envelope = repository.get(unit.session, unit.tenant_id, envelope_id, lock=True)
    record(unit.session, envelope, event, now=unit.context.now(), actor=actor_of(unit), data=facts)
    unit.session.flush()


def require_sealed(envelope: Envelope) -> None:
    """Raise StateConflict unless there is something to hand out."""
    if envelope.state != "sealed":
        raise StateConflict(f"the envelope is {envelope.state}", state=envelope.state, allowed=[])


def _content(session: Session, unit: Unit, contract: Contract | None, document_id: str | None) -> Content:
    if contract is None:
        document = documents.get(session, unit.tenant_id, document_id or "")
        return Content(document.name, document.sha256, document.pages, document.id)
    if document_id is None and len(contract.documents) != 1:
        raise refuse("/document", "missing", "has to be named: the contract has several")
    row = contracts.document_of(contract, document_id or contract.documents[0].document_id)
    return Content(row.document.name, row.head_sha256, row.document.pages, row.document_id, contract.id)


def _wanted(contract: Contract | None, body: EnvelopeIn) -> list[Wanted]:
    """Return whom a request names; all parties of the contract (or their delegates), where it names nobody."""
    if body.recipients is None:
        if contract is None or not contract.parties:
            raise refuse("/recipients", "missing", "have to be named: there are no parties")
        return [Wanted(party) for party in contract.parties if party.state != PartyState.DELEGATED]
    out = []
    for index, item in enumerate(body.recipients):
        if item.party is not None and contract is None:
            raise refuse(f"/recipients/{index}/party", "no-contract", "is given without a contract")
        party = contracts.party_of(contract, item.party) if contract is not None and item.party is not None else None
        out.append(Wanted(party, item.certificate))
    return out


def _sender(session: Session, unit: Unit, contract: Contract | None, index: int, item: SenderIn) -> Sender:
    """Return a sender whose key is held here and may be used by whoever asks; the same is asked again when it is."""
    if item.seal is not None:
        unit.principal.require("seals:use")
        seal = seals.get(session, unit.tenant_id, item.seal)
        purpose = Purpose("envelope", contract=contract.id if contract is not None else None)
        uses.check(session, seal, unit.principal.who, purpose, unit.context.now())
        if seal.key_holder != "service":
            raise StateConflict("the key of this seal is not held here", state=seal.state, allowed=[])
        return Sender.seal(seal)
    unit.principal.require("contracts:sign")
    if contract is None:
        raise refuse(f"/senders/{index}/party", "no-contract", "is given without a contract")
    party = contracts.party_of(contract, item.party or "")
    if party.factors:  # the key is for what its signer agrees to each time, and nobody asks them here
        raise StateConflict(
            "the key of this party is released by its signer's factor only",
            hint="a seal can send, and the service itself",
            state=party.state,
            allowed=[],
        )
    if party.sealed_key is None:
        raise StateConflict(
            "no key of this party is held here now",
            hint="a key for signing is held from when the contract is sent until its party has signed; a seal can send",
            state=party.state,
            allowed=[],
        )
    return Sender.party(party)
