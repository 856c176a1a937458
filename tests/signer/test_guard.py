"""Every rule of the guard is broken once on purpose; each test is named by what an attacker would do."""

from __future__ import annotations

import re

import pytest

from signer.pdf.guard import Guarded, guard
from signer.pdf.listing import list_signatures
from signer.pdf.structure import PDFFile
from signer.pdf.tokens import SyntaxFault
from tests.signer import rawpdf


def inspect(data: bytes, which: int = 0) -> Guarded:
    pdf = PDFFile(data)
    fault = ""
    try:
        view = pdf.view(len(data))
        view.catalog  # noqa: B018
    except SyntaxFault as error:
        view, fault = None, str(error)
    listing = list_signatures(pdf, view)
    return guard(pdf, view, fault, listing.signatures[which])


def broken(data: bytes, which: int = 0) -> set[str]:
    return {finding.rule[:2] for finding in inspect(data, which).findings if finding.result == "failed"}


def sub(old: bytes, new: bytes, data: bytes) -> bytes:
    """Replace once, keeping the length with blanks."""
    assert old in data
    return data.replace(old, new.ljust(len(old)), 1)


def byte_range(data: bytes) -> tuple[bytes, list[int]]:
    found = re.search(rb"/ByteRange \[([\d ]+)\]", data)
    assert found
    return found.group(), [int(n) for n in found.group(1).split()]


def with_byte_range(text: str) -> bytes:
    data = rawpdf.signed_pdf()
    old, (_, a, b, c) = byte_range(data)
    new = ("/ByteRange " + text.format(a=a, b=b, c=c)).encode()
    assert len(new) <= len(old), "would move the gap"
    return data.replace(old, new.ljust(len(old)))


def test_an_honest_signature_passes_every_rule() -> None:
    found = inspect(rawpdf.signed_pdf())
    assert [f.rule[:2] for f in found.findings] == [f"G{n}" for n in range(1, 10)]
    assert all(f.result == "passed" for f in found.findings)
    assert not found.broken
    assert found.signed_view is not None


def test_every_earlier_signature_stays_whole_after_a_later_revision() -> None:
    data = rawpdf.update(rawpdf.signed_pdf(), {7: b"<< /Nothing true >>"})
    assert not inspect(data).broken


@pytest.mark.parametrize("ending", [b"", b"\r", b"\n", b"\r\n"])
def test_each_line_end_behind_eof_is_accepted(ending: bytes) -> None:
    data = rawpdf.assemble(rawpdf.objects()).rstrip(b"\n") + ending
    assert not inspect(rawpdf.fill_byte_range(data)).broken


@pytest.mark.parametrize(
    "shape",
    [
        "[1 {a} {b} {c}]",
        "[0 {b} {a} {c}]",
        "[0 {a} {a} {c}]",
        "[0 {a} {b} {c}9]",
        "[0 {a} {b}]",
        "[0 {a} {b} {c} 0 1]",
        "[0 {a} {b} -1]",
        "[0 {a}. {b} {c}]",
        "[0 {a} {b} 9 0 R]",
        "[0 {a} {b} null]",
        "[0 {a} {b} true]",
        "[]",
        "null",
        "9 0 R",
        "({a})",
    ],
)
def test_g1_byte_range_of_another_shape(shape: str) -> None:
    assert "G1" in broken(with_byte_range(shape))


def test_g1_byte_range_missing() -> None:
    data = rawpdf.signed_pdf(lambda d: d.replace(b"/ByteRange", b"/ByteRanje"))
    assert "G1" in broken(data)


def test_g2_signature_wrapped_into_a_wider_gap() -> None:
    data = rawpdf.signed_pdf()
    _, (_, a, b, c) = byte_range(data)
    wider = sub(b"%-10d" % a, b"%-10d" % (a - 10), data)
    assert "G2" in broken(wider)
    assert "G2" in broken(sub(b"%-10d %-10d %-10d" % (a, b, c), b"%-10d %-10d %-10d" % (a, b + 1, c - 1), data))


def test_g2_signature_wrapped_second_contents_string_elsewhere() -> None:
    """The gap is a hexadecimal string with the same value, but not the token of this dictionary."""

    bodies = rawpdf.objects()
    bodies[6] = bodies[6].replace(b" /M (", b" /Xontents <30800000" + b"0" * (rawpdf.CONTENTS_DIGITS - 8) + b"> /M (")
    data = rawpdf.fill_byte_range(rawpdf.assemble(bodies))
    assert not broken(data)
    swapped = data.replace(b"/Contents <", b"/Yontents <", 1) if b"/Contents <" in data else data
    swapped = swapped.replace(b"/Xontents <", b"/Contents <")
    assert "G2" in broken(swapped)


