"""What users and API keys look like from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from api.auth.models import APIKey, User
from api.auth.scopes import SCOPES, RoleName
from api.kit.fields import Body, Email, Line, UserID

Locale = Literal["en", "zh", "ru"]
Scope = Annotated[str, StringConstraints(max_length=40)]
Network = Annotated[str, StringConstraints(max_length=60)]


class UserIn(Body):
    """Somebody who is to use the service."""

    name: Line = Field(max_length=200, examples=["李敏"])
    email: Email | None = None
    locale: Locale = "en"
    roles: list[RoleName] = Field(min_length=1, max_length=8, description="What they may do at most: docs/people.md.")


class UserPatch(Body):
    """What of a user is to change."""

    name: Line | None = Field(None, max_length=200)
    email: Email | None = None
    locale: Locale | None = None
    roles: list[RoleName] | None = Field(None, min_length=1, max_length=8)


class UserOut(BaseModel):
    """A user."""

    id: str = Field(examples=["usr_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    version: int = Field(description='Rises with every change; `"v{version}"` is the ETag.')
    name: str
    email: str | None
    locale: Locale
    roles: list[str]
    state: Literal["active", "deactivated"]
    created_at: datetime
    updated_at: datetime
    deactivated_at: datetime | None

    @classmethod
    def of(cls, row: User) -> UserOut:
        """Return the outside of a row."""
        return cls.model_validate(
            {
                "id": row.id,
                "version": row.version,
                "name": row.name,
                "email": row.email,
                "locale": row.locale,
                "roles": row.roles,
                "state": "active" if row.deactivated_at is None else "deactivated",
                "created_at": row.created_at,
                "updated_at": row.updated_at,
                "deactivated_at": row.deactivated_at,
            }
        )


class UserList(BaseModel):
    """A page of users, newest first."""

    data: list[UserOut]
    next_cursor: str | None


class JWKSet(Body):
    """Public keys (RFC 7517): RSA from 2048 bits (PS256, RS256), P-256 (ES256) or Ed25519 (EdDSA)."""

    keys: list[dict[str, Any]] = Field(min_length=1, max_length=5)


JWKS = "Public keys of the holder, who then signs an assertion (private_key_jwt, RFC 7523) in place of the secret."


class APIKeyIn(Body):
    """A new API key. It can do nothing that its maker's key cannot."""

    name: Line = Field(max_length=200, description="What it is for.", examples=["ERP, production"])
    user: UserID | None = Field(None, description="Whose it is; the tenant's if left out.")
    scopes: list[Scope] = Field(min_length=1, max_length=len(SCOPES), examples=[["contracts:read"]])
    expires_at: AwareDatetime | None = Field(None, description="Never if left out, or when its maker's key does.")
    networks: list[Network] | None = Field(
        None,
        min_length=1,
        max_length=50,
        description="From where it may be used, CIDR, IPv4 and IPv6; from anywhere if left out, or as its maker's key.",
        examples=[["192.0.2.0/24", "2001:db8::/32"]],
    )
    jwks: JWKSet | None = Field(None, description=JWKS)


class APIKeyPatch(Body):
    """What of an API key is to change."""

    name: Line | None = Field(None, max_length=200)
    scopes: list[Scope] | None = Field(None, min_length=1, max_length=len(SCOPES))
    expires_at: AwareDatetime | None = None
    networks: list[Network] | None = Field(None, min_length=1, max_length=50)
    jwks: JWKSet | None = Field(None, description="All of them; null: none. Access tokens end with any change.")


class RotationIn(Body):
    """How long the secret before is still good."""

    overlap_minutes: int = Field(0, ge=0, le=7 * 24 * 60, description="0: it ends now, and with it every access token.")


class APIKeyOut(BaseModel):
    """An API key, without its secret."""

    id: str = Field(examples=["key_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    version: int = Field(description='Rises with every change; `"v{version}"` is the ETag.')
    name: str
    user: str | None
    scopes: list[str]
    networks: list[str] | None
    jwks: JWKSet | None
    state: Literal["active", "revoked"] = Field(description="An active one may have expired, or be of a user who left.")
    created_by: str | None = Field(description="A user or API key; null: the command line.")
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute.")
    previous_until: datetime | None = Field(description="Until then the secret before the last rotation is good too.")
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: APIKey) -> APIKeyOut:
        """Return the outside of a row."""
        return cls.model_validate(_fields(row))


class NewAPIKeyOut(APIKeyOut):
    """An API key with its secret, which is shown only now."""

    key: str | None = Field(
        description="`srk_<id>_<secret>`. null where the request is repeated with its Idempotency-Key: the service "
        "does not keep it. Rotate the key then."
    )

    @classmethod
    def made(cls, row: APIKey, token: str | None) -> NewAPIKeyOut:
        """Return the outside of a row, and the key itself."""
        return cls.model_validate(_fields(row) | {"key": token})


class APIKeyList(BaseModel):
    """A page of API keys, newest first."""

    data: list[APIKeyOut]
    next_cursor: str | None


def _fields(row: APIKey) -> dict[str, object]:
    return {
        "id": row.id,
        "version": row.version,
        "name": row.name,
        "user": row.user_id,
        "scopes": row.scopes,
        "networks": row.networks,
        "jwks": {"keys": row.jwks} if row.jwks else None,
        "state": "active" if row.revoked_at is None else "revoked",
        "created_by": row.created_by,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "last_used_at": row.last_used_at,
        "previous_until": row.previous_until,
        "revoked_at": row.revoked_at,
    }
