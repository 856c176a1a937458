"""A table as it arrives: CSV with a line of column names, NDJSON, or a JSON array. Bytes in, records out.

    table = read(data)                   # ValidationFailed where it cannot be read at all
    table.columns                        # of CSV: ["buyer.name", "buyer.email", "external_id"]; None of JSON
    table.records                        # (2, ["王伟", "wang@example.com", "A-1"]), …; of JSON (1, '{"parties": …}'), …

Records are numbered as a spreadsheet numbers them: the column names are row 1. Nothing is guessed: octets that are not
UTF-8 are refused, with a hint what they look like.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

from api.errors import ValidationFailed
from api.kit.refusals import problem_at

MAX_OCTETS: Final = 16 * 1024 * 1024
MAX_ROWS: Final = 5000
MAX_COLUMNS: Final = 500
MAX_CELL: Final = 100_000
"""Characters: as many as a certificate with its chain may have."""
MAX_JSON: Final = 1024 * 1024
"""Characters of one row of NDJSON, and of an array."""
DELIMITERS: Final = ";,\t"
SAVE: Final = "save it as CSV in UTF-8: in Excel 'CSV UTF-8', in LibreOffice with the character set 'Unicode (UTF-8)'"


@dataclass(frozen=True)
class Table:
    """What was sent, not yet understood."""

    columns: list[str] | None
    records: list[tuple[int, Any]]
    """Number and cells; of JSON, number and text."""


def read(data: bytes) -> Table:
    """Read a table. Raises ValidationFailed."""
    text = _text(data)
    if text.lstrip()[:1] in ("{", "["):
        return _limited(Table(None, _json(text)))
    return _limited(_csv(text))


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _refuse("encoding", "the table is in UTF-16, not in UTF-8", hint=SAVE)
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise _refuse("nul", f"line {line} has a NUL, which no text has", hint=SAVE)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        detail = f"the table is not in UTF-8: line {line}, octet {error.start}"
        raise _refuse("encoding", detail, hint=f"{_looks_like(data)}{SAVE}") from None


def _looks_like(data: bytes) -> str:
    """Say which encoding it may be, in words that go before others.

    Words in Cyrillic or Chinese are runs of octets above 127. In Windows-1251 nearly all of them are letters, most of
    them small (0xE0 and up); in KOI8-R the small ones are below that.
    """
    head = data[: 1 << 16]
    high = [octet for octet in head if octet > 0x7F]
    runs = sum(one > 0x7F and other > 0x7F for one, other in itertools.pairwise(head))
    if runs < len(high) / 2:
        return ""
    if sum(octet >= 0xC0 for octet in high) > 0.9 * len(high):
        small = sum(octet >= 0xE0 for octet in high)
        return "it looks like Windows-1251 (CP1251); " if small > len(high) / 2 else "it looks like KOI8-R; "
    try:
        head.decode("gb18030", "strict" if len(head) == len(data) else "ignore")
    except UnicodeDecodeError:
        return ""
    return "it looks like GB18030 (GBK); "


def _csv(text: str) -> Table:
    first = text.split("\n", 1)[0][: MAX_CELL * 10]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records: list[tuple[int, Any]] = []
    try:
        columns = [unicodedata.normalize("NFC", name.strip()) for name in next(reader, [])]
        if len(columns) > MAX_COLUMNS:
            raise _refuse("too-many-columns", f"the table has {len(columns)} columns; {MAX_COLUMNS} are taken")
        for number, cells in enumerate(reader, 2):
            if any(cell.strip() for cell in cells):
                records.append((number, cells))
                if len(records) > MAX_ROWS:
                    break
    except csv.Error as error:
        where = f"line {reader.line_num}: "
        if "field larger" in str(error):
            raise _refuse("too-long", f"{where}a cell has more than {MAX_CELL} characters") from None
        hint = "a cell with quotation marks or line breaks stands in quotation marks, those inside it twice"
        raise _refuse("quotes", f"{where}{error}", hint=hint) from None
    if not any(columns):
        raise _refuse("empty", "the table has no line with the names of the columns")
    return Table(columns, records)


def _json(text: str) -> list[tuple[int, Any]]:
    """Return JSON row by row, unread: what is small as text need not be small in memory."""
    if not text.lstrip().startswith("["):
        return [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(text) > MAX_JSON:
        raise _refuse("too-long", f"an array has more than {MAX_JSON} characters", hint="send one object on each line")
    return [(number, json.dumps(each)) for number, each in enumerate(parsed(text), 1)]


def parsed(text: str) -> Any:
    """Return what JSON says. Raises ValidationFailed."""
    if len(text) > MAX_JSON:
        raise _refuse("too-long", f"a row has more than {MAX_JSON} characters", pointer="")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        hint = "one object on each line, or one array of objects"
        raise _refuse("json", "is not JSON that can be read", hint=hint, pointer="") from None


def _limited(table: Table) -> Table:
    if not table.records:
        raise _refuse("empty", "the table has no rows")
    if len(table.records) > MAX_ROWS:
        raise _refuse("too-many-rows", f"the table has more than {MAX_ROWS} rows", hint="send it in several parts")
    return table


def _refuse(code: str, detail: str, hint: str = "", pointer: str = "/file") -> ValidationFailed:
    return ValidationFailed(detail, hint=hint, errors=[problem_at(pointer, code, detail)])
