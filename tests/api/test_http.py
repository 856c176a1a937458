"""What holds for every answer: problems, headers, idempotency, health, documentation."""

from __future__ import annotations

import json
import re
import socket
import threading
import unicodedata
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api.config import Settings
from api.errors import CODES
from api.kit import idempotency
from api.server import _listen
from api.signing import tasks
from tests.api.conftest import User, at_home, circle_today, held, make_pdf

ROOT = Path(__file__).parents[2]


# problems ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("GET", "/v1/contracts/%00", 404, "not-found"),
        ("GET", "/v1/contracts/ctr_" + "x" * 5000, 404, "not-found"),
        ("PUT", "/v1/documents", 405, "method-not-allowed"),
        ("TRACE", "/v1/documents", 405, "method-not-allowed"),
    ],
)
def test_every_refusal_is_a_problem_document(user: User, method: str, path: str, status: int, code: str) -> None:
    response = user.request(method, path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["code"] == code
    assert body["type"] == f"/docs/errors#{code}"
    assert body["status"] == status
    assert {"title", "detail", "instance", "request_id"} <= set(body)


def test_a_validation_problem_does_not_repeat_what_was_sent(user: User) -> None:
    response = user.post("/v1/contracts", json={"title": ["hunter2"], "documents": "hunter2", "hunter": 1})
    assert response.status_code == 422
    assert "hunter2" not in response.text


@pytest.mark.parametrize(
    ("title", "status"),
    [("\u0958" * 300, 422), ("\u0958" * 150, 201), ("e\u0301" * 300, 201), ("é" * 300, 201), ("é" * 301, 422)],
)
def test_a_length_is_that_of_the_text_as_it_is_kept(user: User, title: str, status: int) -> None:
    # U+0958 becomes two characters in NFC, and a column of 300 holds 300
    body = {"title": title, "documents": [user.upload()["id"]], "parties": [at_home(circle_today("sm2"))]}
    answer = user.post("/v1/contracts", json=body)
    assert answer.status_code == status, answer.text
    if status == 201:
        assert answer.json()["title"] == unicodedata.normalize("NFC", title)


def test_a_defect_tells_nothing_but_its_number(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("/srv/secret/path")

    monkeypatch.setattr("api.contracts.repository.get", fail)
    response = user.get("/v1/contracts/ctr_1", headers={"x-request-id": "abc-1"})
    assert (response.status_code, response.json()["code"]) == (500, "internal-error")
    assert "secret" not in response.text
    assert response.json()["request_id"] == response.headers["x-request-id"] == "abc-1"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "é".encode(), "<script>"])
def test_a_strange_request_id_is_replaced(user: User, given: Any) -> None:
    found = user.get("/healthz", headers={"x-request-id": given}).headers["x-request-id"]
    assert re.fullmatch(r"req_[0-9a-f]{32}", found)


def test_every_get_has_its_head(user: User) -> None:
    document = user.upload(make_pdf())
    for path in ("/v1/documents", f"/v1/documents/{document['id']}", f"/v1/documents/{document['id']}/content"):
        full, head = user.get(path), user.request("HEAD", path)
        assert (head.status_code, head.content) == (200, b"")
        changing = {"date", "x-request-id"} | {name for name in full.headers if "ratelimit" in name}
        assert {n: v for n, v in head.headers.items() if n not in changing} == {
            n: v for n, v in full.headers.items() if n not in changing
        }
    assert user.request("HEAD", "/v1/documents/doc_" + "0" * 32).status_code == 404
    assert user.request("HEAD", f"/v1/documents/{document['id']}", headers={"authorization": ""}).status_code == 401


