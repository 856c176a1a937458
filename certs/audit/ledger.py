"""A ledger whose every change is in the audit log before it is made.

    log = AuditLog(directory / "audit.sqlite", clock)
    ledger = AuditedLedger(SQLiteLedger(directory / "ledger.sqlite"), log)
    authority = Authority(key, certificate, ledger=ledger, clock=clock)       # the authority notices nothing

Log and ledger are two files, and a process can die between them. So an act goes: entry in the log and a note that it
is under way, one transaction; change in the ledger; note removed. Whoever comes next finds the note of a process that
died and settles it first. What was signed or revoked is finished (the certificate lies beside the note); what was
only prepared or claimed did not happen, and an entry "not-done" says so. Hence, whenever no act is under way:

- every certificate in the ledger has its entries, and every entry its certificate or its "not-done";
- every signature of the authority's key has an intent in the log that is older than the signature.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar

from certs.audit.log import AuditLog, LogEntry, moment_of, text_of
from certs.errors import AuditError, CertsError
from certs.ledger import Entry, Kind, Ledger, ListRecord, Standing

T = TypeVar("T")

_REVOKE = ("issuer", "serial", "revoked_at", "reason")
SNAPSHOT = 200
"""Certificates in one snapshot entry."""


def digest(data: bytes | None) -> str | None:
    """Return SHA-256 in hexadecimal, None for None."""
    return None if data is None else sha256(data).hexdigest()


def fingerprint(entry: Entry | None) -> str:
    """Return what tells one state of a certificate's record from every other."""
    return "" if entry is None else sha256(repr(entry).encode()).hexdigest()


def _texts(more: dict[str, Any]) -> dict[str, Any]:
    return {name: text_of(value) if isinstance(value, datetime) else value for name, value in more.items()}


