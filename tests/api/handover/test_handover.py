"""A party signs with the key in its phone: from a QR code on a screen to a completed contract, or not."""

from __future__ import annotations

import base64
import hashlib
import logging
from datetime import timedelta
from typing import Any

import pytest

from api.audit.service import check_chain
from api.handover import qr
from api.handover.visit import MOST
from api.signing import pdf
from certs import suites
from certs.errors import TimeStampError
from certs.signed_data import assemble, signed_attributes
from tests.api.conftest import CONSENT, User, at_home, circle_today
from tests.api.handover.phone import AGENT, Phone, hand_over, path_of
from tests.api.handover.scanner import grid
from tests.conftest import SIGNING

REFUSAL = {"code": "user-refused", "message": "Не согласен: пункт 4 другой 𠮷"}
QUICK = ("sm2", "gost2012-256", "ecdsa-p256")
SUITES = [suite if suite in QUICK else pytest.param(suite, marks=pytest.mark.slow) for suite in SIGNING]


def asked(user: User, suite: str = "ecdsa-p256", **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a contract with one party that has its own key, and its signature request."""
    contract = user.sent(at_home(circle_today(suite), **more))
    return contract, user.ask(contract, contract["parties"][0])


def state_of(user: User, request: dict[str, Any]) -> dict[str, Any]:
    return dict(user.get(path_of(request)).json())


def over(response: Any, reason: str) -> None:
    body = response.json()
    assert (response.status_code, body["code"], body["reason"]) == (410, "handover-over", reason), body


def events(user: User, contract: dict[str, Any]) -> list[dict[str, Any]]:
    found = user.get(f"/v1/contracts/{contract['id']}/events").json()["data"]
    return [event["body"] for event in found]


@pytest.mark.parametrize("suite", SUITES)
def test_a_phone_reads_the_code_and_signs(user: User, suite: str) -> None:
    circle = circle_today(suite)
    contract, request = asked(user, suite, name="王伟𠮷 Иван", locale="zh")
    handover = hand_over(user, request)
    assert (handover["state"], handover["shown_at"]) == ("open", None)
    with Phone.scanning(handover, circle.key) as phone:
        assert phone.address == handover["address"]
        shown = phone.look().json()
        assert (shown["title"], shown["suite"], shown["dtbs"]) == (contract["title"], suite, request["dtbs"])
        assert shown["parties"] == [{"name": "王伟𠮷 Иван", "organisation": None, "role": "signer", "you": True}]
        assert shown["consent"]["text"] == CONSENT["zh"]
        assert shown["certificate"] == circle.certificate.pem
        content = phone.content()
        assert shown["document"]["sha256"] == hashlib.sha256(content).hexdigest() == request["document_sha256"]
        for name in ("sm3", "streebog256"):
            digest = suites.new_digest(name)
            digest.update(content)
            assert shown["document"][name] == digest.digest().hex()
        watched = state_of(user, request)
        assert (watched["state"], watched["address"], watched["qr"]) == ("shown", None, None)
        assert watched["shown_to"] == {"address": "127.0.0.1", "user_agent": AGENT}
        assert phone.send(signature=phone.sign()).json() == {"state": "used"}
        for again in (phone.look(), phone.http.get(f"{phone.address}/content"), phone.send(error=REFUSAL)):
            over(again, "used")
    contract = user.wait_for_state(contract, "completed", "failed")
    assert contract["state"] == "completed", contract["failure"]
    trail = user.get(f"/v1/contracts/{contract['id']}/evidence").json()["events"]
    check_chain([(event["body"], event["hash"]) for event in trail], head=contract["audit_hash"])
    bodies = {event["body"]["type"]: event["body"] for event in trail}
    for name in ("handover.shown", "document.revision_created", "party.signed"):
        assert (bodies[name]["actor"]["type"], bodies[name]["actor"]["id"]) == ("handover", handover["id"])
        assert bodies[name]["actor"]["address"] == "127.0.0.1"
    assert bodies["handover.made"]["actor"]["type"] == "api-key"


@pytest.mark.slow
def test_a_complete_cms_comes_back(user: User) -> None:
    circle = circle_today("ecdsa-p256")
    contract, request = asked(user)
    with Phone.scanning(hand_over(user, request), circle.key) as phone:
        digest = base64.b64decode(phone.look().json()["document_digest"])
        attributes = signed_attributes(circle.key.suite, circle.certificate, digest)
        made = assemble(circle.key.suite, circle.certificate, attributes, circle.key.sign(attributes))
        assert phone.send(cms=base64.b64encode(made).decode()).json() == {"state": "used"}
    user.wait_for_state(contract, "completed")


def test_a_refusal_is_a_recorded_result(user: User) -> None:
    contract, request = asked(user)
    with Phone.scanning(hand_over(user, request), circle_today("ecdsa-p256").key) as phone:
        assert phone.send(error=REFUSAL).json() == {"state": "refused"}
        over(phone.look(), "refused")
    watched = state_of(user, request)
    assert (watched["state"], watched["refusal"]) == ("refused", REFUSAL)
    after = user.get(path_of(request).removesuffix("/handover")).json()
    assert (after["state"], after["failure"]["code"]) == ("abandoned", "reported")
    assert REFUSAL["message"] in after["failure"]["detail"]
    assert user.contract(contract)["parties"][0]["state"] == "notified"
    assert "party.signing_abandoned" in [event["type"] for event in events(user, contract)]


def test_values_that_do_not_fit_lock_the_address_and_change_nothing_else(user: User) -> None:
    circle = circle_today("ecdsa-p256")
    contract, request = asked(user)
    _, other = asked(user)
    foreign = base64.b64encode(circle.key.sign(base64.b64decode(other["dtbs"]))).decode()
    with Phone.scanning(hand_over(user, request), circle.key) as phone:
        good = phone.sign()
        before = user.contract(contract)
        for number in range(MOST):
            assert phone.look().json()["attempts_left"] == MOST - number
            answer = phone.send(signature=foreign if number else good[:-8] + "AAAAAAA=")
            assert (answer.status_code, answer.json()["code"]) == (422, "wrong-value")
            if number < MOST - 1:
                assert user.contract(contract) == before
        over(phone.send(signature=good), "locked")
    after = user.contract(contract)
    assert (after["state"], after["parties"]) == (before["state"], before["parties"])
    assert state_of(user, request)["state"] == "locked"
    assert events(user, contract)[-1]["type"] == "handover.locked"
    with Phone.scanning(hand_over(user, request), circle.key) as phone:  # the request stands
        assert phone.send(signature=good).status_code == 200
    user.wait_for_state(contract, "completed")


def test_a_newer_address_replaces_an_older_one_and_it_can_be_taken_back(user: User) -> None:
    key = circle_today("ecdsa-p256").key
    _, request = asked(user)
    with Phone.scanning(hand_over(user, request), key) as old, Phone.scanning(hand_over(user, request), key) as new:
        good = new.sign()
        over(old.send(signature=good), "replaced")
        for _ in range(2):
            assert user.request("DELETE", path_of(request)).status_code == 204
        over(new.send(signature=good), "withdrawn")
    assert user.get(path_of(request)).json()["state"] == "withdrawn"
    assert user.hand_in(request, signature=good).status_code == 200, "the request itself stands"


def test_an_address_that_is_taken_back_while_its_value_is_looked_at_signs_nothing(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, complete = circle_today("ecdsa-p256").key, pdf.complete
    contract, request = asked(user)

    def slow(*given: Any, **more: Any) -> None:
        assert user.request("DELETE", path_of(request)).status_code == 204
        complete(*given, **more)

    with Phone.scanning(hand_over(user, request), key) as phone:
        good = phone.sign()
        monkeypatch.setattr(pdf, "complete", slow)
        over(phone.send(signature=good), "withdrawn")
    assert user.contract(contract)["documents"][0]["revision"] == 0
    assert user.get(path_of(request).removesuffix("/handover")).json()["state"] == "prepared"


def test_without_a_time_stamp_the_value_may_be_sent_again(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: Any, **__: Any) -> None:
        raise TimeStampError("the authority does not answer", reason="unreachable")

    _, request = asked(user)
    with Phone.scanning(hand_over(user, request), circle_today("ecdsa-p256").key) as phone:
        good = phone.sign()
        with monkeypatch.context() as patch:
            patch.setattr(pdf, "complete", down)
            for _ in range(MOST + 1):
                assert phone.send(signature=good).json()["code"] == "time-stamp-error"
        assert phone.send(signature=good).json() == {"state": "used"}


def test_a_late_or_stale_value_is_refused(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    circle = circle_today("ecdsa-p256")
    contract = user.sent(at_home(circle), at_home(circle))
    first, second = contract["parties"]
    request = user.ask(contract, first)
    with Phone.scanning(hand_over(user, request), circle.key) as phone:
        good = phone.sign()
        late = user.context.clock.now() + timedelta(minutes=31)
        with monkeypatch.context() as patch:
            patch.setattr(type(user.context.clock), "now", lambda self: late)
            over(phone.send(signature=good), "expired")
            assert state_of(user, request)["state"] == "expired"
            assert user.post(path_of(request)).json()["code"] == "stale-request"
        user.sign_at_home(contract, second, circle.key)
        for answer in (phone.look(), phone.send(signature=good)):
            assert (answer.status_code, answer.json()["code"]) == (409, "stale-request")
        user.post(f"/v1/contracts/{contract['id']}/void")
        assert phone.send(signature=good).json()["code"] == "state-conflict"


@pytest.mark.slow
def test_what_the_program_hands_in_itself_leaves_nothing_for_the_phone(user: User) -> None:
    contract, request = asked(user)
    with Phone.scanning(hand_over(user, request), circle_today("ecdsa-p256").key) as phone:
        good = phone.sign()
        assert user.hand_in(request, signature=good).status_code == 200
        assert phone.send(signature=good).json()["code"] == "state-conflict"
        user.wait_for_state(contract, "completed")
        assert user.post(path_of(request)).json()["code"] == "state-conflict"


def test_the_address_is_shown_once_and_is_nowhere_else(
    user: User, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract, request = asked(user)
    once = {"idempotency-key": "one"}
    handover = user.post(path_of(request), headers=once).json()
    repeated = user.post(path_of(request), headers=once).json()
    assert repeated == handover | {"address": None, "qr": None}
    token = handover["address"].rsplit("/", 1)[1]
    assert len(base64.urlsafe_b64decode(token + "=")) == 32
    rows = grid(base64.b64decode(handover["qr"]["png"]))
    assert handover["qr"]["svg"] == qr.as_svg(qr.modules(handover["address"]))
    assert len(rows) == len(qr.modules(handover["address"])) - 2 * qr.QUIET

    def defect(*_: Any, **__: Any) -> None:
        raise RuntimeError("a defect")

    caplog.set_level(logging.DEBUG)
    with Phone(handover["address"], circle_today("ecdsa-p256").key) as phone:
        answer = phone.look()
        for name, value in {"cache-control": "no-store", "referrer-policy": "no-referrer"}.items():
            assert answer.headers[name] == value
        assert phone.http.get(f"{phone.address}/content").headers["cache-control"] == "no-store"
        good = phone.sign()
        monkeypatch.setattr(pdf, "complete", defect)
        answer = phone.send(signature=good)
        assert (answer.status_code, answer.json()["instance"]) == (500, "/h/*")
        stranger = phone.http.get(f"{phone.address[:-2]}AA")
        assert (stranger.status_code, stranger.json()["code"]) == (404, "not-found")
    ours = "\n".join(entry.getMessage() for entry in caplog.records if entry.name.startswith("sealroad"))
    assert "/h/*" in ours
    assert token not in ours
    assert token not in user.get(f"/v1/contracts/{contract['id']}/evidence").text
    assert token not in user.get("/metrics").text
