"""The bodies of `key`, `ca`, `tsa`, `ocsp`, `inspect` and `doctor`."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

from certs import circle, extensions, oids, suites
from certs.ca import Authority, ClosedCircle
from certs.certificate import load_certificate
from certs.clock import SystemClock
from certs.commands.console import UsageError, moment_of, print_json, read_input, secrets_of, write_output
from certs.describe import as_text, describe
from certs.errors import BackendFault, KeyStoreError, UnsupportedAlgorithm
from certs.keys import KeyHandle, Secrets, generate_key, open_key
from certs.keys import file as key_file
from certs.keys.base import decrypting
from certs.pem import armor
from certs.signed_data import certificate_bundle
from certs.status import ListPolicy
from certs.suites import content
from certs.suites.backends import LastResortWarning
from certs.suites.base import no_encryption
from certs.time_source import time_source_named


# key -----------------------------------------------------------------------------------------------------------------
def key_generate(args: argparse.Namespace) -> int:
    """Make a key pair and write it encrypted."""
    if (args.output is None) == (args.key is None):
        raise UsageError("where does the key go?", hint="sealroad key generate OUT, or --key URI")
    if args.key is not None:
        made = generate_key(
            args.key, args.suite, _new_secrets(args, args.key), parameter=args.parameter, decrypts=args.decrypts
        )
        _made(args, made, args.key, [])
        if args.decrypts:
            _say_what_it_opens(made)
        return 0
    if Path(args.output).exists():
        raise KeyStoreError(f"{args.output} exists", hint="choose another name or remove the file yourself")
    suite = suites.get(args.suite)
    if args.decrypts and not suite.recipient_usages:
        raise no_encryption(suite)
    password = secrets_of(args, confirm=True)(f"password for {Path(args.output).name}")
    key = suite.generate(args.parameter)
    key_file.save(args.output, key, password or None)
    _made(args, key, args.output, [args.output])
    return 0


def _say_what_it_opens(key: KeyHandle) -> None:
    """Have a new key decrypt what our own `encrypt` writes, and say where it cannot."""
    content_key = os.urandom(32)
    try:
        wrapped = key.public_key.wrap_key(content_key, content.default(key.suite.family).name)
        if decrypting(key).unwrap_key(wrapped, len(content_key)) != content_key:
            raise BackendFault("the new key decrypts something else than was encrypted to it")
    except UnsupportedAlgorithm as error:
        print(f"note: {error}" + (f"; {error.hint}" if error.hint else ""))


def _new_secrets(args: argparse.Namespace, uri: str | None) -> Secrets:
    """Return the callback for a new key; a new password is typed twice, the PIN of a token is not new."""
    return secrets_of(args, confirm="pkcs11:" not in (uri or ""))


def _made(args: argparse.Namespace, key: KeyHandle, where: str, inputs: list[str]) -> None:
    if args.public:
        write_output(args.public, armor("PUBLIC KEY", key.public_key.spki).encode(), inputs=inputs)
    identifier = extensions.key_id(key.public_key.spki).hex()
    print(f"{where}: {key.suite.name} {key.public_key.parameter}, key identifier {identifier}")


def key_show(args: argparse.Namespace) -> int:
    """Say which key it is; never the private part."""
    name = args.key or args.key_option
    if name is None:
        raise UsageError("which key?", hint="sealroad key show KEY")
    key = open_key(name, secrets_of(args))
    spki = key.public_key.spki
    if args.pem:
        sys.stdout.write(armor("PUBLIC KEY", spki))
        return 0
    facts = {
        "suite": key.suite.name,
        "parameter": key.public_key.parameter,
        "key_identifier": extensions.key_id(spki).hex(),
        "public_key": armor("PUBLIC KEY", spki),
    }
    if args.json:
        print_json(facts)
    else:
        print(f"{facts['suite']} {facts['parameter']}, key identifier {facts['key_identifier']}")
    return 0


# ca ------------------------------------------------------------------------------------------------------------------
def ca_init(args: argparse.Namespace) -> int:
    """Make a closed circle in a directory."""
    secrets = _new_secrets(args, args.keys)
    if args.keys is None:
        secrets("password for the keys of the authority")  # asked before anything is written
    made = circle.create(
        args.directory,
        args.suite,
        organisation=args.organisation,
        country=args.country,
        secrets=secrets,
        clock=SystemClock(),
        parameter=args.parameter,
        crl_url=args.crl_url,
        issuer_url=args.issuer_url,
        ocsp_url=args.ocsp_url,
        tsa=not args.no_tsa,
        lists=ListPolicy(
            life=timedelta(days=args.crl_days),
            delta_life=timedelta(hours=args.delta_hours) if args.delta_hours else None,
            partitions=args.partitions,
        ),
        keys=args.keys,
    )
    print(f"{args.directory}: {made.root.subject}, trust {Path(args.directory) / 'root.pem'}")
    print(f"root SHA-256 {made.root.fingerprint()}")
    return 0


def _open(args: argparse.Namespace) -> ClosedCircle:
    return circle.load(args.directory, secrets_of(args), SystemClock())


def _serial(name: str) -> int:
    """Return the serial number of a certificate file, or the one given in hexadecimal."""
    if Path(name).is_file():
        return load_certificate(read_input(name)).serial
    try:
        return int(name.replace(":", ""), 16)
    except ValueError as error:
        raise UsageError(f"{name} is neither a file nor a serial number in hexadecimal") from error


def ca_revoke(args: argparse.Namespace) -> int:
    """Revoke a certificate, named by serial number or file, and write the new list where asked."""
    authority, serial = _open(args), _serial(args.certificate)
    authority.revoke(serial, args.reason, invalid_since=moment_of(args.invalid_since))
    return _changed(authority, serial, f"revoked: {args.reason}", args.crl)


def ca_hold(args: argparse.Namespace) -> int:
    """Suspend a certificate."""
    authority, serial = _open(args), _serial(args.certificate)
    until = moment_of(args.until)
    authority.hold(serial, until=until)
    return _changed(
        authority, serial, f"on hold until {until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if until else "on hold", args.crl
    )


def ca_release(args: argparse.Namespace) -> int:
    """End a suspension."""
    authority, serial = _open(args), _serial(args.certificate)
    authority.release(serial)
    return _changed(authority, serial, "released", args.crl)


def _changed(authority: ClosedCircle, serial: int, what: str, output: str | None) -> int:
    print(f"{serial:x} is {what}")
    if output:
        _write_crl(authority.issuer_of(serial), output)
    else:
        print("write a new list with 'sealroad ca crl'")
    return 0


def _write_crl(authority: Authority, name: str | None, **options: Any) -> None:
    write_output(name, authority.crl(**options))
    if name not in (None, "-"):
        print(f"{name}: list of {authority.certificate.subject}")


def ca_crl(args: argparse.Namespace) -> int:
    """Write a new revocation list, or every list that is due."""
    opened = _open(args)
    if args.all:
        if args.output or args.delta or args.partition is not None or args.root:
            raise UsageError("--all writes every list of both authorities; it goes with no other choice")
        return _write_lists(opened, Path(args.all))
    authority = opened.root_authority if args.root else opened.issuing
    if args.issuer:
        found = [each for each in opened.authorities if each.id.startswith(args.issuer.lower())]
        if len(found) != 1:
            raise UsageError(
                f"{len(found)} authorities have a key identifier that begins with {args.issuer}",
                hint="known: " + ", ".join(each.id for each in opened.authorities),
            )
        authority = found[0]
    _write_crl(authority, args.output, partition=args.partition, delta=args.delta, any_clock=args.any_clock)
    return 0


def _write_lists(opened: ClosedCircle, directory: Path) -> int:
    """Write the lists whose files are not the newest ones; a list at hand that is still good is not signed again."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KeyStoreError(f"{directory} cannot be made: {error.strerror}") from error
    written = 0
    for authority in opened.authorities:
        for name in authority.lists.names():
            if name.partition is not None and authority.crl_url is None:
                continue
            path, encoded = directory / f"{authority.id}{name}.crl", authority.lists.current(name)
            if not path.is_file() or read_input(str(path)) != encoded:
                write_output(str(path), encoded)
                print(path)
                written += 1
    print(f"{written} lists written to {directory}")
    return 0


