"""Applications and approvals: what counts, what does not, and that everything is used once. Attacks name the tests."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certs import profiles, suites
from certs.application import Application, Dossier, Evidence, Proofing, number_digest, parse
from certs.audit.ledger import AuditedLedger
from certs.audit.log import AuditLog
from certs.audit.verify import verify
from certs.ca import Authority, ClosedCircle
from certs.certificate import Certificate, Subject
from certs.clock import FixedClock
from certs.describe import as_text, describe
from certs.errors import ApprovalError, CertsError, IssuanceError, KeyStoreError, MalformedInput, ProfileError
from certs.ledger import MemoryLedger
from certs.one_time import OneTimeKey
from certs.ra import RegistrationAuthority, approve, read_approval
from certs.signed_data import assemble, parse_signed_data, signed_attributes
from tests.conftest import CLOCK, NOW, circle_of, keys_of, subjects_of

RULES: dict[str, Any] = {
    "description": "test",
    "days": 365,
    "max_days": 730,
    "ca": False,
    "key_usage": ["digital_signature", "non_repudiation"],
    "extended_key_usage": ["1.3.6.1.5.5.7.3.36"],
    "required": ["country"],
}
TWO_APPROVALS = profiles.parse("person", RULES | {"approvals": 2, "identity_proofing": True})
ONE_TIME = profiles.parse("one-time", RULES | {"days": 1, "max_days": 1, "approvals": 1, "identity_proofing": True})

OFFICERS = {"anna": "ecdsa-p256", "boris": "gost2012-256", "wei": "sm2"}
"""Officers hold certificates of several suites and of other authorities than the one they work for."""


def officer_holder(name: str) -> tuple[Any, Certificate]:
    """Return key and certificate of an officer, from a circle that is not the one under test."""
    suite = OFFICERS[name]
    ca = _officers_circle(suite)
    key = keys_of(suite)[4]
    return key, ca[name]


_CIRCLES: dict[str, dict[str, Certificate]] = {}


def _officers_circle(suite: str) -> dict[str, Certificate]:
    if suite not in _CIRCLES:
        circle = circle_of(suite).ca
        spki = keys_of(suite)[4].public_key.spki
        _CIRCLES[suite] = {
            name: circle.issue("person", Subject(f"Officer {name}", country="DE"), spki)
            for name, own in OFFICERS.items()
            if own == suite
        }
    return _CIRCLES[suite]


def appoint(ra: RegistrationAuthority, suite: str) -> None:
    for name in OFFICERS:
        ra.appoint(name, officer_holder(name)[1])


def application_of(authority: str, suite: str, **more: Any) -> Application:
    subject = more.pop("subject", subjects_of(suite)[0])
    spki = more.pop("spki", keys_of(suite)[0].public_key.spki)
    profile = more.pop("profile", "person")
    evidence = (Evidence("passport", "ab" * 32),)
    more.setdefault("proofing", Proofing("anna", "in-person", NOW - timedelta(days=1), evidence=evidence))
    expires = more.pop("expires", NOW + timedelta(days=14))
    return Application.new(authority, profile, subject, spki, NOW - timedelta(hours=1), expires, **more)


def with_approvals(application: Application, names: tuple[str, ...], at: datetime = NOW) -> Dossier:
    dossier = Dossier(application)
    for name in names:
        key, certificate = officer_holder(name)
        dossier = dossier.with_(approve(application, name, key, certificate, at))
    return dossier


def dossier_of(authority: str, suite: str, *, approvals: tuple[str, ...], **more: Any) -> Dossier:
    return with_approvals(application_of(authority, suite, **more), approvals)


class Office:
    """A circle with a log and officers."""

    def __init__(self, suite: str, place: Path) -> None:
        self.suite = suite
        self.log = AuditLog(place / "audit.sqlite", CLOCK)
        self.log.append("created")
        self.ledger = AuditedLedger(MemoryLedger(), self.log)
        root, issuing = keys_of(suite)[:2]
        self.circle = ClosedCircle.create(
            suite,
            organisation="Nord",
            country="DE",
            clock=CLOCK,
            ledger=self.ledger,
            root_key=root,
            issuing_key=issuing,
        )
        self.archive = place / "applications"
        self.ra = self.at(NOW)
        appoint(self.ra, suite)

    @property
    def authority(self) -> Authority:
        return self.circle.issuing

    def at(self, moment: datetime) -> RegistrationAuthority:
        return RegistrationAuthority(self.authority, self.log, FixedClock(moment), archive=self.archive)

    def dossier(self, *approvals: str, **more: Any) -> Dossier:
        more.setdefault("spki", keys_of(self.suite)[2].public_key.spki)
        return dossier_of(self.authority.id, self.suite, approvals=approvals, **more)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office("ecdsa-p256", tmp_path)


def refusal(office: Office, dossier: Dossier, **more: Any) -> str:
    with pytest.raises(ApprovalError) as caught:
        office.ra.issue(dossier, TWO_APPROVALS, **more)
    assert office.ledger.by_application(dossier.application.digest) is None
    return str(caught.value)


def test_two_officers_of_other_suites_approve(tmp_path: Path, suite_name: str) -> None:
    office = Office(suite_name, tmp_path)
    dossier = parse(office.dossier("boris", "wei").encode())
    certificate = office.ra.issue(dossier, TWO_APPROVALS)
    assert certificate.verify_signed_by(office.authority.certificate) == suite_name
    entry = office.ledger.get(office.authority.id, certificate.serial)
    assert entry is not None
    assert entry.application == dossier.application.digest
    (told,) = office.log.entries("application")
    assert told.facts["officers"] == ["boris", "wei"]
    assert told.facts["proofing"] == dossier.application.proofing.digest  # type: ignore[union-attr]
    assert told.facts["identified_by"] == "anna"
    assert parse((office.archive / f"{dossier.application.digest}.json").read_bytes()) == dossier
    report = verify(office.log, ledger=office.ledger, archive=office.archive)
    assert report.good, report.findings


def test_the_log_holds_nothing_about_the_person(office: Office) -> None:
    dossier = office.dossier("anna", "boris", subject=Subject("Zyxwv Qponm", country="DE", email="z@example.org"))
    office.ra.issue(dossier, TWO_APPROVALS)
    assert not any(b"Zyxwv" in entry.data or b"example.org" in entry.data for entry in office.log.entries())


def test_one_approval_is_not_two(office: Office) -> None:
    assert "2 approvals, 1 count" in refusal(office, office.dossier("anna"))


def test_no_approval_at_all(office: Office) -> None:
    assert "2 approvals, 0 count" in refusal(office, office.dossier())


def test_the_same_person_twice(office: Office) -> None:
    dossier = office.dossier("anna", "anna")
    assert "anna has approved already" in refusal(office, dossier)
    other = replace(dossier, approvals=(dossier.approvals[0],) * 2)
    assert "anna has approved already" in refusal(office, other)


def test_the_same_person_with_a_second_certificate(office: Office) -> None:
    """An officer is a person: a new certificate under the old name replaces the old one."""
    old = office.dossier("anna")
    key = keys_of("ed25519")[0]
    certificate = circle_of("ed25519").ca.issue("person", certificate_subject(), key.public_key.spki)
    office.ra.appoint("anna", certificate)
    dossier = old.with_(approve(old.application, "anna", key, certificate, NOW))
    counted, refused = office.ra.judge(dossier)
    assert counted == ("anna",)
    assert len(refused) == 1
    with pytest.raises(ApprovalError, match="key of officer anna"):
        office.ra.appoint("anna2", certificate)
    other = circle_of("ed25519").ca.issue("person", certificate_subject(), keys_of("ed25519")[1].public_key.spki)
    assert other.subject_name.der == certificate.subject_name.der
    with pytest.raises(ApprovalError, match="name of officer anna"):
        office.ra.appoint("anna2", other)
    office.ra.dismiss("anna")
    office.ra.appoint("anna2", other)


def certificate_subject() -> Subject:
    return Subject("Officer anna", country="DE")


def test_an_approval_replayed_for_another_application(office: Office) -> None:
    first, second = office.dossier("anna", "boris"), office.dossier()
    assert "for another application" in refusal(office, replace(second, approvals=first.approvals))


@pytest.mark.parametrize(
    "change",
    [
        lambda a: replace(a, profile="organisation"),
        lambda a: replace(a, expires=a.expires + timedelta(days=1)),
        lambda a: replace(a, subject=replace(a.subject, common_name="Somebody Else")),
        lambda a: replace(a, spki=keys_of("ecdsa-p256")[3].public_key.spki),
        lambda a: replace(a, days=700),
        lambda a: replace(a, proofing=replace(a.proofing, method="remote-video")),
        lambda a: replace(a, authority="ab" * 20),
        lambda a: replace(a, contract="ab" * 32),
    ],
)
def test_an_application_changed_after_it_was_approved(
    office: Office, change: Callable[[Application], Application]
) -> None:
    dossier = office.dossier("anna", "boris")
    changed = replace(dossier, application=change(dossier.application))
    with pytest.raises(ApprovalError):
        office.ra.issue(changed, TWO_APPROVALS)


def test_an_approval_by_the_applicant(office: Office) -> None:
    key, _ = officer_holder("boris")
    by_key = office.dossier("anna", "boris", spki=key.public_key.spki)
    assert "boris is the applicant" in refusal(office, by_key)
    by_name = office.dossier("anna", "boris", subject=Subject("Officer boris", country="DE"))
    assert "boris is the applicant" in refusal(office, by_name)
    proofing = Proofing("anna", "in-person", NOW, person="Officer boris", evidence=(Evidence("passport", "ab" * 32),))
    assert "boris is the applicant" in refusal(office, office.dossier("anna", "boris", proofing=proofing))


def test_an_approval_by_nobody_we_know(office: Office) -> None:
    dossier = office.dossier("anna")
    key = keys_of("ed25519")[1]
    certificate = circle_of("ed25519").ca.issue("person", Subject("Mallory", country="DE"), key.public_key.spki)
    stranger = dossier.with_(approve(dossier.application, "mallory", key, certificate, NOW))
    assert "there is no officer mallory" in refusal(office, stranger)
    impostor = dossier.with_(approve(dossier.application, "boris", key, certificate, NOW))
    assert "does not count" in refusal(office, impostor)


def test_an_approval_that_only_names_the_officers_certificate(office: Office) -> None:
    """Signed with another key whose certificate lies inside, while every attribute names boris's certificate."""
    dossier = office.dossier("anna")
    boris = officer_holder("boris")[1]
    key = keys_of("ed25519")[1]
    mallory = circle_of("ed25519").ca.issue("person", Subject("Mallory", country="DE"), key.public_key.spki)
    good = parse_signed_data(approve(dossier.application, "boris", key, mallory, NOW))
    assert good.content is not None
    attributes = signed_attributes(key.suite, boris, suites.digest(key.suite.digest_name, good.content))
    forged = assemble(key.suite, mallory, attributes, key.sign(attributes), content=good.content)
    assert parse_signed_data(forged).signers[0].verify() == "ed25519"
    assert "does not count" in refusal(office, dossier.with_(forged))


