"""A key that its signer's passphrase releases, and nothing else."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest
from sqlalchemy import select

from api.contracts.models import Contract, Party
from api.errors import VaultError
from api.factors import lock
from api.factors.models import Factor
from api.kit.ids import new_id
from certs.errors import WrongPassword
from certs.keys.envelope import parse, unseal
from certs.keys.kek_recipient import RecipientProvider
from tests.api.conftest import User, held
from tests.api.contracts.talk import SUITES, completed, delegate, events, good, refused, types, verdict
from tests.api.factors.desk import OTHER, WORDS, do, quick, shown, signed, with_passphrase
from tests.api.registry import person, prove
from tests.conftest import keys_of

__all__ = ["quick"]
pytestmark = pytest.mark.usefixtures("quick")
LOCKED = {"factors": ["passphrase"]}


def known_party(user: User, suite: str, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a person on record and a party of theirs that has to show a passphrase."""
    human = person(user, identifiers=[])
    prove(user, human)
    return human, {"person": human["id"], "suite": suite, **LOCKED, **more}


def row_of(user: User, party: dict[str, Any]) -> Party:
    with user.context.database.read() as session:
        return session.get_one(Party, party["id"])


@pytest.mark.parametrize("suite", SUITES)
def test_a_passphrase_releases_the_key_and_the_record_says_so(user: User, suite: str) -> None:
    human, party = known_party(user, suite)
    factor = with_passphrase(user, person=human["id"])
    assert (factor["state"], factor["otpauth"]) == ("active", None)
    contract = user.sent(party, documents=[user.upload()["id"], user.upload()["id"]])
    (found,) = contract["parties"]
    assert (found["factors"], found["key_locked"]) == (["passphrase"], True)
    signed(user, do(user, contract, found, "sign", shown("passphrase", WORDS)))
    assert completed(user, contract)["parties"][0]["key_locked"] is False
    for report in verdict(user, contract):
        assert [each["layers"]["cryptographic"]["result"] for each in report["signatures"]] == ["passed"]
    (record,) = user.get(f"/v1/contracts/{contract['id']}/intents").json()["data"]
    (fact,) = json.loads(record["record"])["factors"]
    assert (fact["kind"], fact["factor"], fact["how"]["function"]) == ("passphrase", factor["id"], "scrypt")
    assert fact["enrolled_at"] < fact["checked_at"]
    order = types(user, contract)
    assert order.index("party.signing") < order.index("signature.prepared") < order.index("document.revision_created")


def test_the_database_and_the_master_key_do_not_open_it(user: User) -> None:
    """What an operator has, or whoever copies everything: the vault opens, and inside is another lock."""
    context, human = user.context, person(user, identifiers=[])
    with_passphrase(user, person=human["id"])
    with context.database.read() as session:
        factor = session.scalars(select(Factor).where(Factor.person_id == human["id"])).one()
    with pytest.raises(WrongPassword), lock.turn():
        lock.opened(context, factor, OTHER)
    holder = lock.opened(context, factor, WORDS)
    for suite in (each if isinstance(each, str) else str(each.values[0]) for each in SUITES):
        key, name = keys_of(suite)[0], new_id("pty")
        row = Party(id=name, person_id=human["id"], suite=suite, factors=["passphrase"])
        row.sealed_key = context.vault.seal(key, name)
        with context.database.write() as session:
            assert lock.lock_key(context, session, row)
            assert not lock.lock_key(context, session, row)
        with pytest.raises(VaultError):
            context.vault.open_key(row.sealed_key, name, suite)
        inner = parse(context.vault.open_secret(row.sealed_key, name, purpose=lock.LOCKED))
        with pytest.raises(WrongPassword):
            unseal(inner, RecipientProvider.of(factor.public_key or b""))
        assert lock.key_of(context, row, holder).public_key.spki == key.public_key.spki
        row.id = new_id("pty")  # moved to another party
        with pytest.raises(VaultError):
            lock.key_of(context, row, holder)


