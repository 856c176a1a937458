"""The only network code of `certs` and `signer`: one careful HTTP request.

    fetch = HTTPFetcher()                                         # public addresses only
    answer = fetch("http://tsa.example/", body=request, content_type="application/timestamp-query")

A URL may come from a certificate or a request, so what it can reach is limited: http and https only, no redirects, no
user name, an address that is not private, loopback, link-local or reserved (the address that was checked is the one
that is connected to), a time limit over everything, a size limit, no compression.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol
from urllib.parse import urlsplit

from certs.errors import CertsError

MAX_URL = 2000


class FetchError(CertsError):
    """Something could not be fetched, or may not be."""

    code = "fetch-error"


class Fetcher(Protocol):
    """Whoever makes requests; tests and services have their own."""

    def __call__(
        self, url: str, /, *, body: bytes | None = None, content_type: str | None = None, accept: str | None = None
    ) -> bytes:
        """Return the body of the answer. POST where `body` is given, else GET. Raises FetchError."""
        ...


@dataclass(frozen=True, kw_only=True)
class HTTPFetcher:
    """A fetcher over sockets of this machine."""

    timeout: float = 15.0
    """Seconds for the whole request, name resolution excepted."""
    max_size: int = 1 << 20
    """Octets of an answer."""
    allow_private: bool = False
    """Whether private, loopback and reserved addresses may be reached."""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Sent with every request, for example Authorization."""

    def __call__(
        self, url: str, /, *, body: bytes | None = None, content_type: str | None = None, accept: str | None = None
    ) -> bytes:
        """Return the body of the answer."""
        secure, host, port, target = _split(url)
        deadline = time.monotonic() + self.timeout
        try:
            connection = self._connect(secure, host, port)
            # The limit of the socket is for one octet; whoever sends one after the other is stopped by this clock.
            watch = threading.Timer(max(0.0, deadline - time.monotonic()), _hang_up, (connection.sock,))
            watch.start()
            try:
                connection.request(
                    "POST" if body is not None else "GET", target, body, self._headers(content_type, accept)
                )
                return self._answer(connection, host, deadline)
            finally:
                watch.cancel()
                connection.close()
        except FetchError:
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, TimeoutError) or time.monotonic() >= deadline:
                raise FetchError(f"{host} does not answer", hint="try again later", reason="timeout") from error
            raise FetchError(
                f"{host} cannot be reached: {error}", hint="check the address", reason="network"
            ) from error

    def _headers(self, content_type: str | None, accept: str | None) -> dict[str, str]:
        named = {"Content-Type": content_type, "Accept": accept, "Connection": "close", "User-Agent": "sealroad"}
        return {**{key: value for key, value in named.items() if value is not None}, **self.headers}

    def _connect(self, secure: bool, host: str, port: int) -> http.client.HTTPConnection:
        """Connect to the first checked address that answers; certificates are checked against the name all the same."""
        last: OSError | None = None
        for address in self._addresses(host, port):
            connection: http.client.HTTPConnection = (
                _PinnedHTTPS(host, port, address, self.timeout, ssl.create_default_context())
                if secure
                else _Pinned(host, port, address, self.timeout)
            )
            try:
                connection.connect()
            except OSError as error:
                connection.close()
                last = error
            else:
                return connection
        raise last or OSError("it has no address")

    def _addresses(self, host: str, port: int) -> list[str]:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(item[4][0]) for item in found))
        if not self.allow_private:
            for address in addresses:
                plain = ipaddress.ip_address(address.split("%", 1)[0])
                inner = getattr(plain, "ipv4_mapped", None) or plain
                if not inner.is_global or inner.is_multicast:
                    raise FetchError(
                        f"{host} is at a private address",
                        hint="private addresses must be allowed explicitly",
                        reason="private-address",
                    )
        return addresses[:4]

    def _answer(self, connection: http.client.HTTPConnection, host: str, deadline: float) -> bytes:
        response = connection.getresponse()
        if response.status != http.client.OK:
            raise FetchError(
                f"{host} answered {response.status} {response.reason}", reason="status", status=response.status
            )
        announced = response.getheader("Content-Length", "")
        if announced.isdigit() and int(announced) > self.max_size:
            raise FetchError(f"the answer of {host} is too large", reason="size")
        out = bytearray()
        while chunk := response.read1(65536):
            out += chunk
            if len(out) > self.max_size:
                raise FetchError(f"the answer of {host} is too large", reason="size")
        if time.monotonic() >= deadline:
            raise TimeoutError
        if announced.isdigit() and len(out) != int(announced):
            raise FetchError(f"the answer of {host} is cut short", reason="cut-short")
        return bytes(out)


def _hang_up(connected: socket.socket | None) -> None:
    if connected is not None:
        with contextlib.suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)


class _Pinned(http.client.HTTPConnection):
    """A connection to one address under the name of its host."""

    def __init__(self, host: str, port: int, address: str, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)


class _PinnedHTTPS(http.client.HTTPSConnection):
    """The same with TLS; the name of the host is what its certificate must be for."""

    def __init__(self, host: str, port: int, address: str, timeout: float, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self._address = address
        self._tls = context

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


def _split(url: str) -> tuple[bool, str, int, str]:
    """Return whether TLS, host, port and request target. Raises FetchError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise FetchError("this is no address", hint="it begins with https:// or http://", reason="url") from error
    if len(url) > MAX_URL or not url.isascii() or any(c <= " " for c in url) or parts.hostname is None:
        raise FetchError("this is no address", hint="it begins with https:// or http://", reason="url")
    if parts.scheme not in ("http", "https"):
        raise FetchError(f"{parts.scheme}: is not fetched", hint="use https:// or http://", reason="scheme")
    if parts.username is not None or parts.password is not None:
        raise FetchError("an address with a user name is not used", hint="leave it out", reason="url")
    secure = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return secure, parts.hostname, port or (443 if secure else 80), target


class Remembering:
    """A fetcher that asks each address once, whatever came of it, and no more than `most` in all. Satisfies Fetcher.

    For one run of a program: several signatures in a file name the same addresses.
    """

    def __init__(self, fetch: Fetcher, *, most: int = 64) -> None:
        self._fetch, self._most = fetch, most
        self._known: dict[tuple[str, bytes | None], bytes | FetchError] = {}

    def __call__(
        self, url: str, /, *, body: bytes | None = None, content_type: str | None = None, accept: str | None = None
    ) -> bytes:
        """See Fetcher."""
        found = self._known.get((url, body))
        if found is None:
            if len(self._known) >= self._most:
                raise FetchError(f"{self._most} addresses were asked already; no more are")
            try:
                found = self._fetch(url, body=body, content_type=content_type, accept=accept)
            except FetchError as error:
                found = error
            self._known[url, body] = found
        if isinstance(found, FetchError):
            raise found
        return found
