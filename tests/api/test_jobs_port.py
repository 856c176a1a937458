"""The port of jobs, and what has to hold of the engine before it carries one. One engine runs in one process."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from api.config import Settings, from_environment
from api.context import Context, open_context
from api.db import Base
from api.errors import ConfigurationError, JobCancelled
from api.jobs import engine, guard, queue, upkeep
from api.jobs.engine import Engine
from api.jobs.members import Members
from api.jobs.models import Job, JobEvent, JobWorker
from api.jobs.queue import JobRun
from api.jobs.worker import Handler, Worker
from api.kit.presence import Presence
from api.migrations import upgrade

ROOT = Path(__file__).parents[2]


# the port ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    context = open_context(Settings(data=tmp_path / "data", job_lease=timedelta(seconds=5)))
    upgrade(context.database)
    yield context
    context.close()


def enqueue(context: Context, key: str = "k", kind: str = "sign") -> str:
    from api.auth.repository import tenant_named
    from api.auth.service import create_tenant

    with context.database.write() as session:
        tenant = tenant_named(session, "t") or create_tenant(session, "t", now=context.now())
        return queue.enqueue(session, tenant_id=tenant.id, kind=kind, key=key, payload={}, now=context.now()).id


def test_a_running_job_is_cancelled_before_its_next_step(context: Context) -> None:
    cleaned: list[dict[str, Any]] = []
    job = enqueue(context)

    def run(context: Context, run: JobRun) -> dict[str, Any]:
        with context.database.write() as session:
            queue.cancel(session, session.get_one(Job, run.id), by="key_1", now=context.now())
        with context.database.write() as session:
            queue.progress(session, run, now=context.now(), done=1)
        raise AssertionError("it went on")

    def gave_up(context: Context, run: JobRun, failure: dict[str, Any]) -> None:
        with context.database.write() as session:
            queue.fence(session, run)
        cleaned.append(failure)

    Worker(context, {"sign": Handler(run, gave_up)}).drain()
    with context.database.read() as session:
        row = session.get_one(Job, job)
        assert (row.state, row.done, row.cancel["api_key"]) == ("cancelled", 0, "key_1")
    assert [failure["code"] for failure in cleaned] == [JobCancelled.code]


def test_a_job_that_is_done_before_anybody_can_cancel_it_has_succeeded(context: Context) -> None:
    job = enqueue(context)

    def run(context: Context, run: JobRun) -> dict[str, Any]:
        with context.database.write() as session:
            queue.cancel(session, session.get_one(Job, run.id), by="key_1", now=context.now())
        return {}

    Worker(context, {"sign": Handler(run, lambda *_: None)}).drain()
    with context.database.read() as session:
        assert session.get_one(Job, job).state == "succeeded"


def test_the_engine_forgets_what_ended_and_events_go_after_some_days(context: Context) -> None:
    job = enqueue(context)
    worker = Worker(context, {"sign": Handler(lambda *_: {}, lambda *_: None)})
    worker.start()
    while _state(context, job) != "succeeded":
        threading.Event().wait(0.01)
    worker.stop()
    assert engine.look_up(context.database, ["k#1"])["k#1"].active is False
    upkeep.forget_ended(context)
    assert "k#1" in engine.look_up(context.database, ["k#1"])
    assert engine.sweep(context.database, context.now() + timedelta(minutes=1)) == 1
    assert engine.look_up(context.database, ["k#1"]) == {}
    with context.database.write() as session:
        for row in session.scalars(select(JobEvent)):
            row.at -= timedelta(days=8)
    upkeep.forget_ended(context)
    with context.database.read() as session:
        assert session.scalars(select(JobEvent)).all() == []
    assert _state(context, job) == "succeeded"


def _state(context: Context, job: str) -> str:
    with context.database.read() as session:
        return session.get_one(Job, job).state


def test_two_engines_in_one_process_are_refused(context: Context) -> None:
    first, second = (Worker(context, {}) for _ in range(2))
    first.start()
    try:
        with pytest.raises(ConfigurationError, match="already"):
            second.start()
        assert first.alive
        assert not second.alive
    finally:
        first.stop()
    second.start()
    second.stop()


def test_no_more_rounds_are_executed_at_a_time_than_there_are_threads(context: Context) -> None:
    """However many dbos brings: it may take one too many where looks at the queue follow one another quickly."""
    begun, gate, busy = threading.Semaphore(0), threading.Event(), []

    def execute(job: str, _number: int) -> None:
        busy.append(job)
        begun.release()
        assert gate.wait(60)

    engine = Engine(context.database, "x", execute, threads=2)
    threads = [threading.Thread(target=engine.execute, args=(f"job_{number}", 1)) for number in range(4)]
    for thread in threads:
        thread.start()
    assert begun.acquire(timeout=60)
    assert begun.acquire(timeout=60)
    assert not begun.acquire(timeout=0.1)
    assert len(busy) == 2
    gate.set()
    for thread in threads:
        thread.join()
    assert sorted(busy) == [f"job_{number}" for number in range(4)]


def test_workers_of_one_host_have_names_of_their_own(tmp_path: Path) -> None:
    contexts = [open_context(Settings(data=tmp_path / "data")) for _ in range(2)]
    upgrade(contexts[0].database)
    first, second = (Members(context) for context in contexts)
    assert (first.join().rpartition(".")[2], second.join().rpartition(".")[2]) == ("0", "1")
    assert first.is_alive(second.id)
    second.leave()
    assert not first.is_alive(second.id)
    for context in contexts:
        context.close()


def test_a_worker_whose_name_went_to_somebody_else_takes_another(tmp_path: Path) -> None:
    """It was frozen for very long. Two of one name would take each other's jobs."""
    settings = Settings(data=tmp_path / "data", job_lease=timedelta(seconds=1))
    context, other = open_context(settings), open_context(settings)
    upgrade(context.database)
    worker = Worker(context, {"sign": Handler(lambda *_: {}, lambda *_: None)})
    worker.start()
    before = worker.owner
    with context.database.write() as session:
        session.get_one(JobWorker, before).process = other.presence.name
    while worker.owner == before:
        threading.Event().wait(0.01)
    job = enqueue(context)
    while _state(context, job) != "succeeded":
        threading.Event().wait(0.01)
    worker.stop()
    context.close()
    other.close()


