"""Points of y² = x³ + ax + b over p in plain Python: slow, independent of every library, for making bad keys."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

Point = tuple[int, int] | None
"""A point, or the neutral one."""


@dataclass(frozen=True)
class PlainCurve:
    """A curve whose p is 3 modulo 4, so that roots are easy."""

    p: int
    a: int
    b: int

    def holds(self, point: Point) -> bool:
        """Tell whether a point is the neutral one or on the curve."""
        return point is None or (point[1] ** 2 - point[0] ** 3 - self.a * point[0] - self.b) % self.p == 0

    def add(self, one: Point, other: Point) -> Point:
        """Return the sum."""
        if one is None or other is None:
            return one or other
        (x1, y1), (x2, y2) = one, other
        if x1 == x2 and (y1 + y2) % self.p == 0:
            return None
        if one == other:
            slope = (3 * x1 * x1 + self.a) * pow(2 * y1, -1, self.p)
        else:
            slope = (y2 - y1) * pow(x2 - x1, -1, self.p)
        x3 = (slope * slope - x1 - x2) % self.p
        return x3, (slope * (x1 - x3) - y1) % self.p

    def multiply(self, scalar: int, point: Point) -> Point:
        """Return `scalar` times the point."""
        total: Point = None
        while scalar:
            if scalar & 1:
                total = self.add(total, point)
            point = self.add(point, point)
            scalar >>= 1
        return total

    def some_point(self, seed: int) -> tuple[int, int]:
        """Return the first point whose x is at least `seed`."""
        for x in count(seed):
            square = (x**3 + self.a * x + self.b) % self.p
            y = pow(square, (self.p + 1) // 4, self.p)
            if y * y % self.p == square:
                return x, y
        raise AssertionError("unreachable")
