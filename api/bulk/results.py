"""What became of the rows, one after the other: as NDJSON, or as CSV that a spreadsheet opens without computing."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any, Final

from api.bulk import repository
from api.bulk.schemas import RowOut
from api.context import Context

NDJSON, CSV = "application/x-ndjson", "text/csv"
FORMATS: Final = {NDJSON: "ndjson", CSV: "csv"}
NAMES: Final = ("row", "state", "external_id", "contract", "code", "detail")
BLOCK: Final = 500


def lines(context: Context, bulk_id: str, form: str) -> Iterator[str]:
    """Yield the results of a bulk send in pieces."""
    if form == "csv":
        yield "\ufeff" + _csv(NAMES)  # by that, and by nothing else, spreadsheets know UTF-8
    after = -1
    while True:
        with context.database.read() as session:
            rows = [RowOut.of(row) for row in repository.rows_after(session, bulk_id, after, BLOCK)]
        if not rows:
            return
        after = rows[-1].row
        yield "".join(_csv(_cells(row)) if form == "csv" else row.model_dump_json() + "\n" for row in rows)


def _cells(row: RowOut) -> tuple[Any, ...]:
    error = row.error or {}
    told = "; ".join(entry["detail"] for entry in error.get("errors", ())) or error.get("detail", "")
    cells = (row.state, row.external_id, row.contract, error.get("code"), told)
    return (row.row, *(_neutral(cell or "") for cell in cells))


def _csv(cells: tuple[Any, ...]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerow(cells)  # RFC 4180
    return out.getvalue()


def _neutral(cell: str) -> str:
    """Return a cell for a CSV file that a spreadsheet will open: what it would compute is made text.

    OWASP, CSV injection: cells that begin with = + - @, a tab or a line break are formulas to some programs.
    """
    return f"'{cell}" if re.match(r"[=+\-@\t\r\n＝＋－＠]", cell) else cell