@pytest.mark.parametrize("octet", [b"(", b"%", b"g", b"/", b"<", b">", b"\x80"])
def test_g2_foreign_octet_inside_the_gap(octet: bytes) -> None:
    data = rawpdf.signed_pdf()
    _, (_, a, _, _) = byte_range(data)
    changed = data[: a + 9] + octet + data[a + 10 :]
    assert broken(changed)  # the dictionary cannot even be read; it is listed all the same


def test_g2_white_space_and_an_odd_digit_inside_the_gap_are_read_as_the_standard_says() -> None:
    data = rawpdf.signed_pdf()
    _, (_, a, b, _) = byte_range(data)
    changed = data[: a + 9] + b"\n" + data[a + 10 :]
    found = inspect(changed)
    assert not found.broken
    assert found.contents is not None
    assert len(found.contents) == (b - a - 2) // 2


def test_g3_tail_not_covered() -> None:
    data = rawpdf.signed_pdf()
    _, (_, _, _, c) = byte_range(data)
    assert "G3" in broken(sub(b"%-10d]" % c, b"%-10d]" % (c - 20), data))


def test_g3_two_line_ends_behind_eof_are_too_many() -> None:
    data = rawpdf.assemble(rawpdf.objects()) + b"\n"
    assert "G3" in broken(rawpdf.fill_byte_range(data))


def test_g3_range_of_a_later_revision_than_the_dictionary() -> None:
    data = rawpdf.update(rawpdf.assemble(rawpdf.objects()), {7: b"<< /Added (unsigned) >>"})
    assert "G3" in broken(rawpdf.fill_byte_range(data))


def test_g4_appended_startxref_without_section() -> None:
    data = rawpdf.signed_pdf() + b"startxref\n12\n%%EOF\n"
    assert "G4" in broken(data)


def test_g4_last_startxref_without_eof_marker() -> None:
    data = rawpdf.signed_pdf()
    at = int(re.findall(rb"startxref\s+(\d+)", data)[-1])
    assert broken(data + b"startxref\n%d\n" % at) == {"G5"}
    later = rawpdf.update(data, {7: b"null"})
    assert "G4" in broken(later[: later.rindex(b"%%EOF")])


def test_g5_trailing_bytes_behind_the_last_eof() -> None:
    assert broken(rawpdf.signed_pdf() + b"7 0 obj (unsigned) endobj") == {"G5"}


def test_g5_blanks_behind_the_last_eof_do_no_harm() -> None:
    assert broken(rawpdf.signed_pdf() + b"\r\n \x00\n") == set()


def test_g6_incremental_saving_attack_without_prev() -> None:
    """A second body whose cross-reference section does not lead back to the signed one."""
    data = rawpdf.signed_pdf()
    later = rawpdf.update(data, rawpdf.objects(o4=rawpdf.stream(b"BT (pay 900) Tj ET")))
    at = later.rindex(b" /Prev ")
    forged = later[:at] + re.sub(rb" /Prev \d+", lambda m: b" " * len(m.group()), later[at:])
    assert broken(forged) & {"G6", "G7"}


def test_g6_prev_goes_forward() -> None:
    data = rawpdf.signed_pdf()
    later = rawpdf.update(data, {7: b"null"})
    at = int(re.findall(rb"startxref\s+(\d+)", later)[-1])
    first = data.index(b"/Root")
    bent = later[:first] + later[first:].replace(b"/Root 1 0 R ", b"/Prev %5d" % at + b" ", 1)
    assert broken(bent) & {"G4", "G6"}


def test_g6_prev_loop_ends() -> None:
    data = rawpdf.signed_pdf()
    later = rawpdf.update(data, {7: b"null"})
    at = int(re.findall(rb"startxref\s+(\d+)", later)[-1])
    loop = re.sub(rb"/Prev \d+", lambda m: (b"/Prev %d" % at).ljust(len(m.group())), later)
    if len(loop) == len(later):
        assert broken(loop) & {"G4", "G6"}


def test_g7_signature_dictionary_spoofed_in_a_later_revision() -> None:
    data = rawpdf.signed_pdf()
    start = data.index(b"6 0 obj\n") + 8
    body = data[start : data.index(b"\nendobj", start)]
    later = rawpdf.update(data, {6: body.replace(b"/M (D:2026", b"/M (D:2020")})
    assert "G7" in broken(later, 0)
    assert broken(later, 1) & {"G2", "G7"}


