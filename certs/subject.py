"""Who a certificate is for: the subjects we write, and the identifiers in anybody's.

    name = Subject("王𠮷", country="CN", identifiers=(Identifier("CN-USCC", "9144030071526726XG"),)).name()
    identifier_of(oids.INNLE, "7707083893")          # Identifier("RU-INN", "7707083893")

Which scheme stands in which attribute is told in `certs.identifiers`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from certs import oids
from certs.identifiers import Identifier, from_organization_identifier, to_organization_identifier
from certs.names import build_name


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

    def name(self) -> bytes:
        """Return the DER of the Name. Raises BadIdentifier or MalformedInput."""
        attributes = [
            (oids.COUNTRY, self.country),
            (oids.STATE, self.state),
            (oids.LOCALITY, self.locality),
            (oids.ORGANISATION, self.organisation),
            (oids.ORGANISATIONAL_UNIT, self.organisational_unit),
        ]
        for identifier in self.identifiers:
            identifier.check()
            attributes.append(_attribute_of(identifier))
        attributes += [
            (oids.TITLE, self.title),
            (oids.SURNAME, self.surname),
            (oids.GIVEN_NAME, self.given_name),
            (oids.COMMON_NAME, self.common_name),
            (oids.EMAIL_ADDRESS, self.email),
        ]
        return build_name((oid, text) for oid, text in attributes if text is not None)


def _attribute_of(identifier: Identifier) -> tuple[str, str]:
    """Return where `identifier` stands in our subjects."""
    text = to_organization_identifier(identifier)
    if text is not None:
        return oids.ORGANISATION_IDENTIFIER, text
    if identifier.scheme == "KZ-IIN":
        return oids.SERIAL_NUMBER, f"PNOKZ-{identifier.value}"
    kind = {
        "RU-INN": oids.INNLE if len(identifier.value) == 10 else oids.INN,
        "RU-OGRN": oids.OGRN,
        "RU-OGRNIP": oids.OGRNIP,
        "RU-SNILS": oids.SNILS,
    }[identifier.scheme]
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
    if oid == oids.SERIAL_NUMBER and text.startswith(("PNOKZ-", "IIN")):
        return Identifier("KZ-IIN", text.removeprefix("PNOKZ-").removeprefix("IIN"))
    if oid == oids.ORGANISATIONAL_UNIT and re.fullmatch(r"BIN[0-9]{12}", text):
        return Identifier("KZ-BIN", text[3:])
    scheme = _BY_ATTRIBUTE.get(oid)
    return Identifier(scheme, text) if scheme else None
