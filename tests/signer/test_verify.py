"""The whole verification, the same test over every suite; every octet that matters is changed once.

The files are written octet by octet (`tests.signer.rawpdf`) and signed with `certs.signed_data`, so that the verifier
is not judged by the signer it will mostly meet.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from certs import ber, der, ocsp, oids
from certs.clock import FixedClock
from certs.fetch import FetchError, Remembering
from certs.ocsp_responder import OCSPResponder
from certs.signed_data import attribute, build_signed_data, parse_signed_data
from certs.trust import TrustStore
from signer.errors import EncryptedPDF, UnreadableFile
from signer.report import Report, Verdict
from signer.verification.pdf import pdf_date
from signer.verify import VerifyOptions, verify_bytes, verify_file
from tests.certs.forge import forge, standard_extensions
from tests.conftest import CLOCK, NOW, Circle, circle_of, keys_of, make_circle
from tests.signer import rawpdf

TIME_STAMP_ATTRIBUTE = "1.2.840.113549.1.9.16.2.14"
SIZES = {"ml-dsa-44": 60_000, "ml-dsa-65": 80_000, "ml-dsa-87": 110_000}


def verify(data: bytes, circle: Circle | None, *, at: datetime | None = None, **more: object) -> Report:
    trust = circle.trust if circle else TrustStore()
    return verify_bytes(data, name="contract.pdf", trust=trust, clock=CLOCK, at=at, **more)  # type: ignore[arg-type]


def cms(
    circle: Circle, *, timestamp: bool = False, unsigned: tuple[bytes, ...] = (), **more: object
) -> Callable[[bytes], bytes]:
    """Make a CAdES signature by the circle's organisation over whatever is signed."""

    def make(content: bytes) -> bytes:
        holder = circle.organisation
        build = lambda unsigned: build_signed_data(  # noqa: E731
            content,
            holder.key,
            holder.certificate,
            chain=(circle.issuing,),
            detached=True,
            unsigned_attributes=unsigned,
            **more,  # type: ignore[arg-type]
        )
        if not timestamp:
            return build(unsigned)
        # the stamped value must be the one in the message: sign once, add the token to that very message
        encoded = build(())
        return add_token(encoded, circle)

    return make


def add_token(encoded: bytes, circle: Circle) -> bytes:
    from certs import ber, der, suites

    signer = parse_signed_data(encoded).signers[0]
    name = suites.get(circle.suite_name).digest_name
    token = circle.timestamper.stamp(name, suites.digest(name, signer.signature))
    unsigned = b"\xa1" + der.tlv(0x31, attribute(TIME_STAMP_ATTRIBUTE, token))[1:]
    outer = list(ber.load(encoded))
    body = list(outer[1].only())
    info = next(iter(body[-1]))
    changed = der.tlv(0x30, info.content() + unsigned)
    parts = b"".join(part.raw() for part in body[:-1]) + der.tlv(0x31, changed)
    return der.sequence(outer[0].raw(), der.tlv(0xA0, der.tlv(0x30, parts)))


@cache
def signed(suite_name: str, *, timestamp: bool = False) -> bytes:
    circle = circle_of(suite_name)
    return rawpdf.sign(cms(circle, timestamp=timestamp), digits=SIZES.get(suite_name, 40_000))


def only(report: Report) -> object:
    (one,) = report.signatures
    return one


# -- the good case ------------------------------------------------------------------------------------


def test_a_good_signature_passes_in_every_suite(suite_name: str, circle: Circle) -> None:
    report = verify(signed(suite_name), circle)
    (one,) = report.signatures
    assert (report.verdict, one.verdict, one.sub_indication) == (Verdict.TOTAL_PASSED, Verdict.TOTAL_PASSED, None), (
        one.reason,
        one.checks,
    )
    assert one.suite == suite_name
    assert one.level == "B-B"
    assert one.kind == "signature"
    assert one.field == "Sig1"
    assert one.cryptographic.result == "passed"
    assert one.revision is not None
    assert (one.revision.index, one.revision.of, one.revision.covers_whole_file) == (1, 1, True)
    assert one.changes_after is not None
    assert one.changes_after.level == "none"
    assert one.signed_at is not None
    assert one.signed_at.source == "claimed"
    assert one.signer is not None
    assert one.signer.common_name == circle.organisation.certificate.common_name
    assert one.signer.identifiers
    assert all(i.checksum_ok for i in one.signer.identifiers)


