"""docs/seal-life.md says what is: its script runs against a real service, and ends with a sealed PDF."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from certs.clock import SystemClock
from certs.trust import TrustStore
from signer.seals import read_seal
from signer.verify import verify_bytes
from tests.api.conftest import make_pdf
from tests.test_readme import ROOT, run_script, service

__all__ = ["service"]

PAGE = (ROOT / "docs" / "seal-life.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_script_ends_with_a_sealed_pdf(tmp_path: Path, service: dict[str, str]) -> None:
    (tmp_path / "contract.pdf").write_bytes(make_pdf(3))
    found = re.search(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None
    run_script(found[1], tmp_path, service)
    seal = read_seal((tmp_path / "contract.esl").read_bytes())
    assert seal.picture.data == (tmp_path / "seal.png").read_bytes()
    data = (tmp_path / "sealed.pdf").read_bytes()
    report = verify_bytes(data, name="sealed.pdf", trust=TrustStore(), clock=SystemClock())
    (signature,) = report.signatures
    assert signature.seal is not None
    assert (signature.seal.id, signature.cryptographic.result) == (seal.seal_id, "passed")


def test_every_reason_and_scope_that_is_named_exists() -> None:
    from api.auth.service import SCOPES

    source = "".join(
        (ROOT / name).read_text(encoding="utf-8")
        for name in ("signer/seals/lifecycle.py", "api/seals/applying.py", "api/seals/maker.py")
    )
    table = PAGE[PAGE.index("| reason |") : PAGE.index("A step out of turn")]
    named = set(re.findall(r"`([a-z-]+)`", table))
    assert named == set(re.findall(r'reason="([a-z-]+)"', source)) - {"not-listed"}
    assert set(re.findall(r"^\| `(seals:[a-z]+)` \|", PAGE, re.MULTILINE)) == {
        scope for scope in SCOPES if scope.startswith("seals:")
    }
