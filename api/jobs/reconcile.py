"""What makes up for everything that can be lost: our rows say what is to be done, the engine is asked whether it knows.

    healed = Reconciler(context, members, holds).run()

A job goes to the engine in a new round, and whoever has the old one is fenced off, when

1. its worker is dead, or is this one and knows nothing of it;
2. the engine lost its round, or thinks that it is over;
3. the engine gave its round to a worker that is dead, or to this one, which knows nothing of it (a database that was
   restarted between the two);
4. its round is for an older version of jobs which nobody alive runs. One for a newer version waits for such a worker.

Several workers may do this at once: the row is locked, looked at again, and its round is counted up by the first.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from sqlalchemy import select

from api.context import Context
from api.jobs import queue
from api.jobs.members import Members
from api.jobs.models import Job
from api.jobs.queue import VERSION

log = logging.getLogger("sealroad.jobs")

GRACE: Final = 5.0
"""Seconds that a round may be under way to a worker before anybody asks for it."""
BATCH: Final = 200
"""Rounds the engine is asked for at a time."""


class Reconciler:
    """Goes through the open jobs, some at a time. `holds` tells whether this process is at a job, or at a round."""

    def __init__(
        self,
        context: Context,
        members: Members,
        *,
        holds_job: Callable[[str], bool],
        holds_round: Callable[[str], bool],
    ) -> None:
        self._context, self._members = context, members
        self._holds_job, self._holds_round = holds_job, holds_round
        self._position = ""
        self._doubtful: dict[str, float] = {}
        """Rounds that seem to be lost, and since when: what is lost is lost twice."""

    def run(self, *, grace: float = GRACE) -> int:
        """Look at every running job and at the next of those that wait; return how many were handed over again."""
        with self._context.database.read() as session:
            running = session.scalars(select(Job).where(Job.state == "running")).all()
            waiting = session.scalars(
                select(Job)
                .where(Job.state == "queued", Job.handed_at.is_not(None), Job.id > self._position)
                .order_by(Job.id)
                .limit(BATCH)
            ).all()
        self._position = waiting[-1].id if len(waiting) == BATCH else ""
        self._members.observe()
        lost = [job for job in running if self._is_abandoned(job)] + self._lost(list(waiting))
        now = time.monotonic()
        since = {job.workflow_id: self._doubtful.get(job.workflow_id, now) for job in lost}
        self._doubtful = since
        healed = 0
        for job in lost:
            if self._is_certain(job) or now - since[job.workflow_id] >= grace:
                healed += self._hand_over_again(job)
        return healed

    def _is_abandoned(self, job: Job) -> bool:
        if job.owner == self._members.id:
            return not self._holds_job(job.id)
        return job.owner is None or self._members.is_dead(job.owner)

    def _is_certain(self, job: Job) -> bool:
        return job.state == "running" and job.owner != self._members.id

    def _lost(self, waiting: list[Job]) -> list[Job]:
        from api.jobs import engine

        known = engine.look_up(self._context.database, [job.workflow_id for job in waiting])
        versions = self._members.versions | {VERSION}
        lost = []
        for job in waiting:
            carried = known.get(job.workflow_id)
            if carried is None or not carried.active:
                lost.append(job)
            elif carried.started and carried.executor is not None:
                mine = carried.executor == self._members.id
                if (mine and not self._holds_round(job.workflow_id)) or self._members.is_dead(carried.executor):
                    lost.append(job)
            elif carried.version is not None and carried.version < VERSION and carried.version not in versions:
                lost.append(job)
        return lost

    def _hand_over_again(self, seen: Job) -> int:
        from api.jobs import engine

        with self._context.database.write() as session:
            job = session.get(Job, seen.id, with_for_update=True)
            if job is None or (job.round, job.state, job.token) != (seen.round, seen.state, seen.token):
                return 0
            queue.requeue(session, job, self._context.now())
        log.warning("job %s (%s) is handed over again: %s had it", seen.id, seen.kind, seen.owner or "nobody")
        engine.discard(self._context.database, [seen.workflow_id])
        return 1
