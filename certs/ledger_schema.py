"""The tables of a ledger file, and how a file of an earlier form is brought to the present one.

    upgrade(connection)          # in one transaction; nothing is lost if the process dies

A new form only adds columns and tables, so that earlier programs can still read the file.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from certs.crl import encode_entry

_TABLES = """
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
    UNIQUE (issuer, serial)
);
CREATE INDEX IF NOT EXISTS entry_revoked ON entry (issuer) WHERE state = 'revoked';
CREATE TABLE IF NOT EXISTS crl_number (issuer TEXT PRIMARY KEY, number INTEGER NOT NULL);
"""
"""The first form, as the earliest ledger files have it."""

_ADDED = {
    "partition": "INTEGER NOT NULL DEFAULT 0",
    "invalid_since": "TEXT",
    "held_until": "TEXT",
    "released_at": "TEXT",
    "changed": "INTEGER NOT NULL DEFAULT 0",
    "application": "TEXT",
    "crl_entry": "BLOB",
}
"""Columns of the second form. `changed` numbers the changes of status, `crl_entry` is the DER in the list."""

_MORE_TABLES = """
CREATE INDEX IF NOT EXISTS entry_changed ON entry (issuer, changed);
CREATE UNIQUE INDEX IF NOT EXISTS entry_application ON entry (application) WHERE application IS NOT NULL;
CREATE INDEX IF NOT EXISTS entry_partition ON entry (issuer, partition, changed);
CREATE TABLE IF NOT EXISTS revocation_list (
    issuer TEXT NOT NULL,
    scope TEXT NOT NULL,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('base', 'delta')),
    base_number INTEGER,
    position INTEGER NOT NULL,
    this_update TEXT NOT NULL,
    next_update TEXT NOT NULL,
    signed INTEGER NOT NULL DEFAULT 0,
    der BLOB,
    PRIMARY KEY (issuer, scope, number)
);
CREATE TABLE IF NOT EXISTS property (
    issuer TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (issuer, name)
);
"""


def upgrade(database: sqlite3.Connection) -> None:
    """Make or complete the tables. `database` must not be in a transaction. Raises sqlite3.Error."""
    if _current(database):
        return
    database.execute("BEGIN IMMEDIATE")  # executescript would commit first
    try:
        if not _current(database):  # nobody was quicker
            for statement in _TABLES.split(";"):
                database.execute(statement)
            present = {row[1] for row in database.execute("PRAGMA table_info(entry)")}
            for name, kind in _ADDED.items():
                if name not in present:
                    database.execute(f"ALTER TABLE entry ADD COLUMN {name} {kind}")
            rows = database.execute(
                "SELECT number, serial, revoked_at, reason FROM entry WHERE state = 'revoked' AND crl_entry IS NULL"
            ).fetchall()
            for number, serial, at, reason in rows:
                encoded = encode_entry(int(serial, 16), datetime.fromisoformat(at), reason)
                database.execute("UPDATE entry SET crl_entry = ? WHERE number = ?", (encoded, number))
            for statement in _MORE_TABLES.split(";"):
                database.execute(statement)
            # an authority that has issued before it had partitions has one list, for ever
            database.execute("INSERT OR IGNORE INTO property SELECT DISTINCT issuer, 'partitions', '1' FROM entry")
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _current(database: sqlite3.Connection) -> bool:
    return bool(database.execute("SELECT 1 FROM sqlite_master WHERE name = 'property'").fetchone())
