"""A job as a stream of server-sent events (HTML Standard, section 9.2).

    id: 3
    event: progress
    data: {"total":5,"done":2,"failed":0}

Events are `progress`, `item` and, at the end, `done`. They are rows, written by the transaction that did what they tell
of; so a client that was cut off resumes with `Last-Event-ID`, at whatever process. A comment every 15 seconds keeps the
connection, and a stream ends after some minutes: `EventSource` comes back by itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from api.context import Context
from api.jobs.models import Job
from api.jobs.queue import ENDED, events_after
from api.kit.bell import follow

MEDIA_TYPE: Final = "text/event-stream"
HEARTBEAT: Final = 15.0
LIFE: Final = 600.0
"""Seconds after which a stream ends."""
PAUSE: Final = 1.0
"""Seconds between two looks, where the bell does not ring."""
RETRY: Final = 2000
"""Milliseconds after which a client should come back."""


def stream(context: Context, job_id: str, after: int, stopping: Callable[[], bool]) -> StreamingResponse:
    """Return the events of a job after one, and those to come. Whoever asks may read the job."""
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}  # the latter: nginx passes it on as it comes
    return StreamingResponse(_events(context, job_id, after, stopping), media_type=MEDIA_TYPE, headers=headers)


async def _events(context: Context, job_id: str, after: int, stopping: Callable[[], bool]) -> AsyncIterator[str]:
    begun = said = time.monotonic()
    yield f"retry: {RETRY}\n\n"
    with follow(context.database.bell, job_id) as rung:
        while not stopping() and time.monotonic() - begun < LIFE:
            ended, found = await run_in_threadpool(_look, context, job_id, after)
            for sequence, kind, body in found:
                after, said = sequence, time.monotonic()
                yield event(sequence, kind, body)
            if ended and not found:
                return
            if time.monotonic() - said >= HEARTBEAT:
                said = time.monotonic()
                yield ": still here\n\n"
            if not found:
                await rung(PAUSE)


def event(sequence: int, kind: str, body: dict[str, object]) -> str:
    """Return one event; JSON has no line breaks of its own."""
    return f"id: {sequence}\nevent: {kind}\ndata: {json.dumps(body, ensure_ascii=False, separators=(',', ':'))}\n\n"


def _look(context: Context, job_id: str, after: int) -> tuple[bool, list[tuple[int, str, dict[str, object]]]]:
    with context.database.read() as session:
        job = session.get(Job, job_id)
        found = [(row.sequence, row.type, row.body) for row in events_after(session, job_id, after)]
    return job is None or job.state in ENDED, found
