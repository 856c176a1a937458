"""What the log says the ledger must hold: the entries read from the beginning, one certificate at a time.

replay = Replay()
for entry in log.entries():
    replay.add(entry)
replay.compare(ledger, issuers)
replay.findings          # acts out of order, certificates without entries, entries without certificates
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from certs.audit.ledger import digest
from certs.audit.log import LogEntry, text_of
from certs.ledger import Entry, Ledger

HOLD = "certificateHold"
LEDGER_ACTS = frozenset({"prepare", "claim", "issued", "revoke", "hold", "release"})


@dataclass(frozen=True)
class Finding:
    """Something that must not be."""

    kind: str
    """altered, removed, inserted, reordered, truncated, fork, signature, act, ledger."""
    message: str
    number: int | None = None
    """The entry it is about."""

    def __str__(self) -> str:
        place = "" if self.number is None else f"entry {self.number}: "
        return f"{place}{self.message} ({self.kind})"


@dataclass(frozen=True)
class _Record:
    """One certificate as the entries tell it."""

    number: int
    """The last entry about it."""
    state: str
    tbs: str | None
    certificate: str | None = None
    revoked_at: str | None = None
    reason: str | None = None
    application: str | None = None
    claimed: bool = False


Key = tuple[str, str]


class Replay:
    """The state machine of the ledger, driven by entries."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self._records: dict[Key, _Record] = {}
        self._applications: dict[str, int] = {}
        self._last: tuple[int, Key, _Record | None] | None = None
        """The last act on a certificate, and how it was before: what "not-done" takes back."""
        self._batches: dict[Any, LogEntry] = {}

    def add(self, entry: LogEntry) -> None:
        """Read the next entry."""
        if entry.act in LEDGER_ACTS:
            self._act(entry)
        elif entry.act == "not-done":
            self._take_back(entry)
        elif entry.act == "snapshot":
            self._snapshot(entry)
        elif entry.act == "key-use-intent":
            self._batches[entry.number] = entry
        elif entry.act == "key-used":
            batch = self._batches.pop(entry.facts.get("of"), None)
            if batch is None or not 0 <= _count(entry, "signatures") <= _count(batch, "at_most"):
                self._complain(entry, "ends a batch that was not begun, or counts more than it announced")

    def _complain(self, entry: LogEntry, message: str) -> None:
        self.findings.append(Finding("act", message, entry.number))

    def _act(self, entry: LogEntry) -> None:
        if entry.issuer is None or entry.serial is None:
            self._complain(entry, f"{entry.act} of no certificate")
            return
        key = (entry.issuer, entry.serial)
        before = self._records.get(key)
        self._last = (entry.number, key, before)
        after = self._next(entry, before)
        if after is None:
            # may be what the ledger refused; then "not-done" follows and takes it back
            after = replace(before, number=-1 - entry.number) if before else None
            finding = Finding("act", f"{entry.act} of {entry.serial}, which was {_state(before)}", entry.number)
            self.findings.append(finding)
        elif entry.act == "prepare" and after.application:
            self._applications.setdefault(after.application, entry.number)
        if after is not None:
            self._records[key] = after

    def _next(self, entry: LogEntry, before: _Record | None) -> _Record | None:
        """Return the record after the act, or None where it was not allowed."""
        facts, number = entry.facts, entry.number
        if entry.act == "prepare":
            application = facts.get("application")
            if before is not None or application in self._applications:
                return None
            return _Record(number, "prepared", facts.get("tbs"), application=application)
        if before is None:
            return None
        held = before.state == "revoked" and before.reason == HOLD
        if entry.act == "claim" and before.state == "prepared" and facts.get("tbs") == before.tbs:
            return replace(before, number=number, state="signing", claimed=True)
        if entry.act == "issued" and before.claimed and before.certificate is None:
            state = "issued" if before.state == "signing" else before.state
            return replace(before, number=number, state=state, certificate=facts.get("certificate"))
        if entry.act in ("revoke", "hold") and (before.state != "revoked" or (held and entry.act == "revoke")):
            at, reason = str(facts.get("revoked_at")), facts.get("reason", HOLD)
            if held and before.revoked_at:
                at = min(at, before.revoked_at)
            return replace(before, number=number, state="revoked", revoked_at=at, reason=reason)
        if entry.act == "release" and held:
            state = "issued" if before.certificate else "signing"
            return replace(before, number=number, state=state, revoked_at=None, reason=None)
        return None

    def _take_back(self, entry: LogEntry) -> None:
        last, of = self._last, entry.facts.get("of")
        if last is None or last[0] != of:
            self._complain(entry, f"takes back entry {of}, which is not the last act on a certificate")
            return
        number, key, before = last
        self.findings = [item for item in self.findings if item.number != number or item.kind != "act"]
        if before is None:
            self._records.pop(key, None)
        else:
            self._records[key] = before
        self._applications = {name: at for name, at in self._applications.items() if at != number}
        self.notes.append(f"entry {number} was not done: {entry.facts.get('why')}")
        self._last = None

    def _snapshot(self, entry: LogEntry) -> None:
        rows: Any = entry.facts.get("certificates")
        for row in rows if isinstance(rows, list) else []:
            if not isinstance(row, dict):
                continue
            key = (str(row.get("issuer")), str(row.get("serial")))
            if key in self._records:
                self._complain(entry, f"the snapshot names {key[1]} again")
            state = str(row.get("state"))
            self._records[key] = _Record(
                entry.number,
                state,
                row.get("tbs"),
                row.get("certificate"),
                row.get("revoked_at"),
                row.get("reason"),
                claimed=state != "prepared",
            )

    def open_batches(self) -> list[str]:
        """Return a sentence for every batch of signatures that was begun and not counted."""
        return [
            f"entry {number}: a batch of at most {entry.facts.get('at_most')} signatures "
            f"({entry.facts.get('purpose')}) was not counted: it is still open, or its process died"
            for number, entry in self._batches.items()
        ]

    # the ledger ------------------------------------------------------------------------------------------------------
    def compare(self, ledger: Ledger, issuers: Iterable[str]) -> None:
        """Compare with the ledger, both ways."""
        seen: set[Key] = set()
        for issuer in dict.fromkeys((*issuers, *(key[0] for key in self._records))):
            for entry in ledger.entries(issuer):
                key = (entry.issuer, f"{entry.serial:x}")
                seen.add(key)
                self._compare_one(entry, self._records.get(key))
        for key, record in self._records.items():
            if key not in seen:
                number = record.number if record.number >= 0 else None
                self.findings.append(Finding("ledger", f"certificate {key[1]} is not in the ledger", number))

    def _compare_one(self, entry: Entry, record: _Record | None) -> None:
        serial = f"{entry.serial:x}"
        if record is None:
            self.findings.append(Finding("ledger", f"certificate {serial} ({entry.state}) has no entry in the log"))
            return
        revoked_at = text_of(entry.revoked_at) if entry.revoked_at else None
        for what, found, expected in (
            ("is", entry.state, record.state),
            ("has a to-be-signed part with digest", digest(entry.tbs), record.tbs),
            ("has a certificate with digest", digest(entry.certificate), record.certificate),
            ("was revoked at", revoked_at, record.revoked_at),
            ("was revoked for", entry.reason, record.reason),
            ("was for application", entry.application, record.application),
        ):
            if found != expected:
                message = f"certificate {serial} {what} {found} in the ledger, and {expected} in the log"
                self.findings.append(Finding("ledger", message, max(record.number, -1 - record.number)))


def _count(entry: LogEntry, name: str) -> int:
    value = entry.facts.get(name)
    return value if isinstance(value, int) else -1


def _state(record: _Record | None) -> str:
    return "not on record" if record is None else record.state
