"""Who a certificate for a tenant's own key names, and what proves it.

subject, basis = subject_of(unit, body)          # IdentityNotProven, ValidationFailed
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.orm import Session

from api.certificates.models import IssuedCertificate
from api.certificates.schemas import CertificateIn
from api.errors import IdentityNotProven, NotFound
from api.identity import gate
from api.identity.repository import standing
from api.identity.schemas import IdentityProofIn
from api.identity.service import state_of, state_proof
from api.kit.edge import Unit
from api.kit.refusals import problem_at, refuse
from api.people import repository
from api.people.models import Organisation, Person
from api.people.names import in_certificates
from api.pki.circles import UNKNOWN_COUNTRY

if TYPE_CHECKING:
    from certs.subject import Subject


_UNPROVEN: Final = ("locality", "state", "street", "organisational_unit", "title", "email", "pseudonym")
"""Of a subject: what no identity proof on record is about."""


def subject_of(unit: Unit, body: CertificateIn) -> tuple[Subject, dict[str, Any]]:
    """Return the subject that a request is for, and on which proofs. Raises ValidationFailed, IdentityNotProven."""
    if body.name is None:
        return _from_record(unit, body)
    from certs.identifiers import Identifier
    from certs.subject import Subject

    subject = Subject(
        body.name,
        organisation=body.organisation,
        country=body.country or UNKNOWN_COUNTRY,
        given_name=body.given_name,
        surname=body.surname,
        locality=body.locality,
        identifiers=tuple(Identifier(item.scheme, item.value) for item in body.identifiers),
    )
    return subject, by_statement(unit, subject, body.identity_proof)


def by_statement(unit: Unit, subject: Subject, body: IdentityProofIn | None) -> dict[str, Any]:
    """Return the basis of a certificate whose proof comes with the request. Raises IdentityNotProven."""
    facts = _facts(subject)
    stated = state_proof(unit, body, facts, "/identity_proof") if body is not None else None
    return _required(unit, gate.Wanted(facts, stated=stated), subject.common_name, "/identity_proof")


def _from_record(unit: Unit, body: CertificateIn) -> tuple[Subject, dict[str, Any]]:
    from certs.identifiers import Identifier
    from certs.subject import Subject

    with unit.read() as session:
        person = _found(session, unit, "person", body.person)
        organisation = _found(session, unit, "organisation_id", body.organisation_id)
    owner = organisation or person
    assert owner is not None
    if isinstance(person, Person) and organisation is not None:
        belongs = {each.organisation_id for each in person.memberships}
        if organisation.id not in belongs:
            raise refuse("/organisation_id", "not-found", "is none of the person's")
    subject = Subject(
        (person or owner).name,
        organisation=organisation.name if organisation is not None else None,
        country=owner.country or UNKNOWN_COUNTRY,
        given_name=person.given_name if isinstance(person, Person) else None,
        surname=person.surname if isinstance(person, Person) else None,
        identifiers=tuple(Identifier(item["scheme"], item["value"]) for item in in_certificates(owner)),
    )
    wanted = gate.Wanted(_facts(subject), body.person, body.organisation_id)
    return subject, _required(
        unit, wanted, subject.common_name, "/person" if person is not None else "/organisation_id"
    )


def _found(session: Session, unit: Unit, field: str, name: str | None) -> Organisation | Person | None:
    if name is None:
        return None
    get = repository.person if field == "person" else repository.organisation
    try:
        return get(session, unit.tenant_id, name)
    except NotFound as error:
        raise refuse(f"/{field}", error.code, f"is none: {error.message}") from None


def again(unit: Unit, row: IssuedCertificate, subject: Subject, body: IdentityProofIn | None) -> dict[str, Any]:
    """Return the basis of the next certificate of the same subject. Raises IdentityNotProven."""
    if body is not None:
        return by_statement(unit, subject, body)
    facts, before = _facts(subject), row.identity or {}
    stated = before.get("stated")
    if stated is not None:
        facts = stated["subject"]
    wanted = gate.Wanted(facts, row.person_id, row.organisation_id, stated)
    return _required(unit, wanted, subject.common_name, "")


def on_record(unit: Unit, subject: Subject) -> dict[str, Any]:
    """Return the basis of a certificate whose subject comes from a PKCS#10 request alone, as by EST.

    Looked for is the one person, or organisation, of exactly that name with a valid proof; whatever else the request
    says has to be on record too. Raises IdentityNotProven, also where several fit.
    """
    beyond = [name for name in _UNPROVEN if getattr(subject, name) is not None]
    if beyond:
        hint = f"leave {', '.join(beyond)} out of the request"
        raise _refusal(subject.common_name, f"the record has no {', '.join(beyond)}", hint)
    with unit.read() as session:
        organisation = _proven(unit, session, repository.named_organisations, subject.organisation)
        person = _proven(unit, session, repository.named_people, subject.common_name)
    if subject.common_name == subject.organisation:
        person = None
    elif person is None:
        hint = "take the person on record, with an identity proof: POST /v1/people"
        raise _refusal(subject.common_name, "nobody of this name, or several, are on record with a valid proof", hint)
    if subject.organisation is not None and organisation is None:
        hint = "take the organisation on record, with an identity proof: POST /v1/organisations"
        raise _refusal(subject.organisation, "no organisation of this name, or several, are on record so", hint)
    wanted = gate.Wanted(
        _facts(subject),
        person.id if person is not None else None,
        organisation.id if organisation is not None else None,
    )
    return _required(unit, wanted, subject.common_name, "")


def _proven(
    unit: Unit,
    session: Session,
    find: Callable[[Session, str, str], Sequence[Organisation | Person]],
    name: str | None,
) -> Organisation | Person | None:
    """Return the only one of a name that has a valid proof."""
    if name is None:
        return None
    now = unit.context.now()

    def proven(row: Organisation | Person) -> bool:
        return any(state_of(proof, row, now) == "valid" for proof in standing(session, row))

    found = [row for row in find(session, unit.tenant_id, name) if proven(row)]
    return found[0] if len(found) == 1 else None


def _required(unit: Unit, wanted: gate.Wanted, name: str, pointer: str) -> dict[str, Any]:
    with unit.read() as session:
        return gate.require(
            session, unit.tenant_id, wanted, unit.context.now(), what=f"subject {name}", pointer=pointer
        )


def _refusal(name: str, reason: str, hint: str) -> IdentityNotProven:
    detail = f"the identity of subject {name} is not proven: {reason}"
    return IdentityNotProven(detail, hint=hint, errors=[problem_at("", IdentityNotProven.code, detail)])


def _facts(subject: Subject) -> dict[str, Any]:
    country = None if subject.country == UNKNOWN_COUNTRY else subject.country
    identifiers = [{"scheme": item.scheme, "value": item.value} for item in subject.identifiers]
    facts = gate.subject_facts(subject.common_name, subject.organisation, country, identifiers)
    more = {"given_name": subject.given_name, "surname": subject.surname, "locality": subject.locality}
    return facts | {name: text for name, text in more.items() if text is not None}
