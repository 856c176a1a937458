"""What one PAdES signature shall be, as plain data checked once.

    SignOptions()                                              # invisible, B-B, a new field
    SignOptions(level="B-T", page=1, box=(60, 80, 260, 160), appearance=StampSpec(name="张𠮷伟", locale="zh"))
    SignOptions(certify=2, reason="Approved")                  # first signature; forms and signatures may follow

Coordinates are points as the reader sees the page: from the lower left corner of the visible area, after /Rotate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.errors import OptionError

if TYPE_CHECKING:
    from signer.appearance import StampSpec

Box = tuple[float, float, float, float]

LEVELS = ("B-B", "B-T")
"""Conformance levels of EN 319 142-1 6.1 that are offered."""
LATER_LEVELS = ("B-LT", "B-LTA")

CADES_DETACHED = "ETSI.CAdES.detached"
PKCS7_DETACHED = "adbe.pkcs7.detached"
SUBFILTERS = (CADES_DETACHED, PKCS7_DETACHED)

COMMITMENTS = {
    "origin": "1.2.840.113549.1.9.16.6.1",
    "receipt": "1.2.840.113549.1.9.16.6.2",
    "delivery": "1.2.840.113549.1.9.16.6.3",
    "sender": "1.2.840.113549.1.9.16.6.4",
    "approval": "1.2.840.113549.1.9.16.6.5",
    "creation": "1.2.840.113549.1.9.16.6.6",
}
"""Commitment types of RFC 5126 5.11.1 (EN 319 122-1 5.2.3)."""

MAX_TEXT = 1000
MAX_RESERVE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class SignOptions:
    """One signature. Raises OptionError where the values contradict one another."""

    field: str | None = None
    """Name of the signature field: an empty one that exists, or a new one. None makes up a new name."""
    page: int | None = None
    """Page of a new field, counted from 1; -1 is the last. None: the first."""
    box: Box | None = None
    """Place of a new visible field: x1, y1, x2, y2 in points as the reader sees the page. None: invisible."""
    appearance: StampSpec | None = None
    """What the visible field shows; its width and height follow the field. None: nothing is drawn."""
    name: str | None = None
    """/Name: who signs. None: what the certificate says."""
    reason: str | None = None
    location: str | None = None
    contact: str | None = None
    level: str = "B-B"
    certify: int | None = None
    """DocMDP permission of a certification: 1 no change, 2 forms and signatures, 3 annotations too (12.8.2.2)."""
    subfilter: str = CADES_DETACHED
    commitment: str | None = None
    """Key of COMMITMENTS: the commitment-type-indication attribute. Excludes `reason` (EN 319 142-1 6.3 n)."""
    time_stamp_digest: str | None = None
    """Digest of the time-stamp's imprint. None: the suite's own."""
    reserve: int = 0
    """Octets to reserve for the CMS at least, where another program makes it."""
    locale: str = "en"
    """Language of what readers who do not see the stamp are told: en, zh, ru."""

    def __post_init__(self) -> None:
        if self.level in LATER_LEVELS:
            raise OptionError(f"level {self.level} is not yet offered", hint="sign at B-T", level=self.level)
        if self.level not in LEVELS:
            raise OptionError(f"there is no level {self.level!r}", hint="use B-B or B-T", level=self.level)
        if self.subfilter not in SUBFILTERS:
            raise OptionError(f"signatures of kind {self.subfilter!r} are not made", hint=" or ".join(SUBFILTERS))
        if self.certify not in (None, 1, 2, 3):
            raise OptionError(f"a certification allows 1, 2 or 3, not {self.certify}")
        if self.commitment is not None and self.commitment not in COMMITMENTS:
            raise OptionError(f"there is no commitment {self.commitment!r}", hint="one of " + ", ".join(COMMITMENTS))
        if self.commitment is not None and self.reason is not None:
            raise OptionError("a commitment and a reason exclude each other (EN 319 142-1 6.3)", hint="give one")
        if not 0 <= self.reserve <= MAX_RESERVE:
            raise OptionError(f"{self.reserve} octets cannot be reserved", hint=f"at most {MAX_RESERVE}")
        if self.page == 0:
            raise OptionError("pages are counted from 1", hint="-1 is the last page")
        self._check_texts()
        self._check_box()

    def _check_texts(self) -> None:
        for label in ("field", "name", "reason", "location", "contact"):
            text = getattr(self, label)
            if text is None:
                continue
            if len(text) > MAX_TEXT or any(ord(c) < 0x20 or 0xD800 <= ord(c) < 0xE000 for c in text):
                raise OptionError(f"the {label} is too long or holds characters that are none")
        # partial names are joined by a period (ISO 32000-2 12.7.4.2), so none of them is empty
        if self.field is not None and not all(part.strip() for part in self.field.split(".")):
            raise OptionError(f"{self.field!r} is not the name of a field")

    def _check_box(self) -> None:
        if self.box is None:
            return
        if len(self.box) != 4 or not all(isinstance(edge, int | float) and math.isfinite(edge) for edge in self.box):
            raise OptionError("a box is four numbers: x1, y1, x2, y2 in points")
        x1, y1, x2, y2 = self.box
        if x2 - x1 < 1 or y2 - y1 < 1:
            raise OptionError("a box needs x1 < x2 and y1 < y2, a point apart at least", hint="leave it out: invisible")
