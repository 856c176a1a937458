"""Whose a seal is, where the service makes its key: taken from the record or from the application, and proven.

Seal(**owner_facts(unit, body), ...)             # at the application
basis = proven(context, seal)                    # IdentityNotProven, before the certificate is issued
"""

from __future__ import annotations

from typing import Any

from api.context import Context
from api.errors import NotFound
from api.identity import gate
from api.identity.service import state_proof
from api.kit.edge import Unit
from api.kit.refusals import refuse
from api.people import repository
from api.people.models import Organisation, Person
from api.people.names import in_certificates
from api.seals.models import Seal
from api.seals.schemas import SealIn


def owner_facts(unit: Unit, body: SealIn) -> dict[str, Any]:
    """Return the columns of a seal that say whose it is. Raises ValidationFailed, Forbidden."""
    facts: dict[str, Any] = {"person_id": None, "organisation_id": None, "owner": None, "identity": None}
    owner = body.owner
    if owner is None:
        return facts
    found: Organisation | Person | None = None
    with unit.read() as session:
        try:
            if owner.person is not None:
                found = repository.person(session, unit.tenant_id, owner.person)
                facts["person_id"] = found.id
            if owner.organisation_id is not None:
                found = repository.organisation(session, unit.tenant_id, owner.organisation_id)
                facts["organisation_id"] = found.id
        except NotFound as error:
            field = "person" if owner.person is not None else "organisation_id"
            raise refuse(f"/owner/{field}", error.code, f"is none: {error.message}") from None
    if found is not None:
        organisation = found.name if isinstance(found, Organisation) else None
        written = {"organisation": organisation, "country": found.country, "identifiers": in_certificates(found)}
        return facts | {"owner": written}
    written = owner.model_dump(mode="json", include={"organisation", "country", "identifiers"})
    if owner.identity_proof is not None:
        subject = _subject(body.name, written)
        stated = state_proof(unit, owner.identity_proof, subject, "/owner/identity_proof")
        facts["identity"] = {"stated": stated}
    return facts | {"owner": written}


def proven(context: Context, seal: Seal) -> dict[str, Any]:
    """Return on which proofs the certificate of a seal may be issued. Raises IdentityNotProven."""
    owner = seal.owner or {"organisation": None, "country": None, "identifiers": []}
    stated = (seal.identity or {}).get("stated")
    subject = _subject(seal.name, owner)
    if stated is None and seal.organisation_id is not None:  # the name of a seal is its own: 某公司合同专用章
        subject |= {"name": owner["organisation"]}
    wanted = gate.Wanted(subject, seal.person_id, seal.organisation_id, stated)
    with context.database.read() as session:
        return gate.require(
            session, seal.tenant_id, wanted, context.now(), what=f"the owner of seal {seal.name}", pointer="/owner"
        )


def _subject(name: str, owner: dict[str, Any]) -> dict[str, Any]:
    return gate.subject_facts(name, owner["organisation"], owner["country"], owner["identifiers"])
