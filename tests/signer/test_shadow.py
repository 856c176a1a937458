"""Prepared shadows are warned of, ordinary documents are not; and where things stand on a page is told right enough."""

from __future__ import annotations

import zlib

import pytest

from signer.pdf.content_boxes import page_marks
from signer.pdf.shadow import defined_twice, hidden_content
from signer.pdf.structure import PDFFile, View
from signer.pdf.tokens import Dictionary
from signer.report import Verdict
from tests.conftest import circle_of
from tests.signer import rawpdf
from tests.signer.attacks.victim import CATALOG, PAGE, PARTS, SECOND, digits
from tests.signer.rawpdf import stream
from tests.signer.test_verify import cms, verify

IMAGE = stream(b"\x00" * 3, b"/Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceRGB /BitsPerComponent 8 ")
COVERED = stream(
    b"BT /F1 12 Tf 72 700 Td (pay 900) Tj ET q 300 0 0 30 60 690 cm /Logo Do Q BT 72 650 Td (pay 100) Tj ET"
)


def view_of(data: bytes) -> View:
    return PDFFile(data).view(len(data))


def codes(**parts: bytes) -> set[str]:
    view = view_of(rawpdf.assemble(rawpdf.objects(**(PARTS | parts))))
    return {code for code, _ in [*hidden_content(view), *defined_twice(view)]}


def test_an_ordinary_contract_hides_nothing() -> None:
    assert codes() == set()


def test_text_under_an_image() -> None:
    assert codes(o4=COVERED) == {"covered-content"}
    assert codes(o4=COVERED, o21=IMAGE.replace(b"/Width", b"/SMask 50 0 R /Width"), o50=IMAGE) == set(), "transparent"
    assert codes(o4=COVERED.replace(b"/F1 12 Tf", b"/F1 12 Tf 3 Tr")) == set(), "invisible text under a scan is usual"
    assert codes(o4=stream(b"q 300 0 0 30 60 690 cm /Logo Do Q BT /F1 12 Tf 72 700 Td (pay 900) Tj ET")) == set(), (
        "over"
    )


def test_text_under_a_form_field_or_an_annotation() -> None:
    cover = stream(b"1 g 0 0 300 30 re f", b"/Subtype /Form /BBox [0 0 300 30] ")
    over = b"/Rect [60 690 360 720] /AP << /N 50 0 R >> "
    field = b"<< /Subtype /Widget /FT /Tx /T (x) " + over + b">>"
    assert codes(o7=field, o50=cover) == {"covered-content"}
    assert codes(o10=b"<< /Subtype /Stamp " + over + b">>", o50=cover) == {"covered-content"}
    assert codes(o10=b"<< /Subtype /Link " + over + b">>", o50=cover) == set()
    assert codes(o10=b"<< /Subtype /Stamp /Rect [60 690 360 720] >>") == set(), "it draws nothing"


@pytest.mark.parametrize("default", [b"/OFF [20 0 R]", b"/BaseState /OFF"])
def test_layers_switched_off(default: bytes) -> None:
    assert codes(o1=CATALOG.replace(b"/D << /Order", b"/D << " + default + b" /Order")) == {"hidden-layers"}


def test_a_page_nothing_leads_to() -> None:
    assert codes(o50=SECOND) == {"unreachable-content"}
    used = CATALOG.replace(b"/AcroForm", b"/Names << /Templates << /Names [(t) 50 0 R] >> >> /AcroForm")
    assert codes(o1=used, o50=SECOND) == set()


def test_an_object_that_stands_twice_in_one_revision() -> None:
    data = rawpdf.assemble(rawpdf.objects(**PARTS))
    other = data.replace(b"xref\n0 1", b"4 0 obj\n" + COVERED + b"\nendobj\nxref\n0 1", 1)
    moved = other.replace(b"startxref\n%d" % data.rindex(b"xref\n0 1"), b"startxref\n%d" % other.rindex(b"xref\n0 1"))
    assert [code for code, _ in defined_twice(view_of(moved))] == ["object-defined-twice"]
    assert defined_twice(view_of(rawpdf.update(data, {4: COVERED}))) == [], "in two revisions that is what updates are"


def test_a_file_inside_a_stream_is_not_looked_into() -> None:
    inner = rawpdf.assemble(rawpdf.objects())
    assert codes(o50=stream(inner), o1=CATALOG.replace(b"/AcroForm", b"/Names << /X 50 0 R >> /AcroForm")) == set()


