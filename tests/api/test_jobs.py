"""Jobs over HTTP: list, read, follow, cancel."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api.contracts.models import Contract
from api.contracts.tasks import finalize_forgotten
from api.jobs import queue, stream
from api.jobs.models import Job
from tests.api import counted
from tests.api.conftest import User, held

ROOT = Path(__file__).parents[2]


def signing(user: User) -> tuple[dict[str, Any], str]:
    """Have a contract of two documents signed; return it and where the job is."""
    documents = [user.upload()["id"], user.upload()["id"]]
    contract = user.sent(held("ecdsa-p256"), held("sm2", order=2), documents=documents)
    path = f"/v1/contracts/{contract['id']}/parties/{contract['parties'][0]['id']}/sign"
    response = user.post(path, json={"consent": user.consent(contract)})
    assert response.status_code == 202, response.text
    return contract, response.headers["location"]


def events(text: str) -> list[tuple[int, str, dict[str, Any]]]:
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in fields:
            found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


# over HTTP -----------------------------------------------------------------------------------------------------------
def test_a_job_is_read_listed_and_counts_its_items(user: User, stranger: User) -> None:
    _, location = signing(user)
    job = user.wait_for_job(location)
    assert (job["kind"], job["state"], job["total"], job["done"], job["failed"]) == ("sign", "succeeded", 2, 2, 0)
    assert job["eta"] is None
    listed = user.get("/v1/jobs", params={"kind": "sign", "state": "succeeded"}).json()["data"]
    assert [row["id"] for row in listed] == [job["id"]]
    assert user.get("/v1/jobs", params={"state": "failed"}).json()["data"] == []
    assert user.get("/v1/jobs", params={"state": "lost"}).status_code == 422
    assert stranger.get("/v1/jobs").json()["data"] == []


def test_pages_of_jobs_follow_one_another(user: User) -> None:
    contract, location = signing(user)
    user.wait_for_job(location)
    user.sign(contract, contract["parties"][1])
    user.wait_for_state(contract, "completed")
    seen, address = [], "/v1/jobs?limit=1"
    while address:
        response = user.get(address)
        seen += response.json()["data"]
        address = response.links.get("next", {}).get("url", "")
    assert sorted(row["kind"] for row in seen) == ["finalize", "sign", "sign"]
    assert len({row["id"] for row in seen}) == 3


def test_a_job_is_followed_and_a_client_that_was_cut_off_resumes(user: User) -> None:
    _, location = signing(user)
    response = user.get(f"{location}/events")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    found = events(response.text)
    assert [kind for _, kind, _ in found] == ["item", "progress", "item", "progress", "done"]
    assert [number for number, _, _ in found] == [1, 2, 3, 4, 5]
    assert found[1][2] == {"total": 2, "done": 1, "failed": 0}
    assert found[-1][2]["state"] == "succeeded"
    resumed = events(user.get(f"{location}/events", headers={"last-event-id": "3"}).text)
    assert resumed == found[3:]
    assert events(user.get(f"{location}/events", headers={"last-event-id": "5"}).text) == []
    for wrong in ("x", "-1", "1" * 10, "٣"):
        answer = user.get(f"{location}/events", headers={"last-event-id": wrong.encode()})
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed-request")


def test_a_stream_keeps_its_connection_and_ends(monkeypatch: pytest.MonkeyPatch, user: User) -> None:
    """Of a job that does not end: a comment now and then, and an end after a while."""
    monkeypatch.setattr(stream, "HEARTBEAT", 0.1)
    monkeypatch.setattr(stream, "LIFE", 1.0)
    monkeypatch.setattr(stream, "PAUSE", 0.1)
    now = user.context.now()
    with user.context.database.write() as session:
        asked = {"tenant_id": user.tenant_id, "kind": "nothing", "payload": {}, "now": now + timedelta(days=1)}
        job = queue.enqueue(session, key=f"nothing:{user.tenant_id}", **asked)
        job.state, job.owner, job.handed_at, job.run_after = "queued", None, None, now + timedelta(days=1)
        job.round += 1
    response = user.get(f"/v1/jobs/{job.id}/events")
    assert response.text.startswith("retry: 2000\n\n")
    assert ": still here\n\n" in response.text
    assert events(response.text) == []


def test_a_waiting_job_is_cancelled_and_the_party_begins_again(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    contract, job = _waiting(user, monkeypatch)
    answer = user.post(f"/v1/jobs/{job}/cancel")
    assert answer.status_code == 202, answer.text
    assert answer.json()["cancel_requested"] is True
    found = user.wait_for_job(f"/v1/jobs/{job}")
    assert (found["state"], found["error"]["code"]) == ("cancelled", "job-cancelled")
    assert events(user.get(f"/v1/jobs/{job}/events").text)[-1][1:] == (
        "done",
        {"state": "cancelled", "result": None, "error": found["error"]},
    )
    again = user.post(f"/v1/jobs/{job}/cancel")
    assert (again.status_code, again.json()["code"], again.json()["state"]) == (409, "state-conflict", "cancelled")
    monkeypatch.undo()
    assert user.sign(contract, contract["parties"][0])["state"] == "succeeded"
    assert user.wait_for_state(contract, "completed")


def test_who_may_not_begin_a_job_may_not_cancel_it(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.auth.models import Tenant
    from api.auth.service import create_key

    _, job = _waiting(user, monkeypatch)
    with user.context.database.write() as session:
        tenant = session.get_one(Tenant, user.tenant_id)
        token = create_key(session, tenant, name="reader", now=user.context.now(), scopes=("contracts:read",))
    reader = User(user.http, token, user.context, user.tenant_id)
    assert reader.post(f"/v1/jobs/{job}/cancel").json()["code"] == "forbidden"
    assert reader.get(f"/v1/jobs/{job}").json()["cancel_requested"] is False


def test_a_finalisation_is_not_cancelled(user: User) -> None:
    contract = user.sent(held("ecdsa-p256"))
    user.sign(contract, contract["parties"][0])
    user.wait_for_state(contract, "completed")
    (job,) = user.get("/v1/jobs", params={"kind": "finalize"}).json()["data"]
    with user.context.database.write() as session:
        row = session.get_one(Job, job["id"])
        row.state, row.run_after, row.handed_at = "queued", user.context.now() + timedelta(days=1), None
        row.round += 1
    answer = user.post(f"/v1/jobs/{job['id']}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "state-conflict")


def test_a_contract_whose_finalisation_nobody_does_is_finalised(user: User) -> None:
    contract = user.sent(held("ecdsa-p256"))
    user.sign(contract, contract["parties"][0])
    user.wait_for_state(contract, "completed")
    assert finalize_forgotten(user.context) == 0
    (job,) = user.get("/v1/jobs", params={"kind": "finalize"}).json()["data"]
    with user.context.database.write() as session:
        counted.meddle(session)
        session.get_one(Contract, contract["id"]).state = "finalizing"
    assert finalize_forgotten(user.context) == 1
    assert user.wait_for_state(contract, "completed")
    assert user.wait_for_job(f"/v1/jobs/{job['id']}")["state"] == "succeeded"
    numbers = [number for number, _, _ in events(user.get(f"/v1/jobs/{job['id']}/events").text)]
    assert numbers == [2], "what happened the time before is gone"


def _waiting(user: User, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], str]:
    """Return a contract whose signing waits for the time-stamp authority, and the job."""
    from api.signing import pdf
    from certs.errors import TimeStampError

    def away(*_: Any, **__: Any) -> None:
        raise TimeStampError("the authority does not answer")

    monkeypatch.setattr(pdf, "complete", away)
    contract = user.sent(held("ecdsa-p256"))
    path = f"/v1/contracts/{contract['id']}/parties/{contract['parties'][0]['id']}/sign"
    location = user.post(path, json={"consent": user.consent(contract)}).headers["location"]
    job = location.rpartition("/")[2]
    for _ in range(3000):
        if user.get(location).json()["error"] is not None:
            return contract, job
        threading.Event().wait(0.01)
    raise AssertionError("the job does not wait")
