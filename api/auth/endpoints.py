"""`/v1/users` and `/v1/api-keys`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Query

from api.auth import keys, repository, users
from api.auth.models import APIKey, User
from api.auth.schemas import (
    APIKeyIn,
    APIKeyList,
    APIKeyOut,
    APIKeyPatch,
    NewAPIKeyOut,
    RotationIn,
    UserIn,
    UserList,
    UserOut,
    UserPatch,
)
from api.kit.edge import OptionalVersion, Reply, Router, Unit, Version, changes, etag, reads, writes
from api.kit.pagination import Cursor, Limit, paginate

router = Router(prefix="/v1", tags=["users"])


def _user(row: User, **headers: str) -> Reply:
    return Reply(UserOut.of(row), etag=etag(row.version), headers=headers)


def _key(row: APIKey) -> Reply:
    return Reply(APIKeyOut.of(row), etag=etag(row.version))


def _new_key(row: APIKey, token: str, **headers: str) -> Reply:
    body, kept = NewAPIKeyOut.made(row, token), NewAPIKeyOut.made(row, None)
    return Reply(body, etag=etag(row.version), headers=headers, kept=kept)


@router.post("/users", status_code=201, response_model=UserOut)
def create_user(unit: Annotated[Unit, writes("users:write")], body: UserIn) -> Reply:
    """Let somebody in. No role is given that may more than the credential."""
    row = users.create(unit, body)
    return _user(row, location=f"/v1/users/{row.id}")


@router.get("/users", response_model=UserList)
def list_users(unit: Annotated[Unit, reads("users:read")], limit: Limit = 50, cursor: Cursor = None) -> Reply:
    """List users, newest first."""
    with unit.read() as session:
        page = paginate(session, repository.users(unit.tenant_id), User, unit, cursor=cursor, limit=limit)
        rows = [UserOut.of(row) for row in page.rows]
    return Reply(UserList(data=rows, next_cursor=page.next_cursor), headers=page.link("/v1/users", limit))


@router.get("/users/{user_id}", response_model=UserOut)
def get_user(unit: Annotated[Unit, reads("users:read")], user_id: str) -> Reply:
    """Read a user."""
    with unit.read() as session:
        return _user(repository.user(session, unit.tenant_id, user_id))


@router.patch("/users/{user_id}", response_model=UserOut)
def update_user(
    unit: Annotated[Unit, changes("users:write")], user_id: str, version: Version, body: UserPatch
) -> Reply:
    """Change a user. Needs If-Match. Other roles count for their keys from the next request on."""
    return _user(users.update(unit, user_id, version, body))


@router.post("/users/{user_id}/deactivate", response_model=UserOut)
def deactivate_user(unit: Annotated[Unit, writes("users:write")], user_id: str, version: OptionalVersion) -> Reply:
    """Stop every key and access token of a user at once."""
    return _user(users.deactivate(unit, user_id, version))


@router.post("/users/{user_id}/activate", response_model=UserOut)
def activate_user(unit: Annotated[Unit, writes("users:write")], user_id: str, version: OptionalVersion) -> Reply:
    """Let a user in again."""
    return _user(users.activate(unit, user_id, version))


@router.post("/api-keys", status_code=201, response_model=NewAPIKeyOut)
def create_api_key(unit: Annotated[Unit, writes("api-keys:write")], body: APIKeyIn) -> Reply:
    """Make an API key, for a user or for the tenant. The answer shows it, once.

    It cannot do what the key of this request cannot, nor for longer, nor from elsewhere.
    """
    row, token = keys.create(unit, body)
    return _new_key(row, token, location=f"/v1/api-keys/{row.id}")


@router.get("/api-keys", response_model=APIKeyList)
def list_api_keys(
    unit: Annotated[Unit, reads("api-keys:read")],
    limit: Limit = 50,
    cursor: Cursor = None,
    user: Annotated[str | None, Query(max_length=40, description="Only the keys of this user.")] = None,
) -> Reply:
    """List API keys, newest first, without their secrets."""
    with unit.read() as session:
        page = paginate(session, repository.keys(unit.tenant_id, user), APIKey, unit, cursor=cursor, limit=limit)
        rows = [APIKeyOut.of(row) for row in page.rows]
    return Reply(
        APIKeyList(data=rows, next_cursor=page.next_cursor), headers=page.link("/v1/api-keys", limit, user=user)
    )


@router.get("/api-keys/{key_id}", response_model=APIKeyOut)
def get_api_key(unit: Annotated[Unit, reads("api-keys:read")], key_id: str) -> Reply:
    """Read an API key, without its secret."""
    with unit.read() as session:
        return _key(repository.key_of(session, unit.tenant_id, key_id))


@router.patch("/api-keys/{key_id}", response_model=APIKeyOut)
def update_api_key(
    unit: Annotated[Unit, changes("api-keys:write")], key_id: str, version: Version, body: APIKeyPatch
) -> Reply:
    """Change name, scopes, end or networks of an API key. Needs If-Match."""
    return _key(keys.update(unit, key_id, version, body))


@router.post("/api-keys/{key_id}/rotate", response_model=NewAPIKeyOut)
def rotate_api_key(
    unit: Annotated[Unit, writes("api-keys:write")],
    key_id: str,
    version: OptionalVersion,
    body: RotationIn | None = None,
) -> Reply:
    """Give an API key another secret. The answer shows it, once. Its id stays, and with it grants and logs."""
    overlap = timedelta(minutes=body.overlap_minutes if body is not None else 0)
    return _new_key(*keys.rotate(unit, key_id, version, overlap))


@router.post("/api-keys/{key_id}/revoke", response_model=APIKeyOut)
def revoke_api_key(unit: Annotated[Unit, writes("api-keys:write")], key_id: str, version: OptionalVersion) -> Reply:
    """End an API key and its access tokens at once and for good."""
    return _key(keys.revoke(unit, key_id, version))
