"""Reads the single Russian format of powers of attorney, EMCHD_1 (единый формат, «003»).

    mandate = read_mandate(path.read_bytes())

The root is `Доверенность` in urn://x-artefacts/EMCHD_1; `Документ` holds either `Довер` (first hand) or `Передов` (a
sub-delegation). A file that is meant for the tax service too has the same form, a second name ON_DOVEL… in `ИдФайлНО`
and the fourth flag of `ПрЭлФорм`. The own format of the tax service (order ЕД-7-26/858@, 5.03, root `Файл`) is refused
by name: only parts of its description were at hand. Names and structure are from published files and from programs that
read and write them; the schema itself (ON_EMCHD_1_928_00_01_01_01.xsd) was not at hand either, so this is no validation
against it: what is used is checked, and what is not used is passed over.

Strict where two readers could read two things: whatever stands once by its nature may stand once only. The encoding is
what the XML says (UTF-8 or windows-1251); the signature is over the octets, not over what was read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Final, Literal
from xml.etree.ElementTree import Element

from certs.errors import MalformedInput
from certs.identifiers import Identifier
from certs.mandates.model import Actor, ActorKind, Mandate, Power, Root, SubDelegation
from certs.names import printable
from certs.trust.xml import parse_xml

NAMESPACE: Final = "urn://x-artefacts/EMCHD_1"
MAX_SIZE: Final = 1 << 20
"""Octets. Files of practice have some tens of thousands."""
MAX_ATTRIBUTE: Final = 1000
"""Characters of an attribute that is used; the format has no longer ones."""
MAX_TEXT: Final = 20_000
"""Characters of the powers in words."""
MAX_TAGS: Final = 40_000
"""Counted before anything is parsed, so that hostile files cost little."""
CHINA: Final = "156"
"""ОКСМ, ISO 3166-1 numeric."""
MAX_MEMBERS: Final = 200
"""Principals, representatives, powers, limits of one power: each at most so many."""

_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FLAGS: Final = re.compile(r"0[01]{3}0{4}")
"""ПрЭлФорм: flags 0 and 4 to 7 must be 0."""
_SUB_DELEGATION: Final[dict[str, SubDelegation]] = {"1": "none", "2": "once", "3": "repeatedly"}


def read_mandate(data: bytes) -> Mandate:
    """Return what a power of attorney says. Raises MalformedInput, which says where it is not as it should be."""
    if len(data) > MAX_SIZE or data.count(b"<") > MAX_TAGS:
        raise MalformedInput(f"a power of attorney has at most {MAX_SIZE >> 10} KiB and {MAX_TAGS} tags")
    root = parse_xml(data)
    if root.tag == "Файл":
        raise MalformedInput(
            "a power of attorney in the tax service's own format, which is not read",
            hint="use the single format EMCHD_1; it may have an ON_DOVEL name for the tax service as well",
        )
    if root.tag != _tag("Доверенность") or _get(root, "ВерсФорм") != "EMCHD_1":
        raise MalformedInput("no power of attorney of the format EMCHD_1", hint=f"the namespace is {NAMESPACE}")
    if not _FLAGS.fullmatch(_attribute(root, "ПрЭлФорм")):
        raise MalformedInput("ПрЭлФорм: eight flags, of which the first and the last four are 0")
    document = _one(root, "Документ")
    first, second = _maybe(document, "Довер"), _maybe(document, "Передов")
    if first is not None and second is None:
        return _first_hand(root, first)
    if second is not None and first is None:
        return _sub_delegation(root, second)
    raise MalformedInput("Документ: either Довер or Передов")


def _first_hand(root: Element, node: Element) -> Mandate:
    principals = tuple(_principal(_one(each, "Доверит")) for each in _several(node, "СвДоверит"))
    representatives = tuple(_representative(_one(each, "Пред")) for each in _several(node, "СвУпПред"))
    return _mandate(root, node, _one(node, "СвДов"), principals, representatives)


def _sub_delegation(root: Element, node: Element) -> Mandate:
    principals = tuple(_principal(_one(each, "ПередПолн")) for each in _several(node, "СвПередПолн"))
    representatives = tuple(_representative(_one(each, "Пред")) for each in _several(node, "СвПолучПолн"))
    before = _maybe(node, "СвПередов")
    return _mandate(
        root,
        node,
        _one(node, "СвПереДовер"),
        principals,
        representatives,
        first=_earlier(_one(node, "СвПервДовер"), "Перв"),
        parent=_earlier(before, "N") if before is not None else None,
    )


def _mandate(
    root: Element,
    node: Element,
    about: Element,
    principals: tuple[Actor, ...],
    representatives: tuple[Actor, ...],
    *,
    first: Root | None = None,
    parent: Root | None = None,
) -> Mandate:
    number = _attribute(about, "НомДовер").lower()
    if not _GUID.fullmatch(number):
        raise MalformedInput("НомДовер: the number is a GUID of 36 characters")
    issued, expires = _date(about, "ДатаВыдДовер"), _date(about, "СрокДейст")
    if expires < issued:
        raise MalformedInput("СрокДейст: it ends before it was issued")
    kind, further = _attribute(about, "ВидДовер"), _attribute(about, "ПрПередов")
    if kind not in {"1", "2"} or further not in _SUB_DELEGATION:
        raise MalformedInput("ВидДовер is 1 or 2, ПрПередов is 1, 2 or 3")
    powers = _one(node, "СвПолн")
    listed = _several(powers, "МашПолн", least=0)
    text = _maybe(powers, "ТекстПолн")
    if not listed and text is None:
        raise MalformedInput("СвПолн: it gives no powers")
    register = _maybe(about, "СведСист")
    return Mandate(
        format="EMCHD_1",
        number=number,
        inner_number=_get(about, "ВнНомДовер"),
        file_id=_attribute(root, "ИдФайл"),
        tax_file_id=_get(root, "ИдФайлНО"),
        issued=issued,
        expires=expires,
        principals=principals,
        representatives=representatives,
        powers=tuple(map(_power, listed)),
        powers_text=_text(text) if text is not None else None,
        joint_code=_get(powers, "ПрСовмПолн"),
        sub_delegation=_SUB_DELEGATION[further],
        irrevocable=kind == "2",
        register=_text(register) if register is not None else None,
        notarised=_maybe(node, "СвНотУд") is not None,
        root=first,
        parent=parent,
    )


def _power(node: Element) -> Power:
    limits = []
    for limit in _several(node, "ОгрСвПолн", least=0):
        value = _maybe(limit, "ТексЗначОгр")
        value = value if value is not None else _maybe(limit, "КодЗначОгр")
        words = (_get(limit, "НаимОгр"), _get(limit, "НаимЗначОгр"), _text(value) if value is not None else None)
        limits.append(": ".join(filter(None, words)))
    return Power(_attribute(node, "КодПолн"), _attribute(node, "НаимПолн"), tuple(limits))


def _earlier(node: Element, suffix: Literal["Перв", "N"]) -> Root:
    """Read what a sub-delegation says of the power of attorney that it rests on."""
    number = _get(node, f"НомДовер{suffix}") or _get(node, "НомДоверПерв")
    number = number.lower() if number is not None else None
    if number is not None and not _GUID.fullmatch(number):
        raise MalformedInput(f"НомДовер{suffix}: the number is a GUID of 36 characters")
    principals = tuple(_principal(_one(each, "ДоверитПерв")) for each in _several(node, "СвДоверПерв", least=0))
    inner = _get(node, f"ВнНомДовер{suffix}") or _get(node, "ВнНомДоверПерв")
    return Root(number, inner, _date(node, "ДатаВыдДовер"), _date(node, "СрокДейст"), principals)


# -- who ----------------------------------------------------------------------------------------------

_PRINCIPALS: Final = (
    *("РосОргДовер", "ИнОргДовер", "ИПДовер", "ФЛДовер"),
    *("РосОргПерПолн", "ИнПерПолн", "ИППерПолн", "ФЛПерПолн", "ФилПерПолн"),  # the same, in a sub-delegation
)
_REPRESENTATIVES: Final[dict[str, ActorKind]] = {
    "СведОрг": "organisation",
    "СведИП": "sole-trader",
    "СведФизЛ": "person",
    "СведФилиал": "branch",
    "СведИО": "foreign-organisation",
}


def _principal(node: Element) -> Actor:
    (name, inner) = _choice(node, _PRINCIPALS)
    if name.startswith("РосОрг"):
        about = _maybe(inner, "СвРосОрг")
        if about is None:  # as the first principal of a sub-delegation stands: without its heads
            return _organisation(inner, "organisation")
        heads, jointly = _heads(_several(inner, "ЛицоБезДов"))
        return _organisation(about, "organisation", heads, jointly=jointly)
    if name.startswith("Ин"):
        about = _maybe(inner, "СвИнОрг")
        if about is None:
            return _organisation(inner, "foreign-organisation")
        heads = tuple(_person(each) for each in _several(inner, "СвРукОП"))
        return _organisation(about, "foreign-organisation", heads)
    if name == "ФилПерПолн":
        return _organisation(_one(inner, "СвФил"), "branch", (_person(_one(inner, "СвРукФил")),))
    if name.startswith("ИП"):
        return _person(inner, "sole-trader")
    return _person(inner)


def _heads(nodes: list[Element]) -> tuple[tuple[Actor, ...], bool]:
    """Read who acts for an organisation without a power of attorney: people, sole traders, a managing company."""
    heads, jointly = [], False
    for node in nodes:
        jointly = jointly or _get(node, "ПолнЮЛ") == "2"
        name, inner = _choice(node, ("СВЮЛ", "СвФЛ", "СвИП"))
        if name == "СВЮЛ":
            people = tuple(_person(each) for each in _several(inner, "СвФЛ"))
            heads.append(_organisation(_one(inner, "СвЮЛЕИО"), "organisation", people))
        else:
            heads.append(_person(inner, "sole-trader" if name == "СвИП" else "person"))
    return tuple(heads), jointly


def _representative(node: Element) -> Actor:
    name, inner = _choice(node, _REPRESENTATIVES)
    kind = _REPRESENTATIVES[name]
    return _person(inner, kind) if kind in {"person", "sole-trader"} else _organisation(inner, kind)


def _organisation(node: Element, kind: ActorKind, heads: tuple[Actor, ...] = (), *, jointly: bool = False) -> Actor:
    identifiers = _identifiers(node, {"ИННЮЛ": "RU-INN", "ОГРН": "RU-OGRN"})
    code = (_get(node, "РегНомер") or "").strip()
    if kind == "foreign-organisation" and _get(node, "СтрРег") == CHINA and len(code) == 18:
        identifiers += (Identifier("CN-USCC", code),)  # its number in the Chinese register
    return Actor(
        kind,
        _attribute(node, "НаимИО" if kind == "foreign-organisation" else "НаимОрг"),
        identifiers,
        kpp=_get(node, "КПП"),
        country=_get(node, "СтрРег"),
        register_number=_get(node, "РегНомер"),
        heads=heads,
        heads_jointly=jointly,
    )


def _person(node: Element, kind: ActorKind = "person") -> Actor:
    about = _maybe(node, "СведФЛ")
    name = _one(about if about is not None else node, "ФИО")
    words = (_attribute(name, "Фамилия"), _attribute(name, "Имя"), _get(name, "Отчество"))
    return Actor(
        kind,
        " ".join(" ".join(filter(None, words)).split()),
        _identifiers(node, {"ИННФЛ": "RU-INN", "СНИЛС": "RU-SNILS", "ОГРНИП": "RU-OGRNIP"}),
        position=_get(node, "Должность"),
    )


def _identifiers(node: Element, where: dict[str, str]) -> tuple[Identifier, ...]:
    """Return identifiers as digits: SNILS is written "112-233-445 95"."""
    found = ((scheme, _get(node, name)) for name, scheme in where.items())
    return tuple(Identifier(scheme, re.sub(r"[\s-]", "", value)) for scheme, value in found if value)


# -- pieces -------------------------------------------------------------------------------------------


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _several(node: Element, name: str, *, least: int = 1) -> list[Element]:
    found = node.findall(_tag(name))
    if not least <= len(found) <= MAX_MEMBERS:
        trouble = "is missing" if len(found) < least else f"stands more than {MAX_MEMBERS} times"
        raise MalformedInput(f"{_name(node)}: {name} {trouble}")
    return found


def _one(node: Element, name: str) -> Element:
    found = _maybe(node, name)
    if found is None:
        raise MalformedInput(f"{_name(node)}: {name} is missing")
    return found


def _maybe(node: Element, name: str) -> Element | None:
    found = node.findall(_tag(name))
    if len(found) > 1:
        raise MalformedInput(f"{_name(node)}: {name} stands more than once")
    return found[0] if found else None


def _choice(node: Element, names: Iterable[str]) -> tuple[str, Element]:
    found = [(name, each) for name in names if (each := _maybe(node, name)) is not None]
    if len(found) != 1:
        raise MalformedInput(f"{_name(node)}: one of {', '.join(names)}")
    return found[0]


def _get(node: Element, name: str) -> str | None:
    """Return an attribute; what could steer a terminal, a log or the direction of text is shown as what it is."""
    value = node.get(name)
    if value is not None and len(value) > MAX_ATTRIBUTE:
        raise MalformedInput(f"{_name(node)}: {name} has more than {MAX_ATTRIBUTE} characters")
    return None if value is None else printable(value)


def _attribute(node: Element, name: str) -> str:
    value = (_get(node, name) or "").strip()
    if not value:
        raise MalformedInput(f"{_name(node)}: {name} is missing")
    return value


def _date(node: Element, name: str) -> date:
    value = _attribute(node, name)
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value, re.ASCII):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise MalformedInput(f"{name}: {value[:20]!r} is no date of the form YYYY-MM-DD")


def _text(node: Element) -> str:
    text = (node.text or "").strip()
    if len(text) > MAX_TEXT:
        raise MalformedInput(f"{_name(node)}: more than {MAX_TEXT} characters")
    return "\n".join(printable(line) for line in text.splitlines())


def _name(node: Element) -> str:
    return node.tag.rpartition("}")[2][:60]
