"""`/v1/organisations/{id}/identity-proofs` and `/v1/people/{id}/identity-proofs`."""

from __future__ import annotations

from typing import Annotated

from api.identity import repository, service
from api.identity.models import IdentityProof
from api.identity.schemas import IdentityProofIn, IdentityProofList, IdentityProofOut, ProofRevocationIn
from api.kit.edge import Reply, Router, Unit, reads, writes
from api.kit.pagination import Cursor, Limit, paginate
from api.people.kinds import ORGANISATIONS, PEOPLE, Kind

router = Router(prefix="/v1", tags=["identity"])

READ, WRITE = "people:read", service.SCOPE
_ORGANISATION = "/organisations/{organisation_id}/identity-proofs"
_PERSON = "/people/{person_id}/identity-proofs"


@router.post(_ORGANISATION, status_code=201, response_model=IdentityProofOut)
def prove_organisation(unit: Annotated[Unit, writes(WRITE)], organisation_id: str, body: IdentityProofIn) -> Reply:
    """Record how an organisation was identified. The record does not change; it can be revoked."""
    return _recorded(unit, ORGANISATIONS, organisation_id, body)


@router.get(_ORGANISATION, response_model=IdentityProofList)
def list_organisation_proofs(
    unit: Annotated[Unit, reads(READ)], organisation_id: str, limit: Limit = 50, cursor: Cursor = None
) -> Reply:
    """List the identity proofs of an organisation, newest first."""
    return _listed(unit, ORGANISATIONS, organisation_id, limit, cursor)


@router.get(_ORGANISATION + "/{proof_id}", response_model=IdentityProofOut)
def get_organisation_proof(unit: Annotated[Unit, reads(READ)], organisation_id: str, proof_id: str) -> Reply:
    """Read an identity proof of an organisation."""
    return _read(unit, ORGANISATIONS, organisation_id, proof_id)


@router.post(_ORGANISATION + "/{proof_id}/revoke", response_model=IdentityProofOut)
def revoke_organisation_proof(
    unit: Annotated[Unit, writes(WRITE)], organisation_id: str, proof_id: str, body: ProofRevocationIn
) -> Reply:
    """Revoke an identity proof: no certificate is issued on it any more. Those that were stay as they are."""
    return Reply(
        IdentityProofOut.of(*service.revoke_proof(unit, ORGANISATIONS, organisation_id, proof_id, body.reason))
    )


@router.post(_PERSON, status_code=201, response_model=IdentityProofOut)
def prove_person(unit: Annotated[Unit, writes(WRITE)], person_id: str, body: IdentityProofIn) -> Reply:
    """Record how a person was identified. The record does not change; it can be revoked."""
    return _recorded(unit, PEOPLE, person_id, body)


@router.get(_PERSON, response_model=IdentityProofList)
def list_person_proofs(
    unit: Annotated[Unit, reads(READ)], person_id: str, limit: Limit = 50, cursor: Cursor = None
) -> Reply:
    """List the identity proofs of a person, newest first."""
    return _listed(unit, PEOPLE, person_id, limit, cursor)


@router.get(_PERSON + "/{proof_id}", response_model=IdentityProofOut)
def get_person_proof(unit: Annotated[Unit, reads(READ)], person_id: str, proof_id: str) -> Reply:
    """Read an identity proof of a person."""
    return _read(unit, PEOPLE, person_id, proof_id)


@router.post(_PERSON + "/{proof_id}/revoke", response_model=IdentityProofOut)
def revoke_person_proof(
    unit: Annotated[Unit, writes(WRITE)], person_id: str, proof_id: str, body: ProofRevocationIn
) -> Reply:
    """Revoke an identity proof: no certificate is issued on it any more. Those that were stay as they are."""
    return Reply(IdentityProofOut.of(*service.revoke_proof(unit, PEOPLE, person_id, proof_id, body.reason)))


def _recorded(unit: Unit, kind: Kind, name: str, body: IdentityProofIn) -> Reply:
    proof, state = service.record_proof(unit, kind, name, body)
    headers = {"location": f"/v1/{kind.path}/{name}/identity-proofs/{proof.id}"}
    return Reply(IdentityProofOut.of(proof, state), headers=headers)


def _listed(unit: Unit, kind: Kind, name: str, limit: int, cursor: str | None) -> Reply:
    now = unit.context.now()
    with unit.read() as session:
        owner = kind.get(session, unit.tenant_id, name)
        query = repository.of(unit.tenant_id, owner)
        page = paginate(session, query, IdentityProof, unit, cursor=cursor, limit=limit)
        data = [IdentityProofOut.of(row, service.state_of(row, owner, now)) for row in page.rows]
    headers = page.link(f"/v1/{kind.path}/{name}/identity-proofs", limit)
    return Reply(IdentityProofList(data=data, next_cursor=page.next_cursor), headers=headers)


def _read(unit: Unit, kind: Kind, name: str, proof_id: str) -> Reply:
    with unit.read() as session:
        owner = kind.get(session, unit.tenant_id, name)
        proof = repository.get(session, owner, proof_id)
        return Reply(IdentityProofOut.of(proof, service.state_of(proof, owner, unit.context.now())))
