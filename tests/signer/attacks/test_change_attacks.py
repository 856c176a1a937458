"""Every class of later change, generated over a freshly signed contract, in every suite, at every DocMDP level.

The shadow attacks (hide, replace, hide-and-replace), the attacks on certified documents (evil annotation, sneaky
signature), pictures changed under a value that stays, fonts and encodings swapped: each by what it does to objects.
"""

# ruff: noqa: E501 - one change in one line

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from signer.report import SignatureReport, Verdict
from tests.conftest import Circle, circle_of
from tests.signer import rawpdf
from tests.signer.attacks.victim import (
    BOX,
    BOX_LOOKS,
    CATALOG,
    CHOICE,
    CHOICE_LOOKS,
    CODED,
    CONTENT,
    EMPTY,
    ENCODING,
    HELVETICA,
    LOGO,
    NOTE,
    OTHER_CONTENT,
    PAGE,
    PARTS,
    SECOND,
    TO_UNICODE,
    TOTAL,
    TOTAL_LOOKS,
    contract,
    countersigned,
    digits,
    docmdp,
    field_lock,
    last_startxref,
)
from tests.signer.rawpdf import SIGNATURE_FIELD, stream
from tests.signer.test_verify import cms, document_stamp, verify

FAILED, PASSED = Verdict.TOTAL_FAILED, Verdict.TOTAL_PASSED


@dataclass(frozen=True)
class Case:
    name: str
    level: str
    bodies: dict[int, bytes]
    root: bytes = b"1 0 R"
    says: tuple[str, ...] = field(default=())
    """What the details must name."""


def annotated(*more: bytes) -> bytes:
    return PAGE.replace(b"13 0 R]", b"13 0 R " + b" ".join(more) + b"]")


def with_key(body: bytes, entry: bytes) -> bytes:
    """Add an entry at the beginning of a dictionary."""
    return b"<< " + entry + b" " + body[3:]


FILLED = {7: TOTAL.replace(b"(100)", b"(900)"), 8: TOTAL_LOOKS.replace(b"(100)", b"(900)")}
COVER = stream(b"1 g 0 0 300 30 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 300 30] ")
SOME_SIGNATURE = b"<< /Type /Sig /SubFilter /ETSI.CAdES.detached >>"
STAMP = b"<< /Type /DocTimeStamp /SubFilter /ETSI.RFC3161 >>"
NEW_SIGNATURE = {
    1: CATALOG.replace(b"13 0 R]", b"13 0 R 50 0 R]"),
    3: annotated(b"50 0 R"),
    50: EMPTY.replace(b"(Sig2)", b"(Sig3) /V 51 0 R"),
    51: SOME_SIGNATURE,
}
INVISIBLE = NEW_SIGNATURE | {50: NEW_SIGNATURE[50].replace(b"[300 100 400 150]", b"[0 0 0 0]")}

# fmt: off
ALLOWED = [
    Case("nothing-refers-to-it", "none", {77: b"(unreferenced)"}),
    Case("written-again-as-it-was", "none", {3: PAGE, 4: CONTENT, 7: TOTAL, 15: HELVETICA}),
    Case("store-added", "lta-updates", {1: with_key(CATALOG, b"/DSS << /Certs [60 0 R] /VRI << /AA << /Cert [60 0 R] >> >> >>"), 60: stream(b"c")}),
    Case("catalog-under-another-number", "lta-updates", {61: with_key(CATALOG, b"/Extensions << /ESIC << /BaseVersion /1.7 /ExtensionLevel 5 >> >>")}, root=b"61 0 R"),
    Case("xmp-written", "lta-updates", {1: with_key(CATALOG, b"/Metadata 60 0 R"), 60: stream(b"<x/>", b"/Type /Metadata /Subtype /XML ")}),
    Case("document-time-stamp", "lta-updates", INVISIBLE | {51: STAMP}),
    Case("text-filled-in", "form-filling", FILLED, says=("page 1", "'total'", "object 7")),
    Case("choice-made", "form-filling", {11: CHOICE.replace(b"(a) /Opt", b"(b) /Opt"), 12: CHOICE_LOOKS.replace(b"Almaty", b"Batumi")}, says=("'port'",)),
    Case("box-ticked", "form-filling", {13: BOX.replace(b"/V /Off /AS /Off", b"/V /Yes /AS /Yes")}, says=("'agree'",)),
    Case("empty-field-signed", "form-filling", {9: EMPTY.replace(b"/P 3 0 R", b"/P 3 0 R /V 51 0 R /AP << /N 52 0 R >>"), 51: SOME_SIGNATURE, 52: COVER}, says=("'Sig2'",)),
    Case("new-signature", "form-filling", INVISIBLE, says=("'Sig3'", "object 50")),
    Case("comment-added", "annotations", {3: annotated(b"50 0 R"), 50: NOTE}, says=("page 1", "object 50", "rectangle [10 10 30 30]")),
    Case("comment-changed", "annotations", {10: NOTE.replace(b"first", b"other")}, says=("page 1", "object 10")),
    Case("annotations-walked-through-otherwise", "annotations", {3: with_key(PAGE, b"/Tabs /R")}, says=("page 1",)),
    Case("text-filled-in-with-another-border", "form-filling", FILLED | {7: with_key(FILLED[7], b"/MK << /BC [0] >>")}),
    Case("comment-deleted", "annotations", {3: PAGE.replace(b"10 0 R ", b"")}, says=("page 1", "object 10")),
]

