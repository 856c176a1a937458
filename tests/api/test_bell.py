"""The bell: who is told what, by which commit, across processes; and that nobody waits for it or depends on it.

What must not be heard is followed by something that is: rings come in the order in which they were rung.
"""

from __future__ import annotations

import asyncio
import logging
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from api.config import Settings
from api.context import open_context
from api.db import Database
from api.jobs import engine
from api.jobs.worker import Handler, Worker
from api.kit import lines
from api.kit.bell import LONGEST, QUEUE, Bell, announce, follow
from api.kit.lines import Channel, Pipes
from tests.api.job_worker import SECONDS, Bench, bench, bench_of
from tests.api.postgres import Cluster, cluster

NEVER = 86400.0


class Ear:
    """Hears some words of a bell."""

    def __init__(self, bell: Bell, *words: str) -> None:
        self.heard: list[str] = []
        self._changed = threading.Condition()
        for word in words:
            bell.subscribe(word, lambda word=word: self._hear(word))

    def _hear(self, word: str) -> None:
        with self._changed:
            self.heard.append(word)
            self._changed.notify_all()

    def until(self, word: str) -> list[str]:
        """Wait for a word; return what was heard until then."""
        with self._changed:
            assert self._changed.wait_for(lambda: word in self.heard, SECONDS), self.heard
            return list(self.heard)


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as found:
        yield found


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.interop)])
def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with bench_of(request, tmp_path) as found:
        found.open()
        yield found


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Bell, Bell]]:
    """Bells of two processes that share a directory."""
    found = Bell(Pipes(tmp_path)), Bell(Pipes(tmp_path))
    yield found
    for bell in found:
        bell.close()
    assert list(tmp_path.glob("*.bell")) == []


def listeners(jobs: Bench) -> set[int]:
    """Return who listens: processes with a pipe, or connections of PostgreSQL."""
    if jobs.context.database.embedded:
        return {int(path.name.split(".")[0]) for path in (jobs.data / "processes").glob("*.bell")}
    query = (
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'sealroad-bell' AND state = 'idle' AND query LIKE"
    )
    with jobs.context.database.read() as session:
        return set(session.scalars(text(f"{query} 'LISTEN%' AND datname = current_database()")))


def listening(jobs: Bench, *, ears: int) -> None:
    jobs.until(lambda: len(listeners(jobs)) == ears)


def undo(database: Database, *words: str) -> None:
    """Announce words in a transaction that is rolled back."""
    with suppress(ZeroDivisionError), database.write() as session:
        announce(session, *words)
        session.flush()
        raise ZeroDivisionError


# one process ---------------------------------------------------------------------------------------------------------
def test_who_subscribes_is_told_until_it_has_had_enough() -> None:
    bell, heard = Bell(), []
    first = bell.subscribe("a", lambda: heard.append(1))
    bell.subscribe("a", lambda: heard.append(2))
    bell.ring(["a", "b"])
    assert heard == [1, 2]
    first()
    first()
    bell.ring(["a"])
    assert heard == [1, 2, 2]


def test_a_subscriber_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    bell, heard = Bell(), []
    bell.subscribe("a", lambda: 1 / 0)
    bell.subscribe("a", lambda: heard.append(1))
    bell.ring(["a"])
    assert heard == [1]
    assert "a subscriber of the bell failed" in caplog.text


def test_a_commit_rings_what_was_announced_and_a_rollback_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    ear = Ear(database.bell, "a", "b", "c")
    undo(database, "a")
    with database.write() as session:
        announce(session, "b", "c")
        announce(session, "b")
        assert ear.heard == []
    assert ear.heard == ["b", "c"]
    with database.write():
        pass
    assert ear.heard == ["b", "c"], "the next transaction rings nothing of this one"
    database.close()


