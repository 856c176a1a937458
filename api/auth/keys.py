"""Decide about API keys over HTTP: a key makes, changes and rotates only keys that can do no more than itself."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete

from api.auth import networks as places
from api.auth import repository
from api.auth.jose import JWK, read_key
from api.auth.models import AccessToken, APIKey, User
from api.auth.schemas import APIKeyIn, APIKeyPatch, JWKSet
from api.auth.scopes import SCOPES, scopes_of
from api.auth.service import Principal, digest_of, make_key, token_of
from api.errors import Forbidden, NotFound, PreconditionFailed, StateConflict, ValidationFailed
from api.kit.edge import Unit, etag
from api.kit.refusals import problem_at, refuse, utc


def create(unit: Unit, body: APIKeyIn) -> tuple[APIKey, str]:
    """Make a key; return its row and the key itself. Raises Forbidden, ValidationFailed."""
    who = unit.principal
    user = _user(unit, body.user) if body.user is not None else None
    expires_at = utc(body.expires_at, "/expires_at") if body.expires_at is not None else who.expires_at
    networks = _networks(body.networks) if body.networks is not None else who.networks
    _check_scopes(body.scopes, user)
    _no_more_than(who, body.scopes, expires_at, networks)
    public_keys = _public_keys(body.jwks) if body.jwks is not None else None
    row, token = make_key(
        unit.session,
        unit.tenant_id,
        name=body.name,
        now=unit.context.now(),
        scopes=body.scopes,
        expires_at=expires_at,
        networks=networks,
        user=user,
        created_by=who.who,
    )
    row.jwks = public_keys
    return row, token


def update(unit: Unit, key_id: str, version: int, body: APIKeyPatch) -> APIKey:
    """Change a key. Raises NotFound, PreconditionFailed, StateConflict, Forbidden, ValidationFailed."""
    key = _found(unit, key_id, version)
    given = body.model_fields_set
    for name in ("name", "scopes"):
        if name in given and getattr(body, name) is None:
            raise refuse(f"/{name}", "null", "cannot be null")
    if body.name is not None:
        key.name = body.name
    if body.scopes is not None:
        user = repository.user(unit.session, unit.tenant_id, key.user_id) if key.user_id is not None else None
        _check_scopes(body.scopes, user)
        key.scopes = sorted(set(body.scopes))
    if "expires_at" in given:
        key.expires_at = utc(body.expires_at, "/expires_at") if body.expires_at is not None else None
        if key.expires_at is not None and key.expires_at <= unit.context.now():
            raise refuse("/expires_at", "past", "is past; to end a key, revoke it")
    if "networks" in given:
        key.networks = _networks(body.networks) if body.networks is not None else None
    _no_more_than(unit.principal, key.scopes, key.expires_at, key.networks)
    if "jwks" in given:
        key.jwks = _public_keys(body.jwks) if body.jwks is not None else None
        unit.session.execute(delete(AccessToken).where(AccessToken.key_id == key.id))
    return _touched(unit, key)


def rotate(unit: Unit, key_id: str, version: int | None, overlap: timedelta) -> tuple[APIKey, str]:
    """Give a key another secret; return its row and the key itself. Grants and logs know it by its id, which stays.

    Raises as `update` does: whoever gets the secret can do what the key can.
    """
    key, now = _found(unit, key_id, version), unit.context.now()
    secret = secrets.token_urlsafe(32)
    key.previous_sha256, key.previous_until = (key.secret_sha256, now + overlap) if overlap else (None, None)
    key.secret_sha256 = digest_of(secret)
    if not overlap:
        unit.session.execute(delete(AccessToken).where(AccessToken.key_id == key.id))
    return _touched(unit, key), token_of(key, secret)


def revoke(unit: Unit, key_id: str, version: int | None) -> APIKey:
    """End a key for good; to do it again changes nothing. Raises NotFound, PreconditionFailed."""
    key = repository.key_of(unit.session, unit.tenant_id, key_id, lock=True)
    _check_version(key, version)
    if key.revoked_at is not None:
        return key
    key.revoked_at = unit.context.now()
    return _touched(unit, key)


def _found(unit: Unit, key_id: str, version: int | None) -> APIKey:
    """Return a key that the asker may change."""
    key = repository.key_of(unit.session, unit.tenant_id, key_id, lock=True)
    _check_version(key, version)
    _no_more_than(unit.principal, key.scopes, key.expires_at, key.networks)
    if key.revoked_at is not None:
        raise StateConflict("the API key is revoked", state="revoked", allowed=[])
    return key


def _check_version(key: APIKey, version: int | None) -> None:
    if version is not None and key.version != version:
        raise PreconditionFailed(f"the API key is at {etag(key.version)} by now")


def _user(unit: Unit, user_id: str) -> User:
    try:
        user = repository.user(unit.session, unit.tenant_id, user_id, lock=True)
    except NotFound as error:
        raise ValidationFailed(error.message, errors=[problem_at("/user", error.code, error.message)]) from None
    if user.deactivated_at is not None:
        raise refuse("/user", "deactivated", "is deactivated")
    return user


def _networks(texts: Sequence[str]) -> list[str]:
    try:
        return places.parse(texts)
    except ValidationFailed as error:
        problem = problem_at("/networks", "network", error.message)
        raise ValidationFailed(error.message, hint=error.hint, errors=[problem]) from None


def _public_keys(given: JWKSet) -> list[JWK]:
    found: list[JWK] = []
    for index, members in enumerate(given.keys):
        pointer = f"/jwks/keys/{index}"
        try:
            key = read_key(members)
        except ValueError as error:
            raise refuse(pointer, "jwk", str(error)) from None
        if any(key["kid"] == other["kid"] for other in found):
            raise refuse(pointer, "kid", "has the kid of another one")
        found.append(key)
    return found


def _check_scopes(scopes: Sequence[str], user: User | None) -> None:
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        raise refuse("/scopes", "unknown", f"are unknown: {', '.join(unknown)}")
    if user is not None and (beyond := sorted(set(scopes) - scopes_of(user.roles))):
        raise refuse("/scopes", "beyond-roles", f"are more than the user's roles give: {', '.join(beyond)}")


def _no_more_than(
    who: Principal, scopes: Sequence[str], expires_at: datetime | None, networks: Sequence[str] | None
) -> None:
    """Raise Forbidden where a key could do what the asker's cannot, for longer or from elsewhere."""
    beyond = sorted(set(scopes) - who.scopes)
    if beyond:
        raise Forbidden(f"the credential lacks {', '.join(beyond)}, and gives nothing that it lacks")
    if who.expires_at is not None and (expires_at is None or expires_at > who.expires_at):
        raise Forbidden(
            f"the credential itself expires on {who.expires_at:%Y-%m-%d}, and gives nothing that lasts longer"
        )
    if not places.within(networks, who.networks):
        raise Forbidden("the credential is for some networks only, and gives nothing for others")


def _touched(unit: Unit, key: APIKey) -> APIKey:
    key.version += 1
    unit.session.flush()
    return key
