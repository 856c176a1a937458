"""Any request gets an answer of the interface: never a 5xx, never anything but JSON, a problem or a file."""

from __future__ import annotations

import copy
import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.agreements.desk import asked, at, firm, offered, words
from tests.api.batches.desk import batch
from tests.api.conftest import User, at_home, circle_today, held
from tests.api.envelopes.post import anchors, between, elsewhere, from_first_party, sealed
from tests.api.handover.phone import hand_over
from tests.api.seals.office import Office, application, colleague, key_id
from tests.api.test_isolation import BODIES

QUIET = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["doc_" + "0" * 32, "2030-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "sm2", "\x00", "A" * 5000]
    )
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


KINDS = ["multipart/form-data; boundary=x", "multipart/form-data", "text/plain"]


def check(response: Any) -> None:
    assert response.status_code < 500, (
        response.request.method,
        response.request.url,
        response.request.content,
        response.text,
    )
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == response.status_code


@pytest.fixture
def contract_body(user: User) -> dict[str, Any]:
    area = {"page": 1, "box": [10, 10, 200, 100]}
    party = held("ecdsa-p256", signature_area=area, email="a@b.example", identifiers=[{"scheme": "LEI", "value": "x"}])
    return {"title": "t", "documents": [user.upload()["id"]], "parties": [party], "expires_at": "2090-01-01T00:00:00Z"}


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, child in children for place in places(child, (*path, key)))]


