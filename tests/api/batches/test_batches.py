"""Many contracts under one consent: each is signed as if it were alone, within what a policy allows."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from api.auth.service import revoke_key
from api.batches import tasks
from api.signing import intent
from api.signing import tasks as signing_tasks
from certs.errors import TimeStampError
from tests.api.batches.desk import WORDS, Desk, batch, value
from tests.api.conftest import Service, at_home, circle_today, held
from tests.api.seals.office import Office, colleague, good, key_id
from tests.conftest import SIGNING

QUICK = ("sm2", "gost2012-256", "ecdsa-p256")
MANY = [QUICK, pytest.param(tuple(s for s in SIGNING if s not in QUICK), marks=pytest.mark.slow)]


@pytest.fixture
def desk(service: Service) -> Desk:
    return Desk.of(service)


def states(found: dict[str, Any]) -> list[str]:
    return [item["state"] for item in found["items"]]


# keys held by the service --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("suites", MANY, ids=str)
def test_one_job_signs_all_in_every_suite(desk: Desk, suites: tuple[str, ...]) -> None:
    contracts, policy = [desk.contract(suite) for suite in suites], desk.policy()
    found, job = desk.ended(desk.send(contracts, policy))
    assert (found["state"], states(found)) == ("ended", ["signed"] * len(suites))
    assert job["result"] == {"batch": found["id"], "prepared": 0, "signed": len(suites), "failed": 0}
    assert (job["total"], job["done"], job["failed"]) == (len(suites), len(suites), 0)
    told = desk.clerk.get(f"/v1/jobs/{job['id']}/events").text
    assert told.count("event: item") == len(suites)
    for contract in contracts:
        after = desk.boss.wait_for_state(contract, "completed", "failed")
        assert after["state"] == "completed", after["failure"]
        evidence = desk.boss.get(f"/v1/contracts/{contract['id']}/evidence").json()
        (begun,) = [each["body"] for each in evidence["events"] if each["body"]["type"] == "party.signing"]
        assert (begun["actor"]["id"], begun["actor"]["batch"]) == (key_id(desk.clerk), found["id"])
        consent = begun["data"]["consent"]
        assert (consent["text"], consent["policy"], consent["batch"]) == (WORDS, policy["id"], found["id"])
        assert consent["at"] <= begun["at"]
        assert evidence["intents"][0]["signature"] is not None
    used = good(desk.boss.get(f"/v1/signing-policies/{policy['id']}"))
    assert (used["used"], used["used_today"]) == (len(suites), len(suites))
    listed = good(desk.clerk.get("/v1/batches", params={"policy": policy["id"]}))["data"]
    assert [(each["id"], each["signed"]) for each in listed] == [(found["id"], len(suites))]


def test_a_batch_beyond_a_policy_is_refused_before_anything_is_signed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    contracts = [desk.contract("ecdsa-p256") for _ in range(2)]
    stranger = desk.boss.sent(held("ecdsa-p256"))
    before = [desk.boss.contract(each) for each in contracts]
    response = desk.send(contracts)
    assert response.json()["errors"][0]["pointer"] == "/policy"
    policy = desk.policy(max_per_day=2)
    body = desk.refused(desk.send([*contracts, stranger], policy), "policy-scope")
    assert [each["pointer"] for each in body["errors"]] == ["/items/2"]
    desk.refused(desk.send(contracts, desk.policy(max_documents=1)), "batch-too-large")
    desk.refused(desk.send(contracts, desk.policy(max_per_day=1)), "daily-limit")
    desk.refused(desk.send(contracts, desk.policy(grantee=key_id(colleague(desk.boss)))), "not-granted")
    desk.refused(desk.send(contracts, desk.policy(roles=["witness"])), "policy-scope")
    revoked = desk.policy()
    for _ in range(2):
        assert good(desk.boss.post(f"/v1/signing-policies/{revoked['id']}/revoke"))["revoked_by"] == key_id(desk.boss)
    desk.refused(desk.send(contracts, revoked), "not-granted")
    late = desk.boss.context.clock.now() + timedelta(minutes=3)
    short = desk.policy(valid_to=(late - timedelta(minutes=1)).isoformat())
    with monkeypatch.context() as patch:
        patch.setattr(type(desk.boss.context.clock), "now", lambda self: late)
        desk.refused(desk.send(contracts, short), "policy-expired")
    assert [desk.boss.contract(each) for each in contracts] == before
    assert good(desk.clerk.get("/v1/batches"))["data"] == []
    desk.ended(desk.send(contracts[:1], policy))
    desk.refused(desk.send(contracts, policy), "daily-limit")
    desk.ended(desk.send(contracts[1:], policy))


def test_nobody_gives_a_policy_to_himself_or_for_keys_that_are_not_there(desk: Desk) -> None:
    body = {"name": "x", "max_documents": 1, "max_per_day": 1, "valid_to": "2090-01-01T00:00:00Z"}
    mine = body | {"grantee": key_id(desk.boss), "person": desk.signer["id"]}
    assert desk.boss.post("/v1/signing-policies", json=mine).json()["errors"][0]["code"] == "same-person"
    absent = body | {"grantee": key_id(desk.clerk), "person": "per_" + "0" * 32, "agreement": "agr_" + "0" * 32}
    found = desk.boss.post("/v1/signing-policies", json=absent).json()["errors"]
    assert [each["pointer"] for each in found] == ["/person", "/agreement"]
    both = body | {"grantee": key_id(desk.clerk), "person": desk.signer["id"], "seal": "seal_" + "0" * 32}
    assert desk.boss.post("/v1/signing-policies", json=both).status_code == 422
    ended = mine | {"grantee": key_id(desk.clerk), "valid_to": "2020-01-01T00:00:00Z"}
    assert desk.boss.post("/v1/signing-policies", json=ended).json()["errors"][0]["pointer"] == "/valid_to"


def test_an_item_that_fails_leaves_the_others_alone(desk: Desk) -> None:
    contracts, policy = [desk.contract("ecdsa-p256") for _ in range(3)], desk.policy()
    body = batch(*contracts) | {"policy": policy["id"]}
    name = contracts[1]["documents"][0]["id"]
    body["items"][1]["documents"] = {name: "0" * 64}
    found, job = desk.ended(desk.clerk.post("/v1/batches", json=body))
    assert (job["state"], job["done"], job["failed"]) == ("succeeded", 2, 1)
    assert states(found) == ["signed", "failed", "signed"]
    assert found["items"][1]["failure"]["code"] == "consent-refused"
    assert desk.boss.contract(contracts[1])["parties"][0]["state"] == "notified"
    found, _ = desk.ended(desk.send(contracts[1:2], policy))
    assert states(found) == ["signed"]
    found, _ = desk.ended(desk.send(contracts[1:2], policy))
    assert found["items"][0]["failure"]["code"] == "state-conflict", "signed is signed"


def test_a_job_that_breaks_off_goes_on_and_signs_nothing_twice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once before the item is begun, once after its consent is on record, once after it is signed."""
    contracts, policy, done = (
        [desk.contract("ecdsa-p256") for _ in range(3)],
        desk.policy(),
        signing_tasks.sign_with_held_key,
    )
    calls: list[str] = []

    def breaking(context: Any, run: Any) -> dict[str, Any]:
        calls.append(run.payload["party"])
        if len(calls) == 2:
            raise RuntimeError("broken off before")
        result = done(context, run)
        if len(calls) == 4:
            raise RuntimeError("broken off after")
        return result

    monkeypatch.setattr(signing_tasks, "sign_with_held_key", breaking)
    found, job = desk.ended(desk.send(contracts, policy, headers={"idempotency-key": "one"}))
    assert (job["state"], job["attempts"], states(found)) == ("succeeded", 3, ["signed"] * 3)
    first, second, third = (contract["parties"][0]["id"] for contract in contracts)
    assert calls == [first, second, second, third, third]
    for contract in contracts:
        after = desk.boss.wait_for_state(contract, "completed", "failed")
        assert (after["state"], after["documents"][0]["revision"]) == ("completed", 1)
    again = desk.send(contracts, policy, headers={"idempotency-key": "one"})
    assert again.json()["id"] == found["id"]
    assert good(desk.boss.get(f"/v1/signing-policies/{policy['id']}"))["used"] == 3


