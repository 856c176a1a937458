"""Conditional reading: a client that has the newest state already gets 304 and no body (RFC 9110 clause 13.1.2).

    response = unmodified(request, response)        # what every route of `api.kit.edge.Router` does

Whoever answers a GET with an ETag need not look at If-None-Match; what is costly to make asks `has` first.
"""

from __future__ import annotations

from typing import Final

from fastapi import Request
from starlette.responses import Response

KEPT: Final = ("etag", "cache-control", "content-location", "expires", "last-modified", "vary")
"""Fields of a 304 (RFC 9110 clause 15.4.5)."""


def has(request: Request, tag: str) -> bool:
    """Tell whether the client has the state of this ETag; the comparison is the weak one (clause 8.8.3.2)."""
    known = {value.strip().removeprefix("W/") for value in request.headers.get("if-none-match", "").split(",")}
    return tag.removeprefix("W/") in known or "*" in known


def unmodified(request: Request, response: Response) -> Response:
    """Return 304 in place of an answer to a GET that the client has already, else the answer."""
    tag = response.headers.get("etag")
    if request.method != "GET" or response.status_code != 200 or tag is None or not has(request, tag):
        return response
    kept = {name: response.headers[name] for name in KEPT if name in response.headers}
    return Response(status_code=304, headers=kept)
