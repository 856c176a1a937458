"""Make the vendored fonts of `signer/appearance/fonts` from Debian 12 packages.

    sudo apt-get install fonts-noto-core fonts-noto-cjk fonts-hanazono
    python tools/fonts.py                      # a few minutes; writes the .ttf files and their licence texts
    python tools/fonts.py --only NotoSans-Bold # one of them

What comes out is TrueType (`glyf`) without hinting and, for hanzi, without layout tables, because one embedding route
(CIDFontType2 with FontFile2, ISO 32000-1, 9.7.4) then serves every PDF version and PDF/A-1. The same packages give the
same bytes. The files, in the order in which a character is looked for:

    NotoSans-Regular     Latin, Greek, Cyrillic; kerning and mark positions kept
    NotoSans-Bold        the same, for names and headings
    NotoSansSC-Regular   everything in Noto Sans CJK SC: hanzi, kana, hangul, CJK punctuation; CFF turned
                         into quadratic curves
    SealroadHan-Regular  hanzi that Noto has not (Extensions B to F, 58 000 of them), from HanaMin under another name

and one for drawn seals only, before the others:

    NotoSerifSC-Regular  the hanzi of Noto Serif CJK SC, which is Song type, with ASCII and Chinese punctuation
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import uharfbuzz as hb
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont, newTable
from fontTools.ttLib.scaleUpem import scale_upem

OUT = Path(__file__).parent.parent / "signer" / "appearance" / "fonts"
NOTO = Path("/usr/share/fonts/truetype/noto")
NOTO_CJK = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
NOTO_SERIF_CJK = NOTO_CJK.with_name("NotoSerifCJK-Regular.ttc")
HANA = Path("/usr/share/fonts/truetype/hanazono")
DOC = Path("/usr/share/doc")

MAX_ERROR = (
    1.0  # of a quadratic curve against its cubic one, in thousandths of an em; 1 is what Google's own builds use
)
# Half of the source: one unit is 0.03 mm in a name of 40 pt.
RARE_UNITS = 512
# Never embedded, only drawn, and 6 mm high at most: 0.002 em is 0.012 mm, a third of a pixel at 600 dpi.
SONG_UNITS, SONG_ERROR = 500, 2.0

# U+E000..F8FF is private use: a document must not depend on what it means in one font.
PRIVATE = range(0xE000, 0xF900)
HAN = [
    range(0x2E80, 0x3000), range(0x31C0, 0x31F0), range(0x3400, 0x4DC0), range(0x4E00, 0xA000), range(0xF900, 0xFB00),
    range(0x20000, 0x323B0),
]  # fmt: skip
ASCII_AND_PUNCTUATION = [
    range(0x20, 0x7F), range(0xB7, 0xB8), range(0x2010, 0x2040), range(0x3000, 0x3040), range(0xFF00, 0xFFF0),
]  # fmt: skip
LATIN_GREEK_CYRILLIC = [
    range(0x20, 0x7F), range(0xA0, 0x0530), range(0x1AB0, 0x1B00), range(0x1C80, 0x1C90), range(0x1D00, 0x2070),
    range(0x2070, 0x2190), range(0x2190, 0x2300), range(0x25A0, 0x2600), range(0x2C60, 0x2C80), range(0x2DE0, 0x2E80),
    range(0xA640, 0xA6A0), range(0xA700, 0xA800), range(0xAB30, 0xAB70), range(0xFB00, 0xFB07), range(0xFE20, 0xFE30),
    range(0xFFFD, 0xFFFE),
]  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Make the fonts named (all by default) and print one line for each."""
    makers: dict[str, Callable[[], TTFont]] = {
        "NotoSans-Regular": lambda: sans("Regular"),
        "NotoSans-Bold": lambda: sans("Bold"),
        "NotoSansSC-Regular": chinese,
        "SealroadHan-Regular": rare,
        "NotoSerifSC-Regular": song,
    }
    parser = argparse.ArgumentParser(description="make the vendored fonts from Debian packages")
    parser.add_argument("--only", choices=sorted(makers), action="append")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, make in makers.items():
        if options.only and name not in options.only:
            continue
        started = time.monotonic()
        font = make()
        target = options.out / f"{name}.ttf"
        font.save(target, reorderTables=True)
        data = target.read_bytes()
        print(
            f"{name}: {len(font.getBestCmap())} characters, {len(data)} bytes,"
            f" sha256 {hashlib.sha256(data).hexdigest()}, {time.monotonic() - started:.0f} s"
        )
    licences(options.out)
    return 0


