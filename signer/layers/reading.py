"""A file of settings read strictly: every key is known, every value of its kind, every fault names its place.

    table = parse(b'title = "Framework agreement"')
    table.text("title")            # raises BasisError: "title: a text is missing"
    table.end()                    # raises BasisError for a key nobody asked for

JSON (RFC 8259, no key twice) and TOML 1.0 give the same tables.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any

from signer.errors import BasisError

MAX_FILE = 1 << 20
"""Octets of an agreement or policy file."""
MAX_TEXT = 4000
MAX_ITEMS = 1000
MAX_DEPTH = 12
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OID = re.compile(r"[0-2](\.(0|[1-9]\d{0,38})){1,40}")


class Table:
    """One table of the file and where it stands."""

    def __init__(self, values: dict[str, Any], path: str = "") -> None:
        self._values = values
        self._seen: set[str] = set()
        self.path = path

    def at(self, key: str) -> str:
        """Return the place of a key, as in `parties[0].suites`."""
        return f"{self.path}.{key}" if self.path else key

    def fault(self, key: str, what: str) -> BasisError:
        """Return the error about a key."""
        return BasisError(f"{self.at(key)}: {what}", hint="docs/verification-report.md shows both kinds of file")

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def _take(self, key: str) -> Any:
        self._seen.add(key)
        return self._values.get(key)

    def text(self, key: str, default: str | None = None, *, most: int = MAX_TEXT) -> str:
        """Return a text; it must be there unless there is a default."""
        value = self._take(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not value.strip():
            raise self.fault(key, "a text is missing" if value is None else "this is no text")
        if len(value) > most:
            raise self.fault(key, f"the text is longer than {most} characters")
        return value.strip()

    def choice(self, key: str, allowed: tuple[str, ...]) -> str | None:
        """Return one of the words in `allowed`, or None where the key is absent."""
        value = self._take(key)
        if value is not None and value not in allowed:
            raise self.fault(key, f"{value!r} is none of {', '.join(allowed)}")
        return str(value) if value is not None else None

    def flag(self, key: str) -> bool:
        """Return a boolean, False where the key is absent."""
        value = self._take(key)
        if value is not None and not isinstance(value, bool):
            raise self.fault(key, "this is neither true nor false")
        return bool(value)

    def whole(self, key: str, *, least: int, most: int) -> int | None:
        """Return a whole number, or None where the key is absent."""
        value = self._take(key)
        if value is not None and (type(value) is not int or not least <= value <= most):
            raise self.fault(key, f"this is no whole number from {least} to {most}")
        return value

    def texts(self, key: str) -> tuple[str, ...] | None:
        """Return a list of texts without doubles, or None where the key is absent; an empty list is a fault."""
        value = self._take(key)
        if value is None:
            return None
        if not isinstance(value, list) or not value or len(value) > MAX_ITEMS:
            raise self.fault(key, "this is no list, is empty or too long")
        if not all(isinstance(item, str) and 0 < len(item) <= MAX_TEXT for item in value):
            raise self.fault(key, "a member of the list is no text")
        return tuple(dict.fromkeys(value))

    def words(self, key: str, allowed: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return a list of words out of `allowed`."""
        found = self.texts(key)
        for item in found or ():
            if item not in allowed:
                raise self.fault(key, f"{item!r} is none of {', '.join(allowed)}")
        return found

    def digests(self, key: str) -> tuple[str, ...] | None:
        """Return a list of SHA-256 digests in lower-case hexadecimal; colons and spaces are taken out."""
        found = self.texts(key)
        if found is None:
            return None
        plain = tuple(dict.fromkeys(re.sub(r"[:\s]", "", item).lower() for item in found))
        for item in plain:
            if not _SHA256.fullmatch(item):
                raise self.fault(key, f"{item[:80]!r} is no SHA-256 digest")
        return plain

    def digest(self, key: str) -> str | None:
        """Return one SHA-256 digest as `digests` does, or None where the key is absent."""
        if key not in self:
            return None
        value = self._take(key)
        plain = re.sub(r"[:\s]", "", value).lower() if isinstance(value, str) else ""
        if not _SHA256.fullmatch(plain):
            raise self.fault(key, "this is no SHA-256 digest")
        return plain

    def oids(self, key: str) -> tuple[str, ...] | None:
        """Return a list of dotted object identifiers."""
        found = self.texts(key)
        for item in found or ():
            if not _OID.fullmatch(item):
                raise self.fault(key, f"{item[:80]!r} is no object identifier")
        return found

    def moment(self, key: str) -> datetime | None:
        """Return a moment in UTC, or None. A date means its first moment; a time without zone is UTC."""
        value = self._take(key)
        if value is None:
            return None
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                raise self.fault(key, "this is no moment; write 2026-11-21 or 2026-11-21T10:00:00Z") from None
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time(), UTC)
        if not isinstance(value, datetime):
            raise self.fault(key, "this is no moment; write 2026-11-21 or 2026-11-21T10:00:00Z")
        try:
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        except OverflowError:
            raise self.fault(key, "this moment is out of range") from None

    def table(self, key: str) -> Table:
        """Return a table; an empty one where the key is absent."""
        value = self._take(key)
        if value is None:
            return Table({}, self.at(key))
        if not isinstance(value, dict):
            raise self.fault(key, "this is no table")
        return Table(value, self.at(key))

    def tables(self, key: str) -> list[Table]:
        """Return a list of tables, empty where the key is absent."""
        value = self._take(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value) or len(value) > MAX_ITEMS:
            raise self.fault(key, "this is no list of tables")
        return [Table(item, f"{self.at(key)}[{index}]") for index, item in enumerate(value)]

    def items(self) -> Iterator[tuple[str, Any]]:
        """Yield key and value of a table with free keys."""
        for key, value in self._values.items():
            self._seen.add(key)
            yield key, value

    def end(self) -> None:
        """Raise BasisError where a key was not asked for: a condition that is misspelt must not be passed over."""
        for key in self._values:
            if key not in self._seen:
                raise self.fault(key, "there is no such key")


def parse(data: bytes) -> Table:
    """Read JSON (when it begins with a brace) or TOML. Raises BasisError."""
    if len(data) > MAX_FILE:
        raise BasisError(f"the file is larger than {MAX_FILE >> 20} MiB")
    try:
        text = data.decode("utf-8-sig")
        value = json.loads(text, object_pairs_hook=_once) if text.lstrip()[:1] == "{" else tomllib.loads(text)
    except UnicodeDecodeError:
        raise BasisError("the file is not UTF-8", hint="it is JSON or TOML") from None
    except (ValueError, RecursionError) as error:  # of both parsers
        raise BasisError(f"the file is neither JSON nor TOML: {error}"[:300]) from None
    if not isinstance(value, dict) or _depth(value) > MAX_DEPTH:
        raise BasisError("the file is no table of keys, or is nested too deeply")
    return Table(value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice")
    return made


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0
