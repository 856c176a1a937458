"""Organisations and people on record, how they were identified, and that no certificate is issued before that."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from api.auth.service import SCOPES
from api.contracts.models import Party
from api.identity.methods import METHODS
from api.identity.models import IdentityProof
from api.identity.service import facts_of
from api.kit.ids import new_id
from api.people.models import Organisation, Person
from certs.application import METHODS as APPLICATION_METHODS
from certs.certificate import load_certificates
from certs.identifiers import Identifier
from certs.pem import armor
from tests.api import counted
from tests.api.conftest import PROOF, Service, User, held
from tests.api.envelopes.post import asked as envelope_asked
from tests.api.envelopes.post import from_first_party
from tests.api.registry import organisation, person, prove
from tests.api.seals.office import Office, application
from tests.api.test_certificates import asked, pkcs10
from tests.conftest import keys_of
from tests.test_readme import ROOT

USCC = [{"scheme": "CN-USCC", "value": "91310000MA1FL5RX2W"}]


def problem(response: Any, status: int = 422) -> dict[str, Any]:
    assert response.status_code == status, response.text
    return dict(response.json())


def unproven(response: Any) -> dict[str, Any]:
    body = problem(response)
    assert body["code"] == "identity-not-proven", body
    return body


def change(user: User, found: dict[str, Any], **fields: Any) -> Any:
    path = f"/v1/{'people' if found['id'].startswith('per_') else 'organisations'}/{found['id']}"
    return user.request("PATCH", path, json=fields, headers={"if-match": user.get(path).headers["etag"]})


def remove(user: User, found: dict[str, Any]) -> Any:
    path = f"/v1/{'people' if found['id'].startswith('per_') else 'organisations'}/{found['id']}"
    return user.request("DELETE", path, headers={"if-match": user.get(path).headers["etag"]})


# on record -----------------------------------------------------------------------------------------------------------


def test_a_person_of_an_organisation_is_taken_on_record_changed_and_deleted(user: User) -> None:
    company = organisation(user)
    assert company["identifiers"] == [{**USCC[0], "checksum_ok": True}]
    place = {"organisation": company["id"], "position": "总经理", "legal_representative": True}
    human = person(user, organisations=[place])
    assert (human["name"], human["organisations"]) == ("沈𠮷明", [place])
    assert human["names"] == {"zh": "沈𠮷明", "ru": "Шэнь Цзимин", "en": "Shen Jiming"}
    path = f"/v1/people/{human['id']}"
    read = user.get(path)
    assert (read.json(), read.headers["etag"]) == (human, '"v1"')
    assert user.get(path, headers={"if-none-match": '"v1"'}).status_code == 304
    assert [row["id"] for row in user.get(f"/v1/people?organisation={company['id']}").json()["data"]] == [human["id"]]
    assert user.get(f"/v1/people?organisation={human['id']}").json()["data"] == []

    assert problem(user.request("PATCH", path, json={}), 428)["code"] == "precondition-required"
    assert problem(user.request("PATCH", path, json={}, headers={"if-match": '"v9"'}), 412)
    changed = change(user, human, name="Соколова Екатерина", names={"ru": "Соколова"}, organisations=[])
    assert changed.json()["version"] == 2
    assert (changed.json()["names"], changed.json()["organisations"]) == ({"ru": "Соколова"}, [])
    assert problem(change(user, human, name=None))["errors"][0]["pointer"] == "/name"
    events = user.get(f"{path}/events").json()["data"]
    assert [event["type"] for event in events] == ["person.created", "person.changed"]
    assert events[1]["body"]["data"]["name"] == "Соколова Екатерина"
    assert user.get(f"{path}/events/check").json()["intact"] is True
    assert remove(user, human).status_code == 204
    assert user.get(path).status_code == 404
    assert remove(user, company).status_code == 204


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"identifiers": [{"scheme": "CN-USCC", "value": "91310000MA1FL5RX2X"}]}, "/identifiers/0"),
        ({"identifiers": [{"scheme": "NO-SUCH", "value": "1"}]}, "/identifiers/0"),
        ({"identifiers": [*USCC, *USCC]}, "/identifiers/1"),
        ({"name": "\u202eABC"}, "/name"),
        ({"country": "cn"}, "/country"),
        ({"locale": "fr"}, "/locale"),
        ({"names": {"de": "x"}}, "/names/de"),
    ],
)
def test_what_is_wrong_with_an_organisation_is_named(user: User, wrong: dict[str, Any], pointer: str) -> None:
    body = problem(user.post("/v1/organisations", json={"name": "x", **wrong}))
    assert [error["pointer"] for error in body["errors"]] == [pointer]


def test_a_person_is_in_an_organisation_of_the_tenant_once(user: User, stranger: User) -> None:
    company, foreign = organisation(user), organisation(stranger)
    for places, pointer in (
        ([{"organisation": foreign["id"]}], "/organisations/0/organisation"),
        ([{"organisation": company["id"]}] * 2, "/organisations/1/organisation"),
    ):
        body = problem(user.post("/v1/people", json={"name": "x", "organisations": places}))
        assert [error["pointer"] for error in body["errors"]] == [pointer]


def test_a_repeated_request_makes_one_person(user: User) -> None:
    first, again = (user.post("/v1/people", json={"name": "x"}, headers={"idempotency-key": "p"}) for _ in range(2))
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert len(user.get("/v1/people").json()["data"]) == 1


def test_people_come_in_pages(user: User) -> None:
    made = [person(user, name=f"P{number}")["id"] for number in range(3)]
    first = user.get("/v1/people?limit=2").json()
    second = user.get("/v1/people", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [row["id"] for row in first["data"] + second["data"]] == made[::-1]
    assert second["next_cursor"] is None


def test_what_is_in_use_is_not_deleted(user: User) -> None:
    company = organisation(user)
    human = person(user, organisations=[{"organisation": company["id"]}])
    for owner in (company, human):
        prove(user, owner)
    assert problem(remove(user, company), 409)["detail"] == "the organisation is in use by its people"
    party = {"person": human["id"], "organisation_id": company["id"], "suite": "ecdsa-p256"}
    draft = user.draft([party])
    other = person(user, name="Somebody else")
    user.draft([{"person": other["id"], "suite": "ecdsa-p256"}])
    assert remove(user, other).status_code == 204  # a draft does not hold anybody
    user.send(draft)
    for owner in (human, company):
        body = problem(remove(user, owner), 409)
        assert (body["code"], body["state"]) == ("state-conflict", "in-use")


# identity proofs -----------------------------------------------------------------------------------------------------


def test_a_proof_is_for_what_was_on_record_and_is_revoked_once(user: User) -> None:
    human = person(user, given_name="𠮷明", surname="沈")
    proof = prove(user, human, method="video", valid_until="2099-01-01T00:00:00+03:00", source="ЕСИА")
    assert (proof["state"], proof["identification_kind"], proof["person"]) == ("valid", None, human["id"])
    assert proof["valid_until"] == "2098-12-31T21:00:00Z"
    assert proof["subject"] == {
        "name": "沈𠮷明",
        "country": "CN",
        "identifiers": [{"scheme": "CN-ID", "value": "11010519491231002X"}],
        "given_name": "𠮷明",
        "surname": "沈",
    }
    path = f"/v1/people/{human['id']}/identity-proofs/{proof['id']}"
    assert user.get(path).json() == proof
    change(user, human, email="new@example.com")
    assert user.get(path).json()["state"] == "valid"
    change(user, human, surname="Shen")
    assert user.get(path).json()["state"] == "outdated"
    change(user, human, surname="沈")
    assert user.get(path).json()["state"] == "valid"
    assert problem(user.post(f"{path}/revoke", json={}))["code"] == "validation-failed"
    revoked = user.post(f"{path}/revoke", json={"reason": "护照是伪造的"}).json()
    assert (revoked["state"], revoked["revoked_reason"]) == ("revoked", "护照是伪造的")
    assert problem(user.post(f"{path}/revoke", json={"reason": "again"}), 409)["state"] == "revoked"
    assert user.get(f"/v1/people/{human['id']}/identity-proofs").json()["data"] == [revoked]
    events = user.get(f"/v1/people/{human['id']}/events").json()["data"]
    assert [event["type"] for event in events if event["type"].startswith("proof")] == [
        "proof.recorded",
        "proof.revoked",
    ]
    recorded = next(event for event in events if event["type"] == "proof.recorded")["body"]["data"]
    assert (recorded["evidence"], recorded["subject"]) == (proof["evidence"], proof["subject"])
    assert user.get(f"/v1/people/{human['id']}/events/check").json() == {
        "entries": 6,
        "head": events[-1]["hash"],
        "intact": True,
        "broken_at": None,
    }


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"at": "2999-01-01T00:00:00Z"}, "/at"),
        ({"at": "2025-01-01T00:00:00"}, "/at"),
        ({"valid_until": "2025-04-01T00:00:00Z"}, "/valid_until"),
        ({"evidence": []}, "/evidence"),
        ({"evidence": [{"sha256": "0" * 63, "what": "x"}]}, "/evidence/0/sha256"),
        ({"method": "acquaintance"}, "/method"),
        ({"operator": ""}, "/operator"),
    ],
)
def test_what_is_wrong_with_a_proof_is_named(user: User, wrong: dict[str, Any], pointer: str) -> None:
    path = f"/v1/organisations/{organisation(user)['id']}/identity-proofs"
    assert problem(user.post(path, json={**PROOF, **wrong}))["errors"][0]["pointer"] == pointer
    assert user.get(path).json()["data"] == []


def test_the_database_refuses_to_change_records_of_identity(user: User) -> None:
    human = person(user)
    proof = prove(user, human)
    path = f"/v1/people/{human['id']}/identity-proofs/{proof['id']}"
    statements = [
        f"UPDATE identity_proofs SET operator = 'me' WHERE id = '{proof['id']}'",
        f"DELETE FROM identity_proofs WHERE id = '{proof['id']}'",
        "UPDATE person_events SET type = 'x'",
        "DELETE FROM organisation_events WHERE id = 'x' OR 1 = 1",
    ]
    prove(user, organisation(user))
    assert user.post(f"{path}/revoke", json={"reason": "x"}).status_code == 200
    statements.append(f"UPDATE identity_proofs SET revoked_at = NULL WHERE id = '{proof['id']}'")
    for statement in statements:
        with pytest.raises(DatabaseError), user.context.database.write() as session:
            session.execute(text(statement))
    assert user.get(path).json()["revoked_reason"] == "x"


def test_the_methods_are_one_documented_table() -> None:
    page = (ROOT / "docs" / "people.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*) \| (.*) \| (.*) \|$", page, re.MULTILINE)
    assert rows == [
        (
            name,
            method.meaning,
            "no exact counterpart" if method.kind is None else str(method.kind),
            method.application or "–",
        )
        for name, method in METHODS.items()
    ]
    assert {method.kind for method in METHODS.values()} == {None, 0, 1, 2, 3}
    assert {method.application for method in METHODS.values()} - {None} == set(APPLICATION_METHODS)


# no certificate without ----------------------------------------------------------------------------------------------


def issued_so_far(user: User, suite: str) -> int:
    return len(user.context.circles.get(suite)._now().authority.issuing.entries())


def signatory(user: User, **more: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return an organisation, a person of it, and a party of the two; nobody is proven yet."""
    company = organisation(user)
    human = person(user, organisations=[{"organisation": company["id"], "position": "总经理"}], **more)
    return company, human, {"person": human["id"], "organisation_id": company["id"]}