EVIL_ANNOTATION = [
    Case("free-text-over-the-price", "annotations", {3: annotated(b"50 0 R"), 50: b"<< /Type /Annot /Subtype /FreeText /Rect [70 690 300 715] /DA (/F1 12 Tf) /Contents (pay 900) /AP << /N 52 0 R >> >>", 52: COVER}, says=("page 1", "FreeText", "rectangle [70 690 300 715]")),
    Case("stamp-over-the-price", "annotations", {3: annotated(b"50 0 R"), 50: b"<< /Type /Annot /Subtype /Stamp /Rect [70 690 300 715] /AP << /N 52 0 R >> >>", 52: COVER}, says=("Stamp",)),
    Case("redaction-proposed", "forbidden", {3: annotated(b"50 0 R"), 50: b"<< /Type /Annot /Subtype /Redact /Rect [70 690 300 715] >>"}),
    Case("watermark", "forbidden", {3: annotated(b"50 0 R"), 50: b"<< /Type /Annot /Subtype /Watermark /Rect [0 0 595 842] /AP << /N 52 0 R >> >>", 52: COVER}),
    Case("link-that-runs-a-script", "forbidden", {3: annotated(b"50 0 R"), 50: b"<< /Type /Annot /Subtype /Link /Rect [0 0 595 842] /A << /S /JavaScript /JS (x) >> >>"}),
    Case("comment-that-acts-now", "forbidden", {10: NOTE.replace(b"/Contents", b"/AA << /E << /S /Launch >> >> /Contents")}),
    Case("movie-over-the-page", "forbidden", {3: annotated(b"50 0 R"), 50: b"<< /Type /Annot /Subtype /Screen /Rect [0 0 595 842] >>"}),
]