@pytest.mark.slow
def test_what_has_to_wait_for_a_time_stamp_is_passed_over_and_signed_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    contracts, certify = [desk.contract("sm2"), desk.contract("ecdsa-p256")], intent.certify
    down = ["sm2"]

    def sometimes(context: Any, tenant_id: str, record: str, suite: str) -> bytes:
        if suite in down:
            down.remove(suite)
            raise TimeStampError("the authority does not answer", reason="unreachable")
        return certify(context, tenant_id, record, suite)

    monkeypatch.setattr(intent, "certify", sometimes)
    found, job = desk.ended(desk.send(contracts, desk.policy()))
    assert (job["attempts"], states(found)) == (2, ["signed", "signed"])


def test_a_policy_that_is_revoked_and_a_job_that_is_cancelled_stop_what_is_not_signed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, follow = tasks._Work.sign, []

    def once(work: Any, item: Any) -> None:
        done(work, item)
        for act in follow:
            act(work)

    monkeypatch.setattr(tasks._Work, "sign", once)
    contracts, policy = [desk.contract("ecdsa-p256") for _ in range(2)], desk.policy()
    follow[:] = [lambda work: good(desk.boss.post(f"/v1/signing-policies/{policy['id']}/revoke"))]
    found, job = desk.ended(desk.send(contracts, policy))
    assert (job["state"], states(found)) == ("succeeded", ["signed", "failed"])
    assert found["items"][1]["failure"]["code"] == "signing-policy-refused"
    contracts = [contracts[1], desk.contract("ecdsa-p256")]
    follow[:] = [lambda work: good(desk.clerk.post(f"/v1/jobs/{work.run.id}/cancel"), 202)]
    found, job = desk.ended(desk.send(contracts, desk.policy()))
    assert (job["state"], found["state"], states(found)) == ("cancelled", "ended", ["signed", "failed"])
    assert desk.boss.contract(contracts[1])["parties"][0]["state"] == "notified"


