"""National identifiers of people and organisations: form, checksum, and where they stand in a certificate.

    identifier = Identifier("CN-USCC", "91310000MA1FL5RX2W")
    identifier.checksum_ok            # True, False, or None where the scheme has no checksum we know
    identifier.check()                # raises BadIdentifier

| scheme    | rule                                   | where in our certificates' subjects   |
|-----------|----------------------------------------|---------------------------------------|
| CN-USCC   | GB 32100-2015: weights 3^i, modulo 31  | organizationIdentifier NTRCN-…        |
| CN-ID     | GB 11643-1999: ISO 7064 MOD 11-2       | in the Chinese form only (below)      |
| RU-INN    | order of the FNS, modulo 11            | INNLE (10) or INN (12), NumericString |
| RU-OGRN   | modulo 11                              | OGRN, NumericString                   |
| RU-OGRNIP | modulo 13                              | OGRNIP, NumericString                 |
| RU-SNILS  | weights 9…1, modulo 101                | SNILS, NumericString                  |
| LEI       | ISO 17442-1: ISO 7064 MOD 97-10        | organizationIdentifier LEIXG-…        |
| VAT-xx    | per country, below                     | organizationIdentifier VATxx-…        |
| KZ-BIN    | weights 1…11, then 3…2, modulo 11      | organizationIdentifier NTRKZ-…        |
| KZ-IIN    | as KZ-BIN                              | serialNumber PNOKZ-…                  |
| PNO-xx    | none known here; also PAS, IDC, TIN    | serialNumber PNOxx-…                  |
| NTR-xx    | none known here                        | organizationIdentifier NTRxx-…        |

The forms NTRcc-, VATcc-, PNOcc- and LEIXG- are ETSI EN 319 412-1 clause 5.1. In the Chinese subject form the code and
the number of the identity card stand in extensions, see `certs.forms`. Kazakh certificates carry "BIN…" in OU and
"IIN…" in serialNumber; both are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from certs.errors import BadIdentifier

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100-2015 table 1: I, O, S, V, Z are not used."""


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _uscc(value: str) -> bool:
    total = sum(USCC_ALPHABET.index(character) * pow(3, i, 31) for i, character in enumerate(value[:17]))
    return USCC_ALPHABET[-total % 31] == value[17]


def _identity_card(value: str) -> bool:
    total = sum(int(digit) * pow(2, 17 - i, 11) for i, digit in enumerate(value[:17]))
    return "0123456789X"[(1 - total) % 11] == value[17]


_INN_WEIGHTS = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)


def _inn(value: str) -> bool:
    if len(value) == 10:
        return _weighted(value, _INN_WEIGHTS[2:]) % 11 % 10 == int(value[9])
    first = _weighted(value, _INN_WEIGHTS[1:]) % 11 % 10
    second = _weighted(value, _INN_WEIGHTS) % 11 % 10
    return (first, second) == (int(value[10]), int(value[11]))


def _ogrn(value: str) -> bool:
    return int(value[:12]) % 11 % 10 == int(value[12])


def _ogrnip(value: str) -> bool:
    return int(value[:14]) % 13 % 10 == int(value[14])


def _snils(value: str) -> bool:
    return _weighted(value, (9, 8, 7, 6, 5, 4, 3, 2, 1)) % 101 % 100 == int(value[9:])


def _lei(value: str) -> bool:
    return int("".join(str(int(character, 36)) for character in value)) % 97 == 1


def _kazakh(value: str) -> bool:
    check = _weighted(value, (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)) % 11
    if check == 10:
        check = _weighted(value, (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)) % 11
    return check == int(value[11])


def _vat_de(value: str) -> bool:
    product = 10  # ISO 7064 MOD 11,10
    for digit in value[:8]:
        product = 2 * ((int(digit) + product) % 10 or 10) % 11
    return (11 - product) % 10 == int(value[8])


def _luhn(value: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in value[-2::-2])
    return (sum(int(digit) for digit in value[::-2]) + sum(doubled)) % 10 == 0


def _vat_fr(value: str) -> bool | None:
    if not value[:2].isdigit():
        return None  # new-style keys with letters have no published rule
    return (12 + 3 * (int(value[2:]) % 97)) % 97 == int(value[:2])


