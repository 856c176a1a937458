"""PEM, as RFC 7468 writes it and as people paste it.

armor("CERTIFICATE", encoded)          # text, lines of 64 characters
pem_blocks(data)                       # (("CERTIFICATE", b"…"), …), whatever stands between the blocks
"""

from __future__ import annotations

import base64
import binascii
import re

from certs.errors import MalformedInput

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----(.*?)-----END \1-----", re.DOTALL)


def armor(label: str, encoded: bytes) -> str:
    """Return PEM with lines of 64 characters and a final line feed."""
    text = base64.b64encode(encoded).decode()
    lines = "\n".join(text[i : i + 64] for i in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def pem_blocks(data: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return label and octets of every PEM block. Raises MalformedInput where the base64 is broken."""
    out: list[tuple[str, bytes]] = []
    for match in _PEM.finditer(data):
        body = match[2]
        if b":" in body:  # RFC 1421 headers, closed by an empty line
            body = re.split(rb"\r?\n[ \t]*\r?\n", body, maxsplit=1)[-1]
        try:
            out.append((match[1].decode(), base64.b64decode(b"".join(body.split()), validate=True)))
        except binascii.Error as error:
            raise MalformedInput(f"the base64 of a PEM block {match[1].decode()!r} is broken") from error
    return tuple(out)
