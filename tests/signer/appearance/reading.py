"""Read a drawing back the way a viewer does: codes to text by ToUnicode, unless ActualText says otherwise."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable

import pikepdf

from signer.appearance.subset import EmbeddedFont


def cmap_of(font: EmbeddedFont) -> dict[int, str]:
    pairs = re.findall(rb"^<([0-9A-F]{4})> <([0-9A-F]+)>$", font.to_unicode, re.MULTILINE)
    return {int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for code, text in pairs if text != b"FFFF"}


def lines_of(content: bytes, fonts: Iterable[EmbeddedFont]) -> list[str]:
    """Return the text of each text object of a content stream, in order."""
    maps = {f"/{font.name}": cmap_of(font) for font in fonts}
    pdf = pikepdf.new()
    pdf.add_blank_page()
    pdf.pages[0].Contents = pdf.make_stream(content)
    lines: list[str] = []
    face: dict[int, str] = {}
    replaced = False
    for operands, operator in pikepdf.parse_content_stream(pdf.pages[0]):
        match str(operator):
            case "BT":
                lines.append("")
            case "Tf":
                face = maps[str(operands[0])]
            case "BDC":
                assert str(operands[0]) == "/Span"
                lines[-1] += str(operands[1].ActualText)
                replaced = True
            case "EMC":
                replaced = False
            case "TJ" if not replaced:
                for item in operands[0]:
                    if isinstance(item, pikepdf.String):
                        codes = bytes(item)
                        lines[-1] += "".join(face[codes[at] << 8 | codes[at + 1]] for at in range(0, len(codes), 2))
    return lines


def page_texts(pdf: bytes) -> list[str]:
    """Return the text of each page of a file whose fonts are ours."""
    texts = []
    with pikepdf.open(io.BytesIO(pdf)) as document:
        for page in document.pages:
            maps = {}
            for name, font in page.Resources.Font.items():
                body = font.ToUnicode.read_bytes()
                pairs = re.findall(rb"^<([0-9A-F]{4})> <([0-9A-F]+)>$", body, re.MULTILINE)
                maps[name] = {
                    int(c, 16): bytes.fromhex(t.decode()).decode("utf-16-be") for c, t in pairs if t != b"FFFF"
                }
            parts: list[str] = []
            face: dict[int, str] = {}
            for operands, operator in pikepdf.parse_content_stream(page):
                if str(operator) == "Tf":
                    face = maps[str(operands[0])]
                elif str(operator) == "BT":
                    parts.append("\n")
                elif str(operator) == "TJ":
                    for item in operands[0]:
                        if isinstance(item, pikepdf.String):
                            codes = bytes(item)
                            parts += [face[codes[at] << 8 | codes[at + 1]] for at in range(0, len(codes), 2)]
            texts.append("".join(parts))
    return texts
