"""The four questions: nothing is said that no check bears out, in the same words everywhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from signer.report import ChangesReport, CheckResult, LayerReport, RevisionReport, TimeReport, TimestampReport, Verdict
from signer.text import LANGUAGES
from signer.text.answers import report_answers, signature_answers
from tests.conftest import SIGNING, circle_of
from tests.signer.test_report import NOON, SIGNER, report, signature
from tests.signer.test_verify import signed, verify

FAILED = {"verdict": Verdict.TOTAL_FAILED, "cryptographic": LayerReport("failed")}
CHAIN_HOLDS = (CheckResult("x509-validation", "", "passed"),)
NOT_HERE = CheckResult("content", "", "not-checked")
STAMP: dict[str, Any] = {"kind": "timestamp", "revision": None, "changes_after": None}
CERTIFICATE: dict[str, Any] = {**STAMP, "kind": "certificate", "signed_at": None}


def keys(**more: Any) -> dict[str, str]:
    return {answer.question: answer.key for answer in signature_answers(signature(**more))}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, {"who": "proven", "what": "revision", "when": "timestamp", "unchanged": "form-filling"}),
        (
            {**FAILED, "sub_indication": "HASH_FAILURE"},
            {"who": "failed", "what": "altered", "when": "unknown", "unchanged": "altered"},
        ),
        (
            {**FAILED, "sub_indication": "SIG_CRYPTO_FAILURE"},
            {"who": "failed", "what": "unknown", "when": "unknown", "unchanged": "unknown"},
        ),
        # the guard: the value fits some octets, but which ones a reader sees is not established
        (
            {"verdict": Verdict.TOTAL_FAILED, "sub_indication": "FORMAT_FAILURE", "checks": CHAIN_HOLDS},
            {"who": "failed", "what": "unknown", "when": "timestamp", "unchanged": "unknown"},
        ),
        # changed afterwards: the signed revision is still the signer's
        (
            {
                "verdict": Verdict.TOTAL_FAILED,
                "sub_indication": "FORMAT_FAILURE",
                "code": "forbidden-change",
                "checks": CHAIN_HOLDS,
                "changes_after": ChangesReport("forbidden"),
            },
            {"who": "proven", "what": "revision", "when": "timestamp", "unchanged": "forbidden"},
        ),
        (
            {"verdict": Verdict.INDETERMINATE, "sub_indication": "NO_CERTIFICATE_CHAIN_FOUND"},
            {"who": "named", "what": "revision", "when": "timestamp", "unchanged": "form-filling"},
        ),
        (
            {
                "verdict": Verdict.INDETERMINATE,
                "sub_indication": "GENERIC",
                "cryptographic": LayerReport("not-checked"),
            },
            {"who": "named", "what": "unknown", "when": "unknown", "unchanged": "unknown"},
        ),
        # the certificate named in the signature is another one: the chain of this one proves nothing
        (
            {
                "verdict": Verdict.INDETERMINATE,
                "sub_indication": "NO_SIGNING_CERTIFICATE_FOUND",
                "checks": (*CHAIN_HOLDS, CheckResult("signing-certificate", "", "failed")),
            },
            {"who": "named", "what": "revision", "when": "timestamp", "unchanged": "form-filling"},
        ),
        ({"signer": None}, {"who": "unknown", "what": "revision", "when": "timestamp", "unchanged": "form-filling"}),
        (
            {"signed_at": TimeReport(NOON, "claimed"), "revision": None, "changes_after": None},
            {"who": "proven", "what": "content", "when": "claimed", "unchanged": "content"},
        ),
        (
            {
                "signed_at": None,
                "revision": RevisionReport(3, 3, True),
                "changes_after": ChangesReport("from-tomorrow"),
            },
            {"who": "proven", "what": "whole", "when": "unknown", "unchanged": "unknown"},
        ),
        (
            {"kind": "document-timestamp"},
            {"who": "timestamp", "what": "revision", "when": "timestamp", "unchanged": "form-filling"},
        ),
    ],
)
def test_one_signature(more: dict[str, Any], expected: dict[str, str]) -> None:
    assert keys(**more) == expected


def test_the_time_is_that_of_the_time_stamp_that_is_believed() -> None:
    later = NOON + timedelta(hours=1)
    stamps = (
        TimestampReport(Verdict.TOTAL_FAILED, "HASH_FAILURE", NOON, "liar", "rsa"),
        TimestampReport(Verdict.TOTAL_PASSED, None, NOON, "the authority", "sm2"),
        TimestampReport(Verdict.TOTAL_PASSED, None, later, "a later one", "sm2"),
    )
    when = signature_answers(signature(timestamps=stamps))[2]
    assert dict(when.parameters) == {"time": NOON, "authority": "the authority"}


def together(*signatures: dict[str, Any]) -> dict[str, str]:
    return {answer.question: answer.key for answer in report_answers(report(*(signature(**s) for s in signatures)))}


@pytest.mark.parametrize(
    ("signatures", "expected"),
    [
        ([], {"who": "no-signature", "what": "no-signature", "when": "no-signature", "unchanged": "no-signature"}),
        ([{}], {"who": "all", "what": "all", "when": "one", "unchanged": "form-filling"}),
        (
            [{}, {"signed_at": TimeReport(NOON + timedelta(1), "timestamp"), "changes_after": ChangesReport("none")}],
            {"who": "all", "what": "all", "when": "all", "unchanged": "form-filling"},
        ),
        (
            [{}, {"signed_at": TimeReport(NOON, "claimed"), "changes_after": ChangesReport("annotations")}],
            {"who": "all", "what": "all", "when": "some", "unchanged": "annotations"},
        ),
        (
            [{}, {**FAILED, "sub_indication": "HASH_FAILURE"}],
            {"who": "some", "what": "some", "when": "some", "unchanged": "altered"},
        ),
        (
            [{**FAILED, "sub_indication": "SIG_CRYPTO_FAILURE"}],
            {"who": "none", "what": "none", "when": "unknown", "unchanged": "unknown"},
        ),
        (
            [{"signed_at": TimeReport(NOON, "claimed"), "revision": None, "changes_after": None}],
            {"who": "all", "what": "content", "when": "claimed-one", "unchanged": "content"},
        ),
        (
            [{"signed_at": TimeReport(NOON + timedelta(days), "claimed")} for days in (0, 1)],
            {"who": "all", "what": "all", "when": "claimed", "unchanged": "form-filling"},
        ),
        # a time-stamp that is not believed proves nothing, least of all itself
        (
            [{**STAMP, "verdict": Verdict.INDETERMINATE, "sub_indication": "NO_CERTIFICATE_CHAIN_FOUND"}],
            {"who": "none", "what": "content", "when": "stated", "unchanged": "content"},
        ),
        # nor is anything known of what is not here
        (
            [{**STAMP, "verdict": Verdict.INDETERMINATE, "sub_indication": "TRY_LATER", "checks": (NOT_HERE,)}],
            {"who": "none", "what": "none", "when": "stated", "unchanged": "unknown"},
        ),
        ([STAMP], {"who": "all", "what": "content", "when": "one", "unchanged": "content"}),
        # the holder of a certificate has signed nothing
        ([CERTIFICATE], {"who": "certificate", "what": "content", "when": "unknown", "unchanged": "content"}),
        (
            [CERTIFICATE, {**CERTIFICATE, "verdict": Verdict.INDETERMINATE, "sub_indication": "TRY_LATER"}],
            {"who": "certificate-open", "what": "content", "when": "unknown", "unchanged": "content"},
        ),
        # a document time-stamp answers for nobody else
        (
            [{"signer": None}, {"kind": "document-timestamp"}],
            {"who": "none", "what": "all", "when": "one", "unchanged": "form-filling"},
        ),
        ([{"kind": "document-timestamp"}], {"who": "all", "what": "all", "when": "one", "unchanged": "form-filling"}),
    ],
)
def test_a_file(signatures: list[dict[str, Any]], expected: dict[str, str]) -> None:
    assert together(*signatures) == expected


@pytest.mark.parametrize("lang", LANGUAGES)
def test_json_has_the_key_the_parameters_and_the_sentence(lang: str) -> None:
    body = report(signature()).to_json(lang)
    who, what, when, unchanged = body["answers"]
    assert [answer["question"] for answer in body["answers"]] == ["who", "what", "when", "unchanged"]
    assert who["parameters"] == {"names": "王小明 (山河贸易有限公司)", "number": 1, "count": 1}
    assert "王小明 (山河贸易有限公司)" in who["sentence"]
    assert what["parameters"]["sha256"] == "00" * 32
    assert when["parameters"]["last"] == "2026-11-21T12:00:00Z"
    assert "2026-11-21 12:00:00 UTC" in when["sentence"]
    assert unchanged["answer"] == "form-filling"
    assert {answer["lang"] for answer in body["answers"]} == {lang}
    assert {answer["lang"] for answer in body["signatures"][0]["answers"]} == {lang}


def test_a_name_cannot_bring_control_characters_or_braces_into_a_sentence() -> None:
    from dataclasses import replace

    evil = "\x1b[2J{count}\u202e"
    one = signature(signer=replace(SIGNER, common_name=evil, organisation=None))
    sentence = signature_answers(one)[0].sentence("en")
    assert "\x1b" not in sentence
    assert "\u202e" not in sentence
    assert "{count}" in sentence


@pytest.mark.parametrize("suite", SIGNING)
def test_of_real_signatures(suite: str) -> None:
    good = verify(signed(suite, timestamp=True), circle_of(suite))
    assert [answer.key for answer in report_answers(good)] == ["all", "all", "one", "none"]
    assert good.signatures[0].objects[0].use == "signer"
    bad = verify(signed(suite, timestamp=True).replace(b"pay 100", b"pay 900"), circle_of(suite))
    assert [answer.key for answer in report_answers(bad)] == ["none", "none", "unknown", "altered"]