def ca_rotate_tsa(args: argparse.Namespace) -> int:
    """Give the time-stamping authority a new key and certificate; the old ones stay for what they stamped."""
    secrets = secrets_of(args, confirm=True)
    authority = circle.load(args.directory, secrets, SystemClock())
    if args.if_due and not circle.rotation_due(args.directory, authority, SystemClock().now()):
        print("not due yet")
        return 0
    certificate = circle.rotate_tsa(args.directory, authority, secrets)
    print(f"{certificate.subject}, serial {certificate.serial_hex}, until {certificate.not_after:%Y-%m-%d}")
    return 0


def ca_list(args: argparse.Namespace) -> int:
    """List what is on record."""
    authority = _open(args)
    entries = [entry for each in reversed(authority.authorities) for entry in each.entries()]
    if args.json:
        print_json(
            [
                {
                    "serial": f"{entry.serial:x}",
                    "state": entry.state,
                    "profile": entry.profile,
                    "subject": entry.subject,
                    "prepared_at": entry.prepared_at.isoformat(),
                    "not_after": entry.not_after.isoformat(),
                    "revoked_at": entry.revoked_at.isoformat() if entry.revoked_at else None,
                    "reason": entry.reason,
                    "held": entry.held,
                    "held_until": entry.held_until.isoformat() if entry.held_until else None,
                    "invalid_since": entry.invalid_since.isoformat() if entry.invalid_since else None,
                }
                for entry in entries
            ]
        )
        return 0
    for entry in entries:
        state = "on hold" if entry.held else entry.state
        print(f"{entry.serial:x}  {state:8}  {entry.profile:12}  {entry.not_after:%Y-%m-%d}  {entry.subject}")
    return 0


