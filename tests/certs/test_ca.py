"""Authorities: what they sign, what they refuse to sign, and that they sign it once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from certs import circle as circles
from certs import der, extensions, lint, oids, profiles, suites
from certs.ca import ClosedCircle, Plan
from certs.certificate import Certificate, Subject
from certs.clock import FixedClock
from certs.crl import CRL
from certs.errors import IssuanceError, KeyNotFound, KeyStoreError, ProfileError, WrongPassword
from certs.ledger import MemoryLedger, SQLiteLedger
from certs.suites.base import Use
from certs.timestamp import read_token
from tests.certs.forge import standard_extensions
from tests.conftest import CLOCK, CRL_URL, NOW, Circle, circle_of, keys_of, make_circle

PERSON = Subject("Anna Schmidt", country="DE")


def test_a_plan_is_on_record_before_it_is_signed_and_signed_once(signing_suite: str) -> None:
    circle = make_circle(signing_suite)
    authority = circle.ca.issuing
    plan = authority.prepare(profiles.load("person"), PERSON, circle.person.key.public_key.spki)
    recorded = [entry for entry in authority.entries() if entry.serial == plan.serial]
    assert [entry.state for entry in recorded] == ["prepared"]
    certificate = authority.issue(plan)
    assert certificate.tbs == plan.tbs
    with pytest.raises(IssuanceError):
        authority.issue(plan)


def test_a_plan_that_was_changed_is_not_signed() -> None:
    circle = make_circle("ecdsa-p256")
    plan = circle.ca.issuing.prepare(profiles.load("person"), PERSON, circle.person.key.public_key.spki)
    changed = replace(plan, tbs=plan.tbs.replace(b"Anna Schmidt", b"Anna Schmitt"))
    with pytest.raises(IssuanceError):
        circle.ca.issuing.issue(changed)


def test_a_plan_of_another_authority_is_not_signed() -> None:
    circle = make_circle("ecdsa-p256")
    plan = circle.ca.issuing.prepare(profiles.load("person"), PERSON, circle.person.key.public_key.spki)
    with pytest.raises(IssuanceError):
        circle.ca.root_authority.issue(Plan(circle.ca.root_authority.id, plan.serial, plan.profile, plan.tbs))


@pytest.mark.parametrize(
    ("profile", "subject"),
    [
        ("person", Subject("x")),
        ("organisation", Subject("x", organisation="O", country="DE")),
        ("organisation", Subject("x", country="DE")),
        ("tsa", Subject("x", country="DE")),
    ],
)
def test_a_profiles_required_fields_are_required(profile: str, subject: Subject) -> None:
    circle = circle_of("ecdsa-p256")
    with pytest.raises(ProfileError):
        circle.ca.issue(profile, subject, circle.person.key.public_key.spki)


def test_no_longer_than_the_profile_allows_nor_than_the_issuer_lives() -> None:
    circle = make_circle("ecdsa-p256")
    spki = circle.person.key.public_key.spki
    for days in (0, -1, 2000):
        with pytest.raises(ProfileError):
            circle.ca.issue("person", PERSON, spki, days=days)
    certificate = circle.ca.issue("tsa", Subject("t", organisation="o", country="DE"), spki, days=3600)
    assert certificate.not_after == circle.issuing.not_after


@pytest.mark.parametrize("profile", ["root", "issuing", "nonsense", "../person"])
def test_the_issuing_authority_certifies_no_authorities(profile: str) -> None:
    circle = circle_of("ecdsa-p256")
    with pytest.raises(ProfileError):
        circle.ca.issue(profile, Subject("x", organisation="o", country="DE"), circle.person.key.public_key.spki)


@pytest.mark.parametrize("spki", [b"", b"\x30\x00", bytes(91)])
def test_a_key_that_is_none_is_not_certified(spki: bytes) -> None:
    with pytest.raises(IssuanceError):
        circle_of("ecdsa-p256").ca.issue("person", PERSON, spki)


def test_a_key_of_another_suite_can_be_certified(signing_suite: str) -> None:
    circle = circle_of("ecdsa-p384")
    key = keys_of(signing_suite)[2]
    certificate = circle.ca.issue("person", PERSON, key.public_key.spki)
    assert certificate.suite_name == signing_suite
    assert certificate.verify_signed_by(circle.issuing) == "ecdsa-p384"


def test_a_revoked_certificate_is_on_the_next_list(signing_suite: str) -> None:
    circle = make_circle(signing_suite)
    circle.ca.revoke(circle.person.certificate.serial, "keyCompromise")
    with pytest.raises(IssuanceError):
        circle.ca.revoke(circle.person.certificate.serial, "superseded")
    crl = CRL(circle.ca.crl())
    crl.check_signed_by(circle.issuing)
    assert crl.number == 2  # the circle made its first list when it was set up
    assert crl.entries.keys() == {circle.person.certificate.serial}
    circle.ca.revoke(circle.issuing.serial, "cACompromise")
    assert CRL(circle.ca.root_crl()).entries[circle.issuing.serial].reason == "cACompromise"


def _tbs(circle: Circle, **change: object) -> bytes:
    key = circle.person.key
    values: dict[str, object] = {
        "serial": 1 << 140,
        "algorithm": circle.ca.issuing.key.suite.signature_algorithm(Use.X509).der(),
        "issuer": circle.issuing.subject_name.der,
        "not_before": NOW,
        "not_after": NOW + timedelta(days=10),
        "subject": PERSON.name(),
        "spki": key.public_key.spki,
        "extensions": standard_extensions(key, circle.issuing, purposes=[oids.DOCUMENT_SIGNING, oids.EMAIL_PROTECTION]),
    }
    return extensions.certificate_tbs(**(values | change))  # type: ignore[arg-type]


def test_lint_passes_a_decent_certificate() -> None:
    circle = circle_of("ecdsa-p256")
    lint.check(_tbs(circle), profiles.load("person"), circle.issuing)


def _with(circle: Circle, *more: extensions.Extension, without: str = "") -> list[extensions.Extension]:
    standard = standard_extensions(
        circle.person.key, circle.issuing, purposes=[oids.DOCUMENT_SIGNING, oids.EMAIL_PROTECTION]
    )
    return [item for item in standard if item.oid != without] + list(more)


LINT_CASES = {
    "serial_of_zero": lambda c: {"serial": 0},
    "negative_serial": lambda c: {"serial": -5},
    "serial_of_21_octets": lambda c: {"serial": 1 << 160},
    "short_serial": lambda c: {"serial": 1234},
    "ends_before_it_begins": lambda c: {"not_after": NOW - timedelta(seconds=1)},
    "longer_than_profile": lambda c: {"not_after": NOW + timedelta(days=1500)},
    "longer_than_issuer": lambda c: {"not_after": NOW + timedelta(days=4000)},
    "wrong_issuer_name": lambda c: {"issuer": c.root.subject_name.der},
    "empty_subject": lambda c: {"subject": der.sequence()},
    "unusable_key": lambda c: {"spki": der.sequence()},
    "no_key_usage": lambda c: {"extensions": _with(c, without=oids.KEY_USAGE)},
    "no_subject_key_identifier": lambda c: {"extensions": _with(c, without=oids.SUBJECT_KEY_IDENTIFIER)},
    "no_authority_key_identifier": lambda c: {"extensions": _with(c, without=oids.AUTHORITY_KEY_IDENTIFIER)},
    "authority_in_disguise": lambda c: {"extensions": _with(c, extensions.basic_constraints(ca=True))},
    "extension_twice": lambda c: {"extensions": _with(c, _with(c)[0])},
    "no_purposes": lambda c: {"extensions": _with(c, without=oids.EXTENDED_KEY_USAGE)},
}


@pytest.mark.parametrize("case", LINT_CASES)
def test_lint_refuses(case: str) -> None:
    circle = circle_of("ecdsa-p256")
    with pytest.raises(IssuanceError):
        lint.check(_tbs(circle, **LINT_CASES[case](circle)), profiles.load("person"), circle.issuing)


def test_lint_refuses_what_is_not_der() -> None:
    circle = circle_of("ecdsa-p256")
    tbs = _tbs(circle)
    loose = b"\x30\x83\x00" + tbs[2:4] + tbs[4:]
    for data in (b"", tbs[:-1], tbs + b"\0", loose, b"\x30\x80" + tbs[4:] + b"\0\0"):
        with pytest.raises(IssuanceError):
            lint.check(data, profiles.load("person"), circle.issuing)


def test_every_profile_file_loads() -> None:
    assert set(profiles.names()) == {
        "root",
        "issuing",
        "intermediate",
        "cross",
        "person",
        "organisation",
        "seal",
        "seal-maker",
        "encryption",
        "one-time",
        "service",
        "tsa",
        "dvcs",
        "tls",
        "ocsp",
        "audit",
    }
    for name in profiles.names():
        assert profiles.load(name).name == name


@pytest.mark.parametrize(
    "change",
    [
        {"dayz": 3},
        {"days": 0},
        {"days": 999999},
        {"ca": True},
        {"days": None},
        {"days": "10"},
        {"key_usage": ["sing"]},
        {"required": "country"},
    ],
)
def test_a_profile_with_a_wrong_rule_is_refused(change: dict[str, object]) -> None:
    good = {
        "description": "x",
        "days": 10,
        "max_days": 20,
        "ca": False,
        "key_usage": ["digital_signature"],
        "extended_key_usage": [],
        "required": [],
    }
    values = good | change
    if change == {"days": None}:
        del values["days"]
    with pytest.raises(ProfileError):
        profiles.parse("test", values)
    profiles.parse("test", good)


def _ask(name: str) -> bytes:
    return f"secret of {name}".encode()


def test_a_circle_in_a_directory_comes_back(signing_suite: str, tmp_path: Path, cheap_passwords: None) -> None:
    place = tmp_path / "circle"
    parameter = "2048" if signing_suite == "rsa" else None
    made = circles.create(
        place,
        signing_suite,
        organisation="O",
        country="DE",
        secrets=_ask,
        clock=CLOCK,
        crl_url=CRL_URL,
        parameter=parameter,
    )
    asked: list[str] = []

    def ask(name: str) -> bytes:
        asked.append(name)
        return _ask(name)

    loaded = ClosedCircle.load(place, ask, CLOCK)
    assert loaded.root == made.root
    assert loaded.chain == made.chain
    assert asked == []  # nothing is opened before it is used
    certificate = loaded.issue("person", PERSON, keys_of(signing_suite)[0].public_key.spki)
    certificate.verify_signed_by(made.issuing.certificate)
    assert asked == ["password for issuing.key.pem"]
    assert certificate.serial in {entry.serial for entry in made.issuing.entries()}
    digest = suites.digest("sha256", b"x")
    token = read_token(circles.timestamper(place, loaded, _ask, CLOCK).stamp("sha256", digest))
    assert token.verify("sha256", digest) == signing_suite
    for name in ("root.key.pem", "issuing.key.pem", "tsa.key.pem"):
        assert (place / name).stat().st_mode & 0o777 == 0o600
        assert b"ENCRYPTED" in (place / name).read_bytes()


def test_a_directory_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "something").write_text("x")
    with pytest.raises(KeyStoreError):
        circles.create(tmp_path, "ecdsa-p256", organisation="O", country="DE", secrets=_ask, clock=CLOCK)
    with pytest.raises(KeyNotFound):
        ClosedCircle.load(tmp_path, _ask, CLOCK)


def test_a_wrong_password_signs_nothing(tmp_path: Path, cheap_passwords: None) -> None:
    circles.create(tmp_path / "c", "ecdsa-p256", organisation="O", country="DE", secrets=_ask, clock=CLOCK)
    loaded = ClosedCircle.load(tmp_path / "c", lambda name: b"wrong", CLOCK)
    with pytest.raises(WrongPassword):
        loaded.issue("person", PERSON, keys_of("ecdsa-p256")[0].public_key.spki)


def test_save_writes_a_circle_made_in_memory(tmp_path: Path, cheap_passwords: None) -> None:
    circle = make_circle("ed25519")
    circle.ca.save(tmp_path, _ask)
    loaded = ClosedCircle.load(tmp_path, _ask, CLOCK, ledger=SQLiteLedger(tmp_path / "other.sqlite"))
    assert loaded.root == circle.root
    with pytest.raises(KeyStoreError):
        circle.ca.save(tmp_path, _ask)


def test_a_faulty_key_gives_no_certificate() -> None:
    circle = make_circle("ecdsa-p256")

    class Faulty:
        suite = circle.ca.issuing.key.suite
        public_key = circle.ca.issuing.key.public_key

        def sign(self, message: bytes) -> bytes:
            return circle.ca.issuing.key.sign(message + b"x")

    from certs.ca import Authority

    authority = Authority(Faulty(), circle.issuing, ledger=MemoryLedger(), clock=CLOCK)
    plan = authority.prepare(profiles.load("person"), PERSON, circle.person.key.public_key.spki)
    with pytest.raises(IssuanceError):
        authority.issue(plan)
    with pytest.raises(IssuanceError):
        authority.crl()


def test_notafter_is_the_last_second_of_the_period() -> None:
    circle = make_circle("ed25519")
    certificate: Certificate = circle.ca.issue("person", PERSON, circle.person.key.public_key.spki, days=10)
    assert certificate.not_after - certificate.not_before == timedelta(days=10, seconds=-1)


def test_fractions_of_a_second_do_not_get_into_certificates() -> None:
    clock = FixedClock(NOW + timedelta(microseconds=1))
    circle = ClosedCircle.create("ed25519", organisation="O", country="DE", clock=clock, ledger=MemoryLedger())
    assert circle.root.not_before.microsecond == 0
