"""Many recipients, as many as `SEALROAD_BULK_ROWS` says; and a service that is killed while it sends."""

from __future__ import annotations

import os

import pytest

from tests.api.conftest import User, circle_today
from tests.api.crash import points_of
from tests.api.templates.crash_sending import ROWS
from tests.api.templates.post import bulk, ended, results, slot, table, taken, template
from tests.api.test_jobs import events

COUNT = int(os.environ.get("SEALROAD_BULK_ROWS", "150"))


@pytest.mark.slow
def test_many_recipients_from_a_table(user: User) -> None:
    """Each has a contract with the sender, who holds its own key, and is followed as it goes."""
    own = slot("seller", name="Anna Becker", certificate=circle_today("ecdsa-p256").bundle)
    made = template(user, own, slot("buyer", order=2, certificate=circle_today("sm2").bundle), level="B-B")
    rows = [{"buyer.name": f"收件人 {n}", "external_id": f"A-{n}"} for n in range(COUNT)]
    sent = taken(bulk(user, made, table(*rows)))
    after, found = 0, []
    while not found or found[-1][1] != "done":  # a stream ends after some minutes
        found += events(
            user.get(f"/v1/jobs/{sent['job']}/events", headers={"last-event-id": str(after)}, timeout=900).text
        )
        after = found[-1][0] if found else 0
    done = [body["done"] for _, kind, body in found if kind == "progress"]
    assert done == [*range(25, COUNT, 25), COUNT]
    assert ended(user, sent)["sent"] == COUNT
    told = results(user, sent)
    assert [row["external_id"] for row in told] == [row["external_id"] for row in rows]
    assert len({row["contract"] for row in told}) == COUNT


@pytest.mark.slow
def test_a_service_killed_at_any_effect_sends_every_row_exactly_once() -> None:
    points = points_of("tests.api.templates.crash_sending", "22")
    assert len(points) > 2
    assert all(point.pop("killed") for point in points[:-1])
    for point in points:
        assert (point["state"], point["sent"], point["bulks"]) == ("ended", ROWS, 1), point
        assert point["contracts"] == [f"A-{number}" for number in range(ROWS)], point
        assert (point["states"], point["once"], point["named"]) == (["sent"], [1] * ROWS, ROWS), point
