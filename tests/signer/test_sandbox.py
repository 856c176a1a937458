"""Any file ends with a report within the limits; what brings the process down is a verdict too, and never a pass."""

from __future__ import annotations

import os
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from certs.fetch import FetchError, HTTPFetcher, Remembering
from certs.trust import TrustStore
from signer import sandbox
from signer.errors import EncryptedPDF, SignerError, UnreadableFile, VerifierBusy
from signer.forked import Limits
from signer.report import AnchorReport, CheckResult, Report, SignatureReport, Verdict
from signer.sandbox import About, Relayed, Said, Sandbox
from signer.text import LANGUAGES, strings
from signer.verification.setting import VerifyOptions
from signer.verify import verify_bytes
from signer.wire import encode
from signer.workers import Workers
from tests.conftest import CLOCK, NOW, Circle, circle_of, make_pdf
from tests.signer import rawpdf
from tests.signer.signing import sign

HURRIED = Limits(seconds=0.5, memory=1 << 30)
ENCRYPTED = rawpdf.assemble(rawpdf.objects(o7=b"<<>>"), extra=b"/Encrypt 7 0 R ")
Verify = Callable[..., Report]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(size=2) as made:
        yield made


@pytest.fixture(params=["fork", "workers"])
def verify(request: pytest.FixtureRequest, workers: Workers) -> Verify:
    """Both ways, with the arguments of `verify_bytes`."""

    def forked(data: bytes, *, name: str, content: bytes | None = None, **setting: Any) -> Report:
        return Sandbox(**setting).verify(data, name=name, content=content)

    return forked if request.param == "fork" else workers.verify


def setting(circle: Circle) -> dict[str, Any]:
    return {"trust": circle.trust, "clock": CLOCK, "at": NOW, "options": VerifyOptions("if-present")}