def ca_export(args: argparse.Namespace) -> int:
    """Write the authority's certificates."""
    authority = _open(args)
    chosen = (authority.root,) if args.root else authority.chain
    if args.form == "p7b":
        data = certificate_bundle(chosen)
    elif args.form == "der":
        if len(chosen) > 1:
            raise UsageError("DER holds one certificate", hint="add --root, or use --format pem or p7b")
        data = chosen[0].der
    else:
        data = "".join(item.pem for item in chosen).encode()
    write_output(args.output, data)
    return 0


# tsa, ocsp, inspect, doctor ------------------------------------------------------------------------------------------
def tsa(args: argparse.Namespace) -> int:
    """Answer a time-stamp request with the authority in a directory."""
    request = read_input(args.request)
    secrets = secrets_of(args)
    clock = SystemClock()
    authority = circle.load(args.directory, secrets, clock)
    source = time_source_named(args.time)
    outer = oids.GM_SIGNED_DATA if args.gm else oids.SIGNED_DATA
    unit = circle.timestamper(args.directory, authority, secrets, clock, time_source=source, outer_oid=outer)
    response = unit.respond(request)
    write_output(args.output, response, inputs=[args.request])
    return 0


def ocsp(args: argparse.Namespace) -> int:
    """Answer an OCSP request with the responders of a directory, or write all answers beforehand."""
    if (args.request is None) == (args.all is None):
        raise UsageError("name a request to answer, or --all OUTDIR")
    if not 0 < args.hours <= 24 * 90:
        raise UsageError("an answer holds for 1 to 2160 hours")
    request = None if args.request is None else read_input(args.request)
    secrets, clock = secrets_of(args), SystemClock()
    authority = circle.load(args.directory, secrets, clock)
    found = circle.responders(args.directory, authority, secrets, clock, validity=timedelta(hours=args.hours))
    if request is not None:
        write_output(args.output, found.respond(request), inputs=[args.request])
        return 0
    count = sum(responder.write_answers(args.all) for responder in found.responders)
    print(f"{args.all}: {count} answers")
    return 0


def inspect(args: argparse.Namespace) -> int:
    """Say what is in a file."""
    objects = describe(read_input(args.file))
    if args.format == "json":
        print_json(objects)
    else:
        sys.stdout.write(as_text(objects))
    return 0


def doctor(args: argparse.Namespace) -> int:
    """Print backends, versions, self-tests and rates; exit 1 where a suite has no working backend."""
    from certs import doctor as module
    from certs.hardening import harden

    harden()
    terminal = sys.stderr.isatty()

    def progress(name: str) -> None:
        if terminal:
            print(f"\r\x1b[Ktrying {name} ...", end="", file=sys.stderr, flush=True)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LastResortWarning)  # the report says it in its own place
        report = module.report(measure=not args.no_measure, progress=progress)
    if terminal:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    if args.json:
        print_json(report.to_json())
    else:
        print(report.to_text())
    return 0 if report.healthy else 1
