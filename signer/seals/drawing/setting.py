"""Letters set along a curve or in a row, condensed where the room is short.

    rim = Rim(21, 21, 19.8, 19.8)
    placed = rim.set(letters, gap=0.8, height=5.6, half=math.radians(120), manner=Manner())

Whoever cuts a seal keeps the height of the letters and makes them narrower (国家税务总局公告2011年第7号: the width
depends on the number of characters). So does this module: letters and the space between them give way together, down
to the narrowest that can still be read.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from signer.seals.drawing.letters import CAPITAL, Cell, Letters
from signer.seals.drawing.paths import Affine, Path

Point = tuple[float, float]

_SAMPLES = 360
"""Of half an ellipse: between two of them a curve of 20 mm leaves its chord by less than a micrometre."""


@dataclass(frozen=True)
class Shape:
    """Something filled with the ink: a letter, or a part of the border."""

    path: Path
    weight: float = 0.0
    """Millimetres of an outline drawn around it."""
    text: str = ""
    """The letter, if it is one."""


@dataclass(frozen=True)
class Manner:
    """How letters give way."""

    widest: float = 0.9
    """Width of a letter to its natural width where there is room."""
    narrowest: float = 0.3
    loose: float = 0.45
    """Space between letters, in mean widths of a letter, where there is room."""
    tight: float = 0.10

    def space(self, condensed: float) -> float:
        """Return the space between letters that are `condensed`: it vanishes faster than they do."""
        low, high = self.widest * 0.55, self.widest
        share = min(max((condensed - low) / (high - low), 0.0), 1.0)
        return self.tight + (self.loose - self.tight) * share

    def length(self, letters: Letters, condensed: float) -> float:
        """Return the length of the text in ems."""
        spaces = len(letters.cells) - 1
        mean = letters.width / len(letters.cells)
        return condensed * (letters.width + self.space(condensed) * mean * spaces)

    def condense(self, letters: Letters, room: float) -> float | None:
        """Return the width of the letters, to their natural one, at which the text is `room` ems long or less.

        None if the narrowest are still too wide.
        """
        if self.length(letters, self.widest) <= room:
            return self.widest
        low, high = self.narrowest, self.widest
        if self.length(letters, low) > room:
            return None
        for _ in range(24):
            middle = (low + high) / 2
            low, high = (middle, high) if self.length(letters, middle) <= room else (low, middle)
        return low


@dataclass(frozen=True)
class Placed:
    """Letters in their places."""

    letters: Letters
    moves: tuple[Affine, ...]
    condensed: float
    """Their width to their natural one."""
    depth: float = 0.0
    """Millimetres from the edge of a rim to the inner side of the letters."""

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The letters as outlines."""
        return tuple(put(cell, move) for cell, move in zip(self.letters.cells, self.moves, strict=True) if cell.path)

    @property
    def boxes(self) -> tuple[tuple[Point, ...], ...]:
        """The four corners of each letter's room."""
        box = self.letters.box
        return tuple(corners(cell, box, move) for cell, move in zip(self.letters.cells, self.moves, strict=True))

    @property
    def capitals(self) -> float:
        """Height of capitals in mm."""
        move = self.moves[0]
        return CAPITAL * math.hypot(move.c, move.d)


def put(cell: Cell, move: Affine) -> Shape:
    """Return a letter moved to its place; its outline is as heavy as for a letter of the same area."""
    scale = math.sqrt(math.hypot(move.a, move.b) * math.hypot(move.c, move.d))
    return Shape(move.path(cell.path), round(cell.weight * scale, 3), cell.text)


def corners(cell: Cell, box: tuple[float, float], move: Affine) -> tuple[Point, ...]:
    """Return the corners of a letter's room, from the lower left against the clock."""
    bottom, top = box
    return tuple(move.point(*at) for at in ((0, bottom), (cell.width, bottom), (cell.width, top), (0, top)))


def row(
    letters: Letters, x: float, y: float, height: float, width: float, manner: Manner, *, left: bool = False
) -> Placed | None:
    """Set letters in a straight line around (x, y), or from there on, `height` mm high and at most `width` mm long.

    None if it has no room.
    """
    em = height / letters.height
    condensed = manner.condense(letters, width / em)
    if condensed is None:
        return None
    space = manner.space(condensed) * letters.width / len(letters.cells) * condensed * em
    pen = x if left else x - manner.length(letters, condensed) * em / 2
    base = y - height / 2 - letters.box[0] * em
    moves = []
    for cell in letters.cells:
        moves.append(Affine.placed(pen, base, wide=condensed * em, high=em))
        pen += cell.width * condensed * em + space
    return Placed(letters, tuple(moves), condensed)


