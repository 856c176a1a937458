"""The record of an authority: what it means to sign is written down before it signs.

    ledger.prepare(Entry(...))              # state "prepared"; the serial is now taken
    ledger.claim(issuer, serial)            # "prepared" -> "signing", exactly once
    ledger.issued(issuer, serial, der)      # "signing" -> "issued"
    ledger.revoke(issuer, serial, at, why)  # from any of them: a certificate that may exist can be revoked
    ledger.hold(issuer, serial, at)         # "revoked" with the reason certificateHold, until released or revoked
    ledger.release(issuer, serial, at)      # back to what it was
    ledger.open_list(issuer, …)             # number and entries of a revocation list, on record before it is signed
    ledger.close_list(issuer, …, der)       # the signed list

A crash between `claim` and `issued` leaves an entry in state "signing": nobody signs it again, and it can be revoked.
An issuer is named by the hexadecimal key identifier of its certificate. A certificate on hold has the state "revoked",
so that whoever knows nothing of holds takes it for revoked; `Entry.held` tells.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from certs.crl import REASONS, REMOVE_FROM_CRL, encode_entry
from certs.errors import (
    AlreadyRevoked,
    ClockRefused,
    IssuanceError,
    KeyStoreError,
    NotOnHold,
    NotOnRecord,
    RevocationRefused,
)
from certs.ledger_base import HOLD, Entry, Kind, Ledger, ListRecord, Recorder, Standing, record
from certs.ledger_schema import upgrade

__all__ = [
    "HOLD",
    "REASONS",
    "Entry",
    "Kind",
    "Ledger",
    "ListRecord",
    "MemoryLedger",
    "Recorder",
    "SQLiteLedger",
    "Standing",
    "record",
]

_COLUMNS = (
    "issuer, serial, profile, subject, tbs, prepared_at, not_after, state, certificate, revoked_at, reason, "
    "partition, invalid_since, held_until, application"
)
_STANDING = "SELECT state, not_after, revoked_at, reason FROM entry WHERE issuer = ? AND serial = ?"
_LIST_COLUMNS = "number, kind, base_number, position, this_update, next_update, der"


class SQLiteLedger:
    """A ledger in one SQLite file: write-ahead log, every change on disk before the method returns.

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

    # Issuing ----------------------------------------------------------------------------------------------------------
    def prepare(self, entry: Entry) -> None:
        """See Ledger."""
        row = (entry.issuer, f"{entry.serial:x}", entry.profile, entry.subject, entry.tbs)
        with self._transaction() as database:
            if self._get(entry.issuer, entry.serial) is not None:
                raise IssuanceError(f"serial {entry.serial:x} is taken", serial=f"{entry.serial:x}")
            if entry.application and self.by_application(entry.application):
                raise IssuanceError("the application was used already", application=entry.application)
            database.execute(
                "INSERT INTO entry (issuer, serial, profile, subject, tbs, prepared_at, not_after, state, partition, "
                "application) VALUES (?, ?, ?, ?, ?, ?, ?, 'prepared', ?, ?)",
                (*row, _text(entry.prepared_at), _text(entry.not_after), entry.partition, entry.application),
            )

    def claim(self, issuer: str, serial: int) -> Entry:
        """See Ledger."""
        with self._transaction():
            self._expect(issuer, serial, "prepared")
            return self._set(issuer, serial, "state = 'signing'")

    def issued(self, issuer: str, serial: int, certificate: bytes) -> None:
        """See Ledger."""
        with self._transaction():
            entry = self._known(issuer, serial)
            if entry.state == "revoked" and entry.certificate is None:
                self._set(issuer, serial, "certificate = ?", certificate)  # it exists now, and stays revoked
            else:
                self._expect(issuer, serial, "signing")
                entry = self._set(issuer, serial, "state = 'issued', certificate = ?", certificate)
        if entry.state == "revoked":
            raise _already(entry)

    # Status -----------------------------------------------------------------------------------------------------------
    def revoke(
        self, issuer: str, serial: int, at: datetime, reason: str, *, invalid_since: datetime | None = None
    ) -> Entry:
        """See Ledger."""
        if reason not in REASONS:
            raise RevocationRefused(f"{reason!r} is no reason for revocation", hint="known: " + ", ".join(REASONS))
        if reason == HOLD:
            return self.hold(issuer, serial, at)
        with self._transaction():
            entry = self._known(issuer, serial)
            if entry.state == "revoked":
                if not entry.held:
                    raise _already(entry)
                # nothing signed during the hold becomes good by the revocation that ends it
                at = min(at, entry.revoked_at or at)
            encoded = encode_entry(serial, at, reason, invalid_since=invalid_since)
            return self._change(
                entry,
                "state = 'revoked', revoked_at = ?, reason = ?, invalid_since = ?, held_until = NULL, crl_entry = ?",
                _text(at),
                reason,
                _text(invalid_since) if invalid_since else None,
                encoded,
            )

    def hold(self, issuer: str, serial: int, at: datetime, *, until: datetime | None = None) -> Entry:
        """See Ledger."""
        if until is not None and until <= at:
            raise RevocationRefused("a hold that ends before it begins")
        with self._transaction():
            entry = self._known(issuer, serial)
            if entry.state == "revoked":
                raise _already(entry)
            if entry.state == "prepared":
                raise RevocationRefused(f"serial {serial:x} was never signed, there is nothing to hold")
            return self._change(
                entry,
                "state = 'revoked', revoked_at = ?, reason = ?, held_until = ?, crl_entry = ?",
                _text(at),
                HOLD,
                _text(until) if until else None,
                encode_entry(serial, at, HOLD),
            )

    def release(self, issuer: str, serial: int, at: datetime) -> Entry:
        """See Ledger."""
        with self._transaction():
            entry = self._known(issuer, serial)
            if not entry.held:
                raise NotOnHold(f"serial {serial:x} is {_words(entry)}, not on hold", serial=f"{serial:x}")
            return self._change(
                entry,
                "state = ?, revoked_at = NULL, reason = NULL, held_until = NULL, released_at = ?, crl_entry = ?",
                "signing" if entry.certificate is None else "issued",
                _text(at),
                encode_entry(serial, at, REMOVE_FROM_CRL),
            )

    def position(self, issuer: str, partition: int | None = None) -> int:
        """See Ledger."""
        with self._reading() as database:
            return _position(database, issuer, partition)

    def expired_holds(self, issuer: str, at: datetime) -> tuple[int, ...]:
        """See Ledger."""
        query = "SELECT serial, held_until FROM entry WHERE issuer = ? AND state = 'revoked' AND held_until IS NOT NULL"
        with self._reading() as database:
            rows = database.execute(query, (issuer,)).fetchall()
        return tuple(int(serial, 16) for serial, until in rows if datetime.fromisoformat(until) <= at)

    # Reading ----------------------------------------------------------------------------------------------------------
    def get(self, issuer: str, serial: int) -> Entry | None:
        """See Ledger."""
        with self._reading():
            return self._get(issuer, serial)

    def standing(self, issuer: str, serial: int) -> Standing | None:
        """See Ledger."""
        with self._lock:
            try:
                row = self._connection.execute(_STANDING, (issuer, f"{serial:x}")).fetchone()
            except sqlite3.Error as error:
                raise IssuanceError(f"the ledger refused: {error}") from error
        if row is None:
            return None
        state, not_after, revoked_at, reason = row
        return Standing(state, datetime.fromisoformat(not_after), _moment(revoked_at), reason)

    def entries(self, issuer: str) -> tuple[Entry, ...]:
        """See Ledger."""
        query = f"SELECT {_COLUMNS} FROM entry WHERE issuer = ? ORDER BY number"  # noqa: S608 - fixed text
        with self._reading() as database:
            return tuple(_entry(row) for row in database.execute(query, (issuer,)))

    def revoked(self, issuer: str) -> tuple[tuple[int, datetime, str], ...]:
        """See Ledger."""
        query = "SELECT serial, revoked_at, reason FROM entry WHERE issuer = ? AND state = 'revoked'"
        with self._reading() as database:
            rows = database.execute(query, (issuer,)).fetchall()
        return tuple(sorted((int(serial, 16), datetime.fromisoformat(at), reason) for serial, at, reason in rows))

    # Lists ------------------------------------------------------------------------------------------------------------
    def next_crl_number(self, issuer: str, partition: int | None = None) -> int:
        """See Ledger."""
        with self._transaction() as database:
            return _next_number(database, issuer, partition)

    def open_list(
        self,
        issuer: str,
        partition: int | None,
        kind: Kind,
        this_update: datetime,
        next_update: datetime,
        *,
        any_clock: bool = False,
    ) -> ListRecord:
        """See Ledger."""
        scope, within = _scope(partition), "" if partition is None else " AND partition = ?"
        values: tuple[object, ...] = (issuer,) if partition is None else (issuer, partition)
        with self._transaction() as database:
            rows = database.execute(
                "SELECT number, kind, position, this_update, next_update, signed FROM revocation_list "
                "WHERE issuer = ? AND scope = ? ORDER BY number",
                (issuer, scope),
            ).fetchall()
            latest = max((datetime.fromisoformat(row[3]) for row in rows), default=None)
            if latest is not None and this_update < latest and not any_clock:
                raise ClockRefused(
                    f"the clock says {this_update.isoformat()}, the last list is of {latest.isoformat()}",
                    last=latest.isoformat(),
                )
            base_number, since = None, 0
            if kind == "delta":
                bases = [row for row in rows if row[1] == "base" and row[5]]
                current = [row for row in bases if datetime.fromisoformat(row[4]) >= this_update] or bases[-1:]
                if not current:
                    raise IssuanceError("there is no complete list the delta could be to", hint="make one first")
                base_number, since = current[0][0], current[0][2]
                chosen = "changed > ? AND crl_entry IS NOT NULL"
                values = (*values, since)
            else:
                chosen = "state = 'revoked'"
            position = _position(database, issuer, partition)
            entries = b"".join(
                row[0]
                for row in database.execute(
                    f"SELECT crl_entry FROM entry WHERE issuer = ?{within} AND {chosen} ORDER BY number",  # noqa: S608
                    values,
                )
            )
            number = _next_number(database, issuer, partition)
            record = ListRecord(issuer, partition, number, kind, base_number, position, this_update, next_update)
            database.execute(
                "INSERT INTO revocation_list "
                "(issuer, scope, number, kind, base_number, position, this_update, next_update) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (issuer, scope, number, kind, base_number, position, _text(this_update), _text(next_update)),
            )
        return ListRecord(**{**vars(record), "entries": entries})

    def close_list(self, record: ListRecord, encoded: bytes) -> None:
        """See Ledger."""
        where = "issuer = ? AND scope = ? AND kind = ? AND number"
        key = (record.issuer, _scope(record.partition), record.kind)
        with self._transaction() as database:
            database.execute(
                f"UPDATE revocation_list SET signed = 1, der = ? WHERE {where} = ?",  # noqa: S608 - fixed text
                (encoded, *key, record.number),
            )
            database.execute(
                f"UPDATE revocation_list SET der = NULL WHERE {where} < ? AND der IS NOT NULL",  # noqa: S608
                (*key, record.number),
            )

    def last_list(self, issuer: str, partition: int | None, kind: Kind) -> ListRecord | None:
        """See Ledger."""
        with self._reading() as database:
            row = database.execute(
                f"SELECT {_LIST_COLUMNS} FROM revocation_list "  # noqa: S608 - fixed text
                "WHERE issuer = ? AND scope = ? AND kind = ? AND der IS NOT NULL ORDER BY number DESC LIMIT 1",
                (issuer, _scope(partition), kind),
            ).fetchone()
        if row is None:
            return None
        number, _, base_number, position, this_update, next_update, encoded = row
        return ListRecord(
            issuer,
            partition,
            number,
            kind,
            base_number,
            position,
            datetime.fromisoformat(this_update),
            datetime.fromisoformat(next_update),
            der=encoded,
        )

    def settle(self, issuer: str, name: str, value: str) -> str:
        """See Ledger."""
        query = "SELECT value FROM property WHERE issuer = ? AND name = ?"
        with self._reading() as database:
            row = database.execute(query, (issuer, name)).fetchone()
        if row is None:
            with self._transaction() as database:
                database.execute("INSERT OR IGNORE INTO property VALUES (?, ?, ?)", (issuer, name, value))
                row = database.execute(query, (issuer, name)).fetchone()
        return str(row[0])

    def by_application(self, application: str) -> Entry | None:
        """See Ledger."""
        query = f"SELECT {_COLUMNS} FROM entry WHERE application = ?"  # noqa: S608 - fixed text
        with self._reading() as database:
            row = database.execute(query, (application,)).fetchone()
        return _entry(row) if row else None

    # Inside a transaction ---------------------------------------------------------------------------------------------
    def _get(self, issuer: str, serial: int) -> Entry | None:
        query = f"SELECT {_COLUMNS} FROM entry WHERE issuer = ? AND serial = ?"  # noqa: S608 - fixed text
        row = self._connection.execute(query, (issuer, f"{serial:x}")).fetchone()
        return _entry(row) if row else None

    def _known(self, issuer: str, serial: int) -> Entry:
        entry = self._get(issuer, serial)
        if entry is None:
            raise _refuse(None, serial, "")
        return entry

    def _expect(self, issuer: str, serial: int, state: str) -> Entry:
        entry = self._get(issuer, serial)
        if entry is None or entry.state != state:
            raise _refuse(entry, serial, state)
        return entry

    def _set(self, issuer: str, serial: int, assignment: str, *values: object) -> Entry:
        self._connection.execute(
            f"UPDATE entry SET {assignment} WHERE issuer = ? AND serial = ?",  # noqa: S608 - fixed text
            (*values, issuer, f"{serial:x}"),
        )
        return self._known(issuer, serial)

    def _change(self, entry: Entry, assignment: str, *values: object) -> Entry:
        """Set, and number the change."""
        following = _position(self._connection, entry.issuer, None) + 1
        return self._set(entry.issuer, entry.serial, f"{assignment}, changed = ?", *values, following)


