"""What the demo prints while it runs: numbered steps, each with what came of it.

    story = Story(sys.stdout)
    with story.step("Starting the service", "Service started") as say:
        say("http://127.0.0.1:41237")

On a terminal a step shows while it runs and is overwritten when it is done; elsewhere only results are written, without
any control character.
"""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TextIO

INDENT: Final = 4
COLUMN: Final = 20
"""Columns of the words that say what was done."""
_CLEAR: Final = "\r\x1b[2K"


class Story:
    """Prints steps and tables; with `out` None it prints nothing."""

    def __init__(self, out: TextIO | None) -> None:
        self._out = out
        self._live = out is not None and out.isatty()
        self._number = 0

    @contextlib.contextmanager
    def step(self, doing: str, done: str) -> Iterator[Callable[[str], None]]:
        """Do a step of the demo; what the block says is printed beside the words of `done` when it ends well."""
        self._number += 1
        details: list[str] = []
        if self._live:
            self._write(f"{self._number:2}. {doing} ...")
        try:
            yield details.append
        except BaseException:
            if self._live:
                self._write("\n")  # the error stands below the step that it ended
            raise
        if self._live:
            self._write(_CLEAR)
        first, *more = details or [""]
        self.line(f"{self._number:2}. {pad(done, COLUMN)}{first}")
        for detail in more:
            self.line(" " * (INDENT + COLUMN) + detail)

    def line(self, text: str = "") -> None:
        """Print one line."""
        self._write(text.rstrip() + "\n")

    def table(self, rows: Sequence[tuple[str, str]]) -> None:
        """Print two columns."""
        wide = max(width(name) for name, _ in rows) + 3
        for name, meaning in rows:
            self.line(f"  {pad(name, wide)}{meaning}")

    def _write(self, text: str) -> None:
        if self._out is not None:
            self._out.write(text)
            self._out.flush()


def width(text: str) -> int:
    """Return the columns a text takes on a terminal: two for a wide character (UAX 11), none for a combining one."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def pad(text: str, columns: int) -> str:
    """Fill a text up to a number of columns."""
    return text + " " * max(0, columns - width(text))
