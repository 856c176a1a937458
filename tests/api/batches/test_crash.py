"""kill -9 at any instant of a batch: every contract signed once, the policy used once."""

from __future__ import annotations

import pytest

from tests.api.crash import points_of

SIGNED = {
    "state": "completed",
    "revisions": [0, 1],
    "embedded": 1,
    "completed": 1,
    "signed": 1,
    "verdicts": [["passed"]],
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("route", "suite", "step"), [pytest.param("held", "ecdsa-p256", 1, marks=pytest.mark.long), ("party", "sm2", 23)]
)
def test_a_batch_is_done_exactly_once_wherever_the_service_dies(route: str, suite: str, step: int) -> None:
    points = points_of("tests.api.batches.crash_batch", route, suite, str(step))
    assert len(points) > 2
    assert all(point["killed"] for point in points[:-1])
    for point in points:
        assert point["contracts"] == [SIGNED, SIGNED], point
        assert point["batches"] == [["ended", 2]], point
        assert point["used"] == (2 if route == "held" else None), point
