"""Frozen dataclasses as JSON and back, by their type hints alone: how a report crosses from one process to another.

    octets = encode(report)
    decode(Report, octets)                    # an equal one, or WireError

Nothing in the octets names a type or runs anything: what is built is what the annotations of the wanted type say, every
value is checked against them, and what does not fit is refused. This is not the published report (`Report.to_json`),
which says things in words and leaves things out.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import types
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


class WireError(Exception):
    """Octets that are no value of the wanted type. Stays inside `signer`."""


def encode(value: Any) -> bytes:
    """Return a value as octets."""
    return json.dumps(_plain(value), ensure_ascii=True, separators=(",", ":")).encode("ascii")


def decode_text(kind: type[T], text: str | bytes, most: int) -> T:
    """Return the value in a text that was kept elsewhere, of at most `most` octets. Raises WireError."""
    octets = text.encode("utf-8", "replace") if isinstance(text, str) else text
    if len(octets) > most:
        raise WireError("too long")
    return decode(kind, octets)


def decode(kind: type[T], octets: bytes) -> T:
    """Return the value of type `kind` in `octets`. Raises WireError."""
    try:
        return cast("T", _built(kind, json.loads(octets)))
    except WireError:
        raise
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise WireError(f"no {kind.__name__}: {type(error).__name__}") from error


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple | frozenset):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(getattr(value, name)) for name in _hints(type(value))}
    raise TypeError(f"{type(value).__name__} does not cross")


@cache
def _hints(kind: type) -> dict[str, Any]:
    """Return the types of the fields a dataclass is made from."""
    hints = get_type_hints(kind)
    return {item.name: hints[item.name] for item in dataclasses.fields(kind) if item.init}


def _built(kind: Any, data: Any) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _first_that_fits(get_args(kind), data)
    if origin is Literal:
        if not any(type(data) is type(word) and data == word for word in get_args(kind)):
            raise WireError(f"{data!r} is none of the words")
        return data
    if origin in (tuple, frozenset):
        return _many(origin, get_args(kind), data)
    if kind is type(None):
        return _plainly(data is None, data)
    if kind is float:
        return float(_plainly(type(data) in (int, float), data))
    if kind in (bool, int, str):
        return _plainly(type(data) is kind, data)
    if kind is bytes:
        return base64.b64decode(_plainly(type(data) is str, data), validate=True)
    if kind is datetime:
        return datetime.fromisoformat(_plainly(type(data) is str, data))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    if dataclasses.is_dataclass(kind):
        hints = _hints(cast("type", kind))
        if type(data) is not dict or data.keys() != hints.keys():
            raise WireError(f"the fields are not those of {kind}")
        return cast("Any", kind)(**{name: _built(hint, data[name]) for name, hint in hints.items()})
    raise WireError(f"{kind} does not cross")


def _plainly(fits: bool, data: Any) -> Any:
    if not fits:
        raise WireError(f"a {type(data).__name__} where something else belongs")
    return data


def _many(origin: type, kinds: tuple[Any, ...], data: Any) -> Any:
    _plainly(type(data) is list, data)
    if origin is frozenset or (len(kinds) == 2 and kinds[1] is Ellipsis):
        return origin(_built(kinds[0], item) for item in data)
    if len(kinds) != len(data):
        raise WireError(f"{len(data)} values where {len(kinds)} belong")
    return tuple(_built(kind, item) for kind, item in zip(kinds, data, strict=True))


def _first_that_fits(kinds: tuple[Any, ...], data: Any) -> Any:
    fault: Exception | None = None
    for kind in kinds:
        try:
            return _built(kind, data)
        except (WireError, ValueError, TypeError) as error:
            fault = error
    raise WireError("no member of a union fits") from fault
