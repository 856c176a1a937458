"""One piece of work on hostile input, in a fork of this process that cannot leave its limits.

    fork = Fork(lambda line: verdict_on(data), Limits(seconds=20, memory=1 << 30))
    octets = fork.result()                                    # LimitReached, ChildFault

A fork costs milliseconds, starts with everything this process has loaded, and lives for one piece of work: what a file
does to it ends with it. Only octets come back, through a pipe, up to a size; the other way nothing goes unless this
side serves (`serve`), for example what is fetched from a network the child does not use.

Fork only where one thread runs; a service with threads has `signer.limited`, whose child may fork in its turn.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import os
import resource
import select
import signal
import struct
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, NoReturn

FRAME = struct.Struct(">BQ")
"""Kind of what follows, and how many octets it has."""
ANSWER, FAULT, MEMORY, REQUEST = range(4)
FILES = 64
"""Open files: the modules that are loaded late, and the pipes of a second parser."""
MAX_REQUESTS = 200
"""Questions one child may have served."""
OUT_OF_MEMORY = 77
"""Exit code of a child that has not even the memory to say so."""
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38


class LimitReached(Exception):
    """The work was not done within the limits, or the child died of it. Stays inside `signer`."""

    def __init__(self, message: str = "", *, crashed: bool = False) -> None:
        super().__init__(message)
        self.crashed = crashed
        """Whether no limit of ours ended it."""


class ChildFault(Exception):
    """The child could not do what it was asked; the text is the name of its exception. Stays inside `signer`."""


@dataclass(frozen=True)
class Limits:
    """What one piece of work may use."""

    seconds: float = 20
    """On the clock, and of the processor."""
    memory: int = 1 << 30
    """Octets of address space, what the parent had loaded included; half of it at least is the child's own.

    A parent with many threads, or a large file, may have more than that already.
    """
    answer: int = 64 << 20
    """Octets that come back."""
    serving: float = 60
    """Seconds that this side may need to serve requests; they do not count as the child's."""


Ask = Callable[[bytes], bytes]
"""What a child calls to have something done by its parent."""

_confined = False


def confined() -> bool:
    """Tell whether this process is such a child."""
    return _confined


