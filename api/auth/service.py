"""Make tenants and API keys, and check a presented key.

    token = create_key(session, tenant, name="ci", now=now)      # "srk_0193…_9xT…", shown once
    principal = check_token(session, token, now)                 # or Unauthenticated

A key is `srk_<id>_<secret>`: the id finds the row, the secret (32 random octets, base64url) is compared in constant
time as its SHA-256.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from api.auth import repository
from api.auth.models import APIKey, Tenant
from api.errors import Conflict, Forbidden, NotFound, Unauthenticated, ValidationFailed
from api.kit.ids import is_id, new_id

SCOPES: Final = (
    "documents:read",
    "documents:write",
    "contracts:read",
    "contracts:write",
    "contracts:sign",
    "verifications:write",
    "certificates:read",
    "certificates:write",
    "seals:read",
    "seals:use",
    "seals:write",
    "seals:approve",
    "envelopes:read",
    "envelopes:write",
    "envelopes:open",
    "agreements:read",
    "agreements:write",
    "agreements:sign",
)
NAMED_SCOPES: Final = frozenset({"certificates:write", "seals:write", "seals:approve"})
USUAL_SCOPES: Final = tuple(scope for scope in SCOPES if scope not in NAMED_SCOPES)
"""Of a key that is made without naming any: least privilege. Whoever may issue certificates, or have seals made, gets
any name into them; who approves must not be whoever comes along. To use a seal takes a grant as well."""

_NOBODY: Final = bytes(32)


@dataclass(frozen=True)
class Principal:
    """Who asks: a tenant, by one of its keys."""

    tenant_id: str
    key_id: str
    scopes: frozenset[str]

    def require(self, scope: str) -> None:
        """Raise Forbidden unless the key has the scope."""
        if scope not in self.scopes:
            raise Forbidden(f"the credential lacks the scope {scope}")


def create_tenant(session: Session, name: str, *, now: datetime) -> Tenant:
    """Make a tenant. Raises Conflict where the name is taken, ValidationFailed where it is empty or too long."""
    name = name.strip()
    if not 1 <= len(name) <= 200:
        raise ValidationFailed("a tenant's name has 1 to 200 characters")
    if repository.tenant_named(session, name) is not None:
        raise Conflict(f"there is a tenant named {name!r} already")
    tenant = Tenant(id=new_id("ten"), name=name, created_at=now)
    session.add(tenant)
    session.flush()
    return tenant


def tenant_named(session: Session, name: str) -> Tenant:
    """Return a tenant by name. Raises NotFound."""
    tenant = repository.tenant_named(session, name)
    if tenant is None:
        raise NotFound(f"there is no tenant named {name!r}", hint="sealroad tenant create NAME")
    return tenant


def create_key(
    session: Session,
    tenant: Tenant,
    *,
    name: str,
    now: datetime,
    scopes: tuple[str, ...] = USUAL_SCOPES,
    expires_at: datetime | None = None,
) -> str:
    """Make an API key and return it; it cannot be shown again. Raises ValidationFailed for an unknown scope."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise ValidationFailed(f"unknown scope: {', '.join(unknown) or '(none)'}", hint=f"scopes: {' '.join(SCOPES)}")
    key_id, secret = new_id("key"), secrets.token_urlsafe(32)
    session.add(
        APIKey(
            id=key_id,
            tenant_id=tenant.id,
            name=name,
            secret_sha256=hashlib.sha256(secret.encode()).digest(),
            scopes=sorted(set(scopes)),
            created_at=now,
            expires_at=expires_at,
            revoked_at=None,
        )
    )
    session.flush()
    return f"srk_{key_id.removeprefix('key_')}_{secret}"


def check_token(session: Session, token: str, now: datetime) -> Principal:
    """Return whose key this is. Raises Unauthenticated, in the same words whatever is wrong."""
    prefix, _, rest = token.partition("_")
    public, _, secret = rest.partition("_")
    key_id = f"key_{public}"
    row = repository.key(session, key_id) if prefix == "srk" and is_id("key", key_id) else None
    stored = row.secret_sha256 if row is not None else _NOBODY
    good = hmac.compare_digest(hashlib.sha256(secret.encode()).digest(), stored)
    if row is None or not good or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        raise Unauthenticated("the credential is not valid")
    return Principal(row.tenant_id, row.id, frozenset(row.scopes))


def revoke_key(session: Session, key: str, *, now: datetime) -> str:
    """Make a key unusable, given its id with or without prefix; return its id. Raises NotFound."""
    key_id = f"key_{key.removeprefix('srk_').removeprefix('key_').partition('_')[0]}"
    row = repository.key(session, key_id) if is_id("key", key_id) else None
    if row is None:
        raise NotFound("there is no such API key")
    row.revoked_at = row.revoked_at or now
    return row.id