def test_a_signed_shadow_passes_with_a_warning() -> None:
    circle = circle_of("sm2")
    report = verify(rawpdf.sign(cms(circle), digits=digits("sm2"), **(PARTS | {"o4": COVERED})), circle)
    assert report.verdict is Verdict.TOTAL_PASSED
    assert [warning.code for warning in report.warnings] == ["covered-content"]
    assert "page 1" in report.warnings[0].detail


# -- where things stand -------------------------------------------------------------------------------


def marks(content: bytes, **more: bytes) -> list[tuple[str, tuple[int, ...]]]:
    view = view_of(rawpdf.assemble(rawpdf.objects(**(PARTS | {"o4": stream(content)} | more))))
    located = view.locate(3)
    assert located is not None
    assert isinstance(located.value, Dictionary)
    found = page_marks(view, located.value)
    assert found is not None
    return [(mark.kind, tuple(round(v) for v in mark.box)) for mark in found.marks]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"BT /F1 10 Tf 72 700 Td (abcd) Tj ET", [("text", (72, 700, 92, 708))]),
        (b"BT /F1 10 Tf 1 0 0 1 50 60 Tm [(ab) -100 (cd)] TJ ET", [("text", (50, 60, 70, 68))]),
        (
            b"BT /F1 10 Tf 20 TL 72 700 Td (ab) ' T* (ab) Tj ET",
            [("text", (72, 680, 82, 688)), ("text", (72, 660, 82, 668))],
        ),
        (b"BT /F1 10 Tf 0 -20 TD (ab) Tj T* (ab) Tj ET", [("text", (0, -20, 10, -12)), ("text", (0, -40, 10, -32))]),
        (b"q 2 0 0 2 10 10 cm 5 5 10 10 re f Q 0 0 1 1 re f", [("path", (20, 20, 40, 40)), ("path", (0, 0, 1, 1))]),
        (b"0 0 m 10 20 l 30 5 l h S", [("path", (0, 0, 30, 20))]),
        (b"0 0 9 9 re W n", []),
        (b"q 100 0 0 50 7 8 cm /Logo Do Q", [("image", (7, 8, 107, 58))]),
        (b"q 0 100 -50 0 60 8 cm /Logo Do Q", [("image", (10, 8, 60, 108))]),
        (b"q 9 0 0 9 1 1 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \xffEI\x00 EI Q", [("image", (1, 1, 10, 10))]),
        (b"BT 3 Tr /F1 10 Tf (hidden) Tj ET", []),
        (b"/Missing Do", []),
        (b"Q Q q 1 1 2 2 re f", [("path", (1, 1, 3, 3))]),
    ],
)
def test_marks_of_a_page(content: bytes, expected: list[tuple[str, tuple[int, ...]]]) -> None:
    assert marks(content) == expected


def test_forms_inside_forms_and_in_themselves() -> None:
    page = PAGE.replace(b"/Logo 21 0 R", b"/Logo 21 0 R /Form 50 0 R")
    inner = b"/Subtype /Form /Matrix [1 0 0 1 100 0] /Resources << /XObject << /Form 50 0 R >> >> "
    found = marks(b"/Form Do", o3=page, o50=stream(b"0 0 10 10 re f /Form Do", inner))
    assert [box[0] for _, box in found] == [100, 200, 300, 400]


def test_contents_in_pieces_and_compressed() -> None:
    packed = zlib.compress(b"0 0 10 10 re f")
    pieces = PAGE.replace(b"/Contents 4 0 R", b"/Contents [50 0 R 51 0 R 99 0 R]")
    found = marks(b"", o3=pieces, o50=stream(b"q 2 0 0 2 0 0 cm"), o51=stream(packed, b"/Filter /FlateDecode "))
    assert found == [("path", (0, 0, 20, 20))]


@pytest.mark.parametrize("content", [b"[", b"<< /A", b"(never ends", b"1 " * 2000, b"BI nothing", b"\xff\xfe ]"])
def test_what_is_no_content_is_not_told(content: bytes) -> None:
    view = view_of(rawpdf.assemble(rawpdf.objects(**(PARTS | {"o4": stream(content)}))))
    located = view.locate(3)
    assert located is not None
    assert page_marks(view, located.value) is None