def test_a_time_stamped_signature_passes_in_every_suite(suite_name: str, circle: Circle) -> None:
    (one,) = verify(signed(suite_name, timestamp=True), circle).signatures
    assert one.verdict is Verdict.TOTAL_PASSED, (one.reason, one.warnings)
    assert one.level == "B-T"
    assert one.signed_at is not None
    assert (one.signed_at.source, one.signed_at.value.replace(microsecond=0)) == ("timestamp", NOW)


def test_three_parties_three_algorithms_one_file() -> None:
    circles = [circle_of(name) for name in ("sm2", "gost2012-256", "ecdsa-p256")]
    data: bytes | None = None
    for circle in circles:
        data = rawpdf.sign(cms(circle), data, digits=40_000)
    assert data is not None
    trust = TrustStore()
    for circle in circles:
        trust = trust.with_((circle.root,), circle.crls)
    report = verify_bytes(data, name="c.pdf", trust=trust, clock=CLOCK)
    assert report.verdict is Verdict.TOTAL_PASSED, [(s.reason, s.changes_after) for s in report.signatures]
    assert [s.suite for s in report.signatures] == ["sm2", "gost2012-256", "ecdsa-p256"]
    assert [s.revision.index for s in report.signatures if s.revision] == [1, 2, 3]
    assert [s.changes_after.level for s in report.signatures if s.changes_after] == ["form-filling"] * 2 + ["none"]


# -- every octet counts -------------------------------------------------------------------------------


def spans(data: bytes) -> tuple[int, int]:
    """Offsets of the gap."""
    found = re.search(rb"/ByteRange \[0 (\d+) +(\d+)", data)
    assert found
    return int(found.group(1)), int(found.group(2))


def flip_in_contents(data: bytes, part: bytes, at: int) -> bytes:
    """Flip one bit of octet `at` of `part`, which stands in /Contents."""
    start, end = spans(data)
    contents = bytes.fromhex(data[start + 1 : end - 1].decode())
    place = contents.rindex(part) + at % len(part)
    changed = contents[:place] + bytes([contents[place] ^ 1]) + contents[place + 1 :]
    return data[: start + 1] + changed.hex().encode() + data[end - 1 :]


def test_changed_content_is_a_hash_failure(suite_name: str, circle: Circle) -> None:
    data = signed(suite_name).replace(b"pay 100", b"pay 900")
    (one,) = verify(data, circle).signatures
    assert (one.verdict, one.sub_indication) == (Verdict.TOTAL_FAILED, "HASH_FAILURE")
    assert one.cryptographic.result == "failed"


def test_changed_reason_in_the_dictionary_is_a_hash_failure(suite_name: str, circle: Circle) -> None:
    data = signed(suite_name).replace(b"D:20261121", b"D:20251121")
    (one,) = verify(data, circle).signatures
    assert (one.verdict, one.sub_indication) == (Verdict.TOTAL_FAILED, "HASH_FAILURE")


