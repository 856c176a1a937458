"""A verification that a busy machine cuts short says nothing about the contract."""

from __future__ import annotations

from typing import Any

import pytest

from api.contracts import tasks
from api.contracts.evidence import verify_documents
from api.contracts.evidence_schemas import DocumentReport
from tests.api.conftest import User, held


def cut_short(entry: DocumentReport) -> DocumentReport:
    """Return a report as `signer.sandbox` makes one where the time was over."""
    first = entry.report["signatures"][0]
    nothing = {**first, "field": "", "fields": [], "verdict": "INDETERMINATE", "code": "limits"}
    return entry.model_copy(update={"report": {**entry.report, "verdict": "INDETERMINATE", "signatures": [nothing]}})


@pytest.mark.parametrize(("times", "state"), [(1, "completed"), (9, "failed")])
def test_it_is_tried_again_and_not_for_ever(
    user: User, monkeypatch: pytest.MonkeyPatch, times: int, state: str
) -> None:
    tried: list[str] = []

    def hurried(context: Any, contract: Any) -> list[DocumentReport]:
        tried.append(contract.id)
        reports = verify_documents(context, contract)
        return reports if len(tried) > times else [cut_short(entry) for entry in reports]

    monkeypatch.setattr(tasks, "verify_documents", hurried)
    monkeypatch.setattr(tasks, "PATIENCE", 2)
    contract = user.sent(held("ecdsa-p256"))
    user.sign(contract, contract["parties"][0])

    ended = user.wait_for_state(contract, "completed", "failed")

    assert (ended["state"], len(tried)) == (state, 2)
    if state == "failed":
        assert "could not be verified within the limits" in ended["failure"]["detail"]
