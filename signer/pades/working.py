"""The file while it is being signed: read and digested once, changed in one place only, whole or not there at the end.

    with open_working(source, target, ("sm3",)) as work:
        work.data                    # the octets before, to look at
        work.append(revision)        # now only what was appended may be patched
        work.patch(offset, octets)
        work.commit()                # fsync, rename; without it nothing is left behind

Small files are kept in memory and written once. Large ones are copied in chunks to a temporary name beside the target
and looked at through a memory map, so that a contract of 100 MB needs no 100 MB of memory.
"""

from __future__ import annotations

import io
import mmap
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from certs import suites
from certs.files import write as write_file
from certs.suites.base import Digest
from signer.errors import OptionError, SigningRefused, UnreadableFile

CHUNK = 1 << 20
IN_MEMORY = 8 << 20
"""Octets up to which a file is kept in memory."""
MAX_FILE = 2 << 30
"""Octets of a file that is signed."""
MODE = 0o644


class MappedFile(mmap.mmap):
    """A memory map with the one method of `bytes` that the readers of `signer.pdf` need beside its own."""

    def startswith(self, prefix: bytes, at: int = 0) -> bool:
        """Tell whether `prefix` stands at offset `at`."""
        return self[at : at + len(prefix)] == prefix


class Working:
    """A file in memory."""

    def __init__(self, data: bytes, digests: Sequence[str] = (), target: Path | None = None, mode: int = MODE) -> None:
        self.data = data
        self.size = len(data)
        self.digests: tuple[Digest, ...] = tuple(suites.new_digest(name) for name in digests)
        """Running digests over the file before."""
        self._target = target
        self._mode = mode
        self._window = (0, 0)
        self._head: bytes | memoryview = data
        self._tail = bytearray()
        for digest in self.digests:
            digest.update(data)

    def close(self) -> None:
        """Leave nothing behind."""

    def stream(self) -> IO[bytes]:
        """Return the octets before as a stream."""
        return io.BytesIO(self.data)

    def append(self, tail: bytes) -> None:
        """Write behind the file; once."""
        self._tail = bytearray(tail)
        self._window = (self.size, self.size + len(tail))

    def open_window(self, start: int, end: int) -> None:
        """Allow patches from `start` to `end`, in a file that gets nothing appended."""
        self._window = (start, end)
        self._head, self._tail = memoryview(self.data)[:start], bytearray(self.data[start:])

    def patch(self, offset: int, octets: bytes) -> None:
        """Overwrite octets inside the window. Raises SigningRefused for any other."""
        start, end = self._window
        if not start <= offset <= offset + len(octets) <= end:
            raise SigningRefused("something outside the new signature would have been changed", reason="self-check")
        self._patch(offset, octets)

    def _patch(self, offset: int, octets: bytes) -> None:
        at = offset - len(self._head)
        self._tail[at : at + len(octets)] = octets

    def whole(self) -> bytes:
        """Return the file as it is now, to look at."""
        return b"".join((self._head, self._tail))

    def commit(self) -> None:
        """Put the file under its name."""
        assert self._target is not None
        write_file(self._target, self.whole(), mode=self._mode)


class LargeWorking(Working):
    """A file that is copied to a temporary name first and looked at there."""

    def __init__(self, source: BinaryIO, digests: Sequence[str], target: Path, mode: int) -> None:
        super().__init__(b"", digests, target, mode)
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        self._temporary: Path | None = Path(name)
        self._file = os.fdopen(descriptor, "r+b", buffering=0)
        try:
            self._copy(source)
            self.data = self.whole()
            self.size = len(self.data)
        except BaseException:
            self.close()
            raise

    def _copy(self, source: BinaryIO) -> None:
        while piece := source.read(CHUNK):
            for digest in self.digests:
                digest.update(piece)
            self._file.write(piece)

    def close(self) -> None:
        """Remove the temporary file, unless it was committed."""
        self._file.close()
        if self._temporary is not None:
            self._temporary.unlink(missing_ok=True)
            self._temporary = None

    def stream(self) -> IO[bytes]:
        """Return the octets before as a stream."""
        return cast("IO[bytes]", self.data)

    def open_window(self, start: int, end: int) -> None:
        """Allow patches from `start` to `end`, in a file that gets nothing appended."""
        self._window = (start, end)

    def append(self, tail: bytes) -> None:
        """Write behind the file; once."""
        self._file.seek(0, os.SEEK_END)
        self._file.write(tail)
        self._window = (self.size, self.size + len(tail))

    def _patch(self, offset: int, octets: bytes) -> None:
        self._file.seek(offset)
        self._file.write(octets)

    def whole(self) -> bytes:
        """Return a map of the file as it is now."""
        return cast("bytes", MappedFile(self._file.fileno(), 0, access=mmap.ACCESS_READ))

    def commit(self) -> None:
        """Put the file under its name."""
        assert self._temporary is not None
        assert self._target is not None
        mask = os.umask(0o022)
        os.umask(mask)
        os.fchmod(self._file.fileno(), self._mode & ~mask)
        os.fsync(self._file.fileno())
        self._temporary.replace(self._target)
        self._temporary = None


@contextmanager
def open_working(source: Path, target: Path | None, digests: Sequence[str] = ()) -> Iterator[Working]:
    """Open `source` to be signed into `target`, or into itself where that is None.

    Raises UnreadableFile where it cannot be read or written, OptionError where both are one file.
    """
    work: Working | None = None
    try:
        with source.open("rb") as stream:
            status = os.fstat(stream.fileno())
            if status.st_size > MAX_FILE:
                raise UnreadableFile(f"{source.name} is larger than {MAX_FILE >> 30} GiB")
            if target is not None and target.exists() and os.path.samestat(status, target.stat()):
                raise OptionError("the signed file would overwrite its source", hint="choose another output file")
            mode = MODE if target is not None else status.st_mode & 0o777
            if status.st_size <= IN_MEMORY:
                work = Working(stream.read(), digests, target or source, mode)
            else:
                work = LargeWorking(stream, digests, target or source, mode)
        yield work
    except OSError as error:
        name = Path(str(error.filename)).name if error.filename else source.name
        raise UnreadableFile(f"{name}: {error.strerror}", hint="check the path and the permissions") from error
    finally:
        if work is not None:
            work.close()
