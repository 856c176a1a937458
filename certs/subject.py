"""Who a certificate is for: the subjects we write, and the identifiers in anybody's.

    name = Subject("王𠮷", country="CN", identifiers=(Identifier("CN-USCC", "9144030071526726XG"),)).name()
    identifier_of(oids.INNLE, "7707083893")          # Identifier("RU-INN", "7707083893")

Which scheme stands in which attribute is told in `certs.identifiers`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from certs import oids
from certs.errors import BadIdentifier, MalformedInput
from certs.identifiers import (
    Identifier,
    from_organization_identifier,
    from_serial_number,
    to_organization_identifier,
    to_serial_number,
)
from certs.names import SHORT_NAMES, Name, build_name


@dataclass(frozen=True)
class Subject:
    """Who a certificate is for. Every identifier is checked when the name is built."""

    common_name: str
    organisation: str | None = None
    country: str | None = None
    """Two capital letters, ISO 3166-1."""
    given_name: str | None = None
    surname: str | None = None
    locality: str | None = None
    state: str | None = None
    organisational_unit: str | None = None
    title: str | None = None
    email: str | None = None
    identifiers: tuple[Identifier, ...] = ()
    street: str | None = None
    pseudonym: str | None = None

    def name(self) -> bytes:
        """Return the DER of the Name. Raises BadIdentifier or MalformedInput."""
        attributes = [
            (oids.COUNTRY, self.country),
            (oids.STATE, self.state),
            (oids.LOCALITY, self.locality),
            (oids.STREET, self.street),
            (oids.ORGANISATION, self.organisation),
            (oids.ORGANISATIONAL_UNIT, self.organisational_unit),
        ]
        for identifier in self.identifiers:
            identifier.check()
            attributes.append(attribute_of(identifier))
        attributes += [
            (oids.TITLE, self.title),
            (oids.SURNAME, self.surname),
            (oids.GIVEN_NAME, self.given_name),
            (oids.PSEUDONYM, self.pseudonym),
            (oids.COMMON_NAME, self.common_name),
            (oids.EMAIL_ADDRESS, self.email),
        ]
        return build_name((oid, text) for oid, text in attributes if text is not None)

    @classmethod
    def of(cls, name: Name) -> Subject:
        """Return the subject that `name` describes, as a request brings it.

        Raises MalformedInput for an attribute that our certificates do not have, or that stands twice, and
        BadIdentifier for a national identifier that is wrong: nothing of a request is dropped in silence.
        """
        values: dict[str, str] = {}
        identifiers: list[Identifier] = []
        for attribute in name.attributes:
            identifier = identifier_of(attribute.oid, attribute.text)
            field = _FIELDS.get(attribute.oid)
            if identifier is not None:
                identifier.check()
                identifiers.append(identifier)
            elif field is None or field in values:
                label = SHORT_NAMES.get(attribute.oid, attribute.oid)
                trouble = "is not one of ours" if field is None else "stands twice"
                raise MalformedInput(
                    f"attribute {label} of the requested name {trouble}", hint="give the subject in words instead"
                )
            else:
                values[field] = attribute.text
        if "common_name" not in values:
            raise MalformedInput("the requested name has no common name")
        return cls(**values, identifiers=tuple(dict.fromkeys(identifiers)))


_FIELDS = {
    oids.COUNTRY: "country",
    oids.STATE: "state",
    oids.LOCALITY: "locality",
    oids.STREET: "street",
    oids.ORGANISATION: "organisation",
    oids.ORGANISATIONAL_UNIT: "organisational_unit",
    oids.TITLE: "title",
    oids.SURNAME: "surname",
    oids.GIVEN_NAME: "given_name",
    oids.PSEUDONYM: "pseudonym",
    oids.COMMON_NAME: "common_name",
    oids.EMAIL_ADDRESS: "email",
}


def attribute_of(identifier: Identifier) -> tuple[str, str]:
    """Return where `identifier` stands in our subjects. Raises BadIdentifier where it stands in none."""
    text = to_organization_identifier(identifier)
    if text is not None:
        return oids.ORGANISATION_IDENTIFIER, text
    text = to_serial_number(identifier)
    if text is not None:
        return oids.SERIAL_NUMBER, text
    kind = {
        "RU-INN": oids.INNLE if len(identifier.value) == 10 else oids.INN,
        "RU-OGRN": oids.OGRN,
        "RU-OGRNIP": oids.OGRNIP,
        "RU-SNILS": oids.SNILS,
    }.get(identifier.scheme)
    if kind is None:
        raise BadIdentifier(
            f"{identifier.scheme} stands in no subject", hint="use the form china", scheme=identifier.scheme
        )
    return kind, identifier.value


_BY_ATTRIBUTE = {
    oids.INNLE: "RU-INN",
    oids.OGRN: "RU-OGRN",
    oids.OGRNIP: "RU-OGRNIP",
    oids.SNILS: "RU-SNILS",
    oids.SHECA_USCC: "CN-USCC",
    oids.GM_USCC: "CN-USCC",
}


def identifier_of(oid: str, text: str) -> Identifier | None:
    """Return the identifier an attribute of the subject holds, or None."""
    text = text.strip()
    if oid == oids.ORGANISATION_IDENTIFIER:
        return from_organization_identifier(text)
    if oid == oids.INN:  # before 2021-09-01 an organisation's ten digits stood here behind two zeros
        return Identifier("RU-INN", text[2:] if len(text) == 12 and text.startswith("00") else text)
    if oid == oids.SERIAL_NUMBER:
        return Identifier("KZ-IIN", text[3:]) if text.startswith("IIN") else from_serial_number(text)
    if oid == oids.ORGANISATIONAL_UNIT and re.fullmatch(r"BIN[0-9]{12}", text):
        return Identifier("KZ-BIN", text[3:])
    scheme = _BY_ATTRIBUTE.get(oid)
    return Identifier(scheme, text) if scheme else None