def test_an_approval_under_another_certificate_of_the_same_key(office: Office) -> None:
    dossier = office.dossier("anna")
    key, _ = officer_holder("wei")
    other = circle_of("sm2").ca.issue("person", Subject("Officer wei", country="DE"), key.public_key.spki)
    again = dossier.with_(approve(dossier.application, "wei", key, other, NOW))
    assert "does not count" in refusal(office, again)


def test_an_approval_by_an_officer_who_was_dismissed(office: Office) -> None:
    dossier = office.dossier("anna", "boris")
    office.ra.dismiss("boris")
    assert "boris is no officer since" in refusal(office, dossier)
    with pytest.raises(ApprovalError):
        office.ra.dismiss("nobody")


def test_an_approval_under_a_revoked_certificate(office: Office) -> None:
    """An officer's certificate may come from the authority itself, and its ledger is asked."""
    key = keys_of("ecdsa-p256")[3]
    certificate = office.circle.issue("person", Subject("Officer clara", country="DE"), key.public_key.spki)
    office.ra.appoint("clara", certificate)
    dossier = office.dossier("anna")
    dossier = dossier.with_(approve(dossier.application, "clara", key, certificate, NOW))
    assert office.ra.judge(dossier)[0] == ("anna", "clara")
    office.authority.revoke(certificate.serial, "affiliationChanged")
    assert "revoked or not on record" in refusal(office, dossier)


