"""Fields laid out before the first signature, filled within the signatures of those who state the values."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from typing import Any

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signer.appearance.text import clean
from signer.errors import FieldError, FormRefused, OptionError, SealroadError, SigningRefused
from signer.forms import FormField, objections_to_value, shown
from signer.forms.fields import MAX_FIELDS
from signer.pades.placement import EveryPage
from signer.pdf.drawn_text import agrees, drawn_text
from signer.pdf.encryption import Credentials
from signer.pdf.listing import walk_fields
from signer.pdf.structure import PDFFile
from tests.conftest import make_pdf
from tests.signer.forms.made import ADDRESS, DAY, FIELDS, NAME, ONE, PRICE, TWO, contract, laid_out, refilled, verdicts
from tests.signer.forms.made import signed as signed_by
from tests.signer.locked import OWNER, by_qpdf
from tests.signer.seal_pdf.marks import applied
from tests.signer.signing import edited, empty_field, many_pages

SUITES = ("rsa", "ecdsa-p256", "sm2", "gost2012-256")


def held(pdf: bytes, password: str = "") -> dict[str, Any]:
    """Return the value of each field, as another reader has it."""
    with pikepdf.open(io.BytesIO(pdf), password=password) as document:
        fields = [field for field in document.Root.AcroForm.Fields if pikepdf.Name.Sig != field.FT]
        return {str(field.T): str(field.V) if "/V" in field else None for field in fields}


# Filled and signed ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("suite", SUITES)
def test_two_parties_fill_and_sign(suite: str) -> None:
    pdf = contract(suite)
    assert verdicts(pdf, suite) == [("TOTAL-PASSED", "form-filling"), ("TOTAL-PASSED", "none")]
    values = dict(ONE["values"] + TWO["values"])
    assert held(pdf) == {**values, "agreed": "/Yes", "extra": "/Off"}


@pytest.mark.parametrize("suite", SUITES)
def test_a_value_changed_later_is_forbidden(suite: str) -> None:
    one = signed_by(laid_out(), suite, **ONE)
    for change in (("price", "1"), ("agreed", False), ("address", "")):
        assert verdicts(refilled(one, change), suite) == [("TOTAL-FAILED", "forbidden")]
        with pytest.raises(SigningRefused, match="locked"):
            signed_by(one, suite, **{**TWO, "values": (change,)})
    assert verdicts(refilled(one, ("name", "王")), suite) == [("TOTAL-PASSED", "form-filling")], "nobody has signed it"
    assert verdicts(refilled(contract(suite), ("name", "王")), suite)[1] == ("TOTAL-FAILED", "forbidden")


def test_what_locks_is_in_the_field_and_in_the_signature() -> None:
    one = signed_by(laid_out(), "ecdsa-p256", **ONE)
    with pikepdf.open(io.BytesIO(one)) as document:
        field = next(item for item in document.Root.AcroForm.Fields if str(item.T) == "One")
        (reference,) = field.V.Reference
        assert reference.TransformMethod == pikepdf.Name.FieldMDP
        for lock in (field.Lock, reference.TransformParams):
            assert lock.Action == pikepdf.Name.Include
            assert [str(name) for name in lock.Fields] == list(ONE["locks"])
        assert "/NeedAppearances" not in document.Root.AcroForm


def test_a_certification_of_level_2_lets_others_fill_in_and_one_of_level_1_does_not() -> None:
    one = signed_by(laid_out(), "ecdsa-p256", certify=2, **ONE)
    two = signed_by(one, "ecdsa-p256", **TWO)
    assert verdicts(two, "ecdsa-p256") == [("TOTAL-PASSED", "form-filling"), ("TOTAL-PASSED", "none")]
    with pytest.raises(SigningRefused):
        signed_by(signed_by(laid_out(), "ecdsa-p256", certify=1, **ONE), "ecdsa-p256", **TWO)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_field_on_a_turned_page_reads_upright(turn: int) -> None:
    fields = tuple(
        replace(field, box=(x1, y1 - 200, x2, y2 - 200)) for field in FIELDS for x1, y1, x2, y2 in [field.box]
    )
    pdf = laid_out(many_pages(1, Rotate=turn), fields)
    pdf = signed_by(signed_by(pdf, "ecdsa-p256", **ONE), "ecdsa-p256", **TWO)
    assert verdicts(pdf, "ecdsa-p256")[0] == ("TOTAL-PASSED", "form-filling")
    with pikepdf.open(io.BytesIO(pdf)) as document:
        (price,) = (field for field in document.Root.AcroForm.Fields if str(field.T) == "price")
        assert turn == price.MK.R
        assert [float(edge) for edge in price.AP.N.BBox] == [0, 0, 200, 20]
        x1, y1, x2, y2 = map(float, price.Rect)
        assert (round(x2 - x1), round(y2 - y1)) == ((20, 200) if turn != 180 else (200, 20))
        assert "/Matrix" in price.AP.N


@pytest.mark.parametrize("revision", [4, 6])
def test_a_file_that_is_encrypted(revision: int) -> None:
    owner = Credentials(password=OWNER)
    pdf = laid_out(by_qpdf(revision, packed=revision == 6), credentials=owner)
    assert "Ёлкин".encode("utf-16-be") not in pdf
    one = signed_by(pdf, "ecdsa-p256", owner, **ONE)
    two = signed_by(one, "ecdsa-p256", owner, **TWO)  # it is asked whether the first would be broken
    assert held(two, OWNER)["name"] == "𠮷䶮 ➀ Ё"
    with pytest.raises(SigningRefused, match="locked"):
        signed_by(two, "ecdsa-p256", owner, field="Three", values=(("price", "1"),))


def test_a_seal_on_every_page_fills_and_locks_too() -> None:
    fields = (PRICE, replace(DAY, page=2))
    one = applied(
        laid_out(many_pages(2), fields), "sm2", EveryPage(), field="Seal", values=ONE["values"][:1], locks=("price",)
    )
    two = signed_by(one, "sm2", field="Two", values=TWO["values"][:1], locks=("day",))
    assert verdicts(two, "sm2") == [("TOTAL-PASSED", "form-filling"), ("TOTAL-PASSED", "none")]
    assert verdicts(refilled(one, ("price", "1")), "sm2") == [("TOTAL-FAILED", "forbidden")]


def test_in_a_tagged_file_every_field_is_in_the_structure_tree() -> None:
    def tagged(pdf: pikepdf.Pdf) -> None:
        pdf.Root.StructTreeRoot = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.StructTreeRoot))

    with pikepdf.open(io.BytesIO(laid_out(edited(tagged)))) as document:
        assert len(pikepdf.NumberTree(document.Root.StructTreeRoot.ParentTree)) == len(FIELDS)
        told = [str(element.Alt) for element in document.Root.StructTreeRoot.K]
        assert told == [field.label or field.name for field in FIELDS]
        assert document.pages[0].obj.Tabs == pikepdf.Name.S


# Laid out ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("field", "code"),
    [
        (replace(PRICE, page=2), "no-such-page"),
        (replace(PRICE, page=0), "no-such-page"),
        (replace(PRICE, box=(500, 600, 700, 620)), "off-page"),
        (replace(PRICE, box=(60, 610, 260, 630)), "overlap"),
        (replace(PRICE, name="price", box=(60, 700, 260, 720)), "repeated"),
        (replace(PRICE, name="x", box=(110, 150, 260, 170)), "overlap"),
        (replace(PRICE, name="x", box=(60, 700, 260, 720), value="𲎯"), "no-glyph"),
        (replace(PRICE, name="x", box=(60, 700, 260, 720), value="слово " * 60), "does-not-fit"),
        (replace(DAY, name="x", box=(60, 700, 260, 720), value="2026-02-30"), "not-a-date"),
    ],
)
def test_fields_that_have_no_place(field: FormField, code: str) -> None:
    with pytest.raises(FormRefused) as caught:
        laid_out(
            fields=(PRICE, replace(field, name=field.name if field.name == "price" else "x")),
            occupied=[(-1, (100, 100, 300, 160))],
        )
    codes = {item.code for item in caught.value.facts["objections"]}
    assert code in codes
    if code == "overlap":
        laid_out(fields=(PRICE, replace(field, name="x", box=(60, 620, 260, 640))), occupied=[(1, (60, 640, 300, 700))])


def test_every_objection_is_told_at_once() -> None:
    wrong = (replace(PRICE, page=7), replace(ADDRESS, box=(0, 0, 9000, 20)), replace(DAY, value="soon"))
    with pytest.raises(FormRefused) as caught:
        laid_out(fields=wrong)
    assert [(item.field, item.code) for item in caught.value.facts["objections"]] == [
        ("price", "no-such-page"),
        ("address", "off-page"),
        ("day", "not-a-date"),
    ]
    with pytest.raises(OptionError):
        replace(PRICE, name="прайс")
    with pytest.raises(OptionError):
        replace(PRICE, box=(0, 0, 19, 30))


def text_field(pdf: pikepdf.Pdf) -> None:
    empty_field("own")(pdf)
    pdf.Root.AcroForm.Fields[0].FT = pikepdf.Name.Tx


def drawn_anew(pdf: pikepdf.Pdf) -> None:
    empty_field("Here")(pdf)
    pdf.Root.AcroForm.NeedAppearances = True


def xfa(pdf: pikepdf.Pdf) -> None:
    empty_field("Here")(pdf)
    pdf.Root.AcroForm.XFA = pdf.make_stream(b"<xdp/>")


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (lambda: signed_by(make_pdf(), "ecdsa-p256", field="One"), "signed"),
        (lambda: edited(text_field), "has-form"),
        (lambda: edited(drawn_anew), "has-form"),
        (lambda: edited(xfa), "has-form"),
    ],
    ids=["signed", "form", "appearances", "xfa"],
)
def test_files_that_get_no_fields(made: Any, code: str) -> None:
    with pytest.raises(FormRefused) as caught:
        laid_out(made())
    assert caught.value.facts["reason"] == code


def test_empty_signature_fields_and_resources_of_a_file_stay() -> None:
    def before(pdf: pikepdf.Pdf) -> None:
        empty_field("Here")(pdf)
        pdf.Root.AcroForm.DR = pikepdf.Dictionary(ProcSet=pikepdf.Array([pikepdf.Name.PDF]))

    pdf = laid_out(edited(before))
    names = {item.name for item in walk_fields(PDFFile(pdf).view(len(pdf)), [])}
    assert names == {"Here"} | {field.name for field in FIELDS}
    pdf = signed_by(signed_by(pdf, "ecdsa-p256", **{**ONE, "field": "Here"}), "ecdsa-p256", **TWO)
    assert verdicts(pdf, "ecdsa-p256") == [("TOTAL-PASSED", "form-filling"), ("TOTAL-PASSED", "none")]


def test_many_fields_take_little_time_and_room() -> None:
    count = 200
    many = tuple(
        FormField(f"f{n}", 1, (20 + 110 * (n % 5), 20 + 20 * (n // 5), 120 + 110 * (n % 5), 36 + 20 * (n // 5)), "text")
        for n in range(count)
    )
    begun = time.process_time()
    pdf = laid_out(fields=many)
    values = tuple((field.name, f"№ {n} 第{n}项") for n, field in enumerate(many))
    one = signed_by(pdf, "ecdsa-p256", field="One", values=values[:100], locks=tuple(f"f{n}" for n in range(100)))
    two = signed_by(one, "ecdsa-p256", field="Two", values=values[100:])
    assert time.process_time() - begun < 20
    assert len(two) < 400_000
    assert held(two) == dict(values)
    with pytest.raises(FormRefused, match="are possible"):
        laid_out(fields=(many[0],) * (MAX_FIELDS + 1))


# Values --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        (PRICE, "上海 и Москва", None),
        (PRICE, "", None),
        (PRICE, True, "wrong-kind"),
        (FIELDS[2], "yes", "wrong-kind"),
        (FIELDS[2], False, None),
        (NAME, "x" * 41, "too-long"),
        (PRICE, "x" * 4001, "too-long"),
        (PRICE, "1\u202e000", "characters"),
        (PRICE, "1\u200b000", "characters"),
        (PRICE, "a\tb", "characters"),
        (PRICE, "a\ud800", "characters"),
        (PRICE, "e" + "\u0301" * 40, "characters"),
        (PRICE, "\ufe00", "characters"),
        (PRICE, "𲎯", "no-glyph"),
        (PRICE, "①➀", "no-glyph"),
        (PRICE, "a\nb\nc", "does-not-fit"),
        (ADDRESS, "a\nb\n\nc", None),
        (PRICE, "слово " * 40, "does-not-fit"),
        (ADDRESS, "слово " * 40, None),
        (DAY, "2026-12-31", None),
        (DAY, "2026-13-31", "not-a-date"),
        (DAY, "31.12.2026", "not-a-date"),
        (DAY, "20261231", "not-a-date"),
        (DAY, "٢٠٢٦-١٢-٣١", "not-a-date"),
    ],
)
def test_what_may_stand_in_a_field(field: FormField, value: Any, code: str | None) -> None:
    assert [item.code for item in objections_to_value(field, value)] == ([code] if code else [])


@pytest.mark.parametrize(
    ("language", "text"),
    [("zh-Hant", "2026年3月9日"), ("ru", "09.03.2026"), ("en", "9 Mar 2026"), ("", "2026-03-09"), ("kk", "2026-03-09")],
)
def test_a_date_is_written_in_the_language_of_the_document(language: str, text: str) -> None:
    assert shown(replace(DAY, language=language), "2026-03-09") == text


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ((("nothing", "x"),), {}),
        ((("price", True),), {}),
        ((("agreed", "x"),), {}),
        ((("Here", "x"),), {}),
        ((("price", "x"),), {"locks": ("price",), "field": "Here"}),
    ],
)
def test_fields_that_are_not_filled_so(values: Any, options: dict[str, Any]) -> None:
    lock = pikepdf.Dictionary(Type=pikepdf.Name.SigFieldLock, Action=pikepdf.Name.All)
    pdf = laid_out(edited(empty_field("Here", Lock=lock)))
    with pytest.raises(FieldError):
        signed_by(pdf, "ecdsa-p256", **{"field": "One", **options}, values=values)


@given(st.lists(st.text(max_size=60), min_size=12, max_size=12))
@settings(max_examples=6, deadline=None)
def test_whatever_is_taken_is_drawn_as_it_is(texts: list[str]) -> None:
    taken = [text for text in (*texts, *map(clean, texts)) if not objections_to_value(ADDRESS, text)]
    boxes = ((60 + 210 * (n % 2), 30 + 62 * (n // 2), 260 + 210 * (n % 2), 90 + 62 * (n // 2)) for n in range(24))
    fields = tuple(
        replace(ADDRESS, name=f"f{n}", box=box, value=text)
        for n, (box, text) in enumerate(zip(boxes, taken, strict=False))
    )
    pdf = laid_out(fields=fields)
    view = PDFFile(pdf).view(len(pdf))
    for item, text in zip(walk_fields(view, []), taken, strict=True):
        assert agrees(text, drawn_text(view, view.get(view.get(item.dictionary, "AP"), "N"))) is True


def test_no_builtin_error_leaves(sample_pdf: bytes) -> None:
    for data in (b"", b"%PDF-1.7", sample_pdf[:300]):
        with pytest.raises(SealroadError):
            laid_out(data or b"x")
