"""The truth table of powers of attorney: which wrong thing makes which check fail, in every suite."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from certs.certificate import Subject
from certs.identifiers import Identifier
from certs.mandates import Actor, read_mandate
from certs.pem import armor
from certs.trust import TrustStore
from signer.mandates import Claim, Letter, Revocation, accepted, grant_of, judge, judge_use, open_points
from signer.mandates.matching import same_person_name
from signer.pades.options import SignOptions
from signer.pades.sign import sign_bytes
from signer.report import CheckResult, LayerReport, Report
from signer.verify import verify_bytes
from tests.conftest import CLOCK, NOW, SIGNING, make_pdf
from tests.mandates import (
    ABOVE,
    CHINESE,
    HEAD,
    HEAD_INN,
    HEAD_SNILS,
    HER,
    HER_INN,
    HER_SNILS,
    INN,
    NAME,
    OGRN,
    OTHER_INN,
    OTHER_OGRN,
    OTHER_USCC,
    RUSSIAN,
    USCC,
    Firm,
    firm,
    head,
    organisation,
    paper,
    person,
)

firm_of = cache(lambda suite: firm(suite, CLOCK))
HER_CLAIM = Claim("Ольга Смирнова", "Волга", (INN, HER_SNILS))
DIRECTOR = Subject(HEAD, country="RU", identifiers=(HEAD_INN, HEAD_SNILS))


def report(xml: bytes, signature: bytes, *firms: Firm) -> Report:
    store = TrustStore()
    for each in firms:
        for data in each.trust:
            store = _with(store, data)
    return verify_bytes(signature, name="m.sig", trust=store, clock=CLOCK, content=xml)


def _with(store: TrustStore, data: bytes) -> TrustStore:
    from certs.trust import parse

    certificates, crls, ocsps = parse(data)
    return store.with_(certificates, crls, ocsps)


def found(
    xml: bytes,
    by: Firm,
    *,
    claim: Claim = HER_CLAIM,
    moment: datetime = NOW,
    revocation: Revocation | None = None,
    signature: bytes | None = None,
    trusting: bool = True,
) -> dict[str, CheckResult]:
    grant = grant_of(read_mandate(xml))
    checks = judge(grant, report(xml, signature or by.sign(xml), *([by] if trusting else [])))
    checks += judge_use(grant, claim, moment, revocation)
    assert accepted(checks) == all(check.result != "failed" for check in checks)
    assert len({check.id for check in checks}) == len(checks)
    return {check.id: check for check in checks}


def failed(checks: dict[str, CheckResult]) -> set[str]:
    return {name for name, check in checks.items() if check.result == "failed"}


@pytest.mark.parametrize("suite", SIGNING)
def test_a_good_one_leaves_open_what_nobody_asked(suite: str) -> None:
    checks = found(paper(), firm_of(suite))
    assert failed(checks) == set(), checks
    assert open_points(checks.values()) == ("signatory", "register")
    assert checks["signature"].basis == suite
    assert checks["principal"].detail == f"the certificate has the RU-INN, RU-OGRN of {NAME}"


@pytest.mark.parametrize("suite", ["gost2012-256", "sm2"])
@pytest.mark.parametrize("form", ["pem", "base64"])
def test_the_signature_may_be_pem_or_base64(suite: str, form: str) -> None:
    xml = paper()
    der = firm_of(suite).sign(xml)
    value = armor("CMS", der).encode() if form == "pem" else base64.encodebytes(der)
    assert failed(found(xml, firm_of(suite), signature=value)) == set()


def gost() -> Firm:
    return firm_of("gost2012-256")


def named(*identifiers: Identifier, **more: Any) -> Firm:
    return gost().holding(replace(RUSSIAN, identifiers=identifiers, **more))


TWO = (person("Ким Анна", None, None), person())
WRONG: dict[str, tuple[set[str], dict[str, Any]]] = {
    "altered XML": ({"signature", "chain"}, {"altered": True}),
    "another organisation's certificate": ({"principal"}, {"by": lambda: named(OTHER_INN, OTHER_OGRN)}),
    "one number right, the other another's": ({"principal"}, {"by": lambda: named(INN, OTHER_OGRN)}),
    "the head of another organisation too": (
        {"principal"},
        {"by": lambda: named(OTHER_INN, HEAD_INN, HEAD_SNILS)},
    ),
    "somebody else's certificate": (
        {"principal", "signatory"},
        {"by": lambda: gost().holding(Subject(HER, country="RU", identifiers=(HER_INN,)), "person")},
    ),
    "an employee with the organisation's certificate": (
        {"signatory"},
        {"by": lambda: named(INN, OGRN, HER_INN, HER_SNILS)},
    ),
    "two heads together, one signed": (
        {"signatory"},
        {
            "paper": {
                "principal": organisation(heads=head(whole="2") + head("Ким Анна", HER_INN, HER_SNILS, whole="2"))
            },
            "by": lambda: named(INN, HEAD_INN),
        },
    ),
    "a wrong checksum": ({"identifiers"}, {"paper": {"more": {HER_INN.value: "779876543200"}}}),
    "expired": ({"term"}, {"moment": datetime(2027, 1, 9, 21, 0, tzinfo=UTC)}),
    "not yet valid": ({"term"}, {"moment": datetime(2026, 1, 9, 20, 59, tzinfo=UTC)}),
    "revoked": ({"revocation"}, {"revocation": Revocation(NOW - timedelta(days=1), "уволена")}),
    "for another organisation": ({"represented"}, {"claim": Claim(HER, "ООО «Двина»", (OTHER_INN, HER_SNILS))}),
    "for one with no numbers": ({"represented"}, {"claim": Claim(HER, "ООО «Двина»", (HER_SNILS,))}),
    "for whoever handed on the powers of another": ({"represented"}, {"paper": {"above": ABOVE}}),
    "by somebody else": ({"representative"}, {"claim": Claim("Анна Ким", NAME, (INN,))}),
    "by a namesake": ({"representative"}, {"claim": Claim(HER, NAME, (INN, HEAD_SNILS))}),
    "by somebody of an organisation it empowers": (
        {"representative"},
        {"paper": {"representatives": ('<СведОрг НаимОрг="Смирнова Ольга Ёлкина" КПП="1"/>',)}},
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_wrong_thing_makes_its_check_fail_and_no_other(name: str) -> None:
    expected, how = WRONG[name]
    how = dict(how)
    by = how.pop("by", gost)()
    xml = paper(**how.pop("paper", {}))
    signature = by.sign(xml)
    if how.pop("altered", False):
        xml = xml.replace(b"<\xd0\x9f\xd1\x80\xd0\xb5\xd0\xb4>", b"<\xd0\x9f\xd1\x80\xd0\xb5\xd0\xb4 >")
    assert failed(found(xml, by, signature=signature, **how)) == expected


OPEN: dict[str, tuple[str, dict[str, Any]]] = {
    "an authority nobody named": ("chain", {"trusting": False}),
    "the head as a person": ("principal", {"by": lambda: gost().holding(DIRECTOR, "person")}),
    "the name and no number": ("principal", {"by": lambda: gost().holding(replace(RUSSIAN, identifiers=()), "person")}),
    "a sub-delegation": (
        "sub-delegation",
        {"paper": {"above": ABOVE}, "claim": Claim(HER, "АО Исток", (Identifier("RU-INN", "7700000016"), HER_SNILS))},
    ),
    "two representatives": ("alone", {"paper": {"representatives": TWO}}),
    "an organisation by its name": ("represented", {"claim": Claim(HER, "ооо  Волга", (HER_SNILS,))}),
    "a person by her name": ("representative", {"claim": Claim("Смирнова Ольга Елкина", NAME, (INN,))}),
}


@pytest.mark.parametrize("name", OPEN)
def test_what_cannot_be_known_is_not_checked_and_not_passed(name: str) -> None:
    expected, how = OPEN[name]
    how = dict(how)
    checks = found(paper(**how.pop("paper", {})), how.pop("by", gost)(), **how)
    assert failed(checks) == set(), checks
    assert expected in open_points(checks.values())
    assert checks[expected].detail


def test_of_two_heads_who_act_together_a_forged_second_signature_is_none() -> None:
    heads = head(whole="2") + head("Ким Анна", HER_INN, HER_SNILS, whole="2")
    grant = grant_of(read_mandate(paper(principal=organisation(heads=heads))))
    xml = paper()
    one, two = (report(xml, by.sign(xml), by) for by in (named(INN, HEAD_INN), named(INN, HER_INN)))
    both = replace(one, signatures=(*one.signatures, *two.signatures))
    assert {check.id: check.result for check in judge(grant, both)}["signatory"] == "passed"
    forged = replace(two.signatures[0], cryptographic=LayerReport("failed"))
    both = replace(one, signatures=(*one.signatures, forged))
    assert {check.id: check.result for check in judge(grant, both)}["signatory"] == "failed"


def test_the_days_are_those_of_moscow_and_the_last_one_counts() -> None:
    for moment in (datetime(2026, 1, 9, 21, 0, tzinfo=UTC), datetime(2027, 1, 9, 20, 59, 59, tzinfo=UTC)):
        assert failed(found(paper(), gost(), moment=moment)) == set()


def test_a_revocation_that_comes_later_does_not_matter() -> None:
    later = Revocation(NOW + timedelta(seconds=1), "уволена")
    assert failed(found(paper(), gost(), revocation=later)) == set()


def test_the_director_who_signs_with_the_organisations_certificate_is_known() -> None:
    checks = found(paper(), named(INN, OGRN, HEAD_INN, HEAD_SNILS))
    assert (failed(checks), open_points(checks.values())) == (set(), ("register",))


@pytest.mark.parametrize(
    ("whole", "given", "same"),
    [
        ("Смирнова Ольга Ивановна", "Ольга Смирнова", True),
        ("Смирнова Ольга Ивановна", "СМИРНОВА ОЛЬГА ИВАНОВНА", True),
        ("Ёлкин Пётр", "Елкин Петр Ильич", True),
        ("Смирнова Ольга Ивановна", "Ольга Ивановна", False),
        ("Смирнова Ольга Ивановна", "Смирнова", False),
        ("Смирнова Ольга Ивановна", "Ольга Смирнова Петровна", False),
        ("王𠮷", "王𠮷", True),
        ("王𠮷", "王吉", False),
        ("Wang Wei", "Wei Wang", True),
        ("", "", True),
    ],
)
def test_names_of_people(whole: str, given: str, same: bool) -> None:
    assert same_person_name(whole, given) is same


LETTER = Letter(
    Actor("organisation", "江海贸易有限公司", (USCC,)),
    Actor("person", "李娜", (Identifier("CN-ID", "11010519491231002X"),)),
    "签署供货合同",
    "500 000 CNY",
    date(2026, 1, 1),
    date(2026, 12, 31),
)


def letter_checks(
    suite: str, subject: Subject = CHINESE, letter: Letter = LETTER, **claim: Any
) -> dict[str, CheckResult]:
    by = firm(suite, CLOCK, subject)
    pdf = sign_bytes(make_pdf(), by.key, by.certificate, by.ca.chain[:1], SignOptions(), CLOCK)
    store = TrustStore()
    for data in by.trust:
        store = _with(store, data)
    grant = grant_of(letter)
    about = {"name": "李娜", "organisation": "江海贸易有限公司", "identifiers": (USCC,), **claim}
    checks = judge(grant, verify_bytes(pdf, name="letter.pdf", trust=store, clock=CLOCK))
    return {check.id: check for check in (*checks, *judge_use(grant, Claim(**about), NOW))}


@pytest.mark.parametrize("suite", ["sm2", "gost2012-256", "rsa", "ecdsa-p256"])
def test_a_letter_is_the_organisations_by_its_code_and_what_is_stated_stays_stated(suite: str) -> None:
    checks = letter_checks(suite)
    assert failed(checks) == set(), checks
    assert open_points(checks.values()) == ("content", "register", "representative")
    assert "CN-USCC" in checks["principal"].detail


@pytest.mark.parametrize(
    ("expected", "how"),
    [
        ("principal", {"subject": replace(CHINESE, identifiers=(OTHER_USCC,))}),
        ("term", {"letter": replace(LETTER, last=date(2026, 11, 20))}),
        ("represented", {"identifiers": (OTHER_USCC,)}),
        ("representative", {"name": "李那"}),
    ],
)
def test_a_letter_with_something_wrong(expected: str, how: dict[str, Any]) -> None:
    assert failed(letter_checks("ecdsa-p256", **how)) == {expected}


def test_a_letter_nobody_signed_is_nobodys() -> None:
    grant = grant_of(LETTER)
    checks = judge(grant, verify_bytes(make_pdf(), name="letter.pdf", trust=TrustStore(), clock=CLOCK))
    assert {check.id for check in checks if check.result == "failed"} == {"signature", "chain", "principal"}