class AuditedLedger:
    """Any ledger together with a log. Satisfies Ledger and Recorder; raises AuditError where the log refuses."""

    def __init__(self, ledger: Ledger, log: AuditLog) -> None:
        self.log = log
        self._ledger = ledger
        with log.turn():
            self._settle()

    def close(self) -> None:
        """Close the log, and the ledger where it can be closed."""
        self.log.close()
        close = getattr(self._ledger, "close", None)
        if close is not None:
            close()

    # acts ------------------------------------------------------------------------------------------------------------
    def record(self, act: str, **facts: Any) -> LogEntry:
        """See Recorder."""
        return self.log.append(act, **facts)

    def prepare(self, entry: Entry) -> None:
        """See Ledger."""
        facts = {
            "profile": entry.profile,
            "tbs": digest(entry.tbs),
            "not_after": text_of(entry.not_after),
            "application": entry.application,
        }
        self._act("prepare", entry.issuer, entry.serial, facts, lambda: self._ledger.prepare(entry))

    def claim(self, issuer: str, serial: int) -> Entry:
        """See Ledger. The entry is the intent to sign."""
        found = self._ledger.get(issuer, serial)
        facts = {"tbs": digest(found.tbs) if found else None}
        return self._act("claim", issuer, serial, facts, lambda: self._ledger.claim(issuer, serial))

    def issued(self, issuer: str, serial: int, certificate: bytes) -> None:
        """See Ledger."""
        facts = {"certificate": digest(certificate)}
        self._act(
            "issued", issuer, serial, facts, lambda: self._ledger.issued(issuer, serial, certificate), certificate
        )

    def revoke(self, issuer: str, serial: int, at: datetime, reason: str, **more: Any) -> Entry:
        """See Ledger."""
        facts = {"revoked_at": text_of(at), "reason": reason, **_texts(more)}
        return self._act(
            "revoke", issuer, serial, facts, lambda: self._ledger.revoke(issuer, serial, at, reason, **more)
        )

    def hold(self, issuer: str, serial: int, at: datetime, *, until: datetime | None = None) -> Entry:
        """See Ledger."""
        facts = {"revoked_at": text_of(at), "until": text_of(until) if until else None}
        return self._act("hold", issuer, serial, facts, lambda: self._ledger.hold(issuer, serial, at, until=until))

    def release(self, issuer: str, serial: int, at: datetime) -> Entry:
        """See Ledger."""
        facts = {"released_at": text_of(at)}
        return self._act("release", issuer, serial, facts, lambda: self._ledger.release(issuer, serial, at))

    def next_crl_number(self, issuer: str, partition: int | None = None) -> int:
        """See Ledger."""
        self.log.append("crl-intent", issuer=issuer, partition=partition)
        return self._ledger.next_crl_number(issuer, partition)

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
        """See Ledger. The entry is the intent to sign a list; that of `close_list` says which list it became."""
        self.log.append("crl-intent", issuer=issuer, partition=partition, kind=kind, any_clock=any_clock)
        return self._ledger.open_list(issuer, partition, kind, this_update, next_update, any_clock=any_clock)

    def close_list(self, record: ListRecord, encoded: bytes) -> None:
        """See Ledger."""
        self.log.append(
            "crl",
            issuer=record.issuer,
            partition=record.partition,
            kind=record.kind,
            list_number=record.number,
            digest=digest(encoded),
            this_update=text_of(record.this_update),
            next_update=text_of(record.next_update),
        )
        self._ledger.close_list(record, encoded)

    def settle(self, issuer: str, name: str, value: str) -> str:
        """See Ledger. A property that is new is put on record."""
        known = self.log.entries("property")
        if not any(item.facts.get("issuer") == issuer and item.facts.get("name") == name for item in known):
            self.log.append("property", issuer=issuer, name=name, value=value)
        return self._ledger.settle(issuer, name, value)

    def _act(
        self,
        act: str,
        issuer: str,
        serial: int,
        facts: dict[str, Any],
        do: Callable[[], T],
        payload: bytes | None = None,
    ) -> T:
        """Do one act on one certificate: entry, act, end of the note."""
        with self.log.turn():
            self._settle()
            before = fingerprint(self._ledger.get(issuer, serial))
            facts = {"issuer": issuer, "serial": f"{serial:x}", **facts}
            entry = self.log.begin(act, facts, before, payload)
            try:
                result = do()
            except CertsError as error:
                if fingerprint(self._ledger.get(issuer, serial)) == before:
                    self.log.settle(entry, undone=error.code)
                raise
            with suppress(AuditError):  # the act is done and has its entry; the note is settled with the next act
                self.log.settle(entry)
            return result

    # after a crash ---------------------------------------------------------------------------------------------------
    def _settle(self) -> None:
        """Finish or disown the act of a process that died. The turn is held, so nobody else is in the middle of it."""
        pending = self.log.pending()
        if pending is None:
            return
        entry, facts = pending.entry, pending.entry.facts
        issuer, serial = facts["issuer"], int(facts["serial"], 16)
        undone = None
        if fingerprint(self._ledger.get(issuer, serial)) == pending.before:
            undone = "interrupted"
            try:
                if entry.act == "issued" and pending.payload:
                    self._ledger.issued(issuer, serial, pending.payload)
                    undone = None
                elif entry.act == "revoke":
                    more = {name: moment_of(value) for name, value in facts.items() if name not in _REVOKE}
                    self._ledger.revoke(issuer, serial, moment_of(facts["revoked_at"]), facts["reason"], **more)
                    undone = None
                elif entry.act == "hold":
                    until = moment_of(facts["until"]) if "until" in facts else None
                    self._ledger.hold(issuer, serial, moment_of(facts["revoked_at"]), until=until)
                    undone = None
            except CertsError as error:
                if error.__cause__ is not None:  # the ledger cannot be written: the question stays open
                    raise
                undone = error.code
        self.log.settle(entry, undone=undone)

    # reading ---------------------------------------------------------------------------------------------------------
    def get(self, issuer: str, serial: int) -> Entry | None:
        """See Ledger."""
        return self._ledger.get(issuer, serial)

    def standing(self, issuer: str, serial: int) -> Standing | None:
        """See Ledger."""
        return self._ledger.standing(issuer, serial)

    def entries(self, issuer: str) -> tuple[Entry, ...]:
        """See Ledger."""
        return self._ledger.entries(issuer)

    def revoked(self, issuer: str) -> tuple[tuple[int, datetime, str], ...]:
        """See Ledger."""
        return self._ledger.revoked(issuer)

    def position(self, issuer: str, partition: int | None = None) -> int:
        """See Ledger."""
        return self._ledger.position(issuer, partition)

    def expired_holds(self, issuer: str, at: datetime) -> tuple[int, ...]:
        """See Ledger."""
        return self._ledger.expired_holds(issuer, at)

    def last_list(self, issuer: str, partition: int | None, kind: Kind) -> ListRecord | None:
        """See Ledger."""
        return self._ledger.last_list(issuer, partition, kind)

    def by_application(self, application: str) -> Entry | None:
        """See Ledger."""
        return self._ledger.by_application(application)


def snapshot(ledger: Ledger, issuers: tuple[str, ...]) -> list[tuple[str, dict[str, Any]]]:
    """Return the entries by which a log begins where a ledger is older than it: everything as it stands now."""
    rows = [
        {
            "issuer": entry.issuer,
            "serial": f"{entry.serial:x}",
            "state": entry.state,
            "tbs": digest(entry.tbs),
            "certificate": digest(entry.certificate),
            "revoked_at": text_of(entry.revoked_at) if entry.revoked_at else None,
            "reason": entry.reason,
        }
        for issuer in issuers
        for entry in ledger.entries(issuer)
    ]
    pieces = [rows[i : i + SNAPSHOT] for i in range(0, len(rows), SNAPSHOT)] or [[]]
    return [("snapshot", {"certificates": piece}) for piece in pieces]
