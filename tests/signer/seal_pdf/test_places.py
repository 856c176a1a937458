"""One signature in several places: at a point, at a keyword, on every page, across the edges of all pages."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal

import pikepdf
import pytest
from PIL import Image

from signer.appearance import StampSpec
from signer.errors import FieldError, OptionError, SearchFailed, SigningRefused
from signer.pades.geometry import PageGeometry
from signer.pades.options import Place, SignOptions
from signer.pades.placement import AtKeyword, AtPoint, CrossPage, EveryPage, Placement, groups, place
from signer.report import Verdict
from signer.searching import find_text
from signer.verify import verify_bytes
from tests.conftest import CLOCK, NOW, circle_of, make_pdf
from tests.signer.seal_pdf.marks import SUITES, WIDTH, face, rectangles, red_box, redness, sealed, shown
from tests.signer.signing import check_all, edited, empty_field, many_pages, sign, signature_fields


def turned(pdf: pikepdf.Pdf) -> None:
    """Make eight pages: four rotations, two sizes, the second with a crop box."""
    for _ in range(7):
        pdf.pages.append(pdf.pages[0])
    for index, page in enumerate(pdf.pages):
        page.obj.Rotate = [0, 90, 180, 270][index % 4]
        if index >= 4:
            page.obj.MediaBox = [0, 0, 700, 500]
            page.obj.CropBox = [30, 20, 680, 470]


# Cross-page ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("pages", [1, 2, 5, 30])
def test_a_cross_page_seal_is_whole_only_when_all_pages_lie_together(
    pages: int, side: Literal["left", "right"]
) -> None:
    signed = sealed(many_pages(pages), CrossPage(side))
    assert check_all(signed) == ["ecdsa-p256"]
    pictures = shown(signed, 72)
    for group in groups(pages, WIDTH, CrossPage().min_slice):
        slices = []
        for number in group:
            page = pictures[number - 1]
            width = WIDTH / len(group)
            box = red_box(page)
            assert box is not None
            left = page.width - width if side == "right" else 0.0
            assert left - 2 <= box[0] <= box[2] <= left + width + 2, "a slice stands at the edge, and nowhere else"
            slices.append(page.crop((round(left), 0, round(left + width), page.height)))
        slices = slices if side == "right" else slices[::-1]
        whole = Image.new("RGB", (sum(item.width for item in slices), slices[0].height))
        at = 0
        for item in slices:
            whole.paste(item, (at, 0))
            at += item.width
        found = red_box(whole)
        assert found is not None
        assert found[2] - found[0] == pytest.approx(WIDTH, abs=6)
        assert found[3] - found[1] == pytest.approx(WIDTH, abs=6)


def test_many_pages_are_sealed_in_groups_of_slices_that_can_be_recognised() -> None:
    assert groups(30, 42.0, 3.0) == [range(1, 11), range(11, 21), range(21, 31)]
    assert groups(15, 42.0, 3.0) == [range(1, 8), range(8, 16)]
    assert groups(14, 42.0, 3.0) == [range(1, 15)]
    assert groups(1, 42.0, 3.0) == [range(1, 2)]
    places = place(many_pages(30), CrossPage(), WIDTH, WIDTH)
    assert [p.page for p in places] == list(range(1, 31))
    assert all(p.box[2] - p.box[0] >= CrossPage().min_slice for p in places)
    for before, after in pairwise(places):
        assert after.part[0] in (pytest.approx(before.part[1]), 0.0)


def test_a_cross_page_seal_stands_at_the_edge_that_the_reader_sees() -> None:
    signed = sealed(edited(turned), CrossPage())
    assert check_all(signed) == ["ecdsa-p256"]
    for number, page in enumerate(shown(signed, 72), 1):
        box = red_box(page)
        assert box is not None
        assert box[0] >= page.width - WIDTH / 8 - 2, number
        assert (box[1] + box[3]) / 2 == pytest.approx(page.height / 2, abs=WIDTH / 3), number


def test_a_page_smaller_than_the_seal_is_told() -> None:
    def small(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0].obj.MediaBox = [0, 0, 300, 100]

    for how in (CrossPage(), EveryPage(), AtPoint(1, 50, 50)):
        with pytest.raises(OptionError, match="larger than"):
            place(edited(small), how, WIDTH, WIDTH)


# Every page, points --------------------------------------------------------------------------------------------------
def test_on_every_page_the_seal_reads_upright_in_the_lower_right_corner() -> None:
    signed = sealed(edited(turned), EveryPage())
    assert check_all(signed) == ["ecdsa-p256"]
    for number, page in enumerate(shown(signed, 72), 1):
        box = red_box(page)
        assert box is not None
        assert box[2] == pytest.approx(page.width - 36, abs=4), number
        assert box[3] == pytest.approx(page.height - 36, abs=4), number
        star = redness(page.crop((box[0] + 40, box[1] + 30, box[2] - 40, box[3] - 30)))
        rows = [star.crop((0, y, star.width, y + 1)).histogram()[255] for y in range(star.height)]
        widest = rows.index(max(rows))
        assert widest < star.height / 2, "a star that stands upright is widest above its middle"


def test_a_point_is_the_middle_of_the_seal_and_the_seal_stays_on_the_page() -> None:
    (inside,) = place(make_pdf(), AtPoint(-1, 300, 400), WIDTH, WIDTH)
    assert inside.box == pytest.approx((300 - WIDTH / 2, 400 - WIDTH / 2, 300 + WIDTH / 2, 400 + WIDTH / 2))
    (corner,) = place(make_pdf(), AtPoint(1, 590, 3), WIDTH, WIDTH)
    assert corner.box == pytest.approx((595 - WIDTH, 0, 595, WIDTH))
    with pytest.raises(OptionError, match="not on the page"):
        place(make_pdf(), AtPoint(1, 596, 3), WIDTH, WIDTH)
    with pytest.raises(OptionError, match="no page 2"):
        place(make_pdf(), AtPoint(2, 5, 3), WIDTH, WIDTH)


# Keywords ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [None, [50, 70, 500, 800]])
def test_a_keyword_is_found_on_turned_and_cropped_pages(rotate: int, crop: list[int] | None) -> None:
    keys: dict[str, object] = {"Rotate": rotate} | ({"CropBox": pikepdf.Array(crop)} if crop else {})
    pdf = many_pages(2, **keys)
    (only,) = place(pdf, AtKeyword("Sea lroad", 2), 20, 20)
    assert only.page == 2
    x, y = (only.box[0] + only.box[2]) / 2, (only.box[1] + only.box[3]) / 2
    left, bottom, right, top = crop or (0, 0, 595, 842)
    geometry = PageGeometry((left, bottom, right, top), rotate)
    width, height = geometry.size
    page = shown(pdf, 72)[1]
    dark = page.convert("L").point(lambda level: 255 if level < 128 else 0).getbbox()
    assert dark is not None
    assert page.size == (round(width), round(height))
    assert x == pytest.approx((dark[0] + dark[2]) / 2, abs=3)
    assert y == pytest.approx(height - (dark[1] + dark[3]) / 2, abs=6)


def test_an_offset_moves_the_seal_from_its_keyword() -> None:
    (here,) = place(make_pdf(), AtKeyword("Sealroad"), 20, 20)
    (there,) = place(make_pdf(), AtKeyword("Sealroad", dx=15, dy=-30), 20, 20)
    assert (there.box[0] - here.box[0], there.box[1] - here.box[1]) == (pytest.approx(15), pytest.approx(-30))


def test_a_keyword_that_is_not_there_is_told_with_how_often_it_is() -> None:
    with pytest.raises(OptionError) as caught:
        place(many_pages(3), AtKeyword("盖章"), WIDTH, WIDTH)
    assert caught.value.facts["found"] == 0
    with pytest.raises(OptionError) as caught:
        place(many_pages(3), AtKeyword("Sealroad", 4), WIDTH, WIDTH)
    assert caught.value.facts["found"] == 3
    (last,) = place(many_pages(3), AtKeyword("Sealroad", -1), WIDTH, WIDTH)
    assert last.page == 3
    for text, occurrence in (("", 1), (" \n", 1), ("x" * 201, 1), ("x", 0)):
        with pytest.raises(OptionError):
            AtKeyword(text, occurrence)


def test_a_file_that_cannot_be_read_for_its_text_is_told() -> None:
    with pytest.raises(SearchFailed):
        find_text(b"%PDF-1.7\nnothing\n%%EOF", "x")


# One signature, several fields ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("suite", SUITES)
def test_every_place_is_a_field_of_its_own_with_one_widget_and_the_same_signature(suite: str) -> None:
    signed = sealed(many_pages(3), CrossPage(), suite, field="Seal")
    assert check_all(signed) == [suite]
    fields = signature_fields(signed)
    assert sorted(fields) == ["Seal", "Seal-2", "Seal-3"]
    assert len({field.V.objgen for field in fields.values()}) == 1
    assert all("/Kids" not in field for field in fields.values())  # ISO 32000-2 12.7.5.5: one annotation, no more
    pages = [page.obj.objgen for page in fields.document.pages]
    assert [fields[name].P.objgen for name in sorted(fields)] == pages
    report = verify_bytes(signed, name="x.pdf", trust=circle_of(suite).trust, clock=CLOCK)
    assert [(s.verdict, s.fields) for s in report.signatures] == [(Verdict.TOTAL_PASSED, ("Seal", "Seal-2", "Seal-3"))]


def test_the_picture_is_in_the_file_once_however_often_it_shows() -> None:
    few, many = sealed(many_pages(2), EveryPage()), sealed(many_pages(20), EveryPage())
    document = pikepdf.open(io.BytesIO(many))
    images = [o for o in document.objects if isinstance(o, pikepdf.Stream) and o.get("/Subtype") == "/Image"]
    assert len(images) == 2  # colour and opacity
    assert len(many) - len(many_pages(20)) - (len(few) - len(many_pages(2))) < 18 * 1500


def test_the_signature_line_of_a_party_and_the_page_edges_are_one_signature() -> None:
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.pages.append(pdf.pages[0])
        empty_field("Buyer", (60, 60, 120, 110))(pdf)

    base = edited(change)
    signed = sealed(base, CrossPage(), field="Buyer")
    assert check_all(signed) == ["ecdsa-p256"]
    found = rectangles(signed)
    assert sorted(found) == ["Buyer", "Buyer-2", "Buyer-3"]
    assert found["Buyer"] == (60, 60, 120, 110)
    box = red_box(shown(signed, 72)[0].crop((50, 700, 200, 842)))
    assert box is not None
    # the seal is made smaller to fit the line: 50 points high, in the middle of 60
    assert (box[2] - box[0], box[3] - box[1]) == (pytest.approx(48, abs=4), pytest.approx(48, abs=4))


def test_new_fields_take_names_that_are_free() -> None:
    base = edited(empty_field("Seal-2"), many_pages(2))
    signed = sealed(base, EveryPage(), field="Seal")
    assert sorted(rectangles(signed)) == ["Seal", "Seal-2", "Seal-3"]
    fields = signature_fields(signed)
    assert "/V" not in fields["Seal-2"]


def test_a_lock_holds_for_every_field_that_a_seal_would_add() -> None:
    lock = pikepdf.Dictionary(
        Type=pikepdf.Name.SigFieldLock, Action=pikepdf.Name.Include, Fields=pikepdf.Array([pikepdf.String("Seal-2")])
    )

    def change(pdf: pikepdf.Pdf) -> None:
        pdf.pages.append(pdf.pages[0])
        empty_field("First", Lock=pdf.make_indirect(lock))(pdf)

    first = sign(edited(change), field="First")
    sealed(first, AtPoint(1, 300, 300), field="Seal")
    with pytest.raises(SigningRefused) as caught:
        sealed(first, EveryPage(), field="Seal")
    assert caught.value.facts["reason"] == "field-lock"


def test_places_exclude_what_they_say_already() -> None:
    spot = Place(1, (10, 10, 50, 50))
    good = SignOptions(places=(spot,), appearance=face())
    wrongs: tuple[dict[str, Any], ...] = ({"page": 1}, {"box": (10, 10, 50, 50)}, {"appearance": None})
    for wrong in wrongs:
        with pytest.raises(OptionError):
            replace(good, **wrong)
    with pytest.raises(OptionError):
        SignOptions(places=(spot,) * 1001, appearance=face())
    with pytest.raises(OptionError):
        sign(make_pdf(), places=(spot, spot), appearance=StampSpec(name="x", time=NOW))
    for part in ((0.5, 0.5), (-0.1, 1), (0, 1.1), (float("nan"), 1)):
        with pytest.raises(OptionError):
            Place(1, (10, 10, 50, 50), part)
    with pytest.raises(OptionError, match="no page 2"):
        sign(make_pdf(), places=(Place(2, (10, 10, 50, 50)),), appearance=face())
    with pytest.raises(FieldError):
        sealed(sealed(make_pdf(), EveryPage(), field="Seal"), EveryPage(), field="Seal")


# Several seals in one contract ---------------------------------------------------------------------------------------
ORDERS = (
    (CrossPage(), EveryPage(), AtKeyword("Sealroad")),
    (AtKeyword("Sealroad"), CrossPage(), EveryPage()),
    (EveryPage(100, 400), AtPoint(1, 300, 300), CrossPage("left")),
)


@pytest.mark.parametrize("order", ORDERS)
def test_earlier_seals_and_signatures_stay_valid_after_later_ones(order: tuple[Placement, ...]) -> None:
    from certs.trust import TrustStore

    suites = ("sm2", "ecdsa-p256", "gost2012-256")
    data = many_pages(4)
    for number, (how, suite) in enumerate(zip(order, suites, strict=True)):
        data = sealed(data, how, suite, field=f"Party{number}")
        data = sign(
            data, suite, field=f"Director{number}", page=2, box=(50 + 150 * number, 600, 180 + 150 * number, 660)
        )
    assert check_all(data) == [suite for suite in suites for _ in range(2)]
    trust = TrustStore()
    for suite in suites:
        trust = trust.with_((circle_of(suite).root,), circle_of(suite).crls)
    report = verify_bytes(data, name="x.pdf", trust=trust, clock=CLOCK)
    assert [s.verdict for s in report.signatures] == [Verdict.TOTAL_PASSED] * 6, [s.reason for s in report.signatures]
    assert {s.changes_after.level for s in report.signatures[:-1] if s.changes_after} == {"form-filling"}
