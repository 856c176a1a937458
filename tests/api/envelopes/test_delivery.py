"""Completed contracts go to all their parties as envelopes, sent by the service; each reads with its own algorithms."""

from __future__ import annotations

import time
from typing import Any

import pytest

from api.auth.service import SCOPES, create_key
from api.envelopes import delivery
from api.jobs import queue
from certs.certificate import load_certificates
from certs.errors import BackendUnavailable
from certs.suites.backends import gost_encryption
from tests.api.conftest import Service, User, at_home, circle_today, held
from tests.api.envelopes.post import anchors, elsewhere, events, mailbox_today, open_as
from tests.api.envelopes.test_envelopes import opened
from tests.api.seals.office import good

FORM = {"form": "envelope"}


def away(suite: str, **more: Any) -> dict[str, Any]:
    """Return what says how somebody elsewhere is encrypted to."""
    return {"encryption_certificate": elsewhere(suite)["certificate"], **more}


def trusting(*suites: str) -> dict[str, Any]:
    return {**FORM, "trust": anchors(*suites), "revocation": "if-present"}


def completed(user: User, *parties: dict[str, Any], **more: Any) -> dict[str, Any]:
    contract = user.sent(*parties, **more)
    for party in contract["parties"]:
        if party["key_holder"] == "service":
            assert user.sign(contract, party)["state"] == "succeeded"
        elif party["key_holder"] == "party":
            for _ in contract["documents"]:
                user.sign_at_home(contract, party, circle_today(party["suite"]).key)
    return user.wait_for_state(contract, "completed", "failed")


def trail(user: User, contract: dict[str, Any], *types: str) -> list[dict[str, Any]]:
    found = good(user.get(f"/v1/contracts/{contract['id']}/events"))["data"]
    return [entry["body"]["data"] for entry in found if entry["type"] in types]


def delivered(user: User, contract: dict[str, Any], times: int = 1) -> list[dict[str, Any]]:
    """Wait until a contract has been delivered so many times; return the envelopes of the last time."""
    for _ in range(600):
        sent = trail(user, contract, "contract.delivering")
        if len(sent) == times:
            ids = list(sent[-1]["envelopes"].values())
            found = [good(user.get(f"/v1/envelopes/{name}")) for name in ids]
            if all(each["state"] != "queued" for each in found):
                assert [each["state"] for each in found] == ["sealed"] * len(found), found
                return found
        time.sleep(0.1)
    raise AssertionError("the contract was not delivered")


def test_everybody_gets_the_completed_contract_in_their_own_algorithms(user: User) -> None:
    """Two whose keys the service holds, one with a key at home, and one who only gets a copy."""
    at = circle_today("ecdsa-p256")
    contract = completed(
        user,
        held("sm2", name="王𠮷"),
        at_home(at, **away("ecdsa-p256")),
        {"name": "Копия", "role": "cc", **away("gost2012-256")},
        delivery=trusting("ecdsa-p256", "gost2012-256"),
        documents=[user.upload()["id"], user.upload()["id"]],
    )
    assert contract["state"] == "completed"
    envelopes = delivered(user, contract)
    assert [each["document"] for each in envelopes] == [row["id"] for row in contract["documents"]]
    for index, envelope in enumerate(envelopes):
        content = user.content(contract, index)
        assert {each["family"] for each in envelope["senders"]} == {"china", "international", "russia"}
        assert all(each["service"] and each["party"] is None for each in envelope["senders"])
        assert [each["party"] for each in envelope["recipients"]] == [each["id"] for each in contract["parties"]]
        for recipient, suite in zip(envelope["recipients"][1:], ("ecdsa-p256", "gost2012-256"), strict=True):
            part = user.get(f"/v1/envelopes/{envelope['id']}/parts/{recipient['id']}").content
            got, found = opened(user, part, *mailbox_today(suite))
            assert (got, str(found.sender)) == (content, "TOTAL-PASSED")
        assert [entry["type"] for entry in events(user, envelope, "deliveries")] == ["part.delivered"] * 2
    job = open_as(user, envelopes[0], envelopes[0]["recipients"][0])
    assert job["result"]["sender"] == "TOTAL-PASSED"
    assert user.get(f"/v1/documents/{job['result']['document']}/content").content == user.content(contract)

    (sender,) = load_certificates(envelopes[0]["senders"][0]["certificate"]["pem"].encode())
    assert "Contract service" in sender.subject
    assert sender.allows("digital_signature")
    assert not sender.allows("non_repudiation"), "it commits nobody"
    evidence = good(user.get(f"/v1/contracts/{contract['id']}/evidence"))
    told = {each["id"]: each for each in evidence["envelopes"]}
    assert told.keys() == {each["id"] for each in envelopes}
    assert told[envelopes[0]["id"]]["manifest_sha256"] == envelopes[0]["manifest_sha256"]
    assert [entry["type"] for entry in told[envelopes[1]["id"]]["events"]][:3] == [
        "envelope.requested", "envelope.prepared", "envelope.sealed",
    ]  # fmt: skip