class MemoryLedger(SQLiteLedger):
    """A ledger that forgets; for tests and for one-off authorities."""

    def __init__(self) -> None:
        super().__init__(":memory:")


def _already(entry: Entry) -> AlreadyRevoked:
    since = entry.revoked_at.isoformat() if entry.revoked_at else None
    return AlreadyRevoked(
        f"serial {entry.serial:x} is {_words(entry)} since {since}",
        hint="release it, or revoke it for good" if entry.held else None,
        serial=f"{entry.serial:x}",
        state=entry.state,
        reason=entry.reason,
        revoked_at=since,
    )


def _words(entry: Entry) -> str:
    return "on hold" if entry.held else f"revoked ({entry.reason})" if entry.state == "revoked" else entry.state


def _scope(partition: int | None) -> str:
    return "" if partition is None else str(partition)


def _position(database: sqlite3.Connection, issuer: str, partition: int | None) -> int:
    if partition is None:
        row = database.execute("SELECT MAX(changed) FROM entry WHERE issuer = ?", (issuer,)).fetchone()
    else:
        query = "SELECT MAX(changed) FROM entry WHERE issuer = ? AND partition = ?"
        row = database.execute(query, (issuer, partition)).fetchone()
    return int(row[0] or 0)


def _next_number(database: sqlite3.Connection, issuer: str, partition: int | None) -> int:
    row = database.execute(
        "INSERT INTO crl_number (issuer, number) VALUES (?, 1) "
        "ON CONFLICT (issuer) DO UPDATE SET number = number + 1 RETURNING number",
        (issuer if partition is None else f"{issuer}/{partition}",),
    ).fetchone()
    return int(row[0])


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _entry(row: tuple[Any, ...]) -> Entry:
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
        revoked_at=_moment(revoked_at),
        reason=reason,
        partition=partition,
        invalid_since=_moment(invalid_since),
        held_until=_moment(held_until),
        application=application,
    )


def _refuse(entry: Entry | None, serial: int, wanted: str) -> IssuanceError:
    if entry is None:
        return NotOnRecord(f"serial {serial:x} is not on record", serial=f"{serial:x}")
    return IssuanceError(f"serial {serial:x} is {entry.state}, not {wanted}", serial=f"{serial:x}", state=entry.state)
