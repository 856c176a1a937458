"""Words for people: one table per language, the same keys in each (a test compares them).

words = strings("zh")
words["verdict.TOTAL-PASSED"]
"""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("en", "zh", "ru")


def strings(lang: str) -> Mapping[str, str]:
    """Return the table of a language; an unknown one gives English."""
    if lang == "zh":
        from signer.text.zh import STRINGS
    elif lang == "ru":
        from signer.text.ru import STRINGS
    else:
        from signer.text.en import STRINGS
    return STRINGS
