"""docs/trial.md says what is: from a PDF to a sealed, encrypted and verified contract, by curl and `sealroad`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from signer.cli_verify import EXIT_CODES
from tests.api.conftest import make_pdf
from tests.test_readme import ROOT, run_script, service

__all__ = ["service"]

PAGE = (ROOT / "docs" / "trial.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_trial_ends_with_a_contract_that_anybody_can_verify(tmp_path: Path, service: dict[str, str]) -> None:
    (tmp_path / "contract.pdf").write_bytes(make_pdf(pages=3))
    found = re.search(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None
    out = run_script(found[1], tmp_path, service)  # its last command is the verifier's, and ends with 0
    assert EXIT_CODES["TOTAL-PASSED"] == 0
    assert out.count("✓ passed") == 4, out
    evidence = json.loads((tmp_path / "evidence.json").read_text())
    assert [party["suite"] for party in evidence["contract"]["parties"]] == [
        *("sm2", "sm2", "gost2012-256", "ecdsa-p256"),
    ]
    assert evidence["contract"]["state"] == "completed"
    assert len(evidence["intents"]) == 4
    opened = (tmp_path / "contract.signed.pdf").read_bytes()
    assert opened.count(b"/ByteRange") == 4
    assert (tmp_path / "contract.zip").read_bytes().startswith(b"PK")
