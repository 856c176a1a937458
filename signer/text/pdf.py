"""A report as a PDF to hand in: PDF/A-2u of our own writing, every font embedded, Cyrillic and rare hanzi included.

    pdf = document([(report, pictures_of(report, data))], "ru")

The same content as the HTML page: the verdict, the four questions, the signed pages with the verdict on each signature
beside them, the basis of the layers. With `checks` a list of every check follows. What no font of ours has is written
by its number, [U+0639]: a box in its place could be any name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from signer.appearance import picture as pictures_in
from signer.appearance.canvas import Canvas
from signer.appearance.colour import RGB
from signer.appearance.document import Info, build
from signer.appearance.fonts import FontSet
from signer.appearance.layout import break_lines, measure
from signer.appearance.text import clean as one_line
from signer.errors import AppearanceError
from signer.report import CheckResult, Report, SealReport, SignatureReport, Verdict
from signer.text import strings
from signer.text.answers import report_answers
from signer.text.cleaning import clean
from signer.text.html import Pictures, card_rows, card_title, card_verdict, hidden_numbers
from signer.text.pictures import PagePicture
from signer.text.render import RESULT_MARKS, Words, basis_facts, check_groups, check_name, head_rows, notice

WIDTH, HEIGHT = 595.28, 841.89
LEFT, RIGHT, TOP, BOTTOM = 44.0, 551.28, 808.0, 46.0
LEADING = 1.34
TEXT = 7.4  # points
LABEL = 72.0
PICTURE = 178.0
GAP = 16.0
POINTS = 72 / 25.4
"""Of a millimetre."""
MAX_SEAL = 72.0
"""Points of the longer side of a seal's picture."""

INK: RGB = (0.11, 0.14, 0.19)
QUIET: RGB = (0.36, 0.41, 0.47)
LINE: RGB = (0.84, 0.87, 0.90)
TINT: RGB = (0.955, 0.965, 0.975)
WHITE: RGB = (1.0, 1.0, 1.0)
TONES: dict[Verdict, RGB] = {
    Verdict.TOTAL_PASSED: (0.08, 0.42, 0.27),
    Verdict.TOTAL_FAILED: (0.70, 0.15, 0.12),
    Verdict.INDETERMINATE: (0.54, 0.35, 0.0),
    Verdict.NO_SIGNATURE: (0.54, 0.35, 0.0),
}
RESULT_TONES = {"passed": TONES[Verdict.TOTAL_PASSED], "failed": TONES[Verdict.TOTAL_FAILED], "not-checked": QUIET}


def document(reports: Sequence[tuple[Report, Pictures]], lang: str, *, checks: bool = False) -> bytes:
    """Return the PDF on one or several files. `reports` has at least one."""
    paper = Paper(lang)
    for report, pictures in reports:
        paper.report(report, pictures, checks=checks)
    paper.footers()
    created = max(report.checked_at for report, _ in reports)
    words = strings(lang)
    names = "; ".join(paper.plain(report.file) for report, _ in reports[:5])
    info = Info(title=f"{words['html.title']}: {names}", language=lang, created=created)
    return build(paper.canvases, info, paper.images)


@dataclass
class _Row:
    """A label and the lines of its value."""

    label: list[str]
    lines: list[str]
    size: float

    @property
    def height(self) -> float:
        return max(len(self.label), len(self.lines)) * self.size * LEADING + 1.2


@dataclass
class _Seal:
    """The picture of a seal: its name in this file, and its size on the paper in points."""

    name: str
    width: float
    height: float


@dataclass
class _Card:
    """What stands about one signature, broken into lines."""

    title: list[str]
    verdict: list[str]
    rows: list[_Row]
    seal: _Seal | None