def sans(weight: str) -> TTFont:
    """Noto Sans cut down to the alphabets of Europe and central Asia."""
    path = NOTO / f"NotoSans-{weight}.ttf"
    keep = [code for code in TTFont(path, lazy=True).getBestCmap() if _in(code, LATIN_GREEK_CYRILLIC)]
    font = _cut(path.read_bytes(), 0, keep, layout=True)
    _rename(font, "Noto Sans", f"NotoSans-{weight}", weight)
    return font


def chinese() -> TTFont:
    """Noto Sans CJK SC with quadratic outlines, one glyph for each character."""
    index = _face(NOTO_CJK, "NotoSansCJKsc-Regular")
    keep = [code for code in TTFont(NOTO_CJK, fontNumber=index, lazy=True).getBestCmap() if code not in PRIVATE]
    font = _cut(NOTO_CJK.read_bytes(), index, keep, layout=False)
    _to_quadratic(font, MAX_ERROR)
    _rename(font, "Noto Sans SC", "NotoSansSC-Regular", "Regular")
    return font


def song() -> TTFont:
    """The hanzi of Noto Serif CJK SC, with what stands beside them in the name of an organisation."""
    index = _face(NOTO_SERIF_CJK, "NotoSerifCJKsc-Regular")
    have = TTFont(NOTO_SERIF_CJK, fontNumber=index, lazy=True).getBestCmap()
    keep = [code for code in have if _in(code, [*HAN, *ASCII_AND_PUNCTUATION])]
    font = _cut(NOTO_SERIF_CJK.read_bytes(), index, keep, layout=False)
    _to_quadratic(font, SONG_ERROR)
    scale_upem(font, SONG_UNITS)
    _rename(font, "Noto Serif SC", "NotoSerifSC-Regular", "Regular")
    return font


def rare() -> TTFont:
    """The hanzi of HanaMin that Noto Sans CJK SC has not."""
    have = set(TTFont(NOTO_CJK, fontNumber=2, lazy=True).getBestCmap())
    parts = []
    for name in ("HanaMinB", "HanaMinA"):
        path = HANA / f"{name}.ttf"
        keep = [code for code in TTFont(path, lazy=True).getBestCmap() if code not in have and _in(code, HAN)]
        have.update(keep)
        parts.append(_cut(path.read_bytes(), 0, keep, layout=False))
    font = parts[0]
    for part in parts[1:]:
        _append(font, part)
    scale_upem(font, RARE_UNITS)
    # The licence of HanaMin allows any use under any name; a cut copy under the same name would still mislead.
    _rename(font, "Sealroad Han", "SealroadHan-Regular", "Regular")
    return font


def _face(collection: Path, postscript: str) -> int:
    """Return the number of a face in a collection."""
    faces = TTCollection(collection, lazy=True).fonts
    return next(number for number, face in enumerate(faces) if face["name"].getDebugName(6) == postscript)


def _in(code: int, ranges: Iterable[range]) -> bool:
    return code not in PRIVATE and any(code in part for part in ranges)


def _cut(data: bytes, index: int, codes: Iterable[int], *, layout: bool) -> TTFont:
    """Keep these characters, drop hinting and (unless `layout`) everything that is not an outline or a width."""
    options = hb.SubsetInput()
    options.unicode_set.update(codes)
    options.flags = hb.SubsetFlags.NO_HINTING | hb.SubsetFlags.NOTDEF_OUTLINE
    options.name_id_set.update(range(26))
    drop = {"DSIG", "FFTM", "prop", "gasp", "BASE", "VORG", "vhea", "vmtx", "meta"}
    if layout:
        options.layout_feature_tag_set.clear()
        options.layout_feature_tag_set.update(map(_tag, ("kern", "mark", "mkmk", "ccmp", "locl")))
    else:
        drop |= {"GSUB", "GPOS", "GDEF"}
        # Without this the subsetter would keep every glyph that GSUB could reach.
        options.flags |= hb.SubsetFlags.NO_LAYOUT_CLOSURE
    options.drop_table_tag_set.update(map(_tag, drop))
    face = hb.subset(hb.Face(data, index), options)
    return TTFont(BytesIO(face.blob.data), recalcTimestamp=False)


def _tag(name: str) -> int:
    return int.from_bytes(name.encode("ascii"), "big")


