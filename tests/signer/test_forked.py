"""A fork that must work, and everything it may do instead."""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from signer.forked import Ask, ChildFault, Fork, LimitReached, Limits, confined, wait
from signer.limited import Child

LIMITS = Limits(seconds=10, memory=1 << 30)
HURRIED = Limits(seconds=0.5, memory=1 << 30)


@pytest.mark.parametrize("size", [0, 1, 1 << 16, 5_000_000])
def test_the_answer_comes_back(size: int) -> None:
    answer = os.urandom(size)
    assert Fork(lambda _: answer, LIMITS).result() == answer


def test_it_is_another_process_and_knows_it() -> None:
    seen = Fork(lambda _: f"{os.getpid()} {confined()}".encode(), LIMITS).result().split()
    assert seen[0] != str(os.getpid()).encode()
    assert (seen[1], confined()) == (b"True", False)


def spin(_: Ask) -> bytes:
    while True:
        pass


def sleep(_: Ask) -> bytes:
    time.sleep(60)
    return b""


def grow(_: Ask) -> bytes:
    kept = []
    while True:
        kept.append(bytes(1 << 26))


def segfault(_: Ask) -> bytes:
    ctypes.string_at(0)
    return b""


def leave(_: Ask) -> bytes:
    os._exit(0)


def recurse(ask: Ask) -> bytes:
    return recurse(ask)


def too_long(_: Ask) -> bytes:
    return bytes(LIMITS.answer + 1)


@pytest.mark.parametrize(
    ("work", "limits", "crashed", "words"),
    [
        (spin, HURRIED, False, "longer"),
        (sleep, HURRIED, False, "longer"),
        (grow, LIMITS, False, "memory"),
        (too_long, LIMITS, False, "too large"),
        (segfault, LIMITS, True, "SIGSEGV"),
        (leave, LIMITS, True, "code 0"),
    ],
)
def test_what_ends_it_is_said(work: Callable[[Ask], bytes], limits: Limits, crashed: bool, words: str) -> None:
    begun = time.monotonic()
    with pytest.raises(LimitReached, match=words) as caught:
        Fork(work, limits).result()
    assert caught.value.crashed is crashed
    assert time.monotonic() - begun < 50


def test_an_exception_comes_back_by_name() -> None:
    with pytest.raises(ChildFault, match="RecursionError"):
        Fork(recurse, LIMITS).result()


def test_the_processor_is_limited_where_nobody_watches_the_clock() -> None:
    fork = Fork(spin, Limits(seconds=1, memory=1 << 30))
    fork._deadline += 60
    with pytest.raises(LimitReached, match="longer") as caught:
        fork.result()
    assert not caught.value.crashed


def test_it_reaches_no_file_of_its_parent(tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w+b", buffering=0) as secret:
        secret.write(b"secret")
        number = secret.fileno()

        def work(_: Ask) -> bytes:
            found = []
            for descriptor in range(3):
                os.write(descriptor, b"nobody reads this")
            for descriptor in (*range(5, 200), number):
                try:
                    os.fstat(descriptor)
                except OSError:
                    continue
                found.append(descriptor)
            return repr(found).encode()

        assert Fork(work, LIMITS).result() == b"[]"


def test_it_writes_no_file_and_opens_few(tmp_path: Path) -> None:
    target = tmp_path / "out"

    def write(_: Ask) -> bytes:
        target.write_bytes(b"x" * 100)
        return b"written"

    def open_many(_: Ask) -> bytes:
        return repr([os.open("/dev/null", os.O_RDONLY) for _ in range(1000)]).encode()

    for work in (write, open_many):
        with pytest.raises(ChildFault, match="OSError"):
            Fork(work, LIMITS).result()
    assert not target.exists() or target.read_bytes() == b""


def test_it_gains_no_privileges_and_leaves_no_core() -> None:
    def work(_: Ask) -> bytes:
        status = Path("/proc/self/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("NoNewPrivs"))
        return f"{line.split()[1]} {resource.getrlimit(resource.RLIMIT_CORE)}".encode()

    if not sys.platform.startswith("linux"):
        pytest.skip("PR_SET_NO_NEW_PRIVS is of Linux")
    assert Fork(work, LIMITS).result() == b"1 (0, 0)"


def test_it_dies_with_its_parent() -> None:
    reader, writer = os.pipe()
    middle = os.fork()
    if middle == 0:
        fork = Fork(sleep, LIMITS)
        os.write(writer, str(fork._pid).encode())
        os._exit(0)
    os.waitpid(middle, 0)
    orphan = int(os.read(reader, 20))
    os.close(reader)
    os.close(writer)
    for _ in range(100):
        try:
            state = Path(f"/proc/{orphan}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return
        if state == "Z":
            return
        time.sleep(0.05)
    pytest.fail("it lives on")


def test_requests_are_served_and_the_clock_stands_still_for_them() -> None:
    def serve(request: bytes) -> bytes:
        time.sleep(0.7)
        return request.upper()

    def work(ask: Ask) -> bytes:
        return ask(b"one") + ask(b"two" * 100_000)[:3]

    assert Fork(work, HURRIED, serve).result() == b"ONETWO"


def test_nobody_serves_what_was_not_allowed_or_without_end() -> None:
    def work(ask: Ask) -> bytes:
        while True:
            ask(b"x")

    for serve in (None, lambda request: request):
        with pytest.raises(LimitReached, match="asks for more"):
            Fork(work, LIMITS, serve).result()


def test_several_at_a_time() -> None:
    forks = [Fork(lambda _, n=n: bytes([n]) * 300_000, LIMITS) for n in range(4)]
    while not all(fork.done for fork in forks):
        wait(forks)
    assert [fork.result()[:1] for fork in forks] == [bytes([n]) for n in range(4)]


def test_one_that_is_not_waited_for_is_ended() -> None:
    fork = Fork(sleep, LIMITS)
    fork.close()
    assert fork.usage is not None
    with pytest.raises(LimitReached):
        fork.result()
    with pytest.raises(ProcessLookupError):
        os.kill(fork._pid, signal.SIGCONT)


def test_a_limited_child_of_a_fork_is_a_fork_too() -> None:
    def work(_: Ask) -> bytes:
        with Child("tests.signer.limited_tasks:answer", seconds=5, memory=2 << 30) as child:
            child.start()
            pid = child.ask({"act": "pid"}, b"")
            again = child.ask({"act": "pid"}, b"")
            try:
                child.ask({"act": "die"}, b"")
            except LimitReached:
                after = child.ask({"act": "pid"}, b"")
            command = Path(f"/proc/{after.decode()}/cmdline").read_bytes()
            return repr((pid == again, pid != after, b"limited_child" in command)).encode()

    assert Fork(work, LIMITS).result() == b"(True, True, False)"


def test_half_of_the_memory_is_the_childs_own() -> None:
    """A parent with threads has reserved more address space than the whole limit: that says nothing of the work."""
    with mmap.mmap(-1, 2 << 30, prot=mmap.PROT_READ):
        octets = Fork(lambda _: bytes(len(bytearray(300 << 20)) >> 20), LIMITS).result()
    assert len(octets) == 300


def test_so_it_is_for_a_child_of_a_fork() -> None:
    def work(_: Ask) -> bytes:
        with Child("tests.signer.limited_tasks:answer", seconds=5, memory=1 << 30) as child:
            return child.ask({"act": "echo"}, b"x" * (100 << 20))[:1]

    with mmap.mmap(-1, 2 << 30, prot=mmap.PROT_READ):
        assert Fork(work, Limits(seconds=10, memory=2 << 30)).result() == b"x"
