"""One line for each file: name, verdict, number of signatures, who signed, when; hanzi are two columns wide.

rows = [row_of(report) for report in reports]
table(rows, "zh")
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from signer.report import CONSENT, Report, Verdict
from signer.text import strings
from signer.text.answers import name_of, proven, readable
from signer.text.cleaning import clean

MAX_NAMES = 60
"""Columns of the names of signers; the JSON has them all."""


@dataclass(frozen=True)
class Row:
    """One file. Small on purpose: thousands of them are kept until the table can be aligned."""

    file: str
    verdict: Verdict | None
    """None: the file could not be read."""
    signatures: int = 0
    signers: str = ""
    time: str = ""


def row_of(report: Report) -> Row:
    """Return the row of a report; a question mark stands before a name that no check bears out."""
    people = [one for one in report.signatures if one.kind in CONSENT]
    names = [
        name_of(one.signer) if proven(one) else f"? {name_of(one.signer)}" for one in people if one.signer is not None
    ]
    times = [one.signed_at.value for one in people if one.signed_at is not None]
    return Row(
        clean(report.file),
        report.verdict,
        len(report.signatures),
        _cut(clean("; ".join(dict.fromkeys(names))), MAX_NAMES),
        readable(max(times)) if times else "",
    )


def table(rows: Sequence[Row], lang: str) -> str:
    """Return the table with a head and a line of totals."""
    words = strings(lang)
    columns = ("file", "verdict", "signatures", "signers", "time")
    cells = [tuple(words["summary." + column] for column in columns)]
    for row in rows:
        verdict = row.verdict.value if row.verdict is not None else words["summary.unreadable"]
        cells.append((row.file, verdict, str(row.signatures), row.signers, row.time))
    widths = [max(columns_of(line[index]) for line in cells) for index in range(len(columns))]
    lines = ["  ".join(_padded(*cell) for cell in zip(line, widths, columns, strict=True)).rstrip() for line in cells]
    verdicts = [row.verdict for row in rows]
    total = words["summary.total"].format(
        files=len(rows),
        passed=verdicts.count(Verdict.TOTAL_PASSED),
        failed=verdicts.count(Verdict.TOTAL_FAILED),
        indeterminate=verdicts.count(Verdict.INDETERMINATE),
        unsigned=verdicts.count(Verdict.NO_SIGNATURE),
        unreadable=verdicts.count(None),
    )
    return "\n".join([*lines, "", total]) + "\n"


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes (Unicode Standard Annex 11; marks take none)."""
    return sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def _padded(text: str, width: int, column: str) -> str:
    space = " " * (width - columns_of(text))
    return space + text if column == "signatures" else text + space


def _cut(text: str, width: int) -> str:
    if columns_of(text) <= width:
        return text
    while columns_of(text) > width - 1:
        text = text[:-1]
    return text + "…"