def _to_quadratic(font: TTFont, error: float) -> None:
    """Replace the CFF outlines by glyf outlines within `error` thousandths of an em."""
    order = font.getGlyphOrder()
    glyph_set = font.getGlyphSet()
    glyphs: dict[str, Any] = {}
    for name in order:
        pen = TTGlyphPen(glyph_set)
        # TrueType fills to the right of a contour, CFF to the left.
        glyph_set[name].draw(Cu2QuPen(pen, error * font["head"].unitsPerEm / 1000, reverse_direction=True))
        glyphs[name] = pen.glyph()
    font["loca"] = newTable("loca")
    glyf = font["glyf"] = newTable("glyf")
    glyf.glyphOrder = order
    glyf.glyphs = glyphs
    del font["CFF "]
    glyf.compile(font)
    maxp = font["maxp"]
    maxp.tableVersion = 0x00010000
    for field in (
        *("maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs", "maxStackElements"),
        *("maxSizeOfInstructions", "maxComponentElements", "maxPoints", "maxContours", "maxCompositePoints"),
        *("maxCompositeContours", "maxComponentDepth"),
    ):
        setattr(maxp, field, 0)
    maxp.maxZones = 1
    maxp.recalc(font)
    for name, (width, _bearing) in font["hmtx"].metrics.items():
        font["hmtx"][name] = (width, getattr(glyphs[name], "xMin", 0))
    font["post"].formatType = 3.0
    font.sfntVersion = "\x00\x01\x00\x00"


def _append(font: TTFont, other: TTFont) -> None:
    """Move the characters of `other` into `font`; both have simple outlines and the same units per em."""
    if font["head"].unitsPerEm != other["head"].unitsPerEm:
        sys.exit("the two parts differ in units per em")
    codes = other.getBestCmap()
    order = list(font.getGlyphOrder())
    glyf, metrics = font["glyf"], font["hmtx"].metrics
    for name in order:
        glyf[name]  # reads every glyph before the order changes
    added: dict[int, str] = {}
    for code in sorted(codes):
        name = f"u{code:05X}.a"
        glyf.glyphs[name] = other["glyf"][codes[code]]
        metrics[name] = other["hmtx"][codes[code]]
        order.append(name)
        added[code] = name
    font.setGlyphOrder(order)
    glyf.glyphOrder = order
    font["maxp"].numGlyphs = len(order)
    for table in font["cmap"].tables:
        if table.format == 12:
            table.cmap.update(added)
        elif table.format == 4:
            table.cmap.update({code: name for code, name in added.items() if code < 0x10000})


def _rename(font: TTFont, family: str, postscript: str, style: str) -> None:
    """Keep copyright and licence entries, set the names, and drop glyph names and other cmaps."""
    name = font["name"]
    source = f"{name.getDebugName(6)} {name.getDebugName(5)}"
    copyright_ = name.getDebugName(0)
    licence, licence_url = name.getDebugName(13), name.getDebugName(14)
    trademark = name.getDebugName(7)
    name.names = []
    entries = {
        0: copyright_, 1: family, 2: style, 3: f"Sealroad;{postscript}", 4: f"{family} {style}",
        5: f"Version 1.000; cut for Sealroad from {source}", 6: postscript, 7: trademark, 13: licence, 14: licence_url,
    }  # fmt: skip
    for number, text in entries.items():
        if text:
            name.setName(text, number, 3, 1, 0x409)
    font["post"].formatType = 3.0
    font["cmap"].tables = [table for table in font["cmap"].tables if table.isUnicode() and table.format in {4, 12}]
    font["OS/2"].fsType = 0  # installable embedding, as the licences say


def licences(out: Path) -> None:
    """Write the licence text of each family beside the fonts, under the font's own copyright line."""
    # All Noto families have the same licence; of the two packages only fonts-noto-cjk quotes it with its title.
    for family, package, licence in (
        ("NotoSans", "fonts-noto-cjk", "SIL-1.1"),
        ("NotoSansSC", "fonts-noto-cjk", "SIL-1.1"),
        ("NotoSerifSC", "fonts-noto-cjk", "SIL-1.1"),
        ("SealroadHan", "fonts-hanazono", "Hanazono-Font-License"),
    ):
        files = sorted(path.name for path in out.glob(f"{family}-*.ttf"))
        if not files:
            continue
        text = _paragraph((DOC / package / "copyright").read_text("utf-8"), licence)
        notice = TTFont(out / files[0], lazy=True)["name"].getDebugName(0)
        head = f"{', '.join(files)}\n{notice}\n\nModified: cut down and converted by tools/fonts.py. Licence:\n\n"
        (out / f"{family}-LICENSE.txt").write_text(head + text, "utf-8")


def _paragraph(copyright_file: str, licence: str) -> str:
    """Return the body of one `License:` paragraph of a machine-readable debian/copyright file."""
    bodies = []
    for paragraph in copyright_file.split("\n\n"):
        first, _, rest = paragraph.partition("\n")
        if first == f"License: {licence}":
            lines = [line.removeprefix(" ") for line in rest.splitlines()]
            bodies.append("\n".join("" if line.strip() == "." else line.rstrip() for line in lines).strip() + "\n")
    if len(bodies) != 1:
        sys.exit(f"expected one licence paragraph {licence}, found {len(bodies)}")
    return bodies[0]


if __name__ == "__main__":
    sys.exit(main())
