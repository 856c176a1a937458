"""What one PAdES signature shall be, as plain data checked once.

    SignOptions()                                              # invisible, B-B, a new field
    SignOptions(level="B-T", page=1, box=(60, 80, 260, 160), appearance=StampSpec(name="张𠮷伟", locale="zh"))
    SignOptions(certify=2, reason="Approved")                  # first signature; forms and signatures may follow

Coordinates are points as the reader sees the page: from the lower left corner of the visible area, after /Rotate.
"""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.errors import OptionError

if TYPE_CHECKING:
    from signer.appearance import StampSpec
    from signer.appearance.seal import SealFace
    from signer.seals import Seal

Box = tuple[float, float, float, float]

LEVELS = ("B-B", "B-T")
"""Conformance levels of EN 319 142-1 6.1 that are offered."""
LATER_LEVELS = ("B-LT", "B-LTA")

CADES_DETACHED = "ETSI.CAdES.detached"
PKCS7_DETACHED = "adbe.pkcs7.detached"
ADOBE = "Adobe.PPKLite"
"""/Filter of PAdES: the handler that every reader has."""
SUBFILTERS = (CADES_DETACHED, PKCS7_DETACHED)
DOCUMENT_TIME_STAMP = "ETSI.RFC3161"

MAX_PLACES = 1000
"""Places in which one signature shows."""

COMMITMENTS = {
    "origin": "1.2.840.113549.1.9.16.6.1",
    "receipt": "1.2.840.113549.1.9.16.6.2",
    "delivery": "1.2.840.113549.1.9.16.6.3",
    "sender": "1.2.840.113549.1.9.16.6.4",
    "approval": "1.2.840.113549.1.9.16.6.5",
    "creation": "1.2.840.113549.1.9.16.6.6",
}
"""Commitment types of RFC 5126 5.11.1 (EN 319 122-1 5.2.3)."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,126}")

MAX_TEXT = 1000
MAX_RESERVE = 1 << 20


@dataclass(frozen=True)
class Place:
    """Where a signature shows, and how much of its picture. Raises OptionError."""

    page: int
    """Counted from 1; -1 is the last."""
    box: Box
    """x1, y1, x2, y2 in points as the reader sees the page."""
    part: tuple[float, float] = (0.0, 1.0)
    """From where to where, of the width of the picture: a slice of a cross-page seal."""

    def __post_init__(self) -> None:
        _check_page(self.page)
        _check_box(self.box)
        start, end = self.part
        if not 0 <= start < end <= 1:
            raise OptionError("a part of a picture lies between 0 and 1, from left to right")


@dataclass(frozen=True)
class NationalForm:
    """How a signature dictionary names an SES_Signature in /Contents (GM/T 0031, GB/T 38540). Raises OptionError.

    The names of the Chinese standard for PDF (GM/T 0112-2021) are not public; the defaults are the only ones published
    by a product (docs/seals-in-pdf.md).
    """

    filter: str = "GM.PKILite"
    subfilter: str = "GM.SM2"

    def __post_init__(self) -> None:
        for name in (self.filter, self.subfilter):
            if _NAME.fullmatch(name) is None:
                raise OptionError(f"{name!r} is no name of a signature handler", hint="letters, digits, . _ and -")
        if self.subfilter in (*SUBFILTERS, DOCUMENT_TIME_STAMP):
            raise OptionError(
                f"{self.subfilter} promises a CMS, which a seal signature is not", hint="name another kind"
            )


@dataclass(frozen=True, kw_only=True)
class SignOptions:
    """One signature. Raises OptionError where the values contradict one another."""

    field: str | None = None
    """Name of the signature field: an empty one that exists, or a new one. None makes up a new name."""
    page: int | None = None
    """Page of a new field, counted from 1; -1 is the last. None: the first."""
    box: Box | None = None
    """Place of a new visible field: x1, y1, x2, y2 in points as the reader sees the page. None: invisible."""
    appearance: StampSpec | SealFace | None = None
    """What the visible field shows; the width and height of a stamp follow the field. None: nothing is drawn."""
    places: tuple[Place, ...] = ()
    """Instead of `page` and `box`: where one signature shows the picture of a seal, each place in a field of its own.
    The first is the place of `field`, unless that exists already."""
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
    seal: Seal | None = None
    """The electronic seal that is applied: carried in a signed attribute, or in the national form."""
    agreement: bytes | None = dataclasses.field(default=None, repr=False)
    """The octets of the framework agreement that the signature is made under: a signed attribute names them by their
    digest. Excludes `reason` (EN 319 142-1 6.3 m)."""
    national: NationalForm | None = None
    """Not a CMS, but the SES_Signature of the seal's standard. None: PAdES."""
    values: tuple[tuple[str, str | bool], ...] = ()
    """What is filled into form fields with this signature: names of text fields and check boxes, and their values as
    they are to read (`signer.forms`)."""
    locks: tuple[str, ...] = ()
    """Names of form fields that nobody may change after this signature (12.8.2.4)."""
    locale: str = "en"
    """Language of what readers who do not see the stamp are told: en, zh, ru."""

    @property
    def names(self) -> tuple[str, str]:
        """/Filter and /SubFilter of the signature dictionary."""
        if self.national is not None:
            return self.national.filter, self.national.subfilter
        return ADOBE, self.subfilter

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
        if self.agreement is not None and self.reason is not None:
            raise OptionError("an agreement and a reason exclude each other (EN 319 142-1 6.3)", hint="give one")
        if not 0 <= self.reserve <= MAX_RESERVE:
            raise OptionError(f"{self.reserve} octets cannot be reserved", hint=f"at most {MAX_RESERVE}")
        self._check_texts()
        if self.page is not None:
            _check_page(self.page)
        if self.box is not None:
            _check_box(self.box)
        self._check_places()
        self._check_seal()

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

    def _check_places(self) -> None:
        if not self.places:
            return
        if self.page is not None or self.box is not None:
            raise OptionError("the places say page and box already", hint="give either places, or a page and a box")
        if self.appearance is None:
            raise OptionError("there is nothing to show in the places", hint="give the picture of a seal")
        if len(self.places) > MAX_PLACES:
            raise OptionError(
                f"one signature shows in {MAX_PLACES} places at most, not in {len(self.places)}",
                hint="seal some of the pages",
            )

    def _check_seal(self) -> None:
        if self.national is None:
            return
        if self.seal is None:
            raise OptionError("the national form is that of a seal", hint="give the seal, or sign by PAdES")
        if self.commitment is not None or self.time_stamp_digest is not None:
            raise OptionError("the national form has no commitment, and the digest of its own suite")
        if self.agreement is not None:
            raise OptionError("the national form has no place for an agreement", hint="seal by PAdES")
        if self.level != "B-B" and self.seal.version == 1:
            raise OptionError(
                "a signature of GM/T 0031-2014 has no place for a time-stamp over it", hint="seal at level B-B"
            )


def _check_page(page: int) -> None:
    if page == 0:
        raise OptionError("pages are counted from 1", hint="-1 is the last page")


def _check_box(box: Box) -> None:
    if len(box) != 4 or not all(isinstance(edge, int | float) and math.isfinite(edge) for edge in box):
        raise OptionError("a box is four numbers: x1, y1, x2, y2 in points")
    x1, y1, x2, y2 = box
    if x2 - x1 < 1 or y2 - y1 < 1:
        raise OptionError("a box needs x1 < x2 and y1 < y2, a point apart at least", hint="leave it out: invisible")
