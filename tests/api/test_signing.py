"""The five calls, in every suite, whoever holds the key; and every way a value can be wrong."""

from __future__ import annotations

import base64
import threading
from datetime import timedelta
from typing import Any

import pytest

from api.audit.service import check_chain
from api.signing import pdf
from certs import suites
from certs.certificate import Certificate
from tests.api.conftest import CONSENT, Circle, User, at_home, circle_today, held, make_pdf
from tests.conftest import SIGNING


@pytest.mark.parametrize("suite", SIGNING)
def test_five_calls_to_a_completed_contract_with_a_key_held_by_the_service(user: User, suite: str) -> None:
    contract = user.sent(held(suite, name="王伟 Иван", locale="zh"))
    party = contract["parties"][0]
    assert (party["suite"], party["key_holder"]) == (suite, "service")
    job = user.sign(contract, party)
    assert job["state"] == "succeeded", job
    contract = user.wait_for_state(contract, "completed", "failed")
    assert contract["state"] == "completed", contract["failure"]
    report = verification(user, contract)
    assert report["verdict"] == "TOTAL-PASSED", report
    assert report["signatures"][0]["suite"] == suite
    assert report["signatures"][0]["signed_at"]["source"] == "timestamp"


@pytest.mark.parametrize("suite", SIGNING)
def test_five_calls_to_a_completed_contract_with_a_key_held_by_the_party(user: User, suite: str) -> None:
    circle = circle_today(suite)
    contract = user.sent(at_home(circle))
    party = contract["parties"][0]
    assert (party["suite"], party["key_holder"]) == (suite, "party")
    result = user.sign_at_home(contract, party, circle.key)
    assert result["request"]["state"] == "embedded"
    contract = user.wait_for_state(contract, "completed", "failed")
    assert contract["state"] == "completed", contract["failure"]
    report = verification(user, contract)
    signature = report["signatures"][0]
    assert (signature["suite"], signature["layers"]["cryptographic"]["result"]) == (suite, "passed")
    assert signature["verdict"] == "INDETERMINATE"  # the service does not trust the party's own circle
    trusting = user.post(
        "/v1/verifications",
        files=[("file", ("c.pdf", user.content(contract), "application/pdf")), *trust_files(circle)],
    ).json()
    assert trusting["verdict"] == "TOTAL-PASSED", trusting


def verification(user: User, contract: dict[str, Any]) -> dict[str, Any]:
    return user.get(f"/v1/contracts/{contract['id']}/verification").json()["documents"][0]["report"]


def trust_files(circle: Circle) -> list[tuple[str, tuple[str, bytes, str]]]:
    certificates = "".join(certificate.pem for certificate in circle.ca.chain).encode()
    return [
        ("trust", (name, content, "application/octet-stream"))
        for name, content in (("ca.pem", certificates), ("ca.crl", circle.ca.crl()), ("root.crl", circle.ca.root_crl()))
    ]


def test_three_parties_in_three_cryptographies_sign_one_document_in_order(user: User) -> None:
    """China, Russia and a party with its own key; every earlier signature stays good after each later one."""
    freight = circle_today("ecdsa-p256")
    contract = user.sent(
        held("sm2", name="王伟", organisation="上海远东机械有限公司", country="CN", order=1, locale="zh"),
        held("gost2012-256", name="Иван Петров", organisation="ООО «Волга»", country="RU", order=2, locale="ru"),
        at_home(freight, order=3),
        {"name": "Archive", "role": "cc"},
    )
    seller, buyer, carrier = (party for party in contract["parties"] if party["role"] == "signer")
    early = user.post(
        f"/v1/contracts/{contract['id']}/parties/{buyer['id']}/sign", json={"consent": user.consent(contract)}
    )
    assert (early.status_code, early.json()["code"]) == (409, "state-conflict")
    assert user.sign(contract, seller)["state"] == "succeeded"
    assert user.contract(contract)["state"] == "in_progress"
    assert verification(user, contract)["verdict"] == "TOTAL-PASSED"
    assert user.sign(contract, buyer)["state"] == "succeeded"
    assert verification(user, contract)["verdict"] == "TOTAL-PASSED"
    user.sign_at_home(contract, carrier, freight.key)
    contract = user.wait_for_state(contract, "completed")
    report = verification(user, contract)
    assert [item["suite"] for item in report["signatures"]] == ["sm2", "gost2012-256", "ecdsa-p256"]
    assert {item["layers"]["cryptographic"]["result"] for item in report["signatures"]} == {"passed"}
    assert [party["state"] for party in contract["parties"] if party["role"] == "cc"] == ["notified"]

    evidence = user.get(f"/v1/contracts/{contract['id']}/evidence").json()
    assert evidence["schema"] == "sealroad.evidence/1"
    check_chain([(event["body"], event["hash"]) for event in evidence["events"]], head=contract["audit_hash"])
    assert [row["number"] for row in evidence["revisions"]] == [0, 1, 2, 3]
    assert len(evidence["authorities"]) == 3
    consents = [item["consent"]["text"] for item in evidence["signatures"]]
    assert consents == [CONSENT["zh"], CONSENT["ru"], CONSENT["en"]]