SNEAKY_SIGNATURE = [
    Case("over-the-text", "form-filling", NEW_SIGNATURE | {50: NEW_SIGNATURE[50].replace(b"[300 100 400 150]", b"[70 690 300 715]").replace(b"/P 3", b"/AP << /N 52 0 R >> /P 3"), 52: COVER}, says=("page 1", "covers page content (text)", "rectangle [70 690 300 715]")),
    Case("over-the-image", "form-filling", NEW_SIGNATURE | {50: NEW_SIGNATURE[50].replace(b"[300 100 400 150]", b"[490 770 560 840]")}, says=("covers page content (image)",)),
    Case("over-a-field", "form-filling", NEW_SIGNATURE | {50: NEW_SIGNATURE[50].replace(b"[300 100 400 150]", b"[70 595 180 625]")}, says=("covers an earlier Widget", "rectangle [72 600 172 620]")),
    Case("empty-field-moved-over-the-text", "forbidden", {9: EMPTY.replace(b"[300 100 400 150]", b"[70 690 300 715] /V 51 0 R"), 51: SOME_SIGNATURE}),
    Case("empty-field-with-a-picture", "forbidden", NEW_SIGNATURE | {50: EMPTY.replace(b"(Sig2)", b"(Sig3) /AP << /N 52 0 R >>").replace(b"[300 100 400 150]", b"[70 690 300 715]"), 52: COVER}, says=("added without a signer",)),
    Case("empty-field-with-a-picture-in-a-picture", "forbidden", NEW_SIGNATURE | {50: EMPTY.replace(b"(Sig2)", b"(Sig3) /AP << /N 53 0 R >>"), 52: COVER, 53: stream(b"/X Do", b"/Type /XObject /Subtype /Form /BBox [0 0 300 30] /Resources << /XObject << /X 52 0 R >> >> ")}),
    Case("empty-field-with-an-empty-picture", "form-filling", NEW_SIGNATURE | {50: EMPTY.replace(b"(Sig2)", b"(Sig3) /AP << /N 52 0 R >>"), 52: stream(b"q Q", b"/Type /XObject /Subtype /Form /BBox [0 0 300 30] ")}),
    Case("empty-field-with-a-kid-that-shows", "forbidden", NEW_SIGNATURE | {50: EMPTY.replace(b"(Sig2)", b"(Sig3) /Kids [54 0 R]"), 54: b"<< /Type /Annot /Subtype /Widget /Parent 50 0 R /Rect [70 690 300 715] /P 3 0 R /AP << /N 52 0 R >> >>", 52: COVER, 3: annotated(b"54 0 R")}),
    Case("signed-field-gets-one-more-picture", "forbidden", {5: SIGNATURE_FIELD.replace(b"/V 6", b"/Kids [54 0 R] /V 6"), 54: b"<< /Type /Annot /Subtype /Widget /Parent 5 0 R /Rect [70 690 300 715] /P 3 0 R /AP << /N 52 0 R >> >>", 52: COVER, 3: annotated(b"54 0 R")}),
    Case("new-field-signed-by-its-kid", "form-filling", NEW_SIGNATURE | {50: b"<< /T (Party) /Kids [54 0 R] >>", 54: EMPTY.replace(b"(Sig2)", b"(Sig3) /Parent 50 0 R /V 51 0 R /AP << /N 52 0 R >>"), 52: COVER, 3: annotated(b"54 0 R")}),
    Case("new-field-whose-kid-does-not-name-it", "form-filling", NEW_SIGNATURE | {50: b"<< /FT /Sig /T (Sig3) /V 51 0 R /Kids [54 0 R] >>", 54: b"<< /Type /Annot /Subtype /Widget /Rect [300 100 400 150] /P 3 0 R /AP << /N 52 0 R >> >>", 52: COVER, 3: annotated(b"54 0 R")}),
    Case("new-field-with-the-name-of-another", "forbidden", NEW_SIGNATURE | {50: b"<< /FT /Sig /T (total) >>"}, says=("one of that name",)),
    Case("new-field-with-the-name-of-a-signed-one", "forbidden", NEW_SIGNATURE | {50: NEW_SIGNATURE[50].replace(b"(Sig3)", b"(Sig1)")}),
    Case("time-stamp-that-shows-something", "forbidden", NEW_SIGNATURE | {50: NEW_SIGNATURE[50].replace(b"/P 3", b"/AP << /N 52 0 R >> /P 3"), 51: STAMP, 52: COVER}, says=("added without a signer",)),
    Case("new-field-with-an-action", "forbidden", NEW_SIGNATURE | {50: NEW_SIGNATURE[50].replace(b"/P 3", b"/A << /S /JavaScript /JS (x) >> /P 3")}),
    Case("new-field-that-is-no-signature", "forbidden", NEW_SIGNATURE | {50: NEW_SIGNATURE[50].replace(b"/FT /Sig", b"/FT /Tx")}),
    Case("widget-without-a-field", "forbidden", {3: annotated(b"50 0 R"), 50: b"<< /Type /Annot /Subtype /Widget /Rect [70 690 300 715] /AP << /N 52 0 R >> >>", 52: COVER}),
    Case("another-pages-signature-shown-here", "forbidden", {30: with_key(SECOND, b"/Annots [7 0 R]"), 3: PAGE.replace(b"7 0 R ", b"")}),
]

SHADOW_HIDE = [
    Case("overlay-made-invisible", "forbidden", {21: LOGO.replace(b"/Width 1", b"/Width 0")}),
    Case("overlay-freed", "forbidden", {21: b"null"}),
    Case("overlay-taken-out-of-the-resources", "forbidden", {3: PAGE.replace(b" /XObject << /Logo 21 0 R >>", b"")}),
    Case("covering-field-hidden", "forbidden", {7: TOTAL.replace(b"/P 3", b"/F 2 /P 3")}),
    Case("covering-field-moved", "forbidden", {7: TOTAL.replace(b"[72 600 172 620]", b"[0 0 0 0]")}),
    Case("covering-field-taken-away", "forbidden", {1: CATALOG.replace(b" 7 0 R", b""), 3: PAGE.replace(b" 7 0 R", b"")}),
    Case("covering-picture-emptied", "forbidden", {8: stream(b"", b"/Type /XObject /Subtype /Form /BBox [0 0 100 20] ")}),
    Case("layer-switched-off", "forbidden", {1: CATALOG.replace(b"/D << /Order", b"/D << /OFF [20 0 R] /Order")}),
]

