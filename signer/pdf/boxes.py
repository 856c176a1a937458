"""Rectangles of a file (ISO 32000-2 7.9.5): read, compared, put into words. Nothing is known of pages here."""

from __future__ import annotations

from typing import Any

from signer.pdf.structure import View
from signer.pdf.tokens import Dictionary

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""


def numbers(view: View, value: Any, count: int) -> tuple[float, ...] | None:
    """Return an array of so many numbers, or None."""
    items = [view.resolve(v) for v in value] if isinstance(value, list) else []
    if len(items) != count or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in items):
        return None
    return tuple(float(v) for v in items)


def box_of(view: View, value: Any) -> Box | None:
    """Return an array as a box, with its corners in order, or None."""
    corners = numbers(view, value, 4)
    if corners is None:
        return None
    x0, y0, x1, y1 = corners
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def rectangle(view: View, annotation: Dictionary) -> Box | None:
    """Return /Rect, or None."""
    return box_of(view, view.get(annotation, "Rect"))


def intersect(a: Box, b: Box) -> bool:
    """Tell whether two boxes share more than an edge; an empty one shares nothing."""
    return min(a[2], b[2]) - max(a[0], b[0]) > 0.5 and min(a[3], b[3]) - max(a[1], b[1]) > 0.5


def inside(inner: Box, outer: Box) -> bool:
    """Tell whether a box lies within another, up to a point."""
    return (
        inner[0] >= outer[0] - 1 and inner[1] >= outer[1] - 1 and inner[2] <= outer[2] + 1 and inner[3] <= outer[3] + 1
    )


def words(box: Box) -> str:
    """Return a box in words."""
    return "rectangle [" + " ".join(f"{v:.0f}" for v in box) + "]"


__all__ = ["Box", "box_of", "inside", "intersect", "numbers", "rectangle", "words"]
