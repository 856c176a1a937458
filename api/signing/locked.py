"""A party signs whose key is under its own passphrase: the passphrase comes with the request, and stays in it.

1. Sign and time-stamp the record of what the party agreed to; prepare every document.
2. Commit the consent, and what will be signed (`signature.prepared`).
3. Open the party's key with what the passphrase opened; use it once on each of these, and forget it.
4. Commit the values, and with them the job that completes and embeds them (`api.signing.tasks`).

So neither the passphrase nor the opened key is ever written down: a job gets signature values, which are good for
exactly these revisions and nothing else. A process that dies before 4 leaves a party that begins again; after it, any
worker goes on. If somebody else signs the same document in between, the values are for a revision that is not the
newest any more, the job ends with `stale-request`, and the party signs anew, as with a key that it holds itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.contracts import repository as contracts
from api.contracts import workflow
from api.contracts.models import Contract, Party
from api.contracts.transition import actor_of, agreement_of, apply, check_version, require_time, touch
from api.errors import StateConflict
from api.factors import lock
from api.kit.edge import Unit
from api.mandates import standing as mandates
from api.signing import intent, pdf, repository
from api.signing.consent import consent_of
from api.signing.embedding import record_intent
from api.signing.schemas import Consent
from signer.errors import StaleRequest

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from api.signing.grounds import Grounds


def begin(
    unit: Unit, party_id: str, version: int | None, consent: Consent, grounds: Grounds
) -> tuple[dict[str, Any], int]:
    """Sign with a key that the party's passphrase has released; return what a job does then, and the new version.

    Raises NotFound, PreconditionFailed, StateConflict, ConsentRefused, FactorRequired, MandateRefused, TimeStampError,
    StaleRequest, VaultError. Before the second step nothing has changed.
    """
    context, proven, contract_id = unit.context, grounds.proven, grounds.contract.id
    with unit.read() as session:
        contract, party, _ = _begun(unit, session, contract_id, party_id, version)
        agreed = consent_of(session, unit, contract, party, consent)
        done = contracts.signed_documents(session, contract, party.id)
        authority = mandates.confirm(session, party, grounds.standing, context.now())
    party.field_values = grounds.stated  # of the detached copy, for the record and the file
    recorded = intent.draw_up(contract, party, agreed, context.now(), authority, proven.facts)
    recorded = intent.certified(context, recorded, party.suite or "")
    unsigned = [(row.document_id, row.head_sha256) for row in contract.documents if row.document_id not in done]
    ready = [(*each, *pdf.prepare_kept(context, contract, party, *each)) for each in unsigned]

    now, actor = context.now(), actor_of(unit)
    with context.database.write() as session:
        contract, party, change = _begun(unit, session, contract_id, party_id, version, locked=True)
        grounds.confirm(session, contract, party, now)
        lock.lock_key(context, session, party)  # where sending and enrolling have not seen each other
        session.add(recorded)
        apply(session, contract, change, now=now, actor=actor, data=intent.facts_of(recorded, agreed, authority))
        rows = [
            record_intent(
                session,
                contract,
                party,
                document_id=document_id,
                base_sha256=base,
                prepared=prepared,
                prepared_file=received,
                consent=agreed,
                who=unit.principal.who,
                now=now,
                actor=actor,
            ).id
            for document_id, base, prepared, received in ready
        ]

    assert proven.holder is not None
    key = lock.key_of(context, party, proven.holder)
    made = [key.sign(prepared.dtbs) for _, _, prepared, _ in ready]
    del key

    session, now = unit.session, context.now()
    contract = contracts.get(session, unit.tenant_id, contract_id, lock=True)
    for name, value in zip(rows, made, strict=True):
        row = repository.get(session, unit.tenant_id, contract_id, party_id, name, lock=True)
        if row.state != "prepared":
            raise StaleRequest("the party has begun to sign anew, or the contract was closed", hint="sign again")
        row.value, row.state, row.updated_at = value, "signed", now
    touch(contract, now)
    return intent.payload_of(recorded, agreed, unit.principal.who), contract.version


def _begun(
    unit: Unit, session: Session, contract_id: str, party_id: str, version: int | None, *, locked: bool = False
) -> tuple[Contract, Party, workflow.Change]:
    """Return the contract, the party and its beginning to sign; again, where it had not come as far as its values."""
    contract = contracts.get(session, unit.tenant_id, contract_id, lock=locked)
    party = contracts.party_of(contract, party_id)
    check_version(contract, version)
    require_time(contract, unit.context.now())
    if repository.has_values(session, party.id):
        raise StateConflict("the party is signing already", state=party.state, allowed=["decline"])
    return contract, party, workflow.start_signing(agreement_of(contract), party.id, again=True)