def test_a_worker_on_another_host_is_judged_by_its_heart_alone(context: Context, monkeypatch: Any) -> None:
    """Its clock may be wrong, and a lock on its file says nothing here."""
    members = Members(context)
    members.join()
    now = context.now()
    with context.database.write() as session:
        for name, beat_at in (("far.0", now - timedelta(days=1)), ("off.0", now + timedelta(days=1))):
            session.add(
                JobWorker(id=name, process=f"{name}.1", version=1, beats=1, beat_at=beat_at, started_at=beat_at)
            )
    members.observe()
    assert not members.is_dead("far.0")
    assert not members.is_dead("off.0")
    import time

    moment = time.monotonic()
    for later in (6, 120):
        monkeypatch.setattr("api.jobs.members.time.monotonic", lambda later=later: moment + later)
        with context.database.write() as session:
            session.get_one(JobWorker, "far.0").beats += 1
        members.observe()
        assert not members.is_dead("far.0")
        assert members.is_dead("off.0")
        members.bury()
        with context.database.read() as session:
            assert (session.get(JobWorker, "off.0") is None) is (later == 120), "it keeps its name for a while"
    with context.database.read() as session:
        assert set(session.scalars(select(JobWorker.id))) == {members.id, "far.0"}


def test_a_process_of_another_host_is_never_known_to_be_dead(tmp_path: Path) -> None:
    presence = Presence(tmp_path)
    other = "other.1.00112233"
    (tmp_path / f"{other}.lock").touch()  # a shared directory; nobody holds a lock that can be seen here
    assert not presence.is_dead(other)
    own = f"{presence.host}.1.00112233"
    (tmp_path / f"{own}.lock").touch()
    assert presence.is_dead(own)
    presence.close()


def test_readyz_and_doctor_say_how_jobs_are(context: Context, capsys: pytest.CaptureFixture[str]) -> None:
    from api.cli import main

    assert upkeep.warnings(context) == ["jobs: no worker is at work"]
    members = Members(context)
    members.join()
    assert upkeep.warnings(context) == []
    job = enqueue(context)
    with context.database.write() as session:
        session.get_one(Job, job).run_after -= timedelta(hours=1)
    (late,) = upkeep.warnings(context)
    assert late.startswith("jobs: 1 wait for a worker, the first since ")
    with context.database.write() as session:
        session.get_one(JobWorker, members.id).version = 2
    assert "jobs: a worker runs version 2 of jobs, this process makes version 1" in upkeep.warnings(context)
    assert main(["doctor", "--no-measure", "--service", "--data", str(context.settings.data)]) == 0
    said = capsys.readouterr().out
    assert "Jobs:\n  carried by dbos " in said
    assert f"worker {members.id}, version 2 of jobs" in said
    assert f"warning: {late}" in said


