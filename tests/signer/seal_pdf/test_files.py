"""Seals on real files: a contract in three languages, PDF/A, tagged files; later time-stamps; any octets."""

from __future__ import annotations

import io
import random
import time
from datetime import timedelta
from functools import cache

import pikepdf
import pypdfium2
import pytest
from PIL import ImageChops, ImageFilter

from certs import suites
from certs.clock import FixedClock
from signer.appearance.contract import make_contract
from signer.errors import OptionError
from signer.pades.engine import Request, open_writer, write_revision
from signer.pades.options import NationalForm
from signer.pades.placement import AtKeyword, CrossPage, EveryPage, Placement, place
from signer.pdf.structure import PDFFile
from signer.report import Verdict
from signer.seals import SealPicture
from tests.conftest import NOW, circle_of, make_pdf
from tests.signer.appearance.test_contract import SPEC
from tests.signer.seal_pdf.forged import refilled
from tests.signer.seal_pdf.marks import (
    applied,
    contents,
    covered,
    only,
    picture,
    redness,
    reports,
    result_of,
    shown,
)
from tests.signer.seals.making import seal_of
from tests.signer.signing import edited, many_pages, signature_fields
from tests.signer.test_sign_pages import tagged

NATIONAL = NationalForm()
NATIONAL_KEY = pytest.mark.parametrize("national", [None, NATIONAL], ids=["pades", "national"])


@cache
def contract() -> bytes:
    """Return a contract in three scripts, rare hanzi in it: PDF/A-2u, tagged."""
    return make_contract(SPEC).pdf


# Words ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text", ["张𠮷䶮", "Соколова Екатерина", "Әбенова Әйгерім", "浙江省杭州市文三路 90 号", "Seller"]
)
def test_a_keyword_of_any_script_is_found(text: str) -> None:
    (spot,) = place(contract(), AtKeyword(text), 20, 20)
    (spaced,) = place(contract(), AtKeyword(" ".join(text)), 20, 20)
    assert spot == spaced
    with pypdfium2.PdfDocument(contract()) as document:
        page = document[spot.page - 1].get_textpage()
        x, y = (spot.box[0] + spot.box[2]) / 2, (spot.box[1] + spot.box[3]) / 2
        around = page.get_text_bounded(x - 200, y - 12, x + 200, y + 12)
    assert text.replace(" ", "")[:6] in "".join(around.split())


# PDF/A and tagged files ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("how", [CrossPage(), EveryPage(), AtKeyword("张𠮷䶮")])
def test_a_seal_on_pdfa_uses_no_transparency_and_hides_no_text(how: Placement) -> None:
    signed = applied(contract(), "sm2", how)
    document = pikepdf.open(io.BytesIO(signed))
    added = [
        item
        for item in document.objects
        if isinstance(item, pikepdf.Stream) and item.get("/Subtype") == "/Image" and "/Mask" in item
    ]
    assert len(added) == 1
    assert added[0].Mask.ImageMask
    assert not any("/SMask" in item for item in document.objects if isinstance(item, pikepdf.Stream))
    before, after = shown(contract(), 72), shown(signed, 72)
    for old, new in zip(before, after, strict=True):
        whiter = ImageChops.subtract(new.convert("L"), old.convert("L")).point(lambda level: 255 * (level > 60))
        red = redness(new).filter(ImageFilter.MaxFilter(7))
        assert ImageChops.subtract(whiter, red).getbbox() is None, "text is hidden where nothing is red"
    report = only(signed)
    assert (report.kind, report.verdict) == ("seal", Verdict.TOTAL_PASSED), report.reason
    assert result_of(report, "seal-appearance") == "passed"


def test_every_widget_of_a_tagged_file_has_its_place_in_the_structure() -> None:
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.pages.append(pdf.pages[0])
        pdf.pages.append(pdf.pages[0])

    signed = applied(edited(change, tagged()), "sm2", CrossPage())
    fields = signature_fields(signed)
    tree = pikepdf.NumberTree(fields.document.Root.StructTreeRoot.ParentTree)
    keys = {int(field.StructParent) for field in fields.values()}
    assert len(keys) == 3
    for field in fields.values():
        element = tree[int(field.StructParent)]
        assert element.S == "/Form"
        assert element.K.Obj.objgen == field.objgen
        assert element.Pg.objgen == field.P.objgen
    later = applied(signed, "ecdsa-p256", EveryPage(), field="Buyer")
    assert [r.verdict for r in reports(later, "sm2", "ecdsa-p256")] == [Verdict.TOTAL_PASSED] * 2


