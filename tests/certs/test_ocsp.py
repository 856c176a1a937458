"""OCSP: every answer is right, signed in the issuer's suite, and believed only from who may give it."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from certs import ber, der, extensions, oids, profiles, suites
from certs.certificate import Certificate, Subject
from certs.clock import FixedClock
from certs.errors import BadSignature, MalformedInput, OCSPError, SealroadError
from certs.extension_values import Extension
from certs.keys.base import KeyHandle
from certs.ledger import Entry, MemoryLedger, Standing
from certs.ocsp import (
    MALFORMED_REQUEST,
    TRY_LATER,
    UNAUTHORIZED,
    OCSPResponse,
    error_response,
    key_hash,
    make_cert_id,
    make_request,
    read_request,
    request_for,
    successful_response,
)
from certs.ocsp_check import check_response
from certs.ocsp_responder import MAX_QUESTIONS, Answers, OCSPResponder, Responders
from certs.suites.base import AlgorithmID
from tests.certs.forge import forge
from tests.conftest import CLOCK, NOW, Circle, circle_of, keys_of, make_circle

DAY = timedelta(days=1)
GHOST = 0x5A_1234_5678_9ABC_DEF0_1234
"""A serial number that nobody issued."""


@dataclasses.dataclass
class Desk:
    """A circle with responders for both its authorities."""

    circle: Circle
    issuing: OCSPResponder
    root: OCSPResponder

    @property
    def person(self) -> Certificate:
        return self.circle.person.certificate

    @property
    def issuer(self) -> Certificate:
        return self.circle.issuing


def make_desk(suite_name: str) -> Desk:
    circle = make_circle(suite_name)
    key = keys_of(suite_name)[4]
    subject = Subject("OCSP", organisation="Sealroad Test", country="DE")
    made = []
    for authority in (circle.ca.issuing, circle.ca.root_authority):
        plan = authority.prepare(profiles.load("ocsp"), subject, key.public_key.spki)
        made.append(OCSPResponder(key, authority.issue(plan), authority.certificate, authority.ledger, CLOCK))
    return Desk(circle, *made)


@cache
def desk_of(suite_name: str) -> Desk:
    """The shared desk of a suite: the organisation's certificate is revoked in it."""
    desk = make_desk(suite_name)
    desk.circle.ca.revoke(desk.circle.organisation.certificate.serial, "keyCompromise")
    return desk


@pytest.fixture
def desk(suite_name: str) -> Desk:
    return desk_of(suite_name)


def ghost(desk: Desk) -> bytes:
    return request_for([make_cert_id(desk.issuer, GHOST)])


def ask(desk: Desk, *certificates: Certificate, **options: object) -> OCSPResponse:
    request = make_request([(each, desk.issuer) for each in certificates], **options)  # type: ignore[arg-type]
    return OCSPResponse(desk.issuing.respond(request))


# The responder -------------------------------------------------------------------------------------------------------
def test_good_revoked_and_unknown_in_one_answer_of_the_issuers_suite(desk: Desk) -> None:
    organisation = desk.circle.organisation.certificate
    ids = [make_cert_id(desk.issuer, serial) for serial in (desk.person.serial, organisation.serial, GHOST)]
    request = request_for(ids, nonce=b"n" * 32)
    answer = desk.issuing.respond(request)
    good, revoked, unknown = check_response(answer, request, desk.issuer, NOW)
    assert (good.status, good.revoked_at, good.reason) == ("good", None, None)
    assert (revoked.status, revoked.revoked_at, revoked.reason) == ("revoked", NOW, "keyCompromise")
    assert unknown.status == "unknown"
    assert {single.this_update for single in (good, revoked, unknown)} == {NOW}
    assert good.next_update == NOW + timedelta(hours=1)
    response = OCSPResponse(answer)
    assert response.produced_at == NOW
    assert response.nonce == b"n" * 32
    assert response.verify_signed_by(response.certificates[0]) == desk.circle.suite_name


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha384", "sm3", "streebog256", "streebog512", "sha3-256"])
def test_certificates_are_found_under_every_digest(digest: str) -> None:
    desk = desk_of("ecdsa-p256")
    request = make_request([(desk.person, desk.issuer)], digest=digest)
    assert read_request(request).cert_ids[0].digest_oid == suites.digest_oid(digest)
    assert check_response(desk.issuing.respond(request), request, desk.issuer, NOW)[0].status == "good"


