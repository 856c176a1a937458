"""Colours that mean the same everywhere: an sRGB profile of our own, and how a colour is written in a content stream.

PDF/A forbids device colours in a file whose output intent does not explain them (ISO 19005-2, 6.2.4.3), and the file
that is signed is not ours. So a drawing carries its colour space with it: ICCBased with a matrix profile of version
2, which PDF 1.4 and PDF/A-1 accept too (ISO 19005-1, 6.2.3.2).
"""

from __future__ import annotations

import struct
from enum import StrEnum
from functools import lru_cache

from signer.appearance.numbers import decimal

RGB = tuple[float, float, float]
"""Red, green, blue of sRGB, 0 to 1."""


class ColourMode(StrEnum):
    """How the colours of a drawing are written."""

    ICC = "icc"
    """ICCBased sRGB: right in every file. The default."""
    RGB = "rgb"
    """DeviceRGB: a little smaller, for files that are not PDF/A or have an RGB output intent."""
    GRAY = "gray"
    """DeviceGray: for black and white files."""


def operator(mode: ColourMode, colour: RGB, *, stroke: bool) -> str:
    """Return the content stream operator that selects `colour` (ISO 32000-1, 8.6.8)."""
    if mode is ColourMode.GRAY:
        # Luma of Rec. ITU-R BT.709, close enough for grey text and lines.
        level = 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]
        return f"{decimal(level, 3)} {'G' if stroke else 'g'}"
    values = " ".join(decimal(value, 3) for value in colour)
    if mode is ColourMode.RGB:
        return f"{values} {'RG' if stroke else 'rg'}"
    return f"/CS0 {'CS' if stroke else 'cs'} {values} {'SC' if stroke else 'sc'}"


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """Return an ICC profile (ICC.1:2001-04) for sRGB (IEC 61966-2-1) of under a kilobyte.

    Primaries are adapted to D50 as the ICC published them; the tone curve is sampled at 256 points.
    """
    curve = b"curv" + bytes(4) + struct.pack(">I", 256) + b"".join(struct.pack(">H", _linear(i)) for i in range(256))
    tags = [
        (b"desc", _description("sRGB")),
        (b"cprt", b"text" + bytes(4) + b"No copyright, use freely\0"),
        (b"wtpt", _xyz(0.9642, 1.0, 0.8249)),
        (b"rXYZ", _xyz(0.43607, 0.22249, 0.01392)),
        (b"gXYZ", _xyz(0.38515, 0.71687, 0.09708)),
        (b"bXYZ", _xyz(0.14307, 0.06061, 0.71410)),
        (b"rTRC", curve),
    ]
    at = 128 + 4 + 12 * (len(tags) + 2)
    table, body, places = [], b"", {}
    for name, data in tags:
        padded = data + bytes(-len(data) % 4)
        places[name] = (at + len(body), len(data))
        body += padded
    for name in (b"gTRC", b"bTRC"):  # the three curves are one
        places[name] = places[b"rTRC"]
    for name, (offset, size) in places.items():
        table.append(name + struct.pack(">II", offset, size))
    size = at + len(body)
    header = (
        struct.pack(">I4sI4s4s4s", size, bytes(4), 0x02100000, b"mntr", b"RGB ", b"XYZ ")
        + struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # a fixed date: the same bytes every time
        + b"acsp"
        + bytes(28)
        + struct.pack(">3I", 0x0000F6D6, 0x00010000, 0x0000D32D)  # D50
        + bytes(48)
    )
    return header + struct.pack(">I", len(places)) + b"".join(table) + body


def _linear(index: int) -> int:
    """One sample of the transfer function of IEC 61966-2-1, 16 bits."""
    value = index / 255
    linear = value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
    return round(linear * 65535)


def _xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _description(text: str) -> bytes:
    """Return a textDescriptionType of version 2: ASCII, then empty Unicode and Macintosh forms."""
    ascii_text = text.encode("ascii") + b"\0"
    return b"desc" + bytes(4) + struct.pack(">I", len(ascii_text)) + ascii_text + bytes(8) + bytes(3 + 67)
