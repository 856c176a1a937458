"""`sealroad encrypt` and `sealroad decrypt`: an envelope for parties of several families, one CMS for one, or a PDF.

    sealroad encrypt contract.pdf contract.zip --to buyer.pem seller.pem --trust ca/ --sign-key me.key.pem --cert me.pem
    sealroad encrypt contract.pdf contract/ --to buyer.pem seller.pem --trust ca/ --sign-key me.key.pem --cert me.pem
    sealroad encrypt contract.pdf contract.p7m --to buyer.pem --trust ca/
    sealroad encrypt contract.pdf locked.pdf --pdf --to buyer.pem seller.pem --trust ca/
    sealroad decrypt contract.zip contract.pdf --key buyer.key.pem --cert buyer.pem --trust ca/

Exit codes: 0 done; 2 nothing was written; 3 decrypt wrote the content, and whose envelope it is could not be told.

Only arguments are described here, so that the program starts quickly; `signer.encryption.commands` does the work.
"""

from __future__ import annotations

import argparse

from certs.command import Command


def _configure_encrypt(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of `encrypt`."""
    _files(parser, "what is encrypted", "the envelope (.zip, or a directory: a name that ends in /) or message (.p7m)")
    parser.add_argument(
        "--to",
        nargs="+",
        action="extend",
        required=True,
        metavar="CERT",
        help="certificate of a recipient: the first in the file; others there help to build its chain",
    )
    _trust(parser, "the authorities of the recipients and their revocation lists, or a recipient's own certificate")
    parser.add_argument(
        "--pdf", action="store_true", help="encrypt a PDF as a PDF, for recipients of any families; sign it afterwards"
    )
    parser.add_argument(
        "--cipher",
        action="append",
        default=[],
        metavar="NAME",
        help="another content cipher than a family's own: sm4-gcm, magma-ctr-acpkm-omac; of a PDF: aes-256-gcm",
    )
    parser.add_argument(
        "--oaep",
        choices=("sha256", "sha384", "sha512", "sha1"),
        default="sha256",
        help="digest of OAEP for RSA keys; sha1 for recipients whose token has no other (default: sha256)",
    )
    sender = parser.add_argument_group(
        "the sender, who signs an envelope; without one a single message is made, for recipients of one family"
    )
    sender.add_argument(
        "--sign-key", action="append", default=[], metavar="URI", help="key of the sender; one of each family"
    )
    sender.add_argument(
        "--cert",
        action="append",
        default=[],
        metavar="FILE",
        help="certificate of the sender's key, with its chain, in the order of the keys (default: in the key's file)",
    )
    sender.add_argument("--name", help="what the recipients are told the content is called (default: the file's name)")
    _passwords(sender)


def _configure_decrypt(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of `decrypt`."""
    _files(parser, "an envelope (a ZIP or a directory), a message (DER, BER or PEM) or a PDF", "the content")
    parser.add_argument("--key", required=True, metavar="URI", help="private key of a recipient")
    parser.add_argument(
        "--cert", metavar="FILE", help="the recipient's certificate (default: in the key's file, if there is one)"
    )
    _passwords(parser)
    _trust(parser, "the authorities of the senders and their revocation lists")
    parser.add_argument(
        "--sender",
        action="append",
        default=[],
        metavar="CERT",
        help="certificate of the sender of a message that only names it (GOST key agreement)",
    )


def _files(parser: argparse.ArgumentParser, source: str, target: str) -> None:
    parser.add_argument("source", metavar="IN", help=f"{source}; - for standard input")
    parser.add_argument("target", metavar="OUT", help=f"{target}; - for standard output")


def _trust(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument(
        "--trust", action="append", default=[], metavar="PATH", help=f"{what}: a file, a directory or a trust list"
    )
    parser.add_argument(
        "--revocation",
        choices=("require", "if-present"),
        default="require",
        help="what to do where no CRL or OCSP answer is at hand: refuse (require, the default) or go on (if-present)",
    )
    parser.add_argument(
        "--online", action="store_true", help="ask for certificates, lists and OCSP answers that are missing"
    )


def _passwords(parser: argparse._ActionsContainer) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--password-file", metavar="FILE", help="password of the key, the first line of FILE")
    group.add_argument("--password-fd", metavar="N", type=int, help="the same from file descriptor N")


def _encrypt(args: argparse.Namespace) -> int:
    from certs.hardening import harden
    from signer.encryption import commands

    harden()
    return commands.encrypt(args)


def _decrypt(args: argparse.Namespace) -> int:
    from certs.hardening import harden
    from signer.encryption import commands

    harden()
    return commands.decrypt(args)


COMMANDS: dict[str, Command] = {
    "encrypt": Command("encrypt", "encrypt a file to the holders of certificates", _configure_encrypt, _encrypt),
    "decrypt": Command("decrypt", "decrypt with a recipient's key", _configure_decrypt, _decrypt),
}
