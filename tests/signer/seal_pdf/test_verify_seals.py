"""What our verifier says of sealed PDFs: every version, every suite, both forms; and of every way to fake one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from certs import ber, der, oids, suites
from certs.signed_data import attribute
from signer.pades.options import NationalForm
from signer.pades.placement import AtKeyword, AtPoint, CrossPage, EveryPage
from signer.pades.sealing import seal_face
from signer.report import SignatureReport, Verdict
from signer.seals import Seal, SealPicture, SealVersion, read_seal_signature
from tests.conftest import CLOCK, NOW, circle_of, make_pdf
from tests.signer.seal_pdf.forged import anyway, field_named, later, refilled
from tests.signer.seal_pdf.marks import SUITES, applied, contents, only, picture, reports, result_of, seal
from tests.signer.seals.making import VERSIONS, seal_of
from tests.signer.signing import byte_ranges, many_pages, sign

NATIONAL = NationalForm()
NATIONAL_KEY = pytest.mark.parametrize("national", [None, NATIONAL], ids=["pades", "national"])
BLUE = (16, 16, 200, 255)


def said(report: SignatureReport) -> tuple[str, str, str | None, str]:
    return report.kind, report.verdict.value, report.sub_indication, report.code


# Good ----------------------------------------------------------------------------------------------------------------
@NATIONAL_KEY
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("suite", SUITES)
def test_a_sealed_pdf_passes_as_a_seal(suite: str, version: SealVersion, national: NationalForm | None) -> None:
    report = only(applied(many_pages(2), suite, CrossPage(), version=version, national=national), suite)
    assert said(report) == ("seal", "TOTAL-PASSED", None, ""), report.reason
    assert report.suite == suite
    assert report.seal is not None
    assert (report.seal.version, report.seal.width, report.seal.name) == (version, 42, seal(suite, version).name)
    assert report.signed_at is not None
    assert report.signed_at.value == NOW
    assert report.fields == ("Signature1", "Signature1-2")
    assert result_of(report, "seal-appearance") == "passed"
    assert result_of(report, "seal-owner-listed") == "passed"
    assert not report.warnings


@NATIONAL_KEY
@pytest.mark.parametrize("version", [SealVersion.V4, SealVersion.V5])
def test_a_time_stamp_proves_when_it_was_sealed(version: SealVersion, national: NationalForm | None) -> None:
    report = only(applied(make_pdf(), "sm2", AtKeyword("Sealroad"), version=version, level="B-T", national=national))
    assert said(report) == ("seal", "TOTAL-PASSED", None, ""), report.reason
    assert report.signed_at is not None
    assert report.signed_at.source == "timestamp"


@pytest.mark.parametrize("kind", ["JPEG", "GIF", "BMP", "PNG"])
def test_every_kind_of_picture_is_recognised_in_the_file(kind: str) -> None:
    made = seal_of("sm2", picture=SealPicture(kind, picture(kind), 42, 42))
    report = only(applied(many_pages(3), "sm2", CrossPage(), with_seal=made))
    assert said(report) == ("seal", "TOTAL-PASSED", None, ""), report.reason
    assert result_of(report, "seal-appearance") == "passed"


@NATIONAL_KEY
def test_a_seal_that_does_not_show_is_a_seal_all_the_same(national: NationalForm | None) -> None:
    report = only(applied(make_pdf(), "sm2", national=national))
    assert said(report) == ("seal", "TOTAL-PASSED", None, "")
    assert result_of(report, "seal-appearance") == "not-checked"


def test_seals_of_several_organisations_in_one_contract_all_pass_in_both_forms() -> None:
    data = applied(many_pages(4), "sm2", CrossPage(), national=NATIONAL, field="Seller")
    data = applied(data, "gost2012-256", EveryPage(), field="Buyer")
    data = sign(data, "ecdsa-p256", field="Witness")
    data = applied(data, "ecdsa-p256", AtPoint(2, 300, 300), field="Bank", national=NATIONAL, version=SealVersion.V1)
    found = reports(data, "sm2", "gost2012-256", "ecdsa-p256")
    assert [(r.kind, r.verdict) for r in found] == [
        (kind, Verdict.TOTAL_PASSED) for kind in ("seal", "seal", "signature", "seal")
    ], [r.reason for r in found]


# Who sealed ----------------------------------------------------------------------------------------------------------
@NATIONAL_KEY
@pytest.mark.parametrize("version", VERSIONS)
def test_a_certificate_that_the_seal_does_not_list_has_not_sealed(
    version: SealVersion, national: NationalForm | None
) -> None:
    thief = circle_of("sm2").person
    report = only(anyway(make_pdf(), seal("sm2", version), by=thief, how=AtKeyword("Sealroad"), national=national))
    assert said(report) == ("seal", "TOTAL-FAILED", "SIG_CONSTRAINTS_FAILURE", "signer-not-in-seal")


@NATIONAL_KEY
def test_the_seal_of_another_owner_does_not_pass(national: NationalForm | None) -> None:
    other = circle_of("ecdsa-p256").organisation
    data = anyway(make_pdf(), seal("sm2"), by=other, how=AtKeyword("Sealroad"), national=national)
    assert said(only(data, "sm2", "ecdsa-p256")) == (
        *("seal", "TOTAL-FAILED", "SIG_CONSTRAINTS_FAILURE", "signer-not-in-seal"),
    )


@NATIONAL_KEY
def test_a_seal_that_had_expired_when_it_was_used_does_not_pass(national: NationalForm | None) -> None:
    ended = seal_of("sm2", SealVersion.V4, valid_from=NOW - timedelta(days=9), valid_to=NOW - timedelta(days=1),
                    picture=SealPicture("PNG", picture(), 42, 42))  # fmt: skip
    report = only(anyway(make_pdf(), ended, by=circle_of("sm2").organisation, national=national))
    assert said(report) == ("seal", "TOTAL-FAILED", "EXPIRED", "signed-after-seal-expiry")


@NATIONAL_KEY
def test_a_seal_that_its_maker_did_not_sign_so_does_not_pass(national: NationalForm | None) -> None:
    made = seal("sm2", SealVersion.V4)
    other = made.der.replace(picture()[:60], picture()[:40] + bytes(20), 1)
    from signer.seals import read_seal

    report = only(anyway(make_pdf(), read_seal(other), by=circle_of("sm2").organisation, national=national))
    assert said(report)[:3] == ("seal", "TOTAL-FAILED", "SIG_CRYPTO_FAILURE")


# Swapped -------------------------------------------------------------------------------------------------------------
@NATIONAL_KEY
def test_a_seal_taken_from_another_document_does_not_pass(national: NationalForm | None) -> None:
    good = applied(make_pdf("pay 100"), "sm2", AtKeyword("pay"), national=national)
    other = applied(make_pdf("pay 999"), "sm2", AtKeyword("pay"), national=national)
    swapped = refilled(other, contents(good).rstrip(b"\x00"))
    assert said(only(swapped))[:3] == ("seal", "TOTAL-FAILED", "HASH_FAILURE")


@NATIONAL_KEY
def test_a_document_changed_under_its_seal_does_not_pass(national: NationalForm | None) -> None:
    good = applied(make_pdf("pay 100"), "sm2", AtKeyword("pay"), national=national)
    assert said(only(good.replace(b"(pay 100)", b"(pay 999)")))[:3] == ("seal", "TOTAL-FAILED", "HASH_FAILURE")


def test_another_seal_put_into_a_seal_signature_does_not_pass() -> None:
    """The seal inside changes, of the same size: a seal of another number, by the same maker."""
    good = applied(make_pdf(), "sm2", AtKeyword("Sealroad"), national=NATIONAL, version=SealVersion.V4)
    octets = contents(good)
    first = read_seal_signature(octets[: ber.Value(octets, 0, len(octets)).end])
    other = same_length(first.seal)
    forged = first.der.replace(first.seal.der, other.der)
    assert read_seal_signature(forged).seal.seal_id == "31010000000043"
    assert said(only(refilled(good, forged)))[:3] == ("seal", "TOTAL-FAILED", "SIG_CRYPTO_FAILURE")


def same_length(made: Seal) -> Seal:
    """Return a seal with another number and as many octets; the length of an SM2 value varies."""
    while True:
        other = seal_of("sm2", SealVersion.V4, picture=made.picture, seal_id="31010000000043")
        if len(other.der) == len(made.der):
            return other


def test_a_seal_among_the_attributes_that_nobody_signed_is_none() -> None:
    from certs.signed_data import assemble
    from signer.cms import pades_attributes
    from signer.pades.options import SignOptions
    from signer.pades.sign import sign_bytes

    suite, holder = suites.get("sm2"), circle_of("sm2").person
    plain = sign_bytes(make_pdf(), holder.key, holder.certificate, (), SignOptions(reserve=30_000), CLOCK)
    _, before, behind, length = byte_ranges(plain)[0]
    digest = suites.digest("sm3", plain[:before] + plain[behind : behind + length])
    octets = pades_attributes(suite, holder.certificate, digest)
    cms = assemble(
        suite,
        holder.certificate,
        octets,
        holder.key.sign(octets),
        chain=(circle_of("sm2").issuing,),
        unsigned_attributes=[attribute(oids.SEAL_ATTRIBUTE, seal("sm2").der)],
    )
    report = only(refilled(plain, cms))
    assert (report.kind, report.verdict, report.seal) == ("signature", Verdict.TOTAL_PASSED, None)


@pytest.mark.parametrize("values", [(b"\x30\x00",), (b"\x04\x02ab",), "two", "truncated"])
def test_a_seal_attribute_that_holds_no_seal_does_not_pass(values: Any) -> None:
    from certs.signed_data import signed_attributes
    from signer.cms import finish
    from signer.pades.options import SignOptions
    from signer.pades.sign import sign_bytes

    if values == "two":
        values = (seal("sm2").der, seal("sm2", SealVersion.V4).der)
    elif values == "truncated":
        values = (der.sequence(seal("sm2").der[4:2000]),)
    suite, holder = suites.get("sm2"), circle_of("sm2").organisation
    plain = sign_bytes(make_pdf(), holder.key, holder.certificate, (), SignOptions(reserve=30_000), CLOCK)
    _, before, behind, length = byte_ranges(plain)[0]
    digest = suites.digest("sm3", plain[:before] + plain[behind : behind + length])
    octets = signed_attributes(suite, holder.certificate, digest, extra=[attribute(oids.SEAL_ATTRIBUTE, *values)])
    cms = finish(suite, holder.certificate, (circle_of("sm2").issuing,), octets, holder.key.sign(octets))
    assert said(only(refilled(plain, cms))) == ("seal", "TOTAL-FAILED", "FORMAT_FAILURE", "seal-malformed")


# What shows ----------------------------------------------------------------------------------------------------------
@NATIONAL_KEY
def test_another_picture_drawn_by_who_may_use_the_seal_does_not_pass(national: NationalForm | None) -> None:
    def other(made: Seal, locale: str) -> Any:
        return replace(seal_face(made, locale), picture=picture(colour=BLUE))

    with patch("signer.pades.sealing.seal_face", other):
        data = applied(make_pdf(), "sm2", AtKeyword("Sealroad"), national=national)
    assert said(only(data)) == ("seal", "INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "seal-appearance")


def test_a_seal_shown_so_small_that_nobody_sees_it_does_not_pass() -> None:
    from signer.appearance.seal import frame_of

    def tiny(*args: Any) -> Any:
        return replace(frame_of(*args), scale=0.01)

    with patch("signer.appearance.seal.frame_of", tiny):
        data = applied(make_pdf(), "sm2", AtKeyword("Sealroad"))
    assert said(only(data)) == ("seal", "INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "seal-appearance")


@pytest.mark.parametrize(
    "changes",
    [{"x": 500.0}, {"y": 100.0}, {"width": 30.0}, {"height": 300.0}],
    ids=["aside", "above", "narrow", "stretched"],
)
def test_a_seal_that_is_pushed_out_of_its_frame_does_not_pass(changes: dict[str, float]) -> None:
    from signer.appearance.seal import frame_of

    def pushed(*args: Any) -> Any:
        return replace(frame_of(*args), **changes)

    with patch("signer.appearance.seal.frame_of", pushed):
        data = applied(make_pdf(), "sm2", AtKeyword("Sealroad"))
    assert said(only(data)) == ("seal", "INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "seal-appearance")


def test_a_seal_that_shows_under_a_condition_only_leaves_it_open() -> None:
    from signer.pades import widget

    def hidden(target: Any, form: Any) -> None:
        shown(target, form)
        target[pdf_name("/OC")] = generic.DictionaryObject({pdf_name("/Type"): pdf_name("/OCG")})

    shown = widget._show
    with patch("signer.pades.widget._show", hidden):
        data = applied(make_pdf(), "sm2", AtKeyword("Sealroad"))
    assert said(only(data)) == ("seal", "INDETERMINATE", "GENERIC", "seal-appearance-unknown")


def test_a_stamp_in_place_of_the_picture_leaves_it_open() -> None:
    from signer.appearance import StampSpec
    from signer.pades.options import SignOptions
    from signer.pades.sign import sign_bytes

    holder = circle_of("sm2").organisation
    options = SignOptions(
        seal=seal("sm2"), box=(50, 50, 250, 150), appearance=StampSpec(name="江海贸易有限公司 合同专用章", time=NOW)
    )
    data = sign_bytes(make_pdf(), holder.key, holder.certificate, (circle_of("sm2").issuing,), options, CLOCK)
    assert said(only(data)) == ("seal", "INDETERMINATE", "GENERIC", "seal-appearance-unknown")


def drawn_anew(writer: IncrementalPdfFileWriter) -> None:
    """Give a slice the picture of another page."""
    first, second = field_named(writer, "Seal"), field_named(writer, "Seal-2")
    first["/AP"] = second["/AP"]


def other_picture(writer: IncrementalPdfFileWriter) -> None:
    """Change the picture itself, which all slices share."""
    form = field_named(writer, "Seal")["/AP"]["/N"]["/Resources"]["/XObject"].raw_get("/Seal")
    form.get_object()._data = b"1 0 0 rg 0 0 99 99 re f"
    form.get_object()._encoded_data = None
    writer.mark_update(form)


def moved(writer: IncrementalPdfFileWriter) -> None:
    field = field_named(writer, "Seal-2")
    field["/Rect"] = generic.ArrayObject([generic.NumberObject(n) for n in (10, 10, 100, 130)])


def hidden(writer: IncrementalPdfFileWriter) -> None:
    field_named(writer, "Seal-2")["/F"] = generic.NumberObject(2)


def taken_off_its_page(writer: IncrementalPdfFileWriter) -> None:
    page, _ = writer.find_page_for_modification(1)
    page.get_object()["/Annots"] = generic.ArrayObject()
    writer.mark_update(page)


def put_on_another_page(writer: IncrementalPdfFileWriter) -> None:
    for number in (0, 1):
        page, _ = writer.find_page_for_modification(number)
        other, _ = writer.find_page_for_modification(1 - number)
        writer.mark_update(page)
        if number == 0:
            here, there = page.get_object(), other.get_object()
            here["/Annots"], there["/Annots"] = there["/Annots"], here["/Annots"]


def widget_added(writer: IncrementalPdfFileWriter) -> None:
    """Show the seal once more, on another page: a further widget of its field."""
    field = field_named(writer, "Seal")
    page, _ = writer.find_page_for_modification(1)
    widget = generic.DictionaryObject({pdf_name(k): v for k, v in field.items() if k not in ("/V", "/T", "/FT", "/P")})
    widget[pdf_name("/Parent")] = next(r for r in writer.root["/AcroForm"]["/Fields"] if r.get_object() is field)
    widget[pdf_name("/P")] = page
    reference = writer.add_object(widget)
    field[pdf_name("/Kids")] = generic.ArrayObject([reference])
    page.get_object()["/Annots"].append(reference)
    writer.mark_update(page)


def field_added(writer: IncrementalPdfFileWriter) -> None:
    """Show the seal once more: a new field whose value is the seal's signature."""
    _new_field(writer, value=True)


