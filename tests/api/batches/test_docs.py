"""docs/handover.md and docs/batches.md say what is: their tables are those of the program."""

from __future__ import annotations

import ast
import inspect
import re
from typing import get_args

from api.batches import policy
from api.batches.schemas import MAX_ITEMS, BatchItemOut, SigningPolicyIn
from api.handover import service, visit
from api.handover.schemas import HandoverState
from tests.test_readme import ROOT

HANDOVER, BATCHES = ((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("handover.md", "batches.md"))


def first_column(page: str, after: str) -> list[str]:
    """Return the words in the first column of the first table after some text."""
    table = page[page.index(after) :].split("\n|", 1)[1].split("\n\n", 1)[0]
    return re.findall(r"^\|? ?`([^`|]+)`", "|" + table, re.MULTILINE)


def test_states_events_and_limits_of_a_handover() -> None:
    assert set(first_column(HANDOVER, "says how far it is")) == set(get_args(HandoverState))
    source = inspect.getsource(service) + inspect.getsource(visit)
    assert set(re.findall(r"`(handover\.[a-z]+)`", HANDOVER)) == set(re.findall(r'"(handover\.[a-z]+)"', source))
    assert visit.MOST == 5
    assert "five values did not fit" in HANDOVER


def test_states_fields_and_reasons_of_a_batch() -> None:
    assert set(first_column(BATCHES, "goes on where it was")) == set(
        get_args(BatchItemOut.model_fields["state"].annotation)
    )
    reasons = {
        ast.literal_eval(each.value)
        for each in ast.walk(ast.parse(inspect.getsource(policy)))
        if isinstance(each, ast.keyword) and each.arg == "reason"
    }
    assert set(first_column(BATCHES, "with a `reason`")) == reasons
    fields = set(re.findall(r"`([a-z_]+)`", BATCHES[BATCHES.index("| `grantee`") : BATCHES.index("A seal needs its")]))
    assert set(SigningPolicyIn.model_fields) - {"name"} <= fields
    assert f"up to {MAX_ITEMS} contracts" in BATCHES
