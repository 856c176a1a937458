"""Later revisions: what is allowed is recognised, what an attacker would do is forbidden."""
# ruff: noqa: E501 - one attack per line reads better than one per paragraph

from __future__ import annotations

import pytest
from pyhanko.pdf_utils.generic import decode_pdfdocencoding

from signer.pdf.changes import Changes, changes_after
from signer.pdf.listing import list_signatures
from signer.pdf.permissions import Permissions, permissions_of
from signer.pdf.structure import PDFFile
from signer.pdf.text_strings import exact_string
from tests.signer import rawpdf
from tests.signer.rawpdf import PAGE, SIGNATURE_FIELD, stream

TEXT_FIELD = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (total) /V (100) /Rect [72 600 172 620] /P 3 0 R /AP << /N 8 0 R >> >>"
APPEARANCE = stream(b"/Tx BMC (100) Tj EMC", b"/Type /XObject /Subtype /Form /BBox [0 0 100 20] ")
FORM = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R 7 0 R 9 0 R] /SigFlags 3 >> >>"
EMPTY_SIGNATURE = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Sig2) /Rect [300 100 400 150] /P 3 0 R >>"
PAGE_WITH_FIELDS = PAGE.replace(b"[5 0 R]", b"[5 0 R 7 0 R 9 0 R 10 0 R]")
NOTE = b"<< /Type /Annot /Subtype /Text /Rect [10 10 30 30] /Contents (first) >>"
SOME_SIGNATURE = b"<< /Type /Sig /SubFilter /ETSI.CAdES.detached >>"


def contract(signature: bytes = b"", **others: bytes) -> bytes:
    """A signed form: a text field with its picture, an empty signature field, a note."""
    parts = {"o1": FORM, "o3": PAGE_WITH_FIELDS, "o7": TEXT_FIELD, "o8": APPEARANCE, "o9": EMPTY_SIGNATURE, "o10": NOTE}
    bodies = rawpdf.objects(**parts | others)
    bodies[6] = bodies[6].replace(b" /M (", signature + b" /M (")
    return rawpdf.fill_byte_range(rawpdf.assemble(bodies))


def judge(data: bytes, permissions: Permissions | None = None) -> Changes:
    pdf = PDFFile(data)
    view = pdf.view(len(data))
    entry = list_signatures(pdf, view).signatures[0]
    covered = entry.dictionary["ByteRange"]
    signed = pdf.view(covered[2] + covered[3])
    return changes_after(signed, view, permissions or permissions_of(signed, entry))


def after(bodies: dict[int, bytes], signature: bytes = b"", **more: bytes) -> Changes:
    return judge(rawpdf.update(contract(signature), bodies, **more))


CERTIFIED = b" /Reference [<< /TransformMethod /DocMDP /TransformParams << /P %d /V /1.2 >> >>]"


def test_nothing_changed() -> None:
    assert judge(contract()).level.word == "none"


