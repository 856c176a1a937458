"""OAuth 2 client credentials (RFC 6749 4.4): an API key is exchanged for a token that is soon over.

    token = grant(context, address, authorization, form)         # what the token endpoint answers
    revoke(context, address, authorization, form)                # RFC 7009

The client is an API key: its id is the client_id, its secret the client_secret, shown by HTTP Basic
(client_secret_basic); or it signs an assertion with a key of its own (private_key_jwt, `api.auth.assertions`), where
the service knows its own address (`public_url`). So there is one list of credentials, and one place to end them. Tokens
are opaque and looked up: what ends the key ends them in the same instant, which a token that carries its own validity
could not do.

Failures are counted by address and client; after `MOST` of them within `WINDOW` no more is looked at for a while. A
secret has 256 bits and is not guessed: what is limited is the load.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote_plus

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.auth import assertions, repository
from api.auth.jose import ALGORITHMS
from api.auth.models import AccessToken, APIKey, AuthFailures
from api.auth.networks import bucket
from api.auth.service import Principal, check_secret, digest_of, note_use, principal_of
from api.context import Context
from api.errors import TokenRefused, TooManyRequests, Unauthenticated
from api.kit.ids import is_id, new_id

LIFE: Final = timedelta(minutes=10)
"""How long an access token is good."""
MOST: Final = 20
WINDOW: Final = timedelta(minutes=5)

Form = Mapping[str, Sequence[str]]


def grant(context: Context, address: str, authorization: str, form: Form) -> dict[str, Any]:
    """Return the answer of the token endpoint (RFC 6749 5.1). Raises TokenRefused, TooManyRequests."""
    kind = _one(form, "grant_type")
    if kind is None:
        raise _refusal("invalid_request", "grant_type is missing")
    if kind != "client_credentials":
        raise _refusal("unsupported_grant_type", "the only grant here is client_credentials")
    asked = _one(form, "scope")
    who = _client(context, address, authorization, form)
    scopes = who.scopes if asked is None else frozenset(asked.split())
    if not scopes or not scopes <= who.scopes:
        raise _refusal("invalid_scope", "the scope is empty, or more than the client has")
    now, name, secret = context.now(), new_id("tok"), secrets.token_urlsafe(32)
    with context.database.write() as session:
        session.execute(delete(AccessToken).where(AccessToken.key_id == who.key_id, AccessToken.expires_at <= now))
        session.add(
            AccessToken(
                id=name,
                key_id=who.key_id,
                secret_sha256=digest_of(secret),
                scopes=sorted(scopes),
                created_at=now,
                expires_at=now + LIFE,
            )
        )
        note_use(session, who, now)
    return {
        "access_token": f"srt_{name.removeprefix('tok_')}_{secret}",
        "token_type": "Bearer",
        "expires_in": int(LIFE.total_seconds()),
        "scope": " ".join(sorted(scopes)),
    }


def revoke(context: Context, address: str, authorization: str, form: Form) -> None:
    """End one of the client's tokens. One that is none of its own is passed over (RFC 7009 2.2).

    Raises TokenRefused, TooManyRequests.
    """
    token = _one(form, "token")
    if token is None:
        raise _refusal("invalid_request", "token is missing")
    who = _client(context, address, authorization, form)
    name = "tok_" + token.removeprefix("srt_").partition("_")[0]
    if is_id("tok", name):
        with context.database.write() as session:
            session.execute(delete(AccessToken).where(AccessToken.id == name, AccessToken.key_id == who.key_id))


def metadata(issuer: str, scopes: Sequence[str], *, assertions: bool) -> dict[str, Any]:
    """Return the document of RFC 8414; `assertions`: whether a client can show who it is by one."""
    methods: dict[str, Any] = {}
    for endpoint in ("token", "revocation"):
        names = ["client_secret_basic", *(["private_key_jwt"] if assertions else [])]
        methods[f"{endpoint}_endpoint_auth_methods_supported"] = names
        if assertions:
            known = sorted({name for names in ALGORITHMS.values() for name in names})
            methods[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = known
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth/token",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        **methods,
        "scopes_supported": list(scopes),
        "service_documentation": f"{issuer}/docs",
    }


def _client(context: Context, address: str, authorization: str, form: Form) -> Principal:
    """Return who asks. Raises TokenRefused (invalid_client) or TooManyRequests."""
    assertion = _assertion(form)
    if assertion is not None and authorization:
        raise _refusal("invalid_request", "the client shows who it is in two ways")  # RFC 6749 2.3
    name, secret = (assertions.client_of(assertion), "") if assertion is not None else _basic(authorization)
    if _one(form, "client_id") not in {None, name}:
        raise _refusal("invalid_request", "client_id is not who the client shows that it is")  # RFC 7521 4.2
    now = context.now()
    with context.database.read() as session:
        known = repository.key(session, name) if is_id("key", name) else None
        place = _place(address, known)
        _check_failures(session, place, now)
        who, used = None, None
        try:
            if assertion is None:
                key = check_secret(session, name, secret, now)
            else:
                key, used = assertions.check(assertion, known, _issuer(context), now)
            who = principal_of(session, key, now, address)
        except Unauthenticated:
            pass
    if who is not None and (used is None or assertions.spend(context, used, now)):
        return who
    _count_failure(context, place, now)
    raise _refusal("invalid_client", "the client is not known, or its credential is not valid")


def _issuer(context: Context) -> str | None:
    """Return our own address. What a request calls us is not believed: an assertion for others could be sent to us."""
    address = context.settings.public_url
    return address.rstrip("/") if address is not None else None


def _assertion(form: Form) -> str | None:
    """Return the assertion of a client that shows one."""
    kind, assertion = _one(form, "client_assertion_type"), _one(form, "client_assertion")
    if kind is None and assertion is None:
        return None
    if kind != assertions.TYPE or assertion is None:
        raise _refusal("invalid_request", f"client_assertion comes with client_assertion_type {assertions.TYPE}")
    return assertion


def _basic(authorization: str) -> tuple[str, str]:
    """Return client_id and client_secret; both are form-encoded inside Basic (RFC 6749 2.3.1)."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            name, colon, secret = base64.b64decode(value.strip(), validate=True).decode("ascii").partition(":")
        except (binascii.Error, ValueError):
            colon = ""
        if colon:
            return unquote_plus(name), unquote_plus(secret)
    raise _refusal("invalid_client", "the client shows its credential by HTTP Basic")


