r"""Text strings of a file (ISO 32000-2 7.9.2.2): PDFDocEncoding, UTF-16 or UTF-8, each with the language it may state.

    exact_string(b"\xfe\xff\x00A\x20\x13\x00B")    # "A–B": to be compared, as names of fields are
    text_string(b"A\x85B ")                        # "A–B": to be shown

One name has many spellings; whoever compares names compares what `exact_string` returns, and nothing else.
"""

from __future__ import annotations

import re

_SPECIAL = {
    0x18: "˘ˇˆ˙˝˛˚˜",
    0x7F: "\ufffd•†‡…—–ƒ⁄‹›−‰„“”‘’‚™ﬁﬂŁŒŠŸŽıłœšž\ufffd€",
    0xAD: "\ufffd",
}  # fmt: skip
"""Where PDFDocEncoding (Annex D.2) is not Latin-1: first octet, characters. U+FFFD: not defined."""
_PDF_DOC = {first + place: letter for first, row in _SPECIAL.items() for place, letter in enumerate(row)}
_LANGUAGE = re.compile("\x1b[A-Za-z]{2}(?:[A-Za-z]{2})?\x1b")
"""7.9.2.2.1: a language, and a country, between two escapes."""


def text_string(value: bytes) -> str:
    """Decode a text string to be shown: without what does not print, and blanks around it."""
    return "".join(c if c.isprintable() else " " for c in exact_string(value)).strip()


def exact_string(value: bytes) -> str:
    """Decode a text string to be compared; octets that mean nothing become U+FFFD."""
    if value.startswith(b"\xfe\xff"):
        text = value[2:].decode("utf-16-be", "replace")
    elif value.startswith(b"\xff\xfe"):  # against the rules, and read by all
        text = value[2:].decode("utf-16-le", "replace")
    elif value.startswith(b"\xef\xbb\xbf"):
        text = value[3:].decode("utf-8", "replace")
    else:
        return value.decode("latin-1").translate(_PDF_DOC)
    return _LANGUAGE.sub("", text)