def test_without_or_with_a_wrong_one_nothing_happens(user: User) -> None:
    human, party = known_party(user, "ecdsa-p256")
    contract = user.sent(party)
    (found,) = contract["parties"]
    body = refused(do(user, contract, found, "sign"), 422, "factor-required")
    assert body["reason"] == "not-enrolled"
    factor = with_passphrase(user, person=human["id"])
    contract = user.contract(contract)
    assert refused(do(user, contract, found, "sign"), 422, "factor-required")["reason"] == "missing"
    wrong = refused(do(user, contract, found, "sign", shown("passphrase", OTHER)), 422, "factor-refused")
    assert OTHER not in json.dumps(wrong)
    unasked = do(user, contract, found, "sign", shown("totp", "123456"))
    assert refused(unasked, 422, "factor-refused")["reason"] == "not-required"
    assert user.contract(contract) == contract
    assert user.get(f"/v1/contracts/{contract['id']}/intents").json()["data"] == []
    assert user.get(f"/v1/factors/{factor['id']}").json()["failures"] == 1
    signed(user, do(user, contract, found, "sign", shown("passphrase", WORDS)))
    assert user.get(f"/v1/factors/{factor['id']}").json()["failures"] == 0


def test_a_key_that_was_there_before_comes_under_the_lock(user: User) -> None:
    """Of a party that is on no record, and was sent the contract before it enrolled."""
    contract = user.sent(held("sm2", **LOCKED))
    (found,) = contract["parties"]
    assert found["key_locked"] is False
    with_passphrase(user, party=found["id"])
    contract = user.contract(contract)
    (found,) = contract["parties"]
    assert found["key_locked"] is True
    with pytest.raises(VaultError):
        user.context.vault.open_key(row_of(user, found).sealed_key or b"", found["id"], "sm2")
    assert types(user, contract)[-3:] == ["factor.offered", "factor.enrolled", "party.key_locked"]
    signed(user, do(user, contract, found, "sign", shown("passphrase", WORDS)))
    completed(user, contract)


def test_the_same_passphrase_from_another_keyboard(user: User) -> None:
    """RFC 8265 4.2.2: composed or not, with whatever space."""
    contract = user.sent(held("ecdsa-p256", **LOCKED))
    (found,) = contract["parties"]
    with_passphrase(user, "école d'été à Orël", party=found["id"])
    typed = "e\u0301cole\u00a0d'e\u0301te\u0301 a\u0300 Ore\u0308l"
    signed(user, do(user, user.contract(contract), found, "sign", shown("passphrase", typed)))


@pytest.mark.parametrize("words", ["11 octets,", "aaaaaaaaaaaa", "abababababab", "tab\tin the middle"])
def test_a_passphrase_that_is_none_is_refused_and_not_repeated(user: User, words: str) -> None:
    contract = user.draft([held("ecdsa-p256", **LOCKED)])
    secret = good(
        user.post("/v1/factor-enrolments", json={"kind": "passphrase", "party": contract["parties"][0]["id"]}), 201
    )["secret"]
    answer = user.post("/v1/factors", json={"enrolment": secret, "passphrase": words})
    assert words not in json.dumps(refused(answer, 422, "validation-failed"))


