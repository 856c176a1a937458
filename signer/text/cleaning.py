"""Text of strangers made harmless for a terminal and a page.

A name comes from a document or a certificate: control characters could steer a terminal, direction marks make it read
as another name (Unicode Standard Annex 9).
"""

from __future__ import annotations

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
_BREAKS = frozenset("\u2028\u2029")


def clean(value: str) -> str:
    """Replace control and direction-changing characters, and halves of surrogate pairs."""
    return "".join("\ufffd" if _bad(c) else c for c in value)


def _bad(c: str) -> bool:
    return ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 or c in _BIDI or c in _BREAKS
