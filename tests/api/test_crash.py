"""kill -9 at any instant loses nothing and signs nothing twice."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.auth.repository import tenant_named
from api.auth.service import create_tenant
from api.config import Settings
from api.context import Context, open_context
from api.errors import LeaseLost
from api.jobs import queue
from api.jobs.queue import JobRun
from api.jobs.worker import Handler, Worker
from api.migrations import upgrade
from certs.errors import TimeStampError
from tests.api.crash import points_of


@pytest.mark.parametrize(
    ("route", "suite", "step", "database"),
    [
        ("held", "ecdsa-p256", 23, "sqlite"),
        ("party", "ecdsa-p256", 17, "sqlite"),
        pytest.param("locked", "ecdsa-p256", 19, "sqlite", marks=pytest.mark.slow),
        pytest.param("held", "gost2012-256", 23, "postgresql", marks=[pytest.mark.slow, pytest.mark.interop]),
        pytest.param("held", "sm2", 1, "sqlite", marks=pytest.mark.long),
        pytest.param("held", "sm2", 1, "postgresql", marks=pytest.mark.long),
        pytest.param("party", "gost2012-256", 1, "sqlite", marks=pytest.mark.long),
        pytest.param("party", "gost2012-256", 1, "postgresql", marks=pytest.mark.long),
    ],
)
def test_a_service_killed_at_any_effect_completes_the_contract_exactly_once(
    route: str, suite: str, step: int, database: str
) -> None:
    points = points_of("tests.api.crash", route, suite, str(step), database)
    assert len(points) > 2
    assert all(point["killed"] for point in points[:-1])
    for point in points:
        assert point["state"] == "completed", point
        assert point["revisions"] == [0, 1], point
        assert point["embedded"] == point["completed"] == point["signed"] == 1, point
        assert point["verdicts"] == [["passed"]], point


def test_sealroad_serve_survives_kill_9(tmp_path: Path) -> None:
    """The real command: start, first key, upload, kill -9, start again on the same data."""
    command = [sys.executable, "-m", "api.cli", "serve", "--data", str(tmp_path / "data"), "--port", "0"]

    def start() -> tuple[subprocess.Popen[str], str, list[str]]:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        lines = []
        while not lines or "listening on" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], "the server ended"
        return process, lines[-1].split("listening on ")[1].split(",")[0], lines

    process, address, lines = start()
    key_file = tmp_path / "data" / "admin.key"
    assert str(key_file) in lines[0]
    assert key_file.stat().st_mode & 0o777 == 0o600
    headers = {"authorization": f"Bearer {key_file.read_text().strip()}"}
    try:
        assert httpx.get(f"{address}/v1/documents", headers=headers).status_code == 200
        process.kill()
        process.communicate()
        process, address, lines = start()
        assert len(lines) == 1, "no second first key"
        assert httpx.get(f"{address}/v1/documents", headers=headers).status_code == 200
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def test_a_port_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "api.cli", "serve", "--data", str(tmp_path), "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"sealroad: cannot listen on 127.0.0.1 port {port}: ")
    assert "Traceback" not in done.stderr


# the queue -----------------------------------------------------------------------------------------------------


@pytest.fixture
def context(tmp_path: Path) -> Any:
    context = open_context(Settings(data=tmp_path / "data", job_lease=timedelta(seconds=5)))
    upgrade(context.database)
    yield context
    context.close()


def enqueue(context: Context, kind: str = "work", key: str = "k") -> str:
    with context.database.write() as session:
        tenant = tenant_named(session, "t") or create_tenant(session, "t", now=context.now())
        return queue.enqueue(session, tenant_id=tenant.id, kind=kind, key=key, payload={}, now=context.now()).id


def row(context: Context, job: str) -> Any:
    from api.jobs.models import Job

    with context.database.read() as session:
        return session.get_one(Job, job)


def handler(run: Any, gave_up: Any = lambda *_: None) -> dict[str, Handler]:
    return {"work": Handler(run, gave_up)}


def test_a_job_runs_once_and_keeps_its_result(context: Context) -> None:
    runs: list[JobRun] = []
    worker = Worker(context, handler(lambda _, run: runs.append(run) or {"x": 1}))
    job = enqueue(context)
    assert enqueue(context) == job  # the same key: the same job
    assert worker.drain() == 1
    found = row(context, job)
    assert (found.state, found.result, len(runs)) == ("succeeded", {"x": 1}, 1)
    worker.stop()


def test_a_job_enqueued_in_a_transaction_that_fails_does_not_exist(context: Context) -> None:
    enqueue(context)

    def fail() -> None:
        with context.database.write() as session:
            found = tenant_named(session, "t")
            assert found is not None
            queue.enqueue(session, tenant_id=found.id, kind="work", key="other", payload={}, now=context.now())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    worker = Worker(context, handler(lambda *_: {}))
    assert worker.drain() == 1
    worker.stop()


def test_a_failure_that_passes_is_tried_again_and_never_faked(context: Context) -> None:
    """The time-stamp authority is down: the job waits, keeps its error, and succeeds when it is back."""
    down = [True, True, False]

    def run(_: Context, __: JobRun) -> dict[str, Any]:
        if down.pop(0):
            raise TimeStampError("the authority does not answer")
        return {}

    worker, job = Worker(context, handler(run)), enqueue(context)
    for delay in (1, 2):
        before = context.now()
        assert worker.drain() == 1
        found = row(context, job)
        assert (found.state, found.error["code"]) == ("queued", "time-stamp-error")
        assert timedelta(seconds=delay - 1) < found.run_after - before < timedelta(seconds=delay + 1)
        with context.database.write() as session:
            session.get_one(type(found), job).run_after = context.now()
    assert worker.drain() == 1
    assert row(context, job).state == "succeeded"
    worker.stop()


def test_a_defect_is_tried_three_times_and_then_given_up(context: Context) -> None:
    given_up: list[dict[str, Any]] = []

    def run(_: Context, __: JobRun) -> dict[str, Any]:
        raise ZeroDivisionError("/srv/secret")

    worker = Worker(context, handler(run, lambda _, __, failure: given_up.append(failure)))
    job = enqueue(context)
    for _ in range(3):
        with context.database.write() as session:
            session.get_one(type(row(context, job)), job).run_after = context.now()
        worker.drain()
    found = row(context, job)
    assert (found.state, found.attempts, found.error["code"]) == ("failed", 3, "internal-error")
    assert "secret" not in str(found.error)
    assert len(given_up) == 1
    worker.stop()


def test_the_jobs_of_a_killed_worker_are_taken_over_at_once(context: Context) -> None:
    job = enqueue(context)
    script = (
        "import os, sys; from pathlib import Path\n"
        "from api.config import Settings; from api.context import open_context\n"
        "from api.jobs.worker import Handler, Worker\n"
        "die = Handler(lambda *_: os.kill(os.getpid(), 9), lambda *_: None)\n"
        "Worker(open_context(Settings(data=Path(sys.argv[1]))), {'work': die}).drain()"
    )
    done = subprocess.run([sys.executable, "-c", script, str(context.settings.data)], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert row(context, job).state == "running"
    worker = Worker(context, handler(lambda *_: {"by": "the second"}))
    assert worker.drain() == 0, "nobody has said yet that the worker is dead"
    assert worker.reconcile() == 1
    assert worker.drain() == 1
    assert row(context, job).result == {"by": "the second"}
    assert worker.reconcile() == 0
    worker.stop()


def test_a_living_worker_keeps_its_jobs(context: Context) -> None:
    started, go_on = threading.Event(), threading.Event()

    def run(_: Context, __: JobRun) -> dict[str, Any]:
        started.set()
        go_on.wait(30)
        return {}

    first, second = Worker(context, handler(run)), Worker(context, handler(run))
    job = enqueue(context)
    first.start()
    assert started.wait(10)
    assert second.reconcile() == 0
    assert second.drain() == 0
    go_on.set()
    first.stop()
    assert row(context, job).state == "succeeded"
    second.stop()


def test_a_frozen_worker_that_wakes_up_records_nothing(context: Context) -> None:
    """A worker sleeps, another takes over; the first finds itself fenced off."""
    job = enqueue(context)
    with context.database.write() as session:
        frozen = queue.begin(session, job, round=1, owner="frozen", alive=lambda _: False, now=context.now())
    assert frozen is not None
    worker = Worker(context, handler(lambda *_: {"by": "the second"}))
    assert worker.reconcile() == 1
    assert worker.drain() == 1
    now = context.now()
    for late in (
        lambda session: queue.fence(session, frozen),
        lambda session: queue.progress(session, frozen, now=now, done=1),
        lambda session: queue.end(session, frozen, state="succeeded", result={"by": "the first"}, now=now),
        lambda session: queue.postpone(session, frozen, until=now, attempts=1, error={}),
    ):
        with pytest.raises(LeaseLost), context.database.write() as session:
            late(session)
    with context.database.write() as session:
        assert queue.begin(session, job, round=1, owner="frozen", alive=lambda _: True, now=now) is None
    assert row(context, job).result == {"by": "the second"}
    worker.stop()


def test_a_job_that_takes_its_workers_down_is_given_up(context: Context) -> None:
    job = enqueue(context)
    with context.database.write() as session:
        session.get_one(type(row(context, job)), job).attempts = 20
    ran: list[JobRun] = []
    worker = Worker(context, handler(lambda _, run: ran.append(run) or {}))
    worker.drain()
    assert row(context, job).state == "failed"
    assert ran == []
    worker.stop()


def test_a_job_that_takes_longer_than_a_lease_stays_where_it_is(tmp_path: Path) -> None:
    context = open_context(Settings(data=tmp_path / "data", job_lease=timedelta(seconds=1)))
    upgrade(context.database)
    started, go_on = threading.Event(), threading.Event()

    def run(_: Context, __: JobRun) -> dict[str, Any]:
        started.set()
        go_on.wait(30)
        return {}

    worker, other = Worker(context, handler(run)), Worker(context, handler(run))
    job = enqueue(context)
    worker.start()
    assert started.wait(10)
    other.reconcile()  # sees the first beat
    time.sleep(2)
    assert other.reconcile(grace=0) == 0
    assert other.drain() == 0
    go_on.set()
    worker.stop()
    other.stop()
    assert (row(context, job).state, row(context, job).attempts) == ("succeeded", 1)
    context.close()
