"""The visible appearance of a signature: who signed, for whom, when, with what certificate, and a picture if given.

    spec = StampSpec(name="张𠮷伟", organisation="杭州远航贸易有限公司", time=signed_at, locale="zh", family="cn")
    drawing = render(spec)
    drawing.content, drawing.fonts, drawing.form()

The text fills the box: it grows to a comfortable size, shrinks to stay readable, wraps, and gives up its least
important lines before it becomes too small to read. What is drawn is for people; what counts is the signature.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from signer.appearance import objects
from signer.appearance.canvas import Canvas, compose
from signer.appearance.colour import RGB, ColourMode
from signer.appearance.fitting import COMFORTABLE, ENDLESS, LEADING, NAMES, TITLE, Plan, Row, fit
from signer.appearance.fonts import FontSet
from signer.appearance.layout import break_lines, measure
from signer.appearance.picture import EmbeddedImage
from signer.appearance.picture import load as load_picture
from signer.appearance.subset import EmbeddedFont
from signer.appearance.text import clean
from signer.appearance.words import moment, period, words
from signer.errors import AppearanceError

DEFAULT_SIZE = (230.0, 92.0)
"""Points: 81 × 32 mm, room for two lines of name and five of detail."""

MAX_SIZE = 14_400.0
"""Points: the largest page side of ISO 32000-1, Annex C."""

INK: RGB = (0.13, 0.14, 0.16)
QUIET: RGB = (0.40, 0.42, 0.45)
ACCENTS: dict[str, RGB] = {"cn": (0.70, 0.11, 0.13), "ru": (0.10, 0.26, 0.56), "": (0.04, 0.36, 0.36)}


@dataclass(frozen=True, kw_only=True)
class StampSpec:
    """What a stamp says. Texts may come from a certificate or a request: they are cleaned before they are drawn."""

    name: str
    """Who signed: a person, or an organisation's seal."""
    organisation: str | None = None
    role: str | None = None
    time: datetime | None = None
    """Claimed time of signing, shown in its own zone."""
    reason: str | None = None
    location: str | None = None
    serial: str | None = None
    """Serial number of the certificate, as it should read."""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    issuer: str | None = None
    algorithm: str | None = None
    """Such as `words.algorithm_label(suite.name)`."""
    lines: tuple[tuple[str, str], ...] = ()
    """Further (label, value) pairs."""
    title: str | None = None
    """Replaces the words for "electronically signed"."""
    locale: str = "en"
    """Language of the labels and of the date: en, zh, ru."""
    family: str = ""
    """"cn", "ru" or "": chooses the accent colour."""
    accent: RGB | None = None
    picture: bytes | None = None
    """PNG or JPEG, drawn on the right or, in a tall box, below."""
    width: float = DEFAULT_SIZE[0]
    height: float = DEFAULT_SIZE[1]


@dataclass(frozen=True)
class Drawing:
    """A drawn box, complete: a form XObject with its resources as plain data."""

    width: float
    height: float
    content: bytes
    """Content stream, not compressed."""
    fonts: tuple[EmbeddedFont, ...]
    images: tuple[tuple[str, EmbeddedImage], ...]
    mode: ColourMode
    alternative: str
    """The same in one sentence, for readers who do not see it (ISO 14289-1, 7.18.1: the field's TU)."""
    cid_set: bool = False

    def form(self) -> objects.Stream:
        """Return the form XObject (ISO 32000-1, 8.10) as plain objects."""
        space = objects.colour_space(self.mode)
        resources: dict[str, Any] = {
            "Font": {font.name: objects.font(font, cid_set=self.cid_set) for font in self.fonts},
        }
        if isinstance(space, list):
            resources["ColorSpace"] = {"CS0": space}
        if self.images:
            resources["XObject"] = {name: objects.image(image, space) for name, image in self.images}
        return objects.Stream(
            self.content,
            {
                "Type": objects.Name("XObject"),
                "Subtype": objects.Name("Form"),
                "FormType": 1,
                "BBox": [0, 0, self.width, self.height],
                "Resources": resources,
            },
        )


def render(
    spec: StampSpec,
    *,
    pdfa_part: int | None = None,
    mode: ColourMode = ColourMode.ICC,
    fonts: FontSet | None = None,
) -> Drawing:
    """Draw a stamp.

    `pdfa_part` is 1 to 4 if the file that is signed claims PDF/A: then no transparency is used, and for part 1 each
    font lists its glyphs. Raises AppearanceError for a name without a visible character, a character that no font
    has, a picture that cannot be read, or a box without a usable size.
    """
    for side in (spec.width, spec.height):
        if not (math.isfinite(side) and 1 <= side <= MAX_SIZE):
            raise AppearanceError(f"a stamp cannot be {spec.width} × {spec.height} points")
    if not clean(spec.name):
        raise AppearanceError("a stamp needs a name", hint="give the name of the person or organisation that signs")
    fonts = fonts or FontSet.default()
    picture = None
    if spec.picture is not None:
        picture = load_picture(spec.picture, grey=mode is ColourMode.GRAY, transparency=pdfa_part is None)
    canvas = Canvas(spec.width, spec.height, mode)
    _draw(canvas, spec, picture, fonts)
    embedded, (content,) = compose([canvas])
    return Drawing(
        width=spec.width,
        height=spec.height,
        content=content,
        fonts=embedded,
        images=(("Im0", picture),) if picture else (),
        mode=mode,
        alternative=alternative(spec),
        cid_set=pdfa_part == 1,
    )


