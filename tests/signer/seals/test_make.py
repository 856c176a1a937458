"""Seals and seal signatures of every version in every suite: made, read back, verified; and what is refused."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from certs import ber, der, oids, suites
from certs.certificate import Certificate
from certs.errors import BadSignature, MalformedInput, TimeStampError
from certs.timestamp import read_token
from signer.errors import AppearanceError, OptionError, SealRefused, WrongValue
from signer.seals import SealExtension, SealPicture, SealSignature, SealVersion, read_seal, read_seal_signature
from signer.seals.check import digest_beside, verify_value
from signer.seals.make import PreparedSeal, complete_seal, make_seal, prepare_seal
from signer.seals.sign import (
    PreparedSealSignature,
    complete_seal_signature,
    prepare_seal_signature,
    sign_with_seal,
)
from tests.conftest import NOW, SIGNING, Circle, circle_of
from tests.signer.seals.making import PROPERTY, SVG, VERSIONS, raster, seal_of, spec_of

V1, V4, V5 = SealVersion.V1, SealVersion.V4, SealVersion.V5


@pytest.fixture(params=SIGNING)
def circle(request: pytest.FixtureRequest) -> Circle:
    return circle_of(str(request.param))


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> SealVersion:
    return SealVersion(request.param)


def hash_for(circle: Circle, content: bytes = b"Signature.xml") -> bytes:
    return suites.digest(circle.organisation.key.suite.digest_name, content)


def sign(circle: Circle, version: SealVersion, **changes: Any) -> SealSignature:
    """Seal with the organisation's key."""
    owner = circle.organisation
    usual: dict[str, Any] = {"data_hash": hash_for(circle), "property_info": PROPERTY, "time": NOW}
    seal = seal_of(circle.suite_name, version)
    return sign_with_seal(seal, owner.key, owner.certificate, **usual | changes)


# The contract, for every version and suite ---------------------------------------------------------------------------
def test_a_seal_is_made_read_back_and_verified(circle: Circle, version: SealVersion) -> None:
    spec = spec_of(circle.suite_name, version)
    made = make_seal(spec, circle.person.key, circle.person.certificate)
    seal = read_seal(made.der)
    assert seal == made
    assert (seal.version, seal.header_id, seal.header_version, seal.variants) == (version, "ES", int(version), ())
    for name in ("vendor", "seal_id", "type", "name", "picture", "created", "valid_from", "valid_to", "filing_number"):
        assert getattr(seal, name) == getattr(spec, name), name
    assert seal.certificates == (circle.organisation.certificate.der,)
    assert seal.lists(circle.organisation.certificate.der) == "certificate"
    assert seal.lists(circle.person.certificate.der) is None
    assert Certificate(seal.maker) == circle.person.certificate
    checked = verify_value(circle.person.certificate, seal.signature_algorithm, seal.signature, seal.tbs)
    assert (checked.suite, checked.variants) == (circle.suite_name, ())
    with pytest.raises(BadSignature):
        verify_value(circle.organisation.certificate, seal.signature_algorithm, seal.signature, seal.tbs)


def test_a_seal_signature_is_made_read_back_and_verified(circle: Circle, version: SealVersion) -> None:
    made = sign(circle, version)
    signed = read_seal_signature(made.der)
    assert signed == made
    assert (signed.version, signed.signature_version, signed.variants) == (version, int(version), ())
    assert (signed.time, signed.data_hash, signed.property_info) == (NOW, hash_for(circle), PROPERTY)
    assert signed.seal.lists(signed.certificate) == "certificate"
    certificate = Certificate(signed.certificate)
    assert certificate == circle.organisation.certificate
    assert digest_beside(signed.signature_algorithm, certificate) == circle.organisation.key.suite.digest_name
    assert verify_value(certificate, signed.signature_algorithm, signed.signature, signed.tbs).suite == (
        circle.suite_name
    )


def test_a_seal_goes_through_json_to_a_key_elsewhere(circle: Circle, version: SealVersion) -> None:
    prepared = prepare_seal(spec_of(circle.suite_name, version), circle.person.certificate)
    again = PreparedSeal.from_json(prepared.to_json())
    assert again == prepared
    seal = complete_seal(again, circle.person.key.sign(again.dtbs))
    assert seal.tbs == prepared.dtbs
    with pytest.raises(WrongValue):
        complete_seal(again, circle.organisation.key.sign(again.dtbs))
    with pytest.raises(WrongValue):
        complete_seal(again, circle.person.key.sign(again.dtbs + b"\x00"))


