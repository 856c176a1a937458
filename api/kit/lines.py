"""How the bell gets from one process to the others: named pipes beside SQLite, NOTIFY and LISTEN on PostgreSQL.

    Bell(Pipes(data / "processes"))        # all processes share the directory, on one machine
    Bell(Channel(database.engine))         # they share the database, from wherever they are

Both send what they can and forget the rest: nobody is waited for, and what goes wrong is told once, in the log.
"""

from __future__ import annotations

import errno
import logging
import os
import secrets
import select
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import bindparam, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from api.kit.bell import LONGEST

log = logging.getLogger("sealroad.bell")

CHANNEL: Final = "sealroad"
PAUSE: Final = 5.0
"""Seconds between two tries to reach a PostgreSQL that is away, and for which a close waits for a thread."""
CONNECTION: Final = {
    "autocommit": True,
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "application_name": "sealroad-bell",
}
_NOTIFY: Final = text("SELECT pg_notify(:channel, :line)").bindparams(bindparam("channel", CHANNEL))
_SOME: Final = 65536


class Pipes:
    """A named pipe for each process that listens, in one directory; whoever rings writes into all of them.

    A pipe has no limit to the length of its path, as a socket has. That of a process that was killed has nobody who
    reads, which the kernel tells whoever opens it: it is removed then.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / f"{os.getpid()}.{secrets.token_hex(8)}.bell"
        self._pipe: int | None = None
        self._thread: threading.Thread | None = None

    def listen(self, hear: Callable[[str], None]) -> None:
        """Begin to listen."""
        new = self._path.with_suffix(".new")
        try:
            os.mkfifo(new, 0o600)
            # For writing too: a pipe that somebody writes into has no end, whoever comes and goes.
            self._pipe = os.open(new, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            new.rename(self._path)  # only now, else somebody would find that nobody reads it
        except OSError as error:
            log.warning("what other processes do is noticed late: no pipe can be made: %s", error.strerror)
            return
        self._thread = threading.Thread(target=self._read, args=(self._pipe, hear), name="sealroad-bell", daemon=True)
        self._thread.start()

    def promise(self, session: Session, line: str) -> None:
        """SQLite tells nobody."""

    def send(self, line: str) -> None:
        """Write a line into the pipes of all others."""
        with suppress(OSError), os.scandir(self._directory) as entries:
            for entry in entries:
                if entry.name.endswith(".bell") and entry.name != self._path.name:
                    _write(entry.path, line.encode() + b"\n")

    def close(self) -> None:
        """Listen no longer."""
        pipe, self._pipe = self._pipe, None
        if pipe is None:
            return
        self._path.unlink(missing_ok=True)
        with suppress(OSError):  # full: then the thread is awake anyway
            os.write(pipe, b"\n")
        if self._thread is not None:
            self._thread.join(PAUSE)

    def _read(self, pipe: int, hear: Callable[[str], None]) -> None:
        wait, rest = select.poll(), b""
        wait.register(pipe, select.POLLIN)
        try:
            while self._pipe is not None:
                wait.poll()
                *lines, rest = (rest + os.read(pipe, _SOME)).split(b"\n")
                for line in lines:
                    hear(line.decode("ascii", "replace"))
                rest = rest[:LONGEST]  # more without an end is none of ours
        except OSError as error:
            log.warning("what other processes do is noticed late: the pipe cannot be read: %s", error.strerror)
        finally:
            os.close(pipe)


def _write(path: str, data: bytes) -> None:
    try:
        pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno == errno.ENXIO:  # nobody reads it: its process is dead
            Path(path).unlink(missing_ok=True)
        return
    try:
        if stat.S_ISFIFO(os.fstat(pipe).st_mode):
            os.write(pipe, data)  # whole or not at all (PIPE_BUF); not at all where it is full
    except OSError:
        pass  # a hint less
    finally:
        os.close(pipe)


class Channel:
    """NOTIFY in the transaction, so that it is delivered if it commits; LISTEN on a connection kept for that.

    A pooler that gives every transaction another connection passes nothing on: then it is as silent as without a bell.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stop: int | None = None
        self._thread: threading.Thread | None = None

    def listen(self, hear: Callable[[str], None]) -> None:
        """Begin to listen."""
        woken, self._stop = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._thread = threading.Thread(target=self._keep, args=(woken, hear), name="sealroad-bell", daemon=True)
        self._thread.start()

    def promise(self, session: Session, line: str) -> None:
        """Have PostgreSQL send a line with the commit."""
        session.execute(_NOTIFY, {"line": line})

    def send(self, line: str) -> None:
        """PostgreSQL has sent it."""

    def close(self) -> None:
        """Listen no longer."""
        stop, self._stop = self._stop, None
        if stop is not None and self._thread is not None:
            os.close(stop)  # the other end can be read from now on
            self._thread.join(PAUSE)

    def _keep(self, woken: int, hear: Callable[[str], None]) -> None:
        """Listen, on another connection whenever one is lost, until this is closed."""
        import psycopg

        _, options = self._engine.dialect.create_connect_args(self._engine.url)
        told = False
        while self._stop is not None:
            try:
                with psycopg.connect(**{**options, **CONNECTION}) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    told = False
                    self._attend(connection, woken, hear)
            except psycopg.Error as error:
                if not told and self._stop is not None:
                    log.warning("what other processes do is noticed late: PostgreSQL cannot be listened to: %s", error)
                told = True
            _wait(PAUSE, woken)
        os.close(woken)

    def _attend(self, connection: Any, woken: int, hear: Callable[[str], None]) -> None:
        while self._stop is not None:
            for notification in connection.notifies(timeout=0):
                hear(notification.payload)
            _wait(None, woken, connection.fileno())


def _wait(seconds: float | None, *descriptors: int) -> None:
    wait = select.poll()
    for descriptor in descriptors:
        wait.register(descriptor, select.POLLIN)
    wait.poll(None if seconds is None else seconds * 1000)