def test_the_report_is_the_same_as_without(verify: Verify, signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    data = sign(sign(make_pdf(), signing_suite), signing_suite, level="B-T")
    for octets in (data, data[:-700], data.replace(b"(Sealroad)", b"(Sealroat)"), make_pdf()):
        expected = verify_bytes(octets, name="合同.pdf", **setting(circle))
        assert verify(octets, name="合同.pdf", **setting(circle)) == expected


def test_a_detached_signature_has_its_content(verify: Verify) -> None:
    from tests.signer.test_verify import cms

    circle = circle_of("ecdsa-p256")
    made = cms(circle)(b"the contract")
    for content, verdict in ((b"the contract", "TOTAL-PASSED"), (b"another", "TOTAL-FAILED"), (b"", "TOTAL-FAILED")):
        assert verify(made, name="x", content=content, **setting(circle)).verdict == verdict
    assert verify(made, name="x", **setting(circle)).verdict == "INDETERMINATE"


@pytest.mark.parametrize(("data", "error"), [(b"no file of ours", UnreadableFile), (ENCRYPTED, EncryptedPDF)])
def test_errors_come_through(verify: Verify, data: bytes, error: type[SignerError]) -> None:
    with pytest.raises(error) as caught:
        verify(data, name="x.pdf", trust=TrustStore(), clock=CLOCK)
    with pytest.raises(error) as expected:
        verify_bytes(data, name="x.pdf", trust=TrustStore(), clock=CLOCK)
    assert (caught.value.message, caught.value.hint) == (expected.value.message, expected.value.hint)


def spin(*_: Any, **__: Any) -> Report:
    while True:
        pass


def exhaust(*_: Any, **__: Any) -> Report:
    kept = []
    while True:
        kept.append(bytes(1 << 26))


def die(*_: Any, **__: Any) -> Report:
    os.abort()


def fault(*_: Any, **__: Any) -> Report:
    raise RuntimeError("\x1b[2J")


@pytest.mark.parametrize(
    ("act", "code", "words"),
    [
        (spin, "limits", "longer than 0.5 s"),
        (exhaust, "limits", "more memory"),
        (die, "crashed", "SIGABRT"),
        (fault, "crashed", "RuntimeError"),
    ],
)
def test_what_a_file_may_do_is_a_verdict(
    monkeypatch: pytest.MonkeyPatch, act: Callable[..., Report], code: str, words: str
) -> None:
    limits = HURRIED if act is spin else None
    monkeypatch.setattr("signer.verify.verify_bytes", act)
    report = Sandbox(trust=TrustStore(), clock=CLOCK, at=NOW, limits=limits).verify(b"x", name="x.pdf")
    assert (report.verdict, report.file, report.validation_time) == (Verdict.INDETERMINATE, "x.pdf", NOW)
    (one,) = report.signatures
    assert (one.verdict, one.code) == (Verdict.INDETERMINATE, code)
    assert words in one.reason
    for language in LANGUAGES:
        assert f"code.{code}" in strings(language)


ABOUT = About("x.pdf", "11" * 32, NOW, NOW)


def forged() -> Report:
    """What a child that a file took over might say."""
    good = SignatureReport("Sig1", "signature", Verdict.TOTAL_FAILED, checks=(CheckResult("a", "b", "passed"),))
    anchors = (AnchorReport("CN=Nobody", "22" * 32),)
    return Report("other.pdf", "00" * 32, NOW, Verdict.TOTAL_FAILED, (good,), trust=anchors, trusted=1)


def contradictory() -> Report:
    return replace(forged(), verdict=Verdict.TOTAL_PASSED)


@pytest.mark.parametrize(
    "answer",
    [b"", b"{}", b"\xff" * 100, encode(forged()), encode(Said(None, "internal", "x")), encode(Said(contradictory()))],
)
def test_an_answer_that_makes_no_sense_is_a_crash(answer: bytes) -> None:
    report = sandbox.believed(answer, ABOUT)
    assert (report.verdict, report.signatures[0].code) == (Verdict.INDETERMINATE, "crashed")


def test_name_digest_and_time_are_not_for_the_child_to_say() -> None:
    report = sandbox.believed(encode(Said(forged())), ABOUT)
    assert (report.file, report.sha256, report.validation_time) == ("x.pdf", "11" * 32, NOW)
    assert (report.signatures, report.trust, report.bases) == (forged().signatures, (), ())


def test_words_of_the_child_do_not_steer_a_terminal() -> None:
    with pytest.raises(UnreadableFile) as caught:
        sandbox.believed(encode(Said(None, "unreadable-file", "\x1b[2J" + "x" * 10_000)), ABOUT)
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 2000


# -- several files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_several_files_keep_their_order(at_once: int) -> None:
    circle = circle_of("ecdsa-p256")
    good = sign(make_pdf())
    broken = UnreadableFile("cannot read c")
    files = [
        ("a", good),
        ("b", b"nothing"),
        ("c", broken),
        ("d", good.replace(b"Sealroad)", b"Sealroat)")),
        ("e", good),
    ]
    found = Sandbox(**setting(circle)).verify_each(files, at_once=at_once)
    said = [(name, o.code if isinstance(o, SignerError) else o.verdict) for name, _, o in found]
    assert said == [
        ("a", "TOTAL-PASSED"),
        ("b", "unreadable-file"),
        ("c", "unreadable-file"),
        ("d", "TOTAL-FAILED"),
        ("e", "TOTAL-PASSED"),
    ]


def test_one_file_of_several_that_takes_too_long_harms_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def verify(data: bytes, **arguments: Any) -> Report:
        return spin() if data == b"slow" else verify_bytes(data, **arguments)

    circle = circle_of("ecdsa-p256")
    monkeypatch.setattr("signer.verify.verify_bytes", verify)
    made = Sandbox(**setting(circle), limits=Limits(2, 1 << 30))
    files = [("good", sign(make_pdf())), ("slow", b"slow"), ("good", sign(make_pdf()))]
    begun = time.monotonic()
    verdicts = [outcome.verdict for _, _, outcome in made.verify_each(files, at_once=3)]
    assert verdicts == ["TOTAL-PASSED", "INDETERMINATE", "TOTAL-PASSED"]
    assert time.monotonic() - begun < 50


# -- the network --------------------------------------------------------------------------------------


def relayed(fetch: Any) -> Relayed:
    import json

    return Relayed(lambda request: sandbox._fetched(fetch, json.dumps(json.loads(request)).encode()))


def test_the_child_asks_and_the_parent_fetches() -> None:
    seen = []

    def fetch(url: str, **more: Any) -> bytes:
        seen.append((url, more))
        return bytes(range(256))

    assert relayed(fetch)("http://a.example/", body=b"\x00q", content_type="a/b") == bytes(range(256))
    assert seen == [("http://a.example/", {"body": b"\x00q", "content_type": "a/b", "accept": None})]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "http://169.254.169.254/", "file:///etc/passwd", "http://[::1]/"]
)
def test_private_addresses_are_refused_for_a_child_too(url: str) -> None:
    with pytest.raises(FetchError):
        relayed(Remembering(HTTPFetcher(timeout=1)))(url)


