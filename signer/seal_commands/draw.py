"""`sealroad seal draw`: the picture of a seal, as SVG, PNG or PDF.

sealroad seal draw seal.svg --kind round --name 上海示例贸易有限公司 --title 合同专用章
sealroad seal draw stamp.png --kind ru-round --name "ООО «Ромашка»" --title "г. Москва" --code "ОГРН 1027700132195"
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

KINDS = ("round", "oval", "square", "ru-round", "eu-block")


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("output", metavar="OUT", help="what is written: a file whose name ends in .svg, .png or .pdf")
    parser.add_argument("--kind", choices=KINDS, default="round", help="form of the seal (default: round)")
    parser.add_argument("--name", required=True, help="whose seal it is; on the arc, the ring or the square")
    parser.add_argument("--title", metavar="TEXT", help="as 合同专用章 below the star, 印 after a name")
    parser.add_argument("--code", metavar="TEXT", help="registration or tax number; of a Russian stamp ОГРН and ИНН")
    parser.add_argument(
        "--line",
        metavar="TEXT",
        action="append",
        default=[],
        help="a small line, or one in the middle; may be repeated",
    )
    parser.add_argument(
        "--size", metavar="MM", help="millimetres, or WIDTHxHEIGHT (default: what the kind usually has)"
    )
    parser.add_argument("--colour", metavar="#RRGGBB", help="ink (default: red, or blue for ru-round and eu-block)")
    parser.add_argument("--dpi", type=int, default=600, metavar="N", help="pixels per inch of a PNG (default: 600)")


def run(args: argparse.Namespace) -> int:
    """Draw and write; returns the exit code. Raises AppearanceError, OptionError."""
    from certs.commands.console import write_output
    from signer.errors import OptionError
    from signer.seals.drawing import SealDrawing, SealKind, draw, parse_colour

    kind = Path(args.output).suffix.lower()
    if kind not in {".svg", ".png", ".pdf"}:
        raise OptionError(f"{args.output}: the ending says no format", hint="name a file .svg, .png or .pdf")
    width, height = _size(args.size) if args.size else (None, None)
    drawn = draw(
        SealDrawing(
            kind=SealKind(args.kind),
            name=args.name,
            title=args.title,
            code=args.code,
            lines=tuple(args.line),
            width=width,
            height=height,
            colour=parse_colour(args.colour) if args.colour else None,
        )
    )
    if kind == ".svg":
        data = drawn.svg().encode()
    elif kind == ".pdf":
        data = drawn.pdf()
    else:
        data = drawn.png(args.dpi)
    write_output(args.output, data)
    print(f"{args.output}: {args.kind}, {drawn.width:g} × {drawn.height:g} mm, {len(data)} octets")
    return 0


def _size(text: str) -> tuple[float, float | None]:
    """Return width and height of "42" or "45x30"."""
    from signer.errors import OptionError

    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,3})?)(?:[x×](\d{1,3}(?:\.\d{1,3})?))?", text)
    if found is None:
        raise OptionError(f"--size {text} is no size", hint="give millimetres, as 42 or 45x30")
    return float(found[1]), float(found[2]) if found[2] else None
