"""Line drawings in SVG as content streams: what seals are drawn with, and nothing else.

    content = svg_content(data, width, height)          # points; operators for a form XObject

Paths, circles, ellipses, rectangles, lines and polygons, in groups, filled and stroked in plain colours (SVG 1.1,
chapters 7 to 11). What would have to be guessed at, such as text without its font, a style sheet, a gradient or a
picture inside, is AppearanceError: a seal that is drawn nearly right is another seal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

from certs.errors import MalformedInput
from certs.trust.xml import parse_xml
from signer.appearance.colour import RGB, ColourMode, operator
from signer.appearance.numbers import decimal
from signer.appearance.svg_path import Segment, circle_path, parse_path, polygon_path, rectangle_path
from signer.errors import AppearanceError

MAX_SEGMENTS = 200_000
MAX_DEPTH = 60
MAX_NUMBER = 1e6

_NAMESPACE = "{http://www.w3.org/2000/svg}"
_SILENT = frozenset({"title", "desc", "metadata"})
_HINT = "have the seal drawn in paths and plain colours, or as PNG"
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_TRANSFORM = re.compile(r"\s*(matrix|translate|scale|rotate)\s*\(([^)]*)\)[\s,]*")
_NAMED: Mapping[str, str] = {
    "black": "#000000", "white": "#ffffff", "red": "#ff0000", "blue": "#0000ff", "green": "#008000",
    "gray": "#808080", "grey": "#808080", "silver": "#c0c0c0", "maroon": "#800000", "navy": "#000080",
    "crimson": "#dc143c", "darkred": "#8b0000", "firebrick": "#b22222", "darkblue": "#00008b",
}  # fmt: skip
_PAINT = frozenset(
    {"fill", "fill-rule", "stroke", "stroke-width", "stroke-linejoin", "stroke-linecap", "stroke-miterlimit"}
    | {"opacity", "fill-opacity", "stroke-opacity"}
)
_HARMLESS = frozenset({"id", "class", "version", "baseProfile", "name", "lang", "role", "style"})
_GEOMETRY = frozenset(
    {"d", "points", "transform", "x", "y", "width", "height", "r", "rx", "ry", "cx", "cy", "x1", "y1", "x2", "y2"}
)
_ROOT = frozenset({"width", "height", "viewBox", "preserveAspectRatio", "x", "y"})
_JOINS, _CAPS = ("miter", "round", "bevel"), ("butt", "round", "square")

Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class _Paint:
    """What an element inherits (SVG 1.1, 11)."""

    fill: RGB | None = (0.0, 0.0, 0.0)
    even_odd: bool = False
    stroke: RGB | None = None
    width: float = 1.0
    join: int = 0
    cap: int = 0
    miter: float = 4.0


def svg_content(data: bytes, width: float, height: float, mode: ColourMode = ColourMode.ICC) -> bytes:
    """Return the operators that draw an SVG as large as fits into a box. Raises AppearanceError."""
    try:
        root = parse_xml(data)
    except MalformedInput as error:
        raise AppearanceError(f"the SVG cannot be read: {error}", hint=_HINT) from error
    if root.tag != _NAMESPACE + "svg":
        raise AppearanceError("this is no SVG", hint=_HINT)
    left, top, across, down = _view_box(root)
    scale = min(width / across, height / down)
    x, y = (width - scale * across) / 2 - scale * left, (height + scale * down) / 2 + scale * top
    head = f"q {number(scale)} 0 0 {number(-scale)} {number(x)} {number(y)} cm"
    clip = f"{number(left)} {number(top)} {number(across)} {number(down)} re W n"
    drawing = _Drawing(mode)
    try:
        drawing.children(root, _painted(root, _Paint(), root=True), 0)
    except (ValueError, OverflowError) as error:
        raise AppearanceError(f"the SVG has a value that is none: {error}", hint=_HINT) from error
    return ("\n".join([head, clip, *drawing.out, "Q"]) + "\n").encode("ascii")


def number(value: float) -> str:
    """Return a number for a content stream. Raises ValueError where it is none that can be drawn."""
    if not abs(value) < MAX_NUMBER:
        raise ValueError("a number is too large")
    return decimal(value, 5)


def _numbers(text: str, count: int | None = None) -> list[float]:
    found = [float(item) for item in _NUMBER.findall(text)]
    if _NUMBER.sub("", text).replace(",", " ").strip() or (count is not None and len(found) != count):
        raise ValueError(text[:40])
    return found


def _length(element: Element, name: str, default: float | None = 0.0) -> float:
    """Return an attribute that is a length in user units."""
    text = element.get(name)
    if text is None:
        if default is None:
            raise ValueError(f"no {name}")
        return default
    (value,) = _numbers(text.removesuffix("px"), 1)
    return value


def _view_box(root: Element) -> tuple[float, float, float, float]:
    try:
        if (box := root.get("viewBox")) is not None:
            left, top, across, down = _numbers(box, 4)
        else:
            left, top, across, down = 0.0, 0.0, _length(root, "width", None), _length(root, "height", None)
    except ValueError as error:
        raise AppearanceError("the SVG has no viewBox, and no size in user units", hint=_HINT) from error
    if not (0 < across < MAX_NUMBER and 0 < down < MAX_NUMBER) or root.get("preserveAspectRatio") not in (
        None,
        "xMidYMid",
        "xMidYMid meet",
    ):
        raise AppearanceError("the SVG has no usable viewBox", hint=_HINT)
    return left, top, across, down


class _Drawing:
    """One walk through the elements."""

    def __init__(self, mode: ColourMode) -> None:
        self.out: list[str] = []
        self._mode = mode
        self._segments = 0

    def children(self, element: Element, paint: _Paint, depth: int) -> None:
        """Draw what is inside an element, in its order."""
        if depth > MAX_DEPTH:
            raise _refused("is nested too deep")
        for child in element:
            kind = child.tag.removeprefix(_NAMESPACE) if isinstance(child.tag, str) else ""
            if kind in _SILENT:
                continue
            if kind == "defs" and not len(child):
                continue
            here = _painted(child, paint)
            matrices = list(_transforms(child.get("transform", "")))
            for matrix in matrices:
                self.out.append("q " + " ".join(map(number, matrix)) + " cm")
            if kind == "g":
                self.children(child, here, depth + 1)
            else:
                self._shape(kind, child, here)
            self.out += ["Q"] * len(matrices)

    def _shape(self, kind: str, element: Element, paint: _Paint) -> None:
        path = list(_outline(kind, element))
        self._segments += len(path)
        if self._segments > MAX_SEGMENTS:
            raise _refused("has too many points")
        if not path or (paint.fill is None and paint.stroke is None):
            return
        steps = ["q"]
        if paint.fill is not None:
            steps.append(operator(self._mode, paint.fill, stroke=False))
        if paint.stroke is not None:
            steps.append(operator(self._mode, paint.stroke, stroke=True))
            steps.append(f"{number(paint.width)} w {paint.join} j {paint.cap} J {number(paint.miter)} M")
        steps += [" ".join((*map(number, values), verb)) for verb, values in path]
        star = "*" if paint.even_odd else ""
        verbs = {(True, False): "f" + star, (False, True): "S", (True, True): "B" + star}
        steps.append(verbs[paint.fill is not None, paint.stroke is not None])
        self.out.append("\n".join([*steps, "Q"]))


def _outline(kind: str, element: Element) -> Iterator[Segment]:
    match kind:
        case "path":
            return parse_path(element.get("d", ""), MAX_SEGMENTS)
        case "circle":
            radius = _length(element, "r")
            return circle_path(_length(element, "cx"), _length(element, "cy"), radius, radius)
        case "ellipse":
            across, up = _length(element, "rx"), _length(element, "ry")
            return circle_path(_length(element, "cx"), _length(element, "cy"), across, up)
        case "rect":
            if _length(element, "rx") or _length(element, "ry"):
                raise _refused("has a rectangle with round corners")
            size = (_length(element, "width"), _length(element, "height"))
            return rectangle_path(_length(element, "x"), _length(element, "y"), *size)
        case "line":
            points = [_length(element, name) for name in ("x1", "y1", "x2", "y2")]
            return polygon_path(points, closed=False)
        case "polyline" | "polygon":
            return polygon_path(_numbers(element.get("points", "")), closed=kind == "polygon")
    raise _refused(f"has an element {kind[:40]!r}")


def _painted(element: Element, paint: _Paint, *, root: bool = False) -> _Paint:
    """Return the paint of an element. Raises AppearanceError for an attribute that would change it otherwise."""
    given: dict[str, str] = {}
    for name, value in element.attrib.items():
        if name in _PAINT:
            given[name] = value
        elif not name.startswith(("{", "data-", "aria-")) and name not in (_ROOT if root else _GEOMETRY) | _HARMLESS:
            raise _refused(f"has an attribute {name[:40]!r}")
    for part in element.get("style", "").split(";"):  # wins over attributes (SVG 1.1, 6.4)
        name, colon, value = part.partition(":")
        if not part.strip():
            continue
        if not colon or name.strip() not in _PAINT:
            raise _refused(f"has a style {part.strip()[:40]!r}")
        given[name.strip()] = value
    for name, value in given.items():
        paint = _with(paint, name, value.strip())
    return paint


def _with(paint: _Paint, name: str, value: str) -> _Paint:
    if value == "inherit":
        return paint
    match name:
        case "fill":
            return replace(paint, fill=_colour(value))
        case "stroke":
            return replace(paint, stroke=_colour(value))
        case "fill-rule" if value in ("nonzero", "evenodd"):
            return replace(paint, even_odd=value == "evenodd")
        case "stroke-width":
            (width,) = _numbers(value.removesuffix("px"), 1)
            return replace(paint, width=width)
        case "stroke-miterlimit":
            (miter,) = _numbers(value, 1)
            return replace(paint, miter=miter)
        case "stroke-linejoin" if value in _JOINS:
            return replace(paint, join=_JOINS.index(value))
        case "stroke-linecap" if value in _CAPS:
            return replace(paint, cap=_CAPS.index(value))
        case "opacity" | "fill-opacity" | "stroke-opacity" if _numbers(value, 1) == [1.0]:
            return paint
    raise _refused(f"has {name} {value[:40]!r}")


def _colour(value: str) -> RGB | None:
    text = value.lower()
    if text in ("none", "transparent"):
        return None
    text = _NAMED.get(text, text)
    if re.fullmatch(r"#[0-9a-f]{3}", text):
        text = "#" + "".join(2 * digit for digit in text[1:])
    if re.fullmatch(r"#[0-9a-f]{6}", text):
        red, green, blue = (int(text[at : at + 2], 16) / 255 for at in (1, 3, 5))
        return red, green, blue
    if match := re.fullmatch(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)", text):
        red, green, blue = (min(int(part), 255) / 255 for part in match.groups())
        return red, green, blue
    raise _refused(f"has a colour {value[:40]!r}")


def _transforms(text: str) -> Iterator[Matrix]:
    at = 0
    while at < len(text.rstrip()):
        found = _TRANSFORM.match(text, at)
        if found is None:
            raise _refused(f"has a transform {text[at : at + 40]!r}")
        at = found.end()
        yield _matrix(found[1], _numbers(found[2]))


def _matrix(kind: str, given: list[float]) -> Matrix:
    match kind, given:
        case "matrix", [a, b, c, d, e, f]:
            return a, b, c, d, e, f
        case "translate", [x, *rest] if len(rest) < 2:
            return 1, 0, 0, 1, x, rest[0] if rest else 0
        case "scale", [x, *rest] if len(rest) < 2:
            return x, 0, 0, rest[0] if rest else x, 0, 0
        case "rotate", [degrees, *rest] if len(rest) in (0, 2):
            x, y = rest or (0.0, 0.0)
            cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
            return cos, sin, -sin, cos, x - cos * x + sin * y, y - sin * x - cos * y
    raise _refused(f"has a transform {kind!r} of {len(given)} numbers")


def _refused(what: str) -> AppearanceError:
    return AppearanceError(f"the SVG {what}, which is not drawn here", hint=_HINT)
