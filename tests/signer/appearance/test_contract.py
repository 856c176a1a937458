"""The sample contract: complete in three languages, the same every time, ready for three stamps."""

from __future__ import annotations

import dataclasses
import io
import os
import subprocess
import sys
from datetime import date
from decimal import Decimal

import pikepdf
import pytest

from signer.appearance import contract_text as say
from signer.appearance.contract import ContractItem, ContractParty, ContractSpec, make_contract
from signer.appearance.contract_text import Trilingual
from signer.errors import AppearanceError
from tests.signer.appearance.reading import page_texts

PARTIES = (
    ContractParty(
        organisation="杭州远航国际贸易有限公司",
        country="中华人民共和国",
        address="浙江省杭州市文三路 90 号",
        identifiers=(("统一社会信用代码", "91330106MA2H0E4K9T"),),
        signatory="张𠮷䶮",
        title="总经理",
        algorithm="SM2 / SM3",
        latin_name="Hangzhou Yuanhang International Trade Co., Ltd.",
    ),
    ContractParty(
        organisation="ООО «Сибирские технологии»",
        country="Российская Федерация",
        title="Директор",
        identifiers=(("ИНН", "5406123450"),),
        address="Новосибирск",
        signatory="Соколова Екатерина",
        algorithm="ГОСТ Р 34.10-2012 (256) / Стрибог-256",
    ),
    ContractParty(
        organisation="«Дала Фрейт» ЖШС",
        country="Қазақстан",
        address="Алматы",
        title="Бас директор",
        identifiers=(("БСН", "150140012347"),),
        signatory="Әбенова Әйгерім",
        algorithm="ECDSA P-256",
    ),
)
SPEC = ContractSpec("SR-2026-0117", date(2026, 11, 21), "杭州 Hangzhou", PARTIES)


def test_every_clause_stands_there_in_three_languages():
    text = "".join(page_texts(make_contract(SPEC).pdf)).replace("\n", "").replace(" ", "")
    for title, body in (*say.CLAUSES_BEFORE_PRICES, *say.CLAUSES):
        for part in (*title, *body):
            first = part.split("{")[0].replace(" ", "")
            assert first in text, part
    for party in PARTIES:
        for fact in (party.organisation, party.signatory, party.identifiers[0][1], party.address):
            assert fact.replace(" ", "") in text


def test_the_total_is_the_sum_of_the_items():
    items = tuple(
        ContractItem(Trilingual("甲", "А", "A"), quantity, "pcs", Decimal("0.10")) for quantity in (1, 2, 10_000_000)
    )
    text = "".join(page_texts(make_contract(dataclasses.replace(SPEC, items=items)).pdf))
    assert "CNY 1 000 000.30" in text


def test_there_is_a_free_area_for_each_party_on_the_last_page():
    layout = make_contract(SPEC)
    with pikepdf.open(io.BytesIO(layout.pdf)) as pdf:
        assert 2 <= len(pdf.pages) <= 3
        assert [area.party_index for area in layout.fields] == [0, 1, 2]
        for area in layout.fields:
            assert area.page == len(pdf.pages)
            x1, y1, x2, y2 = area.box
            assert 0 < x1 < x2 < 595.28
            assert 0 < y1 < y2 < 841.89
            assert (x2 - x1, y2 - y1) == pytest.approx((262, 112))
    tops = [(area.box[1], area.box[3]) for area in layout.fields]
    assert tops[0][0] > tops[1][1]
    assert tops[1][0] > tops[2][1]


def test_the_same_spec_gives_the_same_bytes_in_another_process():
    ours = make_contract(SPEC).pdf
    assert make_contract(SPEC).pdf == ours
    code = "import sys, tests.signer.appearance.test_contract as t;sys.stdout.buffer.write(t.make_contract(t.SPEC).pdf)"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "LANG": "ru_RU.UTF-8", "TZ": "Asia/Shanghai"}
    theirs = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment, timeout=60)
    assert theirs.stdout == ours


def test_the_file_describes_itself_the_same_way_twice():
    with pikepdf.open(io.BytesIO(make_contract(SPEC).pdf)) as pdf:
        assert pdf.Root.Lang == "en"
        assert "SR-2026-0117" in str(pdf.docinfo.Title)
        packet = pdf.Root.Metadata.read_bytes().decode()
        assert str(pdf.docinfo.Title) in packet
        assert "2026-11-21T00:00:00+00:00" in packet
        assert str(pdf.docinfo.CreationDate) == "D:20261121000000+00'00'"
        assert "<pdfaid:part>2</pdfaid:part>" in packet
        for font in pdf.pages[0].Resources.Font.values():
            assert "/FontFile2" in font.DescendantFonts[0].FontDescriptor


def test_markup_in_a_name_stays_text():
    party = dataclasses.replace(PARTIES[0], organisation="A & B <Ltd> {algorithm_0} %s ]]>")
    spec = dataclasses.replace(SPEC, parties=(party, *PARTIES[1:]))
    layout = make_contract(spec)
    assert "A & B <Ltd> {algorithm_0} %s ]]>" in "".join(page_texts(layout.pdf))
    with pikepdf.open(io.BytesIO(layout.pdf)) as pdf, pdf.open_metadata(update_docinfo=False) as metadata:
        assert metadata["dc:creator"] == ["A & B <Ltd> {algorithm_0} %s ]]>"]


@pytest.mark.parametrize("count", [1, 60])
def test_the_price_table_may_fill_several_pages(count):
    spec = dataclasses.replace(SPEC, items=SPEC.items[:1] * count)
    layout = make_contract(spec)
    assert layout.fields[0].page == layout.fields[-1].page
    assert "".join(page_texts(layout.pdf)).count("Servo motor") == count


def test_endless_names_leave_the_areas_on_one_page():
    parties = tuple(
        dataclasses.replace(party, organisation=party.organisation * 40, address="x" * 9000, signatory="Очень " * 400)
        for party in PARTIES
    )
    layout = make_contract(dataclasses.replace(SPEC, parties=parties))
    assert len({area.page for area in layout.fields}) == 1


@pytest.mark.parametrize(
    "changes",
    [{"parties": PARTIES[:2]}, {"items": ()}, {"items": SPEC.items * 20}, {"place": "א"}],
    ids=["two parties", "no items", "too many items", "undrawable place"],
)
def test_what_cannot_be_written_is_refused(changes):
    with pytest.raises(AppearanceError):
        make_contract(dataclasses.replace(SPEC, **changes))
