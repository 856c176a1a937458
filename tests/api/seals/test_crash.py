"""kill -9 at any instant of making or using a seal: one seal, one use of the grant, one sealed document."""

from __future__ import annotations

import pytest

from tests.api.crash import points_of

WALK = "tests.api.seals.crash_sealing"
USED = ["grant.made", "seal.approved", "seal.made", "seal.prepared", "use.done", "use.recorded"]


@pytest.mark.parametrize(
    ("route", "suite", "step"),
    [
        pytest.param("document", "ecdsa-p256", 1, marks=pytest.mark.long),
        pytest.param("document", "sm2", 1, marks=pytest.mark.long),
        pytest.param("contract", "gost2012-256", 31, marks=pytest.mark.slow),
    ],
)
def test_a_grant_is_used_exactly_once_wherever_the_service_dies(route: str, suite: str, step: int) -> None:
    points = points_of(WALK, route, suite, str(step))
    assert len(points) > 2
    assert all(point["killed"] for point in points[:-1])
    for point in points:
        assert (point["state"], point["used"], point["intact"]) == ("active", [1], True), point
        assert point["log"] == USED, point
        assert (point["documents"], point["verdicts"]) == (2, ["TOTAL-PASSED"]), point


@pytest.mark.parametrize(("suite", "step"), [("ecdsa-p256", 19), pytest.param("sm2", 1, marks=pytest.mark.long)])
def test_a_seal_is_made_exactly_once_wherever_the_service_dies(suite: str, step: int) -> None:
    points = points_of(WALK, "make", suite, str(step))
    assert len(points) > 2
    assert all(point["killed"] for point in points[:-1])
    for point in points:
        assert (point["state"], point["sealed"], point["intact"]) == ("made", 200, True), point
        assert point["log"] == ["seal.approved", "seal.made", "seal.prepared"], point
