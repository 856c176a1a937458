"""docs/agreements.md says what is: its script runs against a real service, and its tables are the program's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from api.auth.service import SCOPES
from signer.layers import load_agreement
from tests.api.conftest import make_pdf
from tests.test_readme import ROOT, run_script, service

__all__ = ["service"]

PAGE = (ROOT / "docs" / "agreements.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_story_ends_with_a_contract_that_a_stranger_verifies(tmp_path: Path, service: dict[str, str]) -> None:
    (tmp_path / "contract.pdf").write_bytes(make_pdf())
    found = re.search(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None
    run_script(found[1], tmp_path, service)
    report = (tmp_path / "report.txt").read_text(encoding="utf-8")
    assert report.count("agreement-binding: this agreement") == 2
    assert json.loads((tmp_path / "refused.json").read_text())["errors"][0]["pointer"] == "/parties/0"
    ended = load_agreement((tmp_path / "agreement.ended.json").read_bytes(), verify=lambda cms, content: ())
    assert [end.kind for end in ended.endings] == ["termination"]


def test_every_scope_that_is_named_exists() -> None:
    named = set(re.findall(r"^\| `(agreements:[a-z]+)` \|", PAGE, re.MULTILINE))
    assert named == {scope for scope in SCOPES if scope.startswith("agreements:")}


def test_the_states_are_the_programs() -> None:
    from api.agreements.states import State

    picture = PAGE[PAGE.index("draft →") : PAGE.index("| step |")]
    assert set(re.findall(r"[a-z_]+", picture)) == {str(state) for state in State}