@dataclass(frozen=True)
class Rim:
    """The inner edge of a border: an ellipse with its middle at (x, y)."""

    x: float
    y: float
    wide: float
    high: float

    @property
    def tightest(self) -> float:
        """Its least radius of curvature."""
        low, high = sorted((self.wide, self.high))
        return low * low / high

    def set(
        self, letters: Letters, gap: float, height: float, half: float, manner: Manner, *, below: bool = False
    ) -> Placed | None:
        """Set letters along the edge, `gap` mm inside it, `height` mm high, at most `half` radians to either side.

        They stand with their heads to the edge around the top or, `below`, with their feet to it around the bottom.
        Angles are seen from the middle. None if there is no room. Spaces are measured along the inner side of the
        letters; from there they stand apart like spokes and cannot meet.
        """
        em = height / letters.height
        # The corners of a box stand nearer to the edge than the middle of its side, by so much at the tightest bend.
        widest = max(cell.width for cell in letters.cells) * manner.widest * em
        depth = gap + widest**2 / (8 * self.tightest) + height
        if depth >= self.tightest:
            return None  # the parallel curve would cross itself
        track = _track(self.wide, self.high, round(depth, 4))
        condensed = manner.condense(letters, track.length(half) / em)
        if condensed is None:
            return None
        return Placed(letters, self._along(letters, track, em, condensed, manner, below), condensed, depth)

    def _along(
        self,
        letters: Letters,
        track: _Track,
        em: float,
        condensed: float,
        manner: Manner,
        below: bool,
    ) -> tuple[Affine, ...]:
        wide = condensed * em
        space = manner.space(condensed) * letters.width / len(letters.cells) * wide
        at = -manner.length(letters, condensed) * em / 2
        side = -1 if below else 1
        anchor = letters.box[1] if below else letters.box[0]
        moves = []
        for cell in letters.cells:
            x, y, normal = track.at(at + cell.width * wide / 2)
            # The middle of the letter's inner side stands on the track: its foot, or below its head.
            turn = Affine.placed(0, 0, turned=-side * normal, wide=wide, high=em)
            dx, dy = turn.point(cell.width / 2, anchor)
            moves.append(replace(turn, e=self.x + x - dx, f=self.y + side * y - dy))
            at += cell.width * wide + space
        return tuple(moves)


@dataclass(frozen=True)
class _Track:
    """A curve parallel to an ellipse, sampled from its top to its bottom on the right; the left is its mirror image."""

    lengths: tuple[float, ...]
    """Along the curve from the top."""
    angles: tuple[float, ...]
    """Seen from the middle, from the top."""
    points: tuple[tuple[float, float, float], ...]
    """x, y, and the direction of the outward normal, from the top."""

    def length(self, half: float) -> float:
        """Return the length of the curve between two angles of `half` radians to either side of the top."""
        return 2 * _between(self.angles, self.lengths, min(half, math.pi))

    def at(self, length: float) -> tuple[float, float, float]:
        """Return the point, and the direction of its normal, so far to the right of the top."""
        x, y, normal = (
            _between(self.lengths, [point[part] for point in self.points], abs(length)) for part in range(3)
        )
        return (x, y, normal) if length >= 0 else (-x, y, -normal)


def _between(keys: Sequence[float], values: Sequence[float], key: float) -> float:
    """Interpolate in a table with rising keys."""
    index = min(max(bisect_left(keys, key), 1), len(keys) - 1)
    low, high = keys[index - 1], keys[index]
    share = (key - low) / (high - low)
    return values[index - 1] + (values[index] - values[index - 1]) * share


@lru_cache(maxsize=256)
def _track(wide: float, high: float, depth: float) -> _Track:
    points: list[tuple[float, float, float]] = []
    lengths: list[float] = []
    angles: list[float] = []
    for index in range(_SAMPLES + 1):
        turn = math.pi * index / _SAMPLES
        nx, ny = math.sin(turn) / wide, math.cos(turn) / high
        norm = math.hypot(nx, ny)
        x = wide * math.sin(turn) - depth * nx / norm
        y = high * math.cos(turn) - depth * ny / norm
        lengths.append(lengths[-1] + math.dist((x, y), points[-1][:2]) if points else 0.0)
        angles.append(math.atan2(max(x, 0.0), y))
        points.append((x, y, math.atan2(nx, ny)))
    return _Track(tuple(lengths), tuple(angles), tuple(points))