@pytest.mark.parametrize(("name", "text"), [("THREADS", "0"), ("THREADS", "x"), ("LEASE", "0"), ("LEASE", "-1")])
def test_settings_that_are_none(name: str, text: str) -> None:
    with pytest.raises(ConfigurationError):
        from_environment({f"SEALROAD_JOB_{name}": text})


def test_settings_of_jobs() -> None:
    found = from_environment({"SEALROAD_JOB_THREADS": "4", "SEALROAD_JOB_LEASE": "60"})
    assert (found.job_threads, found.job_lease) == (4, timedelta(minutes=1))


# the engine's guard --------------------------------------------------------------------------------------------------
def test_the_installed_engine_is_one_we_vouch_for() -> None:
    guard.check()


@pytest.mark.parametrize("version", ["3.3.9", "4.0.0", "2.9", "10.1"])
def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(guard, "version", lambda: version)
    with pytest.raises(ConfigurationError, match="not known to work"):
        guard.check()


@pytest.mark.parametrize("name", ["DBOS__CLOUD", "DBOS__CONDUCTOR_KEY", "DBOS_DOMAIN", "DBOS__VMID"])
def test_an_environment_that_connects_to_the_vendor_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "true")
    with pytest.raises(ConfigurationError, match=name):
        guard.check()


def test_a_proprietary_part_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dbos_enterprise", object())
    with pytest.raises(ConfigurationError, match="proprietary"):
        guard.check()


def test_an_inside_that_looks_different_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard._queue, "queue_worker_thread", lambda stop, dbos, queue, more: None)
    with pytest.raises(ConfigurationError, match="started in another way"):
        guard.check()


def test_an_engine_that_reads_pickle_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard._serialization, "deserialize_args", lambda *_: None)
    with pytest.raises(ConfigurationError, match="reads pickle"):
        guard.check()


def test_pickle_is_neither_written_nor_read() -> None:
    guard.refuse_pickle()
    for read in (
        guard._serialization.DefaultSerializer().serialize,
        guard._serialization.DefaultSerializer().deserialize,
    ):
        with pytest.raises(guard.PickleRefused):
            read("gAROLg==")


def test_what_is_stored_is_json(context: Context) -> None:
    enqueue(context)
    with context.database.engine.connect() as connection:
        (inputs,) = connection.exec_driver_sql("SELECT inputs FROM workflow_input").scalars()
        (how,) = connection.exec_driver_sql("SELECT serialization FROM workflow_status").scalars()
    assert how == "portable_json"
    assert json.loads(inputs)["positionalArgs"][1] == 1


def test_no_key_of_the_vendor_is_given_and_nothing_proprietary_is_loaded(context: Context) -> None:
    """In a process of its own, in which a connection to anywhere is refused."""
    script = (
        "import socket, sys\n"
        "from pathlib import Path\n"
        "def refuse(*_, **__): raise AssertionError('a connection')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from api.config import Settings; from api.context import open_context\n"
        "from api.jobs.worker import Worker\n"
        "worker = Worker(open_context(Settings(data=Path(sys.argv[1]))), {})\n"
        "worker.start()\n"
        "dbos = worker._engine._dbos\n"
        "assert dbos.conductor_key is None and dbos.conductor_websocket is None\n"
        "assert dbos.transact_enterprise_key is None and dbos.auto_upgrader is None\n"
        "assert not any(name.split('.')[0] in ('dbos_enterprise', 'opentelemetry') for name in sys.modules)\n"
        "worker.stop()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(context.settings.data)], capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def test_one_room_knows_the_engine() -> None:
    knowing = {
        str(path.relative_to(ROOT))
        for package in ("api", "signer", "certs")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"^\s*(from|import) dbos\b", path.read_text(), re.MULTILINE)
    }
    assert knowing == {"api/jobs/engine.py", "api/jobs/guard.py"}


def test_no_table_of_ours_is_called_like_one_of_the_engine() -> None:
    from dbos._schemas.system_database import SystemSchema

    theirs = {table.name for table in SystemSchema.metadata_obj.tables.values()}
    assert theirs | {"dbos_migrations"} == engine.TABLES
    assert not engine.TABLES & set(Base.metadata.tables)


def test_the_engine_is_given_its_settings_by_us() -> None:
    """An executor id and a version of our own, JSON, no telemetry, no notifications."""
    source = inspect.getsource(Engine.start)
    for words in ('"executor_id": self._executor', '"application_version": str(VERSION)', '"enable_otlp": False'):
        assert words in source
    assert "conductor" not in source