def test_several_documents_are_signed_by_everybody(user: User) -> None:
    circle = circle_today("ed25519")
    documents = [user.upload()["id"] for _ in range(2)]
    contract = user.send(user.draft([held("ecdsa-p256", order=1), at_home(circle, order=2)], documents))
    first, second = contract["parties"]
    assert user.sign(contract, first)["state"] == "succeeded"
    assert user.sign_at_home(contract, second, circle.key)["contract"]["state"] == "in_progress"
    user.sign_at_home(contract, second, circle.key)
    contract = user.wait_for_state(contract, "completed")
    assert [row["revision"] for row in contract["documents"]] == [2, 2]


def test_a_visible_signature_carries_names_in_every_script(user: User) -> None:
    area = {"page": 1, "box": [60, 80, 260, 160]}
    contract = user.sent(held("sm2", name="王伟", organisation="ООО «Волга» & Söhne", signature_area=area, locale="zh"))
    assert user.sign(contract, contract["parties"][0])["state"] == "succeeded"
    assert b"/AP" in user.content(user.wait_for_state(contract, "completed"))


# consent -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"accepted": False}, "validation-failed"),
        ({"text": ""}, "validation-failed"),
        ({"locale": "fr"}, "validation-failed"),
        ({"document_sha256": "0" * 64}, "consent-refused"),
        ({"document_sha256": "x"}, "validation-failed"),
        ({"document_sha256": None}, "validation-failed"),
        ({"document_sha256": None, "documents": {}}, "consent-refused"),
        ({"document_sha256": None, "documents": {"doc_" + "0" * 32: "0" * 64}}, "consent-refused"),
    ],
)
def test_a_consent_to_something_else_is_no_consent(user: User, change: dict[str, Any], code: str) -> None:
    contract = user.sent(held("ecdsa-p256"))
    path = f"/v1/contracts/{contract['id']}/parties/{contract['parties'][0]['id']}/sign"
    response = user.post(path, json={"consent": {**user.consent(contract), **change}})
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert user.contract(contract) == contract


def test_whoever_was_shown_an_earlier_revision_consents_to_the_same_document(user: User) -> None:
    contract = user.sent(held("ecdsa-p256"), held("ecdsa-p256"))
    first, second = contract["parties"]
    shown = user.consent(contract)
    user.sign(contract, first)
    path = f"/v1/contracts/{contract['id']}/parties/{second['id']}/sign"
    assert user.post(path, json={"consent": shown}).status_code == 202
    user.wait_for_state(contract, "completed")


def test_the_wrong_route_is_refused_with_the_right_one_as_hint(user: User) -> None:
    contract = user.sent(held("ecdsa-p256"), at_home(circle_today("ecdsa-p256")))
    service, party = contract["parties"]
    base = f"/v1/contracts/{contract['id']}/parties"
    consent = {"consent": user.consent(contract)}
    response = user.post(f"{base}/{party['id']}/sign", json=consent)
    assert (response.status_code, response.json()["code"]) == (409, "state-conflict")
    assert "signature-requests" in response.json()["hint"]
    assert user.post(f"{base}/{service['id']}/signature-requests", json=consent).status_code == 409


# values that must not get in -----------------------------------------------------------------------------------


def refuse(user: User, request: dict[str, Any], code: str, **body: Any) -> None:
    before = user.contract({"id": request["contract"]})
    response = user.hand_in(request, **body)
    assert (response.json()["code"], response.headers["content-type"]) == (code, "application/problem+json")
    assert user.contract({"id": request["contract"]}) == before


def value_for(request: dict[str, Any], key: Any) -> str:
    return base64.b64encode(key.sign(base64.b64decode(request["dtbs"]))).decode()


