"""The bodies of `sealroad trust`: show, verify, pin, update, accept, make."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from certs.certificate import load_certificate, load_certificates
from certs.clock import SystemClock
from certs.commands.console import UsageError, print_json, read_input, secrets_of, write_output
from certs.errors import TrustListError
from certs.fetch import HTTPFetcher
from certs.keys import open_key
from certs.names import printable
from certs.trust import directory
from certs.trust.entries import TrustEntry, TrustList, read_moment
from certs.trust.load import check_current, parse_list, signers_named
from certs.trust.signed_list import FORM, build_list

MAX_LIST = 16 * 1024 * 1024
PATIENCE = 60.0
"""Seconds for one list."""


def trust_show(args: argparse.Namespace) -> int:
    """Say what is in a trust list, or in a directory of lists; it is not trusted by that."""
    if Path(args.file).is_dir():
        return _show_directory(args)
    signers = _signers(args.signer)
    previous = _read(args.previous) if args.previous else None
    if previous is not None and previous.form != FORM:
        raise UsageError("only lists of our own have a predecessor")
    made = parse_list(read_input(args.file), signers=signers, previous=previous)
    if args.json:
        print_json(_facts(made))
        return 0
    sys.stdout.write("\n".join(_lines(made)) + "\n")
    return 0


def trust_verify(args: argparse.Namespace) -> int:
    """Check that a list is signed by one of --signer, current, and not older than --not-before."""
    signers = _signers(args.signer)
    if signers is None:
        raise UsageError("say who may sign it", hint="--signer FILE, or the fingerprint that 'trust show' prints")
    now = SystemClock().now()
    made = parse_list(read_input(args.file), signers=signers, now=now)
    check_current(made, args.file, now)
    if args.not_before is not None and (made.sequence is None or made.sequence < args.not_before):
        raise TrustListError(f"list no. {made.sequence} is older than no. {args.not_before}", reason="sequence")
    assert made.signer is not None
    print(f"{printable(made.name)} no. {made.sequence}: signed by {made.signer.subject}; {_next(made, now)}")
    return 0


def trust_pin(args: argparse.Namespace) -> int:
    """Make a directory of lists, or change whose signature counts in it."""
    state = directory.pin(args.directory, _signers(args.signer) or (), source=args.source)
    print(f"{args.directory}: {len(state.signers)} signers, fetched from {state.source or 'nowhere'}")
    return 0


def trust_update(args: argparse.Namespace) -> int:
    """Fetch the lists of a directory; exit 1 where one could not be fetched or does not hold."""
    fetch = HTTPFetcher(timeout=PATIENCE, max_size=MAX_LIST, allow_private=args.allow_private)
    return _report(directory.update(args.directory, fetch, SystemClock().now(), territories=args.only))


def trust_accept(args: argparse.Namespace) -> int:
    """Take files into a directory of lists; exit 1 where one does not hold."""
    return _report(directory.accept(args.directory, map(read_input, args.files), SystemClock().now()))


def trust_make(args: argparse.Namespace) -> int:
    """Make a signed list; entries of the previous one stay unless they are removed."""
    previous = _read(args.previous) if args.previous else None
    if previous is not None and previous.form != FORM:
        raise UsageError("a list follows on a list of our own only")
    name, issuer = args.name or (previous and previous.name), args.issuer or (previous and previous.issuer)
    if not name or not issuer:
        raise UsageError("a new list needs --list and --issuer")
    removed = {item.lower().replace(":", "") for item in args.remove}
    entries = [item for item in previous.entries if item.certificate.fingerprint() not in removed] if previous else []
    for file in args.certificates:
        entries += (
            TrustEntry(
                certificate,
                "",
                frozenset(args.purpose) if args.purpose else None,
                _moment(args.since),
                _moment(args.until),
                assurance=args.assurance,
            )
            for certificate in load_certificates(read_input(file))
        )
    if args.days <= 0:
        raise UsageError("--days must be positive")
    now = SystemClock().now()
    text = build_list(
        name,
        issuer,
        entries,
        open_key(args.key, secrets_of(args)),
        load_certificate(read_input(args.certificate)),
        sequence=(previous.sequence or 0) + 1 if previous else 1,
        issued=now,
        next_update=now + timedelta(days=args.days),
    )
    write_output(args.output, text, inputs=[args.key, args.certificate, *args.certificates])
    return 0


def _read(name: str) -> TrustList:
    return parse_list(read_input(name))


def _signers(given: list[str]) -> frozenset[str] | None:
    return frozenset().union(*map(signers_named, given)) if given else None


def _report(outcomes: list[directory.Outcome]) -> int:
    for item in outcomes:
        number = "" if item.sequence is None else f" no. {item.sequence}"
        print(f"{printable(item.territory)}{number}: {item.status}; {printable(item.detail)}")
    return 0 if all(item.status in ("accepted", "unchanged") for item in outcomes) else 1


def _next(made: TrustList, now: datetime) -> str:
    """Say how long the list may still be used."""
    if made.next_update is None:
        return "says of no next list"
    return f"to be replaced on {made.next_update.date().isoformat()}, in {(made.next_update - now).days} days"


def _show_directory(args: argparse.Namespace) -> int:
    state = directory.read_state(args.file)
    now = SystemClock().now()
    lists, skipped = directory.load(args.file, now)
    if args.json:
        facts = [_facts(made) for made in lists]
        print_json({"signers": sorted(state.signers), "source": state.source, "lists": facts, "skipped": skipped})
        return 0
    print(f"source:      {printable(state.source) or 'none'}")
    for fingerprint in sorted(state.signers):
        print(f"signer:      {fingerprint}")
    for made in lists:
        print(f"  {printable(made.name)} no. {made.sequence}: {len(made.entries)} services; {_next(made, now)}")
    for reason in skipped:
        print(f"not used:    {printable(reason)}")
    return 0


def _moment(text: str | None) -> datetime | None:
    moment = read_moment(text)
    if text and moment is None:
        raise UsageError(f"{text} is no moment", hint="for example 2026-11-21 or 2026-11-21T10:00:00Z")
    return moment


def _facts(made: TrustList) -> dict[str, Any]:
    return {
        "form": made.form,
        "list": made.name,
        "issuer": made.issuer,
        "sequence": made.sequence,
        "issued": made.issued and made.issued.isoformat(),
        "next_update": made.next_update and made.next_update.isoformat(),
        "sha256": made.sha256,
        "signer": made.signer
        and {"subject": made.signer.subject, "sha256": made.signer.fingerprint(), "suite": made.signer.suite_name},
        "entries": [
            {
                "subject": entry.certificate.subject,
                "sha256": entry.certificate.fingerprint(),
                "suite": entry.certificate.suite_name,
                "purposes": None if entry.purposes is None else sorted(entry.purposes),
                "from": entry.since and entry.since.isoformat(),
                "until": entry.until and entry.until.isoformat(),
                "service": entry.service,
                "assurance": entry.assurance,
            }
            for entry in made.entries
        ],
        "lists": [
            {"territory": item.territory, "location": item.location, "signers": sorted(item.signers)}
            for item in made.pointers
        ],
        "notes": list(made.notes),
    }


def _lines(made: TrustList) -> list[str]:
    facts = _facts(made)
    lines = [f"{key + ':':12} {printable(str(facts[key]))}" for key in ("form", "list", "issuer", "sequence", "issued")]
    lines += [f"next update: {facts['next_update'] or 'not stated'}", f"sha256:      {made.sha256}"]
    if made.signer is not None:
        lines.append(
            f"signed by:   {made.signer.subject} ({made.signer.suite_name}), SHA-256 {made.signer.fingerprint()}"
        )
    else:
        lines.append("signed by:   not verified; name its --signer, or compare the digest with what the publisher says")
    for entry in made.entries:
        purposes = "everything" if entry.purposes is None else ", ".join(sorted(entry.purposes))
        times = " ".join(
            f"{word} {moment.date().isoformat()}"
            for word, moment in (("from", entry.since), ("until", entry.until))
            if moment
        )
        lines.append(f"  {entry.certificate.subject}: {purposes} {times}".rstrip())
    lines += [
        f"  {printable(item.territory)}: {printable(item.location)}, {len(item.signers)} signers"
        for item in made.pointers
    ]
    lines += [f"note: {printable(note)}" for note in made.notes]
    return lines
