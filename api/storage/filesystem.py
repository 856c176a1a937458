"""Documents as files in a directory: `ab/cd/abcd….bin`.

Nothing half-written is ever seen under an object's name: files are written beside, flushed to disk (fsync of the file),
renamed, and the directory is flushed too, so that the name survives a power cut as well as the content.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from api.errors import ConfigurationError, PayloadTooLarge, StorageError
from api.storage.base import Received
from certs import suites

_NAME = re.compile(r"[0-9a-f]{64}")


class FilesystemStorage:
    """A `Storage` below one directory, which also holds the files in progress (same file system, so rename works)."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"
        try:
            self._incoming.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigurationError(f"the document store {root} cannot be made: {error.strerror}") from None

    @contextlib.contextmanager
    def receive(
        self, chunks: Iterable[bytes], *, limit: int | None = None, digests: tuple[str, ...] = ("sha256",)
    ) -> Iterator[Received]:
        """See `Storage.receive`."""
        running = {name: suites.new_digest(name) for name in dict.fromkeys(("sha256", *digests))}
        descriptor, name = tempfile.mkstemp(dir=self._incoming, prefix="up-")
        path, size = Path(name), 0
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in chunks:
                    size += len(chunk)
                    if limit is not None and size > limit:
                        raise PayloadTooLarge(f"the file is larger than {limit} octets")
                    file.write(chunk)
                    for digest in running.values():
                        digest.update(chunk)
                file.flush()
                os.fsync(file.fileno())
            yield Received(path, size, {key: value.digest().hex() for key, value in running.items()})
        finally:
            path.unlink(missing_ok=True)

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

    @contextlib.contextmanager
    def scratch(self, suffix: str = "") -> Iterator[Path]:
        """See `Storage.scratch`."""
        directory = Path(tempfile.mkdtemp(dir=self._incoming, prefix="work-", suffix=suffix))
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def sweep(self, needed: Iterable[str], *, before: datetime) -> int:
        """See `Storage.sweep`; also clears what a killed process left in `incoming`."""
        wanted, limit, gone = set(needed), before.astimezone(UTC).timestamp(), 0
        for path in self._root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*.bin"):
            with contextlib.suppress(FileNotFoundError):
                if path.stem not in wanted and path.stat().st_mtime < limit:
                    path.unlink()
                    gone += 1
        for path in self._incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < limit:
                    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
        return gone

    def _path(self, sha256: str) -> Path:
        if not _NAME.fullmatch(sha256):
            raise StorageError("not the name of an object")
        return self._root / sha256[:2] / sha256[2:4] / f"{sha256}.bin"


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
