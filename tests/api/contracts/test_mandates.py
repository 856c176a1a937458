"""Powers of attorney over HTTP: handed in, used, ended; and what is on record of them when somebody signs."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from api.mandates import log, repository, standing
from api.signing import tasks
from certs.certificate import Subject
from certs.clock import SystemClock
from certs.identifiers import Identifier
from certs.mandates import read_mandate
from signer.pades.options import SignOptions
from signer.pades.sign import sign_bytes
from tests.api.conftest import User, at_home, circle_today, held, make_pdf
from tests.api.contracts.talk import act, completed, consent, delegate, events, good, refused
from tests.conftest import SIGNING
from tests.mandates import (
    CHINESE,
    HER,
    HER_INN,
    HER_SNILS,
    INN,
    NAME,
    OGRN,
    OTHER_INN,
    RUSSIAN,
    USCC,
    Firm,
    firm,
    paper,
)

CLOCK = SystemClock()
HERS = [{"scheme": each.scheme, "value": each.value} for each in (HER_SNILS, HER_INN)]
OURS = [{"scheme": each.scheme, "value": each.value} for each in (INN, OGRN)]
SUITES = [
    suite if suite in {"gost2012-256", "sm2"} else pytest.param(suite, marks=pytest.mark.slow) for suite in SIGNING
]
"""The truth table has all suites (tests/signer); here those in which such papers are signed come first."""
firm_of = cache(lambda suite: firm(suite, CLOCK))

REWRITING = (
    "UPDATE power_of_attorney_events SET type = 'x'",
    "DELETE FROM powers_of_attorney",
    "UPDATE powers_of_attorney SET last_day = '2099-01-01'",
    "UPDATE powers_of_attorney SET revoked_at = NULL",
)
"""What the database itself refuses."""


TODAY = datetime.now(UTC).date()


def days(number: int) -> str:
    return (TODAY + timedelta(days=number)).isoformat()


def files(xml: bytes, signature: bytes, trust: tuple[bytes, ...] = ()) -> list[Any]:
    return [
        ("xml", ("ON_EMCHD_доверенность.xml", xml, "application/xml")),
        ("sig", ("m.sig", signature, "application/octet-stream")),
        *(("trust", ("t.pem", each, "application/octet-stream")) for each in trust),
    ]


def hand_in(user: User, by: Firm | None = None, *, trust: bool = True, **more: Any) -> Any:
    """Hand a МЧД in, which is in its term unless told otherwise."""
    by = by or firm_of("gost2012-256")
    xml = paper(**{"issued": days(-10), "expires": days(100), **more})
    return user.post("/v1/powers-of-attorney", files=files(xml, by.sign(xml), tuple(by.trust) if trust else ()))


def on_record(user: User, **more: Any) -> dict[str, Any]:
    return good(hand_in(user, **more), 201)


def revoke(user: User, row: dict[str, Any], **more: Any) -> Any:
    return user.post(f"/v1/powers-of-attorney/{row['id']}/revoke", json={"reason": "уволена", **more})


def director(suite: str = "gost2012-256", **more: Any) -> dict[str, Any]:
    return held(suite, name="Иван Петров", organisation=NAME, country="RU", identifiers=OURS, locale="ru", **more)


def to_her(user: User, contract: dict[str, Any], row: dict[str, Any], suite: str = "gost2012-256", **more: Any) -> Any:
    body = {"mandate": None, "power_of_attorney": row["id"], "identifiers": HERS, "suite": suite}
    return delegate(user, contract, contract["parties"][0], **{"name": HER, **body, **more})


def sign(user: User, contract: dict[str, Any], party: dict[str, Any]) -> Any:
    path = f"/v1/contracts/{contract['id']}/parties/{party['id']}/sign"
    return user.post(path, json={"consent": consent(user, contract, party)})


@pytest.mark.parametrize("suite", SUITES)
def test_a_delegate_signs_under_it_and_what_was_found_is_on_record(user: User, suite: str) -> None:
    row = on_record(user, by=firm_of(suite))
    assert (row["kind"], row["state"], row["stated"], row["open"]) == (
        *("ru-mchd", "in-term", False, ["signatory", "register"]),
    )
    assert {check["id"]: check["result"] for check in row["checks"]}["signature"] == "passed"
    assert (row["said"]["principals"][0]["name"], row["said"]["representatives"][0]["name"]) == (NAME, HER)
    contract = user.sent(director(suite))
    contract = good(to_her(user, contract, row, suite))
    her = contract["parties"][1]
    assert her["mandate"] == {
        "type": "ru-mchd", "document": row["number"], "power_of_attorney": row["id"], "check": "at-signing"
    }  # fmt: skip
    assert user.sign(contract, her)["state"] == "succeeded"
    completed(user, contract)

    (found,) = user.get(f"/v1/contracts/{contract['id']}/intents").json()["data"]
    snapshot = json.loads(found["record"])["mandate"]
    assert (snapshot["power_of_attorney"], snapshot["status"], snapshot["number"]) == (
        *(row["id"], "accepted", row["number"]),
    )
    assert {check["id"]: check["result"] for check in snapshot["checks"]} == {
        **dict.fromkeys(("identifiers", "signature", "chain", "principal", "sub-delegation", "term"), "passed"),
        **dict.fromkeys(("revocation", "represented", "representative", "alone"), "passed"),
        **dict.fromkeys(("signatory", "register"), "not-checked"),
    }
    assert snapshot["open"] == ["signatory", "register"]
    told = [data for each in events(user, contract) if "intent_sha256" in (data := each["body"]["data"])]
    assert [data["mandate"] for data in told] == [snapshot]
    (evidence,) = user.get(f"/v1/contracts/{contract['id']}/evidence").json()["powers_of_attorney"]
    octets = {name: base64.b64decode(value) for name, value in evidence["files"].items()}
    assert read_mandate(octets["xml"]).number == row["number"]
    for name, digest in (("xml", "content_sha256"), ("signature", "signature_sha256")):
        assert hashlib.sha256(octets[name]).hexdigest() == evidence[digest] == snapshot[digest]
    assert [each["type"] for each in evidence["events"]] == ["power-of-attorney.received"]
    # what ends it afterwards changes nothing of that
    good(revoke(user, row))
    assert user.contract(contract)["state"] == "completed"


def test_its_octets_and_log_are_given_back_as_they_came(user: User) -> None:
    by = firm_of("gost2012-256")
    xml = paper(issued=days(-1), expires=days(1), encoding="windows-1251")
    signature = by.sign(xml)
    row = good(user.post("/v1/powers-of-attorney", files=files(xml, base64.encodebytes(signature))), 201)
    path = f"/v1/powers-of-attorney/{row['id']}"
    assert user.get(f"{path}/content").content == xml
    assert user.get(f"{path}/signature").content == base64.encodebytes(signature)
    assert row["content_name"] == "ON_EMCHD_доверенность.xml"
    assert "chain" in row["open"]  # nobody said whom to trust
    refused(user.post("/v1/powers-of-attorney", files=files(xml, signature)), 409, "conflict")
    gone = good(revoke(user, row))
    assert (gone["state"], gone["version"], gone["revocation"]["reason"]) == ("revoked", 2, "уволена")
    refused(revoke(user, row), 409, "state-conflict")
    assert user.get(path).json() == gone
    assert [each["type"] for each in user.get(f"{path}/events").json()["data"]] == [
        "power-of-attorney.received", "power-of-attorney.revoked"
    ]  # fmt: skip
    for words in REWRITING:
        with pytest.raises(DatabaseError), user.context.database.write() as session:
            session.execute(text(words))
    with user.context.database.read() as session:
        assert log.check(session, repository.get(session, user.tenant_id, row["id"])) is None
        needed = repository.needed_files(session)  # the sweep of the store leaves them alone
    assert {row["content_sha256"], row["signature_sha256"]} <= needed


def test_a_revocation_is_not_of_the_future_and_not_of_another_version(user: User) -> None:
    row = on_record(user)
    refused(revoke(user, row, at=(datetime.now(UTC) + timedelta(hours=1)).isoformat()), 422, "validation-failed")
    path = f"/v1/powers-of-attorney/{row['id']}/revoke"
    refused(user.post(path, json={"reason": "x"}, headers={"if-match": '"v2"'}), 412, "precondition-failed")
    assert user.get(f"/v1/powers-of-attorney/{row['id']}").json()["state"] == "in-term"


OTHER = replace(RUSSIAN, identifiers=(OTHER_INN,))


def test_what_does_not_hold_is_not_taken(user: User) -> None:
    by = firm_of("gost2012-256")
    xml = paper(issued=days(-1), expires=days(1))
    signature, stranger = by.sign(xml), by.holding(OTHER).sign(xml)
    for given, code, reason in (
        (files(xml + b" ", signature), "mandate-refused", "mandate-signature"),
        (files(xml, stranger), "mandate-refused", "mandate-principal"),
        (files(xml, b"garbage"), "unreadable-file", None),
        (files(b"<a/>", signature), "malformed-input", None),
        (
            files(b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', signature),
            "malformed-input",
            None,
        ),
        (files(xml, signature, (b"garbage",)), "malformed-input", None),
    ):
        problem = refused(user.post("/v1/powers-of-attorney", files=given), 422, code)
        assert problem.get("reason") == reason
    refused(user.post("/v1/powers-of-attorney", files=files(b"<" * 2_000_000, signature)), 413, "payload-too-large")
    for part in (files(xml, signature)[:1], [*files(xml, signature), ("pdf", ("x.pdf", b"%PDF-"))]):
        refused(user.post("/v1/powers-of-attorney", files=part), 400, "malformed-request")
    assert user.get("/v1/powers-of-attorney").json()["data"] == []


WRONG: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "another principal": ("mandate-represented", {"by": "other", "inn": True}, {}),
    "expired": ("mandate-term", {"issued": days(-30), "expires": days(-2)}, {}),
    "not yet valid": ("mandate-term", {"issued": days(3)}, {}),
    "another name": ("mandate-representative", {}, {"name": "Анна Ким"}),
    "another person of that name": (
        "mandate-representative", {}, {"identifiers": [{"scheme": "RU-SNILS", "value": "11223344595"}]}
    ),
    "revoked": ("mandate-revocation", {"ended": True}, {}),
}  # fmt: skip


def test_who_may_not_act_under_it_is_no_delegate_and_no_party(user: User) -> None:
    contract = user.sent(director())
    for code, said, body in WRONG.values():
        said, ended = dict(said), said.get("ended")
        said.pop("ended", None)
        if said.pop("by", None):
            more = {INN.value: OTHER_INN.value, f' ОГРН="{OGRN.value}"': ""}
            said = {"by": firm_of("gost2012-256").holding(OTHER), "more": more}
        row = on_record(user, **said)
        if ended:
            good(revoke(user, row))
        problem = refused(to_her(user, contract, row, **body), 422, "validation-failed")
        assert [(each["code"], each["pointer"]) for each in problem["errors"]] == [(code, "/power_of_attorney")]
    assert user.contract(contract) == contract
    draft = user.draft([director() | {"identifiers": [*OURS, *HERS], "power_of_attorney": row["id"]}])
    sent = user.post(f"/v1/contracts/{draft['id']}/send", headers={"if-match": '"v1"'})
    problem = refused(sent, 422, "validation-failed")
    assert {each["pointer"] for each in problem["errors"]} == {"/parties/0/power_of_attorney"}
    assert {each["code"] for each in problem["errors"]} == {"mandate-representative", "mandate-revocation"}


def test_a_party_of_a_draft_acts_under_one_and_a_reference_by_words_stays_one(user: User) -> None:
    row = on_record(user)
    party = director() | {"name": HER, "identifiers": [*OURS, *HERS], "power_of_attorney": row["id"]}
    contract = user.sent(party)
    assert user.sign(contract, contract["parties"][0])["state"] == "succeeded"
    contract = user.sent(director())
    contract = good(delegate(user, contract, contract["parties"][0], suite="gost2012-256"))
    assert contract["parties"][1]["mandate"]["check"] == "reference-only"
    assert user.sign(contract, contract["parties"][1])["state"] == "succeeded"
    assert user.get(f"/v1/contracts/{contract['id']}/evidence").json()["powers_of_attorney"] == []
    copy = {"name": "Архив", "role": "cc", "power_of_attorney": row["id"]}
    body = {"title": "x", "documents": [user.upload()["id"]], "parties": [director(), copy]}
    refused(user.post("/v1/contracts", json=body), 422, "validation-failed")


def test_nobody_signs_under_one_that_is_over_or_revoked_and_the_contract_stays(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = on_record(user)
    contract = user.sent(director())
    contract = good(to_her(user, contract, row))
    her = contract["parties"][1]
    judged, before = standing.grant_in, (datetime.now(UTC) - timedelta(days=2)).date()
    with monkeypatch.context() as patch:  # as if its last day had been the day before yesterday
        patch.setattr(standing, "grant_in", lambda row: replace(judged(row), last=before))
        assert refused(sign(user, contract, her), 422, "mandate-refused")["reason"] == "mandate-term"
    assert user.contract(contract) == contract
    good(revoke(user, row))
    assert refused(sign(user, contract, her), 422, "mandate-refused")["reason"] == "mandate-revocation"
    assert user.contract(contract) == contract
    assert user.get(f"/v1/contracts/{contract['id']}/intents").json()["data"] == []


def test_a_value_that_comes_after_the_revocation_is_refused(user: User) -> None:
    row, circle = on_record(user), circle_today("ecdsa-p256")
    contract = user.sent(at_home(circle, organisation=NAME, identifiers=OURS))
    party = circle.ca.issue("person", Subject(HER, country="RU"), circle.key.public_key.spki)
    bundle = "".join(each.pem for each in (party, *circle.ca.chain))
    contract = good(to_her(user, contract, row, suite=None, certificate=bundle))
    her = contract["parties"][1]
    request = user.ask(contract, her)
    (found,) = user.get(f"/v1/contracts/{contract['id']}/intents").json()["data"]
    assert json.loads(found["record"])["mandate"]["status"] == "accepted"
    good(revoke(user, row))
    before = user.contract(contract)
    value = circle.key.sign(base64.b64decode(request["dtbs"]))
    late = user.hand_in(request, signature=base64.b64encode(value).decode())
    assert refused(late, 422, "mandate-refused")["reason"] == "mandate-revocation"
    assert user.contract(contract) == before


def test_a_key_held_here_is_not_used_after_the_revocation(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    row = on_record(user)
    contract = user.sent(director())
    contract = good(to_her(user, contract, row))
    first = tasks.certified_now

    def revoked_meanwhile(*arguments: Any) -> Any:
        found = first(*arguments)
        good(revoke(user, row))
        return found

    monkeypatch.setattr(tasks, "certified_now", revoked_meanwhile)
    job = user.sign(contract, contract["parties"][1])
    assert (job["state"], job["error"]["code"], job["error"]["reason"]) == (
        *("failed", "mandate-refused", "mandate-revocation"),
    )
    after = user.contract(contract)
    assert [row["revision"] for row in after["documents"]] == [0]
    assert after["parties"][1]["state"] == "notified"
    assert user.get(f"/v1/contracts/{contract['id']}/evidence").json()["signatures"] == []


def test_an_approval_under_one_has_the_same_on_record(user: User) -> None:
    first, second = on_record(user), on_record(user)
    approver = {"name": "Иван Петров", "organisation": NAME, "role": "approver", "identifiers": OURS, "order": 1}
    contract = user.sent(approver, approver, held("ecdsa-p256", order=2))
    for party, row in zip(contract["parties"], (first, second), strict=False):
        body = {"name": HER, "mandate": None, "power_of_attorney": row["id"], "identifiers": HERS}
        changed = good(delegate(user, contract, party, **body))
    hers = [party for party in changed["parties"] if party["delegate_of"]]
    good(act(user, contract, hers[0], "approve"))
    (told,) = [each for each in events(user, contract) if each["type"] == "party.approved"]
    assert told["body"]["data"]["mandate"]["power_of_attorney"] == hers[0]["mandate"]["power_of_attorney"]
    good(revoke(user, second if hers[1]["mandate"]["power_of_attorney"] == second["id"] else first))
    refused(act(user, contract, hers[1], "approve"), 422, "mandate-refused")


# letters ---------------------------------------------------------------------------------------------------------

STATED = {
    "organisation": "江海贸易有限公司", "uscc": USCC.value, "representative": "李娜",
    "representative_id": {"scheme": "CN-ID", "value": "11010519491231002X"},
    "scope": "签署供货合同", "limit": "500 000 CNY", "first_day": days(-3), "last_day": days(30),
}  # fmt: skip


def letter(user: User, suite: str = "sm2", subject: Subject = CHINESE, pdf: bytes | None = None, **more: Any) -> Any:
    by = firm(suite, CLOCK, subject)
    signed = pdf or sign_bytes(make_pdf(), by.key, by.certificate, by.ca.chain[:1], SignOptions(), CLOCK)
    given = [("pdf", ("授权书.pdf", signed, "application/pdf")), *(("trust", ("t", each)) for each in by.trust)]
    return user.post("/v1/powers-of-attorney", files=given, data={"data": json.dumps({**STATED, **more})})


@pytest.mark.parametrize("suite", ["sm2", pytest.param("ecdsa-p256", marks=pytest.mark.slow)])
def test_a_letter_is_verified_and_what_it_says_is_stated(user: User, suite: str) -> None:
    row = good(letter(user, suite), 201)
    assert (row["kind"], row["stated"], row["signature_sha256"]) == ("cn-authorisation-letter", True, None)
    assert row["open"] == ["content", "register"]
    assert (row["said"]["powers_text"], row["said"]["limit"]) == ("签署供货合同", "500 000 CNY")
    assert user.get(f"/v1/powers-of-attorney/{row['id']}/signature").status_code == 404
    code = [{"scheme": "CN-USCC", "value": USCC.value}]
    contract = user.sent(
        held(suite, name="王伟", organisation="江海贸易有限公司", country="CN", identifiers=code, locale="zh")
    )
    body = {"mandate": None, "power_of_attorney": row["id"], "name": "李娜", "suite": suite}
    contract = good(delegate(user, contract, contract["parties"][0], **body))
    assert user.sign(contract, contract["parties"][1])["state"] == "succeeded"
    (found,) = user.get(f"/v1/contracts/{contract['id']}/intents").json()["data"]
    assert json.loads(found["record"])["mandate"]["open"] == ["content", "register", "representative"]


def test_a_letter_with_something_wrong_is_not_taken(user: User) -> None:
    other = replace(CHINESE, identifiers=(Identifier("CN-USCC", "9144030071526726XG"),))
    assert refused(letter(user, subject=other), 422, "mandate-refused")["reason"] == "mandate-principal"
    assert refused(letter(user, pdf=make_pdf()), 422, "mandate-refused")["reason"] == "mandate-signature"
    refused(letter(user, pdf=b"<a/>"), 422, "validation-failed")
    for wrong, pointer in (
        ({"uscc": "91310000MA1FL5RX2X"}, "/data/uscc"),
        ({"last_day": days(-4)}, "/data"),
        ({"scope": ""}, "/data/scope"),
        ({"signed": True}, "/data/signed"),
        ({"representative_id": {"scheme": "CN-ID", "value": "1"}}, "/data/representative_id"),
    ):
        assert refused(letter(user, **wrong), 422, "validation-failed")["errors"][0]["pointer"] == pointer
    assert user.get("/v1/powers-of-attorney").json()["data"] == []
