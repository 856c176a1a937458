"""Distinguished names: built for our certificates, read from anybody's.

    der = build_name([(oids.COUNTRY, "CN"), (oids.COMMON_NAME, "𠮷田")])
    name = Name(der)
    str(name)                     # "C=CN, CN=𠮷田"
    name.first(oids.COMMON_NAME)  # "𠮷田"

Reading never raises for what stands inside an attribute: unknown string types, GBK octets in a TeletexString and broken
UTF-8 are shown as well as they can be. Characters that could make a name look like another one are shown escaped.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from certs import ber, der, oids
from certs.errors import MalformedInput

SHORT_NAMES = {
    oids.COMMON_NAME: "CN",
    oids.SURNAME: "SN",
    oids.SERIAL_NUMBER: "serialNumber",
    oids.COUNTRY: "C",
    oids.LOCALITY: "L",
    oids.STATE: "ST",
    oids.STREET: "street",
    oids.ORGANISATION: "O",
    oids.ORGANISATIONAL_UNIT: "OU",
    oids.TITLE: "title",
    oids.GIVEN_NAME: "GN",
    oids.ORGANISATION_IDENTIFIER: "organizationIdentifier",
    oids.EMAIL_ADDRESS: "emailAddress",
    oids.PSEUDONYM: "pseudonym",
    oids.USER_ID: "UID",
    oids.DOMAIN_COMPONENT: "DC",
    oids.INN: "INN",
    oids.INNLE: "INNLE",
    oids.OGRN: "OGRN",
    oids.OGRNIP: "OGRNIP",
    oids.SNILS: "SNILS",
    oids.SHECA_USCC: "USCC",
    oids.GM_USCC: "USCC",
}

UTF8, NUMERIC, PRINTABLE, TELETEX, IA5 = 0x0C, 0x12, 0x13, 0x14, 0x16
VISIBLE, UNIVERSAL, BMP = 0x1A, 0x1C, 0x1E
_STRINGS = frozenset({UTF8, NUMERIC, PRINTABLE, TELETEX, IA5, VISIBLE, UNIVERSAL, BMP})

_NUMERIC_ATTRIBUTES = frozenset({oids.INN, oids.INNLE, oids.OGRN, oids.OGRNIP, oids.SNILS})
"""NumericString by the order of the FSB no. 795 (RFC 9215 appendix names them too)."""
_PRINTABLE_ATTRIBUTES = frozenset({oids.COUNTRY, oids.SERIAL_NUMBER})
"""PrintableString by X.520."""
_IA5_ATTRIBUTES = frozenset({oids.EMAIL_ADDRESS, oids.DOMAIN_COMPONENT})
_UPPER_BOUND = 256
"""Characters of one value. Real names of organisations are longer than the 64 of RFC 5280, which EN 319 412-2 4.2.4 and
412-3 4.2.1 therefore lift for names of people, organisations and their units."""
_BOUNDS = {
    oids.TITLE: 64,
    oids.SERIAL_NUMBER: 64,
    oids.LOCALITY: 128,
    oids.STATE: 128,
    oids.STREET: 128,
    oids.EMAIL_ADDRESS: 255,
}
"""RFC 5280 A.1, where it stands."""


def printable(text: str) -> str:
    """Return `text` with control, format and surrogate characters escaped as in Python source.

    Right-to-left overrides and zero-width characters are how one name is made to look like another.
    """
    return "".join(
        character if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp") else _escape(character)
        for character in text
    )


def _escape(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04X}" if number < 0x10000 else f"\\U{number:08X}"


def decode_text(tag: int, content: bytes) -> str:
    """Return a character string as text, whatever its octets are. Never raises."""
    if tag == BMP:
        return content.decode("utf-16-be", "replace")
    if tag == UNIVERSAL:
        return content.decode("utf-32-be", "replace")
    for encoding in ("utf-8", "gb18030") if tag == TELETEX else ("utf-8",):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1") if tag in (TELETEX, IA5, PRINTABLE) else content.decode("utf-8", "replace")


@dataclass(frozen=True)
class Attribute:
    """One attribute of a name: type, string tag, octets of the value, and which RDN it stands in."""

    oid: str
    tag: int
    content: bytes
    rdn: int

    @property
    def text(self) -> str:
        """The value as text; "#" and hexadecimal for what is no string."""
        if self.tag not in _STRINGS:
            return "#" + der.tlv(self.tag & 0xFF, self.content).hex()
        return decode_text(self.tag, self.content)


@dataclass(frozen=True)
class Name:
    """A distinguished name over its original DER. Raises MalformedInput where it is no RDNSequence."""

    der: bytes

    @cached_property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes in the order of the encoding."""
        out: list[Attribute] = []
        for number, rdn in enumerate(ber.load(self.der).expect(ber.SEQUENCE)):
            for pair in rdn.expect(ber.SET):
                members = pair.members()
                kind, value = members.next().oid(), members.next()
                members.end()
                out.append(Attribute(kind, value.tag, value.content(), number))
                if len(out) > 200:
                    raise MalformedInput("a name of more than 200 attributes")
        return tuple(out)

    def all(self, oid: str) -> tuple[str, ...]:
        """Return the values of attribute `oid` as text."""
        return tuple(attribute.text for attribute in self.attributes if attribute.oid == oid)

    def first(self, oid: str) -> str | None:
        """Return the first value of attribute `oid`, or None."""
        return next(iter(self.all(oid)), None)

    def __str__(self) -> str:
        parts: list[str] = []
        previous = -1
        for attribute in self.attributes:
            if parts:
                parts.append("+" if attribute.rdn == previous else ", ")
            previous = attribute.rdn
            text = printable(attribute.text).replace("\\", "\\\\").replace("\\\\u", "\\u").replace("\\\\U", "\\U")
            for special in ",+":
                text = text.replace(special, "\\" + special)
            parts.append(f"{SHORT_NAMES.get(attribute.oid, attribute.oid)}={text}")
        return "".join(parts)

    @cached_property
    def key(self) -> tuple[frozenset[tuple[str, str | bytes]], ...]:
        """What two names share exactly if they match (RFC 5280 7.1): case and inner spaces do not count."""
        rdns: dict[int, set[tuple[str, str | bytes]]] = {}
        for attribute in self.attributes:
            value: str | bytes = attribute.content
            if attribute.tag in (UTF8, PRINTABLE, NUMERIC, IA5, VISIBLE, BMP, UNIVERSAL):
                value = " ".join(unicodedata.normalize("NFKC", attribute.text).casefold().split())
            rdns.setdefault(attribute.rdn, set()).add((attribute.oid, value))
        return tuple(frozenset(rdn) for rdn in rdns.values())


