"""Tables: tenants, their users, API keys and access tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.db import Base


class Tenant(Base):
    """A company that uses the service. Everything else belongs to exactly one tenant."""

    __tablename__ = "tenants"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    created_at: Mapped[datetime]


class User(Base):
    """Somebody of a tenant who uses the service. `version` is the ETag. Nobody is deleted: logs name them."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("tenant_id", "email"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), index=True)
    version: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(254))
    locale: Mapped[str] = mapped_column(String(5))
    roles: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deactivated_at: Mapped[datetime | None]
    """From then on no key and no token of theirs is valid."""


class APIKey(Base):
    """A credential of a tenant, or of one of its users. `version` is the ETag.

    Only the SHA-256 of the secret is stored; it has 256 bits, so no salt is needed.
    """

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), index=True)
    user_id: Mapped[str | None] = mapped_column(String(40), index=True)
    version: Mapped[int] = mapped_column(default=1)
    name: Mapped[str] = mapped_column(String(200))
    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    previous_sha256: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """Of the secret before the last rotation, which is good until `previous_until`."""
    previous_until: Mapped[datetime | None]
    scopes: Mapped[list[str]] = mapped_column(JSON)
    networks: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """From where it may be used, CIDR; None: from anywhere."""
    jwks: Mapped[list[dict[str, str]] | None] = mapped_column(JSON(none_as_null=True), default=None)
    """Public keys with which its holder may sign an assertion, in place of showing the secret."""
    created_by: Mapped[str | None] = mapped_column(String(40))
    """The user or API key that made it; None: the command line."""
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    """To the minute."""
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class AccessToken(Base):
    """A short-lived credential that a key was exchanged for (RFC 6749 4.4). It is never better than its key."""

    __tablename__ = "access_tokens"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"), index=True)
    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class ClientAssertion(Base):
    """An assertion that was used, until it would have ended: it is taken once (RFC 7523 3, item 7)."""

    __tablename__ = "client_assertions"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the client and the `jti`."""
    expires_at: Mapped[datetime] = mapped_column(index=True)


class AuthFailures(Base):
    """How often a credential was refused at the token endpoint, by address and client."""

    __tablename__ = "auth_failures"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    count: Mapped[int]
    since: Mapped[datetime] = mapped_column(index=True)