def test_the_service_sends_with_one_key_of_a_family(user: User) -> None:
    contract = completed(user, held("ecdsa-p256"), delivery=FORM)
    (first,) = delivered(user, contract)
    job = good(user.post(f"/v1/contracts/{contract['id']}/deliver"), 202)
    assert user.wait_for_job(f"/v1/jobs/{job['id']}")["state"] == "succeeded"
    (second,) = delivered(user, contract, times=2)
    assert second["id"] != first["id"]
    assert second["senders"] == first["senders"]
    rows = good(user.get("/v1/certificates"))["data"]
    assert sorted(row["profile"] for row in rows) == ["encryption", "service"]
    mine = next(row for row in rows if row["profile"] == "service")
    good(user.post(f"/v1/certificates/{mine['id']}/revoke"))
    job = good(user.post(f"/v1/contracts/{contract['id']}/deliver"), 202)
    assert user.wait_for_job(f"/v1/jobs/{job['id']}")["state"] == "succeeded"
    (third,) = delivered(user, contract, times=3)
    assert third["senders"][0]["certificate"]["sha256"] != first["senders"][0]["certificate"]["sha256"]


@pytest.mark.parametrize(
    ("parties", "refused"),
    [
        ([held("ecdsa-p256"), at_home(circle_today("ed25519"))], {"/parties/1": "signs only"}),
        ([held("ecdsa-p256"), at_home(circle_today("ecdsa-p256"))], {"/parties/1": "not for encryption"}),
        ([held("ecdsa-p256"), {"name": "Copy", "role": "cc"}], {"/parties/1": "no certificate"}),
        ([held("ecdsa-p256"), {"name": "Copy", "role": "cc", **away("sm2")}], {"/parties/1": "trusted"}),
    ],
    ids=["signs only", "not for encryption", "no certificate", "not trusted"],
)
def test_a_contract_that_could_not_be_delivered_is_not_sent(
    user: User, parties: list[dict[str, Any]], refused: dict[str, str]
) -> None:
    contract = user.draft(parties, delivery=FORM)
    answer = user.post(f"/v1/contracts/{contract['id']}/send", headers={"if-match": '"v1"'})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation-failed"), answer.text
    found = {item["pointer"]: item for item in answer.json()["errors"]}
    assert found.keys() == refused.keys()
    for pointer, word in refused.items():
        assert word in found[pointer]["detail"]
        assert found[pointer]["code"] == "recipient-refused"
    assert user.contract(contract)["state"] == "draft"
    without = user.request(
        "PATCH", f"/v1/contracts/{contract['id']}", headers={"if-match": '"v1"'}, json={"delivery": None}
    )
    assert good(without)["delivery"] is None
    assert user.send(good(without))["state"] == "sent"


