"""`/oauth/token`, `/oauth/revoke` and `/.well-known/oauth-authorization-server`.

These answer as the RFCs of OAuth say, errors included: `{"error": …}` (RFC 6749 5.2) in place of a problem document.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from api.auth import oauth
from api.auth.assertions import TYPE
from api.auth.scopes import SCOPES
from api.context import Context
from api.errors import RETRY_AFTER, TokenRefused, oauth_answer, row_of
from api.kit.edge import address_of, context_of
from certs.errors import SealroadError

router = APIRouter(tags=["oauth"])

FORM = "application/x-www-form-urlencoded"
MAX_BODY = 10_000
_NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
_FIELDS: dict[str, dict[str, Any]] = {
    "token": {
        "required": ["grant_type"],
        "properties": {
            "grant_type": {"type": "string", "const": "client_credentials"},
            "scope": {"type": "string", "description": "Separated by spaces; all that the key has if left out."},
        },
    },
    "revoke": {
        "required": ["token"],
        "properties": {"token": {"type": "string"}, "token_type_hint": {"type": "string"}},
    },
}
_CLIENT: dict[str, Any] = {
    "client_id": {"type": "string"},
    "client_assertion_type": {"type": "string", "const": TYPE},
    "client_assertion": {"type": "string", "description": "A JWT signed with one of the key's `jwks` (RFC 7523)."},
}
_ERROR = {
    "description": "An error as RFC 6749 5.2 has it.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["error"],
                "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
            }
        }
    },
}
_ERRORS: dict[int | str, dict[str, Any]] = {400: _ERROR, 401: _ERROR, 429: _ERROR}


def _body(name: str) -> dict[str, Any]:
    schema = {"type": "object", "required": _FIELDS[name]["required"]}
    schema["properties"] = _FIELDS[name]["properties"] | _CLIENT
    security: list[dict[str, list[str]]] = [{"ClientSecretBasic": []}, {}]  # {}: the client is in the form
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema}}}, "security": security}


@router.post("/oauth/token", responses=_ERRORS, openapi_extra=_body("token"))
async def oauth_token(request: Request) -> Response:
    """Exchange an API key for an access token (RFC 6749 4.4). client_id is the key's id, client_secret its secret.

    Or the client signs an assertion with one of the key's `jwks`: private_key_jwt (RFC 7523).
    """
    return await _answered(request, lambda *given: JSONResponse(oauth.grant(*given), headers=_NO_STORE))


@router.post("/oauth/revoke", responses=_ERRORS, openapi_extra=_body("revoke"))
async def oauth_revoke(request: Request) -> Response:
    """End an access token of the client's (RFC 7009)."""

    def act(context: Context, address: str, authorization: str, form: oauth.Form) -> Response:
        oauth.revoke(context, address, authorization, form)
        return Response(status_code=200, headers=_NO_STORE)

    return await _answered(request, act)


@router.get("/.well-known/oauth-authorization-server")
def oauth_metadata(request: Request) -> dict[str, Any]:
    """Say what this authorisation server does (RFC 8414)."""
    settings = context_of(request).settings
    issuer = (settings.public_url or str(request.base_url)).rstrip("/")
    return oauth.metadata(issuer, SCOPES, assertions=settings.public_url is not None)


async def _answered(request: Request, act: Callable[[Context, str, str, oauth.Form], Response]) -> Response:
    try:
        form = await _form(request)
        authorization = request.headers.get("authorization", "")
        return await run_in_threadpool(act, context_of(request), address_of(request), authorization, form)
    except SealroadError as error:
        if row_of(error.code).private:
            raise
        status, body = oauth_answer(error)
        headers = dict(_NO_STORE)
        if status == 401:
            headers["www-authenticate"] = 'Basic realm="sealroad"'
        if error.code in RETRY_AFTER:
            headers["retry-after"] = str(RETRY_AFTER[error.code])
        return JSONResponse(body, status, headers)


async def _form(request: Request) -> oauth.Form:
    """Return the parameters of the body. Raises TokenRefused."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise TokenRefused(f"the body is not {FORM}", error="invalid_request")
    body = await request.body()
    if len(body) > MAX_BODY:
        raise TokenRefused("the body is too large", error="invalid_request")
    try:
        return parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise TokenRefused("the body cannot be read", error="invalid_request") from None
