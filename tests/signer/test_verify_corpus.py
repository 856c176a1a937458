"""Files that other people signed, attacked or damaged, judged against what their sources state.

The classes are those of the manifest. "Good" means: cryptographic layer passed, not TOTAL-FAILED; trust is never
expected, no anchor is given. The table of agreement is printed at the end (`-s` shows it).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from certs.clock import FixedClock
from certs.errors import SealroadError
from certs.trust import TrustStore
from signer.report import Report, Verdict
from signer.verify import verify_bytes

pytestmark = pytest.mark.corpus

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Outcome:
    """One file: what the manifest says, and the report or the error's code."""

    entry: dict[str, Any]
    report: Report | None
    error: str = ""

    @property
    def answer(self) -> str:
        return self.report.verdict.value if self.report else f"error {self.error}"


@pytest.fixture(scope="module")
def outcomes(corpus: Path) -> Iterator[dict[str, Outcome]]:
    manifest = json.loads((corpus / "pdf" / "manifest.json").read_text())
    trust = TrustStore.load([])
    found: dict[str, Outcome] = {}
    for entry in manifest["files"]:
        data = (corpus / "pdf" / entry["file"]).read_bytes()
        try:
            report = verify_bytes(data, name=entry["file"], trust=trust, clock=FixedClock(NOW))
            found[entry["file"]] = Outcome(entry, report)
        except SealroadError as error:
            found[entry["file"]] = Outcome(entry, None, error.code)
    yield found
    table = Counter((o.entry["expected"], o.answer) for o in found.values())
    print("\n".join(f"{expected:18} {answer:24} {count}" for (expected, answer), count in sorted(table.items())))


def of(outcomes: dict[str, Outcome], *classes: str) -> list[Outcome]:
    found = [o for o in outcomes.values() if o.entry["expected"] in classes]
    assert found
    return found


def good(report: Report) -> list[bool]:
    return [s.cryptographic.result == "passed" and s.verdict is not Verdict.TOTAL_FAILED for s in report.signatures]


def test_every_file_gets_an_answer(outcomes: dict[str, Outcome]) -> None:
    """A crash would have failed the fixture; here nothing was foreseen only as "internal"."""
    internal = [
        (name, s.reason)
        for name, o in outcomes.items()
        if o.report
        for s in o.report.signatures
        if s.code == "internal"
    ]
    assert internal == []


def test_no_attack_is_called_good_and_none_is_called_unsigned(outcomes: dict[str, Outcome]) -> None:
    classes = ("attack-isa", "attack-swa", "attack-usf", "attack-shadow", "attack-spoof")
    wrong = [o.entry["file"] for o in of(outcomes, *classes) if o.answer in ("TOTAL-PASSED", "NO-SIGNATURE")]
    assert wrong == []


def broken_rules(s: Any) -> list[str]:
    """Guard rules that fail or leave open; an indirect value (G8) is worth a word only."""
    return [c.id for c in s.checks if re.match(r"G\d", c.id) and c.result == "failed" and not c.id.startswith("G8")]


def test_no_honest_file_breaks_a_rule_of_the_guard(outcomes: dict[str, Outcome]) -> None:
    for o in of(outcomes, "valid", "valid-crypto", "trust", "changed", "timestamp", "contested"):
        assert o.report is not None
        assert not [(o.entry["file"], s.field, rules) for s in o.report.signatures if (rules := broken_rules(s))]
        assert all(
            any(c.id == "G10-two-parsers" and c.result == "passed" for c in s.checks) for s in o.report.signatures
        )


def test_every_attack_and_every_alteration_is_found(outcomes: dict[str, Outcome]) -> None:
    """Not one file in which each signature could be taken for good, would its issuer only be trusted."""
    classes = {o.entry["expected"] for o in outcomes.values()}
    for o in of(outcomes, *(c for c in classes if c.startswith(("attack", "invalid")))):
        if o.report is None:
            continue
        clean = [
            s.cryptographic.result == "passed"
            and s.verdict is not Verdict.TOTAL_FAILED
            and not broken_rules(s)
            and (s.changes_after is None or s.changes_after.level not in ("forbidden", "unknown"))
            for s in o.report.signatures
        ]
        assert not all(clean), o.entry["file"]


def test_attacks_fail_rather_than_stay_open(outcomes: dict[str, Outcome]) -> None:
    for o in of(outcomes, "attack-isa", "attack-swa", "attack-usf", "attack-spoof", "attack-shadow"):
        assert o.answer == "TOTAL-FAILED" or o.report is None, o.entry["file"]


def test_valid_files_are_good(outcomes: dict[str, Outcome]) -> None:
    wrong = {}
    for o in of(outcomes, "valid", "valid-crypto"):
        assert o.report is not None
        for s in o.report.signatures:
            bad_crypto = s.cryptographic.result != "passed"
            changed = o.entry["expected"] == "valid" and (s.verdict is Verdict.TOTAL_FAILED)
            if bad_crypto or changed:
                wrong[o.entry["file"], s.field] = (s.cryptographic.result, s.verdict.value, s.sub_indication, s.reason)
    assert wrong == {}


def test_untrusted_files_have_right_cryptography_and_do_not_pass(outcomes: dict[str, Outcome]) -> None:
    wrong = {}
    for o in of(outcomes, "trust"):
        assert o.report is not None
        assert o.answer != "TOTAL-PASSED"
        for s in o.report.signatures:
            if s.cryptographic.result != "passed":
                wrong[o.entry["file"], s.field] = (s.cryptographic.result, s.suite, s.reason)
    assert wrong == {}


