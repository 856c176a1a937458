"""A process that is killed at a step of what it does."""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable
from typing import Any

Hooks = tuple[tuple[Any, tuple[str, ...]], ...]
"""Classes and modules, and the names of their functions."""


def die_at(
    limit: int, hooks: Hooks, note: Callable[[Callable[..., Any], tuple[Any, ...]], None] = lambda function, given: None
) -> None:
    """Kill this process at step `limit`; a step lies before and after each call of a function that `hooks` names.

    `note` is told the function and its arguments between the step before and the call.
    """
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == limit:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args: Any, **options: Any) -> Any:
            step()
            note(function, args)
            result = function(*args, **options)
            step()
            return result

        return wrapped

    for place, names in hooks:
        for name in names:
            setattr(place, name, around(getattr(place, name)))