def test_an_approval_under_a_certificate_that_has_ended(office: Office) -> None:
    dossier = office.dossier("anna", "boris", expires=NOW + timedelta(days=900))
    with pytest.raises(ApprovalError, match="not valid now"):
        office.at(NOW + timedelta(days=800)).issue(dossier, TWO_APPROVALS)


def test_after_the_expiry_and_before_the_beginning(office: Office) -> None:
    dossier = office.dossier("anna", "boris")
    for moment in (NOW + timedelta(days=15), NOW - timedelta(days=1)):
        with pytest.raises(ApprovalError, match="expired"):
            office.at(moment).issue(dossier, TWO_APPROVALS)
    late = with_approvals(dossier.application, ("anna", "boris"), at=NOW + timedelta(days=2))
    assert "in the future" in refusal(office, late)
    early = with_approvals(dossier.application, ("anna", "boris"), at=NOW - timedelta(days=2))
    assert "before the application" in refusal(office, early)


def test_an_approval_altered(office: Office) -> None:
    dossier = office.dossier("anna", "boris")
    broken = bytearray(dossier.approvals[1])
    broken[-3] ^= 1
    assert "does not count" in refusal(office, replace(dossier, approvals=(dossier.approvals[0], bytes(broken))))


def test_an_application_is_used_once(office: Office) -> None:
    dossier = office.dossier("anna", "boris")
    first = office.ra.issue(dossier, TWO_APPROVALS)
    with pytest.raises(IssuanceError):
        office.ra.issue(dossier, TWO_APPROVALS)
    clearance = office.ra.clear(dossier, TWO_APPROVALS)
    with pytest.raises(IssuanceError, match="used already"):
        office.authority.prepare(
            TWO_APPROVALS, dossier.application.subject, dossier.application.spki, clearance=clearance
        )
    assert [entry.serial for entry in office.authority.entries() if entry.application] == [first.serial]
    assert verify(office.log, ledger=office.ledger).good


