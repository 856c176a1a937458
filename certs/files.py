"""Files that are whole or not there: a temporary name in the same directory, fsync, then rename.

files.write("issuing.crl", data)

file = files.WholeFile("contract.pdf")          # for octets that come piece by piece; a certs.sink.Sink
file.write(b"%PDF-"), file.commit()             # or file.discard()

file = files.nameless("contract.pdf")           # for secrets: killed outright, it leaves nothing behind either
"""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

from certs.sink import Sink, filling


class WholeFile:
    """A file that has its name from `commit` on, and before it a temporary one that only its owner can read.

    `mode` is subject to the umask unless it is 0600. With `replace` false a name that is taken stays what it is.
    """

    def __init__(self, path: str | Path, *, mode: int = 0o644, replace: bool = True) -> None:
        """Make the temporary file. Raises OSError."""
        self._target, self._mode, self._replace = Path(path), mode, replace
        descriptor, temporary = tempfile.mkstemp(prefix=f".{self._target.name}.", dir=self._target.parent)
        self._temporary = Path(temporary)
        self._stream = os.fdopen(descriptor, "wb")

    def write(self, data: bytes, /) -> None:
        """Write octets. Raises OSError."""
        self._stream.write(data)

    def commit(self) -> None:
        """Give the file its name. Raises OSError; FileExistsError where it is taken and `replace` is false."""
        with self._stream as stream:
            stream.flush()
            if self._mode != 0o600:
                os.fchmod(stream.fileno(), permitted(self._mode))
            os.fsync(stream.fileno())
        if self._replace:
            self._temporary.replace(self._target)
        else:
            os.link(self._temporary, self._target)  # unlike rename, refuses an existing name, without a race
            self._temporary.unlink()

    def discard(self) -> None:
        """Remove the temporary file; after `commit` there is none."""
        self._stream.close()
        self._temporary.unlink(missing_ok=True)


class _NamelessFile:
    """A file that only its owner can read, and that is in no directory before `commit` (O_TMPFILE)."""

    def __init__(self, path: Path) -> None:
        self._target = path
        self._stream = os.fdopen(os.open(path.parent, os.O_TMPFILE | os.O_WRONLY, 0o600), "wb")

    def write(self, data: bytes, /) -> None:
        self._stream.write(data)

    def commit(self) -> None:
        temporary = self._target.with_name(f".{secrets.token_hex(16)}")
        with self._stream as stream:
            stream.flush()
            os.fsync(stream.fileno())
            directory = os.open(self._target.parent, os.O_RDONLY)
            try:  # with a directory given, Python asks the system to follow the link in /proc
                os.link(f"/proc/self/fd/{stream.fileno()}", temporary, src_dir_fd=directory)
            finally:
                os.close(directory)
        try:
            temporary.replace(self._target)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise

    def discard(self) -> None:
        self._stream.close()


def nameless(path: str | Path) -> Sink:
    """Return a sink for a file of its owner alone that has no name at all before `commit`. Raises OSError.

    So nothing of it stays behind where the process is killed outright. Where the file system has no such files, it is a
    `WholeFile`.
    """
    target = Path(path)
    try:
        Path("/proc/self/fd").stat()
        return _NamelessFile(target)
    except (OSError, AttributeError):  # AttributeError: not Linux
        return WholeFile(target, mode=0o600)


def write(path: str | Path, data: bytes, *, mode: int = 0o644, replace: bool = True) -> None:
    """Write `data` to `path` so that nobody ever sees half of it.

    `mode` is subject to the umask unless it is 0600. Raises OSError; FileExistsError where the file is there and
    `replace` is false.
    """
    file = WholeFile(path, mode=mode, replace=replace)
    with filling(file):
        file.write(data)


def permitted(mode: int) -> int:
    """Return what the umask leaves of a mode."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mode & ~mask
