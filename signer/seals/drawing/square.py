"""The square seal with a person's name: columns from right to left, each read downwards.

陈 王        王 has a column of its own, 小明 the next; with 印 two and two
"""

from __future__ import annotations

from signer.seals.drawing.fitting import refused
from signer.seals.drawing.letters import HANZI_BOX, Cell, Style, shape
from signer.seals.drawing.paths import Affine, frame
from signer.seals.drawing.setting import Shape, put
from signer.seals.drawing.spec import SealDrawing

BORDER = 0.055
"""Of the side."""
GAP = 0.035
"""Between border and letters, and half of it between letters."""
MAX_LETTERS = 16


def draw(spec: SealDrawing) -> tuple[Shape, ...]:
    """Return the outlines. Raises AppearanceError for more letters than a square has room for."""
    side = spec.size[0]
    if spec.code is not None or spec.lines:
        raise refused("the code or line", hint="a square seal has a name and what follows it, as 印")
    cells = [cell for cell in shape(spec.name + (spec.title or ""), Style.SONG).cells if cell.path]
    if len(cells) > MAX_LETTERS:
        raise refused("the name", hint=f"a square seal has room for {MAX_LETTERS} characters: give the name in hanzi")
    shapes = [Shape(frame(0, 0, side, side, BORDER * side))]
    edge = (BORDER + GAP) * side
    room, space = side - 2 * edge, GAP * side / 2
    shares = columns(len(cells))
    width = (room - space * (len(shares) - 1)) / len(shares)
    right = side - edge
    following = iter(cells)
    for share in shares:
        height = (room - space * (share - 1)) / share
        top = side - edge
        for _ in range(share):
            shapes.append(_fill(next(following), right - width, top - height, width, height))
            top -= height + space
        right -= width + space
    return tuple(shapes)


def columns(count: int) -> tuple[int, ...]:
    """Return how many letters each column has, from the right; later columns have one more where it does not divide."""
    wanted = next(number for number in range(1, 5) if count <= (1, 6, 9, 16)[number - 1])
    share, more = divmod(count, wanted)
    return tuple(share + (index >= wanted - more) for index in range(wanted))


def _fill(cell: Cell, left: float, bottom: float, width: float, height: float) -> Shape:
    """Stretch the square of a hanzi, or the room of a letter, over a field."""
    low, high = min(HANZI_BOX[0], cell.bottom), max(HANZI_BOX[1], cell.top)
    wide, tall = width / max(cell.width, 0.5), height / (high - low)
    x = left + (width - cell.width * wide) / 2
    return put(cell, Affine(wide, 0, 0, tall, x, bottom - low * tall))