@pytest.mark.parametrize(
    "request_",
    [b"", b"{}", b"[]", b'{"url": 1, "body": null, "content_type": null, "accept": null}', b"[" * 10_000]
    + [
        b'{"url": "http://a.example/", "body": %s, "content_type": %s, "accept": null}' % pair
        for pair in ((b'"="', b"null"), (b"7", b"null"), (b"null", b'"a\\r\\nHost: b"'), (b"null", b"7"))
    ],
)
def test_a_request_that_makes_no_sense_fetches_nothing(request_: bytes) -> None:
    def fetch(*_: Any, **__: Any) -> bytes:
        raise AssertionError("asked")

    assert b"message" in sandbox._fetched(fetch, request_)


def test_an_online_verification_reaches_the_network_through_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child says its process in the request; the fetcher runs in this one."""

    def verify(data: bytes, *, options: VerifyOptions, **_: Any) -> Report:
        assert options.fetch is not None
        body = options.fetch("http://a.example/", body=str(os.getpid()).encode())
        return replace(forged(), file="", empty_fields=(body.decode(),))

    def fetch(url: str, /, *, body: bytes | None = None, **_: Any) -> bytes:
        assert body is not None
        assert body != str(os.getpid()).encode()
        return str(os.getpid()).encode()

    monkeypatch.setattr("signer.verify.verify_bytes", verify)
    report = Sandbox(trust=TrustStore(), clock=CLOCK, options=VerifyOptions(fetch=fetch)).verify(b"x", name="x")
    assert report.empty_fields == (str(os.getpid()),)
    assert b64encode(b"x")


# -- workers ------------------------------------------------------------------------------------------


def test_threads_share_the_workers(workers: Workers) -> None:
    circle = circle_of("ecdsa-p256")
    data = sign(make_pdf())
    found: list[str] = []

    def ask() -> None:
        found.extend(workers.verify(data, name="x", **setting(circle)).verdict for _ in range(3))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["TOTAL-PASSED"] * 12


def test_a_worker_at_its_limit_says_so() -> None:
    circle = circle_of("ecdsa-p256")
    with Workers(size=1, limits=Limits(seconds=0.001, memory=1 << 30)) as hurried:
        report = hurried.verify(sign(make_pdf()), name="x", **setting(circle))
        assert (report.verdict, report.signatures[0].code) == (Verdict.INDETERMINATE, "limits")


def test_a_worker_that_dies_is_replaced() -> None:
    circle = circle_of("ecdsa-p256")
    data = sign(make_pdf())
    with Workers(size=1) as made:
        assert made.verify(data, name="x", **setting(circle)).verdict == "TOTAL-PASSED"
        process = made._children[0]._process
        assert process is not None
        process.kill()
        process.wait()
        assert made.verify(data, name="x", **setting(circle)).verdict == "TOTAL-PASSED"


def test_workers_fetch_nothing() -> None:
    with Workers(size=1) as made, pytest.raises(ValueError, match="nothing"):
        made.verify(b"x", name="x", trust=TrustStore(), clock=CLOCK, options=VerifyOptions(fetch=HTTPFetcher()))


def test_a_file_does_not_wait_for_its_turn_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer.workers.PATIENCE", 0.1)
    with Workers(size=1) as made:
        child = made._free.get()
        with pytest.raises(VerifierBusy):
            made.verify(b"x", name="x", trust=TrustStore(), clock=CLOCK)
        made._free.put(child)
        with pytest.raises(UnreadableFile):
            made.verify(b"x", name="x", trust=TrustStore(), clock=CLOCK)
