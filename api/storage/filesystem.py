"""Documents as files in a directory: `ab/cd/abcd….bin`.

Nothing half-written is ever seen under an object's name: files are written beside, flushed to disk (fsync of the file),
renamed, and the directory is flushed too, so that the name survives a power cut as well as the content.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from api.errors import ServiceUnavailable, StorageError
from api.storage.base import Received, check_name
from api.storage.incoming import Incoming


class FilesystemStorage:
    """A `Storage` below one directory, which also holds the files in progress (same file system, so rename works)."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = Incoming(root / "incoming")

    def receive(
        self, chunks: Iterable[bytes], *, limit: int | None = None, digests: tuple[str, ...] = ("sha256",)
    ) -> AbstractContextManager[Received]:
        """See `Storage.receive`."""
        return self._incoming.receive(chunks, limit=limit, digests=digests)

    def keep(self, received: Received) -> None:
        """See `Storage.keep`. Keeping an object again renews its age, so that `sweep` leaves it alone."""
        target = self._path(received.sha256)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.replace(received.path, target)  # noqa: PTH105 - one call that tests can make fail
        for directory in (target.parent, target.parent.parent, self._root):
            _flush_directory(directory)

    @contextlib.contextmanager
    def local(self, sha256: str) -> Iterator[Path]:
        """See `Storage.local`."""
        path = self._path(sha256)
        if not path.is_file():
            raise StorageError(f"object {sha256} is missing from the document store")
        yield path

    def scratch(self, suffix: str = "") -> AbstractContextManager[Path]:
        """See `Storage.scratch`."""
        return self._incoming.scratch(suffix)

    def sweep(self, needed: Iterable[str], *, before: datetime) -> int:
        """See `Storage.sweep`; also clears what a killed process left in `incoming`."""
        wanted, limit, gone = set(needed), before.astimezone(UTC).timestamp(), 0
        for path in self._root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*.bin"):
            with contextlib.suppress(FileNotFoundError):
                if path.stem not in wanted and path.stat().st_mtime < limit:
                    path.unlink()
                    gone += 1
        self._incoming.clear(before=limit)
        return gone

    def check(self) -> None:
        """See `Storage.check`."""
        if not os.access(self._root, os.R_OK | os.W_OK | os.X_OK):
            raise ServiceUnavailable("the directory of the documents cannot be used")

    def _path(self, sha256: str) -> Path:
        check_name(sha256)
        return self._root / sha256[:2] / sha256[2:4] / f"{sha256}.bin"


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
