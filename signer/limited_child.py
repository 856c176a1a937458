"""The child of `signer.limited`: `python -m signer.limited_child TASK SECONDS OCTETS`, questions on standard input.

TASK is a module and a function, (header, body) in and octets out. Limits are set before the first question is read.
Whatever the function raises goes back as the name of the exception.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
from collections.abc import Callable
from typing import IO, Any

from signer.forked import confine
from signer.limited import ANSWER, REQUEST


def main(task: str, seconds: float, memory: int) -> None:
    """Answer questions on standard input until the other side closes."""
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    answer_all(task, seconds, memory, source, sink)


def answer_all(task: str, seconds: float, memory: int, source: IO[bytes], sink: IO[bytes]) -> None:
    """Answer questions under limits until the other side closes."""
    module, _, function = task.partition(":")
    answer: Callable[[dict[str, Any], bytes], bytes] = getattr(importlib.import_module(module), function)
    confine(None, memory)
    while len(head := source.read(REQUEST.size)) == REQUEST.size:
        sizes = REQUEST.unpack(head)
        header, body = json.loads(source.read(sizes[0])), source.read(sizes[1])
        _allow(seconds)
        try:
            status, out = 0, answer(header, body)
        except BaseException as error:  # noqa: BLE001 - the other side decides what it means
            status, out = 1, type(error).__name__.encode()
        sink.write(ANSWER.pack(status, len(out)) + out)
        sink.flush()


def _allow(seconds: float) -> None:
    """Let the next answer take so much processor time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft, hard = int(used.ru_utime + used.ru_stime + seconds) + 1, resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
