"""The bodies of `key destroy`, `split`, `recover`, `rewrap` and of `ca ceremony`."""

from __future__ import annotations

import argparse
import getpass
import sys
from dataclasses import asdict
from pathlib import Path

from certs import circle, files
from certs.audit.log import AuditLog
from certs.ceremony import (
    Officer,
    Script,
    add_signature,
    approve,
    parse_script,
    run,
)
from certs.ceremony_record import verify
from certs.certificate import Certificate, load_certificates
from certs.clock import SystemClock
from certs.commands.console import UsageError, first_line, print_json, read_input, secrets_of, write_output
from certs.errors import CeremonyError, CertsError, KeyStoreError, MalformedInput
from certs.keys import open_key, split_uri
from certs.keys.base import Secrets
from certs.keys.destruction import Destroyed, destroy, identify, state


# key -----------------------------------------------------------------------------------------------------------------
def key_destroy(args: argparse.Namespace) -> int:
    """Destroy a key, and keep a record of it: a signed statement, an entry in a circle's audit log, or both.

    With --statement, "started" is signed before and replaced by "done" afterwards. The log is that of --audit, or of
    the circle in whose directory the key lies; its entries are written before and after, too.
    """
    secrets, clock = secrets_of(args), SystemClock()
    store, suite, identifier = identify(args.key, secrets)
    if (args.statement is None) != (not args.officer) or len(args.officer) > 1:
        raise UsageError("a statement needs one officer who signs it", hint="give --statement and --officer")
    officer = _officers(args, secrets)[0] if args.officer else None
    log = _log_for(args)
    if not args.yes and not _agrees(f"destroy {suite} key {identifier} in {store}"):
        raise KeyStoreError("nothing was destroyed")
    if officer is not None:
        if Path(args.statement).exists():
            raise UsageError(f"{args.statement} exists", hint="choose another name")
        before = Destroyed(store, suite, identifier, "about to be destroyed", "")
        _state(args, officer, before, "started")
    if log is not None:
        log.append("key-destroy-intent", key=identifier, suite=suite, store=store, why=args.reason)
    done = destroy(args.key, secrets, expect=args.expect or identifier)
    if log is not None:
        log.append("key-destroyed", key=identifier, suite=suite, how=done.done)
    if officer is not None:
        text = state(done, officer.key, officer.certificate, at=clock.now(), reason=args.reason)
        write_output(args.statement, text)
    print(f"{done.suite} key {done.key_identifier}: {done.done}")
    if done.limits:
        print(f"note: {done.limits}")
    if log is None and officer is None:
        print("note: no record was kept; --statement and --audit keep one")
    return 0


def _log_for(args: argparse.Namespace) -> AuditLog | None:
    """Return the log in which the destruction is put on record, or None."""
    from certs.keys.sealed_files import split_rest

    scheme, rest = split_uri(args.key)
    place = None
    if args.audit is not None:
        place = Path(args.audit)
    elif scheme != "pkcs11":
        path = split_rest(rest)[0] if scheme == "sealed" else Path(rest)
        place = next((each for each in (path.parent, path.resolve().parent) if (each / "circle.json").exists()), None)
    return None if place is None else circle.books(place, SystemClock()).log


def _state(args: argparse.Namespace, officer: Officer, facts: Destroyed, word: str) -> None:
    at = SystemClock().now()
    signed = state(
        facts,
        officer.key,
        officer.certificate,
        at=at,
        reason=args.reason,
        state="started" if word == "started" else "done",
    )
    write_output(args.statement, signed)


def key_split(args: argparse.Namespace) -> int:
    """Split a key-encryption key; every share goes into a file of its own."""
    from certs.keys.kek import KeyProvider, open_provider
    from certs.keys.shares import split

    provider = open_provider(args.kek)
    if not isinstance(provider, KeyProvider):
        raise UsageError("only a key in a file or the environment can be split")
    place = Path(args.output_dir)
    shares = split(provider.secret(), threshold=args.threshold, count=args.shares)
    try:
        place.mkdir(mode=0o700)
        for number, share in enumerate(shares, 1):
            files.write(place / f"share-{number}.txt", share.encode() + b"\n", mode=0o600, replace=False)
    except OSError as error:
        raise KeyStoreError(f"{place} cannot be written: {error.strerror}", hint="name a new directory") from error
    print(f"{place}: {args.shares} shares of key {provider.id.hex()}, {args.threshold} are needed")
    print("give each to another person, on paper or its own medium, and destroy these files: sealroad has no copy")
    return 0


def key_recover(args: argparse.Namespace) -> int:
    """Make a key-encryption key out of shares, from files or typed in."""
    from certs.keys.kek import key_check
    from certs.keys.shares import recover

    if Path(args.output).exists():
        raise KeyStoreError(f"{args.output} exists", hint="choose another name or remove the file yourself")
    shares = [_text(read_input(name), name) for name in args.share] if args.share else _typed_shares()
    key = recover(shares)
    name = key_check(key).hex()
    if args.expect is not None and args.expect.lower() != name:
        raise KeyStoreError(f"the shares are of key {name}, not of {args.expect}", hint="nothing was written")
    try:
        files.write(args.output, key.hex().encode() + b"\n", mode=0o600, replace=False)
    except OSError as error:
        raise KeyStoreError(f"{args.output} cannot be written: {error.strerror}") from error
    print(f"{args.output}: key {name}")
    return 0


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MalformedInput(f"{name} is no text") from error


