"""The other side of a hand-over: a device without a credential looks at what is to be signed, and returns a value.

    unit = visitor(request, token)          # whoever has the address acts as this hand-over, and as nobody else
    shown = look(unit)
    result = return_value(unit, body)       # the same checks as for whoever has a credential

1. An address that is over answers 410, with the reason, whatever is sent.
2. The first look is an event of the contract's trail, with the address and user agent of the device.
3. A value goes through `api.signing.service.hand_in`, and the address is used up in the same transaction. Why there is
   no value is a result too: it ends the request and the address.
4. Before a value is looked at it is counted. After `MOST` that do not fit the address is locked; the request stays, and
   may be handed over again. What was not the value's fault (no time-stamp to be had) is not counted.
"""

from __future__ import annotations

from typing import Final

from fastapi import Request

from api.audit.service import record
from api.auth.service import Principal, digest_of
from api.contracts import repository as contracts
from api.contracts.models import Contract, Party
from api.contracts.transition import actor_of, touch
from api.errors import MalformedRequest, TooManyRequests
from api.handover import repository
from api.handover.models import Handover
from api.handover.schemas import HandoverResult, HandoverShown, HandoverValueIn
from api.handover.service import require_active
from api.jobs.worker import PASSING
from api.kit.edge import Source, Unit, context_of
from api.signing import repository as signatures
from api.signing import service as signing
from api.signing.models import Signature
from certs.errors import SealroadError
from signer.errors import WrongValue

MOST: Final = 5
"""Values that do not fit, for one address."""


def visitor(request: Request, token: str) -> Unit:
    """Return a unit for whoever came with a one-time address. Raises NotFound."""
    context = context_of(request)
    with context.database.read() as session:
        row = repository.by_token(session, digest_of(token))
    who = Principal(row.tenant_id, row.id, frozenset(), kind="handover")
    return Unit(context, who, Source.of(request))


def look(unit: Unit) -> HandoverShown:
    """Return what is to be signed. Raises HandoverOver, StateConflict, StaleRequest."""
    row, contract, party, signature = _open(unit)
    if row.shown_at is None:
        session, now = unit.session, unit.context.now()
        contract = contracts.get(session, unit.tenant_id, row.contract_id, lock=True)
        row = repository.get(session, row.id, lock=True)
        require_active(row, signature, now)
        if row.shown_at is None:
            row.state, row.shown_at = "shown", now
            row.shown_to = {"address": unit.address, "user_agent": unit.user_agent}
            facts = {"handover": row.id, "signature": signature.id}
            record(session, contract, "handover.shown", now=now, actor=actor_of(unit), party_id=party.id, data=facts)
            touch(contract, now)
            session.flush()
    return HandoverShown.of(row, contract, party, signature, most=MOST)


def document(unit: Unit) -> tuple[str, str]:
    """Return SHA-256 and name of the document that is to be signed. Raises as `look`."""
    _, contract, _, signature = _open(unit)
    return signature.base_sha256, contracts.document_of(contract, signature.document_id).document.name


def return_value(unit: Unit, body: HandoverValueIn) -> HandoverResult:
    """Take what the device returns. Raises HandoverOver, TooManyRequests, and as `api.signing.service.hand_in`."""
    context, handover_id = unit.context, unit.principal.key_id
    row, _, _, signature = _open(unit)
    with context.database.write() as session:
        row = repository.get(session, handover_id, lock=True)
        require_active(row, signature, context.now())
        if row.attempts >= MOST:
            raise TooManyRequests("values for this address are still being looked at", hint="repeat the request later")
        row.attempts += 1
    try:
        signing.hand_in(unit, row.contract_id, row.party_id, row.signature_id, body.as_value())
    except (WrongValue, MalformedRequest):
        _lock_when_used_up(unit, row)
        raise
    except SealroadError as error:
        if error.code in PASSING:
            _give_back(unit)
        raise
    now = context.now()
    row = repository.get(unit.session, handover_id, lock=True)
    require_active(row, signature, now)  # replaced or withdrawn meanwhile: then nothing of this is committed
    row.attempts -= 1
    row.state, row.ended_at = ("used" if body.error is None else "refused"), now
    row.refusal = body.error.model_dump() if body.error is not None else None
    unit.session.flush()
    return HandoverResult.model_validate({"state": row.state})


def _open(unit: Unit) -> tuple[Handover, Contract, Party, Signature]:
    with unit.read() as session:
        row = repository.get(session, unit.principal.key_id)
        signature = signatures.get(session, row.tenant_id, row.contract_id, row.party_id, row.signature_id)
        contract = contracts.get(session, row.tenant_id, row.contract_id)
    party = contracts.party_of(contract, row.party_id)
    require_active(row, signature, unit.context.now())
    signing.require_open(unit, contract, party, signature)
    return row, contract, party, signature


def _lock_when_used_up(unit: Unit, seen: Handover) -> None:
    context = unit.context
    with context.database.write() as session:
        contract = contracts.get(session, unit.tenant_id, seen.contract_id, lock=True)
        row = repository.get(session, seen.id, lock=True)
        if row.state in repository.ACTIVE and row.attempts >= MOST:
            now = context.now()
            row.state, row.ended_at = "locked", now
            facts = {"handover": row.id, "signature": row.signature_id}
            actor = actor_of(unit)
            record(session, contract, "handover.locked", now=now, actor=actor, party_id=row.party_id, data=facts)
            touch(contract, now)


def _give_back(unit: Unit) -> None:
    with unit.context.database.write() as session:
        repository.get(session, unit.principal.key_id, lock=True).attempts -= 1
