"""Where a visible signature stands and how it reads: rotation, crop boxes, appearances, structure trees."""

from __future__ import annotations

from dataclasses import replace

import pikepdf
import pytest

from signer.appearance import StampSpec
from signer.errors import OptionError
from signer.pades.geometry import PageGeometry
from signer.pades.stamps import certificate_stamp
from signer.verify import verify_bytes
from tests.conftest import CLOCK, NOW, circle_of, make_pdf
from tests.signer.signing import check_all, edited, empty_field, many_pages, sign, signature_fields

STAMP = StampSpec(name="张𠮷伟", organisation="ООО «Вектор»", time=NOW, locale="zh")
BOX = (60.0, 80.0, 260.0, 160.0)


def apply(matrix: tuple[float, ...], x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def shown(page: pikepdf.Dictionary, x: float, y: float) -> tuple[float, float]:
    """Where a point in user space is on the page as a reader sees it, written down independently of the signer."""
    media = [float(n) for n in page.get("/CropBox", page.MediaBox)]
    x, y = x - media[0], y - media[1]
    width, height = media[2] - media[0], media[3] - media[1]
    for _ in range(int(page.get("/Rotate", 0)) % 360 // 90):  # a quarter turn clockwise
        x, y, width, height = y, width - x, height, width
    return x, y


@pytest.mark.parametrize("crop", [None, [50, 70, 400, 600], [-20, -10, 700, 900]])
@pytest.mark.parametrize("rotate", [0, 90, 180, 270, -90, 450])
def test_the_stamp_stands_upright_where_the_reader_wants_it(rotate: int, crop: list[int] | None) -> None:
    keys: dict[str, object] = {"Rotate": rotate} | ({"CropBox": pikepdf.Array(crop)} if crop else {})
    signed = sign(many_pages(1, **keys), page=1, box=BOX, appearance=STAMP)
    check_all(signed)
    fields = signature_fields(signed)
    field = fields["Signature1"]
    page = fields.document.pages[0].obj
    if crop == [-20, -10, 700, 900]:
        page.CropBox = page.MediaBox  # what is outside the media box is not shown
    form = field.AP.N
    x1, y1, x2, y2 = (float(n) for n in field.Rect)
    corners = [shown(page, x, y) for x, y in ((x1, y1), (x2, y2))]
    assert sorted(c[0] for c in corners) == pytest.approx([60, 260], abs=0.02)
    assert sorted(c[1] for c in corners) == pytest.approx([80, 160], abs=0.02)
    # ISO 32000-2 12.5.5: the transformed box of the form is fitted into /Rect; then the page is turned
    matrix = tuple(float(n) for n in form.get("/Matrix", [1, 0, 0, 1, 0, 0]))
    left, bottom, right, top = (float(n) for n in form.BBox)
    boxed = [apply(matrix, x, y) for x, y in ((left, bottom), (right, top))]
    low_x, low_y = min(p[0] for p in boxed), min(p[1] for p in boxed)
    high_x, high_y = max(p[0] for p in boxed), max(p[1] for p in boxed)

    def placed(x: float, y: float) -> tuple[float, float]:
        ux, uy = apply(matrix, x, y)
        ux = x1 + (ux - low_x) * (x2 - x1) / (high_x - low_x)
        uy = y1 + (uy - low_y) * (y2 - y1) / (high_y - low_y)
        return shown(page, ux, uy)

    assert placed(left, bottom) == pytest.approx((60, 80), abs=0.02)
    assert placed(right, bottom) == pytest.approx((260, 80), abs=0.02)
    assert placed(left, top) == pytest.approx((60, 160), abs=0.02)


def test_a_box_is_measured_on_the_page_as_it_is_shown() -> None:
    turned = many_pages(1, Rotate=90)
    check_all(sign(turned, box=(700, 500, 840, 590)))
    with pytest.raises(OptionError) as caught:
        sign(turned, box=(500, 700, 590, 840))
    assert (caught.value.facts["width"], caught.value.facts["height"]) == (842, 595)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_geometry_is_its_own_check(rotate: int) -> None:
    page = PageGeometry((10, 20, 210, 320), rotate)
    width, height = page.size
    assert page.place((0, 0, width, height)) == (10, 20, 210, 320)
    assert page.shown_size(page.place((1, 2, 41, 22))) == (40, 20)


def test_inherited_boxes_and_rotation_count() -> None:
    def change(pdf: pikepdf.Pdf) -> None:
        page, tree = pdf.pages[0].obj, pdf.Root.Pages
        tree.MediaBox = page.MediaBox
        del page["/MediaBox"]
        tree.Rotate = 90

    signed = sign(edited(change), box=BOX, appearance=STAMP)
    fields = signature_fields(signed)
    assert [float(n) for n in fields["Signature1"].AP.N.Matrix] == [0, 1, -1, 0, 80, 0]


def test_the_page_that_was_named_gets_the_field() -> None:
    source = many_pages(5)
    for page, index in ((1, 0), (3, 2), (5, 4), (-1, 4), (-5, 0)):
        fields = signature_fields(sign(source, page=page, box=BOX))
        named = [len(item.obj.get("/Annots", [])) for item in fields.document.pages]
        assert named == [int(i == index) for i in range(5)]


def test_an_empty_field_is_drawn_at_its_size() -> None:
    source = edited(empty_field("Here", (100, 100, 340, 190)))
    fields = signature_fields(sign(source, field="Here", appearance=STAMP))
    assert [float(n) for n in fields["Here"].AP.N.BBox] == [0, 0, 240, 90]


def test_an_appearance_needs_a_place() -> None:
    with pytest.raises(OptionError):
        sign(make_pdf(), appearance=STAMP)
    with pytest.raises(OptionError):
        sign(edited(empty_field("Here", (0, 0, 0, 0))), field="Here", appearance=STAMP)


def test_an_invisible_signature_has_an_empty_appearance() -> None:
    fields = signature_fields(sign(make_pdf()))
    field = fields["Signature1"]
    assert field.AP.N.read_bytes() == b""
    assert [float(n) for n in field.Rect] == [0, 0, 0, 0]
    assert int(field.F) & 4, "PDF/A wants the print flag"


def test_a_stamp_speaks_for_the_certificate() -> None:
    holder = circle_of("sm2").organisation
    spec = certificate_stamp(holder.certificate, "sm2", time=NOW, locale="zh", reason="同意")
    assert spec.name == holder.certificate.common_name
    assert spec.family == "cn"
    fields = signature_fields(sign(make_pdf(), "sm2", box=BOX, appearance=spec))
    field = fields["Signature1"]
    assert (holder.certificate.common_name or "") in str(field.TU)
    assert "/Font" in field.AP.N.Resources
    assert all("/FontFile2" in f.DescendantFonts[0].FontDescriptor for f in field.AP.N.Resources.Font.values())


def test_an_existing_name_for_readers_is_kept() -> None:
    source = edited(empty_field("Here", TU="Buyer signs here"))
    fields = signature_fields(sign(source, field="Here", appearance=STAMP))
    assert str(fields["Here"].TU) == "Buyer signs here"


# Structure trees -----------------------------------------------------------------------------------------------------
def tagged(kids: str = "document", tree: str = "nums") -> bytes:
    """Return a tagged file; `kids` and `tree` choose among the shapes the standard allows."""

    def change(pdf: pikepdf.Pdf) -> None:
        root = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.StructTreeRoot))
        element = pdf.make_indirect(
            pikepdf.Dictionary(Type=pikepdf.Name.StructElem, S=pikepdf.Name.Document, P=root, K=pikepdf.Array())
        )
        paragraph = pdf.make_indirect(
            pikepdf.Dictionary(Type=pikepdf.Name.StructElem, S=pikepdf.Name.P, P=element, K=0, Pg=pdf.pages[0].obj)
        )
        element.K = paragraph if kids == "single kid" else pikepdf.Array([paragraph])
        if kids == "no document":
            element.S = pikepdf.Name.Sect
        if kids == "role":
            element.S = pikepdf.Name.Contract
            root.RoleMap = pikepdf.Dictionary(Contract=pikepdf.Name.Document)
        root.K = pikepdf.Array([element]) if kids != "single" else element
        pdf.pages[0].obj.StructParents = 0
        entry = [0, pdf.make_indirect(pikepdf.Array([paragraph]))]
        match tree:
            case "nums":
                root.ParentTree = pdf.make_indirect(pikepdf.Dictionary(Nums=pikepdf.Array(entry)))
                root.ParentTreeNextKey = 1
            case "kids":
                leaf = pdf.make_indirect(pikepdf.Dictionary(Limits=[0, 0], Nums=pikepdf.Array(entry)))
                root.ParentTree = pikepdf.Dictionary(Kids=pikepdf.Array([leaf]))
            case "understated":
                root.ParentTree = pikepdf.Dictionary(Nums=pikepdf.Array([*entry, 41, paragraph]))
                root.ParentTreeNextKey = 3
            case _:
                del pdf.pages[0].obj["/StructParents"]
        pdf.Root.StructTreeRoot = root
        pdf.Root.MarkInfo = pikepdf.Dictionary(Marked=True)

    return edited(change)


