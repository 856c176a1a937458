"""CMS from elsewhere, and beside a file: checked before it is used, time-stamped without being touched."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from certs import ber, der, oids, suites
from certs.certificate import armor
from certs.errors import MalformedInput, TimeStampError
from certs.signed_data import (
    assemble,
    attribute,
    build_signed_data,
    parse_signed_data,
    set_of,
    signed_attributes,
)
from certs.timestamp import read_token
from signer.cms import (
    COMMITMENT_TYPE_INDICATION,
    estimated_size,
    finish,
    pades_attributes,
    sign_detached,
    with_time_stamp,
)
from signer.errors import OptionError, WrongValue
from signer.pades.options import SignOptions
from signer.pades.sign import Prepared, complete, prepare
from tests.conftest import CLOCK, NOW, Circle, circle_of, make_pdf
from tests.signer.signing import TIME_STAMP, byte_ranges, check_all, levels

SUITE = "ecdsa-p256"


def prepared_file(tmp_path: Path, suite_name: str = SUITE, **options: object) -> tuple[Path, Prepared]:
    (tmp_path / "in.pdf").write_bytes(make_pdf())
    certificate = circle_of(suite_name).organisation.certificate
    target = tmp_path / "prepared.pdf"
    chosen = SignOptions(reserve=30_000, **options)  # type: ignore[arg-type]  # three ML-DSA certificates
    return target, prepare(tmp_path / "in.pdf", target, chosen, certificate, (), CLOCK)


def foreign(circle: Circle, digest: bytes, **changes: object) -> bytes:
    """A CMS as another program makes it."""
    holder = circle.organisation
    suite = holder.key.suite
    attributes = signed_attributes(suite, holder.certificate, digest, **changes)  # type: ignore[arg-type]
    return assemble(suite, holder.certificate, attributes, holder.key.sign(attributes), chain=circle.chain)


# A CMS that another program made -------------------------------------------------------------------------------------
def test_a_cms_from_elsewhere_is_taken(tmp_path: Path, signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    path, prepared = prepared_file(tmp_path, signing_suite)
    complete(path, prepared, cms=foreign(circle, prepared.document_digest))
    assert check_all(path.read_bytes()) == [signing_suite]


def test_a_cms_from_elsewhere_is_time_stamped(tmp_path: Path, signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    path, prepared = prepared_file(tmp_path, signing_suite, level="B-T")
    cms = foreign(circle, prepared.document_digest)
    complete(path, prepared, cms=cms, timestamper=circle.timestamper)
    assert check_all(path.read_bytes()) == [signing_suite]
    assert levels(path.read_bytes()) == [True]


def test_pem_and_zero_padding_are_taken(tmp_path: Path) -> None:
    circle = circle_of(SUITE)
    for number, change in enumerate((lambda cms: armor("CMS", cms).encode(), lambda cms: cms + bytes(100))):
        folder = tmp_path / str(number)
        folder.mkdir()
        path, prepared = prepared_file(folder)
        complete(path, prepared, cms=change(foreign(circle, prepared.document_digest)))
        check_all(path.read_bytes())


def test_a_cms_of_indefinite_length_becomes_definite(tmp_path: Path) -> None:
    path, prepared = prepared_file(tmp_path)
    encoded = foreign(circle_of(SUITE), prepared.document_digest)
    inside = ber.load(encoded).content()
    complete(path, prepared, cms=b"\x30\x80" + inside + b"\x00\x00")
    ((_, before, behind, _),) = byte_ranges(path.read_bytes())
    assert bytes.fromhex(path.read_bytes()[before + 1 : behind - 1].decode()).startswith(encoded)


def wrong_cms(kind: str, prepared: Prepared) -> bytes:
    circle = circle_of(SUITE)
    holder, suite = circle.organisation, circle.organisation.key.suite
    good = foreign(circle, prepared.document_digest)
    match kind:
        case "nothing":
            return b""
        case "rubbish":
            return b"\x30\x03\x02\x01\x05"
        case "cut":
            return good[:-20]
        case "trailing":
            return good + b"x"
        case "other digest":
            return foreign(circle, bytes(32))
        case "other signer":
            person = circle.person
            attributes = signed_attributes(suite, person.certificate, prepared.document_digest)
            return assemble(suite, person.certificate, attributes, person.key.sign(attributes))
        case "other key":
            attributes = signed_attributes(suite, holder.certificate, prepared.document_digest)
            return assemble(suite, holder.certificate, attributes, circle.person.key.sign(attributes))
        case "content inside":
            return build_signed_data(b"content", holder.key, holder.certificate)
        case "other suite":
            return foreign(circle_of("ed25519"), prepared.document_digest)
        case "no attributes":
            return assemble(suite, holder.certificate, None, holder.key.sign(b"x"))
        case "no signing certificate":
            attributes = set_of(
                [
                    attribute(oids.CONTENT_TYPE, der.oid(oids.DATA)),
                    attribute(oids.MESSAGE_DIGEST, der.octet_string(prepared.document_digest)),
                ]
            )
            return assemble(suite, holder.certificate, attributes, holder.key.sign(attributes))
        case "signing certificate of another":
            attributes = signed_attributes(suite, circle.person.certificate, prepared.document_digest)
            return assemble(suite, holder.certificate, attributes, holder.key.sign(attributes))
        case "flipped":
            return good[:-1] + bytes((good[-1] ^ 1,))
        case _:
            raise AssertionError(kind)


@pytest.mark.parametrize(
    "kind",
    [
        "nothing",
        "rubbish",
        "cut",
        "trailing",
        "other digest",
        "other signer",
        "other key",
        "content inside",
        "other suite",
        "no attributes",
        "no signing certificate",
        "signing certificate of another",
        "flipped",
    ],
)
def test_a_cms_that_does_not_fit_is_refused_and_the_file_stays(tmp_path: Path, kind: str) -> None:
    path, prepared = prepared_file(tmp_path)
    before = path.read_bytes()
    with pytest.raises(WrongValue):
        complete(path, prepared, cms=wrong_cms(kind, prepared))
    assert path.read_bytes() == before
    complete(path, prepared, cms=foreign(circle_of(SUITE), prepared.document_digest))
    check_all(path.read_bytes())


def test_pkcs7_needs_no_signing_certificate_attribute(tmp_path: Path) -> None:
    path, prepared = prepared_file(tmp_path, subfilter="adbe.pkcs7.detached")
    complete(path, prepared, cms=wrong_cms("no signing certificate", prepared))


# Building ------------------------------------------------------------------------------------------------------------
def test_the_size_is_never_underestimated(suite_name: str) -> None:
    circle = circle_of(suite_name)
    holder, suite = circle.organisation, circle.organisation.key.suite
    attributes = pades_attributes(suite, holder.certificate, bytes(64), commitment="1.2.3")
    size = estimated_size(suite, holder.certificate, circle.chain, len(attributes))
    for _ in range(3):
        cms = finish(suite, holder.certificate, circle.chain, attributes, holder.key.sign(attributes))
        assert len(cms) <= size
        assert size - len(cms) < 600


def test_the_commitment_is_the_one_asked_for() -> None:
    circle = circle_of(SUITE)
    holder = circle.organisation
    attributes = pades_attributes(
        holder.key.suite, holder.certificate, bytes(32), commitment="1.2.840.113549.1.9.16.6.5"
    )
    cms = finish(holder.key.suite, holder.certificate, (), attributes, holder.key.sign(attributes))
    (value,) = parse_signed_data(cms).signers[0].values(COMMITMENT_TYPE_INDICATION)
    assert ber.load(value).members().next().oid() == "1.2.840.113549.1.9.16.6.5"


def test_a_time_stamp_changes_nothing_that_was_signed(signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    cms = foreign(circle, bytes(suites.new_digest(circle.organisation.key.suite.digest_name).digest_size))
    before = parse_signed_data(cms).signers[0]
    digest = circle.organisation.key.suite.digest_name
    token = circle.timestamper.stamp(digest, suites.digest(digest, before.signature))
    once = with_time_stamp(cms, token)
    twice = with_time_stamp(once, token)
    for stamped, count in ((once, 1), (twice, 2)):
        after = parse_signed_data(stamped).signers[0]
        assert after.signed_attributes == before.signed_attributes
        assert after.signature == before.signature
        assert after.unsigned_values(TIME_STAMP) == (token,) * count
        after.verify(digest=before.message_digest)


@pytest.mark.parametrize("octets", [b"", b"\x30\x00", b"\x30\x80\x00\x00", b"\x02\x01\x01"])
def test_a_time_stamp_on_what_is_no_cms(octets: bytes) -> None:
    with pytest.raises(MalformedInput):
        with_time_stamp(octets, b"\x05\x00")


# Beside a file -------------------------------------------------------------------------------------------------------
def test_a_detached_signature_over_any_file(signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    holder = circle.organisation
    content = b"any octets " * 300_000
    cms = sign_detached(io.BytesIO(content), holder.key, holder.certificate, circle.chain, clock=CLOCK)
    (signer,) = parse_signed_data(cms).signers
    assert signer.verify(content) == signing_suite
    assert signer.signing_time == NOW
    assert signer.content is None


def test_a_detached_signature_with_a_time_stamp(signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    holder = circle.organisation
    cms = sign_detached(
        io.BytesIO(b"x"), holder.key, holder.certificate, clock=CLOCK, level="B-T", timestamper=circle.timestamper
    )
    (signer,) = parse_signed_data(cms).signers
    (token,) = signer.unsigned_values(TIME_STAMP)
    stamp = read_token(token)
    stamp.verify(stamp.digest_name, suites.digest(stamp.digest_name, signer.signature))


def test_a_detached_signature_is_refused_like_any_other() -> None:
    circle = circle_of(SUITE)
    holder = circle.organisation
    with pytest.raises(OptionError):
        sign_detached(io.BytesIO(b""), circle.person.key, holder.certificate, clock=CLOCK)
    with pytest.raises(OptionError):
        sign_detached(io.BytesIO(b""), holder.key, holder.certificate, clock=CLOCK, level="B-T")

    class Silent:
        def stamp(self, digest_name: str, digest: bytes) -> bytes:
            raise ConnectionError("nobody there")

    with pytest.raises(TimeStampError):
        sign_detached(io.BytesIO(b""), holder.key, holder.certificate, clock=CLOCK, level="B-T", timestamper=Silent())
