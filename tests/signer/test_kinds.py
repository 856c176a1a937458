"""Files by which others are judged, verified for themselves: time-stamps, certificates, lists, OCSP answers."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certs import ber, der, ocsp, oids, suites
from certs.clock import FixedClock
from certs.crl import CRL, build_crl
from certs.errors import SealroadError
from certs.ocsp_responder import OCSPResponder
from certs.signed_data import attribute, build_signed_data, parse_signed_data, signed_attributes
from certs.suites.base import Use
from certs.timestamp import make_request
from certs.trust import TrustStore
from certs.tsa import TimeStampAuthority
from signer.errors import UnreadableFile
from signer.report import Report, SignatureReport
from signer.text.answers import signature_answers
from signer.verification.kinds import READERS, reader_of
from signer.verify import VerifyOptions, verify_bytes
from tests.conftest import NOW, Circle, circle_of
from tests.signer import rawpdf
from tests.signer.ages import NOW as YEARS_NOW
from tests.signer.ages import SIGNED, rebuilt
from tests.signer.asic import packed
from tests.signer.ofd import PLAIN, by_signed_data, sign
from tests.signer.seals.making import seal_of
from tests.signer.test_past import PASSED, UNPROVEN, verify, word, world
from tests.signer.test_verify import cms, signed

CONTENT = b"the contract"


def only(data: bytes, circle: Circle, at: datetime = NOW, *, trust: TrustStore | None = None, **more: Any) -> Report:
    return verify(data, trust or circle.trust, at, **more)


def one(*arguments: Any, **more: Any) -> SignatureReport:
    (report,) = only(*arguments, **more).signatures
    return report


def pem(label: str, data: bytes) -> bytes:
    return f"-----BEGIN {label}-----\n".encode() + base64.encodebytes(data) + f"-----END {label}-----\n".encode()


# -- time-stamps --------------------------------------------------------------------------------------


def answer(circle: Circle, content: bytes = CONTENT) -> bytes:
    name = suites.get(circle.suite_name).digest_name
    return circle.timestamper.respond(make_request(name, suites.digest(name, content), nonce=7))


def test_time_stamps_in_every_suite(suite_name: str, circle: Circle) -> None:
    response = answer(circle)
    token = circle.timestamper.stamp(name := suites.get(suite_name).digest_name, suites.digest(name, CONTENT))
    for data in (token, response, base64.b64encode(token), pem("CMS", token)):
        report = one(data, circle, NOW + timedelta(seconds=5), content=CONTENT)
        assert (word(report), report.kind, report.suite) == (PASSED, "timestamp", suite_name), report.reason
        assert report.signed_at is not None
        assert report.signed_at.source == "timestamp"
        assert word(one(data, circle, NOW + timedelta(seconds=5), content=b"x")) == "TOTAL-FAILED HASH_FAILURE"
        alone = one(data, circle, NOW + timedelta(seconds=5))
        assert (word(alone), alone.cryptographic.result) == ("SIGNED_DATA_NOT_FOUND", "passed")
    assert word(one(token, circle, trust=TrustStore(), content=CONTENT)) != PASSED


def test_a_refusal_is_no_time_stamp() -> None:
    circle = circle_of("ecdsa-p256")
    report = only(circle.timestamper.respond(b"nonsense"), circle)
    assert report.verdict == "NO-SIGNATURE"
    assert report.warnings[0].code == "no-time-stamp"
    assert "rejection" in report.warnings[0].detail


def test_a_changed_token_fails(signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    data = answer(circle)
    place = data.rindex(parse_signed_data(token_of(data)).signers[0].signature)
    changed = data[: place + 9] + bytes([data[place + 9] ^ 1]) + data[place + 10 :]
    report = one(changed, circle, NOW + timedelta(seconds=5), content=CONTENT)
    assert word(report) == "TOTAL-FAILED SIG_CRYPTO_FAILURE", report.reason
    assert report.cryptographic.result == "failed"


def token_of(response: bytes) -> bytes:
    from certs.timestamp import token_in

    token, said = token_in(response)
    assert said == "granted"
    assert token is not None
    return token


# -- certificates -------------------------------------------------------------------------------------


def test_certificates_in_every_suite(suite_name: str, circle: Circle) -> None:
    certificate = circle.organisation.certificate
    trust = circle.trust.with_((circle.issuing,))
    for data in (certificate.der, certificate.pem.encode(), base64.b64encode(certificate.der)):
        report = one(data, circle, trust=trust)
        assert (word(report), report.kind, report.suite) == (PASSED, "certificate", suite_name), report.reason
        assert report.cryptographic.result == "passed"
        assert report.signer is not None
        assert report.signer.serial == certificate.serial_hex
        rests_on_the_chain(report, circle)
    assert word(one(certificate.der, circle)) == "NO_CERTIFICATE_CHAIN_FOUND"


def rests_on_the_chain(report: SignatureReport, circle: Circle) -> None:
    """The report has the chain and the lists it was judged by, and names the anchor as who vouches."""
    assert {item.use for item in report.objects} >= {"signer", "anchor", "revocation"}
    (anchor,) = (item for item in report.objects if item.use == "anchor")
    assert (anchor.data, anchor.name) == (circle.root.der, circle.root.subject)
    assert ("authority", circle.root.subject) in signature_answers(report)[0].parameters


def test_a_certificate_that_is_trusted_itself_is_its_own_anchor() -> None:
    circle = circle_of("ecdsa-p256")
    report = one(circle.issuing.der, circle, trust=TrustStore(anchors=(circle.issuing,)))
    assert [(item.use, item.data) for item in report.objects] == [
        ("signer", circle.issuing.der),
        ("anchor", circle.issuing.der),
    ]
    assert ("authority", circle.issuing.subject) in signature_answers(report)[0].parameters


def test_a_chain_in_one_file() -> None:
    circle = circle_of("sm2")
    text = (circle.organisation.certificate.pem + circle.issuing.pem + circle.root.pem).encode()
    report = only(text, circle)
    assert [word(item) for item in report.signatures] == [PASSED] * 3
    assert [item.field for item in report.signatures] == ["certificate 1", "certificate 2", "certificate 3"]


NOT_FOR_IT = "CHAIN_CONSTRAINTS_FAILURE"


@pytest.mark.parametrize(
    ("purpose", "expected"),
    [("signing", PASSED), ("any", PASSED), ("timestamping", NOT_FOR_IT), ("ocsp", NOT_FOR_IT)],
)
def test_the_purpose_that_is_asked_for(purpose: Any, expected: str) -> None:
    circle = circle_of("gost2012-256")
    trust = circle.trust.with_((circle.issuing,))
    options = VerifyOptions(purpose=purpose)
    assert word(one(circle.organisation.certificate.der, circle, trust=trust, options=options)) == expected
    stamping = one(circle.tsa.certificate.der, circle, trust=trust, options=VerifyOptions(purpose="timestamping"))
    assert word(stamping) == PASSED


def test_certificates_that_are_not_good(signing_suite: str) -> None:
    for scenario, expected in (("revoked after signing", UNPROVEN), ("expired before signing", "OUT_OF_BOUNDS_NO_POE")):
        here = world(signing_suite, scenario)
        trust = here.trust(YEARS_NOW).with_((here.issuing,))
        (report,) = verify(here.signer.der, trust, YEARS_NOW).signatures
        assert word(report) == expected


# -- revocation lists ---------------------------------------------------------------------------------


def test_lists_in_every_suite(suite_name: str, circle: Circle) -> None:
    trust = circle.trust.with_((circle.issuing,))
    for crl in circle.crls:
        for data in (crl.der, crl.pem.encode()):
            report = one(data, circle, trust=trust)
            assert (word(report), report.kind, report.suite) == (PASSED, "revocation-list", suite_name), report.reason
            assert circle.root.der in [item.data for item in report.objects if item.use == "anchor"]
    crl = circle.crls[0]
    late = crl.next_update
    assert late is not None
    assert word(one(crl.der, circle, late + timedelta(seconds=1), trust=trust)) == "TRY_LATER"
    early = crl.this_update - timedelta(hours=1)
    assert word(one(crl.der, circle, early, trust=trust)) in ("NOT_YET_VALID", "OUT_OF_BOUNDS_NO_POE")
    assert word(one(crl.der, circle)) == "NO_SIGNING_CERTIFICATE_FOUND"
    changed = crl.der[:-1] + bytes([crl.der[-1] ^ 1])
    assert word(one(changed, circle, trust=trust)) == "TOTAL-FAILED SIG_CRYPTO_FAILURE"


def test_lists_beyond_those_that_are_looked_at_leave_the_verdict_open() -> None:
    circle = circle_of("ecdsa-p256")
    trust = circle.trust.with_((circle.issuing,))
    lists = circle.crls[0].pem * 50
    assert [word(item) for item in only(lists.encode(), circle, trust=trust).signatures] == [PASSED] * 50
    report = only((lists + circle.crls[0].pem).encode(), circle, trust=trust)
    assert [word(item) for item in report.signatures] == [*[PASSED] * 50, "GENERIC"]
    assert (report.verdict, report.signatures[-1].code) == ("INDETERMINATE", "limits")
    assert "more than 50" in report.signatures[-1].reason


def test_a_list_with_an_unknown_critical_entry_extension() -> None:
    here = world("ecdsa-p256", "nothing happens")
    from certs import ber, extensions
    from certs.extension_values import Extension

    odd = extensions.encode(Extension("1.2.3.4", True, b"\x05\x00"))
    entry = der.sequence(der.integer(5), ber.encode_time(SIGNED), der.sequence(odd))
    crl = build_crl(
        here.issuing, here.issuing_key, entry, number=1, this_update=SIGNED, next_update=SIGNED + timedelta(days=1)
    )
    (report,) = verify(crl, here.trust(SIGNED).with_((here.issuing,)), SIGNED).signatures
    assert word(report) == "FORMAT_FAILURE"
    assert "1.2.3.4" in report.reason


# -- OCSP answers -------------------------------------------------------------------------------------


def ocsp_answer(circle: Circle, at: datetime = NOW) -> bytes:
    issuing = circle.ca.issuing
    responder = OCSPResponder(issuing.key, issuing.certificate, issuing.certificate, issuing.ledger, FixedClock(at))
    return responder.respond(ocsp.make_request([(circle.organisation.certificate, issuing.certificate)], nonce=None))


def test_ocsp_answers_in_every_suite(suite_name: str, circle: Circle) -> None:
    trust = circle.trust.with_((circle.issuing,))
    data = ocsp_answer(circle)
    for form in (data, base64.b64encode(data), pem("OCSP RESPONSE", data)):
        report = one(form, circle, trust=trust)
        assert (word(report), report.kind, report.suite) == (PASSED, "ocsp-response", suite_name), report.reason
        rests_on_the_chain(report, circle)
    assert word(one(data, circle, NOW + timedelta(hours=2), trust=trust)) == "TRY_LATER"
    assert word(one(data, circle, NOW - timedelta(seconds=1), trust=trust)) == "NOT_YET_VALID"
    assert word(one(data, circle)) == "NO_SIGNING_CERTIFICATE_FOUND"
    changed = data[:-1] + bytes([data[-1] ^ 1])
    assert word(one(changed, circle, trust=trust)) == "TOTAL-FAILED SIG_CRYPTO_FAILURE"


def test_answers_beyond_those_that_are_looked_at_leave_the_verdict_open(monkeypatch: pytest.MonkeyPatch) -> None:
    import signer.verification.kinds.ocsp

    circle = circle_of("ecdsa-p256")
    issuing = circle.ca.issuing
    subjects = (circle.organisation.certificate, circle.person.certificate)
    request = ocsp.make_request([(item, issuing.certificate) for item in subjects], nonce=None)
    responder = OCSPResponder(issuing.key, issuing.certificate, issuing.certificate, issuing.ledger, FixedClock(NOW))
    data, trust = responder.respond(request), circle.trust.with_((circle.issuing,))
    assert word(one(data, circle, trust=trust)) == PASSED
    monkeypatch.setattr(signer.verification.kinds.ocsp, "MAX_ANSWERS", 1)
    report = one(data, circle, trust=trust)
    assert (word(report), report.code) == ("GENERIC", "limits")


def test_an_answer_that_is_none() -> None:
    report = only(ocsp.error_response(3), circle_of("ecdsa-p256"))
    assert report.verdict == "NO-SIGNATURE"
    assert "tryLater" in report.warnings[0].detail


# -- several who sign ---------------------------------------------------------------------------------


def countersigned(circle: Circle, value: Callable[[bytes], bytes] = bytes) -> bytes:
    """A signature of the organisation, countersigned by the person (RFC 5652 11.4)."""
    encoded = cms(circle)(CONTENT)
    signature = value(parse_signed_data(encoded).signers[0].signature)
    person, suite = circle.person, suites.get(circle.suite_name)
    full = signed_attributes(suite, person.certificate, suites.digest(suite.digest_name, signature))
    from certs import ber

    kept = [item.raw() for item in ber.load(full) if item.members().next().oid() != oids.CONTENT_TYPE]
    attributes = der.tlv(der.SET, b"".join(kept))
    info = der.sequence(
        der.integer(1),
        der.sequence(person.certificate.issuer_name.der, der.integer(person.certificate.serial)),
        suite.digest_algorithm.der(),
        b"\xa0" + attributes[1:],
        person.key.suite.signature_algorithm(Use.CMS).der(),
        der.octet_string(person.key.sign(attributes)),
    )
    return rebuilt(encoded, unsigned=[attribute(oids.COUNTERSIGNATURE, info)])


def test_countersignatures_in_every_suite(suite_name: str, circle: Circle) -> None:
    trust = circle.trust.with_((circle.person.certificate,))
    report = only(countersigned(circle), circle, trust=trust, content=CONTENT)
    assert [word(item) for item in report.signatures] == [PASSED, PASSED], [item.reason for item in report.signatures]
    first, counter = report.signatures
    assert (first.kind, counter.kind, counter.field) == ("signature", "countersignature", "countersignature 1")
    assert counter.signer is not None
    assert counter.signer.common_name == circle.person.certificate.common_name
    other = countersigned(circle, lambda value: value + b"x")
    wrong = only(other, circle, trust=trust, content=CONTENT)
    assert [word(item) for item in wrong.signatures] == [PASSED, "TOTAL-FAILED HASH_FAILURE"]
    assert [item.code for item in wrong.signatures[0].warnings] == ["countersignature"]
    assert (wrong.verdict, report.signatures[0].warnings) == ("TOTAL-FAILED", ())


def test_a_strangers_countersignature_leaves_the_signature_it_is_about_alone(suite_name: str) -> None:
    """The file is as good as the worst of all that is in it, the signature is what it was."""
    circle = circle_of(suite_name)
    report = only(countersigned(circle), circle, content=CONTENT)  # the person's certificate is nowhere
    assert [word(item) for item in report.signatures] == [PASSED, "NO_SIGNING_CERTIFICATE_FOUND"]
    assert report.verdict == "INDETERMINATE"
    (warning,) = report.signatures[0].warnings
    assert (warning.code, warning.detail.split(":")[0]) == ("countersignature", "countersignature 1")


def test_more_signatures_than_anybody_looks_at(monkeypatch: pytest.MonkeyPatch) -> None:
    import signer.verification.kinds.cms

    monkeypatch.setattr(signer.verification.kinds.cms, "MAX_REPORTS", 1)
    circle = circle_of("ecdsa-p256")
    reports = only(countersigned(circle), circle, content=CONTENT).signatures
    assert [(item.verdict, item.code) for item in reports] == [(PASSED, ""), ("INDETERMINATE", "limits")]


def test_a_countersignature_that_cannot_be_read() -> None:
    circle = circle_of("ecdsa-p256")
    encoded = rebuilt(cms(circle)(CONTENT), unsigned=[attribute(oids.COUNTERSIGNATURE, der.sequence())])
    verdicts = [word(item) for item in only(encoded, circle, content=CONTENT).signatures]
    assert verdicts == [PASSED, "TOTAL-FAILED FORMAT_FAILURE"]


# -- the table ----------------------------------------------------------------------------------------


def samples() -> dict[str, bytes]:
    circle = circle_of("ecdsa-p256")
    return {
        "pdf": signed("ecdsa-p256"),
        "asic": packed({"a": CONTENT, "META-INF/signature.p7s": cms(circle)(CONTENT)}),
        "ofd": packed(sign(PLAIN, 1, by_signed_data(circle.organisation)), None),
        "seal": seal_of("ecdsa-p256").der,
        "timestamp": answer(circle),
        "cms": cms(circle)(CONTENT),
        "ocsp": ocsp_answer(circle),
        "revocation_list": circle.crls[0].der,
        "certificate": circle.organisation.certificate.der,
    }


def test_a_cms_around_a_pdf_is_a_cms(signing_suite: str) -> None:
    """The header of a PDF may stand within the first kilobyte of a file, so that both would fit."""
    circle = circle_of(signing_suite)
    holder, inside = circle.organisation, signed("ecdsa-p256")
    encoded = build_signed_data(inside, holder.key, holder.certificate, chain=(circle.issuing,))
    assert b"%PDF-" in encoded[:1024]
    (report,) = only(encoded, circle).signatures
    assert (report.suite, word(report)) == (signing_suite, PASSED)


def test_a_file_named_as_a_pdf_that_a_viewer_would_open_is_verified_as_nothing_else(suite_name: str) -> None:
    """Right about its own content, and shown is what stands among its certificates, where no signature reaches."""
    circle = circle_of(suite_name)
    holder = circle.organisation
    encoded = build_signed_data(CONTENT, holder.key, holder.certificate, chain=(circle.issuing,))
    shown = rawpdf.assemble(rawpdf.objects(o5=b"null", o6=b""))
    kind, wrapped = ber.load(encoded)
    version, digests, content, bag, signers = (item.raw() for item in wrapped.only())
    more = der.tlv(0xA0, der.tlv(0xA3, der.oid("2.999") + shown) + ber.load(bag).content())
    both = der.sequence(kind.raw(), der.tlv(0xA0, der.sequence(version, digests, content, more, signers)))
    assert b"%PDF-" in both[:1024]
    here: dict[str, Any] = {"trust": circle.trust, "clock": FixedClock(NOW)}
    assert verify_bytes(both, name="contract.bin", **here).verdict == PASSED
    with pytest.raises(UnreadableFile, match="named as a PDF"):
        verify_bytes(both, name="contract.PDF", **here)
    assert verify_bytes(signed(suite_name), name="contract.pdf", **here).verdict == PASSED


def test_a_time_stamp_that_cannot_be_verified_makes_no_level(suite_name: str) -> None:
    """Anybody can write a token that names a certificate nobody has."""
    circle = circle_of(suite_name)
    encoded = cms(circle)(CONTENT)
    value = parse_signed_data(encoded).signers[0].signature
    digest = suites.get(suite_name).digest_name
    for certificates, level in ((True, "B-T"), (False, "B-B")):
        request = make_request(digest, suites.digest(digest, value), certificates=certificates)
        token = token_of(circle.timestamper.respond(request))
        report = one(rebuilt(encoded, unsigned=[attribute(oids.TIME_STAMP_TOKEN, token)]), circle, content=CONTENT)
        assert (word(report), report.level) == (PASSED, level), report.warnings


@pytest.mark.parametrize(("accuracy", "good"), [(timedelta(minutes=1), True), (timedelta(seconds=61), False)])
def test_a_time_stamp_that_is_not_accurate_proves_no_time(accuracy: timedelta, good: bool) -> None:
    """With an accuracy of years an authority would be right about any moment."""
    circle, digest = circle_of("ecdsa-p256"), suites.get("ecdsa-p256").digest_name
    unit = circle.tsa
    authority = TimeStampAuthority(unit.key, unit.certificate, (circle.issuing,), FixedClock(NOW), accuracy=accuracy)
    encoded = cms(circle)(CONTENT)
    value = parse_signed_data(encoded).signers[0].signature
    token = authority.stamp(digest, suites.digest(digest, value))
    report = one(rebuilt(encoded, unsigned=[attribute(oids.TIME_STAMP_TOKEN, token)]), circle, content=CONTENT)
    assert (report.timestamps[0].verdict, report.timestamps[0].sub_indication) == (
        (PASSED, None) if good else ("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE")
    )
    assert (report.signed_at is not None and report.signed_at.source == "timestamp") is good
    alone = one(authority.stamp(digest, suites.digest(digest, CONTENT)), circle, content=CONTENT)
    assert word(alone) == (PASSED if good else "SIG_CONSTRAINTS_FAILURE")


@pytest.mark.parametrize("kind", ["list", "answer"])
def test_lists_and_answers_of_tomorrow_say_nothing_today(kind: str, suite_name: str) -> None:
    """Whoever makes them cannot know yet; what was made since the moment that is asked about knows more."""
    circle = circle_of(suite_name)
    authorities = (circle.ca.issuing, circle.ca.root_authority)
    subjects = (circle.organisation.certificate, circle.issuing)

    def made(at: datetime) -> TrustStore:
        if kind == "list":
            lists = [
                CRL(build_crl(a.certificate, a.key, [], number=9, this_update=at, next_update=at + timedelta(days=1)))
                for a in authorities
            ]
            return TrustStore().with_((circle.root,), lists)
        answers = [
            OCSPResponder(a.key, a.certificate, a.certificate, a.ledger, FixedClock(at)).respond(
                ocsp.make_request([(subject, a.certificate)], nonce=None)
            )
            for a, subject in zip(authorities, subjects, strict=True)
        ]
        return TrustStore().with_((circle.root,), (), map(ocsp.OCSPResponse, answers))

    tomorrow = NOW + timedelta(days=1)
    for content, data in ((CONTENT, cms(circle)(CONTENT)), (None, signed(suite_name))):
        verdicts = [
            verify_bytes(data, name="x", trust=made(tomorrow), clock=FixedClock(clock), at=NOW, content=content)
            for clock in (NOW, tomorrow)
        ]
        assert [word(one) for report in verdicts for one in report.signatures] == ["TRY_LATER", PASSED]


def test_every_reader_knows_its_own_and_nothing_else() -> None:
    found = samples()
    assert set(found) == set(READERS)
    for name, data in found.items():
        reader = reader_of(data)
        assert reader is not None
        assert reader.__name__.endswith(f".{name}"), name
    for data in (b"", b"text", b"\x30", b"\x30\x80", b"\x30\x03\x0a\x01\x00"[:4], b"-----BEGIN X-----\n", bytes(9)):
        assert reader_of(data) is None


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_damaged_files_are_never_good_and_never_crash(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["timestamp", "ocsp", "revocation_list", "certificate", "cms"]))
    good = _samples()[name]
    at = data.draw(st.integers(0, len(good) - 1))
    kind = data.draw(st.sampled_from(["flip", "flip", "cut", "double", "nest"]))
    if kind == "flip":
        damaged = good[:at] + bytes([good[at] ^ data.draw(st.integers(1, 255))]) + good[at + 1 :]
    elif kind == "cut":
        damaged = good[:at]
    elif kind == "double":
        damaged = good[:at] + good[at : at + 30] + good[at:]
    else:
        damaged = good[:at] + b"\x30\x80" * 40 + good[at:]
    circle = circle_of("ecdsa-p256")
    try:
        report = only(damaged, circle, trust=circle.trust.with_((circle.issuing,)), content=CONTENT)
    except SealroadError:
        return
    assert all(item.code != "internal" for item in report.signatures), report.signatures
    if report.verdict == PASSED:  # what nobody signed may be another: certificates beside, the shape of a wrapper
        assert name in ("cms", "timestamp", "ocsp"), (name, at, kind)


_KEPT: dict[str, bytes] = {}


def _samples() -> dict[str, bytes]:
    _KEPT.update(_KEPT or samples())
    return _KEPT


def test_blocks_that_begin_and_never_end_cost_nothing() -> None:
    lines = b"".join(b"-----BEGIN CERTIFICATE %d-----\n" % number for number in range(60_000))
    begun = time.process_time()
    with pytest.raises(UnreadableFile):
        only(lines, circle_of("ecdsa-p256"))
    assert time.process_time() - begun < 20


def test_what_is_of_no_kind_is_an_error() -> None:
    for data in (b"", b"hello", bytes(40), b"\x30\x00", pem("PRIVATE KEY", b"\x30\x00"), pem("X", b"\x30\x00")):
        with pytest.raises(UnreadableFile) as caught:
            only(data, circle_of("ecdsa-p256"))
        assert caught.value.hint


def test_every_kind_has_words_in_every_language() -> None:
    from typing import get_args

    from signer.report import Kind
    from signer.text import LANGUAGES, strings

    for language in LANGUAGES:
        assert {f"kind.{kind}" for kind in get_args(Kind)} <= strings(language).keys()


def test_the_command_reads_every_kind(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from api.cli import main

    circle = circle_of("ecdsa-p256")
    trust = tmp_path / "trust"
    trust.mkdir()
    (trust / "all.pem").write_text(circle.root.pem + circle.issuing.pem)
    for number, crl in enumerate(circle.crls):
        (trust / f"{number}.crl").write_bytes(crl.der)
    (tmp_path / "content").write_bytes(CONTENT)
    arguments = ["--trust", str(trust), "--content", str(tmp_path / "content"), "--at", "2026-11-21T10:00:05Z"]
    for name, data in _samples().items():
        path = tmp_path / name
        path.write_bytes(data)
        for language in ("en", "zh", "ru"):
            assert main(["verify", str(path), *arguments, "--lang", language, "-v"]) == 0, capsys.readouterr()
        assert main(["verify", str(path), *arguments, "--format", "html"]) == 0
        assert capsys.readouterr().out
    certificate = str(tmp_path / "certificate")
    assert main(["verify", certificate, *arguments, "--purpose", "timestamping"]) == 3


@pytest.mark.parametrize("kind", ["asic", "ofd"])
def test_a_container_that_needs_too_much_memory_is_at_its_limit(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import import_module

    def full(data: bytes) -> None:
        raise MemoryError

    module = import_module(f"signer.verification.kinds.{kind}")
    monkeypatch.setattr(module, "read_container", full)
    (found,) = module.verify(b"", None, None).signatures
    assert (found.verdict, found.code) == ("INDETERMINATE", "limits")
