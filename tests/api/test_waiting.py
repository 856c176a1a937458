"""Whoever waits for a job or a contract is answered when there is something new: `Prefer: wait`, and streams.

The service has no worker: jobs end when a test says so. Nobody looks by himself (TICK, PAUSE) unless a test says so.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from api.config import Settings
from api.context import open_context
from api.contracts.models import Contract
from api.contracts.transition import touch
from api.jobs import queue, stream
from api.jobs.models import Job
from api.kit import waiting
from api.kit.bell import QUEUE
from api.kit.limits import Limits
from api.kit.waiting import preferred
from api.server import running
from tests.api.conftest import Service, User, held, serving
from tests.api.job_worker import SECONDS

NEVER = 86400.0


# Prefer --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        (["wait=5"], 5),
        (["WAIT\t = 5"], 5),
        (['wait="7"'], 7),
        (["respond-async, wait=10"], 10),
        (["respond-async", "wait=10"], 10),
        (["wait=5, wait=9"], 5),
        (["wait=5; x=y;; z, respond-async"], 5),
        ([", ,wait=3,"], 3),
        (['a="x, wait=9", wait=2'], 2),
        (['a="\\", wait=9", wait=2'], 2),
        (["wait=60"], 60),
        (["wait=61"], 60),
        ([f"wait={10**400}"], 60),
        (["wait=007"], 7),
    ],
)
def test_what_a_client_prefers(fields: list[str], seconds: int) -> None:
    assert preferred(fields) == seconds


@pytest.mark.parametrize(
    "field",
    [
        *("", "wait", "wait=", "wait=0", "wait=-1", "wait=+1", "wait=1.5", "wait=1e1", "wait=x", "wait=0x10"),
        *("wait=1 2", "wait 1", "await=5", "wait*=5", "x; wait=5", "wait=x, wait=5", "wait=5/", "wait=5 respond-async"),
        *("wait=٣", "wait=²", "wait=1_0", 'wait="5', 'a="x, wait=5', "wait=5\x00", "(wait=5)", "wait==5", "=5"),
    ],
)
def test_what_is_no_wish_is_ignored(field: str) -> None:
    assert preferred([field]) is None


@pytest.mark.parametrize("piece", [",", ";", '"', 'a="', " ", "a ;", "a=b, ", '\\"', 'a="\\', "wait=5;", "wait=5,"])
def test_a_field_that_has_no_end_costs_nothing(piece: str) -> None:
    assert preferred([piece * 60_000]) is None
    assert preferred([piece] * 60_000) is None


# GET -----------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def service(settings: Settings) -> Iterator[Service]:
    with serving(replace(settings, worker=False)) as found:
        yield found


class Watch:
    """Sees who waits, and how that ended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._begun, self._ends, self._look_again = threading.Semaphore(0), threading.Semaphore(0), waiting._look_again
        self.ends: list[bool] = []
        monkeypatch.setattr(waiting, "_look_again", self.look_again)

    async def look_again(self, *given: Any) -> bool:
        self._begun.release()
        found = await self._look_again(*given)
        self.ends.append(found)
        self._ends.release()
        return found

    def begun(self, times: int = 1) -> None:
        """Return when so many have begun to wait."""
        for _ in range(times):
            assert self._begun.acquire(timeout=SECONDS), "nobody waits"

    def ended(self) -> bool:
        assert self._ends.acquire(timeout=SECONDS), "it still waits"
        return self.ends[-1]


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.setattr(waiting, "TICK", NEVER)
    monkeypatch.setattr(waiting, "LONGEST", int(NEVER))
    return Watch(monkeypatch)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(100) as found:
        yield found


def job_of(user: User, key: str = "job") -> str:
    now = user.context.now()
    with user.context.database.write() as session:
        asked = {"tenant_id": user.tenant_id, "kind": "nothing", "payload": {}, "now": now}
        return queue.enqueue(session, key=f"{key}:{user.tenant_id}", **asked).id


def act(user: User, job_id: str, *, end: bool = True) -> None:
    """Let a job come further, or end."""
    now = user.context.now()
    with user.context.database.write() as session:
        job = session.get_one(Job, job_id)
        run = queue.begin(session, job_id, round=job.round, owner="x", alive=lambda _: False, now=now)
        assert run is not None
        if end:
            queue.end(session, run, state="succeeded", now=now, result={"a": 1})
        else:
            queue.progress(session, run, now=now, total=9, done=job.done + 1)


