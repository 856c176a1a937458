"""The worker: executes jobs that the engine brings, shows that it lives, takes over from the dead, looks after timers.

    worker = Worker(context, handlers(), Timers())
    worker.start(); ...; worker.stop()
    worker.drain()                       # in tests: run what is due, in this thread, without an engine

Several processes, on several hosts, may work on one database.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from api.context import Context
from api.errors import JobCancelled, LeaseLost, problem
from api.jobs import queue
from api.jobs.members import Members
from api.jobs.models import Job
from api.jobs.queue import JobRun
from api.jobs.reconcile import Reconciler
from api.kit.bell import QUEUE
from api.pki.upkeep import PAUSE
from certs.errors import SealroadError

if TYPE_CHECKING:
    from api.jobs.engine import Engine

log = logging.getLogger("sealroad.jobs")

TICK: Final = 1.0
"""Seconds between looks at what is to be tried again."""
BEAT: Final = 5.0
"""Seconds between two beats, and between looks at who is dead and what is lost; shorter where the lease is short."""
PASSING: Final = frozenset({"time-stamp-error", "service-unavailable", "verifier-busy"})
"""Codes of failures that pass: the job waits and tries again, for as long as its contract is open."""
MAX_CRASHES: Final = 20
"""A job that was begun this often and never ended takes its workers down: it is given up."""
MAX_DEFECTS: Final = 3
"""How often a job is tried whose handler failed in a way nobody foresaw."""


@dataclass(frozen=True)
class Handler:
    """What a kind of job does. Both are idempotent."""

    run: Callable[[Context, JobRun], dict[str, Any] | None]
    """Do it; return the result, or None where the last transaction of the work has ended the job."""
    gave_up: Callable[[Context, JobRun, dict[str, Any]], None]
    """Clean up after the job failed for good, or was cancelled; gets the error."""


class Worker:
    """Has an engine's threads that work, one thread that beats and reconciles, and two that look after what is regular.

    The last only where `timers` are given: contracts and leftovers, and the circles. They may take long, and nobody
    must be taken for dead because of that.
    """

    def __init__(
        self,
        context: Context,
        handlers: Mapping[str, Handler],
        timers: Callable[[Context], None] | None = None,
    ) -> None:
        self._context, self._handlers, self._timers = context, handlers, timers
        self._members = Members(context)
        self._engine: Engine | None = None
        self._stop = threading.Event()
        self._unsubscribe: Callable[[], None] = lambda: None
        self._running: dict[str, int] = {}
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._reconciler = Reconciler(
            context, self._members, holds_job=self._running.__contains__, holds_round=self._holds_round
        )

    @property
    def owner(self) -> str:
        """The name of this worker among others."""
        return self._members.id

    @property
    def alive(self) -> bool:
        """Whether the threads run."""
        started = self._engine is not None and bool(self._threads)
        return started and self._engine_alive() and all(thread.is_alive() for thread in self._threads)

    def start(self) -> None:
        """Join the workers, take over from those that are dead, then work until `stop`. Raises ConfigurationError."""
        from api.jobs import engine

        database = self._context.database
        engine.prepare(database, migrate=database.embedded)
        try:
            self._enter()
        except BaseException:
            self._members.leave()
            raise
        self._unsubscribe = database.bell.subscribe(QUEUE, self.wake)
        targets = [self._attend] if self._timers is None else [self._attend, self._keep_time, self._look_after]
        for target in targets:
            thread = threading.Thread(target=target, name=f"sealroad-{target.__name__.strip('_')}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def _enter(self) -> None:
        """Take a name, take over from the dead, begin to take jobs."""
        from api.jobs.engine import Engine

        name = self._members.join()
        self.reconcile(grace=0)
        threads = self._context.settings.job_threads
        engine = Engine(self._context.database, name, self.execute, threads=threads)
        engine.start()
        self._engine = engine

    def wake(self) -> None:
        """Look at the queue now: the bell says that there is something in it."""
        if self._engine is not None:
            self._engine.ring()

    def stop(self) -> None:
        """Finish what is in hand, then end. Returns when it has."""
        engine = self._engine
        if engine is not None:
            engine.stop()  # while this worker still beats: what it finishes is its own
        self._stop.set()
        self._unsubscribe()
        for thread in self._threads:
            thread.join()
        if self._engine not in {None, engine}:
            self._engine.stop()
        if self._threads and self._timers is not None:
            self._context.upkeep.finish()
        self._threads.clear()
        self._engine = None
        self._members.leave()

    def reconcile(self, **options: float) -> int:
        """Hand over again what was lost; return how many jobs that were."""
        return self._reconciler.run(**options)

    def drain(self) -> int:
        """Run what is due now, in this thread; return how many jobs that were."""
        count = 0
        while True:
            with self._context.database.read() as session:
                due = select(Job.id, Job.round).where(Job.state == "queued", Job.run_after <= self._context.now())
                row = session.execute(due.order_by(Job.run_after, Job.id).limit(1)).one_or_none()
            if row is None or not self.execute(row[0], row[1]):
                return count
            count += 1

    def execute(self, job_id: str, round: int) -> bool:  # noqa: A002 - the column's name
        """Run one round of a job, if it is still to be run; tell whether it was."""
        context = self._context
        with self._lock:
            self._running[job_id] = self._running.get(job_id, 0) + 1
        try:
            with context.database.write() as session:
                run = queue.begin(
                    session,
                    job_id,
                    round=round,
                    owner=self.owner,
                    alive=self._members.is_alive,
                    now=context.now(),
                )
            if run is None:
                return False
            try:
                self._run(run)
            except LeaseLost:
                log.warning("job %s was taken over by another worker", run.id)
            return True
        finally:
            with self._lock:
                self._running[job_id] -= 1
                if not self._running[job_id]:
                    del self._running[job_id]

    # What the threads do ---------------------------------------------------------------------------------------------
    def _attend(self) -> None:
        every = min(BEAT, self._context.settings.job_lease.total_seconds() / 6)
        beaten = time.monotonic()
        while not self._stop.wait(min(TICK, every)):
            try:
                self._hand_over_due()
                if time.monotonic() - beaten < every:
                    continue
                beaten = time.monotonic()
                if not self._members.beat() or self._engine is None:
                    self._come_back()
                self._reconciler.run()
                self._members.bury()
                if self._engine is not None:
                    self._engine.tend()
            except Exception:  # the database may be away for a moment: the worker stays
                log.exception("the worker could not look after the jobs")

    def _come_back(self) -> None:
        """Enter again under another name: this worker was silent for so long that its own went to somebody else."""
        log.warning("the worker %s was taken for dead and begins again", self.owner)
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.stop()
        self._enter()

    def _hand_over_due(self) -> None:
        now = self._context.now()
        with self._context.database.read() as session:
            if not queue.any_due(session, now):
                return
        with self._context.database.write() as session:
            queue.hand_over_due(session, now)

    def _keep_time(self) -> None:
        assert self._timers is not None
        while not self._stop.wait(TICK):
            try:
                self._timers(self._context)
            except Exception:
                log.exception("the worker could not attend to the timers")

    def _look_after(self) -> None:
        upkeep = self._context.upkeep
        while not self._stop.is_set():
            try:
                upkeep()
            except Exception:
                log.exception("the worker could not look after the circles")
            self._stop.wait(PAUSE)

    def _holds_round(self, workflow_id: str) -> bool:
        return self._engine is not None and self._engine.holds(workflow_id)

    def _engine_alive(self) -> bool:
        return self._engine is not None and self._engine.alive

    # One attempt -----------------------------------------------------------------------------------------------------
    def _run(self, run: JobRun) -> None:
        context, handler = self._context, self._handlers.get(run.kind)
        if handler is None or run.attempt > MAX_CRASHES:
            self._give_up(run, {"code": "internal-error", "detail": "the job cannot be run"})
            return
        if run.cancel is not None:
            self._give_up(run, public(JobCancelled("the job was cancelled")), state="cancelled")
            return
        try:
            result = handler.run(context, run)
        except LeaseLost:
            raise
        except JobCancelled as error:
            self._give_up(run, public(error), state="cancelled")
            return
        except SealroadError as error:
            log.warning("job %s (%s), attempt %d: %s: %s", run.id, run.kind, run.attempt, error.code, error)
            if error.code in PASSING:
                self._postpone(run, public(error), attempts=min(run.attempt, MAX_CRASHES // 2))
            else:
                self._give_up(run, public(error))
            return
        except Exception:
            log.exception("job %s (%s), attempt %d", run.id, run.kind, run.attempt)
            failure = {"code": "internal-error", "detail": "The job could not be completed; the log has the details."}
            if run.attempt < MAX_DEFECTS:
                self._postpone(run, failure, attempts=run.attempt)
            else:
                self._give_up(run, failure)
            return
        if result is not None:
            with context.database.write() as session:
                queue.end(session, run, state="succeeded", result=result, now=context.now())

    def _postpone(self, run: JobRun, failure: dict[str, Any], *, attempts: int) -> None:
        until = self._context.now() + timedelta(seconds=min(2 ** (attempts - 1), 300))
        with self._context.database.write() as session:
            queue.postpone(session, run, until=until, attempts=attempts, error=failure)

    def _give_up(self, run: JobRun, failure: dict[str, Any], *, state: str = "failed") -> None:
        handler, closing = self._handlers.get(run.kind), run.to_close()
        if handler is not None:
            handler.gave_up(self._context, closing, failure)
        with self._context.database.write() as session:
            queue.end(session, closing, state=state, error=failure, now=self._context.now())


def public(error: SealroadError) -> dict[str, Any]:
    """Return what a client may know of a failure."""
    body = problem(error, instance="", request_id="")
    return {name: body[name] for name in ("code", "detail", "hint", "reason") if name in body}
