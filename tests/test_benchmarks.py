"""Every benchmark still runs and still compares; how it turns out is not looked at."""

from __future__ import annotations

import importlib
import math

import pytest

from benchmarks.__main__ import ALL, main

pytestmark = pytest.mark.slow


QUICK = {"suites"}
"""The others take a minute each, also when they are quick."""


@pytest.mark.parametrize("name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.long) for n in ALL])
def test_benchmark_runs(name: str) -> None:
    tables = importlib.import_module(f"benchmarks.{name}").run(quick=True)

    rows = [row for table in tables for row in table.rows]
    compared = [row for row in rows if row.ratios]
    assert compared, [row.peer for row in rows]
    assert all(math.isfinite(ratio) and ratio > 0 for row in compared for ratio in row.ratios)
    for table in tables:
        assert all(row.what in str(table) for row in table.rows)


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["nonsense"])

    assert "there is no benchmark nonsense" in capsys.readouterr().err