def send(user: User, draft: dict[str, Any]) -> Any:
    return user.post(f"/v1/contracts/{draft['id']}/send", headers={"if-match": f'"v{draft["version"]}"'})


def test_a_party_gets_a_certificate_only_when_it_is_proven(user: User, signing_suite: str) -> None:
    company, human, party = signatory(user)
    draft = user.draft([{**party, "suite": signing_suite}])
    (row,) = draft["parties"]
    assert (row["name"], row["organisation"], row["country"]) == ("沈𠮷明", "江海贸易有限公司", "CN")
    assert (row["email"], row["locale"], row["identifiers"]) == ("shen@example.com", "zh", USCC)
    before = issued_so_far(user, signing_suite)
    body = unproven(send(user, draft))
    assert "party 沈𠮷明" in body["detail"]
    assert f"POST /v1/people/{human['id']}/identity-proofs" in body["hint"]
    assert body["errors"][0]["pointer"] == "/parties/0"
    proofs = [prove(user, human)["id"]]
    assert f"/v1/organisations/{company['id']}/identity-proofs" in unproven(send(user, draft))["hint"]
    assert issued_so_far(user, signing_suite) == before
    assert user.contract(draft)["state"] == "draft"
    proofs.append(prove(user, company)["id"])
    sent = user.send(draft)
    certificate = load_certificates(sent["parties"][0]["certificate"]["pem"].encode())[0]
    assert (certificate.common_name, certificate.identifiers) == ("沈𠮷明", (Identifier(**USCC[0]),))
    event = user.get(f"/v1/contracts/{draft['id']}/events").json()["data"][1]["body"]
    assert event["data"]["parties"][0]["identity"] == {
        "person": human["id"],
        "organisation": company["id"],
        "proofs": proofs,
    }
    evidence = user.get(f"/v1/contracts/{draft['id']}/evidence").json()["identity_proofs"]
    assert [(proof["id"], proof["evidence"], proof["revoked_at"]) for proof in evidence] == [
        (name, PROOF["evidence"], None) for name in proofs
    ]


