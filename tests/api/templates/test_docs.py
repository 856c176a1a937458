"""docs/templates.md says what is: its script runs against a real service, its tables are those of the program."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import get_args

import pytest

from api.bulk import reading
from api.bulk.columns import EVIDENCE, NUMBERS, OF_ROWS, PLAIN, PROOF
from api.bulk.schemas import RowState
from tests.api.conftest import make_pdf
from tests.api.test_jobs import events
from tests.test_readme import ROOT, run_script, service

__all__ = ["service"]

PAGE = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_story_ends_with_every_row_sent(tmp_path: Path, service: dict[str, str]) -> None:
    (tmp_path / "terms.pdf").write_bytes(make_pdf())
    (tmp_path / "passport.png").write_bytes(b"a scan")
    found = re.search(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None
    run_script(found[1], tmp_path, service)
    one, ended = (json.loads((tmp_path / name).read_text()) for name in ("one.json", "ended.json"))
    assert (one["state"], one["external_id"]) == ("draft", "D-0")
    assert (ended["state"], ended["sent"], ended["failed"]) == ("ended", 2, 0)
    assert events((tmp_path / "events.txt").read_text())[-1][2]["result"]["sent"] == 2
    rows = [json.loads(line) for line in (tmp_path / "results.ndjson").read_text().splitlines()]
    with (tmp_path / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["contract"] for row in csv.DictReader(file)] == [row["contract"] for row in rows]


def test_every_column_state_and_limit_is_named() -> None:
    table = PAGE[PAGE.index("### The table") : PAGE.index("### Who are")]
    words = set(re.findall(r"`(?:SLOT)?\.?([a-z_.0-9]+)`", table))
    assert words >= {*OF_ROWS, *PLAIN, *NUMBERS, *PROOF[1:], *EVIDENCE, f"identity_proof.{PROOF[0]}"}
    states = re.findall(r"^\| `([a-z]+)` \| ", PAGE[PAGE.index("| state of a row") :], re.MULTILINE)
    assert states == list(get_args(RowState))
    assert f"{reading.MAX_ROWS:,} rows, {reading.MAX_COLUMNS} columns, {reading.MAX_OCTETS >> 20} MiB" in table
    assert f"{reading.MAX_CELL:,} characters" in table
