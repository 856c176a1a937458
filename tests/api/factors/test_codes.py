"""One-time codes: RFC 6238, taken once, and what happens to whoever guesses."""

from __future__ import annotations

import base64
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from api.factors import otp
from api.factors.models import MOST, WAITS, Factor, FactorEnrolment
from tests.api.conftest import User, at_home, circle_today, held
from tests.api.contracts.talk import completed, good, refused, types
from tests.api.factors.desk import (
    WORDS,
    code,
    do,
    fresh,
    offered,
    quick,
    secret_in,
    shown,
    signed,
    with_codes,
    with_passphrase,
)
from tests.api.registry import person

__all__ = ["quick"]
pytestmark = pytest.mark.usefixtures("quick")
SEED = b"1234567890"
VECTORS = [
    (59, "94287082", "46119246"),
    (1111111109, "07081804", "68084774"),
    (1111111111, "14050471", "67062674"),
    (1234567890, "89005924", "91819424"),
    (2000000000, "69279037", "90698825"),
    (20000000000, "65353130", "77737706"),
]
"""RFC 6238, appendix B: time, SHA-1, SHA-256; codes of eight digits."""


@pytest.mark.parametrize(("time", "sha1", "sha256"), VECTORS)
def test_the_vectors_of_the_rfc(time: int, sha1: str, sha256: str) -> None:
    moment = datetime.fromtimestamp(time, UTC)
    for algorithm, seed, long in (("SHA1", SEED * 2, sha1), ("SHA256", SEED * 3 + b"12", sha256)):
        assert otp._totp(seed, algorithm, 8).generate(time).decode() == long
        found = otp.matching_step(seed, algorithm, long[-6:], moment, after=None)
        assert found == time // 30


def test_one_step_before_and_after_is_taken_and_none_twice() -> None:
    secret, now, present = otp.new_secret("SHA1"), datetime.fromtimestamp(3_000_000_015, UTC), 100_000_000
    codes = {step: otp._totp(secret, "SHA1").generate(step * 30).decode() for step in range(present - 2, present + 3)}
    taken = [step for step in codes if otp.matching_step(secret, "SHA1", codes[step], now, after=None) is not None]
    assert taken == [present - 1, present, present + 1]
    after = [step for step in codes if otp.matching_step(secret, "SHA1", codes[step], now, after=present) is not None]
    assert after == [present + 1]
    for wrong in ("", "1", "1234567", "abcdef", "１２３４５６", "\ud800"):
        assert otp.matching_step(secret, "SHA1", wrong, now, after=None) is None


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256"])
def test_an_app_enrols_by_the_uri_and_the_secret_is_shown_once(user: User, algorithm: str) -> None:
    human = person(user)
    body = {"enrolment": offered(user, "totp", person=human["id"]), "algorithm": algorithm}
    headers = {"idempotency-key": "enrol"}
    factor = good(user.post("/v1/factors", json=body, headers=headers), 201)
    link = urlsplit(factor["otpauth"])
    query = parse_qs(link.query)
    assert (link.scheme, link.netloc, query["issuer"], query["period"]) == ("otpauth", "totp", ["Sealroad"], ["30"])
    assert (query["algorithm"], query["digits"]) == ([algorithm], ["6"])
    assert good(user.post("/v1/factors", json=body, headers=headers), 201) == {**factor, "otpauth": None}
    path = f"/v1/factors/{factor['id']}"
    assert factor["state"] == "pending"
    assert good(user.get(path))["otpauth"] is None
    refused(user.post(f"{path}/confirm", json={"code": "000000"}), 422, "factor-refused")
    value = code(secret_in(factor), algorithm)
    assert good(user.post(f"{path}/confirm", json={"code": value}))["state"] == "active"
    refused(user.post(f"{path}/confirm", json={"code": value}), 409, "state-conflict")


@pytest.mark.parametrize(
    "suite", ["ecdsa-p256", *(pytest.param(suite, marks=pytest.mark.slow) for suite in ("rsa", "sm2", "gost2012-256"))]
)
def test_a_code_is_shown_for_every_act_and_is_on_record(user: User, suite: str) -> None:
    circle = circle_today(suite)
    wanted = {"factors": ["totp"]}
    contract = user.sent(
        {"name": "赵𠮷", "role": "approver", "locale": "zh", **wanted},
        held(suite, order=2, **wanted),
        at_home(circle, order=3, **wanted),
    )
    secrets = {}
    for party in contract["parties"]:
        _, secrets[party["id"]] = with_codes(user, party=party["id"])
    approver, signer, outside = user.contract(contract)["parties"]
    early = do(user, contract, signer, "sign", shown("totp", code(secrets[signer["id"]])))
    assert "turn" in refused(early, 409, "state-conflict")["detail"]  # and the code is not used up
    assert refused(do(user, contract, approver, "approve"), 422, "factor-required")["reason"] == "missing"
    good(do(user, contract, approver, "approve", shown("totp", code(secrets[approver["id"]]))))
    signed(user, do(user, contract, signer, "sign", shown("totp", code(secrets[signer["id"]]))))
    refused(do(user, contract, outside, "signature-requests"), 422, "factor-required")
    asked = do(user, contract, outside, "signature-requests", shown("totp", code(secrets[outside["id"]])))
    request = good(asked, 201)
    value = base64.b64encode(circle.key.sign(base64.b64decode(request["dtbs"]))).decode()
    good(user.hand_in(request, signature=value))
    completed(user, contract)
    records = user.get(f"/v1/contracts/{contract['id']}/intents").json()["data"]
    for record in records:
        (fact,) = json.loads(record["record"])["factors"]
        assert (fact["kind"], fact["how"]) == ("totp", {"algorithm": "SHA1", "digits": 6, "period": 30})
    events = user.get(f"/v1/contracts/{contract['id']}/events").json()["data"]
    (approved,) = (event["body"]["data"] for event in events if event["type"] == "party.approved")
    assert approved["factors"][0]["kind"] == "totp"


