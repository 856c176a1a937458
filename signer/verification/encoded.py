"""Files that hold one encoded value: DER, PEM or base64 on its own."""

from __future__ import annotations

import base64
import binascii
import re

from certs import ber
from certs.errors import CertsError
from certs.pem import pem_blocks

BASE64 = re.compile(rb"[A-Za-z0-9+/=\s]+\Z")


def is_pem(data: bytes) -> bool:
    """Tell whether the file begins as PEM does."""
    return data[:1024].lstrip().startswith(b"-----")


def unwrapped(data: bytes, *labels: str) -> bytes | None:
    """Return the first value of a file; of PEM the first block with one of the labels. None where there is none."""
    if is_pem(data):
        try:
            return next((encoded for label, encoded in pem_blocks(data) if label in labels), None)
        except CertsError:
            return None
    if data[:1] == b"\x30":
        return data
    if len(data) > 2 * ber.MAX_SIZE or not BASE64.match(data[:64]):
        return None
    try:
        decoded = base64.b64decode(b"".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if decoded[:1] == b"\x30" else None


def begins_with_sequence(data: bytes) -> bool:
    """Tell whether a SEQUENCE begins with another one: a seal signature does, a CMS begins with its type (an OID)."""
    try:
        return ber.Value(data, 0, len(data)).members().next().tag == ber.SEQUENCE
    except (CertsError, RecursionError):
        return False
