"""Any octets get a verdict or a clear error; nothing that touches signed octets passes. Hypothesis, bounded."""

# ruff: noqa: E501 - strategies in few lines

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from signer.errors import EncryptedPDF, UnreadableFile
from signer.pdf.content_boxes import page_marks
from signer.pdf.drawn_text import drawn_text
from signer.pdf.structure import BudgetSpent, PDFFile
from signer.pdf.tokens import Dictionary, SyntaxFault, operations
from signer.report import Report, Verdict, to_text
from signer.text import html
from tests.conftest import circle_of
from tests.signer import rawpdf
from tests.signer.attacks.victim import CATALOG, PAGE, PARTS, TOTAL, contract, docmdp
from tests.signer.test_verify import spans, verify

SUITE = "ecdsa-p256"
BOUNDED = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)

PIECES = st.sampled_from(
    [b"", b" ", b"\x00", b"\n", b"%", b"%%EOF", b"%%EOF\n", b"startxref\n", b"xref\n", b"trailer", b"<<", b">>", b"[", b"]", b"(", b")",
     b"<", b">", b"/", b"/ByteRange", b"/Contents", b"/V 6 0 R", b"/Prev 15", b"/XRefStm 15", b"/Encrypt 5 0 R", b"0 R", b"obj", b"endobj",
     b"stream", b"endstream", b"null", b"-1", b"99999999999", b"6 0 obj\n", b"/Kids [2 0 R]", b"/Type /ObjStm", b"/Filter /FlateDecode"]
)  # fmt: skip
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), st.one_of(PIECES, st.binary(max_size=12))), min_size=1, max_size=4
)
BODIES = st.sampled_from(
    [b"null", b"[]", b"<<>>", b"6 0 R", b"(text)", b"42", CATALOG, PAGE, TOTAL, PARTS["o2"], PARTS["o4"], PARTS["o9"],
     b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>", b"<< /FT /Sig /T (x) /V 6 0 R /Kids [5 0 R] >>",
     b"<< /Type /Catalog /Pages 2 0 R /DSS << /Certs [4 0 R 4 0 R] >> /AcroForm 5 0 R >>", b"<< /Parent 5 0 R /Kids [5 0 R 7 0 R] >>"]
)  # fmt: skip


def judged(data: bytes) -> Report | None:
    """Verify, and print the report in every form; the two errors that are foreseen give None."""
    try:
        report = verify(data, circle_of(SUITE))
    except (EncryptedPDF, UnreadableFile):
        return None
    assert json.loads(report.dumps())["verdict"] == report.verdict
    for lang in ("en", "zh", "ru"):
        assert to_text(report, lang, verbose=True)
        assert html.page((report,), lang)
    assert all(signature.code != "internal" for signature in report.signatures), report.signatures
    return report


def edited(data: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for place, cut, piece in edits:
        at = int(place * len(data))
        data = data[:at] + piece + data[at + cut :]
    return data


@BOUNDED
@given(EDITS)
def test_a_file_edited_anywhere(edits: list[tuple[float, int, bytes]]) -> None:
    original = contract(SUITE)
    data = edited(original, edits)
    report = judged(data)
    if report is None or report.verdict is not Verdict.TOTAL_PASSED:
        return
    start, end = spans(original)
    untouched = data[:start] == original[:start] and data[end : len(original)] == original[end:]
    assert untouched, "signed octets were changed and nobody noticed"


@BOUNDED
@given(
    st.integers(1, 3), st.dictionaries(st.integers(1, 32), BODIES, min_size=1, max_size=5), st.sampled_from([1, 2, 3])
)
def test_a_later_revision_of_anything(level: int, bodies: dict[int, bytes], root: int) -> None:
    original = contract(SUITE, docmdp(level))
    report = judged(rawpdf.update(original, bodies, root=b"%d 0 R" % root))
    if report is None or report.verdict is not Verdict.TOTAL_PASSED:
        return
    (one,) = report.signatures
    assert one.changes_after is not None
    assert one.changes_after.level in ("none", "lta-updates", "form-filling", "annotations")[: level + 1]


@BOUNDED
@given(EDITS)
def test_a_later_revision_edited_anywhere(edits: list[tuple[float, int, bytes]]) -> None:
    original = contract(SUITE)
    later = rawpdf.update(original, {7: TOTAL.replace(b"(100)", b"(900)"), 8: PARTS["o8"].replace(b"(100)", b"(900)")})
    judged(original + edited(later[len(original) :], edits))


@BOUNDED
@given(st.binary(max_size=400))
@example(b"%PDF-1.7\n" + b"1 0 obj\n<< /ByteRange [0 1 2 3] /Contents <00> >>\nendobj")
@example(b"%PDF-1.7\nxref\n0 1\ntrailer\n<< /Prev 9 >>\nstartxref\n9\n%%EOF")
def test_octets_of_any_kind(body: bytes) -> None:
    judged(b"%PDF-1.7\n" + body)


@BOUNDED
@given(
    st.lists(
        st.one_of(
            PIECES,
            st.binary(max_size=8),
            st.sampled_from([b"BT", b"ET", b"Tj", b"re f", b"q", b"Q", b"cm", b"/X Do", b"BI ID"]),
        )
    )
)
def test_content_of_any_kind(pieces: list[bytes]) -> None:
    content = b" ".join(pieces)
    data = rawpdf.assemble(rawpdf.objects(o4=rawpdf.stream(content), o8=rawpdf.stream(content, b"/Subtype /Form ")))
    view = PDFFile(data).view(len(data))
    try:
        pages: Any = view.locate(3)
        assert isinstance(pages.value, Dictionary)
        page_marks(view, pages.value)
        drawn_text(view, view.resolve(pages.value.get("Contents")))
        list(operations(content))
    except (SyntaxFault, BudgetSpent):
        pass
