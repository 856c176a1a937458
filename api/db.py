"""The database: one engine, two kinds of transaction.

    database = Database("sqlite:////var/lib/sealroad/sealroad.sqlite3")
    with database.read() as session: ...       # a snapshot; nothing can be changed
    with database.write() as session: ...      # commits at the end, rolls back on any exception

SQLite takes its write lock when a writing transaction *begins* (BEGIN IMMEDIATE). A transaction that reads first and
writes later would fail with SQLITE_BUSY as soon as somebody else wrote in between, however long it is told to wait.
Heavy work (signing, verifying) is therefore done outside `write()`, and the result recorded by compare-and-set.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, MetaData, create_engine, event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from api.errors import ConfigurationError
from api.kit.bell import Bell, announced

BUSY_TIMEOUT = 30
"""Seconds a connection waits for another one's lock."""


class UTCDateTime(TypeDecorator[datetime]):
    """A moment in UTC, aware in Python. SQLite has no time zones: there the text is always UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: nobody knows what they mean."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no meaning here")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UTCDateTime}  # noqa: RUF012 - read by SQLAlchemy


class Database:
    """One engine and its two session makers. Raises ConfigurationError for a URL that cannot be used."""

    def __init__(self, url: str) -> None:
        import api.models  # noqa: F401 - tables refer to one another: all of them have to be known

        self.engine = _engine(url)
        self.bell = Bell()
        """What rings after a commit; `open_context` gives it a line to other processes."""
        reading = {} if self.embedded else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        about = {"database": self}
        self._reading = sessionmaker(self.engine.execution_options(**reading), expire_on_commit=False, info=about)
        writing = self.engine.execution_options(sealroad_write=True)
        self._writing = sessionmaker(writing, expire_on_commit=False, info=about)

    @property
    def embedded(self) -> bool:
        """Whether this is SQLite."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session on one snapshot, whose changes are never committed. Its objects can be read afterwards."""
        with self._reading() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session that commits when the block ends, and rolls back when it raises.

        After the commit the bell rings what was announced in it.
        """
        with self._writing() as session:
            try:
                yield session
                words = announced(session)
                self.bell.promise(session, words)
                session.commit()
            except BaseException:
                session.rollback()
                raise
        self.bell.ring(words)

    def close(self) -> None:
        """Close all connections."""
        self.bell.close()
        self.engine.dispose()


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError("the database URL cannot be read", hint="sqlite:///FILE or postgresql://…") from None
    if parsed.drivername == "postgresql":  # psycopg 3 is the driver we test with
        parsed = parsed.set(drivername="postgresql+psycopg")
    options: dict[str, Any] = {"pool_pre_ping": True}
    if parsed.get_backend_name() == "sqlite":
        options = {"connect_args": {"timeout": BUSY_TIMEOUT}}
    if parsed.database not in {None, "", ":memory:"}:
        options |= {"pool_size": 16, "max_overflow": 48, "pool_timeout": BUSY_TIMEOUT}
    try:
        engine = create_engine(parsed, **options)
    except (NoSuchModuleError, ImportError) as error:
        raise ConfigurationError(
            f"no driver for this database: {error}", hint="for PostgreSQL: pip install 'psycopg[binary]'"
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver must not begin transactions behind our back
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT * 1000}",
        "synchronous=FULL",  # NORMAL may lose the last commits when power fails
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    _use_wal(cursor)
    cursor.close()


def _use_wal(cursor: Any) -> None:
    """Switch to write-ahead logging: the one step for which SQLite does not wait while others open the file."""
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("sealroad_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
