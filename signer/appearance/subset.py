"""Font subsets for a PDF: the glyphs that were used, as CIDFontType2 with all that a reader needs to draw and copy.

    embedded, numbers = embed(face, glyphs)          # numbers: glyph of the vendored font -> CID in the PDF
    embedded.base_font, embedded.program, embedded.widths, embedded.to_unicode

The encoding is Identity-H and CIDToGIDMap Identity (ISO 32000-1, 9.7.4 and 9.7.5.2), so a CID is the glyph number in
the subset. Widths are in thousandths of an em whatever the font's own units (9.7.4.3): a reader that measures text,
and every PDF/A profile (ISO 19005-2, 6.2.11.5), needs that. The same glyphs give the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import uharfbuzz as hb

from signer.appearance.fonts import Face, Glyph, Metrics
from signer.errors import AppearanceError

# A FontFile2 for a CIDFont needs outlines and measures only (ISO 32000-1, 9.9, Table 126).
_DROP = tuple(
    int.from_bytes(tag, "big") for tag in (b"GSUB", b"GPOS", b"GDEF", b"OS/2", b"cmap", b"name", b"post", b"STAT")
)

_FLAG_SERIF, _FLAG_SYMBOLIC = 2, 4  # ISO 32000-1, 9.8.2, Table 123


@dataclass(frozen=True)
class EmbeddedFont:
    """A subset ready for a PDF. CIDs run from 0 without a gap."""

    name: str
    """Resource name in the content stream, such as F0."""
    base_font: str
    """PostScript name with the subset tag, such as ABCDEF+NotoSans-Regular (ISO 32000-1, 9.6.4)."""
    program: bytes
    """TrueType file for FontFile2."""
    widths: tuple[float, ...]
    """Advance of each CID in thousandths of an em."""
    texts: tuple[str, ...]
    """What each CID stands for; the entry of CID 0 is empty."""
    metrics: Metrics
    stem: int
    flags: int

    @cached_property
    def to_unicode(self) -> bytes:
        """ToUnicode CMap (ISO 32000-1, 9.10.3)."""
        pairs = [(cid, text) for cid, text in enumerate(self.texts) if text]
        lines = [
            "/CIDInit /ProcSet findresource begin",
            "12 dict begin",
            "begincmap",
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            "/CMapName /Adobe-Identity-UCS def",
            "/CMapType 2 def",
            "1 begincodespacerange",
            "<0000> <FFFF>",
            "endcodespacerange",
        ]
        for start in range(0, len(pairs), 100):  # at most 100 in a block, Adobe Technical Note 5411
            block = pairs[start : start + 100]
            lines.append(f"{len(block)} beginbfchar")
            lines.extend(f"<{cid:04X}> <{text.encode('utf-16-be').hex().upper()}>" for cid, text in block)
            lines.append("endbfchar")
        lines += ["endcmap", "CMapName currentdict /CMap defineresource pop", "end", "end"]
        return ("\n".join(lines) + "\n").encode("ascii")

    @cached_property
    def cid_set(self) -> bytes:
        """One bit for each CID, the highest bit of the first byte for CID 0 (ISO 19005-1, 6.3.5)."""
        count = len(self.widths)
        bits = bytearray((count + 7) // 8)
        for cid in range(count):
            bits[cid // 8] |= 0x80 >> (cid % 8)
        return bytes(bits)


def embed(name: str, face: Face, glyphs: Sequence[Glyph]) -> tuple[EmbeddedFont, dict[int, int]]:
    """Cut `face` down to `glyphs`, given in the order in which they are drawn.

    Returns the subset and the map from the glyph numbers of `face` to those of the subset.
    Raises AppearanceError if the font file cannot be cut.
    """
    texts = _texts(face, glyphs)
    options = hb.SubsetInput()
    options.glyph_set.update(texts)
    options.flags = hb.SubsetFlags.NO_HINTING | hb.SubsetFlags.NOTDEF_OUTLINE | hb.SubsetFlags.NO_LAYOUT_CLOSURE
    options.drop_table_tag_set.update(_DROP)
    options.name_id_set.clear()
    try:
        plan = hb.SubsetPlan(face.hb_face, options)
        program = bytes(plan.execute().blob.data)
    except (RuntimeError, MemoryError) as error:
        raise AppearanceError(f"the font {face.path.name} cannot be cut down") from error
    numbers = {int(old): int(new) for old, new in dict(plan.old_to_new_glyph_mapping).items()}
    order = sorted(numbers, key=numbers.__getitem__)
    font = EmbeddedFont(
        name=name,
        base_font=f"{_tag(program)}+{face.name}",
        program=program,
        widths=tuple(round(face.advance(gid), 3) for gid in order),
        texts=tuple(texts.get(gid, "") for gid in order),
        metrics=face.metrics,
        stem=face.stem,
        flags=_FLAG_SYMBOLIC | (_FLAG_SERIF if face.serif else 0),
    )
    return font, numbers


def _texts(face: Face, glyphs: Sequence[Glyph]) -> dict[int, str]:
    """Say what each glyph stands for: the first text it draws alone, else the character whose glyph it is.

    A later use with another text, and a cluster of several glyphs, is told apart in the content stream by ActualText.
    """
    texts: dict[int, str] = {}
    unsure: dict[int, str] = {}
    cluster = ""
    for index, glyph in enumerate(glyphs):
        cluster = glyph.text or cluster
        alone = bool(glyph.text) and not (index + 1 < len(glyphs) and not glyphs[index + 1].text)
        if alone:
            texts.setdefault(glyph.gid, glyph.text)
        else:
            unsure.setdefault(glyph.gid, cluster)
    if unsure.keys() - texts.keys():
        own = {face.glyph(chr(code)): chr(code) for code in sorted(face.hb_face.unicodes, reverse=True)}
        for gid, cluster in unsure.items():
            texts.setdefault(gid, own.get(gid, cluster))
    return texts


def _tag(program: bytes) -> str:
    """Six capitals that differ between different subsets (ISO 32000-1, 9.6.4)."""
    number = int.from_bytes(hashlib.sha256(program).digest()[:8], "big")
    letters = ""
    for _ in range(6):
        number, digit = divmod(number, 26)
        letters += chr(ord("A") + digit)
    return letters


def web_font(face: Face, characters: str) -> bytes:
    """Cut `face` down to characters, as a TrueType file that a page can carry. Raises AppearanceError."""
    options = hb.SubsetInput()
    options.unicode_set.update(map(ord, characters))
    options.flags = hb.SubsetFlags.NO_HINTING | hb.SubsetFlags.NO_LAYOUT_CLOSURE
    options.drop_table_tag_set.update(int.from_bytes(tag, "big") for tag in (b"GSUB", b"GPOS", b"GDEF", b"STAT"))
    try:
        return bytes(hb.SubsetPlan(face.hb_face, options).execute().blob.data)
    except (RuntimeError, MemoryError) as error:
        raise AppearanceError(f"the font {face.path.name} cannot be cut down") from error
