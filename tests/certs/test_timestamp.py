"""Time-stamps of every suite, from both sides."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certs import ber, der, oids, suites
from certs.clock import Clock, FixedClock
from certs.errors import BadSignature, CertsError, MalformedInput, SealroadError, TimeStampError, UnsupportedAlgorithm
from certs.signed_data import assemble, signed_attributes
from certs.timestamp import check_response, make_request, read_request, read_token
from certs.tsa import TimeStampAuthority
from tests.conftest import NOW, Circle, circle_of

DATA = b"signature value"


def digest_of(circle: Circle) -> tuple[str, bytes]:
    name = circle.tsa.key.suite.digest_name
    if name.startswith("shake"):
        name = "sha512"
    return name, suites.digest(name, DATA)


def test_a_token_answers_its_request(circle: Circle, suite_name: str) -> None:
    name, digest = digest_of(circle)
    request = make_request(name, digest)
    token = check_response(circle.timestamper.respond(request), request)
    assert token.gen_time == NOW
    assert token.accuracy == timedelta(seconds=1)
    assert token.digest_name == name
    assert token.certificate() == circle.tsa.certificate
    assert circle.issuing in token.certificates
    assert token.verify(name, digest) == suite_name
    assert token.signer.signing_certificates[0].digest_oid == circle.tsa.key.suite.digest_algorithm.oid


def test_a_token_without_a_request(circle: Circle, suite_name: str) -> None:
    name, digest = digest_of(circle)
    token = read_token(circle.timestamper.stamp(name, digest))
    assert token.nonce is None
    assert token.verify(name, digest) == suite_name


@pytest.mark.parametrize("name", ["sha256", "sha384", "sha512", "sm3", "streebog256", "streebog512", "sha3-256"])
def test_every_good_digest_is_stamped_by_every_authority(signing_suite: str, name: str) -> None:
    circle = circle_of(signing_suite)
    digest = suites.digest(name, DATA)
    assert read_token(circle.timestamper.stamp(name, digest)).verify(name, digest) == signing_suite


def test_without_certificates_the_authoritys_comes_from_elsewhere(circle: Circle, suite_name: str) -> None:
    name, digest = digest_of(circle)
    request = make_request(name, digest, certificates=False)
    response = circle.timestamper.respond(request)
    token = check_response(response, request, others=[circle.person.certificate, circle.tsa.certificate])
    assert token.certificates == ()
    with pytest.raises(TimeStampError):
        check_response(response, request)


def test_a_token_for_other_data_is_refused(circle: Circle) -> None:
    name, digest = digest_of(circle)
    token = read_token(circle.timestamper.stamp(name, digest))
    with pytest.raises(TimeStampError):
        token.verify(name, suites.digest(name, b"other"))
    other = "sha256" if name != "sha256" else "sm3"
    with pytest.raises(TimeStampError):
        token.verify(other, digest)


def test_no_flipped_bit_in_what_is_signed_goes_unnoticed(circle: Circle) -> None:
    name, digest = digest_of(circle)
    data = circle.timestamper.stamp(name, digest)
    token = read_token(data)
    assert token.signed_data.content is not None
    assert token.signer.signed_attributes is not None
    regions = (token.signed_data.content, token.signer.signed_attributes[1:], token.signer.signature)
    for octets in regions:
        start = data.rindex(octets)
        for position in range(start, start + len(octets), max(1, len(octets) // 20)):
            mutated = bytearray(data)
            mutated[position] ^= 1 << position % 8
            with pytest.raises(CertsError):
                read_token(bytes(mutated)).verify(name, digest)


def test_the_answer_to_another_request_is_refused(signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    digest = suites.digest("sha256", DATA)
    first = make_request("sha256", digest, nonce=1)
    answer = circle.timestamper.respond(first)
    check_response(answer, first)
    for request in (
        make_request("sha256", digest, nonce=2),
        make_request("sha256", suites.digest("sha256", b"other"), nonce=1),
        make_request("sm3", suites.digest("sm3", DATA), nonce=1),
        make_request("sha256", digest, nonce=1, policy="1.2.3"),
    ):
        with pytest.raises(TimeStampError):
            check_response(answer, request)


def failure_of(response: bytes) -> str:
    with pytest.raises(TimeStampError) as caught:
        check_response(response, make_request("sha256", bytes(32)))
    assert caught.value.facts["status"] == "rejection"
    return str(caught.value.facts["failure"])


GOOD = suites.digest("sha256", DATA) if hasattr(suites, "digest") else bytes(32)


def _request(*members: bytes) -> bytes:
    return der.sequence(*members)


def _imprint(oid: str, octets: bytes) -> bytes:
    return der.sequence(der.sequence(der.oid(oid)), der.octet_string(octets))


@pytest.mark.parametrize(
    ("request_der", "failure"),
    [
        (b"", "badDataFormat"),
        (b"hello", "badDataFormat"),
        (bytes(5000), "badDataFormat"),
        (_request(der.integer(2), _imprint(oids.SHA256, bytes(32))), "badDataFormat"),
        (_request(der.integer(1), _imprint(oids.SHA256, bytes(31))), "badDataFormat"),
        (_request(der.integer(1), _imprint(oids.SHA1, bytes(20))), "badAlg"),
        (_request(der.integer(1), _imprint("1.2.3.4", bytes(20))), "badAlg"),
        (_request(der.integer(1), _imprint(oids.SHA256, bytes(32)), der.oid("1.2.3")), "unacceptedPolicy"),
        (
            _request(
                der.integer(1),
                _imprint(oids.SHA256, bytes(32)),
                der.tlv(0xA0, der.sequence(der.oid("1.2.3"), der.octet_string(b""))),
            ),
            "unacceptedExtension",
        ),
    ],
)
def test_a_bad_request_is_answered_with_its_failure(request_der: bytes, failure: str) -> None:
    assert failure_of(circle_of("ecdsa-p256").timestamper.respond(request_der)) == failure


class Moving:
    """A clock whose hands the test moves."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


