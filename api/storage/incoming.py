"""Files in progress: a directory of this machine in which every document store receives, hashes and works."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from api.errors import ConfigurationError, PayloadTooLarge
from api.storage.base import Received
from certs import suites


class Incoming:
    """A directory, made where it is missing (0700). Raises ConfigurationError."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigurationError(f"the document store {directory} cannot be made: {error.strerror}") from None

    @contextlib.contextmanager
    def receive(
        self, chunks: Iterable[bytes], *, limit: int | None = None, digests: tuple[str, ...] = ("sha256",)
    ) -> Iterator[Received]:
        """See `Storage.receive`."""
        running = {name: suites.new_digest(name) for name in dict.fromkeys(("sha256", *digests))}
        with self.file("up-") as path:
            size = 0
            with path.open("wb") as file:
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

    @contextlib.contextmanager
    def file(self, prefix: str) -> Iterator[Path]:
        """Give the path of a new empty file; it is gone when the block ends, unless it was moved away."""
        descriptor, name = tempfile.mkstemp(dir=self._directory, prefix=prefix)
        os.close(descriptor)
        path = Path(name)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def scratch(self, suffix: str = "") -> Iterator[Path]:
        """See `Storage.scratch`."""
        directory = Path(tempfile.mkdtemp(dir=self._directory, prefix="work-", suffix=suffix))
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def clear(self, *, before: float) -> None:
        """Delete what a killed process left, last changed before a moment (seconds since 1970)."""
        for path in self._directory.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
