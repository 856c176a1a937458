"""Subject forms of China, Russia and Europe: written, read back, and refused where something is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from certs import ber, lint_pkix, oids, profiles
from certs.ca import Authority
from certs.certificate import Certificate, Subject
from certs.describe import describe
from certs.errors import ProfileError
from certs.extension_values import text_of
from certs.forms import Facts
from certs.identifiers import Identifier
from certs.ledger import MemoryLedger
from tests.certs.test_profiles import CHINESE_PERSON, EUROPEAN_FIRM, EUROPEAN_PERSON, FACTS, RUSSIAN_FIRM, SUBJECTS
from tests.conftest import CLOCK, circle_of, subjects_of


def issue(suite: str, form: str, subject: Subject, facts: Facts = FACTS) -> Certificate:
    circle = circle_of(suite)
    return circle.ca.issue("person", subject, circle.person.key.public_key.spki, form=form, facts=facts)


@pytest.mark.parametrize("form", ["plain", "china", "russia", "europe"])
def test_identifiers_come_back_in_every_suite(suite_name: str, form: str) -> None:
    for subject in SUBJECTS[form]:
        certificate = issue(suite_name, form, subject)
        assert set(certificate.identifiers) == set(subject.identifiers)
        shown = describe(certificate.der)[0]
        assert len(shown["identifiers"]) == len(subject.identifiers)
        assert all(item["checksum_ok"] in (True, None) for item in shown["identifiers"])


def order(certificate: Certificate) -> list[str]:
    return [oids.name(attribute.oid) for attribute in certificate.subject_name.attributes]


def test_the_chinese_form() -> None:
    firm = replace(subjects_of("sm2")[1], organisational_unit="合同部", state="上海市")
    certificate = issue("sm2", "china", firm)
    assert order(certificate) == [
        *("country", "state-or-province", "locality", "organisation", "organisational-unit", "common-name")
    ]
    extension = certificate.extension(oids.GM_USCC)
    assert extension is not None
    assert not extension.critical
    assert text_of(extension.value) == "91310000MA1FL5RX2W"
    assert certificate.extension(oids.SHECA_USCC) is None
    both = issue("sm2", "china", firm, replace(FACTS, arcs=("gm", "sheca")))
    assert text_of(both.extension(oids.SHECA_USCC).value) == "91310000MA1FL5RX2W"  # type: ignore[union-attr]
    person = issue("sm2", "china", CHINESE_PERSON)
    code = person.extension(oids.GM_IDENTITY)
    assert code is not None
    assert code.value[:4] == b"\xa0\x14\x13\x12"  # [0] EXPLICIT PrintableString of 18
    assert "1101" not in person.subject


def test_the_russian_form() -> None:
    certificate = issue("gost2012-256", "russia", RUSSIAN_FIRM)
    assert order(certificate) == [
        *("country", "state-or-province", "locality", "street", "organisation", "innle", "ogrn", "common-name")
    ]
    tags = {oids.name(item.oid): item.tag for item in certificate.subject_name.attributes}
    assert tags["innle"] == tags["ogrn"] == 0x12
    assert text_of(certificate.extension(oids.SUBJECT_SIGN_TOOL).value) == "КриптоПро CSP 5.0"  # type: ignore[union-attr]
    tool = certificate.extension(oids.ISSUER_SIGN_TOOL)
    assert tool is not None
    assert [item.content().decode() for item in ber.load(tool.value)] == [
        *("КриптоПро CSP", "УЦ 2.0", "СФ/124-0001", "СФ/128-0002")
    ]
    assert certificate.extension(oids.IDENTIFICATION_KIND).value == b"\x02\x01\x00"  # type: ignore[union-attr]
    assert certificate.policies == ("1.2.643.100.113.1", "1.2.643.100.113.2")
    person = issue("gost2012-256", "russia", subjects_of("gost2012-256")[0])
    assert order(person) == ["country", "inn", "snils", "surname", "given-name", "common-name"]


def test_the_european_forms() -> None:
    person = issue("ecdsa-p256", "europe", EUROPEAN_PERSON)
    assert person.subject_name.first(oids.SERIAL_NUMBER) == "IDCDE-L01X00T47"
    assert person.subject_name.first(oids.EMAIL_ADDRESS) is None  # it stands in subjectAltName
    statements = person.extension(oids.QC_STATEMENTS)
    assert statements is not None
    kinds = [item.members().next().oid() for item in ber.load(statements.value)]
    assert kinds == ["1.3.6.1.5.5.7.11.2"]  # the meaning of serialNumber; no claim of EN 319 412-5
    firm = issue("ecdsa-p256", "europe", EUROPEAN_FIRM)
    assert firm.subject_name.all(oids.ORGANISATION_IDENTIFIER) == ("VATDE-136695976",)


DISCOURAGED = {
    "etsi.en_319_412_2.gen-4.2.2-1.discouraged_signature_algorithm",
    "etsi.en_319_412_2.gen-4.2.5-1.discouraged_public_key_type",
}
"""EN 319 412-2 4.2.2, 4.2.5 point to TS 119 312, which has no national suites, no ML-DSA."""


@pytest.mark.parametrize("kind", ["NATURAL", "LEGAL"])
def test_the_european_form_by_the_etsi_rules_of_pkilint(signing_suite: str, kind: str) -> None:
    from pkilint import etsi, loader
    from pkilint.etsi import etsi_constants
    from pkilint.pkix import certificate as rules

    circle = circle_of(signing_suite)
    site = "http://pki.example.com"
    authority = Authority(
        circle.ca.issuing.key,
        circle.issuing,
        ledger=MemoryLedger(),
        clock=CLOCK,
        crl_url=f"{site}/x.crl",
        issuer_url=f"{site}/x.cer",
    )
    profile = replace(
        profiles.load("person"),
        policies=("0.4.0.2042.1.1",),
        key_usage=("non_repudiation",),  # NCP
    )
    subject = EUROPEAN_PERSON if kind == "NATURAL" else EUROPEAN_FIRM
    plan = authority.prepare(profile, subject, circle.person.key.public_key.spki, form="europe")
    chosen = etsi_constants.CertificateType.from_option_str(f"NCP-{kind}-PERSON-CERTIFICATE")
    validator = rules.create_pkix_certificate_validator_container(
        etsi.create_decoding_validators(chosen), etsi.create_validators(chosen)
    )
    document = loader.RFC5280CertificateDocumentLoader().load_document(authority.issue(plan).der, "certificate")
    found = {
        item.finding.code
        for result in validator.validate(document.root)
        for item in result.finding_descriptions
        if item.finding.severity.name in lint_pkix.SEVERITIES
    }
    expected = {"pkix.public_key_algorithm_unsupported"} if signing_suite.startswith("gost") else set()
    assert found <= DISCOURAGED | expected
    if signing_suite in ("rsa", "ecdsa-p256"):
        assert found == set()


@pytest.mark.parametrize(
    ("form", "subject"),
    [
        ("china", Subject("x", country="DE")),
        ("russia", replace(RUSSIAN_FIRM, country="DE")),
        ("russia", replace(RUSSIAN_FIRM, street=None)),
        ("russia", replace(RUSSIAN_FIRM, identifiers=RUSSIAN_FIRM.identifiers[:1])),
        ("russia", replace(subjects_of("gost2012-256")[0], surname=None)),
        ("russia", replace(subjects_of("gost2012-256")[0], identifiers=())),
        ("europe", Subject("x", country="DE")),
        ("europe", Subject("x", country="DE", organisation="O")),
        ("europe", subjects_of("rsa")[1]),  # two identifiers for one organizationIdentifier
        ("europe", replace(EUROPEAN_PERSON, pseudonym="J")),
        ("europe", replace(EUROPEAN_PERSON, identifiers=(Identifier("RU-SNILS", "11223344595"),))),
        ("mars", Subject("x", country="DE")),
    ],
)
def test_a_form_says_what_is_missing(form: str, subject: Subject) -> None:
    with pytest.raises(ProfileError):
        issue("ed25519", form, subject)


@pytest.mark.parametrize(
    "facts",
    [
        Facts(),
        replace(FACTS, subject_sign_tool=None),
        replace(FACTS, subject_sign_tool="x" * 201),
        replace(FACTS, subject_sign_tool=""),
        replace(FACTS, identification_kind=4),
        replace(FACTS, identification_kind=None),
        replace(FACTS, tool_classes=("KC9",)),
    ],
)
def test_russian_facts_are_not_made_up(facts: Facts) -> None:
    with pytest.raises(ProfileError):
        issue("gost2012-256", "russia", RUSSIAN_FIRM, facts)


def test_chinese_arcs_are_known_ones() -> None:
    with pytest.raises(ProfileError):
        issue("sm2", "china", CHINESE_PERSON, replace(FACTS, arcs=("mine",)))
