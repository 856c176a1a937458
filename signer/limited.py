"""Work on hostile input in a process of its own, under limits of time and memory, for any process with threads.

    with Child("signer.rendering_child:answer") as child:
        png = child.ask({"page": 1, "dpi": 72}, data)          # LimitReached, ChildFault

The child runs `signer.limited_child` with the name of one function. It is started with the first question,
answers one at a time and may be kept for many; one that takes too long, needs too much or dies is ended, and the next
question starts a new one. Nothing but octets and plain JSON crosses the border. Two limits guard each question: the
child counts its own processor time and memory (`resource`), this side the clock. Where this process is itself confined
(`signer.forked`), the child is a fork of it, which has everything loaded, within limits that are no wider.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, Self

from signer.forked import ChildFault, LimitReached, confined, fork_of

SECONDS = 20
"""Of the clock, and of the processor, for one question."""
MEMORY = 2 << 30
"""Octets of address space."""
MAX_ANSWER = 256 << 20
REQUEST = struct.Struct(">IQ")
"""Octets of the header (JSON) and of the body that follow."""
ANSWER = struct.Struct(">BQ")
"""0 for an answer, 1 for the name of an exception; octets that follow."""
KEPT_FOR = 500
"""Questions, after which a child is replaced, so that what it may have leaked does not stay."""


class _Process(Protocol):
    """What is needed of `subprocess.Popen`."""

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None

    def poll(self) -> int | None: ...

    def kill(self) -> None: ...

    def wait(self) -> int: ...


class Child:
    """One task in a process of its own; safe to use from several threads, one question at a time."""

    def __init__(self, task: str, *, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self._task = task
        self._seconds = seconds
        self._memory = memory
        self._process: _Process | None = None
        self._owner = 0
        self._asked = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def ask(self, header: dict[str, Any], body: bytes) -> bytes:
        """Return the child's answer. Raises LimitReached, ChildFault."""
        with self._lock:
            deadline = time.monotonic() + self._seconds
            process = self._running()
            encoded = json.dumps(header).encode()
            try:
                status, answer = _exchange(process, (REQUEST.pack(len(encoded), len(body)) + encoded, body), deadline)
            except (OSError, LimitReached) as error:
                self._end()
                raise LimitReached(str(error) or "the child process was ended by its limits") from error
            except BaseException:
                self._end()  # an answer nobody waits for would be taken for the next one
                raise
            self._asked += 1
            if self._asked >= KEPT_FOR:
                self._end()
        if status:
            raise ChildFault(answer.decode("utf-8", "replace"))
        return answer

    def close(self) -> None:
        """End the child, if there is one."""
        with self._lock:
            self._end()

    def start(self) -> None:
        """Start the child now, so that it is ready when the question comes."""
        with self._lock:
            self._running()

    def _running(self) -> _Process:
        if self._process is not None and self._owner != os.getpid():
            self._process = None  # a fork has the parent's child: not ours to talk to, nor to end
        if self._process is None or self._process.poll() is not None:
            self._end()
            try:
                self._process = self._forked() if confined() else self._started()
            except OSError as error:
                raise ChildFault(f"no process can be started: {type(error).__name__}") from error
            assert self._process.stdin is not None
            os.set_blocking(self._process.stdin.fileno(), False)
            self._owner = os.getpid()
            self._asked = 0
        return self._process

    def _started(self) -> _Process:
        root = str(Path(__file__).resolve().parent.parent)
        environment = {key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL", "TZ") if key in os.environ}
        command = [
            sys.executable,
            "-P",
            "-m",
            "signer.limited_child",
            self._task,
            str(self._seconds),
            str(self._memory),
        ]
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment, "PYTHONPATH": root},
            cwd="/",
        )

    def _forked(self) -> _Process:
        from signer.limited_child import answer_all

        return fork_of(lambda source, sink: answer_all(self._task, self._seconds, self._memory, source, sink))

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        process.wait()


def _exchange(process: _Process, parts: tuple[bytes, bytes], deadline: float) -> tuple[int, bytes]:
    """Send a question and return status and answer. Raises LimitReached, OSError."""
    assert process.stdin is not None
    assert process.stdout is not None
    waiting = [memoryview(part) for part in parts if part]
    answer = bytearray()
    wanted = ANSWER.size
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdin, selectors.EVENT_WRITE)
        selector.register(process.stdout, selectors.EVENT_READ)
        while len(answer) < wanted:
            left = deadline - time.monotonic()
            events = selector.select(max(left, 0))
            if left <= 0 or not events:
                raise LimitReached("the time limit was reached")
            for key, _ in events:
                if key.fileobj is process.stdin:
                    waiting[0] = waiting[0][os.write(key.fd, waiting[0][: 1 << 16]) :]
                    waiting = [part for part in waiting if part]
                    if not waiting:
                        selector.unregister(process.stdin)
                    continue
                piece = os.read(key.fd, 1 << 16)
                if not piece:
                    raise LimitReached("the child process was ended by its limits")
                answer += piece
                if len(answer) >= ANSWER.size:
                    wanted = ANSWER.size + ANSWER.unpack_from(answer)[1]
                    if wanted > MAX_ANSWER:
                        raise LimitReached("the answer is too large")
    return ANSWER.unpack_from(answer)[0], bytes(answer[ANSWER.size :])


__all__ = ["ANSWER", "REQUEST", "Child", "ChildFault", "LimitReached"]
