"""Small helpers for files in progress."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fastapi import UploadFile

CHUNK: Final = 1 << 20


def file_chunks(path: Path) -> Iterator[bytes]:
    """Give the content of a file in pieces."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def copy_file(source: Path, target: Path) -> None:
    """Copy content only: not the mode or times of the source."""
    shutil.copyfile(source, target)


def upload_chunks(upload: UploadFile) -> Iterator[bytes]:
    """Give the content of an upload in pieces."""
    while chunk := upload.file.read(CHUNK):
        yield chunk
