"""docs/encryption.md says what is: its script over HTTP runs against a real service, and ends with what was sealed."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest

from api.auth.service import SCOPES
from tests.api.conftest import make_pdf
from tests.test_readme import ROOT, run_script, service

__all__ = ["service"]

PAGE = (ROOT / "docs" / "encryption.md").read_text(encoding="utf-8")
SECTION = PAGE[PAGE.index("## Over HTTP") : PAGE.index("## Limits")]


@pytest.mark.slow
def test_the_script_ends_with_what_was_sealed(tmp_path: Path, service: dict[str, str]) -> None:
    (tmp_path / "contract.pdf").write_bytes(make_pdf())
    found = re.search(r"^```sh\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE)
    assert found is not None
    run_script(found[1], tmp_path, service)
    assert (tmp_path / "opened.pdf").read_bytes() == (tmp_path / "contract.pdf").read_bytes()
    for name, families in (("envelope.zip", {"china", "international"}), ("part.zip", {"international"})):
        with zipfile.ZipFile(tmp_path / name) as archive:
            assert {entry.split(".")[0] for entry in archive.namelist()} - {"manifest"} == families
    deliveries = json.loads((tmp_path / "deliveries.json").read_text())["data"]
    assert [row["type"] for row in deliveries] == ["content.delivered", "part.delivered", "open.recorded", "open.done"]


def test_every_scope_that_is_named_exists() -> None:
    assert set(re.findall(r"^\| `(envelopes:[a-z]+)` \|", SECTION, re.MULTILINE)) == {
        scope for scope in SCOPES if scope.startswith("envelopes:")
    }