def test_a_coroutine_waits_and_misses_nothing_between_two_looks() -> None:
    bell = Bell()

    async def waiting() -> list[bool]:
        with follow(bell, "a") as rung:
            bell.ring(["a"])
            bell.ring(["a"])
            found = [await rung(NEVER), await rung(0.001)]
            asyncio.get_running_loop().call_later(0.01, bell.ring, ["a"])
            return [*found, await rung(NEVER)]

    assert asyncio.run(waiting()) == [True, False, True]
    assert bell._subscribers == {}


# two processes on one machine ----------------------------------------------------------------------------------------
def test_a_ring_reaches_whoever_shares_the_directory(two: tuple[Bell, Bell], tmp_path: Path) -> None:
    here, there = two
    near, far = Ear(here, "a", "b"), Ear(there, "a", "b")
    here.ring(["a", "b"])
    assert near.heard == ["a", "b"]
    assert far.until("b") == ["a", "b"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("*.bell")} == {0o600}
    there.ring(["a"])
    here.ring(["b"])
    assert near.heard.count("b") == 2, "once each: nobody hears himself from outside"


def test_many_words_are_several_lines(two: tuple[Bell, Bell]) -> None:
    here, there = two
    words = [f"job_{number:032d}" for number in range(500)]
    far = Ear(there, *words)
    here.ring(words)
    assert far.until(words[-1]) == words


def test_what_is_no_word_is_not_sent(two: tuple[Bell, Bell]) -> None:
    here, there = two
    far = Ear(there, "a", "x" * 65)
    here.ring(["x" * 65, "б", "a\na", "", "a"])
    assert far.until("a") == ["a"]


@pytest.mark.parametrize("garbage", [b"\xff\0 \n", b"a" * 3 * LONGEST + b"\n", b"\n" * 9, b"x b", b" b \n"])
def test_garbage_in_a_pipe_is_ignored(two: tuple[Bell, Bell], tmp_path: Path, garbage: bytes) -> None:
    here, there = two
    far = Ear(there, "a")
    (path,) = tmp_path.glob("*.bell")
    pipe = os.open(path, os.O_WRONLY)
    os.write(pipe, garbage + b"\n")
    os.close(pipe)
    here.ring(["a"])
    assert far.until("a") == ["a"]


def test_a_full_pipe_blocks_nobody(two: tuple[Bell, Bell], tmp_path: Path) -> None:
    here, there = two
    far = Ear(there, "a")
    path = tmp_path / "0.full.bell"
    os.mkfifo(path)
    full = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    with suppress(BlockingIOError):
        while True:
            os.write(full, b"x" * 1000)
    here.ring(["a"])
    assert far.until("a") == ["a"]
    os.close(full)
    here.ring(["a"])
    assert not path.exists(), "nobody reads it any more"


@pytest.mark.parametrize("kind", ["file", "link", "directory"])
def test_what_is_no_pipe_is_left_alone(two: tuple[Bell, Bell], tmp_path: Path, kind: str) -> None:
    here, there = two
    far = Ear(there, "a")
    target, path = tmp_path / "target", tmp_path / "x.bell"
    target.write_bytes(b"as it was")
    if kind == "file":
        path.write_bytes(b"as it was")
    elif kind == "link":
        path.symlink_to(target)
    else:
        path.mkdir()
    here.ring(["a"])
    assert far.until("a") == ["a"]
    assert target.read_bytes() == b"as it was"
    assert kind != "file" or path.read_bytes() == b"as it was"
    path.rmdir() if kind == "directory" else path.unlink()


def test_where_no_pipe_can_be_made_the_bell_is_silent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bell = Bell(Pipes(tmp_path / "nowhere"))
    near = Ear(bell, "a")
    bell.ring(["a"])
    bell.close()
    assert near.heard == ["a"]
    assert len(caplog.records) == 1


# workers in processes of their own -----------------------------------------------------------------------------------
def test_a_worker_hears_of_a_job_and_tells_of_its_end(jobs: Bench) -> None:
    """It would look by itself once a day."""
    bell = jobs.context.database.bell
    bell.subscribe("nothing", lambda: None)
    jobs.worker(poll=NEVER)
    listening(jobs, ears=2)
    job = jobs.enqueue()
    ended = threading.Event()
    bell.subscribe(job, lambda: ended.set() if jobs.job(job).state == "succeeded" else None)
    assert ended.wait(SECONDS) or jobs.job(job).state == "succeeded"
    jobs.finished(job)


