"""Rule G10: what a second parser reads is compared, and what it cannot read in time is never a pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from signer.limited import Child, ChildFault, LimitReached
from signer.pdf import second_reading
from signer.pdf.second_reading import SecondReading, pages_of
from signer.pdf.structure import PDFFile
from signer.report import Verdict
from tests.conftest import circle_of
from tests.signer import rawpdf
from tests.signer.attacks.victim import PARTS, contract
from tests.signer.test_verify import verify


def compared(data: bytes, *, claims: bytes | None = None) -> str:
    """Compare what we read in `data` with what the other parser reads there, or in `claims` of the same length."""
    pdf = PDFFile(data)
    reading = SecondReading(pdf)
    pdf.data, kept = claims or data, pdf.data
    reading.ask([len(data)])
    pdf.data = kept
    return reading.compare(pdf.view(len(data)))


def test_both_agree_on_ordinary_files() -> None:
    assert compared(rawpdf.signed_pdf()) == ""
    assert compared(contract("sm2")) == ""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"/Kids [3 0 R 30 0 R]", b"/Kids [30 0 R 3 0 R]", "page 1"),
        (b"/Kids [3 0 R 30 0 R]", b"/Kids [3 0 R       ]", "pages: 2 and 1"),
        (b"/Count 2", b"/Count 3", "page count: 2 and 3"),
        (b"/T (total)", b"/T (tutal)", "form field 2"),
        (b"/FT /Tx", b"/FT /Ch", "form field 2"),
        (b"/V 6 0 R", b"/V 7 0 R", "form field 1"),
        (b"[5 0 R 7 0 R", b"[7 0 R 5 0 R", "form field 1"),
        (b"startxref", b"startxxxx", "cannot open"),
    ],
)
def test_what_differs_is_said(old: bytes, new: bytes, words: str) -> None:
    data = contract("sm2")
    other = data.replace(old, new, 1)
    assert len(other) == len(data) != 0
    assert words in compared(data, claims=other)


def test_a_page_tree_that_has_to_be_mended_is_a_difference() -> None:
    """What one reader mends, another may not."""
    for kids, count in ((b"2 0 R 3 0 R", 2), (b"3 0 R null", 2), (b"3 0 R 3 0 R", 2)):
        tree = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count)
        assert compared(rawpdf.fill_byte_range(rawpdf.assemble(rawpdf.objects(**(PARTS | {"o2": tree}))))) != ""


def test_loops_and_nonsense_are_walked_alike() -> None:
    for parts in (
        {
            "o1": PARTS["o1"].replace(b"[5 0 R 7", b"[5 0 R 5 0 R 1 null 99 0 R 7"),
            "o5": b"<< /Kids [5 0 R 7 0 R] /T 9 >>",
        },
        {"o1": b"<< /Type /Catalog /Pages 2 0 R /AcroForm [] >>"},
    ):
        data = rawpdf.fill_byte_range(rawpdf.assemble(rawpdf.objects(**(PARTS | parts))))
        assert compared(data) == ""


def test_pages_in_order() -> None:
    data = contract("sm2")
    assert pages_of(PDFFile(data).view(len(data))) == [3, 30]


@pytest.mark.parametrize("error", [LimitReached("late"), ChildFault("MemoryError")])
def test_without_the_second_reading_nothing_passes(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> bytes:
        raise error

    monkeypatch.setattr(Child, "ask", fail)
    (one,) = verify(contract("sm2"), circle_of("sm2")).signatures
    assert (one.verdict, one.code) == (Verdict.INDETERMINATE, "limits")
    assert ("G10-two-parsers", "not-checked") in {(check.id, check.result) for check in one.checks}


@pytest.mark.parametrize("answer", [b"", b"[]", b"{", b"[1, 2, 3, 4]"])
def test_an_answer_that_makes_no_sense_is_never_a_pass(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_reading._child, "ask", lambda *_: answer)
    (one,) = verify(contract("sm2"), circle_of("sm2")).signatures
    assert one.verdict is Verdict.INDETERMINATE


@pytest.mark.parametrize("act", ["sleep", "spin", "die", "grow"])
def test_a_child_that_fails_leaves_the_verdict_open(act: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Child("tests.signer.limited_tasks:answer", seconds=1, memory=512 << 20) as child:
        real: Callable[..., bytes] = child.ask
        monkeypatch.setattr(second_reading, "_child", child)
        monkeypatch.setattr(child, "ask", lambda header, body: real({"act": act}, body))
        (one,) = verify(contract("sm2"), circle_of("sm2")).signatures
    assert one.verdict is Verdict.INDETERMINATE
