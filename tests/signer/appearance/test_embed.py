"""A drawing put into a PDF by pyHanko, looked at by another library."""

from __future__ import annotations

import io

import pikepdf
from fontTools.ttLib import TTFont
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter

from signer.appearance import StampSpec, render
from signer.appearance.embed import form_xobject
from tests.signer.appearance.test_picture import picture


def written(spec: StampSpec, pdfa_part: int | None = None) -> pikepdf.Pdf:
    writer = PdfFileWriter(stream_xrefs=False)
    form = form_xobject(writer, render(spec, pdfa_part=pdfa_part))
    contents = writer.add_object(generic.StreamObject(stream_data=b"q 1 0 0 1 50 500 cm /Stamp Do Q"))
    names = generic.DictionaryObject({generic.NameObject("/Stamp"): form})
    resources = generic.DictionaryObject({generic.NameObject("/XObject"): names})
    writer.insert_page(PageObject(contents=contents, media_box=(0, 0, 595, 842), resources=resources))
    out = io.BytesIO()
    writer.write(out)
    return pikepdf.open(out)


SPEC = StampSpec(name="张𠮷䶮 𠀁", organisation="ООО «Вектор»", locale="zh", picture=picture())


def test_every_font_is_embedded_and_complete():
    with written(SPEC) as pdf:
        form = pdf.pages[0].Resources.XObject.Stamp
        assert form.Subtype == "/Form"
        assert [float(edge) for edge in form.BBox] == [0, 0, 230, 92]
        assert {str(font.BaseFont)[8:] for font in form.Resources.Font.values()} == {
            "NotoSans-Bold",
            "NotoSansSC-Regular",
            "SealroadHan-Regular",
        }
        for font in form.Resources.Font.values():
            (descendant,) = font.DescendantFonts
            descriptor = descendant.FontDescriptor
            program = descriptor.FontFile2.read_bytes()
            assert font.Encoding == "/Identity-H"
            assert descendant.CIDToGIDMap == "/Identity"
            assert descendant.BaseFont == descriptor.FontName == font.BaseFont
            assert descriptor.FontFile2.Length1 == len(program)
            assert "/CIDSet" not in descriptor
            with TTFont(io.BytesIO(program)) as parsed:
                assert parsed["maxp"].numGlyphs == len(descendant.W[1])


def test_the_glyph_list_of_the_first_archive_standard_is_written():
    with written(SPEC, pdfa_part=1) as pdf:
        for font in pdf.pages[0].Resources.XObject.Stamp.Resources.Font.values():
            (descendant,) = font.DescendantFonts
            assert len(descendant.FontDescriptor.CIDSet.read_bytes()) == (len(descendant.W[1]) + 7) // 8


def test_the_picture_and_its_mask_decode():
    with written(SPEC) as pdf:
        image = pdf.pages[0].Resources.XObject.Stamp.Resources.XObject.Im0
        assert len(image.read_bytes()) == 60 * 40 * 3
        assert len(image.SMask.read_bytes()) == 60 * 40


def test_fonts_and_profile_are_written_once():
    with written(SPEC) as pdf:
        profiles = [o for o in pdf.objects if isinstance(o, pikepdf.Stream) and o.get("/N") == 3]
        assert len(profiles) == 1
        assert pdf.check_pdf_syntax() == []
