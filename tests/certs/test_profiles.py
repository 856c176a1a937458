"""Every profile in every suite: issued, linted by us and by pkilint, and refused where a rule is broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certs import der, extensions, lint, lint_pkix, oids, profiles
from certs.alt_names import AltNames
from certs.ca import Authority, ClosedCircle
from certs.certificate import Certificate, Subject
from certs.constraints import Constraints, Subtree
from certs.errors import CertsError, IssuanceError, MalformedInput, ProfileError
from certs.extension_values import Extension
from certs.forms import FORMS, Facts, IssuerSignTool
from certs.identifiers import Identifier
from certs.ledger import MemoryLedger
from certs.profiles import Profile
from certs.suites.base import AlgorithmID, Use
from certs.template import Wanted, tbs
from tests.conftest import ALL_SUITES, CLOCK, NOW, SIGNING, Circle, circle_of, keys_of, make_circle, subjects_of

FACTS = Facts(
    subject_sign_tool="КриптоПро CSP 5.0",
    issuer_sign_tool=IssuerSignTool("КриптоПро CSP", "УЦ 2.0", "СФ/124-0001", "СФ/128-0002"),
    identification_kind=0,
    tool_classes=("KC2", "KC1"),
)
CHINESE_PERSON = Subject("王𠮷", country="CN", identifiers=(Identifier("CN-ID", "11010519491231002X"),))
RUSSIAN_FIRM = Subject(
    "ООО «Северный путь»",
    organisation="ООО «Северный путь»",
    country="RU",
    state="77 г. Москва",
    locality="Москва",
    street="ул. Тверская, д. 1",
    identifiers=(Identifier("RU-INN", "7707083893"), Identifier("RU-OGRN", "1027700132195")),
)
EUROPEAN_PERSON = Subject(
    "Jörg Müller",
    country="DE",
    given_name="Jörg",
    surname="Müller",
    email="joerg@example.com",
    identifiers=(Identifier("IDC-DE", "L01X00T47"),),
)
EUROPEAN_FIRM = replace(subjects_of("rsa")[1], identifiers=(Identifier("VAT-DE", "136695976"),))
SUBJECTS: dict[str, tuple[Subject, ...]] = {
    "plain": tuple(subject for suite in ("rsa", "sm2", "gost2012-256") for subject in subjects_of(suite)),
    "china": (CHINESE_PERSON, subjects_of("sm2")[1]),
    "russia": (subjects_of("gost2012-256")[0], RUSSIAN_FIRM),
    "europe": (EUROPEAN_PERSON, EUROPEAN_FIRM, Subject("Anna", country="DE", pseudonym="Anna")),
}
LIMITS = Constraints(
    path_length=0,
    permitted=(Subtree("dns", "example.cn"), Subtree("email", ".example.cn"), Subtree("ip", "192.0.2.0/24")),
    excluded=(Subtree.directory(Subject("x", country="US").name()), Subtree("email", "a@example.cn")),
    policies=("1.2.3.4",),
    mappings=(("1.2.3.4", "1.2.3.5"),),
    require_explicit_policy=0,
    inhibit_mapping=1,
    inhibit_any_policy=0,
)


def signer(circle: Circle, profile: Profile) -> Authority:
    return circle.ca.root_authority if profile.issuer == "root" else circle.ca.issuing


def everything(circle: Circle, name: str) -> Iterator[tuple[str, Certificate]]:
    """Issue `name` in every form to every subject that has what the profile requires."""
    profile = profiles.load(name)
    spki = circle.person.key.public_key.spki
    for form in profile.forms:
        for subject in SUBJECTS[form]:
            subject = subject if "email" in profile.alt_names else replace(subject, email=None)
            if not all(getattr(subject, field) for field in profile.required):
                continue
            plan = signer(circle, profile).prepare(
                profile,
                subject,
                spki,
                form=form,
                facts=FACTS,
                names=AltNames(dns=("sign.example",), ips=("2001:db8::1",)) if profile.alt_names_required else None,
                constraints=LIMITS if profile.constraints else None,
            )
            yield form, signer(circle, profile).issue(plan)


ISSUED = [
    (suite, name)
    for suite in ALL_SUITES
    for name in profiles.names()
    if name != "root" and (suite in SIGNING or name in {"person", "encryption", "intermediate"})
]
"""Every profile in a suite of each kind; in suites that differ from one of these in a parameter, one of each sort."""


@pytest.mark.parametrize(("suite_name", "name"), ISSUED)
def test_every_profile_is_issued_and_clean(suite_name: str, name: str) -> None:
    profile = profiles.load(name)
    circle = circle_of(suite_name)
    if profile.suites and suite_name not in profile.suites:
        with pytest.raises(ProfileError):
            next(everything(circle, name))
        return
    seen = set()
    for form, certificate in everything(circle, name):
        seen.add(form)
        assert certificate.is_ca == profile.ca
        assert certificate.key_usage == set(profile.usage(suite_name))
        assert certificate.extended_key_usage == set(profile.extended_key_usage)
        assert certificate.problems == ()
        assert lint_pkix.unexpected(certificate.der, profile) == ()
    assert seen or profile.required


def test_pkilint_is_there_and_sees_something() -> None:
    assert lint_pkix.available()
    circle = circle_of("ecdsa-p256")
    bad = circle.person.certificate.der.replace(der.oid(oids.SUBJECT_KEY_IDENTIFIER), der.oid("2.5.29.99"))
    assert any(finding.severity == "WARNING" or finding.severity == "ERROR" for finding in lint_pkix.findings(bad))
    assert lint_pkix.findings(b"\x30\x00")[0].severity == "FATAL"


@pytest.mark.parametrize("expected", lint_pkix.EXPECTED, ids=lambda item: item.code)
def test_every_expected_finding_occurs_and_has_a_clause(expected: lint_pkix.Expected) -> None:
    assert any(word in expected.reason for word in ("RFC", "GM/T", "X.667"))
    found = set()
    for suite in ("rsa-pss", "gost2012-256", "sm2", "ecdsa-p256", "ml-dsa-65", "rsa"):
        root = circle_of(suite).root
        # what is checked is the certificate behind a placeholder
        found |= {
            item.code for item in lint_pkix.findings(extensions.signed(root.tbs, root.signature_algorithm, bytes(64)))
        }
        if suite == "sm2":
            found |= {
                item.code
                for _, one in everything(circle_of(suite), "encryption")
                for item in lint_pkix.findings(one.der)
            }
    circle = circle_of("ecdsa-p256")
    found |= {item.code for _, one in everything(circle, "audit") for item in lint_pkix.findings(one.der)}
    local = Authority(
        circle.ca.issuing.key, circle.issuing, ledger=MemoryLedger(), clock=CLOCK, crl_url="http://localhost:8000/x"
    )
    plan = local.prepare(profiles.load("person"), SUBJECTS["plain"][0], circle.person.key.public_key.spki)
    found |= {item.code for item in lint_pkix.findings(local.issue(plan).der)}
    assert expected.code in found


@pytest.mark.parametrize("address", ["pki.example", "http://", "http://a b/", "file:///x", "http://a:b/", "http://ä/"])
def test_an_address_that_is_none_gets_into_no_certificate(address: str) -> None:
    with pytest.raises(MalformedInput):
        extensions.crl_distribution_points([address])


def test_without_pkilint_our_own_rules_remain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lint_pkix, "available", lambda: False)
    circle = make_circle("ecdsa-p256")
    circle.ca.issue("person", SUBJECTS["plain"][0], circle.person.key.public_key.spki)
    assert lint_pkix.findings(b"\x30\x00") == ()


def test_what_pkilint_refuses_is_not_signed_and_not_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    circle = make_circle("ecdsa-p256")
    before = circle.ca.issuing.entries()
    monkeypatch.setattr(lint_pkix, "findings", lambda _: (lint_pkix.Finding("ERROR", "test.finding"),))
    with pytest.raises(IssuanceError, match=r"test\.finding"):
        circle.ca.issue("person", SUBJECTS["plain"][0], circle.person.key.public_key.spki)
    assert circle.ca.issuing.entries() == before


# Single profiles -----------------------------------------------------------------------------------------------------
def test_a_one_time_signer_lives_for_hours_and_has_no_status(signing_suite: str) -> None:
    circle = make_circle(signing_suite)
    key = keys_of(signing_suite)[4].public_key.spki
    certificate = circle.ca.issue("one-time", SUBJECTS["plain"][0], key)
    assert certificate.not_after - certificate.not_before == timedelta(hours=1, seconds=-1)
    assert certificate.crl_urls == ()
    for oid in (oids.NO_REV_AVAIL, oids.VALASSURED_ST_CERTS):
        assert certificate.extension(oid) == Extension(oid, False, b"\x05\x00")
    longest = circle.ca.issue("one-time", SUBJECTS["plain"][0], key, lifetime=timedelta(hours=24))
    assert longest.not_after - longest.not_before == timedelta(hours=24, seconds=-1)
    for lifetime in (timedelta(hours=25), timedelta(0), timedelta(hours=-1)):
        with pytest.raises(ProfileError):
            circle.ca.issue("one-time", SUBJECTS["plain"][0], key, lifetime=lifetime)
    with pytest.raises(ProfileError):
        circle.ca.issue("one-time", SUBJECTS["plain"][0], key, days=2)


def test_a_profile_of_the_operators_own_names_policies(signing_suite: str) -> None:
    text = """
    description = "own"
    days = 10
    max_days = 20
    ca = false
    key_usage = ["non_repudiation"]
    extended_key_usage = ["1.3.6.1.5.5.7.3.36"]
    required = ["country"]
    policies = ["1.3.6.1.4.1.99999.1"]
    """
    profile = profiles.read("own", text.encode())
    circle = make_circle(signing_suite)
    certificate = circle.ca.issue(profile, SUBJECTS["plain"][0], circle.person.key.public_key.spki)
    assert certificate.policies == ("1.3.6.1.4.1.99999.1",)
    assert circle.ca.issuing.entry(certificate.serial).profile == "own"  # type: ignore[union-attr]
    for broken in (b"\xff", b"x", text.replace("ca = false", "ca = 0").encode(), b"a = " + b"[" * 100_000):
        with pytest.raises(ProfileError):
            profiles.read("own", broken)


GOOD = {
    "description": "x",
    "days": 10,
    "max_days": 20,
    "ca": False,
    "key_usage": ["digital_signature"],
    "extended_key_usage": [],
    "required": [],
}


@pytest.mark.parametrize(
    "change",
    [
        {"hours": 3},
        {"days": 0, "max_days": 0, "hours": 3, "max_hours": 2},
        {"suites": ["rot13"]},
        {"key_usage": []},
        {"key_usage_of": {"rot13": ["digital_signature"]}},
        {"key_usage_of": {"rsa": ["key_cert_sign"]}},
        {"key_usage_of": {"rsa": "digital_signature"}},
        {"suites": ["sm2"], "key_usage_of": {"rsa": ["digital_signature"]}},
        {"alt_names": ["uri"]},
        {"alt_names": [], "alt_names_required": True},
        {"extra": ["nonsense"]},
        {"extra": ["no-rev-avail"]},
        {"forms": ["mars"]},
        {"issuer": "nobody"},
        {"constraints": True},
        {"path_length": 0},
        {"policies": ["2.5.29.32.0"]},
        {"extended_key_usage": ["1.3.6.1.5.5.7.3.10"]},
        {"extended_key_usage": ["1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.4"], "extended_key_usage_critical": True},
    ],
)
def test_rules_that_contradict_each_other_are_refused(change: dict[str, object]) -> None:
    profiles.parse("test", GOOD)
    with pytest.raises(ProfileError):
        profiles.parse("test", GOOD | change)


def test_a_profile_describes_itself() -> None:
    shown = {name: profiles.describe(profiles.load(name)) for name in profiles.names()}
    assert shown["one-time"]["validity"] == "1 hour, at most 24"
    assert shown["tls"]["alt_names"] == "dns, ip"
    assert "sm2" not in shown["tls"]["suites"]


# Constraints ---------------------------------------------------------------------------------------------------------
def test_an_authority_is_limited_as_asked(signing_suite: str) -> None:
    circle = make_circle(signing_suite)
    subject = Subject("Limited", organisation="O", country="CN")
    plan = circle.ca.root_authority.prepare(
        profiles.load("intermediate"), subject, circle.person.key.public_key.spki, constraints=LIMITS
    )
    certificate = circle.ca.root_authority.issue(plan)
    assert certificate.path_length == 0
    assert certificate.policies == ("1.2.3.4",)
    for oid in (oids.NAME_CONSTRAINTS, oids.POLICY_CONSTRAINTS, oids.INHIBIT_ANY_POLICY, oids.POLICY_MAPPINGS):
        extension = certificate.extension(oid)
        assert extension is not None
        assert extension.critical


def test_the_path_length_shrinks_on_the_way_down() -> None:
    key, other = keys_of("ed25519")[:2]
    circle = ClosedCircle.create("ed25519", organisation="O", country="DE", clock=CLOCK, ledger=MemoryLedger())
    subject = Subject("Middle", organisation="O", country="DE")
    middle_plan = circle.root_authority.prepare(
        profiles.load("intermediate"), subject, key.public_key.spki, constraints=Constraints(path_length=1)
    )
    middle = Authority(key, circle.root_authority.issue(middle_plan), ledger=MemoryLedger(), clock=CLOCK)
    lower = Subject("Lower", organisation="O", country="DE")
    for length in (None, 1, 5):
        with pytest.raises(IssuanceError, match="path length"):
            middle.prepare(
                profiles.load("intermediate"), lower, other.public_key.spki, constraints=Constraints(path_length=length)
            )
    middle.prepare(profiles.load("issuing"), lower, other.public_key.spki)
    with pytest.raises(IssuanceError):
        circle.issuing.prepare(profiles.load("issuing"), lower, other.public_key.spki)


@pytest.mark.parametrize(
    "bad",
    [
        Constraints(path_length=-1),
        Constraints(permitted=(Subtree("dns", "*.example"),)),
        Constraints(permitted=(Subtree("uri", "example"),)),
        Constraints(permitted=(Subtree("ip", "192.0.2.1/24"),)),
        Constraints(permitted=(Subtree("email", "a b@c"),)),
        Constraints(permitted=(Subtree("dn", "zz"),)),
        Constraints(mappings=(("1.2.3", "1.2.4"),)),
        Constraints(policies=("2.5.29.32.0",), mappings=(("2.5.29.32.0", "1.2.4"),)),
    ],
)
def test_constraints_that_no_certificate_may_have(bad: Constraints) -> None:
    with pytest.raises((ProfileError, MalformedInput)):
        list(bad.extensions())


def test_people_take_no_constraints() -> None:
    circle = circle_of("ed25519")
    with pytest.raises(ProfileError):
        circle.ca.issuing.prepare(
            profiles.load("person"), SUBJECTS["plain"][0], circle.person.key.public_key.spki, constraints=LIMITS
        )


# Our own lint --------------------------------------------------------------------------------------------------------
def _findings(name: str, *, own: tuple[Extension, ...] = (), **change: object) -> list[str]:
    """Lint a certificate of profile `name` that breaks something."""
    circle = circle_of("ecdsa-p256")
    profile = profiles.load(name)
    values: dict[str, object] = {"subject": SUBJECTS["plain"][0].name(), "spki": circle.person.key.public_key.spki}
    wanted = Wanted(profile, **(values | {"own": own} | change))  # type: ignore[arg-type]
    issuing = circle.ca.issuing
    algorithm = issuing.key.suite.signature_algorithm(Use.X509).der()
    tail = [extensions.authority_key_identifier(circle.issuing.ski or b"")]
    end = NOW + profile.lifetime - timedelta(seconds=1)
    body = tbs(wanted, 0x5A << 136, algorithm, circle.issuing.subject_name.der, (NOW, end), tail)
    return list(lint.findings_of(body, profile, circle.issuing))


def test_lint_has_nothing_against_a_decent_one() -> None:
    assert _findings("person") == []
    assert _findings("one-time") == []


QC_COMPLIANCE = der.sequence(der.sequence(der.oid("0.4.0.1862.1.1")))


@pytest.mark.parametrize(
    ("name", "own", "change"),
    [
        ("person", (Extension(oids.QC_STATEMENTS, False, QC_COMPLIANCE),), {}),
        ("person", (Extension(oids.GM_USCC, True, der.tlv(0x13, b"x")),), {}),
        ("person", (Extension("1.2.3.4", False, b"\x05\x00"),), {}),
        ("person", (extensions.no_revocation_available(),), {}),
        ("person", (Extension(oids.NAME_CONSTRAINTS, True, der.sequence()),), {}),
        ("person", (extensions.certificate_policies(["2.5.29.32.0"]),), {}),
        ("person", (), {"names": AltNames(dns=("a.example",))}),
        ("person", (), {"subject": Subject("A", country="DE", email="a@example.com").name()}),
        ("one-time", (extensions.crl_distribution_points(["http://a/b"]),), {}),
        ("one-time", (Extension(oids.AUTHORITY_INFO_ACCESS, False, der.sequence(der.oid(oids.OCSP))),), {}),
        ("tls", (), {}),
        ("person", (Extension(oids.SUBJECT_ALT_NAME, False, der.sequence(der.tlv(0x82, b"a b"))),), {}),
    ],
)
def test_lint_finds(name: str, own: tuple[Extension, ...], change: dict[str, object]) -> None:
    assert _findings(name, own=own, **change) != []


def test_lint_finds_a_modulus_without_its_zero_octet() -> None:
    """Such keys are read, in old certificates; a new certificate does not carry one."""
    key = keys_of("rsa")[0].public_key.spki
    numbers = der.Reader(der.split_spki(key)[1]).enter(der.SEQUENCE)
    shorter = der.sequence(der.integer(numbers.integer() - (1 << 2048)), der.integer(numbers.integer()))
    spki = der.subject_public_key_info(AlgorithmID(oids.RSA, der.NULL_DER), shorter)
    assert [f for f in _findings("person", spki=spki) if "negative" in f]
    assert not [f for f in _findings("person", spki=key) if "negative" in f]


def test_lint_reads_what_is_in_the_short_lived_extension() -> None:
    """Not every linter does: the extension of EN 319 412-1 holds NULL and nothing else."""
    profile = replace(profiles.load("one-time"), extra=("no-rev-avail",))
    assert "valassured" in "".join(
        _findings("person", own=(Extension(oids.VALASSURED_ST_CERTS, False, der.integer(1)),))
    )
    assert profile.extra


def test_forms_are_all_described() -> None:
    assert set(FORMS) == {"plain", "china", "russia", "europe"}
    for label, form in FORMS.items():
        assert form.label == label
        assert form.description


@pytest.mark.parametrize("field", ["common_name", "organisation", "organisational_unit", "surname", "given_name"])
def test_names_are_as_long_as_companies_have_them(field: str) -> None:
    circle = circle_of("ecdsa-p256")
    spki = circle.person.key.public_key.spki
    values = {"common_name": "A", "country": "RU", field: "ж" * 256}
    assert "ж" * 256 in circle.ca.issue("person", Subject(**values), spki).subject
    with pytest.raises(MalformedInput):
        circle.ca.issue("person", Subject(**(values | {field: "ж" * 257})), spki)


WORDS = st.text(max_size=70) | st.sampled_from(
    ["DE", "CN", "RU", "a@x.example", "江海贸易", "ООО «Север»", "O'Brien & Söhne"]
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from([name for name in profiles.names() if name != "root"]),
    st.sampled_from(sorted(FORMS)),
    st.fixed_dictionaries(
        {"common_name": WORDS},
        optional=dict.fromkeys(
            ("organisation", "country", "given_name", "surname", "locality", "street", "title", "email"), WORDS
        ),
    ),
)
def test_whatever_is_asked_for_is_refused_or_clean(name: str, form: str, values: dict[str, str]) -> None:
    """Our own checks stop what pkilint would, so that an authority without it signs nothing else."""
    circle = circle_of("ecdsa-p256")
    profile = profiles.load(name)
    try:
        plan = signer(circle, profile).prepare(
            profile, Subject(**values), circle.person.key.public_key.spki, form=form, facts=FACTS
        )
    except IssuanceError as error:
        if "pkilint" in str(error) and "e-mail" not in str(error):
            pytest.fail(f"only pkilint saw it: {error}")
        return
    except CertsError:
        return
    assert plan.tbs
