"""The worker: claims jobs, runs their handlers, keeps the leases alive, looks after timers.

    worker = Worker(context, handlers())
    worker.start(); ...; worker.stop()
    worker.drain()                       # in tests: run what is due, in this thread

Several processes may work on one database. A worker that starts takes back the jobs of processes on the same machine
that are dead (see `api.kit.presence`); those of other machines come back when their leases run out.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from api.context import Context
from api.errors import LeaseLost, problem
from api.jobs import queue
from api.jobs.queue import JobRun
from api.pki.upkeep import PAUSE
from certs.errors import SealroadError

log = logging.getLogger("sealroad.jobs")

POLL: Final = 1.0
"""Seconds between looks at the queue when nobody wakes the worker: jobs of other processes, retries."""
PASSING: Final = frozenset({"time-stamp-error", "service-unavailable"})
"""Codes of failures that pass: the job waits and tries again, for as long as its contract is open."""
MAX_CRASHES: Final = 20
"""A job that was begun this often and never ended takes its workers down: it is given up."""
MAX_DEFECTS: Final = 3
"""How often a job is tried whose handler failed in a way nobody foresaw."""


@dataclass(frozen=True)
class Handler:
    """What a kind of job does. Both are idempotent."""

    run: Callable[[Context, JobRun], dict[str, Any]]
    """Do it; return the result. May end the job itself, in its own transaction."""
    gave_up: Callable[[Context, JobRun, dict[str, Any]], None]
    """Clean up after the job failed for good; gets the error."""


class Worker:
    """A thread that works, one that keeps its lease alive and runs the timers, one that looks after the circles.

    The last only where `timers` are given. It uses keys, which may take long, and a lease must not wait for that.
    """

    def __init__(
        self,
        context: Context,
        handlers: Mapping[str, Handler],
        timers: Callable[[Context], None] | None = None,
    ) -> None:
        self._context, self._handlers, self._timers = context, handlers, timers
        self.owner = context.presence.name
        self._stop, self._work = threading.Event(), threading.Event()
        self._current: JobRun | None = None
        self._threads: list[threading.Thread] = []

    @property
    def alive(self) -> bool:
        """Whether the threads run."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    def start(self) -> None:
        """Take back the jobs of dead workers, then work until `stop`."""
        self.reconcile()
        targets = [self._loop, self._attend] if self._timers is None else [self._loop, self._attend, self._look_after]
        for target in targets:
            thread = threading.Thread(target=target, name=f"sealroad-{target.__name__.strip('_')}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def wake(self) -> None:
        """Say that there is something to do."""
        self._work.set()

    def stop(self) -> None:
        """Finish the job in hand, then end. Returns when it has."""
        self._stop.set()
        self._work.set()
        for thread in self._threads:
            thread.join()
        if self._threads and self._timers is not None:
            self._context.upkeep.finish()
        self._threads.clear()

    def reconcile(self) -> int:
        """Put back the jobs of workers on this machine that are dead; return how many."""
        with self._context.database.read() as session:
            others = [owner for owner in queue.owners(session) if owner != self.owner]
        dead = [owner for owner in others if self._context.presence.is_dead(owner)]
        if not dead:
            return 0
        with self._context.database.write() as session:
            return queue.release(session, dead, self._context.now())

    def drain(self) -> int:
        """Run what is due now, in this thread; return how many jobs that were."""
        count = 0
        while self._step():
            count += 1
        return count

    def _loop(self) -> None:
        while not self._stop.is_set():
            self._work.clear()
            try:
                busy = self._step()
            except Exception:  # the database may be away for a moment: the worker stays
                log.exception("the worker could not look at the queue")
                busy = False
            if not busy:
                self._work.wait(POLL)

    def _attend(self) -> None:
        lease = self._context.settings.job_lease
        last = time.monotonic()
        while not self._stop.wait(min(1.0, lease.total_seconds() / 3)):
            try:
                run = self._current
                if run is not None and time.monotonic() - last > lease.total_seconds() / 3:
                    last = time.monotonic()
                    with self._context.database.write() as session:
                        queue.renew(session, run, lease=lease, now=self._context.now())
                if self._timers is not None:
                    self._timers(self._context)
            except LeaseLost:
                pass  # the job ended in the meantime, or somebody else has it: its own transactions will notice
            except Exception:
                log.exception("the worker could not attend to leases and timers")

    def _look_after(self) -> None:
        upkeep = self._context.upkeep
        while not self._stop.is_set():
            try:
                upkeep()
            except Exception:
                log.exception("the worker could not look after the circles")
            self._stop.wait(PAUSE)

    def _step(self) -> bool:
        context = self._context
        with context.database.write() as session:
            run = queue.claim(session, owner=self.owner, lease=context.settings.job_lease, now=context.now())
        if run is None:
            return False
        self._current = run
        try:
            self._execute(run)
        except LeaseLost:
            log.warning("job %s was taken over by another worker", run.id)
        finally:
            self._current = None
        return True

    def _execute(self, run: JobRun) -> None:
        context, handler = self._context, self._handlers.get(run.kind)
        if handler is None or run.attempt > MAX_CRASHES:
            self._give_up(run, {"code": "internal-error", "detail": "the job cannot be run"})
            return
        try:
            result = handler.run(context, run)
        except LeaseLost:
            raise
        except SealroadError as error:
            log.warning("job %s (%s), attempt %d: %s: %s", run.id, run.kind, run.attempt, error.code, error)
            if error.code in PASSING:
                self._postpone(run, _public(error), attempts=min(run.attempt, MAX_CRASHES // 2))
            else:
                self._give_up(run, _public(error))
            return
        except Exception:
            log.exception("job %s (%s), attempt %d", run.id, run.kind, run.attempt)
            failure = {"code": "internal-error", "detail": "The job could not be completed; the log has the details."}
            if run.attempt < MAX_DEFECTS:
                self._postpone(run, failure, attempts=run.attempt)
            else:
                self._give_up(run, failure)
            return
        with context.database.write() as session:
            try:
                queue.end(session, run, state="succeeded", result=result, now=context.now())
            except LeaseLost:
                return  # the handler ended the job in its own last transaction

    def _postpone(self, run: JobRun, failure: dict[str, Any], *, attempts: int) -> None:
        until = self._context.now() + timedelta(seconds=min(2 ** (attempts - 1), 300))
        with self._context.database.write() as session:
            queue.postpone(session, run, until=until, attempts=attempts, error=failure)

    def _give_up(self, run: JobRun, failure: dict[str, Any]) -> None:
        handler = self._handlers.get(run.kind)
        if handler is not None:
            handler.gave_up(self._context, run, failure)
        with self._context.database.write() as session:
            queue.end(session, run, state="failed", error=failure, now=self._context.now())


def _public(error: SealroadError) -> dict[str, Any]:
    """Return what a client may know of a failure."""
    body = problem(error, instance="", request_id="")
    return {name: body[name] for name in ("code", "detail", "hint", "reason") if name in body}