def approval(user: User) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], bytes]:
    """Return a contract, an approver of it who shows codes, the factor and the app's secret."""
    contract = user.sent({"name": "x", "role": "approver", "factors": ["totp"]}, held("ecdsa-p256", order=2))
    factor, secret = with_codes(user, party=contract["parties"][0]["id"])
    contract = user.contract(contract)
    return contract, contract["parties"][0], factor, secret


def test_a_code_counts_once_whoever_sends_it(user: User) -> None:
    contract, party, _, secret = approval(user)
    value = shown("totp", code(secret))
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda: answers.append(do(user, contract, party, "approve", value))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(answer.status_code for answer in answers) == 200
    assert types(user, contract).count("party.approved") == 1
    assert all(
        answer.json()["code"] in {"factor-refused", "state-conflict"} for answer in answers if answer.status_code != 200
    )


def test_whoever_guesses_waits_and_then_is_locked_out(user: User) -> None:
    contract, party, factor, secret = approval(user)
    guess = shown("totp", "000000" if code(secret) != "000000" else "000001")

    def rested() -> None:
        with user.context.database.write() as session:
            session.get_one(Factor, factor["id"]).retry_at = None

    for number in range(1, MOST + 1):
        refused(do(user, contract, party, "approve", guess), 422, "factor-refused")
        if WAITS[number - 1] and number < MOST:
            body = refused(do(user, contract, party, "approve", shown("totp", code(secret))), 429, "too-many-requests")
            assert "try again after" in body["hint"]  # the right one gets the same answer
            rested()
    found = good(user.get(f"/v1/factors/{factor['id']}"))
    assert (found["failures"], found["locked"]) == (MOST, True)
    rested()
    refused(do(user, contract, party, "approve", shown("totp", code(secret))), 409, "factor-locked")
    assert types(user, contract)[-1] == "factor.locked"
    assert user.contract(contract)["parties"][0]["state"] == "notified"
    good(user.post(f"/v1/factors/{factor['id']}/reset", json={"reason": "called back"}))
    _, secret = with_codes(user, party=party["id"])
    good(do(user, user.contract(contract), party, "approve", shown("totp", code(secret))))


def test_many_guesses_at_once_are_counted_each(user: User) -> None:
    contract, party, factor, secret = approval(user)
    guess = shown("totp", "000000" if code(secret) != "000000" else "000001")
    with user.context.database.write() as session:
        session.get_one(Factor, factor["id"]).failures = MOST - 2
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(do(user, contract, party, "approve", guess).json()["code"]))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count("factor-refused") == 1, answers  # the next ones meet the wait
    assert set(answers) <= {"factor-refused", "too-many-requests"}
    assert good(user.get(f"/v1/factors/{factor['id']}"))["failures"] == MOST - 1


def test_codes_are_replaced_on_proof_of_the_present_ones(user: User) -> None:
    human = person(user)
    factor, secret = with_codes(user, person=human["id"])
    refused(user.post("/v1/factor-enrolments", json={"kind": "totp", "person": human["id"]}), 409, "state-conflict")
    path = f"/v1/factors/{factor['id']}/change"
    wrong = "000000" if code(secret) != "000000" else "000001"
    refused(user.post(path, json={"current": wrong}), 422, "factor-refused")
    new = good(user.post(path, json={"current": code(secret)}))
    assert (new["state"], good(user.get(f"/v1/factors/{factor['id']}"))["state"]) == ("pending", "active")
    good(user.post(f"/v1/factors/{new['id']}/confirm", json={"code": code(secret_in(new))}))
    assert good(user.get(f"/v1/factors/{factor['id']}"))["state"] == "replaced"
    listed = user.get(f"/v1/factors?person={human['id']}").json()["data"]
    assert [(row["id"], row["state"]) for row in listed] == [(new["id"], "active"), (factor["id"], "replaced")]
    with user.context.database.read() as session:
        assert session.get_one(Factor, factor["id"]).sealed_key is None


