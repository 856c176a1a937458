"""Revocation lists in a ledger: numbers, what goes into each, and the last ones signed. See `certs.ledger`."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from certs.errors import ClockRefused, IssuanceError
from certs.ledger_base import Kind, ListRecord
from certs.ledger_file import LedgerFile, position_of, text_of

_LIST_COLUMNS = "number, kind, base_number, position, this_update, next_update, der"


class ListsInLedger(LedgerFile):
    """The half of a ledger that knows of lists."""

    def position(self, issuer: str, partition: int | None = None) -> int:
        """See Ledger."""
        with self._reading() as database:
            return position_of(database, issuer, partition)

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
            position = position_of(database, issuer, partition)
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
                (issuer, scope, number, kind, base_number, position, text_of(this_update), text_of(next_update)),
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


def _scope(partition: int | None) -> str:
    return "" if partition is None else str(partition)


def _next_number(database: sqlite3.Connection, issuer: str, partition: int | None) -> int:
    row = database.execute(
        "INSERT INTO crl_number (issuer, number) VALUES (?, 1) "
        "ON CONFLICT (issuer) DO UPDATE SET number = number + 1 RETURNING number",
        (issuer if partition is None else f"{issuer}/{partition}",),
    ).fetchone()
    return int(row[0])
