"""Around every request: an identifier, a size limit, security headers, counters, and no exception ever gets out."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import Counter
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.config import MEBIBYTE, Settings
from api.errors import APIError, InternalError, MalformedRequest, NotFound, PayloadTooLarge
from api.kit.ids import new_id
from api.kit.problems import problem_response, without_token

log = logging.getLogger("sealroad.http")

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
UPLOADS: Final = frozenset({"/v1/documents", "/v1/verifications", "/v1/powers-of-attorney", "/v1/bulk-sends"})

HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Sent with every answer that does not set its own."""


class Metrics:
    """Counters for `/metrics`: requests by route and status, and the time they took."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.seconds: Counter[tuple[str, str]] = Counter()

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        with self._lock:
            self.requests[method, route, status] += 1
            self.seconds[method, route] += seconds  # type: ignore[assignment]

    def text(self) -> str:
        """Return the counters in the Prometheus text format."""
        with self._lock:
            requests, seconds = sorted(self.requests.items()), sorted(self.seconds.items())
        lines = ["# HELP sealroad_http_requests_total Answers given.", "# TYPE sealroad_http_requests_total counter"]
        for (method, route, status), number in requests:
            lines.append(
                f'sealroad_http_requests_total{{method="{method}",route="{route}",status="{status}"}} {number}'
            )
        lines += [
            "# HELP sealroad_http_request_seconds_total Time spent on answers.",
            "# TYPE sealroad_http_request_seconds_total counter",
        ]
        for (method, route), total in seconds:
            lines.append(f'sealroad_http_request_seconds_total{{method="{method}",route="{route}"}} {total:.6f}')
        return "\n".join(lines) + "\n"


class Envelope:
    """The outermost layer, as plain ASGI: bodies stream through it untouched."""

    def __init__(self, app: ASGIApp, *, settings: Settings, metrics: Metrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, started, status, method = time.perf_counter(), False, 500, scope["method"]
        if method == "HEAD":  # every GET has one (RFC 9110 9.1)
            scope, send = {**scope, "method": "GET"}, _headers_only(send)
        headers = Headers(scope=scope)
        request_id = headers.get("x-request-id", "")
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = new_id("req")
        scope.setdefault("state", {})["request_id"] = request_id

        async def outgoing(message: Message) -> None:
            nonlocal started, status
            if message["type"] == "http.response.start":
                started, status = True, message["status"]
                fields = MutableHeaders(scope=message)
                fields["x-request-id"] = request_id
                for name, value in scope["state"].get("fields", {}).items():
                    fields[name] = value
                for name, value in HEADERS.items():
                    fields.setdefault(name, value)
            await send(message)

        limit = self._settings.max_body
        if scope["path"] in UPLOADS and scope["method"] == "POST":
            limit = self._settings.max_upload + 8 * MEBIBYTE  # the file limit itself is checked on the file
        try:
            refusal = _nul(scope)
            if refusal is not None:
                await problem_response(refusal, scope["path"], request_id)(scope, receive, outgoing)
                return
            length = headers.get("content-length", "")
            if length.isdecimal() and (len(length) > 18 or int(length) > limit):
                error = PayloadTooLarge(f"the request body is larger than {limit} octets")
                await problem_response(error, scope["path"], request_id, {"connection": "close"})(
                    scope, receive, outgoing
                )
                return
            await self._app(scope, _limited(receive, limit), outgoing)
        except Exception as error:
            log.exception("%s %s %s", request_id, scope["method"], without_token(scope["path"]))
            if started:
                raise
            response = problem_response(InternalError(type(error).__name__), scope["path"], request_id)
            await response(scope, receive, outgoing)
        finally:
            route = getattr(scope.get("route"), "path", "(none)")
            self._metrics.count(method, route, status, time.perf_counter() - began)


def _headers_only(send: Send) -> Send:
    """Send the head of an answer; what follows may be a stream that nobody would wait for."""

    async def head(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body"})

    return head


def _nul(scope: Scope) -> APIError | None:
    """Return what is wrong with an address that has NUL in it: not every database can even look for it."""
    if "\0" in scope["path"]:
        return NotFound("there is nothing at this address")
    if b"%00" in scope["query_string"]:
        return MalformedRequest("the query has a NUL in it")
    return None


def _limited(receive: Receive, limit: int) -> Receive:
    """Stop reading a body without Content-Length, or with a false one, once it is over the limit."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > limit:
                raise HTTPException(413)
        return message

    return limited
