"""What a field's appearance writes, as far as it can be told without drawing it.

After the "shadow replace" attack of 2021 a picture must say what the value says. This reads the strings of the text
operators of a form XObject (ISO 32000-2 9.4.3) through /ToUnicode or, for simple fonts, as Latin text. Where that is
not possible the answer is None: not known, which is not the same as wrong.

    agrees("1 000", drawn_text(view, appearance))     # True, False or None
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from signer.pdf.structure import Stream, View
from signer.pdf.tokens import Array, Dictionary, Name, SyntaxFault, operations

MAX_OPERATORS = 20_000
MAX_CMAP = 256 * 1024
_BLOCK = re.compile(rb"beginbf(char|range)(.*?)endbf", re.DOTALL)
_BFCHAR = re.compile(rb"<([0-9A-Fa-f]{2,4})>\s*<([0-9A-Fa-f]{4,32})>")
_BFRANGE = re.compile(rb"<([0-9A-Fa-f]{2,4})>\s*<([0-9A-Fa-f]{2,4})>\s*<([0-9A-Fa-f]{4,8})>")


def drawn_text(view: View, appearance: Any) -> str | None:
    """Return the text of a normal appearance stream, or None when it cannot be told."""
    stream = view.resolve(appearance)
    if not isinstance(stream, Stream):
        return None
    try:
        return _text(view, stream)
    except (SyntaxFault, ValueError):
        return None


def agrees(value: str, drawn: str | None) -> bool | None:
    """Whether letters and digits of a value and of its picture are the same, in order; None when not known."""
    if drawn is None:
        return None
    return _essence(value) == _essence(drawn)


def _essence(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c.isalnum())


_PAINTING = frozenset({"f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "sh", "Do", "BI", "Tj", "TJ", "'", '"'})
"""Operators that leave a mark (8.5.3, 8.6 to 9.4)."""
MAX_FORMS = 5
"""Form XObjects inside form XObjects."""


def draws_more_than_text(view: View, appearances: Any) -> bool:
    """Whether the pictures of a text or choice field may hold more than text, lines and areas: a text needs no more.

    Those are images, other forms, patterns, glyphs that are drawings (Type 3), and whatever cannot be read.
    """
    found = view.resolve(appearances)
    if not isinstance(found, Dictionary):
        return False
    return any(_more_than_text(view, view.resolve(item)) for item in found.values())


def _more_than_text(view: View, stream: Any) -> bool:
    if stream is None:
        return False
    if not isinstance(stream, Stream):
        return True  # a choice of pictures is for buttons (12.5.5)
    try:
        resources = view.get(stream.dictionary, "Resources")
        objects, fonts, states = (
            view.get(resources, key) if isinstance(resources, Dictionary) else None
            for key in ("XObject", "Font", "ExtGState")
        )
        kinds = [view.resolve(font) for font in fonts.values()] if isinstance(fonts, Dictionary) else []
        if any(isinstance(font, Dictionary) and view.get(font, "Subtype") == "Type3" for font in kinds):
            return True
        for name, operands, _ in operations(view.stream_data(stream), spend=view.pdf.budget.spend):
            key = operands[-1] if operands else None
            if name in ("BI", "sh") or (name in ("scn", "SCN") and isinstance(key, Name)):
                return True
            if name == "Tr" and key not in (0, 1, 2):
                return True  # text that nobody sees (9.3.6), with something else drawn in its place
            # without resources of its own readers take those of the page
            if name == "Do" and (not isinstance(objects, Dictionary) or view.get(objects, str(key))):
                return True
            if name == "gs":
                state = view.get(states, str(key)) if isinstance(states, Dictionary) else None
                if not isinstance(state, Dictionary) or not {"Font", "SMask"}.isdisjoint(state):
                    return True
    except SyntaxFault:
        return True
    return False


def draws_anything(view: View, appearances: Any, depth: int = 0) -> bool:
    """Whether a picture leaves any mark; what cannot be read does."""
    found = view.resolve(appearances)
    if found is None:
        return False
    if depth > MAX_FORMS:
        return True
    if isinstance(found, Dictionary):
        return any(draws_anything(view, item, depth + 1) for item in found.values())
    if not isinstance(found, Stream) or found.dictionary.get("Subtype") == "Image":
        return True
    try:
        resources = view.get(found.dictionary, "Resources")
        objects = view.get(resources, "XObject") if isinstance(resources, Dictionary) else None
        for name, operands, _ in operations(view.stream_data(found), spend=view.pdf.budget.spend):
            if name == "Do" and isinstance(objects, Dictionary) and operands and isinstance(operands[-1], Name):
                if draws_anything(view, objects.get(operands[-1]), depth + 1):
                    return True
            elif name in _PAINTING:
                return True
    except SyntaxFault:
        return True
    return False


def _text(view: View, stream: Stream) -> str | None:
    resources = view.get(stream.dictionary, "Resources")
    fonts = view.get(resources, "Font") if isinstance(resources, Dictionary) else None
    out: list[str] = []
    font: dict[bytes, str] | None = {}
    steps = operations(view.stream_data(stream), spend=view.pdf.budget.spend)
    for count, (name, operands, _) in enumerate(steps):
        if name == "BI" or count > MAX_OPERATORS:
            return None
        if name == "Tf" and len(operands) >= 2 and isinstance(operands[-2], Name):
            font = _font(view, view.get(fonts, operands[-2]) if isinstance(fonts, Dictionary) else None)
        elif name in ("Tj", "'", '"', "TJ") and operands:
            pieces = operands[-1] if isinstance(operands[-1], Array) else [operands[-1]]
            for piece in pieces:
                if isinstance(piece, bytes):
                    decoded = _decode(font, piece)
                    if decoded is None:
                        return None
                    out.append(decoded)
    return "".join(out)


def _font(view: View, font: Any) -> dict[bytes, str] | None:
    """Return code to text; an empty map for a simple Latin font; None when codes mean nothing to us.

    Where the glyphs of a simple font are named, the names say what is drawn; /ToUnicode only says what is copied.
    """
    if not isinstance(font, Dictionary):
        return {}
    mapping = view.get(font, "ToUnicode")
    said = _to_unicode(view.stream_data(mapping)[:MAX_CMAP]) if isinstance(mapping, Stream) else None
    encoding = view.get(font, "Encoding")
    if view.get(font, "Subtype") in ("Type0", "Type3"):
        return said
    if isinstance(encoding, Dictionary) and "Differences" in encoding:
        return _named(view, encoding, said)
    return said if isinstance(mapping, Stream) else {}


def _to_unicode(text: bytes) -> dict[bytes, str] | None:
    """Read a /ToUnicode map (9.10.3); None where there is nothing in it."""
    found: dict[bytes, str] = {}
    blocks: dict[bytes, list[bytes]] = {b"char": [], b"range": []}
    for kind, block in _BLOCK.findall(text):  # without them two lines of one kind read as one of the other
        blocks[kind].append(block)
    for first, last, target in (line for block in blocks[b"range"] for line in _BFRANGE.findall(block)):
        low, high, code = int(first, 16), int(last, 16), int(target, 16)
        width = len(first) // 2
        for offset in range(min(high - low, 0xFFFF) + 1):
            found[(low + offset).to_bytes(width, "big")] = chr(code + offset) if code + offset < 0x110000 else "?"
    for first, target in (line for block in blocks[b"char"] for line in _BFCHAR.findall(block)):
        found[bytes.fromhex(first.decode())] = bytes.fromhex(target.decode()).decode("utf-16-be", "replace")
    return found or None


def _named(view: View, encoding: Dictionary, said: dict[bytes, str] | None) -> dict[bytes, str] | None:
    """Apply /Differences (9.6.5.1): a glyph with a known name draws that character, whatever /ToUnicode says."""
    from fontTools import agl

    table = "mac-roman" if view.get(encoding, "BaseEncoding") == "MacRomanEncoding" else "cp1252"
    found = {bytes([code]): bytes([code]).decode(table, "replace") for code in range(256)} | (said or {})
    code = 0
    for item in view.get(encoding, "Differences") or ():
        if isinstance(item, Name):
            if not 0 <= code < 256:
                return None
            text = agl.toUnicode(item)
            if text:
                found[bytes([code])] = text
            elif said is None or bytes([code]) not in said:
                return None
            code += 1
        elif type(item) is int:
            code = item
    return found


def _decode(font: dict[bytes, str] | None, piece: bytes) -> str | None:
    if font is None:
        return None
    if not font:
        return piece.decode("cp1252", "replace") if all(b >= 32 for b in piece) else None
    width = len(next(iter(font)))
    codes = [piece[i : i + width] for i in range(0, len(piece), width)]
    return "".join(font[c] for c in codes) if all(c in font for c in codes) else None
