"""What `sealroad api-key` does: for whoever runs the service, and so may give any scope."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from api.auth import repository
from api.auth.models import APIKey
from api.auth.scopes import ROLES, USUAL_SCOPES
from api.auth.service import create_key, revoke_key, tenant_named
from api.context import Context
from api.errors import ValidationFailed


def create(context: Context, arguments: argparse.Namespace) -> list[str]:
    """Make a key and return it. Raises NotFound, ValidationFailed."""
    if arguments.role is not None and arguments.scope:
        raise ValidationFailed("a key has either a role or single scopes", hint="leave --role or --scope out")
    scopes = tuple(arguments.scope) if arguments.scope else ROLES.get(arguments.role, USUAL_SCOPES)
    now = context.now()
    expires = _expiry(arguments, now)
    with context.database.write() as session:
        tenant = tenant_named(session, arguments.tenant)
        user = repository.user(session, tenant.id, arguments.user) if arguments.user is not None else None
        return [
            create_key(
                session,
                tenant,
                name=arguments.name,
                now=now,
                scopes=scopes,
                expires_at=expires,
                networks=arguments.cidr,
                user=user,
            )
        ]


def show(context: Context, arguments: argparse.Namespace) -> list[str]:
    """Return a line for each key, newest first. Raises NotFound."""
    with context.database.read() as session:
        tenant = tenant_named(session, arguments.tenant)
        rows = session.scalars(repository.keys(tenant.id, None).order_by(APIKey.id.desc())).all()
    return [_line(row, context.now()) for row in rows]


def revoke(context: Context, arguments: argparse.Namespace) -> list[str]:
    """End a key. Raises NotFound."""
    with context.database.write() as session:
        return [f"sealroad: revoked {revoke_key(session, arguments.key, now=context.now())}"]


ACTIONS: Final[dict[str, Callable[[Context, argparse.Namespace], list[str]]]] = {
    "create": create,
    "list": show,
    "revoke": revoke,
}


def _expiry(arguments: argparse.Namespace, now: datetime) -> datetime | None:
    if arguments.days is not None and arguments.expires is not None:
        raise ValidationFailed("a key expires once", hint="leave --days or --expires out")
    try:
        if arguments.days is not None:
            return now + timedelta(days=arguments.days)
        if arguments.expires is None:
            return None
        moment = datetime.fromisoformat(arguments.expires)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValidationFailed(
            "the end of the key is no moment", hint="as in 2027-01-31 or 2027-01-31T12:00:00Z"
        ) from None


def _line(row: APIKey, now: datetime) -> str:
    state = "revoked" if row.revoked_at else "expired" if row.expires_at and row.expires_at <= now else "active"
    used = f"used {row.last_used_at:%Y-%m-%d %H:%M}" if row.last_used_at else "never used"
    until = f"until {row.expires_at:%Y-%m-%d %H:%M}" if row.expires_at else "no end"
    whose, where = row.user_id or "tenant", ",".join(row.networks) if row.networks is not None else "anywhere"
    return "  ".join((row.id, state, row.name, whose, until, used, where, ",".join(row.scopes)))
