"""Make tenants and API keys, and check a presented credential.

    token = create_key(session, tenant, name="ci", now=now)              # "srk_0193…_9xT…", shown once
    principal = check_token(session, token, now, "192.0.2.7")            # or Unauthenticated

A key is `srk_<id>_<secret>`: the id finds the row, the secret (32 random octets, base64url) is compared in constant
time as its SHA-256. An access token, `srt_<id>_<secret>`, is checked in the same way and stands for its key: what ends
the key, or the user whose key it is, ends the token in the same instant.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from api.auth import networks as places
from api.auth import repository
from api.auth.models import AccessToken, APIKey, Tenant, User
from api.auth.scopes import NAMED_SCOPES, SCOPES, USUAL_SCOPES, scopes_of
from api.errors import Conflict, Forbidden, NotFound, Unauthenticated, ValidationFailed
from api.kit.ids import is_id, new_id

__all__ = [
    "NAMED_SCOPES",
    "SCOPES",
    "USUAL_SCOPES",
    "Principal",
    "check_secret",
    "check_token",
    "create_key",
    "create_tenant",
    "make_key",
    "note_use",
    "principal_of",
    "revoke_key",
    "tenant_named",
]

_NOBODY: Final = bytes(32)
NOTED: Final = timedelta(minutes=1)
"""How exactly the last use of a key is known: not every request writes it down."""


@dataclass(frozen=True)
class Principal:
    """Who asks: a tenant, by one of its keys, which may be a user's."""

    tenant_id: str
    key_id: str
    scopes: frozenset[str]
    user_id: str | None = None
    networks: tuple[str, ...] | None = None
    """From where the key may be used; None: from anywhere."""
    expires_at: datetime | None = None
    """Of the key."""
    last_used_at: datetime | None = None
    kind: str = "api-key"
    """As a log names it: "handover" for whoever came with a one-time address instead of a key."""

    @property
    def who(self) -> str:
        """Whose act it is: the user, where the key is one's. Two keys of one user are one person, who approves once."""
        return self.user_id or self.key_id

    def require(self, scope: str) -> None:
        """Raise Forbidden unless the key has the scope."""
        if scope not in self.scopes:
            raise Forbidden(f"the credential lacks the scope {scope}")

    def unnoted(self, now: datetime) -> bool:
        """Tell whether the last use that is on record is some time ago."""
        return self.last_used_at is None or now - self.last_used_at >= NOTED


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
    scopes: Sequence[str] = USUAL_SCOPES,
    expires_at: datetime | None = None,
    networks: Sequence[str] | None = None,
    user: User | None = None,
) -> str:
    """Make an API key and return it; it cannot be shown again. Raises ValidationFailed for an unknown scope."""
    _, token = make_key(
        session, tenant.id, name=name, now=now, scopes=scopes, expires_at=expires_at, networks=networks, user=user
    )
    return token


