"""Whether a log is whole: every entry, every checkpoint, and the ledger it speaks of.

    report = verify(log, ledger=ledger, issuers=(root.id, issuing.id), checkpoints=files, store=store)
    report.good, report.findings, report.notes

The steps, numbered at the code:

 1. the entries are numbered without a gap, canonical, and found under their own act, serial and leaf hash
 2. every entry has the leaf hash of the one before it
 3. the acts on each certificate are in an order that can be, and what was taken back was the last act
 4. the ledger holds what the entries say, no more and no less
 5. every checkpoint is signed by an audit key of the authority, and the log's first entries have its root; none is of a
    longer log, of another log, or says for one size what another says differently
 6. every checkpoint names the one before it, and none that an entry tells of is missing
 7. the dossier of every application that was issued is kept, and is the one that was approved

What nobody can see from inside: a tail cut off together with its certificates and checkpoints. For that a checkpoint
must be kept elsewhere and given here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from certs.application import parse as parse_dossier
from certs.audit import tree
from certs.audit.checkpoint import Checkpoint, parse
from certs.audit.log import NOTHING, AuditLog, LogEntry, parse_entry
from certs.audit.replay import Finding, Replay
from certs.errors import CertsError, MalformedInput
from certs.ledger import Ledger
from certs.trust import TrustStore

__all__ = ["Finding", "Report", "verify"]

MAX_FINDINGS = 100


@dataclass
class Report:
    """What was found."""

    size: int = 0
    root: bytes = tree.EMPTY
    checkpoints: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What an auditor may want to look at and that is no fault: acts that were interrupted, a clock that went back."""

    @property
    def good(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify(
    log: AuditLog,
    *,
    ledger: Ledger | None = None,
    issuers: Sequence[str] = (),
    checkpoints: Iterable[tuple[str, bytes]] = (),
    store: TrustStore | None = None,
    expected_log: str | None = None,
    archive: Path | None = None,
) -> Report:
    """Check a log; see the module's list of steps. `checkpoints` are name and octets of files kept elsewhere.

    Without `store` signatures are checked and signers are not. `expected_log` is the name the authority knows its log
    by, `archive` the directory where the dossiers of applications are. Raises AuditError where the log cannot be read.
    """
    report = Report()
    with log.turn():  # no act is under way, so the log and the ledger must agree
        rows, stored = log.rows(), log.checkpoints()
        entries = _entries(rows, report)
        replay = Replay()
        for entry in entries:
            replay.add(entry)
        if log.pending() is not None:
            report.notes.append("an act was interrupted; it is settled when the authority is next opened")
        elif ledger is not None:
            replay.compare(ledger, issuers)  # 4
    report.findings += replay.findings  # 3
    report.notes += [*replay.notes, *replay.open_batches()]
    if archive is not None:
        report.findings += _dossiers(entries, archive)  # 7
    leaves = [tree.leaf_hash(bytes(row[3])) for row in rows]
    if expected_log is not None and leaves and leaves[0].hex() != expected_log:
        report.findings.append(Finding("fork", "this is not the log the authority began with", 0))
    report.size, report.root = len(leaves), tree.root(leaves)
    named = [(f"stored checkpoint {number}", data) for number, data in enumerate(stored, 1)]
    _checkpoints([*named, *checkpoints], len(named), leaves, store, report)
    kept = {sha256(data).hexdigest() for data in stored}
    for entry in entries:
        if entry.act == "checkpoint" and entry.facts.get("file") not in kept:
            report.findings.append(Finding("removed", "the checkpoint it tells of is not kept as it was", entry.number))
    if len(report.findings) > MAX_FINDINGS:
        report.notes.append(f"{len(report.findings) - MAX_FINDINGS} more findings are not shown")
        del report.findings[MAX_FINDINGS:]
    return report


def _entries(rows: Sequence[tuple[int, str, str | None, bytes, bytes]], report: Report) -> list[LogEntry]:
    """Check rows and chain (1, 2); return the entries that can be read."""
    entries: list[LogEntry] = []
    previous, expected = NOTHING, 0
    moment = None
    for number, act, serial, data, leaf in rows:
        computed = tree.leaf_hash(data)
        if number != expected:
            gap = f"entry {expected}" if number == expected + 1 else f"entries {expected} to {number - 1}"
            report.findings.append(Finding("removed", f"{gap} missing before this one", number))
        try:
            entry = parse_entry(data)
        except MalformedInput as error:
            report.findings.append(Finding("altered", f"cannot be read: {error}", number))
        else:
            entries.append(entry)
            if entry.number != number:
                report.findings.append(Finding("reordered", f"was written as entry {entry.number}", number))
            if (entry.act, entry.serial) != (act, serial):
                report.findings.append(Finding("altered", "is filed under another act or serial number", number))
            if entry.previous != previous and number == expected:
                message = "does not follow from the entry before it: one of the two was altered, inserted or moved"
                report.findings.append(Finding("altered", message, number))
            if moment is not None and entry.at < moment:
                report.notes.append(f"the clock went back before entry {number}")
            moment = entry.at
        if computed != bytes(leaf):
            report.findings.append(Finding("altered", "its octets are not those that were written", number))
        previous, expected = computed.hex(), number + 1
    if not rows:
        report.findings.append(Finding("truncated", "the log is empty"))
    return entries


def _dossiers(entries: Sequence[LogEntry], archive: Path) -> Iterator[Finding]:
    for entry in entries:
        if entry.act != "application":
            continue
        digest = str(entry.facts.get("application"))
        try:
            dossier = parse_dossier((archive / f"{digest}.json").read_bytes())
        except (OSError, CertsError):
            yield Finding("dossier", f"the dossier of application {digest} is missing or cannot be read", entry.number)
            continue
        approvals = [sha256(item).hexdigest() for item in dossier.approvals]
        if dossier.application.digest != digest or approvals != entry.facts.get("approvals"):
            yield Finding("dossier", f"the dossier of application {digest} is another than was approved", entry.number)


def _checkpoints(
    files: Sequence[tuple[str, bytes]],
    stored: int,
    leaves: Sequence[bytes],
    store: TrustStore | None,
    report: Report,
) -> None:
    """Check the checkpoints against the log and one another (5, 6)."""
    read: list[tuple[bool, str, Checkpoint]] = []
    previous: str | None = None
    for number, (name, data) in enumerate(files):
        try:
            checkpoint = parse(data)
            checkpoint.verify() if store is None else checkpoint.signers(store)
        except CertsError as error:
            report.findings.append(Finding("signature", f"{name}: {error}"))
            continue
        report.checkpoints += 1
        read.append((number < stored, name, checkpoint))
        if number < stored:
            if checkpoint.previous != previous:
                report.findings.append(Finding("fork", f"{name} does not follow the checkpoint before it"))
            previous = checkpoint.digest
    own = leaves[0].hex() if leaves else None
    known = [checkpoint.digest for is_stored, _, checkpoint in read if is_stored]
    roots = tree.roots(leaves, {checkpoint.size for _, _, checkpoint in read})
    seen: dict[int, tuple[str, Checkpoint]] = {}
    good_until = 0
    for is_stored, name, checkpoint in sorted(read, key=lambda item: item[2].size):
        size = checkpoint.size
        first, twin = seen.setdefault(size, (name, checkpoint))
        if checkpoint.log != own:
            report.findings.append(Finding("fork", f"{name} is of another log, {checkpoint.log[:16]}…"))
        elif twin.root != checkpoint.root:
            report.findings.append(Finding("fork", f"{name} and {first} tell two different logs of {size} entries"))
        elif size > len(leaves):
            message = f"{name} is of {size} entries, the log has {len(leaves)}: the tail is missing"
            report.findings.append(Finding("truncated", message, len(leaves)))
        elif roots[size] != checkpoint.root:
            message = f"the log is not the one of {name}: an entry from {good_until} to {size - 1} is another"
            report.findings.append(Finding("fork", message, good_until))
        elif not is_stored and checkpoint.digest not in known:
            report.findings.append(Finding("fork", f"{name} is not among the checkpoints the log has made"))
        else:
            good_until = size
