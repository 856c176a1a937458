"""A child process under limits: whatever happens in it, the other side gets an answer or an error, in time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from signer import limited
from signer.limited import Child, ChildFault, LimitReached

TASK = "tests.signer.limited_tasks:answer"


@pytest.fixture
def child() -> Iterator[Child]:
    with Child(TASK, seconds=15, memory=512 << 20) as made:
        yield made


@pytest.fixture
def hurried() -> Iterator[Child]:
    with Child(TASK, seconds=1, memory=512 << 20) as made:
        yield made


@pytest.mark.parametrize("size", [0, 1, 1 << 16, 5_000_000])
def test_what_goes_in_comes_out(child: Child, size: int) -> None:
    body = os.urandom(size)
    assert child.ask({"act": "echo"}, body) == body


def test_one_child_answers_many_questions(child: Child) -> None:
    first = child.ask({"act": "pid"}, b"")
    assert child.ask({"act": "pid"}, b"") == first != str(os.getpid()).encode()


@pytest.mark.parametrize("act", ["sleep", "spin", "die"])
def test_a_child_that_takes_too_long_or_dies_is_replaced(hurried: Child, act: str) -> None:
    first = hurried.ask({"act": "pid"}, b"")
    begun = time.monotonic()
    with pytest.raises(LimitReached):
        hurried.ask({"act": act}, b"x")
    assert time.monotonic() - begun < 50
    assert hurried.ask({"act": "pid"}, b"") != first


def test_memory_is_limited(child: Child) -> None:
    with pytest.raises((LimitReached, ChildFault)):
        child.ask({"act": "grow"}, b"")


@pytest.mark.parametrize(("act", "name"), [("raise", "LookupError"), ("exit", "SystemExit"), ("none", None)])
def test_what_it_raises_comes_back_by_name(child: Child, act: str, name: str | None) -> None:
    if name is None:
        assert child.ask({"act": act}, b"") == b"?"
        return
    with pytest.raises(ChildFault, match=name):
        child.ask({"act": act}, b"")
    assert child.ask({"act": "echo"}, b"still here") == b"still here"


def test_it_writes_no_file(child: Child, tmp_path: Path) -> None:
    target = tmp_path / "out"
    with pytest.raises((ChildFault, LimitReached)):
        child.ask({"act": "write", "path": str(target)}, b"x" * 100)
    assert not target.exists() or target.read_bytes() == b""


def test_what_is_printed_is_no_answer(child: Child) -> None:
    assert child.ask({"act": "print"}, b"") == b"answer"


def test_an_answer_beyond_the_limit_is_refused(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "MAX_ANSWER", 100)
    with pytest.raises(LimitReached):
        child.ask({"act": "echo"}, bytes(101))
    assert child.ask({"act": "echo"}, bytes(50)) == bytes(50)


def test_a_child_is_replaced_now_and_then(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "KEPT_FOR", 2)
    seen = [child.ask({"act": "pid"}, b"") for _ in range(4)]
    assert seen[0] == seen[1] != seen[2] == seen[3]


def test_threads_take_turns(child: Child) -> None:
    wrong = []

    def ask(number: int) -> None:
        body = bytes([number]) * 200_000
        if any(child.ask({"act": "echo"}, body) != body for _ in range(5)):
            wrong.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_fork_starts_a_child_of_its_own(child: Child) -> None:
    ours = child.ask({"act": "pid"}, b"")
    reader, writer = os.pipe()
    forked = os.fork()
    if forked == 0:
        try:
            os.write(writer, child.ask({"act": "pid"}, b""))
            child.close()
        finally:
            os._exit(0)
    os.close(writer)
    theirs = os.read(reader, 100)
    os.close(reader)
    os.waitpid(forked, 0)
    assert theirs
    assert theirs != ours
    assert child.ask({"act": "pid"}, b"") == ours


def test_a_program_that_cannot_start_is_an_error() -> None:
    with Child("no.such.module:answer") as wrong, pytest.raises(LimitReached):
        wrong.ask({}, b"")