def test_a_contract_is_not_sent_where_no_library_here_could_encrypt_it(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent() -> None:
        raise BackendUnavailable("gost-engine is not installed", hint="install it")

    draft = user.draft([held("sm2"), held("gost2012-256")], delivery=FORM)
    monkeypatch.setattr(gost_encryption, "load", absent)
    answer = user.post(f"/v1/contracts/{draft['id']}/send", headers={"if-match": '"v1"'})
    assert (answer.status_code, answer.json()["code"], answer.json()["hint"]) == (
        *(503, "backend-unavailable", "install it"),
    )
    assert good(user.get(f"/v1/contracts/{draft['id']}"))["state"] == "draft"
    monkeypatch.undo()
    assert user.post(f"/v1/contracts/{draft['id']}/send", headers={"if-match": '"v1"'}).status_code == 200


def test_a_party_whose_key_is_revoked_gets_another_one(user: User) -> None:
    contract = user.sent(held("ecdsa-p256"), delivery=FORM)
    (row,) = (each for each in good(user.get("/v1/certificates"))["data"] if each["profile"] == "encryption")
    assert user.sign(contract, contract["parties"][0])["state"] == "succeeded"
    done = user.wait_for_state(contract, "completed")
    delivered(user, done)
    good(user.post(f"/v1/certificates/{row['id']}/revoke"))
    job = good(user.post(f"/v1/contracts/{contract['id']}/deliver"), 202)
    assert user.wait_for_job(f"/v1/jobs/{job['id']}")["state"] == "succeeded"
    (again,) = delivered(user, done, times=2)
    assert again["recipients"][0]["certificate"]["sha256"] != row["certificate"]["sha256"]


def test_a_delivery_that_fails_is_in_the_trail_and_can_be_asked_for_again(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from signer.errors import RecipientRefused

    contract = completed(user, held("ecdsa-p256"))
    assert trail(user, contract, "contract.delivering") == [], "nobody asked for one"

    def refuse(*_: Any) -> Any:
        raise RecipientRefused("revoked in the meantime", refused=[])

    with monkeypatch.context() as patch:
        patch.setattr(delivery, "check", refuse)
        job = good(user.post(f"/v1/contracts/{contract['id']}/deliver"), 202)
        assert user.wait_for_job(f"/v1/jobs/{job['id']}")["error"]["code"] == "recipient-refused"
    assert trail(user, contract, "contract.delivery-failed")[0]["code"] == "recipient-refused"
    assert user.contract(contract)["state"] == "completed"
    good(user.post(f"/v1/contracts/{contract['id']}/deliver"), 202)
    assert len(delivered(user, contract)) == 1


def test_an_attempt_that_dies_before_its_end_leaves_nothing(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = completed(user, held("ecdsa-p256"))
    ends, real = [], queue.end

    def end(*given: Any, **more: Any) -> None:
        ends.append(given)
        if len(ends) == 1:
            raise RuntimeError("the process dies here")
        real(*given, **more)

    monkeypatch.setattr(delivery.queue, "end", end)
    job = good(user.post(f"/v1/contracts/{contract['id']}/deliver"), 202)
    assert user.wait_for_job(f"/v1/jobs/{job['id']}")["state"] == "succeeded"
    assert len(delivered(user, contract)) == 1
    assert len(good(user.get("/v1/envelopes"))["data"]) == 1


def test_what_is_not_completed_is_not_delivered(user: User, stranger: User, service: Service) -> None:
    contract = user.sent(held("ecdsa-p256"))
    answer = user.post(f"/v1/contracts/{contract['id']}/deliver")
    assert (answer.status_code, answer.json()["code"]) == (409, "state-conflict")
    assert stranger.post(f"/v1/contracts/{contract['id']}/deliver").status_code == 404
    with service.context.database.write() as session:
        from api.auth.models import Tenant

        tenant = session.get_one(Tenant, user.tenant_id)
        scopes = tuple(scope for scope in SCOPES if scope != "envelopes:write")
        token = create_key(session, tenant, name="less", now=service.context.now(), scopes=scopes)
    weak = User(user.http, token, service.context, user.tenant_id)
    assert weak.post(f"/v1/contracts/{contract['id']}/deliver").status_code == 403


@pytest.mark.parametrize("pem", ["x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_certificate_for_encryption_that_is_none_is_refused_at_once(user: User, pem: str) -> None:
    body = {
        "title": "x",
        "documents": [user.upload()["id"]],
        "parties": [held("ecdsa-p256", encryption_certificate=pem)],
    }
    answer = user.post("/v1/contracts", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/parties/0/encryption_certificate"


def test_jobs_that_end_themselves_are_not_ended_again(user: User, caplog: pytest.LogCaptureFixture) -> None:
    """Signing, finalising and delivering end in the transaction that does their last work."""
    contract = completed(user, held("ecdsa-p256"), delivery=FORM)
    assert delivered(user, contract)
    assert "taken over" not in caplog.text
