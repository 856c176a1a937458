"""`sealroad seal apply`: a seal on a PDF, with the organisation's key at hand."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from certs.cli_arguments import passwords
from signer.cli_opening import configure_signing

if TYPE_CHECKING:
    from signer.pades.options import NationalForm, Place
    from signer.pades.placement import Placement
    from signer.pdf.encryption import Credentials
    from signer.seals import Seal


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("source", metavar="IN", help="the PDF; - for standard input")
    parser.add_argument("output", metavar="OUT", help="the sealed PDF; - for standard output")
    who = parser.add_argument_group("who seals")
    who.add_argument("--seal", metavar="FILE", required=True, help="the seal (.esl)")
    who.add_argument("--key", metavar="URI", required=True, help="the organisation's private key: a file, or a URI")
    who.add_argument("--cert", metavar="FILE", help="certificate of the key (default: in the key's file)")
    who.add_argument("--chain", metavar="FILE", help="certificates of the issuers, to go into the signature")
    passwords(parser)
    configure_signing(parser)

    where = parser.add_argument_group("where it shows; several places are one signature")
    where.add_argument("--at", metavar="X,Y", help="middle of the seal, in points from the lower left corner")
    where.add_argument("--page", type=int, metavar="N", help="page of that point, from 1 (default: -1, the last)")
    where.add_argument(
        "--keyword", metavar="TEXT[:N]", help="on this text of the document, the Nth time it stands there"
    )
    where.add_argument("--offset", metavar="DX,DY", help="moved so many points from the keyword")
    where.add_argument("--every-page", action="store_true", help="on every page: at --at, else lower right")
    where.add_argument("--cross-page", choices=("left", "right"), help="a slice at this edge of every page (骑缝章)")
    where.add_argument("--field", metavar="NAME", help="an empty signature field, or the name of a new one")

    what = parser.add_argument_group("what it says")
    what.add_argument(
        "--form",
        choices=("pades", "national"),
        default="pades",
        help="pades: a signature for every reader, the seal in it; national: SES_Signature of the seal's standard",
    )
    what.add_argument("--filter", metavar="NAME", help="national: name of the signature handler (/Filter)")
    what.add_argument("--subfilter", metavar="NAME", help="national: name of the kind of signature (/SubFilter)")
    what.add_argument("--level", choices=("B-B", "B-T"), help="default: B-T with --tsa, else B-B")
    what.add_argument("--tsa", metavar="URL", help="time-stamp authority: a URL, or the directory of a circle")
    what.add_argument("--allow-private", action="store_true", help="the authority may be at a private address")
    what.add_argument("--agreement", metavar="FILE", help="seal under this framework agreement, named by its hash")
    what.add_argument("--reason")
    what.add_argument("--location")
    what.add_argument("--locale", choices=("en", "zh", "ru"), default="en", help="language for who does not see it")


def run(args: argparse.Namespace) -> int:
    """Apply a seal and say where."""
    from certs.clock import SystemClock
    from certs.commands.console import read_input, secrets_of, write_output
    from certs.hardening import harden
    from certs.keys import open_key
    from signer.cli_opening import signing_credentials
    from signer.commands import agreement_of, certificates_of, level_of, timestamper_of
    from signer.pades.sealing import seal_options
    from signer.pades.sign import sign_bytes
    from signer.seals import read_seal

    harden()
    seal = read_seal(read_input(args.seal))
    level, national = level_of(args), _national(args)
    placements = _placements(args)
    key = open_key(args.key, secrets_of(args))
    certificate, chain = certificates_of(args, key)
    opened_by = signing_credentials(args)
    data, clock = read_input(args.source), SystemClock()
    options = seal_options(
        seal,
        places=_places(data, placements, seal, opened_by),
        national=national,
        field=args.field,
        reason=args.reason,
        location=args.location,
        level=level,
        locale=args.locale,
        agreement=agreement_of(args, certificate, chain, key.suite.name, level, clock),
    )
    sealed = sign_bytes(data, key, certificate, chain, options, clock, timestamper_of(args), credentials=opened_by)
    keys = [uri.removeprefix("file:") for uri in (args.key, args.open_key) if uri]
    inputs = [args.source, args.seal, *keys, *(name for name in (args.cert, args.open_cert) if name)]
    write_output(args.output, sealed, inputs=inputs)
    if args.output != "-":
        count = len(options.places)
        shown = f"{count} place{'s' if count != 1 else ''}" if count else f"field {args.field}"
        form = f", {args.form} form" if national is not None else ""
        by = f"{certificate.subject} ({key.suite.name})"
        print(f"{args.output}: sealed with {seal.name} by {by}, {level}{form}, {shown}")
    return 0


def _national(args: argparse.Namespace) -> NationalForm | None:
    from signer.errors import OptionError
    from signer.pades.options import NationalForm

    if args.form == "pades":
        if args.filter is not None or args.subfilter is not None:
            raise OptionError("the names of PAdES are fixed", hint="--filter and --subfilter go with --form national")
        return None
    usual = NationalForm()
    return NationalForm(args.filter or usual.filter, args.subfilter or usual.subfilter)


def _placements(args: argparse.Namespace) -> list[Placement]:
    """Return where the seal goes, in the order of the arguments above."""
    from signer.errors import OptionError
    from signer.pades.placement import AtKeyword, AtPoint, CrossPage, EveryPage

    found: list[Placement] = []
    point = _pair(args.at, "--at") if args.at is not None else None
    if args.page is not None and (point is None or args.every_page):
        raise OptionError("--page says the page of one point", hint="give it with --at X,Y, and without --every-page")
    if args.offset is not None and args.keyword is None:
        raise OptionError("--offset moves the seal from a keyword", hint="give --keyword TEXT")
    if point is not None and not args.every_page:
        found.append(AtPoint(-1 if args.page is None else args.page, *point))
    if args.keyword is not None:
        text, occurrence = _keyword(args.keyword)
        dx, dy = _pair(args.offset, "--offset") if args.offset is not None else (0.0, 0.0)
        found.append(AtKeyword(text, occurrence, dx, dy))
    if args.every_page:
        found.append(EveryPage(*(point or (None, None))))
    if args.cross_page is not None:
        found.append(CrossPage(args.cross_page))
    if not found and args.field is None:
        raise OptionError(
            "it is not said where the seal goes",
            hint="--at X,Y, --keyword TEXT, --every-page, --cross-page right, or --field NAME",
        )
    return found


def _places(data: bytes, placements: list[Placement], seal: Seal, credentials: Credentials) -> tuple[Place, ...]:
    from signer.pades.placement import place
    from signer.pades.sealing import seal_size

    return tuple(spot for placement in placements for spot in place(data, placement, *seal_size(seal), credentials))


def _pair(text: str, option: str) -> tuple[float, float]:
    from signer.errors import OptionError

    try:
        x, y = (float(part) for part in text.replace(",", " ").split())
    except ValueError as error:
        raise OptionError(f"{text!r} are no two numbers", hint=f"points: {option} 300,120") from error
    return x, y


def _keyword(text: str) -> tuple[str, int]:
    """Split TEXT[:N]."""
    keyword, colon, number = text.rpartition(":")
    if colon and keyword and number.removeprefix("-").isdigit() and len(number) < 6:
        return keyword, int(number)
    return text, 1
