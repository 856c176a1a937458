"""PEM, as RFC 7468 writes it and as people paste it.

armor("CERTIFICATE", encoded)          # text, lines of 64 characters
pem_blocks(data)                       # (("CERTIFICATE", b"…"), …), whatever stands between the blocks
"""

from __future__ import annotations

import base64
import binascii
import re

from certs.errors import MalformedInput

_MARK = re.compile(rb"-----(BEGIN|END) ([A-Z0-9 ]{1,40})-----")


def armor(label: str, encoded: bytes) -> str:
    """Return PEM with lines of 64 characters and a final line feed."""
    text = base64.b64encode(encoded).decode()
    lines = "\n".join(text[i : i + 64] for i in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def pem_blocks(data: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return label and octets of every PEM block. Raises MalformedInput where the base64 is broken."""
    out: list[tuple[str, bytes]] = []
    label, start = b"", 0
    for mark in _MARK.finditer(data):  # in one pass: input without an end may be long
        if mark[1] == b"BEGIN":  # what was begun before and has no end is passed over
            label, start = mark[2], mark.end()
        elif mark[2] == label:
            out.append((label.decode(), _decode(label, data[start : mark.start()])))
            label = b""
    return tuple(out)


def _decode(label: bytes, body: bytes) -> bytes:
    if b":" in body:  # RFC 1421 headers, closed by an empty line
        body = re.split(rb"\r?\n[ \t]*\r?\n", body, maxsplit=1)[-1]
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error as error:
        raise MalformedInput(f"the base64 of a PEM block {label.decode()!r} is broken") from error
