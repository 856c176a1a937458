"""The bodies of `key`, `ca`, `tsa`, `ocsp`, `inspect` and `doctor`."""

from __future__ import annotations

import argparse
import sys
import warnings
from datetime import timedelta
from pathlib import Path

from certs import circle, extensions, suites
from certs.ca import Authority, ClosedCircle
from certs.certificate import load_certificate
from certs.clock import SystemClock
from certs.commands.console import UsageError, print_json, read_input, secrets_of, write_output
from certs.describe import as_text, describe
from certs.errors import KeyStoreError
from certs.keys import file as key_file
from certs.keys import open_key
from certs.pem import armor
from certs.signed_data import certificate_bundle
from certs.suites.backends import LastResortWarning


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
        ocsp_url=args.ocsp_url,
        tsa=not args.no_tsa,
    )
    print(f"{args.directory}: {made.root.subject}, trust {Path(args.directory) / 'root.pem'}")
    print(f"root SHA-256 {made.root.fingerprint()}")
    return 0


def _open(args: argparse.Namespace) -> ClosedCircle:
    return circle.load(args.directory, secrets_of(args), SystemClock())


def ca_revoke(args: argparse.Namespace) -> int:
    """Revoke a certificate, named by serial number or file, and write the new list where asked."""
    authority = _open(args)
    if Path(args.certificate).is_file():
        serial = load_certificate(read_input(args.certificate)).serial
    else:
        try:
            serial = int(args.certificate.replace(":", ""), 16)
        except ValueError as error:
            raise UsageError(f"{args.certificate} is neither a file nor a serial number in hexadecimal") from error
    issuer = authority.issuer_of(serial)
    issuer.revoke(serial, args.reason)
    print(f"{serial:x} is revoked: {args.reason}")
    if args.crl:
        _write_crl(issuer, args.crl)
    else:
        print("write a new list with 'sealroad ca crl'")
    return 0


def _write_crl(authority: Authority, name: str | None) -> None:
    write_output(name, authority.crl())
    if name not in (None, "-"):
        print(f"{name}: list of {authority.certificate.subject}")


def ca_crl(args: argparse.Namespace) -> int:
    """Write a new revocation list."""
    opened = _open(args)
    chosen = opened.root_authority if args.root else opened.issuing
    if args.issuer:
        found = [each for each in opened.authorities if each.id.startswith(args.issuer.lower())]
        if len(found) != 1:
            raise UsageError(
                f"{len(found)} authorities have a key identifier that begins with {args.issuer}",
                hint="known: " + ", ".join(each.id for each in opened.authorities),
            )
        chosen = found[0]
    _write_crl(chosen, args.output)
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
                }
                for entry in entries
            ]
        )
        return 0
    for entry in entries:
        print(f"{entry.serial:x}  {entry.state:8}  {entry.profile:12}  {entry.not_after:%Y-%m-%d}  {entry.subject}")
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
    response = circle.timestamper(args.directory, authority, secrets, clock).respond(request)
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
