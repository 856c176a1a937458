"""The two recorded steps of every signature, whoever holds the key.

1. `record_intent`: the prepared file and what will be signed are stored before any key is used.
2. `embed`: the signed file becomes the newest revision, if the head is still the one that was signed; with it, in the
   same transaction, the party's state, the contract's state, the audit and the jobs that follow.

Both are compare-and-set: of two signers who finish at once one wins, and the other prepares again on the new head.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from api.audit.service import record
from api.contracts import repository as contracts
from api.contracts import workflow
from api.contracts.models import Contract, Party, Revision
from api.contracts.transition import agreement_of, apply, touch
from api.errors import StateConflict
from api.kit.ids import new_id
from api.seals import repository as seals
from api.seals import uses
from api.seals.models import SealUse
from api.signing import repository
from api.signing.models import Signature
from api.signing.schemas import as_text
from api.storage import Received
from signer.errors import StaleRequest

if TYPE_CHECKING:
    from signer.pades.sign import Prepared

REPLACED: dict[str, Any] = {"code": "replaced", "detail": "a newer preparation took its place"}
STALE: dict[str, Any] = {"code": "stale-request", "detail": "the document got another signature first"}


def record_intent(
    session: Session,
    contract: Contract,
    party: Party,
    *,
    document_id: str,
    base_sha256: str,
    prepared: Prepared,
    prepared_file: Received,
    consent: dict[str, Any],
    who: str,
    now: datetime,
    actor: dict[str, Any],
    expires_at: datetime | None = None,
) -> Signature:
    """Put on record what a party is about to sign, on whose behest: an API key.

    A party that seals uses its seal by this: it is permitted and counted here. Raises StaleRequest where the head has
    moved on since, SealRefused.
    """
    head = contracts.document_of(contract, document_id)
    if head.head_sha256 != base_sha256:
        raise StaleRequest("the document has got another signature meanwhile", hint="ask for a new signature request")
    repository.abandon(session, party.id, now, REPLACED, document_id)
    signature = Signature(
        id=new_id("sig"),
        contract_id=contract.id,
        party_id=party.id,
        document_id=document_id,
        state="prepared",
        base_sha256=base_sha256,
        prepared=as_text(prepared),
        prepared_sha256=prepared_file.sha256,
        consent=consent,
        value=None,
        failure=None,
        created_at=now,
        updated_at=now,
        expires_at=expires_at,
    )
    session.add(signature)
    if party.seal_id is not None:
        signature.seal_use_id = _use(session, contract, party, signature, who=who, now=now, actor=actor).id
    facts = {
        "signature": signature.id,
        "document": document_id,
        "revision_sha256": base_sha256,
        "prepared_sha256": prepared_file.sha256,
        "document_digest": prepared.document_digest.hex(),
        "dtbs_digest": prepared.dtbs_digest.hex(),
    }
    if prepared.policy_der is not None:
        facts |= {"agreement": contract.agreement_id or "", "policy": prepared.policy_der.hex()}
    if party.seal_id is not None:
        facts |= {"seal": party.seal_id, "seal_use": signature.seal_use_id or ""}
    record(session, contract, "signature.prepared", now=now, actor=actor, party_id=party.id, data=facts)
    session.flush()
    return signature


def _use(
    session: Session,
    contract: Contract,
    party: Party,
    signature: Signature,
    *,
    who: str,
    now: datetime,
    actor: dict[str, Any],
) -> SealUse:
    assert party.seal_id is not None
    seal = seals.get(session, contract.tenant_id, party.seal_id, lock=True)
    wanted = uses.Use(
        who=who,
        kind="contract",
        contract_id=contract.id,
        party_id=party.id,
        document_id=signature.document_id,
        base_sha256=signature.base_sha256,
        prepared_sha256=signature.prepared_sha256,
    )
    return uses.begin(session, seal, wanted, now=now, actor=actor)


def embed(
    session: Session,
    contract: Contract,
    signature: Signature,
    *,
    signed_file: Received,
    now: datetime,
    actor: dict[str, Any],
) -> None:
    """Make the signed file the newest revision.

    The contract's row is locked by the caller. Raises StaleRequest where the head has moved on, StateConflict where the
    signature or the contract is not in a state for it.
    """
    if signature.state not in repository.OPEN:
        raise StateConflict("this signature request is over", state=signature.state, allowed=[])
    agreement = agreement_of(contract)
    party = contracts.party_of(contract, signature.party_id)
    if party.id not in workflow.whose_turn(agreement) or party.state != workflow.PartyState.SIGNING:
        allowed = sorted(workflow.CONTRACT_MOVES[agreement.state])
        raise StateConflict("the party cannot sign now", state=str(agreement.state), allowed=allowed)
    row = contracts.document_of(contract, signature.document_id)
    number = row.head_number + 1
    moved = contracts.move_head(
        session,
        contract.id,
        signature.document_id,
        base=signature.base_sha256,
        number=number,
        sha256=signed_file.sha256,
        size=signed_file.size,
    )
    if not moved:
        raise StaleRequest("the document has got another signature meanwhile", hint="ask for a new signature request")
    session.add(
        Revision(
            id=new_id("rev"),
            contract_id=contract.id,
            document_id=signature.document_id,
            number=number,
            sha256=signed_file.sha256,
            size=signed_file.size,
            parent_sha256=signature.base_sha256,
            party_id=party.id,
            signature_id=signature.id,
            created_at=now,
        )
    )
    signature.state, signature.updated_at = "embedded", now
    session.flush()
    facts = {
        "signature": signature.id,
        "document": signature.document_id,
        "revision": number,
        "sha256": signed_file.sha256,
        "parent_sha256": signature.base_sha256,
    }
    record(session, contract, "document.revision_created", now=now, actor=actor, party_id=party.id, data=facts)
    if signature.seal_use_id is not None and party.seal_id is not None:
        made = {"contract": contract.id, "revision": number, "sha256": signed_file.sha256}
        uses.done(session, contract.tenant_id, party.seal_id, signature.seal_use_id, now=now, actor=actor, facts=made)
    everything = {document.document_id for document in contract.documents}
    if len(everything) > 1 and contracts.signed_documents(session, contract, party.id) != everything:
        touch(contract, now)
        session.flush()
        return
    party.signed_at = now
    change = workflow.signed(agreement, party.id)
    apply(session, contract, change, now=now, actor=actor)
