"""Decide about users: whoever lets somebody in, or changes what they may do, cannot give more than they have."""

from __future__ import annotations

from collections.abc import Iterable

from api.auth import repository
from api.auth.models import User
from api.auth.schemas import UserIn, UserPatch
from api.auth.scopes import scopes_of
from api.errors import Conflict, Forbidden, PreconditionFailed, StateConflict
from api.kit.edge import Unit, etag
from api.kit.ids import new_id
from api.kit.refusals import refuse


def create(unit: Unit, body: UserIn) -> User:
    """Let somebody in. Raises Forbidden for a role that may more than the asker, Conflict for an e-mail in use."""
    _require_roles(unit, body.roles)
    _claim_email(unit, body.email, None)
    now = unit.context.now()
    user = User(
        id=new_id("usr"),
        tenant_id=unit.tenant_id,
        version=1,
        name=body.name,
        email=body.email,
        locale=body.locale,
        roles=sorted(set(body.roles)),
        created_at=now,
        updated_at=now,
        deactivated_at=None,
    )
    unit.session.add(user)
    unit.session.flush()
    return user


def update(unit: Unit, user_id: str, version: int, body: UserPatch) -> User:
    """Change a user. Their keys may do what the new roles give from the next request on. Raises as `create` does."""
    user = _found(unit, user_id, version)
    for name in ("name", "locale", "roles"):
        if name in body.model_fields_set and getattr(body, name) is None:
            raise refuse(f"/{name}", "null", "cannot be null")
    if body.name is not None:
        user.name = body.name
    if body.locale is not None:
        user.locale = body.locale
    if "email" in body.model_fields_set:
        _claim_email(unit, body.email, user)
        user.email = body.email
    if body.roles is not None:
        _require_roles(unit, body.roles)
        user.roles = sorted(set(body.roles))
    return _touched(unit, user)


def deactivate(unit: Unit, user_id: str, version: int | None) -> User:
    """Stop every key and token of a user, from this moment on. Raises StateConflict where that is done."""
    user = _found(unit, user_id, version)
    if user.deactivated_at is not None:
        raise StateConflict("the user is deactivated already", state="deactivated", allowed=["activate"])
    user.deactivated_at = unit.context.now()
    return _touched(unit, user)


def activate(unit: Unit, user_id: str, version: int | None) -> User:
    """Let a user in again; their keys work again, where they are not revoked. Raises StateConflict."""
    user = _found(unit, user_id, version)
    if user.deactivated_at is None:
        raise StateConflict("the user is active", state="active", allowed=["deactivate"])
    user.deactivated_at = None
    return _touched(unit, user)


def _found(unit: Unit, user_id: str, version: int | None) -> User:
    """Return a user whom the asker may change: one who may no more than they."""
    user = repository.user(unit.session, unit.tenant_id, user_id, lock=True)
    if version is not None and user.version != version:
        raise PreconditionFailed(f"the user is at {etag(user.version)} by now")
    _require_roles(unit, user.roles)
    return user


def _require_roles(unit: Unit, roles: Iterable[str]) -> None:
    beyond = sorted(scopes_of(roles) - unit.principal.scopes)
    if beyond:
        raise Forbidden(f"the roles give more than the credential has: {', '.join(beyond)}")


def _claim_email(unit: Unit, email: str | None, by: User | None) -> None:
    if email is not None:
        found = repository.user_with_email(unit.session, unit.tenant_id, email)
        if found is not None and found is not by:
            raise Conflict("another user has this e-mail address")


def _touched(unit: Unit, user: User) -> User:
    user.version += 1
    user.updated_at = unit.context.now()
    unit.session.flush()
    return user
