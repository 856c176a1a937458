"""What a signing policy permits, and why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from api.batches.policy import Part, Policy, permit
from api.errors import SigningPolicyRefused
from tests.conftest import NOW

DAY = timedelta(days=1)
POLICY = Policy(
    id="spl_1", grantee="key_1", person="per_1", valid_from=NOW, valid_to=NOW + DAY, max_documents=3, max_per_day=5
)
PART = Part(role="signer", documents=1, person="per_1", organisation="org_1", seal=None, agreement="agr_1")


def reason(policy: Policy, parts: list[Part], who: str = "key_1", after: timedelta = timedelta()) -> str:
    with pytest.raises(SigningPolicyRefused) as caught:
        permit(policy, who, parts, NOW + after)
    return str(caught.value.facts["reason"])


def test_what_is_within_all_limits_is_counted_in_documents() -> None:
    assert permit(POLICY, "key_1", [PART, replace(PART, documents=2)], NOW) == 3
    assert permit(replace(POLICY, used_today=2), "key_1", [PART] * 3, NOW + DAY) == 3


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"person": None, "organisation": "org_1"}, PART),
        ({"person": None, "seal": "seal_1"}, replace(PART, seal="seal_1")),
        ({"agreement": "agr_1"}, PART),
        ({"roles": frozenset({"signer"})}, PART),
    ],
)
def test_a_policy_is_for_one_persons_organisations_or_seals_keys(change: dict[str, object], part: Part) -> None:
    policy = replace(POLICY, **change)
    assert permit(policy, "key_1", [part], NOW) == 1
    other = Part(role="witness", documents=1, person="per_2", organisation="org_2", seal="seal_2", agreement="agr_2")
    assert reason(policy, [part, other]) == "policy-scope"
    assert reason(policy, [replace(other, person=None, organisation=None, seal=None)]) == "policy-scope"


def test_every_item_that_is_not_covered_is_named() -> None:
    with pytest.raises(SigningPolicyRefused) as caught:
        permit(POLICY, "key_1", [PART, replace(PART, person="per_2"), replace(PART, person=None)], NOW)
    assert [each["pointer"] for each in caught.value.facts["errors"]] == ["/items/1", "/items/2"]


def test_limits_person_and_time() -> None:
    assert reason(POLICY, [PART], who="key_2") == "not-granted"
    assert reason(replace(POLICY, revoked=True), [PART]) == "not-granted"
    assert reason(POLICY, [PART], after=-timedelta(seconds=1)) == "not-granted"
    assert reason(POLICY, [PART], after=DAY + timedelta(seconds=1)) == "policy-expired"
    assert reason(POLICY, [PART] * 4) == "batch-too-large"
    assert reason(replace(POLICY, used_today=3), [PART] * 3) == "daily-limit"
    assert reason(replace(POLICY, used_today=9), [PART]) == "daily-limit"