SHADOW_REPLACE = [
    Case("picture-changed-under-its-value", "forbidden", {8: TOTAL_LOOKS.replace(b"(100)", b"(900)")}),
    Case("picture-led-elsewhere-under-its-value", "forbidden", {7: TOTAL.replace(b"8 0 R", b"52 0 R"), 52: TOTAL_LOOKS.replace(b"(100)", b"(900)")}),
    Case("value-changed-without-its-picture", "forbidden", {7: TOTAL.replace(b"(100)", b"(900)")}),
    Case("picture-of-another-value", "forbidden", {7: TOTAL.replace(b"(100)", b"(900)"), 8: TOTAL_LOOKS.replace(b"(100)", b"(111)")}),
    Case("picture-that-is-an-image", "forbidden", {7: TOTAL.replace(b"(100)", b"(900)"), 8: stream(b"BT (900) Tj ET 100 0 0 20 0 0 cm /X Do", b"/Type /XObject /Subtype /Form /BBox [0 0 100 20] /Resources << /XObject << /X 21 0 R >> >> ")}),
    Case("picture-with-an-inline-image", "forbidden", {7: TOTAL.replace(b"(100)", b"(900)"), 8: stream(b"BT (900) Tj ET BI /W 1 /H 1 /CS /G /BPC 8 ID \x00 EI", b"/Type /XObject /Subtype /Form /BBox [0 0 100 20] ")}),
    Case("picture-in-a-coding-that-is-not-read", "forbidden", {7: TOTAL.replace(b"(100)", b"(900)"), 8: stream(b"9jqo^~>", b"/Filter /ASCII85Decode /Type /XObject /Subtype /Form /BBox [0 0 100 20] ")}),
    Case("picture-with-an-image-of-the-page", "forbidden", {7: TOTAL.replace(b"(100)", b"(900)"), 8: stream(b"BT (900) Tj ET 100 0 0 20 0 0 cm /Logo Do", b"/Type /XObject /Subtype /Form /BBox [0 0 100 20] ")}),
    Case("picture-with-text-that-nobody-sees", "forbidden", {7: TOTAL.replace(b"(100)", b"(900)"), 8: stream(b"BT /F1 9 Tf 3 Tr (900) Tj ET 0 0 m 5 5 l 6 7 l f", b"/Type /XObject /Subtype /Form /BBox [0 0 100 20] ")}),
    Case("picture-under-the-finger", "forbidden", FILLED | {7: FILLED[7].replace(b"/N 8 0 R", b"/N 8 0 R /R 52 0 R"), 52: stream(b"/X Do", b"/Type /XObject /Subtype /Form /BBox [0 0 100 20] /Resources << /XObject << /X 21 0 R >> >> ")}),
    Case("picture-chosen-by-a-state", "forbidden", {7: TOTAL.replace(b"(100)", b"(900)").replace(b"/N 8 0 R", b"/N << /Off 52 0 R >>").replace(b"/P 3", b"/AS /Off /P 3"), 52: COVER}),
    Case("picture-of-glyphs-that-are-drawings", "forbidden", {7: TOTAL.replace(b"(100)", b"(1)"), 8: stream(b"BT /L 9 Tf (1) Tj ET", b"/Type /XObject /Subtype /Form /BBox [0 0 100 20] /Resources << /Font << /L << /Type /Font /Subtype /Type3 /ToUnicode 18 0 R >> >> >> ")}),
    Case("picture-of-another-value-with-rich-text-beside", "forbidden", {7: TOTAL.replace(b"(100)", b"(900) /RV (<p>900</p>)"), 8: TOTAL_LOOKS.replace(b"(100)", b"(111)")}),
    Case("choice-shown-is-not-the-one-made", "forbidden", {11: CHOICE.replace(b"(a) /Opt", b"(b) /Opt"), 12: CHOICE_LOOKS.replace(b"Almaty", b"Aktau")}),
    Case("tick-in-another-picture", "forbidden", {13: BOX.replace(b"/V /Off /AS /Off", b"/V /Yes /AS /Yes"), 14: BOX_LOOKS.replace(b"re f", b"re n")}),
    Case("state-without-its-value", "forbidden", {13: BOX.replace(b"/AS /Off", b"/AS /Maybe")}),
    Case("border-changed-under-the-value", "forbidden", {7: with_key(TOTAL, b"/MK << /BG [1] >>")}),
    Case("icon-brought-with-the-value", "forbidden", FILLED | {7: with_key(FILLED[7], b"/MK << /I 40 0 R >>")}),
    Case("looks-changed-under-the-value", "forbidden", {7: TOTAL.replace(b"/F1 9 Tf) /Rect", b"/F2 1 Tf) /Rect")}),
    Case("image-swapped", "forbidden", {21: LOGO.replace(b"\x00\x00\x00\nend", b"\xff\x00\x00\nend")}),
    Case("font-swapped", "forbidden", {15: HELVETICA.replace(b"Helvetica", b"ZapfDingbats")}),
    Case("font-given-a-program", "forbidden", {15: with_key(HELVETICA, b"/FontDescriptor << /FontFile2 52 0 R >>"), 52: stream(b"glyphs")}),
    Case("font-under-another-name", "forbidden", {3: PAGE.replace(b"/F1 15 0 R /F2 16 0 R", b"/F1 16 0 R /F2 15 0 R")}),
    Case("font-of-the-form-swapped", "forbidden", {1: CATALOG.replace(b"/F1 15 0 R /F2 16 0 R", b"/F1 16 0 R /F2 15 0 R")}),
    Case("encoding-swapped", "forbidden", {17: ENCODING.replace(b"/one", b"/nine")}),
    Case("encoding-added", "forbidden", {15: HELVETICA.replace(b"/WinAnsiEncoding", b"<< /Differences [49 /nine] >>")}),
    Case("what-is-copied-swapped", "forbidden", {18: TO_UNICODE.replace(b"<0031>", b"<0039>")}),
    Case("widths-added", "forbidden", {16: with_key(CODED, b"/FirstChar 49 /LastChar 49 /Widths [0]")}),
    Case("encoding-that-lies-in-the-picture", "forbidden", FILLED | {7: FILLED[7].replace(b"(900)", b"(1)"), 8: stream(b"BT /L 9 Tf (1) Tj ET", b"/Type /XObject /Subtype /Form /BBox [0 0 100 20] /Resources << /Font << /L << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /Differences [49 /nine] >> /ToUnicode 18 0 R >> >> >> ")}),
]

