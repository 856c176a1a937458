"""Canonical JSON: one spelling for every value, so that it can be hashed and signed, and still be read by people.

    octets = encode({"size": 17, "root": "9f…"})        # b'{"root":"9f…","size":17}'
    value = decode(octets)                              # MalformedInput unless it is spelt exactly like this
    value = read(octets)                                # any spelling: for files that people edit

RFC 8785 (JCS) for the values we use: objects with ASCII names, arrays, strings, true, false, null and whole numbers
up to 2^53 - 1. There are no fractions, so the one hard part of JCS, the spelling of floating point, does not arise.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from certs.errors import MalformedInput

MAX_SIZE = 4 * 1024 * 1024
"""Octets of one document; the largest we write, a snapshot, has about 100 KiB."""
MAX_DEPTH = 16
MAX_NUMBER = 2**53 - 1
"""RFC 8785 3.2.2.3 with RFC 7493 2.2: the largest whole number every reader keeps exactly."""


def encode(value: Any) -> bytes:
    """Return the canonical octets of `value`. Raises MalformedInput for what has none."""
    _check(value, 0)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def decode(data: bytes, *, limit: int = MAX_SIZE) -> Any:
    """Return the value of canonical `data`. Raises MalformedInput, also for another spelling of the same value."""
    value = read(data, limit=limit)
    if encode(value) != data:
        raise MalformedInput("the JSON is not in canonical form")
    return value


def read(data: bytes, *, limit: int = MAX_SIZE) -> Any:
    """Return the value of JSON in any spelling; a name that stands twice in an object is refused.

    Raises MalformedInput.
    """
    if len(data) > limit:
        raise MalformedInput("the JSON is too large")
    try:
        value = json.loads(data.decode("utf-8"), parse_float=_refuse, parse_constant=_refuse, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise MalformedInput("not JSON of the kind we read") from error
    _check(value, 0)
    return value


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice")
    return members


def _check(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise MalformedInput("the JSON is nested too deep")
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, int):
        if abs(value) > MAX_NUMBER:
            raise MalformedInput("a number that not every reader keeps")
    elif isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:  # a lone surrogate
            raise MalformedInput("a string that is no Unicode") from error
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str) or not name.isascii():
                raise MalformedInput("a name that is not ASCII")
            _check(item, depth + 1)
    else:
        raise MalformedInput(f"a {type(value).__name__} has no place in canonical JSON")
