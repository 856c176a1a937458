"""A text as a QR code (ISO/IEC 18004), drawn in black and white.

    svg, png = as_svg(code := modules("https://sign.example/h/…")), as_png(code)

Level M: 15 % of the code may be covered or dirty. The margin of four modules is that of the standard, clause 9.1.
"""

from __future__ import annotations

import io
from itertools import groupby
from typing import Final

QUIET: Final = 4
SCALE: Final = 8
"""Pixels of a module in a PNG."""

Modules = list[list[bool]]


def modules(text: str) -> Modules:
    """Return the rows of the code of an ASCII text, true where dark, with the margin around it."""
    from reportlab.graphics.barcode.qrencoder import QR8bitByte, QRCode, QRErrorCorrectLevel

    code = QRCode(None, QRErrorCorrectLevel.M)
    code.addData(QR8bitByte(text))
    code.make()
    rows = [[bool(dark) for dark in row] for row in code.modules]
    side, edge = [False] * QUIET, [[False] * (len(rows) + 2 * QUIET) for _ in range(QUIET)]
    return [*edge, *([*side, *row, *side] for row in rows), *edge]


def as_svg(rows: Modules) -> str:
    """Return the code as SVG, one unit for a module."""
    dark, x = "", 0
    for y, row in enumerate(rows):
        for on, run in ((on, len(list(run))) for on, run in groupby(row)):
            dark += f"M{x} {y}h{run}v1h-{run}z" if on else ""
            x = (x + run) % len(rows)
    size = len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/><path d="{dark}"/></svg>'
    )


def as_png(rows: Modules) -> bytes:
    """Return the code as PNG."""
    from PIL import Image

    size, out = len(rows), io.BytesIO()
    picture = Image.new("1", (size, size), 1)
    picture.putdata([0 if dark else 1 for row in rows for dark in row])
    picture.resize((size * SCALE, size * SCALE), Image.Resampling.NEAREST).save(out, "PNG", optimize=True)
    return out.getvalue()