def wait(pool: ThreadPoolExecutor, user: User, path: str, seconds: float = NEVER, **headers: str) -> Future[Any]:
    fields = {"prefer": f"wait={int(seconds)}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return pool.submit(user.get, path, headers=fields)


def applied(response: Any) -> str | None:
    return response.headers.get("preference-applied")


def test_the_answer_comes_when_the_job_has_ended(user: User, watch: Watch, pool: ThreadPoolExecutor) -> None:
    job = job_of(user)
    answer = wait(pool, user, f"/v1/jobs/{job}")
    watch.begun()
    act(user, job, end=False)
    watch.begun()  # it has looked, and there was not what it waits for
    assert not answer.done()
    act(user, job)
    found = answer.result(SECONDS)
    assert (found.status_code, found.json()["state"], found.json()["result"]) == (200, "succeeded", {"a": 1})
    assert applied(found) == f"wait={int(NEVER)}"
    again = user.get(f"/v1/jobs/{job}", headers={"prefer": "wait=60"})
    assert (again.json()["state"], applied(again)) == ("succeeded", "wait=60")


def test_who_does_not_wish_to_wait_is_answered_at_once(user: User, watch: Watch) -> None:
    job = job_of(user)
    for fields in ({}, {"prefer": "wait=0"}, {"prefer": "respond-async"}, {"prefer": "wait=x"}):
        found = user.get(f"/v1/jobs/{job}", headers=fields)
        assert (found.json()["state"], applied(found)) == ("queued", None)
    listed = user.get("/v1/jobs", headers={"prefer": "wait=60"})  # only single objects are waited for
    assert (listed.status_code, applied(listed)) == (200, None)


def test_the_answer_comes_when_the_seconds_are_over(user: User) -> None:
    job, contract = job_of(user), user.draft([held("ed25519")])
    found = user.get(f"/v1/jobs/{job}", headers={"prefer": "wait=1"})
    assert (found.status_code, found.json()["state"], applied(found)) == (200, "queued", "wait=1")
    found = user.get(f"/v1/contracts/{contract['id']}", headers={"prefer": "wait=1", "if-none-match": '"v1"'})
    assert (found.status_code, found.content, found.headers["etag"], applied(found)) == (304, b"", '"v1"', "wait=1")


def test_the_answer_comes_when_the_contract_has_changed(user: User, watch: Watch, pool: ThreadPoolExecutor) -> None:
    contract = user.draft([held("ed25519")])
    path = f"/v1/contracts/{contract['id']}"
    answer = wait(pool, user, path, if_none_match='"v1"')
    watch.begun()
    changed = user.request("PATCH", path, json={"title": "Another"}, headers={"if-match": '"v1"'})
    assert changed.status_code == 200, changed.text
    found = answer.result(SECONDS)
    assert (found.status_code, found.json()["title"], found.headers["etag"]) == (200, "Another", '"v2"')
    assert applied(found) == f"wait={int(NEVER)}"
    other = wait(pool, user, path, if_none_match='"v1"').result(SECONDS)  # it has changed already
    assert (other.status_code, other.headers["etag"]) == (200, '"v2"')
    without = wait(pool, user, path).result(SECONDS)  # changed since when?
    assert (without.status_code, applied(without)) == (200, None)
    answer = wait(pool, user, path, if_none_match='"v2"')
    watch.begun()
    assert user.request("DELETE", path, headers={"if-match": '"v2"'}).status_code == 204
    assert answer.result(SECONDS).status_code == 404


def test_somebody_else_is_refused_at_once(user: User, stranger: User, watch: Watch, pool: ThreadPoolExecutor) -> None:
    job, contract = job_of(user), user.draft([held("ed25519")])
    assert wait(pool, stranger, f"/v1/jobs/{job}").result(SECONDS).status_code == 404
    path = f"/v1/contracts/{contract['id']}"
    assert wait(pool, stranger, path, if_none_match='"v1"').result(SECONDS).status_code == 404
    nobody = User(user.http, "srk_x_y", user.context, user.tenant_id)
    assert wait(pool, nobody, f"/v1/jobs/{job}").result(SECONDS).status_code == 401


def test_a_key_that_is_revoked_meanwhile_gets_nothing(user: User, watch: Watch, pool: ThreadPoolExecutor) -> None:
    job = job_of(user)
    answer = wait(pool, user, f"/v1/jobs/{job}")
    watch.begun()
    assert user.post(f"/v1/api-keys/key_{user.token.split('_')[1]}/revoke").status_code == 200
    act(user, job)
    assert answer.result(SECONDS).status_code == 401


def test_where_the_bell_is_silent_it_looks_by_itself(
    user: User, watch: Watch, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "TICK", 0.05)
    job = job_of(user)
    answer = wait(pool, user, f"/v1/jobs/{job}")
    watch.begun()
    with user.context.database.write() as session:
        session.get_one(Job, job).state = "failed"  # nobody announces that
    assert answer.result(SECONDS).json()["state"] == "failed"


def test_it_counts_as_one_request(
    user: User, watch: Watch, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, take = [], Limits.take
    monkeypatch.setattr(Limits, "take", lambda *given: (taken.append(1), take(*given))[1])
    job = job_of(user)
    answer = wait(pool, user, f"/v1/jobs/{job}")
    for _ in range(3):
        watch.begun()
        act(user, job, end=False)
    watch.begun()
    act(user, job)
    assert answer.result(SECONDS).headers["ratelimit"]
    assert len(taken) == 1


def test_more_than_so_many_do_not_wait(user: User, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOST", 0)
    found = user.get(f"/v1/jobs/{job_of(user)}", headers={"prefer": "wait=60"})
    assert (found.json()["state"], applied(found)) == ("queued", None)


def test_many_who_wait_hold_no_thread(user: User, watch: Watch, pool: ThreadPoolExecutor) -> None:
    """More than the service has threads; the next one is served, and all of them hear of the end."""
    job, many = job_of(user), 60
    answers = [wait(pool, user, f"/v1/jobs/{job}") for _ in range(many)]
    watch.begun(many)
    act(user, job)
    assert {answer.result(SECONDS).json()["state"] for answer in answers} == {"succeeded"}


def test_a_server_that_stops_answers(
    settings: Settings, watch: Watch, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "TICK", 0.05)
    settings = replace(settings, worker=False)
    context = open_context(settings)
    with httpx.Client(timeout=SECONDS, trust_env=False) as client:
        with running(settings) as address:
            client.base_url = httpx.URL(address)
            user = Service(client, context).user()
            answer = wait(pool, user, f"/v1/jobs/{job_of(user)}")
            watch.begun()
        found = answer.result(SECONDS)
    context.close()
    assert (found.status_code, found.json()["state"]) == (200, "queued")
    assert watch.ends[-1] is False


def test_a_client_that_has_gone_is_not_waited_for(user: User, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "TICK", 0.05)
    to = urlsplit(str(user.http.base_url))
    with socket.create_connection((to.hostname, to.port)) as client:
        head = f"GET /v1/jobs/{job_of(user)} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {user.token}\r\n"
        client.sendall(f"{head}prefer: wait=86400\r\n\r\n".encode())
        watch.begun()
    while watch.ended():
        pass


# what is rung --------------------------------------------------------------------------------------------------------
def test_every_version_of_a_contract_and_every_step_of_a_job_is_rung(user: User) -> None:
    contract = user.draft([{"name": "Erika", "suite": "ecdsa-p256"}])
    database, seen = user.context.database, []
    with database.write() as session:
        touch(session.get_one(Contract, contract["id"]), user.context.now())
        announced = dict(session.info["announced"])
        session.rollback()
    assert list(announced) == [contract["id"]]
    with database.write() as session:
        asked = {"tenant_id": user.tenant_id, "kind": "nothing", "key": f"bell:{user.tenant_id}", "payload": {}}
        job = queue.enqueue(session, now=user.context.now(), **asked)
        for step in ("enqueue", "progress", "postpone", "requeue", "end"):
            if step == "requeue":
                queue.requeue(session, job, user.context.now())
            elif step != "enqueue":
                run = queue.begin(
                    session, job.id, round=job.round, owner="x", alive=lambda _: False, now=user.context.now()
                )
                assert run is not None
                now = user.context.now()
                if step == "progress":
                    queue.progress(session, run, now=now, total=2, done=1)
                elif step == "postpone":
                    queue.postpone(session, run, until=now, attempts=1, error={})
                else:
                    queue.end(session, run, state="succeeded", now=now, result={})
            announced = session.info.pop("announced")
            assert set(announced) == ({QUEUE, job.id} if step in {"enqueue", "requeue"} else {job.id}), step
            seen.append(step)
    assert len(seen) == 5


# streams -------------------------------------------------------------------------------------------------------------
def test_a_stream_is_rung(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would look by itself once a day; what happens comes at once."""
    monkeypatch.setattr(stream, "PAUSE", NEVER)
    now = user.context.now
    with user.context.database.write() as session:
        asked = {"tenant_id": user.tenant_id, "kind": "nothing", "payload": {}, "now": now()}
        job = queue.enqueue(session, key=f"stream:{user.tenant_id}", **asked)
        job.handed_at, job.run_after, job.round = None, now().replace(year=9999), job.round + 1
    token = {"authorization": f"Bearer {user.token}"}
    with user.http.stream("GET", f"/v1/jobs/{job.id}/events", headers=token) as response:
        found = response.iter_lines()
        assert next(found) == "retry: 2000"
        time.sleep(0.2)  # it has looked, and waits; if not, this proves less, and does not fail
        with user.context.database.write() as session:
            run = queue.begin(session, job.id, round=job.round, owner="x", alive=lambda _: False, now=now())
            assert run is not None
            queue.end(session, run, state="succeeded", now=now(), result={})
        assert [line for line in found if line.startswith("event:")] == ["event: done"]
