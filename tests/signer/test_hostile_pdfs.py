"""Thousands of malformed and hostile PDFs of other projects: every one gets a verdict or a clear error, within limits.

SEALROAD_HOSTILE_PDFS names the folder; any tree of files will do, such as the test files of qpdf, PDFium, pdf.js, DSS,
iText, Corkami. What was found with them is a test of its own elsewhere; this one says that nothing new turns up.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from signer.limited import Child, ChildFault, LimitReached

pytestmark = pytest.mark.slow

SECONDS = 30
ENOUGH = 2000


def test_every_file_gets_an_answer_in_time() -> None:
    folder = os.environ.get("SEALROAD_HOSTILE_PDFS")
    if not folder:
        pytest.skip("SEALROAD_HOSTILE_PDFS names no folder")
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    assert len(files) >= ENOUGH, "a small set proves little"
    wrong: dict[str, str] = {}
    answers: Counter[str] = Counter()
    with Child("tests.signer.hostile_task:answer", seconds=SECONDS, memory=3 << 30) as child:
        for path in files:
            try:
                found = child.ask({"name": path.name}, path.read_bytes()).decode()
            except (LimitReached, ChildFault) as error:
                found = f"internal {type(error).__name__} {error}"
            answers[found.split()[0]] += 1
            if found.startswith("internal"):
                wrong[str(path)] = found
    print(dict(answers))
    assert wrong == {}
