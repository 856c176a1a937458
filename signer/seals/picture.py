"""The picture in a seal: of unknown origin, looked at before anybody decodes or shows it.

    picture = check_picture(seal.picture.data, stated=seal.picture.type)
    picture.kind, picture.width_px, picture.mismatch        # "png", 400, False

The kind is what the octets are, whatever the seal says. A raster picture is small in octets and pixels, has one frame,
and decodes whole. An SVG is drawing only: no DOCTYPE (so no entities), no scripts, no events, nothing from outside, no
HTML inside, no animation, and few enough elements that drawing it takes no time. Every fault is AppearanceError.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from xml.etree.ElementTree import Element

from certs.errors import MalformedInput
from certs.trust.xml import parse_xml
from signer.errors import AppearanceError

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

Kind = Literal["png", "jpeg", "gif", "bmp", "svg"]

MAX_BYTES = 5_000_000
"""Octets of a picture; a scanned seal at 600 dpi has under a million."""
MAX_PIXELS = 25_000_000
"""Width times height, told by the header before anything is decoded."""
MAX_RATIO = 50
"""How many times longer one side may be than the other."""
MAX_SCANS = 64
"""Passes of a progressive JPEG, each of which costs as much as a whole picture; usual are ten."""
MAX_DEPTH = 128
"""Nesting of elements of an SVG, through what `use` names."""
MAX_ELEMENTS = 20_000
"""Elements of an SVG as they are drawn, those that `use` repeats included; a drawn round seal has some dozens."""

_HINT = "give a PNG, JPEG or SVG file of at most 5 MB and 25 megapixels"
_NAMES: dict[str, Kind] = {
    "PNG": "png",
    "JPG": "jpeg",
    "JPEG": "jpeg",
    "JPE": "jpeg",
    "GIF": "gif",
    "BMP": "bmp",
    "SVG": "svg",
    "SVG+XML": "svg",
}
"""What seals write as the type, in capitals and without "image/" or a dot before it."""
_STARTS: tuple[tuple[bytes, Kind], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
)


@dataclass(frozen=True)
class CheckedPicture:
    """A picture that may be shown."""

    kind: Kind
    """What the octets are."""
    width_px: int | None
    """Pixels; None for an SVG, which has none."""
    height_px: int | None
    stated: str | None
    """The type as the seal writes it."""
    dpi: float | None = None
    """Pixels per inch, where a raster picture says that."""
    attributes: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Of the first element of an SVG: they say how large it is."""

    @property
    def type_name(self) -> str:
        """The type that a seal gives such a picture, in the words of the standards' examples."""
        return "JPG" if self.kind == "jpeg" else self.kind.upper()

    @property
    def mismatch(self) -> bool:
        """Whether the seal calls the picture something else than it is."""
        return self.stated is not None and kind_named(self.stated) != self.kind


def kind_named(stated: str) -> Kind | None:
    """Return the kind that a seal's type names, or None: "PNG", ".jpg", "image/svg+xml"."""
    return _NAMES.get(stated.strip().lstrip(".").upper().removeprefix("IMAGE/"))


def check_picture(data: bytes, *, stated: str | None = None) -> CheckedPicture:
    """Find out what a picture is and that it is harmless; `stated` is the type that the seal gives.

    A type that does not fit is told by `mismatch`, not refused. Raises AppearanceError.
    """
    if len(data) > MAX_BYTES:
        raise AppearanceError(f"the picture has {len(data)} bytes, more than {MAX_BYTES}", hint=_HINT)
    kind = raster_kind(data)
    if kind is not None:
        width, height, dpi = _raster(data, kind)
        return CheckedPicture(kind, width, height, stated, dpi)
    if is_markup(data):
        return CheckedPicture("svg", None, None, stated, attributes=dict(_checked_svg(data).attrib))
    raise AppearanceError("the picture is of no kind that seals have", hint=_HINT)


def raster_kind(data: bytes) -> Kind | None:
    """Return the kind of a raster picture by its first octets."""
    return next((kind for start, kind in _STARTS if data.startswith(start)), None)


def is_markup(data: bytes) -> bool:
    """Tell whether a picture begins as an SVG does."""
    return data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


# Raster --------------------------------------------------------------------------------------------------------------
def _raster(data: bytes, kind: Kind) -> tuple[int, int, float | None]:
    """Decode a picture, its size first; return its width and height, and the pixels per inch that it says."""
    if kind == "jpeg" and data.count(b"\xff\xda") > MAX_SCANS:
        raise AppearanceError("the picture is a JPEG of too many passes", hint=_HINT)
    try:
        with open_raster(data, kind) as picture:
            width, height = picture.size
            if not 0 < width * height <= MAX_PIXELS or max(width, height) > MAX_RATIO * min(width, height):
                raise AppearanceError(f"the picture has {width} × {height} pixels", hint=_HINT)
            if getattr(picture, "is_animated", False):
                raise AppearanceError("the picture moves", hint="give a picture of one frame")
            picture.load()
            dpi = _dpi(picture.info)
    except AppearanceError:
        raise
    except Exception as error:  # decoders fail in any way, down to SyntaxError and struct.error
        raise AppearanceError("the picture is damaged", hint=_HINT) from error
    return width, height, dpi


def _dpi(info: Mapping[Any, Any]) -> float | None:
    """Return what a header says of pixels per inch; nonsense there makes no picture a bad one."""
    try:
        return float(info["dpi"][0])
    except (LookupError, TypeError, ValueError, ArithmeticError):
        return None