def test_a_digest_nobody_computes_is_unknown() -> None:
    desk = desk_of("ecdsa-p256")
    algorithm = der.sequence(der.oid("1.2.3.4.5"))
    cert_id = der.sequence(algorithm, der.octet_string(b"x" * 20), der.octet_string(b"y" * 20), der.integer(5))
    assert OCSPResponse(desk.issuing.respond(request_for([cert_id]))).responses[0].status == "unknown"


def test_the_root_answers_for_the_issuing_authority(desk: Desk) -> None:
    both = Responders([desk.issuing, desk.root])
    for certificate, issuer in ((desk.person, desk.issuer), (desk.issuer, desk.circle.root)):
        request = make_request([(certificate, issuer)])
        assert check_response(both.respond(request), request, issuer, NOW)[0].status == "good"
    mixed = make_request([(desk.person, desk.issuer), (desk.issuer, desk.circle.root)])
    assert [single.status for single in OCSPResponse(both.respond(mixed)).responses] == ["good", "unknown"]
    other = circle_of("rsa" if desk.circle.suite_name != "rsa" else "ed25519")
    foreign = make_request([(other.person.certificate, other.issuing)])
    assert both.respond(foreign) == error_response(UNAUTHORIZED)
    assert OCSPResponse(desk.issuing.respond(foreign)).responses[0].status == "unknown"
    same_number = request_for([make_cert_id(other.issuing, desk.person.serial)])
    assert OCSPResponse(desk.issuing.respond(same_number)).responses[0].status == "unknown"


def test_the_issuer_itself_may_answer(desk: Desk) -> None:
    authority = desk.circle.ca.issuing
    responder = OCSPResponder(authority.key, authority.certificate, authority.certificate, authority.ledger, CLOCK)
    request = make_request([(desk.person, desk.issuer)])
    answer = responder.respond(request)
    assert OCSPResponse(answer).certificates == ()
    assert check_response(answer, request, desk.issuer, NOW)[0].status == "good"


def entry(state: str, serial: int, **more: object) -> Entry:
    issuer = circle_of("ed25519").ca.issuing.id
    return Entry(issuer, serial, "person", "x", b"", NOW, NOW + DAY, state, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "expected"), [("prepared", "unknown"), ("signing", "unknown"), ("issued", "good"), ("revoked", "revoked")]
)
def test_what_was_not_issued_is_not_good(state: str, expected: str) -> None:
    circle, ledger = circle_of("ed25519"), MemoryLedger()
    ledger.prepare(entry("prepared", 7))
    if state != "prepared":
        ledger.claim(circle.ca.issuing.id, 7)
    if state in ("issued", "revoked"):
        ledger.issued(circle.ca.issuing.id, 7, b"")
    if state == "revoked":
        ledger.revoke(circle.ca.issuing.id, 7, NOW, "superseded")
    responder = OCSPResponder(circle.ca.issuing.key, circle.issuing, circle.issuing, ledger, CLOCK)
    response = OCSPResponse(responder.respond(request_for([make_cert_id(circle.issuing, 7)])))
    assert response.responses[0].status == expected


def test_the_answer_changes_with_the_revocation(signing_suite: str) -> None:
    desk = make_desk(signing_suite)
    for nonce in (b"", None):
        assert ask(desk, desk.person, nonce=nonce).responses[0].status == "good"
    desk.circle.ca.revoke(desk.person.serial, "cessationOfOperation")
    for nonce in (None, b""):
        single = ask(desk, desk.person, nonce=nonce).responses[0]
        assert (single.status, single.reason) == ("revoked", "cessationOfOperation")


