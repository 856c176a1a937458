"""The bodies of `ra`, and of `ca issue --application`."""

from __future__ import annotations

import argparse
import os
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from certs import application as applications
from certs import circle, files
from certs.application import Application, Dossier, Evidence, Proofing, number_digest
from certs.ca import ClosedCircle
from certs.certificate import Certificate, load_certificate
from certs.clock import SystemClock
from certs.commands.console import UsageError, first_line, print_json, read_input, secrets_of, write_output
from certs.commands.issue import profile_of, public_key_of, subject_of
from certs.describe import as_text, describe
from certs.errors import AuditError, KeyStoreError
from certs.keys import open_key
from certs.keys.base import no_secrets
from certs.profiles import Profile
from certs.ra import Approvable, RegistrationAuthority
from certs.ra import approve as sign_approval


def registration_of(directory: str, authority: ClosedCircle) -> RegistrationAuthority:
    """Return the officers of the authority in a directory. Raises AuditError where it keeps no log."""
    log = circle.log_of(authority)
    if log is None:
        raise AuditError("the authority keeps no audit log")
    return RegistrationAuthority(authority.issuing, log, SystemClock(), archive=Path(directory) / circle.APPLICATIONS)


def issue_application(authority: ClosedCircle, args: argparse.Namespace) -> Certificate:
    """Issue what an application with its approvals asks for."""
    dossier = applications.parse(read_input(args.application))
    return registration_of(args.directory, authority).issue(dossier, approved_profile_of(args))


def approved_profile_of(args: argparse.Namespace) -> Profile | None:
    """Return the operator's own profile, where --profile names a file; the application names all others."""
    return profile_of(args.profile) if args.profile.endswith(".toml") else None


def apply(args: argparse.Namespace) -> int:
    """Write an application."""
    authority = circle.load(args.directory, no_secrets, SystemClock()).issuing
    now = SystemClock().now().replace(microsecond=0)
    made = Application.new(
        authority.id,
        args.profile,
        subject_of(args),
        public_key_of(args.public_key),
        now,
        now + timedelta(days=args.expires),
        proofing=_proofing(args),
        days=args.days,
        hours=args.hours,
        contract=sha256(read_input(args.contract)).hexdigest() if args.contract else None,
    )
    write_output(args.output, Dossier(made).encode(), inputs=[args.public_key])
    if args.output not in (None, "-"):
        print(f"{args.output}: application {made.digest}, to be used before {made.expires:%Y-%m-%d}")
    return 0


def _proofing(args: argparse.Namespace) -> Proofing | None:
    if args.proofed_by is None:
        if args.method or args.person or args.evidence or args.number:
            raise UsageError("an identity proofing needs --proofed-by")
        return None
    evidence = []
    for text in args.evidence:
        kind, name = _pair(text)
        evidence.append(Evidence(kind, sha256(read_input(name)).hexdigest()))
    for text in args.number:
        kind, name = _pair(text)
        digest, salt = number_digest(first_line(read_input(name)).decode(errors="replace").strip())
        try:
            files.write(f"{name}.salt", f"{salt}\n".encode(), mode=0o600, replace=False)
        except OSError as error:
            raise KeyStoreError(f"{name}.salt cannot be written: {os.strerror(error.errno or 0)}") from error
        evidence.append(Evidence(kind, digest))
    now = SystemClock().now().replace(microsecond=0)
    return Proofing(args.proofed_by, args.method or "", now, args.person, tuple(evidence))


def _pair(text: str) -> tuple[str, str]:
    kind, colon, name = text.partition(":")
    if not colon or not kind or not name:
        raise UsageError(f"{text!r} is not KIND:FILE")
    return kind, name


def approve(args: argparse.Namespace) -> int:
    """Add an officer's approval."""
    dossier = applications.parse(read_input(args.file))
    signed = approval_by(args, dossier.application)
    target = args.output or args.file
    write_output(target, dossier.with_(signed).encode(), inputs=[args.key, args.certificate])
    if target != "-":
        print(f"{target}: {args.officer} approves {dossier.application.digest}")
    return 0


def approval_by(args: argparse.Namespace, wanted: Approvable) -> bytes:
    """Return the approval of the officer whom the arguments name."""
    key, certificate = open_key(args.key, secrets_of(args)), load_certificate(read_input(args.certificate))
    if certificate.public_key().spki != key.public_key.spki:
        raise UsageError("the certificate does not belong to the key")
    return sign_approval(wanted, args.officer, key, certificate, SystemClock().now().replace(microsecond=0))


def show(args: argparse.Namespace) -> int:
    """Say what is applied for; with --ca which approvals count."""
    data = read_input(args.file)
    described = describe(data)
    if args.ca:
        authority = circle.load(args.ca, no_secrets, SystemClock())
        counted, refused = registration_of(args.ca, authority).judge(applications.parse(data))
        described[0] |= {"approved_by": list(counted), "does_not_count": list(refused)}
    if args.json:
        print_json(described)
    else:
        print(as_text(described), end="")
    return 0


def officer(args: argparse.Namespace) -> int:
    """Appoint, dismiss or list officers."""
    authority = circle.load(args.directory, no_secrets, SystemClock())
    registration = registration_of(args.directory, authority)
    if args.appoint:
        if not args.certificate:
            raise UsageError("--appoint needs --certificate")
        registration.appoint(args.appoint, load_certificate(read_input(args.certificate)))
    elif args.dismiss:
        registration.dismiss(args.dismiss)
    for item in registration.officers().values():
        state = "dismissed" if item.dismissed else "officer"
        print(f"{item.id:16}  {state:9}  {item.certificate.suite_name:14}  {item.certificate.subject}")
    return 0