def test_a_pending_factor_does_not_push_an_enrolled_one_out(user: User) -> None:
    """Two secrets of two enrolments, the second handed out before the first was confirmed."""
    human = person(user)
    first = good(user.post("/v1/factors", json={"enrolment": offered(user, "totp", person=human["id"])}), 201)
    second, _ = with_codes(user, person=human["id"])
    assert user.get(f"/v1/factors/{first['id']}").status_code == 404  # the later enrolment took its place
    assert good(user.get(f"/v1/factors/{second['id']}"))["state"] == "active"


def test_the_secret_of_an_enrolment_is_good_once_for_one_signer_and_for_a_time(user: User, stranger: User) -> None:
    human = person(user)
    old = offered(user, "totp", person=human["id"])
    secret = offered(user, "totp", person=human["id"])
    foreign = offered(stranger, "totp", person=person(stranger)["id"])
    for wrong in (old, foreign, secret[:-1] + "_", "sre_x_y", "x"):
        body = refused(user.post("/v1/factors", json={"enrolment": wrong}), 422, "factor-refused")
        assert (body["detail"], body["reason"]) == (
            "the secret of the enrolment is not valid, or not any more",
            "enrolment",
        )
    refused(
        user.post("/v1/factors", json={"enrolment": secret, "passphrase": "long enough, but no code"}),
        422,
        "validation-failed",
    )
    with user.context.database.write() as session:
        row = session.get_one(FactorEnrolment, f"enr_{secret.split('_')[1]}")
        ends, row.expires_at = row.expires_at, user.context.now() - timedelta(seconds=1)
    refused(user.post("/v1/factors", json={"enrolment": secret}), 422, "factor-refused")
    with user.context.database.write() as session:
        session.get_one(FactorEnrolment, f"enr_{secret.split('_')[1]}").expires_at = ends
    good(user.post("/v1/factors", json={"enrolment": secret}), 201)
    refused(user.post("/v1/factors", json={"enrolment": secret}), 422, "factor-refused")


def test_a_person_on_record_is_enrolled_as_such(user: User) -> None:
    human = person(user)
    contract = user.draft([{"person": human["id"], "role": "approver", "factors": ["totp"]}])
    body = {"kind": "totp", "party": contract["parties"][0]["id"]}
    assert (
        refused(user.post("/v1/factor-enrolments", json=body), 422, "validation-failed")["errors"][0]["code"]
        == "on-record"
    )


# what a tenant requires ------------------------------------------------------------------------------------------


def test_a_tenant_requires_a_factor_of_everybody_whose_key_is_held_here(user: User) -> None:
    path = "/v1/factor-policy"
    assert good(user.get(path)) == {"held_keys": [], "version": 0, "updated_at": None, "updated_by": None}
    body = {"held_keys": ["totp"]}
    refused(user.put(path, json=body), 428, "precondition-required")
    refused(user.put(path, json=body, headers={"if-match": '"v1"'}), 412, "precondition-failed")
    before = user.sent(held("ecdsa-p256"))
    assert good(user.put(path, json=body, headers={"if-match": '"v0"'}))["version"] == 1
    contract = user.sent(held("ecdsa-p256"), at_home(circle_today("ecdsa-p256")))
    assert [party["factors"] for party in contract["parties"]] == [["totp"], []]
    (party, _) = contract["parties"]
    refused(do(user, contract, party, "sign"), 422, "factor-required")
    signed(user, do(user, before, before["parties"][0], "sign"))  # what was sent stays as it was
    _, secret = with_codes(user, party=party["id"])
    signed(user, do(user, user.contract(contract), party, "sign", shown("totp", code(secret))))


def test_both_factors_are_shown_together(user: User) -> None:
    contract = user.sent(held("ecdsa-p256", factors=["totp", "passphrase"]))
    (party,) = contract["parties"]
    with_passphrase(user, party=party["id"])
    factor, secret = with_codes(user, party=party["id"])
    contract = user.contract(contract)
    right, wrong = shown("totp", code(secret)), shown("passphrase", "not the passphrase")
    assert refused(do(user, contract, party, "sign", right), 422, "factor-required")["reason"] == "missing"
    one = refused(do(user, contract, party, "sign", right, wrong), 422, "factor-refused")
    guess = shown("totp", "000000" if right["value"] != "000000" else "000001")
    other = refused(do(user, contract, party, "sign", shown("passphrase", WORDS), guess), 422, "factor-refused")
    assert one["detail"] == other["detail"]  # which of the two it was is not said
    signed(user, do(user, contract, party, "sign", right, shown("passphrase", WORDS)))
    fresh(user, factor)
    (record,) = user.get(f"/v1/contracts/{contract['id']}/intents").json()["data"]
    assert [fact["kind"] for fact in json.loads(record["record"])["factors"]] == ["passphrase", "totp"]