def test_a_seal_signature_goes_through_json_to_a_key_elsewhere(circle: Circle, version: SealVersion) -> None:
    prepared = prepare_seal_signature(
        seal_of(circle.suite_name, version),
        data_hash=hash_for(circle),
        property_info=PROPERTY,
        time=NOW,
        certificate=circle.organisation.certificate,
    )
    again = PreparedSealSignature.from_json(prepared.to_json())
    assert again == prepared
    assert complete_seal_signature(again, circle.organisation.key.sign(again.dtbs)).tbs == prepared.dtbs
    with pytest.raises(WrongValue):
        complete_seal_signature(again, circle.person.key.sign(again.dtbs))


# What versions differ in ----------------------------------------------------------------------------------------------
def test_the_maker_signs_certificate_and_algorithm_only_in_2014() -> None:
    first, fourth, fifth = (seal_of("sm2", version) for version in VERSIONS)
    inside = der.octet_string(first.maker) + der.oid(oids.SM2_WITH_SM3)
    assert first.tbs.endswith(inside)
    assert inside not in fourth.tbs
    assert fourth.der.startswith(fourth.der[:4] + fourth.tbs)
    assert [len(list(ber.load(seal.der))) for seal in (first, fourth, fifth)] == [2, 4, 4]


def test_seals_of_2014_have_utctime_and_later_ones_generalizedtime() -> None:
    assert b"\x17\x0d261121100000Z" in seal_of("sm2", V1).der
    for version in (V4, V5):
        assert b"\x18\x0f20261121100000Z" in seal_of("sm2", version).der


def test_a_seal_of_2025_is_time_stamped_over_its_value() -> None:
    circle = circle_of("sm2")
    spec = spec_of("sm2", V5)
    seal = make_seal(spec, circle.person.key, circle.person.certificate, circle.timestamper)
    assert seal.time_stamp is not None
    token = read_token(seal.time_stamp)
    token.verify("sm3", suites.digest("sm3", seal.signature))
    assert token.gen_time >= seal.created
    assert seal.der.endswith(der.tlv(0xA0, der.bit_string(seal.time_stamp)))


def test_a_time_stamp_from_before_the_seal_was_made_is_refused() -> None:
    circle = circle_of("sm2")
    later = spec_of("sm2", V5, created=NOW + timedelta(seconds=1))
    with pytest.raises(TimeStampError, match="before the seal was made"):
        make_seal(later, circle.person.key, circle.person.certificate, circle.timestamper)


@pytest.mark.parametrize("version", [V1, V4])
def test_a_seal_before_2025_takes_no_time_stamp(version: SealVersion) -> None:
    circle = circle_of("sm2")
    with pytest.raises(OptionError, match="has no time-stamp"):
        make_seal(spec_of("sm2", version), circle.person.key, circle.person.certificate, circle.timestamper)


@pytest.mark.parametrize("version", [V4, V5])
def test_a_seal_signature_is_time_stamped_over_its_value(version: SealVersion) -> None:
    circle = circle_of("sm2")
    signed = sign(circle, version, timestamper=circle.timestamper)
    assert signed.time_stamp is not None
    read_token(signed.time_stamp).verify("sm3", suites.digest("sm3", signed.signature))


def test_a_seal_signature_of_2014_takes_no_time_stamp_and_no_extensions() -> None:
    circle = circle_of("sm2")
    with pytest.raises(OptionError, match="no place for a time-stamp"):
        sign(circle, V1, timestamper=circle.timestamper)
    with pytest.raises(OptionError, match="no extensions"):
        sign(circle, V1, extensions=(SealExtension("1.2.3", critical=False, value=b"x"),))


@pytest.mark.parametrize("version", [V4, V5])
def test_extensions_are_written_and_read_back(version: SealVersion) -> None:
    extensions = (
        SealExtension("1.2.3.4", critical=True, value=b"\x05\x00"),
        SealExtension("1.2.3.5", critical=False, value=b""),
    )
    assert sign(circle_of("sm2"), version, extensions=extensions).extensions == extensions
    seal = seal_of("sm2", version, extensions=extensions, filing_number=None)
    assert (seal.extensions, seal.filing_number) == (extensions, None)
    with pytest.raises(OptionError, match="twice"):
        seal_of("sm2", version, extensions=extensions * 2)


