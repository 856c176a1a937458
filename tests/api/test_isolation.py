"""One tenant never learns that another's object exists: every operation of the OpenAPI, walked automatically."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api import app
from api.auth.service import SCOPES
from api.config import Settings
from certs.clock import SystemClock
from certs.pem import armor
from tests.api import leaks
from tests.api.agreements.desk import asked, firm, offered, words
from tests.api.batches.desk import batch
from tests.api.conftest import Service, User, at_home, circle_today, held, make_pdf, serving
from tests.api.envelopes.post import between, elsewhere, from_first_party, sealed
from tests.api.factors.desk import offered as offered_to
from tests.api.foreign import Objects, Schema, address_of, findings, options_of
from tests.api.handover.phone import hand_over
from tests.api.registry import made, organisation, person, prove
from tests.api.seals.office import Office, application, colleague, good
from tests.api.templates.post import bulk, ended, slot, table, taken, template
from tests.api.test_certificates import issued, pkcs10
from tests.conftest import keys_of
from tests.mandates import firm as firm_with_power
from tests.mandates import paper

PREFIXES = {
    "envelope_id": "env", "recipient_id": "rcp", "seal_id": "seal", "grant_id": "grt", "certificate_id": "crt",
    "contract_id": "ctr", "document_id": "doc", "party_id": "pty", "signature_id": "sig", "job_id": "job",
    "organisation_id": "org", "person_id": "per", "proof_id": "idp", "user_id": "usr", "key_id": "key",
    "agreement_id": "agr", "request_id": "ags", "power_of_attorney_id": "poa", "factor_id": "fct",
    "template_id": "tpl", "bulk_id": "blk", "policy_id": "spl", "batch_id": "bat",
}  # fmt: skip
HASH = "0" * 64
FOREVER = {"if-match": '"v1"'}

BODIES: dict[str, dict[str, Any]] = {
    "upload_document": {"files": {"file": ("x.pdf", b"%PDF-", "application/pdf")}},
    "create_contract": {"json": {"title": "x", "documents": ["doc_" + "0" * 32]}},
    "update_contract": {"json": {"title": "x"}},
    "create_template": {"json": {"title": "x", "documents": ["doc_" + "0" * 32], "parties": [{"slot": "x"}]}},
    "update_template": {"json": {"title": "x"}},
    "create_contract_from_template": {"json": {"title": "x"}},
    "create_bulk_send": {"files": {"file": ("x.csv", b"x.name\nx\n", "text/csv")}, "data": {"template": "x"}},
    "sign": {"json": {"consent": {"text": "x", "locale": "en", "accepted": True, "document_sha256": HASH}}},
    "create_signature_request": {
        "json": {"consent": {"text": "x", "locale": "en", "accepted": True, "document_sha256": HASH}}
    },
    "hand_in_signature": {"json": {"error": "x"}},
    "approve_contract": {"json": {"consent": {"text": "x", "locale": "en", "accepted": True, "document_sha256": HASH}}},
    "acknowledge_contract": {
        "json": {"consent": {"text": "x", "locale": "en", "accepted": True, "document_sha256": HASH}}
    },
    "delegate_part": {"json": {"name": "x", "suite": "sm2", "mandate": {"type": "other", "document": "1"}}},
    "extend_contract": {"json": {"expires_at": "2031-01-01T00:00:00Z"}},
    "issue_certificate": {"json": {"request": "x", "name": "x"}},
    "renew_certificate": {"json": {"request": "x"}},
    "apply_for_seal": {"json": application("ecdsa-p256", owner={"organisation": "x"})},
    "file_seal": {"json": {"filing_number": "1"}},
    "apply_seal": {"json": {"document": "doc_" + "0" * 32}},
    "grant_seal": {"json": {"grantee": "key_" + "0" * 32}},
    "create_envelope": {"json": {"document": "doc_" + "0" * 32, "senders": [{"seal": "seal_" + "0" * 32}]}},
    "open_envelope": {"json": {"recipient": "rcp_" + "0" * 32}},
    "create_agreement": {"json": {"agreement": {}}},
    "update_agreement": {"json": {"agreement": words({"name": "x"})}},
    "add_agreement_signature": {"json": {"cms": "AAAA"}},
    "sign_agreement": {"json": {"seal": "seal_" + "0" * 32}},
    "create_agreement_signature_request": {"json": {"certificate": "x"}},
    "hand_in_agreement_signature": {"json": {"error": "x"}},
    "register_power_of_attorney": {"files": {"xml": ("x.xml", b"<x/>"), "sig": ("x.sig", b"x")}},
    "offer_enrolment": {"json": {"person": "per_" + "0" * 32, "kind": "totp"}},
    "enrol_factor": {"json": {"enrolment": "x"}},
    "confirm_factor": {"json": {"code": "000000"}},
    "change_factor": {"json": {"current": "000000"}},
    "reset_factor": {"json": {"reason": "x"}},
    "put_factor_policy": {"json": {"held_keys": []}},
    "create_signing_policy": {
        "json": {
            "name": "x",
            "grantee": "key_" + "0" * 32,
            "person": "per_" + "0" * 32,
            "max_documents": 1,
            "max_per_day": 1,
            "valid_to": "2090-01-01T00:00:00Z",
        }
    },
    "create_batch": {
        "json": {
            "items": [
                {"contract": "ctr_" + "0" * 32, "party": "pty_" + "0" * 32, "documents": {"doc_" + "0" * 32: HASH}}
            ],
            "consent": {"text": "x", "locale": "en", "accepted": True},
        }
    },
    "hand_in_batch": {"json": {"values": [{"request": "sig_" + "0" * 32, "error": "x"}]}},
    "verify_document": {"files": {"file": ("x.pdf", b"%PDF-", "application/pdf")}},
}
"""Where the smallest body that the OpenAPI allows is not one that an operation looks at."""


def variants(own: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    """Return bodies with ids in them, all of one's own, that are good."""
    document = {"title": "x", "documents": [own["document_id"]]}
    acting = {"name": "x", "role": "approver", "power_of_attorney": own["power_of_attorney_id"]}
    sealing = {"name": "x", "seal": own["seal_id"]}
    known = {"person": own["person_id"], "organisation_id": own["organisation_id"], "suite": "ed25519"}
    policy = {"name": "x", "max_documents": 1, "max_per_day": 1, "valid_to": "2090-01-01T00:00:00Z"}
    item = {"contract": own["contract_id"], "party": own["party_id"], "documents": {own["document_id"]: HASH}}
    consent = {"text": "x", "locale": "en", "accepted": True}
    request = armor("CERTIFICATE REQUEST", pkcs10(keys_of("ed25519")[0]))
    return {
        "sign_agreement": [{"seal": own["seal_id"]}],
        "create_contract": [{**document, "parties": [each]} for each in (sealing, known, acting)],
        "update_contract": [{**document, "parties": [each]} for each in (sealing, known, acting)],
        "create_template": [{**document, "parties": [{"slot": "x", **each}]} for each in (sealing, known, acting)],
        "update_template": [{**document, "parties": [{"slot": "x", **each}]} for each in (sealing, known, acting)],
        "create_contract_from_template": [
            {"parties": [{"slot": "x", **each}]}
            for each in (
                sealing,
                known,
                {"name": "x", "suite": "ed25519", "power_of_attorney": acting["power_of_attorney"]},
            )
        ],
        "issue_certificate": [
            {"request": request, "person": own["person_id"]},
            {"request": request, "organisation_id": own["organisation_id"]},
        ],
        "apply_for_seal": [
            application("ecdsa-p256", owner={"person": own["person_id"]}),
            application("ecdsa-p256", owner={"organisation_id": own["organisation_id"]}),
        ],
        "apply_seal": [{"document": own["document_id"]}],
        "grant_seal": [
            {"grantee": own["key_id"], "contracts": [own["contract_id"]]},
            {"grantee": own["user_id"], "contracts": [own["contract_id"]]},
        ],
        "create_envelope": [
            {
                "document": own["document_id"],
                "senders": [{"seal": own["seal_id"]}],
                "recipients": [elsewhere("ecdsa-p256")],
            },
            {
                "contract": own["contract_id"],
                "senders": [{"seal": own["seal_id"]}],
                "recipients": [{"party": own["held_id"]}],
            },
        ],
        "open_envelope": [{"recipient": own["recipient_id"]}],
        "create_person": [{"name": "x", "organisations": [{"organisation": own["organisation_id"]}]}],
        "update_person": [{"name": "x", "organisations": [{"organisation": own["organisation_id"]}]}],
        "offer_enrolment": [
            {"person": own["person_id"], "kind": "passphrase"},
            {"party": own["held_id"], "kind": "passphrase"},
        ],
        "create_signing_policy": [
            {**policy, "person": own["person_id"], "grantee": own["user_id"]},
            {**policy, "organisation": own["organisation_id"], "grantee": own["user_id"]},
            {**policy, "seal": own["seal_id"], "agreement": own["agreement_id"], "grantee": own["user_id"]},
        ],
        "create_batch": [
            {"items": [item], "consent": consent},
            {"items": [item | {"party": own["held_id"]}], "consent": consent, "policy": own["policy_id"]},
        ],
        "hand_in_batch": [{"values": [{"request": own["signature_id"], "error": "x"}]}],
        "create_api_key": [{"name": "x", "scopes": ["contracts:read"], "user": own["user_id"]}],
    }


