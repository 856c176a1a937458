"""The half of `signer.searching` that runs in a child process: PDFium reads the characters and their boxes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def answer(header: dict[str, Any], data: bytes) -> bytes:
    """Return [page, left, bottom, right, top] of each hit as JSON."""
    import pypdfium2

    wanted = _units("".join(header["text"].split()))
    found: list[tuple[float, ...]] = []
    with pypdfium2.PdfDocument(data) as document:
        for number in range(len(document)):
            page = document[number]
            text = page.get_textpage()
            for box in _hits(text, wanted):
                found.append((number + 1, *box))
                if len(found) >= header["most"]:
                    return json.dumps(found).encode()
            text.close()
            page.close()
    return json.dumps(found).encode()


def _hits(text: Any, wanted: str) -> Iterator[tuple[float, ...]]:
    """Yield the box around each occurrence on one page."""
    import pypdfium2.raw as pdfium

    characters: list[str] = []
    places: list[int] = []
    for index in range(text.count_chars()):
        code = pdfium.FPDFText_GetUnicode(text.raw, index)
        character = chr(code) if code < 0x110000 else "\ufffd"
        if not character.isspace() and code:
            units = _units(character)
            characters.append(units)
            places.extend([index] * len(units))
    page = "".join(characters)
    at = page.find(wanted)
    while at >= 0:
        boxes = [text.get_charbox(places[index]) for index in range(at, at + len(wanted))]
        lefts, bottoms, rights, tops = zip(*boxes, strict=True)
        yield min(lefts), min(bottoms), max(rights), max(tops)
        at = page.find(wanted, at + len(wanted))


def _units(text: str) -> str:
    """Return a text with a character for each unit of UTF-16: what PDFium counts, also where it reads a surrogate."""
    octets = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(octets[at] | octets[at + 1] << 8) for at in range(0, len(octets), 2))
