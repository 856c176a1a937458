"""What a signature is worth when time has passed: the matrix of docs/verification-time.md, in every suite.

The words are those of EN 319 102-1. Each scenario is verified with what a verifier would have at that moment: the file,
the anchor, the lists of that day.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest

from certs.clock import FixedClock
from signer.report import Report, SignatureReport
from signer.verify import verify_bytes
from tests.signer.ages import (
    ARCHIVED,
    DAY,
    LATER,
    LEVELS,
    NOW,
    RENEWED,
    RENEWED_AGAIN,
    SIGNED,
    TEN,
    YEAR,
    Scenario,
    World,
)

SCENARIOS = {
    "nothing happens": Scenario(),
    "revoked after signing": Scenario(revoked=SIGNED + 30 * DAY),
    "revoked before signing": Scenario(revoked=SIGNED - 30 * DAY),
    "compromised after signing": Scenario(
        revoked=SIGNED + 30 * DAY, reason="keyCompromise", invalid_since=SIGNED + 10 * DAY
    ),
    "compromised before signing": Scenario(
        revoked=SIGNED + 30 * DAY, reason="keyCompromise", invalid_since=SIGNED - 10 * DAY
    ),
    "expired after signing": Scenario(not_after=SIGNED + 40 * DAY),
    "expired before signing": Scenario(not_after=SIGNED - DAY),
    "signed before the certificate": Scenario(not_before=SIGNED + DAY),
}

PASSED, OUT = "TOTAL-PASSED", "OUT_OF_BOUNDS_NO_POE"
REVOKED, UNPROVEN = "TOTAL-FAILED REVOKED", "REVOKED_NO_POE"
TOO_EARLY = "TOTAL-FAILED NOT_YET_VALID"

#                                none                    T                        LTA                      renewed
#                                now       later, ten    now       later, ten     now       later ten      …
MATRIX: dict[str, str] = {
    "nothing happens":            "passed out out | passed out out | passed passed out | passed passed passed",
    "revoked after signing":      "unproven out out | passed out out | passed passed out | passed passed passed",
    "revoked before signing":     "revoked out out | revoked out out | revoked revoked out | revoked revoked revoked",
    "compromised after signing":  "unproven out out | passed out out | passed passed out | passed passed passed",
    "compromised before signing": "unproven out out | unproven out out | unproven passed out | unproven passed passed",
    "expired after signing":      "out out out | out out out | passed passed out | passed passed passed",
    "expired before signing":     "out out out | out out out | out out out | out out out",
    "signed before the certificate": "passed out out | early early out | early early out | early early early",
}  # fmt: skip
WORDS = {
    "passed": PASSED, "out": OUT, "unproven": UNPROVEN, "revoked": REVOKED, "early": TOO_EARLY
}  # fmt: skip


@lru_cache(maxsize=20)
def world(suite_name: str, scenario: str) -> World:
    return World(suite_name, SCENARIOS[scenario])


def verify(data: bytes, trust: Any, at: Any, **more: Any) -> Report:
    return verify_bytes(data, name="file", trust=trust, clock=FixedClock(at), **more)


def word(signature: SignatureReport) -> str:
    if signature.verdict == "INDETERMINATE":
        return signature.sub_indication or ""
    return f"{signature.verdict} {signature.sub_indication or ''}".strip()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_matrix(kind_suite: str, scenario: str) -> None:
    expected = [WORDS[item] for item in MATRIX[scenario].replace("|", " ").split()]
    here = world(kind_suite, scenario)
    found, reasons = [], []
    for level in LEVELS:
        for at in (NOW, LATER, TEN):
            report = verify(
                here.signature(level) if at == TEN or level != "renewed" else here.archived, here.trust(at), at
            )
            found.append(word(report.signatures[0]))
            reasons.append((level, at, report.signatures[0].reason, [s.reason for s in report.signatures[1:]]))
    assert found == expected, reasons


def test_a_renewed_document_is_good_ten_years_later_without_a_network(suite_name: str) -> None:
    """Every time-stamp too, though the certificates of the first two units have expired; no fetcher is given."""
    here = world(suite_name, "nothing happens")
    report = verify(here.renewed, here.trust(TEN), TEN)
    assert [word(item) for item in report.signatures] == [PASSED] * 4, [item.reason for item in report.signatures]
    first, *stamps = report.signatures
    assert first.level == "B-LTA"
    assert first.signed_at is not None
    assert (first.signed_at.source, first.signed_at.value.replace(microsecond=0)) == ("timestamp", SIGNED)
    assert [item.kind for item in stamps] == ["document-timestamp"] * 3
    assert any("2033" in check.detail for check in stamps[1].checks)


def test_without_the_last_renewal_nothing_of_it_holds(signing_suite: str) -> None:
    here = world(signing_suite, "nothing happens")
    report = verify(here.archived, here.trust(TEN), TEN)
    assert {word(item) for item in report.signatures} == {OUT}


def test_a_list_kept_by_the_verifier_serves_as_well(signing_suite: str) -> None:
    """Made before the certificate expired; the authority that signed it is still good, so it could not be forged."""
    here = world(signing_suite, "revoked after signing")
    kept = here.issuing_list(NOW)
    for level, expected in (("none", OUT), ("T", PASSED), ("LTA", PASSED)):
        (one, *_) = verify(here.signature(level), here.trust(LATER, kept), LATER).signatures
        assert word(one) == expected, (level, one.reason)
    compromised = world(signing_suite, "compromised before signing")
    for level in ("T", "LTA"):
        trust = compromised.trust(LATER, compromised.issuing_list(NOW))
        (one, *_) = verify(compromised.signature(level), trust, LATER).signatures
        assert word(one) == UNPROVEN, (level, one.reason)
        assert "since 2026-11-11" in one.reason


def test_a_list_of_an_expired_authority_needs_a_proof_of_its_age(signing_suite: str) -> None:
    """Ten years on anybody may have found the key of the issuing authority: its old list could be of yesterday."""
    here = world(signing_suite, "nothing happens")
    good = verify(here.renewed, here.trust(TEN), TEN).signatures[0]
    assert word(good) == PASSED
    # the same lists, but brought along by the verifier in place of the security store; the signature is still proven
    bare = here.archive(here.stamped, 0, ARCHIVED, [here.root_list(SIGNED + DAY / 96)])
    for unit, at in ((1, RENEWED), (2, RENEWED_AGAIN)):
        bare = here.archive(bare, unit, at, [here.root_list(at - DAY / 24)])
    forged = here.issuing_list(SIGNED + DAY / 96)
    (one, *_) = verify(bare, here.trust(TEN, forged), TEN).signatures
    assert word(one) == OUT
    assert "not proven to be older" in one.reason
    assert verify(bare, here.trust(LATER, forged), LATER).signatures[0].verdict == PASSED


def test_an_anchor_that_has_expired_was_one_when_it_mattered(signing_suite: str) -> None:
    """Its owner still names it; what it said then needs no proof, and what is above it, nothing."""
    here = World(signing_suite, root_ends=SIGNED + 6 * YEAR)
    report = verify(here.renewed, here.trust(TEN), TEN)
    assert [word(item) for item in report.signatures] == [PASSED] * 4, [item.reason for item in report.signatures]
    bare = here.archive(here.stamped, 0, ARCHIVED, [here.issuing_list(ARCHIVED), here.root_list(ARCHIVED)])
    for unit, at in ((1, RENEWED), (2, RENEWED_AGAIN)):
        bare = here.archive(bare, unit, at, [here.root_list(at - DAY / 24)])
    kept = here.signers_list(SIGNED)
    assert word(verify(bare, here.trust(TEN, kept), TEN).signatures[0]) == PASSED
    assert word(verify(bare, here.trust(TEN), TEN).signatures[0]) == OUT
