"""Templates: made, changed, deleted; contracts made of them in the same way as every other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.conftest import PROOF, User, at_home, circle_today
from tests.api.contracts.talk import completed, good, refused
from tests.api.registry import organisation, prove
from tests.api.registry import person as recorded
from tests.api.seals.office import Office, colleague
from tests.api.templates.post import SUITES, filled, person, slot, template, told


def test_a_template_is_read_as_it_was_written_listed_and_deleted(user: User) -> None:
    area = {"page": 1, "box": [60.0, 80.0, 260.0, 160.0]}
    made = template(
        user, slot("продавец", suite="gost2012-256", signature_area=area), slot("买方", order=2, locale="zh")
    )
    assert made["parties"] == [
        {"slot": "продавец", "suite": "gost2012-256", "signature_area": area},
        {"slot": "买方", "order": 2, "locale": "zh"},
    ]
    read = user.get(f"/v1/templates/{made['id']}")
    assert (read.json(), read.headers["etag"]) == (made, '"v1"')
    assert user.get(f"/v1/templates/{made['id']}", headers={"if-none-match": '"v1"'}).status_code == 304
    assert [row["id"] for row in user.get("/v1/templates").json()["data"]] == [made["id"]]
    refused(user.request("DELETE", f"/v1/templates/{made['id']}"), 428, "precondition-required")
    gone = user.request("DELETE", f"/v1/templates/{made['id']}", headers={"if-match": '"v1"'})
    assert gone.status_code == 204
    assert user.get(f"/v1/templates/{made['id']}").status_code == 404


@pytest.mark.parametrize("suite", SUITES)
def test_a_contract_of_a_template_is_signed_like_every_other(user: User, suite: str) -> None:
    made = template(user, slot(suite=suite, order=1, reason="Покупка", locale="ru"), level="B-B", expires_after_days=30)
    proven = slot(name="沈𠮷明", identity_proof=PROOF)
    contract = good(filled(user, made, proven, external_id="A-1", title="Договор № 1"), 201)
    assert (contract["title"], contract["external_id"], contract["level"]) == ("Договор № 1", "A-1", "B-B")
    assert contract["template"] == {"id": made["id"], "version": 1, "bulk_send": None}
    ends = datetime.fromisoformat(contract["expires_at"])
    assert abs(ends - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)
    party = contract["parties"][0]
    assert (party["name"], party["suite"], party["reason"], party["locale"]) == ("沈𠮷明", suite, "Покупка", "ru")
    created = user.get(f"/v1/contracts/{contract['id']}/events").json()["data"][0]["body"]
    assert created["data"]["template"] == {"id": made["id"], "version": 1}
    sent = user.send(contract)
    user.sign(sent, sent["parties"][0])
    completed(user, contract)


def test_whatever_a_draft_may_say_a_template_may_say(user: User) -> None:
    """By the schemas, so that what is added to drafts later is passed through too."""
    from api.contracts.schemas import ContractIn, PartyIn
    from api.templates.schemas import SlotIn, TemplateIn

    assert set(PartyIn.model_fields) < set(SlotIn.model_fields)
    assert set(ContractIn.model_fields) < set(TemplateIn.model_fields)
    russian, chinese = user.upload()["id"], user.upload()["id"]
    documents = [{"id": russian, "language": "ru"}, {"id": chinese, "language": "zh", "version_of": russian}]
    more: dict[str, Any] = {
        "documents": documents,
        "prevailing_language": "zh",
        "reminders": {"after_days": 2, "every_days": 7, "before_deadline_days": None},
        "delivery": {"form": "envelope", "trust": [], "revocation": "if-present"},
    }
    made = template(user, **more)
    contract = good(filled(user, made, person()), 201)
    assert {name: contract[name] for name in ("prevailing_language", "reminders", "delivery")} == {
        name: more[name] for name in ("prevailing_language", "reminders", "delivery")
    }
    assert [(row["language"], row["version_of"]) for row in contract["documents"]] == [("ru", None), ("zh", russian)]
    assert made["documents"][0] == {"id": russian, "language": "ru"}


def test_contracts_are_of_the_version_that_was_current(user: User) -> None:
    made = template(user, slot(suite="ecdsa-p256"))
    path = f"/v1/templates/{made['id']}"
    first = good(filled(user, made, slot(name="A", identity_proof=PROOF)), 201)
    other = user.upload()["id"]
    body = {"documents": [other], "parties": [slot(suite="sm2", locale="zh")], "expires_after_days": 5}
    refused(user.request("PATCH", path, json=body), 428, "precondition-required")
    refused(user.request("PATCH", path, json=body, headers={"if-match": '"v7"'}), 412, "precondition-failed")
    changed = user.request("PATCH", path, json=body, headers={"if-match": '"v1"'})
    assert (good(changed)["version"], changed.headers["etag"]) == (2, '"v2"')
    second = good(filled(user, made, slot(name="A", identity_proof=PROOF)), 201)
    assert (first["template"]["version"], first["parties"][0]["suite"]) == (1, "ecdsa-p256")
    assert (second["template"]["version"], second["parties"][0]["suite"]) == (2, "sm2")
    assert [row["id"] for row in second["documents"]] == [other]
    assert user.send(first)["documents"][0]["id"] == made["documents"][0]["id"]
    cleared = user.request("PATCH", path, json={"expires_after_days": None}, headers={"if-match": '"v2"'})
    assert "expires_after_days" not in good(cleared)
    log = user.get(f"{path}/events").json()["data"]
    assert [entry["type"] for entry in log] == ["template.created", "template.changed", "template.changed"]
    assert log[0]["body"]["data"]["draft"]["documents"] == made["documents"]
    assert user.get(f"{path}/events/check").json()["intact"]


def test_a_document_is_kept_while_a_template_holds_it(user: User) -> None:
    made = template(user)
    document = made["documents"][0]["id"]
    refused(user.request("DELETE", f"/v1/documents/{document}"), 409, "conflict")
    other = {"documents": [user.upload()["id"]]}
    good(user.request("PATCH", f"/v1/templates/{made['id']}", json=other, headers={"if-match": '"v1"'}))
    assert user.request("DELETE", f"/v1/documents/{document}").status_code == 204


def test_people_seals_and_certificates_fill_slots(user: User) -> None:
    office = Office(user, *(colleague(user) for _ in range(3)))
    seal = office.filed("sm2")
    company = organisation(user)
    human = recorded(user, identifiers=[], organisations=[{"organisation": company["id"]}])
    prove(user, human)
    prove(user, company)
    own = at_home(circle_today("ed25519"))
    made = template(user, slot("seller", role="seal", seal=seal["id"]), slot("buyer", order=2), slot("copy", role="cc"))
    known = slot("buyer", person=human["id"], organisation_id=company["id"], suite="sm2")
    contract = good(filled(user, made, slot("seller", name="李敏"), known, slot("copy", name="Anna")), 201)
    assert [(each["role"], each["name"]) for each in contract["parties"]] == [
        *(("seal", "李敏"), ("cc", "Anna"), ("signer", "沈𠮷明")),
    ]
    user.send(contract)
    held = good(filled(user, made, slot("seller", name="李敏"), slot("buyer", **own), slot("copy", name="Anna")), 201)
    assert held["parties"][2]["key_holder"] == "party"


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([slot("seller", name="X")], {"/parties/0/slot": "unknown-slot"}),
        ([person(), person()], {"/parties/1/slot": "repeated"}),
        ([person(reason="x", role="witness")], {"/parties/0/reason": "fixed", "/parties/0/role": "fixed"}),
        ([slot(suite="sm2")], {"/parties/0": "name"}),
        ([], {"/parties": "name"}),
        ([slot(name="X")], {"/parties/0": "certificate"}),
        ([slot(name="X", suite="rot13")], {"/parties/0/suite": "unsupported-algorithm"}),
        (
            [person(identifiers=[{"scheme": "LEI", "value": "1"}, {"scheme": "RU-INN", "value": "7707083894"}])],
            {"/parties/0/identifiers/0": "bad-identifier"},
        ),
        ([slot(person="per_" + "0" * 32, suite="sm2")], {"/parties/0/person": "not-found"}),
    ],
)
def test_what_is_filled_in_wrongly_is_told_where_it_was_said(
    user: User, values: list[dict[str, Any]], found: dict[str, str]
) -> None:
    made = template(user, slot("witness", name="W", role="viewer"), slot(reason="Purchase"))
    assert told(filled(user, made, *values)) == found
    assert user.get("/v1/contracts").json()["data"] == []


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"documents": ["doc_" + "0" * 32]}, {"/documents/0": "not-found"}),
        ({"agreement": "agr_" + "0" * 32}, {"/agreement": "not-found"}),
        ({"parties": [slot(seal="seal_" + "0" * 32)]}, {"/parties/0/seal": "not-found"}),
        ({"parties": [slot(suite="rot13")]}, {"/parties/0/suite": "unsupported-algorithm"}),
        ({"parties": [slot(role="viewer", suite="sm2")]}, {"/parties/0": "certificate"}),
        ({"parties": [slot(), slot()]}, {"/parties": "slot"}),
        ({"parties": []}, {"/parties": "too_short"}),
        ({"parties": [slot("two words")]}, {"/parties/0/slot": "slot"}),
        ({"parties": [slot("=cmd")]}, {"/parties/0/slot": "slot"}),
        ({"external_id": "A-1"}, {"/external_id": "none_required"}),
        ({"expires_after_days": 0}, {"/expires_after_days": "greater_than_equal"}),
        ({"prevailing_language": "fr"}, {"/prevailing_language": "no-such-version"}),
    ],
)
def test_of_what_can_be_no_contract_there_is_no_template(
    user: User, more: dict[str, Any], found: dict[str, str]
) -> None:
    body = {"title": "T", "documents": [user.upload()["id"]], "parties": [slot()], **more}
    assert told(user.post("/v1/templates", json=body)) == found
    assert user.get("/v1/templates").json()["data"] == []


def test_a_proof_of_identity_takes_the_right_to_state_it(user: User) -> None:
    made = template(user)
    sender = colleague(user, ("contracts:write", "contracts:read", "templates:write"))
    refused(filled(sender, made, person()), 403, "forbidden")
    body = {"title": "T", "documents": [made["documents"][0]["id"]], "parties": [person()]}
    refused(sender.post("/v1/templates", json=body), 403, "forbidden")
    reader = colleague(user, ("contracts:read", "contracts:write"))
    refused(reader.post("/v1/templates", json={**body, "parties": [slot()]}), 403, "forbidden")
    assert reader.get(f"/v1/templates/{made['id']}").status_code == 200