# Who may use a seal ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("suite", SIGNING)
@pytest.mark.parametrize("version", [V4, V5])
def test_a_list_of_digests_stands_for_the_certificates(suite: str, version: SealVersion) -> None:
    circle = circle_of(suite)
    seal = seal_of(suite, version, digests=True)
    assert seal.certificates == ()
    (entry,) = seal.certificate_digests
    assert entry.type == suites.digest_oid(circle.person.key.suite.digest_name)
    assert seal.lists(circle.organisation.certificate.der) == "digest"
    assert seal.lists(circle.person.certificate.der) is None
    owner = circle.organisation
    signed = sign_with_seal(
        seal, owner.key, owner.certificate, data_hash=hash_for(circle), property_info=PROPERTY, time=NOW
    )
    assert read_seal_signature(signed.der).seal == seal


def test_a_certificate_outside_the_list_may_not_seal(version: SealVersion) -> None:
    circle = circle_of("sm2")
    with pytest.raises(SealRefused) as caught:
        sign_with_seal(
            seal_of("sm2", version),
            circle.person.key,
            circle.person.certificate,
            data_hash=hash_for(circle),
            property_info=PROPERTY,
            time=NOW,
        )
    assert caught.value.facts["reason"] == "not-listed"
    assert caught.value.code == "seal-refused"


@pytest.mark.parametrize(("days", "word"), [(-2, "not valid yet"), (366, "has expired")])
def test_a_seal_is_not_used_outside_its_validity(days: int, word: str) -> None:
    with pytest.raises(SealRefused, match=word) as caught:
        sign(circle_of("sm2"), V5, time=NOW + timedelta(days=days))
    assert caught.value.facts["reason"] == "seal-not-valid"


def test_a_certificate_that_has_expired_or_is_for_encryption_may_not_seal() -> None:
    circle = circle_of("sm2")
    owner = circle.organisation.certificate
    seal = seal_of("sm2", valid_to=owner.not_after + timedelta(days=10))
    usual: dict[str, Any] = {"data_hash": hash_for(circle), "property_info": PROPERTY, "certificate": owner}
    with pytest.raises(SealRefused) as caught:
        prepare_seal_signature(seal, time=owner.not_after + timedelta(seconds=1), **usual)
    assert caught.value.facts["reason"] == "certificate-not-valid"
    issuer = circle.issuing  # key usage: certificates and lists only
    listing = dataclasses.replace(seal, certificates=(issuer.der,))
    with pytest.raises(SealRefused) as caught:
        prepare_seal_signature(listing, time=NOW, **usual | {"certificate": issuer})
    assert caught.value.facts["reason"] == "key-usage"


