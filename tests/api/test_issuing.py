"""A certificate is on record before it is signed: whatever is killed, nothing is left that belongs to nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from api.certificates import issuing, repository
from api.pki.circle import Circle
from certs.errors import KeyStoreError
from tests.api.conftest import User
from tests.api.crash import points_of
from tests.api.test_certificates import asked
from tests.conftest import keys_of


@pytest.mark.parametrize(
    ("suite", "step"),
    [
        pytest.param("ecdsa-p256", 1, marks=pytest.mark.long),
        pytest.param("sm2", 1, marks=pytest.mark.long),
        pytest.param("gost2012-256", 3, marks=pytest.mark.slow),
    ],
)
def test_a_service_killed_at_any_effect_issues_one_certificate_for_one_request(suite: str, step: int) -> None:
    points = points_of("tests.api.crash_issuing", suite, str(step))
    assert len(points) > 3
    assert all(point["killed"] for point in points[:-1])
    for point in points:
        assert point["listed"] == [point["answer"]], point
        assert point["issued"] == point["rows"], point  # nothing is good that belongs to nobody
        assert set(point["states"]) <= {"issued", "prepared", "revoked"}, point  # and nothing is left open
        assert point["certificates"] == 1, point


STAGES = ("nothing signed", "perhaps signed", "signed", "signed and revoked")


@pytest.fixture
def broken(user: User, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what asks for a certificate and lets the authority fail at a stage; gives what the ledger then has."""
    serials: list[int] = []
    sign = Circle.sign

    def ask(suite: str, stage: str, *, body: dict[str, Any] | None = None, **headers: str) -> int:
        def failing(circle: Circle, plan: Any) -> Any:
            serials.append(plan.serial)
            if stage == "perhaps signed":
                circle._ledger.claim(plan.issuer, plan.serial)
            elif stage.startswith("signed"):
                sign(circle, plan)
                if stage.endswith("revoked"):
                    circle.revoke(plan.serial, "superseded")
            raise KeyStoreError("the token was removed")

        with monkeypatch.context() as patch:
            patch.setattr(Circle, "sign", failing)
            refused = user.post("/v1/certificates", json=body or asked(keys_of(suite)[0]), headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (500, "internal-error")
        return serials[-1]

    return ask


def intents(user: User) -> list[str]:
    with user.context.database.read() as session:
        return [each.serial for each in repository.intents(session) if each.tenant_id == user.tenant_id]


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_dead_process_left_is_adopted_revoked_or_forgotten(
    user: User, stage: str, signing_suite: str, broken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    serial = broken(signing_suite, stage)
    assert intents(user) == [f"{serial:x}"]
    assert user.get("/v1/certificates").json()["data"] == []
    issuing.settle(user.context)
    assert intents(user) == [f"{serial:x}"]  # the process that is at it lives
    monkeypatch.setattr(type(user.context.presence), "is_dead", lambda *_: True)
    issuing.settle(user.context)
    assert intents(user) == []
    listed = user.get("/v1/certificates").json()["data"]
    entry = user.context.circles.get(signing_suite).entry(serial)
    assert entry is not None
    if stage.startswith("signed"):
        (row,) = listed
        assert int(row["certificate"]["serial"], 16) == serial
        assert row["state"] == entry.state == ("revoked" if stage.endswith("revoked") else "issued")
        assert user.post(f"/v1/certificates/{row['id']}/revoke", json={"reason": "superseded"}).status_code == 200
    else:
        assert listed == []
        assert entry.state == ("revoked" if stage.startswith("perhaps") else "prepared")
    issuing.settle(user.context)  # twice is once
    assert len(user.get("/v1/certificates").json()["data"]) == len(listed)


def test_what_is_silent_for_long_is_settled_although_its_process_may_live(
    user: User, broken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    serial = broken("ed25519", "signed")
    monkeypatch.setattr(issuing, "ABANDONED", timedelta(0))
    issuing.settle(user.context)
    assert int(user.get("/v1/certificates").json()["data"][0]["certificate"]["serial"], 16) == serial


@pytest.mark.parametrize("stage", STAGES[:3])
def test_the_same_request_with_the_same_key_gets_the_certificate_that_was_signed(
    user: User, stage: str, broken: Any
) -> None:
    body = asked(keys_of("sm2")[0])
    serial = broken("sm2", stage, body=body, **{"idempotency-key": "k"})
    again = user.post("/v1/certificates", json=body, headers={"idempotency-key": "k"})
    assert again.status_code == 201, again.text
    assert (int(again.json()["certificate"]["serial"], 16) == serial) is (stage == "signed")
    assert [row["id"] for row in user.get("/v1/certificates").json()["data"]] == [again.json()["id"]]
    assert intents(user) == []
    other = user.post("/v1/certificates", json=body, headers={"idempotency-key": "another"})
    assert other.json()["id"] != again.json()["id"]


def test_a_tenant_gets_nothing_of_anothers_request(user: User, stranger: User, broken: Any) -> None:
    body = asked(keys_of("sm2")[0])
    broken("sm2", "signed", body=body, **{"idempotency-key": "k"})
    theirs = stranger.post("/v1/certificates", json=body, headers={"idempotency-key": "k"})
    assert theirs.status_code == 201
    assert len(intents(user)) == 1
    assert user.get("/v1/certificates").json()["data"] == []


def test_a_slow_process_that_was_taken_for_dead_finds_its_row(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    sign = Circle.sign

    def slow(circle: Circle, plan: Any) -> Any:
        certificate = sign(circle, plan)
        with monkeypatch.context() as patch:
            patch.setattr(type(user.context.presence), "is_dead", lambda *_: True)
            issuing.settle(user.context)
        return certificate

    monkeypatch.setattr(Circle, "sign", slow)
    made = user.post("/v1/certificates", json=asked(keys_of("ed25519")[0]))
    assert made.status_code == 201, made.text
    assert [row["id"] for row in user.get("/v1/certificates").json()["data"]] == [made.json()["id"]]