def open_raster(data: bytes, kind: Kind) -> ImageFile:
    """Open a picture with Pillow's reader of its kind; Image.open would try every format it knows.

    Nothing is decoded yet. Raises whatever the reader does.
    """
    from PIL import BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin

    readers: dict[str, Callable[[io.BytesIO], ImageFile]] = {
        "png": PngImagePlugin.PngImageFile,
        "jpeg": JpegImagePlugin.JpegImageFile,
        "gif": GifImagePlugin.GifImageFile,
        "bmp": BmpImagePlugin.BmpImageFile,
    }
    return readers[kind](io.BytesIO(data))


# SVG -----------------------------------------------------------------------------------------------------------------
_SVG = "{http://www.w3.org/2000/svg}"
_GRADIENTS = (_SVG + "linearGradient", _SVG + "radialGradient")
_HREFS = ("href", "{http://www.w3.org/1999/xlink}href")
_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_ELEMENTS = frozenset(
    (
        *("svg", "g", "defs", "symbol", "use", "title", "desc", "metadata", "style"),
        *("path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "textPath"),
        *("linearGradient", "radialGradient", "stop", "clipPath", "mask"),
    )
)
"""Elements that draw once. Scripts, foreignObject, links, images, animations, filters, patterns and markers do more."""
_FUNCTIONS = frozenset(
    ("url", "rgb", "rgba", "hsl", "hsla", "matrix", "translate", "scale", "rotate", "skewx", "skewy")
)
"""What may stand before a parenthesis in a style or an attribute."""
_WORDS = ("id", "class", "name", "lang")
"""Attributes that are read by nobody as a style; so are aria-… and data-…"""
_CALL = re.compile(r"([\w-]+)\s*\(", re.ASCII)
_URL = re.compile(r"url\s*\(\s*['\"]?\s*([^)]*)", re.IGNORECASE)
_LOCAL = re.compile(r"#[\w.-]+")
_DECLARATION = re.compile(rb"\s*<\?xml\s[^>]*\?>")
_ENCODING = re.compile(rb"encoding\s*=\s*['\"](?!utf-8['\"])", re.IGNORECASE)


def _checked_svg(data: bytes) -> Element:
    """Return the first element of an SVG that only draws. Raises AppearanceError for another."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    declaration = _DECLARATION.match(data)
    if declaration is not None and _ENCODING.search(declaration.group()):
        raise _refused("is not in UTF-8")
    if b"<?" in data[declaration.end() if declaration else 0 :]:
        raise _refused("has a processing instruction")  # <?xml-stylesheet href="…"?>
    try:
        root = parse_xml(data)
    except MalformedInput as error:
        raise _refused(f"cannot be read: {error}") from error
    if root.tag != _SVG + "svg":
        raise _refused("is none: its first element is another")
    named: dict[str, Element] = {}
    for element in root.iter():
        _check_element(element)
        if (name := element.get("id")) is not None:
            named.setdefault(name, element)
    if _Weigher(named).weight(root) > MAX_ELEMENTS:
        raise _refused(f"draws more than {MAX_ELEMENTS} elements")
    return root


def _refused(what: str) -> AppearanceError:
    return AppearanceError(f"the SVG {what}", hint="save it as plain SVG: shapes, paths and text, nothing from outside")


def _check_element(element: Element) -> None:
    if not element.tag.startswith(_SVG) or element.tag.removeprefix(_SVG) not in _ELEMENTS:
        raise _refused(f"has an element {element.tag.rpartition('}')[2][:40]!r}")
    if element.tag == _SVG + "style":
        _check_style("".join(element.itertext()), rules=True)
    for name, value in element.attrib.items():
        if name in _HREFS:
            if element.tag not in (_SVG + "use", _SVG + "textPath", *_GRADIENTS) or not _LOCAL.fullmatch(value.strip()):
                raise _refused("refers to something outside of it")
        elif name == _BASE or name.lower().startswith("on"):
            raise _refused(f"has an attribute {name.rpartition('}')[2][:40]!r}")
        elif not name.startswith(("{", "aria-", "data-")) and name not in _WORDS:
            _check_style(value)


def _check_style(text: str, *, rules: bool = False) -> None:
    """Raise AppearanceError where a style or an attribute reaches outside: @import, url(…) of others, escapes.

    In `rules` for many elements no url at all may stand: how often it is drawn could not be counted.
    """
    if "@" in text or "\\" in text or (rules and "url" in text.lower()):
        raise _refused("has a style that may load something")
    for call in _CALL.finditer(text):
        if call.group(1).lower() not in _FUNCTIONS:
            raise _refused(f"has a style with {call.group(1)[:40]}()")
    for inside in _URL.findall(text):
        if not _LOCAL.fullmatch(inside.strip().rstrip("'\"").strip()):
            raise _refused("refers to something outside of it")


class _Weigher:
    """Counts elements as often as they are drawn: what `use`, clip paths and masks name counts each time."""

    def __init__(self, named: dict[str, Element]) -> None:
        self._named = named
        self._known: dict[int, int] = {}
        self._open: set[int] = set()

    def weight(self, element: Element) -> int:
        """Return the count of an element. Raises AppearanceError where it draws itself."""
        key = id(element)
        if key in self._known:
            return self._known[key]
        if key in self._open or len(self._open) > MAX_DEPTH:
            raise _refused("draws a part of itself, or is nested too deep")
        self._open.add(key)
        total = 1 + sum(self.weight(child) for child in element)
        for name in _named_by(element):
            target = self._named.get(name)
            total += self.weight(target) if target is not None else 0
        self._open.discard(key)
        self._known[key] = total
        return total


def _named_by(element: Element) -> list[str]:
    """Return the ids that an element draws besides its own members."""
    names = [element.attrib[name].strip()[1:] for name in _HREFS if name in element.attrib]
    for name, value in element.attrib.items():
        if name not in _HREFS:
            names += [inside.strip().strip("'\"").removeprefix("#") for inside in _URL.findall(value)]
    return names
