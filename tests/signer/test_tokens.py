"""The tokenizer reads what the standard allows, remembers offsets, and ends on everything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.pdf.structure import BudgetSpent, PDFFile
from signer.pdf.tokens import Dictionary, Keyword, Ref, SyntaxFault, parse


def test_spans_point_at_the_values() -> None:
    data = b"<< /A <0 0f> % comment >>\n/B#20C [1 2 R 3 0 R](x)>>".replace(b"(x)", b"/D(x)")
    value, end = parse(data, 0)
    assert end == len(data)
    assert isinstance(value, Dictionary)
    a = value.spans["A"]
    assert data[a[0] : a[1]] == b"<0 0f>"
    assert value["A"] == b"\x00\xf0"
    assert value["D"] == b"x"
    assert "B C" in value


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        (b"(a\\(b\\)(c)\\101\\7)", b"a(b)(c)A\x07"),
        (b"(line\\\r\nend)", b"lineend"),
        (b"(a\r\nb\rc)", b"a\nb\nc"),
        (b"<>", b""),
        (b"-.5", -0.5),
        (b"+17", 17),
        (b"4 0 R", Ref(4, 0)),
        (b"null", None),
        (b"true", True),
    ],
)
def test_values(text: bytes, meaning: object) -> None:
    assert parse(text, 0)[0] == meaning


def test_keyword_is_told_from_name_and_string() -> None:
    assert isinstance(parse(b"endobj", 0)[0], Keyword)


@pytest.mark.parametrize(
    "text", [b"<<", b"<< /A >>", b"[", b"(", b"<0g>", b"<< 1 2 >>", b"[foo]", b"", b"]", b"9" * 30]
)
def test_what_is_no_pdf_syntax_raises_one_error(text: bytes) -> None:
    with pytest.raises(SyntaxFault):
        parse(text, 0)


@pytest.mark.parametrize("opening", [b"[", b"<< /A ", b"("])
def test_deep_nesting_ends(opening: bytes) -> None:
    with pytest.raises(SyntaxFault):
        parse(opening * 100_000, 0)


def test_two_readings_of_a_key_are_noted() -> None:
    value, _ = parse(b"<< /A 1 /#41 2 >>", 0)
    assert value == {"A": 1}
    assert value.duplicates == ("A",)


@given(st.binary(max_size=200))
def test_random_octets_raise_nothing_else(data: bytes) -> None:
    try:
        parse(data, 0)
    except SyntaxFault:
        pass
    try:
        PDFFile(data).view(len(data))
    except (SyntaxFault, BudgetSpent):
        pass


def test_a_deflate_bomb_is_stopped() -> None:
    import zlib

    from tests.signer import rawpdf

    bomb = zlib.compress(b"\x00" * (101 * 1024 * 1024), 9)
    body = rawpdf.stream(bomb, b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode ")
    pdf = PDFFile(rawpdf.assemble(rawpdf.objects(o7=body)))
    view = pdf.view(len(pdf.data))
    located = view.locate(7)
    assert located is not None
    with pytest.raises(BudgetSpent):
        pdf.object_stream(located, view)