def picture_added(writer: IncrementalPdfFileWriter) -> None:
    """Show the seal once more: a new field that nobody signed."""
    _new_field(writer, value=False)


def _new_field(writer: IncrementalPdfFileWriter, *, value: bool) -> None:
    field = field_named(writer, "Seal")
    page, _ = writer.find_page_for_modification(1)
    made = generic.DictionaryObject({pdf_name(k): v for k, v in field.items() if k != "/V"})
    made[pdf_name("/T")] = generic.pdf_string("Seal-9")
    made[pdf_name("/P")] = page
    if value:
        made[pdf_name("/V")] = field.raw_get("/V")
    reference = writer.add_object(made)
    writer.root["/AcroForm"]["/Fields"].append(reference)
    writer.update_container(writer.root["/AcroForm"])
    page.get_object()["/Annots"].append(reference)
    writer.mark_update(page)


def stamp_added(writer: IncrementalPdfFileWriter) -> None:
    """Put the picture of the seal on a page as a mere annotation."""
    field = field_named(writer, "Seal")
    page, _ = writer.find_page_for_modification(1)
    keys = {"/Type", "/Rect", "/AP", "/F"}
    made = generic.DictionaryObject({pdf_name(k): v for k, v in field.items() if k in keys})
    made[pdf_name("/Subtype")] = pdf_name("/Stamp")
    page.get_object()["/Annots"].append(writer.add_object(made))
    writer.mark_update(page)