def test_a_party_may_bring_its_proof(user: User) -> None:
    draft = user.draft([held("ecdsa-p256", identity_proof=None)])
    body = unproven(send(user, draft))
    assert "party Erika Mustermann" in body["hint"]
    assert "identity_proof" in body["hint"]
    sent = user.sent(held("ecdsa-p256"))
    shown = sent["parties"][0]["identity_proof"]
    assert (shown["method"], shown["identification_kind"], shown["operator"]) == ("in-person", 0, "Otto Schalter")
    assert shown["subject"]["organisation"] == "Muster GmbH"
    event = user.get(f"/v1/contracts/{sent['id']}/events").json()["data"][1]["body"]
    assert event["data"]["parties"][0]["identity"]["stated"]["evidence"] == PROOF["evidence"]


def test_whoever_states_a_proof_answers_for_it(service: Service) -> None:
    user = service.user(scopes=tuple(scope for scope in SCOPES if scope != "identities:write"))
    body = {"title": "x", "documents": [user.upload()["id"]], "parties": [held("ecdsa-p256")]}
    assert problem(user.post("/v1/contracts", json=body), 403)["detail"].endswith("identities:write")
    refused = user.post("/v1/certificates", json=asked(keys_of("ecdsa-p256")[0]))
    assert problem(refused, 403)["detail"].endswith("identities:write")


