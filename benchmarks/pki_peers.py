"""Answers and tokens beside OpenSSL's own, in every suite that OpenSSL can serve.

`openssl ocsp` is a server: both sides answer the same questions over HTTP, one connection each, as whole processes, and
the time on the wall counts. `openssl ts -reply` answers once and ends; what it calls is called in a loop instead
(`benchmarks.openssl_ts`), so no side pays for its start. Neither verifies what it signed: ours is shown with every
signature checked, and with one in 256 where the suite allows that. Where OpenSSL gives no answer in a suite, or one
that does not verify, the row says so.
"""

from __future__ import annotations

import http.client
import http.server
import multiprocessing
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from benchmarks.compare import Pairs, Row, Table, alternate
from benchmarks.openssl_ts import OpenSSLStamper
from benchmarks.pki import CLOCK, SOME, Bench, row
from certs import timestamp
from certs.errors import BackendUnavailable, CertsError
from certs.keys.checked import EVERY, OwnCheck
from certs.ledger import SQLiteLedger
from certs.ocsp_check import check_response
from certs.pem import armor

Benches = Mapping[str, Bench | BackendUnavailable]
_ENGINE = """openssl_conf = top
[top]
engines = all
[all]
gost = gost
[gost]
engine_id = gost
default_algorithms = ALL
"""
"""With this `openssl` computes GOST, where the engine is installed."""


def _policies(bench: Bench) -> list[tuple[str, OwnCheck]]:
    """Return the policies of decision 16 that differ for a suite."""
    every = [("every one checked", EVERY)]
    return [*every, ("one in 256 checked", SOME)] if SOME.applies_to(bench.key) else every


# Time-stamps ----------------------------------------------------------------------------------------------------------
def stamped(benches: Benches, rounds: int) -> Table:
    """Return tokens per second of the processor's time, ours and those of libcrypto's TS_RESP_create_response."""
    rows, notes = [], ["Its tokens have whole seconds, and one serial number for all; it keeps no counter."]
    for suite, bench in benches.items():
        if isinstance(bench, BackendUnavailable):
            rows.append(Row(suite, "", str(bench)))
            continue
        try:
            peer = OpenSSLStamper(bench.key, bench.stamping, bench.circle.chain[:1])
            notes[1:] = [f"The peer is {peer.version}; ours signs with the library of the suite (`sealroad doctor`)."]
        except BackendUnavailable as error:
            rows.append(Row(suite, "", str(error)))
            continue
        try:
            timestamp.check_response(peer.respond(bench.query), bench.query)
        except CertsError:
            rows.append(Row(suite, "", peer.why_not()))
            continue
        units = {EVERY: bench.tsa, SOME: bench.sparing_tsa}
        for what, policy in _policies(bench):
            unit = units[policy]
            rows.append(row(f"{suite}, {what}", alternate(*_both(unit.respond, peer.respond, bench.query), rounds)))
    return Table("pki: time-stamps beside OpenSSL's", "sealroad", "openssl ts", rows, "ours / peer's", notes)


def _both(
    ours: Callable[[bytes], bytes], peer: Callable[[bytes], bytes], query: bytes
) -> tuple[Callable[[], bytes], Callable[[], bytes]]:
    return lambda: ours(query), lambda: peer(query)