def test_nothing_more_is_signed_for_a_key_that_was_revoked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    done = tasks._Work.sign

    def once(work: Any, item: Any) -> None:
        done(work, item)
        with desk.boss.context.database.write() as session:
            revoke_key(session, key_id(desk.clerk), now=desk.boss.context.now())

    monkeypatch.setattr(tasks._Work, "sign", once)
    contracts = [desk.contract("ecdsa-p256") for _ in range(2)]
    sent = desk.send(contracts, desk.policy())
    job = desk.boss.wait_for_job(f"/v1/jobs/{sent.json()['job']}")
    found = good(desk.boss.get(sent.headers["location"]))
    assert (job["state"], found["state"], states(found)) == ("failed", "ended", ["signed", "failed"])
    assert (job["error"]["code"], found["items"][1]["failure"]["code"]) == ("forbidden", "forbidden")
    assert desk.boss.contract(contracts[1])["parties"][0]["state"] == "notified"


def test_of_two_batches_at_once_only_as_many_as_the_day_allows_are_taken(desk: Desk) -> None:
    policy, answers = desk.policy(max_per_day=2), []
    contracts = [desk.contract("ecdsa-p256") for _ in range(3)]
    threads = [
        threading.Thread(target=lambda each=each: answers.append(desk.send([each], policy).status_code))
        for each in contracts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [202, 202, 422]
    assert good(desk.boss.get(f"/v1/signing-policies/{policy['id']}"))["used"] == 2


@pytest.mark.slow
def test_a_seal_needs_its_grant_beside_the_policy(desk: Desk) -> None:
    office = Office(desk.boss, *(colleague(desk.boss) for _ in range(2)), desk.clerk)
    seal = office.filed("ecdsa-p256")
    contracts = [desk.boss.sent({"name": "Siegel", "role": "seal", "seal": seal["id"]}) for _ in range(2)]
    policy = desk.policy(person=None, seal=seal["id"])
    found, _ = desk.ended(desk.send(contracts[:1], policy))
    assert found["items"][0]["failure"]["code"] == "seal-refused"
    office.grant(seal, count=2)
    found, _ = desk.ended(desk.send(contracts, policy))
    assert states(found) == ["signed", "signed"]


# keys held by the parties --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("suites", MANY, ids=str)
def test_keys_elsewhere_get_everything_at_once_and_give_everything_at_once(desk: Desk, suites: tuple[str, ...]) -> None:
    first = desk.boss.sent(at_home(circle_today(suites[0])), documents=[desk.boss.upload()["id"] for _ in range(2)])
    contracts = [first, *(desk.boss.sent(at_home(circle_today(suite))) for suite in suites[1:])]
    found, job = desk.ended(desk.send(contracts))
    assert (found["state"], states(found)) == ("ready", ["prepared"] * len(suites))
    assert (job["total"], job["done"]) == (len(suites) + 1, len(suites) + 1)
    requests = [
        (request, circle_today(suite))
        for item, suite in zip(found["items"], suites, strict=True)
        for request in item["requests"]
    ]
    assert [request["suite"] for request, _ in requests] == [suites[0], *suites]
    good_ones = [value(request, circle.key) for request, circle in requests]
    wrong = [*good_ones[:1], good_ones[1] | {"signature": "AAAA"}, *good_ones[2:]]
    path = f"/v1/batches/{found['id']}"
    foreign = desk.clerk.put(path, json={"values": [*good_ones, {"request": "sig_" + "0" * 32, "signature": "AAAA"}]})
    assert foreign.json()["errors"][0]["pointer"] == f"/values/{len(good_ones)}/request"
    answer = good(desk.clerk.put(path, json={"values": wrong}))
    codes = [each["error"] and each["error"]["code"] for each in answer["results"]]
    assert codes == [None, "wrong-value", *[None] * (len(suites) - 1)]
    assert answer["batch"]["state"] == "ready"
    assert states(answer["batch"]) == ["prepared", *["signed"] * (len(suites) - 1)]
    answer = good(desk.clerk.put(path, json={"values": good_ones[:2]}))
    assert [each["error"] and each["error"]["code"] for each in answer["results"]] == ["state-conflict", None]
    assert [each["state"] for each in answer["results"]] == ["embedded", "embedded"]
    assert (answer["batch"]["state"], answer["batch"]["signed"]) == ("ended", len(suites))
    for contract in contracts:
        after = desk.boss.wait_for_state(contract, "completed", "failed")
        assert after["state"] == "completed", after["failure"]


def test_items_of_keys_elsewhere_fail_one_by_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    circle = circle_today("ecdsa-p256")
    contracts = [desk.boss.sent(at_home(circle)) for _ in range(3)]
    desk.boss.post(f"/v1/contracts/{contracts[0]['id']}/void")
    found, job = desk.ended(desk.send(contracts))
    assert (job["state"], states(found)) == ("succeeded", ["failed", "prepared", "prepared"])
    one, two = (found["items"][index]["requests"][0] for index in (1, 2))
    late = desk.boss.context.clock.now() + timedelta(minutes=31)
    path = f"/v1/batches/{found['id']}"
    with monkeypatch.context() as patch:
        patch.setattr(type(desk.boss.context.clock), "now", lambda self: late)
        answer = good(desk.clerk.put(path, json={"values": [value(one, circle.key)]}))
        assert answer["results"][0]["error"]["code"] == "stale-request"
    refusal = {"request": two["id"], "error": "отказ: сумма другая"}
    answer = good(desk.clerk.put(path, json={"values": [value(one, circle.key), refusal]}))
    assert [each["state"] for each in answer["results"]] == ["embedded", "abandoned"]
    assert (answer["batch"]["state"], states(answer["batch"])) == ("ended", ["failed", "signed", "failed"])


def test_a_batch_names_each_party_once_with_keys_in_one_place(desk: Desk, service: Service) -> None:
    home, here = desk.boss.sent(at_home(circle_today("ecdsa-p256"))), desk.contract("ecdsa-p256")
    mixed = desk.send([home, here], desk.policy()).json()["errors"]
    assert [(each["pointer"], each["code"]) for each in mixed] == [("/items/1", "key-holder")]
    assert desk.send([home, home]).json()["errors"][0]["code"] == "repeated"
    assert desk.send([home], desk.policy()).json()["errors"][0]["pointer"] == "/policy"
    reader = desk.boss.sent({"name": "R", "role": "viewer"}, at_home(circle_today("ecdsa-p256")))
    assert desk.send([reader]).json()["errors"][0]["code"] == "role"
    theirs = service.user("stranger").sent(at_home(circle_today("ecdsa-p256")))
    assert desk.send([theirs]).json()["errors"][0]["code"] == "not-found"
    batched = desk.ended(desk.send([here], desk.policy()))[0]
    body = {"values": [{"request": "sig_" + "0" * 32, "error": "x"}]}
    assert desk.clerk.put(f"/v1/batches/{batched['id']}", json=body).json()["code"] == "state-conflict"