def test_a_clearance_is_for_one_subject_key_profile_and_authority(office: Office) -> None:
    dossier = office.dossier("anna", "boris")
    application, clearance = dossier.application, office.ra.clear(dossier, TWO_APPROVALS)
    other = Subject("Somebody Else", country="DE")
    for profile, subject, spki, cleared in (
        (TWO_APPROVALS, application.subject, application.spki, None),
        (TWO_APPROVALS, other, application.spki, clearance),
        (TWO_APPROVALS, application.subject, keys_of("ecdsa-p256")[3].public_key.spki, clearance),
        (replace(TWO_APPROVALS, name="organisation"), application.subject, application.spki, clearance),
        (TWO_APPROVALS, application.subject, application.spki, replace(clearance, issuer="ab")),
        (TWO_APPROVALS, application.subject, application.spki, replace(clearance, officers=("anna",))),
        (TWO_APPROVALS, application.subject, application.spki, replace(clearance, proofing=None)),
    ):
        with pytest.raises(ApprovalError):
            office.authority.prepare(profile, subject, spki, clearance=cleared)
    assert len(office.log.entries("refused")) == 7
    assert all(entry.facts["why"] == "approval-error" for entry in office.log.entries("refused"))


def test_identity_proofing_by_somebody_who_may(office: Office) -> None:
    assert "asks for identity proofing" in refusal(office, office.dossier("anna", "boris", proofing=None))
    evidence = (Evidence("passport", "ab" * 32),)
    by_nobody = Proofing("nobody", "in-person", NOW, evidence=evidence)
    assert "who is no officer" in refusal(office, office.dossier("anna", "boris", proofing=by_nobody))
    tomorrow = Proofing("anna", "in-person", NOW + timedelta(days=1), evidence=evidence)
    assert "from the future" in refusal(office, office.dossier("anna", "boris", proofing=tomorrow))
    office.ra.dismiss("wei")
    by_wei = Proofing("wei", "in-person", NOW, evidence=evidence)
    assert "wei is no officer" in refusal(office, office.dossier("anna", "boris", proofing=by_wei))