# OCSP, served ---------------------------------------------------------------------------------------------------------
def served(benches: Benches, *, quick: bool) -> Table:
    """Return answers per second of the time on the wall, ours and those of `openssl ocsp`."""
    title, rounds, count = "pki: OCSP over HTTP, whole processes", 1 if quick else 5, 50 if quick else 500
    command = shutil.which("openssl")
    if command is None:
        return Table(title, "sealroad", "openssl", [Row("OCSP", "", "openssl is not installed")])
    rows = []
    for suite, bench in benches.items():
        if isinstance(bench, BackendUnavailable):
            rows.append(Row(suite, "", str(bench)))
            continue
        with _openssl(command, bench) as theirs:
            if isinstance(theirs, str):
                rows.append(Row(suite, "", theirs))
                continue
            for what, policy in _policies(bench):
                with _sealroad(bench, policy) as ours:
                    times: tuple[list[float], list[float]] = ([], [])
                    for _ in range(rounds):
                        for port, found in zip((ours, theirs), times, strict=True):
                            found.append(_ask(port, bench.live, count))
                rows.append(row(f"{suite}, {what}", Pairs(tuple(times[0]), tuple(times[1]))))
    note = "One client, one connection a question, with a nonce; ours is Python's http.server in one process."
    return Table(title, "sealroad", "openssl ocsp", rows, "ours / peer's", [note])


def _ask(port: int, request: bytes, count: int) -> float:
    """Return seconds per question."""
    start = time.perf_counter()
    for _ in range(count):
        _reply(port, request)
    return (time.perf_counter() - start) / count


def _reply(port: int, request: bytes) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/", request, {"content-type": "application/ocsp-request"})
    reply = connection.getresponse().read()
    connection.close()
    return reply


@contextmanager
def _openssl(command: str, bench: Bench) -> Iterator[int | str]:
    """Run `openssl ocsp` as a server over the same certificates and key; yield its port, or why it cannot serve."""
    port, place, issuer = _free_port(), bench.place, bench.circle.issuing.certificate
    for name, text in {
        "issuer.pem": issuer.pem,
        "responder.pem": bench.delegate.pem,
        "responder.key": armor("PRIVATE KEY", bench.key.pkcs8()),
        "openssl.cnf": _ENGINE,
    }.items():
        (place / name).write_text(text)
    end = datetime.now(UTC).strftime("%y%m%d%H%M%SZ")
    (place / "index.txt").write_text(f"V\t39{end[2:]}\t\t{bench.leaf.serial:X}\tunknown\t/CN=Bench\n")
    environment = dict(os.environ)
    if bench.circle.suite_name.startswith("gost"):
        environment["OPENSSL_CONF"] = str(place / "openssl.cnf")
    server = subprocess.Popen(
        [
            *(command, "ocsp", "-port", str(port), "-index", "index.txt", "-CA", "issuer.pem", "-nmin", "60"),
            *("-rsigner", "responder.pem", "-rkey", "responder.key", "-ignore_err"),
        ],
        cwd=place,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _usable(port, bench, server) or port
    finally:
        server.kill()
        server.wait()


def _usable(port: int, bench: Bench, server: subprocess.Popen[bytes]) -> str | None:
    """Return why the peer's answers are of no use, or None where they are."""
    try:
        reply = _wait(port, bench.live, lambda: server.poll() is None)
    except TimeoutError:
        return "openssl ocsp does not start with such a key"
    try:
        check_response(reply, bench.live, bench.circle.issuing.certificate, CLOCK.now())
    except CertsError as error:
        return f"openssl ocsp answers, but not as we read the suite: {error}"
    return None


@contextmanager
def _sealroad(bench: Bench, policy: OwnCheck) -> Iterator[int]:
    """Run our responder behind Python's own HTTP server in a process of its own."""
    port = _free_port()
    server = multiprocessing.get_context("fork").Process(target=_serve, args=(port, bench, policy), daemon=True)
    server.start()
    try:
        _wait(port, bench.live, server.is_alive)
        yield port
    finally:
        server.kill()
        server.join()


def _serve(port: int, bench: Bench, policy: OwnCheck) -> None:
    ledger = SQLiteLedger(bench.place / "ledger.sqlite")  # no connection outlives a fork
    responder = bench.responder_with(policy, ledger)

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


def _wait(port: int, request: bytes, alive: Callable[[], bool]) -> bytes:
    """Ask until there is an answer; `openssl ocsp` waits for ever on a connection that asks nothing."""
    for _ in range(100):
        if not alive():
            break
        try:
            return _reply(port, request)
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("a server did not start")
