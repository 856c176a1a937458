"""Outlines in millimetres, with the origin in the lower left corner and y upwards, as PDF has it.

    star(21, 21, 7)                    # a five-pointed star, its tips 7 mm from the middle
    circle(21, 21, 21) + circle(21, 21, 19.8, hole=True)

A path is a tuple of steps: ("M", (x, y)), ("L", …), ("Q", …), ("C", …), ("Z", ()). Everything is filled by the nonzero
rule; a hole runs the other way round.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

Step = tuple[str, tuple[float, ...]]
Path = tuple[Step, ...]
Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""

_KAPPA = 4 / 3 * (math.sqrt(2) - 1)
"""A quarter circle as one Bézier curve, exact to 0.03 % of the radius."""

_INNER = math.sin(math.radians(18)) / math.sin(math.radians(54))
"""Inner to outer radius of the star whose sides are straight lines from tip to tip, as on the flag: 0.382."""


@dataclass(frozen=True)
class Affine:
    """A linear map and a shift: x' = ax + cy + e, y' = bx + dy + f (ISO 32000-1, 8.3.3)."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    @staticmethod
    def placed(x: float, y: float, *, turned: float = 0.0, wide: float = 1.0, high: float = 1.0) -> Affine:
        """Scale by `wide` and `high`, turn by radians against the clock, move to (x, y)."""
        cos, sin = math.cos(turned), math.sin(turned)
        return Affine(wide * cos, wide * sin, -high * sin, high * cos, x, y)

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Map one point."""
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    def path(self, path: Path) -> Path:
        """Map every point of a path."""
        mapped: list[Step] = []
        for verb, values in path:
            points: list[float] = []
            for index in range(0, len(values), 2):
                points.extend(self.point(values[index], values[index + 1]))
            mapped.append((verb, tuple(points)))
        return tuple(mapped)


def ellipse(x: float, y: float, wide: float, high: float, *, hole: bool = False) -> Path:
    """Return an ellipse with half-axes `wide` and `high`, against the clock unless it is a hole."""
    k = _KAPPA * (-high if hole else high)
    top = -high if hole else high
    w = _KAPPA * wide
    return (
        ("M", (x + wide, y)),
        ("C", (x + wide, y + k, x + w, y + top, x, y + top)),
        ("C", (x - w, y + top, x - wide, y + k, x - wide, y)),
        ("C", (x - wide, y - k, x - w, y - top, x, y - top)),
        ("C", (x + w, y - top, x + wide, y - k, x + wide, y)),
        ("Z", ()),
    )


def ring(x: float, y: float, wide: float, high: float, thick: float) -> Path:
    """Return the band of `thick` mm inside an ellipse."""
    return ellipse(x, y, wide, high) + ellipse(x, y, wide - thick, high - thick, hole=True)


def star(x: float, y: float, radius: float) -> Path:
    """Return a five-pointed star that stands on two of its tips."""
    corners = []
    for index in range(10):
        reach = radius * (1 if index % 2 == 0 else _INNER)
        angle = math.pi * index / 5
        corners.append((x - reach * math.sin(angle), y + reach * math.cos(angle)))
    return polygon(corners)


def polygon(corners: Iterable[tuple[float, float]]) -> Path:
    """Return a closed path through corners."""
    first, *others = corners
    return (("M", first), *(("L", corner) for corner in others), ("Z", ()))


def rectangle(left: float, bottom: float, right: float, top: float, *, hole: bool = False) -> Path:
    """Return a rectangle, against the clock unless it is a hole."""
    corners = [(left, bottom), (right, bottom), (right, top), (left, top)]
    return polygon(reversed(corners) if hole else corners)


def frame(left: float, bottom: float, right: float, top: float, thick: float) -> Path:
    """Return the band of `thick` mm inside a rectangle."""
    inner = rectangle(left + thick, bottom + thick, right - thick, top - thick, hole=True)
    return rectangle(left, bottom, right, top) + inner


def bounds(path: Path) -> Box | None:
    """Return a box that holds the path: that of its points, control points too. None if it has no point."""
    xs = [value for _, values in path for value in values[0::2]]
    ys = [value for _, values in path for value in values[1::2]]
    return (min(xs), min(ys), max(xs), max(ys)) if xs else None