class Paper:
    """The pages, filled from the top; `y` is where the next thing begins."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self.words: Words = strings(lang)
        self.fonts = FontSet.default()
        self.canvases: list[Canvas] = []
        self.images: dict[str, pictures_in.EmbeddedImage] = {}
        self.y = 0.0

    # -- drawing ----------------------------------------------------------------------------------------

    @property
    def canvas(self) -> Canvas:
        """The page that is being filled."""
        return self.canvases[-1]

    def new_page(self) -> None:
        """Begin a page."""
        self.canvases.append(Canvas(WIDTH, HEIGHT))
        self.y = TOP

    def room(self, height: float) -> None:
        """Begin a new page unless `height` points are left."""
        if self.y - height < BOTTOM:
            self.new_page()

    def plain(self, text: str) -> str:
        """Return a text that can be drawn on one line."""
        found = one_line(clean(text.replace("✗", "×")), 2000)
        for char in self.fonts.missing(found):
            found = found.replace(char, f"[U+{ord(char):04X}]")
        return found

    def broken(self, text: str, size: float, width: float, *, bold: bool = False) -> list[str]:
        """Break a text, of several lines perhaps, to a width in points."""
        lines: list[str] = []
        for line in text.split("\n"):
            lines += break_lines(measure(self.plain(line), self.fonts, bold=bold), width * 1000 / size)
        return lines

    def put(self, x: float, y: float, size: float, text: str, colour: RGB = INK, *, bold: bool = False) -> float:
        """Draw one line of plain text and return its width."""
        line = self.fonts.shape(text, bold=bold)
        self.canvas.text(x, y, size, line, colour, bold=bold)
        return line.width * size / 1000

    def paragraph(self, x: float, size: float, lines: Sequence[str], colour: RGB = INK, *, bold: bool = False) -> None:
        """Draw lines below `y`, which moves down."""
        for line in lines:
            self.put(x, self.y - size * 1.04, size, line, colour, bold=bold)
            self.y -= size * LEADING

    def row(self, label: str, value: str, width: float, *, size: float = TEXT, label_width: float = LABEL) -> _Row:
        """Break a label and its value to the widths they get."""
        return _Row(
            self.broken(label, size, label_width - 6), self.broken(value, size, width - label_width) or ["–"], size
        )

    def draw_row(self, x: float, row: _Row, *, label_width: float = LABEL, bold: bool = False) -> None:
        """Draw a row at `y`, which moves down."""
        top = self.y
        self.paragraph(x, row.size, row.label, INK if bold else QUIET, bold=bold)
        self.y = top
        self.paragraph(x + label_width, row.size, row.lines)
        self.y = top - row.height

    def number(self, x: float, y: float, number: int, colour: RGB) -> None:
        """Draw the number of a signature in a filled square whose lower left corner is at x, y."""
        text = str(number)
        width = max(11.0, self.fonts.shape(text, bold=True).width * 7.4 / 1000 + 5)
        self.canvas.fill(x, y, width, 11, colour)
        self.put(
            x + (width - self.fonts.shape(text, bold=True).width * 7.4 / 1000) / 2, y + 3, 7.4, text, WHITE, bold=True
        )

    # -- the parts of one report ------------------------------------------------------------------------

    def report(self, report: Report, pictures: Pictures, *, checks: bool) -> None:
        """Draw everything about one file, beginning on a new page."""
        self.new_page()
        self.heading(report)
        self.questions(report)
        self.sheet(report, pictures)
        self.bases(report)
        self.statement()
        if checks:
            for number, signature in enumerate(report.signatures, 1):
                self.checks(number, signature)

    def heading(self, report: Report) -> None:
        """Draw the verdict and what file it is about."""
        words, tone = self.words, TONES[report.verdict]
        self.canvas.fill(0, HEIGHT - 8, WIDTH, 8, tone)
        self.paragraph(LEFT, 9, [words["html.title"]], QUIET, bold=True)
        self.y -= 3
        self.paragraph(
            LEFT, 14.5, self.broken(words["verdict." + report.verdict], 14.5, RIGHT - LEFT, bold=True), tone, bold=True
        )
        self.y -= 5
        rows = head_rows(words, report)
        rows += [(words["label.warnings"], notice(words, note)) for note in report.warnings[:6]]
        for label, value in rows:
            self.draw_row(LEFT, self.row(label, value, RIGHT - LEFT))
        self.y -= 7

    def questions(self, report: Report) -> None:
        """Draw the four questions and their answers in a box."""
        rows = [
            self.row(
                self.words["question." + answer.question],
                answer.sentence(self.lang),
                RIGHT - LEFT - 20,
                size=8.8,
                label_width=118,
            )
            for answer in report_answers(report)
        ]
        height = sum(row.height + 6 for row in rows) + 6
        self.room(height)
        self.canvas.fill(LEFT, self.y - height, RIGHT - LEFT, height, TINT)
        self.y -= 6
        for index, row in enumerate(rows):
            if index:
                self.canvas.rule(LEFT + 10, self.y + 2.5, RIGHT - 10, self.y + 2.5, LINE, 0.5)
            self.draw_row(LEFT + 10, row, label_width=118, bold=True)
            self.y -= 6
        self.y -= 10

    def sheet(self, report: Report, pictures: Pictures) -> None:
        """Draw the pages on the left and a card for each signature on the right, page by page."""
        waiting = list(pictures)
        x, left = self.columns(report, waiting, pictures)
        for number, signature in enumerate(report.signatures, 1):
            height, card = self.card(signature, x)
            if self.y - height < BOTTOM and self.y < TOP:
                self.new_page()
                x, left = self.columns(report, waiting, pictures)
                height, card = self.card(signature, x)
            top, tone = self.y, TONES[signature.verdict]
            self.number(x + 9, self.y - 11, number, tone)
            self.paragraph(x + 25, 9.4, card.title, bold=True)
            self.paragraph(x + 9, TEXT, card.verdict, tone, bold=True)
            self.y -= 1.5
            if card.seal is not None:
                self.canvas.image(card.seal.name, x + 9, self.y - card.seal.height, card.seal.width, card.seal.height)
                self.y -= card.seal.height + 3
            for row in card.rows:
                if self.y - row.height < BOTTOM:  # a card longer than a page
                    self.canvas.fill(x, self.y, 2.2, top - self.y, tone)
                    self.new_page()
                    top = self.y
                self.draw_row(x + 9, row)
            self.canvas.fill(x, self.y, 2.2, top - self.y, tone)
            self.y -= 9
        while waiting:
            self.new_page()
            _, left = self.columns(report, waiting, pictures)
        self.y = min(self.y, left) - 2

    def columns(self, report: Report, waiting: list[PagePicture], pictures: Pictures) -> tuple[float, float]:
        """Draw what fits of the waiting pages; return where the cards begin and where the pages end."""
        end = self.figures(report, waiting, pictures)
        return (LEFT + PICTURE + GAP if end < self.y else LEFT), end

    def card(self, signature: SignatureReport, x: float) -> tuple[float, _Card]:
        """Break the card of a signature to the width right of `x`; one label for several values in a row."""
        width = RIGHT - x - 10
        rows: list[_Row] = []
        before = ""
        for label, value in card_rows(self.words, self.lang, signature):
            rows.append(self.row("" if label == before else label, value, width))
            before = label
        title = self.broken(card_title(self.words, signature), 9.4, width - 18, bold=True)
        verdict = self.broken(card_verdict(self.words, signature), TEXT, width, bold=True)
        height = (len(title) * 9.4 + len(verdict) * TEXT) * LEADING + sum(row.height for row in rows) + 4
        seal = self.seal(signature.seal)
        return height + (seal.height + 3 if seal is not None else 0), _Card(title, verdict, rows, seal)

    def seal(self, seal: SealReport | None) -> _Seal | None:
        """Take in the picture of a seal; None where it cannot be shown safely."""
        found = self._image(seal.picture) if seal is not None else None
        if seal is None or found is None:
            return None
        name, image = found
        width = min(max(seal.width, 1) * POINTS, MAX_SEAL, MAX_SEAL * image.ratio)
        return _Seal(name, width, width / image.ratio)

    def figures(self, report: Report, waiting: list[PagePicture], pictures: Pictures) -> float:
        """Draw as many of the waiting pages as fit on this one, at the left; return where they end."""
        y = self.y
        while waiting:
            picture = waiting[0]
            found = self._image(picture.png)
            width = PICTURE
            height = width / found[1].ratio if found is not None else 40.0
            if y - height - 14 < BOTTOM and y < TOP:
                break
            height = min(height, y - BOTTOM - 14)
            width = min(width, height * found[1].ratio) if found is not None else width
            waiting.pop(0)
            if found is not None:
                self.canvas.image(found[0], LEFT, y - height, width, height)
            self.canvas.frame(LEFT, y - height, width, height, LINE, weight=0.6)
            for mark in picture.marks if found is not None else ():
                left, bottom = LEFT + mark.left * width, y - (mark.top + mark.height) * height
                tone = TONES[mark.verdict]
                self.canvas.frame(left, bottom, mark.width * width, mark.height * height, tone, weight=1.2)
                self.number(left - 4, bottom + mark.height * height - 7, mark.number, tone)
            caption = self.words["label.page"].format(number=picture.page)
            if found is None:
                self.put(LEFT + 8, y - 22, 7, self.plain(self.words["label.no-picture"]), QUIET)
            self.put(LEFT, y - height - 10, 7, self.plain(caption), QUIET)
            y -= height + 22
        if not waiting and pictures and (hidden := hidden_numbers(report, pictures)):
            note = self.words["label.invisible"].format(numbers=", ".join(map(str, hidden)))
            for line in self.broken(note, 7, PICTURE):
                self.put(LEFT, y, 7, line, QUIET)
                y -= 7 * LEADING
        return y

    def _image(self, png: bytes) -> tuple[str, pictures_in.EmbeddedImage] | None:
        """Return the name of a picture in this file, and the picture; None where there is none to draw."""
        if not png:
            return None
        try:
            image = pictures_in.load(png, transparency=False)
        except AppearanceError:
            return None
        name = next((known for known, kept in self.images.items() if kept is image), f"P{len(self.images) + 1}")
        self.images[name] = image
        return name, image

    def bases(self, report: Report) -> None:
        """Draw what the two upper layers rest on."""
        if not report.bases:
            return
        rows = [
            self.row(label, value, RIGHT - LEFT - 16, label_width=110)
            for basis in report.bases
            for label, value in basis_facts(self.words, basis)
        ]
        height = sum(row.height for row in rows) + 26
        self.room(min(height, TOP - BOTTOM))
        self.canvas.rule(LEFT, self.y, RIGHT, self.y, LINE, 0.6)
        self.y -= 6
        self.paragraph(LEFT, 8.8, [self.words["label.basis"]], bold=True)
        self.y -= 2
        for row in rows:
            self.room(row.height)
            self.draw_row(LEFT, row, label_width=110)
        self.y -= 6

    def statement(self) -> None:
        """Draw what this paper is and is not."""
        text = f"{self.words['html.footer']} {self.words['report.limits']}"
        lines = self.broken(text, 7, RIGHT - LEFT)
        self.room(len(lines) * 7 * LEADING + 8)
        self.canvas.rule(LEFT, self.y, RIGHT, self.y, LINE, 0.6)
        self.y -= 5
        self.paragraph(LEFT, 7, lines, QUIET)

    def checks(self, number: int, signature: SignatureReport) -> None:
        """List every check of one signature, beginning on a new page."""
        self.new_page()
        title = f"{number}. {card_title(self.words, signature)}: {self.words['label.checks']}"
        self.paragraph(LEFT, 10, self.broken(title, 10, RIGHT - LEFT, bold=True), bold=True)
        self.y -= 4
        for name, checks in check_groups(self.words, signature):
            if name and checks:
                self.room(40)
                self.y -= 4
                self.paragraph(LEFT, 8.4, self.broken(name, 8.4, RIGHT - LEFT, bold=True), bold=True)
            for check in checks:
                self.check(check)

    def check(self, check: CheckResult) -> None:
        """Draw one check: result, name, technical detail, clause."""
        mark = self.plain(f"{RESULT_MARKS[check.result]} {self.words['result.' + check.result]}")
        name = self.broken(check_name(self.words, check), 7, 168)
        basis = f" [{check.basis}]" if check.basis else ""
        detail = self.broken(f"{check.id}: {check.detail}{basis} ({check.clause})", 6.6, RIGHT - LEFT - 250)
        height = max(len(name) * 7, len(detail) * 6.6) * LEADING + 4
        self.room(height)
        self.canvas.rule(LEFT, self.y, RIGHT, self.y, LINE, 0.4)
        self.y -= 2
        top = self.y
        for x, size, lines, colour in (
            (LEFT, 7.0, [mark], RESULT_TONES[check.result]),
            (LEFT + 70, 7.0, name, INK),
            (LEFT + 250, 6.6, detail, QUIET),
        ):
            self.y = top
            self.paragraph(x, size, lines, colour)
        self.y = top - height + 2

    def footers(self) -> None:
        """Write the number of each page."""
        for index, canvas in enumerate(self.canvases, 1):
            text = self.words["label.page-of"].format(page=index, pages=len(self.canvases))
            line = self.fonts.shape(text)
            canvas.text(RIGHT - line.width * 6.8 / 1000, 26, 6.8, line, QUIET)