@pytest.mark.parametrize("size", [1, 16, 32, 128])
def test_nonces_come_back(size: int) -> None:
    desk = desk_of("ed25519")
    assert ask(desk, desk.person, nonce=b"\x01" * size).nonce == b"\x01" * size


@pytest.mark.parametrize("size", [0, 129, 1000])
def test_nonces_of_other_lengths_are_malformed(size: int) -> None:
    desk = desk_of("ed25519")
    with pytest.raises(MalformedInput):
        request_for([make_cert_id(desk.issuer, 1)], nonce=b"\x01" * size)
    assert desk.issuing.respond(with_extension(desk, oids.OCSP_NONCE, der.octet_string(bytes(size)))) == error_response(
        MALFORMED_REQUEST
    )


def with_extension(desk: Desk, oid: str, value: bytes, *, critical: bool = False) -> bytes:
    questions = der.sequence(der.sequence(make_cert_id(desk.issuer, desk.person.serial)))
    extension = extensions.encode(Extension(oid, critical, value))
    return der.sequence(der.sequence(questions, der.tlv(0xA2, der.sequence(extension))))


def test_unknown_extensions_matter_only_where_critical() -> None:
    desk = desk_of("ed25519")
    plain = desk.issuing.respond(with_extension(desk, "1.3.6.1.5.5.7.48.1.4", der.sequence(der.oid(oids.OCSP_BASIC))))
    assert OCSPResponse(plain).responses[0].status == "good"
    critical = with_extension(desk, "1.2.3.4", der.NULL_DER, critical=True)
    assert desk.issuing.respond(critical) == error_response(MALFORMED_REQUEST)


def test_old_nonces_without_their_octet_string_come_back_as_they_were() -> None:
    desk = desk_of("ed25519")
    response = OCSPResponse(desk.issuing.respond(with_extension(desk, oids.OCSP_NONCE, b"\xff\x00\x01")))
    assert response.nonce == b"\xff\x00\x01"


def test_too_large_and_too_many_is_malformed() -> None:
    desk = desk_of("ed25519")
    many = request_for([make_cert_id(desk.issuer, number) for number in range(1, MAX_QUESTIONS + 2)])
    for request in (b"", b"x", b"\x30\x80", many, bytes(5000), der.sequence(der.sequence(der.sequence()))):
        assert desk.issuing.respond(request) == error_response(MALFORMED_REQUEST)


def test_a_responder_without_ledger_key_or_certificate_says_so() -> None:
    class Broken(MemoryLedger):
        def standing(self, issuer: str, serial: int) -> Standing | None:
            raise RuntimeError("the disk is gone")

    class NoKey:
        def __init__(self, key: KeyHandle) -> None:
            self.suite, self.public_key = key.suite, key.public_key

        def sign(self, message: bytes) -> bytes:
            raise RuntimeError("the token is gone")

    desk = desk_of("ed25519")
    good, key = desk.issuing, keys_of("ed25519")[4]
    request = make_request([(desk.person, desk.issuer)])
    ledger = desk.circle.ca.issuing.ledger
    later = FixedClock(NOW + timedelta(days=31))
    broken = OCSPResponder(key, good.certificate, desk.issuer, Broken(), CLOCK)
    keyless = OCSPResponder(NoKey(key), good.certificate, desk.issuer, ledger, CLOCK)
    expired = OCSPResponder(key, good.certificate, desk.issuer, ledger, later)
    answers = [OCSPResponse(each.respond(request)) for each in (broken, keyless, expired)]
    assert [each.status for each in answers] == ["tryLater", "internalError", "unauthorized"]
    with pytest.raises(OCSPError, match="tryLater"):
        _ = answers[0].responses


def test_a_faulty_signature_does_not_leave(signing_suite: str) -> None:
    class Faulty:
        def __init__(self, key: KeyHandle) -> None:
            self.suite, self.public_key, self._key = key.suite, key.public_key, key

        def sign(self, message: bytes) -> bytes:
            return self._key.sign(message + b"\x00")

    desk, key = desk_of(signing_suite), keys_of(signing_suite)[4]
    ledger = desk.circle.ca.issuing.ledger
    responder = OCSPResponder(Faulty(key), desk.issuing.certificate, desk.issuer, ledger, CLOCK)
    assert OCSPResponse(responder.respond(ghost(desk))).status == "internalError"


