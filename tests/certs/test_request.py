"""Certificate requests: ours in every suite, those of strangers, and what is taken of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certs import der, extensions, oids, profiles, suites
from certs.alt_names import AltNames
from certs.certificate import Subject
from certs.describe import describe
from certs.errors import BadSignature, CertsError, MalformedInput, ProfileError
from certs.extension_values import Extension
from certs.pem import armor
from certs.request import Request, accept, load_request, make_request
from certs.suites.base import Use
from tests.conftest import keys_of, make_circle, subjects_of

ANNA = Subject("Anna Schmidt", country="DE", given_name="Anna", surname="Schmidt", email="anna@example.com")


def test_a_request_of_every_suite_becomes_a_certificate(suite_name: str) -> None:
    key = keys_of(suite_name)[4]
    for subject in subjects_of(suite_name):
        request = load_request(make_request(key, subject, AltNames(emails=("sign@example.com",))))
        assert load_request(request.pem.encode()) == request
        accepted = accept(request, profiles.load("person"))
        assert accepted.suite == suite_name
        assert accepted.subject == subject
        assert accepted.names.emails == ("sign@example.com",)
        assert accepted.passed_over == ()
        circle = make_circle("ed25519")
        plan = circle.ca.issuing.prepare(profiles.load("person"), accepted.subject, accepted.spki, names=accepted.names)
        certificate = circle.ca.issuing.issue(plan)
        assert certificate.spki == key.public_key.spki
        assert certificate.subject_name.der == subject.name()


def test_a_signature_of_another_key_proves_nothing(suite_name: str) -> None:
    mine, other = keys_of(suite_name)[:2]
    stolen = Request(make_request(other, ANNA)).info.replace(other.public_key.spki, mine.public_key.spki)
    algorithm = mine.suite.signature_algorithm(Use.X509).der()
    request = Request(extensions.signed(stolen, algorithm, other.sign(stolen)))
    with pytest.raises(BadSignature):
        accept(request, profiles.load("person"))


def test_an_altered_name_proves_nothing(suite_name: str) -> None:
    encoded = make_request(keys_of(suite_name)[0], ANNA)
    with pytest.raises(BadSignature):
        Request(encoded.replace(b"Anna Schmidt", b"Anna Schmitt")).verify()


def forged(info: bytes, key: suites.PrivateKey, algorithm: bytes | None = None) -> Request:
    algorithm = algorithm or key.suite.signature_algorithm(Use.X509).der()
    return Request(extensions.signed(info, algorithm, key.sign(info)))


@pytest.mark.parametrize("suite", ["sm2", "gost2012-256", "gost2012-512", "ecdsa-p256"])
def test_null_parameters_are_read(suite: str) -> None:
    key = keys_of(suite)[0]
    usual = key.suite.signature_algorithm(Use.X509)
    algorithm = der.sequence(der.oid(usual.oid), der.NULL_DER)
    info = Request(make_request(key, ANNA)).info
    assert forged(info, key, algorithm).verify() == suite


def test_sm2_under_the_curves_own_oid_is_read_and_certified_in_the_usual_form() -> None:
    key = keys_of("sm2")[0]
    _, point = der.split_spki(key.public_key.spki)
    odd = der.sequence(der.sequence(der.oid(oids.SM2)), der.bit_string(point))
    info = der.sequence(der.integer(0), ANNA.name(), odd, der.tlv(0xA0, b""))
    request = forged(info, key)
    assert request.spki == odd
    assert accept(request, profiles.load("person")).spki == key.public_key.spki


def test_ber_of_indefinite_length_is_read_and_verified_as_received() -> None:
    key = keys_of("ecdsa-p256")[0]
    body = Request(make_request(key, ANNA)).info
    info = b"\x30\x80" + der.Reader(body).value(der.SEQUENCE) + b"\0\0"
    assert forged(info, key).verify() == "ecdsa-p256"


def test_attributes_may_be_left_out() -> None:
    key = keys_of("ed25519")[0]
    info = der.sequence(der.integer(0), ANNA.name(), key.public_key.spki)
    request = forged(info, key)
    assert request.verify() == "ed25519"
    assert request.names == AltNames()


@pytest.mark.corpus
def test_tongsuo_with_and_without_z(corpus: Path) -> None:
    folder = corpus / "china" / "tongsuo"
    good = load_request((folder / "sm2-csr.pem").read_bytes())
    assert good.verify() == "sm2"
    bad = load_request((folder / "sm2-noza-csr.pem").read_bytes())
    with pytest.raises(BadSignature):
        bad.verify()
    assert describe((folder / "sm2-noza-csr.pem").read_bytes())[0]["possession"].startswith("bad-signature")


@pytest.mark.corpus
def test_the_examples_of_rfc_9215(corpus: Path) -> None:
    folder = corpus / "russia" / "rfc9215"
    assert load_request((folder / "d2-256-a-csr.pem").read_bytes()).verify() == "gost2012-256"
    for name in ("d1-256-test-csr.pem", "d3-512-test-csr.pem"):  # test parameter sets: RFC 9215 4.1 forbids their use
        with pytest.raises(BadSignature, match="for tests only"):
            load_request((folder / name).read_bytes()).verify()


def test_only_what_the_profile_allows_is_taken() -> None:
    key = keys_of("ecdsa-p256")[0]
    names = AltNames(("a@example.com",), ("host.example",), ("192.0.2.7",))
    greedy = (extensions.basic_constraints(ca=True), extensions.key_usage(["key_cert_sign"]))
    request = Request(make_request(key, Subject("host", country="DE"), names, own=greedy))
    person = accept(request, profiles.load("person"))
    assert person.names == AltNames(emails=("a@example.com",))
    assert person.passed_over == (
        "alternative names of kind dns",
        "alternative names of kind ip",
        "basic-constraints",
        "key-usage",
    )
    server = accept(request, profiles.load("tls"))
    assert server.names == AltNames(dns=("host.example",), ips=("192.0.2.7",))
    certificate = make_circle("ecdsa-p256").ca.issue("tls", server.subject, server.spki, names=server.names)
    assert not certificate.is_ca
    assert certificate.key_usage == {"digital_signature"}


def test_who_was_vetted_counts_and_not_who_was_asked_for() -> None:
    request = Request(make_request(keys_of("ed25519")[0], Subject("Mallory", country="DE")))
    assert accept(request, profiles.load("person"), subject=ANNA).subject == ANNA


def test_a_name_that_we_cannot_carry_is_refused_not_cut() -> None:
    key = keys_of("ed25519")[0]

    def asked(*attributes: bytes) -> Request:
        name = der.sequence(*(der.tlv(der.SET, attribute) for attribute in attributes))
        return forged(der.sequence(der.integer(0), name, key.public_key.spki, b"\xa0\x00"), key)

    common = der.sequence(der.oid(oids.COMMON_NAME), der.tlv(0x0C, b"A"))
    odd = der.sequence(der.oid("1.2.3.4"), der.tlv(0x0C, b"x"))
    wrong = der.sequence(der.oid(oids.INNLE), der.tlv(0x12, b"7707083890"))
    for attributes in ((common, odd), (common, common), (odd,), (common, wrong), ()):
        with pytest.raises(CertsError):
            accept(asked(*attributes), profiles.load("person"))
    assert accept(asked(common), profiles.load("person")).subject == Subject("A")


def test_several_or_no_requests_are_refused() -> None:
    pem = armor("CERTIFICATE REQUEST", make_request(keys_of("ed25519")[0], ANNA))
    for text in (pem + pem, armor("CERTIFICATE", b"\x30\x00"), "", "-----BEGIN"):
        with pytest.raises(MalformedInput):
            load_request(text.encode())
    assert load_request(pem.replace("CERTIFICATE", "NEW CERTIFICATE").encode()).verify() == "ed25519"


def test_inspect_shows_a_request(suite_name: str) -> None:
    encoded = make_request(keys_of(suite_name)[0], ANNA)
    for data in (encoded, armor("CERTIFICATE REQUEST", encoded).encode()):
        (shown,) = describe(data)
        assert shown["kind"] == "certificate-request"
        assert shown["names"] == ["anna@example.com"]
        assert shown["possession"] == f"good ({suite_name})"


REQUEST = make_request(keys_of("ed25519")[0], ANNA)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, len(REQUEST) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_no_mutated_request_raises_anything_builtin(changes: list[tuple[int, int]]) -> None:
    data = bytearray(REQUEST)
    for position, octet in changes:
        data[position] = octet
    try:
        accept(load_request(bytes(data)), profiles.load("person"))
    except CertsError:
        pass
    try:
        describe(bytes(data))
    except CertsError:
        pass


@pytest.mark.parametrize(
    "bad",
    [
        {"emails": ("anna",)},
        {"emails": ("анна@example.com",)},
        {"emails": ("a b@example.com",)},
        {"dns": ("*.example.com",)},
        {"dns": ("-a.example",)},
        {"dns": ("a..b",)},
        {"dns": ("a.example.",)},
        {"dns": ("пример.рф",)},
        {"ips": ("192.0.2.256",)},
        {"dns": tuple(f"h{n}.example" for n in range(101))},
    ],
)
def test_alternative_names_that_are_none(bad: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(MalformedInput):
        AltNames(**bad)


def test_a_profile_without_a_kind_of_names_refuses_it() -> None:
    circle = make_circle("ed25519")
    spki = keys_of("ed25519")[0].public_key.spki
    with pytest.raises(ProfileError):
        circle.ca.issue("person", ANNA, spki, names=AltNames(dns=("a.example",)))
    with pytest.raises(ProfileError):
        circle.ca.issue("tls", Subject("a.example"), spki)
    extension = circle.ca.issue("person", ANNA, spki).extension(oids.SUBJECT_ALT_NAME)
    assert extension == Extension(oids.SUBJECT_ALT_NAME, False, der.sequence(der.tlv(0x81, b"anna@example.com")))
