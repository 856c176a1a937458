"""The engine behind the port: dbos carries each round of a job from the commit that made it to one worker.

    prepare(database, migrate=True)                # its tables: in the same SQLite file, or in the schema `dbos`
    hand_over(session, job)                        # in the caller's transaction, rolled back with it
    engine = Engine(database, "host.0", execute, threads=2)
    engine.start(); engine.ring(); engine.stop()

This module and its guard are the only ones that know dbos. What we take from it: an outbox on the same connection, a
queue that several processes and hosts may empty, and a record of which process has what. What a job is, whether it has
been done, when it is tried again and who may commit is in our own table, so its tables may be lost.

dbos is one per process, and so is `Engine`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from weakref import WeakKeyDictionary

from dbos import DBOS, DBOSClient, DBOSConfig, _queue
from dbos._error import DBOSInitializationError
from sqlalchemy.orm import Session

from api.db import Database
from api.errors import ConfigurationError
from api.jobs import guard, queue
from api.jobs.models import Job
from api.jobs.queue import VERSION

log = logging.getLogger("sealroad.jobs")

APPLICATION: Final = "sealroad"
QUEUE: Final = "jobs"
WORKFLOW: Final = "run-job"
SCHEMA: Final = "dbos"
POLL: Final = {True: 1.0, False: 0.25}
"""Seconds between looks at the queue, embedded or not, where the bell does not ring."""
SETTLE: Final = 1.0
"""Seconds, at most, from the execution of a round until its place is free."""
TICK: Final = 0.002
BREATH: Final = 0.01
"""Seconds between two looks, however often it rings: dbos counts a round only when a thread has taken it up."""
TABLES: Final = frozenset(
    {
        *("application_versions", "dbos_migrations", "notifications", "operation_outputs", "queues", "streams"),
        *("workflow_events", "workflow_events_history", "workflow_input", "workflow_output", "workflow_schedules"),
        "workflow_status",
    }
)
"""Its tables, which in SQLite stand beside ours: none of ours may have such a name."""
AFTERMATH: Final = 10.0
"""Seconds for which a stop waits for dbos to note that a round is over; our own rows say it already."""
_ACTIVE: Final = frozenset({"ENQUEUED", "DELAYED", "PENDING"})
_BATCH: Final = 500

logging.getLogger("dbos").addHandler(logging.NullHandler())  # else dbos prints by a handler of its own
logging.getLogger("dbos").propagate = True

_clients: WeakKeyDictionary[Database, DBOSClient] = WeakKeyDictionary()
_current: Engine | None = None
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Carried:
    """What the engine knows of one round."""

    active: bool
    started: bool
    executor: str | None
    version: int | None


def prepare(database: Database, *, migrate: bool) -> None:
    """Make the engine's tables, or see that they are there. Raises ConfigurationError."""
    guard.check()
    if migrate:
        DBOS.migrate(_url(database), schema=SCHEMA)
        return
    try:
        _client(database)._sys_db.verify_migrations()  # noqa: SLF001
    except DBOSInitializationError:
        raise ConfigurationError("the tables of the job engine are not there", hint="run 'sealroad migrate'") from None


def hand_over(session: Session, job: Job) -> None:
    """Give a round of a job to the engine, in the caller's transaction. The same round twice is one."""
    client = _client(session.info["database"])
    client.enqueue_in_transaction(
        session,
        {
            "queue_name": QUEUE,
            "workflow_name": WORKFLOW,
            "workflow_id": job.workflow_id,
            "app_version": str(VERSION),
            "application_name": APPLICATION,
        },
        job.id,
        job.round,
    )


def look_up(database: Database, rounds: Iterable[str]) -> dict[str, Carried]:
    """Return what the engine knows of these rounds."""
    wanted = list(rounds)
    if not wanted:
        return {}
    found = _client(database).list_workflows(workflow_ids=wanted, load_input=False, load_output=False)
    return {
        row.workflow_id: Carried(
            active=row.status in _ACTIVE,
            started=row.status == "PENDING",
            executor=row.executor_id,
            version=int(row.app_version) if row.app_version and row.app_version.isdecimal() else None,
        )
        for row in found
    }


def discard(database: Database, rounds: Iterable[str]) -> None:
    """Tell the engine that rounds are over, whatever became of them."""
    gone = list(rounds)
    if gone:
        _client(database).cancel_workflows(gone)