def authority(circle: Circle, clock: Clock, **options: object) -> TimeStampAuthority:
    return TimeStampAuthority(circle.tsa.key, circle.tsa.certificate, circle.chain[:1], clock, **options)  # type: ignore[arg-type]


def test_no_time_without_a_clock_that_goes_forward() -> None:
    circle = circle_of("ed25519")
    clock = Moving(NOW)
    tsa = authority(circle, clock)
    request = make_request("sha256", GOOD)
    check_response(tsa.respond(request), request)
    clock.moment = NOW - timedelta(seconds=1)
    assert failure_of(tsa.respond(request)) == "timeNotAvailable"
    clock.moment = NOW + timedelta(milliseconds=250)
    assert check_response(tsa.respond(request), request).gen_time == clock.moment


def test_no_time_outside_the_certificates_life() -> None:
    circle = circle_of("ed25519")
    for moment in (circle.tsa.certificate.not_before - timedelta(1), circle.tsa.certificate.not_after + timedelta(1)):
        assert (
            failure_of(authority(circle, FixedClock(moment)).respond(make_request("sha256", GOOD)))
            == "timeNotAvailable"
        )
        with pytest.raises(TimeStampError):
            authority(circle, FixedClock(moment)).stamp("sha256", GOOD)


def test_a_certificate_for_something_else_makes_no_authority() -> None:
    circle = circle_of("ed25519")
    with pytest.raises(TimeStampError):
        TimeStampAuthority(circle.person.key, circle.person.certificate, (), FixedClock(NOW))
    with pytest.raises(TimeStampError):
        TimeStampAuthority(circle.person.key, circle.tsa.certificate, (), FixedClock(NOW))


def test_a_faulty_signature_does_not_leave() -> None:
    circle = circle_of("ecdsa-p256")

    class Faulty:
        suite = circle.tsa.key.suite
        public_key = circle.tsa.key.public_key

        def sign(self, message: bytes) -> bytes:
            return circle.tsa.key.sign(message + b"x")

    tsa = TimeStampAuthority(Faulty(), circle.tsa.certificate, (), FixedClock(NOW))
    assert failure_of(tsa.respond(make_request("sha256", GOOD))) == "systemFailure"
    with pytest.raises(BadSignature):
        tsa.stamp("sha256", GOOD)


def test_serials_do_not_repeat_and_policies_are_the_ones_offered() -> None:
    circle = circle_of("ed25519")
    tsa = authority(circle, FixedClock(NOW), policy_oid="1.2.3.4", policies=["1.2.3.5"])
    tokens = [read_token(tsa.stamp("sha256", GOOD)) for _ in range(50)]
    assert len({token.serial for token in tokens}) == 50
    assert {token.policy for token in tokens} == {"1.2.3.4"}
    request = make_request("sha256", GOOD, policy="1.2.3.5")
    assert check_response(tsa.respond(request), request).policy == "1.2.3.5"


def _answer(status: int, token: bytes = b"") -> bytes:
    return der.sequence(der.sequence(der.integer(status)), token)


