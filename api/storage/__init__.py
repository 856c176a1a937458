"""The table of document stores."""

from __future__ import annotations

from pathlib import Path

from api.storage.base import Received, Storage
from api.storage.filesystem import FilesystemStorage

__all__ = ["FilesystemStorage", "Received", "Storage", "open_storage"]


def open_storage(where: str, *, data: Path) -> Storage:
    """Open the document store at an address: `s3://BUCKET/PREFIX?…`, or the path of a directory.

    Files in progress are in the directory itself, or in `data` where the store is elsewhere. Raises ConfigurationError.
    """
    if where.startswith("s3:"):
        from api.storage.s3 import S3Location, S3Storage

        return S3Storage(S3Location.parse(where), data / "incoming")
    return FilesystemStorage(Path(where.removeprefix("file:")))
