"""Jobs and workers that are killed, frozen, doubled and robbed of their tables: on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import base64
import os
import pickle
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from api.config import Settings
from api.context import Context, open_context
from api.jobs import engine, queue
from api.jobs.members import Members
from api.jobs.models import Job
from api.jobs.reconcile import Reconciler
from api.migrations import upgrade
from tests.api.job_worker import Bench, bench_of
from tests.api.postgres import Cluster, cluster

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as found:
        yield found


@pytest.fixture(params=["sqlite", "postgresql"])
def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with bench_of(request, tmp_path) as found:
        yield found


def inside(jobs: Bench, table: str) -> str:
    """Return the name of one of the engine's tables."""
    return table if jobs.context.database.embedded else f"{engine.SCHEMA}.{table}"


def execute(jobs: Bench, statement: str, **values: Any) -> None:
    with jobs.context.database.write() as session:
        session.execute(text(statement), values)


def kill(process: Any) -> None:
    process.kill()
    process.wait()


def test_a_killed_worker_goes_on_when_it_is_started_again(jobs: Bench) -> None:
    first = jobs.worker()
    job = jobs.enqueue()
    jobs.until(lambda: jobs.begun(job, first))
    kill(first)
    assert jobs.job(job).state == "running"
    second = jobs.worker()
    assert jobs.name_of(second) == jobs.name_of(first), "a slot is the same after a restart"
    jobs.open()
    found = jobs.finished(job)
    assert (found.attempts, found.result) == (2, {"by": second.pid})


def test_a_living_worker_takes_over_from_a_killed_one(jobs: Bench) -> None:
    names = {jobs.name_of(jobs.worker(lease=6)) for _ in range(2)}
    assert len(names) == 2, "different in every process"
    job = jobs.enqueue()
    dead = jobs.holder(job)
    kill(dead)
    jobs.open()
    found = jobs.finished(job)
    assert found.attempts == 2
    assert found.result != {"by": dead.pid}


def test_a_frozen_worker_that_wakes_up_commits_nothing(jobs: Bench) -> None:
    frozen = jobs.worker(lease=2)
    job = jobs.enqueue()
    jobs.until(lambda: jobs.begun(job, frozen))
    os.kill(frozen.pid, signal.SIGSTOP)
    second = jobs.worker(lease=2)
    jobs.until(lambda: jobs.begun(job, second))
    jobs.open()
    found = jobs.finished(job)
    os.kill(frozen.pid, signal.SIGCONT)
    jobs.until(lambda: any(row["pid"] == frozen.pid for row in jobs.journal.read("fenced")))
    assert jobs.job(job).result == {"by": second.pid}
    assert jobs.steps(job) == [0, 1, 2]
    assert found.sequence == jobs.job(job).sequence
    again = jobs.enqueue("work:2")  # both still work
    jobs.finished(again)


def test_two_workers_that_take_over_at_once_run_every_job_once(jobs: Bench) -> None:
    dead = jobs.worker(lease=6)
    found = [jobs.enqueue(f"work:{number}") for number in range(6)]
    jobs.until(lambda: sum(jobs.begun(job) for job in found) == 2)  # as many as a worker has threads
    others = [jobs.worker(lease=6, wait=False) for _ in range(2)]
    kill(dead)
    jobs.open()
    for job in found:
        assert jobs.finished(job).attempts <= 2
    assert {jobs.job(job).result["by"] for job in found} <= {other.pid for other in others}


