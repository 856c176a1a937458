"""The bodies of `key`, `ca`, `tsa`, `inspect` and `doctor`."""

from __future__ import annotations

import argparse
import sys
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from certs import circle, extensions, oids, suites
from certs.ca import Authority, ClosedCircle
from certs.certificate import Certificate, Subject, load_certificate
from certs.clock import SystemClock
from certs.commands.console import UsageError, print_json, read_input, secrets_of, write_output
from certs.describe import as_text, describe
from certs.errors import KeyStoreError, MalformedInput
from certs.identifiers import Identifier
from certs.keys import file as key_file
from certs.keys import open_key
from certs.pem import armor, pem_blocks
from certs.signed_data import certificate_bundle
from certs.status import ListPolicy
from certs.suites.backends import LastResortWarning
from certs.time_source import KernelTime


# key -----------------------------------------------------------------------------------------------------------------
def key_generate(args: argparse.Namespace) -> int:
    """Make a key pair and write it encrypted."""
    if Path(args.output).exists():
        raise KeyStoreError(f"{args.output} exists", hint="choose another name or remove the file yourself")
    suite = suites.get(args.suite)
    password = secrets_of(args, confirm=True)(f"password for {Path(args.output).name}")
    key = suite.generate(args.parameter)
    key_file.save(args.output, key, password or None)
    if args.public:
        write_output(args.public, armor("PUBLIC KEY", key.public_key.spki).encode(), inputs=[args.output])
    identifier = extensions.key_id(key.public_key.spki).hex()
    print(f"{args.output}: {suite.name} {key.public_key.parameter}, key identifier {identifier}")
    return 0


def key_show(args: argparse.Namespace) -> int:
    """Say which key it is; never the private part."""
    key = open_key(args.key, secrets_of(args))
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
    made = circle.create(
        args.directory,
        args.suite,
        organisation=args.organisation,
        country=args.country,
        secrets=secrets_of(args, confirm=True),
        clock=SystemClock(),
        parameter=args.parameter,
        crl_url=args.crl_url,
        issuer_url=args.issuer_url,
        tsa=not args.no_tsa,
        lists=ListPolicy(
            life=timedelta(days=args.crl_days),
            delta_life=timedelta(hours=args.delta_hours) if args.delta_hours else None,
            partitions=args.partitions,
        ),
    )
    print(f"{args.directory}: {made.root.subject}, trust {Path(args.directory) / 'root.pem'}")
    print(f"root SHA-256 {made.root.fingerprint()}")
    return 0


def _open(args: argparse.Namespace) -> ClosedCircle:
    return circle.load(args.directory, secrets_of(args), SystemClock())


def subject_of(args: argparse.Namespace) -> Subject:
    """Return the subject that the arguments describe."""
    return Subject(
        common_name=args.cn,
        organisation=args.organisation,
        country=args.country,
        given_name=args.given_name,
        surname=args.surname,
        locality=args.locality,
        email=args.email,
        identifiers=tuple(Identifier.parse(text) for text in args.identifier),
    )


def public_key_of(name: str) -> bytes:
    """Return the SPKI in a file that holds a public key or a certificate."""
    data = read_input(name)
    for label, encoded in pem_blocks(data):
        if label == "PUBLIC KEY":
            return suites.load_public(encoded).spki
        if label == "CERTIFICATE":
            return Certificate(encoded).spki
    try:
        return load_certificate(data).spki
    except MalformedInput:
        return suites.load_public(data).spki


def ca_issue(args: argparse.Namespace) -> int:
    """Certify a public key."""
    authority = _open(args)
    if args.application:
        from certs.commands.ra import issue_application

        certificate = issue_application(authority, args)
    elif args.cn is None or args.public_key is None:
        raise UsageError("--public-key and --cn are needed", hint="or --application FILE")
    else:
        spki = public_key_of(args.public_key)
        certificate = authority.issue(args.profile, subject_of(args), spki, days=args.days)
    text = certificate.pem + ("".join(item.pem for item in authority.chain) if args.chain else "")
    write_output(args.output, text.encode(), inputs=[args.application or args.public_key])
    if args.output not in (None, "-"):
        print(f"{args.output}: {certificate.subject}, serial {certificate.serial_hex}")
    return 0


def _serial(name: str) -> int:
    """Return the serial number of a certificate file, or the one given in hexadecimal."""
    if Path(name).is_file():
        return load_certificate(read_input(name)).serial
    try:
        return int(name.replace(":", ""), 16)
    except ValueError as error:
        raise UsageError(f"{name} is neither a file nor a serial number in hexadecimal") from error


def _time(text: str | None) -> datetime | None:
    """Return a moment given in ISO 8601; without an offset it is UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text} is no time", hint="for example 2026-11-21T10:00:00Z") from error
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def ca_revoke(args: argparse.Namespace) -> int:
    """Revoke a certificate, named by serial number or file, and write the new list where asked."""
    authority, serial = _open(args), _serial(args.certificate)
    authority.revoke(serial, args.reason, invalid_since=_time(args.invalid_since))
    return _changed(authority, serial, f"revoked: {args.reason}", args.crl)


def ca_hold(args: argparse.Namespace) -> int:
    """Suspend a certificate."""
    authority, serial = _open(args), _serial(args.certificate)
    until = _time(args.until)
    authority.hold(serial, until=until)
    return _changed(authority, serial, f"on hold until {until.isoformat()}" if until else "on hold", args.crl)


def ca_release(args: argparse.Namespace) -> int:
    """End a suspension."""
    authority, serial = _open(args), _serial(args.certificate)
    authority.release(serial)
    return _changed(authority, serial, "released", args.crl)


def _changed(authority: ClosedCircle, serial: int, what: str, output: str | None) -> int:
    print(f"{serial:x} is {what}")
    if output:
        _write_crl(authority.authority_of(serial), output)
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
    _write_crl(authority, args.output, partition=args.partition, delta=args.delta, any_clock=args.any_clock)
    return 0


def _write_lists(opened: ClosedCircle, directory: Path) -> int:
    """Write the lists whose files are not the newest ones; a list at hand that is still good is not signed again."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KeyStoreError(f"{directory} cannot be made: {error.strerror}") from error
    written = 0
    for authority in (opened.root_authority, opened.issuing):
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
    entries = [*authority.root_authority.entries(), *authority.issuing.entries()]
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


# tsa, inspect, doctor ------------------------------------------------------------------------------------------------
def tsa(args: argparse.Namespace) -> int:
    """Answer a time-stamp request with the authority in a directory."""
    request = read_input(args.request)
    secrets = secrets_of(args)
    clock = SystemClock()
    authority = circle.load(args.directory, secrets, clock)
    source = KernelTime() if args.time == "kernel" else None
    outer = oids.GM_SIGNED_DATA if args.gm else oids.SIGNED_DATA
    unit = circle.timestamper(args.directory, authority, secrets, clock, time_source=source, outer_oid=outer)
    response = unit.respond(request)
    write_output(args.output, response, inputs=[args.request])
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
