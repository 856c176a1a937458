"""`sealroad seal make`: a seal of GM/T 0031-2014, GB/T 38540-2020 or GM/T 0031-2025, with the maker's key at hand."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from certs.cli_arguments import passwords

if TYPE_CHECKING:
    from certs.certificate import Certificate
    from signer.seals.make import SealSpec

VERSIONS = {"2014": 1, "2020": 4, "2025": 5}
"""Year of the standard to version of the structure."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("output", metavar="OUT", help="file for the seal (DER, usually .esl); - for standard output")
    who = parser.add_argument_group("who makes it")
    who.add_argument("--key", metavar="URI", required=True, help="the maker's private key: a file, or a URI")
    who.add_argument("--cert", metavar="FILE", help="certificate of the key (default: in the key's file)")
    who.add_argument(
        "--tsa", metavar="URL", help="time-stamp the seal (2025 only): a URL, or the directory of a circle"
    )
    who.add_argument("--allow-private", action="store_true", help="the authority may be at a private address")

    what = parser.add_argument_group("what it says")
    what.add_argument(
        "--standard", choices=tuple(VERSIONS), default="2025", help="year of the standard (default: 2025)"
    )
    what.add_argument("--name", required=True, help="name of the seal")
    what.add_argument("--picture", metavar="FILE", required=True, help="PNG, JPEG or SVG (GIF and BMP are taken too)")
    what.add_argument(
        "--size",
        metavar="MM",
        help="longer side, or WIDTHxHEIGHT, in millimetres (default: as the picture says, else 40)",
    )
    what.add_argument(
        "--owner",
        action="append",
        required=True,
        metavar="FILE",
        help="certificate that may use the seal, the first one in the file; may be repeated",
    )
    what.add_argument("--digests", action="store_true", help="list digests of these certificates; not with 2014")
    what.add_argument(
        "--type",
        default="legal-name",
        metavar="TYPE",
        help="legal-name, finance, invoice, contract, personal, department, other, or a number (default: legal-name)",
    )
    what.add_argument("--id", dest="seal_id", metavar="NUMBER", help="number of the seal (default: a random one)")
    what.add_argument("--vendor", default="SEALROAD", help="identifier of the vendor (default: SEALROAD)")
    what.add_argument("--filing-number", metavar="NUMBER", help="number under which the seal is on file")
    what.add_argument("--valid-from", metavar="TIME", help="ISO 8601 (default: now)")
    what.add_argument("--valid-to", metavar="TIME", help="ISO 8601 (default: the end of the first owner's certificate)")
    passwords(parser)
    parser.set_defaults(chain=None)


def run(args: argparse.Namespace) -> int:
    """Make a seal and say which."""
    from certs.commands.console import secrets_of, write_output
    from certs.hardening import harden
    from certs.keys import open_key
    from signer.commands import certificates_of, timestamper_of
    from signer.seals.make import make_seal

    harden()
    spec = _spec(args)
    key = open_key(args.key, secrets_of(args))
    maker, _ = certificates_of(args, key)
    seal = make_seal(spec, key, maker, timestamper_of(args))
    given = (args.key.removeprefix("file:"), args.picture, args.cert, args.password_file, *args.owner)
    inputs = [name for name in given if name is not None]
    write_output(args.output, seal.der, inputs=inputs)
    if args.output != "-":
        print(f"{args.output}: {seal.name}, {seal.version.standard}, number {seal.seal_id}, made by {maker.subject}")
    return 0


def _spec(args: argparse.Namespace) -> SealSpec:
    import uuid

    from certs.clock import SystemClock
    from certs.commands.console import moment_of, read_input
    from signer.seals import SealPicture, SealVersion
    from signer.seals.kinds import number_of
    from signer.seals.make import SealSpec
    from signer.seals.picture import check_picture
    from signer.seals.size import size_of

    version = SealVersion(VERSIONS[args.standard])
    now = SystemClock().now()
    owners = tuple(_owner(name) for name in args.owner)
    data = read_input(args.picture)
    checked = check_picture(data)
    width, height = size_of(checked, _sides(args.size) if args.size is not None else None)
    return SealSpec(
        version=version,
        vendor=args.vendor,
        seal_id=args.seal_id or uuid.uuid4().hex,
        type=number_of(args.type, version),
        name=args.name,
        owners=owners,
        digests=args.digests,
        picture=SealPicture(checked.type_name, data, width, height),
        created=now,
        valid_from=moment_of(args.valid_from) or now,
        valid_to=moment_of(args.valid_to) or owners[0].not_after,
        filing_number=args.filing_number,
    )


def _owner(name: str) -> Certificate:
    """Return the first certificate in a file."""
    from certs.certificate import load_certificate
    from certs.commands.console import read_input
    from certs.errors import MalformedInput

    data = read_input(name)
    try:
        return load_certificate(data)
    except MalformedInput as error:
        raise MalformedInput(f"{name} holds no certificate: {error}") from error


def _sides(text: str) -> tuple[int, ...]:
    """Return the longer side, or width and height, in millimetres."""
    from signer.errors import OptionError

    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isascii() and side.isdigit() and len(side) < 4 for side in sides):
        raise OptionError(f"{text!r} is no size", hint="whole millimetres: --size 40, or --size 45x30")
    return tuple(map(int, sides))