def test_changed_signature_value_is_a_crypto_failure(suite_name: str, circle: Circle) -> None:
    data = signed(suite_name)
    start, end = spans(data)
    value = parse_signed_data(bytes.fromhex(data[start + 1 : end - 1].decode())).signers[0].signature
    for at in (-1, len(value) // 2):
        (one,) = verify(flip_in_contents(data, value, at), circle).signatures
        assert one.verdict is Verdict.TOTAL_FAILED, at
        assert one.sub_indication == "SIG_CRYPTO_FAILURE", (one.sub_indication, one.reason)


def test_changed_signed_attributes_are_caught(suite_name: str, circle: Circle) -> None:
    data = signed(suite_name)
    start, end = spans(data)
    attributes = parse_signed_data(bytes.fromhex(data[start + 1 : end - 1].decode())).signers[0].signed_attributes
    assert attributes is not None
    for at in (-1, len(attributes) // 2, 20):
        (one,) = verify(flip_in_contents(data, attributes[4:], at), circle).signatures
        assert one.verdict is not Verdict.TOTAL_PASSED, at


def test_changed_certificate_is_caught(suite_name: str, circle: Circle) -> None:
    data = signed(suite_name)
    certificate = circle.organisation.certificate.der
    for at in (-1, len(certificate) // 2, 40, len(certificate) - 80):
        (one,) = verify(flip_in_contents(data, certificate, at), circle).signatures
        assert one.verdict is not Verdict.TOTAL_PASSED, at


def test_changed_byte_range_is_a_format_failure(suite_name: str, circle: Circle) -> None:
    data = signed(suite_name)
    for old, new in ((rb"\[0 ", b"[1 "), (rb"(\d)( +)(\d+ +)(\d+)( *\])", rb"\1\2\3\g<4>1]")):
        changed = re.sub(rb"(?<=/ByteRange )" + old if old.startswith(rb"\[") else old, new, data, count=1)
        if changed == data:
            continue
        (one,) = verify(changed[: len(data)], circle).signatures
        assert (one.verdict, one.sub_indication) == (Verdict.TOTAL_FAILED, "FORMAT_FAILURE")


def test_every_octet_of_a_small_region_counts() -> None:
    """Around the gap, where wrapping attacks work: whatever octet changes, the file is not passed."""
    circle = circle_of("ecdsa-p256")
    data = signed("ecdsa-p256")
    start, end = spans(data)
    for at in [*range(start - 60, start + 1), *range(end - 1, end + 40)]:
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        assert verify(changed, circle).verdict is not Verdict.TOTAL_PASSED, (at, data[at - 5 : at + 5])


# -- trust and time -----------------------------------------------------------------------------------


def test_without_an_anchor_the_chain_is_not_found(suite_name: str) -> None:
    (one,) = verify(signed(suite_name), None).signatures
    assert (one.verdict, one.sub_indication) == (Verdict.INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND")
    assert one.cryptographic.result == "passed"


def test_missing_revocation_list_is_try_later_unless_told_otherwise() -> None:
    circle = circle_of("ecdsa-p256")
    bare = TrustStore().with_((circle.root,))
    data = signed("ecdsa-p256")
    (one,) = verify_bytes(data, name="c", trust=bare, clock=CLOCK).signatures
    assert (one.verdict, one.sub_indication) == (Verdict.INDETERMINATE, "TRY_LATER")
    relaxed = VerifyOptions(revocation="if-present")
    assert verify_bytes(data, name="c", trust=bare, clock=CLOCK, options=relaxed).verdict is Verdict.TOTAL_PASSED


def test_revocation_list_inside_the_cms_is_used(signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    data = rawpdf.sign(cms(circle, crls=[crl.der for crl in circle.crls]), digits=140_000)
    bare = TrustStore().with_((circle.root,))
    report = verify_bytes(data, name="c", trust=bare, clock=CLOCK)
    assert report.verdict is Verdict.TOTAL_PASSED, report.signatures[0].reason


def test_revocation_list_in_the_document_security_store_is_used() -> None:
    circle = circle_of("sm2")
    store = b"<< /CRLs [30 0 R 31 0 R] /Certs [32 0 R] >>"
    data = rawpdf.sign(
        cms(circle),
        o1=rawpdf.objects()[1].replace(b"/Pages", b"/DSS " + store + b" /Pages"),
        o30=rawpdf.stream(circle.crls[0].der),
        o31=rawpdf.stream(circle.crls[1].der),
        o32=rawpdf.stream(circle.issuing.der),
    )
    report = verify_bytes(data, name="c", trust=TrustStore().with_((circle.root,)), clock=CLOCK)
    assert report.verdict is Verdict.TOTAL_PASSED, report.signatures[0].reason


def answers(circle: Circle) -> tuple[bytes, bytes]:
    """Return OCSP answers about the signer and about the issuing authority."""
    made = []
    for authority, certificate in (
        (circle.ca.issuing, circle.organisation.certificate),
        (circle.ca.root_authority, circle.issuing),
    ):
        responder = OCSPResponder(authority.key, authority.certificate, authority.certificate, authority.ledger, CLOCK)
        made.append(responder.respond(ocsp.make_request([(certificate, authority.certificate)], nonce=None)))
    return made[0], made[1]


def basic_of(response: bytes) -> bytes:
    """Return the BasicOCSPResponse, the way CAdES keeps it."""
    members = ber.load(response).members()
    members.next()
    body = members.next().only().members()
    body.next()
    return body.next().octets()


def context(number: int, content: bytes) -> bytes:
    return der.tlv(ber.context(number), content)


def with_answers(circle: Circle, place: str, *, broken: bool = False) -> bytes:
    """Return a signed PDF with the answers at `place` and no list anywhere."""
    both = answers(circle)
    if broken:
        both = (both[0][:-1] + bytes([both[0][-1] ^ 1]), both[1])
    more: dict[str, bytes] = {}
    options: dict[str, Any] = {}
    if place == "dss":
        more["o1"] = rawpdf.objects()[1].replace(b"/Pages", b"/DSS << /OCSPs [30 0 R 31 0 R] >> /Pages")
        more |= {"o30": rawpdf.stream(both[0]), "o31": rawpdf.stream(both[1])}
    elif place == "cms":
        form = der.oid("1.3.6.1.5.5.7.16.2")
        options["crls"] = [der.tlv(0xA1, form + answer) for answer in both]
    elif place == "archival":
        value = der.sequence(context(1, der.sequence(*both)))
        options["extra"] = [attribute("1.2.840.113583.1.1.8", value)]
    else:
        value = der.sequence(context(1, der.sequence(*map(basic_of, both))))
        options["unsigned"] = (attribute("1.2.840.113549.1.9.16.2.24", value),)
    return rawpdf.sign(cms(circle, **options), digits=140_000, **more)


@pytest.mark.parametrize("place", ["dss", "cms", "archival", "cades"])
def test_ocsp_answers_that_come_with_a_signature_are_used(signing_suite: str, place: str) -> None:
    circle = circle_of(signing_suite)
    bare = TrustStore().with_((circle.root,))
    (one,) = verify_bytes(with_answers(circle, place), name="c", trust=bare, clock=CLOCK).signatures
    assert one.verdict is Verdict.TOTAL_PASSED, one.reason
    assert any("OCSP answer" in check.basis for check in one.checks)
    (one,) = verify_bytes(with_answers(circle, place, broken=True), name="c", trust=bare, clock=CLOCK).signatures
    assert (one.verdict, one.sub_indication) == (Verdict.INDETERMINATE, "TRY_LATER")


def test_what_is_missing_is_fetched_where_the_caller_says_so(signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    data = rawpdf.sign(cms(circle), digits=140_000)
    bare = TrustStore().with_((circle.root,))
    web = {
        url: crl.der
        for certificate, crl in zip((circle.organisation.certificate, circle.issuing), circle.crls, strict=True)
        for url in certificate.crl_urls
    }
    asked = []

    def fetch(url: str, /, **_: Any) -> bytes:
        asked.append(url)
        if url not in web:
            raise FetchError("nothing there")
        return web[url]

    options = VerifyOptions(fetch=Remembering(fetch))
    report = verify_bytes(data, name="c", trust=bare, clock=CLOCK, options=options)
    assert report.verdict is Verdict.TOTAL_PASSED, report.signatures[0].reason
    assert sorted(asked) == sorted(web)
    assert {item.code for item in report.signatures[0].warnings} >= {"fetch"}
    before = len(asked)
    assert verify_bytes(data, name="c", trust=bare, clock=CLOCK, options=options).verdict is Verdict.TOTAL_PASSED
    assert len(asked) == before
    web.clear()
    (one,) = verify_bytes(
        data, name="c", trust=bare, clock=CLOCK, options=VerifyOptions(fetch=Remembering(fetch))
    ).signatures
    assert (one.verdict, one.sub_indication) == (Verdict.INDETERMINATE, "TRY_LATER")
    assert any("nothing there" in item.detail for item in one.warnings)


def test_what_was_fetched_for_a_time_stamp_is_said_too(signing_suite: str) -> None:
    """The unit is of another authority than the signer; each is asked for its lists."""
    signer, unit = circle_of(signing_suite), circle_of("ecdsa-p384")
    data = rawpdf.sign(lambda content: add_token(cms(signer)(content), unit), digits=160_000)
    web = {url: crl for item in (signer, unit) for url, crl in lists_of(item).items()}
    options = VerifyOptions(fetch=Remembering(lambda url, /, **_: web[url]))
    bare = TrustStore().with_((signer.root, unit.root))
    (one,) = verify_bytes(data, name="c", trust=bare, clock=CLOCK, options=options).signatures
    assert one.verdict is Verdict.TOTAL_PASSED, one.reason
    assert one.level == "B-T"
    said = {item.detail for item in one.warnings if item.code == "fetch"}
    assert {f"{url} was fetched" for url in web} <= said


def test_a_revocation_that_is_fetched_does_not_undo_what_is_proven_to_be_older(signing_suite: str) -> None:
    from certs.crl import build_crl

    circle = circle_of(signing_suite)
    authority, serial = circle.ca.issuing, circle.organisation.certificate.serial
    made = NOW + timedelta(hours=2)
    web = lists_of(circle)
    (url,) = circle.organisation.certificate.crl_urls
    entries = [(serial, NOW + timedelta(hours=1), "superseded")]
    more = {"number": 99, "this_update": made, "next_update": made + timedelta(days=1)}
    web[url] = build_crl(authority.certificate, authority.key, entries, **more)
    options = VerifyOptions(fetch=Remembering(lambda url, /, **_: web[url]))
    clock, bare = FixedClock(NOW + timedelta(hours=3)), TrustStore().with_((circle.root,))
    outcomes = []
    for timestamp in (False, True):
        data = signed(signing_suite, timestamp=timestamp)
        (one,) = verify_bytes(data, name="c", trust=bare, clock=clock, options=options).signatures
        outcomes.append((one.verdict, one.sub_indication))
    assert outcomes == [(Verdict.INDETERMINATE, "REVOKED_NO_POE"), (Verdict.TOTAL_PASSED, None)]


def lists_of(circle: Circle) -> dict[str, bytes]:
    pairs = zip((circle.organisation.certificate, circle.issuing), circle.crls, strict=True)
    return {url: crl.der for certificate, crl in pairs for url in certificate.crl_urls}


@cache
def revoked_circle(suite_name: str) -> Circle:
    from certs.crl import CRL

    circle = make_circle(suite_name)
    circle.ca.revoke(circle.organisation.certificate.serial, "keyCompromise")
    return replace(circle, crls=(CRL(circle.ca.crl()), CRL(circle.ca.root_crl())))


def test_signed_after_revocation_fails(signing_suite: str) -> None:
    circle = revoked_circle(signing_suite)
    data = rawpdf.sign(cms(circle, signing_time=NOW + timedelta(minutes=1)), digits=80_000)
    (one,) = verify(data, circle).signatures
    assert (one.verdict, one.sub_indication) == (Verdict.TOTAL_FAILED, "REVOKED")


def test_revoked_without_proof_of_time_is_indeterminate(signing_suite: str) -> None:
    circle = revoked_circle(signing_suite)
    data = rawpdf.sign(cms(circle, signing_time=NOW - timedelta(days=1)), digits=80_000)
    (one,) = verify(data, circle).signatures
    assert (one.verdict, one.sub_indication) == (Verdict.INDETERMINATE, "REVOKED_NO_POE")


def test_expired_certificate_needs_a_time_stamp() -> None:
    circle = circle_of("ecdsa-p256")
    later = circle.organisation.certificate.not_after + timedelta(days=1)
    (plain,) = verify(signed("ecdsa-p256"), circle, at=later).signatures
    assert plain.verdict is Verdict.INDETERMINATE
    assert plain.sub_indication == "OUT_OF_BOUNDS_NO_POE"


def test_before_the_certificate_was_valid() -> None:
    circle = circle_of("ecdsa-p256")
    early = circle.organisation.certificate.not_before - timedelta(days=1)
    (one,) = verify(signed("ecdsa-p256"), circle, at=early).signatures
    assert (one.verdict, one.sub_indication) == (Verdict.INDETERMINATE, "NOT_YET_VALID")


def test_copied_time_stamp_is_refused_and_the_signature_keeps_its_verdict(signing_suite: str) -> None:
    circle = circle_of(signing_suite)

    def with_foreign_token(content: bytes) -> bytes:
        encoded = cms(circle)(content)
        other = cms(circle)(b"something else")
        good = add_token(other, circle)
        token = parse_signed_data(good).signers[0].unsigned_values(TIME_STAMP_ATTRIBUTE)[0]
        wrong = replace(circle, timestamper=_Fixed(token))  # type: ignore[arg-type]
        return add_token(encoded, wrong)

    data = rawpdf.sign(with_foreign_token, digits=SIZES.get(signing_suite, 60_000) * 2)
    (one,) = verify(data, circle).signatures
    assert one.verdict is Verdict.TOTAL_PASSED, one.reason
    assert one.level == "B-B"
    assert [(t.verdict, t.sub_indication) for t in one.timestamps] == [(Verdict.TOTAL_FAILED, "HASH_FAILURE")]
    assert one.signed_at is not None
    assert one.signed_at.source == "claimed"


class _Fixed:
    def __init__(self, token: bytes) -> None:
        self.token = token

    def stamp(self, name: str, digest: bytes) -> bytes:
        return self.token


# -- document time-stamps -----------------------------------------------------------------------------


def document_stamp(circle: Circle) -> Callable[[bytes], bytes]:
    from certs import suites

    name = suites.get(circle.suite_name).digest_name
    return lambda content: circle.timestamper.stamp(name, suites.digest(name, content))


def test_document_time_stamp_in_every_suite(signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    base = signed(signing_suite)
    data = rawpdf.sign(document_stamp(circle), base, digits=SIZES.get(signing_suite, 40_000), subfilter=b"ETSI.RFC3161")
    report = verify(data, circle)
    assert report.verdict is Verdict.TOTAL_PASSED, [(s.reason, s.changes_after) for s in report.signatures]
    assert [s.kind for s in report.signatures] == ["signature", "document-timestamp"]
    first, stamp = report.signatures
    assert first.changes_after is not None
    assert first.changes_after.level == "lta-updates"
    assert stamp.suite == signing_suite
    assert stamp.signed_at is not None
    assert stamp.signed_at.source == "timestamp"


def test_document_time_stamp_over_a_changed_file_fails() -> None:
    circle = circle_of("sm2")
    data = rawpdf.sign(document_stamp(circle), subfilter=b"ETSI.RFC3161")
    (one,) = verify(data.replace(b"pay 100", b"pay 900"), circle).signatures
    assert (one.verdict, one.sub_indication) == (Verdict.TOTAL_FAILED, "HASH_FAILURE")


# -- what is listed but not verified ------------------------------------------------------------------


@pytest.mark.parametrize("subfilter", [b"GM.SM2", b"PBAD.PAdES", b"Foo#20Bar"])
def test_unknown_kind_is_listed_as_indeterminate(subfilter: bytes, signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    data = rawpdf.sign(cms(circle), subfilter=subfilter, digits=SIZES.get(signing_suite, 60_000))
    (one,) = verify(data, circle).signatures
    assert (one.verdict, one.code) == (Verdict.INDETERMINATE, "unsupported-subfilter")
    assert one.cryptographic.result == "passed", "a CMS over the file after all: who signed is shown"
    assert one.signer is not None
    (changed,) = verify(data.replace(b"pay 100", b"pay 900"), circle).signatures
    assert (changed.verdict, changed.code) == (Verdict.INDETERMINATE, "unsupported-subfilter")
    assert (changed.cryptographic.result, changed.signer) == ("not-checked", None), "what it means is not known"
    assert changed.objects == ()


def test_missing_subfilter_is_listed_as_indeterminate() -> None:
    data = rawpdf.sign(cms(circle_of("ecdsa-p256"))).replace(b"/SubFilter", b"/SubFilder")
    (one,) = verify(data, None).signatures
    assert (one.verdict, one.code) == (Verdict.INDETERMINATE, "unsupported-subfilter")
    assert "missing" in one.reason


def test_placeholder_without_a_value_is_listed() -> None:
    data = rawpdf.fill_byte_range(rawpdf.assemble(rawpdf.objects()), b"")
    (one,) = verify(data, None).signatures
    assert (one.verdict, one.code) == (Verdict.INDETERMINATE, "no-signature-value")


def test_one_bad_signature_does_not_hide_a_good_one() -> None:
    circle = circle_of("ecdsa-p256")
    data = rawpdf.sign(lambda _: b"\x30\x03\x02\x01\x00", digits=200)
    data = rawpdf.sign(cms(circle), data)
    report = verify(data, circle)
    assert [s.verdict for s in report.signatures] == [Verdict.TOTAL_FAILED, Verdict.TOTAL_PASSED]
    assert report.verdict is Verdict.TOTAL_FAILED


def test_unforeseen_exception_is_indeterminate(monkeypatch: pytest.MonkeyPatch) -> None:
    import signer.verification.later

    def explode(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(signer.verification.later, "changes_after", explode)
    (one,) = verify(signed("ecdsa-p256"), circle_of("ecdsa-p256")).signatures
    assert (one.verdict, one.code) == (Verdict.INDETERMINATE, "internal")


def test_no_signature_at_all(sample_pdf: bytes) -> None:
    report = verify(sample_pdf, None)
    assert report.verdict is Verdict.NO_SIGNATURE
    assert report.signatures == ()


def test_empty_signature_field_is_no_signature_but_named() -> None:
    data = rawpdf.assemble(rawpdf.objects(o5=rawpdf.SIGNATURE_FIELD.replace(b"/V 6 0 R", b""), o6=b""))
    report = verify(data, None)
    assert report.verdict is Verdict.NO_SIGNATURE
    assert report.empty_fields == ("Sig1",)


def test_encrypted_and_foreign_files_are_errors_with_a_hint() -> None:
    encrypted = rawpdf.assemble(rawpdf.objects(o7=b"<< /Filter /Standard >>"), extra=b"/Encrypt 7 0 R ")
    with pytest.raises(EncryptedPDF) as caught:
        verify(encrypted, None)
    assert caught.value.hint
    for data in (b"", b"hello", b"PK\x03\x04", b"\x30\x00", b"\x89PNG"):
        with pytest.raises(UnreadableFile) as unknown:
            verify(data, None)
        assert unknown.value.hint


def test_certification_and_its_permissions() -> None:
    circle = circle_of("ecdsa-p256")
    reference = b"/Reference [<< /TransformMethod /DocMDP /TransformParams << /P 1 /V /1.2 >> >>] "
    certified = rawpdf.sign(cms(circle), extra=reference)
    (one,) = verify(certified, circle).signatures
    assert (one.kind, one.verdict) == ("certification", Verdict.TOTAL_PASSED)
    report = verify(rawpdf.sign(cms(circle), certified), circle)
    assert [s.verdict for s in report.signatures] == [Verdict.TOTAL_FAILED, Verdict.TOTAL_PASSED]
    assert report.signatures[0].code == "forbidden-change"


def test_spoofed_reason_is_never_shown_as_signed() -> None:
    circle = circle_of("ecdsa-p256")
    data = rawpdf.sign(cms(circle), extra=b"/Reason (I agree) ")
    assert ("reason", "I agree") in verify(data, circle).signatures[0].stated
    start = data.index(b"6 0 obj\n") + 8
    body = data[start : data.index(b"\nendobj", start)]
    spoofed = rawpdf.update(data, {6: body.replace(b"I agree", b"I refuse")})
    report = verify(spoofed, circle)
    assert report.verdict is Verdict.TOTAL_FAILED
    assert all(("reason", "I refuse") not in s.stated for s in report.signatures)


# -- CMS in files of their own ------------------------------------------------------------------------


def test_detached_cms_file_in_every_suite(suite_name: str, circle: Circle) -> None:
    content = b"the contract"
    encoded = cms(circle)(content)
    (good,) = verify(encoded, circle, content=content).signatures
    assert good.verdict is Verdict.TOTAL_PASSED, good.reason
    assert good.suite == suite_name
    (bad,) = verify(encoded, circle, content=content + b"!").signatures
    assert (bad.verdict, bad.sub_indication) == (Verdict.TOTAL_FAILED, "HASH_FAILURE")
    (alone,) = verify(encoded, circle).signatures
    assert (alone.verdict, alone.sub_indication) == (Verdict.INDETERMINATE, "SIGNED_DATA_NOT_FOUND")


def test_attached_cms_file(signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    holder = circle.organisation
    encoded = build_signed_data(b"inside", holder.key, holder.certificate, chain=(circle.issuing,))
    assert verify(encoded, circle).verdict is Verdict.TOTAL_PASSED
    report = verify(encoded, circle, content=b"outside")
    assert report.verdict is Verdict.TOTAL_FAILED


def test_cms_in_base64_and_pem_is_read() -> None:
    import base64

    circle = circle_of("gost2012-256")
    encoded = cms(circle)(b"x")
    text = base64.encodebytes(encoded)
    pem = b"-----BEGIN PKCS7-----\n" + text + b"-----END PKCS7-----\n"
    for form in (text, pem, encoded):
        assert verify(form, circle, content=b"x").verdict is Verdict.TOTAL_PASSED


def test_chinese_outer_identifier_and_bare_sm2_value_are_read() -> None:
    from certs import ber, der

    circle = circle_of("sm2")
    encoded = cms(circle)(b"x")
    value = parse_signed_data(encoded).signers[0].signature
    r, s = der.decode_integer_pair(value)
    bare = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    outer = list(ber.load(encoded))
    body = list(outer[1].only())
    info = list(next(iter(body[-1])))
    changed = b"".join(part.raw() for part in info[:-1]) + der.octet_string(bare)
    parts = b"".join(part.raw() for part in body[:-1]) + der.tlv(0x31, der.tlv(0x30, changed))
    chinese = der.sequence(der.oid(oids.GM_SIGNED_DATA), der.tlv(0xA0, der.tlv(0x30, parts)))
    (one,) = verify(chinese, circle, content=b"x").signatures
    assert one.verdict is Verdict.TOTAL_PASSED, one.reason
    assert one.suite == "sm2"


# -- small things -------------------------------------------------------------------------------------


def test_verify_file_reads_and_names(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(signed("ecdsa-p256"))
    report = verify_file(path, trust=circle_of("ecdsa-p256").trust, clock=FixedClock(NOW))
    assert (report.file, report.verdict) == ("a.pdf", Verdict.TOTAL_PASSED)
    with pytest.raises(UnreadableFile):
        verify_file(tmp_path / "none.pdf", trust=TrustStore(), clock=CLOCK)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("D:20261121100000Z", NOW),
        ("D:20261121130000+03'00'", NOW),
        ("D:20261121130000+03'00", NOW),
        ("D:20261121050000-05", NOW),
        ("D:2026", datetime(2026, 1, 1, tzinfo=UTC)),
        ("D:20269921100000Z", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_pdf_dates(text: str | None, moment: datetime | None) -> None:
    assert pdf_date(text) == moment


# -- faults of form -----------------------------------------------------------------------------------


@pytest.mark.parametrize("strict", [False, True])
def test_strict_refuses_faults_of_form_that_are_else_remarks(suite_name: str, strict: bool) -> None:
    (top, key) = keys_of(suite_name)[:2]
    root = forge("Root", top, None, top, ca=True)
    leaf = forge("Leaf", key, root, top, fields=standard_extensions(key, None))  # no authority key identifier
    data = build_signed_data(b"contract", key, leaf)
    options = VerifyOptions(revocation="if-present", strict=strict)
    report = verify_bytes(data, name="x.p7s", trust=TrustStore((root,)), clock=CLOCK, options=options)
    expected = Verdict.TOTAL_PASSED if not strict else Verdict.INDETERMINATE
    assert report.verdict is expected, report.signatures[0].reason
    assert report.signatures[0].sub_indication == ("CERTIFICATE_CHAIN_GENERAL_FAILURE" if strict else None)


COMMITMENT = attribute(oids.COMMITMENT_TYPE, der.sequence(der.oid("1.2.840.113549.1.9.16.6.1")))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, ""),
        ({"signing_time": NOW}, "both /M and signing-time"),
        ({"extra": (COMMITMENT,)}, "/Reason stands beside"),
    ],
    ids=["as-it-should-be", "time-twice", "reason-twice"],
)
def test_what_is_said_twice_is_warned_of(suite_name: str, circle: Circle, more: dict[str, Any], said: str) -> None:
    data = rawpdf.sign(cms(circle, **more), digits=SIZES.get(suite_name, 40_000), extra=b"/Reason (agreed) ")
    (one,) = verify(data, circle).signatures
    assert one.verdict is Verdict.TOTAL_PASSED
    warned = [w.detail for w in one.warnings if w.code == "pades-form"]
    assert len(warned) == bool(said)
    assert all(said in detail for detail in warned)