def test_only_a_delegated_certificate_makes_a_responder() -> None:
    desk, keys = desk_of("ed25519"), keys_of("ed25519")
    ledger = desk.circle.ca.issuing.ledger
    for key, certificate, issuer, reason in (
        (keys[2], desk.person, desk.issuer, "purpose"),
        (keys[3], desk.issuing.certificate, desk.issuer, "key"),
        (keys[4], desk.issuing.certificate, desk.circle.root, "issuer"),
    ):
        with pytest.raises(OCSPError) as caught:
            OCSPResponder(key, certificate, issuer, ledger, CLOCK)
        assert caught.value.facts["reason"] == reason


def test_an_expired_certificate_is_answered_for_with_an_archive_cutoff() -> None:
    desk = make_desk("ed25519")
    late = FixedClock(desk.person.not_after + DAY)
    authority = desk.circle.ca.issuing
    responder = OCSPResponder(authority.key, authority.certificate, authority.certificate, authority.ledger, late)
    single = OCSPResponse(responder.respond(make_request([(desk.person, desk.issuer)]))).responses[0]
    assert single.status == "good"
    assert single.archive_cutoff == desk.issuer.not_before
    assert ask(desk, desk.person).responses[0].archive_cutoff is None


# Pre-produced --------------------------------------------------------------------------------------------------------
def test_answers_without_nonce_are_kept_until_half_their_life(signing_suite: str) -> None:
    desk = make_desk(signing_suite)
    key, certificate, ledger = keys_of(signing_suite)[4], desk.issuing.certificate, desk.circle.ca.issuing.ledger

    @dataclasses.dataclass
    class Hand:
        moment: object = NOW

        def now(self) -> object:
            return self.moment

    clock = Hand()
    responder = OCSPResponder(key, certificate, desk.issuer, ledger, clock)  # type: ignore[arg-type]
    request = make_request([(desk.person, desk.issuer)], nonce=None)
    first = responder.respond(request)
    clock.moment = NOW + timedelta(minutes=29)
    assert responder.respond(request) == first
    clock.moment = NOW + timedelta(minutes=31)
    assert OCSPResponse(responder.respond(request)).produced_at == clock.moment
    assert OCSPResponse(responder.respond(make_request([(desk.person, desk.issuer)]))).nonce is not None


def test_all_answers_go_to_a_directory_and_are_served_from_there(tmp_path: Path, signing_suite: str) -> None:
    desk = desk_of(signing_suite)
    count = desk.issuing.write_answers(tmp_path / "answers")
    files = sorted((tmp_path / "answers").iterdir())
    assert len(files) == count == 2 * len(desk.circle.ca.issuing.entries())
    served = Answers(tmp_path / "answers", CLOCK)
    for digest in ("sha1", "sha256"):
        for certificate, status in ((desk.person, "good"), (desk.circle.organisation.certificate, "revoked")):
            request = make_request([(certificate, desk.issuer)], digest=digest)
            answer = served.respond(request)
            with pytest.raises(OCSPError, match="no nonce"):
                check_response(answer, request, desk.issuer, NOW)
            assert check_response(answer, request, desk.issuer, NOW, nonce=False)[0].status == status
    assert served.respond(ghost(desk)) == error_response(UNAUTHORIZED)
    assert served.respond(b"x") == error_response(MALFORMED_REQUEST)
    late = Answers(tmp_path / "answers", FixedClock(NOW + DAY))
    assert late.respond(make_request([(desk.person, desk.issuer)])) == error_response(TRY_LATER)


# Reading -------------------------------------------------------------------------------------------------------------
def indefinite(encoded: bytes) -> bytes:
    """Return the same value with indefinite lengths wherever BER has them."""
    value = ber.load(encoded)
    if not value.constructed:
        return encoded
    return bytes((value.tag, 0x80)) + b"".join(indefinite(member.raw()) for member in value) + b"\x00\x00"