@pytest.mark.parametrize("suite", SIGNING)
def test_a_wrong_or_foreign_value_leaves_the_contract_as_it_was(user: User, suite: str) -> None:
    circle = circle_today(suite)
    contract = user.sent(at_home(circle))
    request = user.ask(contract, contract["parties"][0])
    good = base64.b64decode(value_for(request, circle.key))
    flipped = bytes([*good[:-1], good[-1] ^ 1])
    foreign = suites.get(suite).generate().sign(base64.b64decode(request["dtbs"]))
    of_something_else = circle.key.sign(b"something else")
    of_the_digest = circle.key.sign(base64.b64decode(request["digest"]))
    for wrong in (
        flipped,
        foreign,
        of_something_else,
        of_the_digest,
        b"",
        b"\x00",
        good + b"\x00",
        good[:-1],
        b"\xff" * 5000,
    ):
        refuse(user, request, "wrong-value", signature=base64.b64encode(wrong).decode())
    for wrong in (b"", b"\x30\x03\x02\x01\x01", b"\x00" * 100, good):
        refuse(user, request, "wrong-value", cms=base64.b64encode(wrong).decode())
    for no_base64 in ("ключ", "a", "====", "-_-_"):
        assert user.hand_in(request, signature=no_base64).status_code in (400, 422)
    assert user.hand_in(request, signature=base64.b64encode(good).decode()).status_code == 200
    user.wait_for_state(contract, "completed")


def test_a_value_comes_in_only_once(user: User) -> None:
    circle = circle_today("ecdsa-p256")
    contract = user.sent(at_home(circle))
    request = user.ask(contract, contract["parties"][0])
    value = value_for(request, circle.key)
    assert user.hand_in(request, signature=value).status_code == 200
    user.wait_for_state(contract, "completed")
    refuse(user, request, "state-conflict", signature=value)


def test_a_newer_request_replaces_an_older_one(user: User) -> None:
    circle = circle_today("ecdsa-p256")
    contract = user.sent(at_home(circle))
    older = user.ask(contract, contract["parties"][0])
    newer = user.ask(contract, contract["parties"][0])
    refuse(user, older, "state-conflict", signature=value_for(older, circle.key))
    refuse(user, newer, "wrong-value", signature=value_for(older, circle.key))
    assert user.hand_in(newer, signature=value_for(newer, circle.key)).status_code == 200


def test_a_value_for_another_contract_or_party_is_refused(user: User) -> None:
    circle = circle_today("ecdsa-p256")
    requests = []
    for _ in range(2):
        contract = user.sent(at_home(circle))
        requests.append(user.ask(contract, contract["parties"][0]))
    refuse(user, requests[0], "wrong-value", signature=value_for(requests[1], circle.key))
    crossed = {**requests[0], "id": requests[1]["id"]}
    assert user.hand_in(crossed, signature=value_for(requests[1], circle.key)).status_code == 404


def test_a_value_after_somebody_else_signed_is_stale(user: User) -> None:
    """Parallel parties: the second to finish prepares again on the new head."""
    circle = circle_today("sm2")
    contract = user.sent(at_home(circle), held("ecdsa-p256"))
    own, other = contract["parties"]
    request = user.ask(contract, own)
    assert user.sign(contract, other)["state"] == "succeeded"
    refuse(user, request, "stale-request", signature=value_for(request, circle.key))
    user.sign_at_home(contract, own, circle.key)
    user.wait_for_state(contract, "completed")


