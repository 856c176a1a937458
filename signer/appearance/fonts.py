"""The vendored fonts: which one draws which character, and where its glyphs go.

    fonts = FontSet.default()
    line = fonts.shape("张𠮷伟 · ООО «Ромашка»")
    line.width          # in thousandths of the font size
    line.glyphs[0].face.name, line.glyphs[0].gid

Text is cut into runs by coverage: Noto Sans for Latin, Greek and Cyrillic, Noto Sans SC for hanzi, kana and hangul,
and a font of rare hanzi (Extensions B to F) for the rest; HarfBuzz then places the glyphs of each run. A character
that none of them has is an AppearanceError which names it: a box in place of a letter would be a different name. The
files are mapped into memory at first use; they are made by tools/fonts.py.
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import uharfbuzz as hb

from signer.appearance.text import SHARED_PUNCTUATION, clusters, is_ideographic, is_mark, is_variation_selector
from signer.errors import AppearanceError

DIRECTORY = Path(__file__).parent / "fonts"

# Ligatures would put several letters into one glyph; without them text copied from the page is the text that was drawn.
_FEATURES = {"liga": False, "clig": False, "dlig": False, "calt": False}


@dataclass(frozen=True)
class Metrics:
    """Measures of a face in thousandths of an em (ISO 32000-1, 9.8, Table 122)."""

    ascent: int
    descent: int
    cap_height: int
    box: tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Face:
    """One font file.

    `strokes` are outlines, in ems, drawn around regular and bold glyphs: they make a bold hanzi of a regular one. A
    regular glyph has none: viewers draw a thin outline at least a pixel wide, which fills small hanzi.
    """

    name: str
    path: Path
    stem: int = 80
    serif: bool = False
    strokes: tuple[float, float] = (0.0, 0.0)

    @cached_property
    def hb_face(self) -> hb.Face:
        """The file, mapped into memory."""
        try:
            return hb.Face(hb.Blob.from_file_path(str(self.path)))
        except (OSError, RuntimeError) as error:
            raise AppearanceError(
                f"the font {self.path.name} cannot be read",
                hint="reinstall Sealroad: its fonts are part of the package",
            ) from error

    @cached_property
    def hb_font(self) -> hb.Font:
        """The face at a scale of one unit per font unit."""
        return hb.Font(self.hb_face)

    @cached_property
    def scale(self) -> float:
        """Thousandths of an em in one font unit."""
        return 1000 / float(self.hb_face.upem)

    @cached_property
    def metrics(self) -> Metrics:
        """Measures from the head, hhea and OS/2 tables (OpenType 1.9)."""
        head = self.hb_face.reference_table("head").data
        hhea = self.hb_face.reference_table("hhea").data
        os2 = self.hb_face.reference_table("OS/2").data
        box = struct.unpack_from(">4h", head, 36)
        ascent, descent = struct.unpack_from(">2h", hhea, 4)
        cap_height = struct.unpack_from(">h", os2, 88)[0] if len(os2) >= 90 else ascent
        left, bottom, right, top = (round(value * self.scale) for value in box)
        return Metrics(
            ascent=round(ascent * self.scale),
            descent=round(descent * self.scale),
            cap_height=round(cap_height * self.scale),
            box=(left, bottom, right, top),
        )

    def glyph(self, char: str) -> int:
        """Return the glyph for one character, 0 if there is none."""
        return int(self.hb_font.get_nominal_glyph(ord(char)) or 0)

    def has(self, cluster: str) -> bool:
        """Tell whether every character of `cluster`, variation selectors aside, has a glyph."""
        return all(self.glyph(char) or is_variation_selector(char) for char in cluster)

    def advance(self, gid: int) -> float:
        """Return the width of a glyph in thousandths of an em."""
        return float(self.hb_font.get_glyph_h_advance(gid)) * self.scale


@dataclass(frozen=True)
class Run:
    """A stretch of text that one face draws."""

    face: Face
    text: str


@dataclass(frozen=True, slots=True)
class Glyph:
    """One placed glyph; lengths in thousandths of the font size.

    `text` is what the glyph stands for. When several glyphs share one cluster, the first carries the whole text and the
    others carry an empty one.
    """

    face: Face
    gid: int
    advance: float
    dx: float
    dy: float
    text: str


@dataclass(frozen=True)
class Line:
    """A shaped text on one line."""

    glyphs: tuple[Glyph, ...]

    @cached_property
    def width(self) -> float:
        """The sum of the advances, in thousandths of the font size."""
        return sum(glyph.advance for glyph in self.glyphs)

    @property
    def text(self) -> str:
        """The text that was shaped."""
        return "".join(glyph.text for glyph in self.glyphs)


@dataclass(frozen=True, eq=False)
class FontSet:
    """Faces in order of preference."""

    regular: tuple[Face, ...]
    bold: tuple[Face, ...]

    @staticmethod
    @lru_cache(maxsize=1)
    def default() -> FontSet:
        """Return the vendored fonts; no file is opened before a character needs it."""
        sans = Face("NotoSans-Regular", DIRECTORY / "NotoSans-Regular.ttf")
        heavy = Face("NotoSans-Bold", DIRECTORY / "NotoSans-Bold.ttf", stem=140)
        chinese = Face("NotoSansSC-Regular", DIRECTORY / "NotoSansSC-Regular.ttf", strokes=(0.0, 0.028))
        rare = Face("SealroadHan-Regular", DIRECTORY / "SealroadHan-Regular.ttf", serif=True, strokes=(0.0, 0.03))
        return FontSet(regular=(sans, chinese, rare), bold=(heavy, chinese, rare))

    def cover(self, text: str, *, bold: bool = False) -> tuple[Run, ...]:
        """Split `text` into runs of one face each.

        Raises AppearanceError, naming the character, if no face has it.
        """
        faces = self.bold if bold else self.regular
        pieces = clusters(text)
        runs: list[tuple[Face, str]] = []
        for index, piece in enumerate(pieces):
            preferred = faces
            if piece[0] in SHARED_PUNCTUATION and _beside_ideograph(pieces, index):
                preferred = (*faces[1:], faces[0])
            elif piece == " " and runs:
                preferred = (runs[-1][0], *faces)
            for face, part in _assign(preferred, piece):
                if runs and runs[-1][0] is face:
                    runs[-1] = (face, runs[-1][1] + part)
                else:
                    runs.append((face, part))
        return tuple(Run(face, part) for face, part in runs)

    def missing(self, text: str) -> tuple[str, ...]:
        """Return the characters of `text` that no face has, each once, in order."""
        seen = dict.fromkeys(char for char in text if not is_variation_selector(char))
        return tuple(char for char in seen if not any(face.glyph(char) for face in self.regular))

    def shape(self, text: str, *, bold: bool = False) -> Line:
        """Place the glyphs of `text`, left to right on one line.

        Raises AppearanceError, naming the character, if no face has it.
        """
        glyphs: list[Glyph] = []
        for run in self.cover(text, bold=bold):
            glyphs.extend(_shape_run(run))
        return Line(tuple(glyphs))


def _beside_ideograph(pieces: Sequence[str], index: int) -> bool:
    """Tell whether shared punctuation touches, past others of its kind, a hanzi: on its left, else on its right."""
    for step in (range(index - 1, -1, -1), range(index + 1, len(pieces))):
        for other in step:
            char = pieces[other][0]
            if char == " ":
                break
            if char not in SHARED_PUNCTUATION:
                return is_ideographic(char)
    return False


def _assign(faces: Iterable[Face], piece: str) -> list[tuple[Face, str]]:
    """Choose the face for one cluster: as written, composed, or letter by letter."""
    faces = tuple(faces)
    forms = [piece] if len(piece) == 1 else [piece, unicodedata.normalize("NFC", piece)]
    for form in forms:
        for face in faces:
            if face.has(form):
                return [(face, form)]
    parts: list[tuple[Face, str]] = []
    for char in piece:
        if is_variation_selector(char):
            continue
        able = next((face for face in faces if face.glyph(char)), None)
        if able is None:
            raise AppearanceError(
                f"no font of ours can draw {describe(char)}",
                hint="use another spelling, or sign without a visible appearance",
            )
        parts.append((able, char))
    return parts


def describe(char: str) -> str:
    """Name a character for a message: the character itself if it shows, its number and its Unicode name."""
    name = unicodedata.name(char, "")
    shown = f"'{char}' " if char.isprintable() and not is_mark(char) else ""
    return f"{shown}U+{ord(char):04X}{' ' + name if name else ''}"


def _shape_run(run: Run) -> list[Glyph]:
    buffer = hb.Buffer()
    buffer.cluster_level = hb.BufferClusterLevel.MONOTONE_GRAPHEMES
    buffer.add_str(run.text)
    # Set before guessing, which would otherwise take the language from the environment of the process.
    buffer.direction = "ltr"
    buffer.language = "und"
    buffer.guess_segment_properties()
    hb.shape(run.face.hb_font, buffer, _FEATURES)
    infos, positions = buffer.glyph_infos, buffer.glyph_positions
    starts = sorted({info.cluster for info in infos})
    ends = dict(zip(starts, [*starts[1:], len(run.text)], strict=True))
    scale = run.face.scale
    glyphs: list[Glyph] = []
    previous = -1
    for info, place in zip(infos, positions, strict=True):
        text = "" if info.cluster == previous else run.text[info.cluster : ends[info.cluster]]
        previous = info.cluster
        glyphs.append(
            Glyph(
                run.face, info.codepoint, place.x_advance * scale, place.x_offset * scale, place.y_offset * scale, text
            )
        )
    return glyphs
