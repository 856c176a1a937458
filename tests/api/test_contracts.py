"""Drafts, preconditions, sending, withdrawing, declining, expiry, the audit trail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.audit.service import check_chain
from api.contracts import repository
from api.contracts.tasks import expire_overdue
from api.contracts.workflow import CONTRACT_MOVES, ContractState
from certs.pem import armor
from tests.api.conftest import User, circle_today, held


def events(user: User, contract: dict[str, Any]) -> list[dict[str, Any]]:
    return user.get(f"/v1/contracts/{contract['id']}/events").json()["data"]


def test_a_draft_comes_back_as_it_was_made(user: User) -> None:
    document = user.upload()
    parties = [
        held("sm2", name="王伟", organisation="上海远东机械有限公司", locale="zh", order=1, email="wang@example.cn"),
        held("gost2012-256", name="Иван Петров", organisation="ООО «Волга»", locale="ru", order=2),
        {"name": "Copy", "role": "cc"},
    ]
    draft = user.draft(parties, [document["id"]], external_id="PO-117")
    assert draft["state"] == "draft"
    assert draft["version"] == 1
    assert [party["name"] for party in draft["parties"]] == ["王伟", "Copy", "Иван Петров"]
    assert draft["documents"][0]["revision_sha256"] == document["sha256"]
    assert user.contract(draft) == draft
    assert user.get("/v1/contracts?external_id=PO-117").json()["data"] == [draft]
    assert user.get("/v1/contracts?state=sent").json()["data"] == []


def test_an_external_id_is_unique_per_tenant(user: User, stranger: User) -> None:
    user.draft([], external_id="A")
    document = user.upload()["id"]
    again = user.post("/v1/contracts", json={"title": "x", "documents": [document], "parties": [], "external_id": "A"})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    stranger.draft([], external_id="A")


BAD_BODIES: list[tuple[dict[str, Any], str]] = [
    ({"title": ""}, "/title"),
    ({"title": "a\u202eb"}, "/title"),
    ({"title": "a\x00b"}, "/title"),
    ({"title": 7}, "/title"),
    ({"documents": []}, "/documents"),
    ({"documents": ["doc_1"]}, "/documents/0"),
    ({"documents": ["doc_" + "0" * 32]}, "/documents/0"),
    ({"colour": "red"}, "/colour"),
    ({"level": "B-LTA"}, "/level"),
    ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
    ({"expires_at": "2031-01-01T00:00:00"}, "/expires_at"),
    ({"parties": [held("sm3")]}, "/parties/0/suite"),
    ({"parties": [held("dsa")]}, "/parties/0/suite"),
    ({"parties": [held("ecdsa-p224")]}, "/parties/0/suite"),
    ({"parties": [held("x25519")]}, "/parties/0/suite"),  # it only encrypts
    ({"parties": [held("ml-kem-768")]}, "/parties/0/suite"),
    ({"parties": [{"name": "nobody"}]}, "/parties/0"),
    ({"parties": [held("sm2", certificate="x")]}, "/parties/0"),
    ({"parties": [{"name": "x", "certificate": "x"}]}, "/parties/0/certificate"),
    ({"parties": [held("sm2", role="notary")]}, "/parties/0/role"),
    ({"parties": [held("sm2", role="cc")]}, "/parties/0"),
    ({"parties": [held("sm2", order=0)]}, "/parties/0/order"),
    ({"parties": [held("sm2", email="x y@z")]}, "/parties/0/email"),
    ({"parties": [held("sm2", identifiers=[{"scheme": "RU-INN", "value": "7707083894"}])]}, "/parties/0/identifiers/0"),
    ({"parties": [held("sm2", identifiers=[{"scheme": "XX-NO", "value": "1"}])]}, "/parties/0/identifiers/0"),
    ({"parties": [held("sm2", signature_area={"page": 1, "box": [0, 0, 5, 5]})]}, "/parties/0/signature_area/box"),
    ({"parties": [held("sm2", signature_area={"page": 1, "box": [0, 0, 1e300, 5]})]}, "/parties/0/signature_area/box"),
]


@pytest.mark.parametrize(("change", "pointer"), BAD_BODIES, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_not_acceptable_is_named_by_pointer(user: User, change: dict[str, Any], pointer: str) -> None:
    body = {"title": "x", "documents": [user.upload()["id"]], "parties": [], **change}
    response = user.post("/v1/contracts", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "validation-failed")
    assert pointer in [error["pointer"] for error in response.json()["errors"]]
    assert user.get("/v1/contracts").json()["data"] == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b'"x"', b"[]", b"\xff\xfe", b'{"title": "\\ud800"}', b"{" * 5000, b"1e999999"]
)
def test_a_body_that_is_no_contract_is_a_client_error(user: User, body: bytes) -> None:
    response = user.post("/v1/contracts", content=body, headers={"content-type": "application/json"})
    assert response.status_code in {400, 422}
    assert response.headers["content-type"] == "application/problem+json"


# If-Match ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), [("PATCH", ""), ("DELETE", ""), ("POST", "/send")])
def test_changes_need_if_match(user: User, method: str, path: str) -> None:
    draft = user.draft([held("ecdsa-p256")])
    address = f"/v1/contracts/{draft['id']}{path}"
    body = {"json": {"title": "y"}} if method == "PATCH" else {}
    missing = user.request(method, address, **body)
    assert (missing.status_code, missing.json()["code"]) == (428, "precondition-required")
    for wrong in ('"v2"', "v1", '"1"', '"v-1"', '"v99999999999999999999"', "*", ""):
        stale = user.request(method, address, headers={"if-match": wrong}, **body)
        assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed"), wrong
    assert user.contract(draft) == draft


def test_a_draft_is_changed_once_per_version(user: User) -> None:
    draft = user.draft([held("ecdsa-p256")])
    path, headers = f"/v1/contracts/{draft['id']}", {"if-match": '"v1"'}
    changed = user.request("PATCH", path, json={"title": "New", "parties": []}, headers=headers)
    assert changed.status_code == 200
    assert changed.headers["etag"] == '"v2"'
    assert (changed.json()["title"], changed.json()["parties"]) == ("New", [])
    assert user.request("PATCH", path, json={"title": "Lost"}, headers=headers).status_code == 412
    assert user.request("PATCH", path, json={"title": None}, headers={"if-match": '"v2"'}).status_code == 422
    assert user.request("DELETE", path, headers={"if-match": '"v2"'}).status_code == 204
    assert user.get(path).status_code == 404


def test_an_unchanged_contract_is_not_sent_again(user: User) -> None:
    draft = user.draft([])
    response = user.get(f"/v1/contracts/{draft['id']}", headers={"if-none-match": '"v1"'})
    assert (response.status_code, response.content) == (304, b"")


# sending -------------------------------------------------------------------------------------------------------


def refuse_to_send(user: User, draft: dict[str, Any]) -> list[dict[str, str]]:
    response = user.post(f"/v1/contracts/{draft['id']}/send", headers={"if-match": f'"v{draft["version"]}"'})
    assert (response.status_code, response.json()["code"]) == (422, "validation-failed")
    assert user.contract(draft) == draft
    return response.json()["errors"]


def test_nothing_is_sent_without_a_signer(user: User) -> None:
    assert refuse_to_send(user, user.draft([{"name": "x", "role": "cc"}]))[0]["code"] == "no-signer"


def test_sending_issues_certificates_in_each_partys_own_suite(user: User) -> None:
    contract = user.sent(held("ecdsa-p256", name="Erika", order=1), held("sm2", name="王伟", order=2))
    assert contract["state"] == "sent"
    assert [party["state"] for party in contract["parties"]] == ["notified", "pending"]
    for party in contract["parties"]:
        assert party["certificate"]["subject"].count(party["name"]) == 1
        assert party["key_holder"] == "service"
    assert contract["expires_at"] is not None
    types = [event["type"] for event in events(user, contract)]
    assert types == ["contract.created", "contract.sent", "party.notified"]


def test_after_sending_nothing_can_be_changed(user: User) -> None:
    contract = user.sent(held("ecdsa-p256"))
    path, headers = f"/v1/contracts/{contract['id']}", {"if-match": f'"v{contract["version"]}"'}
    for method, suffix, body in (("PATCH", "", {"json": {"title": "y"}}), ("DELETE", "", {}), ("POST", "/send", {})):
        response = user.request(method, path + suffix, headers=headers, **body)
        assert (response.status_code, response.json()["code"]) == (409, "state-conflict")
        assert response.json()["state"] == "sent"
        assert response.json()["allowed"] == sorted(CONTRACT_MOVES[ContractState.SENT])


def test_a_signature_area_outside_the_document_is_refused_at_send(user: User) -> None:
    area = {"page": 7, "box": [50, 50, 250, 150]}
    draft = user.draft([held("ecdsa-p256", signature_area=area)])
    assert refuse_to_send(user, draft)[0]["pointer"].startswith("/parties/0")


# withdrawing, declining, expiring --------------------------------------------------------------------------------


def test_a_contract_is_withdrawn_once(user: User) -> None:
    contract = user.sent(held("ecdsa-p256"))
    path = f"/v1/contracts/{contract['id']}/void"
    assert user.post(path, json={"reason": "x"}, headers={"if-match": '"v1"'}).status_code == 412
    response = user.post(path, json={"reason": "prices have changed"})
    assert response.json()["state"] == "voided"
    assert response.json()["parties"][0]["state"] == "skipped"
    assert user.post(path).status_code == 409
    assert events(user, contract)[-1]["body"]["data"] == {"reason": "prices have changed"}


def test_one_refusal_ends_the_contract(user: User) -> None:
    contract = user.sent(held("ecdsa-p256", order=1), held("ecdsa-p256", order=2))
    second = contract["parties"][1]["id"]
    response = user.post(f"/v1/contracts/{contract['id']}/parties/{second}/decline", json={"reason": "не согласен"})
    assert response.json()["state"] == "declined"
    assert [party["state"] for party in response.json()["parties"]] == ["skipped", "declined"]
    assert response.json()["parties"][1]["declined_reason"] == "не согласен"
    assert user.post(f"/v1/contracts/{contract['id']}/void").status_code == 409


def test_a_contract_expires_when_its_time_is_over(user: User) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    draft = user.draft([held("ecdsa-p256")], expires_at=soon)
    contract = user.send(draft)
    expired = user.wait_for_state(contract, "expired")
    assert expired["parties"][0]["state"] == "expired"
    assert expire_overdue(user.context) == 0


# audit ---------------------------------------------------------------------------------------------------------


def test_the_audit_trail_is_a_chain_that_ends_at_the_contract(user: User) -> None:
    contract = user.sent(held("ecdsa-p256"))
    user.post(f"/v1/contracts/{contract['id']}/void")
    contract, trail = user.contract(contract), events(user, contract)
    pairs = [(event["body"], event["hash"]) for event in trail]
    check_chain(pairs, head=contract["audit_hash"])
    assert [event["sequence"] for event in trail] == list(range(1, contract["audit_sequence"] + 1))
    for broken in (pairs[:-1], pairs[1:], pairs[::-1], [*pairs[:1], *pairs[2:]]):
        with pytest.raises(ValueError, match="chain"):
            check_chain(broken, head=contract["audit_hash"])
    pairs[1] = ({**pairs[1][0], "actor": {"type": "nobody"}}, pairs[1][1])
    with pytest.raises(ValueError, match="breaks at event 2"):
        check_chain(pairs)


def test_the_audit_trail_is_read_in_pieces(user: User) -> None:
    contract = user.sent(held("ecdsa-p256"))
    path, found, after = f"/v1/contracts/{contract['id']}/events", [], 0
    while after is not None:
        page = user.get(path, params={"limit": 1, "after": after}).json()
        found += page["data"]
        after = page["next_after"]
    assert found == events(user, contract)


def test_the_trail_says_which_key_acted_from_where(user: User) -> None:
    actor = events(user, user.draft([]))[0]["body"]["actor"]
    assert actor["type"] == "api-key"
    assert actor["id"] == "key_" + user.token.split("_")[1]
    assert user.token not in str(actor)


def test_a_private_key_sent_with_a_certificate_by_mistake_is_not_kept(user: User) -> None:
    circle = circle_today("ecdsa-p256")
    bundle = armor("PRIVATE KEY", circle.key.pkcs8()) + circle.bundle
    draft = user.draft([{"name": "x", "certificate": bundle}])
    with user.context.database.read() as session:
        stored = repository.get(session, user.tenant_id, draft["id"]).parties[0].certificates
    assert stored == circle.bundle
    contract = user.send(draft)
    assert "PRIVATE KEY" not in user.get(f"/v1/contracts/{contract['id']}/evidence").text


def test_a_document_that_came_with_a_broken_signature_is_not_sent(user: User) -> None:
    contract = user.sent(held("ecdsa-p256"))
    user.sign(contract, contract["parties"][0])
    signed = user.content(user.wait_for_state(contract, "completed"))
    assert user.sent(held("ecdsa-p256"), documents=[user.upload(signed)["id"]])["state"] == "sent"
    broken = signed.replace(b"/MediaBox [ 0 0 595 842 ]", b"/MediaBox [ 0 0 595 841 ]", 1)
    assert broken != signed
    draft = user.draft([held("ecdsa-p256")], [user.upload(broken)["id"]])
    assert refuse_to_send(user, draft)[0] == {
        "pointer": "/documents/0",
        "code": "broken-signature",
        "detail": "a signature that the document came with is broken",
    }
