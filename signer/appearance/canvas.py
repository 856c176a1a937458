"""A page or box to draw on: text, lines, rectangles, pictures; then one content stream and the font subsets it needs.

    canvas = Canvas(200, 80)
    canvas.text(10, 40, 12, FontSet.default().shape("张𠮷伟"), INK)
    fonts, (content,) = compose([canvas])

Coordinates are points from the lower left corner. Text is kept until the end, because glyph numbers in the file are
known only once every text is (`compose` takes all pages of a document, which then share their fonts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from signer.appearance.colour import RGB, ColourMode, operator
from signer.appearance.fonts import Face, Glyph, Line
from signer.appearance.numbers import decimal
from signer.appearance.subset import EmbeddedFont, embed

_KAPPA = 0.5523  # a quarter circle as one Bézier curve


def number(value: float) -> str:
    """Write a number for a content stream: two decimals, no exponent (ISO 32000-1, 7.3.3)."""
    return decimal(value, 2)


@dataclass(frozen=True)
class _Text:
    x: float
    y: float
    size: float
    line: Line
    colour: RGB
    bold: bool


@dataclass
class Canvas:
    """What is drawn in one box of `width` × `height` points."""

    width: float
    height: float
    mode: ColourMode = ColourMode.ICC
    _steps: list[str | _Text] = field(default_factory=list)

    def text(self, x: float, y: float, size: float, line: Line, colour: RGB, *, bold: bool = False) -> None:
        """Draw a shaped line with its baseline at `y`."""
        self._steps.append(_Text(x, y, size, line, colour, bold))

    def rule(self, x0: float, y0: float, x1: float, y1: float, colour: RGB, weight: float = 0.5) -> None:
        """Draw a straight line."""
        path = f"{number(x0)} {number(y0)} m {number(x1)} {number(y1)} l S"
        self._steps.append(f"q {operator(self.mode, colour, stroke=True)} {number(weight)} w {path} Q")

    def fill(self, x: float, y: float, width: float, height: float, colour: RGB) -> None:
        """Fill a rectangle."""
        path = " ".join(map(number, (x, y, width, height)))
        self._steps.append(f"q {operator(self.mode, colour, stroke=False)} {path} re f Q")

    def frame(
        self, x: float, y: float, width: float, height: float, colour: RGB, *, weight: float = 0.7, radius: float = 0
    ) -> None:
        """Draw the outline of a rectangle with rounded corners."""
        path = rounded(x, y, width, height, radius)
        self._steps.append(f"q {operator(self.mode, colour, stroke=True)} {number(weight)} w {path} S Q")

    def bar(self, x: float, y: float, width: float, height: float, colour: RGB, radius: float) -> None:
        """Fill the left edge, `width` wide, of a rounded rectangle that begins at `x`."""
        clip = rounded(x, y, 4 * radius + 2 * width, height, radius)
        box = " ".join(map(number, (x, y, width, height)))
        self._steps.append(f"q {clip} W n {operator(self.mode, colour, stroke=False)} {box} re f Q")

    def image(self, name: str, x: float, y: float, width: float, height: float) -> None:
        """Draw the image XObject called `name` in the resources."""
        self._steps.append(f"q {number(width)} 0 0 {number(height)} {number(x)} {number(y)} cm /{name} Do Q")

    def mark(self, operators: str) -> None:
        """Write marked-content operators between drawing steps."""
        self._steps.append(operators)

    @property
    def texts(self) -> list[Line]:
        """Every line drawn so far."""
        return [step.line for step in self._steps if isinstance(step, _Text)]

    def _content(self, fonts: dict[Face, tuple[EmbeddedFont, dict[int, int]]]) -> bytes:
        parts = [step if isinstance(step, str) else _show(step, fonts, self.mode) for step in self._steps]
        return ("\n".join(parts) + "\n").encode("ascii")


def rounded(x: float, y: float, width: float, height: float, radius: float) -> str:
    """Return the path of a rectangle with rounded corners."""
    radius = max(0.0, min(radius, width / 2, height / 2))
    if radius == 0:
        return " ".join(map(number, (x, y, width, height))) + " re"
    right, top, k = x + width, y + height, radius * (1 - _KAPPA)
    points: list[tuple[str, tuple[float, ...]]] = [
        ("m", (x + radius, y)),
        ("l", (right - radius, y)),
        ("c", (right - k, y, right, y + k, right, y + radius)),
        ("l", (right, top - radius)),
        ("c", (right, top - k, right - k, top, right - radius, top)),
        ("l", (x + radius, top)),
        ("c", (x + k, top, x, top - k, x, top - radius)),
        ("l", (x, y + radius)),
        ("c", (x, y + k, x + k, y, x + radius, y)),
    ]
    return " ".join(f"{' '.join(map(number, values))} {verb}" for verb, values in points) + " h"


def compose(canvases: Sequence[Canvas]) -> tuple[tuple[EmbeddedFont, ...], list[bytes]]:
    """Embed the fonts of all canvases and return them with one content stream for each."""
    used: dict[Face, list[Glyph]] = {}
    for canvas in canvases:
        for line in canvas.texts:
            for glyph in line.glyphs:
                used.setdefault(glyph.face, []).append(glyph)
    fonts = {face: embed(f"F{index}", face, glyphs) for index, (face, glyphs) in enumerate(used.items())}
    return tuple(font for font, _ in fonts.values()), [canvas._content(fonts) for canvas in canvases]  # noqa: SLF001


def _show(step: _Text, fonts: dict[Face, tuple[EmbeddedFont, dict[int, int]]], mode: ColourMode) -> str:
    """Write one line of text: a text object with one Tm and TJ for each stretch of one face (ISO 32000-1, 9.4)."""
    parts = ["q BT", operator(mode, step.colour, stroke=False)]
    x = step.x
    glyphs = step.line.glyphs
    start = 0
    stroked = 0.0
    for end in range(1, len(glyphs) + 1):
        if end < len(glyphs) and glyphs[end].face is glyphs[start].face:
            continue
        run = glyphs[start:end]
        font, numbers = fonts[run[0].face]
        stroke = run[0].face.strokes[step.bold] * step.size
        if stroke != stroked:
            colour = operator(mode, step.colour, stroke=True)
            parts.append(f"2 Tr {colour} {stroke:.3f} w" if stroke else "0 Tr")
            stroked = stroke
        parts.append(f"/{font.name} {number(step.size)} Tf 1 0 0 1 {number(x)} {number(step.y)} Tm")
        parts.append(_glyphs(run, font, numbers, step.size))
        x += sum(glyph.advance for glyph in run) * step.size / 1000
        start = end
    parts.append("ET Q")
    return "\n".join(parts)


def _glyphs(run: Sequence[Glyph], font: EmbeddedFont, numbers: dict[int, int], size: float) -> str:
    """Show the glyphs of one face, cluster by cluster, with ActualText where ToUnicode would say something else."""
    parts: list[str] = []
    items: list[str] = []
    codes = ""

    def flush() -> None:
        nonlocal codes
        if codes:
            items.append(f"<{codes}>")
            codes = ""
        if items:
            parts.append(f"[{' '.join(items)}] TJ")
            items.clear()

    def move(thousandths: float) -> None:
        """Shift the pen to the right; TJ numbers move it to the left."""
        nonlocal codes
        if abs(thousandths) < 0.5:
            return
        if codes:
            items.append(f"<{codes}>")
            codes = ""
        items.append(number(-thousandths))

    index = 0
    while index < len(run):
        end = index + 1
        while end < len(run) and not run[end].text:
            end += 1
        cluster = run[index:end]
        meant = run[index].text
        spelled = "".join(font.texts[numbers[glyph.gid]] for glyph in cluster)
        if meant != spelled:
            flush()
            parts.append(f"/Span <</ActualText <FEFF{meant.encode('utf-16-be').hex().upper()}>>> BDC")
        for glyph in cluster:
            cid = numbers[glyph.gid]
            if glyph.dy:
                flush()
                parts.append(f"{number(glyph.dy * size / 1000)} Ts")
            move(glyph.dx)
            codes += f"{cid:04X}"
            move(glyph.advance - font.widths[cid] - glyph.dx)
            if glyph.dy:
                flush()
                parts.append("0 Ts")
        if meant != spelled:
            flush()
            parts.append("EMC")
        index = end
    flush()
    return "\n".join(parts)
