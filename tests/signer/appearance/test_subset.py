"""Font subsets: glyph numbers, widths, and the way back to text."""

from __future__ import annotations

import io

import pytest
from fontTools.ttLib import TTFont

from signer.appearance.fonts import FontSet
from signer.appearance.subset import EmbeddedFont, embed
from tests.signer.appearance.reading import cmap_of


def embedded(text: str, *, bold: bool = False) -> list[EmbeddedFont]:
    glyphs = FontSet.default().shape(text, bold=bold).glyphs
    faces = dict.fromkeys(glyph.face for glyph in glyphs)
    return [embed(f"F{n}", face, [g for g in glyphs if g.face is face])[0] for n, face in enumerate(faces)]


TEXT = "Hamburg Ижица 张伟𠮷 𠀁𪛖"


@pytest.mark.parametrize("bold", [False, True])
def test_widths_are_thousandths_of_an_em_whatever_the_font_units(bold):
    for font in embedded(TEXT, bold=bold):
        with TTFont(io.BytesIO(font.program)) as program:
            units = program["head"].unitsPerEm
            order = program.getGlyphOrder()
            assert len(order) == len(font.widths)
            for name, width in zip(order, font.widths, strict=True):
                assert width == pytest.approx(program["hmtx"][name][0] * 1000 / units, abs=0.001)


def test_the_rare_hanzi_font_has_other_units_so_the_scaling_is_seen():
    (font,) = embedded("𠀁")
    with TTFont(io.BytesIO(font.program)) as program:
        assert program["head"].unitsPerEm == 512
    assert font.widths[-1] == 1000


def test_every_code_leads_back_to_its_text():
    seen = "".join(text for font in embedded(TEXT) for text in cmap_of(font).values())
    assert set(TEXT) <= set(seen)


def test_beyond_the_basic_plane_a_surrogate_pair_is_written():
    (font,) = embedded("𠮷")
    assert b"<D842DFB7>" in font.to_unicode


def test_no_used_code_is_without_text():
    """PDF/A levels U and A ask for it (ISO 19005-2, 6.2.11.7.2); marks of a cluster are glyphs of their own."""
    glyphs = FontSet.default().shape("ẹ\u0301 x\u0301 q\u0323\u0308 " + TEXT).glyphs
    for face in {glyph.face for glyph in glyphs}:
        own = [glyph for glyph in glyphs if glyph.face is face]
        font, numbers = embed("F0", face, own)
        assert {numbers[glyph.gid] for glyph in own} <= set(cmap_of(font))


def test_blocks_of_the_cmap_have_at_most_100_entries():
    (font,) = embedded("".join(map(chr, range(0x4E00, 0x4E00 + 250))))
    sizes = [int(line.split()[0]) for line in font.to_unicode.splitlines() if line.endswith(b"beginbfchar")]
    assert sizes == [100, 100, 50]


def test_the_cid_set_has_a_bit_for_each_glyph():
    (font,) = embedded("abcdefgh")
    count = len(font.widths)
    bits = "".join(f"{byte:08b}" for byte in font.cid_set)
    assert bits == "1" * count + "0" * (len(bits) - count)


def test_the_subset_holds_only_what_was_used():
    (font,) = embedded("张伟")
    assert len(font.widths) == 3
    assert len(font.program) < 4000


def test_the_same_text_gives_the_same_bytes_and_another_text_another_name():
    assert embedded(TEXT) == embedded(TEXT)
    (one,), (other,) = embedded("张"), embedded("王")
    assert one.base_font != other.base_font
    assert one.base_font[6] == "+"
    assert one.base_font[:6].isalpha()
    assert one.base_font[:6].isupper()
