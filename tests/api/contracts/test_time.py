"""Reminders, later deadlines, expiry: what the clock does to a contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.contracts import tasks
from api.contracts.parts import Reminders
from api.contracts.reminders import next_moment, remind_due
from api.contracts.tasks import expire_overdue
from certs.clock import FixedClock
from tests.api.conftest import Service, User, at_home, circle_today, held
from tests.api.contracts.talk import act, completed, delegate, events, good, in_days, refused, types
from tests.api.seals.office import Office

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def reminded(user: User, contract: dict[str, Any]) -> list[dict[str, Any]]:
    return [event for event in events(user, contract) if event["type"] == "party.reminded"]


def later(user: User, contract: dict[str, Any], days: float) -> int:
    """Look for reminders as the timers would so many days from now; return how many this contract got.

    By a context of its own with another clock: the timers of the running service stay in the present.
    """
    before = len(reminded(user, contract))
    settings = replace(user.context.settings, clock=FixedClock(datetime.now(UTC) + timedelta(days=days)))
    remind_due(replace(user.context, settings=settings))
    return len(reminded(user, contract)) - before


# asked for -------------------------------------------------------------------------------------------------------


def test_whoever_is_waited_for_is_reminded_when_the_sender_asks(user: User) -> None:
    contract = user.sent(held("ecdsa-p256"), held("ecdsa-p256"), held("ecdsa-p256", order=2))
    first, second, third = contract["parties"]
    path = f"/v1/contracts/{contract['id']}/remind"
    headers = {"idempotency-key": "one", "if-match": f'"v{contract["version"]}"'}
    body = {"message": "请尽快签署。Пожалуйста, подпишите."}
    for _ in range(2):
        answer = good(user.post(path, json=body, headers=headers))
    assert [party["reminded_at"] is not None for party in answer["parties"]] == [True, True, False]
    told = reminded(user, contract)
    assert [event["body"]["party"] for event in told] == [first["id"], second["id"]]
    assert told[0]["body"]["data"] == {"scheduled": False, **body}
    refused(user.post(path, headers={"if-match": headers["if-match"]}), 412, "precondition-failed")
    good(user.post(path, json={"parties": [second["id"]]}))
    refused(user.post(path, json={"parties": [second["id"], third["id"]]}), 409, "state-conflict")
    refused(user.post(path, json={"parties": ["pty_" + "0" * 32]}), 404, "not-found")
    for wrong in ({"parties": []}, {"parties": ["x"]}, {"when": 1}):
        refused(user.post(path, json=wrong), 422, "validation-failed")
    assert len(reminded(user, contract)) == 3
    good(user.post(f"/v1/contracts/{contract['id']}/void"))
    refused(user.post(path), 409, "state-conflict")


# by a schedule ---------------------------------------------------------------------------------------------------


def test_the_timers_remind_by_the_schedule_once_each_time(user: User) -> None:
    plan = {"after_days": 2, "every_days": 3, "before_deadline_days": 1}
    contract = user.sent(held("ecdsa-p256"), reminders=plan, expires_at=in_days(9))
    assert contract["reminders"] == plan
    assert contract["next_reminder_at"] is not None
    assert later(user, contract, 1.9) == 0
    assert later(user, contract, 2.1) == 1
    assert later(user, contract, 2.1) == 0  # another process comes too late
    assert later(user, contract, 5.1) == 1
    assert later(user, contract, 8.05) == 1  # two were due: the third and the last before the deadline
    assert later(user, contract, 8.9) == 0
    told = reminded(user, contract)
    assert [event["body"]["data"]["scheduled"] for event in told] == [True] * 3
    assert {event["body"]["actor"]["type"] for event in told} == {"system"}
    assert user.contract(contract)["next_reminder_at"] is None


def test_a_service_that_was_away_reminds_once(user: User) -> None:
    contract = user.sent(held("ecdsa-p256"), reminders={"after_days": 1, "every_days": 1}, expires_at=in_days(30))
    assert later(user, contract, 20.5) == 1
    next_one = datetime.fromisoformat(user.contract(contract)["next_reminder_at"])
    assert timedelta(days=20.9) < next_one - datetime.now(UTC) < timedelta(days=21.1)


def test_nobody_is_reminded_of_a_contract_that_is_over(user: User) -> None:
    plan = {"reminders": {"after_days": 1, "every_days": 1}}
    signed, withdrawn = (user.sent(held("ecdsa-p256"), **plan) for _ in range(2))
    user.sign(signed, signed["parties"][0])
    completed(user, signed)
    good(user.post(f"/v1/contracts/{withdrawn['id']}/void"))
    for contract in (signed, withdrawn):
        assert later(user, contract, 2) == 0
        assert user.contract(contract)["next_reminder_at"] is None


def test_a_schedule_can_be_taken_out_of_a_draft(user: User) -> None:
    draft = user.draft([held("ecdsa-p256")], reminders={"after_days": 1})
    path = f"/v1/contracts/{draft['id']}"
    changed = good(user.request("PATCH", path, json={"reminders": None}, headers={"if-match": '"v1"'}))
    assert changed["reminders"] is None
    assert user.send(changed)["next_reminder_at"] is None
    for wrong in ({"after_days": 0}, {"every_days": 400}, {"hours": 1}):
        body = {"title": "x", "documents": [user.upload()["id"]], "reminders": wrong}
        refused(user.post("/v1/contracts", json=body), 422, "validation-failed")


days = st.integers(1, 365)
moments = st.floats(-5, 400).map(lambda number: NOW + timedelta(days=number))


@settings(derandomize=True, max_examples=300, deadline=None)
@given(first=days, every=st.none() | days, before=st.none() | days, deadline=moments, now=moments)
def test_the_next_reminder_is_the_first_of_the_schedule(
    first: int, every: int | None, before: int | None, deadline: datetime, now: datetime
) -> None:
    plan = Reminders(after_days=first, every_days=every, before_deadline_days=before)
    schedule = {NOW + timedelta(days=first + n * (every or 0)) for n in range(420 if every else 1)}
    if before is not None:
        schedule.add(deadline - timedelta(days=before))
    expected = min((moment for moment in schedule if now < moment < deadline), default=None)
    assert next_moment(plan, NOW, deadline, now) == expected


# more time -------------------------------------------------------------------------------------------------------


def extend(user: User, contract: dict[str, Any], until: str, **headers: str) -> Any:
    headers = headers or {"if-match": f'"v{user.contract(contract)["version"]}"'}
    return user.post(f"/v1/contracts/{contract['id']}/extend", json={"expires_at": until}, headers=headers)


def test_a_deadline_is_moved_on_and_the_reminders_with_it(user: User) -> None:
    plan = {"after_days": 300, "before_deadline_days": 2}
    contract = user.sent(held("ecdsa-p256"), reminders=plan, expires_at=in_days(10))
    until = in_days(40)
    longer = good(extend(user, contract, until))
    assert datetime.fromisoformat(longer["expires_at"]) == datetime.fromisoformat(until)
    assert longer["next_reminder_at"] > contract["next_reminder_at"]
    told = events(user, contract)[-1]
    assert told["type"] == "contract.extended"
    assert told["body"]["data"]["to"].startswith(longer["expires_at"][:19])
    assert user.sign(longer, longer["parties"][0])["state"] == "succeeded"


def test_a_deadline_is_not_moved_back_nor_behind_a_certificate(user: User, service: Service) -> None:
    circle = circle_today("ecdsa-p256")
    contract = user.sent(held("ecdsa-p256"), at_home(circle, order=2), expires_at=in_days(10))
    assert refused(extend(user, contract, in_days(5)), 422, "validation-failed")["errors"][0]["code"] == "not-later"
    assert refused(extend(user, contract, in_days(-5)), 422, "validation-failed")["errors"][0]["code"] == "past"
    refused(extend(user, contract, "2031-01-01T00:00:00"), 422, "validation-failed")
    problem = refused(extend(user, contract, in_days(20_000)), 422, "validation-failed")
    assert [(item["pointer"], item["code"]) for item in problem["errors"]] == [
        ("/parties/0/certificate", "expires-too-early"),
        ("/parties/1/certificate", "expires-too-early"),
    ]
    address = f"/v1/contracts/{contract['id']}/extend"
    refused(user.post(address, json={"expires_at": in_days(20)}), 428, "precondition-required")
    refused(extend(user, contract, in_days(20), **{"if-match": '"v1"'}), 412, "precondition-failed")
    assert user.contract(contract) == contract
    good(user.post(f"/v1/contracts/{contract['id']}/void"))
    refused(extend(user, contract, in_days(20)), 409, "state-conflict")
    office = Office.of(service)
    seal = office.granted("sm2")
    sealed = office.ann.sent({"name": "王伟", "role": "seal", "seal": seal["id"]})
    problem = refused(extend(office.ann, sealed, in_days(20_000)), 422, "validation-failed")
    assert {item["pointer"] for item in problem["errors"]} == {"/parties/0/certificate", "/parties/0/seal"}


def test_only_the_certificates_that_are_still_needed_have_to_last(user: User) -> None:
    """A certificate from elsewhere ends before one of the service: who has signed with it is not asked."""
    circle = circle_today("ecdsa-p256")
    contract = user.sent(at_home(circle), held("ecdsa-p256", order=2), expires_at=in_days(10))
    ends = [datetime.fromisoformat(party["certificate"]["not_after"]) for party in contract["parties"]]
    assert ends[0] < ends[1]
    between = (ends[0] + (ends[1] - ends[0]) / 2).isoformat()
    refused(extend(user, contract, between), 422, "validation-failed")
    user.sign_at_home(contract, contract["parties"][0], circle.key)
    good(extend(user, contract, between))


def test_after_the_deadline_nothing_is_done_any_more(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the timers have been there, too."""
    organisation = {"organisation": "Muster GmbH"}
    contract = user.sent(
        {"name": "x", "role": "approver", **organisation}, held("ecdsa-p256"), expires_at=in_days(1 / 24)
    )
    approver, signer = contract["parties"]
    after = datetime.now(UTC) + timedelta(hours=2)
    with monkeypatch.context() as patch:
        patch.setattr(tasks, "expire_overdue", lambda context: 0)  # the timers are late
        patch.setattr(type(user.context.clock), "now", lambda self: after)
        for response in (
            act(user, contract, approver, "approve"),
            act(user, contract, approver, "view"),
            delegate(user, contract, signer, suite="ecdsa-p256"),
            user.post(f"/v1/contracts/{contract['id']}/remind"),
            extend(user, contract, in_days(9)),
        ):
            assert refused(response, 409, "state-conflict")["detail"] == "the time to sign is over"
        assert user.contract(contract)["state"] == "sent"
        expire_overdue(user.context)
    assert user.contract(contract)["state"] == "expired"
    assert "party.approved" not in types(user, contract)
