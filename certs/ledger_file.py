"""The SQLite file of a ledger: its transactions, and single entries inside them. See `certs.ledger`."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from certs.errors import IssuanceError, KeyStoreError, NotOnRecord
from certs.ledger_base import Entry
from certs.ledger_schema import upgrade

COLUMNS = (
    "issuer, serial, profile, subject, tbs, prepared_at, not_after, state, certificate, revoked_at, reason, "
    "partition, invalid_since, held_until, application"
)


class LedgerFile:
    """One SQLite file: write-ahead log, every change on disk before the method returns.

    A file of an earlier form is brought to the present one in a single transaction when it is opened. Earlier
    programs can still read it, and take what is on hold for revoked.
    """

    def __init__(self, path: str | Path, *, timeout: float = 30) -> None:
        """`timeout` is how many seconds to wait for another process. Raises KeyStoreError."""
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            upgrade(self._connection)
        except sqlite3.Error as error:
            raise KeyStoreError(f"the ledger {path} cannot be opened: {error}") from error

    def close(self) -> None:
        """Close the file; the ledger is of no use afterwards."""
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:  # a full disk may have ended it already
                        self._connection.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise IssuanceError(f"the ledger refused: {error}") from error

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise IssuanceError(f"the ledger refused: {error}") from error

    # Inside a transaction ---------------------------------------------------------------------------------------------
    def _get(self, issuer: str, serial: int) -> Entry | None:
        query = f"SELECT {COLUMNS} FROM entry WHERE issuer = ? AND serial = ?"  # noqa: S608 - fixed text
        row = self._connection.execute(query, (issuer, f"{serial:x}")).fetchone()
        return entry_of(row) if row else None

    def _known(self, issuer: str, serial: int) -> Entry:
        entry = self._get(issuer, serial)
        if entry is None:
            raise refusal(None, serial, "")
        return entry

    def _expect(self, issuer: str, serial: int, state: str) -> Entry:
        entry = self._get(issuer, serial)
        if entry is None or entry.state != state:
            raise refusal(entry, serial, state)
        return entry

    def _set(self, issuer: str, serial: int, assignment: str, *values: object) -> Entry:
        self._connection.execute(
            f"UPDATE entry SET {assignment} WHERE issuer = ? AND serial = ?",  # noqa: S608 - fixed text
            (*values, issuer, f"{serial:x}"),
        )
        return self._known(issuer, serial)

    def _change(self, entry: Entry, assignment: str, *values: object) -> Entry:
        """Set, and number the change."""
        following = position_of(self._connection, entry.issuer, None) + 1
        return self._set(entry.issuer, entry.serial, f"{assignment}, changed = ?", *values, following)


def position_of(database: sqlite3.Connection, issuer: str, partition: int | None) -> int:
    """Return the number of the last change, of an issuer or of one partition."""
    if partition is None:
        row = database.execute("SELECT MAX(changed) FROM entry WHERE issuer = ?", (issuer,)).fetchone()
    else:
        query = "SELECT MAX(changed) FROM entry WHERE issuer = ? AND partition = ?"
        row = database.execute(query, (issuer, partition)).fetchone()
    return int(row[0] or 0)


def text_of(moment: datetime) -> str:
    """Return a moment as it stands in the file."""
    return moment.astimezone(UTC).isoformat()


def moment_of(text: str | None) -> datetime | None:
    """Return the moment that stands in the file."""
    return datetime.fromisoformat(text) if text else None


def entry_of(row: tuple[Any, ...]) -> Entry:
    """Return the entry of a row of COLUMNS."""
    issuer, serial, profile, subject, tbs, prepared_at, not_after, state, certificate, revoked_at, reason, *more = row
    partition, invalid_since, held_until, application = more
    return Entry(
        issuer=issuer,
        serial=int(serial, 16),
        profile=profile,
        subject=subject,
        tbs=tbs,
        prepared_at=datetime.fromisoformat(prepared_at),
        not_after=datetime.fromisoformat(not_after),
        state=state,
        certificate=certificate,
        revoked_at=moment_of(revoked_at),
        reason=reason,
        partition=partition,
        invalid_since=moment_of(invalid_since),
        held_until=moment_of(held_until),
        application=application,
    )


def refusal(entry: Entry | None, serial: int, wanted: str) -> IssuanceError:
    """Return the error for an entry that is not there, or not in the state `wanted`."""
    if entry is None:
        return NotOnRecord(f"serial {serial:x} is not on record", serial=f"{serial:x}")
    return IssuanceError(f"serial {serial:x} is {entry.state}, not {wanted}", serial=f"{serial:x}", state=entry.state)
