"""How large a picture is on paper, for the seal that is made of it: from what the picture says, in whole millimetres.

    size_of(data, None)          # (42, 42): an SVG of 42mm, or a PNG at 600 dpi
    size_of(data, (45, 30))      # the same, where the picture has these proportions; else AppearanceError

A seal is as large as the seal it stands for, and a picture that is stretched is another picture.
"""

from __future__ import annotations

import io
import re

from certs.trust.xml import parse_xml
from signer.errors import AppearanceError
from signer.seals.picture import check_picture

USUAL = 40
"""Millimetres of the longer side where neither the picture nor anybody says: a company's seal."""
_LEAST, _MOST = 5, 200
"""Millimetres of a longer side that is believed: a dpi of 72 or 96 says nothing of paper."""
_TOLERANCE = 0.06
"""By which proportions may differ: sides are whole millimetres."""
_SIDE = re.compile(r"\s*(\d{1,6}(?:\.\d{1,9})?)\s*(mm|px|)\s*", re.ASCII)
_BOX = re.compile(r"\s*\S+[\s,]+\S+[\s,]+(\d{1,6}(?:\.\d{1,9})?)[\s,]+(\d{1,6}(?:\.\d{1,9})?)\s*", re.ASCII)


def size_of(data: bytes, wanted: tuple[int, ...] | None) -> tuple[int, int]:
    """Return width and height in millimetres; `wanted` is None, the longer side, or both sides.

    Raises AppearanceError for a picture that cannot be a seal's, and for sides that would bend it.
    """
    across, down, stated = _sides(data)
    if wanted is not None and len(wanted) == 2:
        width, height = wanted
        if across and down and height and abs(width * down / (height * across) - 1) > _TOLERANCE:
            raise AppearanceError(
                f"{width} × {height} mm would bend a picture of {across:g} × {down:g}",
                hint="give one side, the longer one: the other follows",
            )
        return width, height
    if not (across and down):
        longer = wanted[0] if wanted else USUAL
        return longer, longer
    own = max(across, down) * stated
    longest = wanted[0] if wanted else own if _LEAST <= own <= _MOST else USUAL
    width, height = (round(side * longest / max(across, down)) for side in (across, down))
    return width, height


def _sides(data: bytes) -> tuple[float, float, float]:
    """Return width and height in units of the picture, and millimetres per unit; 0 for what it does not say."""
    checked = check_picture(data)
    if checked.width_px is None or checked.height_px is None:
        return _svg_sides(data)
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=(checked.kind.upper(),)) as picture:  # it was decoded a moment ago
        dpi = picture.info.get("dpi", (0, 0))[0]
    return checked.width_px, checked.height_px, 25.4 / float(dpi) if dpi > 100 else 0.0


def _svg_sides(data: bytes) -> tuple[float, float, float]:
    root = parse_xml(data.removeprefix(b"\xef\xbb\xbf"))
    width, height = (_SIDE.fullmatch(root.get(name) or "") for name in ("width", "height"))
    if width and height and width[2] == height[2]:
        return float(width[1]), float(height[1]), 1.0 if width[2] == "mm" else 0.0
    box = _BOX.fullmatch(root.get("viewBox") or "")
    return (float(box[1]), float(box[2]), 0.0) if box else (0.0, 0.0, 0.0)
