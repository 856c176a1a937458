"""What is refused before anything is written, and with which code; what looks odd and is signed all the same."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certs.errors import SealroadError
from signer.errors import (
    EncryptedPDF,
    FieldError,
    OptionError,
    SignerError,
    SigningRefused,
    UnreadablePDF,
)
from signer.pades.options import SignOptions
from signer.pades.preflight import examine
from signer.pdf.changes import Change, Level
from signer.pdf.structure import PDFFile
from signer.pdf.tokens import Ref
from signer.report import Report
from signer.verify import verify_bytes
from tests.conftest import CLOCK, circle_of, make_pdf
from tests.signer.rawpdf import assemble, objects, stream, update
from tests.signer.signing import check_all, edited, empty_field, many_pages, sign, signature_fields

SMALL = make_pdf()


def refused(pdf: bytes, error: type[SignerError], because: str | None = None, **options: object) -> SignerError:
    with pytest.raises(error) as caught:
        sign(pdf, **options)
    assert caught.value.hint
    if because is not None:
        assert caught.value.facts["reason"] == because
    return caught.value


# Not a file that can be signed ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"hello",
        b"%PDF-1.7",
        b"\x89PNG\r\n\x1a\n",
        b"PK\x03\x04" + bytes(100),
        b"GIF89a%PDF-1.4" + SMALL,
        SMALL[:300],
        SMALL.replace(b"startxref", b"startxxxx"),
        SMALL.replace(b"%%EOF", b""),
        re.sub(rb"startxref\n\d+", b"startxref\n7", SMALL),
        re.sub(rb"startxref\n\d+", b"startxref\n99999999", SMALL),
        SMALL.replace(b"/Root 1 0 R", b"/Root 9 0 R"),
        SMALL.replace(b"/Root 1 0 R", b"/Roof 1 0 R"),
        SMALL.replace(b"/Pages 2 0 R", b"/Pages 8 0 R"),
        SMALL.replace(b"/MediaBox [0 0 595 842]", b"/MediaBoy [0 0 595 842]"),
        SMALL.replace(b"/Count 1", b"/Count x"),
        SMALL.replace(b"0000000015", b"0000000017"),
    ],
)
def test_what_is_no_whole_pdf(octets: bytes) -> None:
    assert refused(octets, UnreadablePDF).code == "unreadable-pdf"


@pytest.mark.parametrize("junk", [b"\n", b"leading junk\n\n", b"a" * 1023])
def test_octets_before_the_header(junk: bytes) -> None:
    error = refused(junk + SMALL, UnreadablePDF)
    assert str(error).startswith(f"{len(junk)} octets stand before the header")
    assert "qpdf" in error.hint
    assert "not a PDF" in str(refused(b"a" * 1024 + SMALL, UnreadablePDF))


def test_a_filter_that_is_not_known_is_no_damage() -> None:
    section = stream(b"abc", b"/Type /XRef /Size 3 /W [1 4 1] /Root 1 0 R /Filter /BrotliDecode ")
    pdf = b"%PDF-2.0\n2 0 obj\n" + section + b"\nendobj\nstartxref\n9\n%%EOF\n"
    error = refused(pdf, UnreadablePDF)
    assert "BrotliDecode" in str(error)
    assert "damaged" not in str(error)


def test_an_object_in_use_that_is_not_in_its_place() -> None:
    place = b"%010d 00000 n" % SMALL.index(b"4 0 obj")
    assert place in SMALL
    error = refused(SMALL.replace(place, b"0000000009 00000 n"), UnreadablePDF)
    assert "object 4 is not at its offset 9" in str(error)
    stray = SMALL.replace(place, b"0000000009 00000 n").replace(b"/F1 4 0 R", b"/F1 null ")
    assert len(check_all(sign(sign(stray)))) == 2  # nothing refers to it


def test_an_object_in_an_object_stream_that_is_not_there() -> None:
    container = b"\x02" + (19).to_bytes(4, "big")
    assert hybrid().count(container) == 1
    error = refused(hybrid().replace(container, b"\x02" + (18).to_bytes(4, "big")), UnreadablePDF)
    assert "object 20 is in object stream 18" in str(error)


def test_damage_that_would_cost_an_earlier_signature_its_verdict() -> None:
    at = SMALL.index(b"endobj", SMALL.index(b"4 0 obj"))
    once = sign(SMALL[:at] + b"endxxx" + SMALL[at + 6 :])
    error = refused(once, SigningRefused, because="self-check")
    assert "after the signature in 'Signature1'" in str(error)


def test_what_the_verifier_would_hold_against_an_earlier_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Change(Level.FORBIDDEN, "page 1")]
    monkeypatch.setattr("signer.pades.selfcheck.compare_revisions", lambda before, after: found)
    assert len(check_all(sign(SMALL))) == 1
    monkeypatch.undo()
    once = sign(SMALL)
    monkeypatch.setattr("signer.pades.selfcheck.compare_revisions", lambda before, after: found)
    assert "'Signature1' would be broken: page 1" in str(refused(once, SigningRefused, because="self-check"))


def test_a_loop_of_cross_reference_sections() -> None:
    refused(SMALL.replace(b"/Root 1 0 R", b"/Prev 00465 /Root 1 0 R"), UnreadablePDF)


@pytest.mark.parametrize("version", [2, 3, 4, 6])
def test_encrypted_files(version: int) -> None:
    document = pikepdf.open(io.BytesIO(SMALL))
    out = io.BytesIO()
    document.save(
        out,
        encryption=pikepdf.Encryption(owner="o", user="u", R=version, aes=version >= 4, metadata=version >= 4),
    )
    refused(out.getvalue(), EncryptedPDF)


def test_a_document_without_pages() -> None:
    out = io.BytesIO()
    pikepdf.new().save(out)
    refused(out.getvalue(), SigningRefused, "no-pages")


def test_pages_that_are_not_there() -> None:
    three = many_pages(3)
    for page in (4, -4, 1000):
        refused(three, OptionError, page=page)
    for page in (1, 3, -1, -3):
        check_all(sign(three, page=page))


def test_a_box_outside_the_page() -> None:
    for box in ((500, 10, 600, 60), (10, 800, 60, 900), (-20, 0, 50, 50), (1000, 1000, 1100, 1100)):
        refused(SMALL, OptionError, box=box)


@pytest.mark.parametrize("count", [b"2", b"7", b"0", b"-1"])
def test_a_page_tree_that_counts_wrong_is_never_signed_on_the_wrong_page(count: bytes) -> None:
    odd = SMALL.replace(b"/Count 1", b"/Count " + count)
    odd = re.sub(rb"startxref\n\d+", b"startxref\n%d" % odd.rindex(b"xref\n0"), odd)
    try:
        signed = sign(odd, page=-1)
    except SealroadError:
        return
    check_all(signed)


# Fields --------------------------------------------------------------------------------------------------------------
def test_an_empty_field_is_signed_where_it_is() -> None:
    source = edited(empty_field("Buyer"))
    signed = sign(source, field="Buyer")
    fields = signature_fields(signed)
    assert list(fields) == ["Buyer"]
    assert [int(edge) for edge in fields["Buyer"].Rect] == [50, 50, 250, 130]
    check_all(signed)


def test_a_field_that_is_shown_by_a_kid() -> None:
    def change(pdf: pikepdf.Pdf) -> None:
        empty_field("Buyer")(pdf)
        field = pdf.Root.AcroForm.Fields[0]
        kid = pdf.make_indirect(
            pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, Rect=field.Rect, Parent=field, F=4)
        )
        for key in ("/Rect", "/Subtype", "/Type", "/F"):
            del field[key]
        field.Kids = pikepdf.Array([kid])
        pdf.pages[0].obj.Annots = pikepdf.Array([kid])

    check_all(sign(edited(change), field="Buyer"))


def test_fields_that_cannot_be_signed() -> None:
    def text(pdf: pikepdf.Pdf) -> None:
        empty_field("Buyer")(pdf)
        pdf.Root.AcroForm.Fields[0].FT = pikepdf.Name.Tx

    refused(edited(text), FieldError, field="Buyer")
    refused(edited(text), FieldError, field="Buyer.Inner")
    signed = sign(SMALL, field="Buyer")
    refused(signed, FieldError, field="Buyer")
    refused(edited(empty_field("Buyer")), FieldError, field="Buyer", box=(1, 1, 90, 90))

    def twice(pdf: pikepdf.Pdf) -> None:
        empty_field("Buyer")(pdf)
        empty_field("Buyer")(pdf)

    refused(edited(twice), FieldError, field="Buyer")


def test_a_name_with_periods_makes_a_tree_of_fields() -> None:
    pdf = sign(SMALL, field="party.buyer")
    pdf = sign(pdf, field="party.seller")
    check_all(pdf)
    refused(pdf, FieldError, field="party.buyer")


def test_needing_appearances_is_taken_back() -> None:
    def change(pdf: pikepdf.Pdf) -> None:
        empty_field()(pdf)
        pdf.Root.AcroForm.NeedAppearances = True

    signed = sign(edited(change))
    fields = signature_fields(signed)
    assert "/NeedAppearances" not in fields.document.Root.AcroForm
    assert int(fields.document.Root.AcroForm.SigFlags) == 3


SEEDS: list[tuple[dict[str, object], dict[str, object], bool]] = [
    ({"Ff": 2, "SubFilter": [pikepdf.Name("/ETSI.CAdES.detached")]}, {}, True),
    ({"Ff": 2, "SubFilter": [pikepdf.Name("/adbe.pkcs7.detached")]}, {}, False),
    ({"Ff": 8, "Reasons": ["I agree", "I have read it"]}, {"reason": "I agree"}, True),
    ({"Ff": 8, "Reasons": ["I agree"]}, {"reason": "no"}, False),
    ({"Ff": 8, "Reasons": ["I agree"]}, {}, False),
    ({"Ff": 8, "Reasons": ["."]}, {}, True),
    ({"Ff": 8}, {"reason": "x"}, False),
    ({"Ff": 1, "Filter": pikepdf.Name("/Other")}, {}, False),
    ({"Ff": 64, "DigestMethod": ["SHA512"]}, {}, False),
    ({"Ff": 0, "DigestMethod": ["SHA512"]}, {}, True),
    ({"Ff": 256}, {}, False),
    ({"Cert": {"Ff": 1}}, {}, False),
    ({"TimeStamp": {"URL": "http://x", "Ff": 1}}, {}, False),
    ({"TimeStamp": {"URL": "http://x", "Ff": 1}}, {"level": "B-T"}, True),
    ({"Ff": 2, "SubFilter": 5}, {}, True),
    ({"Ff": 8, "Reasons": 5}, {"reason": "x"}, False),
]


@pytest.mark.parametrize(("seed", "options", "fine"), SEEDS)
def test_what_a_form_demands_is_done_or_refused(
    seed: dict[str, object], options: dict[str, object], fine: bool
) -> None:
    def plain(value: object) -> object:
        if isinstance(value, dict):
            return pikepdf.Dictionary({f"/{key}": plain(inner) for key, inner in value.items()})
        return pikepdf.Array(value) if isinstance(value, list) else value

    source = edited(empty_field("Here", SV=plain(seed)))
    if fine:
        check_all(sign(source, field="Here", **options))
    else:
        refused(source, SigningRefused, "seed-value", field="Here", **options)


# Earlier signatures --------------------------------------------------------------------------------------------------
def test_a_certification_that_allows_nothing() -> None:
    refused(sign(SMALL, certify=1), SigningRefused, "docmdp")


@pytest.mark.parametrize("level", [2, 3])
def test_a_certification_that_allows_signatures(level: int) -> None:
    signed = sign(sign(SMALL, certify=level), box=(10, 10, 90, 60))
    assert len(check_all(signed)) == 2
    fields = signature_fields(signed)
    assert int(fields["Signature1"].V.Reference[0].TransformParams.P) == level
    assert "/DocMDP" in fields.document.Root.Perms


def test_a_certification_must_be_first() -> None:
    refused(sign(SMALL), SigningRefused, "certify-not-first", certify=2)
    refused(sign(SMALL, certify=2), SigningRefused, "certify-not-first", certify=2)


def lock(action: str, *fields: str, level: int | None = None) -> pikepdf.Dictionary:
    out = pikepdf.Dictionary(Type=pikepdf.Name.SigFieldLock, Action=pikepdf.Name("/" + action))
    if fields:
        out.Fields = pikepdf.Array(fields)
    if level is not None:
        out.P = level
    return out


LOCKS: list[tuple[pikepdf.Dictionary, str, bool]] = [
    (lock("All"), "B", False),
    (lock("Include", "B"), "B", False),
    (lock("Include", "B"), "C", True),
    (lock("Include", "B"), "B.inner", False),
    (lock("Exclude", "B"), "B", True),
    (lock("Exclude", "B"), "C", False),
    (lock("Include", "X", level=1), "C", False),
    (lock("Include", "X", level=2), "C", True),
]


@pytest.mark.parametrize(("what", "name", "fine"), LOCKS)
def test_locks_of_every_earlier_signature_are_kept(what: pikepdf.Dictionary, name: str, fine: bool) -> None:
    """Also where a later signature, without locks, stands between."""

    def change(pdf: pikepdf.Pdf) -> None:
        empty_field("First")(pdf)
        empty_field("A", Lock=pdf.make_indirect(what))(pdf)

    pdf = sign(edited(change), field="First")
    pdf = sign(pdf, field="A")
    reference = signature_fields(pdf)["A"]
    assert len(check_all(pdf)) == 2
    del reference
    if fine:
        pdf = sign(pdf, field=name)
        assert len(check_all(pdf)) == 3
    else:
        with pytest.raises(SigningRefused) as caught:
            sign(pdf, field=name)
        assert caught.value.facts["reason"] in ("field-lock", "docmdp")
        assert caught.value.facts["field"] == "A"


def test_a_locked_name_that_only_looks_like_another_is_not_signed_under_the_other() -> None:
    """The form says "B" with a blank that does not break behind it, and so does the lock."""

    def change(pdf: pikepdf.Pdf) -> None:
        empty_field("A", Lock=lock("Include", "B\u00a0"))(pdf)
        empty_field("B\u00a0")(pdf)

    pdf = sign(edited(change), field="A")
    refused(pdf, SigningRefused, "field-lock", field="B\u00a0")
    other = sign(pdf, field="B")
    assert set(signature_fields(other)) == {"A", "B", "B\u00a0"}
    assert judged(other) == ["TOTAL-PASSED"] * 2


@pytest.mark.parametrize("name", [b"B\x85C", b"\xfe\xff\x00B\x20\x13\x00C", b"\xef\xbb\xbfB\xe2\x80\x93C"])
def test_a_lock_names_a_field_in_another_encoding(name: bytes) -> None:
    def change(pdf: pikepdf.Pdf) -> None:
        empty_field("A", Lock=lock("Include"))(pdf)
        pdf.Root.AcroForm.Fields[0].Lock.Fields = pikepdf.Array([pdf.make_indirect(pikepdf.String(name))])

    pdf = sign(edited(change), field="A")
    fields = signature_fields(pdf)
    assert [bytes(item) for item in fields["A"].V.Reference[0].TransformParams.Fields] == [b"B\x85C"]
    refused(pdf, SigningRefused, "field-lock", field="B\u2013C")


def test_a_rectangle_of_its_own_object_is_where_the_picture_goes() -> None:
    def change(pdf: pikepdf.Pdf) -> None:
        empty_field("Buyer")(pdf)
        field = pdf.Root.AcroForm.Fields[0]
        field.Rect = pdf.make_indirect(field.Rect)

    ground = examine(edited(change), SignOptions(field="Buyer"))
    assert ground.existing is not None
    assert ground.existing.rectangle == (50, 50, 250, 130)


def test_a_lock_becomes_a_field_mdp_transform() -> None:
    signed = sign(edited(empty_field("A", Lock=lock("Include", "B", "C"))), field="A")
    fields = signature_fields(signed)
    (reference,) = fields["A"].V.Reference
    assert str(reference.TransformMethod) == "/FieldMDP"
    assert str(reference.TransformParams.Action) == "/Include"
    assert [str(name) for name in reference.TransformParams.Fields] == ["B", "C"]
    assert reference.Data.objgen == fields.document.Root.objgen


def verified(pdf: bytes) -> Report:
    return verify_bytes(pdf, name="x.pdf", trust=circle_of("ecdsa-p256").trust, clock=CLOCK)


def judged(pdf: bytes) -> list[str]:
    """Return the verdict of every signature."""
    return [signature.verdict for signature in verified(pdf).signatures]


def test_the_verifier_agrees_that_nothing_was_broken() -> None:
    report = verified(sign(sign(sign(SMALL, certify=2), box=(10, 10, 90, 60)), field="x.y", level="B-T"))
    assert report.verdict == "TOTAL-PASSED", report.to_text()
    assert [s.changes_after.level for s in report.signatures if s.changes_after] == [
        "form-filling",
        "form-filling",
        "none",
    ]


# Odd, but whole ------------------------------------------------------------------------------------------------------
def test_what_a_signature_allows_is_not_read_again_for_every_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import signer.verification.pdf as verifier

    pdf = SMALL
    for _ in range(4):
        pdf = sign(pdf)
    asked: list[object] = []
    real = verifier.permissions_of
    monkeypatch.setattr(verifier, "permissions_of", lambda view, entry: asked.append(entry) or real(view, entry))
    assert judged(pdf) == ["TOTAL-PASSED"] * 4
    assert len(asked) == 2 * 4  # for the kind of the signature, and for what may follow it


def hybrid() -> bytes:
    """A file whose cross-reference stream knows what its table does not (ISO 32000-2 7.5.8.4)."""
    bodies = objects(o5=b"", o6=b"")
    bodies[1] = b"<< /Type /Catalog /Pages 2 0 R /Extra 20 0 R >>"
    bodies[3] = bodies[3].replace(b" /Annots [5 0 R]", b"")
    base = bytearray(assemble(bodies))
    cut = base.rindex(b"xref\n0 1")
    table = bytes(base[cut:])
    base = base[:cut]
    container = len(base)
    inside = b"20 0 << /Marker (hidden) >>"
    base += b"19 0 obj\n<< /Type /ObjStm /N 1 /First 5 /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (
        len(inside),
        inside,
    )
    at = len(base)
    rows = b"\x01" + container.to_bytes(4, "big") + b"\x00" + b"\x02" + (19).to_bytes(4, "big") + b"\x00"
    base += (
        b"21 0 obj\n<< /Type /XRef /Size 22 /W [1 4 1] /Index [19 2] /Root 1 0 R /Length %d >>\nstream\n%s\n"
        b"endstream\nendobj\n" % (len(rows), rows)
    )
    start = len(base)
    table = table.replace(b"trailer\n<< /Size 5", b"20 1\n0000000000 65535 f \ntrailer\n<< /Size 22 /XRefStm %d" % at)
    base += re.sub(rb"startxref\n\d+", b"startxref\n%d" % start, table)
    return bytes(base)


def test_hybrid_files_are_signed() -> None:
    source = hybrid()
    signed = sign(sign(source))
    assert len(check_all(signed)) == 2
    view = PDFFile(signed).view(len(signed))
    assert view.get(view.catalog, "Extra")["Marker"] == b"hidden"
    assert b"/XRefStm" not in signed[len(source) :]


def copied_trailer(section: bytes = b"") -> bytes:
    """A hybrid file with an update whose writer copied the trailer, /XRefStm included."""
    source = hybrid()
    at = section or re.findall(rb"/XRefStm (\d+)", source)[-1]
    return update(source, {4: stream(b"0 0 m")}, extra=b"/XRefStm %s " % at)


def test_a_cross_reference_stream_that_two_tables_name_is_no_loop() -> None:
    source = copied_trailer()
    signed = sign(sign(source))
    assert len(check_all(signed)) == 2
    assert judged(signed) == ["TOTAL-PASSED"] * 2
    view = PDFFile(signed).view(len(signed))
    assert view.get(view.catalog, "Extra")["Marker"] == b"hidden"
    assert view.stream_data(view.resolve(Ref(4, 0))) == b"0 0 m"
    assert len({section.offset for section in view.sections}) == len(view.sections) == 5


def test_a_table_named_as_cross_reference_stream_is_one() -> None:
    own = re.findall(rb"startxref\n(\d+)", hybrid())[-1]
    assert "loop" in str(refused(copied_trailer(own), UnreadablePDF))


def test_prev_0_stands_for_none() -> None:
    source = SMALL.replace(b"/Root 1 0 R", b"/Prev 0 /Root 1 0 R")
    signed = sign(sign(source), box=(10, 10, 200, 60))
    assert signed.startswith(source)
    assert len(check_all(signed)) == 2
    assert judged(signed) == ["TOTAL-PASSED"] * 2


def test_a_size_that_understates_does_not_cost_an_object() -> None:
    low = SMALL.replace(b"/Size 7", b"/Size 4")
    signed = sign(low)
    check_all(signed)
    document = pikepdf.open(io.BytesIO(signed))
    assert b"Sealroad" in document.pages[0].Contents.read_bytes()
    assert b"Helvetica" in document.pages[0].Resources.Font.F1.unparse(resolved=True)


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\r", b"\n\n  "])
def test_however_the_file_ends_the_update_begins_on_a_line_of_its_own(end: bytes) -> None:
    source = SMALL.rstrip() + end
    signed = sign(source)
    assert signed.startswith(source)
    if source[-1:] in b"\r\n":
        assert signed[len(source) : len(source) + 1].isdigit()
    else:
        assert signed[len(source) : len(source) + 1] == b"\n"
    check_all(signed)


XMP = '<?xpacket begin="{}"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><a/></x:xmpmeta><?xpacket end="w"?>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-be", "utf-16-le", "utf-32-be", "latin-1"])
def test_metadata_in_any_encoding_are_left_alone(encoding: str) -> None:
    text = XMP.format("\ufeff") if encoding != "latin-1" else XMP.format("\xef") + "\x00\xff<<<"

    def change(pdf: pikepdf.Pdf) -> None:
        pdf.Root.Metadata = pdf.make_stream(text.encode(encoding), Type=pikepdf.Name.Metadata, Subtype=pikepdf.Name.XML)

    source = edited(change, fix_metadata_version=False)
    signed = sign(source, box=(10, 10, 200, 60))
    check_all(signed)
    tail = signed[len(source) :]
    assert b"/Metadata" not in tail.replace(b"/Metadata ", b"", 1)
    assert b"ModDate" not in tail
    fields = signature_fields(signed)
    assert fields.document.Root.Metadata.read_bytes() == text.encode(encoding)


def test_the_version_is_not_raised() -> None:
    source = SMALL.replace(b"%PDF-1.7", b"%PDF-1.4")
    assert b"/Version" not in sign(source)[len(source) :]


# Fuzz ----------------------------------------------------------------------------------------------------------------
SEEDS_OF_FUZZ: tuple[Callable[[], bytes], ...] = (
    make_pdf,
    lambda: sign(SMALL, box=(10, 10, 90, 60)),
    lambda: edited(empty_field("A", Lock=lock("Include", "B")), object_stream_mode=pikepdf.ObjectStreamMode.generate),
    hybrid,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data(), base=st.sampled_from(range(len(SEEDS_OF_FUZZ))))
def test_a_mutated_file_is_signed_right_or_refused(data: st.DataObject, base: int) -> None:
    octets = bytearray(SEEDS_OF_FUZZ[base]())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(octets) - 1))
        what = data.draw(st.sampled_from(("flip", "cut", "insert", "digit")))
        match what:
            case "flip":
                octets[at] ^= 1 << data.draw(st.integers(0, 7))
            case "cut":
                del octets[at : at + data.draw(st.integers(1, 40))]
            case "insert":
                octets[at:at] = data.draw(
                    st.sampled_from((b"<<", b">>", b" 1 0 R", b"/Kids", b"]", b"(", b"null", b"-1", b"9" * 30, b"["))
                )
            case _:
                octets[at] = 0x30 + data.draw(st.integers(0, 9))
        if not octets:
            return
    source = bytes(octets)
    field = data.draw(st.sampled_from((None, "A", "B")))
    try:
        signed = sign(source, field=field, page=data.draw(st.sampled_from((None, 1, -1))))
    except SealroadError:
        return
    assert signed.startswith(source)