def replaced(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    body = copy.deepcopy(body)
    node = body
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return body


def test_any_contract_with_one_thing_wrong(user: User, contract_body: dict[str, Any]) -> None:
    where = places(contract_body)

    @QUIET
    @given(place=st.sampled_from(where), value=values)
    def run(place: tuple[Any, ...], value: Any) -> None:
        body = json.dumps(replaced(contract_body, place, value))
        check(user.post("/v1/contracts", content=body, headers={"content-type": "application/json"}))

    run()


def test_any_application_for_a_seal_and_any_grant_with_one_thing_wrong(user: User) -> None:
    office = Office(user, *(colleague(user) for _ in range(3)))
    path = f"/v1/seals/{office.applied('ecdsa-p256')['id']}/grants"
    moments = {"valid_from": "2027-01-01T00:00:00Z", "valid_to": "2027-06-01T00:00:00Z"}
    grant = {"grantee": key_id(office.dan), "count": 1, "kinds": ["document"], **moments}
    bodies = {
        "/v1/seals": application("ecdsa-p256", filing_number="1", **moments),
        path: grant | {"contracts": ["ctr_" + "0" * 32]},
    }
    where = [(address, place) for address, body in bodies.items() for place in places(body)]

    @QUIET
    @given(where=st.sampled_from(where), value=values)
    def run(where: tuple[str, tuple[Any, ...]], value: Any) -> None:
        body = json.dumps(replaced(bodies[where[0]], where[1], value))
        check(user.post(where[0], content=body, headers={"content-type": "application/json"}))

    run()


def test_any_envelope_and_any_opening_with_one_thing_wrong(user: User) -> None:
    contract = between(user, "ecdsa-p256")
    first = from_first_party(contract, revocation="if-present", trust=anchors("ecdsa-p256"))
    envelope = sealed(user, first)
    party = contract["parties"][0]["id"]
    bodies = {
        "/v1/envelopes": first | {"recipients": [{"party": party}, elsewhere("ecdsa-p256")]},
        f"/v1/envelopes/{envelope['id']}/open": {"recipient": envelope["recipients"][0]["id"]},
    }
    where = [(address, place) for address, body in bodies.items() for place in places(body)]

    @QUIET
    @given(where=st.sampled_from(where), value=values)
    def run(where: tuple[str, tuple[Any, ...]], value: Any) -> None:
        body = json.dumps(replaced(bodies[where[0]], where[1], value))
        check(user.post(where[0], content=body, headers={"content-type": "application/json"}))

    run()


def test_any_agreement_and_any_signature_with_one_thing_wrong(user: User) -> None:
    body = words(firm("ecdsa-p256").party(suites=["ecdsa-p256"], key_sizes={"rsa": 3072}, clauses={"suites": "3"}))
    body |= {"notices": [{"of": "revocation", "within_hours": 1}], "valid_to": "2090-01-01", "retention_years": 10}
    agreement = offered(user, body | {"number": "fuzz"})
    request = asked(user, agreement, firm("ecdsa-p256").pem)
    value = {"signature": "AAAA", "cms": None, "error": None}
    bodies: dict[str, dict[str, Any]] = {
        "/v1/agreements": {"agreement": body},
        at(agreement, "/signatures"): {"cms": "AAAA"},
        at(agreement, "/signature-requests"): {"certificate": firm("ecdsa-p256").pem},
        at(agreement, f"/signature-requests/{request['id']}"): value,
    }
    where = [(address, place) for address, wanted in bodies.items() for place in places(wanted)]

    @QUIET
    @given(where=st.sampled_from(where), value=values)
    def run(where: tuple[str, tuple[Any, ...]], value: Any) -> None:
        content = json.dumps(replaced(bodies[where[0]], where[1], value))
        verb = "PUT" if where[0].endswith(request["id"]) else "POST"
        answer = user.request(verb, where[0], content=content, headers={"content-type": "application/json"})
        check(answer)
        if answer.status_code == 201 and where[0] == "/v1/agreements":  # what can be drafted can be offered, or not
            check(user.post(f"{answer.headers['location']}/offer", headers={"if-match": '"v1"'}))

    run()


def test_any_consent_and_any_value(user: User) -> None:
    contract = user.sent(held("ecdsa-p256"))
    base = f"/v1/contracts/{contract['id']}/parties/{contract['parties'][0]['id']}"

    @QUIET
    @given(consent=values, extra=values)
    def run(consent: Any, extra: Any) -> None:
        headers = {"content-type": "application/json"}
        for body in (consent, {"consent": consent}, {"consent": consent, "document": extra}):
            for path in ("sign", "signature-requests", "decline?"):
                if path != "decline?" or body not in (None, {}):
                    content = json.dumps(body if path != "decline?" else {"reason": body})
                    check(user.post(f"{base}/{path}", content=content, headers=headers))
        content = json.dumps({"signature": consent, "cms": extra})
        check(user.put(f"{base}/signature-requests/sig_{'0' * 32}", content=content, headers=headers))

    run()


def test_any_identifier_in_any_path(user: User) -> None:
    paths = [
        (verb.upper(), path, operation)
        for path, verbs in user.get("/openapi.json").json()["paths"].items()
        for verb, operation in verbs.items()
        if "{" in path
    ]

    @QUIET
    @given(place=st.sampled_from(paths), text=st.text(min_size=1, max_size=40), query=st.text(max_size=20))
    def run(place: tuple[str, str, Any], text: str, query: str) -> None:
        verb, path, operation = place
        address = re.sub(r"\{\w+\}", quote(text.encode("utf-8", "replace"), safe=""), path)
        options = BODIES.get(operation["operationId"], {})
        headers = (
            {"if-match": '"v1"', "content-type": "application/timestamp-query"}
            if "/pki/" in path
            else {"if-match": '"v1"'}
        )
        check(user.request(verb, f"{address}?{quote(query.encode('utf-8', 'replace'))}", headers=headers, **options))

    run()


def test_any_bytes_as_a_multipart_body(user: User) -> None:
    @QUIET
    @given(
        body=st.binary(max_size=400),
        kind=st.sampled_from(KINDS),
    )
    def run(body: bytes, kind: str) -> None:
        for path in ("/v1/documents", "/v1/verifications", "/v1/powers-of-attorney"):
            check(user.post(path, content=body, headers={"content-type": kind, "idempotency-key": "k"}))
            framed = (
                b'--x\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n' + body + b"\r\n--x--\r\n"
            )
            check(user.post(path, content=framed, headers={"content-type": kind}))

    run()


def test_any_batch_policy_and_answer_of_a_phone_with_one_thing_wrong(user: User) -> None:
    contract = user.sent(at_home(circle_today("ecdsa-p256")))
    handover = hand_over(user, user.ask(contract, contract["parties"][0]))
    limits = {
        "max_documents": 1,
        "max_per_day": 1,
        "valid_from": "2027-01-01T00:00:00Z",
        "valid_to": "2090-01-01T00:00:00Z",
    }
    policy = {"name": "x", "grantee": "key_" + "0" * 32, "person": "per_" + "0" * 32, "roles": ["signer"], **limits}
    phone = f"/h/{handover['address'].rsplit('/', 1)[1]}"
    answer = {"signature": "AAAA", "cms": None, "error": {"code": "x", "message": "y"}}
    bodies: dict[str, dict[str, Any]] = {
        "/v1/batches": batch(contract) | {"policy": "spl_" + "0" * 32},
        "/v1/signing-policies": policy,
        phone: answer,
    }
    where = [(address, place) for address, wanted in bodies.items() for place in places(wanted)]

    @QUIET
    @given(where=st.sampled_from(where), value=values)
    def run(where: tuple[str, tuple[Any, ...]], value: Any) -> None:
        content = json.dumps(replaced(bodies[where[0]], where[1], value))
        verb = "PUT" if where[0] == phone else "POST"
        check(user.request(verb, where[0], content=content, headers={"content-type": "application/json"}))

    run()
