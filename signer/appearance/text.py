r"""Foreign text made harmless before it is drawn, and lines broken to a width.

    >>> clean("ООО «Ромашка»\nDirector\u202e")
    'ООО «Ромашка» Director'

A name comes from a certificate or a request, so it may hold line breaks, control characters, direction overrides that
make it read as another name (Unicode Standard Annex 9, 6.3), or a million letters. None of that reaches the page.
"""

from __future__ import annotations

import unicodedata

from signer.errors import AppearanceError

MAX_TEXT = 1000
"""Characters of one text that are looked at; the rest becomes an ellipsis. A name or reason is far shorter."""

MAX_MARKS = 30
"""Combining marks kept on one letter: the limit of Stream-Safe Text, Unicode Standard Annex 15, 13."""

ELLIPSIS = "…"

# Characters that do not stand at the start, or at the end, of a line (GB/T 15834-2011, 5.1).
NOT_FIRST = frozenset("，。、；：？！）》〉」』】〕〗］｝”’…—·％‰℃,.;:?!)]}%»")
NOT_LAST = frozenset("（《〈「『【〔〖［｛“‘([{«№#$￥")
# Punctuation whose width depends on its neighbours: full width beside hanzi, narrow beside letters.
SHARED_PUNCTUATION = frozenset("“”‘’…—·")

_HAN = ((0x2E80, 0x3000), (0x3001, 0xA000), (0xAC00, 0xD7A4), (0xF900, 0xFB00), (0xFE30, 0xFE50), (0xFF00, 0xFFF0))


def is_ideographic(char: str) -> bool:
    """Tell whether `char` is written in a square: hanzi, kana, hangul and their punctuation."""
    code = ord(char)
    return 0x20000 <= code < 0x40000 or (code >= 0x2E80 and any(low <= code < high for low, high in _HAN))


def is_variation_selector(char: str) -> bool:
    """Tell whether `char` chooses between forms of the character before it."""
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def is_mark(char: str) -> bool:
    """Tell whether `char` sits on the one before it."""
    return unicodedata.category(char) in {"Mn", "Me"} and not is_variation_selector(char)


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """Return `text` as one line without anything invisible that changes how the rest reads.

    Line breaks, tabs, control characters and every kind of space become one space; format characters (direction marks
    and overrides, joiners, soft hyphens, tags, the byte order mark) are dropped; more than `limit` characters end in
    an ellipsis. Hanzi keep their code points: no normalisation, which would replace compatibility ideographs used in
    names.

    Raises AppearanceError for half of a surrogate pair.
    """
    kept: list[str] = []
    marks = 0
    for char in text[: limit + 1]:
        category = unicodedata.category(char)
        if category == "Cs":
            raise AppearanceError(f"the text holds half of a surrogate pair, U+{ord(char):04X}")
        if category == "Cf":
            continue
        if category in {"Cc", "Zl", "Zp", "Zs"} and char != "\u3000":
            if kept and kept[-1] != " ":
                kept.append(" ")
            marks = 0
            continue
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks > MAX_MARKS:
            continue
        kept.append(char)
    result = "".join(kept).strip()
    if len(text) > limit:
        result = result[:limit].rstrip() + ELLIPSIS
    return result


def clusters(text: str) -> list[str]:
    """Split `text` into letters with the marks and variation selectors that belong to them."""
    found: list[str] = []
    for char in text:
        if found and (is_mark(char) or is_variation_selector(char)):
            found[-1] += char
        else:
            found.append(char)
    return found


def may_break(before: str, after: str) -> bool:
    """Tell whether a line may end between two neighbouring clusters."""
    left, right = before[0], after[0]
    if right == " " or right in NOT_FIRST or left in NOT_LAST:
        return False
    if left == " ":
        return True
    if left in "-–—/@_" and right.isalnum():
        return True
    return is_ideographic(left) or is_ideographic(right)