def make_key(
    session: Session,
    tenant_id: str,
    *,
    name: str,
    now: datetime,
    scopes: Sequence[str],
    expires_at: datetime | None = None,
    networks: Sequence[str] | None = None,
    user: User | None = None,
    created_by: str | None = None,
) -> tuple[APIKey, str]:
    """Return the row of a new key, and the key itself. Raises ValidationFailed."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise ValidationFailed(f"unknown scope: {', '.join(unknown) or '(none)'}", hint=f"scopes: {' '.join(SCOPES)}")
    if expires_at is not None and expires_at <= now:
        raise ValidationFailed("the key would have expired already")
    if user is not None and (beyond := sorted(set(scopes) - scopes_of(user.roles))):
        raise ValidationFailed(f"the roles of {user.name} do not give {', '.join(beyond)}")
    secret = secrets.token_urlsafe(32)
    row = APIKey(
        id=new_id("key"),
        tenant_id=tenant_id,
        user_id=user.id if user is not None else None,
        version=1,
        name=name,
        secret_sha256=digest_of(secret),
        previous_sha256=None,
        previous_until=None,
        scopes=sorted(set(scopes)),
        networks=places.parse(networks) if networks is not None else None,
        created_by=created_by,
        created_at=now,
        last_used_at=None,
        expires_at=expires_at,
        revoked_at=None,
    )
    session.add(row)
    session.flush()
    return row, token_of(row, secret)


def token_of(row: APIKey, secret: str) -> str:
    """Return the key as its holder sends it."""
    return f"srk_{row.id.removeprefix('key_')}_{secret}"


def digest_of(secret: str) -> bytes:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def check_token(session: Session, token: str, now: datetime, address: str = "") -> Principal:
    """Return whose key or access token this is. Raises Unauthenticated, in the same words whatever is wrong."""
    prefix, _, rest = token.partition("_")
    public, _, secret = rest.partition("_")
    if prefix == "srt":
        access = session.get(AccessToken, f"tok_{public}") if is_id("tok", f"tok_{public}") else None
        good = hmac.compare_digest(digest_of(secret), access.secret_sha256 if access is not None else _NOBODY)
        if access is None or not good or access.expires_at <= now:
            raise _refused()
        return principal_of(session, session.get_one(APIKey, access.key_id), now, address, access.scopes)
    row = check_secret(session, f"key_{public}" if prefix == "srk" else "", secret, now)
    return principal_of(session, row, now, address)


def check_secret(session: Session, key_id: str, secret: str, now: datetime) -> APIKey:
    """Return the key that has this secret, or had it before a rotation that lets it. Raises Unauthenticated."""
    row = repository.key(session, key_id) if is_id("key", key_id) else None
    given = digest_of(secret)
    good = hmac.compare_digest(given, row.secret_sha256 if row is not None else _NOBODY)
    before = hmac.compare_digest(given, (row.previous_sha256 if row is not None else None) or _NOBODY)
    if row is not None and (good or (before and row.previous_until is not None and now < row.previous_until)):
        return row
    raise _refused()


def principal_of(
    session: Session, row: APIKey, now: datetime, address: str, scopes: Sequence[str] | None = None
) -> Principal:
    """Return who acts by a key, as it is now. Raises Unauthenticated.

    A key that is revoked, has expired, comes from elsewhere or is of a user who was deactivated is nobody's.
    """
    over = row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now)
    if over or not places.allowed(row.networks, address):
        raise _refused()
    allowed = frozenset(row.scopes)
    if scopes is not None:
        allowed &= frozenset(scopes)
    if row.user_id is not None:
        user = session.get(User, row.user_id)
        if user is None or user.deactivated_at is not None:
            raise _refused()
        allowed &= scopes_of(user.roles)
    networks = tuple(row.networks) if row.networks is not None else None
    return Principal(row.tenant_id, row.id, allowed, row.user_id, networks, row.expires_at, row.last_used_at)


def require_standing(session: Session, key_id: str) -> None:
    """Raise Forbidden where what a key asked for earlier is not to go on: it was revoked, or its user deactivated.

    A key that has merely expired, or has another secret now, was good when it asked.
    """
    row = repository.key(session, key_id)
    if row is None or row.revoked_at is not None:
        raise Forbidden("the API key that asked for this was revoked")
    if row.user_id is not None and session.get_one(User, row.user_id).deactivated_at is not None:
        raise Forbidden("the user who asked for this was deactivated")


def note_use(session: Session, principal: Principal, now: datetime) -> None:
    """Write down that a key is in use."""
    session.execute(
        update(APIKey)
        .where(APIKey.id == principal.key_id, or_(APIKey.last_used_at.is_(None), APIKey.last_used_at < now))
        .values(last_used_at=now)
    )


def revoke_key(session: Session, key: str, *, now: datetime) -> str:
    """Make a key unusable, given its id with or without prefix; return its id. Raises NotFound."""
    row = find_key(session, key)
    row.revoked_at = row.revoked_at or now
    return row.id


def find_key(session: Session, key: str) -> APIKey:
    """Return a key, given its id with or without prefix, or the whole key. Raises NotFound."""
    key_id = f"key_{key.removeprefix('srk_').removeprefix('key_').partition('_')[0]}"
    row = repository.key(session, key_id) if is_id("key", key_id) else None
    if row is None:
        raise NotFound("there is no such API key")
    return row


def _refused() -> Unauthenticated:
    return Unauthenticated("the credential is not valid")
