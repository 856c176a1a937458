"""Put identity proofs on record, and revoke them.

    proof = record_proof(unit, PEOPLE, person_id, body)      # an entry in the person's log, in the same transaction
    stated = state_proof(unit, body, subject, "/identity_proof")     # for a party that is on no record of its own

A proof on record is for the facts that were on record then: name, country, identifiers. When one of them changes, it
is outdated, and somebody identifies the person anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from api.audit.service import moment
from api.contracts.transition import actor_of
from api.errors import StateConflict
from api.identity import repository
from api.identity.models import IdentityProof
from api.identity.schemas import IdentityProofIn, ProofState
from api.kit.edge import Unit
from api.kit.ids import new_id
from api.kit.refusals import refuse, utc
from api.people.kinds import Kind
from api.people.models import Organisation, Person

TOLERANCE: Final = timedelta(minutes=5)
"""How far the operator's clock may be ahead of ours."""
SCOPE: Final = "identities:write"


def facts_of(owner: Organisation | Person) -> dict[str, Any]:
    """Return what a proof of an organisation or a person is about: what a certificate may say of them."""
    facts = {"name": owner.name, "country": owner.country, "identifiers": owner.identifiers}
    if isinstance(owner, Person):
        facts |= {"given_name": owner.given_name, "surname": owner.surname}
    return facts


def state_of(proof: IdentityProof, owner: Organisation | Person, now: datetime) -> ProofState:
    """Return what a proof is worth now. It has to be looked at together with what is on record now."""
    if proof.revoked_at is not None:
        return "revoked"
    if proof.valid_until is not None and proof.valid_until <= now:
        return "expired"
    return "valid" if proof.subject == facts_of(owner) else "outdated"


def record_proof(unit: Unit, kind: Kind, owner_id: str, body: IdentityProofIn) -> tuple[IdentityProof, ProofState]:
    """Put a proof on record. Raises NotFound, ValidationFailed for its times."""
    session, now = unit.session, unit.context.now()
    at, until = _times(body, now, "")
    owner = kind.get(session, unit.tenant_id, owner_id, lock=True)
    organisation = isinstance(owner, Organisation)
    proof = IdentityProof(
        id=new_id("idp"),
        tenant_id=unit.tenant_id,
        organisation_id=owner.id if organisation else None,
        person_id=None if organisation else owner.id,
        method=body.method,
        evidence=[item.model_dump() for item in body.evidence],
        operator=body.operator,
        source=body.source,
        at=at,
        valid_until=until,
        subject=facts_of(owner),
        recorded_by=unit.principal.who,
        created_at=now,
        revoked_at=None,
        revoked_reason=None,
    )
    session.add(proof)
    facts = {
        "proof": proof.id,
        "method": proof.method,
        "evidence": proof.evidence,
        "operator": proof.operator,
        "source": proof.source,
        "proven_at": moment(at),
        "valid_until": moment(until) if until is not None else None,
        "subject": proof.subject,
    }
    _note(unit, kind, owner, "proof.recorded", facts)
    return proof, state_of(proof, owner, now)


def revoke_proof(unit: Unit, kind: Kind, owner_id: str, proof_id: str, reason: str) -> tuple[IdentityProof, ProofState]:
    """Revoke a proof for good: no certificate is issued on it any more. Raises NotFound, StateConflict.

    Certificates that were issued on it stay as they are; whoever wants them revoked says so.
    """
    session = unit.session
    owner = kind.get(session, unit.tenant_id, owner_id, lock=True)
    proof = repository.get(session, owner, proof_id)
    if proof.revoked_at is not None:
        raise StateConflict("the identity proof is revoked already", state="revoked", allowed=[])
    proof.revoked_at, proof.revoked_reason = unit.context.now(), reason
    _note(unit, kind, owner, "proof.revoked", {"proof": proof.id, "reason": reason})
    return proof, "revoked"


def _note(unit: Unit, kind: Kind, owner: Organisation | Person, event: str, facts: dict[str, Any]) -> None:
    """Write an entry of the log. It is part of the object, whose version rises with it."""
    now = unit.context.now()
    kind.log.record(unit.session, owner, event, now=now, actor=actor_of(unit), data=facts)
    owner.version += 1
    owner.updated_at = now
    unit.session.flush()


def state_proof(unit: Unit, body: IdentityProofIn, subject: dict[str, Any], pointer: str) -> dict[str, Any]:
    """Return a proof that comes with what it is for, as it is kept there. Raises Forbidden, ValidationFailed.

    `subject` is who was identified, as the certificate will name them.
    """
    unit.principal.require(SCOPE)
    now = unit.context.now()
    at, until = _times(body, now, pointer)
    return {
        **body.model_dump(mode="json", exclude={"at", "valid_until"}),
        "at": moment(at),
        "valid_until": moment(until) if until is not None else None,
        "subject": subject,
        "recorded_by": unit.principal.who,
        "recorded_at": moment(now),
    }


def _times(body: IdentityProofIn, now: datetime, pointer: str) -> tuple[datetime, datetime | None]:
    at = utc(body.at, f"{pointer}/at")
    if at > now + TOLERANCE:
        raise refuse(f"{pointer}/at", "future", "is in the future")
    until = utc(body.valid_until, f"{pointer}/valid_until") if body.valid_until is not None else None
    if until is not None and until <= max(at, now):
        raise refuse(f"{pointer}/valid_until", "past", "is past: the proof would prove nothing")
    return at, until