def test_a_seal_that_was_altered_is_not_used() -> None:
    circle = circle_of("sm2")
    seal = seal_of("sm2")
    altered = read_seal(seal.der.replace(b"31010000000042", b"31010000000043"))
    with pytest.raises(SealRefused) as caught:
        prepare_seal_signature(
            altered,
            data_hash=hash_for(circle),
            property_info=PROPERTY,
            time=NOW,
            certificate=circle.organisation.certificate,
        )
    assert caught.value.facts["reason"] == "seal-value"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data_hash": bytes(20)}, "20 octets"),
        ({"property_info": "签名.xml"}, "ASCII"),
        ({"property_info": ""}, "ASCII"),
        ({"time": datetime(2026, 11, 21)}, "time zone"),  # noqa: DTZ001 - that is what is refused
    ],
)
def test_options_that_no_seal_signature_can_have(change: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        sign(circle_of("sm2"), V5, **change)


# What no seal can be --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"owners": ()}, "1 to 1000 certificates"),
        ({"version": V1, "digests": True}, "certificates, not digests"),
        ({"version": V1, "valid_to": datetime(2050, 1, 1, tzinfo=UTC)}, "UTCTime"),
        ({"valid_to": NOW - timedelta(days=2)}, "ends before"),
        ({"created": datetime(2026, 11, 21)}, "time zone"),  # noqa: DTZ001 - that is what is refused
        ({"vendor": "砚川"}, "vendor of a seal is ASCII"),
        ({"seal_id": ""}, "number of a seal has"),
        ({"name": "江海\u202e公司"}, "name of a seal has"),
        ({"name": "x" * 201}, "name of a seal has"),
        ({"filing_number": " "}, "filing number"),
        ({"type": 0}, "positive number"),
        ({"picture": SealPicture("PNG", raster(), 0, 40)}, "sides of 1 to 500 mm"),
        ({"picture": SealPicture("PNG", raster(), 40, 501)}, "sides of 1 to 500 mm"),
        ({"picture": SealPicture("JPG", raster(), 40, 40)}, "the picture is PNG, not 'JPG'"),
        ({"picture": SealPicture("PNG", SVG, 40, 40)}, "the picture is SVG"),
        (
            {"extensions": (SealExtension(oids.SEAL_FILING_NUMBER, critical=False, value=b"\x0c\x011"),)},
            "twice",
        ),
    ],
)
def test_what_no_seal_can_be(change: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        prepare_seal(spec_of("sm2", **change), circle_of("sm2").person.certificate)


def test_a_picture_that_is_none_is_refused() -> None:
    with pytest.raises(AppearanceError):
        prepare_seal(spec_of("sm2", picture=SealPicture("PNG", b"x", 40, 40)), circle_of("sm2").person.certificate)


def test_the_maker_must_be_able_to_sign_when_the_seal_is_made() -> None:
    circle = circle_of("sm2")
    maker = circle.person.certificate
    with pytest.raises(SealRefused) as caught:
        prepare_seal(spec_of("sm2", created=maker.not_before - timedelta(seconds=1)), maker)
    assert caught.value.facts["reason"] == "certificate-not-valid"
    with pytest.raises(SealRefused) as caught:
        prepare_seal(spec_of("sm2"), circle.issuing)
    assert caught.value.facts["reason"] == "key-usage"


def test_a_certificate_for_encryption_is_not_listed() -> None:
    circle = circle_of("sm2")
    with pytest.raises(SealRefused) as caught:
        prepare_seal(spec_of("sm2", owners=(circle.issuing,)), circle.person.certificate)
    assert caught.value.facts["reason"] == "owner"


def test_the_key_must_be_the_makers() -> None:
    circle = circle_of("sm2")
    with pytest.raises(OptionError, match="does not belong to the key"):
        make_seal(spec_of("sm2"), circle.organisation.key, circle.person.certificate)


def test_a_suite_whose_algorithm_needs_parameters_makes_no_seal() -> None:
    circle = circle_of("rsa-pss")
    with pytest.raises(OptionError, match="no place for the parameters of rsa-pss"):
        make_seal(spec_of("rsa-pss"), circle.person.key, circle.person.certificate)


def test_a_raw_value_is_read_but_not_written() -> None:
    circle = circle_of("sm2")
    prepared = prepare_seal(spec_of("sm2", V4), circle.person.certificate)
    r, s = der.decode_integer_pair(circle.person.key.sign(prepared.dtbs))
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    with pytest.raises(WrongValue, match="raw"):
        complete_seal(prepared, raw)
    seal = prepared.sealed(raw)
    checked = verify_value(circle.person.certificate, seal.signature_algorithm, seal.signature, seal.tbs)
    assert (checked.suite, checked.variants) == ("sm2", ("raw-value",))
    with pytest.raises(BadSignature):
        verify_value(circle.person.certificate, seal.signature_algorithm, raw[:-1] + bytes((raw[-1] ^ 1,)), seal.tbs)


# Preparations of strangers --------------------------------------------------------------------------------------------
def test_a_preparation_that_contradicts_itself_is_refused() -> None:
    circle = circle_of("sm2")
    prepared = prepare_seal(spec_of("sm2", V4), circle.person.certificate)
    signature = prepare_seal_signature(
        seal_of("sm2", V4),
        data_hash=hash_for(circle),
        property_info=PROPERTY,
        time=NOW,
        certificate=circle.organisation.certificate,
    )
    texts = [
        *("", "{}", "[]", "null", "\ud800", '{"schema": "sealroad.prepared-seal/1"}'),
        dataclasses.replace(prepared, version=V1).to_json(),
        dataclasses.replace(prepared, version=V5).to_json(),
        dataclasses.replace(prepared, suite="rsa-pss").to_json(),
        dataclasses.replace(prepared, suite="none").to_json(),
        dataclasses.replace(prepared, info=b"\x30\x00").to_json(),
        dataclasses.replace(signature, version=V5).to_json(),
        dataclasses.replace(signature, dtbs=b"\x30\x00").to_json(),
    ]
    for text in texts:
        for reader in (PreparedSeal.from_json, PreparedSealSignature.from_json):
            with pytest.raises(MalformedInput):
                reader(text)
