"""Machine-readable powers of attorney are read strictly, or refused with a reason; never believed by halves."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.cli import main
from certs.errors import MalformedInput
from certs.mandates import read_mandate
from certs.mandates.emchd import MAX_SIZE
from tests.mandates import (
    ABOVE,
    HEAD,
    HEAD_INN,
    HEAD_SNILS,
    HER,
    HER_INN,
    HER_SNILS,
    INN,
    NAME,
    OGRN,
    USCC,
    Paper,
    organisation,
    paper,
    person,
)

GUID = "4F1C2D3E-5A6B-4C7D-8E9F-0A1B2C3D4E5F"
LIMIT = (
    '<МашПолн КодПолн="1" НаимПолн="Договоры"><ОгрСвПолн НаимОгр="Сумма"><ТексЗначОгр>до 500 000</ТексЗначОгр>'
    "</ОгрСвПолн></МашПолн>"
)


@pytest.mark.parametrize("encoding", ["UTF-8", "windows-1251"])
def test_what_it_says_is_read_in_both_encodings(encoding: str) -> None:
    found = read_mandate(paper(number=GUID, encoding=encoding, powers=LIMIT + "<ТекстПолн>Прочее</ТекстПолн>"))
    assert (found.format, found.number, found.inner_number) == ("EMCHD_1", GUID.lower(), "17")
    assert (found.issued, found.expires) == (date(2026, 1, 10), date(2027, 1, 9))
    (principal,), (representative,) = found.principals, found.representatives
    assert (principal.kind, principal.name, principal.identifiers) == ("organisation", NAME, (INN, OGRN))
    assert principal.kpp == "770101001"
    (head,) = principal.heads
    assert (head.name, head.identifiers, head.position) == (HEAD, (HEAD_INN, HEAD_SNILS), "Директор")
    assert (representative.kind, representative.name, representative.identifiers) == (
        "person",
        HER,
        (HER_INN, HER_SNILS),
    )
    (power,) = found.powers
    assert (power.code, power.limits, found.powers_text) == ("1", ("Сумма: до 500 000",), "Прочее")
    assert (found.sub_delegation, found.irrevocable, found.root, found.notarised) == ("none", False, None, False)
    assert found.register is not None
    assert found.register.startswith("https://m4d.example/")
    assert json.dumps(found.to_json(), ensure_ascii=False).count(INN.value) == 1


def test_what_could_steer_a_terminal_or_a_log_is_shown_as_what_it_is() -> None:
    principal = organisation("Волга\u202eагловъ\x9b2J").replace("агл", "агл&#10;&#13;")
    text = "<ТекстПолн>Раз&#13;\u2028два\nтри</ТекстПолн>"
    found = read_mandate(paper(principal=principal, powers=text))
    assert found.principals[0].name.isprintable()
    assert "\\u202E" in found.principals[0].name
    assert found.powers_text is not None
    assert all(line.isprintable() for line in found.powers_text.split("\n"))


def test_a_sub_delegation_names_what_it_rests_on() -> None:
    found = read_mandate(paper(above=ABOVE, about='ВидДовер="2" ПрПередов="3" ВнНомДовер="б/н"'))
    assert found.root is not None
    assert (found.root.number, found.root.principals[0].name) == ("6f1d9a4e-0c52-4f0a-9c1e-2b7d0f6f5b11", "АО Исток")
    assert (found.parent, found.principals[0].name) == (None, NAME)
    assert (found.sub_delegation, found.irrevocable) == ("repeatedly", True)


FOREIGN = (
    '<ИнОргДовер><СвИнОрг НаимИО="江海贸易有限公司" СтрРег="156" РегНомер="91310000MA1FL5RX2W"/>'
    '<СвРукОП><СведФЛ><ФИО Фамилия="Ван" Имя="Вэй"/></СведФЛ></СвРукОП></ИнОргДовер>'
)
TRADER = (
    '<ИПДовер ОГРНИП="304500116000157" ИННФЛ="500100732259"><СведФЛ><ФИО Фамилия="Ким" Имя="Анна"/></СведФЛ></ИПДовер>'
)
HUMAN = '<ФЛДовер СНИЛС="112-233-445 95"><СведФЛ><ФИО Фамилия="Ким" Имя="Анна"/></СведФЛ></ФЛДовер>'
MANAGED = organisation(
    heads='<ЛицоБезДов ПолнЮЛ="1"><СВЮЛ><СвЮЛЕИО НаимОрг="ООО УК" ИННЮЛ="7707083893" КПП="1"/>'
    '<СвФЛ><СведФЛ><ФИО Фамилия="Ли" Имя="Бо"/></СведФЛ></СвФЛ></СВЮЛ></ЛицоБезДов>'
)


@pytest.mark.parametrize(
    ("principal", "kind", "name"),
    [
        (FOREIGN, "foreign-organisation", "江海贸易有限公司"),
        (TRADER, "sole-trader", "Ким Анна"),
        (HUMAN, "person", "Ким Анна"),
        (MANAGED, "organisation", NAME),
    ],
)
def test_every_kind_of_principal_is_read(principal: str, kind: str, name: str) -> None:
    (found,) = read_mandate(paper(principal=principal)).principals
    assert (found.kind, found.name) == (kind, name)
    assert (USCC in found.identifiers) is (kind == "foreign-organisation")


def test_every_kind_of_representative_is_read() -> None:
    org = 'НаимОрг="ООО Право" ИННЮЛ="7707083893" КПП="770101001"'
    given = (
        person(),
        f"<СведОрг {org}/>",
        f"<СведФилиал {org}/>",
        '<СведИО НаимИО="Law Ltd"/>',
        TRADER.replace("ИПДовер", "СведИП"),
    )
    found = read_mandate(paper(representatives=given)).representatives
    assert [each.kind for each in found] == ["person", "organisation", "branch", "foreign-organisation", "sole-trader"]


TWICE = {"</Довер>": '<СвДов ВидДовер="1"/></Довер>'}
NESTED = b"<a>" * 1_000_000
HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "garbage": bytes(range(256)) * 40,
    "text": b"<" + b"x" * 10_000,
    "cut": paper()[:-40],
    "another root": b"<a/>",
    "another namespace": paper(namespace="urn://x-artefacts/EMCHD_2"),
    "no namespace": paper(namespace=""),
    "another version": paper(root_attributes='ВерсФорм="EMCHD_2" ПрЭлФорм="00000000"'),
    "flags": paper(root_attributes='ВерсФорм="EMCHD_1" ПрЭлФорм="10000000"'),
    "tax format": '<Файл ИдФайл="ON_DOVEL_1" ВерсФорм="5.03"><Документ/></Файл>'.encode(),
    "number": paper(number="17"),
    "date": paper(issued="10.01.2026"),
    "no such day": paper(issued="2026-02-30"),
    "digits that are none": paper(issued="٢٠٢٦-٠١-١٠"),
    "ends before it begins": paper(expires="2026-01-09"),
    "two papers in one": paper(more=TWICE),
    "both kinds": paper(more={"</Документ>": "<Передов/></Документ>"}),
    "no powers": paper(powers=""),
    "kind": paper(about='ВидДовер="3" ПрПередов="1"'),
    "two principals in one place": paper(principal=organisation() + HUMAN),
    "no principal": paper(more={"<СвДоверит ": "<Прочее "} | {"</СвДоверит>": "</Прочее>"}),
    "too many representatives": paper(representatives=(person(),) * 201),
    "a name without end": paper(principal=organisation("Ж" * 1001)),
    "powers without end": paper(powers=f"<ТекстПолн>{'ж' * 20_001}</ТекстПолн>"),
    "too large": b"<" + b" " * MAX_SIZE,
    "too deep": NESTED[: MAX_SIZE - 10],
    "a million deep": NESTED,
    "billion laughs": b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>',
    "external entity": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "external document type": b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>',
    "parameter entity": b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:1/">%x;]><a/>',
    "unknown encoding": paper().replace(b"UTF-8", b"UTF-9"),
    "encoding that is not so": paper().replace(b"UTF-8", b"ascii"),
    "codec that is no charset": paper().replace(b"UTF-8", b"rot13"),
    "as many elements as are parsed": b"<a>" + b"<b/>" * 39_990 + b"</a>",
    "many attributes": b"<a " + b" ".join(b'a%d=""' % n for n in range(50_000)) + b"/>",
    "many elements": b"<a>" + b"<b/>" * (MAX_SIZE // 4 - 10) + b"</a>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_not_one_is_refused_at_once_and_with_a_reason(name: str) -> None:
    began = time.process_time()
    with pytest.raises(MalformedInput) as caught:
        read_mandate(HOSTILE[name])
    assert str(caught.value)
    assert time.process_time() - began < 2


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damage_gives_a_reading_or_the_one_error(data: Any) -> None:
    octets = bytearray(paper(above=ABOVE if data.draw(st.booleans()) else ""))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(octets) - 1))
        octets[place : place + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=6))
    try:
        read_mandate(bytes(octets)).to_json()
    except MalformedInput:
        pass


def test_inspect_shows_it_as_text_and_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ON_EMCHD.xml"
    path.write_bytes(b"\xef\xbb\xbf" + Paper(powers=LIMIT, more={INN.value: "7701234561"}).xml())
    assert main(["inspect", str(path)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("power of attorney\n")
    for words in (NAME, HEAD, HER, HER_SNILS.value, "7701234561 (checksum is wrong)", "до 500 000"):
        assert words in shown
    assert main(["inspect", str(path), "--format", "json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["representatives"][0]["RU-INN"]) == ("power-of-attorney", HER_INN.value)
    path.write_bytes(HOSTILE["billion laughs"])
    assert main(["inspect", str(path)]) == 2


def test_examples_of_the_corpus_are_read(corpus: Path) -> None:
    found = [path for path in corpus.rglob("ON_EMCHD_*.xml") if path.is_file()]
    if not found:
        pytest.skip("the corpus has no power of attorney")
    for path in found:
        assert read_mandate(path.read_bytes()).number
