"""The same matrix for signatures in files of their own, and what a time-stamp may not prove."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certs import der, suites
from certs.crl import CRL
from certs.errors import SealroadError
from certs.signed_data import attribute, parse_signed_data
from certs.suites.base import Use
from signer.report import SignatureReport
from signer.verify import VerifyOptions, verify_bytes
from tests.signer import rawpdf
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
    TIME_STAMP,
    YEAR,
    World,
    archive_time_stamp,
    catalog_with,
    rebuilt,
)
from tests.signer.test_past import MATRIX, OUT, PASSED, REVOKED, SCENARIOS, UNPROVEN, WORDS, verify, word, world

CONTENT = b"the contract"


def one(data: bytes, here: World, at: datetime, *kept: CRL, content: bytes | None = CONTENT) -> SignatureReport:
    (report,) = verify(data, here.trust(at, *kept), at, content=content).signatures
    return report


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_matrix(kind_suite: str, scenario: str) -> None:
    expected = [WORDS[item] for item in MATRIX[scenario].replace("|", " ").split()]
    here = world(kind_suite, scenario)
    found, reasons = [], []
    for level in LEVELS:
        data = here.cades(level, CONTENT, signing_time=SIGNED)
        for at in (NOW, LATER, TEN):
            early = here.cades("LTA", CONTENT, signing_time=SIGNED)
            report = one(data if at == TEN or level != "renewed" else early, here, at)
            found.append(word(report))
            reasons.append((level, at, report.reason, report.warnings))
    assert found == expected, reasons


def test_levels_and_time_stamps_are_named(suite_name: str) -> None:
    here = world(suite_name, "nothing happens")
    report = one(here.cades("renewed", CONTENT), here, TEN)
    assert word(report) == PASSED, (report.reason, report.warnings)
    assert report.level == "B-LTA"
    assert [item.gen_time.year for item in report.timestamps if item.gen_time] == [2033, 2030, 2026, 2026]
    assert report.signed_at is not None
    assert report.signed_at.value.replace(microsecond=0) == SIGNED
    assert [one(here.cades(level, CONTENT), here, NOW).level for level in ("none", "T", "LTA")] == [
        "B-B",
        "B-T",
        "B-LTA",
    ]


def test_the_first_version_of_the_index_is_read_too(signing_suite: str) -> None:
    here = world(signing_suite, "nothing happens")
    encoded = here.cades("LTA", CONTENT)
    old = here.cades_archive(here.cades("T", CONTENT), CONTENT, 0, ARCHIVED, version=1)
    for data in (encoded, old):
        report = one(data, here, NOW)
        assert [item.verdict for item in report.timestamps] == [PASSED, PASSED], report.warnings
        assert report.level == "B-LTA"


def refused(report: SignatureReport) -> list[str]:
    return [item.sub_indication or "" for item in report.timestamps if item.verdict != PASSED]


def test_an_archive_time_stamp_over_other_things_is_refused(signing_suite: str) -> None:
    here = world(signing_suite, "nothing happens")
    encoded = here.cades("LTA", CONTENT)
    assert refused(one(encoded, here, LATER)) == []
    # something it names was taken away: the list of the issuing authority
    (archive,) = parse_signed_data(encoded).signers[0].unsigned_values("0.4.0.1733.2.4")
    bare = rebuilt(here.cades("T", CONTENT), unsigned=[attribute("0.4.0.1733.2.4", archive)])
    report = one(bare, here, LATER)
    assert "HASH_FAILURE" in refused(report)
    assert word(report) == OUT
    # a list that came in behind it is not covered: no proof, but no harm
    later = rebuilt(encoded, crls=[here.root_list(RENEWED).der])
    assert word(one(later, here, LATER)) == PASSED
    # another content is a broken signature first
    assert word(one(encoded, here, LATER, content=b"another")) == "TOTAL-FAILED HASH_FAILURE"


def test_an_index_of_weak_digests_proves_nothing_that_is_younger(signing_suite: str) -> None:
    """Whoever finds two lists of one digest may put either under the time-stamp."""
    here = world(signing_suite, "nothing happens")
    made = SIGNED + timedelta(minutes=10)
    encoded = rebuilt(here.cades("T", CONTENT), crls=[here.issuing_list(made).der, here.root_list(made).der])
    for digest, expected in ((here.digest, []), ("sha1", ["CRYPTO_CONSTRAINTS_FAILURE_NO_POE"])):
        stamp = archive_time_stamp(
            encoded, CONTENT, lambda _, octets: here.token(0, ARCHIVED, octets), here.digest, index=digest
        )
        report = one(rebuilt(encoded, unsigned=[stamp]), here, NOW)
        assert word(report) == PASSED, report.reason
        assert refused(report) == expected
        assert report.level == ("B-LTA" if not expected else "B-LT")


def test_the_index_of_an_archive_time_stamp_is_read_and_matched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from signer.verification import archive

    here = world("ecdsa-p256", "nothing happens")
    encoded = here.cades("renewed", CONTENT)
    seen: list[str] = []
    index, match = archive._Index.__init__, archive._Index.match

    def read(self: Any, token: Any) -> None:
        seen.append("read")
        index(self, token)

    def matched(self: Any, *arguments: Any) -> Any:
        seen.append("match")
        return match(self, *arguments)

    monkeypatch.setattr(archive._Index, "__init__", read)
    monkeypatch.setattr(archive._Index, "match", matched)
    (report,) = verify(encoded, here.trust(NOW), NOW, content=CONTENT).signatures
    assert word(report) == PASSED
    assert sorted(seen) == ["match"] * 3 + ["read"] * 3


def test_an_archive_time_stamp_without_index_is_refused() -> None:
    here = world("sm2", "nothing happens")
    encoded = here.cades("T", CONTENT)
    token = here.token(0, ARCHIVED, b"whatever")
    for unsigned in (
        attribute("0.4.0.1733.2.4", token),
        attribute("0.4.0.1733.2.4", rebuilt(token, unsigned=[attribute("0.4.0.19122.1.5", der.sequence())])),
        attribute("0.4.0.1733.2.4", rebuilt(token, unsigned=[attribute("0.4.0.1733.2.5", b"\x05\x00")])),
        attribute("0.4.0.1733.2.4", b"\x05\x00"),
        attribute("1.2.840.113549.1.9.16.2.48", token),
    ):
        report = one(rebuilt(encoded, unsigned=[unsigned]), here, NOW)
        assert report.verdict == PASSED, report.reason
        assert report.level == "B-T"
        assert len(refused(report)) == 1


def test_time_stamps_of_cades_c_are_computed(signing_suite: str) -> None:
    """Over the signature, its time-stamp and the references (RFC 5126 6.3.5), as X-Long type 1 in Russia has them."""
    here = world(signing_suite, "nothing happens")
    encoded = here.cades("T", CONTENT)
    references = [
        attribute(oid, der.sequence(der.octet_string(b"x")))
        for oid in ("1.2.840.113549.1.9.16.2.21", "1.2.840.113549.1.9.16.2.22")
    ]
    encoded = rebuilt(encoded, unsigned=references[::-1])
    signer = parse_signed_data(encoded).signers[0]
    stamped = attribute(TIME_STAMP, *signer.unsigned_values(TIME_STAMP))
    octets = signer.signature + b"".join(der.Reader(item).value(der.SEQUENCE) for item in (stamped, *references))
    good = rebuilt(encoded, unsigned=[attribute("1.2.840.113549.1.9.16.2.25", here.token(0, ARCHIVED, octets))])
    report = one(good, here, NOW)
    assert [item.verdict for item in report.timestamps] == [PASSED, PASSED], report.warnings
    bad = rebuilt(encoded, unsigned=[attribute("1.2.840.113549.1.9.16.2.25", here.token(0, ARCHIVED, octets[1:]))])
    assert refused(one(bad, here, NOW)) == ["HASH_FAILURE"]


# -- what a time-stamp may not prove ------------------------------------------------------------------


def test_a_document_time_stamp_proves_nothing_of_what_came_after_it(signing_suite: str) -> None:
    """The second signature stands behind the time-stamp; its certificate is revoked in between."""
    here = world(signing_suite, "revoked after signing")
    store = re.findall(rb"/DSS << /CRLs \[[^\]]*\] >>", here.archived)[-1]
    data = rawpdf.sign(
        lambda content: here.cms(content, stamped=False), here.archived, digits=here.digits, o1=catalog_with(store)
    )
    first, stamp, second = verify(data, here.trust(NOW), NOW).signatures
    assert [word(item) for item in (first, stamp)] == [PASSED, PASSED], first.reason
    assert word(second) == UNPROVEN
    assert second.signed_at is not None
    assert second.signed_at.source == "claimed"


def test_the_token_of_a_compromised_unit_is_not_its_own_witness(signing_suite: str) -> None:
    """Whoever has the key of the unit writes any time; only a later time-stamp by another says how old a token is."""
    here = World(signing_suite, SCENARIOS["revoked after signing"])
    theft = (here.units[0].serial, SIGNED + 40 * DAY, "keyCompromise")

    def trust(at: datetime) -> Any:
        lists = [here.root_list(at - DAY / 12, theft), here.issuing_list(at - DAY / 12)]
        return here.trust(at - DAY).with_((here.root,), lists)

    def verdicts(data: bytes, at: datetime) -> list[str]:
        return [word(item) for item in verify(data, trust(at), at).signatures]

    assert verdicts(here.stamped, NOW) == [UNPROVEN]
    # the document time-stamp is of the same unit
    assert verdicts(here.archived, NOW) == [UNPROVEN, UNPROVEN]
    # stamped by another unit before the theft: both tokens and the signature are proven to be older
    units = here.units
    here.units = (units[0], units[0], units[1])
    other = forge_unit(here, 14, SIGNED - DAY, SIGNED + 9 * YEAR)
    here.units = (units[0], other, units[1])
    made = SIGNED + DAY
    safe = here.archive(here.archived, 1, made + DAY / 24, [here.root_list(made), here.issuing_list(made)])
    assert verdicts(safe, NOW) == [PASSED, PASSED, PASSED]
    # and after the theft: not
    here.units = (units[0], forge_unit(here, 15, SIGNED - DAY, SIGNED + 9 * YEAR), units[1])
    made = SIGNED + 50 * DAY
    late = here.archive(here.archived, 1, made + DAY / 24, [here.root_list(made), here.issuing_list(made)])
    assert verdicts(late, NOW) == [UNPROVEN, UNPROVEN, PASSED]


def forge_unit(here: World, serial: int, begins: datetime, ends: datetime) -> Any:
    from certs import oids

    return here._under_root(f"Unit {serial}", here.unit_key, serial, begins, ends, purposes=(oids.TIME_STAMPING,))


def test_a_time_stamp_cannot_be_later_than_one_over_it(signing_suite: str) -> None:
    here = world(signing_suite, "nothing happens")
    made = [here.issuing_list(SIGNED), here.root_list(SIGNED)]
    data = here.archive(here.stamped, 0, SIGNED - DAY, made)
    first, stamp = verify(data, here.trust(NOW), NOW).signatures
    assert word(stamp) == PASSED
    assert word(first) == "TIMESTAMP_ORDER_FAILURE"
    assert refused(first) == ["TIMESTAMP_ORDER_FAILURE"]
    # clocks that differ by seconds contradict nothing
    data = here.archive(here.stamped, 0, SIGNED - timedelta(seconds=20), made)
    assert word(verify(data, here.trust(NOW), NOW).signatures[0]) == PASSED


def test_a_time_stamp_of_tomorrow_proves_nothing_today() -> None:
    here = world("ecdsa-p256", "nothing happens")
    (report, stamp) = verify(here.archived, here.trust(SIGNED), SIGNED + timedelta(minutes=1)).signatures
    assert word(stamp) == "TIMESTAMP_ORDER_FAILURE"
    assert word(report) == PASSED


def test_a_list_that_was_out_of_date_at_the_proven_time_says_nothing(signing_suite: str) -> None:
    """Current then, or later (EN 319 102-1 5.2.5)."""
    here = world(signing_suite, "nothing happens")
    for age, expected in ((8 * DAY, OUT), (DAY, PASSED), (-DAY, PASSED)):
        kept = here.issuing_list(SIGNED - age)
        report = one(here.cades("T", CONTENT), here, LATER, kept)
        assert word(report) == expected, (age, report.reason)
        assert any(item.code == "revocation-older" for item in report.warnings) == (age == DAY)


def test_an_answer_newer_than_the_signature_may_be_asked_for(signing_suite: str) -> None:
    """A thief signs in the hours before the next list: who wants to be sure waits for that list."""
    here = world(signing_suite, "nothing happens")
    options = VerifyOptions(revocation="after")

    def verdict(at: datetime, *kept: CRL) -> str:
        data = here.cades("T", CONTENT)
        return word(verify(data, here.trust(at, *kept), at, content=CONTENT, options=options).signatures[0])

    assert verdict(SIGNED + timedelta(hours=1)) == "TRY_LATER"
    assert verdict(SIGNED + timedelta(hours=3)) == PASSED
    assert verdict(LATER, here.issuing_list(SIGNED - DAY)) == "TRY_LATER"
    assert verdict(LATER, here.issuing_list(SIGNED + DAY)) == PASSED


def test_all_chains_of_a_file_share_one_deadline() -> None:
    here = world("ecdsa-p256", "nothing happens")
    options = VerifyOptions(seconds=-1.0)
    for data in (here.cades("renewed", CONTENT), here.renewed):
        report = verify(data, here.trust(TEN), TEN, content=CONTENT, options=options)
        assert {item.verdict for item in report.signatures} == {"INDETERMINATE"}


def test_a_certificate_that_is_still_good_but_has_no_news_is_for_later(signing_suite: str) -> None:
    """TRY_LATER, and with a proof of time and an answer of that time it is settled."""
    here = world(signing_suite, "nothing happens")
    bare = here.trust(NOW)
    bare = bare.__class__(anchors=bare.anchors, crls=(here.root_list(NOW - DAY),))
    (report,) = verify_bytes(
        here.cades("T", CONTENT), name="c", trust=bare, clock=_clock(NOW), content=CONTENT
    ).signatures
    assert word(report) == "TRY_LATER"
    (report,) = verify_bytes(
        here.cades("LTA", CONTENT), name="c", trust=bare, clock=_clock(NOW), content=CONTENT
    ).signatures
    assert word(report) == PASSED


def _clock(at: datetime) -> Any:
    from certs.clock import FixedClock

    return FixedClock(at)


@pytest.mark.parametrize("when", ["after", "before"])
def test_an_authority_that_is_revoked_later(signing_suite: str, when: str) -> None:
    """What it said before is good where that is proven; what has no proof could have been made since."""
    here = World(signing_suite)
    fall = SIGNED + 20 * DAY if when == "after" else SIGNED - DAY
    entry = (here.issuing.serial, fall, "cACompromise")
    trust = here.trust(NOW - DAY)
    trust = trust.__class__(anchors=trust.anchors, crls=(here.root_list(NOW, entry), here.issuing_list(NOW)))

    def verdict(data: bytes) -> str:
        return word(verify_bytes(data, name="c", trust=trust, clock=_clock(NOW), content=CONTENT).signatures[0])

    assert verdict(here.cades("none", CONTENT)) == "REVOKED_CA_NO_POE"
    # the signature is old enough, but nothing about its certificate is known to be from before the fall
    assert verdict(here.cades("T", CONTENT)) == "REVOKED_CA_NO_POE"
    assert verdict(here.cades("LTA", CONTENT)) == (PASSED if when == "after" else "REVOKED_CA_NO_POE")


def test_a_time_stamp_inside_proves_that_the_signature_is_younger(signing_suite: str) -> None:
    """content-time-stamp (EN 319 122-1 5.2.8): made after it, so after the revocation; no word of the signer needed."""
    here = world(signing_suite, "revoked before signing")
    plain = here.cades("T", CONTENT)
    assert word(one(plain, here, NOW)) == UNPROVEN
    stamp = attribute("1.2.840.113549.1.9.16.2.20", here.token(0, SIGNED - DAY, CONTENT))
    assert word(one(here.cades("T", CONTENT, extra=[stamp]), here, NOW)) == REVOKED
    early = attribute("1.2.840.113549.1.9.16.2.20", here.token(0, SIGNED - 40 * DAY, CONTENT))
    assert word(one(here.cades("T", CONTENT, extra=[early]), here, NOW)) == UNPROVEN
    expired = world(signing_suite, "expired before signing")
    stamp = attribute("1.2.840.113549.1.9.16.2.20", expired.token(0, SIGNED - DAY / 2, CONTENT))
    assert word(one(expired.cades("T", CONTENT, signing_time=SIGNED), expired, NOW)) == OUT
    assert word(one(expired.cades("T", CONTENT, extra=[stamp]), expired, NOW)) == "TOTAL-FAILED EXPIRED"
    foreign = attribute("1.2.840.113549.1.9.16.2.20", here.token(0, SIGNED - DAY, b"something else"))
    report = one(here.cades("T", CONTENT, extra=[foreign]), here, NOW)
    assert word(report) == UNPROVEN
    assert refused(report) == ["HASH_FAILURE"]


def test_a_time_stamp_inside_is_no_proof_of_the_time_of_signing(signing_suite: str) -> None:
    here = world(signing_suite, "nothing happens")
    inside = attribute("1.2.840.113549.1.9.16.2.20", here.token(0, SIGNED - DAY, CONTENT))
    report = one(here.cades("none", CONTENT, extra=[inside], signing_time=SIGNED), here, NOW)
    assert [item.verdict for item in report.timestamps] == [PASSED]
    assert report.level == "B-B"
    assert report.signed_at is not None
    assert report.signed_at.source == "claimed"
    assert one(here.cades("T", CONTENT, extra=[inside]), here, NOW).level == "B-T"


def test_weak_algorithms_are_good_for_what_is_proven_to_be_older() -> None:
    from certs.suites.policy import digest_is_good, rsa_good_until
    from signer.verification.times import weak_since

    old, new = datetime.fromisoformat("2010-01-01T00:00:00Z"), datetime.fromisoformat("2014-01-01T00:00:00Z")
    assert weak_since(old, ["sha1"]) == ""
    assert weak_since(old, ["md5", "sha1"]) == "the digest md5 is no longer good enough, since 2004-08-01"
    assert "sha1" in weak_since(new, ["sha1", "sha256"])
    assert digest_is_good("streebog256", TEN)
    assert digest_is_good("sm3", TEN)
    assert [str(rsa_good_until(bits))[:4] for bits in (512, 1000, 1024, 2047, 2048)] == [
        "0001",
        "2010",
        "2019",
        "2019",
        "None",
    ]


def test_evidence_over_sha1_needs_a_proof_from_before_its_end() -> None:
    """A certificate over SHA-1 of 2010 may be a collision of today."""
    from signer.verification.past import _good_until

    assert _good_until(suites.get("rsa").signature_algorithm(Use.X509).der()) is None
    assert str(_good_until(der.sequence(der.oid("1.2.840.113549.1.1.5"), b"\x05\x00")))[:4] == "2012"


def test_renewal_must_come_in_time(signing_suite: str) -> None:
    """The second unit stamps after the first unit's certificate has expired: too late."""
    here = world(signing_suite, "nothing happens")
    late = SIGNED + 4 * YEAR + DAY
    data = here.archive(here.archived, 1, late, [here.root_list(late - DAY / 24)])
    data = here.archive(data, 2, RENEWED_AGAIN, [here.root_list(RENEWED_AGAIN - DAY / 24)])
    found = [word(item) for item in verify(data, here.trust(TEN), TEN).signatures]
    assert found == [OUT, OUT, PASSED, PASSED]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_damaged_archives_never_crash_and_prove_nothing_more(data: st.DataObject) -> None:
    """One octet of a renewed signature, in a CMS or a PDF: a verdict, and none that is better."""
    here = world("ecdsa-p256", "nothing happens")
    good = data.draw(st.sampled_from([_renewed_cms(), here.renewed]))
    at = data.draw(st.integers(0, len(good) - 1))
    if good[:1] != b"\x30":
        # near a signature, where it matters
        place = data.draw(st.sampled_from([m.start() for m in re.finditer(rb"/Contents <|/DSS|/ByteRange", good)]))
        at = min(place + data.draw(st.integers(0, 3000)), len(good) - 1)
    damaged = good[:at] + bytes([good[at] ^ data.draw(st.integers(1, 255))]) + good[at + 1 :]
    try:
        report = verify(damaged, here.trust(TEN), TEN, content=CONTENT)
    except SealroadError:
        return
    assert all(item.code != "internal" for item in report.signatures), report.signatures
    for item in report.signatures:
        if item.kind == "signature" and item.verdict == PASSED:
            assert item.signed_at is not None
            assert item.signed_at.value.replace(microsecond=0) in (SIGNED, ARCHIVED)


@cache
def _renewed_cms() -> bytes:
    return world("ecdsa-p256", "nothing happens").cades("renewed", CONTENT)
