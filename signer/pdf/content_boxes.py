"""Where a page draws: boxes of text, images and painted paths, from the operators of its content (ISO 32000-2 8, 9).

    found = page_marks(view, page)        # None where the content cannot be read
    found.marks[0]                        # Mark(kind="text", box=(72.0, 700.0, 128.0, 712.0), opaque=False)

Boxes are upright and as large as needed; the width of text is estimated, half an em for each character, since fonts are
not read. Good enough to say that a signature lies over a paragraph; not to say what a page looks like.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, NamedTuple

from signer.pdf.boxes import Box, numbers
from signer.pdf.structure import Stream, View
from signer.pdf.tokens import Array, Dictionary, Name, SyntaxFault, operations

MAX_OPERATORS = 20_000
"""For one page, forms included."""
MAX_MARKS = 5_000
MAX_FORMS = 4
"""Depth of forms inside forms."""
MAX_DEPTH = 60
"""Of the page tree."""

Matrix = tuple[float, float, float, float, float, float]
_PAINTS = frozenset({"f", "F", "f*", "B", "B*", "b", "b*", "S", "s"})
_MATTER = _PAINTS | frozenset(
    {"cm", "BT", "Tf", "TL", "Tr", "Tm", "Td", "TD", "T*", "Tj", "TJ", "'", '"', "m", "l", "c", "v", "y", "re", "n"}
)
IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


class Mark(NamedTuple):
    """Something painted."""

    kind: str
    """text, image or path."""
    box: Box
    opaque: bool = True
    """Whether it hides what is below; False for text, lines and images with a mask."""


@dataclass(frozen=True)
class _State:
    """The graphics state, as far as it moves things (8.4.1, 9.3)."""

    matrix: Matrix = IDENTITY
    size: float = 0.0
    leading: float = 0.0
    visible: bool = True


class Marks(NamedTuple):
    """All of a page, in the order of painting."""

    marks: list[Mark]
    operators: int
    """How many were read."""
    complete: bool
    """Whether that was all of them, and every mark has a place."""


def page_marks(view: View, page: Dictionary, most: int = MAX_OPERATORS) -> Marks | None:
    """Return what the first `most` operators of a page paint; None where they cannot be read. Raises BudgetSpent.

    The same content streams are read once for each file, in whatever revision they are met.
    """
    try:
        contents = view.get(page, "Contents")
        items = contents if isinstance(contents, list) else [contents]
        streams = [stream for stream in map(view.resolve, items) if isinstance(stream, Stream)]
        key = (most, *(stream.start for stream in streams))
        if key not in view.pdf.marks:
            reader = _Reader(view, most)
            parts = b"\n".join(view.stream_data(stream) for stream in streams)
            reader.run(parts, inherited(view, page, "Resources"), _State(), 0)
            complete = reader.left > 0 and len(reader.marks) < MAX_MARKS and not reader.lost
            view.pdf.marks[key] = Marks(reader.marks, most - reader.left, complete)
    except (SyntaxFault, ValueError, OverflowError):
        return None
    found: Marks = view.pdf.marks[key]
    return found


def inherited(view: View, page: Dictionary, key: str) -> Any:
    """Return the resolved value of a page or of its nearest ancestor that has it."""
    return view.resolve(view.inherited(page, key, MAX_DEPTH))


def transformed(matrix: Matrix, box: Box) -> Box:
    """Return the upright box around a transformed one."""
    a, b, c, d, e, f = matrix
    corners = [(box[i], box[j]) for i in (0, 2) for j in (1, 3)]
    xs = [a * x + c * y + e for x, y in corners]
    ys = [b * x + d * y + f for x, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def _times(m: Matrix, n: Matrix) -> Matrix:
    """Return `m` applied first, then `n` (8.3.4)."""
    return (
        m[0] * n[0] + m[1] * n[2], m[0] * n[1] + m[1] * n[3],
        m[2] * n[0] + m[3] * n[2], m[2] * n[1] + m[3] * n[3],
        m[4] * n[0] + m[5] * n[2] + n[4], m[4] * n[1] + m[5] * n[3] + n[5],
    )  # fmt: skip


class _Reader:
    """One page."""

    def __init__(self, view: View, most: int) -> None:
        self.view = view
        self.marks: list[Mark] = []
        self.left = most
        self.lost = False
        """Whether something is painted where no number reaches."""
        self._line: Matrix = IDENTITY
        self._text: Matrix = IDENTITY
        self._path: list[tuple[float, float]] = []
        self._state = _State()

    def run(self, data: bytes, resources: Any, state: _State, depth: int) -> None:
        """Interpret one content stream. Raises SyntaxFault, BudgetSpent."""
        self._state = state
        stack: list[_State] = []
        steps = operations(data, spend=self.view.pdf.budget.spend)
        moved: int | None = None
        while self.left > 0 and len(self.marks) < MAX_MARKS:
            try:
                name, operands, at = steps.send(moved)
            except StopIteration:
                return
            moved = None
            self.left -= 1
            if name == "BI":
                moved = self._inline_image(data, at)
            elif name == "q":
                stack.append(self._state)
            elif name == "Q":
                self._state = stack.pop() if stack else state
            elif name == "Do":
                self._external(operands, resources, depth)
            elif name in _MATTER:
                self._operator(name, operands)

    def _operator(self, name: str, operands: list[Any]) -> None:
        n = [v for v in operands if type(v) is float]
        state = self._state
        if name == "cm" and len(n) == 6:
            self._state = replace(state, matrix=_times(_matrix(n), state.matrix))
        elif name == "BT":
            self._line = self._text = IDENTITY
        elif name == "Tf" and n:
            self._state = replace(state, size=float(n[-1]))
        elif name == "TL" and n:
            self._state = replace(state, leading=float(n[-1]))
        elif name == "Tr" and n:
            self._state = replace(state, visible=n[-1] not in (3, 7))
        elif name == "Tm" and len(n) == 6:
            self._line = self._text = _matrix(n)
        elif name in ("Td", "TD") and len(n) == 2:
            if name == "TD":
                self._state = replace(state, leading=-float(n[1]))
            self._move(float(n[0]), float(n[1]))
        elif name == "T*":
            self._move(0.0, -state.leading)
        elif name in ("Tj", "TJ", "'", '"') and operands:
            if name in ("'", '"'):
                self._move(0.0, -state.leading)
            self._show(operands[-1])
        elif name in ("m", "l", "c", "v", "y") and len(n) >= 2:
            self._path += [(float(x), float(y)) for x, y in zip(n[::2], n[1::2], strict=False)]
        elif name == "re" and len(n) == 4:
            x, y, width, height = map(float, n)
            self._path += [(x, y), (x + width, y + height)]
        elif name in _PAINTS:
            self._paint(opaque=name not in ("S", "s"))
        elif name == "n":
            self._path.clear()

    def _move(self, x: float, y: float) -> None:
        self._line = self._text = _times((1.0, 0.0, 0.0, 1.0, x, y), self._line)

    def _show(self, shown: Any) -> None:
        pieces = shown if isinstance(shown, Array) else [shown]
        count = sum(len(p) for p in pieces if isinstance(p, bytes))
        size = self._state.size or 1.0
        width = 0.5 * size * count
        if count and self._state.visible:
            place = _times(self._text, self._state.matrix)
            self._mark("text", transformed(place, (0.0, 0.0, width, size * 0.8)), opaque=False)
        self._text = _times((1.0, 0.0, 0.0, 1.0, width, 0.0), self._text)

    def _paint(self, *, opaque: bool) -> None:
        if self._path:
            xs, ys = [p[0] for p in self._path], [p[1] for p in self._path]
            self._mark("path", transformed(self._state.matrix, (min(xs), min(ys), max(xs), max(ys))), opaque=opaque)
        self._path.clear()

    def _mark(self, kind: str, box: Box, *, opaque: bool) -> None:
        if all(map(isfinite, box)):
            self.marks.append(Mark(kind, box, opaque))
        else:
            self.lost = True

    def _inline_image(self, data: bytes, at: int) -> int:
        end = data.find(b"EI", data.find(b"ID", at))
        while end >= 0 and not (data[end - 1 : end].isspace() and data[end + 2 : end + 3] in (b"", b" ", b"\n", b"\r")):
            end = data.find(b"EI", end + 2)
        if end < 0:
            raise SyntaxFault("inline image without end")
        self._mark("image", transformed(self._state.matrix, (0.0, 0.0, 1.0, 1.0)), opaque=True)
        return end + 2

    def _external(self, operands: list[Any], resources: Any, depth: int) -> None:
        """Paint an XObject: an image fills the unit square, a form is read like a page (8.10)."""
        view = self.view
        objects = view.get(resources, "XObject") if isinstance(resources, Dictionary) else None
        name = operands[-1] if operands else None
        found = view.get(objects, name) if isinstance(objects, Dictionary) and isinstance(name, Name) else None
        if not isinstance(found, Stream):
            return
        if view.get(found.dictionary, "Subtype") == "Image":
            masked = any(found.dictionary.get(key) is not None for key in ("SMask", "Mask", "ImageMask"))
            self._mark("image", transformed(self._state.matrix, (0.0, 0.0, 1.0, 1.0)), opaque=not masked)
            return
        if depth >= MAX_FORMS:
            return
        saved, line, text = self._state, self._line, self._text
        matrix = numbers(view, view.get(found.dictionary, "Matrix"), 6)
        inner = replace(saved, matrix=_times(_matrix(matrix), saved.matrix)) if matrix else saved
        own = view.get(found.dictionary, "Resources")
        self.run(view.stream_data(found), own if own is not None else resources, inner, depth + 1)
        self._state, self._line, self._text = saved, line, text


def _matrix(values: Iterable[float]) -> Matrix:
    a, b, c, d, e, f = (float(v) for v in values)
    return a, b, c, d, e, f


__all__ = ["Mark", "inherited", "page_marks", "transformed"]