@pytest.mark.parametrize("what", ["revoked", "expired", "outdated", "renamed since", "left", "deleted"])
def test_a_proof_that_counts_no_longer_is_none(user: User, what: str) -> None:
    company, human, party = signatory(user)
    prove(user, company)
    proof = prove(user, human) if what != "expired" else expired(user, human)
    draft = user.draft([{**party, "suite": "ecdsa-p256"}])
    if what == "revoked":
        path = f"/v1/people/{human['id']}/identity-proofs/{proof['id']}/revoke"
        assert user.post(path, json={"reason": "x"}).status_code == 200
    elif what == "outdated":
        change(user, human, country="RU")
    elif what == "renamed since":  # and proven again: but the draft has the old name
        change(user, human, name="Шэнь Цзимин")
        prove(user, human)
    elif what == "left":
        change(user, human, organisations=[])
        assert send(user, draft).status_code == 200  # a party keeps what it took
        return
    elif what == "deleted":
        assert remove(user, human).status_code == 204
    words = {
        "revoked": "was revoked",
        "expired": "expired",
        "outdated": "not on record any more",
        "renamed since": "another name",
        "deleted": "no such person",
    }
    assert words[what] in unproven(send(user, draft))["detail"]


def expired(user: User, human: dict[str, Any]) -> dict[str, Any]:
    """Put a proof on record as it is when its time is over."""
    with user.context.database.write() as session:
        row = session.get_one(Person, human["id"])
        at = user.context.now() - timedelta(days=2)
        proof = IdentityProof(
            id=new_id("idp"),
            tenant_id=user.tenant_id,
            person_id=human["id"],
            method="face",
            evidence=PROOF["evidence"],
            operator="x",
            at=at,
            valid_until=at + timedelta(days=1),
            subject=facts_of(row),
            recorded_by="x",
            created_at=at,
        )
        session.add(proof)
        session.flush()
    path = f"/v1/people/{human['id']}/identity-proofs/{proof.id}"
    assert user.get(path).json()["state"] == "expired"
    return {"id": proof.id}