def sweep(database: Database, before: datetime) -> int:
    """Forget rounds that ended before a moment; return how many."""
    client, count = _client(database), 0
    while True:
        rows = client.list_workflows(
            status=["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
            end_time=before.isoformat(),
            queue_name=QUEUE,
            limit=_BATCH,
            load_input=False,
            load_output=False,
        )
        if not rows:
            return count
        client.delete_workflows([row.workflow_id for row in rows])
        count += len(rows)


class Engine:
    """Takes rounds from the queue and has them executed, in threads of this process."""

    def __init__(self, database: Database, executor: str, execute: Callable[[str, int], Any], *, threads: int) -> None:
        self._database, self._executor, self._execute, self._threads = database, executor, execute, threads
        self._pulse = _Pulse(self._settled)
        self._dbos: DBOS | None = None
        self._thread: threading.Thread | None = None
        self._executing, self._room = 0, threading.Semaphore(threads)
        self._lock = threading.Lock()

    @property
    def alive(self) -> bool:
        """Whether it takes jobs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin to take jobs. Raises ConfigurationError: a second engine in this process, tables that are missing."""
        global _current
        guard.check()
        with _one_at_a_time:
            if _current is not None:
                raise ConfigurationError("a job worker runs in this process already", hint="start another process")
            config: DBOSConfig = {
                "name": APPLICATION,
                "system_database_url": _url(self._database),
                "dbos_system_schema": SCHEMA,
                "executor_id": self._executor,
                "application_version": str(VERSION),
                "serializer": guard.SERIALIZER,
                "sys_db_pool_size": self._threads + 4,
                "use_listen_notify": False,
                "notification_listener_polling_interval_sec": 0.2,  # of what we do not use: how long a stop takes
                "scheduler_polling_interval_sec": 3600.0,  # nor that
                "run_migrations": self._database.embedded,
                "enable_otlp": False,
                "log_level": "WARNING",
            }
            try:
                _current, self._dbos = self, DBOS(config=config)
                DBOS.listen_queues([])  # its own threads empty no queue of ours: ours does, which can be woken
                DBOS.launch()
                self._empty_the_queue()
            except DBOSInitializationError as error:
                self._withdraw()
                log.warning("the job engine: %s", error)
                raise ConfigurationError(
                    "the tables of the job engine are not there", hint="run 'sealroad migrate'"
                ) from None
            except BaseException:
                self._withdraw()
                raise

    def ring(self) -> None:
        """Say that there may be something in the queue, or room for more."""
        self._pulse.ring()

    def tend(self) -> None:
        """Begin again to empty the queue, where dbos has stopped that: its table was gone for a moment."""
        if self._dbos is not None and not self.alive and not self._pulse.is_set():
            log.warning("the queue of jobs is looked after again")
            self._empty_the_queue()

    def holds(self, workflow_id: str) -> bool:
        """Tell whether this process is at a round."""
        return self._dbos is not None and workflow_id in self._dbos._active_workflows_set.activeList()  # noqa: SLF001

    def stop(self) -> None:
        """Take no more; return when what is in hand is done."""
        if self._dbos is None:
            return
        self._pulse.set()
        if self._thread is not None:
            self._thread.join()
        waited = 0.0
        while self._executing or (waited < AFTERMATH and self._dbos._active_workflows_set.activeList()):  # noqa: SLF001
            time.sleep(0.01)
            waited = 0.0 if self._executing else waited + 0.01
        with _one_at_a_time:
            self._withdraw()

    def _withdraw(self) -> None:
        global _current  # noqa: PLW0603
        self._pulse.set()
        DBOS.destroy()
        self._dbos = _current = None

    def execute(self, job_id: str, number: int) -> None:
        """Execute one round. Nothing is raised: what happened is in our own table.

        Where looks follow one another quickly, dbos may take a round more than it should: that one waits here.
        """
        with self._lock:
            self._executing += 1
        try:
            with self._room:
                self._execute(job_id, number)
        except Exception:
            log.exception("job %s could not be carried", job_id)
        finally:
            with self._lock:
                self._executing -= 1
            if self._more():
                self._pulse.ring()

    def _more(self) -> bool:
        """Tell whether a round waits, for the place that is free now. To look is a tenth of a look into the queue."""
        try:
            with self._database.read() as session:
                return queue.any_handed(session)
        except Exception:
            log.exception("it is not known whether another job waits")
            return True

    def _settled(self) -> bool:
        return self._dbos is None or len(self._dbos._active_workflows_set.activeList()) <= self._executing  # noqa: SLF001

    def _empty_the_queue(self) -> None:
        assert self._dbos is not None
        ours = DBOS.register_queue(
            QUEUE, worker_concurrency=self._threads, polling_interval_sec=POLL[self._database.embedded]
        )
        self._thread = threading.Thread(
            target=_queue.queue_worker_thread, args=(self._pulse, self._dbos, ours), name="sealroad-queue", daemon=True
        )
        self._thread.start()


class _Pulse(threading.Event):
    """What dbos takes for the event that ends its queue; it also cuts the pause between two looks short.

    When a round has been executed, dbos still notes its end before its place is free: `settled` tells when. A look
    before that would find no place, and nobody would ring again for what it left.
    """

    def __init__(self, settled: Callable[[], bool]) -> None:
        super().__init__()
        self._settled, self._bell = settled, threading.Event()

    def ring(self) -> None:
        self._bell.set()

    def set(self) -> None:
        super().set()
        self._bell.set()

    def wait(self, timeout: float | None = None) -> bool:
        super().wait(BREATH)
        self._bell.wait(timeout)
        self._bell.clear()
        limit = time.monotonic() + SETTLE
        while not self._settled() and time.monotonic() < limit and not super().wait(TICK):
            pass
        return self.is_set()


@DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
def _run_job(job_id: str, number: int) -> None:
    engine = _current
    if engine is not None:
        engine.execute(job_id, number)


def _client(database: Database) -> DBOSClient:
    client = _clients.get(database)
    if client is None:
        guard.check()
        client = DBOSClient(
            system_database_engine=database.engine.execution_options(sealroad_write=True),
            dbos_system_schema=SCHEMA,
            serializer=guard.SERIALIZER,
            application_name=APPLICATION,
            lazy=True,
            retry_connection_errors=False,
        )
        _clients[database] = client
    return client


def _url(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)
