"""Outlines of SVG shapes as PDF path operators: lines and cubic curves (SVG 1.1, 8.3 and 9; ISO 32000-1, 8.5.2).

list(parse_path("M1 1h8v8z", 1000))          # [("m", (1, 1)), ("l", (9, 1)), ("l", (9, 9)), ("h", ())]
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from signer.errors import AppearanceError

Segment = tuple[str, tuple[float, ...]]
Point = tuple[float, float]

_KAPPA = 4 / 3 * (math.sqrt(2) - 1)
_TOKEN = re.compile(r"([MmLlHhVvCcSsQqTtAaZz])|([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|[\s,]+")
_FLAG = re.compile(r"[\s,]*([01])")
_ARGUMENTS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}


def circle_path(x: float, y: float, across: float, up: float) -> Iterator[Segment]:
    """Return an ellipse; nothing where a radius is zero."""
    if across <= 0 or up <= 0:
        return
    a, b = _KAPPA * across, _KAPPA * up
    yield "m", (x + across, y)
    yield "c", (x + across, y + b, x + a, y + up, x, y + up)
    yield "c", (x - a, y + up, x - across, y + b, x - across, y)
    yield "c", (x - across, y - b, x - a, y - up, x, y - up)
    yield "c", (x + a, y - up, x + across, y - b, x + across, y)
    yield "h", ()


def rectangle_path(x: float, y: float, width: float, height: float) -> Iterator[Segment]:
    """Return a rectangle; nothing where a side is zero."""
    if width > 0 and height > 0:
        yield "re", (x, y, width, height)


def polygon_path(numbers: Sequence[float], *, closed: bool) -> Iterator[Segment]:
    """Return straight lines through points. Raises ValueError for half a point."""
    if len(numbers) % 2:
        raise ValueError("half a point")
    for at in range(0, len(numbers), 2):
        yield ("l" if at else "m"), (numbers[at], numbers[at + 1])
    if closed and numbers:
        yield "h", ()


def parse_path(text: str, most: int) -> Iterator[Segment]:
    """Yield the outline of path data, of at most `most` segments. Raises AppearanceError, ValueError."""
    pen = _Pen()
    drawn = 0
    for verb, values in _commands(text):
        if not drawn and verb not in "Mm":
            raise ValueError("a path does not begin with M")
        for segment in pen.draw(verb, values):
            drawn += 1
            if drawn > most:
                raise AppearanceError("the SVG has too many points", hint="have the seal drawn with less")
            yield segment


def _commands(text: str) -> Iterator[tuple[str, tuple[float, ...]]]:
    """Yield each command with the numbers of one repetition."""
    at, verb = 0, ""
    values: list[float] = []
    while at < len(text):
        # the flags of an arc need no blank behind them
        flag = _FLAG.match(text, at) if verb in "Aa" and verb and len(values) in (3, 4) else None
        found = flag or _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"path data {text[at : at + 20]!r}")
        at = found.end()
        if flag is not None:
            values.append(float(flag[1]))
        elif found[1]:
            if values:
                raise ValueError(f"a number too many or too few for {verb}")
            verb = found[1]
            if verb in "Zz":
                yield verb, ()
        elif found[2]:
            if not verb or verb in "Zz":
                raise ValueError("a number without a command")
            values.append(float(found[2]))
        if verb and values and len(values) == _ARGUMENTS[verb.upper()]:
            yield verb, tuple(values)
            values = []
            verb = {"M": "L", "m": "l"}.get(verb, verb)
    if values:
        raise ValueError(f"a number too few for {verb}")


class _Pen:
    """Where the pen is, and where the last curve came from."""

    def __init__(self) -> None:
        self.at: Point = (0.0, 0.0)
        self.start: Point = (0.0, 0.0)
        self.cubic: Point | None = None
        self.quadratic: Point | None = None

    def draw(self, verb: str, values: tuple[float, ...]) -> Iterator[Segment]:
        """Draw one command."""
        kind, (x, y) = verb.upper(), self.at
        dx, dy = (x, y) if verb.islower() else (0.0, 0.0)
        cubic, quadratic, self.cubic, self.quadratic = self.cubic, self.quadratic, None, None
        if kind == "Z":
            self.at = self.start
            yield "h", ()
        elif kind == "H":
            yield self._line((values[0] + dx, y))
        elif kind == "V":
            yield self._line((x, values[0] + dy))
        elif kind == "A":
            yield from self._arc(values, (values[5] + dx, values[6] + dy))
        else:
            points = [(values[n] + dx, values[n + 1] + dy) for n in range(0, len(values), 2)]
            if kind == "M":
                self.at = self.start = points[0]
                yield "m", points[0]
            elif kind == "L":
                yield self._line(points[0])
            elif kind == "C":
                yield self._curve(*points)
            elif kind == "S":
                yield self._curve(_mirrored(cubic, self.at), *points)
            elif kind == "Q":
                yield self._quadratic(*points)
            else:
                yield self._quadratic(_mirrored(quadratic, self.at), *points)

    def _line(self, end: Point) -> Segment:
        self.at = end
        return "l", end

    def _curve(self, first: Point, second: Point, end: Point) -> Segment:
        self.cubic, self.at = second, end
        return "c", (*first, *second, *end)

    def _quadratic(self, control: Point, end: Point) -> Segment:
        (x, y), (cx, cy), (ex, ey) = self.at, control, end
        self.quadratic, self.at = control, end
        return "c", (x + 2 / 3 * (cx - x), y + 2 / 3 * (cy - y), ex + 2 / 3 * (cx - ex), ey + 2 / 3 * (cy - ey), ex, ey)

    def _arc(self, values: tuple[float, ...], end: Point) -> Iterator[Segment]:
        """Draw an elliptical arc as curves of at most a quarter turn (SVG 1.1, F.6)."""
        across, up, turned, large, sweep = abs(values[0]), abs(values[1]), math.radians(values[2]), *values[3:5]
        (x1, y1), (x2, y2) = self.at, end
        if self.at == end:
            return
        if not across or not up:
            yield self._line(end)
            return
        cos, sin = math.cos(turned), math.sin(turned)
        hx, hy = (x1 - x2) / 2, (y1 - y2) / 2
        px, py = cos * hx + sin * hy, cos * hy - sin * hx
        enough = math.hypot(px / across, py / up)
        if enough > 1:
            across, up = across * enough, up * enough
        rest = max(0.0, 1 / ((px / across) ** 2 + (py / up) ** 2) - 1)
        factor = math.sqrt(rest) * (1 if bool(large) != bool(sweep) else -1)
        cx, cy = factor * across * py / up, -factor * up * px / across
        begin = math.atan2((py - cy) / up, (px - cx) / across)
        span = math.atan2((-py - cy) / up, (-px - cx) / across) - begin
        span += 2 * math.pi if sweep and span < 0 else -2 * math.pi if not sweep and span > 0 else 0
        mx, my = cos * cx - sin * cy + (x1 + x2) / 2, sin * cx + cos * cy + (y1 + y2) / 2
        pieces = max(1, math.ceil(abs(span) / (math.pi / 2) - 1e-9))
        step = span / pieces
        k = 4 / 3 * math.tan(step / 4)

        def point(u: float, v: float) -> Point:
            return mx + cos * across * u - sin * up * v, my + sin * across * u + cos * up * v

        for index in range(pieces):
            a, b = begin + index * step, begin + (index + 1) * step
            first = point(math.cos(a) - k * math.sin(a), math.sin(a) + k * math.cos(a))
            second = point(math.cos(b) + k * math.sin(b), math.sin(b) - k * math.cos(b))
            last = end if index == pieces - 1 else point(math.cos(b), math.sin(b))
            yield "c", (*first, *second, *last)
        self.at = end


def _mirrored(control: Point | None, at: Point) -> Point:
    """Return the control point that goes on smoothly; the pen's own place where there was no curve."""
    return at if control is None else (2 * at[0] - control[0], 2 * at[1] - control[1])