def test_a_proof_that_came_with_a_party_expires_and_is_for_its_name(user: User) -> None:
    for field, value, words in (("valid_until", "2025-05-01T00:00:00Z", "expired"), ("subject", {}, "named otherwise")):
        draft = user.draft([held("ecdsa-p256")])
        with user.context.database.write() as session:
            counted.meddle(session)
            row = session.get_one(Party, draft["parties"][0]["id"])
            assert row.identity is not None
            row.identity = {"stated": row.identity["stated"] | {field: value}}
        assert words in unproven(send(user, draft))["detail"]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"name": "x", "person": "per_" + "0" * 32},
        {"name": "x", "organisation_id": "org_" + "0" * 32},
        {"person": "per_" + "0" * 32, "country": "CN"},
        {"person": "per_" + "0" * 32, "identity_proof": PROOF},
        {"person": "per_" + "0" * 32},
        {"person": "other organisation"},
    ],
)
def test_a_party_is_known_in_one_way(user: User, wrong: dict[str, Any]) -> None:
    if wrong.get("person") == "other organisation":
        wrong = {"person": person(user)["id"], "organisation_id": organisation(user)["id"]}
    body = {"title": "x", "documents": [user.upload()["id"]], "parties": [{**wrong, "suite": "ecdsa-p256"}]}
    assert problem(user.post("/v1/contracts", json=body))["errors"][0]["pointer"].startswith("/parties/0")


def test_a_key_of_ones_own_is_certified_for_a_person_or_an_organisation_on_record(
    user: User, signing_suite: str
) -> None:
    company, human, both = signatory(user, given_name="𠮷明", surname="沈")
    alone: dict[str, Any] = {"organisation_id": company["id"], "profile": "organisation"}
    request = armor("CERTIFICATE REQUEST", pkcs10(keys_of(signing_suite)[0]))
    before = issued_so_far(user, signing_suite)
    for named in (both, alone, {"person": human["id"]}, {"name": "x"}):
        unproven(user.post("/v1/certificates", json={"request": request, **named}))
    assert issued_so_far(user, signing_suite) == before
    proofs = {owner["id"]: prove(user, owner)["id"] for owner in (human, company)}
    for named in (both, alone):
        response = user.post("/v1/certificates", json={"request": request, **named})
        assert response.status_code == 201, response.text
        found = response.json()
        assert found["organisation"] == company["id"]
        assert found["identity_proofs"] == [proofs[name] for name in (named.get("person"), company["id"]) if name]
        certificate = load_certificates(found["chain"].encode())[0]
        assert certificate.common_name == ("沈𠮷明" if "person" in named else "江海贸易有限公司")
        assert certificate.identifiers == (Identifier(**USCC[0]),)
        assert certificate.spki == keys_of(signing_suite)[0].public_key.spki


