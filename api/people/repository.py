"""Queries over organisations and people; who may read is part of every one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from api.certificates.models import IssuedCertificate
from api.contracts.models import Contract, Party
from api.contracts.workflow import ContractState
from api.kit.owned import one
from api.people.models import Membership, Organisation, Person
from api.seals.models import Seal


def organisation(session: Session, tenant_id: str, name: str, *, lock: bool = False) -> Organisation:
    """Return a tenant's organisation. Raises NotFound."""
    query = select(Organisation).where(Organisation.tenant_id == tenant_id, Organisation.id == name)
    return one(session, query, "organisation", lock=lock)


def person(session: Session, tenant_id: str, name: str, *, lock: bool = False) -> Person:
    """Return a tenant's person. Raises NotFound."""
    query = select(Person).where(Person.tenant_id == tenant_id, Person.id == name)
    return one(session, query, "person", lock=lock)


def organisations(tenant_id: str) -> Select[Organisation]:
    """Return the query for a tenant's organisations."""
    return select(Organisation).where(Organisation.tenant_id == tenant_id)


def people(tenant_id: str, organisation_id: str | None) -> Select[Person]:
    """Return the query for a tenant's people, of one organisation where that is given."""
    query = select(Person).where(Person.tenant_id == tenant_id)
    if organisation_id is not None:
        query = query.join(Membership).where(Membership.organisation_id == organisation_id)
    return query


def named_organisations(session: Session, tenant_id: str, name: str) -> Sequence[Organisation]:
    """Return a tenant's organisations of a name."""
    return session.scalars(organisations(tenant_id).where(Organisation.name == name).limit(20)).all()


def named_people(session: Session, tenant_id: str, name: str) -> Sequence[Person]:
    """Return a tenant's people of a name."""
    return session.scalars(people(tenant_id, None).where(Person.name == name).limit(20)).all()


def in_use(session: Session, owner: Organisation | Person) -> str | None:
    """Return by what an organisation or a person is used that must not lose it; None where by nothing."""
    column = "organisation_id" if isinstance(owner, Organisation) else "person_id"
    sent = (
        select(Party.id)
        .join(Contract, Contract.id == Party.contract_id)
        .where(getattr(Party, column) == owner.id, Contract.state != str(ContractState.DRAFT))
    )
    issued = select(IssuedCertificate.id).where(getattr(IssuedCertificate, column) == owner.id)
    seals = select(Seal.id).where(getattr(Seal, column) == owner.id)
    for words, query in (("a contract that was sent", sent), ("a certificate", issued), ("a seal", seals)):
        if session.scalar(select(query.exists())):
            return words
    if isinstance(owner, Organisation) and session.scalar(
        select(exists().where(Membership.organisation_id == owner.id))
    ):
        return "its people"
    return None
