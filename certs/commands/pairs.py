"""The bodies of `ca issue-pair` and `key accept-pair`."""

from __future__ import annotations

import argparse
from pathlib import Path

from certs import circle
from certs.certificate import load_certificate
from certs.clock import SystemClock
from certs.commands.console import UsageError, first_line, read_input, secrets_of, write_output
from certs.commands.issue import facts_of, profile_of, say_which_lint, subject_of
from certs.errors import KeyStoreError
from certs.key_delivery import accept
from certs.keys import file as key_file
from certs.keys import open_key
from certs.pairs import PairDesk, accept_pair, read_pair
from certs.request import load_request


def ca_issue_pair(args: argparse.Namespace) -> int:
    """Certify a signing key, and an encryption key that is made for its holder."""
    request, profile = load_request(read_input(args.request)), profile_of(args.profile)
    subject = subject_of(args) if args.cn else None
    say_which_lint()
    opened = circle.load(args.directory, secrets_of(args), SystemClock())
    desk = PairDesk(opened.issuing, Path(args.directory), SystemClock())
    pair = desk.issue(request, profile, subject=subject, form=args.form, facts=facts_of(args), days=args.days)
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
    key = open_key(args.key, secrets_of(args))
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
        password = secrets_of(args, confirm=True)(f"password for {Path(args.output).name}")
    key_file.save(args.output, opened, password or None)
    if not args.certificate:
        for name, item in ((args.signing_cert, pair.signing), (args.encryption_cert, pair.encryption)):
            if name is not None:
                write_output(name, item.pem.encode(), inputs=[args.pair, args.output])
    print(f"{args.output}: {certificate.subject}, serial {certificate.serial_hex}")
    return 0