SCHEMAS: dict[str, Schema] = {}


def operations(user: User) -> list[tuple[str, str, dict[str, Any]]]:
    return schema_of(user).operations


def schema_of(user: User) -> Schema:
    address = str(user.http.base_url)
    if address not in SCHEMAS:
        SCHEMAS[address] = Schema(user.http.get("/openapi.json").json())
    return SCHEMAS[address]


def call(user: User, verb: str, path: str, operation: dict[str, Any], ids: dict[str, str]) -> Any:
    options = options_of(schema_of(user), operation, BODIES, Objects(ids).by_prefix)
    return user.request(verb, address_of(path, ids), headers=FOREVER, **options)


def belongings(user: User) -> dict[str, str]:
    """Return objects of every kind that belong to `user`."""
    office = Office(user, *(colleague(user) for _ in range(3)))
    seal = office.filed("ecdsa-p256")
    contract = user.sent(held("ecdsa-p256"), at_home(circle_today("ecdsa-p256")))
    service, party = contract["parties"]
    named = {"party": service["id"]}
    office.grant(seal, user)
    response = user.post(
        f"/v1/contracts/{contract['id']}/parties/{service['id']}/sign", json={"consent": user.consent(contract)}
    )
    user.wait_for_job(response.headers["location"])
    many = good(user.post("/v1/batches", json=batch(contract, index=1)), 202)
    user.wait_for_job(f"/v1/jobs/{many['job']}")
    (request,) = good(user.get(f"/v1/batches/{many['id']}"))["items"][0]["requests"]
    hand_over(user, request)
    envelope = sealed(user, {"contract": contract["id"], "senders": [{"seal": seal["id"]}], "recipients": [named]})
    agreement = offered(user, words(firm("ecdsa-p256").party()))
    copies = template(user, slot("x"), slot("self", name="Anna", certificate=circle_today("ecdsa-p256").bundle))
    copied = taken(bulk(user, copies, table({"x.name": "x", "x.certificate": circle_today("ecdsa-p256").bundle})))
    company = organisation(user)
    human = person(user, identifiers=[], organisations=[{"organisation": company["id"]}])
    prove(user, human)
    reader = made(user, "/v1/users", {"name": "x", "roles": ["auditor"]})["id"]
    limits = {"name": "x", "max_documents": 1, "max_per_day": 1, "valid_to": "2090-01-01T00:00:00Z"}
    return {
        "policy_id": made(user, "/v1/signing-policies", {**limits, "grantee": reader, "person": human["id"]})["id"],
        "batch_id": many["id"],
        "agreement_id": agreement["id"],
        "request_id": asked(user, agreement, firm("ecdsa-p256").pem)["id"],
        "envelope_id": envelope["id"],
        "recipient_id": envelope["recipients"][0]["id"],
        "seal_id": seal["id"],
        "grant_id": office.grant(seal)["id"],
        "certificate_id": issued(user, "ecdsa-p256")["id"],
        "contract_id": contract["id"],
        "document_id": contract["documents"][0]["id"],
        "party_id": party["id"],
        "held_id": service["id"],
        "signature_id": request["id"],
        "job_id": response.json()["id"],
        "template_id": copies["id"],
        "bulk_id": ended(user, copied)["id"],
        "organisation_id": company["id"],
        "person_id": human["id"],
        "proof_id": prove(user, company)["id"],
        "factor_id": made(user, "/v1/factors", {"enrolment": offered_to(user, "totp", person=human["id"])})["id"],
        "user_id": reader,
        "key_id": made(user, "/v1/api-keys", {"name": "x", "scopes": ["contracts:read"]})["id"],
        "power_of_attorney_id": handed_in(user)["id"],
    }


