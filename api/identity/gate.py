"""No certificate without a valid identity proof: asked before a key is made or used.

    basis = gate.require(session, tenant_id, wanted, now)       # or IdentityNotProven, with a hint that names the party

A certificate says who somebody is, so every word of it must have been proven:

 1. The person, and the organisation if one is named, are on record, and each has a proof that is not revoked, has not
    expired, and is for what is on record now.
 2. Name, organisation, country and identifiers of the certificate are those that were proven.
 3. In place of 1, a proof may come with the party, the application or the request itself, for exactly its subject.

What `require` returns is kept with the certificate: on which proofs it was issued.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from api.errors import IdentityNotProven, NotFound
from api.identity import repository
from api.identity.service import state_of
from api.kit.refusals import problem_at
from api.people import repository as people
from api.people.models import Organisation, Person


@dataclass(frozen=True)
class Wanted:
    """Who a certificate is to name, and where the proof of it is."""

    subject: dict[str, Any]
    """name, organisation, country, identifiers: as the certificate will say it."""
    person_id: str | None = None
    organisation_id: str | None = None
    stated: dict[str, Any] | None = None
    """A proof that came with it (`api.identity.service.state_proof`)."""


def subject_facts(
    name: str, organisation: str | None, country: str | None, identifiers: Sequence[dict[str, str]]
) -> dict[str, Any]:
    """Return a subject as `Wanted` and stated proofs have it."""
    return {"name": name, "organisation": organisation, "country": country, "identifiers": list(identifiers)}


def require(
    session: Session, tenant_id: str, wanted: Wanted, now: datetime, *, what: str, pointer: str = ""
) -> dict[str, Any]:
    """Return the proofs on which a certificate may be issued. Raises IdentityNotProven.

    `what` is whom the refusal names, as in "party 王伟"; `pointer` is where in the request they stand.
    """
    if wanted.stated is not None:
        return _by_statement(wanted, now, what, pointer)
    if wanted.person_id is None and wanted.organisation_id is None:
        hint = f"give {what} an `identity_proof`, or name a `person` or `organisation_id` that has one"
        raise _refusal(what, "nobody has stated how they were identified", hint, pointer)
    found: list[tuple[Organisation | Person, str]] = []
    try:
        if wanted.person_id is not None:
            person = people.person(session, tenant_id, wanted.person_id)
            found.append((person, _proof(session, person, now, what, pointer)))
        if wanted.organisation_id is not None:
            organisation = people.organisation(session, tenant_id, wanted.organisation_id)
            found.append((organisation, _proof(session, organisation, now, what, pointer)))
    except NotFound as error:
        hint = f"name a person and organisation that are on record for {what}"
        raise _refusal(what, error.message, hint, pointer) from None
    _says_only(wanted.subject, [owner for owner, _ in found], what, pointer)
    return {
        "person": wanted.person_id,
        "organisation": wanted.organisation_id,
        "proofs": [proof for _, proof in found],
    }


def _by_statement(wanted: Wanted, now: datetime, what: str, pointer: str) -> dict[str, Any]:
    stated = wanted.stated
    assert stated is not None
    if stated["valid_until"] is not None and datetime.fromisoformat(stated["valid_until"]) <= now:
        hint = f"identify {what} again and send a new `identity_proof`"
        raise _refusal(what, "the identity proof has expired", hint, pointer)
    if stated["subject"] != wanted.subject:
        hint = f"send an `identity_proof` for {what} as they are named now"
        raise _refusal(what, "the identity proof is for somebody named otherwise", hint, pointer)
    return {"stated": stated}


def _proof(session: Session, owner: Organisation | Person, now: datetime, what: str, pointer: str) -> str:
    """Return the newest proof that is valid. Raises IdentityNotProven telling why the newest is not."""
    path = "organisations" if isinstance(owner, Organisation) else "people"
    states = []
    for proof in repository.standing(session, owner):
        state = state_of(proof, owner, now)
        if state == "valid":
            return proof.id
        states.append(state)
    reasons = {
        "expired": f"the identity proof of {owner.name} has expired",
        "outdated": f"what was proven of {owner.name} is not on record any more",
    }
    reason = reasons[states[0]] if states else f"there is no identity proof of {owner.name}, or it was revoked"
    hint = f"identify {owner.name} and record it: POST /v1/{path}/{owner.id}/identity-proofs"
    raise _refusal(what, reason, hint, pointer)


def _says_only(subject: dict[str, Any], owners: list[Organisation | Person], what: str, pointer: str) -> None:
    """Raise IdentityNotProven where the subject says something that is not on the record of its owners (2)."""
    organisations = [owner.name for owner in owners if isinstance(owner, Organisation)]
    persons = [owner for owner in owners if isinstance(owner, Person)]
    known = [item for owner in owners for item in owner.identifiers]
    other = []
    if subject["name"] not in ([person.name for person in persons] or organisations):
        other.append("name")
    if subject["organisation"] != (organisations[0] if organisations else None):
        other.append("organisation")
    if subject["country"] is not None and subject["country"] not in {owner.country for owner in owners}:
        other.append("country")
    other += [
        name
        for name in ("given_name", "surname")
        if subject.get(name) not in (None, *(getattr(person, name) for person in persons))
    ]
    if any(item not in known for item in subject["identifiers"]):
        other.append("identifiers")
    if other:
        hint = f"name {what} anew: the record has changed since"
        raise _refusal(what, f"what was proven has another {', '.join(other)}", hint, pointer)


def _refusal(what: str, reason: str, hint: str, pointer: str) -> IdentityNotProven:
    detail = f"the identity of {what} is not proven: {reason}"
    return IdentityNotProven(detail, hint=hint, errors=[problem_at(pointer, IdentityNotProven.code, detail)])
