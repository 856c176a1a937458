"""`sealroad seal show`: what a seal or a seal signature says, and whether its own values verify. Nothing is trusted."""

from __future__ import annotations

import argparse
import sys


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("file", metavar="FILE", help="a seal (.esl) or a seal signature (SignedValue.dat); - for stdin")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--picture", metavar="OUT", help="write the picture there, if it is harmless")


def run(args: argparse.Namespace) -> int:
    """Say what is in a file; write its picture."""
    from certs.commands.console import print_json, read_input, write_output
    from certs.describe import as_text
    from signer.seals import Seal
    from signer.seals.describe import describe, read_any
    from signer.seals.picture import check_picture

    found = read_any(read_input(args.file))
    seal = found if isinstance(found, Seal) else found.seal
    if args.picture is not None:
        check_picture(seal.picture.data)
        write_output(args.picture, seal.picture.data, inputs=[args.file])
    if args.picture == "-":
        return 0
    said = describe(found)
    if args.json:
        print_json(said)
    else:
        sys.stdout.write(as_text([said]))
    return 0
