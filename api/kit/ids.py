"""Identifiers: a prefix that says what it is, and a UUID version 7 (RFC 9562 clause 5.7) that sorts by time.

>>> new_id("ctr")            # doctest: +SKIP
'ctr_0193f1d2c5a87c1e9a2f6d4b8e0c7a35'
>>> is_id("ctr", "ctr_0193f1d2c5a87c1e9a2f6d4b8e0c7a35")
True
"""

from __future__ import annotations

import re
import secrets
import threading
import time

PREFIXES = (
    "ctr", "pty", "doc", "rev", "sig", "job", "evt", "ten", "key", "req", "crt", "seal", "mkr", "grt", "use", "env",
    "rcp", "enk", "int", "agr", "ags", "org", "per", "idp", "usr", "tok", "poa",
    "fct", "enr", "tpl", "blk", "hnd", "bat", "spl",
)  # fmt: skip

_FORM = re.compile(r"[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}")
_lock = threading.Lock()
_last = 0


def new_id(prefix: str) -> str:
    """Return a new identifier; within one process, later ones sort after earlier ones."""
    return f"{prefix}_{_uuid7():032x}"


def is_id(prefix: str, value: str) -> bool:
    """Tell whether `value` has the form of an identifier of this kind."""
    head, _, tail = value.partition("_")
    return head == prefix and _FORM.fullmatch(tail) is not None


def _uuid7() -> int:
    # RFC 9562 clause 6.2, method 3: 48 bits of milliseconds, then 12 bits of sub-millisecond time kept rising.
    global _last  # noqa: PLW0603 - the one counter of the process, under a lock
    with _lock:
        _last = max(_last + 1, time.time_ns() * 4096 // 1_000_000)
        stamp = _last
    milliseconds, fraction = stamp >> 12, stamp & 0xFFF
    return milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