def test_every_gost_signature_is_cryptographically_right(outcomes: dict[str, Outcome]) -> None:
    gost = [o for name, o in outcomes.items() if name.startswith("pdf-scp/")]
    assert gost
    for o in gost:
        assert o.report is not None
        for s in o.report.signatures:
            assert (s.cryptographic.result, s.suite) == ("passed", "gost2012-256"), (o.entry["file"], s.reason, s.suite)


def test_what_another_program_verified_is_never_called_broken(outcomes: dict[str, Outcome]) -> None:
    """Where OpenSSL verified every byte range, HASH_FAILURE and SIG_CRYPTO_FAILURE would be wrong."""
    wrong = []
    for o in outcomes.values():
        seen = o.entry.get("independent")
        if seen and seen["byte_ranges"] and seen["verified_by_openssl"] == seen["byte_ranges"] and o.report:
            wrong += [
                (o.entry["file"], s.field, s.reason)
                for s in o.report.signatures
                if s.sub_indication in ("HASH_FAILURE", "SIG_CRYPTO_FAILURE")
            ]
    assert wrong == []


def test_broken_cryptography_is_not_good(outcomes: dict[str, Outcome]) -> None:
    for o in of(outcomes, "invalid-crypto"):
        assert o.report is None or not any(good(o.report)), o.entry["file"]


def test_forbidden_and_allowed_later_changes(outcomes: dict[str, Outcome]) -> None:
    (added_page,) = of(outcomes, "invalid-modified")
    assert added_page.answer == "TOTAL-FAILED"
    (changed,) = of(outcomes, "changed")
    assert changed.report is not None
    (one,) = changed.report.signatures
    assert one.changes_after is not None
    assert one.changes_after.level == "annotations"
    assert any("FreeText" in d for d in one.changes_after.detail)


def test_one_good_and_one_broken_signature_keep_their_own_verdicts(outcomes: dict[str, Outcome]) -> None:
    for o in of(outcomes, "mixed"):
        assert o.report is not None
        persons = [s for s in o.report.signatures if s.kind != "document-timestamp" and s.fields]
        verdicts = {s.verdict for s in persons}
        assert Verdict.TOTAL_FAILED in verdicts, o.entry["file"]
        assert len(verdicts) == 2, o.entry["file"]


def test_copied_time_stamps_are_refused_and_signatures_keep_theirs(outcomes: dict[str, Outcome]) -> None:
    for o in of(outcomes, "timestamp"):
        assert o.report is not None
        persons = [s for s in o.report.signatures if s.kind != "document-timestamp"]
        assert all(s.cryptographic.result == "passed" for s in persons), o.entry["file"]
        refused = [
            s for s in o.report.signatures if s.kind == "document-timestamp" and s.verdict is Verdict.TOTAL_FAILED
        ]
        refused += [t for s in persons for t in s.timestamps if t.verdict is Verdict.TOTAL_FAILED]  # type: ignore[misc]
        assert refused, o.entry["file"]


def test_legacy_kinds_are_listed(outcomes: dict[str, Outcome]) -> None:
    for o in of(outcomes, "legacy"):
        assert o.report is not None
        old = [s for s in o.report.signatures if s.subfilter in ("adbe.pkcs7.sha1", "adbe.x509.rsa_sha1")]
        assert old, o.entry["file"]
        assert all(s.verdict is not Verdict.TOTAL_PASSED for s in old)


def test_usage_rights_are_a_note(outcomes: dict[str, Outcome]) -> None:
    for o in of(outcomes, "usage-rights"):
        assert o.report is not None
        assert o.report.verdict is Verdict.NO_SIGNATURE
        assert "usage-rights" in {w.code for w in o.report.warnings}


def test_empty_placeholders_are_listed(outcomes: dict[str, Outcome]) -> None:
    (empty,) = of(outcomes, "empty")
    assert empty.report is not None
    assert [(s.verdict, s.code) for s in empty.report.signatures] == [(Verdict.INDETERMINATE, "no-signature-value")] * 2


def test_every_raw_byte_range_is_listed(outcomes: dict[str, Outcome]) -> None:
    for name, o in outcomes.items():
        seen = o.entry.get("independent")
        if not seen or o.report is None or o.entry["expected"] == "usage-rights":
            continue
        assert len(o.report.signatures) >= seen["byte_ranges"], name


def test_encrypted_files_ask_for_the_key(outcomes: dict[str, Outcome]) -> None:
    """Those that the empty user password opens are read without asking."""
    assert outcomes["pyhanko/signed-encrypted-pubkey-with-catalog-ref.pdf"].error == "encrypted-pdf"
    for name in ("pypdf/encrypted_doc_no_id.pdf", "qpdf/V4-aes-clearmeta.pdf"):
        report = outcomes[name].report
        assert report is not None
        assert report.verdict is Verdict.NO_SIGNATURE
        assert [notice.code for notice in report.warnings] == ["encryption-integrity"]


def test_unsigned_files_are_not_called_signed(outcomes: dict[str, Outcome]) -> None:
    for o in of(outcomes, "conformant"):
        assert o.answer == "NO-SIGNATURE", o.entry["file"]
