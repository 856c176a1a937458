"""A drawn seal: one list of outlines, written as SVG, as a PDF form XObject, as a PDF page, or as PNG.

    drawn = draw(spec)
    drawn.svg()                          # text: <path> elements and nothing else
    form_xobject(writer, drawn.appearance())
    drawn.png(600)                       # transparent, with its physical size

There is no text in any of them: a reader needs no font, and nobody can make it show other letters.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from signer.appearance.colour import RGB, ColourMode, operator
from signer.appearance.numbers import decimal
from signer.appearance.stamp import Drawing
from signer.errors import AppearanceError
from signer.seals.drawing.paths import Path
from signer.seals.drawing.setting import Shape
from signer.seals.drawing.spec import SealDrawing

POINTS = 72 / 25.4
"""Points in a millimetre."""

MIN_DPI = 36

_OPERATORS = {"M": "m", "L": "l", "Q": "c", "C": "c", "Z": "h"}


@dataclass(frozen=True)
class DrawnSeal:
    """A seal as outlines. Millimetres, origin in the lower left corner, y upwards; all of one ink, nonzero rule."""

    spec: SealDrawing
    shapes: tuple[Shape, ...]

    @property
    def width(self) -> float:
        """Millimetres."""
        return self.spec.size[0]

    @property
    def height(self) -> float:
        """Millimetres."""
        return self.spec.size[1]

    @property
    def colour(self) -> RGB:
        """The one ink."""
        return self.spec.ink

    @property
    def alternative(self) -> str:
        """What the seal says, for readers who do not see it."""
        spec = self.spec
        return ", ".join(text for text in (spec.name, spec.title, spec.code, *spec.lines) if text)

    def svg(self) -> str:
        """Return the seal as SVG 1.1: an `svg` element with `path` elements, sized in mm."""
        wide, high = _short(self.width), _short(self.height)
        red, green, blue = (round(part * 255) for part in self.colour)
        ink = f"#{red:02x}{green:02x}{blue:02x}"
        size = f'width="{wide}mm" height="{high}mm" viewBox="0 0 {wide} {high}"'
        lines = [f'<svg xmlns="http://www.w3.org/2000/svg" version="1.1" {size}>']
        for weight, path in self._groups():
            stroke = f' stroke="{ink}" stroke-width="{_short(weight)}" stroke-linejoin="round"' if weight else ""
            lines.append(f'<path fill="{ink}"{stroke} d="{self._svg_path(path)}"/>')
        return "\n".join([*lines, "</svg>"]) + "\n"

    def appearance(self, mode: ColourMode = ColourMode.ICC) -> Drawing:
        """Return the seal as the appearance of a signature, in points. It has no font and no transparency."""
        return Drawing(
            width=round(self.width * POINTS, 3),
            height=round(self.height * POINTS, 3),
            content=self._content(mode),
            fonts=(),
            images=(),
            mode=mode,
            alternative=self.alternative,
        )

    def pdf(self) -> bytes:
        """Return a PDF file of one page as large as the seal; the same bytes every time."""
        import pikepdf

        document = pikepdf.new()
        document.add_blank_page(page_size=(self.width * POINTS, self.height * POINTS))
        document.pages[0].obj.Contents = document.make_stream(self._content(ColourMode.RGB))
        out = io.BytesIO()
        document.save(out, deterministic_id=True)
        return out.getvalue()

    def png(self, dpi: int = 600) -> bytes:
        """Return the seal as PNG on a transparent ground; a side has its millimetres × dpi / 25.4 pixels, rounded up.

        Raises AppearanceError for a resolution out of bounds; RenderingFailed where it cannot be drawn in time.
        """
        from signer.rendering import MAX_DPI, render

        if not MIN_DPI <= dpi <= MAX_DPI:
            raise AppearanceError(f"a seal is not drawn at {dpi} dpi", hint=f"give {MIN_DPI} to {MAX_DPI} dpi")
        return render(self.pdf(), 1, dpi, transparent=True)

    def _groups(self) -> Iterator[tuple[float, Path]]:
        """Join neighbours with the same outline into one path."""
        for weight, shapes in groupby(self.shapes, key=lambda shape: shape.weight):
            yield weight, tuple(step for shape in shapes for step in shape.path)

    def _svg_path(self, path: Path) -> str:
        parts = []
        for verb, values in path:
            flipped = (self.height - value if index % 2 else value for index, value in enumerate(values))
            parts.append(verb + " ".join(map(_short, flipped)))
        return "".join(parts)

    def _content(self, mode: ColourMode) -> bytes:
        """Write the content stream: the outlines in mm under one matrix (ISO 32000-1, 8.5)."""
        scale = f"{POINTS:.6f}"
        lines = [f"q {scale} 0 0 {scale} 0 0 cm 1 j", operator(mode, self.colour, stroke=False)]
        if any(shape.weight for shape in self.shapes):
            lines.append(operator(mode, self.colour, stroke=True))
        for weight, path in self._groups():
            lines.append(_pdf_path(path) + (f"\n{_short(weight)} w B" if weight else "\nf"))
        return ("\n".join([*lines, "Q"]) + "\n").encode("ascii")


def _short(value: float) -> str:
    """Write millimetres to the micrometre, a fortieth of a pixel at 600 dpi."""
    return decimal(value, 3)


def _pdf_path(path: Path) -> str:
    """Write path operators; a quadratic curve as the cubic one that is the same (ISO 32000-1, 8.5.2 has only those)."""
    parts: list[str] = []
    x = y = 0.0
    for verb, values in path:
        points = values
        if verb == "Q":
            cx, cy, ex, ey = values
            first = (x + (cx - x) * 2 / 3, y + (cy - y) * 2 / 3)
            points = (*first, ex + (cx - ex) * 2 / 3, ey + (cy - ey) * 2 / 3, ex, ey)
        parts.append(" ".join((*map(_short, points), _OPERATORS[verb])))
        if values:
            x, y = values[-2:]
    return "\n".join(parts)
