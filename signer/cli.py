"""`sealroad sign`: one signature in a PDF, or beside any file, with a key at hand or elsewhere.

    sealroad sign contract.pdf signed.pdf --key seller.key.pem --cert seller.pem --level B-T --tsa https://tsa.example/
    sealroad sign data.zip data.zip.p7s --detached --key seller.key.pem --cert seller.pem

    sealroad sign contract.pdf signed.pdf --key seller.key.pem --agreement framework.json
    sealroad sign prepare contract.pdf prepared.pdf --cert seller.pem --request request.json
    sealroad sign complete prepared.pdf signed.pdf --request request.json --value signature.bin

Only arguments are described here, so that the program starts quickly; `signer.commands` does the work.
"""

from __future__ import annotations

import argparse

from certs.command import Command
from signer import cli_opening

ACTIONS = ("prepare", "complete")


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.usage = (
        "sealroad sign IN OUT --key URI [--cert FILE] [options]\n"
        "       sealroad sign prepare IN OUT --cert FILE --request FILE [options]\n"
        "       sealroad sign complete PREPARED OUT --request FILE (--value FILE | --cms FILE) [--tsa URL]"
    )
    parser.add_argument(
        "words", nargs="+", metavar="FILE", help="what is signed and what is written; - for standard streams"
    )
    who = parser.add_argument_group("who signs")
    who.add_argument("--key", metavar="URI", help="private key: a file, or a URI such as file:seller.key.pem")
    who.add_argument("--cert", metavar="FILE", help="certificate of the key (default: in the key's file)")
    who.add_argument("--chain", metavar="FILE", help="certificates of the issuers, to go into the signature")
    passwords = who.add_mutually_exclusive_group()
    passwords.add_argument("--password-file", metavar="FILE", help="take the password from the first line of FILE")
    passwords.add_argument("--password-fd", metavar="N", type=int, help="take the password from file descriptor N")

    what = parser.add_argument_group("what it says")
    what.add_argument("--level", choices=("B-B", "B-T", "B-LT", "B-LTA"), help="default: B-T with --tsa, else B-B")
    what.add_argument(
        "--tsa", metavar="URL", help="time-stamping authority: a URL, or the directory of a circle of ours"
    )
    what.add_argument("--allow-private", action="store_true", help="the authority may be at a private address")
    what.add_argument("--field", metavar="NAME", help="an empty signature field, or the name of a new one")
    what.add_argument("--name", help="who signs (default: what the certificate says)")
    what.add_argument("--reason")
    what.add_argument("--location")
    what.add_argument("--contact", help="how the signer can be reached")
    what.add_argument("--certify", type=int, choices=(1, 2, 3), help="allow 1 nothing, 2 forms, 3 comments afterwards")
    what.add_argument(
        "--agreement",
        metavar="FILE",
        help="sign under this framework agreement: its hash becomes part of the signature",
    )
    what.add_argument(
        "--commitment",
        choices=("origin", "receipt", "delivery", "sender", "approval", "creation"),
        help=argparse.SUPPRESS,
    )
    what.add_argument(
        "--subfilter", choices=("ETSI.CAdES.detached", "adbe.pkcs7.detached"), default="ETSI.CAdES.detached"
    )

    looks = parser.add_argument_group("how it looks")
    looks.add_argument("--page", type=int, metavar="N", help="page of a new field, from 1; -1 is the last")
    looks.add_argument(
        "--box", metavar="X1,Y1,X2,Y2", help="place in points from the lower left corner; else invisible"
    )
    looks.add_argument("--appearance", choices=("none", "stamp"), help="default: stamp where there is a place for it")
    looks.add_argument("--picture", metavar="FILE", help="PNG or JPEG to show in the stamp")
    looks.add_argument("--locale", choices=("en", "zh", "ru"), default="en", help="language of the stamp")

    other = parser.add_argument_group("other ways")
    other.add_argument("--detached", action="store_true", help="CAdES over any file, written beside it (.p7s)")
    other.add_argument("--request", metavar="FILE", help="prepare writes, complete reads what is to be signed (JSON)")
    other.add_argument("--dtbs", metavar="FILE", help="prepare: also write the octets to sign there")
    other.add_argument("--value", metavar="FILE", help="complete: the signature value over these octets")
    other.add_argument("--cms", metavar="FILE", help="complete: the CMS another program made over the document")
    other.add_argument("--reserve", type=int, default=0, metavar="N", help="prepare: octets to reserve for such a CMS")
    cli_opening.configure_signing(parser)
    parser.set_defaults(suite=None)


def run(args: argparse.Namespace) -> int:
    """Sign, prepare or complete; returns the exit code. Raises SealroadError."""
    from certs.hardening import harden
    from signer import commands

    harden()
    action = args.words[0] if len(args.words) == 3 and args.words[0] in ACTIONS else "sign"
    code: int = getattr(commands, action)(args)
    return code


COMMANDS: dict[str, Command] = {"sign": Command("sign", "sign a PDF, or any file with --detached", configure, run)}
