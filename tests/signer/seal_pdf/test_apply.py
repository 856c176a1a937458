"""A seal on a PDF: both forms, every version of seals, every suite, in one call and in two steps; what is refused."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from certs import ber, oids, suites
from certs.certificate import Certificate
from certs.clock import FixedClock
from certs.errors import MalformedInput
from certs.signed_data import parse_signed_data
from signer.cms import finish
from signer.errors import OptionError, SealRefused, SigningRefused, StaleRequest, WrongValue
from signer.pades.options import NationalForm, Place, SignOptions
from signer.pades.placement import AtKeyword, CrossPage, EveryPage, place
from signer.pades.sealing import seal_options, seal_size
from signer.pades.sign import Prepared, complete, prepare, sign_bytes
from signer.seals import Seal, SealPicture, SealVersion, read_seal, read_seal_signature
from signer.seals.check import verify_value
from tests.conftest import CLOCK, NOW, circle_of, make_pdf
from tests.signer.seal_pdf.marks import SUITES, applied, contents, covered, picture, red_box, seal, shown
from tests.signer.seals.making import VERSIONS, raster, seal_of
from tests.signer.signing import byte_ranges, check_all, edited, empty_field, many_pages, signature_fields

NATIONAL = NationalForm()
NATIONAL_KEY = pytest.mark.parametrize("national", [None, NATIONAL], ids=["pades", "national"])
OCTETS_OF_ONE = Place(1, (60.0, 80.0, 180.0, 200.0))


@NATIONAL_KEY
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("suite", SUITES)
def test_a_seal_of_every_version_is_applied_in_every_suite(
    suite: str, version: SealVersion, national: NationalForm | None
) -> None:
    made = seal(suite, version)
    signed = applied(many_pages(2), suite, CrossPage(), version=version, national=national, field="Seal")
    fields = signature_fields(signed)
    value = fields["Seal"].V
    assert sorted(fields) == ["Seal", "Seal-2"]
    assert fields["Seal-2"].V.objgen == value.objgen
    if national is None:
        assert check_all(signed) == [suite]
        (signer,) = parse_signed_data(contents(signed)).signers
        assert signer.values(oids.SEAL_ATTRIBUTE) == (made.der,)
        assert (str(value.Filter), str(value.SubFilter)) == ("/Adobe.PPKLite", "/ETSI.CAdES.detached")
        return
    assert (str(value.Filter), str(value.SubFilter)) == ("/GM.PKILite", "/GM.SM2")
    octets = contents(signed)
    structure = read_seal_signature(octets[: ber.Value(octets, 0, len(octets)).end])
    assert structure.version is version
    assert structure.seal.der == made.der
    assert structure.data_hash == suites.digest(suites.get(suite).digest_name, covered(signed))
    assert structure.property_info == "/ByteRange [{} {} {} {}]".format(*byte_ranges(signed)[0])
    assert structure.time == NOW
    certificate = Certificate(structure.certificate)
    assert certificate == circle_of(suite).organisation.certificate
    assert verify_value(certificate, structure.signature_algorithm, structure.signature, structure.tbs).suite == suite


@NATIONAL_KEY
@pytest.mark.parametrize("suite", SUITES)
def test_a_seal_is_prepared_recorded_signed_elsewhere_and_completed_once(
    suite: str, national: NationalForm | None, tmp_path: Path
) -> None:
    source, target = tmp_path / "in.pdf", tmp_path / "out.pdf"
    source.write_bytes(many_pages(3))
    circle, made = circle_of(suite), seal(suite)
    options = seal_options(
        made, places=place(source.read_bytes(), EveryPage(), *seal_size(made)), national=national, field="Seal"
    )
    holder = circle.organisation
    prepared = prepare(source, target, options, holder.certificate, (circle.issuing,), CLOCK, suite=suite)
    recorded = Prepared.from_json(prepared.to_json())
    assert recorded == prepared
    assert recorded.further_fields == ("Seal-2", "Seal-3")
    assert recorded.seal_der == made.der
    with pytest.raises(WrongValue):
        complete(target, recorded, value=holder.key.sign(recorded.dtbs + b"x"))
    complete(target, recorded, value=holder.key.sign(recorded.dtbs))
    with pytest.raises(StaleRequest):
        complete(target, recorded, value=holder.key.sign(recorded.dtbs))
    if national is None:
        assert check_all(target.read_bytes()) == [suite]
    else:
        octets = contents(target.read_bytes())
        assert read_seal_signature(octets[: ber.Value(octets, 0, len(octets)).end]).tbs == recorded.dtbs


def test_a_cms_of_another_program_must_carry_the_seal(tmp_path: Path) -> None:
    source, target = tmp_path / "in.pdf", tmp_path / "out.pdf"
    source.write_bytes(make_pdf())
    circle, made = circle_of("ecdsa-p256"), seal("ecdsa-p256")
    holder = circle.organisation
    options = seal_options(made, places=(OCTETS_OF_ONE,))
    prepared = prepare(source, target, options, holder.certificate, (), CLOCK)
    suite = suites.get("ecdsa-p256")

    def cms(sealed: bytes | None) -> bytes:
        from signer.cms import pades_attributes

        octets = pades_attributes(suite, holder.certificate, prepared.document_digest, seal=sealed)
        return finish(suite, holder.certificate, (), octets, holder.key.sign(octets))

    for wrong in (None, seal("ecdsa-p256", SealVersion.V4).der):
        with pytest.raises(WrongValue):
            complete(target, prepared, cms=cms(wrong))
    complete(target, prepared, cms=cms(made.der))
    assert check_all(target.read_bytes()) == ["ecdsa-p256"]

    source.write_bytes(make_pdf())
    plain = prepare(source, target, SignOptions(), holder.certificate, (), CLOCK)
    octets = pades_of(plain, made)
    with pytest.raises(WrongValue):
        complete(target, plain, cms=finish(suite, holder.certificate, (), octets, holder.key.sign(octets)))


def pades_of(prepared: Prepared, made: Seal) -> bytes:
    """Return the attributes of a plain signature with a seal that nobody prepared."""
    from signer.cms import pades_attributes

    return pades_attributes(prepared.suite_object, prepared.certificate, prepared.document_digest, seal=made.der)


def test_the_national_form_takes_no_cms(tmp_path: Path) -> None:
    source, target = tmp_path / "in.pdf", tmp_path / "out.pdf"
    source.write_bytes(make_pdf())
    options = seal_options(seal("sm2"), places=(OCTETS_OF_ONE,), national=NATIONAL)
    prepared = prepare(source, target, options, circle_of("sm2").organisation.certificate, (), CLOCK)
    with pytest.raises(OptionError):
        complete(target, prepared, cms=b"0\x00")


def test_a_preparation_recorded_before_there_were_seals_is_still_read(tmp_path: Path) -> None:
    source, target = tmp_path / "in.pdf", tmp_path / "out.pdf"
    source.write_bytes(make_pdf())
    holder = circle_of("ecdsa-p256").organisation
    prepared = prepare(source, target, SignOptions(), holder.certificate, (), CLOCK)
    old = json.loads(prepared.to_json())
    for name in ("seal_der", "seal_signature", "further_fields"):
        del old[name]
    complete(target, Prepared.from_json(json.dumps(old)), value=holder.key.sign(prepared.dtbs))
    assert check_all(target.read_bytes()) == ["ecdsa-p256"]


def test_a_record_that_was_changed_is_not_signed(tmp_path: Path) -> None:
    source, target = tmp_path / "in.pdf", tmp_path / "out.pdf"
    source.write_bytes(make_pdf())
    holder = circle_of("sm2").organisation
    options = seal_options(seal("sm2"), places=(OCTETS_OF_ONE,), national=NATIONAL)
    prepared = prepare(source, target, options, holder.certificate, (), CLOCK)
    other = replace(prepared, dtbs=prepared.dtbs[:-1] + bytes([prepared.dtbs[-1] ^ 1]))
    with pytest.raises(StaleRequest):
        complete(target, other, value=holder.key.sign(other.dtbs))
    broken = json.loads(prepared.to_json()) | {"seal_signature": "{}"}
    with pytest.raises(MalformedInput):
        complete(target, Prepared.from_json(json.dumps(broken)), value=b"")
    for name, wrong in (("seal_signature", 7), ("further_fields", [7]), ("seal_der", "?"), ("further_fields", 7)):
        with pytest.raises(MalformedInput):
            Prepared.from_json(json.dumps(json.loads(prepared.to_json()) | {name: wrong}))


@NATIONAL_KEY
@pytest.mark.parametrize("suite", ["sm2", "gost2012-256", "ml-dsa-65"])
def test_a_seal_is_time_stamped(suite: str, national: NationalForm | None) -> None:
    signed = applied(make_pdf(), suite, AtKeyword("Sealroad"), level="B-T", national=national)
    octets = contents(signed)
    if national is None:
        assert check_all(signed) == [suite]
        assert parse_signed_data(octets).signers[0].unsigned_values(oids.TIME_STAMP_TOKEN)
    else:
        assert read_seal_signature(octets[: ber.Value(octets, 0, len(octets)).end]).time_stamp is not None


def test_the_structure_of_2014_has_no_place_for_a_time_stamp_over_it() -> None:
    with pytest.raises(OptionError):
        applied(make_pdf(), "sm2", AtKeyword("Sealroad"), version=SealVersion.V1, level="B-T", national=NATIONAL)
    applied(make_pdf(), "sm2", AtKeyword("Sealroad"), version=SealVersion.V1, level="B-T")


# What shows ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP"])
def test_every_kind_of_picture_shows(kind: str) -> None:
    made = seal_of("ecdsa-p256", picture=SealPicture(kind, picture(kind), 42, 42))
    signed = applied(make_pdf(), "ecdsa-p256", AtKeyword("Sealroad"), with_seal=made)
    box = red_box(shown(signed, 72)[0])
    assert box is not None
    assert box[2] - box[0] == pytest.approx(117, abs=4)


def test_nothing_of_the_picture_is_lost() -> None:
    from PIL import Image

    signed = applied(make_pdf(), "ecdsa-p256", AtKeyword("Sealroad"))
    document = pikepdf.open(io.BytesIO(signed))
    found = [o for o in document.objects if isinstance(o, pikepdf.Stream) and o.get("/Subtype") == "/Image"]
    original = Image.open(io.BytesIO(picture()))
    colours, opacity = sorted((o.read_bytes() for o in found), key=len, reverse=True)
    assert colours == original.convert("RGB").tobytes()
    assert opacity == original.getchannel("A").tobytes()
    jpeg = seal_of("ecdsa-p256", picture=SealPicture("jpg", picture("JPEG"), 42, 42))
    assert picture("JPEG") in applied(make_pdf(), "ecdsa-p256", AtKeyword("Sealroad"), with_seal=jpeg)


def test_a_seal_goes_on_the_signature_line_of_a_party_or_nowhere_to_be_seen() -> None:
    base = edited(empty_field("Buyer", (60, 60, 260, 200)))
    signed = applied(base, "sm2", field="Buyer")
    box = red_box(shown(signed, 72)[0])
    assert box is not None
    assert ((box[0] + box[2]) / 2, 842 - (box[1] + box[3]) / 2) == (
        pytest.approx(160, abs=2),
        pytest.approx(130, abs=2),
    )
    assert box[2] - box[0] == pytest.approx(117, abs=4)
    hidden = applied(make_pdf(), "sm2")
    assert red_box(shown(hidden)[0]) is None
    assert check_all(hidden) == ["sm2"]


# Refusals ------------------------------------------------------------------------------------------------------------
def refused(made: Seal, suite: str = "sm2", at: Any = NOW, who: str = "organisation") -> str:
    """Apply in both forms and return the reason of the refusal."""
    circle = circle_of(suite)
    holder = getattr(circle, who)
    reasons = set()
    for national in (None, NATIONAL):
        options = seal_options(made, places=(OCTETS_OF_ONE,), national=national)
        with pytest.raises(SealRefused) as caught:
            sign_bytes(make_pdf(), holder.key, holder.certificate, (), options, FixedClock(at))
        reasons.add(caught.value.facts["reason"])
    (reason,) = reasons
    return str(reason)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_seal_is_refused_before_anything_is_written(version: SealVersion) -> None:
    made = seal("sm2", version)
    assert refused(made, who="person") == "not-listed"
    assert refused(made, at=NOW + timedelta(days=366)) == "seal-not-valid"
    assert refused(made, at=NOW - timedelta(days=2)) == "seal-not-valid"
    assert refused(seal("ecdsa-p256", version)) == "not-listed"
    at = made.der.index(picture()[:40])
    altered = bytearray(made.der)
    altered[at + 60] ^= 1
    assert refused(read_seal(bytes(altered))) == "seal-value"


def test_a_picture_that_is_not_what_the_seal_says_is_refused() -> None:
    from tests.signer.seal_pdf.forged import seal_with

    assert refused(seal_with(SealPicture("JPG", raster("PNG"), 42, 42))) == "picture"
    assert refused(seal_with(SealPicture("PNG", b"\x89PNG\r\n\x1a\nnothing", 42, 42))) == "picture"
    assert refused(seal_with(SealPicture("PNG", raster() + bytes(1 << 20), 42, 42))) == "size"


def test_a_certificate_that_is_not_valid_now_seals_nothing() -> None:
    made = seal_of("sm2", valid_to=NOW + timedelta(days=40_000))
    assert refused(made, at=circle_of("sm2").organisation.certificate.not_after + timedelta(days=1)) == (
        "certificate-not-valid"
    )


def test_nothing_is_written_where_a_seal_is_refused(tmp_path: Path) -> None:
    source, target = tmp_path / "in.pdf", tmp_path / "out.pdf"
    source.write_bytes(make_pdf())
    holder = circle_of("sm2").person
    with pytest.raises(SealRefused):
        prepare(source, target, seal_options(seal("sm2")), holder.certificate, (), CLOCK)
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize("name", ["", "a b", "x" * 200, "/GM", "名", "ETSI.CAdES.detached", "ETSI.RFC3161"])
def test_names_of_the_national_form_are_names_and_promise_no_cms(name: str) -> None:
    with pytest.raises(OptionError):
        NationalForm(subfilter=name)


def test_the_national_form_is_that_of_a_seal() -> None:
    with pytest.raises(OptionError):
        SignOptions(national=NATIONAL)
    with pytest.raises(OptionError):
        SignOptions(national=NATIONAL, seal=seal("sm2"), commitment="approval")


def test_the_names_of_the_national_form_can_be_chosen() -> None:
    signed = applied(make_pdf(), "sm2", national=NationalForm("Vendor.Seal", "Vendor.SES"))
    fields = signature_fields(signed)
    value = fields["Signature1"].V
    assert (str(value.Filter), str(value.SubFilter)) == ("/Vendor.Seal", "/Vendor.SES")


def test_what_the_author_of_a_field_demands_holds_for_seals() -> None:
    seed = pikepdf.Dictionary(Ff=1, Filter=pikepdf.Name("/GM.PKILite"))
    base = edited(empty_field("Buyer", SV=seed))
    applied(base, "sm2", field="Buyer", national=NATIONAL)
    with pytest.raises(SigningRefused):
        applied(base, "sm2", field="Buyer")
