"""The OpenAPI 3.1 document: what FastAPI knows of the routes, and what holds for all of them.

    openapi.install(app)        # from then on app.openapi() returns it; docs/openapi.json is the promised one

What is the same everywhere is added here and not at each route: problems, ETag and 304 of whatever has a version,
Location of what was made or begun, Link of lists, the answer to a repetition. So a new route says all of it too.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.errors import CODES, PROBLEM_TYPE
from api.kit.edge import NEEDED

Node = dict[str, Any]

PROBLEM: Final[Node] = {
    "title": "Problem",
    "type": "object",
    "description": "RFC 9457. `code` is stable; texts may improve.",
    "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "Where the code is explained."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {
            "type": "string",
            "enum": sorted({code for code, row in CODES.items() if not row.private} | {"internal-error"}),
        },
        "request_id": {"type": "string"},
        "hint": {"type": "string", "description": "What can be done about it."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON Pointer (RFC 6901) into the body."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "state": {"type": "string"},
        "allowed": {"type": "array", "items": {"type": "string"}},
        "reason": {"type": "string", "description": "Why a seal may not be used, or a certificate not be changed."},
        "retry_after": {"type": "integer", "description": "Seconds."},
    },
}


def _header(description: str, schema: Node, *, always: bool = False) -> Node:
    return {"description": description, "schema": schema, **({"required": True} if always else {})}


_TEXT: Final[Node] = {"type": "string"}
HEADERS: Final[dict[str, Node]] = {
    "X-Request-Id": _header("What the logs call this request: as it was sent, or made here.", _TEXT, always=True),
    "ETag": _header("The state that this is, for If-Match and If-None-Match.", _TEXT, always=True),
    "Location": _header("Where to read what was made, or to follow what was begun.", _TEXT, always=True),
    "Link": _header('The next page, `rel="next"` (RFC 8288), where there is one.', _TEXT),
    "Idempotency-Replayed": _header("This is the answer to the first request with this key.", {"const": "true"}),
    "Preference-Applied": _header("That the client's wish was heeded, `wait=30` (RFC 7240).", _TEXT),
    "Retry-After": _header("Seconds to wait before the next try.", {"type": "integer", "minimum": 0}),
}
LIMITS: Final = {
    "RateLimit-Policy": _header("How many requests a key and a tenant may make (IETF draft).", _TEXT),
    "RateLimit": _header("How many of them are left, and in how many seconds all are there again.", _TEXT),
}
"""With every answer to a call with a credential, where there is a limit."""
IF_NONE_MATCH: Final[Node] = {
    "name": "if-none-match",
    "in": "header",
    "required": False,
    "schema": _TEXT,
    "description": "ETags that the client has; it gets 304 where one of them is the state now.",
}


def install(app: FastAPI) -> None:
    """Let `app.openapi()` return the document."""

    def openapi() -> Node:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> Node:
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, openapi_version="3.1.0"
    )
    components = document.setdefault("components", {})
    schemes = components.setdefault("securitySchemes", {})
    schemes["ClientSecretBasic"] = {"type": "http", "scheme": "basic", "description": "RFC 6749 2.3.1"}
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    for name in ("HTTPValidationError", "ValidationError"):  # we answer with Problem instead
        schemas.pop(name, None)
    components["headers"] = HEADERS | LIMITS
    components["responses"] = {"Problem": _problem()}
    for operations in document["paths"].values():
        for verb, operation in operations.items():
            _complete(verb, operation, schemas)
    return document


def _complete(verb: str, operation: Node, schemas: Node) -> None:
    """Say of an operation what holds for all of its kind."""
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        _plain(parameter)
    answers = operation["responses"]
    answers.pop("422", None)
    for status, answer in answers.items():
        names = ["X-Request-Id"]
        properties = _properties(answer, schemas)
        if "version" in properties or "ETag" in answer.get("headers", {}):
            names.append("ETag")
            if verb == "get" and status == "200":
                parameters.append(IF_NONE_MATCH)
        if status in {"201", "202"}:
            names.append("Location")
        if any(parameter["name"] == "prefer" for parameter in parameters):
            names.append("Preference-Applied")
        if "next_cursor" in properties:
            names.append("Link")
        if any(parameter["name"] == "idempotency-key" for parameter in parameters) and status < "3":
            names.append("Idempotency-Replayed")
        if {"APIKey": []} in operation.get("security", []):
            names += LIMITS
        answer["headers"] = {name: _reference("headers", name) for name in names}
    if IF_NONE_MATCH in parameters:
        names = ["X-Request-Id", "ETag"]
        if any(parameter["name"] == "prefer" for parameter in parameters):
            names.append("Preference-Applied")
        fields = {name: _reference("headers", name) for name in names}
        answers["304"] = {"description": "The client has this state already.", "headers": fields}
        operation["parameters"] = parameters
    for status in ("4XX", "5XX"):
        answers.setdefault(status, _reference("responses", "Problem"))


def _plain(parameter: Node) -> None:
    """Take null out: in a query or a header a value is there or not. Say which header has to be there."""
    schema = parameter["schema"]
    options = schema.pop("anyOf", None)
    if options is not None:
        (kind,) = (option for option in options if option.get("type") != "null")
        parameter["schema"] = schema = kind | schema
    if schema.pop(NEEDED, False):
        parameter["required"] = True


def _properties(answer: Node, schemas: Node) -> Node:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Node = schemas.get(name, {}).get("properties", {})
    return found


def _problem() -> Node:
    return {
        "description": "A problem (RFC 9457).",
        "headers": {name: _reference("headers", name) for name in ("X-Request-Id", "Retry-After", *LIMITS)},
        "content": {PROBLEM_TYPE: {"schema": _reference("schemas", "Problem")}},
    }


def _reference(kind: str, name: str) -> Node:
    return {"$ref": f"#/components/{kind}/{name}"}
