"""Numbers as content streams and SVG paths have them: decimals without an exponent (ISO 32000-1, 7.3.3)."""

from __future__ import annotations


def decimal(value: float, digits: int) -> str:
    """Write a number with at most `digits` decimals, and no sign before a zero."""
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