TAMPERED: tuple[Callable[[IncrementalPdfFileWriter], None], ...] = (
    *(drawn_anew, other_picture, moved, hidden, taken_off_its_page),
    *(put_on_another_page, widget_added, field_added, picture_added),
)


@NATIONAL_KEY
@pytest.mark.parametrize("change", TAMPERED)
def test_what_shows_cannot_be_changed_after_sealing(
    change: Callable[[IncrementalPdfFileWriter], None], national: NationalForm | None
) -> None:
    good = applied(many_pages(2), "sm2", CrossPage(), field="Seal", national=national)
    assert said(only(good))[:2] == ("seal", "TOTAL-PASSED")
    report = only(later(good, change))
    assert said(report)[:3] == ("seal", "TOTAL-FAILED", "FORMAT_FAILURE"), report.reason


def test_a_picture_of_the_seal_put_on_a_page_later_is_told_as_an_annotation() -> None:
    good = applied(many_pages(2), "sm2", CrossPage(), field="Seal")
    report = only(later(good, stamp_added))
    assert report.changes_after is not None
    assert report.changes_after.level == "annotations"
    assert any("page 2: Stamp annotation" in detail for detail in report.changes_after.detail)


def test_who_signs_later_with_the_picture_of_the_seal_has_not_sealed() -> None:
    """A signature of somebody else that looks like the seal is reported as what it is: without a seal."""
    from signer.appearance.seal import SealFace
    from signer.pades.options import Place

    good = applied(many_pages(2), "sm2", CrossPage(), field="Seal")
    face = seal_face(seal("sm2"), "zh")
    assert isinstance(face, SealFace)
    data = sign(good, "ecdsa-p256", places=(Place(1, (50, 50, 169.06, 169.06)),), appearance=face)
    first, second = reports(data, "sm2", "ecdsa-p256")
    assert said(first)[:2] == ("seal", "TOTAL-PASSED")
    assert (second.kind, second.seal) == ("signature", None)


