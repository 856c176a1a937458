"""A picture of a seal, and a reader of what a signed file shows that shares nothing with the signer."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from functools import cache
from typing import Any

import pikepdf
import pytest
from PIL import Image, ImageChops, ImageDraw

from certs.clock import Clock
from certs.trust import TrustStore
from signer.appearance.seal import SealFace
from signer.pades.placement import Placement, place
from signer.pades.sealing import seal_options, seal_size
from signer.pades.sign import sign_bytes
from signer.report import SignatureReport
from signer.seals import Seal, SealPicture, SealVersion
from signer.verification.cms import describe
from signer.verify import verify_bytes
from tests.conftest import CLOCK, SIGNING, circle_of
from tests.signer.seals.making import seal_of
from tests.signer.signing import byte_ranges, sign

QUICK = ("sm2", "ecdsa-p256", "gost2012-256")
SUITES = tuple(suite if suite in QUICK else pytest.param(suite, marks=pytest.mark.slow) for suite in SIGNING)
"""Every suite for heavier tests, of which three in every run."""
WIDTH = 42 * 72 / 25.4
RED = (200, 16, 16, 255)


@cache
def picture(kind: str = "PNG", side: int = 248, colour: tuple[int, int, int, int] = RED) -> bytes:
    """Return a red ring with a star, transparent where the format knows that."""
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((4, 4, side - 5, side - 5), outline=colour, width=max(side // 30, 2))
    points = []
    for corner in range(10):
        radius, angle = side * (0.22 if corner % 2 == 0 else 0.085), -math.pi / 2 + corner * math.pi / 5
        points.append((side / 2 + radius * math.cos(angle), side / 2 + radius * math.sin(angle)))
    draw.polygon(points, fill=colour)
    if kind in ("JPEG", "BMP"):
        white = Image.new("RGB", image.size, (255, 255, 255))
        white.paste(image.convert("RGB"), mask=image.getchannel("A"))
        image = white
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def face(**changes: Any) -> SealFace:
    """Return a seal of 42 mm."""
    usual = SealFace(picture=picture(), width=WIDTH, height=WIDTH, name="江海贸易有限公司 合同专用章")
    return replace(usual, **changes)


def sealed(pdf: bytes, how: Placement, suite: str = "ecdsa-p256", **options: object) -> bytes:
    """Sign with the picture of a seal in the places asked for."""
    return sign(pdf, suite, places=place(pdf, how, WIDTH, WIDTH), appearance=face(), **options)


def shown(pdf: bytes, dpi: int = 36) -> list[Image.Image]:
    """Return the pages as PDFium draws them."""
    import pypdfium2

    with pypdfium2.PdfDocument(pdf) as document:
        document.init_forms()
        return [page.render(scale=dpi / 72, may_draw_forms=True).to_pil().convert("RGB") for page in document]


def red_box(image: Image.Image) -> tuple[int, int, int, int] | None:
    """Return the box around everything red on a page: left, top, right, bottom in pixels."""
    return redness(image).getbbox()


def redness(image: Image.Image) -> Image.Image:
    """Return a mask of everything red."""
    red, green, _ = image.convert("RGB").split()
    return ImageChops.subtract(red, green).point(lambda level: 255 if level > 80 else 0)


def rectangles(pdf: bytes) -> dict[str, tuple[float, ...]]:
    """Return /Rect of every signature field by name."""
    document = pikepdf.open(io.BytesIO(pdf))
    return {str(f.T): tuple(float(n) for n in f.Rect) for f in document.Root.AcroForm.Fields if f.get("/FT") == "/Sig"}


@cache
def seal(suite: str, version: SealVersion = SealVersion.V5) -> Seal:
    """Return a seal of 42 mm for the organisation of a circle, made by its person."""
    name = f"{describe(circle_of(suite).organisation.certificate).organisation} 合同专用章 𠮷"
    return seal_of(suite, version, name=name, picture=SealPicture("PNG", picture(), 42, 42))


def applied(
    pdf: bytes,
    suite: str = "sm2",
    how: Placement | None = None,
    *,
    version: SealVersion = SealVersion.V5,
    with_seal: Seal | None = None,
    **options: Any,
) -> bytes:
    """Apply the seal of a circle's organisation with its key."""
    circle = circle_of(suite)
    used = with_seal or seal(suite, version)
    places = place(pdf, how, *seal_size(used)) if how is not None else ()
    stamper = circle.timestamper if options.get("level") == "B-T" else None
    holder = circle.organisation
    made = seal_options(used, places=places, **options)
    return sign_bytes(pdf, holder.key, holder.certificate, (circle.issuing,), made, CLOCK, timestamper=stamper)


def contents(pdf: bytes) -> bytes:
    """Return the value of /Contents of the last signature, padding included."""
    _, before, behind, _ = byte_ranges(pdf)[-1]
    return bytes.fromhex(pdf[before + 1 : behind - 1].decode())


def covered(pdf: bytes) -> bytes:
    """Return the octets of /ByteRange of the last signature."""
    _, before, behind, length = byte_ranges(pdf)[-1]
    return pdf[:before] + pdf[behind : behind + length]


def reports(pdf: bytes, *of: str, clock: Clock = CLOCK) -> list[SignatureReport]:
    """Verify with the roots and lists of these circles, sm2's where none is named."""
    trust = TrustStore()
    for suite in of or ("sm2",):
        trust = trust.with_((circle_of(suite).root,), circle_of(suite).crls)
    return list(verify_bytes(pdf, name="x.pdf", trust=trust, clock=clock).signatures)


def only(pdf: bytes, *of: str) -> SignatureReport:
    """Verify a file with one signature."""
    (report,) = reports(pdf, *of)
    return report


def result_of(report: SignatureReport, name: str) -> str:
    """Return the result of a check."""
    return next(item.result for item in report.checks if item.id == name)
