"""Where a page is, as its reader sees it, and where that is in the page's own coordinates.

    page.place((60, 80, 260, 160))          # /Rect in user space of a box given as the reader sees the page
    page.upright(200, 80)                   # /Matrix of a form XObject that is then read upright

ISO 32000-2 7.7.3.3 (/Rotate turns the page clockwise when shown), 12.5.5 (how an appearance is fitted into /Rect).
"""

from __future__ import annotations

from dataclasses import dataclass

from signer.errors import OptionError

Box = tuple[float, float, float, float]

POINTS_PER_MM = 72 / 25.4
TOLERANCE = 0.5
"""Points a box may stand out of the page: rounding."""


@dataclass(frozen=True)
class PageGeometry:
    """Visible area and rotation of one page."""

    area: Box
    """Crop box cut to the media box, in user space: left, bottom, right, top."""
    rotate: int
    """0, 90, 180 or 270, clockwise."""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height as the reader sees them."""
        left, bottom, right, top = self.area
        width, height = right - left, top - bottom
        return (height, width) if self.rotate in (90, 270) else (width, height)

    def place(self, box: Box) -> Box:
        """Return /Rect for a box in the reader's coordinates. Raises OptionError where it is not on the page."""
        width, height = self.size
        x1, y1, x2, y2 = box
        if x1 < -TOLERANCE or y1 < -TOLERANCE or x2 > width + TOLERANCE or y2 > height + TOLERANCE:
            raise OptionError(
                f"the box is not on the page, which is {width:.0f} × {height:.0f} points",
                hint="give x1, y1, x2, y2 from the lower left corner of the page as it is shown",
                width=width,
                height=height,
            )
        ax, ay = self._to_user(x1, y1)
        bx, by = self._to_user(x2, y2)
        return (min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))

    def _to_user(self, x: float, y: float) -> tuple[float, float]:
        left, bottom, right, top = self.area
        match self.rotate:
            case 90:
                return right - y, bottom + x
            case 180:
                return right - x, top - y
            case 270:
                return left + y, top - x
            case _:
                return left + x, bottom + y

    def seen(self, rectangle: Box) -> Box:
        """Return a rectangle of user space as the reader sees it; the other way round than `place`."""
        left, bottom, right, top = self.area
        x1, y1, x2, y2 = rectangle
        match self.rotate:
            case 90:
                corners = (y1 - bottom, right - x2, y2 - bottom, right - x1)
            case 180:
                corners = (right - x2, top - y2, right - x1, top - y1)
            case 270:
                corners = (top - y2, x1 - left, top - y1, x2 - left)
            case _:
                corners = (x1 - left, y1 - bottom, x2 - left, y2 - bottom)
        return corners

    def shown_size(self, rectangle: Box) -> tuple[float, float]:
        """Return width and height, as the reader sees them, of a /Rect in user space."""
        x1, y1, x2, y2 = rectangle
        width, height = abs(x2 - x1), abs(y2 - y1)
        return (height, width) if self.rotate in (90, 270) else (width, height)

    def upright(self, width: float, height: float) -> tuple[float, float, float, float, float, float] | None:
        """Return /Matrix that turns a form of that size against the page's rotation; None where there is none."""
        match self.rotate:
            case 90:
                return (0, 1, -1, 0, height, 0)
            case 180:
                return (-1, 0, 0, -1, width, height)
            case 270:
                return (0, -1, 1, 0, 0, width)
            case _:
                return None