def test_granted_with_modifications_is_granted() -> None:
    circle = circle_of("ed25519")
    request = make_request("sha256", GOOD)
    response = circle.timestamper.respond(request)
    token = list(ber.load(response))[1].raw()
    for status in (0, 1):
        check_response(_answer(status, token), request)
    for status in (2, 3, 4, 5, 99, -1):
        with pytest.raises(TimeStampError):
            check_response(_answer(status, token), request)
    with pytest.raises(TimeStampError):
        check_response(_answer(0), request)


def test_the_outer_identifier_of_gm_t_0033_is_read() -> None:
    circle = circle_of("sm2")
    digest = suites.digest("sm3", DATA)
    data = circle.timestamper.stamp("sm3", digest)
    body = list(ber.load(data))[1].raw()
    token = read_token(der.sequence(der.oid(oids.GM_SIGNED_DATA), body))
    assert token.outer_oid == oids.GM_SIGNED_DATA
    assert token.verify("sm3", digest) == "sm2"


def _token(circle: Circle, info: bytes, *, content_type: str = oids.TST_INFO, attributes: bool = True) -> bytes:
    suite, certificate = circle.tsa.key.suite, circle.tsa.certificate
    digest = suites.digest(suite.digest_name, info)
    signed = signed_attributes(suite, certificate, digest, content_type=content_type) if attributes else None
    value = circle.tsa.key.sign(signed or info)
    return assemble(suite, certificate, signed, value, content=info, content_type=content_type)


def _info(*tail: bytes, version: int = 1) -> bytes:
    imprint = _imprint(oids.SHA256, GOOD)
    moment = der.tlv(ber.GENERALIZED_TIME, b"20261121100000Z")
    return der.sequence(der.integer(version), der.oid("1.2.3"), imprint, der.integer(1), moment, *tail)


def test_an_accuracy_without_tags_is_read() -> None:
    circle = circle_of("ecdsa-p256")
    accuracy = der.sequence(der.integer(1), der.integer(20))
    assert read_token(_token(circle, _info(accuracy))).accuracy == timedelta(seconds=1, milliseconds=20)
    tagged = der.sequence(b"\x80\x01\x05", b"\x81\x01\x07")
    assert read_token(_token(circle, _info(tagged))).accuracy == timedelta(milliseconds=5, microseconds=7)


@pytest.mark.parametrize(
    "info",
    [
        _info(version=9),
        _info(der.tlv(0xA1, der.sequence(der.oid("1.2.3"), b"\x01\x01\xff", der.octet_string(b"")))),
        b"",
        der.sequence(),
        _info(b"\x0c\x01x"),
    ],
)
def test_a_token_whose_content_cannot_be_relied_on_is_refused(info: bytes) -> None:
    with pytest.raises(CertsError):
        read_token(_token(circle_of("ecdsa-p256"), info))


def test_a_signature_over_something_else_is_no_token() -> None:
    circle = circle_of("ecdsa-p256")
    with pytest.raises(TimeStampError):
        read_token(_token(circle, _info(), content_type=oids.DATA))
    with pytest.raises(MalformedInput):
        read_token(_token(circle, _info(), attributes=False)).verify("sha256", GOOD)


def test_a_token_that_names_another_certificate_is_refused() -> None:
    circle = circle_of("ecdsa-p256")
    suite = circle.tsa.key.suite
    attributes = signed_attributes(
        suite, circle.person.certificate, suites.digest("sha256", _info()), content_type=oids.TST_INFO
    )
    value = circle.tsa.key.sign(attributes)
    data = assemble(suite, circle.tsa.certificate, attributes, value, content=_info(), content_type=oids.TST_INFO)
    with pytest.raises(TimeStampError):
        read_token(data).verify("sha256", GOOD)


def test_an_unknown_digest_cannot_be_checked() -> None:
    token = read_token(circle_of("ed25519").timestamper.stamp("sha256", GOOD))
    with pytest.raises(UnsupportedAlgorithm):
        replace(token, digest_oid="1.2.3.4").verify("sha256", GOOD)


@settings(max_examples=150)
@given(data=st.binary(max_size=200), wrap=st.booleans())
def test_no_octets_raise_anything_builtin(data: bytes, wrap: bool) -> None:
    data = der.sequence(data) if wrap else data
    circle_of("ed25519").timestamper.respond(data)
    for action in (read_token, read_request, lambda octets: check_response(octets, make_request("sha256", GOOD))):
        try:
            action(data)
        except SealroadError:
            pass