def _vat_at(value: str) -> bool:
    digits = [int(digit) for digit in value[1:]]
    total = sum(sum(divmod(2 * digit, 10)) if i % 2 else digit for i, digit in enumerate(digits[:7]))
    return (96 - total) % 10 == digits[7]


def _vat_nl(value: str) -> bool:
    by_eleven = _weighted(value, (9, 8, 7, 6, 5, 4, 3, 2)) % 11 == int(value[8])
    return by_eleven or _lei("NL" + value)  # sole traders since 2020: ISO 7064 MOD 97-10 over the whole number


def _vat_pl(value: str) -> bool:
    return _weighted(value, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == int(value[9])


def _vat_be(value: str) -> bool:
    return 97 - int(value[:8]) % 97 == int(value[8:])


def _unknown(value: str) -> None:
    """For a scheme whose checksum we do not know."""


@dataclass(frozen=True)
class Scheme:
    """The form of one scheme, and its checksum: true, false, or None for unknown."""

    form: re.Pattern[str]
    checksum: Callable[[str], bool | None]
    meaning: str


SCHEMES: dict[str, Scheme] = {
    "CN-USCC": Scheme(re.compile(rf"[{USCC_ALPHABET}]{{2}}[0-9]{{6}}[{USCC_ALPHABET}]{{10}}"), _uscc, "18 characters"),
    "CN-ID": Scheme(re.compile(r"[1-9][0-9]{16}[0-9X]"), _identity_card, "17 digits and a check digit"),
    "RU-INN": Scheme(re.compile(r"[0-9]{10}(?:[0-9]{2})?"), _inn, "10 digits, or 12 for a person"),
    "RU-OGRN": Scheme(re.compile(r"[0-9]{13}"), _ogrn, "13 digits"),
    "RU-OGRNIP": Scheme(re.compile(r"[0-9]{15}"), _ogrnip, "15 digits"),
    "RU-SNILS": Scheme(re.compile(r"[0-9]{11}"), _snils, "11 digits"),
    "LEI": Scheme(re.compile(r"[0-9A-Z]{18}[0-9]{2}"), _lei, "20 characters"),
    "KZ-BIN": Scheme(re.compile(r"[0-9]{12}"), _kazakh, "12 digits"),
    "KZ-IIN": Scheme(re.compile(r"[0-9]{12}"), _kazakh, "12 digits"),
    "VAT-AT": Scheme(re.compile(r"U[0-9]{8}"), _vat_at, "U and 8 digits"),
    "VAT-BE": Scheme(re.compile(r"[01][0-9]{9}"), _vat_be, "10 digits"),
    "VAT-DE": Scheme(re.compile(r"[1-9][0-9]{8}"), _vat_de, "9 digits"),
    "VAT-FR": Scheme(re.compile(r"[0-9A-HJ-NP-Z]{2}[0-9]{9}"), _vat_fr, "2 characters and 9 digits"),
    "VAT-IT": Scheme(re.compile(r"[0-9]{11}"), _luhn, "11 digits"),
    "VAT-NL": Scheme(re.compile(r"[0-9]{9}B[0-9]{2}"), _vat_nl, "9 digits, B, 2 digits"),
    "VAT-PL": Scheme(re.compile(r"[0-9]{10}"), _vat_pl, "10 digits"),
}
_OTHER_VAT = Scheme(re.compile(r"[0-9A-Z+*]{2,13}"), _unknown, "2 to 13 letters and digits")

_OTHER_REGISTER = Scheme(re.compile(r"[0-9A-Z][0-9A-Z./+]{0,50}"), _unknown, "1 to 51 letters, digits and signs")
_NATURAL = "PNO|PAS|IDC|TIN"
"""EN 319 412-1 5.1.3: personal number, passport, identity card, tax number."""


def scheme_of(name: str) -> Scheme:
    """Return the rules of scheme `name`; BadIdentifier where there is no such scheme."""
    scheme = SCHEMES.get(name)
    if scheme is None and re.fullmatch(r"VAT-[A-Z]{2}", name):
        return _OTHER_VAT
    if scheme is None and re.fullmatch(rf"(?:{_NATURAL}|NTR)-[A-Z]{{2}}", name):
        return _OTHER_REGISTER
    if scheme is None:
        known = ", ".join((*SCHEMES, "VAT-xx", "NTR-xx", "PNO-xx", "PAS-xx", "IDC-xx", "TIN-xx"))
        raise BadIdentifier(f"no identifier scheme is called {name!r}", hint=f"known: {known}", scheme=name)
    return scheme


@dataclass(frozen=True)
class Identifier:
    """A value in a scheme, as written; nothing is checked until asked, for certificates hold wrong ones too."""

    scheme: str
    value: str

    @property
    def checksum_ok(self) -> bool | None:
        """Whether form and checksum hold; None where we know no checksum for the scheme."""
        try:
            scheme = scheme_of(self.scheme)
        except BadIdentifier:
            return None
        return bool(scheme.form.fullmatch(self.value)) and scheme.checksum(self.value)

    def check(self) -> None:
        """Raise BadIdentifier where the scheme, the form or the checksum is wrong."""
        scheme = scheme_of(self.scheme)
        if not scheme.form.fullmatch(self.value):
            raise BadIdentifier(
                f"{self.scheme} {self.value!r} is not {scheme.meaning}", scheme=self.scheme, value=self.value
            )
        if scheme.checksum(self.value) is False:
            raise BadIdentifier(
                f"the checksum of {self.scheme} {self.value} is wrong",
                hint="compare it with the original document",
                scheme=self.scheme,
                value=self.value,
            )

    @classmethod
    def parse(cls, text: str) -> Identifier:
        """Return the identifier that "SCHEME:VALUE" names, checked; spaces and hyphens in the value are dropped."""
        scheme, _, value = text.partition(":")
        identifier = cls(scheme.strip().upper(), re.sub(r"[\s-]", "", value).upper())
        identifier.check()
        return identifier

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}"