def test_a_value_after_the_request_expired_is_refused(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    circle = circle_today("ecdsa-p256")
    contract = user.sent(at_home(circle))
    request = user.ask(contract, contract["parties"][0])
    late = user.context.clock.now() + timedelta(minutes=31)
    with monkeypatch.context() as patch:
        patch.setattr(type(user.context.clock), "now", lambda self: late)
        refuse(user, request, "stale-request", signature=value_for(request, circle.key))
    user.sign_at_home(contract, contract["parties"][0], circle.key)


@pytest.mark.parametrize(
    "body", [{}, {"signature": "AA==", "error": "x"}, {"signature": "***"}, {"signature": "A"}, {"value": "AA=="}]
)
def test_a_body_that_is_no_value_is_refused(user: User, body: dict[str, str]) -> None:
    contract = user.sent(at_home(circle_today("ecdsa-p256")))
    request = user.ask(contract, contract["parties"][0])
    assert user.hand_in(request, **body).status_code in {400, 422}


def test_a_party_may_report_that_its_key_failed_and_try_again(user: User) -> None:
    circle = circle_today("gost2012-256")
    contract = user.sent(at_home(circle))
    party = contract["parties"][0]
    request = user.ask(contract, party)
    result = user.hand_in(request, error="токен не отвечает").json()
    assert result["request"]["state"] == "abandoned"
    assert result["contract"]["parties"][0]["state"] == "notified"
    refuse(user, request, "state-conflict", signature=value_for(request, circle.key))
    user.sign_at_home(contract, party, circle.key)
    user.wait_for_state(contract, "completed")


def test_a_withdrawn_contract_takes_no_value(user: User) -> None:
    circle = circle_today("ecdsa-p256")
    contract = user.sent(at_home(circle))
    request = user.ask(contract, contract["parties"][0])
    user.post(f"/v1/contracts/{contract['id']}/void")
    refuse(user, request, "state-conflict", signature=value_for(request, circle.key))


# races ---------------------------------------------------------------------------------------------------------


def test_many_parties_at_once_make_one_chain_of_revisions_and_one_finalisation(user: User) -> None:
    circle = circle_today("ecdsa-p256")
    count = 4
    contract = user.sent(*(held("ecdsa-p256", name=f"Party {n}") for n in range(count)), at_home(circle))
    consent = {"consent": user.consent(contract)}
    barrier, codes = threading.Barrier(count), []

    def sign(party: dict[str, Any]) -> None:
        barrier.wait()
        response = user.post(f"/v1/contracts/{contract['id']}/parties/{party['id']}/sign", json=consent)
        codes.append(response.status_code)

    run_all([threading.Thread(target=sign, args=(party,)) for party in contract["parties"][:count]])
    assert codes == [202] * count
    while user.contract(contract)["documents"][0]["revision"] < count:
        pass
    user.sign_at_home(contract, contract["parties"][-1], circle.key)
    contract = user.wait_for_state(contract, "completed", "failed")
    assert contract["state"] == "completed"
    trail = user.get(f"/v1/contracts/{contract['id']}/events").json()["data"]
    types = [event["type"] for event in trail]
    assert types.count("contract.finalizing") == types.count("contract.completed") == 1
    assert types.count("party.signed") == count + 1
    assert len(verification(user, contract)["signatures"]) == count + 1
    check_chain([(event["body"], event["hash"]) for event in trail], head=contract["audit_hash"])


def test_the_same_value_handed_in_by_many_at_once_makes_one_revision(user: User) -> None:
    circle = circle_today("ecdsa-p256")
    contract = user.sent(at_home(circle))
    request = user.ask(contract, contract["parties"][0])
    value, codes, barrier = value_for(request, circle.key), [], threading.Barrier(6)

    def hand_in() -> None:
        barrier.wait()
        codes.append(user.hand_in(request, signature=value).status_code)

    run_all([threading.Thread(target=hand_in) for _ in range(6)])
    assert sorted(codes) == [200, *[409] * 5]
    contract = user.wait_for_state(contract, "completed")
    assert contract["documents"][0]["revision"] == 1


def run_all(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# certificates at send ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "code"), [(timedelta(days=4000), "expired"), (-timedelta(days=4000), "not-yet-valid")]
)
def test_a_certificate_outside_its_time_is_found_at_send(
    user: User, monkeypatch: pytest.MonkeyPatch, offset: timedelta, code: str
) -> None:
    draft = user.draft([at_home(circle_today("ecdsa-p256"))])
    moment = user.context.clock.now() + offset
    with monkeypatch.context() as patch:
        patch.setattr(type(user.context.clock), "now", lambda self: moment)
        response = user.post(f"/v1/contracts/{draft['id']}/send", headers={"if-match": '"v1"'})
    assert response.status_code in {401, 422}
    if response.status_code == 422:
        assert response.json()["errors"][0]["code"] == code


def test_a_certificate_of_an_authority_or_for_time_stamps_does_not_sign_contracts(user: User) -> None:
    circle = circle_today("ecdsa-p256")
    wrong: list[Certificate] = [*circle.ca.chain]
    for certificate in wrong:
        draft = user.draft([{"name": "x", "certificate": certificate.pem}])
        response = user.post(f"/v1/contracts/{draft['id']}/send", headers={"if-match": '"v1"'})
        assert response.status_code == 422
        assert {error["code"] for error in response.json()["errors"]} & {"key-usage", "is-ca"}


def test_a_job_whose_contract_is_withdrawn_meanwhile_ends_without_a_signature(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = user.sent(held("ecdsa-p256"))
    path = f"/v1/contracts/{contract['id']}"
    reached, go_on, prepare = threading.Event(), threading.Event(), pdf.prepare

    def slow(*arguments: Any) -> Any:
        reached.set()
        go_on.wait(30)
        return prepare(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(pdf, "prepare", slow)
        consent = {"consent": user.consent(contract)}
        response = user.post(f"{path}/parties/{contract['parties'][0]['id']}/sign", json=consent)
        assert reached.wait(30)
        assert user.post(f"{path}/void").json()["state"] == "voided"
        go_on.set()
        job = user.wait_for_job(response.headers["location"])
    assert (job["state"], job["error"]["code"]) == ("failed", "state-conflict")
    assert user.contract(contract)["documents"][0]["revision"] == 0


def test_an_upload_and_a_verification_of_any_bytes_gives_a_verdict_or_a_problem(user: User) -> None:
    for content in (b"", b"x", make_pdf(), make_pdf()[:-100], b"%PDF-1.7\n" + b"\x80" * 1000):
        response = user.post("/v1/verifications", files={"file": ("x.pdf", content, "application/pdf")})
        assert response.status_code in {200, 422}
        assert response.status_code == 422 or response.json()["schema"] == "sealroad.report/1"
