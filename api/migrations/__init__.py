"""The schema, step by step (Alembic), inside the package so that an installation needs no files from elsewhere.

upgrade(database)            # `sealroad migrate`, with the engine's tables; processes do it one after another
check_or_upgrade(database)   # at start: a database of ours (SQLite) is upgraded, any other one must be up to date
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from api.db import Database
from api.errors import ConfigurationError

_one_at_a_time = threading.Lock()  # Alembic keeps what it is doing in a global
_LOCK: Final = 0x5EA1_0AD0
"""Key of the PostgreSQL advisory lock under which migrations run."""


def newest() -> str:
    """Return the revision this version of the program needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def current(database: Database) -> str | None:
    """Return the revision of a database; None where it is empty. Raises ConfigurationError where it does not answer."""
    try:
        with database.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except OperationalError as error:
        raise ConfigurationError(f"the database does not answer: {type(error.orig).__name__}") from None


def upgrade(database: Database) -> str:
    """Bring a database to the newest revision and return it."""
    current(database)
    config = _config()
    with _one_at_a_time, database.engine.execution_options(sealroad_write=True).begin() as connection:
        _lock(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    from api.jobs import engine

    engine.prepare(database, migrate=True)
    return newest()


def check_or_upgrade(database: Database) -> None:
    """Upgrade SQLite; raise ConfigurationError where another database is not at the newest revision."""
    found, wanted = current(database), newest()
    if found == wanted:
        return
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise ConfigurationError(f"the database was made by a newer version of this program (revision {found})")
    if not database.embedded:
        raise ConfigurationError("the database schema is not up to date", hint="run 'sealroad migrate' first")
    upgrade(database)


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