def test_unreferenced_and_freed_objects_do_no_harm() -> None:
    assert after({77: b"(nobody refers to this)"}).level.word == "none"
    base = contract()
    previous = int(base.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    freed = base + (
        b"xref\n0 1\n0000000077 65535 f \n77 1\n0000000000 00001 f \n"
        b"trailer\n<< /Size 78 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (previous, len(base))
    )
    assert judge(freed).level.word == "none"


def test_an_object_written_again_with_the_same_content_is_no_change() -> None:
    assert after({4: stream(b"BT /F1 12 Tf 72 700 Td (pay 100) Tj ET"), 3: PAGE_WITH_FIELDS}).level.word == "none"


def test_freed_page_content_is_forbidden() -> None:
    base = contract()
    previous = int(base.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    freed = base + (
        b"xref\n4 1\n0000000000 00001 f \ntrailer\n<< /Size 11 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n"
        % (previous, len(base))
    )
    assert judge(freed).level.word == "forbidden"


# fmt: off
@pytest.mark.parametrize(
    ("name", "bodies"),
    [
        ("content_replaced", {4: stream(b"BT (pay 900) Tj ET")}),
        ("content_reference_moved", {3: PAGE_WITH_FIELDS.replace(b"4 0 R", b"20 0 R"), 20: stream(b"(pay 900) Tj")}),
        ("content_uncovered", {3: PAGE_WITH_FIELDS.replace(b"595 842", b"595 400")}),
        ("page_added", {2: b"<< /Type /Pages /Kids [3 0 R 20 0 R] /Count 2 >>", 20: PAGE}),
        ("page_twice", {2: b"<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 2 >>"}),
        ("page_removed", {2: b"<< /Type /Pages /Kids [] /Count 0 >>"}),
        ("rotation_handed_down", {2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 /Rotate 180 >>"}),
        ("script_on_opening", {1: FORM.replace(b"/Pages", b"/OpenAction << /S /JavaScript /JS (x) >> /Pages")}),
        ("layers_switched", {1: FORM.replace(b"/Pages", b"/OCProperties << /D << /OFF [] >> >> /Pages")}),
        ("names_added", {1: FORM.replace(b"/Pages", b"/Names << /JavaScript << /Names [] >> >> /Pages")}),
        ("form_removed", {1: b"<< /Type /Catalog /Pages 2 0 R >>"}),
        ("field_removed", {1: FORM.replace(b" 7 0 R", b"")}),
        ("text_field_added", {1: FORM.replace(b"9 0 R]", b"9 0 R 20 0 R]"), 20: b"<< /FT /Tx /T (x) >>"}),
        ("redrawn_by_reader", {1: FORM.replace(b"/SigFlags 3", b"/SigFlags 3 /NeedAppearances true")}),
        ("picture_without_value", {8: APPEARANCE.replace(b"(100)", b"(900)")}),
        ("picture_reference_without_value", {7: TEXT_FIELD.replace(b"8 0 R", b"20 0 R"), 20: APPEARANCE.replace(b"(100)", b"(900)")}),
        ("field_moved", {7: TEXT_FIELD.replace(b"[72 600", b"[72 100")}),
        ("field_hidden", {7: TEXT_FIELD.replace(b"/P 3", b"/F 2 /P 3")}),
        ("field_retyped", {7: TEXT_FIELD.replace(b"/Tx", b"/Ch")}),
        ("signature_field_emptied", {5: SIGNATURE_FIELD.replace(b"/V 6 0 R", b"")}),
        ("signature_picture_added", {5: SIGNATURE_FIELD.replace(b"/V", b"/AP << /N 8 0 R >> /V")}),
        ("signature_field_moved_when_signed", {9: EMPTY_SIGNATURE.replace(b"[300 100", b"[0 0").replace(b"/P 3 0 R", b"/P 3 0 R /V 20 0 R"), 20: SOME_SIGNATURE}),
        ("widget_of_no_field", {3: PAGE_WITH_FIELDS.replace(b"10 0 R]", b"10 0 R 20 0 R]"), 20: b"<< /Type /Annot /Subtype /Widget /Rect [0 0 500 500] /AP << /N 8 0 R >> >>"}),
        ("field_taken_off_the_page", {3: PAGE_WITH_FIELDS.replace(b"7 0 R ", b"")}),
        ("watermark_annotation", {3: PAGE_WITH_FIELDS.replace(b"10 0 R]", b"10 0 R 20 0 R]"), 20: NOTE.replace(b"/Text", b"/Watermark")}),
        ("annotation_that_acts", {3: PAGE_WITH_FIELDS.replace(b"10 0 R]", b"10 0 R 20 0 R]"), 20: NOTE.replace(b"/Rect", b"/A << /S /JavaScript /JS (x) >> /Rect")}),
        ("store_removed", {}),
        ("key_twice", {3: PAGE_WITH_FIELDS.replace(b"/Contents 4 0 R", b"/Contents 4 0 R /Contents 20 0 R"), 20: stream(b"x")}),
    ],
)
def test_forbidden(name: str, bodies: dict[int, bytes]) -> None:
    if name == "store_removed":
        base = rawpdf.signed_pdf(o1=rawpdf.objects()[1].replace(b"/Pages", b"/DSS << /Certs [] >> /Pages"))
        assert judge(rawpdf.update(base, {1: rawpdf.objects()[1]})).level.word == "forbidden"
        return
    found = after(bodies)
    assert found.level.word == "forbidden", found
    assert found.forbidden_because


@pytest.mark.parametrize(
    ("element", "level"),
    [
        (b"<< /Type /StructElem /S /Form /P 11 0 R /K << /Type /OBJR /Obj 20 0 R >> >>", "form-filling"),
        (b"<< /Type /StructElem /S /Form /P 11 0 R /K << /Type /OBJR /Obj 10 0 R >> >>", "forbidden"),
        (b"<< /Type /StructElem /S /P /P 11 0 R /Pg 3 0 R /K 0 >>", "forbidden"),
    ],
)
def test_first_parent_tree_names_only_elements_of_new_signature_fields(element: bytes, level: str) -> None:
    catalog = FORM.replace(b"/Pages", b"/StructTreeRoot 11 0 R /Pages")
    parts = {"o1": catalog, "o3": PAGE_WITH_FIELDS, "o7": TEXT_FIELD, "o8": APPEARANCE, "o9": EMPTY_SIGNATURE, "o10": NOTE}
    base = rawpdf.signed_pdf(**parts, o11=b"<< /Type /StructTreeRoot >>")
    bodies = {
        1: catalog.replace(b"9 0 R]", b"9 0 R 20 0 R]"),
        3: PAGE_WITH_FIELDS.replace(b"10 0 R]", b"10 0 R 20 0 R]"),
        11: b"<< /Type /StructTreeRoot /ParentTree << /Nums [0 21 0 R] >> /ParentTreeNextKey 1 >>",
        20: EMPTY_SIGNATURE.replace(b"(Sig2)", b"(Sig3) /V 22 0 R /StructParent 0"),
        21: element,
        22: SOME_SIGNATURE,
    }
    assert judge(rawpdf.update(base, bodies)).level.word == level
    taken = {1: catalog, 11: b"<< /Type /StructTreeRoot >>"}
    assert judge(rawpdf.update(rawpdf.update(base, bodies), taken)).level.word == "forbidden"


def test_catalog_under_another_number_is_compared_like_any_other() -> None:
    assert after({20: FORM}, root=b"20 0 R").level.word == "lta-updates"
    for other in (
        FORM.replace(b"/Pages 2 0 R", b"/Pages 21 0 R"),
        FORM.replace(b"/Pages", b"/OpenAction << /S /JavaScript /JS (x) >> /Pages"),
        FORM.replace(b"/AcroForm", b"/AcroFrom"),
        FORM.replace(b"/Pages 2 0 R", b"/Pages 2 0 R /Pages 21 0 R"),
    ):
        pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
        assert after({20: other, 21: pages}, root=b"20 0 R").level.word == "forbidden"


def test_page_as_catalog_is_forbidden() -> None:
    assert after({3: FORM}, root=b"3 0 R").level.word == "forbidden"


def test_shared_picture_cannot_smuggle_page_content() -> None:
    """The appearance of a field is also drawn by the page: filling the field would change the page."""
    page = PAGE_WITH_FIELDS.replace(b"/MediaBox", b"/Resources << /XObject << /X 8 0 R >> >> /MediaBox")
    parts = {"o1": FORM, "o3": page, "o7": TEXT_FIELD, "o8": APPEARANCE, "o9": EMPTY_SIGNATURE, "o10": NOTE}
    base = rawpdf.signed_pdf(**parts)
    filled = {7: TEXT_FIELD.replace(b"(100)", b"(900)"), 8: APPEARANCE.replace(b"(100)", b"(900)")}
    assert judge(rawpdf.update(base, filled)).level.word == "forbidden"


def test_value_and_picture_together_is_form_filling() -> None:
    found = after({7: TEXT_FIELD.replace(b"(100)", b"(900)"), 8: APPEARANCE.replace(b"(100)", b"(900)")})
    assert found.level.word == "form-filling"
    assert "total" in found.detail[0]


def test_signing_the_empty_field_is_form_filling() -> None:
    signed = EMPTY_SIGNATURE.replace(b"/P 3 0 R", b"/P 3 0 R /F 132 /AP << /N 21 0 R >> /V 20 0 R")
    assert after({9: signed, 20: SOME_SIGNATURE, 21: APPEARANCE}).level.word == "form-filling"


NEW_FIELD = {
    1: FORM.replace(b"9 0 R]", b"9 0 R 20 0 R]"),
    3: PAGE_WITH_FIELDS.replace(b"10 0 R]", b"10 0 R 20 0 R]"),
    20: EMPTY_SIGNATURE.replace(b"Sig2", b"Sig3").replace(b"/P 3", b"/V 21 0 R /P 3"),
    21: SOME_SIGNATURE,
}


def test_sneaky_signature_new_visible_field_is_shown_with_its_place() -> None:
    found = after(NEW_FIELD)
    assert found.level.word == "form-filling"
    assert any("page 1" in d and "300 100 400 150" in d for d in found.detail)


def test_document_time_stamp_is_an_lta_update_even_when_nothing_may_change() -> None:
    stamp = NEW_FIELD | {
        20: NEW_FIELD[20].replace(b"[300 100 400 150]", b"[0 0 0 0]"),
        21: b"<< /Type /DocTimeStamp /SubFilter /ETSI.RFC3161 >>",
        1: FORM.replace(b"9 0 R]", b"9 0 R 20 0 R]").replace(b"/Pages", b"/DSS << /Certs [22 0 R] >> /Pages"),
        22: stream(b"certificate"),
    }
    assert after(stamp, CERTIFIED % 1).level.word == "lta-updates"


def test_store_may_lose_values_but_it_is_said() -> None:
    base = rawpdf.signed_pdf(
        o1=rawpdf.objects()[1].replace(b"/Pages", b"/DSS << /Certs [7 0 R] >> /Pages"), o7=stream(b"certificate")
    )
    found = judge(rawpdf.update(base, {1: rawpdf.objects()[1].replace(b"/Pages", b"/DSS << /Certs [] >> /Pages")}))
    assert found.level.word == "lta-updates"
    assert "removed" in found.detail[0]


ANNOTATED = {
    3: PAGE_WITH_FIELDS.replace(b"10 0 R]", b"10 0 R 20 0 R]"),
    20: NOTE.replace(b"/Text", b"/FreeText").replace(b"[10 10 30 30]", b"[72 690 300 720]"),
}


@pytest.mark.parametrize(
    "bodies", [ANNOTATED, {3: PAGE_WITH_FIELDS.replace(b" 10 0 R", b"")}, {10: NOTE.replace(b"first", b"other")}]
)
def test_evil_annotation_is_listed_where_allowed_and_forbidden_where_not(bodies: dict[int, bytes]) -> None:
    for signature, level in ((b"", "annotations"), (CERTIFIED % 3, "annotations")):
        found = after(bodies, signature)
        assert found.level.word == level
        assert any("page 1" in d for d in found.detail)
    for p in (1, 2):
        assert after(bodies, CERTIFIED % p).level.word == "forbidden"


def test_certified_without_changes_forbids_filling_and_signing() -> None:
    filled = {7: TEXT_FIELD.replace(b"(100)", b"(900)"), 8: APPEARANCE.replace(b"(100)", b"(900)")}
    assert after(filled, CERTIFIED % 1).level.word == "forbidden"
    assert after(NEW_FIELD, CERTIFIED % 1).level.word == "forbidden"
    assert after(filled, CERTIFIED % 2).level.word == "form-filling"
    assert after(filled, CERTIFIED % 9).level.word == "forbidden"


@pytest.mark.parametrize(
    ("action", "fields", "forbidden"),
    [
        (b"All", b"", True),
        (b"Include", b"(total)", True),
        (b"Include", b"(other)", False),
        (b"Exclude", b"(total)", False),
    ],
)
def test_field_lock_of_this_signature_is_honoured(action: bytes, fields: bytes, forbidden: bool) -> None:
    lock = b" /Reference [<< /TransformMethod /FieldMDP /TransformParams << /Action /%s /Fields [%s] >> >>]"
    filled = {7: TEXT_FIELD.replace(b"(100)", b"(900)"), 8: APPEARANCE.replace(b"(100)", b"(900)")}
    assert (after(filled, lock % (action, fields)).level.word == "forbidden") is forbidden


SPELLINGS = (
    b"(a\\205b)",
    b"<feff006120130062>",
    b"<fffe610013206200>",
    b"<efbbbf61e2809362>",
    b"<feff001b0065006e001b006120130062>",
    b"<feff001b0065006e00550053001b006120130062>",
)
"""One name, "a–b": PDFDocEncoding, UTF-16 both ways, UTF-8, and with a language before it (ISO 32000-2 7.9.2.2)."""


@pytest.mark.parametrize("locked", SPELLINGS)
@pytest.mark.parametrize("named", SPELLINGS)
def test_a_field_is_locked_however_its_name_is_spelt(locked: bytes, named: bytes) -> None:
    lock = b" /Reference [<< /TransformMethod /FieldMDP /TransformParams << /Action /Include /Fields [%s] >> >>]" % locked
    field = TEXT_FIELD.replace(b"(total)", named)
    filled = {7: field.replace(b"(100)", b"(900)"), 8: APPEARANCE.replace(b"(100)", b"(900)")}
    assert judge(rawpdf.update(contract(lock, o7=field), filled)).level.word == "forbidden"


def test_a_text_string_of_one_octet_per_character_is_in_pdf_doc_encoding() -> None:
    for octet in range(256):
        if octet in (0x7F, 0x9F, 0xAD):  # not defined there
            assert exact_string(bytes([octet])) == "\ufffd"
        elif octet >= 0x18:
            assert exact_string(bytes([octet])) == decode_pdfdocencoding(bytes([octet]))


def test_check_box_may_show_only_pictures_it_had() -> None:
    box = b"<< /Type /Annot /Subtype /Widget /FT /Btn /T (agree) /Rect [1 1 9 9] /V /Off /AS /Off /AP << /N << /Yes 8 0 R >> >> >>"
    base = rawpdf.signed_pdf(o1=FORM, o3=PAGE_WITH_FIELDS, o7=box, o8=APPEARANCE, o9=EMPTY_SIGNATURE, o10=NOTE)
    ticked = box.replace(b"/V /Off /AS /Off", b"/V /Yes /AS /Yes")
    assert judge(rawpdf.update(base, {7: ticked})).level.word == "form-filling"
    assert judge(rawpdf.update(base, {7: ticked.replace(b"/AS /Yes", b"/AS /No")})).level.word == "forbidden"
    redrawn = {7: ticked, 8: APPEARANCE.replace(b"100", b"900")}
    assert judge(rawpdf.update(base, redrawn)).level.word == "forbidden"


def test_certification_added_later_is_forbidden() -> None:
    catalog = FORM.replace(b"/Pages", b"/Perms << /DocMDP 20 0 R >> /Pages")
    assert after({1: catalog, 20: SOME_SIGNATURE}).level.word == "forbidden"


def test_annotation_that_is_also_the_resources_of_a_page_cannot_change() -> None:
    page = PAGE_WITH_FIELDS.replace(b"/MediaBox", b"/Resources 10 0 R /MediaBox")
    note = NOTE.replace(b"/Rect", b"/XObject << /X 8 0 R >> /Rect")
    base = rawpdf.signed_pdf(o1=FORM, o3=page, o7=TEXT_FIELD, o8=APPEARANCE, o9=EMPTY_SIGNATURE, o10=note)
    assert judge(rawpdf.update(base, {10: note})).level.word == "none"
    assert judge(rawpdf.update(base, {10: note.replace(b"8 0 R", b"4 0 R")})).level.word == "forbidden"


def test_annotations_that_refer_to_each_other_are_each_judged_once() -> None:
    page = PAGE_WITH_FIELDS.replace(b"10 0 R]", b"10 0 R 11 0 R]")
    note = NOTE.replace(b"/Rect", b"/Popup 11 0 R /Rect")
    popup = b"<< /Type /Annot /Subtype /Popup /Rect [1 1 2 2] /Parent 10 0 R >>"
    base = rawpdf.signed_pdf(o1=FORM, o3=page, o7=TEXT_FIELD, o8=APPEARANCE, o9=EMPTY_SIGNATURE, o10=note, o11=popup)
    found = judge(rawpdf.update(base, {11: popup.replace(b"1 1 2 2", b"1 1 3 3")}))
    assert found.level.word == "annotations"
    assert len(found.detail) == 1 or all("annotation" in d for d in found.detail)


@pytest.mark.parametrize(
    ("drawn", "level"),
    [
        (b"BT /F 9 Tf (900) Tj ET", "form-filling"),
        (b"BT [(9) -20 (00)] TJ ET", "form-filling"),
        (b"BT <393030> Tj ET", "form-filling"),
        (b"BT (100) Tj ET", "forbidden"),
        (b"", "forbidden"),
        (b"/X Do", "forbidden"),
    ],
)
def test_picture_that_shows_another_value_than_the_field_has(drawn: bytes, level: str) -> None:
    picture = stream(drawn, b"/Type /XObject /Subtype /Form /BBox [0 0 100 20] ")
    assert after({7: TEXT_FIELD.replace(b"(100)", b"(900)"), 8: picture}).level.word == level


@pytest.mark.parametrize("content", [b"BT /F1 12 Tf 1 %s 0 1 72 100 Tm (pay 100) Tj ET", b"q %s 0 0 9 0 0 cm /I Do Q BT /F1 %s Tf (x) Tj ET"])
def test_page_content_whose_place_is_no_number_is_said_to_be_not_known(content: bytes) -> None:
    huge = content.replace(b"%s", b"9" * 400)
    found = judge(rawpdf.update(contract(o4=stream(huge)), NEW_FIELD))
    assert found.level.word == "form-filling"
    assert any("may cover page content" in d for d in found.detail)
    assert not any("nan" in d or "inf" in d for d in found.detail)


def test_sneaky_signature_over_an_earlier_field_is_said() -> None:
    over = NEW_FIELD | {20: NEW_FIELD[20].replace(b"[300 100 400 150]", b"[70 590 180 630]")}
    found = after(over)
    assert found.level.word == "form-filling"
    assert any("covers an earlier Widget" in d for d in found.detail)
    assert not any("covers" in d for d in after(NEW_FIELD | {20: over[20].replace(b"[70 590", b"[179 100")}).detail)


def test_objects_cannot_be_cut_off_by_the_size() -> None:
    """An object whose number is not below /Size is null to a reader that keeps to 7.5.5."""
    base = contract()
    later = rawpdf.update(base, {77: b"null"})
    assert judge(later).level.word == "none"
    at = later.rindex(b"/Size ")
    for size, level in ((78, "none"), (11, "none"), (4, "forbidden")):
        cut = later[:at] + later[at:].replace(b"/Size 78", b"/Size %-2d" % size)
        assert judge(cut).level.word == level, size
    nothing = rawpdf.update(base, {})
    at = nothing.rindex(b"/Size ")
    assert judge(nothing[:at] + nothing[at:].replace(b"/Size 11", b"/Size 4 ")).level.word == "forbidden"


def packed(coding: bytes, stored: bytes) -> bytes:
    """A signed file whose page stands in an object stream; `coding` are entries of that stream's dictionary."""
    bodies = rawpdf.objects(o3=b"")
    bodies |= {8: b"<< /Type /ObjStm /N 1 /First 4 " + coding + b" >>\nstream\n" + stored + b"\nendstream"}
    bodies |= {20: b"%d" % len(stored), 21: b"null"}
    out = bytearray(b"%PDF-1.7\n")
    rows = {0: b"\x00" * 5 + b"\xff\xff", 3: b"\x02" + (8).to_bytes(4, "big") + b"\x00\x00"}
    for number, body in sorted(bodies.items()):
        rows[number] = b"\x01" + len(out).to_bytes(4, "big") + b"\x00\x00"
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    rows[22] = b"\x01" + start.to_bytes(4, "big") + b"\x00\x00"
    table = b"".join(rows.get(number, bytes(7)) for number in range(23))
    head = b"/Type /XRef /Size 23 /W [1 4 2] /Root 1 0 R "
    out += b"22 0 obj\n" + stream(table, head) + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % start
    return rawpdf.fill_byte_range(bytes(out))


@pytest.mark.parametrize(
    ("coding", "later"),
    [
        (b"/Length 20 0 R", {20: b"60"}),
        (b"/Length %d /Filter 21 0 R", {21: b"/ASCIIHexDecode"}),
        (b"/Length %d /DecodeParms [21 0 R]", {21: b"<< /Predictor 12 >>"}),
    ],
)
def test_an_object_stream_must_be_read_as_it_was(coding: bytes, later: dict[int, bytes]) -> None:
    """What an unchanged object stream holds depends on its length and coding, which may be objects of their own."""
    stored = b"3 0 " + PAGE
    base = packed(coding % len(stored) if b"%d" in coding else coding, stored)
    assert judge(base).level.word == "none"
    assert judge(rawpdf.update(base, {77: b"null"})).level.word == "none"
    found = judge(rawpdf.update(base, later))
    assert found.level.word == "forbidden", found
    assert "object stream" in found.forbidden_because


PICTURE = stream(b"0 0 100 20 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 100 20] ")
SHOWN = SIGNATURE_FIELD.replace(b"[0 0 0 0]", b"[300 700 400 720]").replace(b"/V 6", b"/AP << /N 11 0 R >> /V 6")
STAMPED = SHOWN.replace(b"(Sig1)", b"(Sig3)").replace(b"/V 6", b"/V 14").replace(b"/N 11", b"/N 13")
STAMP = b"<< /Type /DocTimeStamp /SubFilter /ETSI.RFC3161 >>"


@pytest.mark.parametrize(
    ("field", "picture", "level"),
    [
        (STAMPED, PICTURE, "form-filling"),
        (STAMPED, PICTURE.replace(b"100 20 re", b"100 19 re"), "forbidden"),
        (STAMPED.replace(b"[300 700 400 720]", b"[300 701 400 721]"), PICTURE, "forbidden"),
    ],
    ids=["the-same-picture-in-the-same-place", "another-picture", "another-place"],
)
def test_a_time_stamp_may_show_what_was_shown_before(field: bytes, picture: bytes, level: str) -> None:
    """Some programs draw the signer's picture again with the time-stamp: nobody sees anything new."""
    parts = {"o1": FORM, "o3": PAGE_WITH_FIELDS, "o5": SHOWN, "o7": TEXT_FIELD, "o8": APPEARANCE, "o9": EMPTY_SIGNATURE}
    bodies = rawpdf.objects(**parts, o10=NOTE, o11=PICTURE)
    base = rawpdf.fill_byte_range(rawpdf.assemble(bodies))
    form, page = FORM.replace(b"9 0 R]", b"9 0 R 12 0 R]"), PAGE_WITH_FIELDS.replace(b"10 0 R]", b"10 0 R 12 0 R]")
    later = {1: form, 3: page, 12: field, 13: picture, 14: STAMP}
    assert judge(rawpdf.update(base, later)).level.word == level
