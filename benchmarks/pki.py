"""Certificates, OCSP answers, time-stamps and paths per second, against the raw cryptography inside each.

    python -m benchmarks pki

Ours is the whole operation as the service runs it: requests read, ledger on disk asked, everything encoded, and every
signature checked before it leaves. The first table holds it against what no implementation with that rule can do
without: one signature and one verification of the suite for a certificate, an answer and a token; one verification for
every signature in a path of three with an OCSP answer for two of them (which are six). The second holds the same
operations against the signature alone. A pre-produced answer needs neither; how much quicker than a signature it is
says what keeping answers is worth. Rates are per second of the processor's time: the disk's own time, of which the
ledger's promise (written before it is signed) takes much, is not in them.

The last table serves the same questions over HTTP, one connection each, beside `openssl ocsp`; both are whole
processes, so the time on the wall counts.
"""

from __future__ import annotations

import http.client
import http.server
import multiprocessing
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.compare import Pairs, Row, Table, alternate
from certs import profiles, suites, timestamp
from certs.ca import ClosedCircle
from certs.certificate import Certificate, Subject
from certs.clock import SystemClock
from certs.errors import BackendUnavailable
from certs.ledger import SQLiteLedger
from certs.ocsp import OCSPResponse, make_request
from certs.ocsp_responder import OCSPResponder
from certs.path import validate_path
from certs.pem import armor
from certs.suites.base import PrivateKey
from certs.trust import TrustStore
from certs.tsa import TimeStampAuthority

SUITES = ("rsa", "ecdsa-p256", "ed25519", "ml-dsa-65", "sm2", "gost2012-256")
PARAMETER = {"rsa": "2048"}
MESSAGE = b"x" * 400
"""About as long as what is signed in a certificate, an answer or a token."""
PATH_SIGNATURES = 6
"""Of the path measured: two links, two OCSP answers, two certificates of responders."""
ROUNDS = 20
CLOCK = SystemClock()


def run(*, quick: bool = False) -> list[Table]:
    """Return the three tables."""
    rounds = 2 if quick else ROUNDS
    both: list[Row] = []
    alone: list[Row] = []
    with tempfile.TemporaryDirectory() as directory:
        for suite in SUITES:
            try:
                bench = Bench(suite, Path(directory) / f"{suite}.sqlite")
            except BackendUnavailable as error:
                both.append(Row(suite, "", str(error)))
                continue
            for what, ours, raw in bench.pairs():
                both.append(_row(f"{suite}, {what}", alternate(ours, raw, rounds)))
            for what, ours in bench.operations():
                alone.append(_row(f"{suite}, {what}", alternate(ours, bench.sign, rounds)))
        served = _served(Path(directory), 1 if quick else 5, 50 if quick else 500)
    note = "1.00 would be free of any cost but the cryptography."
    return [
        Table("pki: against signature and verification", "sealroad", "raw", both, "of raw", [note]),
        Table("pki: against one signature alone", "sealroad", "raw sign", alone, "of raw"),
        served,
    ]


def _row(what: str, pairs: Pairs) -> Row:
    rates = [f"{len(times) / sum(times):.0f}/s" for times in (pairs.ours, pairs.peer)]
    return Row(what, *rates, pairs.speedups)


