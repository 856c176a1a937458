"""A client shows who it is by a JWT that it has signed: `private_key_jwt` (RFC 7521 4.2, RFC 7523 3).

    name = client_of(token)                                  # whose key to look up
    key, used = check(token, key, issuer, now)               # signed by one of the key's JWKs, for us, now
    spend(context, used, now)                                # True: once

The secret never leaves the client, and what it sends is worth nothing to whoever reads it afterwards: an assertion is
for this issuer, lasts minutes, and is taken once. That is kept in the database, so every process knows it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from api.auth import jose
from api.auth.models import APIKey, ClientAssertion
from api.context import Context
from api.errors import Unauthenticated

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST: Final = timedelta(minutes=5)
SKEW: Final = timedelta(seconds=30)
"""How far the client's clock may be from ours."""


@dataclass(frozen=True)
class Assertion:
    """What has to be kept of an assertion, until when."""

    id: str
    expires_at: datetime


def client_of(token: str) -> str:
    """Return the client that a token says it is from; nothing is verified. Empty where it says nothing."""
    try:
        found = jose.claims_of(token).get("sub")
    except ValueError:
        return ""
    return found if isinstance(found, str) else ""


def check(token: str, key: APIKey | None, issuer: str | None, now: datetime) -> tuple[APIKey, Assertion]:
    """Return the key, and what is to be spent. Raises Unauthenticated: one answer for every reason.

    `aud` is the issuer alone, or its token endpoint: a token that is for others too could be one that they hand on.
    """
    if key is None or issuer is None or not key.jwks:
        raise _refused()
    try:
        claims = jose.verify(token, key.jwks)
    except ValueError:
        raise _refused() from None
    audience = claims.get("aud")
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    if not claims.get("iss") == claims.get("sub") == key.id or audience not in (issuer, f"{issuer}/oauth/token"):
        raise _refused()
    ends, begins, made = _moment(claims, "exp"), _moment(claims, "nbf"), _moment(claims, "iat")
    if ends is None or not now - SKEW < ends <= now + LONGEST + SKEW:
        raise _refused()
    if any(moment is not None and moment > now + SKEW for moment in (begins, made)):
        raise _refused()
    name = claims.get("jti")
    if not isinstance(name, str) or not 1 <= len(name) <= 200:
        raise _refused()
    return key, Assertion(hashlib.sha256(f"{key.id} {name}".encode()).hexdigest(), ends + SKEW)


def spend(context: Context, used: Assertion, now: datetime) -> bool:
    """Put on record that an assertion was used; tell whether it was for the first time."""
    try:
        with context.database.write() as session:
            session.execute(delete(ClientAssertion).where(ClientAssertion.expires_at <= now))
            session.add(ClientAssertion(id=used.id, expires_at=used.expires_at))
    except IntegrityError:
        return False
    return True


def _moment(claims: dict[str, Any], name: str) -> datetime | None:
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**33:
        raise _refused()
    return datetime.fromtimestamp(value, UTC)


def _refused() -> Unauthenticated:
    return Unauthenticated("the assertion is not valid")
