"""Contracts to sign: of the wanted number of pages and octets, made by reportlab and written anew by pikepdf.

    small = contract(pages=1, size=50_000)
    large = contract(pages=200, size=2_000_000)

The pages are full of text; what is missing in size is a stream of random octets, as a picture would be to a signer.
The file is written with object streams, as most programs write PDF today, or with a plain cross-reference table.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from functools import cache

import pikepdf
from reportlab.pdfgen.canvas import Canvas

LINES = 55
"""Lines of text on a page."""


@dataclass(frozen=True)
class Document:
    """A PDF and what to call it in a table."""

    name: str
    data: bytes


@cache
def contract(pages: int, size: int, *, object_streams: bool = True) -> bytes:
    """Return a PDF of `pages` pages and, to a few hundred octets, `size` octets; the same one every time."""
    text = _text(pages)
    bare = len(_written(text, b"", object_streams))
    return _written(text, random.Random(1).randbytes(max(size - bare, 0)), object_streams)


def both(*, object_streams: bool = True) -> tuple[Document, Document]:
    """Return the small and the large contract."""
    return (
        Document("1 page, 50 KB", contract(1, 50_000, object_streams=object_streams)),
        Document("200 pages, 2 MB", contract(200, 2_000_000, object_streams=object_streams)),
    )


def _text(pages: int) -> bytes:
    """Return pages full of text, in two fonts."""
    out = io.BytesIO()
    canvas = Canvas(out, pageCompression=1, invariant=1)
    for page in range(1, pages + 1):
        canvas.setFont("Helvetica-Bold", 14)
        canvas.drawString(72, 780, f"Contract of carriage by sea, page {page} of {pages}")
        canvas.setFont("Times-Roman", 10)
        for line in range(1, LINES + 1):
            words = f"{page}.{line}  The carrier shall deliver lot {page * LINES + line} to the consignee or his agent."
            canvas.drawString(72, 765 - 12.5 * line, words)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _written(text: bytes, filling: bytes, object_streams: bool) -> bytes:
    """Return the file with an incompressible stream on its first page, as a picture that is not shown."""
    out = io.BytesIO()
    mode = pikepdf.ObjectStreamMode.generate if object_streams else pikepdf.ObjectStreamMode.disable
    with pikepdf.open(io.BytesIO(text)) as pdf:
        if filling:
            pdf.pages[0].obj.PieceInfo = pikepdf.Dictionary(Filling=pdf.make_indirect(pikepdf.Stream(pdf, filling)))
        pdf.save(out, object_stream_mode=mode, compress_streams=False, deterministic_id=True)
    return out.getvalue()