def confine(seconds: float | None, memory: int, *, parent: int | None = None) -> None:
    """Limit this process for good: processor, memory, files, privileges; it dies with `parent`, where that is given.

    `seconds` is None for a child that counts them anew for every question. `memory` as in `Limits`: a process that has
    more than that loaded, a fork of a large one, gets half of it for itself. A limit that stands is never raised.
    """
    global _confined  # noqa: PLW0603 - it is the process that this is about
    _confined = True
    sys.dont_write_bytecode = True
    if seconds is not None:
        _lower(resource.RLIMIT_CPU, int(seconds) + 1)
    for what, value in (
        (resource.RLIMIT_AS, max(memory, _loaded() + memory // 2)),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, FILES),
    ):
        _lower(what, value)
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if parent is not None:
        _die_with(parent)


def _loaded() -> int:
    """Return the address space of this process, octets; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - nothing more than is needed, in a fork
            return int(file.read().split()[0]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return 0


def _die_with(parent: int) -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)  # it died before it could be watched


def _lower(what: int, value: int) -> None:
    hard = resource.getrlimit(what)[1]
    limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (limit, limit))


class Fork:
    """Work begun in a child; `result` waits for it."""

    def __init__(self, work: Callable[[Ask], bytes], limits: Limits, serve: Ask | None = None) -> None:
        self._limits = limits
        self._serve = serve
        self._requests = 0
        self._served = 0.0
        self._received = bytearray()
        self._outcome: bytes | Exception | None = None
        self.usage: resource.struct_rusage | None = None
        """What the child used, once it has ended."""
        self._deadline = time.monotonic() + limits.seconds
        parent = os.getpid()
        self._up, up = os.pipe()
        down, self._down = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _live(work, limits, parent, up, down)
        os.close(up)
        os.close(down)
        os.set_blocking(self._up, False)
        os.set_blocking(self._down, False)

    @property
    def done(self) -> bool:
        """Whether `result` will not wait."""
        return self._outcome is not None

    def result(self) -> bytes:
        """Return what the work returned. Raises LimitReached, ChildFault."""
        try:
            while self._outcome is None:
                wait((self,))
        except BaseException:
            self.close()
            raise
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    def close(self) -> None:
        """End the child, if it still runs."""
        if self._outcome is None:
            self._end(LimitReached("nobody waits for it any more"))

    def look(self) -> None:
        """Read what has come, without waiting, and end a child whose time is over."""
        try:
            while piece := os.read(self._up, 1 << 18):
                self._received += piece
                if not self._frames():
                    return
        except BlockingIOError:
            if time.monotonic() >= self._deadline:
                self._end(LimitReached(f"it takes longer than {self._limits.seconds:g} s"))
            return
        self._end(None)

    def left(self) -> float:
        """Return the seconds the child still has."""
        return max(0.0, self._deadline - time.monotonic())

    def _frames(self) -> bool:
        """Deal with what was received whole; False when that was the last."""
        while len(self._received) >= FRAME.size:
            kind, size = FRAME.unpack_from(self._received)
            if size > self._limits.answer:
                self._end(LimitReached("its answer is too large"))
                return False
            if len(self._received) < FRAME.size + size:
                return True
            payload = bytes(self._received[FRAME.size : FRAME.size + size])
            del self._received[: FRAME.size + size]
            if kind != REQUEST:
                self._end(_outcome(kind, payload))
                return False
            if not self._answered(payload):
                return False
        return True

    def _answered(self, payload: bytes) -> bool:
        """Serve a request; the child waits meanwhile, so the clock stands still for it."""
        self._requests += 1
        if self._serve is None or self._requests > MAX_REQUESTS or self._served > self._limits.serving:
            self._end(LimitReached("it asks for more than it may have"))
            return False
        begun = time.monotonic()
        reply = self._serve(payload)
        _write(self._down, FRAME.pack(ANSWER, len(reply)) + reply, self._deadline + time.monotonic() - begun)
        spent = time.monotonic() - begun
        self._served += spent
        self._deadline += spent
        return True

    def _end(self, outcome: bytes | Exception | None) -> None:
        """End the child and keep the outcome; None: it ended by itself, without an answer."""
        if outcome is not None:
            os.kill(self._pid, signal.SIGKILL)  # ours until it is waited for, so the number is still its own
        _, status, self.usage = os.wait4(self._pid, 0)
        os.close(self._up)
        os.close(self._down)
        self._outcome = _why(status, self._limits) if outcome is None else outcome


def wait(forks: Sequence[Fork]) -> None:
    """Wait until one of the forks has something to say or has used up its time."""
    running = [fork for fork in forks if not fork.done]
    poll = select.poll()
    for fork in running:
        poll.register(fork._up, select.POLLIN)  # noqa: SLF001 - of this module
    poll.poll(min((fork.left() for fork in running), default=0) * 1000 + 1)
    for fork in running:
        fork.look()


def _outcome(kind: int, payload: bytes) -> bytes | Exception:
    if kind == ANSWER:
        return payload
    if kind == FAULT:
        return ChildFault(payload[:200].decode("utf-8", "replace"))
    return LimitReached("it needs more memory than it may have")


def _why(status: int, limits: Limits) -> LimitReached:
    """Say what ended a child that gave no answer."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number in (signal.SIGXCPU, signal.SIGKILL):
            # the kernel kills at the hard limit, and when the machine has no memory left
            return LimitReached(f"it takes longer than {limits.seconds:g} s, or more memory than there is")
        return LimitReached(f"the process was ended by {signal.Signals(number).name}", crashed=True)
    if os.WEXITSTATUS(status) == OUT_OF_MEMORY:
        return LimitReached("it needs more memory than it may have")
    return LimitReached(f"the process ended with code {os.WEXITSTATUS(status)}", crashed=True)


def _write(descriptor: int, data: bytes, deadline: float) -> None:
    view = memoryview(data)
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    while view and time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):
            try:
                view = view[os.write(descriptor, view) :]
            except BrokenPipeError:
                return  # it died; reading will say so
        poll.poll(100)


# -- in the child -------------------------------------------------------------------------------------


def _live(work: Callable[[Ask], bytes], limits: Limits, parent: int, up: int, down: int) -> NoReturn:
    """Be the child: nothing of the parent's is open, nothing is flushed, and it never returns."""
    code = 1
    try:
        gc.freeze()  # what is the parent's need not be looked at, nor copied for it
        up, down = _only(up, down)
        confine(limits.seconds, limits.memory, parent=parent)

        def ask(payload: bytes) -> bytes:
            _put(up, REQUEST, payload)
            _, size = FRAME.unpack(_take(down, FRAME.size))
            return _take(down, size)

        try:
            _put(up, ANSWER, work(ask))
        except MemoryError:
            code = OUT_OF_MEMORY
            _put(up, MEMORY, b"")
        except Exception as error:  # noqa: BLE001 - the other side decides what it means
            _put(up, FAULT, type(error).__name__.encode())
        code = 0
    finally:
        os._exit(code)


def _only(*keep: int) -> tuple[int, ...]:
    """Close everything but `keep`, which become 3 and up; 0, 1 and 2 lead nowhere."""
    high = [fcntl.fcntl(number, fcntl.F_DUPFD, FILES // 2) for number in keep]  # out of the way of the numbers they get
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    for place, number in enumerate(high):
        os.dup2(number, 3 + place)
    os.closerange(3 + len(keep), _most_files())
    return tuple(range(3, 3 + len(keep)))


def _most_files() -> int:
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return soft if soft != resource.RLIM_INFINITY else 1 << 20


def _put(descriptor: int, kind: int, payload: bytes) -> None:
    for part in (FRAME.pack(kind, len(payload)), payload):
        view = memoryview(part)
        while view:
            view = view[os.write(descriptor, view) :]


def _take(descriptor: int, size: int) -> bytes:
    out = bytearray()
    while len(out) < size:
        piece = os.read(descriptor, min(size - len(out), 1 << 18))
        if not piece:
            os._exit(1)
        out += piece
    return bytes(out)


# -- a child of a child -------------------------------------------------------------------------------


class Server:
    """A fork that answers over two pipes until they close; what `signer.limited` needs of a process."""

    def __init__(self, pid: int, stdin: int, stdout: int) -> None:
        self.stdin: IO[bytes] | None = os.fdopen(stdin, "wb", buffering=0)
        self.stdout: IO[bytes] | None = os.fdopen(stdout, "rb", buffering=0)
        self._pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        """Return how it ended, None while it runs."""
        if self._status is None:
            found, status = os.waitpid(self._pid, os.WNOHANG)
            self._status = status if found else None
        return self._status

    def kill(self) -> None:
        """End it."""
        if self.poll() is None:
            os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> int:
        """Wait for its end."""
        if self._status is None:
            self._status = os.waitpid(self._pid, 0)[1]
        return self._status


def fork_of(serve: Callable[[IO[bytes], IO[bytes]], None]) -> Server:
    """Fork a confined process once more; the fork runs `serve` over a source and a sink and dies with its parent."""
    parent = os.getpid()
    source, stdin = os.pipe()
    stdout, sink = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            source, sink = _only(source, sink)
            _die_with(parent)
            serve(os.fdopen(source, "rb"), os.fdopen(sink, "wb"))
        finally:
            os._exit(1)
    os.close(source)
    os.close(sink)
    return Server(pid, stdin, stdout)
