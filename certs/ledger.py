"""The record of an authority: what it means to sign is written down before it signs.

    ledger.prepare(Entry(...))              # state "prepared"; the serial is now taken
    ledger.claim(issuer, serial)            # "prepared" -> "signing", exactly once
    ledger.issued(issuer, serial, der)      # "signing" -> "issued"
    ledger.revoke(issuer, serial, at, why)  # from any of them: a certificate that may exist can be revoked

A crash between `claim` and `issued` leaves an entry in state "signing": nobody signs it again, and it can be revoked.
An issuer is named by the hexadecimal key identifier of its certificate.
"""

from __future__ import annotations

import dataclasses
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from certs.crl import REASONS
from certs.errors import IssuanceError, KeyStoreError


@dataclass(frozen=True)
class Entry:
    """One certificate in the making, issued, or revoked."""

    issuer: str
    """Key identifier of the issuer, hexadecimal."""
    serial: int
    profile: str
    subject: str
    tbs: bytes
    """The octets that will be, or were, signed."""
    prepared_at: datetime
    not_after: datetime
    state: str = "prepared"
    """prepared, signing, issued or revoked."""
    certificate: bytes | None = None
    revoked_at: datetime | None = None
    reason: str | None = None
    application: str | None = None
    """SHA-256 of the application it was issued for (`certs.ra`), hexadecimal; no two entries have the same."""


class Ledger(Protocol):
    """What an authority needs to remember. Every method is atomic; all raise IssuanceError where the state forbids."""

    def prepare(self, entry: Entry) -> None:
        """Take the serial and store the intent."""
        ...

    def claim(self, issuer: str, serial: int) -> Entry:
        """Move "prepared" to "signing" and return the entry; a second claim is refused."""
        ...

    def issued(self, issuer: str, serial: int, certificate: bytes) -> None:
        """Move "signing" to "issued"."""
        ...

    def revoke(self, issuer: str, serial: int, at: datetime, reason: str) -> Entry:
        """Mark as revoked; a second revocation is refused."""
        ...

    def get(self, issuer: str, serial: int) -> Entry | None:
        """Return the entry, or None."""
        ...

    def entries(self, issuer: str) -> tuple[Entry, ...]:
        """Return all entries of an issuer in the order of preparation."""
        ...

    def revoked(self, issuer: str) -> tuple[tuple[int, datetime, str], ...]:
        """Return serial, moment and reason of everything revoked, in the order of serials."""
        ...

    def next_crl_number(self, issuer: str) -> int:
        """Return the next CRL number; it never goes back."""
        ...

    def by_application(self, application: str) -> Entry | None:
        """Return the entry that was prepared for an application, or None."""
        ...


@runtime_checkable
class Recorder(Protocol):
    """A ledger that also keeps a log of what is no entry: refusals, keys, lists (`certs.audit`)."""

    def record(self, act: str, **facts: Any) -> object:
        """Put an act on record; raise, and so stop the act, where that fails."""
        ...


def record(ledger: object, act: str, **facts: Any) -> None:
    """Put an act on record where `ledger` keeps a log. Raises AuditError."""
    if isinstance(ledger, Recorder):
        ledger.record(act, **facts)


def _refuse(entry: Entry | None, serial: int, wanted: str) -> IssuanceError:
    if entry is None:
        return IssuanceError(f"serial {serial:x} is not on record", serial=f"{serial:x}")
    return IssuanceError(f"serial {serial:x} is {entry.state}, not {wanted}", serial=f"{serial:x}", state=entry.state)


def _used(entry: Entry) -> IssuanceError:
    return IssuanceError("the application was used already", application=entry.application)