def test_requests_and_responses_in_ber_are_read(signing_suite: str) -> None:
    desk = desk_of(signing_suite)
    request = make_request([(desk.person, desk.issuer)], nonce=b"n" * 20)
    answer = desk.issuing.respond(indefinite(request))
    assert check_response(indefinite(answer), indefinite(request), desk.issuer, NOW)[0].status == "good"


def test_responses_named_by_key_without_parameters_and_with_strangers_certificates() -> None:
    desk, key = desk_of("ecdsa-p256"), keys_of("ecdsa-p256")[4]
    request = make_request([(desk.person, desk.issuer)])
    body = der.Reader(OCSPResponse(desk.issuing.respond(request)).tbs).enter()
    body.raw(0xA1)
    responder = der.tlv(0xA2, der.octet_string(key_hash(desk.issuing.certificate)))
    tbs = der.sequence(responder, body.data[body.position : body.stop])
    bag = der.tlv(0xA0, der.sequence(desk.person.der, b"\x30\x03\x02\x01\x05", desk.issuing.certificate.der))
    algorithm = key.suite.signature_algorithm("x509").der()  # type: ignore[arg-type]
    answer = successful_response(tbs, algorithm, key.sign(tbs), bag)
    assert check_response(answer, request, desk.issuer, NOW)[0].status == "good"


@given(st.binary(max_size=300))
def test_no_octets_upset_the_readers(data: bytes) -> None:
    desk = desk_of("ed25519")
    assert OCSPResponse(desk.issuing.respond(data)).status in ("malformedRequest", "unauthorized")
    with pytest.raises(SealroadError):
        _ = OCSPResponse(data).responses


@given(st.data())
def test_no_changed_octet_is_believed(data: st.DataObject) -> None:
    desk = desk_of("ed25519")
    request = make_request([(desk.person, desk.issuer)], nonce=b"n" * 32)
    answer = bytearray(desk.issuing.respond(request))
    position = data.draw(st.integers(0, len(answer) - 1))
    answer[position] ^= 1 << data.draw(st.integers(0, 7))
    try:
        assert check_response(bytes(answer), request, desk.issuer, NOW)[0].status == "good"
    except SealroadError:
        return
    # what may change unseen: octets outside of what is signed that carry nothing, such as the spare certificate's
    assert OCSPResponse(bytes(answer)).tbs == OCSPResponse(desk.issuing.respond(request)).tbs


@given(st.data())
def test_no_changed_request_upsets_the_responder(data: st.DataObject) -> None:
    desk = desk_of("ed25519")
    request = bytearray(make_request([(desk.person, desk.issuer)], nonce=b"n" * 32))
    for _ in range(data.draw(st.integers(1, 4))):
        request[data.draw(st.integers(0, len(request) - 1))] = data.draw(st.integers(0, 255))
    OCSPResponse(desk.issuing.respond(bytes(request)))


# Checking ------------------------------------------------------------------------------------------------------------
def refusal(answer: bytes, request: bytes, issuer: Certificate, at: object = NOW) -> str:
    with pytest.raises(OCSPError) as caught:
        check_response(answer, request, issuer, at)  # type: ignore[arg-type]
    return str(caught.value.facts["reason"])


def test_answers_to_other_questions_are_refused(desk: Desk) -> None:
    request = make_request([(desk.person, desk.issuer)])
    again = make_request([(desk.person, desk.issuer)])
    tsa = make_request([(desk.circle.tsa.certificate, desk.issuer)], nonce=None)
    answer = desk.issuing.respond(request)
    assert refusal(answer, again, desk.issuer) == "nonce"
    assert refusal(answer, tsa, desk.issuer) == "unanswered"
    assert refusal(answer, request, desk.circle.root) == "issuer"
    assert refusal(error_response(TRY_LATER), request, desk.issuer) == "status"