class Bench:
    """Everything of one suite that is measured."""

    def __init__(self, suite: str, ledger: Path) -> None:
        parameter = PARAMETER.get(suite)
        self.key = suites.get(suite).generate(parameter)
        self.ledger = SQLiteLedger(ledger)
        self.circle = ClosedCircle.create(
            suite, organisation="Bench", country="DE", clock=CLOCK, ledger=self.ledger, parameter=parameter
        )
        subject = Subject("Bench", organisation="Bench", country="DE")
        spki = self.key.public_key.spki
        self.leaf = self.circle.issue("person", subject, spki)
        issuing, root = self.circle.issuing, self.circle.root_authority
        self.responder = responder_of(self.circle, self.key)
        plan = root.prepare(profiles.load("ocsp"), subject, spki)
        of_root = OCSPResponder(self.key, root.issue(plan), root.certificate, self.ledger, CLOCK)
        stamping = self.circle.issue("tsa", subject, spki)
        self.tsa = TimeStampAuthority(self.key, stamping, (issuing.certificate,), CLOCK)
        self.live = make_request([(self.leaf, issuing.certificate)])
        self.plain = make_request([(self.leaf, issuing.certificate)], nonce=None)
        digest = self.key.suite.stamp_digest_name
        self.query = timestamp.make_request(digest, suites.digest(digest, MESSAGE))
        self.answers = (
            OCSPResponse(self.responder.respond(self.live)),
            OCSPResponse(of_root.respond(make_request([(issuing.certificate, root.certificate)]))),
        )
        self.profile, self.subject, self.spki = profiles.load("person"), subject, spki
        self.value = self.key.sign(MESSAGE)
        assert OCSPResponse(self.responder.respond(self.plain)).responses[0].status == "good"
        assert timestamp.check_response(self.tsa.respond(self.query), self.query)
        self.path()

    def sign(self) -> None:
        """Make one signature."""
        self.key.sign(MESSAGE)

    def verify(self) -> None:
        """Check one signature."""
        self.key.public_key.verify(self.value, MESSAGE)

    def _both(self) -> None:
        self.sign()
        self.verify()

    def _six(self) -> None:
        for _ in range(PATH_SIGNATURES):
            self.verify()

    def issue(self) -> None:
        """Issue one certificate: checked, on record, signed, verified, on record."""
        authority = self.circle.issuing
        authority.issue(authority.prepare(self.profile, self.subject, self.spki))

    def path(self) -> None:
        """Validate a path of three with OCSP; everything is read anew from its octets."""
        chain = [Certificate(each.der) for each in (self.leaf, *self.circle.chain)]
        answers = [OCSPResponse(each.der) for each in self.answers]
        store = TrustStore((chain[2],))
        result = validate_path(chain[0], chain[1:2], store, CLOCK.now(), ocsps=answers)
        assert result.passed, result

    def operations(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Yield what is made with a signature."""
        yield "certificate", self.issue
        yield "OCSP, live", lambda: self.responder.respond(self.live)
        yield "OCSP, pre-produced", lambda: self.responder.respond(self.plain)
        yield "time-stamp", lambda: self.tsa.respond(self.query)

    def pairs(self) -> Iterator[tuple[str, Callable[[], Any], Callable[[], Any]]]:
        """Yield what is measured and the cryptography it cannot do without."""
        for what, action in self.operations():
            if what != "OCSP, pre-produced":
                yield what, action, self._both
        yield f"path ({PATH_SIGNATURES} signatures)", self.path, self._six


def responder_of(circle: ClosedCircle, key: PrivateKey) -> OCSPResponder:
    """Return a responder with a certificate of the issuing authority."""
    authority = circle.issuing
    subject = Subject("OCSP", organisation="Bench", country="DE")
    plan = authority.prepare(profiles.load("ocsp"), subject, key.public_key.spki)
    return OCSPResponder(key, authority.issue(plan), authority.certificate, authority.ledger, CLOCK)


# Served beside openssl -----------------------------------------------------------------------------------------------
def _served(directory: Path, rounds: int, count: int) -> Table:
    title = "pki: OCSP over HTTP, whole processes"
    command = shutil.which("openssl")
    if command is None:
        return Table(title, "sealroad", "openssl", [Row("OCSP", "", "openssl is not installed")])
    rows = []
    for suite in ("rsa", "ecdsa-p256"):
        bench = Bench(suite, directory / f"served-{suite}.sqlite")
        with _openssl(command, directory, bench) as theirs, _sealroad(directory, bench) as ours:
            times: tuple[list[float], list[float]] = ([], [])
            for _ in range(rounds):
                for port, found in zip((ours, theirs), times, strict=True):
                    found.append(_ask(port, bench.live, count))
        pairs = Pairs(tuple(times[0]), tuple(times[1]))
        rows.append(_row(f"{suite}, with a nonce", pairs))
    note = "One client, one connection a question; ours is Python's http.server in one process."
    return Table(title, "sealroad", "openssl ocsp", rows, "ours / peer's", [note])


def _ask(port: int, request: bytes, count: int) -> float:
    """Return seconds per question."""
    start = time.perf_counter()
    for _ in range(count):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", "/", request, {"content-type": "application/ocsp-request"})
        reply = connection.getresponse().read()
        connection.close()
        assert reply[:1] == b"\x30"
    return (time.perf_counter() - start) / count


@contextmanager
def _openssl(command: str, directory: Path, bench: Bench) -> Iterator[int]:
    """Run `openssl ocsp` as a server over the same certificates and key."""
    port = _free_port()
    issuer, responder = bench.circle.issuing.certificate, bench.responder.certificate
    for name, text in {
        "issuer.pem": issuer.pem,
        "responder.pem": responder.pem,
        "responder.key": armor("PRIVATE KEY", bench.key.pkcs8()),
    }.items():
        (directory / name).write_text(text)
    end = datetime.now(UTC).strftime("%y%m%d%H%M%SZ")
    (directory / "index.txt").write_text(f"V\t39{end[2:]}\t\t{bench.leaf.serial:X}\tunknown\t/CN=Bench\n")
    server = subprocess.Popen(
        [
            *(command, "ocsp", "-port", str(port), "-index", "index.txt", "-CA", "issuer.pem", "-nmin", "60"),
            *("-rsigner", "responder.pem", "-rkey", "responder.key", "-ignore_err"),
        ],
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port, bench.live)
        yield port
    finally:
        server.kill()
        server.wait()


@contextmanager
def _sealroad(directory: Path, bench: Bench) -> Iterator[int]:
    """Run our responder behind Python's own HTTP server in a process of its own."""
    port = _free_port()
    server = multiprocessing.get_context("fork").Process(target=_serve, args=(port, bench, directory), daemon=True)
    server.start()
    try:
        _wait(port, bench.live)
        yield port
    finally:
        server.kill()
        server.join()


def _serve(port: int, bench: Bench, directory: Path) -> None:
    os.chdir(directory)
    ledger = SQLiteLedger(directory / f"served-{bench.circle.suite_name}.sqlite")  # no connection outlives a fork
    issuer = bench.circle.issuing.certificate
    responder = OCSPResponder(bench.key, bench.responder.certificate, issuer, ledger, CLOCK)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            reply = responder.respond(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-type", "application/ocsp-response")
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int, request: bytes) -> None:
    """Ask until there is an answer; `openssl ocsp` waits for ever on a connection that asks nothing."""
    for _ in range(100):
        try:
            _ask(port, request, 1)
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("a server did not start")