class MemoryLedger:
    """A ledger that forgets; for tests and for one-off authorities."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, int], Entry] = {}
        self._numbers: dict[str, int] = {}
        self._lock = threading.Lock()

    def prepare(self, entry: Entry) -> None:
        """See Ledger."""
        with self._lock:
            if (entry.issuer, entry.serial) in self._entries:
                raise IssuanceError(f"serial {entry.serial:x} is taken", serial=f"{entry.serial:x}")
            if entry.application and self.by_application(entry.application):
                raise _used(entry)
            self._entries[entry.issuer, entry.serial] = dataclasses.replace(entry, state="prepared")

    def _move(self, issuer: str, serial: int, wanted: tuple[str, ...], new: str, **values: object) -> Entry:
        with self._lock:
            entry = self._entries.get((issuer, serial))
            if entry is None or entry.state not in wanted:
                raise _refuse(entry, serial, " or ".join(wanted))
            entry = dataclasses.replace(entry, state=new, **values)  # type: ignore[arg-type]
            self._entries[issuer, serial] = entry
            return entry

    def claim(self, issuer: str, serial: int) -> Entry:
        """See Ledger."""
        return self._move(issuer, serial, ("prepared",), "signing")

    def issued(self, issuer: str, serial: int, certificate: bytes) -> None:
        """See Ledger."""
        self._move(issuer, serial, ("signing",), "issued", certificate=certificate)

    def revoke(self, issuer: str, serial: int, at: datetime, reason: str) -> Entry:
        """See Ledger."""
        return self._move(
            issuer, serial, ("prepared", "signing", "issued"), "revoked", revoked_at=at, reason=_reason(reason)
        )

    def get(self, issuer: str, serial: int) -> Entry | None:
        """See Ledger."""
        return self._entries.get((issuer, serial))

    def entries(self, issuer: str) -> tuple[Entry, ...]:
        """See Ledger."""
        return tuple(entry for entry in self._entries.values() if entry.issuer == issuer)

    def revoked(self, issuer: str) -> tuple[tuple[int, datetime, str], ...]:
        """See Ledger."""
        found = (entry for entry in self.entries(issuer) if entry.state == "revoked")
        return tuple(sorted((e.serial, e.revoked_at, e.reason) for e in found if e.revoked_at and e.reason))

    def by_application(self, application: str) -> Entry | None:
        """See Ledger."""
        return next((entry for entry in self._entries.values() if entry.application == application), None)

    def next_crl_number(self, issuer: str) -> int:
        """See Ledger."""
        with self._lock:
            self._numbers[issuer] = self._numbers.get(issuer, 0) + 1
            return self._numbers[issuer]


def _reason(reason: str) -> str:
    if reason not in REASONS:
        raise IssuanceError(f"{reason!r} is no reason for revocation", hint="known: " + ", ".join(REASONS))
    return reason


_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    number INTEGER PRIMARY KEY,
    issuer TEXT NOT NULL,
    serial TEXT NOT NULL,
    profile TEXT NOT NULL,
    subject TEXT NOT NULL,
    tbs BLOB NOT NULL,
    prepared_at TEXT NOT NULL,
    not_after TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('prepared', 'signing', 'issued', 'revoked')),
    certificate BLOB,
    revoked_at TEXT,
    reason TEXT,
    application TEXT,
    UNIQUE (issuer, serial)
);
CREATE INDEX IF NOT EXISTS entry_revoked ON entry (issuer) WHERE state = 'revoked';
CREATE TABLE IF NOT EXISTS crl_number (issuer TEXT PRIMARY KEY, number INTEGER NOT NULL);
"""
_LATER = "CREATE UNIQUE INDEX IF NOT EXISTS entry_application ON entry (application) WHERE application IS NOT NULL"
_COLUMNS = (
    "issuer, serial, profile, subject, tbs, prepared_at, not_after, state, certificate, revoked_at, reason, application"
)


