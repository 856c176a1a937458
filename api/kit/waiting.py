"""A GET that waits until there is something new, in place of one every tenth of a second (RFC 7240, `Prefer: wait`).

    GET /v1/jobs/job_…          Prefer: wait=30                             when the job has ended
    GET /v1/contracts/con_…     Prefer: wait=30, If-None-Match: "v7"        when it has another version; else 304

A route says in its `openapi_extra` that it WAITS. The ordinary handler answers, and again whenever the bell rings for
the object in the path, until its answer is one that was waited for or the seconds are over. So whoever asks is asked
for the key each time, and no thread is held between two looks. Where the bell does not ring there is a look now and
then: after one second, and then after as long as it has waited already.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from fastapi import Request
from starlette.responses import Response

from api.kit.bell import Bell, follow

LONGEST: Final = 60
"""Seconds; who prefers to wait longer waits so long."""
MOST: Final = 1000
"""Requests of one process that wait; the others are answered at once."""
TICK: Final = 1.0
"""Seconds between two looks whether the client is still there, and the server does not stop."""
REST: Final = 0.05
"""Seconds between two looks at an object of which the bell rings all the time."""
ROOM: Final = 1000
"""Characters of all Prefer fields; more are not read."""

WAITS: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "prefer",
            "in": "header",
            "required": False,
            "schema": {"type": "string"},
            "description": f"`wait=30`: the answer may come so many seconds later, {LONGEST} at most (RFC 7240): when "
            "a job has ended, or when a contract has a version that `If-None-Match` does not name.",
        }
    ]
}
"""What marks a route whose answers can be waited for, and documents it."""

_NAME: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_WORD: Final = rf'(?:{_NAME}|"(?:[^"\\]|\\.)*")'
_PREFERENCE: Final = re.compile(
    rf"[ \t]*(?:(?P<name>{_NAME})(?:[ \t]*=[ \t]*(?P<value>{_WORD}))?"
    rf"(?:[ \t]*;(?:[ \t]*{_NAME}(?:[ \t]*=[ \t]*{_WORD})?)?)*)?[ \t]*"
)
"""One preference with its parameters, or none: a list may have empty elements (RFC 7240 clause 2, RFC 9110 5.6.1)."""


class Answer(Response):
    """An answer that knows whether it is the one that was waited for."""

    def __init__(self, *args: Any, settled: bool | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.settled = settled


def preferred(fields: Iterable[str]) -> int | None:
    """Return how many seconds the Prefer fields of a request wish to wait; None where nothing sensible is said.

    The first of several counts; what is malformed is ignored.
    """
    wishes = [value for name, value in _preferences(",".join(fields)) if name == "wait"]
    if not wishes or not (wishes[0].isascii() and wishes[0].isdecimal()):
        return None
    return min(int(wishes[0]), LONGEST) or None


def _preferences(field: str) -> list[tuple[str, str]]:
    if len(field) > ROOM:
        return []
    found, position = [], 0
    while position <= len(field):
        match = _PREFERENCE.match(field, position)
        assert match is not None  # it matches nothing as well
        if field[match.end() : match.end() + 1] not in {"", ","}:
            return []
        found.append(((match["name"] or "").lower(), (match["value"] or "").strip('"')))
        position = match.end() + 1
    return found


async def answered(request: Request, answer: Callable[[Request], Awaitable[Response]], bell: Bell) -> Response:
    """Answer a request, at once or when there is what it waits for."""
    seconds, state = preferred(request.headers.getlist("prefer")), request.app.state
    if seconds is None or state.waiting >= MOST:
        return await answer(request)
    (word,) = request.path_params.values()
    state.waiting += 1
    try:
        with follow(bell, word) as rung:
            return await _answered(request, answer, rung, seconds)
    finally:
        state.waiting -= 1


async def _answered(
    request: Request,
    answer: Callable[[Request], Awaitable[Response]],
    rung: Callable[[float], Awaitable[bool]],
    seconds: int,
) -> Response:
    began = time.monotonic()
    response = await answer(request)
    if getattr(response, "settled", None) is None and "if-none-match" not in request.headers:
        return response
    while not _is_settled(response):
        now = time.monotonic()
        due = min(now + max(TICK, now - began), began + seconds)
        if now >= due or not await _look_again(request, rung, due):
            break
        await asyncio.sleep(max(0.0, now + REST - time.monotonic()))
        response = await answer(request)
    response.headers["preference-applied"] = f"wait={seconds}"
    return response


def _is_settled(response: Response) -> bool:
    settled: bool | None = getattr(response, "settled", None)
    return response.status_code != 304 if settled is None else settled


async def _look_again(request: Request, rung: Callable[[float], Awaitable[bool]], due: float) -> bool:
    """Wait for the bell, until a moment at most; tell whether anybody still waits for the answer."""
    while not request.app.state.stopping and not await request.is_disconnected():
        left = due - time.monotonic()
        if left <= 0 or await rung(min(left, TICK)):
            return True
    return False
