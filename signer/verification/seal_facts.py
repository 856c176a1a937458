"""What a report says of the seal itself, and its picture where that is safe to show."""

from __future__ import annotations

import hashlib
import io
from functools import lru_cache

from certs.certificate import Certificate
from signer.errors import AppearanceError
from signer.report import SealReport, Verdict
from signer.seals.model import Seal
from signer.seals.picture import Kind, check_picture, kind_named, open_raster
from signer.verification.draft import Draft
from signer.verification.seal_steps import clause

SHOWN_SIDES = (480, 240, 120)
"""Pixels of the longer side of the picture in a report, the first that is small enough: 480 are 300 dpi for 40 mm."""
MAX_SHOWN = 100_000
"""Octets of a picture in a report, which may hold hundreds."""


def seal_report(draft: Draft, seal: Seal, maker: Certificate | None) -> SealReport:
    """Return the facts of a seal, and record whether its picture is harmless and what it says to be."""
    return SealReport(
        version=int(seal.version),
        standard=seal.version.standard,
        id=seal.seal_id,
        name=seal.name,
        type=seal.type,
        vendor=seal.vendor,
        maker=maker.subject if maker is not None else "",
        created=seal.created,
        valid_from=seal.valid_from,
        valid_to=seal.valid_to,
        filing_number=seal.filing_number,
        picture_type=seal.picture.type,
        picture_sha256=hashlib.sha256(seal.picture.data).hexdigest(),
        width=seal.picture.width,
        height=seal.picture.height,
        variants=seal.variants,
        picture=_picture(draft, seal),
    )


def _picture(draft: Draft, seal: Seal) -> bytes:
    """Return the picture as a PNG of our own making; empty where it is no raster picture or not safe."""
    where, stated = clause(seal.version, "format"), seal.picture.type
    known = kind_named(stated)
    try:
        checked = check_picture(seal.picture.data, stated=stated)
    except AppearanceError as error:
        if known is None:  # a vendor's own kind, which no reader takes for a picture of another
            draft.skipped("seal-picture", where, f"{stated[:20]!r}: {error.message}")
            draft.warn("seal-picture", f"of type {stated[:20]!r}")
        else:
            verdict, code = Verdict.INDETERMINATE, "seal-picture-unsafe"
            draft.failed("seal-picture", where, error.message, verdict, "FORMAT_FAILURE", code)
        return b""
    if known is not None and checked.mismatch:
        detail = f"the seal says {stated[:20]!r}, the picture is {checked.kind.upper()}"
        draft.failed("seal-picture", where, detail, Verdict.INDETERMINATE, "FORMAT_FAILURE", "seal-picture-type")
        return b""
    draft.passed("seal-picture", where, f"{checked.kind.upper()}, {seal.picture.width} × {seal.picture.height} mm")
    return b"" if checked.kind == "svg" else _redrawn(seal.picture.data, checked.kind)


@lru_cache(maxsize=8)
def _redrawn(data: bytes, kind: Kind) -> bytes:
    """Decode a checked picture and write it anew: a report hands on pixels, never the octets of strangers.

    The last few are remembered, for a seal is used again and again.
    """
    with open_raster(data, kind) as source:
        picture = source.convert("RGBA")
    for side in SHOWN_SIDES:
        picture.thumbnail((side, side))
        file = io.BytesIO()
        picture.save(file, "PNG")
        if file.tell() <= MAX_SHOWN:
            return file.getvalue()
    return b""
