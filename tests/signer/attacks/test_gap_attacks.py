"""What /ByteRange leaves out is signed by nobody: it must be the value of /Contents and nothing else besides.

Octets behind the CMS in the gap may be changed by anybody who holds the file. An object, a stream or a cross-reference
section that reaches over the gap would be changed with them, under a signature that stays right.
"""

from __future__ import annotations

import pytest

from signer.report import Verdict
from tests.conftest import Circle
from tests.signer import rawpdf
from tests.signer.attacks.victim import PAGE, PARTS, digits
from tests.signer.rawpdf import PAGE as PLAIN_PAGE
from tests.signer.test_verify import cms, verify

PLACE = b"0" * 10


def finished(data: bytes, circle: Circle) -> bytes:
    """Sign, then write other digits behind the CMS, which no signature covers."""
    signed = rawpdf.fill_byte_range(data, cms(circle))
    end = signed.rindex(b"> /M (D:")
    assert signed[end - 40 : end] == b"0" * 40
    return signed[: end - 40] + b"28706179203930302920546a" + signed[end - 16 :]


def content_stream_over_the_gap(circle: Circle) -> bytes:
    """A page whose content stream ends behind the signature dictionary: `<…>` is a string of its own there."""
    bodies = rawpdf.objects(**PARTS)
    bodies[4] = b"<< /Length " + PLACE + b" >>\nstream\nBT /F1 12 Tf 72 700 Td "
    # what follows it, field and signature, stands inside the stream and is a whole object all the same
    bodies[6] = rawpdf.signature_dictionary(digits(circle.suite_name)) + b"\n%endstream endobj"
    data = rawpdf.assemble(bodies)
    start = data.index(b"stream\n", data.index(b"4 0 obj")) + len(b"stream\n")
    length = data.index(b"endstream endobj") - start
    return data.replace(b"/Length " + PLACE, b"/Length %-10d" % length, 1)


def note_in_a_comment(circle: Circle) -> bytes:
    """An object that begins in a comment of the signature dictionary and is the gap itself."""
    parts = PARTS | {"o3": PAGE.replace(b"13 0 R]", b"13 0 R 50 0 R]")}
    bodies = rawpdf.objects(**parts)
    bodies[50] = b"<< /Type /Annot /Subtype /FreeText /Rect [10 10 300 30] /DA (/F1 9 Tf) /Contents 51 0 R >>"
    dictionary = rawpdf.signature_dictionary(digits(circle.suite_name))
    head, tail = dictionary.split(b"/Contents ")
    bodies[6] = head + b"/Contents %51 0 obj\n" + tail.replace(b"> /M", b">%endobj\n /M")
    bodies[51] = b"(placeholder)"
    data = rawpdf.assemble(bodies)
    old, new = data.index(b"51 0 obj\n(placeholder)"), data.index(b"51 0 obj\n<")
    data = data.replace(b"%010d 00000 n" % old, b"%010d 00000 n" % new)
    gap = new + len(b"51 0 obj\n")
    end = data.index(b">", gap) + 1
    for word, number in ((b"AAAAAAAAAA", gap), (b"BBBBBBBBBB", end), (b"CCCCCCCCCC", len(data) - end)):
        data = data.replace(word, b"%-10d" % number, 1)
    encoded = cms(circle)(data[:gap] + data[end:]).hex().encode()
    return data[: gap + 1] + encoded + data[gap + 1 + len(encoded) :]


def cross_references_over_the_gap(circle: Circle) -> bytes:
    """A trailer with a string that ends behind the signature dictionary."""
    bodies = rawpdf.objects(o3=PLAIN_PAGE)
    bodies[6] = rawpdf.signature_dictionary(digits(circle.suite_name))
    data = rawpdf.assemble(bodies)
    field, table = data.index(b"6 0 obj"), data.index(b"xref\n")
    body, section = data[field:table], data[table : data.index(b"startxref")]
    opened = section.rstrip().removesuffix(b">>") + b"/Note ("
    moved = data[:field] + opened + body + b")>>\n"
    moved = moved.replace(b"%010d 00000 n" % field, b"%010d 00000 n" % (field + len(opened)))
    return rawpdf.fill_byte_range(moved + b"startxref\n%d\n%%%%EOF\n" % field, cms(circle))


@pytest.mark.parametrize("form", [b"", b"in-comment", b"section"])
def test_nothing_else_reaches_over_the_gap(form: bytes, suite_name: str, circle: Circle) -> None:
    if form == b"":
        data = finished(content_stream_over_the_gap(circle), circle)
    elif form == b"in-comment":
        data = note_in_a_comment(circle)
    else:
        data = cross_references_over_the_gap(circle)
    report = verify(data, circle)
    (one,) = report.signatures
    broken = {check.id for check in one.checks if check.result == "failed"}
    assert "G2-gap-is-contents" in broken, [(c.id, c.result, c.detail) for c in one.checks]
    assert one.verdict is Verdict.TOTAL_FAILED
    assert one.sub_indication == "FORMAT_FAILURE"