# Other names ---------------------------------------------------------------------------------------------------------
def test_a_seal_signature_under_names_that_are_not_known_is_checked_and_left_open() -> None:
    data = applied(make_pdf(), "sm2", AtKeyword("Sealroad"), national=NationalForm("Vendor.Seal", "Vendor.SES"))
    report = only(data)
    assert said(report) == ("seal", "INDETERMINATE", "GENERIC", "unsupported-subfilter")
    assert report.seal is not None
    for name in ("seal-signer-value", "seal-document", "seal-owner-listed", "seal-maker-value", "seal-appearance"):
        assert result_of(report, name) == "passed"
    changed = data.replace(b"(Sealroad)", b"(Railroad)")
    assert said(only(changed))[:3] == ("seal", "TOTAL-FAILED", "HASH_FAILURE")


@pytest.mark.parametrize("name", ["adbe.pkcs7.detached", "ETSI.CAdES.detached"])
def test_a_seal_signature_under_the_name_of_a_cms_is_checked_and_left_open(name: str) -> None:
    form = NationalForm()
    object.__setattr__(form, "subfilter", name)
    data = applied(make_pdf(), "sm2", AtKeyword("Sealroad"), national=form)
    assert said(only(data)) == ("seal", "INDETERMINATE", "FORMAT_FAILURE", "seal-under-cms-name")


