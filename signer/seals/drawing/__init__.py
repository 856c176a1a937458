"""Seals drawn as outlines: round, oval and square Chinese seals, the Russian round stamp, a block for European e-seals.

    from signer.seals.drawing import SealDrawing, SealKind, draw

    drawn = draw(SealDrawing(kind=SealKind.ROUND, name="上海示例贸易有限公司", title="合同专用章"))
    drawn.svg(), drawn.png(600), drawn.appearance()

A picture is for people: whose seal it is, and that it was meant, the signature says. Nothing here reads a clock, a
file of the user or the network; the same description gives the same outlines.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType

from signer.seals.drawing.drawn import DrawnSeal
from signer.seals.drawing.spec import USUAL, SealDrawing, SealKind, parse_colour

__all__ = ["USUAL", "DrawnSeal", "SealDrawing", "SealKind", "draw", "parse_colour"]

_DRAWERS: Mapping[SealKind, str] = MappingProxyType(
    {
        SealKind.ROUND: "round",
        SealKind.OVAL: "oval",
        SealKind.SQUARE: "square",
        SealKind.RU_ROUND: "russian",
        SealKind.EU_BLOCK: "block",
    }
)


def draw(spec: SealDrawing) -> DrawnSeal:
    """Draw a seal.

    Raises AppearanceError for a character that no font has and for a text that has no room; `hint` says what to do.
    """
    drawer = importlib.import_module(f"signer.seals.drawing.{_DRAWERS[spec.kind]}")
    return DrawnSeal(spec, drawer.draw(spec))
