"""How large a picture is on paper, for the seal that is made of it: from what the picture says, in whole millimetres.

    checked = check_picture(data)
    size_of(checked, None)          # (42, 42): an SVG of 42mm, or a PNG at 600 dpi
    size_of(checked, (45, 30))      # the same, where the picture has these proportions; else AppearanceError

A seal is as large as the seal it stands for, and a picture that is stretched is another picture.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from signer.errors import AppearanceError
from signer.seals.picture import CheckedPicture

USUAL = 40
"""Millimetres of the longer side where neither the picture nor anybody says: a company's seal."""
_LEAST, _MOST = 5, 200
"""Millimetres of a longer side that is believed: a dpi of 72 or 96 says nothing of paper."""
_TOLERANCE = 0.06
"""By which proportions may differ: sides are whole millimetres."""
_SIDE = re.compile(r"\s*(\d{1,6}(?:\.\d{1,9})?)\s*(mm|px|)\s*", re.ASCII)
_BOX = re.compile(r"\s*\S+[\s,]+\S+[\s,]+(\d{1,6}(?:\.\d{1,9})?)[\s,]+(\d{1,6}(?:\.\d{1,9})?)\s*", re.ASCII)


def size_of(checked: CheckedPicture, wanted: tuple[int, ...] | None) -> tuple[int, int]:
    """Return width and height in millimetres; `wanted` is None, the longer side, or both sides.

    Raises AppearanceError for sides that would bend the picture.
    """
    across, down, stated = _sides(checked)
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


def _sides(checked: CheckedPicture) -> tuple[float, float, float]:
    """Return width and height in units of the picture, and millimetres per unit; 0 for what it does not say."""
    if checked.width_px is None or checked.height_px is None:
        return _svg_sides(checked.attributes)
    dpi = checked.dpi or 0.0
    return checked.width_px, checked.height_px, 25.4 / dpi if dpi > 100 else 0.0


def _svg_sides(attributes: Mapping[str, str]) -> tuple[float, float, float]:
    width, height = (_SIDE.fullmatch(attributes.get(name, "")) for name in ("width", "height"))
    if width and height and width[2] == height[2]:
        return float(width[1]), float(height[1]), 1.0 if width[2] == "mm" else 0.0
    box = _BOX.fullmatch(attributes.get("viewBox", ""))
    return (float(box[1]), float(box[2]), 0.0) if box else (0.0, 0.0, 0.0)
