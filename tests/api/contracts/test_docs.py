"""docs/contracts.md says what is: its script runs against a real service, its tables are those of the program."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from api.contracts.parts import Relation
from api.contracts.workflow import CONTRACT_MOVES, SIGNS, ContractState, Role
from certs.clock import SystemClock
from certs.trust import TrustStore
from signer.verify import verify_bytes
from tests.api.conftest import make_pdf
from tests.test_readme import ROOT, run_script, service

__all__ = ["service"]

PAGE = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_story_ends_with_a_contract_that_was_completed_and_terminated(
    tmp_path: Path, service: dict[str, str]
) -> None:
    for name in ("contract-zh.pdf", "contract-ru.pdf", "termination.pdf"):
        (tmp_path / name).write_bytes(make_pdf(text=name))
    found = re.search(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None
    run_script(found[1], tmp_path, service)
    report = verify_bytes(
        (tmp_path / "signed-ru.pdf").read_bytes(), name="signed-ru.pdf", trust=TrustStore(), clock=SystemClock()
    )
    assert [(each.suite, each.cryptographic.result) for each in report.signatures] == [
        ("sm2", "passed"),
        ("gost2012-256", "passed"),
    ]
    after, ending = (json.loads((tmp_path / name).read_text()) for name in ("after.json", "ending.json"))
    assert (after["state"], after["terminated_by"]) == ("completed", [ending["id"]])
    assert [party["state"] for party in after["parties"]] == [
        *("approved", "signed", "delegated", "signed", "acknowledged"),
    ]
    evidence = json.loads((tmp_path / "evidence.json").read_text())
    types = [event["type"] for event in evidence["events"]]
    for name in ("party.approved", "party.viewed", "party.delegated", "party.reminded", "party.acknowledged"):
        assert types.count(name) == 1, types
    assert set(evidence["manifest_digests"]) == {"sha256", "sm3", "streebog256"}


def test_every_role_is_in_the_table_and_says_whether_it_is_waited_for() -> None:
    rows = re.findall(r"^\| `([a-z]+)` \| (\S+) \| ([^|]+) \| ([^|]+) \| (yes|no) \|$", PAGE, re.MULTILINE)
    assert [row[0] for row in rows] == [
        *("signer", "seal", "witness", "approver", "viewer", "cc"),
    ]
    assert {row[0] for row in rows} == set(Role)
    assert {row[0] for row in rows if row[3].startswith("signs")} == set(SIGNS)
    assert {row[0] for row in rows if row[4] == "no"} == {"cc"}
    for _, chinese, russian, *_ in rows:
        assert re.search(r"[\u4e00-\u9fff]", chinese)
        assert re.search(r"[а-я]", russian)


def test_every_state_command_and_relation_is_named() -> None:
    picture = PAGE[PAGE.index("## States") : PAGE.index("## Roles")]
    for state in ContractState:
        assert state in picture
    named = set(re.findall(r"/([a-z]+)`", picture)) | {"expire", "delegate"}
    assert set(CONTRACT_MOVES[ContractState.SENT]) <= named
    for kind in Relation:
        assert f"`{kind}`" in PAGE or f'"{kind}"' in PAGE
