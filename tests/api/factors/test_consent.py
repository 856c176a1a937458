"""The service's own words of consent: offered in the party's language, and taken word for word."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from api.signing import consent_texts
from tests.api.conftest import User, held
from tests.api.contracts.talk import act, completed, events, good, refused
from tests.api.factors.desk import signed


def asked(user: User, contract: dict[str, Any], party: dict[str, Any]) -> dict[str, Any]:
    return good(user.get(f"/v1/contracts/{contract['id']}/parties/{party['id']}/consent"))


def body_of(offer: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """Return the consent that a program makes of what it was offered and has shown."""
    documents = {row["id"]: row["sha256"] for row in offer["documents"]}
    own = {"text_id": offer["text_id"], "locale": offer["locale"], "accepted": True, "documents": documents}
    return {"consent": {name: value for name, value in {**own, **changed}.items() if value is not None}}


def test_every_act_has_words_in_three_languages_and_none_ever_changes() -> None:
    """A text that is on record must be found as it was: whoever wants other words adds a number."""
    texts = {f"{name} {locale}": text for name, each in consent_texts.TEXTS.items() for locale, text in each.items()}
    assert {name.split()[0] for name in texts} == {
        f"{name}/1" for name in ("sign", "seal", "witness", "approve", "acknowledge")
    }
    assert all(set(each) == {"zh", "ru", "en"} for each in consent_texts.TEXTS.values())
    octets = "\n".join(f"{name} {texts[name]}" for name in sorted(texts)).encode()
    assert hashlib.sha256(octets).hexdigest() == FIXED


FIXED = "f9f313e5fb4d554723a6b6dce1fba2b0e6bfdb67a087445d390b593dbcaf8994"


@pytest.mark.parametrize("locale", ["zh", pytest.param("ru", marks=pytest.mark.slow), "en"])
def test_the_words_offered_are_what_is_recorded(user: User, locale: str) -> None:
    contract = user.sent(
        {"name": "Анна", "role": "approver", "locale": locale},
        held("ecdsa-p256", locale=locale, order=2),
        {"name": "李娜", "role": "viewer", "locale": locale, "order": 3},
        consent="standard",
    )
    approver, signer, viewer = contract["parties"]
    for party, what, name in (
        (approver, "approve", "approve/1"),
        (signer, "sign", "sign/1"),
        (viewer, "acknowledge", "acknowledge/1"),
    ):
        offer = asked(user, contract, party)
        words = consent_texts.TEXTS[name][locale]
        assert (offer["text_id"], offer["text"], offer["locale"], offer["required"]) == (name, words, locale, True)
        assert offer["text_sha256"] == hashlib.sha256(words.encode()).hexdigest()
        path = f"/v1/contracts/{contract['id']}/parties/{party['id']}/{what}"
        refused(act(user, contract, party, what), 422, "consent-refused")  # words of its own
        other = "ru" if locale != "ru" else "en"
        for changed in (
            {"locale": other},
            {"text_id": "witness/1"},
            {"text_id": "sign/9"},
            {"text_sha256": "0" * 64},
            {"text_id": None, "text": words + " "},
            {"text_id": None, "text": words, "locale": other},
        ):
            refused(user.post(path, json=body_of(offer, **changed)), 422, "consent-refused")
        answer = user.post(path, json=body_of(offer, text_sha256=offer["text_sha256"]))
        if what == "sign":
            signed(user, answer)
        else:
            good(answer)
    completed(user, contract)
    recorded = [
        event["body"]["data"]["consent"] for event in events(user, contract) if "consent" in event["body"]["data"]
    ]
    assert [(each["text_id"], each["locale"]) for each in recorded] == [
        (name, locale) for name in ("approve/1", "sign/1", "acknowledge/1")
    ]
    assert recorded[1]["text"] == consent_texts.TEXTS["sign/1"][locale]


def test_a_contract_that_leaves_the_words_free_takes_both(user: User) -> None:
    contract = user.sent({"name": "x", "role": "approver"}, {"name": "y", "role": "viewer"}, held("ecdsa-p256"))
    approver, viewer, _ = contract["parties"]
    assert contract["consent"] == "free"
    good(act(user, contract, approver, "approve"))
    offer = asked(user, contract, viewer)
    path = f"/v1/contracts/{contract['id']}/parties/{viewer['id']}/acknowledge"
    refused(user.post(path, json=body_of(offer, text="x")), 422, "validation-failed")  # both
    refused(user.post(path, json=body_of(offer, text_id=None)), 422, "validation-failed")  # neither
    good(user.post(path, json=body_of(offer)))


def test_who_seals_or_witnesses_says_so_and_who_gets_a_copy_says_nothing(user: User) -> None:
    contract = user.sent(held("ecdsa-p256", role="witness"), held("ecdsa-p256"), {"name": "x", "role": "cc"})
    witness, _, copy = contract["parties"]
    assert asked(user, contract, witness)["text_id"] == "witness/1"
    answer = user.get(f"/v1/contracts/{contract['id']}/parties/{copy['id']}/consent")
    refused(answer, 422, "consent-refused")
    assert consent_texts.offered("seal", "zh").id == "seal/1"


def test_a_draft_says_which_words_it_takes(user: User) -> None:
    contract = user.draft([held("ecdsa-p256")], consent="standard")
    assert contract["consent"] == "standard"
    path, headers = f"/v1/contracts/{contract['id']}", {"if-match": f'"v{contract["version"]}"'}
    assert good(user.request("PATCH", path, json={"consent": "free"}, headers=headers))["consent"] == "free"
    refused(
        user.post("/v1/contracts", json={"title": "x", "documents": [], "consent": "none"}), 422, "validation-failed"
    )
