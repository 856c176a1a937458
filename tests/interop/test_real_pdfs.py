"""Real PDF files from public projects, signed in three national cryptographies: see tools/survey.py.

SEALROAD_REAL_PDFS names the folder that `tools/survey.py collect` filled. The files cannot be had everywhere, so the
test is skipped without them, in CI too.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.interop.programs import Program
from tools import survey

pytestmark = pytest.mark.interop

FILES = survey.listed()


def test_the_manifest_is_large_and_various() -> None:
    assert len({entry.sha256 for entry in FILES}) == len(FILES) >= 60
    assert len({entry.repository for entry in FILES}) >= 10
    assert all(len(entry.commit) == 40 and len(entry.sha256) == 64 for entry in FILES)


@pytest.fixture(scope="module")
def folder() -> Path:
    path = os.environ.get("SEALROAD_REAL_PDFS")
    if not path:
        pytest.skip("SEALROAD_REAL_PDFS names no folder; fill one with tools/survey.py collect")
    Program.find("qpdf")
    return Path(path)


@pytest.mark.parametrize("turn", range(len(FILES)), ids=[f"{e.repository.rpartition('/')[2]}/{e.path}" for e in FILES])
def test_it_is_signed_three_times_or_refused_with_a_code(turn: int, folder: Path) -> None:
    (outcome,) = survey.survey(folder, [FILES[turn]], turn)
    assert outcome.word in ("signed", "refused"), outcome
    assert (outcome.word == "refused") == bool(outcome.code)