def test_a_lint_refusal_is_on_record(office: Office) -> None:
    with pytest.raises(CertsError):
        office.circle.issue("organisation", Subject("x", country="DE"), keys_of("ecdsa-p256")[2].public_key.spki)
    assert office.log.entries("refused")[0].facts["why"] == "profile-error"


def test_todays_profiles_need_no_application() -> None:
    for name in profiles.names():
        assert (profiles.load(name).approvals, profiles.load(name).identity_proofing) == (0, False)


@pytest.mark.parametrize("change", [{"approvals": -1}, {"approvals": 6}, {"approvals": True}, {"identity_proofing": 1}])
def test_a_profile_with_wrong_rules_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ProfileError):
        profiles.parse("person", RULES | change)


def test_the_rules_are_toml() -> None:
    assert profiles.parse("x", RULES | tomllib.loads("approvals = 2\nidentity_proofing = true")).approvals == 2


# one-time signers ----------------------------------------------------------------------------------------------------
def test_a_one_time_signer(tmp_path: Path, signing_suite: str) -> None:
    office = Office(signing_suite, tmp_path)
    key = keys_of(signing_suite)[2]
    dossier = office.dossier("boris", profile="one-time", hours=4, contract="cd" * 32)
    certificate = office.ra.issue(dossier, ONE_TIME)
    assert certificate.not_after == NOW + timedelta(hours=4, seconds=-1)
    signer = OneTimeKey(key, office.log, dossier.application)
    key.public_key.verify(signer.sign(b"attributes"), b"attributes")
    for again in (lambda: signer.sign(b"attributes"), lambda: signer.sign(b"more")):
        with pytest.raises(KeyStoreError):
            again()
    use, gone = office.log.entries("key-use")[0], office.log.entries("key-destroyed")[0]
    assert use.facts["contract"] == "cd" * 32
    assert gone.facts == {"key": use.facts["key"], "how": "used", "application": dossier.application.digest}
    signer.destroy()
    assert len(office.log.entries("key-destroyed")) == 1
    unused = OneTimeKey(key, office.log, dossier.application)
    unused.destroy()
    assert office.log.entries("key-destroyed")[1].facts["how"] == "unused"
    with pytest.raises(KeyStoreError):
        unused.sign(b"x")
    for wrong in (replace(dossier.application, contract=None), replace(dossier.application, spki=b"x")):
        with pytest.raises(ApprovalError):
            OneTimeKey(key, office.log, wrong)


def test_a_one_time_key_is_gone_even_where_signing_failed(office: Office) -> None:
    dossier = office.dossier("boris", profile="one-time", hours=4, contract="cd" * 32)

    class Failing:
        suite, public_key = keys_of("ecdsa-p256")[2].suite, keys_of("ecdsa-p256")[2].public_key

        def sign(self, message: bytes) -> bytes:
            raise KeyStoreError("no")

    signer = OneTimeKey(Failing(), office.log, dossier.application)  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(KeyStoreError):
            signer.sign(b"x")
    assert len(office.log.entries("key-destroyed")) == 1


