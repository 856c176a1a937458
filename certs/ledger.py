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
from datetime import datetime

from certs.crl import REASONS, REMOVE_FROM_CRL, encode_entry
from certs.errors import AlreadyRevoked, IssuanceError, NotOnHold, RevocationRefused
from certs.ledger_base import HOLD, Entry, Kind, Ledger, ListRecord, Recorder, Standing, record
from certs.ledger_file import COLUMNS, entry_of, moment_of, text_of
from certs.ledger_lists import ListsInLedger

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

_STANDING = "SELECT state, not_after, revoked_at, reason FROM entry WHERE issuer = ? AND serial = ?"


class SQLiteLedger(ListsInLedger):
    """A ledger in one SQLite file; see `certs.ledger_file`."""

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
                (*row, text_of(entry.prepared_at), text_of(entry.not_after), entry.partition, entry.application),
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
                text_of(at),
                reason,
                text_of(invalid_since) if invalid_since else None,
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
                text_of(at),
                HOLD,
                text_of(until) if until else None,
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
                text_of(at),
                encode_entry(serial, at, REMOVE_FROM_CRL),
            )

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
        return Standing(state, datetime.fromisoformat(not_after), moment_of(revoked_at), reason)

    def entries(self, issuer: str) -> tuple[Entry, ...]:
        """See Ledger."""
        query = f"SELECT {COLUMNS} FROM entry WHERE issuer = ? ORDER BY number"  # noqa: S608 - fixed text
        with self._reading() as database:
            return tuple(entry_of(row) for row in database.execute(query, (issuer,)))

    def revoked(self, issuer: str) -> tuple[tuple[int, datetime, str], ...]:
        """See Ledger."""
        query = "SELECT serial, revoked_at, reason FROM entry WHERE issuer = ? AND state = 'revoked'"
        with self._reading() as database:
            rows = database.execute(query, (issuer,)).fetchall()
        return tuple(sorted((int(serial, 16), datetime.fromisoformat(at), reason) for serial, at, reason in rows))

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
        query = f"SELECT {COLUMNS} FROM entry WHERE application = ?"  # noqa: S608 - fixed text
        with self._reading() as database:
            row = database.execute(query, (application,)).fetchone()
        return entry_of(row) if row else None


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
