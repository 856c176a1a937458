"""A bell: whoever waits for something is told at once that it may have happened, in this process or in another.

    bell = Bell(Pipes(data / "processes"))              # how it gets to other processes: `api.kit.lines`
    end = bell.subscribe("queue", worker.wake)
    announce(session, "queue", job.id)                  # rings when, and only when, `Database.write` has committed

    with follow(bell, job.id) as rung:                  # in a coroutine: no thread is held
        await rung(1.0)

Words are "queue" (there is something in it), the id of a job (it has moved or ended), the id of a contract (it has
another version). A ring is a hint. It may be lost, and may come twice or for nothing; so whoever subscribes looks for
itself when it rings, and now and then when it does not. Nothing here raises to those who ring, or makes them wait.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, Protocol

from sqlalchemy.orm import Session

log = logging.getLogger("sealroad.bell")

QUEUE: Final = "queue"
"""There is something in the queue of jobs."""
WORD: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST: Final = 4000
"""Octets of a line. A pipe takes 4,096 in one piece (PIPE_BUF), a notification of PostgreSQL less than 8,000."""
_ANNOUNCED: Final = "announced"


class Line(Protocol):
    """How rings get from one process to the others. A line is words with blanks between."""

    def listen(self, hear: Callable[[str], None]) -> None:
        """Begin to listen, in a thread; `hear` gets every line that comes. Raises nothing."""

    def promise(self, session: Session, line: str) -> None:
        """Have a line sent by the commit of this transaction, if the database can do that."""

    def send(self, line: str) -> None:
        """Send a line after the commit, if the database has not. Raises nothing, waits for nobody."""

    def close(self) -> None:
        """Listen no longer."""


class Bell:
    """The bell of one process; without a line nobody else hears it. Listens from the first subscription on."""

    def __init__(self, line: Line | None = None) -> None:
        self._line, self._name = line, secrets.token_hex(8)
        self._subscribers: dict[str, list[Callable[[], None]]] = {}
        self._lock, self._listens = threading.Lock(), False

    def subscribe(self, word: str, call: Callable[[], None]) -> Callable[[], None]:
        """Have `call` called, in any thread, when a word is rung; return what ends that. It must not take long."""
        with self._lock:
            self._subscribers.setdefault(word, []).append(call)
            begins, self._listens = not self._listens, True
        if begins and self._line is not None:
            self._line.listen(self._hear)
        return lambda: self._unsubscribe(word, call)

    def promise(self, session: Session, words: Sequence[str]) -> None:
        """Say in a transaction what its commit will ring."""
        if self._line is not None:
            for line in self._lines(words):
                self._line.promise(session, line)

    def ring(self, words: Sequence[str]) -> None:
        """Ring, after the commit."""
        self._tell(words)
        if self._line is not None:
            for line in self._lines(words):
                self._line.send(line)

    def close(self) -> None:
        """Listen no longer."""
        if self._line is not None:
            self._line.close()

    def _unsubscribe(self, word: str, call: Callable[[], None]) -> None:
        with self._lock, suppress(KeyError, ValueError):
            self._subscribers[word].remove(call)
            if not self._subscribers[word]:
                del self._subscribers[word]

    def _hear(self, line: str) -> None:
        name, *words = line.split(" ")
        if name != self._name:  # these were told when they were rung
            self._tell(words)

    def _tell(self, words: Iterable[str]) -> None:
        with self._lock:
            calls = [call for word in words for call in self._subscribers.get(word, ())]
        for call in calls:
            try:
                call()
            except Exception:  # what goes wrong there is no matter of whoever rang
                log.exception("a subscriber of the bell failed")

    def _lines(self, words: Iterable[str]) -> Iterator[str]:
        line = self._name
        for word in words:
            if not WORD.fullmatch(word):
                continue
            if len(line) + 1 + len(word) > LONGEST:
                yield line
                line = self._name
            line += f" {word}"
        if line != self._name:
            yield line


def announce(session: Session, *words: str) -> None:
    """Let words ring when this transaction has been committed."""
    session.info.setdefault(_ANNOUNCED, {}).update(dict.fromkeys(words))


def announced(session: Session) -> list[str]:
    """Return what a transaction has announced."""
    found: dict[str, Any] = session.info.get(_ANNOUNCED, {})
    return list(found)


@contextmanager
def follow(bell: Bell, word: str) -> Iterator[Callable[[float], Awaitable[bool]]]:
    """Give a coroutine what waits for a word, so many seconds at most, and tells whether it was rung.

    What was rung since the last wait counts: look, then wait, and nothing is missed.
    """
    loop, event = asyncio.get_running_loop(), asyncio.Event()

    def heard() -> None:
        with suppress(RuntimeError):  # the loop has just been closed
            loop.call_soon_threadsafe(event.set)

    async def rung(seconds: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)
        was = event.is_set()
        event.clear()
        return was

    end = bell.subscribe(word, heard)
    try:
        yield rung
    finally:
        end()