def test_two_workers_hear_of_jobs(jobs: Bench) -> None:
    for _ in range(2):
        jobs.worker(poll=NEVER)
    listening(jobs, ears=2)
    for job in [jobs.enqueue(f"work:{number}") for number in range(6)]:
        jobs.finished(job)


def test_a_rolled_back_transaction_rings_nowhere(jobs: Bench) -> None:
    ear = Ear(jobs.context.database.bell, "undone", "done", QUEUE)
    listening(jobs, ears=1)
    context = open_context(Settings(data=jobs.data, database=jobs.database, worker=False))
    undo(context.database, "undone", QUEUE)
    with context.database.write() as session:
        announce(session, "done")
    context.close()
    assert ear.until("done") == ["done"]


def test_a_worker_whose_bell_is_dead_looks_by_itself(jobs: Bench) -> None:
    jobs.worker()
    listening(jobs, ears=1)
    silence(jobs)
    jobs.finished(jobs.enqueue())


def test_the_pipe_of_a_killed_process_is_removed(tmp_path: Path) -> None:
    with bench(tmp_path / "data", f"sqlite:///{tmp_path / 'jobs.sqlite3'}") as jobs:
        process = jobs.worker()
        assert listeners(jobs) == {process.pid}
        process.kill()
        process.wait()
        assert listeners(jobs) == {process.pid}
        jobs.enqueue()
        assert listeners(jobs) == set()


def silence(jobs: Bench) -> None:
    if jobs.context.database.embedded:
        for path in (jobs.data / "processes").glob("*.bell"):
            path.unlink()
        return
    for pid in listeners(jobs):
        with jobs.context.database.read() as session:
            session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})


def test_a_worker_in_this_process_is_rung(jobs: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "POLL", {True: NEVER, False: NEVER})
    worker = Worker(jobs.context, {"work": Handler(lambda *_: {}, lambda *_: None)})
    worker.start()
    try:
        job = jobs.enqueue()
        jobs.until(lambda: jobs.job(job).state == "succeeded")
    finally:
        worker.stop()
    assert QUEUE not in jobs.context.database.bell._subscribers


# PostgreSQL ----------------------------------------------------------------------------------------------------------
@pytest.mark.interop
@pytest.mark.parametrize("jobs", ["postgresql"], indirect=True)
def test_a_connection_that_is_lost_is_made_again(jobs: Bench, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    monkeypatch.setattr(lines, "PAUSE", 0.05)
    ear = Ear(jobs.context.database.bell, "a")
    listening(jobs, ears=1)
    before = listeners(jobs)
    silence(jobs)
    jobs.until(lambda: len(listeners(jobs)) == 1 and listeners(jobs) != before)
    with jobs.context.database.write() as session:
        session.execute(text("SELECT pg_notify('sealroad', 'somebody a')"))
    assert ear.until("a") == ["a"]
    assert [record.levelno for record in caplog.records if record.name == "sealroad.bell"] == [logging.WARNING]


@pytest.mark.interop
def test_a_postgresql_that_is_away_is_told_of_once_and_stops_nothing(
    server: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(lines, "PAUSE", 0.01)
    database = Database(server.url("nowhere"))
    tries, connect = threading.Semaphore(0), lines._wait

    def wait(*given: Any) -> None:
        tries.release()
        connect(*given)

    monkeypatch.setattr(lines, "_wait", wait)
    bell = Bell(Channel(database.engine))
    near = Ear(bell, "a")
    for _ in range(3):
        assert tries.acquire(timeout=SECONDS)
    bell.ring(["a"])
    assert near.heard == ["a"]
    bell.close()
    database.close()
    assert len([record for record in caplog.records if record.name == "sealroad.bell"]) == 1
