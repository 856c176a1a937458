"""The workers there are: each has a name of its own and a heart-beat; whoever falls silent is taken for dead.

    members = Members(context)
    members.join()              # "host.0": the first slot of this host that is free, the same again after a restart
    members.beat(); members.observe()
    members.is_dead("host.1")

A worker is dead when its process is known to be gone (`api.kit.presence`: at once, on the same machine), when it has
left, or when its heart has not beaten for a lease by the watch of whoever looks: clocks of hosts need not agree. One
that was taken for dead and is not (frozen, cut off) commits nothing more: its tokens are replaced.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from api.context import Context
from api.jobs.models import JobWorker
from api.jobs.queue import VERSION

PATIENCE: Final = 20
"""Leases after which nobody expects a silent worker back."""


@dataclass(frozen=True)
class _Sight:
    process: str
    version: int
    beats: int
    since: float


class Members:
    """What one process knows of the workers; `id` is its own name among them once it has joined."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._host = context.presence.host
        self._lease = context.settings.job_lease.total_seconds()
        self._seen: dict[str, _Sight] = {}
        self._joined = False
        self.id = context.presence.name

    def join(self) -> str:
        """Take the first free slot of this host and return the name that goes with it."""
        presence, now = self._context.presence, self._context.now()
        for slot in itertools.count():
            name = f"{self._host}.{slot}"
            with self._context.database.write() as session:
                row = session.get(JobWorker, name, with_for_update=True)
                if row is not None and not presence.is_dead(row.process):
                    continue
                if row is None:
                    row = JobWorker(id=name)
                    session.add(row)
                row.process, row.version, row.beats = presence.name, VERSION, 1
                row.beat_at = row.started_at = now
                try:
                    session.flush()
                except IntegrityError:  # another process was first
                    session.rollback()
                    continue
            self.id, self._joined = name, True
            return name
        raise AssertionError

    def beat(self) -> bool:
        """Show that this worker lives; one that was removed by others comes back. False: another one has its name."""
        now, process = self._context.now(), self._context.presence.name
        with self._context.database.write() as session:
            done = session.execute(
                update(JobWorker)
                .where(JobWorker.id == self.id, JobWorker.process == process)
                .values(beats=JobWorker.beats + 1, beat_at=now)
                .returning(JobWorker.id)
            )
            if done.scalar() is not None:
                return True
            if session.get(JobWorker, self.id) is not None:
                return False
            session.add(JobWorker(id=self.id, process=process, version=VERSION, beats=1, beat_at=now, started_at=now))
            return True

    def leave(self) -> None:
        """Take the name off the list."""
        if not self._joined:
            return
        with self._context.database.write() as session:
            process = self._context.presence.name
            session.execute(delete(JobWorker).where(JobWorker.id == self.id, JobWorker.process == process))
        self._joined = False

    def observe(self) -> None:
        """Look at everybody."""
        with self._context.database.read() as session:
            rows = session.scalars(select(JobWorker)).all()
        now, before = time.monotonic(), self._seen
        self._seen = {}
        for row in rows:
            old = before.get(row.id)
            same = old is not None and (old.process, old.beats) == (row.process, row.beats)
            since = old.since if old is not None and same else now
            self._seen[row.id] = _Sight(row.process, row.version, row.beats, since)

    def is_dead(self, name: str) -> bool:
        """Tell whether a worker is gone, as far as `observe` has seen."""
        if name == self.id:
            return False
        sight = self._seen.get(name)
        if sight is None:
            return True
        return self._context.presence.is_dead(sight.process) or time.monotonic() - sight.since > self._lease

    def is_alive(self, name: str) -> bool:
        """Look again, and tell whether a worker lives."""
        self.observe()
        return not self.is_dead(name)

    @property
    def versions(self) -> set[int]:
        """The versions of jobs that somebody who lives can run."""
        return {sight.version for name, sight in self._seen.items() if not self.is_dead(name)}

    def bury(self) -> None:
        """Remove those that are dead; their jobs have been taken over.

        One that is only silent keeps its name for a while: it may be frozen, and nobody else shall be called so.
        """
        for name, sight in self._seen.items():
            silent = time.monotonic() - sight.since > PATIENCE * self._lease
            if name != self.id and (silent or self._context.presence.is_dead(sight.process)):
                with self._context.database.write() as session:
                    session.execute(delete(JobWorker).where(JobWorker.id == name, JobWorker.beats == sight.beats))
