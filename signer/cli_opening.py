"""What opens encrypted files for `sealroad verify`, `sign` and `seal apply`: a password, or the key of a recipient.

    configure(parser)                              # --password-file, --password-fd, --ask-password, --key, --cert
    password, recipient = opening_of(args)

    configure_signing(parser)                      # the same where --key is the signer's
    credentials = signing_credentials(args)

With --key the password is the key's (a token's PIN), else the files'. Both stay in this process and its forks: never an
argument, never in the environment, never in a report. A key in a token stays there.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from certs.certificate import Certificate
    from certs.keys.base import DecryptionKey
    from signer.errors import OptionError
    from signer.pdf.encryption import Credentials, Recipient

MAX_PASSWORD = 1024


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    group = parser.add_argument_group(
        "encrypted PDF files", "what opens with the empty user password is read without asking"
    )
    passwords = group.add_mutually_exclusive_group()
    passwords.add_argument(
        "--password-file", metavar="FILE", help="user or owner password, the first line of FILE; with --key, the key's"
    )
    passwords.add_argument("--password-fd", metavar="N", type=int, help="the same from file descriptor N")
    passwords.add_argument("--ask-password", action="store_true", help="ask for it on the terminal")
    group.add_argument("--key", metavar="URI", help="private key of a recipient, where files are encrypted for some")
    group.add_argument("--cert", metavar="FILE", help="its certificate, if it is not in the file of the key")


def configure_signing(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of `sealroad sign` and `sealroad seal apply`."""
    group = parser.add_argument_group(
        "encrypted PDF files", "what opens with the empty user password needs none of these"
    )
    passwords = group.add_mutually_exclusive_group()
    passwords.add_argument(
        "--open-password-file",
        metavar="FILE",
        help="user or owner password, the first line of FILE; with --open-key, the key's",
    )
    passwords.add_argument("--open-password-fd", metavar="N", type=int, help="the same from file descriptor N")
    group.add_argument(
        "--open-key", metavar="URI", help="private key of a recipient, where the file is encrypted for some"
    )
    group.add_argument("--open-cert", metavar="FILE", help="its certificate, if it is not in the file of the key")


def signing_credentials(args: argparse.Namespace) -> Credentials:
    """Return what opens the file that is to be signed. Raises SealroadError."""
    from signer.pdf.encryption import Credentials

    if args.open_cert is not None and args.open_key is None:
        raise _no_key("--open-cert", "--open-key")
    given = argparse.Namespace(
        key=args.open_key,
        cert=args.open_cert,
        password_file=args.open_password_file,
        password_fd=args.open_password_fd,
        ask_password=False,
    )
    return Credentials(*opening_of(given))


def _no_key(certificate: str, key: str) -> OptionError:
    from signer.errors import OptionError

    return OptionError(f"{certificate} says whose key {key} is", hint=f"give {key} too")


def opening_of(args: argparse.Namespace) -> tuple[str | None, Recipient | None]:
    """Return the password and the recipient that the arguments give. Raises SealroadError."""
    from certs.commands.console import secrets_of
    from signer.errors import OptionError

    if args.cert is not None and args.key is None:
        raise _no_key("--cert", "--key")
    if args.key is not None:
        return None, _recipient(args)
    if args.password_file is None and args.password_fd is None and not args.ask_password:
        return None, None
    password = secrets_of(args)("password of the encrypted files")
    if len(password) > MAX_PASSWORD:
        raise OptionError("no PDF has so long a password", hint="its first line is the password")
    return password.decode("utf-8", "surrogateescape"), None


def _recipient(args: argparse.Namespace) -> Recipient:
    from certs.certificate import load_certificates
    from certs.commands.console import read_input, secrets_of
    from certs.errors import CertsError
    from certs.keys import open_key
    from certs.keys.base import decrypting
    from signer.errors import OptionError

    if args.cert is None and args.key.startswith(("pkcs11:", "sealed:")):
        raise OptionError("there is no certificate beside the key", hint="give it with --cert FILE")
    key = decrypting(open_key(args.key, secrets_of(args)))
    try:
        bundle = load_certificates(read_input(args.cert or args.key.removeprefix("file:")))
    except CertsError as error:
        if args.cert is not None:
            raise
        raise OptionError("there is no certificate beside the key", hint="give it with --cert FILE") from error
    for certificate in bundle:
        if certificate.spki == key.public_key.spki:
            return recipient_of(certificate, key)
    raise OptionError("the certificate is not that of the key", hint="give the one that belongs to it")


def recipient_of(certificate: Certificate, key: DecryptionKey) -> Recipient:
    """Return who opens a PDF with a key: one in this process is handed over, any other asked."""
    from certs.suites.base import PrivateKey
    from signer.pdf.encryption import Recipient

    return Recipient(certificate.der, key.pkcs8() if isinstance(key, PrivateKey) else key)


__all__ = ["configure", "configure_signing", "opening_of", "recipient_of", "signing_credentials"]