def handed_in(user: User) -> dict[str, Any]:
    """Return a power of attorney of the user's."""
    xml, by = paper(), firm_with_power("ecdsa-p256", SystemClock())
    files = {"xml": ("m.xml", xml), "sig": ("m.sig", by.sign(xml))}
    response = user.post("/v1/powers-of-attorney", files=files)
    assert response.status_code == 201, response.text
    return dict(response.json())


@pytest.fixture
def owned(user: User) -> dict[str, str]:
    """Objects of every kind that belong to `user`."""
    return belongings(user)


def walk(stranger: User, theirs: dict[str, str], own: dict[str, str]) -> list[str]:
    """Return what tells a stranger that an object exists."""
    draft = stranger.draft([held("ed25519")])
    return findings(
        stranger,
        schema_of(stranger),
        Objects(theirs),
        Objects(own),
        BODIES,
        variants(own),
        {"contract_id": draft["id"], "template_id": template(stranger, slot("x"))["id"]},
    )


def test_no_operation_tells_a_stranger_that_an_object_exists(user: User, stranger: User, owned: dict[str, str]) -> None:
    assert walk(stranger, owned, belongings(stranger)) == []
    contract = user.get(f"/v1/contracts/{owned['contract_id']}").json()
    assert contract["state"] == "in_progress"  # nothing a stranger did had an effect
    assert user.get(f"/v1/seals/{owned['seal_id']}").json()["state"] == "active"
    assert user.get(f"/v1/users/{owned['user_id']}").json()["version"] == 1
    assert user.get(f"/v1/api-keys/{owned['key_id']}").json()["version"] == 1