def test_two_who_reconcile_at_once_hand_over_once(jobs: Bench, tmp_path: Path) -> None:
    found = [jobs.enqueue(f"work:{number}") for number in range(5)]
    with jobs.context.database.write() as session:
        for job in found:
            assert queue.begin(session, job, round=1, owner="gone", alive=lambda _: False, now=jobs.context.now())
    contexts = [open_context(Settings(data=tmp_path / "data", database=jobs.database)) for _ in range(2)]
    healed, ready = [], threading.Barrier(2)

    def reconcile(context: Context) -> None:
        own = Reconciler(context, Members(context), holds_job=lambda _: False, holds_round=lambda _: False)
        ready.wait(30)
        healed.append(own.run())

    threads = [threading.Thread(target=reconcile, args=(context,)) for context in contexts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(healed) == 5
    assert {jobs.job(job).round for job in found} == {2}
    rounds = engine.look_up(jobs.context.database, [f"work:{number}#{n}" for number in range(5) for n in (1, 2)])
    assert sorted(name for name, carried in rounds.items() if carried.active) == [f"work:{n}#2" for n in range(5)]
    for context in contexts:
        context.close()


def test_a_job_enqueued_twice_at_once_is_one(jobs: Bench) -> None:
    ready, ids = threading.Barrier(4), []

    def enqueue() -> None:
        ready.wait(30)
        ids.append(jobs.enqueue("work:same"))

    threads = [threading.Thread(target=enqueue) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 4
    assert len(set(ids)) == 1
    jobs.open()
    jobs.worker()
    assert jobs.finished(ids[0]).attempts == 1


def test_a_job_that_is_rolled_back_is_unknown_to_the_engine(jobs: Bench) -> None:
    def fail() -> None:
        with jobs.context.database.write() as session:
            asked = {"tenant_id": jobs.tenant, "kind": "work", "payload": {"gate": "1"}, "now": jobs.context.now()}
            assert queue.enqueue(session, key="work:undone", **asked).workflow_id == "work:undone#1"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert engine.look_up(jobs.context.database, ["work:undone#1"]) == {}
    with jobs.context.database.read() as session:
        assert session.query(Job).count() == 0
    kept = jobs.job(jobs.enqueue("work:kept")).workflow_id
    assert list(engine.look_up(jobs.context.database, [kept])) == ["work:kept#1"]


def test_a_worker_that_is_told_to_stop_finishes_what_it_has(jobs: Bench) -> None:
    worker = jobs.worker()
    job = jobs.enqueue()
    jobs.until(lambda: jobs.begun(job))
    worker.send_signal(signal.SIGTERM)
    waiting = jobs.enqueue("work:2")
    with pytest.raises(Exception, match="timed out"):
        worker.wait(1)
    jobs.open()
    assert worker.wait(60) == 0
    assert jobs.finished(job).attempts == 1
    assert jobs.job(waiting).state == "queued"


def test_a_database_that_goes_away_during_a_takeover(jobs: Bench, request: pytest.FixtureRequest) -> None:
    """PostgreSQL is restarted as after a crash; with SQLite somebody else holds the file."""
    first, second = jobs.worker(lease=3), jobs.worker(lease=3)
    found = [jobs.enqueue(f"work:{number}") for number in range(6)]
    jobs.until(lambda: sum(jobs.begun(job) for job in found) >= 3)
    kill(first)
    if jobs.context.database.embedded:
        with jobs.context.database.engine.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
            jobs.open()
            with pytest.raises(Exception, match="timed out"):
                second.wait(3)
            connection.exec_driver_sql("ROLLBACK")
    else:
        server = request.getfixturevalue("server")
        server.stop()
        jobs.open()
        with pytest.raises(Exception, match="timed out"):
            second.wait(2)
        server.start()
    for job in found:
        jobs.finished(job)
    assert second.poll() is None


def test_a_pickled_row_is_not_read_and_the_job_is_done(jobs: Bench, tmp_path: Path) -> None:
    """Whoever can write to the database cannot run code in a worker by that."""
    evidence = tmp_path / "ran"

    class Planted:
        def __reduce__(self) -> Any:
            return Path.touch, (evidence,)

    assert Planted().__reduce__()[1] == (evidence,)
    planted = base64.b64encode(pickle.dumps({"args": (Planted(), 1), "kwargs": {}})).decode()
    job = jobs.enqueue()
    status, inputs = inside(jobs, "workflow_status"), inside(jobs, "workflow_input")
    execute(jobs, f"UPDATE {inputs} SET inputs = :planted", planted=planted)
    execute(jobs, f"UPDATE {status} SET serialization = 'py_pickle'")
    jobs.open()
    jobs.worker(lease=3)
    assert jobs.finished(job).round > 1
    assert not evidence.exists()


def test_a_job_for_a_newer_version_waits_and_one_for_an_older_is_run(jobs: Bench) -> None:
    found = {version: jobs.enqueue(f"work:{version}") for version in (99, 0)}
    status = inside(jobs, "workflow_status")
    for version in found:
        statement = f"UPDATE {status} SET application_version = :version WHERE workflow_uuid = :id"
        execute(jobs, statement, version=str(version), id=f"work:{version}#1")
    jobs.open()
    jobs.worker(lease=3)
    assert jobs.finished(found[0]).round == 2
    jobs.finished(jobs.enqueue("work:ours"))
    assert jobs.job(found[99]).state == "queued"
    assert jobs.job(found[99]).round == 1


def test_nothing_is_lost_with_the_tables_of_the_engine(jobs: Bench) -> None:
    worker = jobs.worker()
    running = jobs.enqueue()
    jobs.until(lambda: jobs.begun(running))
    kill(worker)
    waiting = jobs.enqueue("work:2")
    if jobs.context.database.embedded:
        for table in sorted(engine.TABLES):
            execute(jobs, "PRAGMA defer_foreign_keys = ON")
            execute(jobs, f"DROP TABLE IF EXISTS {table}")
    else:
        execute(jobs, f"DROP SCHEMA {engine.SCHEMA} CASCADE")
    upgrade(jobs.context.database)
    jobs.open()
    jobs.worker()
    assert jobs.finished(running).attempts == 2
    assert jobs.finished(waiting).attempts == 1