def build_name(attributes: Iterable[tuple[str, str]]) -> bytes:
    """Return the DER of a Name, one attribute per RDN, in the order given.

    UTF8String, but PrintableString for country and serialNumber, IA5String for addresses, NumericString for the Russian
    registers. Raises MalformedInput for a value that is empty, too long, or not of its character set.
    """
    return der.sequence(
        *(der.tlv(der.SET, der.sequence(der.oid(kind), _encode_value(kind, text))) for kind, text in attributes)
    )


def _encode_value(kind: str, text: str) -> bytes:
    label = SHORT_NAMES.get(kind, kind)
    bound = _BOUNDS.get(kind, _UPPER_BOUND)
    if not text or text != text.strip() or len(text) > bound:
        raise MalformedInput(f"{label} must have 1 to {bound} characters and no space at its ends")
    if printable(text) != text:
        raise MalformedInput(f"{label} contains control or invisible characters")
    if kind in _NUMERIC_ATTRIBUTES:
        if not (text.isascii() and text.isdigit()):
            raise MalformedInput(f"{label} must consist of digits")
        return der.tlv(NUMERIC, text.encode())
    if kind == oids.COUNTRY and not (len(text) == 2 and text.isascii() and text.isalpha() and text.isupper()):
        raise MalformedInput("a country is two capital letters (ISO 3166-1)")
    if kind in _PRINTABLE_ATTRIBUTES | _IA5_ATTRIBUTES:
        try:
            octets = text.encode("ascii")
        except UnicodeEncodeError as error:
            raise MalformedInput(f"{label} must be ASCII") from error
        if kind in _PRINTABLE_ATTRIBUTES:
            if not all(character.isalnum() or character in " '()+,-./:=?" for character in text):
                raise MalformedInput(f"{label} has a character that a PrintableString cannot hold")
            return der.tlv(PRINTABLE, octets)
        return der.tlv(IA5, octets)
    return der.tlv(UTF8, text.encode("utf-8"))
