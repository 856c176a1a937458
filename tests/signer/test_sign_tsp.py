"""Time-stamps over HTTP, and the one careful request they are made with."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from certs import fetch, suites
from certs.errors import TimeStampError
from certs.fetch import FetchError, HTTPFetcher
from certs.timestamp import make_request, read_token
from signer.tsp import HTTPTimestamper
from tests.conftest import circle_of, make_pdf
from tests.signer.signing import check_all

Answer = tuple[int, dict[str, str], bytes]


class Server:
    """An HTTP server on the loopback address whose answers a test chooses."""

    def __init__(self) -> None:
        self.answer: Callable[[bytes], Answer] = lambda body: (200, {}, b"")
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):  # whoever asked may have gone
                    super().handle()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.requests.append((self.command, self.path, dict(self.headers), body))
                status, headers, octets = outer.answer(body)
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(octets)

            do_GET = do_POST

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/tsa?x=1"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


LOCAL = HTTPFetcher(allow_private=True, timeout=5)


def test_a_time_stamp_over_http(server: Server, signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    server.answer = lambda body: (
        200,
        {"Content-Type": "application/timestamp-reply"},
        circle.timestamper.respond(body),
    )
    digest = circle.organisation.key.suite.digest_name
    imprint = suites.digest(digest, b"x")
    read_token(HTTPTimestamper(server.url, LOCAL).stamp(digest, imprint)).verify(digest, imprint)
    method, path, headers, _ = server.requests[0]
    assert (method, path) == ("POST", "/tsa?x=1")
    assert headers["Content-Type"] == "application/timestamp-query"


def test_a_signature_with_a_time_stamp_over_http(server: Server) -> None:
    from signer.pades.options import SignOptions
    from signer.pades.sign import sign_bytes
    from tests.conftest import CLOCK

    circle = circle_of("ecdsa-p256")
    holder = circle.organisation
    server.answer = lambda body: (200, {}, circle.timestamper.respond(body))
    stamper = HTTPTimestamper(server.url, LOCAL)
    options = SignOptions(level="B-T")
    check_all(sign_bytes(make_pdf(), holder.key, holder.certificate, (), options, CLOCK, timestamper=stamper))


@pytest.mark.parametrize(
    "kind", ["empty", "rubbish", "refused", "for another", "status", "redirect", "large", "html", "cut"]
)
def test_any_other_answer_is_no_time_stamp(server: Server, kind: str) -> None:
    authority = circle_of("ecdsa-p256").timestamper
    answers: dict[str, Callable[[bytes], Answer]] = {
        "empty": lambda body: (200, {}, b""),
        "rubbish": lambda body: (200, {}, b"\x30\x82\xff"),
        "refused": lambda body: (200, {}, authority.respond(b"\x30\x00")),
        "for another": lambda body: (200, {}, authority.respond(make_request("sha256", bytes(32)))),
        "status": lambda body: (503, {}, b"busy"),
        "redirect": lambda body: (302, {"Location": "http://127.0.0.1:1/"}, b""),
        "large": lambda body: (200, {}, bytes((1 << 20) + 1)),
        "cut": lambda body: (200, {"Content-Length": "9999"}, authority.respond(body)),
        "html": lambda body: (200, {"Content-Type": "text/html"}, b"<html>"),
    }
    server.answer = answers[kind]
    with pytest.raises(TimeStampError):
        HTTPTimestamper(server.url, LOCAL).stamp("sha256", suites.digest("sha256", b"x"))
    assert len(server.requests) == 1


# Fetching ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "url",
    [
        "",
        "tsa.example",
        "file:///etc/passwd",
        "ftp://example.org/",
        "http://",
        "http://user:secret@example.org/",
        "http://exa mple.org/",
        "http://example.org/\r\nX: y",
        "http://example.org:99999/",
        "http://[::1/",
        "http://пример.рф/",
        "http://example.org/" + "a" * 3000,
    ],
)
def test_addresses_that_are_none_are_refused(url: str) -> None:
    with pytest.raises(FetchError) as caught:
        HTTPFetcher()(url)
    assert caught.value.facts["reason"] in ("url", "scheme")


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "::1", "fe80::1", "fd00::1",
     "::ffff:10.0.0.1", "224.0.0.1", "100.64.0.1"],
)  # fmt: skip
def test_private_addresses_are_refused_whatever_the_name(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        fetch.socket,
        "getaddrinfo",
        lambda *a, **k: [(2, 1, 6, "", ("93.184.216.34", 80)), (2, 1, 6, "", (address, 80))],
    )
    with pytest.raises(FetchError) as caught:
        HTTPFetcher()("http://innocent.example/")
    assert caught.value.facts["reason"] == "private-address"


def test_the_address_that_was_checked_is_the_one_connected_to(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = fetch.socket.getaddrinfo
    names: list[str] = []

    def answer(host: str, *arguments: object, **keywords: object) -> object:
        names.append(host)
        if host == "name.example":
            return [(2, 1, 6, "", ("127.0.0.1", 0))]
        return resolve(host, *arguments, **keywords)  # type: ignore[arg-type]

    monkeypatch.setattr(fetch.socket, "getaddrinfo", answer)
    server.answer = lambda body: (200, {}, b"hello")
    url = server.url.replace("127.0.0.1", "name.example")
    assert LOCAL(url) == b"hello"
    assert server.requests[0][2]["Host"].startswith("name.example")
    assert names.count("name.example") == 1


def test_nobody_there_is_an_error_with_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FetchError) as caught:
        LOCAL("http://127.0.0.1:1/")
    assert caught.value.facts["reason"] == "network"

    def unknown(*arguments: object, **keywords: object) -> None:
        raise fetch.socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(fetch.socket, "getaddrinfo", unknown)
    with pytest.raises(FetchError):
        LOCAL("http://no-such-host.example/")


def test_a_slow_answer_ends_in_time(server: Server) -> None:
    import time

    def slow(body: bytes) -> Answer:
        time.sleep(0.5)
        return 200, {}, b"late"

    server.answer = slow
    with pytest.raises(FetchError) as caught:
        HTTPFetcher(allow_private=True, timeout=0.1)(server.url)
    assert caught.value.facts["reason"] == "timeout"


def test_an_answer_that_trickles_ends_in_time() -> None:
    import socket
    import time

    listener = socket.create_server(("127.0.0.1", 0))

    def trickle() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            for number in range(2000):
                try:
                    connection.sendall(b"X-%d: y\r\n" % number)
                except OSError:
                    return
                time.sleep(0.02)

    thread = threading.Thread(target=trickle)
    thread.start()
    begin = time.monotonic()
    with pytest.raises(FetchError) as caught:
        HTTPFetcher(allow_private=True, timeout=0.2)(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    assert caught.value.facts["reason"] == "timeout"
    assert time.monotonic() - begin < 20
    thread.join()
    listener.close()


def test_headers_are_sent_along(server: Server) -> None:
    server.answer = lambda body: (200, {}, b"ok")
    assert HTTPFetcher(allow_private=True, headers={"Authorization": "Bearer x"})(server.url) == b"ok"
    assert server.requests[0][0] == "GET"
    assert server.requests[0][2]["Authorization"] == "Bearer x"