HIDE_AND_REPLACE = [
    Case("prepared-content-switched-on", "forbidden", {3: PAGE.replace(b"/Contents 4 0 R", b"/Contents 40 0 R")}),
    Case("prepared-content-written-over", "forbidden", {4: OTHER_CONTENT}),
    Case("content-array-extended", "forbidden", {3: PAGE.replace(b"/Contents 4 0 R", b"/Contents [4 0 R 40 0 R]")}),
    Case("other-catalog-switched-on", "forbidden", {61: CATALOG.replace(b"/Pages 2 0 R", b"/Pages 62 0 R"), 62: b"<< /Type /Pages /Kids [3 0 R 30 0 R] /Count 2 >>"}, root=b"61 0 R"),
    Case("other-page-tree-switched-on", "forbidden", {1: CATALOG.replace(b"/Pages 2 0 R", b"/Pages 62 0 R"), 62: b"<< /Type /Pages /Kids [30 0 R] /Count 1 >>"}),
    Case("page-replaced", "forbidden", {2: b"<< /Type /Pages /Kids [50 0 R 30 0 R] /Count 2 >>", 50: PAGE.replace(b"4 0 R", b"40 0 R")}),
    Case("pages-swapped", "forbidden", {2: b"<< /Type /Pages /Kids [30 0 R 3 0 R] /Count 2 >>"}),
    Case("generation-raised", "forbidden", {3: PAGE.replace(b"/Contents 4 0 R", b"/Contents 4 1 R")}),
]

