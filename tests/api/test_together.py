"""Templates, form fields, factors, consent texts and batches meet in one contract, and each still holds."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.api.batches.desk import Desk
from tests.api.conftest import Service, User
from tests.api.contracts.talk import good
from tests.api.factors.desk import WORDS, quick, shown, signed, with_passphrase
from tests.api.templates.post import filled, person, slot, template

__all__ = ["quick"]

PRICE = {
    "name": "price",
    "party": 0,
    "kind": "text",
    "required": True,
    "places": [{"page": 1, "box": [60, 300, 300, 330]}],
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("suite", ["sm2", "gost2012-256"])
def test_a_contract_of_a_template_is_filled_in_and_signed_with_a_passphrase(user: User, suite: str) -> None:
    buyer = slot("buyer", locale="zh", factors=["passphrase"])
    made = template(user, buyer, fields=[PRICE], consent="standard")
    draft = good(filled(user, made, person("沈𠮷明", suite, slot="buyer")), 201)
    assert [field["party"] for field in draft["fields"]] == [draft["parties"][0]["id"]]
    with_passphrase(user, party=draft["parties"][0]["id"])
    contract = user.send(user.contract(draft))
    party = contract["parties"][0]
    path = f"/v1/contracts/{contract['id']}/parties/{party['id']}"
    offered = good(user.get(f"{path}/consent"))
    documents = {row["id"]: row["sha256"] for row in offered["documents"]}
    consent = {"text_id": offered["text_id"], "locale": "zh", "accepted": True, "documents": documents}
    body: dict[str, Any] = {"consent": consent, "values": {"price": "1 200 000 ¥"}}
    for missing, code in ({"values": {}}, "validation-failed"), ({}, "factor-required"):
        refused = user.post(f"{path}/sign", json={**body, **missing})
        assert (refused.status_code, refused.json()["code"]) == (422, code), refused.text
    body["factors"] = [shown("passphrase", WORDS)]
    signed(user, user.post(f"{path}/sign", json=body))
    done = user.wait_for_state(contract, "completed", "failed")
    assert (done["state"], done["parties"][0]["values"]) == ("completed", {"price": "1 200 000 ¥"})
    (intent,) = good(user.get(f"/v1/contracts/{contract['id']}/intents"))["data"]
    record = json.loads(intent["record"])
    assert record["consent"]["text"] == offered["text"]
    assert [factor["kind"] for factor in record["factors"]] == ["passphrase"]
    assert "1 200 000 ¥" in json.dumps(record["fields"], ensure_ascii=False)
    assert base64.b64decode(intent["signature"])
    (report,) = good(user.get(f"/v1/contracts/{contract['id']}/verification"))["documents"]
    (signature,) = report["report"]["signatures"]
    assert (signature["suite"], signature["verdict"]) == (suite, "TOTAL-PASSED")


def test_a_batch_passes_over_whoever_has_something_to_show_or_to_fill_in(service: Service) -> None:
    desk = Desk.of(service)
    asked = desk.contract("ecdsa-p256", fields=[PRICE])
    own_words = desk.contract("ecdsa-p256", consent="standard")
    free = desk.contract("ecdsa-p256")
    found, _ = desk.ended(desk.send([asked, own_words, free], desk.policy()))
    assert [item["state"] for item in found["items"]] == ["failed", "failed", "signed"]
    assert [item["failure"]["code"] for item in found["items"][:2]] == ["validation-failed", "consent-refused"]
    with_passphrase(desk.boss, person=desk.signer["id"])
    guarded = desk.boss.sent({"person": desk.signer["id"], "suite": "ecdsa-p256", "factors": ["passphrase"]})
    found, _ = desk.ended(desk.send([guarded], desk.policy()))
    assert found["items"][0]["failure"]["code"] == "factor-required"
    assert desk.boss.contract(guarded)["parties"][0]["state"] == "notified"
