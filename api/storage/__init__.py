"""The table of document stores."""

from __future__ import annotations

from pathlib import Path

from api.storage.base import Received, Storage
from api.storage.filesystem import FilesystemStorage

__all__ = ["FilesystemStorage", "Received", "Storage", "open_storage"]


def open_storage(where: Path) -> Storage:
    """Open the document store at `where`."""
    return FilesystemStorage(where)