OTHERS = [
    Case("page-added", "forbidden", {2: b"<< /Type /Pages /Kids [3 0 R 30 0 R 50 0 R] /Count 3 >>", 50: SECOND}),
    Case("page-removed", "forbidden", {2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"}),
    Case("page-cropped", "forbidden", {3: with_key(PAGE, b"/CropBox [0 0 595 400]")}),
    Case("order-of-no-known-name", "forbidden", {3: with_key(PAGE, b"/Tabs << >>")}),
    Case("page-turned", "forbidden", {3: with_key(PAGE, b"/Rotate 180")}),
    Case("page-that-acts", "forbidden", {3: with_key(PAGE, b"/AA << /O << /S /JavaScript /JS (x) >> >>")}),
    Case("script-on-opening", "forbidden", {1: with_key(CATALOG, b"/OpenAction << /S /JavaScript /JS (x) >>")}),
    Case("scripts-by-name", "forbidden", {1: with_key(CATALOG, b"/Names << /JavaScript << /Names [(a) << /S /JavaScript /JS (x) >>] >> >>")}),
    Case("file-attached", "forbidden", {1: with_key(CATALOG, b"/Names << /EmbeddedFiles << /Names [(a) 50 0 R] >> >>"), 50: b"<< /Type /Filespec >>"}),
    Case("outline-added", "forbidden", {1: with_key(CATALOG, b"/Outlines << /Type /Outlines >>")}),
    Case("structure-added", "forbidden", {1: with_key(CATALOG, b"/StructTreeRoot << /Type /StructTreeRoot >>")}),
    Case("language-changed", "forbidden", {1: with_key(CATALOG, b"/Lang (zh)")}),
    Case("xfa-added", "forbidden", {1: CATALOG.replace(b"/SigFlags", b"/XFA 50 0 R /SigFlags"), 50: stream(b"<xdp/>")}),
    Case("readers-told-to-draw", "forbidden", {1: CATALOG.replace(b"/SigFlags 3", b"/SigFlags 3 /NeedAppearances true")}),
    Case("form-removed", "forbidden", {1: CATALOG.replace(b"/AcroForm", b"/AcroFrom")}),
    Case("field-removed", "forbidden", {1: CATALOG.replace(b" 11 0 R", b"")}),
    Case("text-field-added", "forbidden", {1: CATALOG.replace(b"13 0 R]", b"13 0 R 50 0 R]"), 50: b"<< /FT /Tx /T (more) >>"}),
    Case("field-renamed", "forbidden", {7: TOTAL.replace(b"(total)", b"(other)")}),
    Case("field-retyped", "forbidden", {7: TOTAL.replace(b"/FT /Tx", b"/FT /Ch")}),
    Case("script-in-a-field", "forbidden", {7: TOTAL.replace(b"/P 3", b"/AA << /K << /S /JavaScript /JS (x) >> >> /P 3")}),
    Case("signature-taken-out-of-its-field", "forbidden", {5: SIGNATURE_FIELD.replace(b"/V 6 0 R", b"")}),
    Case("signature-given-a-picture", "forbidden", {5: SIGNATURE_FIELD.replace(b"/V 6", b"/AP << /N 52 0 R >> /V 6"), 52: COVER}),
    Case("certified-by-somebody-later", "forbidden", {1: with_key(CATALOG, b"/Perms << /DocMDP 50 0 R >>"), 50: SOME_SIGNATURE}),
    Case("later-object-out-of-its-place", "forbidden", {}),
]
# fmt: on
GROUPS = {
    "allowed": ALLOWED,
    "EAA": EVIL_ANNOTATION,
    "SSA": SNEAKY_SIGNATURE,
    "hide": SHADOW_HIDE,
    "replace": SHADOW_REPLACE,
    "hide-and-replace": HIDE_AND_REPLACE,
    "other": OTHERS,
}  # fmt: skip
CASES = [(group, case) for group, cases in GROUPS.items() for case in cases]
ORDER = ("none", "lta-updates", "form-filling", "annotations", "forbidden")


def applied(case: Case, base: bytes) -> bytes:
    if case.name == "later-object-out-of-its-place":
        later = rawpdf.update(base, {4: OTHER_CONTENT, 77: b"null"})
        at = later.rindex(b"4 0 obj", len(base), later.rindex(b"xref\n"))
        return later.replace(b"%010d 00000 n" % at, b"%010d 00000 n" % (at + 3))
    return rawpdf.update(base, case.bodies, root=case.root)


def first(data: bytes, circle: Circle | None) -> SignatureReport:
    return verify(data, circle).signatures[0]


@pytest.mark.parametrize(("group", "case"), CASES, ids=lambda item: item if isinstance(item, str) else item.name)
def test_each_change_gets_its_level_and_verdict(group: str, case: Case, kind_suite: str) -> None:
    data = applied(case, contract(kind_suite))
    one = first(data, circle_of(kind_suite))
    assert one.changes_after is not None
    assert one.changes_after.level == case.level, (one.reason, one.changes_after)
    expected = FAILED if case.level == "forbidden" else PASSED
    if one.reason.startswith("a later revision defines the signature dictionary"):
        expected = FAILED
    assert one.verdict is expected, one.reason
    if expected is FAILED:
        assert (one.sub_indication, one.code) == ("FORMAT_FAILURE", "forbidden-change")
    told = "\n".join(one.changes_after.detail)
    assert all(words in told for words in case.says), told
    assert case.level == "none" or "revision 2: " in told


@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize(("group", "case"), CASES, ids=lambda item: item if isinstance(item, str) else item.name)
def test_docmdp_at_every_level(group: str, case: Case, level: int) -> None:
    """ISO 32000-2 Table 257."""
    circle = circle_of("ecdsa-p256")
    one = first(applied(case, contract("ecdsa-p256", docmdp(level))), circle)
    assert one.kind == "certification"
    highest = {1: "lta-updates", 2: "form-filling", 3: "annotations"}[level]
    allowed = ORDER.index(case.level) <= ORDER.index(highest)
    assert one.verdict is (PASSED if allowed else FAILED), one.reason
    assert one.changes_after is not None
    assert one.changes_after.level == (case.level if allowed else "forbidden")


@pytest.mark.parametrize(
    ("action", "names", "locked"),
    [(b"All", b"", True), (b"Include", b"(total)", True), (b"Include", b"(port)", False), (b"Exclude", b"(total)", False), (b"Exclude", b"(port)", True), (b"Exclude", b"(total )", True)],
)  # fmt: skip
def test_fieldmdp_of_this_and_of_every_earlier_signature(
    action: bytes, names: bytes, locked: bool, signing_suite: str
) -> None:
    base = contract(signing_suite, field_lock(action, names))
    alone = rawpdf.update(base, FILLED)
    assert (first(alone, circle_of(signing_suite)).verdict is FAILED) is locked
    both = rawpdf.update(countersigned(signing_suite, base), FILLED)
    trust = circle_of("ed25519")
    report = verify(both, trust)
    second = report.signatures[-1]
    if action == b"All":
        return  # the counter-signature itself is not foreseen by such a lock
    assert (second.verdict is FAILED) is locked, second.reason
    assert not locked or "earlier signature" in second.reason


def test_docmdp_of_an_earlier_signature_stays_in_force() -> None:
    base = countersigned("sm2", contract("sm2", docmdp(2)))
    noted = rawpdf.update(base, {10: NOTE.replace(b"first", b"other")})
    report = verify(noted, circle_of("ed25519"))
    assert [s.code for s in report.signatures] == ["forbidden-change"] * 2
    assert "earlier signature" in report.signatures[1].reason


def test_lock_in_the_field_of_the_signature() -> None:
    locked = SIGNATURE_FIELD.replace(
        b"/V 6", b"/Lock << /Type /SigFieldLock /Action /Include /Fields [(total)] >> /V 6"
    )
    parts = PARTS | {"o5": locked}
    base = rawpdf.sign(cms(circle_of("sm2")), digits=digits("sm2"), **parts)
    assert first(rawpdf.update(base, FILLED), circle_of("sm2")).verdict is FAILED
    assert first(base, circle_of("sm2")).verdict is PASSED


def test_a_broken_signature_before_it_forbids_nothing() -> None:
    """Hostile content in one signature must not stop another: a lock in a signature that breaks the guard is no lock."""
    bodies = rawpdf.objects(**PARTS)
    bodies[6] = rawpdf.signature_dictionary(40, extra=docmdp(1) + b"/Filter /Twice ")
    hostile = rawpdf.fill_byte_range(rawpdf.assemble(bodies))
    base = rawpdf.sign(cms(circle_of("sm2")), hostile, digits=digits("sm2"), o1=CATALOG, o3=PAGE)
    filled = rawpdf.update(base, FILLED)
    bad, good = verify(filled, circle_of("sm2")).signatures
    assert bad.verdict is FAILED
    assert good.verdict is PASSED, good.reason


# -- no false alarms ----------------------------------------------------------------------------------


def test_counter_signature_that_frees_objects(suite_name: str, circle: Circle) -> None:
    """Some writers free numbers that nothing uses with every update."""
    base = contract(suite_name)
    later = rawpdf.sign(cms(circle), base, digits=digits(suite_name), o1=CATALOG, o3=PAGE)
    freed = (
        later
        + b"xref\n0 1\n0000000040 65535 f \n40 1\n0000000000 00001 f \n"
        + (
            b"trailer\n<< /Size 60 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n"
            % (last_startxref(later), len(later))
        )
    )
    report = verify(freed, circle)
    assert report.verdict is PASSED, [s.reason for s in report.signatures]
    levels = [s.changes_after.level for s in report.signatures if s.changes_after]
    assert levels == ["form-filling", "none"]


def test_store_rewritten_with_other_vri_entries(signing_suite: str) -> None:
    """Long-term updates of several products replace /VRI as a whole; no evidence is lost (12.8.4.4)."""
    circle = circle_of(signing_suite)
    store = b"/DSS << /Type /DSS /Certs [60 0 R] /CRLs [61 0 R] /VRI << /%s << /Cert [60 0 R] %s >> >> >>"
    objects = {60: stream(b"certificate"), 61: stream(b"list")}
    data = rawpdf.update(contract(signing_suite), objects | {1: with_key(CATALOG, store % (b"AA", b"/Type /VRI"))})
    data = rawpdf.update(data, objects | {1: with_key(CATALOG, store % (b"BB", b"/TU (D:2026)"))})
    catalog = with_key(CATALOG, store % (b"BB", b"/TU (D:2026)"))
    stamped = rawpdf.sign(
        document_stamp(circle), data, digits=digits(signing_suite), subfilter=b"ETSI.RFC3161", o1=catalog, o3=PAGE
    )
    report = verify(stamped, circle)
    assert report.verdict is PASSED, [s.reason for s in report.signatures]
    assert report.signatures[0].changes_after is not None
    assert report.signatures[0].changes_after.level == "lta-updates"


def test_notes_of_producers_in_catalog_and_page_are_no_change() -> None:
    marks = b"/PieceInfo << /Writer << /LastModified (D:2026) /Private 60 0 R >> >>"
    page = with_key(PAGE, marks + b" /LastModified (D:2026) /Tabs /S")
    data = rawpdf.update(contract("sm2"), {1: with_key(CATALOG, marks), 3: page, 60: b"<< /A 1 >>"})
    one = first(data, circle_of("sm2"))
    assert (one.verdict, one.changes_after.level if one.changes_after else None) == (PASSED, "none")


# -- step by step -------------------------------------------------------------------------------------


def test_each_later_revision_is_told_by_its_number() -> None:
    data = rawpdf.update(contract("sm2"), FILLED)
    data = rawpdf.update(data, {10: NOTE.replace(b"first", b"other")})
    data = rawpdf.update(data, {1: with_key(CATALOG, b"/DSS << /Certs [60 0 R] >>"), 60: stream(b"c")})
    one = first(data, circle_of("sm2"))
    assert one.changes_after is not None
    told = one.changes_after.detail
    assert [line.split(":")[0] for line in told] == ["revision 3", "revision 2", "revision 4"], told
    assert "object 10" in told[0]
    assert "'total'" in told[1]
    assert "security store" in told[2]


def test_a_change_that_was_taken_back_is_told() -> None:
    """What counts is what the file says now; that somebody tried is worth a word."""
    data = rawpdf.update(rawpdf.update(contract("sm2"), {4: OTHER_CONTENT}), {4: CONTENT})
    one = first(data, circle_of("sm2"))
    assert (one.verdict, one.changes_after.level if one.changes_after else None) == (PASSED, "none")
    assert [w.detail for w in one.warnings if w.code == "change-taken-back"]
    assert one.changes_after is not None
    assert any("page 1 /Contents (object 4)" in line for line in one.changes_after.detail)


def test_a_signed_revision_that_cannot_be_read_leaves_the_question_open() -> None:
    """Unreadable from the beginning is not tampered with later."""
    circle = circle_of("sm2")
    parts = PARTS | {"o8": TOTAL_LOOKS.replace(b"endstream", b"endstreem")}
    parts["o3"] = PAGE.replace(b"/Logo 21 0 R", b"/Logo 99 0 R")
    bodies = rawpdf.objects(**PARTS) | {6: rawpdf.signature_dictionary(digits("sm2"))}
    data = rawpdf.assemble(bodies)
    at = data.index(b"12 0 obj")
    data = data.replace(b"%010d 00000 n" % at, b"%010d 00000 n" % (at + 1))
    data = rawpdf.fill_byte_range(data, cms(circle))
    one = first(rawpdf.update(data, {7: TOTAL.replace(b"(100)", b"(900)"), 8: FILLED[8]}), circle)
    assert one.verdict is not PASSED
    assert one.changes_after is not None
    if one.verdict is Verdict.INDETERMINATE:
        assert one.code == "changes-unknown"