def test_the_head_of_a_stream_does_not_wait_for_its_end(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on, certify = threading.Event(), tasks.certified_now

    def held_up(*args: Any) -> Any:
        goes_on.wait(30)
        return certify(*args)

    monkeypatch.setattr(tasks, "certified_now", held_up)
    contract = user.sent(held("ecdsa-p256"))
    path = f"/v1/contracts/{contract['id']}/parties/{contract['parties'][0]['id']}/sign"
    job = user.post(path, json={"consent": user.consent(contract)}).headers["location"]
    found = user.request("HEAD", f"{job}/events", timeout=5)
    assert (found.status_code, found.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
    assert found.content == b""
    assert user.get(job).json()["state"] in {"queued", "running"}
    goes_on.set()
    assert user.wait_for_job(job)["state"] == "succeeded"


def test_every_answer_carries_the_security_headers(user: User) -> None:
    for path in ("/healthz", "/nowhere", "/v1/documents", "/docs", "/openapi.json", "/metrics"):
        headers = user.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "server" not in headers


# idempotency ---------------------------------------------------------------------------------------------------


def test_a_repeated_post_has_one_effect_and_one_answer(user: User) -> None:
    body = {"title": "once", "documents": [user.upload()["id"]]}
    headers = {"idempotency-key": "k1"}
    first, second = (user.post("/v1/contracts", json=body, headers=headers) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert second.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    for name in ("etag", "location", "content-type"):
        assert first.headers[name] == second.headers[name]
    assert len(user.get("/v1/contracts").json()["data"]) == 1


def test_a_repeated_upload_has_one_effect_although_its_boundary_differs(user: User) -> None:
    pdf = make_pdf()
    sent = [
        user.post("/v1/documents", files={"file": ("a.pdf", pdf)}, headers={"idempotency-key": "u"}) for _ in range(2)
    ]
    assert sent[0].json() == sent[1].json()
    other = user.post("/v1/documents", files={"file": ("a.pdf", make_pdf())}, headers={"idempotency-key": "u"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-mismatch")
    assert len(user.get("/v1/documents").json()["data"]) == 1


def test_the_same_key_for_another_request_is_refused(user: User) -> None:
    document = user.upload()["id"]
    headers = {"idempotency-key": "k"}
    assert user.post("/v1/contracts", json={"title": "a", "documents": [document]}, headers=headers).status_code == 201
    other = user.post("/v1/contracts", json={"title": "b", "documents": [document]}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-mismatch")


def test_keys_of_two_tenants_do_not_meet(user: User, stranger: User) -> None:
    for each in (user, stranger):
        body = {"title": "x", "documents": [each.upload()["id"]]}
        assert each.post("/v1/contracts", json=body, headers={"idempotency-key": "same"}).status_code == 201


def test_a_failed_request_may_be_repeated_with_its_key(user: User) -> None:
    draft = user.draft([held("ecdsa-p256")])
    path, key = f"/v1/contracts/{draft['id']}/send", {"idempotency-key": "s"}
    assert user.post(path, headers={**key, "if-match": '"v9"'}).status_code == 412
    sent = user.post(path, headers={**key, "if-match": '"v1"'})
    assert sent.status_code == 200
    again = user.post(path, headers={**key, "if-match": '"v1"'})
    assert (again.status_code, again.json()) == (200, sent.json())  # not 412: it is the answer to the first


def test_the_same_request_at_once_is_done_once(user: User) -> None:
    body, codes, barrier = {"title": "x", "documents": [user.upload()["id"]]}, [], threading.Barrier(5)

    def post() -> None:
        barrier.wait()
        response = user.post("/v1/contracts", json=body, headers={"idempotency-key": "race"})
        codes.append(response.status_code)
        if response.status_code == 409:
            assert response.json()["code"] == "idempotency-in-progress"
            assert response.headers["retry-after"] == "1"

    threads = [threading.Thread(target=post) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(codes) <= {201, 409}
    assert 201 in codes
    assert len(user.get("/v1/contracts").json()["data"]) == 1


def test_a_request_whose_process_died_is_taken_over_after_its_lease(user: User) -> None:
    claim = idempotency.Claim(user.tenant_id, "dead", "f" * 64)
    assert idempotency.begin(user.context, claim) is None  # and then the process is killed
    with pytest.raises(idempotency.IdempotencyInProgress):
        idempotency.begin(user.context, idempotency.Claim(user.tenant_id, "dead", "f" * 64))
    with user.context.database.write() as session:
        row = session.get_one(idempotency.IdempotencyRecord, (user.tenant_id, "dead"))
        row.locked_until = user.context.now() - timedelta(seconds=1)
    later = idempotency.Claim(user.tenant_id, "dead", "f" * 64)
    assert idempotency.begin(user.context, later) is None
    from starlette.responses import Response

    with pytest.raises(idempotency.IdempotencyInProgress), user.context.database.write() as session:
        idempotency.finish(session, user.context, claim, Response())  # the first one wakes up: its work is undone
    with user.context.database.write() as session:
        idempotency.finish(session, user.context, later, Response(b"x", 201))
    replay = idempotency.begin(user.context, idempotency.Claim(user.tenant_id, "dead", "f" * 64))
    assert replay is not None
    assert (replay.status_code, bytes(replay.body)) == (201, b"x")


def test_an_answer_is_forgotten_after_its_time(user: User) -> None:
    body = {"title": "x", "documents": [user.upload()["id"]]}
    user.post("/v1/contracts", json=body, headers={"idempotency-key": "old"})
    with user.context.database.write() as session:
        row = session.get_one(idempotency.IdempotencyRecord, (user.tenant_id, "old"))
        row.expires_at = user.context.now() - timedelta(seconds=1)
    other = user.post("/v1/contracts", json={**body, "title": "y"}, headers={"idempotency-key": "old"})
    assert other.status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb"])
def test_an_unusable_key_is_refused(user: User, key: str) -> None:
    response = user.post("/v1/contracts", json={}, headers={"idempotency-key": key})
    assert response.status_code in {400, 422}


def test_every_post_takes_an_idempotency_key(user: User) -> None:
    for path, verbs in user.get("/openapi.json").json()["paths"].items():
        if "post" in verbs and path.startswith("/v1"):
            names = [parameter["name"] for parameter in verbs["post"].get("parameters", [])]
            assert "Idempotency-Key" in names or "idempotency-key" in names, path


# operations ----------------------------------------------------------------------------------------------------


def test_health_and_metrics(user: User) -> None:
    assert user.get("/healthz").json() == {"status": "ok"}
    assert user.get("/readyz").json() == {"status": "ready"}
    user.get("/v1/documents")
    text = user.get("/metrics").text
    assert re.search(
        r'^sealroad_http_requests_total\{method="GET",route="/v1/documents",status="200"\} \d+$', text, re.MULTILINE
    )
    assert "# TYPE sealroad_contracts gauge" in text
    assert user.tenant_id not in text


def test_answers_do_not_wait_for_acknowledgements() -> None:
    """Without TCP_NODELAY on accepted connections every answer takes 40 ms longer."""
    listener = _listen(Settings(data=Path(), port=0))
    with listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.proto == socket.IPPROTO_TCP


# documentation -------------------------------------------------------------------------------------------------


def test_the_openapi_is_the_one_that_was_promised(user: User) -> None:
    """docs/openapi.json is made by tools/api_docs.py; a change of the interface has to show in a diff."""
    promised = json.loads((ROOT / "docs" / "openapi.json").read_text())
    found = user.get("/openapi.json").json()
    found["info"]["version"] = promised["info"]["version"]
    assert found == promised, "run: python tools/api_docs.py"


def test_the_openapi_is_valid_and_complete(user: User) -> None:
    schema = user.get("/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    text = json.dumps(schema)
    for kind, name in set(re.findall(r'"#/components/(\w+)/([^"]+)"', text)):
        assert name in schema["components"][kind]
    names = []
    for path, verbs in schema["paths"].items():
        for operation in verbs.values():
            names.append(operation["operationId"])
            assert operation["summary"]
            assert operation.get("description"), path
            assert {"4XX", "5XX"} <= set(operation["responses"]), path
            wanted = set(re.findall(r"\{(\w+)\}", path))
            given = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"}
            assert wanted == given
    assert len(names) == len(set(names))


def test_every_error_code_is_documented(user: User) -> None:
    written = (ROOT / "docs" / "errors.md").read_text()
    page = user.get("/docs/errors").text
    for code, row in CODES.items():
        if not row.private or code == "internal-error":
            assert f"`{code}`" in written, "run: python tools/api_docs.py"
            assert f'id="{code}"' in page


def test_the_documentation_needs_nothing_from_elsewhere(user: User) -> None:
    for path in ("/docs", "/docs/errors"):
        response = user.get(path)
        assert response.status_code == 200
        assert "<script" not in response.text
        assert not re.search(r'(src|href)="(https?:)?//', response.text)
        assert "style-src 'sha256-" in response.headers["content-security-policy"]
    for path in user.get("/openapi.json").json()["paths"]:
        assert path in user.get("/docs").text