@pytest.mark.parametrize("tree", ["nums", "kids", "understated", "none"])
@pytest.mark.parametrize("kids", ["document", "single", "single kid", "no document", "role"])
def test_a_visible_signature_joins_the_structure_tree(kids: str, tree: str) -> None:
    signed = sign(sign(tagged(kids, tree), box=BOX, appearance=STAMP), box=(60, 200, 260, 280))
    check_all(signed)
    fields = signature_fields(signed)
    root = fields.document.Root.StructTreeRoot
    numbers = pikepdf.NumberTree(root.ParentTree)
    keys = []
    for field in fields.values():
        key = int(field.StructParent)
        keys.append(key)
        form = numbers[key]
        assert str(form.S) == "/Form"
        assert form.K.Obj.objgen == field.objgen
        assert str(form.Lang)
        holder = form.P
        assert form.objgen in [kid.objgen for kid in holder.K if isinstance(kid, pikepdf.Dictionary)]
        assert (holder.get("/Type") == pikepdf.Name.StructTreeRoot) == (kids == "no document")
        assert str(field.Contents)
    assert len(set(keys)) == 2
    assert int(root.ParentTreeNextKey) == max(keys) + 1
    if tree == "understated":
        assert min(keys) == 42
    assert fields.document.pages[0].obj.Tabs == pikepdf.Name.S
    report = verify_bytes(signed, name="x.pdf", trust=circle_of("ecdsa-p256").trust, clock=CLOCK)
    assert report.verdict == "TOTAL-PASSED", report.to_text()


