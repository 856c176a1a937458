"""A worker in a process of its own, which can be killed, frozen and watched.

    python -m tests.api.job_worker DATA DATABASE LEASE [POLL]

Its jobs have steps. A step says in the journal that it begins, waits for a gate (a file), and commits what it did. The
journal is what was begun; the events of the job are what counts.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from api.auth.repository import tenant_named
from api.auth.service import create_tenant
from api.config import Settings
from api.context import Context, open_context
from api.errors import LeaseLost
from api.jobs import engine, queue
from api.jobs.models import Job, JobEvent
from api.jobs.queue import JobRun
from api.jobs.worker import Handler, Worker
from api.migrations import upgrade

if TYPE_CHECKING:  # workers are processes of their own, which need none of it
    import pytest

_numbers = itertools.count(1)
SECONDS = 90
STEPS = 3


class Journal:
    def __init__(self, data: Path) -> None:
        self._path = data / "journal"

    def write(self, event: str, **facts: Any) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps({"event": event, "pid": os.getpid(), **facts}) + "\n")

    def read(self, event: str) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        rows = [json.loads(line) for line in self._path.read_text().splitlines() if line.endswith("}")]
        return [row for row in rows if row["event"] == event]


def gate(data: Path, name: str) -> Path:
    return data / f"gate-{name}"


def handler(data: Path) -> Handler:
    journal = Journal(data)

    def run(context: Context, run: JobRun) -> dict[str, Any]:
        with context.database.read() as session:
            done = session.get_one(Job, run.id).done
        try:
            for step in range(done, STEPS):
                journal.write("begun", job=run.id, step=step)
                while not gate(data, run.payload["gate"]).exists():
                    time.sleep(0.02)
                with context.database.write() as session:
                    item = {"step": step, "pid": os.getpid()}
                    queue.progress(session, run, now=context.now(), total=STEPS, done=step + 1, item=item)
        except LeaseLost:
            journal.write("fenced", job=run.id)
            raise
        return {"by": os.getpid()}

    return Handler(run, lambda *_: None)


def main(data: Path, database: str, lease: float, poll: float | None = None) -> None:
    if poll is not None:
        engine.POLL.update(dict.fromkeys((True, False), poll))
    context = open_context(Settings(data=data, database=database, job_lease=timedelta(seconds=lease)))
    nothing = Handler(lambda *_: {}, lambda *_: None)
    worker, stop = Worker(context, {"work": handler(data), "nothing": nothing}), threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    worker.start()
    Journal(data).write("up", name=worker.owner)
    stop.wait()
    worker.stop()
    context.close()


class Bench:
    """A database, and the workers on it."""

    def __init__(self, data: Path, database: str) -> None:
        self.data, self.database, self.journal = data, database, Journal(data)
        self.context = open_context(Settings(data=data, database=database, worker=False))
        upgrade(self.context.database)
        self.processes: list[subprocess.Popen[bytes]] = []
        with self.context.database.write() as session:
            self.tenant = create_tenant(session, "bench", now=self.context.now()).id

    def worker(self, *, lease: float = 20, wait: bool = True, poll: float | None = None) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.api.job_worker", str(self.data), self.database, str(lease)]
        command += [] if poll is None else [str(poll)]
        process = subprocess.Popen(command, cwd=Path(__file__).parents[2])
        self.processes.append(process)
        if wait:
            self.until(lambda: self.name_of(process) is not None)
        return process

    def name_of(self, process: subprocess.Popen[bytes]) -> str | None:
        return next((row["name"] for row in self.journal.read("up") if row["pid"] == process.pid), None)

    def enqueue(self, key: str = "work:1", gate: str = "1", **more: Any) -> str:
        with self.context.database.write() as session:
            tenant = tenant_named(session, "bench")
            assert tenant is not None
            job = queue.enqueue(
                session,
                tenant_id=tenant.id,
                kind=more.get("kind", "work"),
                key=key,
                payload={"gate": gate},
                now=self.context.now(),
            )
            return job.id

    def open(self, name: str = "1") -> None:
        gate(self.data, name).touch()

    def job(self, job: str) -> Job:
        with self.context.database.read() as session:
            return session.get_one(Job, job)

    def begun(self, job: str, process: subprocess.Popen[bytes] | None = None) -> bool:
        rows = self.journal.read("begun")
        return any(row["job"] == job and (process is None or row["pid"] == process.pid) for row in rows)

    def holder(self, job: str) -> subprocess.Popen[bytes]:
        """Return the process that was the last to begin a step of a job."""
        self.until(lambda: self.begun(job))
        pid = [row["pid"] for row in self.journal.read("begun") if row["job"] == job][-1]
        return next(process for process in self.processes if process.pid == pid)

    def until(self, done: Callable[[], bool]) -> None:
        limit = time.monotonic() + SECONDS
        while not done():
            assert time.monotonic() < limit
            time.sleep(0.05)

    def finished(self, job: str) -> Job:
        """Wait for the end of a job; every step of it was committed once, in order."""
        self.until(lambda: self.job(job).state in queue.ENDED)
        found = self.job(job)
        assert (found.state, found.done, found.total) == ("succeeded", STEPS, STEPS), found.error
        assert self.steps(job) == list(range(STEPS))
        return found

    def steps(self, job: str) -> list[int]:
        with self.context.database.read() as session:
            query = select(JobEvent).where(JobEvent.job_id == job, JobEvent.type == "item")
            return [row.body["step"] for row in session.scalars(query.order_by(JobEvent.sequence))]

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        self.context.close()


@contextmanager
def bench_of(request: pytest.FixtureRequest, directory: Path) -> Iterator[Bench]:
    """Give a bench on what a fixture is parametrised with: SQLite, or a new database of the fixture `server`."""
    if request.param == "sqlite":
        url = f"sqlite:///{directory / 'jobs.sqlite3'}"
    else:
        url = request.getfixturevalue("server").create(f"jobs{next(_numbers)}")
    with bench(directory / "data", url) as found:
        yield found


@contextmanager
def bench(data: Path, database: str) -> Iterator[Bench]:
    data.mkdir(parents=True, exist_ok=True)
    found = Bench(data, database)
    try:
        yield found
    finally:
        found.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *map(float, sys.argv[3:]))
