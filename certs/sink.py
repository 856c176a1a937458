"""Where octets go that count only when all of them are there.

    sink = MemorySink()                      # or certs.files.WholeFile("contract.pdf")
    enveloped.decrypt(reader, sink, key)     # writes, then commits; discards where anything goes wrong
    sink.data

    with filling(sink):                      # what they do it with: commits at the end, discards on any exception
        sink.write(octets)

What has not been committed is nobody's: a decryption writes octets before it knows whether they are right.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class AllOrNothing(Protocol):
    """Something that comes into being as a whole."""

    def commit(self) -> None:
        """Let what was written count."""
        ...

    def discard(self) -> None:
        """Forget what was written; does nothing after `commit`."""
        ...


class Sink(AllOrNothing, Protocol):
    """Takes octets, and in the end takes them all or none."""

    def write(self, data: bytes, /) -> object:
        """Take octets."""
        ...


@contextmanager
def filling(sink: AllOrNothing) -> Iterator[None]:
    """Commit `sink` at the end, or discard it where anything goes wrong, be it the commit itself."""
    try:
        yield
        sink.commit()
    except BaseException:
        sink.discard()
        raise


class MemorySink:
    """Keeps octets in memory."""

    def __init__(self) -> None:
        self._written: io.BytesIO | None = io.BytesIO()
        self.data: bytes | None = None
        """Everything, once it was committed."""

    def write(self, data: bytes, /) -> None:
        """Take octets."""
        assert self._written is not None
        self._written.write(data)

    def commit(self) -> None:
        """Let what was written count."""
        assert self._written is not None
        self.data, self._written = self._written.getvalue(), None

    def discard(self) -> None:
        """Forget what was written."""
        self._written = None
