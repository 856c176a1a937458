"""One tenant never learns that another's object exists: every operation of the OpenAPI, walked automatically."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from api.auth.models import Tenant
from api.auth.service import SCOPES, create_key
from tests.api.agreements.desk import asked, firm, offered, words
from tests.api.conftest import Service, User, at_home, circle_today, held, make_pdf
from tests.api.envelopes.post import between, elsewhere, from_first_party, sealed
from tests.api.seals.office import Office, application, colleague
from tests.api.test_certificates import issued

PUBLIC = ("/pki/", "/.well-known/est/", "/healthz", "/readyz", "/metrics")
HASH = "0" * 64
FOREVER = {"if-match": '"v1"'}

BODIES: dict[str, dict[str, Any]] = {
    "upload_document": {"files": {"file": ("x.pdf", b"%PDF-", "application/pdf")}},
    "create_contract": {"json": {"title": "x", "documents": ["doc_" + "0" * 32]}},
    "update_contract": {"json": {"title": "x"}},
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
    "apply_for_seal": {"json": application("ecdsa-p256")},
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
    "verify_document": {"files": {"file": ("x.pdf", b"%PDF-", "application/pdf")}},
}


def operations(user: User) -> list[tuple[str, str, dict[str, Any]]]:
    paths = user.http.get("/openapi.json").json()["paths"]
    return [
        (verb.upper(), path, operation)
        for path, verbs in paths.items()
        for verb, operation in verbs.items()
        if not path.startswith(PUBLIC)
    ]


def call(user: User, verb: str, path: str, operation: dict[str, Any], ids: dict[str, str]) -> Any:
    address = re.sub(r"\{(\w+)\}", lambda match: ids[match[1]], path)
    return user.request(verb, address, headers=FOREVER, **BODIES.get(operation["operationId"], {}))


@pytest.fixture
def owned(user: User) -> dict[str, str]:
    """Objects of every kind that belong to `user`."""
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
    request = user.ask(contract, party)
    envelope = sealed(user, {"contract": contract["id"], "senders": [{"seal": seal["id"]}], "recipients": [named]})
    agreement = offered(user, words(firm("ecdsa-p256").party()))
    return {
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
        "signature_id": request["id"],
        "job_id": response.json()["id"],
    }


def test_no_operation_tells_a_stranger_that_an_object_exists(user: User, stranger: User, owned: dict[str, str]) -> None:
    absent = {name: f"{value.partition('_')[0]}_{'0' * 31}1" for name, value in owned.items()}
    walked = 0
    for verb, path, operation in operations(user):
        if "{" not in path:
            continue
        walked += 1
        theirs = call(stranger, verb, path, operation, owned)
        nobodys = call(stranger, verb, path, operation, absent)
        assert theirs.status_code == nobodys.status_code == 404, (verb, path, theirs.text)
        first, second = (
            {k: v for k, v in r.json().items() if k not in {"instance", "request_id"}} for r in (theirs, nobodys)
        )
        assert first == second, (verb, path)
    assert walked >= 15
    contract = user.get(f"/v1/contracts/{owned['contract_id']}").json()
    assert contract["state"] == "in_progress"  # nothing a stranger did had an effect
    assert user.get(f"/v1/seals/{owned['seal_id']}").json()["state"] == "active"


def test_lists_show_only_ones_own(user: User, stranger: User, owned: dict[str, str]) -> None:
    for path in ("/v1/documents", "/v1/contracts", "/v1/seals", "/v1/envelopes", "/v1/agreements"):
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
    for verb, path, operation in operations(user):
        address = re.sub(r"\{(\w+)\}", lambda match: owned[match[1]], path)
        response = user.http.request(verb, address, headers=FOREVER, **BODIES.get(operation["operationId"], {}))
        assert (response.status_code, response.json()["code"]) == (401, "unauthenticated"), (verb, path)
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert operation["security"], (verb, path)


def test_every_operation_needs_exactly_one_scope(user: User, owned: dict[str, str]) -> None:
    """With every scope but one, an operation answers 403 for one scope only; the objects are made up."""
    nothing = {name: f"{value.partition('_')[0]}_{'0' * 32}" for name, value in owned.items()}
    needed: dict[str, set[str]] = {operation["operationId"]: set() for _, _, operation in operations(user)}
    for missing in SCOPES:
        with user.context.database.write() as session:
            tenant = session.get_one(Tenant, user.tenant_id)
            scopes = tuple(scope for scope in SCOPES if scope != missing)
            token = create_key(session, tenant, name="x", now=user.context.now(), scopes=scopes)
        limited = User(user.http, token, user.context, user.tenant_id)
        for verb, path, operation in operations(user):
            if call(limited, verb, path, operation, nothing).status_code == 403:
                needed[operation["operationId"]].add(missing)
    # what goes into an envelope leaves the service: who asks for one must also be allowed to read it
    assert needed.pop("create_envelope") == {"envelopes:write", "documents:read"}
    assert needed.pop("deliver_contract") == {"envelopes:write", "contracts:read"}
    assert {name: len(scopes) for name, scopes in needed.items()} == dict.fromkeys(needed, 1)
    assert needed["sign"] == needed["hand_in_signature"] == {"contracts:sign"}
    assert needed["approve_seal"] == needed["approve_seal_grant"] == {"seals:approve"}
    assert needed["apply_seal"] == {"seals:use"}
    assert needed["open_envelope"] == {"envelopes:open"}


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
