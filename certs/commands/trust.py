"""The bodies of `trust show` and `trust make`."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timedelta
from typing import Any

from certs.certificate import load_certificate, load_certificates
from certs.clock import SystemClock
from certs.commands.console import UsageError, print_json, read_input, secrets_of, write_output
from certs.keys import open_key
from certs.names import printable
from certs.trust.entries import TrustEntry, TrustList, read_moment
from certs.trust.load import parse_list
from certs.trust.signed_list import FORM, build_list, read_list


def trust_show(args: argparse.Namespace) -> int:
    """Say what is in a trust list; it is not trusted by that."""
    made = _read(args.file)
    if args.previous or args.signer:
        if made.form != FORM:
            raise UsageError("only lists of our own have a signer and a predecessor")
        previous = _read(args.previous) if args.previous else None
        made = read_list(read_input(args.file), signers=args.signer, previous=previous)
    if args.json:
        print_json(_facts(made))
        return 0
    sys.stdout.write("\n".join(_lines(made)) + "\n")
    return 0


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
        lines.append("signed by:   not verified; compare the digest with what the publisher says")
    for entry in made.entries:
        purposes = "everything" if entry.purposes is None else ", ".join(sorted(entry.purposes))
        times = " ".join(
            f"{word} {moment.date().isoformat()}"
            for word, moment in (("from", entry.since), ("until", entry.until))
            if moment
        )
        lines.append(f"  {entry.certificate.subject}: {purposes} {times}".rstrip())
    lines += [f"note: {printable(note)}" for note in made.notes]
    return lines
