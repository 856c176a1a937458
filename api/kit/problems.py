"""Turn whatever went wrong into one problem document (RFC 9457), and nothing else."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from api.errors import (
    PROBLEM_TYPE,
    Conflict,
    InternalError,
    MalformedRequest,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    ServiceUnavailable,
    ValidationFailed,
    problem,
    row_of,
    wait_of,
)
from api.kit.refusals import pointer_to
from certs.errors import SealroadError

log = logging.getLogger("sealroad.http")

_BY_STATUS: dict[int, type[SealroadError]] = {
    400: MalformedRequest,
    404: NotFound,
    405: MethodNotAllowed,
    413: PayloadTooLarge,
    422: ValidationFailed,
}
_PLACES = {"body", "query", "path", "header", "cookie"}
MAX_ERRORS = 50
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def install(app: FastAPI) -> None:
    """Answer every exception with a problem document."""
    app.add_exception_handler(SealroadError, _sealroad)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(IntegrityError, _integrity)
    app.add_exception_handler(OperationalError, _operational)
    app.add_exception_handler(DataError, _data)


def problem_response(
    error: SealroadError, path: str, request_id: str, headers: dict[str, str] | None = None
) -> Response:
    """Return the problem document of an error; what must not be told is logged instead."""
    row, path = row_of(error.code), without_token(path)
    if row.private:
        log.error("%s %s: %s: %s", request_id, path, error.code, error, exc_info=error)
    body = problem(error, instance=path, request_id=request_id)
    sent = dict(headers or {})
    if row.status == 401:
        sent["www-authenticate"] = 'Bearer realm="sealroad"'  # RFC 6750 clause 3
        if path.startswith("/.well-known/est/"):  # whose clients know Basic and wait to be asked (RFC 7030 3.2.3)
            sent["www-authenticate"] = 'Basic realm="sealroad", Bearer realm="sealroad"'
    if (wait := wait_of(error)) is not None:
        sent["retry-after"] = str(wait)
    return Response(json.dumps(body, ensure_ascii=False), row.status, sent, media_type=PROBLEM_TYPE)


def without_token(path: str) -> str:
    """Return a path as it may be logged: whoever knows a one-time address may use it."""
    return re.sub(r"^/h/[^/]+", "/h/*", path)


def _answer(request: Request, error: SealroadError, headers: dict[str, str] | None = None) -> Response:
    return problem_response(error, request.url.path, request.state.request_id, headers)


def _sealroad(request: Request, error: Exception) -> Response:
    assert isinstance(error, SealroadError)
    return _answer(request, error)


def _validation(request: Request, error: Exception) -> Response:
    """List what is wrong by JSON Pointer; never repeat what was sent, it may be a secret."""
    assert isinstance(error, RequestValidationError)
    found = [
        {"pointer": _pointer(item["loc"]), "code": str(item["type"]), "detail": _words(str(item["msg"]))}
        for item in error.errors()[:MAX_ERRORS]
    ]
    if any(item["code"] == "json_invalid" for item in found):
        return _answer(request, MalformedRequest("the body is not JSON"))
    detail = f"{found[0]['pointer'] or 'the body'}: {found[0]['detail']}" if found else "a field is not acceptable"
    return _answer(request, ValidationFailed(detail, errors=found))


def _words(message: str) -> str:
    """Return what is wrong without the names of classes."""
    return "a part with a file name is expected" if "UploadFile" in message else message.removeprefix("Value error, ")


def _pointer(location: tuple[Any, ...]) -> str:
    """Return a JSON Pointer (RFC 6901) into the body, or `query/name`."""
    where, *rest = location or ("body",)
    path = pointer_to(rest if where in _PLACES else location)
    return path if where == "body" or where not in _PLACES else f"{where}{path}"


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = _BY_STATUS.get(error.status_code, InternalError if error.status_code >= 500 else MalformedRequest)
    words = {
        404: "there is nothing at this address",
        405: f"{request.method} is not something this resource does",
        413: "the request body is too large",
    }
    message = words.get(error.status_code, "the request cannot be read")
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["allow"] = ", ".join(_allowed(request))
    return _answer(request, kind(message), headers)


def _allowed(request: Request) -> list[str]:
    """Return the methods of a resource (RFC 9110 15.5.6), which the router knows one route at a time."""
    scopes = {method: {**request.scope, "method": method} for method in METHODS}
    found = [
        method
        for method, scope in scopes.items()
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
    ]
    return ["HEAD", *found] if "GET" in found else found  # which `api.kit.http` answers as a GET


def _integrity(request: Request, error: Exception) -> Response:
    log.warning("%s: %s", request.state.request_id, type(error).__name__, exc_info=error)
    return _answer(request, Conflict("something else got there first", hint="read the object again"))


def _operational(request: Request, error: Exception) -> Response:
    log.error("%s: the database", request.state.request_id, exc_info=error)
    return _answer(request, ServiceUnavailable("the database is not answering"))


def _data(request: Request, error: Exception) -> Response:
    """Refuse what one database keeps and another does not, such as NUL in a text (PostgreSQL)."""
    log.warning("%s: %s", request.state.request_id, type(error).__name__, exc_info=error)
    return _answer(request, ValidationFailed("a value cannot be kept: it has a NUL in it, or is too large"))
