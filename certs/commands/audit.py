"""The bodies of `ca audit`."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from certs import circle
from certs.audit import checkpoint as checkpoints
from certs.audit import proof as proofs
from certs.audit.verify import Report
from certs.audit.verify import verify as verify_log
from certs.clock import SystemClock
from certs.commands.console import UsageError, print_json, read_input, secrets_of, write_output
from certs.errors import AuditError, KeyNotFound
from certs.trust import TrustStore


def serial_of(text: str) -> int:
    """Return a serial number typed in hexadecimal, with or without colons."""
    try:
        return int(text.replace(":", ""), 16)
    except ValueError as error:
        raise UsageError(f"{text} is no serial number in hexadecimal") from error


def show(args: argparse.Namespace) -> int:
    """Print the entries."""
    log = circle.books(args.directory, SystemClock()).log
    serial = f"{serial_of(args.serial):x}" if args.serial else None
    for entry in log.entries(args.act, serial):
        print(entry.data.decode() if args.json else proofs.sentence(entry))
    return 0


def checkpoint(args: argparse.Namespace) -> int:
    """Sign the state of the log."""
    secrets, clock = secrets_of(args), SystemClock()
    authority = circle.load(args.directory, secrets, clock)
    signers = [circle.auditor(args.directory, authority, secrets)]
    signers += [circle.auditor(other, circle.load(other, secrets, clock), secrets) for other in args.also]
    stamp = None
    if not args.no_time_stamp:
        with contextlib.suppress(KeyNotFound):  # made without a time-stamping authority
            stamp = circle.timestamper(args.directory, authority, secrets, clock).stamp
    log = circle.log_of(authority)
    assert log is not None
    encoded = checkpoints.make(log, signers, clock.now(), stamp=stamp)
    write_output(args.output, encoded)
    if args.output not in (None, "-"):
        made = checkpoints.parse(encoded)
        stamped = "time-stamped" if made.stamped_at else "without a time-stamp"
        print(f"{args.output}: {made.size} entries, root {made.root.hex()}, {', '.join(made.verify())}, {stamped}")
    return 0


def verify(args: argparse.Namespace) -> int:
    """Say whether the log is whole; exit 1 where it is not."""
    books = circle.books(args.directory, SystemClock())
    store = books.store
    if args.trust:
        other = TrustStore.load(args.trust)
        store = store.with_(other.anchors)
    names = [*map(str, circle.checkpoints_beside(args.directory)), *args.checkpoint]
    files = [(name, read_input(name)) for name in names]
    report = verify_log(
        books.log,
        ledger=books.ledger,
        issuers=books.issuers,
        checkpoints=files,
        store=store,
        expected_log=books.expected_log,
        archive=Path(args.directory) / circle.APPLICATIONS,
    )
    if args.json:
        print_json(
            {
                "good": report.good,
                "entries": report.size,
                "root": report.root.hex(),
                "checkpoints": report.checkpoints,
                "findings": [
                    {"kind": item.kind, "entry": item.number, "message": item.message} for item in report.findings
                ],
                "notes": report.notes,
            }
        )
    else:
        _print(report)
    return 0 if report.good else 1


def _print(report: Report) -> None:
    for finding in report.findings:
        print(f"WRONG  {finding}")
    for note in report.notes:
        print(f"note   {note}")
    verdict = "whole" if report.good else "NOT whole"
    print(f"the log is {verdict}: {report.size} entries, {report.checkpoints} checkpoints, root {report.root.hex()}")


def prove(args: argparse.Namespace) -> int:
    """Write a proof."""
    if (args.serial is None) == (args.since is None):
        raise UsageError(
            "which entries are to be proven is not said",
            hint="give a serial number (sealroad ca list DIR shows them) or --since CHECKPOINT",
        )
    log = circle.books(args.directory, SystemClock()).log
    if args.since:
        data = proofs.prove_consistency(log, checkpoints.parse(read_input(args.since)).size)
    else:
        data = proofs.prove_inclusion(log, serial_of(args.serial))
    write_output(args.output, data, inputs=[args.since] if args.since else [])
    return 0


def check(args: argparse.Namespace) -> int:
    """Check a proof without the log."""
    store = TrustStore.load(args.trust) if args.trust else None
    files = [checkpoints.parse(read_input(name)) for name in (args.checkpoint, args.since) if name]
    for item in files:
        if store is not None:
            item.signers(store)
        else:
            item.verify()
    sentences = proofs.check(read_input(args.proof), files[0], files[1:])
    for sentence in sentences:
        print(sentence)
    signer = files[0].signatures[0].signers[0].certificate
    if signer is None:
        raise AuditError("the checkpoint has no signer's certificate")
    print(
        f"proven by the checkpoint of {files[0].size} entries at {files[0].at:%Y-%m-%dT%H:%M:%SZ}, by {signer.subject}"
    )
    if store is None:
        print("nobody vouches for that signer: give the root with --trust")
    return 0