def test_g7_field_pointed_at_another_signature_later() -> None:
    data = rawpdf.signed_pdf()
    start = data.index(b"6 0 obj\n") + 8
    body = data[start : data.index(b"\nendobj", start)]
    later = rawpdf.update(data, {5: rawpdf.SIGNATURE_FIELD.replace(b"/V 6 0 R", b"/V 7 0 R"), 7: body})
    assert "G7" in broken(later, 1) or "G2" in broken(later, 1)


def test_g8_indirect_contents_and_byte_range() -> None:
    assert "G8" in broken(with_byte_range("9 0 R"))
    bodies = rawpdf.objects()
    data = rawpdf.fill_byte_range(rawpdf.assemble(bodies))
    changed = data.replace(b"/SubFilter /ETSI.CAdES.detached", b"/SubFilter 17 0 R".ljust(31))
    severities = {f.severity for f in inspect(changed).findings if f.rule.startswith("G8")}
    assert severities == {"warning"}


@pytest.mark.parametrize(
    "key", [b"/Contents <30>", b"/ByteRange [0 1 2 3]", b"/Byte#52ange [0 1 2 3]", b"/SubFilter /x"]
)
def test_g9_key_twice(key: bytes) -> None:
    bodies = rawpdf.objects()
    bodies[6] = bodies[6].replace(b" /M (", b" " + key + b" /M (")
    assert "G9" in broken(rawpdf.fill_byte_range(rawpdf.assemble(bodies)))


def test_g9_harmless_key_twice_is_not_a_failure_but_not_a_pass() -> None:
    bodies = rawpdf.objects()
    bodies[6] = bodies[6].replace(b" /M (", b" /Type /Sig /M (")
    found = inspect(rawpdf.fill_byte_range(rawpdf.assemble(bodies)))
    assert not found.broken
    assert [f.severity for f in found.findings if f.result == "failed"] == ["indeterminate"]


# -- universal signature forgery: the signature is made unusable, and must still be listed -------------


@pytest.mark.parametrize(
    "contents",
    [b"/Contents <>", b"/Contents null", b"/Contents 0", b"/Contents ()", b"/Contents 99 0 R", b"/Nothing <00>"],
)
def test_usf_contents_made_unusable_is_listed_and_never_whole(contents: bytes) -> None:
    bodies = rawpdf.objects()
    bodies[6] = re.sub(rb"/Contents <0+>", contents, bodies[6]).replace(
        b"[0 AAAAAAAAAA BBBBBBBBBB CCCCCCCCCC]", b"[0 100 200 300]"
    )
    assert broken(rawpdf.assemble(bodies))


@pytest.mark.parametrize("value", [b"", b"/V null", b"/V 99 0 R", b"/V (text)", b"/V []"])
def test_usf_field_without_usable_value_does_not_hide_the_dictionary(value: bytes) -> None:
    data = rawpdf.signed_pdf(o5=rawpdf.SIGNATURE_FIELD.replace(b"/V 6 0 R", value))
    pdf = PDFFile(data)
    listing = list_signatures(pdf, pdf.view(len(data)))
    assert [s.note for s in listing.signatures] == ["unreachable"]


def test_form_removed_later_does_not_hide_the_signature() -> None:
    data = rawpdf.update(rawpdf.signed_pdf(), {1: b"<< /Type /Catalog /Pages 2 0 R >>"})
    pdf = PDFFile(data)
    assert [s.note for s in list_signatures(pdf, pdf.view(len(data))).signatures] == ["unreachable"]


def test_one_dictionary_shown_by_two_fields_is_one_signature_with_both_names() -> None:
    data = rawpdf.signed_pdf(
        o1=b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R 7 0 R] >> >>",
        o7=rawpdf.SIGNATURE_FIELD.replace(b"Sig1", b"Sig2"),
    )
    pdf = PDFFile(data)
    (entry,) = list_signatures(pdf, pdf.view(len(data))).signatures
    assert entry.fields == ("Sig1", "Sig2")


def test_names_spelt_with_number_signs_are_found() -> None:
    data = rawpdf.signed_pdf(lambda d: d.replace(b"/ByteRange ", b"/Byte#52ange "))
    pdf = PDFFile(data)
    assert list_signatures(pdf, None).signatures