def alternative(spec: StampSpec) -> str:
    """Return what the stamp says in one sentence."""
    who = ", ".join(text for text in (clean(spec.name, 200), clean(spec.organisation or "", 200)) if text)
    when = moment(spec.time, spec.locale) if spec.time else ""
    return words(spec.locale)["spoken"].format(who=who, when=when).rstrip("，, ")


def _rows(spec: StampSpec, fonts: FontSet, accent: RGB) -> list[Row]:
    """Return the entries in their order on the page."""
    say = words(spec.locale)
    rows: list[Row] = []

    def add(label: str | None, value: str | None, size: float, worth: int, colour: RGB = INK) -> None:
        text = clean(value or "")
        if not text:
            return
        label = clean(label or "", 60)
        bold = not label and worth >= NAMES
        shown_label = measure(label, fonts) if label else None
        # A little air between the blocks: heading, names, details.
        gap = 0.0
        if rows and bool(rows[-1].label) != bool(label):
            gap = 0.42
        elif rows and len(rows) == 1:
            gap = 0.25
        value_measured = measure(text, fonts, bold=bold)
        rows.append(Row(value_measured, shown_label, size, worth, colour, gap, endless=len(text) > ENDLESS))

    add(None, spec.title or say["title"], 0.92, TITLE, accent)
    add(None, spec.name, 1.75, 10)
    add(None, spec.organisation, 1.18, NAMES)
    add(None, spec.role, 1.0, 6, QUIET)
    add(say["time"], moment(spec.time, spec.locale) if spec.time else None, 1, 8)
    add(say["reason"], spec.reason, 1, 4)
    add(say["location"], spec.location, 1, 2)
    for label, value in spec.lines[:12]:
        add(label, value, 1, 1)
    add(say["algorithm"], spec.algorithm, 1, 5)
    add(say["serial"], spec.serial, 1, 6)
    add(say["issuer"], spec.issuer, 1, 3)
    if spec.valid_from and spec.valid_to:
        add(say["validity"], period(spec.valid_from, spec.valid_to, spec.locale), 1, 3)
    return rows


def _draw(canvas: Canvas, spec: StampSpec, picture: EmbeddedImage | None, fonts: FontSet) -> None:
    accent = spec.accent or ACCENTS.get(spec.family, ACCENTS[""])
    width, height = spec.width, spec.height
    short = min(width, height)
    weight = 0.75 if short > 20 else 0.4
    radius = min(3.0, short / 8)
    bar = min(3.2, short / 12)
    canvas.bar(weight / 2, weight / 2, bar, height - weight, accent, radius)
    canvas.frame(weight / 2, weight / 2, width - weight, height - weight, accent, weight=weight, radius=radius)

    pad = max(1.0, min(7.0, short * 0.07))
    left, bottom = bar + pad + 1.0, pad
    room_x, room_y = width - left - pad, height - 2 * pad
    if room_x < 3 or room_y < 3:
        return
    rows = _rows(spec, fonts, accent)
    if picture is None:
        _write(canvas, fit(rows, room_x, room_y), left, bottom, room_y, fonts)
        return
    # The picture gives way, in steps, to text that would be small beside it.
    for share in (0.37, 0.32, 0.27):
        if width >= height * 1.15:
            side = min(room_y, room_x * share, room_y * picture.ratio)
            plan = fit(rows, room_x - side - pad, room_y)
        else:
            side = min(room_x, room_y * share)
            plan = fit(rows, room_x, room_y - side - pad)
        if plan.size >= COMFORTABLE:
            break
    if width >= height * 1.15:
        _place(canvas, picture, left + room_x - side, bottom, side, room_y)
        _write(canvas, plan, left, bottom, room_y, fonts)
    else:
        _place(canvas, picture, left, bottom, room_x, side)
        _write(canvas, plan, left, bottom + side + pad, room_y - side - pad, fonts)


def _place(canvas: Canvas, picture: EmbeddedImage, x: float, y: float, width: float, height: float) -> None:
    """Draw the picture as large as fits, in the middle of a box."""
    shown_width = min(width, height * picture.ratio)
    shown_height = shown_width / picture.ratio
    canvas.image("Im0", x + (width - shown_width) / 2, y + (height - shown_height) / 2, shown_width, shown_height)


def _write(canvas: Canvas, plan: Plan, left: float, bottom: float, height: float, fonts: FontSet) -> None:
    """Write the rows from the top, in the middle of the height that is left."""
    y = bottom + height - max(0.0, (height - plan.height) / 2)
    for index, (row, lines) in enumerate(plan.rows):
        size = plan.size * row.size
        y -= row.gap * plan.size if index else 0.0
        x = left
        if row.label is not None:
            label = break_lines(row.label, plan.label_width * 1000 / size, 1)
            # The baseline stands 0.95 of a size below the top of its line: the middle between hanzi and letters.
            canvas.text(x, y - size * 0.95, size, fonts.shape(label[0]), QUIET)
            x += plan.label_width
        for line in lines:
            canvas.text(
                x, y - size * 0.95, size, fonts.shape(line, bold=row.value.bold), row.colour, bold=row.value.bold
            )
            y -= size * LEADING
