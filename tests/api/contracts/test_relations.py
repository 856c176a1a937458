"""Change, renewal, termination and annulment: new contracts beside a completed one that stays as it is."""

from __future__ import annotations

from typing import Any

import pytest

from api.audit.service import check_chain
from api.contracts import relations
from tests.api.conftest import User, at_home, circle_today, held
from tests.api.contracts.talk import SUITES, completed, delegate, events, good, refused

KINDS = {
    "change": "changed_by",
    "renewal": "renewed_by",
    "termination": "terminated_by",
    "annulment": "annulled_by",
}


def concluded(user: User, *parties: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a completed contract between parties whose keys the service holds."""
    contract = user.sent(*parties, **more)
    for party in contract["parties"]:
        assert user.sign(contract, party)["state"] == "succeeded"
    return completed(user, contract)


def relation(contract: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"relates_to": {"contract": contract["id"], "kind": kind}}


@pytest.mark.parametrize("suite", SUITES)
def test_the_same_parties_end_what_they_signed_and_it_stays_as_it_was(user: User, suite: str) -> None:
    circle = circle_today(suite)
    parties = held(suite), at_home(circle, organisation="Elsewhere", order=2)
    first = user.sent(*parties)
    user.sign(first, first["parties"][0])
    user.sign_at_home(first, first["parties"][1], circle.key)
    first = completed(user, first)
    content = user.content(first)

    second = user.sent(*parties, **relation(first, "termination"))
    assert second["relates_to"] == {"contract": first["id"], "kind": "termination"}
    assert user.contract(first) == first  # sent is not signed
    user.sign(second, second["parties"][0])
    user.sign_at_home(second, second["parties"][1], circle.key)
    second = completed(user, second)

    after = user.contract(first)
    assert (after["state"], after["terminated_by"]) == ("completed", [second["id"]])
    changing = {"version", "updated_at", "terminated_by", "audit_sequence", "audit_hash"}
    assert {name for name in first if first[name] != after[name]} == changing
    assert user.content(first) == content
    told = events(user, first)
    check_chain([(event["body"], event["hash"]) for event in told], head=after["audit_hash"])
    assert told[-1]["type"] == "contract.succeeded"
    assert told[-1]["body"]["data"]["kind"] == "termination"
    assert told[-1]["body"]["data"]["by"] == second["id"]


def test_what_can_follow_what(user: User) -> None:
    parties = held("ecdsa-p256"), held("ecdsa-p256", organisation="Elsewhere")
    first = concluded(user, *parties)
    made = {}
    for kind in ("change", "renewal", "change"):
        made.setdefault(kind, []).append(concluded(user, *parties, **relation(first, kind))["id"])
    made["termination"] = [concluded(user, *parties, **relation(first, "termination"))["id"]]
    for kind in ("change", "renewal", "termination"):
        draft = user.draft([*parties], **relation(first, kind))
        problem = refused(send(user, draft), 422, "validation-failed")
        assert problem["errors"][0]["code"] == "already-ended"
    made["annulment"] = [concluded(user, *parties, **relation(first, "annulment"))["id"]]
    draft = user.draft([*parties], **relation(first, "annulment"))
    refused(send(user, draft), 422, "validation-failed")
    after = user.contract(first)
    assert {kind: after[name] for kind, name in KINDS.items()} == made


def test_a_finalisation_that_breaks_half_way_changes_neither_contract_and_is_tried_again(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = concluded(user, held("ecdsa-p256"))
    succeed, tried, states = relations.succeed, [], []

    def breaks_once(session: Any, contract: Any, now: Any) -> None:
        succeed(session, contract, now)  # everything is in the transaction when it breaks
        session.flush()
        tried.append(contract.id)
        if len(tried) == 1:
            states.append(user.contract(first))
            raise RuntimeError("the process is gone")

    monkeypatch.setattr(relations, "succeed", breaks_once)
    second = concluded(user, held("ecdsa-p256"), **relation(first, "renewal"))
    assert tried == [second["id"]] * 2
    assert states == [first]
    assert user.contract(first)["renewed_by"] == [second["id"]]
    assert [event["type"] for event in events(user, first)].count("contract.succeeded") == 1


def send(user: User, draft: dict[str, Any]) -> Any:
    return user.post(f"/v1/contracts/{draft['id']}/send", headers={"if-match": f'"v{draft["version"]}"'})


def test_only_those_who_signed_the_one_sign_the_other(user: User) -> None:
    one = held("ecdsa-p256", organisation="ООО «Волга»", identifiers=[{"scheme": "RU-INN", "value": "7707083893"}])
    two = held("ecdsa-p256", organisation="Muster GmbH")
    first = concluded(user, one, two)
    stranger = held("ecdsa-p256", organisation="Third Ltd")
    namesake = {**one, "identifiers": [{"scheme": "RU-INN", "value": "7728168971"}]}
    for parties, codes in (
        ([one], {"party-missing"}),
        ([one, two, stranger], {"not-a-party-before"}),
        ([one, stranger], {"party-missing", "not-a-party-before"}),
        ([namesake, two], {"party-missing", "not-a-party-before"}),
    ):
        problem = refused(send(user, user.draft(parties, **relation(first, "change"))), 422, "validation-failed")
        assert {item["code"] for item in problem["errors"]} == codes
    renamed = {**one, "name": "Другой Директор", "organisation": "АО «Волга»"}  # by its number it is the same
    approver = {"name": "Совет", "role": "approver"}
    user.sent(renamed, {**two, "organisation": "  MUSTER   GmbH "}, approver, **relation(first, "change"))


def test_a_delegate_who_signed_stands_for_its_organisation(user: User) -> None:
    contract = user.sent(held("ecdsa-p256"))
    contract = good(delegate(user, contract, contract["parties"][0], suite="ecdsa-p256"))
    user.sign(contract, contract["parties"][1])
    first = completed(user, contract)
    user.sent(held("ecdsa-p256"), **relation(first, "renewal"))


def test_only_a_completed_contract_of_ones_own_is_related_to(user: User, stranger: User) -> None:
    sent = user.sent(held("ecdsa-p256"))
    theirs = concluded(stranger, held("ecdsa-p256"))
    document = user.upload()["id"]
    for target, code in ((sent["id"], "not-completed"), (theirs["id"], "not-found"), ("ctr_" + "0" * 32, "not-found")):
        body = {"title": "x", "documents": [document], "relates_to": {"contract": target, "kind": "change"}}
        problem = refused(user.post("/v1/contracts", json=body), 422, "validation-failed")
        assert problem["errors"][0]["pointer"] == "/relates_to/contract"
        assert problem["errors"][0]["code"] == code
    for wrong in ({"contract": "x", "kind": "change"}, {"contract": sent["id"], "kind": "revenge"}):
        body = {"title": "x", "documents": [document], "relates_to": wrong}
        refused(user.post("/v1/contracts", json=body), 422, "validation-failed")


def test_a_draft_may_be_related_later_or_not_at_all(user: User) -> None:
    first = concluded(user, held("ecdsa-p256"))
    draft = user.draft([held("ecdsa-p256")])
    path = f"/v1/contracts/{draft['id']}"
    changed = good(user.request("PATCH", path, json=relation(first, "change"), headers={"if-match": '"v1"'}))
    assert changed["relates_to"]["contract"] == first["id"]
    changed = good(user.request("PATCH", path, json={"relates_to": None}, headers={"if-match": '"v2"'}))
    assert changed["relates_to"] is None
