"""Where documents lie: a content-addressed store of files that never change.

    received = storage.receive(chunks, limit=50 * 2**20, digests=("sha256", "sm3"))
    storage.keep(received)                        # durable when this returns
    with storage.local(received.sha256) as path:  # a readable file on this machine
        ...

An object is named by the SHA-256 of its content, so writing it twice is the same as writing it once, and a reader
can always check what it got. Whether anybody still needs an object is known to the database, not to the store.

A store that does not answer raises ServiceUnavailable: jobs wait and try again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from api.errors import StorageError

_NAME = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Received:
    """A file that has arrived but is not kept yet."""

    path: Path
    size: int
    digests: dict[str, str]
    """Digest name -> lower-case hexadecimal; always holds "sha256"."""

    @property
    def sha256(self) -> str:
        """The name of the object."""
        return self.digests["sha256"]


class Storage(Protocol):
    """A store of immutable files."""

    def receive(
        self, chunks: Iterable[bytes], *, limit: int | None = None, digests: tuple[str, ...] = ("sha256",)
    ) -> AbstractContextManager[Received]:
        """Write the chunks to a temporary file while hashing; it is gone when the block ends.

        Raises PayloadTooLarge as soon as `limit` octets are exceeded.
        """
        ...

    def keep(self, received: Received) -> None:
        """Make a received file an object. It is on disk when this returns."""
        ...

    def local(self, sha256: str) -> AbstractContextManager[Path]:
        """Give a local path to read an object from. Raises StorageError where it is missing or damaged."""
        ...

    def scratch(self, suffix: str = "") -> AbstractContextManager[Path]:
        """Give a new empty directory's path for work in progress; it is gone when the block ends."""
        ...

    def sweep(self, needed: Iterable[str], *, before: datetime) -> int:
        """Delete objects nobody needs that were last kept before a moment; return how many."""
        ...

    def check(self) -> None:
        """Raise ServiceUnavailable where documents could be neither read nor written now; writes nothing."""
        ...


def check_name(sha256: str) -> None:
    """Raise StorageError unless this is a SHA-256 in lower-case hexadecimal: nothing else becomes a path or a key."""
    if not _NAME.fullmatch(sha256):
        raise StorageError("not the name of an object")
