"""The bodies of `ca issue-pair`, `ca escrow`, `ca recovery` and `key accept-pair`."""

from __future__ import annotations

import argparse
from datetime import timedelta
from pathlib import Path

from certs import application as applications
from certs import circle, escrow
from certs.certificate import load_certificate
from certs.circle_files import escrow_of, values_of, write_values
from certs.clock import SystemClock
from certs.commands.console import UsageError, first_line, read_input, secrets_of, write_output
from certs.commands.issue import facts_of, profile_of, say_which_lint, subject_of
from certs.commands.ra import approval_by, approved_profile_of, registration_of
from certs.errors import KeyStoreError, NotEscrowed
from certs.key_delivery import LABELS, accept
from certs.keys import file as key_file
from certs.keys import open_key
from certs.keys.base import Secrets, no_secrets
from certs.keys.kek import Provider, open_provider
from certs.pairs import PairDesk, accept_pair, read_pair
from certs.pem import armor
from certs.request import load_request


def ca_issue_pair(args: argparse.Namespace) -> int:
    """Certify a signing key, and an encryption key that is made for its holder."""
    request = load_request(read_input(args.request))
    say_which_lint()
    secrets = secrets_of(args)
    opened = circle.load(args.directory, secrets, SystemClock())
    desk = PairDesk(opened.issuing, Path(args.directory), SystemClock(), escrow=_provider(args.directory, secrets))
    if args.application:
        dossier = applications.parse(read_input(args.application))
        profile = approved_profile_of(args)
        pair = registration_of(args.directory, opened).issue_pair(
            dossier, request, desk, profile, suite=args.encryption_suite
        )
    else:
        pair = desk.issue(
            *(request, profile_of(args.profile)),
            subject=subject_of(args) if args.cn else None,
            form=args.form,
            facts=facts_of(args),
            days=args.days,
            suite=args.encryption_suite,
        )
    write_output(args.output, pair.encode(opened.chain), inputs=[args.request])
    if args.output not in (None, "-"):
        print(f"{args.output}: {pair.signing.subject}")
        print(f"signing {pair.signing.serial_hex}, encryption {pair.encryption.serial_hex}")
    return 0


def key_accept_pair(args: argparse.Namespace) -> int:
    """Open the encryption key in a pair, or in a delivery alone, and write it encrypted."""
    if Path(args.output).exists():
        raise KeyStoreError(f"{args.output} exists", hint="choose another name or remove the file yourself")
    data = read_input(args.pair)
    secrets = secrets_of(args)
    key = open_key(args.key, secrets)
    if args.certificate:
        if args.issuer or args.signing_cert or args.encryption_cert:
            raise UsageError("--certificate goes with a delivery alone", hint="a pair has its certificates inside")
        certificate = load_certificate(read_input(args.certificate))
        opened = accept(data, key, certificate)
    else:
        pair = read_pair(data)
        issuer = load_certificate(read_input(args.issuer)) if args.issuer else None
        opened, certificate = accept_pair(pair, key, issuer), pair.encryption
    if args.new_password_file is not None:
        password = first_line(read_input(args.new_password_file))
    else:
        typed = args.password_file is None and args.password_fd is None
        secrets = secrets_of(args, confirm=True) if typed else secrets  # a descriptor is read once
        password = secrets(f"password for {Path(args.output).name}")
    key_file.save(args.output, opened, password or None)
    if not args.certificate:
        for name, item in ((args.signing_cert, pair.signing), (args.encryption_cert, pair.encryption)):
            if name is not None:
                write_output(name, item.pem.encode(), inputs=[args.pair, args.output])
    print(f"{args.output}: {certificate.subject}, serial {certificate.serial_hex}")
    return 0


# copies --------------------------------------------------------------------------------------------------------------
def _provider(directory: str, secrets: Secrets) -> Provider | None:
    """Return the key-encryption key of the copies, None where the authority keeps none."""
    text = escrow_of(values_of(Path(directory)))
    return None if text is None else open_provider(text, secrets, name="the copies of keys")


def ca_escrow(args: argparse.Namespace) -> int:
    """Say whether copies of encryption keys are kept, and change it."""
    place = Path(args.directory)
    circle.load(place, no_secrets, SystemClock())
    values = values_of(place)
    if args.kek:
        text = _lasting(args.kek)
        if text.startswith("passphrase"):
            raise UsageError("copies are kept under a key, not a passphrase", hint="file:PATH, env:NAME, pkcs11:… …")
        open_provider(text, secrets_of(args), make=True)
        values["escrow"] = text
    elif args.off:
        values.pop("escrow", None)
    if args.kek or args.off:
        write_values(place, values)
        circle.load(place, no_secrets, SystemClock())  # puts the change on record
    kept = escrow_of(values)
    print(f"{place}: copies of encryption keys are kept under {kept}" if kept else f"{place}: no copies are kept")
    return 0


def _lasting(text: str) -> str:
    """Return a provider as it goes into circle.json: it means the same in another working directory."""
    kind, colon, path = text.partition(":")
    return f"{kind}{colon}{Path(path).resolve()}" if kind in ("file", "command") else text


def recovery_apply(args: argparse.Namespace) -> int:
    """Write a request for a copy."""
    authority = circle.load(args.directory, no_secrets, SystemClock()).issuing
    now = SystemClock().now().replace(microsecond=0)
    certificate, to = load_certificate(read_input(args.certificate)), load_certificate(read_input(args.to))
    made = escrow.Recovery.new(
        authority.id, certificate.serial, args.reason, to, now, now + timedelta(days=args.expires)
    )
    write_output(args.output, escrow.RecoveryRequest(made).encode(), inputs=[args.certificate, args.to])
    if args.output not in (None, "-"):
        print(f"{args.output}: recovery {made.digest}, to be used before {made.expires:%Y-%m-%d}")
    return 0


def recovery_approve(args: argparse.Namespace) -> int:
    """Say what is asked for, and add an officer's approval."""
    request = escrow.parse(read_input(args.file))
    recovery = request.recovery
    signed = approval_by(args, recovery)
    target = args.output or args.file
    write_output(target, request.with_(signed).encode(), inputs=[args.key, args.certificate])
    if target != "-":
        print(f"{target}: {args.officer} approves that the key of {recovery.serial}")
        print(f"goes to {recovery.recipient.subject}, SHA-256 {recovery.recipient.fingerprint()}")
        print(f"reason: {ascii(recovery.reason)[1:-1] if not recovery.reason.isprintable() else recovery.reason}")
    return 0


def recovery_deliver(args: argparse.Namespace) -> int:
    """Hand the copy out, encrypted to the certificate that the officers approved."""
    request = escrow.parse(read_input(args.file))
    secrets = secrets_of(args)
    opened = circle.load(args.directory, secrets, SystemClock())
    provider = _provider(args.directory, secrets)
    if provider is None:
        raise NotEscrowed("the authority keeps no copies of keys", hint="see 'sealroad ca escrow'")
    registration = registration_of(args.directory, opened)
    desk = escrow.EscrowDesk(opened.issuing, Path(args.directory), registration, SystemClock())
    write_output(args.output, armor(LABELS[0], desk.recover(request, provider)).encode(), inputs=[args.file])
    if args.output not in (None, "-"):
        print(f"{args.output}: the key of {request.recovery.serial} for {request.recovery.recipient.subject}")
    return 0
