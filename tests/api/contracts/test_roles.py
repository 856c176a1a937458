"""Who does what in a contract: approvers, viewers, witnesses, seals; and delegates."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from api.audit.service import check_chain
from api.contracts import delegation, repository
from api.errors import StorageError
from tests.api.conftest import PROOF, Service, User, at_home, circle_today, held
from tests.api.contracts.talk import (
    MANDATE,
    SUITES,
    act,
    completed,
    consent,
    delegate,
    events,
    good,
    refused,
    types,
    verdict,
)
from tests.api.envelopes.post import sealed
from tests.api.seals.office import Office

APPROVER = {"name": "赵敏", "role": "approver", "locale": "zh", "order": 1}
VIEWER = {"name": "Пётр", "role": "viewer", "locale": "ru", "order": 3}


@pytest.mark.parametrize("suite", SUITES)
def test_approved_signed_witnessed_and_acknowledged_in_order(user: User, suite: str) -> None:
    circle = circle_today(suite)
    contract = user.sent(
        APPROVER,
        held(suite, name="王伟", order=2),
        at_home(circle, role="witness", order=2),
        VIEWER,
        {"name": "Archive", "role": "cc"},
    )
    approver, _, signer, witness, viewer = contract["parties"]  # the copy acts with the first group: never
    assert (approver["role"], viewer["role"]) == ("approver", "viewer")
    assert (approver["key_holder"], approver["suite"], approver["certificate"]) == (None, None, None)
    refused(act(user, contract, viewer, "acknowledge"), 409, "state-conflict")  # not its turn
    early = user.post(
        f"/v1/contracts/{contract['id']}/parties/{signer['id']}/sign", json={"consent": user.consent(contract)}
    )
    refused(early, 409, "state-conflict")
    contract = good(act(user, contract, approver, "approve"))
    assert (contract["state"], contract["parties"][0]["state"]) == ("in_progress", "approved")
    assert user.sign(contract, signer)["state"] == "succeeded"
    user.sign_at_home(contract, witness, circle.key)
    assert user.contract(contract)["state"] == "in_progress"
    good(act(user, contract, viewer, "acknowledge"))
    contract = completed(user, contract)
    assert [party["state"] for party in contract["parties"]] == [
        *("approved", "notified", "signed", "signed", "acknowledged"),
    ]
    (report,) = verdict(user, contract)
    assert [item["layers"]["cryptographic"]["result"] for item in report["signatures"]] == ["passed", "passed"]
    approval = next(event for event in events(user, contract) if event["type"] == "party.approved")
    assert approval["body"]["data"]["consent"]["text"] == "我已阅读并同意签署本合同。"
    assert approval["body"]["data"]["consent"]["documents"] == {
        contract["documents"][0]["id"]: contract["documents"][0]["sha256"]
    }
    evidence = good(user.get(f"/v1/contracts/{contract['id']}/evidence"))
    check_chain([(event["body"], event["hash"]) for event in evidence["events"]], head=contract["audit_hash"])


def test_nobody_does_what_is_anothers_part(user: User) -> None:
    contract = user.sent({**APPROVER, "order": 1}, held("ecdsa-p256"), {**VIEWER, "order": 1})
    approver, signer, viewer = contract["parties"]
    for party, what in ((approver, "acknowledge"), (viewer, "approve"), (signer, "approve"), (signer, "acknowledge")):
        refused(act(user, contract, party, what), 409, "state-conflict")
    for party, what in ((approver, "approve"), (viewer, "acknowledge")):
        for path in ("sign", "signature-requests"):
            address = f"/v1/contracts/{contract['id']}/parties/{party['id']}/{path}"
            problem = refused(user.post(address, json={"consent": user.consent(contract)}), 409, "state-conflict")
            assert problem["allowed"] == [what]
    assert user.contract(contract) == contract


@pytest.mark.parametrize(
    "party",
    [
        {**APPROVER, "suite": "sm2"},
        {**VIEWER, "certificate": "x"},
        {**APPROVER, "seal": "seal_" + "0" * 32},
        {**VIEWER, "signature_area": {"page": 1, "box": [0, 0, 100, 100]}},
        {"name": "x", "role": "witness"},
    ],
)
def test_only_who_signs_has_the_means_to(user: User, party: dict[str, Any]) -> None:
    body = {"title": "x", "documents": [user.upload()["id"]], "parties": [party]}
    refused(user.post("/v1/contracts", json=body), 422, "validation-failed")


def test_a_wrong_consent_and_an_old_version_approve_nothing(user: User) -> None:
    contract = user.sent(APPROVER, held("ecdsa-p256", order=2))
    approver = contract["parties"][0]
    path = f"/v1/contracts/{contract['id']}/parties/{approver['id']}/approve"
    good_one = consent(user, contract, approver)
    for change, code in (
        ({"documents": {contract["documents"][0]["id"]: "0" * 64}}, "consent-refused"),
        ({"accepted": False}, "validation-failed"),
    ):
        refused(user.post(path, json={"consent": {**good_one, **change}}), 422, code)
    refused(act(user, contract, approver, "approve", headers={"if-match": '"v1"'}), 412, "precondition-failed")
    assert user.contract(contract) == contract
    headers = {"if-match": f'"v{contract["version"]}"', "idempotency-key": "once"}
    first = act(user, contract, approver, "approve", headers=headers)
    again = act(user, contract, approver, "approve", headers=headers)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert types(user, contract).count("party.approved") == 1


def test_every_command_heeds_the_version_it_is_told(user: User) -> None:
    circle = circle_today("ecdsa-p256")
    contract = user.sent(APPROVER, {**VIEWER, "order": 1}, held("ecdsa-p256"), at_home(circle))
    approver, viewer, here, there = contract["parties"]
    said, old = {"consent": user.consent(contract)}, {"if-match": '"v1"'}
    for path, body in (
        (f"parties/{approver['id']}/view", {}),
        (f"parties/{approver['id']}/approve", said),
        (f"parties/{viewer['id']}/acknowledge", said),
        (f"parties/{here['id']}/sign", said),
        (f"parties/{there['id']}/signature-requests", said),
        (f"parties/{here['id']}/delegate", {"name": "x", "suite": "sm2", "mandate": MANDATE, "identity_proof": PROOF}),
        (f"parties/{here['id']}/decline", {}),
        ("remind", {}),
        ("extend", {"expires_at": "2090-01-01T00:00:00Z"}),
        ("void", {}),
        ("finalize-retry", {}),
    ):
        answer = user.post(f"/v1/contracts/{contract['id']}/{path}", json=body, headers=old)
        refused(answer, 412, "precondition-failed")
    assert user.contract(contract) == contract


def test_an_approver_or_viewer_who_declines_ends_the_contract(user: User) -> None:
    for role in ("approver", "viewer"):
        contract = user.sent({"name": "x", "role": role}, held("ecdsa-p256"))
        party = next(each for each in contract["parties"] if each["role"] == role)
        path = f"/v1/contracts/{contract['id']}/parties/{party['id']}/decline"
        assert good(user.post(path, json={"reason": "价格不对"}))["state"] == "declined"


def test_the_first_look_is_an_event_and_the_second_is_none(user: User) -> None:
    contract = user.sent(held("ecdsa-p256"), held("ecdsa-p256", order=2))
    first, second = contract["parties"]
    path = f"/v1/contracts/{contract['id']}/parties"
    seen = good(user.post(f"{path}/{first['id']}/view"))
    assert seen["parties"][0]["state"] == "viewed"
    assert good(user.post(f"{path}/{first['id']}/view")) == seen
    refused(user.post(f"{path}/{second['id']}/view"), 409, "state-conflict")
    assert types(user, contract).count("party.viewed") == 1
    assert user.sign(contract, first)["state"] == "succeeded"


def test_many_who_finish_at_once_make_one_finalisation(user: User) -> None:
    def several(count: int, **party: Any) -> list[dict[str, Any]]:
        return [{"name": f"P{number}", **party} for number in range(count)]

    parties = [
        *several(3, role="approver"),
        *several(3, role="viewer"),
        *several(2, suite="ecdsa-p256", identity_proof=PROOF),
    ]
    contract = user.sent(*parties)
    ways = {"approver": "approve", "viewer": "acknowledge", "signer": "sign"}
    said = {"consent": user.consent(contract)}
    barrier, codes = threading.Barrier(len(parties)), []

    def finish(party: dict[str, Any]) -> None:
        path = f"/v1/contracts/{contract['id']}/parties/{party['id']}/{ways[party['role']]}"
        barrier.wait()
        codes.append(user.post(path, json=said).status_code)

    threads = [threading.Thread(target=finish, args=(party,)) for party in contract["parties"]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200] * 6 + [202] * 2
    contract = completed(user, contract)
    happened = types(user, contract)
    assert happened.count("contract.finalizing") == happened.count("contract.completed") == 1
    assert (happened.count("party.approved"), happened.count("party.acknowledged")) == (3, 3)


# delegation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", SUITES)
def test_a_delegate_signs_in_the_place_of_a_party_whoever_holds_the_keys(user: User, suite: str) -> None:
    circle = circle_today(suite)
    contract = user.sent(held(suite, name="Иван Петров"), at_home(circle, organisation="Elsewhere", order=2))
    first, second = contract["parties"]
    made = good(delegate(user, contract, first, suite=suite, reason="отпуск", locale="ru"))
    good(delegate(user, contract, second, certificate=circle.bundle))
    contract = user.contract(contract)
    one, her, two, other = contract["parties"]
    assert [party["state"] for party in (one, her, two, other)] == ["delegated", "notified", "delegated", "pending"]
    assert (her["delegate_of"], her["organisation"]) == (one["id"], "Muster GmbH")
    assert her["mandate"] == {**MANDATE, "power_of_attorney": None, "check": "reference-only"}
    assert (her["suite"], her["key_holder"], other["key_holder"]) == (suite, "service", "party")
    assert her["certificate"]["subject"].count("Ольга Смирнова") == 1
    assert her["certificate"]["sha256"] != one["certificate"]["sha256"]
    assert made["parties"][1]["id"] == her["id"]
    early = user.post(
        f"/v1/contracts/{contract['id']}/parties/{one['id']}/sign", json={"consent": user.consent(contract)}
    )
    refused(early, 409, "state-conflict")
    assert user.sign(contract, her)["state"] == "succeeded"
    user.sign_at_home(contract, other, circle.key)
    contract = completed(user, contract)
    (report,) = verdict(user, contract)
    assert [item["layers"]["cryptographic"]["result"] for item in report["signatures"]] == ["passed", "passed"]
    assert {name for item in report["signatures"] for name in item["fields"]} == {her["id"], other["id"]}
    told = [event for event in events(user, contract) if event["type"] == "party.delegated"]
    assert [event["body"]["party"] for event in told] == [one["id"], two["id"]]
    facts = told[0]["body"]["data"]
    assert (facts["to"], facts["name"], facts["mandate"], facts["reason"]) == (
        *(her["id"], "Ольга Смирнова", MANDATE, "отпуск"),
    )
    with user.context.database.read() as session:
        rows = repository.get(session, user.tenant_id, contract["id"]).parties
        assert [row.sealed_key for row in rows] == [None] * 4


@pytest.mark.parametrize("suite", SUITES)
def test_a_delegate_uses_the_seal_of_the_organisation(service: Service, suite: str) -> None:
    office, circle = Office.of(service), circle_today(suite)
    ours = office.granted(suite)
    theirs = office.granted(suite, suite=None, owner=None, certificates=[circle.bundle])
    body = {"organisation": "江海贸易有限公司", "role": "seal"}
    contract = office.ann.sent(
        {"name": "王伟", "seal": ours["id"], **body}, {"name": "李敏", "seal": theirs["id"], **body}
    )
    wrong = delegate(office.ann, contract, contract["parties"][0], suite=suite)
    assert refused(wrong, 422, "validation-failed")["errors"][0]["code"] == "certificate"
    for party in contract["parties"]:
        contract = good(delegate(office.ann, contract, party))
    held_here, held_there = (party for party in contract["parties"] if party["delegate_of"])
    assert (held_here["seal"], held_here["suite"], held_here["key_holder"]) == (ours["id"], suite, "service")
    assert (held_there["seal"], held_there["suite"], held_there["key_holder"]) == (theirs["id"], suite, "party")
    assert office.dan.sign(contract, held_here)["state"] == "succeeded"
    office.dan.sign_at_home(contract, held_there, circle.key)
    (report,) = verdict(office.ann, completed(office.ann, contract))
    assert len({item["seal"]["id"] for item in report["signatures"]}) == 2
    assert {item["layers"]["cryptographic"]["result"] for item in report["signatures"]} == {"passed"}


def test_an_approval_is_delegated_without_a_key(user: User) -> None:
    contract = user.sent({**APPROVER, "organisation": "Muster GmbH"}, held("ecdsa-p256", order=2))
    refused(delegate(user, contract, contract["parties"][0], suite="sm2"), 422, "validation-failed")
    contract = good(delegate(user, contract, contract["parties"][0]))
    good(act(user, contract, contract["parties"][1], "approve"))


def test_who_cannot_do_the_part_is_no_delegate(user: User) -> None:
    circle = circle_today("ecdsa-p256")
    nobody = {"name": "x", "suite": "ecdsa-p256", "identity_proof": PROOF}  # of no organisation
    contract = user.sent(held("ecdsa-p256"), nobody)
    first, second = contract["parties"]
    for party, body, code in (
        (first, {}, "certificate"),
        (first, {"suite": "ecdsa-p256", "certificate": circle.bundle}, "certificate"),
        (first, {"suite": "dsa"}, "unsupported-algorithm"),
        (first, {"certificate": circle.ca.chain[0].pem}, "other-organisation"),
        (first, {"suite": "ecdsa-p256", "name": "ﷺ"}, "no-glyph"),
        (
            first,
            {"suite": "ecdsa-p256", "identifiers": [{"scheme": "RU-INN", "value": "7707083894"}]},
            "bad-identifier",
        ),
        (second, {"suite": "ecdsa-p256"}, "no-organisation"),
    ):
        problem = refused(delegate(user, contract, party, **body), 422, "validation-failed")
        assert problem["errors"][0]["code"] == code
    for body in ({"mandate": None}, {"mandate": {"type": "x", "document": "1"}}, {"mandate": {"type": "other"}}):
        refused(delegate(user, contract, first, suite="ecdsa-p256", **body), 422, "validation-failed")
    assert user.contract(contract) == contract


def test_a_delegation_that_breaks_half_way_leaves_the_contract_as_it_was(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = user.sent(held("ecdsa-p256"))

    def broken(*arguments: Any, **options: Any) -> None:
        raise StorageError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(delegation, "apply", broken)  # when the delegate's row is in the transaction already
        assert delegate(user, contract, contract["parties"][0], suite="sm2").status_code == 500
    assert user.contract(contract) == contract
    headers = {"idempotency-key": "one", "if-match": f'"v{contract["version"]}"'}
    path = f"/v1/contracts/{contract['id']}/parties/{contract['parties'][0]['id']}/delegate"
    body = {"name": "Ольга Смирнова", "mandate": MANDATE, "suite": "sm2", "identity_proof": PROOF}
    refused(user.post(path, json=body, headers={"if-match": '"v1"'}), 412, "precondition-failed")
    first, again = (user.post(path, json=body, headers=headers) for _ in range(2))
    assert good(first) == good(again)
    assert len(user.contract(contract)["parties"]) == 2


def test_an_envelope_goes_to_the_delegate_and_not_to_who_delegated(user: User) -> None:
    contract = user.sent(held("ecdsa-p256"), held("sm2"))
    contract = good(delegate(user, contract, contract["parties"][0], suite="ecdsa-p256"))
    gone, heir, other = contract["parties"]
    envelope = sealed(user, {"contract": contract["id"], "senders": [{"party": other["id"]}]})
    assert {row["party"] for row in envelope["recipients"]} == {heir["id"], other["id"]}
    assert gone["state"] == "delegated"


def test_a_part_that_is_done_begun_or_delegated_is_not_delegated(user: User) -> None:
    circle = circle_today("ecdsa-p256")
    contract = user.sent(held("ecdsa-p256"), at_home(circle, organisation="Elsewhere"), held("ecdsa-p256"))
    done, begun, third = contract["parties"]
    user.sign(contract, done)
    user.ask(contract, begun)
    after = good(delegate(user, contract, third, suite="sm2"))
    heir = next(party for party in after["parties"] if party["delegate_of"] == third["id"])
    before = user.contract(contract)
    for party in (done, begun, third, heir):
        refused(delegate(user, contract, party, suite="ecdsa-p256"), 409, "state-conflict")
    assert user.contract(contract) == before