@pytest.mark.parametrize("bare", [False, True])
def test_a_tree_without_a_parent_tree_gets_one_after_the_first_signature(bare: bool) -> None:
    def empty(pdf: pikepdf.Pdf) -> None:
        pdf.Root.StructTreeRoot = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.StructTreeRoot))

    signed = sign(sign(edited(empty) if bare else tagged(tree="none")), box=BOX, appearance=STAMP)
    assert len(pikepdf.NumberTree(signature_fields(signed).document.Root.StructTreeRoot.ParentTree)) == 1
    report = verify_bytes(signed, name="x.pdf", trust=circle_of("ecdsa-p256").trust, clock=CLOCK)
    assert [signature.verdict for signature in report.signatures] == ["TOTAL-PASSED"] * 2, report.to_text()
    assert report.signatures[0].changes_after
    assert report.signatures[0].changes_after.level == "form-filling"


def test_the_stamp_is_told_in_its_own_language() -> None:
    for locale in ("ru", "zh", "en"):
        spec = replace(STAMP, locale=locale)
        fields = signature_fields(sign(tagged(), box=BOX, appearance=spec, locale="en"))
        form = pikepdf.NumberTree(fields.document.Root.StructTreeRoot.ParentTree)[1]
        assert str(form.Lang) == locale
        assert "张𠮷伟" in str(form.Alt)


def test_an_invisible_signature_stays_out_of_the_structure() -> None:
    fields = signature_fields(sign(tagged()))
    assert "/StructParent" not in fields["Signature1"]
    assert fields.document.pages[0].obj.Tabs == pikepdf.Name.S


@pytest.mark.parametrize("part", [None, 1, 2, 4])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize("form", ['pdfaid:part="{}"', "<pdfaid:part>{}</pdfaid:part>", "pdfaid:part = '{}'"])
def test_the_part_of_pdf_a_is_found(part: int | None, encoding: str, form: str) -> None:
    from signer.pades.options import SignOptions
    from signer.pades.preflight import examine

    def change(pdf: pikepdf.Pdf) -> None:
        text = "<?xpacket?>" + (form.format(part) if part else "")
        pdf.Root.Metadata = pdf.make_stream(text.encode(encoding), Type=pikepdf.Name.Metadata, Subtype=pikepdf.Name.XML)

    source = edited(change, fix_metadata_version=False)
    assert examine(source, SignOptions()).pdfa_part() == part
    signed = sign(source, box=BOX, appearance=STAMP)
    fields = signature_fields(signed)
    fonts = fields["Signature1"].AP.N.Resources.Font.values()
    sets = ["/CIDSet" in font.DescendantFonts[0].FontDescriptor for font in fonts]
    assert all(sets) if part == 1 else not any(sets)