def test_the_next_certificate_takes_a_proof_that_still_counts(user: User) -> None:
    human = person(user)
    proof = prove(user, human)
    request = armor("CERTIFICATE REQUEST", pkcs10(keys_of("ecdsa-p256")[0]))
    found = user.post("/v1/certificates", json={"request": request, "person": human["id"]}).json()
    path = f"/v1/certificates/{found['id']}/renew"
    assert user.post(path, json={"request": request}).json()["identity_proofs"] == [proof["id"]]
    revoke = f"/v1/people/{human['id']}/identity-proofs/{proof['id']}/revoke"
    assert user.post(revoke, json={"reason": "x"}).status_code == 200
    unproven(user.post(path, json={"request": request}))
    renewed = user.post(path, json={"request": request, "identity_proof": PROOF})
    assert renewed.status_code == 201, renewed.text
    again = prove(user, human)
    assert user.post(path, json={"request": request}).json()["identity_proofs"] == [again["id"]]
    assert problem(remove(user, human), 409)["detail"].endswith("a certificate")


def test_a_seal_is_made_for_an_owner_who_is_proven(service: Service) -> None:
    office = Office.of(service)
    company = organisation(office.ann)
    body = application("sm2", owner={"organisation_id": company["id"]})
    refused = application("sm2", owner={"organisation_id": company["id"], "country": "CN"})
    assert problem(office.ann.post("/v1/seals", json=refused))["errors"][0]["pointer"] == "/owner"
    seal = office.ann.post("/v1/seals", json=body).json()
    path = f"/v1/seals/{seal['id']}"
    assert office.bob.post(f"{path}/approve").status_code == 200
    before = issued_so_far(office.ann, "sm2")
    assert "owner of seal" in unproven(office.ann.post(f"{path}/make"))["detail"]
    assert issued_so_far(office.ann, "sm2") == before
    prove(office.ann, company)
    made = office.ann.post(f"{path}/make").json()
    assert made["state"] == "made"
    certificate = load_certificates(made["certificates"][0]["pem"].encode())[0]
    assert (certificate.identifiers, made["name"]) == ((Identifier(**USCC[0]),), body["name"])
    prepared = next(event for event in office.log(seal) if event["type"] == "seal.prepared")
    assert prepared["body"]["data"]["identity"]["organisation"] == company["id"]
    assert problem(remove(office.ann, company), 409)["detail"].endswith("a seal")


def test_a_key_for_decryption_takes_a_proof_too(user: User) -> None:
    company, human, party = signatory(user)
    prove(user, company)
    proof = prove(user, human)
    contract = user.sent({**party, "suite": "ecdsa-p256"})
    revoke = f"/v1/people/{human['id']}/identity-proofs/{proof['id']}/revoke"
    assert user.post(revoke, json={"reason": "x"}).status_code == 200
    response = user.post("/v1/envelopes", json=from_first_party(contract))
    assert "party 沈𠮷明" in unproven(response)["detail"]
    prove(user, human)
    envelope_asked(user, from_first_party(contract))


def test_moments_are_in_utc_and_records_name_who_made_them(user: User) -> None:
    company = organisation(user)
    proof = prove(user, company, at="2025-03-01T12:00:00+08:00")
    assert datetime.fromisoformat(proof["at"]) == datetime.fromisoformat("2025-03-01T04:00:00+00:00")
    assert proof["recorded_by"] == "key_" + user.token.split("_")[1]
    with user.context.database.read() as session:
        assert session.get_one(Organisation, company["id"]).log_sequence == 2
