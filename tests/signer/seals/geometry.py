"""Ink of a drawn seal as convex polygons, and whether two of them touch."""

from __future__ import annotations

from itertools import pairwise

from signer.seals.drawing import DrawnSeal
from signer.seals.drawing.setting import Shape

Point = tuple[float, float]


def points(shape: Shape) -> list[Point]:
    """Every point of the outline; a curve lies inside the hull of its points."""
    return [at for _, values in shape.path for at in zip(values[0::2], values[1::2], strict=True)]


def letters(drawn: DrawnSeal) -> list[Shape]:
    return [shape for shape in drawn.shapes if shape.text]


def spread(shapes: list[Shape]) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of the ink."""
    found = [at for shape in shapes for at in points(shape)]
    return min(x for x, _ in found), min(y for _, y in found), max(x for x, _ in found), max(y for _, y in found)


def hull(cloud: list[Point]) -> list[Point]:
    """The convex hull (Andrew's monotone chain)."""
    ordered = sorted(set(cloud))

    def chain(run: list[Point]) -> list[Point]:
        kept: list[Point] = []
        for x, y in run:
            while len(kept) > 1:
                (x0, y0), (x1, y1) = kept[-2:]
                if (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) > 0:
                    break
                kept.pop()
            kept.append((x, y))
        return kept[:-1]

    return chain(ordered) + chain(ordered[::-1])


def touch(one: list[Point], other: list[Point]) -> bool:
    """Whether two convex polygons have a point in common: no side of either separates them."""
    for polygon in (one, other):
        for (x0, y0), (x1, y1) in pairwise([*polygon, polygon[0]]):
            nx, ny = y1 - y0, x0 - x1
            first = [nx * x + ny * y for x, y in one]
            second = [nx * x + ny * y for x, y in other]
            if max(first) < min(second) or max(second) < min(first):
                return False
    return True
