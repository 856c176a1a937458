"""The pages of the sample contract: title, parties, clauses in three columns, price table, signature areas."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from signer.appearance import contract_text as say
from signer.appearance.canvas import Canvas
from signer.appearance.colour import RGB
from signer.appearance.contract_spec import ContractSpec, SignatureArea
from signer.appearance.contract_text import Trilingual
from signer.appearance.fonts import FontSet, Line
from signer.appearance.layout import break_lines, measure
from signer.appearance.text import clean
from signer.appearance.words import day

A4 = (595.28, 841.89)
LEFT, RIGHT, TOP, BOTTOM = 48.0, 547.28, 788.0, 52.0

INK: RGB = (0.12, 0.13, 0.15)
QUIET: RGB = (0.40, 0.42, 0.45)
LINE: RGB = (0.78, 0.80, 0.82)
HEAD: RGB = (0.07, 0.22, 0.36)
TINT: RGB = (0.945, 0.957, 0.969)

TEXT = 8.0  # points
LEADING = 1.42

# Shares of the width: Russian needs the most room, Chinese the least.
COLUMNS = (0.265, 0.385, 0.35)
GAP = 12.0

STAMP = (262.0, 112.0)  # width and height of a signature area


def money(value: Decimal) -> str:
    """Write an amount with two decimals and narrow groups of three."""
    return f"{value:,.2f}".replace(",", " ")


class Pages:
    """The pages, filled from the top; `y` is where the next thing begins."""

    def __init__(self, fonts: FontSet, spec: ContractSpec) -> None:
        self.fonts = fonts
        self.spec = spec
        self.canvases: list[Canvas] = []
        self.y = 0.0
        self.new_page()

    @property
    def canvas(self) -> Canvas:
        """The page that is being filled."""
        return self.canvases[-1]

    def new_page(self) -> None:
        """Begin a page, with a running head on all but the first."""
        self.canvases.append(Canvas(*A4))
        self.y = TOP
        if len(self.canvases) > 1:
            number = clean(self.spec.number, 60)
            self.put(LEFT, 806, 6.8, f"{say.TITLE.zh} · {say.TITLE.en}", QUIET)
            self.put(RIGHT, 806, 6.8, f"{say.NUMBER.en} {number}", QUIET, align=1.0)
            self.canvas.rule(LEFT, 800, RIGHT, 800, LINE, 0.5)
            self.y = TOP - 6

    def room(self, height: float) -> None:
        """Begin a new page unless `height` points are left on this one."""
        if self.y - height < BOTTOM + 18:
            self.new_page()

    def put(
        self, x: float, y: float, size: float, text: str, colour: RGB = INK, *, bold: bool = False, align: float = 0.0
    ) -> float:
        """Draw one line and return its width; `x` is its left edge, middle or right edge for `align` 0, 0.5 or 1."""
        line: Line = self.fonts.shape(text, bold=bold)
        width = line.width * size / 1000
        self.canvas.text(x - align * width, y, size, line, colour, bold=bold)
        return width

    def lines(self, text: str, size: float, width: float, *, bold: bool = False, most: int | None = None) -> list[str]:
        """Break a text to a width in points."""
        return break_lines(measure(clean(text, 2000), self.fonts, bold=bold), width * 1000 / size, most)

    def paragraph(
        self, x: float, top: float, size: float, lines: Sequence[str], colour: RGB = INK, *, bold: bool = False
    ) -> float:
        """Draw lines below `top` and return their height."""
        for index, line in enumerate(lines):
            self.put(x, top - size * (1.05 + index * LEADING), size, line, colour, bold=bold)
        return len(lines) * size * LEADING

    def opening(self) -> None:
        """Draw the title in three languages, and number, date and place."""
        self.canvas.fill(0, A4[1] - 9, A4[0], 9, HEAD)
        middle = (LEFT + RIGHT) / 2
        self.put(middle, 781, 19, say.TITLE.zh, HEAD, bold=True, align=0.5)
        self.put(middle, 760, 11.5, say.TITLE.ru, HEAD, bold=True, align=0.5)
        self.put(middle, 744, 11.5, say.TITLE.en, HEAD, bold=True, align=0.5)
        self.canvas.rule(LEFT, 732, RIGHT, 732, HEAD, 1.1)
        spec, third = self.spec, (RIGHT - LEFT) / 3
        days = " · ".join((day(spec.date, "zh"), day(spec.date, "ru"), day(spec.date, "en")))
        shares = (0.0, 0.26, 0.76)
        widths = (0.24, 0.48, 0.24)
        entries = ((say.NUMBER, spec.number), (say.DATE, days), (say.PLACE, spec.place))
        for share, width, (label, value) in zip(shares, widths, entries, strict=True):
            x = LEFT + share * 3 * third
            self.put(x, 720, 6.4, " / ".join(label), QUIET)
            for line in self.lines(value, 8.4, width * 3 * third, bold=True, most=1):
                self.put(x, 708, 8.4, line, bold=True)
        self.canvas.rule(LEFT, 699, RIGHT, 699, LINE, 0.5)
        self.y = 690

    def heading(self, number: str, title: Trilingual) -> None:
        """Draw a clause heading in the three columns."""
        for (x, _width), text in zip(self.columns(), title, strict=True):
            self.put(x, self.y - 9, 8, f"{number}{text}", HEAD, bold=True)

    def columns(self) -> list[tuple[float, float]]:
        """Return left edge and width of the three columns."""
        usable = RIGHT - LEFT - 2 * GAP
        edges: list[tuple[float, float]] = []
        x = LEFT
        for share in COLUMNS:
            edges.append((x, share * usable))
            x += share * usable + GAP
        return edges

    def parties(self) -> None:
        """Draw a card for each party: role in three languages, name, identifiers, address, signatory."""
        for role, party in zip(say.ROLES, self.spec.parties, strict=True):
            width = RIGHT - LEFT - 104
            name = self.lines(party.organisation, 10, width, bold=True, most=3)
            facts = [f"{label} {value}" for label, value in party.identifiers[:6]]
            if party.latin_name:
                facts.insert(0, party.latin_name)
            small = self.lines("   ·   ".join(facts), TEXT, width, most=4)
            small += self.lines(f"{' / '.join(say.ADDRESS)}: {party.address}, {party.country}", TEXT, width, most=3)
            who = f"{' / '.join(say.REPRESENTED)}: {party.signatory}, {party.title}"
            small += self.lines(who, TEXT, width, most=3)
            height = max(len(name) * 10 * LEADING + len(small) * TEXT * LEADING, 38) + 13
            self.room(height)
            top = self.y
            self.canvas.fill(LEFT, top - height, RIGHT - LEFT, height - 4, TINT)
            self.canvas.fill(LEFT, top - height, 2.4, height - 4, HEAD)
            self.put(LEFT + 11, top - 16, 10, role.zh, HEAD, bold=True)
            self.put(LEFT + 11, top - 29, 7.4, role.ru, QUIET)
            self.put(LEFT + 11, top - 39.5, 7.4, role.en, QUIET)
            used = self.paragraph(LEFT + 96, top - 5, 10, name, bold=True)
            self.paragraph(LEFT + 96, top - 5 - used, TEXT, small)
            self.y = top - height - 2
        self.y -= 6

    def clauses(self, clauses: Sequence[tuple[Trilingual, Trilingual]], first: int) -> None:
        """Draw clauses side by side in three languages, each kept on one page."""
        for number, (title, body) in enumerate(clauses, start=first):
            broken = [
                self.lines(text.format_map(self.facts(locale)), TEXT, width)
                for locale, text, (_x, width) in zip(Trilingual._fields, body, self.columns(), strict=True)
            ]
            height = 13 + max(map(len, broken)) * TEXT * LEADING + 9
            self.room(height)
            self.heading(f"{number}. ", title)
            for (x, _width), lines in zip(self.columns(), broken, strict=True):
                self.paragraph(x, self.y - 13, TEXT, lines)
            for x, _width in self.columns()[1:]:
                self.canvas.rule(x - GAP / 2, self.y - 1, x - GAP / 2, self.y - height + 6, LINE, 0.4)
            self.y -= height

    def facts(self, locale: str) -> dict[str, str]:
        """Return what the clauses are filled in with."""
        found = {"currency": clean(self.spec.currency, 20)}
        for number, party in enumerate(self.spec.parties):
            name = clean(party.algorithm, 80)
            if locale != "ru":
                name = name.replace("ГОСТ Р", "GOST R").replace("Стрибог", "Streebog")
            found[f"algorithm_{number}"] = name
        return found

    def prices(self) -> None:
        """Draw the price table; its head is repeated on each page."""
        edges = (LEFT + 6, LEFT + 32, LEFT + 330, LEFT + 412, RIGHT - 6)
        aligns = (0.0, 0.0, 1.0, 1.0, 1.0)
        total = sum((item.amount for item in self.spec.items), Decimal())
        currency = clean(self.spec.currency, 20)

        def head() -> None:
            self.canvas.fill(LEFT, self.y - 27, RIGHT - LEFT, 27, HEAD)
            for x, align, text in zip(edges, aligns, say.ITEM_HEAD, strict=True):
                unit = f", {currency}" if align and text.en != "Quantity" else ""
                self.put(x, self.y - 11, 7.4, text.zh, (1, 1, 1), bold=True, align=align)
                self.put(x, self.y - 21, 6.2, f"{text.ru} / {text.en}{unit}", (0.86, 0.90, 0.94), align=align)
            self.y -= 27

        self.room(27 + 32 * min(len(self.spec.items), 6) + 22)
        head()
        for number, item in enumerate(self.spec.items, start=1):
            names = [self.lines(text, TEXT, 205, most=2) for text in item.goods]
            lines = [line for name in names for line in name]
            height = len(lines) * TEXT * 1.28 + 7
            if self.y - height < BOTTOM + 18:
                self.new_page()
                head()
            if number % 2 == 0:
                self.canvas.fill(LEFT, self.y - height, RIGHT - LEFT, height, TINT)
            for index, line in enumerate(lines):
                self.put(
                    edges[1], self.y - 10 - index * TEXT * 1.28, TEXT, line, INK if index < len(names[0]) else QUIET
                )
            middle = self.y - height / 2 - 3
            cells = (
                str(number),
                f"{item.quantity:,}".replace(",", " ") + f" {clean(item.unit, 12)}",
                money(item.price),
            )
            for x, align, text in zip((edges[0], edges[2], edges[3]), (0.0, 1.0, 1.0), cells, strict=True):
                self.put(x, middle, 8, text, align=align)
            self.put(edges[4], middle, 8, money(item.amount), align=1.0, bold=True)
            self.y -= height
            self.canvas.rule(LEFT, self.y, RIGHT, self.y, LINE, 0.4)
        self.room(22)
        self.put(edges[1], self.y - 14, 8.4, " / ".join(say.TOTAL), HEAD, bold=True)
        self.put(edges[4], self.y - 14, 9.4, f"{currency} {money(total)}", HEAD, bold=True, align=1.0)
        self.canvas.rule(LEFT, self.y - 21, RIGHT, self.y - 21, HEAD, 1.1)
        self.y -= 33

    def signatures(self) -> tuple[SignatureArea, ...]:
        """Draw a row for each party, with an empty area for its stamp, all on one page."""
        row = STAMP[1] + 14
        self.room(34 + row * len(self.spec.parties))
        self.canvas.rule(LEFT, self.y, RIGHT, self.y, HEAD, 1.1)
        self.put(LEFT, self.y - 16, 10.5, " / ".join(say.SIGNATURES), HEAD, bold=True)
        self.y -= 28
        areas: list[SignatureArea] = []
        for index, (role, party) in enumerate(zip(say.ROLES, self.spec.parties, strict=True)):
            x, width = LEFT, RIGHT - LEFT - STAMP[0] - 16
            top = self.y
            y = top - 10
            self.put(x, y, 7.4, " / ".join(role), QUIET)
            y -= 4
            y -= self.paragraph(x, y, 9.4, self.lines(party.organisation, 9.4, width, bold=True, most=3), bold=True)
            y -= self.paragraph(x, y - 2, 8.2, self.lines(party.signatory, 8.2, width, most=2)) + 2
            self.paragraph(x, y, TEXT, self.lines(party.title, TEXT, width, most=2), QUIET)
            left, bottom = RIGHT - STAMP[0], top - STAMP[1]
            self.canvas.frame(left, bottom, *STAMP, LINE, weight=0.5, radius=3)
            box = (round(left, 2), round(bottom, 2), round(RIGHT, 2), round(top, 2))
            areas.append(SignatureArea(index, len(self.canvases), box))
            self.y -= row
            if index + 1 < len(self.spec.parties):
                self.canvas.rule(LEFT, self.y + 7, RIGHT, self.y + 7, LINE, 0.4)
        self.note()
        return tuple(areas)

    def note(self) -> None:
        """Say below the signatures how they can be checked, if there is room."""
        broken = [self.lines(text, 6.8, width - 8) for text, (_x, width) in zip(say.NOTE, self.columns(), strict=True)]
        height = max(map(len, broken)) * 6.8 * LEADING + 12
        if self.y - height < BOTTOM + 18:
            return
        self.canvas.fill(LEFT, self.y - height, RIGHT - LEFT, height, TINT)
        for (x, _width), lines in zip(self.columns(), broken, strict=True):
            self.paragraph(x + 5, self.y - 5, 6.8, lines, QUIET)
        self.y -= height

    def footers(self) -> None:
        """Write page numbers in three languages."""
        for index, canvas in enumerate(self.canvases, start=1):
            numbers = {"page": index, "pages": len(self.canvases)}
            line = self.fonts.shape("   ·   ".join(text.format_map(numbers) for text in say.PAGE))
            canvas.rule(LEFT, BOTTOM, RIGHT, BOTTOM, LINE, 0.4)
            canvas.text((LEFT + RIGHT - line.width * 6.6 / 1000) / 2, BOTTOM - 12, 6.6, line, QUIET)
