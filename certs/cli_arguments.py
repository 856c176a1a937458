"""Arguments that several sub-commands share."""

from __future__ import annotations

import argparse

SUITES_HELP = "algorithm suite, for example sm2, gost2012-256, ecdsa-p256, rsa, ed25519, ml-dsa-65"
ENCRYPTION_HELP = "to encrypt only: x25519, x448, ml-kem-768, ml-kem-1024"


def passwords(parser: argparse.ArgumentParser, *, new: bool = False) -> None:
    """Add where a password comes from; `new` for one that is being chosen."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--password-file", metavar="FILE", help="take the password from the first line of FILE")
    group.add_argument("--password-fd", metavar="N", type=int, help="take the password from file descriptor N")
    if new:
        group.add_argument("--no-password", action="store_true", help="leave the key unencrypted")


def sub(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    """Return the sub-commands of `parser`, of which one must be given."""
    return parser.add_subparsers(metavar="ACTION", required=True, parser_class=type(parser))


def action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, function: str, text: str
) -> argparse.ArgumentParser:
    """Add and return one sub-command; `function` is one of `certs.commands.run`, or "module:function"."""
    parser = actions.add_parser(name, help=text, description=text[:1].upper() + text[1:] + ".")
    parser.set_defaults(action=function)
    return parser


def directory(parser: argparse.ArgumentParser) -> None:
    """Add the directory of an authority."""
    parser.add_argument("directory", metavar="DIR", help="directory of the authority")


def output(parser: argparse.ArgumentParser) -> None:
    """Add where the result goes."""
    parser.add_argument("-o", "--output", metavar="OUT", help="file to write; - or nothing: standard output")
