"""The first start on an empty machine: a tenant and a key, so that somebody can begin."""

from __future__ import annotations

import os
from pathlib import Path

from api.auth import repository
from api.auth.service import create_key, create_tenant
from api.config import Settings
from api.context import open_context
from api.migrations import check_or_upgrade

FILE = "admin.key"
TENANT = "admin"


def first_key(settings: Settings) -> Path | None:
    """Make the tenant `admin` and write its key to `admin.key` (0600) in the data directory; None if there are any."""
    context = open_context(settings)
    try:
        check_or_upgrade(context.database)
        path = settings.data / FILE
        with context.database.write() as session:
            if repository.count_tenants(session):
                return None
            now = context.now()
            token = create_key(session, create_tenant(session, TENANT, now=now), name="first start", now=now)
            path.unlink(missing_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(token + "\n")
        return path
    finally:
        context.close()