_LEGAL_PERSON = re.compile(r"(VAT|NTR)([A-Z]{2})-(.+)|LEI(?:XG|[A-Z]{2})-(.+)", re.DOTALL)


def to_organization_identifier(identifier: Identifier) -> str | None:
    """Return the form of EN 319 412-1 clause 5.1.4, or None where the scheme stands elsewhere."""
    if identifier.scheme.startswith("VAT-"):
        return f"VAT{identifier.scheme[4:]}-{identifier.value}"
    if identifier.scheme.startswith("NTR-"):
        return f"NTR{identifier.scheme[4:]}-{identifier.value}"
    prefix = {"CN-USCC": "NTRCN", "KZ-BIN": "NTRKZ", "LEI": "LEIXG"}.get(identifier.scheme)
    return f"{prefix}-{identifier.value}" if prefix else None


def from_organization_identifier(text: str) -> Identifier | None:
    """Read organizationIdentifier; None where it is of a kind we do not know."""
    match = _LEGAL_PERSON.fullmatch(text.strip())
    if match is None:
        return None
    kind, country, value, lei = match.groups()
    if lei is not None:
        return Identifier("LEI", lei)
    if kind == "VAT":
        return Identifier(f"VAT-{country}", value.removeprefix(country))
    scheme = {"CN": "CN-USCC", "KZ": "KZ-BIN", "RU": "RU-OGRN"}.get(country)
    return Identifier(scheme or f"NTR-{country}", value)


def to_serial_number(identifier: Identifier) -> str | None:
    """Return the form of EN 319 412-1 clause 5.1.3, or None where the scheme is not one of a natural person."""
    kind, _, country = identifier.scheme.partition("-")
    if identifier.scheme == "KZ-IIN":
        kind, country = "PNO", "KZ"
    return f"{kind}{country}-{identifier.value}" if kind in _NATURAL.split("|") else None


def from_serial_number(text: str) -> Identifier | None:
    """Read serialNumber; None where it is of a kind we do not know."""
    match = re.fullmatch(rf"({_NATURAL})([A-Z]{{2}})-(.+)", text.strip(), re.DOTALL)
    if match is None:
        return None
    kind, country, value = match.groups()
    return Identifier("KZ-IIN" if (kind, country) == ("PNO", "KZ") else f"{kind}-{country}", value)
