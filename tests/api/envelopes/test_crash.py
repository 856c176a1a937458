"""kill -9 at any instant of sealing or opening an envelope: one envelope, one use of each key, one document."""

from __future__ import annotations

import pytest

from tests.api.crash import points_of

WALK = "tests.api.envelopes.crash_sealing"
SEALED = ["envelope.requested", "envelope.prepared", "envelope.sealed"]


@pytest.mark.parametrize(
    ("suite", "step"),
    [
        pytest.param("ecdsa-p256", 1, marks=pytest.mark.long),
        pytest.param("sm2", 1, marks=pytest.mark.long),
        pytest.param("gost2012-256", 23, marks=pytest.mark.slow),
    ],
)
def test_an_envelope_is_sealed_exactly_once_wherever_the_service_dies(suite: str, step: int) -> None:
    points = points_of(WALK, "seal", suite, str(step))
    assert len(points) > 2
    assert all(point["killed"] for point in points[:-1])
    for point in points:
        assert (point["state"], point["log"], point["intact"]) == ("sealed", SEALED, True), point
        assert (point["sent"], point["used"], point["uses"]) == (1, [1], ["use.recorded", "use.done"]), point
        assert point["known"], point


@pytest.mark.slow
def test_an_envelope_is_opened_exactly_once_wherever_the_service_dies() -> None:
    points = points_of(WALK, "open", "sm2", "7")
    assert len(points) > 2
    assert all(point["killed"] for point in points[:-1])
    for point in points:
        assert (point["documents"], point["sender"], point["intact"]) == ([True, True], "TOTAL-PASSED", True), point
        assert point["log"] == [*SEALED, "open.recorded", "open.done"], point
