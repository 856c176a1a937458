"""Hand a signature request over to a device: a one-time address is made, watched and taken back.

    row, signature, address = create(unit, "ctr_…", "pty_…", "sig_…", "https://sign.example")

The address is all that the device gets: a token of 256 bits, of which only SHA-256 is kept. It is good for one request,
until that ends, and for one value. `api.handover.visit` is the other side.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from api.audit.service import record
from api.auth.service import digest_of
from api.context import Context
from api.contracts import repository as contracts
from api.contracts.transition import actor_of, touch
from api.documents.service import available_digests
from api.errors import HandoverOver
from api.handover import repository
from api.handover.models import Handover
from api.kit.edge import Unit
from api.kit.files import file_chunks
from api.kit.ids import new_id
from api.signing import repository as signatures
from api.signing import service as signing
from api.signing.models import Signature


def create(
    unit: Unit, contract_id: str, party_id: str, signature_id: str, base: str
) -> tuple[Handover, Signature, str]:
    """Make the address of an open signature request; an earlier one ends. `base` is where the service is reached.

    Raises NotFound, StateConflict, StaleRequest.
    """
    context, token = unit.context, secrets.token_urlsafe(32)
    with unit.read() as session:
        signature = signatures.get(session, unit.tenant_id, contract_id, party_id, signature_id)
        contract = contracts.get(session, unit.tenant_id, contract_id)
    signing.require_open(unit, contract, contracts.party_of(contract, party_id), signature)
    digests = _digests(context, signature.base_sha256)

    session, now = unit.session, context.now()
    contract = contracts.get(session, unit.tenant_id, contract_id, lock=True)
    signature = signatures.get(session, unit.tenant_id, contract_id, party_id, signature_id, lock=True)
    signing.require_open(unit, contract, contracts.party_of(contract, party_id), signature)
    repository.replace(session, signature.id, now)
    row = Handover(
        id=new_id("hnd"),
        tenant_id=unit.tenant_id,
        contract_id=contract.id,
        party_id=party_id,
        signature_id=signature.id,
        token_sha256=digest_of(token),
        state="open",
        digests=digests,
        attempts=0,
        created_by=unit.principal.who,
        created_at=now,
        shown_at=None,
        shown_to=None,
        ended_at=None,
        refusal=None,
    )
    session.add(row)
    facts = {"handover": row.id, "signature": signature.id}
    record(session, contract, "handover.made", now=now, actor=actor_of(unit), party_id=party_id, data=facts)
    touch(contract, now)
    session.flush()
    return row, signature, f"{base.rstrip('/')}/h/{token}"


def get(unit: Unit, contract_id: str, party_id: str, signature_id: str) -> tuple[Handover, Signature]:
    """Return the newest hand-over of a signature request. Raises NotFound."""
    with unit.read() as session:
        signature = signatures.get(session, unit.tenant_id, contract_id, party_id, signature_id)
        return repository.newest(session, signature.id), signature


def withdraw(unit: Unit, contract_id: str, party_id: str, signature_id: str) -> None:
    """Take an address back; to do it again changes nothing. The request stays. Raises NotFound."""
    session, now = unit.session, unit.context.now()
    contract = contracts.get(session, unit.tenant_id, contract_id, lock=True)
    signature = signatures.get(session, unit.tenant_id, contract_id, party_id, signature_id)
    row = repository.newest(session, signature.id, lock=True)
    if row.state in repository.ACTIVE:
        row.state, row.ended_at = "withdrawn", now
        facts = {"handover": row.id, "signature": signature.id}
        record(session, contract, "handover.withdrawn", now=now, actor=actor_of(unit), party_id=party_id, data=facts)
        touch(contract, now)


def require_active(row: Handover, signature: Signature, now: datetime) -> None:
    """Raise HandoverOver unless the address is still good; whether the request is, `require_open` says."""
    if row.state not in repository.ACTIVE:
        raise HandoverOver(f"this address is over: {row.state}", reason=row.state)
    if signature.expires_at is not None and signature.expires_at <= now:
        raise HandoverOver("this address is over: expired", reason="expired")


def _digests(context: Context, sha256: str) -> dict[str, str]:
    """Return the digests of a stored file, hexadecimal: people compare a document by the one of their own country."""
    from certs import suites

    running = {name: suites.new_digest(name) for name in available_digests()[1:]}
    with context.storage.local(sha256) as path:
        for chunk in file_chunks(path):
            for digest in running.values():
                digest.update(chunk)
    return {"sha256": sha256} | {name: digest.digest().hex() for name, digest in running.items()}
