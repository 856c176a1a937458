"""The file that is attacked: a signed contract with everything a contract has, in any suite."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from tests.conftest import Circle, circle_of
from tests.signer import rawpdf
from tests.signer.rawpdf import stream
from tests.signer.test_verify import SIZES, cms

FORM_STREAM = b"/Type /XObject /Subtype /Form /BBox [0 0 100 20] "
FONTS = b"<< /F1 15 0 R /F2 16 0 R >>"
RESOURCES = b"<< /Font " + FONTS + b" /XObject << /Logo 21 0 R >> >>"
CATALOG = (
    b"<< /Type /Catalog /Pages 2 0 R /OCProperties << /OCGs [20 0 R] /D << /Order [20 0 R] >> >> /AcroForm << /Fields "
    b"[5 0 R 7 0 R 9 0 R 11 0 R 13 0 R] /SigFlags 3 /DR << /Font " + FONTS + b" >> /DA (/F1 9 Tf) >> >>"
)
PAGE = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources " + RESOURCES + b" /Annots "
    b"[5 0 R 7 0 R 9 0 R 10 0 R 11 0 R 13 0 R] >>"
)
SECOND = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 31 0 R /Resources " + RESOURCES + b" >>"
TOTAL = (
    b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (total) /V (100) /DA (/F1 9 Tf) /Rect [72 600 172 620] /P 3 0 R "
    b"/AP << /N 8 0 R >> >>"
)
TOTAL_LOOKS = stream(b"/Tx BMC BT /F1 9 Tf (100) Tj ET EMC", FORM_STREAM + b"/Resources << /Font " + FONTS + b" >> ")
EMPTY = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Sig2) /Rect [300 100 400 150] /P 3 0 R >>"
NOTE = b"<< /Type /Annot /Subtype /Text /Rect [10 10 30 30] /Contents (first) >>"
CHOICE = (
    b"<< /Type /Annot /Subtype /Widget /FT /Ch /Ff 131072 /T (port) /V (a) /Opt [[(a) (Almaty)] [(b) (Batumi)]] "
    b"/Rect [72 560 172 580] /P 3 0 R /AP << /N 12 0 R >> >>"
)
CHOICE_LOOKS = stream(b"BT /F1 9 Tf (Almaty) Tj ET", FORM_STREAM + b"/Resources << /Font " + FONTS + b" >> ")
BOX = (
    b"<< /Type /Annot /Subtype /Widget /FT /Btn /T (agree) /V /Off /AS /Off /Rect [72 540 82 550] /P 3 0 R "
    b"/AP << /N << /Yes 14 0 R >> >> >>"
)
BOX_LOOKS = stream(b"0 0 10 10 re f", FORM_STREAM)
HELVETICA = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
CODED = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding 17 0 R /ToUnicode 18 0 R >>"
ENCODING = b"<< /Type /Encoding /BaseEncoding /WinAnsiEncoding /Differences [49 /one] >>"
TO_UNICODE = stream(b"1 beginbfchar <31> <0031> endbfchar")
LAYER = b"<< /Type /OCG /Name (Terms) >>"
LOGO = stream(
    b"\x00" * 3, b"/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceRGB /BitsPerComponent 8 "
)
OTHER_CONTENT = stream(b"BT /F1 12 Tf 72 700 Td (pay 900) Tj ET")
CONTENT = stream(b"q 50 0 0 50 500 780 cm /Logo Do Q BT /F1 12 Tf 72 700 Td (pay 100) Tj ET")
PARTS = {
    "o1": CATALOG, "o2": b"<< /Type /Pages /Kids [3 0 R 30 0 R] /Count 2 >>", "o3": PAGE, "o4": CONTENT,
    "o7": TOTAL, "o8": TOTAL_LOOKS, "o9": EMPTY, "o10": NOTE, "o11": CHOICE, "o12": CHOICE_LOOKS, "o13": BOX,
    "o14": BOX_LOOKS, "o15": HELVETICA, "o16": CODED, "o17": ENCODING, "o18": TO_UNICODE, "o20": LAYER, "o21": LOGO,
    "o30": SECOND, "o31": stream(b"BT /F2 12 Tf 72 700 Td (within 100 days) Tj ET"), "o40": OTHER_CONTENT,
}  # fmt: skip
"""Object 40 is prepared and referred to by nothing."""


def digits(suite: str) -> int:
    return SIZES.get(suite, 16_000)


@cache
def contract(suite: str, signature: bytes = b"") -> bytes:
    """The contract, signed; `signature` are further entries of the signature dictionary."""
    return rawpdf.sign(cms(circle_of(suite)), digits=digits(suite), extra=signature, **PARTS)


def countersigned(suite: str, base: bytes, by: str = "ed25519") -> bytes:
    """The contract with one more signature by somebody else, in a new field."""
    return rawpdf.sign(cms(circle_of(by)), base, digits=digits(by), o1=CATALOG, o3=PAGE)


def docmdp(level: int) -> bytes:
    return b"/Reference [<< /TransformMethod /DocMDP /TransformParams << /P %d /V /1.2 >> >>] " % level


def field_lock(action: bytes, names: bytes = b"") -> bytes:
    parameters = b"<< /Action /%s /Fields [%s] /V /1.2 >>" % (action, names)
    return b"/Reference [<< /TransformMethod /FieldMDP /TransformParams " + parameters + b" >>] "


# -- forging with a right CMS --------------------------------------------------------------------------

Ranges = Callable[[int, int, int], tuple[int, ...]]


def forged(
    circle: Circle, ranges: Ranges, *, text: str = "", change: Callable[[bytes], bytes] | None = None, tail: bytes = b""
) -> bytes:
    """Sign exactly the octets that a dishonest /ByteRange names, so that nothing but the guard is in the way.

    `ranges` gets the offsets of the gap and the length of the file; `text` is what is written instead, where the four
    numbers alone do not say it; `change` edits the signature dictionary, `tail` is appended, both before signing.
    """
    bodies = rawpdf.objects(**PARTS)
    bodies[6] = rawpdf.signature_dictionary(digits(circle.suite_name))
    if change is not None:
        bodies[6] = change(bodies[6])
    data = rawpdf.assemble(bodies) + tail
    place = data.rindex(b"[0 AAAAAAAAAA BBBBBBBBBB CCCCCCCCCC]")
    start = data.index(b"/Contents <", place) + len(b"/Contents ")
    end = data.index(b">", start) + 1
    found = ranges(start, end, len(data))
    written = (text.format(*found) or "[" + " ".join(map(str, found)) + "]").encode()
    room = len(b"[0 AAAAAAAAAA BBBBBBBBBB CCCCCCCCCC]")
    assert len(written) <= room
    data = data[:place] + written.ljust(room) + data[place + room :]
    content = b"".join(data[found[i] : found[i] + found[i + 1]] for i in range(0, len(found) - 1, 2))
    encoded = cms(circle)(content).hex().encode()
    assert len(encoded) <= end - start - 2
    return data[: start + 1] + encoded + data[start + 1 + len(encoded) :]


def last_startxref(data: bytes) -> int:
    return int(re.findall(rb"startxref\s+(\d+)", data)[-1])
