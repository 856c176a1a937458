"""The log: entries in one SQLite file, each chained to the one before it, none ever changed.

    log = AuditLog("pki/sm2/audit.sqlite", clock)
    log.append("configuration", what="crl_url", value="http://pki.example/sm2.crl")
    for entry in log.entries():
        entry.number, entry.act, entry.facts

An entry is canonical JSON: its number, the act, the moment, the facts, and the leaf hash of the entry before it.
Personal data does not belong here, because nothing can be taken out again: entries name certificates by issuer,
serial number and digest. `act` is written before the act is done, and is on disk when the method returns; an act
whose entry cannot be written is not done. The one act that may be under way is noted beside the log, so that a
process that died in the middle leaves a question that can be answered (see `certs.audit.ledger`).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from certs import canonical
from certs.audit import tree
from certs.clock import Clock
from certs.errors import AuditError, MalformedInput

SCHEMA = "sealroad.audit/1"
NOTHING = "0" * 64
"""What the first entry has for the hash of the one before it."""


@dataclass(frozen=True)
class LogEntry:
    """One entry, as its octets say."""

    number: int
    act: str
    at: datetime
    facts: dict[str, Any]
    previous: str
    """Leaf hash of the entry before, hexadecimal."""
    data: bytes = field(repr=False)
    """The octets: canonical JSON."""

    @property
    def leaf(self) -> bytes:
        """The leaf hash."""
        return tree.leaf_hash(self.data)

    @property
    def issuer(self) -> str | None:
        """Key identifier of the authority the entry is about, hexadecimal."""
        value = self.facts.get("issuer")
        return value if isinstance(value, str) else None

    @property
    def serial(self) -> str | None:
        """Serial number of the certificate the entry is about, hexadecimal."""
        value = self.facts.get("serial")
        return value if isinstance(value, str) else None


def text_of(moment: datetime) -> str:
    """Return a moment as entries spell it: UTC, "Z", no more digits than needed."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment_of(text: Any) -> datetime:
    """Return the moment that `text_of` spelt. Raises MalformedInput."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None or text_of(moment) != text:
            raise ValueError(text)
    except (ValueError, TypeError, OverflowError) as error:
        raise MalformedInput("a moment that cannot be read") from error
    return moment


def encode_entry(number: int, act: str, at: datetime, facts: dict[str, Any], previous: str) -> bytes:
    """Return the octets of an entry."""
    return canonical.encode(
        {"act": act, "at": text_of(at), "facts": facts, "number": number, "previous": previous, "schema": SCHEMA}
    )


def parse_entry(data: bytes) -> LogEntry:
    """Read the octets of an entry. Raises MalformedInput."""
    value = canonical.decode(data)
    if not isinstance(value, dict) or set(value) != {"act", "at", "facts", "number", "previous", "schema"}:
        raise MalformedInput("not an entry of an audit log")
    if value["schema"] != SCHEMA:
        raise MalformedInput(f"the entry is not of schema {SCHEMA}")
    number, act, facts, previous = value["number"], value["act"], value["facts"], value["previous"]
    if type(number) is not int or number < 0 or not isinstance(act, str) or not isinstance(facts, dict):
        raise MalformedInput("an entry with members of wrong types")
    if not isinstance(previous, str) or len(previous) != 64 or not set(previous) <= set("0123456789abcdef"):
        raise MalformedInput("an entry without the hash of the one before it")
    return LogEntry(number, act, moment_of(value["at"]), facts, previous, data)


@dataclass(frozen=True)
class Pending:
    """The act that may be under way."""

    entry: LogEntry
    before: str
    """How the ledger looked before the act; where it still does, the act was not done."""
    payload: bytes | None
    """What is needed to finish it: the certificate that was signed."""


_TABLES = """
CREATE TABLE IF NOT EXISTS entry (
    number INTEGER PRIMARY KEY,
    act TEXT NOT NULL,
    serial TEXT,
    data BLOB NOT NULL,
    leaf BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS entry_act ON entry (act);
CREATE INDEX IF NOT EXISTS entry_serial ON entry (serial) WHERE serial IS NOT NULL;
CREATE TABLE IF NOT EXISTS pending (
    one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL, before TEXT NOT NULL, payload BLOB
);
CREATE TABLE IF NOT EXISTS checkpoint (number INTEGER PRIMARY KEY, size INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TRIGGER IF NOT EXISTS entry_stays BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER IF NOT EXISTS entry_is_kept BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'append only'); END;
"""
"""act, serial and leaf are there to find entries by; what counts is `data`, and `ca audit verify` compares them."""


class AuditLog:
    """A log in one SQLite file. Thread-safe, and safe for several processes; every method raises AuditError."""

    def __init__(self, path: str | Path, clock: Clock) -> None:
        self.path = Path(path)
        self._clock = clock
        self._lock = threading.Lock()
        self._turn = threading.RLock()
        self._depth = 0
        try:
            self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.executescript(_TABLES)
        except sqlite3.Error as error:
            raise AuditError(f"the audit log {self.path.name} cannot be opened: {error}") from error

    def close(self) -> None:
        """Close the file; the log is of no use afterwards."""
        self._connection.close()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the log while something is written to it and then done: one act at a time, over all processes.

        A file beside the log is locked and not the log itself: closing any descriptor of a database file would drop
        the locks of SQLite.
        """
        with self._turn:
            if self._depth:
                yield
                return
            try:
                lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise AuditError(f"the audit log cannot be locked: {error.strerror}") from error
            self._depth = 1
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
            finally:
                self._depth = 0
                os.close(lock)

    @contextmanager
    def _transaction(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise AuditError(
                    f"the audit log refused: {error}", hint="nothing is done without its entry in the log"
                ) from error

    def append(self, act: str, **facts: Any) -> LogEntry:
        """Write one entry and return it; it is on disk."""
        with self.turn(), self._transaction() as database:
            return self._insert(database, act, facts)

    def append_all(self, entries: list[tuple[str, dict[str, Any]]]) -> None:
        """Write several entries, all or none."""
        with self.turn(), self._transaction() as database:
            for act, facts in entries:
                self._insert(database, act, facts)

    def begin(self, act: str, facts: dict[str, Any], before: str, payload: bytes | None = None) -> LogEntry:
        """Write the entry of an act that is about to be done, and note that it is under way.

        To be called inside `turn`, after the act before it was settled.
        """
        with self._transaction() as database:
            entry = self._insert(database, act, facts)
            database.execute("INSERT INTO pending VALUES (1, ?, ?, ?)", (entry.number, before, payload))
            return entry

    def settle(self, entry: LogEntry, *, undone: str | None = None) -> None:
        """Note that the act of `entry` is done; or write that it was not, and why."""
        # a note that comes back after a power failure is settled again, so it need not wait for the disk
        with self._transaction(durable=undone is not None) as database:
            if undone is not None:
                self._insert(database, "not-done", {"of": entry.number, "why": undone})
            database.execute("DELETE FROM pending")

    def _insert(self, database: sqlite3.Connection, act: str, facts: dict[str, Any]) -> LogEntry:
        row = database.execute("SELECT number, leaf FROM entry ORDER BY number DESC LIMIT 1").fetchone()
        number, previous = (row[0] + 1, bytes(row[1]).hex()) if row else (0, NOTHING)
        facts = {name: value for name, value in facts.items() if value is not None}
        entry = parse_entry(encode_entry(number, act, self._clock.now(), facts, previous))
        database.execute(
            "INSERT INTO entry VALUES (?, ?, ?, ?, ?)", (number, act, entry.serial, entry.data, entry.leaf)
        )
        return entry

    def pending(self) -> Pending | None:
        """Return the act that was under way when its process ended, or None; only inside `turn` does it mean that."""
        rows = self._select("SELECT data, before, payload FROM pending JOIN entry USING (number)")
        return Pending(parse_entry(rows[0][0]), rows[0][1], rows[0][2]) if rows else None

    def _select(self, query: str, *values: object) -> list[Any]:
        with self._lock:
            try:
                return self._connection.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise AuditError(f"the audit log cannot be read: {error}") from error

    @property
    def size(self) -> int:
        """How many entries there are."""
        return int(self._select("SELECT coalesce(max(number) + 1, 0) FROM entry")[0][0])

    @property
    def id(self) -> str:
        """The leaf hash of the first entry, hexadecimal: the name of this log."""
        rows = self._select("SELECT data FROM entry WHERE number = 0")
        if not rows:
            raise AuditError("the audit log is empty")
        return tree.leaf_hash(rows[0][0]).hex()

    def entries(self, act: str | None = None, serial: str | None = None) -> list[LogEntry]:
        """Return the entries, of one act or about one serial number where that is given, in order."""
        query, values = "SELECT data FROM entry WHERE 1", []
        for column, value in (("act", act), ("serial", serial)):
            if value is not None:
                query += f" AND {column} = ?"
                values.append(value)
        return [parse_entry(row[0]) for row in self._select(query + " ORDER BY number", *values)]

    @property
    def begun(self) -> datetime:
        """When the first entry was written."""
        rows = self._select("SELECT data FROM entry WHERE number = 0")
        if not rows:
            raise AuditError("the audit log is empty")
        return parse_entry(rows[0][0]).at

    @property
    def last(self) -> LogEntry | None:
        """The newest entry."""
        rows = self._select("SELECT data FROM entry ORDER BY number DESC LIMIT 1")
        return parse_entry(rows[0][0]) if rows else None

    def rows(self) -> list[tuple[int, str, str | None, bytes, bytes]]:
        """Return the table as it is: number, act, serial, data, leaf; for whoever does not believe it."""
        return self._select("SELECT number, act, serial, data, leaf FROM entry ORDER BY number")

    def leaves(self, size: int | None = None, *, start: int = 0) -> list[bytes]:
        """Return the leaf hashes of the first `size` entries from number `start` on, computed from their octets."""
        limit = self.size if size is None else size
        rows = self._select("SELECT data FROM entry WHERE number >= ? AND number < ? ORDER BY number", start, limit)
        return [tree.leaf_hash(row[0]) for row in rows]

    def checkpoints(self) -> list[bytes]:
        """Return the signed checkpoints that were made, in order."""
        return [bytes(row[0]) for row in self._select("SELECT data FROM checkpoint ORDER BY number")]

    def last_checkpoint(self) -> bytes | None:
        """Return the newest signed checkpoint."""
        rows = self._select("SELECT data FROM checkpoint ORDER BY number DESC LIMIT 1")
        return bytes(rows[0][0]) if rows else None

    def keep_checkpoint(self, size: int, data: bytes, **facts: Any) -> None:
        """Store a signed checkpoint together with the entry that says so."""
        with self.turn(), self._transaction() as database:
            database.execute("INSERT INTO checkpoint (size, data) VALUES (?, ?)", (size, data))
            self._insert(database, "checkpoint", {"size": size, "file": sha256(data).hexdigest(), **facts})
