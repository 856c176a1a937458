"""The hanzi a page needs, carried in the page: not every reader's machine has them, and hardly any the rare ones.

style = font_style("<h2>沈𠮷明</h2>")
"""

from __future__ import annotations

import base64

from signer.appearance.fonts import FontSet
from signer.appearance.subset import web_font
from signer.errors import AppearanceError

FAMILY = "Sealroad Report"
FIRST = "\u2e80"
"""Of the letters that are carried; Latin and Cyrillic are everywhere."""


def font_style(html: str) -> str:
    """Return a style element with the letters of a page from FIRST on; empty where there are none.

    Each part of a page has its own; `unicode-range` lets them stand side by side.
    """
    wanted = {char for char in set(html) if char >= FIRST}
    rules = []
    for face in FontSet.default().regular:
        covered = "".join(sorted(char for char in wanted if face.glyph(char)))
        wanted -= set(covered)
        if not covered:
            continue
        try:
            data = base64.b64encode(web_font(face, covered)).decode("ascii")
        except AppearanceError:
            continue  # the reader's own fonts may have them
        ranges = ",".join(f"U+{ord(char):X}" for char in covered)
        rules.append(
            f'@font-face{{font-family:"{FAMILY}";src:url(data:font/ttf;base64,{data});unicode-range:{ranges}}}'
        )
    return f"<style>{''.join(rules)}</style>\n" if rules else ""
