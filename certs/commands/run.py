"""The bodies of `key`, `ca`, `tsa`, `inspect` and `doctor`."""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

from certs import circle, extensions, suites
from certs.ca import ClosedCircle
from certs.certificate import Certificate, Subject, load_certificate
from certs.clock import SystemClock
from certs.commands.console import UsageError, print_json, read_input, secrets_of, write_output
from certs.describe import as_text, describe
from certs.errors import KeyStoreError, MalformedInput
from certs.identifiers import Identifier
from certs.keys import KeyHandle, Secrets, generate_key, open_key
from certs.keys import file as key_file
from certs.pem import armor, pem_blocks
from certs.signed_data import certificate_bundle
from certs.suites.backends import LastResortWarning


# key -----------------------------------------------------------------------------------------------------------------
def key_generate(args: argparse.Namespace) -> int:
    """Make a key pair and write it encrypted."""
    if (args.output is None) == (args.key is None):
        raise UsageError("where does the key go?", hint="sealroad key generate OUT, or --key URI")
    if args.key is not None:
        made = generate_key(args.key, args.suite, _new_secrets(args, args.key), parameter=args.parameter)
        _made(args, made, args.key, [])
        return 0
    if Path(args.output).exists():
        raise KeyStoreError(f"{args.output} exists", hint="choose another name or remove the file yourself")
    suite = suites.get(args.suite)
    password = secrets_of(args, confirm=True)(f"password for {Path(args.output).name}")
    key = suite.generate(args.parameter)
    key_file.save(args.output, key, password or None)
    _made(args, key, args.output, [args.output])
    return 0


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
    made = circle.create(
        args.directory,
        args.suite,
        organisation=args.organisation,
        country=args.country,
        secrets=_new_secrets(args, args.keys),
        clock=SystemClock(),
        parameter=args.parameter,
        crl_url=args.crl_url,
        issuer_url=args.issuer_url,
        tsa=not args.no_tsa,
        keys=args.keys,
    )
    print(f"{args.directory}: {made.root.subject}, trust {Path(args.directory) / 'root.pem'}")
    print(f"root SHA-256 {made.root.fingerprint()}")
    return 0


def _open(args: argparse.Namespace) -> ClosedCircle:
    return circle.load(args.directory, secrets_of(args), SystemClock())


def _public_key(name: str) -> bytes:
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
    subject = Subject(
        common_name=args.cn,
        organisation=args.organisation,
        country=args.country,
        given_name=args.given_name,
        surname=args.surname,
        locality=args.locality,
        email=args.email,
        identifiers=tuple(Identifier.parse(text) for text in args.identifier),
    )
    certificate = authority.issue(args.profile, subject, _public_key(args.public_key), days=args.days)
    text = certificate.pem + ("".join(item.pem for item in authority.chain) if args.chain else "")
    write_output(args.output, text.encode(), inputs=[args.public_key])
    if args.output not in (None, "-"):
        print(f"{args.output}: {certificate.subject}, serial {certificate.serial_hex}")
    return 0


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
    authority.revoke(serial, args.reason)
    print(f"{serial:x} is revoked: {args.reason}")
    if args.crl:
        _write_crl(authority, args.crl, root=serial == authority.issuing.certificate.serial)
    else:
        print("write a new list with 'sealroad ca crl'")
    return 0


def _write_crl(authority: ClosedCircle, name: str | None, *, root: bool) -> None:
    encoded = authority.root_crl() if root else authority.crl()
    write_output(name, encoded)
    if name not in (None, "-"):
        print(f"{name}: list of {(authority.root if root else authority.issuing.certificate).subject}")


def ca_crl(args: argparse.Namespace) -> int:
    """Write a new revocation list."""
    _write_crl(_open(args), args.output, root=args.root)
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


# tsa, inspect, doctor ------------------------------------------------------------------------------------------------
def tsa(args: argparse.Namespace) -> int:
    """Answer a time-stamp request with the authority in a directory."""
    request = read_input(args.request)
    secrets = secrets_of(args)
    clock = SystemClock()
    authority = circle.load(args.directory, secrets, clock)
    response = circle.timestamper(args.directory, authority, secrets, clock).respond(request)
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
