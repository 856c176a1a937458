"""What carrying a job costs: against beginning and ending the same rows without an engine; and two workers against one.

    python -m benchmarks jobs

The jobs do nothing, so all that is measured is overhead: two transactions of ours, and what the engine adds for each
job. A row says how long that took on the wall in worker processes that were already running.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

from sqlalchemy import func, select

from api.jobs import engine, queue
from api.jobs.models import Job
from api.jobs.worker import Handler, Worker
from benchmarks.compare import Row, Table
from tests.api.job_worker import Bench, bench
from tests.api.postgres import cluster

JOBS, QUICK_JOBS = 100, 10
ROUNDS = 3


def run(*, quick: bool = False) -> list[Table]:
    """Return a table for each database there is."""
    count, rounds = (QUICK_JOBS, 1) if quick else (JOBS, ROUNDS)
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        return [_table(name, found, count, rounds) for name, found in _benches(Path(directory), stack)]


def _benches(directory: Path, stack: ExitStack) -> Iterator[tuple[str, Bench]]:
    with bench(directory / "sqlite", f"sqlite:///{directory / 'jobs.sqlite3'}") as found:
        yield "SQLite", found
    try:
        server = stack.enter_context(cluster())
    except BaseException as error:  # pytest's way to skip
        if type(error).__name__ != "Skipped":
            raise
        return
    with bench(directory / "postgresql", server.create("jobs")) as found:
        yield "PostgreSQL (fsync off)", found


def _table(name: str, found: Bench, count: int, rounds: int) -> Table:
    times: dict[str, list[float]] = {"enqueue": [], "without": [], "one": [], "two": []}
    for number in range(rounds):
        start = perf_counter()
        _enqueue(found, f"a{number}", count)
        times["enqueue"].append((perf_counter() - start) / count)
        start = perf_counter()
        handlers = {"nothing": Handler(lambda *_: {}, lambda *_: None)}
        assert Worker(found.context, handlers).drain() == count
        times["without"].append((perf_counter() - start) / count)
        engine.discard(found.context.database, [f"a{number}:{item}#1" for item in range(count)])
    for who in ("one", "two"):
        found.worker()
        for number in range(rounds):
            _enqueue(found, f"{who}{number}", count)
            found.until(lambda who=who, number=number: _ended(found, f"{who}{number}") == count)
            times[who].append(_seconds(found, f"{who}{number}") / count)
    rows = [
        Row("enqueued in one transaction", _ms(times["enqueue"]), ""),
        _row("carried by the engine, without it", times["one"], times["without"]),
        _row("two workers, one worker", times["two"], times["one"]),
    ]
    return Table(f"jobs on {name}: milliseconds for a job that does nothing", "first", "second", rows)


def _row(what: str, ours: list[float], peer: list[float]) -> Row:
    return Row(what, _ms(ours), _ms(peer), tuple(a / b for a, b in zip(ours, peer, strict=True)))


def _ms(times: list[float]) -> str:
    return f"{sorted(times)[len(times) // 2] * 1000:.2f} ms"


def _enqueue(found: Bench, word: str, count: int) -> None:
    with found.context.database.write() as session:
        for number in range(count):
            queue.enqueue(
                session,
                tenant_id=found.tenant,
                kind="nothing",
                key=f"{word}:{number}",
                payload={},
                now=found.context.now(),
            )


def _ended(found: Bench, word: str) -> int:
    with found.context.database.read() as session:
        query = select(func.count()).where(Job.key.startswith(f"{word}:"), Job.state == "succeeded")
        return session.scalar(query) or 0


def _seconds(found: Bench, word: str) -> float:
    with found.context.database.read() as session:
        query = select(func.min(Job.started_at), func.max(Job.finished_at)).where(Job.key.startswith(f"{word}:"))
        first, last = session.execute(query).one()
    return float((last - first).total_seconds())
