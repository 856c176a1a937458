"""A seal goes on documents: by themselves and as a party of a contract; every use under a grant, counted once."""

from __future__ import annotations

import base64
import threading
from datetime import timedelta
from typing import Any

import pytest

from api.seals.models import Seal, SealGrant, SealUse
from tests.api.conftest import Service, circle_today, held, make_pdf
from tests.api.seals.office import Office, colleague, good, key_id, refused
from tests.conftest import SIGNING

QUICK = ("sm2", "gost2012-256", "ecdsa-p256")
SUITES = [suite if suite in QUICK else pytest.param(suite, marks=pytest.mark.slow) for suite in SIGNING]
POINT = {"at": "point", "page": 1, "x": 300, "y": 300}


@pytest.fixture
def office(service: Service) -> Office:
    return Office.of(service)


def sealing(seal: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a party that seals."""
    return {"name": "Keeper of seals", "role": "seal", "seal": seal["id"], **more}


def use(office: Office, seal: dict[str, Any], document: str, **more: Any) -> Any:
    return office.dan.post(f"/v1/seals/{seal['id']}/apply", json={"document": document, **more})


def sealed(office: Office, seal: dict[str, Any], document: str, **more: Any) -> dict[str, Any]:
    response = use(office, seal, document, **more)
    assert response.status_code == 202, response.text
    return office.dan.wait_for_job(response.headers["location"])


def report_of(office: Office, document: str) -> dict[str, Any]:
    content = office.dan.get(f"/v1/documents/{document}/content").content
    files = {"file": ("x.pdf", content, "application/pdf")}
    return good(office.dan.post("/v1/verifications", files=files))


# by itself -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("form", ["pades", "national"])
def test_a_stored_document_is_sealed_in_every_suite(office: Office, suite: str, form: str) -> None:
    seal = office.granted(suite, standard="v5")
    document = office.dan.upload(make_pdf(3))
    job = sealed(office, seal, document["id"], form=form, placement={"at": "edges"}, reason="Vertrag", locale="zh")
    assert job["state"] == "succeeded", job
    report = report_of(office, job["result"]["document"])
    (signature,) = report["signatures"]
    assert report["verdict"] != "TOTAL-FAILED", report
    assert signature["seal"]["name"] == seal["name"]
    used = job["result"]["use"]
    assert signature["field"] == f"{used}, {used}-2, {used}-3"
    types = [entry["type"] for entry in office.log(seal)]
    assert types[-2:] == ["use.recorded", "use.done"]
    after = good(office.ann.get(f"/v1/seals/{seal['id']}"))
    assert after["state"] == "active"


@pytest.mark.parametrize("standard", ["v1", "v4", "v5"])
def test_a_seal_of_every_standard_is_applied(office: Office, standard: str) -> None:
    seal = office.granted("sm2", standard=standard)
    job = sealed(office, seal, office.dan.upload()["id"], placement=POINT)
    assert job["state"] == "succeeded", job
    (signature,) = report_of(office, job["result"]["document"])["signatures"]
    assert signature["seal"]["version"] == int(standard[1:])


def test_a_seal_that_is_drawn_here_is_applied(office: Office) -> None:
    drawing = {"form": "round", "title": "合同专用章", "code": "3101012026000"}
    seal = office.granted("sm2", picture=None, drawing=drawing)
    assert (seal["picture_type"], seal["width"], seal["height"]) == ("PNG", 42, 42)
    job = sealed(office, seal, office.dan.upload()["id"], placement=POINT)
    assert job["state"] == "succeeded", job


def test_a_sealed_document_is_sealed_again_and_both_seals_hold(office: Office) -> None:
    first, second = office.granted("sm2"), office.granted("ecdsa-p256")
    once = sealed(office, first, office.dan.upload()["id"], placement=POINT)["result"]["document"]
    twice = sealed(office, second, once, placement={"at": "point", "page": 1, "x": 150, "y": 150})
    report = report_of(office, twice["result"]["document"])
    assert [item["seal"]["name"] for item in report["signatures"]] == [first["name"], second["name"]]
    assert report["verdict"] != "TOTAL-FAILED"


def test_a_keyword_that_is_not_there_fails_the_job_and_uses_nothing(office: Office) -> None:
    seal = office.filed("ecdsa-p256")
    grant = office.grant(seal, count=1)
    job = sealed(office, seal, office.dan.upload()["id"], placement={"at": "keyword", "text": "（盖章）"})
    assert (job["state"], job["error"]["code"]) == ("failed", "option-error")
    (after,) = good(office.ann.get(f"/v1/seals/{seal['id']}/grants"))["data"]
    assert (after["id"], after["used"]) == (grant["id"], 0)


def test_a_seal_whose_key_is_elsewhere_is_used_in_contracts_only(office: Office) -> None:
    seal = office.granted("sm2", suite=None, owner=None, certificates=[circle_today("sm2").bundle])
    response = use(office, seal, office.dan.upload()["id"])
    assert (response.status_code, response.json()["code"]) == (409, "state-conflict")


def test_the_national_form_of_2014_has_no_time_stamp(office: Office) -> None:
    seal, document = office.granted("sm2", standard="v1"), office.dan.upload()["id"]
    assert use(office, seal, document, form="national").json()["code"] == "option-error"
    assert sealed(office, seal, document, form="national", level="B-B")["state"] == "succeeded"


# refusals ------------------------------------------------------------------------------------------------------------
def test_each_refusal_has_its_word(office: Office) -> None:
    document, context = office.dan.upload()["id"], office.ann.context
    seal = office.applied("ecdsa-p256")
    path = f"/v1/seals/{seal['id']}"
    refused(use(office, seal, document), "needs-approval")
    good(office.bob.post(f"{path}/approve"))
    refused(use(office, seal, document), "not-made")
    good(office.ann.post(f"{path}/make"))
    refused(use(office, seal, document), "not-filed")
    good(office.ann.post(f"{path}/file", json={"filing_number": "3101"}))
    refused(use(office, seal, document), "not-granted")
    narrow = office.grant(seal, kinds=["contract"])
    refused(use(office, seal, document), "grant-scope")
    spent = office.grant(seal, count=1)
    assert sealed(office, seal, document)["state"] == "succeeded"
    refused(use(office, seal, document), "grant-used-up")
    for grant in (narrow, spent):
        good(office.ann.post(f"{path}/grants/{grant['id']}/revoke"))
    refused(use(office, seal, document), "not-granted")
    brief = office.grant(seal)
    with context.database.write() as session:
        row = session.get_one(SealGrant, brief["id"])
        row.valid_from, row.valid_to = (context.now() - timedelta(days=days) for days in (2, 1))
    refused(use(office, seal, document), "grant-expired")
    office.grant(seal)
    good(office.ann.post(f"{path}/suspend"))
    refused(use(office, seal, document), "suspended")
    good(office.ann.post(f"{path}/resume"))
    with context.database.write() as session:
        session.get_one(Seal, seal["id"]).valid_from = context.now() + timedelta(days=1)
    refused(use(office, seal, document), "not-yet-valid")
    good(office.ann.post(f"{path}/cancel"))
    refused(use(office, seal, document), "cancelled")


def test_an_expired_seal_is_refused_whether_or_not_the_clock_has_ended_it(office: Office) -> None:
    seal, document, context = office.granted("ecdsa-p256"), office.dan.upload()["id"], office.ann.context
    with context.database.write() as session:
        row = session.get_one(Seal, seal["id"])
        row.valid_from, row.valid_to = (context.now() - timedelta(days=days) for days in (2, 1))
    refused(use(office, seal, document), "expired")


def test_a_grant_that_awaits_its_second_person_is_refused(office: Office) -> None:
    seal = office.granted("ecdsa-p256", approvals=2)
    refused(use(office, seal, office.dan.upload()["id"]), "needs-approval")
    (grant,) = good(office.ann.get(f"/v1/seals/{seal['id']}/grants"))["data"]
    good(office.bob.post(f"/v1/seals/{seal['id']}/grants/{grant['id']}/approve"))
    assert sealed(office, seal, office.dan.upload()["id"])["state"] == "succeeded"


def test_a_seal_whose_certificate_is_on_hold_seals_nothing(office: Office) -> None:
    seal, circle = office.granted("ecdsa-p256"), office.ann.context.circles.get("ecdsa-p256")
    serial = int(seal["certificates"][0]["serial"], 16)
    circle.hold(serial)
    refused(use(office, seal, office.dan.upload()["id"]), "certificate-revoked")
    circle.release(serial)
    assert sealed(office, seal, office.dan.upload()["id"])["state"] == "succeeded"


def test_nobody_uses_the_grant_of_another(office: Office) -> None:
    seal = office.granted("ecdsa-p256")
    document = office.dan.upload()["id"]
    refused(office.bob.post(f"/v1/seals/{seal['id']}/apply", json={"document": document}), "not-granted")


def test_a_seal_that_is_suspended_between_record_and_key_seals_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from api.seals import tasks

    seal = office.granted("ecdsa-p256")
    real = tasks._prepare

    def then_suspend(*given: Any) -> SealUse:
        made = real(*given)
        good(office.ann.post(f"/v1/seals/{seal['id']}/suspend"))
        return made

    monkeypatch.setattr(tasks, "_prepare", then_suspend)
    job = sealed(office, seal, office.dan.upload()["id"])
    assert (job["state"], job["error"]["code"], job["error"]["reason"]) == ("failed", "seal-refused", "suspended")
    assert office.log(seal)[-1]["type"] == "use.failed"
    (grant,) = good(office.ann.get(f"/v1/seals/{seal['id']}/grants"))["data"]
    assert grant["used"] == 1  # what was to be signed was out


def test_two_who_race_for_the_last_use_get_one(office: Office) -> None:
    seal = office.granted("ecdsa-p256", grant={"count": 1})
    documents = [office.dan.upload()["id"] for _ in range(2)]
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda name=name: answers.append(use(office, seal, name))) for name in documents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ends = []
    for answer in answers:
        if answer.status_code == 202:
            ends.append(office.dan.wait_for_job(answer.headers["location"])["state"])
        else:
            refused(answer, "grant-used-up")
            ends.append("refused")
    assert ends.count("succeeded") == 1
    (grant,) = good(office.ann.get(f"/v1/seals/{seal['id']}/grants"))["data"]
    assert grant["used"] == 1
    assert [entry["type"] for entry in office.log(seal)].count("use.done") == 1


# in a contract -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("suite", SUITES)
def test_a_party_seals_a_contract_beside_one_that_signs(office: Office, suite: str) -> None:
    seal = office.granted(suite, standard="v5", grant={"count": 2})
    area = {"page": 1, "box": [60, 60, 200, 200]}
    documents = [office.ann.upload(make_pdf(2))["id"] for _ in range(2)]
    contract = office.ann.sent(sealing(seal, signature_area=area, locale="zh"), held("ecdsa-p256"), documents=documents)
    party, signer = contract["parties"]
    assert (party["suite"], party["key_holder"], party["seal"]) == (suite, "service", seal["id"])
    assert party["certificate"]["sha256"] == seal["certificates"][0]["sha256"]
    assert office.dan.sign(contract, party)["state"] == "succeeded"
    assert office.ann.sign(contract, signer)["state"] == "succeeded"
    contract = office.ann.wait_for_state(contract, "completed", "failed")
    assert contract["state"] == "completed", contract["failure"]
    for entry in good(office.ann.get(f"/v1/contracts/{contract['id']}/verification"))["documents"]:
        found = {item["field"]: item for item in entry["report"]["signatures"]}
        assert found[party["id"]]["seal"]["name"] == seal["name"]
        assert found[signer["id"]]["seal"] is None
        assert entry["report"]["verdict"] == "TOTAL-PASSED", entry["report"]
    uses = good(office.ann.get(f"/v1/seals/{seal['id']}/uses"))["data"]
    assert [entry["type"] for entry in uses] == ["use.recorded", "use.done"] * 2
    assert {entry["body"]["data"].get("contract") for entry in uses} == {contract["id"]}
    assert uses[0]["body"]["data"]["who"] == key_id(office.dan)
    prepared = [
        event["body"]["data"]
        for event in good(office.ann.get(f"/v1/contracts/{contract['id']}/events"))["data"]
        if event["type"] == "signature.prepared" and "seal" in event["body"]["data"]
    ]
    assert {facts["seal_use"] for facts in prepared} == {uses[0]["body"]["data"]["use"], uses[2]["body"]["data"]["use"]}


def test_who_has_no_grant_cannot_seal_as_the_party(office: Office) -> None:
    seal = office.granted("ecdsa-p256", grant={"count": 1})
    contract = office.ann.sent(sealing(seal))
    path = f"/v1/contracts/{contract['id']}/parties/{contract['parties'][0]['id']}/sign"
    body = {"consent": office.ann.consent(contract)}
    refused(office.ann.post(path, json=body), "not-granted")
    assert office.ann.contract(contract)["state"] == "sent"
    assert office.dan.sign(contract, contract["parties"][0])["state"] == "succeeded"
    other = office.ann.sent(sealing(seal))
    path = f"/v1/contracts/{other['id']}/parties/{other['parties'][0]['id']}/sign"
    refused(office.dan.post(path, json={"consent": office.dan.consent(other)}), "grant-used-up")


def test_a_grant_for_two_documents_does_not_begin_a_contract_of_three(office: Office) -> None:
    seal = office.granted("ecdsa-p256", grant={"count": 2})
    contract = office.ann.sent(sealing(seal), documents=[office.ann.upload()["id"] for _ in range(3)])
    path = f"/v1/contracts/{contract['id']}/parties/{contract['parties'][0]['id']}/sign"
    refused(office.dan.post(path, json={"consent": office.dan.consent(contract)}), "grant-used-up")


def test_a_grant_for_one_contract_seals_that_one(office: Office) -> None:
    seal = office.filed("ecdsa-p256")
    contracts = [office.ann.sent(sealing(seal)) for _ in range(2)]
    office.grant(seal, contracts=[contracts[0]["id"]])
    path = f"/v1/contracts/{contracts[1]['id']}/parties/{contracts[1]['parties'][0]['id']}/sign"
    refused(office.dan.post(path, json={"consent": office.dan.consent(contracts[1])}), "grant-scope")
    assert office.dan.sign(contracts[0], contracts[0]["parties"][0])["state"] == "succeeded"


def test_a_contract_is_not_sent_with_a_seal_that_is_not_in_use(office: Office) -> None:
    seal = office.made("ecdsa-p256")
    draft = office.ann.draft([sealing(seal)])
    path = f"/v1/contracts/{draft['id']}/send"
    response = office.ann.post(path, headers={"if-match": '"v1"'})
    assert response.json()["errors"][0] == {
        "pointer": "/parties/0/seal",
        "code": "not-filed",
        "detail": "the seal has not been filed",
    }
    good(office.ann.post(f"/v1/seals/{seal['id']}/file", json={"filing_number": "3101"}))
    assert good(office.ann.post(path, headers={"if-match": '"v1"'}))["state"] == "sent"


def test_a_deadline_after_the_end_of_the_seal_is_refused(office: Office) -> None:
    seal = office.filed("ecdsa-p256")
    draft = office.ann.draft([sealing(seal)], expires_at="2090-01-01T00:00:00Z")
    response = office.ann.post(f"/v1/contracts/{draft['id']}/send", headers={"if-match": '"v1"'})
    assert response.json()["errors"][0]["code"] == "expires-too-early"


@pytest.mark.parametrize("suite", ["sm2", "ecdsa-p256"])
def test_a_party_seals_with_a_key_of_its_own(office: Office, suite: str) -> None:
    circle = circle_today(suite)
    seal = office.granted(suite, suite=None, owner=None, certificates=[circle.bundle], grant={"count": 1})
    document = office.ann.upload(make_pdf(3))["id"]
    contract = office.ann.sent(sealing(seal, seal_placement={"at": "edges"}), documents=[document])
    party = contract["parties"][0]
    assert party["key_holder"] == "party"
    request = office.dan.ask(contract, party)
    again = office.dan.ask(contract, party)  # the same use: nothing more is counted
    assert office.dan.hand_in(request, signature="AAAA").status_code == 409
    value = base64.b64encode(circle.key.sign(base64.b64decode(again["dtbs"]))).decode()
    assert office.dan.hand_in(again, signature=value).status_code == 200
    contract = office.ann.wait_for_state(contract, "completed", "failed")
    assert contract["state"] == "completed", contract["failure"]
    uses = good(office.ann.get(f"/v1/seals/{seal['id']}/uses"))["data"]
    assert [(entry["type"], entry["body"]["data"].get("counted")) for entry in uses] == [
        ("use.recorded", True),
        ("use.recorded", False),
        ("use.done", None),
    ]


def test_a_revoked_grant_ends_what_was_begun_under_it(office: Office) -> None:
    circle = circle_today("ecdsa-p256")
    seal = office.filed("ecdsa-p256", suite=None, owner=None, certificates=[circle.bundle])
    grant = office.grant(seal)
    contract = office.ann.sent(sealing(seal))
    office.dan.ask(contract, contract["parties"][0])
    good(office.ann.post(f"/v1/seals/{seal['id']}/grants/{grant['id']}/revoke"))
    path = f"/v1/contracts/{contract['id']}/parties/{contract['parties'][0]['id']}/signature-requests"
    refused(office.dan.post(path, json={"consent": office.dan.consent(contract)}), "not-granted")


def test_another_person_who_goes_on_uses_a_grant_of_their_own(office: Office) -> None:
    circle = circle_today("ecdsa-p256")
    seal = office.granted("ecdsa-p256", suite=None, owner=None, certificates=[circle.bundle], grant={"count": 1})
    eve = colleague(office.ann)
    office.grant(seal, eve, count=1)
    contract = office.ann.sent(sealing(seal))
    office.dan.ask(contract, contract["parties"][0])
    request = eve.ask(contract, contract["parties"][0])
    value = base64.b64encode(circle.key.sign(base64.b64decode(request["dtbs"]))).decode()
    assert eve.hand_in(request, signature=value).status_code == 200
    assert [row["used"] for row in good(office.ann.get(f"/v1/seals/{seal['id']}/grants"))["data"]] == [1, 1]


def test_a_certificate_that_the_seal_does_not_list_is_refused(office: Office) -> None:
    seal = office.filed("ecdsa-p256")
    draft = office.ann.draft([sealing(seal, certificate=circle_today("ecdsa-p256").bundle)])
    response = office.ann.post(f"/v1/contracts/{draft['id']}/send", headers={"if-match": '"v1"'})
    assert response.json()["errors"][0]["code"] == "not-listed"


@pytest.mark.parametrize(
    "party",
    [
        {"role": "seal", "suite": "sm2"},
        {"role": "cc", "seal": "seal_" + "0" * 32},
        {"seal": "seal_" + "0" * 32, "suite": "sm2"},
        {"suite": "sm2", "seal_placement": {"at": "edges"}},
        {"seal": "seal_" + "0" * 32, "seal_placement": {"at": "nowhere"}},
    ],
)
def test_a_party_names_a_seal_rightly_or_not_at_all(office: Office, party: dict[str, Any]) -> None:
    body = {"title": "x", "documents": [office.ann.upload()["id"]], "parties": [{"name": "x", **party}]}
    assert office.ann.post("/v1/contracts", json=body).json()["code"] == "validation-failed"


def test_a_strangers_seal_cannot_be_named(office: Office, service: Service) -> None:
    seal = office.filed("ecdsa-p256")
    stranger = service.user()
    body = {"title": "x", "documents": [stranger.upload()["id"]], "parties": [sealing(seal)]}
    theirs = stranger.post("/v1/contracts", json=body).json()
    assert theirs["errors"] == [{"pointer": "/parties/0/seal", "code": "not-found", "detail": "there is no such seal"}]
