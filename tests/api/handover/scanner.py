"""What the camera of a phone does: a QR code (ISO/IEC 18004, level M, versions 3 to 6) is read from its picture.

Written from the standard and not from the program that draws; it sees a clean picture, so nothing is corrected.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

from PIL import Image

BLOCKS = {3: (70, 26, 1), 4: (100, 18, 2), 5: (134, 24, 2), 6: (172, 16, 4)}
"""Codewords in all, of these for correction in a block, and blocks (table 9, level M)."""
MASKS: tuple[Callable[[int, int], int], ...] = (
    lambda i, j: (i + j) % 2,
    lambda i, _: i % 2,
    lambda _, j: j % 3,
    lambda i, j: (i + j) % 3,
    lambda i, j: (i // 2 + j // 3) % 2,
    lambda i, j: i * j % 2 + i * j % 3,
    lambda i, j: (i * j % 2 + i * j % 3) % 2,
    lambda i, j: ((i + j) % 2 + i * j % 3) % 2,
)
"""Table 10: a module is turned over where this is 0."""


def read(png: bytes) -> str:
    """Return the text of the code in a picture."""
    rows = grid(png)
    size, version = len(rows), (len(rows) - 17) // 4
    places = [(8, j) for j in (0, 1, 2, 3, 4, 5, 7, 8)] + [(i, 8) for i in (7, 5, 4, 3, 2, 1, 0)]
    written = int("".join(str(rows[i][j]) for i, j in places), 2) ^ 0b101010000010010
    assert written >> 13 == 0b00, "not level M"
    mask = MASKS[written >> 10 & 0b111]
    bits = [rows[i][j] ^ (mask(i, j) == 0) for i, j in path(size)]
    total, correcting, blocks = BLOCKS[version]
    words = [int("".join(map(str, map(int, bits[8 * n : 8 * n + 8]))), 2) for n in range(total)]
    words = words[: total - correcting * blocks]
    data = bytes(word for block in range(blocks) for word in words[block::blocks])
    stream = "".join(f"{octet:08b}" for octet in data)
    assert stream[:4] == "0100", "not in octets"
    length = int(stream[4:12], 2)
    return bytes(int(stream[12 + 8 * n : 20 + 8 * n], 2) for n in range(length)).decode("ascii")


def grid(png: bytes) -> list[list[int]]:
    """Return the modules, 1 where dark, without the margin."""
    picture = Image.open(io.BytesIO(png)).convert("L").point(lambda value: 255 if value < 128 else 0)
    box = picture.getbbox()
    assert box is not None
    assert min(box[0], box[1]) > 0, "no margin"
    code = picture.crop(box)
    finder = next(x for x in range(code.width) if not code.getpixel((x, 0)))
    module = finder // 7
    size = code.width // module
    middles = [n * module + module // 2 for n in range(size)]
    return [[int(bool(code.getpixel((x, y)))) for x in middles] for y in middles]


def path(size: int) -> Iterator[tuple[int, int]]:
    """Give the places of the data in their order: up and down in pairs of columns, from the right."""
    upwards = True
    for right in [*range(size - 1, 6, -2), *range(5, 0, -2)]:
        for i in reversed(range(size)) if upwards else range(size):
            for j in (right, right - 1):
                finder = (i < 9 and (j < 9 or j >= size - 8)) or (i >= size - 8 and j < 9)
                aligned = size - 9 <= i <= size - 5 and size - 9 <= j <= size - 5
                if not finder and not aligned and 6 not in {i, j}:
                    yield i, j
        upwards = not upwards
