"""What a party of a contract takes from the record of a person and an organisation, and what proves who it is.

    Party(**party_facts(unit, "/parties/0", body), ...)
    basis = proven(context, contract, party, "/parties/0")       # IdentityNotProven, before a certificate is issued

A party keeps what it took as it was: a contract does not change because somebody moves.
"""

from __future__ import annotations

from typing import Any

from api.context import Context
from api.contracts.models import Party
from api.contracts.schemas import PartyIn
from api.errors import NotFound, ValidationFailed
from api.identity import gate
from api.identity.service import state_proof
from api.kit.edge import Unit
from api.kit.refusals import problem_at
from api.people import repository
from api.people.names import in_certificates


def party_facts(unit: Unit, pointer: str, body: PartyIn) -> dict[str, Any]:
    """Return the columns of a party that say who it is. Raises ValidationFailed, Forbidden."""
    if body.person is not None:
        return _from_record(unit, pointer, body, body.person)
    identifiers = [{"scheme": item.scheme, "value": item.value} for item in body.identifiers]
    assert body.name is not None
    stated = None
    if body.identity_proof is not None:
        subject = gate.subject_facts(body.name, body.organisation, body.country, identifiers)
        stated = {"stated": state_proof(unit, body.identity_proof, subject, f"{pointer}/identity_proof")}
    return {
        "person_id": None,
        "organisation_id": None,
        "name": body.name,
        "organisation": body.organisation,
        "email": body.email,
        "country": body.country,
        "locale": body.locale,
        "identifiers": identifiers,
        "identity": stated,
    }


def _from_record(unit: Unit, pointer: str, body: PartyIn, person_id: str) -> dict[str, Any]:
    with unit.read() as session:
        try:
            person = repository.person(session, unit.tenant_id, person_id)
        except NotFound as error:
            raise _refusal(f"{pointer}/person", error.message) from None
        organisation = None
        if body.organisation_id is not None:
            if body.organisation_id not in {each.organisation_id for each in person.memberships}:
                raise _refusal(f"{pointer}/organisation_id", "the person is in no such organisation")
            organisation = repository.organisation(session, unit.tenant_id, body.organisation_id)
    owner = organisation or person
    return {
        "person_id": person.id,
        "organisation_id": organisation.id if organisation is not None else None,
        "name": person.name,
        "organisation": organisation.name if organisation is not None else None,
        "email": person.email or (organisation.email if organisation is not None else None),
        "country": owner.country,
        "locale": body.locale if "locale" in body.model_fields_set else person.locale,
        "identifiers": in_certificates(owner),
        "identity": None,
    }


def proven(context: Context, tenant_id: str, party: Party, pointer: str) -> dict[str, Any]:
    """Return on which proofs a certificate may be issued to a party. Raises IdentityNotProven, which names it."""
    wanted = gate.Wanted(
        gate.subject_facts(party.name, party.organisation, party.country, party.identifiers),
        party.person_id,
        party.organisation_id,
        (party.identity or {}).get("stated"),
    )
    with context.database.read() as session:
        return gate.require(session, tenant_id, wanted, context.now(), what=f"party {party.name}", pointer=pointer)


def _refusal(pointer: str, detail: str) -> ValidationFailed:
    error = problem_at(pointer, "not-found", detail)
    return ValidationFailed("a party cannot be taken from the record", errors=[error])