# files ---------------------------------------------------------------------------------------------------------------
def test_a_dossier_survives_being_written_and_read(office: Office) -> None:
    dossier = office.dossier("anna", "boris", days=30, contract="cd" * 32, request="ef" * 32)
    assert parse(dossier.encode()) == dossier
    assert parse(json.dumps(dossier.application.value()).encode()) == Dossier(dossier.application)
    shown = as_text(describe(dossier.encode()))
    assert dossier.application.digest in shown
    assert "boris" in shown
    assert read_approval(dossier.approvals[0]).officer == "anna"


def test_a_number_is_not_told_by_its_digest() -> None:
    first, salt = number_digest("C01X00T47")
    second, _ = number_digest("C01X00T47")
    assert first != second
    assert len(salt) == 64


BROKEN: dict[str, Callable[[dict[str, Any]], object]] = {
    "schema": lambda a: a.update(schema="x"),
    "unknown member": lambda a: a.update(more=1),
    "member missing": lambda a: a.pop("expires"),
    "key": lambda a: a.update(public_key="AAAA"),
    "base64": lambda a: a.update(public_key="*"),
    "subject": lambda a: a.update(subject={}),
    "country": lambda a: a["subject"].update(country="Germany"),
    "identifier": lambda a: a["subject"].update(identifiers=["CN-USCC:9144030071526726XA"]),
    "moment": lambda a: a.update(created="yesterday"),
    "order": lambda a: a.update(expires=a["created"]),
    "method": lambda a: a["identity_proofing"].update(method="by eye"),
    "evidence": lambda a: a["identity_proofing"].update(evidence=[]),
    "digest": lambda a: a["identity_proofing"]["evidence"][0].update(sha256="AB"),
    "days": lambda a: a.update(days=True),
    "both": lambda a: a.update(days=1, hours=1),
    "contract": lambda a: a.update(contract="the contract"),
    "number": lambda a: a.update(id="1"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_malformed_application_is_refused(case: str) -> None:
    value = application_of("ab" * 20, "ecdsa-p256").value()
    BROKEN[case](value)
    with pytest.raises(MalformedInput):
        parse(json.dumps(value).encode())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=100), st.integers(0, 10_000), st.integers(0, 255))
def test_any_bytes_are_an_application_or_a_clear_error(data: bytes, place: int, octet: int) -> None:
    good = with_approvals(FUZZED, ("anna",)).encode() if not _FUZZ else _FUZZ[0]
    _FUZZ[:] = [good]
    mutated = bytearray(good)
    mutated[place % len(good)] = octet
    for candidate in (data, bytes(mutated), good[: place % len(good)], good + data):
        for reader in (parse, describe):
            try:
                reader(candidate)
            except CertsError:
                continue


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=100), st.integers(0, 10_000), st.integers(0, 255))
def test_any_bytes_are_an_approval_or_a_clear_error(data: bytes, place: int, octet: int) -> None:
    if not _FUZZ:
        _FUZZ[:] = [with_approvals(FUZZED, ("anna",)).encode()]
    good = parse(_FUZZ[0]).approvals[0]
    mutated = bytearray(good)
    mutated[place % len(good)] = octet
    for candidate in (data, bytes(mutated), good[: place % len(good)]):
        try:
            read_approval(candidate)
        except CertsError:
            continue


_FUZZ: list[bytes] = []
FUZZED = application_of("ab" * 20, "ecdsa-p256")


def test_lint_findings_are_on_record_whatever_they_hold(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **more: object) -> None:
        raise IssuanceError("not signed", findings=["a rule", "王\ud800", "x" * 1000])

    monkeypatch.setattr("certs.lint.check", refuse)
    with pytest.raises(IssuanceError, match="not signed"):
        office.circle.issue("person", Subject("x", country="DE"), keys_of("ecdsa-p256")[2].public_key.spki)
    (entry,) = office.log.entries("refused")
    assert entry.facts["findings"][0] == "a rule"
    assert len(entry.facts["findings"][2]) == 300