class SQLiteLedger:
    """A ledger in one SQLite file: write-ahead log, every change on disk before the method returns."""

    def __init__(self, path: str | Path) -> None:
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.executescript(_SCHEMA)
            self._add_column("application")
            self._connection.execute(_LATER)
        except sqlite3.Error as error:
            raise KeyStoreError(f"the ledger {path} cannot be opened: {error}") from error

    def _add_column(self, name: str) -> None:
        """Add a column that ledgers of an earlier version lack."""
        self._connection.execute("BEGIN IMMEDIATE")
        columns = [row[1] for row in self._connection.execute("PRAGMA table_info(entry)")]
        if name not in columns:
            self._connection.execute(f"ALTER TABLE entry ADD COLUMN {name} TEXT")
        self._connection.execute("COMMIT")

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
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise IssuanceError(f"the ledger refused: {error}") from error

    def prepare(self, entry: Entry) -> None:
        """See Ledger."""
        row = (entry.issuer, f"{entry.serial:x}", entry.profile, entry.subject, entry.tbs)
        with self._transaction() as database:
            if self._get(entry.issuer, entry.serial) is not None:
                raise IssuanceError(f"serial {entry.serial:x} is taken", serial=f"{entry.serial:x}")
            if entry.application and self._by_application(entry.application):
                raise _used(entry)
            database.execute(
                f"INSERT INTO entry ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, 'prepared', NULL, NULL, NULL, ?)",  # noqa: S608
                (*row, _text(entry.prepared_at), _text(entry.not_after), entry.application),
            )

    def _move(self, issuer: str, serial: int, wanted: tuple[str, ...], assignment: str, *values: object) -> Entry:
        with self._transaction() as database:
            entry = self._get(issuer, serial)
            if entry is None or entry.state not in wanted:
                raise _refuse(entry, serial, " or ".join(wanted))
            database.execute(
                f"UPDATE entry SET {assignment} WHERE issuer = ? AND serial = ?",  # noqa: S608 - fixed text
                (*values, issuer, f"{serial:x}"),
            )
            moved = self._get(issuer, serial)
            assert moved is not None
            return moved

    def claim(self, issuer: str, serial: int) -> Entry:
        """See Ledger."""
        return self._move(issuer, serial, ("prepared",), "state = 'signing'")

    def issued(self, issuer: str, serial: int, certificate: bytes) -> None:
        """See Ledger."""
        self._move(issuer, serial, ("signing",), "state = 'issued', certificate = ?", certificate)

    def revoke(self, issuer: str, serial: int, at: datetime, reason: str) -> Entry:
        """See Ledger."""
        assignment = "state = 'revoked', revoked_at = ?, reason = ?"
        wanted = ("prepared", "signing", "issued")
        return self._move(issuer, serial, wanted, assignment, _text(at), _reason(reason))

    def _get(self, issuer: str, serial: int) -> Entry | None:
        query = f"SELECT {_COLUMNS} FROM entry WHERE issuer = ? AND serial = ?"  # noqa: S608 - fixed text
        row = self._connection.execute(query, (issuer, f"{serial:x}")).fetchone()
        return _entry(row) if row else None

    def get(self, issuer: str, serial: int) -> Entry | None:
        """See Ledger."""
        with self._lock:
            return self._get(issuer, serial)

    def _by_application(self, application: str) -> Entry | None:
        query = f"SELECT {_COLUMNS} FROM entry WHERE application = ?"  # noqa: S608 - fixed text
        row = self._connection.execute(query, (application,)).fetchone()
        return _entry(row) if row else None

    def by_application(self, application: str) -> Entry | None:
        """See Ledger."""
        with self._lock:
            return self._by_application(application)

    def entries(self, issuer: str) -> tuple[Entry, ...]:
        """See Ledger."""
        query = f"SELECT {_COLUMNS} FROM entry WHERE issuer = ? ORDER BY number"  # noqa: S608 - fixed text
        with self._lock:
            return tuple(_entry(row) for row in self._connection.execute(query, (issuer,)))

    def revoked(self, issuer: str) -> tuple[tuple[int, datetime, str], ...]:
        """See Ledger."""
        query = "SELECT serial, revoked_at, reason FROM entry WHERE issuer = ? AND state = 'revoked'"
        with self._lock:
            rows = self._connection.execute(query, (issuer,)).fetchall()
        return tuple(sorted((int(serial, 16), datetime.fromisoformat(at), reason) for serial, at, reason in rows))

    def next_crl_number(self, issuer: str) -> int:
        """See Ledger."""
        with self._transaction() as database:
            row = database.execute(
                "INSERT INTO crl_number (issuer, number) VALUES (?, 1) "
                "ON CONFLICT (issuer) DO UPDATE SET number = number + 1 RETURNING number",
                (issuer,),
            ).fetchone()
            return int(row[0])


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _entry(row: tuple[Any, ...]) -> Entry:
    issuer, serial, profile, subject, tbs, prepared_at, not_after, state, certificate, revoked_at, reason, use = row
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
        revoked_at=datetime.fromisoformat(revoked_at) if revoked_at else None,
        reason=reason,
        application=use,
    )