def _typed_shares() -> list[str]:
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask for shares", hint="give each with --share FILE")
    shares: list[str] = []
    while line := getpass.getpass(f"share {len(shares) + 1} (empty: that was all): ").strip():
        shares.append(line)
    return shares


def key_rewrap(args: argparse.Namespace) -> int:
    """Put sealed keys under another key-encryption key; run again, it takes up what is left."""
    from certs.keys.kek import open_provider
    from certs.keys.sealed_files import rewrap

    secrets = secrets_of(args)

    def ask_new(name: str) -> bytes:
        if args.new_password_file is not None:
            return first_line(read_input(args.new_password_file))
        return secrets(f"new {name}")

    old = open_provider(args.old, secrets, name="the sealed keys")
    new = open_provider(args.new, ask_new, name="the sealed keys", make=True)
    done = sum(rewrap(name, old, new) for name in args.files)
    print(f"{done} of {len(args.files)} rewrapped, {len(args.files) - done} were under the new key already")
    return 0


# ca ceremony ---------------------------------------------------------------------------------------------------------
def _script(name: str) -> Script:
    return parse_script(_text(read_input(name), name))


def _officers(args: argparse.Namespace, secrets: Secrets) -> list[Officer]:
    if not args.officer:
        raise UsageError("no officer is named", hint="--officer KEY, and --officer-cert FILE where it is not beside it")
    if len(args.officer_cert) not in (0, len(args.officer)):
        raise UsageError("each --officer needs its --officer-cert, in the same order")
    found = []
    for number, uri in enumerate(args.officer):
        key = open_key(uri, secrets)
        name = args.officer_cert[number] if args.officer_cert else uri.removeprefix("file:")
        found.append(Officer(key, _certificate_of(key.public_key.spki, name)))
    return found


def _certificate_of(spki: bytes, name: str) -> Certificate:
    try:
        bundle = load_certificates(read_input(name))
    except CertsError as error:
        raise UsageError(f"{name} holds no certificate of the officer", hint="give it with --officer-cert") from error
    for certificate in bundle:
        if certificate.public_key().spki == spki:
            return certificate
    raise UsageError(f"no certificate in {name} is of the officer's key")


def _agrees(text: str) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(f"there is no terminal to confirm: {text}", hint="add --yes where that is meant")
    return input(f"{text}\ntype yes to confirm: ").strip().lower() == "yes"


def ceremony_check(args: argparse.Namespace) -> int:
    """Print what a script does and its hash."""
    script = _script(args.script)
    print(f"{script.act}: {script.title}")
    print(f"script SHA-256 {script.digest}")
    names = ", ".join(seat.name for seat in script.officers)
    print(f"{script.threshold} of {len(script.officers)} officers ({names}), until {script.not_after.isoformat()}")
    for name, value in script.parameters.items():
        print(f"  {name} = {value}")
    return 0


def ceremony_approve(args: argparse.Namespace) -> int:
    """Approve a script from elsewhere."""
    script = _script(args.script)
    officers = _officers(args, secrets_of(args))
    if len(officers) != 1:
        raise UsageError("an approval is of one officer")
    name = script.seat_of(officers[0].certificate).name
    if not args.yes and not _agrees(f"{name}: approve {script.act} {script.title!r}, script SHA-256 {script.digest}"):
        raise CeremonyError(f"{name} did not approve")
    write_output(args.output, approve(script, officers[0], SystemClock().now()), inputs=[args.script])
    print(f"{args.output}: {name} approves script {script.digest}")
    return 0


def ceremony_run(args: argparse.Namespace) -> int:
    """Execute a script with the officers present."""
    script = _script(args.script)
    secrets = secrets_of(args)
    target = args.transcript or f"{args.script}.transcript"
    print(f"script SHA-256 {script.digest}")

    def confirm(name: str, what: str) -> bool:
        if args.yes:
            print(f"{name}: {what}")
            return True
        return _agrees(f"{name}: {what}")

    run(
        script,
        _officers(args, secrets),
        [read_input(name) for name in args.approval],
        secrets=secrets,
        clock=SystemClock(),
        confirm=confirm,
        path=target,
    )
    print(f"{target}: {script.act} {script.title!r} done")
    return 0


def ceremony_sign(args: argparse.Namespace) -> int:
    """Add a signature to a transcript."""
    transcript = read_input(args.transcript)
    for officer in _officers(args, secrets_of(args)):
        transcript = add_signature(transcript, officer, SystemClock().now())
    files.write(args.transcript, transcript)
    print(f"{args.transcript}: signed")
    return 0


def ceremony_verify(args: argparse.Namespace) -> int:
    """Check a transcript."""
    expected = _script(args.script).digest if args.script else None
    found = verify(read_input(args.transcript), script_sha256=expected, base=args.outputs or ".")
    if args.json:
        print_json(asdict(found))
        return 0
    print(f"{args.transcript}: {found.act} {found.title!r}, {found.state}")
    print(f"script SHA-256 {found.script_sha256}")
    print(f"approved by {', '.join(found.approved_by)}; signed by {', '.join(found.signed_by)}")
    for name, digest in found.outputs:
        print(f"  {digest}  {name}{'  (not here)' if name in found.missing else ''}")
    return 0