# Later time-stamps ---------------------------------------------------------------------------------------------------
def time_stamped(data: bytes, suite: str) -> bytes:
    """Add a document time-stamp."""
    request = Request(field="Stamp", page=0, rectangle=None, size=12_000, subfilter="ETSI.RFC3161", time=NOW)
    revision = write_revision(open_writer(io.BytesIO(data), max(PDFFile(data).view(len(data)).entries)), request)
    empty, name = data + revision.data, suites.get(suite).digest_name
    return refilled(empty, circle_of(suite).timestamper.stamp(name, suites.digest(name, covered(empty))))


@NATIONAL_KEY
def test_a_time_stamp_over_the_whole_proves_when_it_was_sealed(national: NationalForm | None) -> None:
    data = time_stamped(applied(many_pages(2), "sm2", CrossPage(), national=national), "sm2")
    sealed, stamp = reports(data)
    assert (sealed.kind, sealed.verdict) == ("seal", Verdict.TOTAL_PASSED), sealed.reason
    assert (stamp.kind, stamp.verdict) == ("document-timestamp", Verdict.TOTAL_PASSED), stamp.reason
    assert sealed.signed_at is not None
    assert sealed.signed_at.source == "timestamp"


def test_a_seal_that_has_ended_since_passes_only_where_its_time_is_proven() -> None:
    ended = seal_of("sm2", valid_to=NOW + timedelta(hours=1), picture=SealPicture("PNG", picture(), 42, 42))
    clock = FixedClock(NOW + timedelta(hours=2))
    for national in (None, NATIONAL):
        plain = applied(make_pdf(), "sm2", AtKeyword("Sealroad"), with_seal=ended, national=national)
        stamped = applied(make_pdf(), "sm2", AtKeyword("Sealroad"), with_seal=ended, national=national, level="B-T")
        (open_,), (proven,) = (reports(data, clock=clock) for data in (plain, stamped))
        assert (open_.verdict, open_.sub_indication) == (Verdict.INDETERMINATE, "OUT_OF_BOUNDS_NO_POE")
        assert proven.verdict is Verdict.TOTAL_PASSED, proven.reason
        (later,) = (r for r in reports(time_stamped(plain, "sm2"), clock=clock) if r.kind == "seal")
        assert later.verdict is Verdict.TOTAL_PASSED, later.reason


# Any octets ----------------------------------------------------------------------------------------------------------
@NATIONAL_KEY
def test_whatever_stands_in_contents_there_is_a_verdict(national: NationalForm | None) -> None:
    chance = random.Random(5)
    good = applied(make_pdf(), "sm2", AtKeyword("Sealroad"), national=national)
    octets = contents(good).rstrip(b"\x00")
    for _ in range(30):
        wrong = bytearray(octets[: chance.choice((len(octets), chance.randrange(2, len(octets))))])
        for _ in range(chance.randrange(3)):
            wrong[chance.randrange(len(wrong))] ^= 1 << chance.randrange(8)
        report = only(refilled(good, bytes(wrong)))
        if bytes(wrong) == octets:
            assert report.verdict is Verdict.TOTAL_PASSED
        else:
            assert report.code != "internal"
            assert report.verdict is not Verdict.TOTAL_PASSED or national is None


@pytest.mark.slow
def test_a_thousand_pages_are_sealed_and_verified_in_time() -> None:
    pages = many_pages(1000)
    began = time.process_time()
    data = applied(pages, "sm2", CrossPage(), field="Seal")
    applying = time.process_time() - began
    report = only(data)
    verifying = time.process_time() - began - applying
    assert (report.kind, report.verdict) == ("seal", Verdict.TOTAL_PASSED), report.reason
    assert report.field == "Seal, Seal-2 … Seal-1000 (1000)"
    assert len(report.more_places) == 999
    assert applying < 20
    assert verifying < 20
    with pytest.raises(OptionError):
        applied(many_pages(1001), "sm2", EveryPage())
