"""Seals for tests: of every version and suite, and parts to build deviating ones by hand."""

from __future__ import annotations

import io
from datetime import timedelta
from functools import cache
from typing import Any

from PIL import Image

from signer.seals import Seal, SealPicture, SealVersion
from signer.seals.make import SealSpec, make_seal
from tests.conftest import NOW, circle_of

VERSIONS = tuple(SealVersion)
PROPERTY = "/Doc_0/Signs/Sign_0/Signature.xml"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><circle cx="20" cy="20" r="19"/></svg>'


@cache
def raster(kind: str = "PNG", size: tuple[int, int] = (40, 40), **options: Any) -> bytes:
    """Return a small picture."""
    file = io.BytesIO()
    Image.new("RGB", size, (200, 0, 0)).save(file, kind, **options)
    return file.getvalue()


def spec_of(suite: str, version: SealVersion = SealVersion.V5, **changes: Any) -> SealSpec:
    """Return what a seal of the suite's organisation says; its maker in tests is the person of the circle."""
    usual: dict[str, Any] = {
        "version": version,
        "vendor": "SEALROAD",
        "seal_id": "31010000000042",
        "type": 4,
        "name": "江海贸易有限公司 合同专用章 𠮷",
        "owners": (circle_of(suite).organisation.certificate,),
        "picture": SealPicture("PNG", raster(), 40, 40),
        "created": NOW,
        "valid_from": NOW - timedelta(days=1),
        "valid_to": NOW + timedelta(days=365),
        "filing_number": "沪公备 3101-42",
    }
    return SealSpec(**usual | changes)


def seal_of(suite: str, version: SealVersion = SealVersion.V5, **changes: Any) -> Seal:
    """Return a seal made with the key of the circle's person."""
    maker = circle_of(suite).person
    return make_seal(spec_of(suite, version, **changes), maker.key, maker.certificate)
