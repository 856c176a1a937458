"""Milliseconds to draw a seal of each kind as the appearance of a signature, as ratio to a stamp with the same name.

    python -m benchmarks seal_drawing

A stamp sets type: it embeds fonts and writes letters. A seal writes the outline of every letter in its place. Each
round has another name, so that nothing of the last one is remembered but the outlines of its letters.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import cycle
from time import perf_counter
from typing import Any

from benchmarks.compare import Row, Table, alternate, milliseconds
from signer.appearance import StampSpec, render
from signer.seals.drawing import SealDrawing, SealKind, draw

ROUNDS = 30
HANZI = "上海北京杭州示例国际贸易投资控股科技发展工程设备自动化物流供应链集团股份有限责任公司"
CYRILLIC = "АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЭЮЯ"

ROUND = {"kind": SealKind.ROUND, "title": "合同专用章", "code": "3101150012345"}
CASES: tuple[tuple[str, dict[str, Any], str, int], ...] = (
    ("round, 12 characters", ROUND, HANZI, 12),
    ("round, 40 characters", ROUND, HANZI, 40),
    ("oval, 12 characters", {"kind": SealKind.OVAL, "title": "发票专用章", "code": "91310115MA1K7R20GX"}, HANZI, 12),
    ("square, 3 characters", {"kind": SealKind.SQUARE, "title": "印"}, HANZI, 3),
    ("ru-round, 20 characters", {"kind": SealKind.RU_ROUND, "title": "г. Томск", "code": "ИНН 70170000"}, CYRILLIC, 20),
    ("eu-block, 20 characters", {"kind": SealKind.EU_BLOCK, "code": "VATDE-123456789"}, CYRILLIC, 20),
)


def run(*, quick: bool = False) -> list[Table]:
    """Return one table: the kinds, then the PNG of one of them."""
    rounds = 2 if quick else ROUNDS
    rows = [_row(what, fields, letters, count, rounds) for what, fields, letters, count in CASES]
    one = draw(SealDrawing(kind=SealKind.ROUND, name="上海示例贸易有限公司", title="合同专用章"))
    times = [_timed(lambda: one.png(600)) for _ in range(rounds // 4 + 1)]
    rows.append(Row("round, PNG at 600 dpi", milliseconds(times), "none: on the wall, in a process of its own"))
    return [Table("seals: drawn as appearances", "sealroad", "a stamp", rows, "ours / stamp's")]


def _row(what: str, fields: dict[str, Any], letters: str, count: int, rounds: int) -> Row:
    chance = random.Random(1)
    names = ["".join(chance.choices(letters, k=count)) for _ in range(300)]
    ours, theirs = cycle(names), cycle(names)
    pairs = alternate(
        lambda: draw(SealDrawing(name=next(ours), **fields)).appearance().content,
        lambda: render(StampSpec(name=next(theirs))).content,
        rounds,
    )
    return Row(what, milliseconds(pairs.ours), milliseconds(pairs.peer), pairs.ratios)


def _timed(action: Callable[[], object]) -> float:
    start = perf_counter()
    action()
    return perf_counter() - start