def _one(form: Form, name: str) -> str | None:
    """Return a parameter; an empty one is left out, and one that is sent twice is an error (RFC 6749 3.2)."""
    values = form.get(name, ())
    if len(values) > 1:
        raise _refusal("invalid_request", f"{name} is sent more than once")
    return values[0] if values and values[0] else None


def _place(address: str, key: APIKey | None) -> str:
    # By client too: whoever shares an address with somebody who fails (behind one proxy) is not shut out.
    return f"{bucket(address)} {key.id if key is not None else '-'}"


def _check_failures(session: Session, place: str, now: datetime) -> None:
    row = session.get(AuthFailures, place)
    if row is not None and row.count >= MOST and row.since > now - WINDOW:
        raise TooManyRequests("too many credentials from here were not valid")


def _count_failure(context: Context, place: str, now: datetime) -> None:
    try:
        with context.database.write() as session:
            session.execute(delete(AuthFailures).where(AuthFailures.since <= now - WINDOW))
            row = session.get(AuthFailures, place, with_for_update=True)
            if row is None:
                session.add(AuthFailures(id=place, count=1, since=now))
            else:
                row.count += 1
    except IntegrityError:  # two first failures at the same instant count as one
        pass


def _refusal(error: str, message: str) -> TokenRefused:
    return TokenRefused(message, error=error)
