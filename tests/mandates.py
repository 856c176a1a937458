"""Powers of attorney made for tests: XML in the form EMCHD_1, of invented people and organisations."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any
from uuid import UUID
from xml.sax.saxutils import quoteattr

from certs.ca import ClosedCircle
from certs.certificate import Certificate, Subject
from certs.clock import Clock
from certs.identifiers import Identifier
from certs.ledger import MemoryLedger
from certs.suites.base import PrivateKey
from signer.cms import sign_detached
from tests.conftest import keys_of

_numbers = count(1)


def number(scheme: str, digits: str) -> Identifier:
    """Return the identifier that begins with these digits and has the right checksum."""
    for end in range(100):
        for width in (1, 2):
            found = Identifier(scheme, f"{digits}{end:0{width}d}")
            if found.checksum_ok:
                return found
    raise AssertionError(digits)


INN, OGRN = number("RU-INN", "770123456"), number("RU-OGRN", "102770012345")
HEAD_INN, HEAD_SNILS = number("RU-INN", "7712345678"), number("RU-SNILS", "112233445")
HER_INN, HER_SNILS = number("RU-INN", "7798765432"), number("RU-SNILS", "123456789")
OTHER_INN, OTHER_OGRN = number("RU-INN", "780111222"), number("RU-OGRN", "102780055555")
USCC, OTHER_USCC = Identifier("CN-USCC", "91310000MA1FL5RX2W"), Identifier("CN-USCC", "9144030071526726XG")
NAME, HEAD, HER = "ООО «Волга»", "Петров Иван Ильич", "Смирнова Ольга Ёлкина"


@dataclass(frozen=True)
class Paper:
    """What a power of attorney is to say."""

    number: str = ""
    issued: str = "2026-01-10"
    expires: str = "2027-01-09"
    principal: str = ""
    representatives: tuple[str, ...] = ()
    powers: str = '<МашПолн КодПолн="02.114" НаимПолн="Подписание договоров"/>'
    powers_attributes: str = 'ТипПолн="1" ПрСовмПолн="1"'
    about: str = 'ВидДовер="1" ПрПередов="1" ВнНомДовер="17"'
    root_attributes: str = 'ВерсФорм="EMCHD_1" ПрЭлФорм="00000000"'
    namespace: str = "urn://x-artefacts/EMCHD_1"
    above: str = ""
    """Makes it a sub-delegation: СвПервДовер."""
    encoding: str = "UTF-8"
    more: dict[str, str] = field(default_factory=dict)

    def xml(self) -> bytes:
        """Return the file."""
        guid = self.number or str(UUID(int=next(_numbers), version=4))
        second = bool(self.above)
        about, principals, principal, representatives, kind = (
            ("СвПереДовер", "СвПередПолн", "ПередПолн", "СвПолучПолн", "Передов")
            if second
            else ("СвДов", "СвДоверит", "Доверит", "СвУпПред", "Довер")
        )
        given = self.principal or organisation()
        if second:
            given = given.replace("РосОргДовер", "РосОргПерПолн")
        empowered = "".join(
            f'<{representatives} ТипПред="3"><Пред>{each}</Пред></{representatives}>'
            for each in self.representatives or (person(),)
        )
        text = (
            f'<?xml version="1.0" encoding="{self.encoding}"?>\n'
            f'<Доверенность xmlns="{self.namespace}" {self.root_attributes} ИдФайл="ON_EMCHD_20260110_{guid}">'
            f"<Документ><{kind}>{self.above}"
            f'<{about} {self.about} НомДовер="{guid}" ДатаВыдДовер="{self.issued}" СрокДейст="{self.expires}">'
            f"<СведСист>https://m4d.example/check?guid={guid}</СведСист></{about}>"
            f'<{principals} ТипДоверит="1"><{principal}>{given}</{principal}></{principals}>'
            f"{empowered}<СвПолн {self.powers_attributes}>{self.powers}</СвПолн></{kind}></Документ></Доверенность>"
        )
        for old, new in self.more.items():
            assert old in text, old
            text = text.replace(old, new, 1)
        return text.encode(self.encoding)


def organisation(
    name: str = NAME,
    inn: Identifier | None = INN,
    ogrn: Identifier | None = OGRN,
    *,
    heads: str = "",
    whole: str = "1",
) -> str:
    numbers = (f' ИННЮЛ="{inn.value}"' if inn else "") + (f' ОГРН="{ogrn.value}"' if ogrn else "")
    return (
        f'<РосОргДовер ЕИОУК="0" ЕИОФЛ="1" ЕИОИП="0"><СвРосОрг НаимОрг={quoteattr(name)}{numbers} КПП="770101001"/>'
        f"{heads or head(whole=whole)}</РосОргДовер>"
    )


def head(name: str = HEAD, inn: Identifier = HEAD_INN, snils: Identifier = HEAD_SNILS, *, whole: str = "1") -> str:
    return (
        f'<ЛицоБезДов ПолнЮЛ="{whole}"><СвФЛ ИННФЛ="{inn.value}" СНИЛС="{_snils(snils)}" Должность="Директор">'
        f"<СведФЛ>{_name(name)}</СведФЛ></СвФЛ></ЛицоБезДов>"
    )


def person(name: str = HER, inn: Identifier | None = HER_INN, snils: Identifier | None = HER_SNILS) -> str:
    numbers = (f' ИННФЛ="{inn.value}"' if inn else "") + (f' СНИЛС="{_snils(snils)}"' if snils else "")
    return f"<СведФизЛ{numbers}><СведФЛ>{_name(name)}</СведФЛ></СведФизЛ>"


ABOVE = (
    '<СвПервДовер ПрДовер="1" ФормДовер="1" ДатаВыдДовер="2025-06-01" СрокДейст="2028-06-01" '
    'НомДоверПерв="6f1d9a4e-0c52-4f0a-9c1e-2b7d0f6f5b11"><СвДоверПерв ТипДоверит="1"><ДоверитПерв>'
    '<РосОргДовер НаимОрг="АО Исток" ИННЮЛ="7700000016" КПП="770001001"/></ДоверитПерв></СвДоверПерв></СвПервДовер>'
)


def _snils(value: Identifier) -> str:
    digits = value.value
    return f"{digits[:3]}-{digits[3:6]}-{digits[6:9]} {digits[9:]}"


def _name(name: str) -> str:
    surname, given, *rest = name.split()
    patronymic = f" Отчество={quoteattr(rest[0])}" if rest else ""
    return f"<ФИО Фамилия={quoteattr(surname)} Имя={quoteattr(given)}{patronymic}/>"


@dataclass(frozen=True)
class Firm:
    """An organisation that gives powers of attorney: a circle of its own, a key and a certificate."""

    ca: ClosedCircle
    key: PrivateKey
    certificate: Certificate
    clock: Clock

    def sign(self, data: bytes) -> bytes:
        """Return a detached signature, DER."""
        return sign_detached(io.BytesIO(data), self.key, self.certificate, self.ca.chain, clock=self.clock, level="B-B")

    def holding(self, subject: Subject, profile: str = "organisation") -> Firm:
        """Return the same with another certificate for the same key."""
        return replace(self, certificate=self.ca.issue(profile, subject, self.key.public_key.spki))

    @property
    def trust(self) -> list[bytes]:
        """What to trust to believe it: the root, and the current lists."""
        return [self.ca.chain[-1].pem.encode(), self.ca.crl(), self.ca.root_crl()]


RUSSIAN = Subject(NAME, organisation=NAME, country="RU", identifiers=(INN, OGRN))
CHINESE = Subject("江海贸易有限公司", organisation="江海贸易有限公司", country="CN", identifiers=(USCC,))


def firm(suite: str, clock: Clock, subject: Subject = RUSSIAN, profile: str = "organisation") -> Firm:
    """Return a firm with a circle of the suite."""
    root_key, issuing_key, key, *_ = keys_of(suite)
    ca = ClosedCircle.create(
        suite,
        organisation="Удостоверяющий центр",
        country="RU",
        clock=clock,
        ledger=MemoryLedger(),
        root_key=root_key,
        issuing_key=issuing_key,
    )
    return Firm(ca, key, ca.issue(profile, subject, key.public_key.spki), clock)


def paper(**more: Any) -> bytes:
    """Return a power of attorney that differs from every other one."""
    return Paper(**more).xml()
