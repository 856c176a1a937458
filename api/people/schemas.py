"""What organisations and people look like from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.contracts.parts import IdentifierIn, Locale
from api.kit.fields import Body, Country, Email, Line, OrganisationID
from api.people.models import Membership, Organisation, Person


class NamesIn(Body):
    """A name in the languages of the service, where it has one there."""

    zh: Line | None = Field(None, max_length=200, examples=["上海远东机械有限公司"])
    ru: Line | None = Field(None, max_length=200, examples=["ООО «Шанхай Юаньдун Машинери»"])
    en: Line | None = Field(None, max_length=200, examples=["Shanghai Yuandong Machinery Co., Ltd."])


class OrganisationIn(Body):
    """An organisation."""

    name: Line = Field(max_length=200, description="In its own script: certificates and signatures carry this one.")
    names: NamesIn = Field(default_factory=lambda: NamesIn(zh=None, ru=None, en=None))
    country: Country | None = Field(None, examples=["CN"])
    identifiers: list[IdentifierIn] = Field(default_factory=list, max_length=10)
    email: Email | None = None
    locale: Locale = "en"


class OrganisationPatch(Body):
    """What of an organisation is to change; lists and `names` are replaced whole."""

    name: Line | None = Field(None, max_length=200)
    names: NamesIn | None = None
    country: Country | None = None
    identifiers: list[IdentifierIn] | None = Field(None, max_length=10)
    email: Email | None = None
    locale: Locale | None = None


class MembershipIn(Body):
    """Where a person belongs."""

    organisation: OrganisationID
    position: Line | None = Field(None, max_length=200, examples=["总经理"])
    legal_representative: bool = Field(
        False, description="Whether the register names them: 法定代表人, единоличный исполнительный орган."
    )


class PersonIn(Body):
    """A person."""

    name: Line = Field(max_length=200, description="In their own script: certificates and signatures carry this one.")
    names: NamesIn = Field(default_factory=lambda: NamesIn(zh=None, ru=None, en=None))
    given_name: Line | None = Field(None, max_length=100)
    surname: Line | None = Field(None, max_length=100)
    country: Country | None = Field(None, examples=["CN"])
    identifiers: list[IdentifierIn] = Field(default_factory=list, max_length=10)
    email: Email | None = None
    locale: Locale = "en"
    organisations: list[MembershipIn] = Field(default_factory=list, max_length=50)


class PersonPatch(Body):
    """What of a person is to change; lists and `names` are replaced whole."""

    name: Line | None = Field(None, max_length=200)
    names: NamesIn | None = None
    given_name: Line | None = Field(None, max_length=100)
    surname: Line | None = Field(None, max_length=100)
    country: Country | None = None
    identifiers: list[IdentifierIn] | None = Field(None, max_length=10)
    email: Email | None = None
    locale: Locale | None = None
    organisations: list[MembershipIn] | None = Field(None, max_length=50)


class MembershipOut(BaseModel):
    """Where a person belongs."""

    organisation: str
    position: str | None
    legal_representative: bool

    @classmethod
    def of(cls, row: Membership) -> MembershipOut:
        """Return the outside of a row."""
        return cls(
            organisation=row.organisation_id, position=row.position, legal_representative=row.legal_representative
        )


class IdentifierOut(BaseModel):
    """A national identifier, and whether its checksum holds (null: none is known for the scheme)."""

    scheme: str
    value: str
    checksum_ok: bool | None

    @classmethod
    def of(cls, item: dict[str, str]) -> IdentifierOut:
        """Return the outside of an identifier."""
        from certs.identifiers import Identifier

        found = Identifier(item["scheme"], item["value"])
        return cls(scheme=found.scheme, value=found.value, checksum_ok=found.checksum_ok)


class SubjectOut(BaseModel):
    """What organisations and people have in common."""

    id: str
    version: int = Field(description='Rises with every change; `"v{version}"` is the ETag.')
    name: str
    names: dict[Literal["zh", "ru", "en"], str]
    country: str | None
    identifiers: list[IdentifierOut]
    email: str | None
    locale: Locale
    log_sequence: int = Field(description="Number of the newest entry of its log.")
    log_hash: str = Field(description="Its hash.")
    created_at: datetime
    updated_at: datetime


class OrganisationOut(SubjectOut):
    """An organisation."""

    id: str = Field(examples=["org_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])

    @classmethod
    def of(cls, row: Organisation) -> OrganisationOut:
        """Return the outside of a row."""
        return cls.model_validate(_common(row))


class PersonOut(SubjectOut):
    """A person."""

    id: str = Field(examples=["per_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    given_name: str | None
    surname: str | None
    organisations: list[MembershipOut]

    @classmethod
    def of(cls, row: Person) -> PersonOut:
        """Return the outside of a row."""
        more = {
            "given_name": row.given_name,
            "surname": row.surname,
            "organisations": [MembershipOut.of(each) for each in row.memberships],
        }
        return cls.model_validate(_common(row) | more)


def _common(row: Organisation | Person) -> dict[str, object]:
    return {
        "id": row.id,
        "version": row.version,
        "name": row.name,
        "names": row.names,
        "country": row.country,
        "identifiers": [IdentifierOut.of(item) for item in row.identifiers],
        "email": row.email,
        "locale": row.locale,
        "log_sequence": row.log_sequence,
        "log_hash": row.log_hash,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


class OrganisationList(BaseModel):
    """A page of organisations, newest first."""

    data: list[OrganisationOut]
    next_cursor: str | None


class PersonList(BaseModel):
    """A page of people, newest first."""

    data: list[PersonOut]
    next_cursor: str | None