def test_old_answers_and_those_from_the_future_are_refused(signing_suite: str) -> None:
    desk = desk_of(signing_suite)
    request = make_request([(desk.person, desk.issuer)])
    answer = desk.issuing.respond(request)
    check_response(answer, request, desk.issuer, NOW + timedelta(hours=1))
    check_response(answer, request, desk.issuer, NOW - timedelta(minutes=5))
    assert refusal(answer, request, desk.issuer, NOW + timedelta(hours=1, seconds=1)) == "time"
    assert refusal(answer, request, desk.issuer, NOW - timedelta(minutes=6)) == "time"


def answer_by(
    desk: Desk, certificate: Certificate, key: KeyHandle, request: bytes, extension: Extension | None = None
) -> bytes:
    """Return an answer to `request` signed by `key`, whatever its certificate says, with one more extension."""
    body = der.Reader(OCSPResponse(desk.issuing.respond(request)).tbs).enter()
    body.raw(0xA1)
    members = body.raw() + body.raw()
    inside = body.enter(0xA1).value(0x30) if not body.at_end() else b""
    inside += extensions.encode(extension) if extension else b""
    wrapped = der.tlv(0xA1, der.tlv(0x30, inside)) if inside else b""
    tbs = der.sequence(der.tlv(0xA1, certificate.subject_name.der), members, wrapped)
    algorithm = key.suite.signature_algorithm("x509").der()  # type: ignore[arg-type]
    return successful_response(tbs, algorithm, key.sign(tbs), der.tlv(0xA0, der.sequence(certificate.der)))


NOCHECK = extensions.ocsp_nocheck()
BAD_DELEGATES = {
    "no purpose": {},
    "any purpose": {"purposes": (oids.ANY_PURPOSE,)},
    "usage": {"purposes": (oids.OCSP_SIGNING,), "usage": ("key_encipherment",)},
    "expired": {"purposes": (oids.OCSP_SIGNING,), "not_after": NOW - timedelta(seconds=1)},
    "not yet": {"purposes": (oids.OCSP_SIGNING,), "not_before": NOW + timedelta(seconds=1)},
    "critical": {"purposes": (oids.OCSP_SIGNING,), "more": (NOCHECK, Extension("1.2.3.4", True, der.NULL_DER))},
    "twice": {"purposes": (oids.OCSP_SIGNING,), "more": (NOCHECK, NOCHECK)},
}


@pytest.mark.parametrize("fault", BAD_DELEGATES)
def test_only_delegates_are_believed(fault: str, signing_suite: str) -> None:
    desk, keys = desk_of(signing_suite), keys_of(signing_suite)
    request = make_request([(desk.person, desk.issuer)])
    good = forge("d", keys[3], desk.issuer, keys[1], purposes=(oids.OCSP_SIGNING,), more=(NOCHECK,))
    check_response(answer_by(desk, good, keys[3], request), request, desk.issuer, NOW)
    bad = forge("d", keys[3], desk.issuer, keys[1], **{"more": (NOCHECK,), **BAD_DELEGATES[fault]})  # type: ignore[arg-type]
    assert refusal(answer_by(desk, bad, keys[3], request), request, desk.issuer) == "delegation"


def test_delegates_of_others_are_not_believed(signing_suite: str) -> None:
    desk, keys = desk_of(signing_suite), keys_of(signing_suite)
    request = make_request([(desk.person, desk.issuer)])
    of_root = forge("d", keys[3], desk.circle.root, keys[0], purposes=(oids.OCSP_SIGNING,), more=(NOCHECK,))
    assert refusal(answer_by(desk, of_root, keys[3], request), request, desk.issuer) == "delegation"
    forged = forge("d", keys[3], desk.issuer, keys[3], purposes=(oids.OCSP_SIGNING,), more=(NOCHECK,))
    assert refusal(answer_by(desk, forged, keys[3], request), request, desk.issuer) == "delegation"
    unknown = forge("d", keys[3], desk.issuer, keys[1], purposes=(oids.OCSP_SIGNING,))  # without nocheck
    assert refusal(answer_by(desk, unknown, keys[3], request), request, desk.issuer) == "responder-status"
    with pytest.raises(BadSignature):
        check_response(answer_by(desk, desk.issuing.certificate, keys[3], request), request, desk.issuer, NOW)