def test_nothing_that_is_stored_tells_a_passphrase(user: User, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in clear, nor as a digest of the request, which would be guessed at a million times the speed."""
    import hashlib

    contract = user.sent(held("ecdsa-p256", **LOCKED))
    (found,) = contract["parties"]
    with_passphrase(user, party=found["id"])
    body = {"consent": user.consent(contract, "en"), "factors": [shown("passphrase", WORDS)]}
    path = f"/v1/contracts/{contract['id']}/parties/{found['id']}/sign"
    sent = json.dumps(body).encode()
    headers = {"idempotency-key": "once", "content-type": "application/json"}
    refusal = {**body, "factors": [shown("passphrase", OTHER)]}
    refused(user.post(path, json=refusal), 422, "factor-refused")
    answer = user.post(path, content=sent, headers=headers)
    signed(user, answer)
    repeated = user.post(path, content=sent, headers=headers)
    assert (repeated.status_code, repeated.json()["id"]) == (202, answer.json()["id"])
    file = user.context.settings.data / "sealroad.sqlite3"
    with sqlite3.connect(file) as connection:
        dump = "\n".join(connection.iterdump())
        (print_,) = connection.execute("SELECT fingerprint FROM idempotency_records WHERE key = 'once'").fetchone()
    for text in (WORDS, OTHER):
        assert text not in dump
        assert json.dumps(text) not in dump
        assert text not in caplog.text
    digest = hashlib.sha256()
    for part in (b"POST", path.encode(), b"", b"", sent):
        digest.update(len(part).to_bytes(8, "big") + part)
    assert print_ != digest.hexdigest()


def test_it_is_changed_by_whoever_knows_it_and_keys_stay(user: User) -> None:
    human, party = known_party(user, "gost2012-256")
    factor = with_passphrase(user, person=human["id"])
    contract = user.sent(party)
    path = f"/v1/factors/{factor['id']}/change"
    refused(user.post(path, json={"current": OTHER, "passphrase": OTHER}), 422, "factor-refused")
    refused(user.post(path, json={"current": WORDS}), 422, "validation-failed")
    old = {"if-match": '"v1"'}
    refused(user.post(path, json={"current": WORDS, "passphrase": OTHER}, headers=old), 412, "precondition-failed")
    changed = good(user.post(path, json={"current": WORDS, "passphrase": OTHER}))
    assert (changed["id"], changed["state"]) == (factor["id"], "active")
    (found,) = contract["parties"]
    refused(do(user, contract, found, "sign", shown("passphrase", WORDS)), 422, "factor-refused")
    signed(user, do(user, contract, found, "sign", shown("passphrase", OTHER)))


def test_a_reset_is_on_record_and_loses_the_keys(user: User) -> None:
    human, party = known_party(user, "ecdsa-p256")
    factor = with_passphrase(user, person=human["id"])
    contract = user.sent(party)
    (found,) = contract["parties"]
    refused(
        user.post("/v1/factor-enrolments", json={"kind": "passphrase", "person": human["id"]}), 409, "state-conflict"
    )
    path = f"/v1/factors/{factor['id']}"
    ended = good(user.post(f"{path}/reset", json={"reason": "came with her passport"}))
    assert ended["state"] == "reset"
    refused(user.post(f"{path}/reset", json={"reason": "again"}), 409, "state-conflict")
    assert refused(do(user, contract, found, "sign", shown("passphrase", WORDS)), 422, "factor-required")
    with_passphrase(user, OTHER, person=human["id"])
    lost = do(user, contract, found, "sign", shown("passphrase", OTHER))
    assert "reset" in refused(lost, 409, "state-conflict")["detail"]
    assert user.contract(contract) == contract
    log = user.get(f"/v1/people/{human['id']}/events").json()["data"]
    assert [event["type"] for event in log][-5:] == [
        "factor.offered", "factor.enrolled", "factor.reset", "factor.offered", "factor.enrolled",
    ]  # fmt: skip
    assert log[-3]["body"]["data"]["reason"] == "came with her passport"
    assert user.get(f"/v1/people/{human['id']}/events/check").json()["intact"]


def test_two_who_sign_at_once_are_one_after_the_other(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The values of the second are for a revision that is not the newest any more: it signs anew."""
    from api.signing import locked

    contract = user.sent(held("ecdsa-p256", **LOCKED), held("ecdsa-p256", name="Otto"))
    first, second = contract["parties"]
    with_passphrase(user, party=first["id"])
    contract = user.contract(contract)
    real = lock.key_of

    def late(*arguments: Any) -> Any:
        assert user.sign(contract, second)["state"] == "succeeded"
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(locked.lock, "key_of", late)
        job = good(do(user, contract, first, "sign", shown("passphrase", WORDS)), 202)
    failed = user.wait_for_job(f"/v1/jobs/{job['id']}")
    assert (failed["state"], failed["error"]["code"]) == ("failed", "stale-request")
    signed(user, do(user, user.contract(contract), first, "sign", shown("passphrase", WORDS)))
    completed(user, contract)
    assert len(user.get(f"/v1/contracts/{contract['id']}/intents").json()["data"]) == 3


def test_a_delegate_has_a_factor_of_its_own(user: User) -> None:
    human, party = known_party(user, "ecdsa-p256")
    company = good(user.post("/v1/organisations", json={"name": "Muster GmbH", "country": "DE", "locale": "en"}), 201)
    prove(user, company)
    path = f"/v1/people/{human['id']}"
    joined = {"organisations": [{"organisation": company["id"]}]}
    good(user.request("PATCH", path, json=joined, headers={"if-match": user.get(path).headers["etag"]}))
    prove(user, human)
    with_passphrase(user, person=human["id"])
    contract = user.sent({**party, "organisation_id": company["id"]})
    (first,) = contract["parties"]
    refused(delegate(user, contract, first, suite="ecdsa-p256"), 422, "factor-required")  # nobody gives it away
    wrong = [shown("passphrase", OTHER)]
    refused(delegate(user, contract, first, suite="ecdsa-p256", factors=wrong), 422, "factor-refused")
    after = good(delegate(user, contract, first, suite="ecdsa-p256", factors=[shown("passphrase", WORDS)]))
    successor = next(row for row in after["parties"] if row["delegate_of"])
    assert (successor["factors"], successor["key_locked"]) == (["passphrase"], False)
    refused(do(user, after, successor, "sign", shown("passphrase", WORDS)), 422, "factor-required")
    with_passphrase(user, OTHER, party=successor["id"])
    signed(user, do(user, user.contract(contract), successor, "sign", shown("passphrase", OTHER)))
    completed(user, contract)


def test_such_a_key_sends_no_envelopes(user: User) -> None:
    """That would be a use of the key to which its signer was not asked."""
    contract = user.sent(held("ecdsa-p256", **LOCKED), held("ecdsa-p256"))
    first, second = contract["parties"]
    body = {"contract": contract["id"], "senders": [{"party": first["id"]}], "recipients": [{"party": second["id"]}]}
    assert "factor" in refused(user.post("/v1/envelopes", json=body), 409, "state-conflict")["detail"]


def test_another_master_key_leaves_it_locked(user: User) -> None:
    from api.rotation import TABLES

    assert {Party, Factor} <= set(TABLES)
    contract = user.sent(held("ecdsa-p256", **LOCKED))
    with_passphrase(user, party=contract["parties"][0]["id"])
    row = row_of(user, contract["parties"][0])
    assert user.context.vault.rewrap(row.sealed_key or b"") is None
    with user.context.database.read() as session:
        assert session.get_one(Contract, contract["id"]).version == user.contract(contract)["version"]
    assert events(user, contract)[-1]["type"] == "party.key_locked"


def test_only_a_party_whose_key_is_made_here_has_a_passphrase(user: User) -> None:
    document = user.upload()["id"]
    for party in ({"name": "x", "role": "approver"}, {"name": "x", "role": "viewer"}):
        body = {"title": "x", "documents": [document], "parties": [{**party, **LOCKED}]}
        refused(user.post("/v1/contracts", json=body), 422, "validation-failed")
    body = {"title": "x", "documents": [document], "parties": [{"name": "x", "role": "cc", "factors": ["totp"]}]}
    refused(user.post("/v1/contracts", json=body), 422, "validation-failed")