def test_a_route_that_forgets_whose_an_object_is_is_found(
    user: User, stranger: User, owned: dict[str, str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three routes as somebody might add them: one reads, one lists, one looks at an id in the body."""
    monkeypatch.setattr(app, "ROUTERS", (leaks,))
    with serving(replace(settings, worker=False)) as leaky:  # one engine in a process
        there = User(leaky.http, stranger.token, stranger.context, stranger.tenant_id)
        own = {"document_id": stranger.upload()["id"]}
        found = findings(
            there, schema_of(there), Objects({"document_id": owned["document_id"]}), Objects(own), {}, {}, {}
        )
    assert {line.partition(":")[0] for line in found} == {
        "GET /v1/leaks/{document_id} ['document_id']",
        "GET /v1/leaks",
        "POST /v1/leaks /document doc",
    }


def test_lists_show_only_ones_own(user: User, stranger: User, owned: dict[str, str]) -> None:
    lists = (
        "documents",
        "contracts",
        "seals",
        "envelopes",
        "certificates",
        "agreements",
        "powers-of-attorney",
        "signing-policies",
        "batches",
        "organisations",
        "people",
        "factors",
        "users",
        "templates",
        "bulk-sends",
    )
    for path in (f"/v1/{name}" for name in lists):
        assert user.get(path).json()["data"]
        assert stranger.get(path).json()["data"] == []


def test_a_strangers_document_cannot_be_put_into_a_contract(user: User, stranger: User) -> None:
    document = user.upload()["id"]
    for name in (document, "doc_" + "0" * 32):
        response = stranger.post("/v1/contracts", json={"title": "x", "documents": [name]})
        assert response.status_code == 422
        assert response.json()["errors"] == [
            {"pointer": "/documents/0", "code": "not-found", "detail": "there is no such document"}
        ]


def test_a_strangers_document_contract_or_seal_makes_no_envelope(
    user: User, stranger: User, owned: dict[str, str]
) -> None:
    before = user.get(f"/v1/envelopes/{owned['envelope_id']}").json()
    recipients = [elsewhere("ecdsa-p256")]
    theirs = stranger.upload()["id"]
    for body in (
        {"document": owned["document_id"], "recipients": recipients, "senders": [{"seal": owned["seal_id"]}]},
        {"contract": owned["contract_id"], "senders": [{"party": owned["party_id"]}]},
        {"document": theirs, "recipients": recipients, "senders": [{"seal": owned["seal_id"]}]},
    ):
        assert stranger.post("/v1/envelopes", json=body).status_code == 404
    assert user.get(f"/v1/envelopes/{owned['envelope_id']}").json() == before


def test_one_envelopes_recipient_is_not_found_under_another_envelope(user: User, owned: dict[str, str]) -> None:
    other = sealed(user, from_first_party(between(user, "ecdsa-p256")))
    path = f"/v1/envelopes/{other['id']}"
    assert user.get(f"{path}/parts/{owned['recipient_id']}").status_code == 404
    assert user.post(f"{path}/open", json={"recipient": owned["recipient_id"]}).status_code == 404


def test_one_contracts_party_is_not_found_under_another_contract(user: User) -> None:
    first, second = (user.sent(held("ecdsa-p256")) for _ in range(2))
    party = second["parties"][0]["id"]
    assert user.post(f"/v1/contracts/{first['id']}/parties/{party}/decline").status_code == 404
    document = second["documents"][0]["id"]
    assert user.get(f"/v1/contracts/{first['id']}/documents/{document}/content").status_code == 404


def test_the_same_file_of_two_tenants_is_two_documents(user: User, stranger: User) -> None:
    pdf = make_pdf()
    mine, theirs = user.upload(pdf), stranger.upload(pdf)
    assert mine["id"] != theirs["id"]
    assert user.request("DELETE", f"/v1/documents/{mine['id']}").status_code == 204
    assert stranger.get(f"/v1/documents/{theirs['id']}/content").content == pdf


# credentials ---------------------------------------------------------------------------------------------------


def test_every_operation_needs_a_credential(user: User, owned: dict[str, str]) -> None:
    schema = schema_of(user)
    for verb, path, operation in schema.operations:
        options = options_of(schema, operation, BODIES, Objects(owned).by_prefix)
        response = user.http.request(verb, address_of(path, owned), headers=FOREVER, **options)
        assert (response.status_code, response.json()["code"]) == (401, "unauthenticated"), (verb, path)
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert operation["security"], (verb, path)


def needed(
    user: User, verb: str, path: str, operation: dict[str, Any], ids: dict[str, str], keys: dict[frozenset[str], User]
) -> set[str]:
    """Return the scopes an operation asks for: one after the other, until it has enough."""
    scopes: set[str] = set()
    while True:
        if frozenset(scopes) not in keys:
            keys[frozenset(scopes)] = colleague(user, tuple(scopes) or ("metrics:read",))
        limited = keys[frozenset(scopes)]
        response = call(limited, verb, path, operation, ids)
        lacks = re.fullmatch(r"the credential lacks the scope (\S+)", str(response.json().get("detail")))
        if response.status_code != 403 or lacks is None:
            return scopes
        assert lacks[1] not in scopes, (verb, path)
        scopes.add(lacks[1])


def test_every_operation_needs_exactly_one_scope(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key with no scope gets one after the other, until an operation is content; the objects are made up."""
    nothing = {name: f"{prefix}_{'0' * 32}" for name, prefix in PREFIXES.items()}
    monkeypatch.setattr("api.auth.service.SCOPES", (*SCOPES, "metrics:read"))  # one that opens nothing
    keys: dict[frozenset[str], User] = {}
    found = {
        operation["operationId"]: needed(user, verb, path, operation, nothing, keys)
        for verb, path, operation in operations(user)
    }
    # what goes into an envelope leaves the service: who asks for one must also be allowed to read it
    assert found.pop("create_envelope") == {"envelopes:write", "documents:read"}
    assert found.pop("deliver_contract") == {"envelopes:write", "contracts:read"}
    assert found.pop("sign_agreement") == {"agreements:sign", "seals:use"}
    assert {name: len(scopes) for name, scopes in found.items()} == dict.fromkeys(found, 1)
    assert found["sign"] == found["hand_in_signature"] == {"contracts:sign"}
    assert found["approve_seal"] == found["approve_seal_grant"] == {"seals:approve"}
    assert found["apply_seal"] == {"seals:use"}
    assert found["open_envelope"] == {"envelopes:open"}
    assert found["create_batch"] == found["hand_in_batch"] == {"contracts:sign"}
    assert found["create_signing_policy"] == found["revoke_signing_policy"] == {"signing-policies:write"}
    assert found["prove_person"] == found["revoke_organisation_proof"] == {"identities:write"}
    assert found["offer_enrolment"] == found["reset_factor"] == found["put_factor_policy"] == {"factors:write"}
    assert found["create_user"] == found["deactivate_user"] == {"users:write"}
    assert found["create_api_key"] == found["rotate_api_key"] == {"api-keys:write"}
    assert set().union({"envelopes:write", "contracts:read", "agreements:sign"}, *found.values()) == set(SCOPES)


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "srk_",
        "srk__",
        "srk_1_2",
        "srk_" + "0" * 32 + "_x",
        "Basic abc",
        "srk_" + "0" * 12 + "7" + "0" * 3 + "8" + "0" * 15 + "_x",
    ],
)
def test_a_made_up_key_is_refused(user: User, token: str) -> None:
    stranger = User(user.http, token, user.context, "")
    assert stranger.get("/v1/documents").status_code == 401


def test_a_changed_expired_or_revoked_key_is_refused(user: User) -> None:
    from api.auth.models import APIKey

    changed = user.token[:-1] + ("A" if user.token[-1] != "A" else "B")
    assert User(user.http, changed, user.context, "").get("/v1/documents").status_code == 401
    key_id = "key_" + user.token.split("_")[1]
    assert user.get("/v1/documents").status_code == 200
    for field in ("expires_at", "revoked_at"):
        with user.context.database.write() as session:
            setattr(session.get_one(APIKey, key_id), field, user.context.now() - timedelta(seconds=1))
        assert user.get("/v1/documents").status_code == 401
        with user.context.database.write() as session:
            setattr(session.get_one(APIKey, key_id), field, None)
    assert user.get("/v1/documents").status_code == 200


def test_the_right_secret_of_another_key_is_refused(user: User, stranger: User) -> None:
    mixed = "_".join([*user.token.split("_")[:2], stranger.token.split("_", 2)[2]])
    assert User(user.http, mixed, user.context, "").get("/v1/documents").status_code == 401


def test_a_new_tenant_starts_empty(service: Service) -> None:
    assert service.user().get("/v1/contracts").json() == {"data": [], "next_cursor": None}