class OldKey:
    """An RSA key that signs as authorities did long ago."""

    def __init__(self, private: rsa.RSAPrivateKey, digest: hashes.HashAlgorithm, oid: str) -> None:
        form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.public_key = suites.load_public(private.public_key().public_bytes(*form))
        self.suite = self
        self._private, self._digest, self._oid = private, digest, oid

    def signature_algorithm(self, use: object) -> AlgorithmID:
        return AlgorithmID(self._oid, der.NULL_DER)

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message, padding.PKCS1v15(), self._digest)


def test_weak_delegates_are_not_believed() -> None:
    desk, keys = desk_of("rsa"), keys_of("rsa")
    request = make_request([(desk.person, desk.issuer)])
    common = {"purposes": (oids.OCSP_SIGNING,), "more": (NOCHECK,)}
    small = OldKey(rsa.generate_private_key(65537, 1024), hashes.SHA256(), oids.SHA256_WITH_RSA)
    issuing = serialization.load_der_private_key(keys[1].pkcs8(), None)
    assert isinstance(issuing, rsa.RSAPrivateKey)
    for key, signer in ((small, keys[1]), (keys[3], OldKey(issuing, hashes.SHA1(), oids.SHA1_WITH_RSA))):
        delegate = forge("d", key, desk.issuer, signer, **common)  # type: ignore[arg-type]
        assert refusal(answer_by(desk, delegate, key, request), request, desk.issuer) == "delegation"


def test_a_delegate_must_name_the_issuer_and_be_valid_then_and_now(signing_suite: str) -> None:
    desk, keys = desk_of(signing_suite), keys_of(signing_suite)
    request = make_request([(desk.person, desk.issuer)])
    common = {"purposes": (oids.OCSP_SIGNING,), "more": (NOCHECK,)}
    misnamed = forge("d", keys[3], desk.circle.root, keys[1], **common)  # type: ignore[arg-type]
    assert refusal(answer_by(desk, misnamed, keys[3], request), request, desk.issuer) == "delegation"
    second = timedelta(seconds=1)
    for end, at in ((NOW - second, NOW - 2 * second), (NOW + second, NOW + 2 * second)):
        delegate = forge("d", keys[3], desk.issuer, keys[1], not_after=end, **common)  # type: ignore[arg-type]
        assert refusal(answer_by(desk, delegate, keys[3], request), request, desk.issuer, at) == "delegation"
        if end > NOW:
            check_response(answer_by(desk, delegate, keys[3], request), request, desk.issuer, end)


def test_an_unknown_critical_extension_of_an_answer_is_refused() -> None:
    desk, key = desk_of("ed25519"), keys_of("ed25519")[4]
    request = make_request([(desk.person, desk.issuer)])
    for critical in (False, True):
        extension = Extension("1.2.3.4", critical, der.NULL_DER)
        answer = answer_by(desk, desk.issuing.certificate, key, request, extension)
        if critical:
            assert refusal(answer, request, desk.issuer) == "extension"
        else:
            check_response(answer, request, desk.issuer, NOW)


def test_sizes_are_bounded() -> None:
    desk, key = desk_of("ed25519"), keys_of("ed25519")[4]
    large = der.sequence(
        AlgorithmID(oids.SHA1).der(), der.octet_string(bytes(1100)), der.octet_string(b""), b"\x02\x01\x05"
    )
    with pytest.raises(MalformedInput, match="too large"):
        read_request(request_for([large]))
    tbs = OCSPResponse(desk.issuing.respond(make_request([(desk.person, desk.issuer)]))).tbs
    bag = der.tlv(0xA0, der.sequence(*[desk.person.der] * 51))
    algorithm = key.suite.signature_algorithm("x509").der()  # type: ignore[arg-type]
    with pytest.raises(MalformedInput, match="certificates"):
        OCSPResponse(successful_response(tbs, algorithm, key.sign(tbs), bag))