def test_a_cms_under_the_national_names_is_shown_and_left_open() -> None:
    data = sign(make_pdf(), "sm2", reserve=9000)
    data = data.replace(b"/Adobe.PPKLite", b"/GM.PKILite   ").replace(b"/ETSI.CAdES.detached", b"/GM.SM2             ")
    report = only(data)
    assert (report.kind, report.verdict, report.code) == (
        *("signature", Verdict.INDETERMINATE, "unsupported-subfilter"),
    )


def test_a_range_that_the_seal_signature_does_not_name_is_told() -> None:
    with patch("signer.pades.sealing.property_info", lambda _: "/ByteRange [0 1 2 3]"):
        data = applied(make_pdf(), "sm2", AtKeyword("Sealroad"), national=NATIONAL)
    report = only(data)
    assert report.verdict is Verdict.TOTAL_PASSED
    assert [w.code for w in report.warnings] == ["seal-range"]


def test_a_seal_drawn_in_svg_is_recognised_in_the_file() -> None:
    circle = b'<circle cx="20" cy="20" r="19" fill="#c01010"/>'
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">' + circle + b"</svg>"
    made = seal_of("sm2", picture=SealPicture("SVG", svg, 40, 40))
    data = applied(many_pages(3), "sm2", CrossPage(), with_seal=made)
    assert said(only(data)) == ("seal", "TOTAL-PASSED", None, "")
    assert result_of(only(data), "seal-appearance") == "passed"
