"""The directory of an envelope: the entries of its ZIP as files, under the same names and the same rules.

folder = WholeFolder("contract")                  # for `seal`: a temporary name until `commit`, then this one
with Folder("contract") as package: open_envelope(package, sink, key, trust=store, clock=clock)

Whoever packs the files of a directory gets the ZIP, and whoever unpacks it the directory. What one family needs are the
files with its name and those of the manifest, so a part is cut out by copying.

Nothing in the directory is followed or waited for: an entry is a regular file, looked at before it is opened and again
once it is open, under the name it was found with.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

from certs.files import permitted
from signer.encryption.container import MAX_ENTRIES, Entry, allowed, broken
from signer.errors import OptionError, UnreadableFile

_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


# Writing -------------------------------------------------------------------------------------------------------------
class WholeFolder:
    """A directory that has its name from `commit` on, and before it a temporary one that only its owner can read.

    Satisfies `signer.encryption.container.Packing`.
    """

    def __init__(self, path: str | Path) -> None:
        """Make the temporary directory. Raises OptionError where the name is taken by anything but an empty one.

        Raises OSError where it cannot be made.
        """
        self._target = Path(path).resolve()
        if self._target == Path.cwd() or (os.path.lexists(self._target) and not _is_empty(self._target)):
            raise OptionError(
                f"{path} is there already, and is no empty directory", hint="name a new directory, or an empty one"
            )
        parent = self._target.parent
        self._temporary = Path(tempfile.mkdtemp(prefix=f".{self._target.name}.", dir=parent))

    @contextmanager
    def entry(self, name: str) -> Iterator[Callable[[bytes], object]]:
        """Open a new file and yield what takes its octets. Raises OSError."""
        with (self._temporary / name).open("xb") as stream:
            yield stream.write
            stream.flush()
            os.fchmod(stream.fileno(), permitted(0o644))
            os.fsync(stream.fileno())

    def commit(self) -> None:
        """Give the directory its name. Raises OSError: also where something came to be in its place."""
        descriptor = os.open(self._temporary, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fchmod(descriptor, permitted(0o755))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._temporary.rename(self._target)  # over an empty directory, and over nothing else

    def discard(self) -> None:
        """Remove the temporary directory; after `commit` there is none."""
        shutil.rmtree(self._temporary, ignore_errors=True)


def _is_empty(path: Path) -> bool:
    if not path.is_dir():
        return False
    with os.scandir(path) as found:
        return next(found, None) is None


# Reading -------------------------------------------------------------------------------------------------------------
class Folder:
    """An envelope's entries in a directory. Every fault of its contents is EnvelopeRefused.

    Satisfies `signer.encryption.container.Package`; closes what it opened at the end of `with`.
    """

    def __init__(self, path: str | Path) -> None:
        """Open the directory and everything in it. Raises UnreadableFile, EnvelopeRefused."""
        self._files: dict[str, BinaryIO] = {}
        try:
            directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise UnreadableFile(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
        try:
            for name in _names_in(directory):
                self._files[name] = _opened(directory, name)
        except BaseException:
            self.close()
            raise
        finally:
            os.close(directory)
        self._sizes = {name: os.fstat(stream.fileno()).st_size for name, stream in self._files.items()}

    @property
    def names(self) -> frozenset[str]:
        """The names of all entries."""
        return frozenset(self._files)

    def size(self, name: str) -> int:
        """Return the octets of an entry."""
        return self._sizes[self._known(name)]

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Yield an entry as a stream, from its beginning."""
        stream = self._files[self._known(name)]
        entry = Entry(name, lambda: stream)
        entry.seek(0)
        yield cast("BinaryIO", entry)

    def _known(self, name: str) -> str:
        if name not in self._files:
            raise broken(f"{name} is missing")
        return name

    def close(self) -> None:
        """Close all files."""
        for stream in self._files.values():
            stream.close()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all files."""
        self.close()


def _names_in(directory: int) -> list[str]:
    """Return what is in a directory, of which no more is read than an envelope has."""
    names: list[str] = []
    try:
        with os.scandir(directory) as found:
            for item in found:
                names.append(allowed(item.name))
                if len(names) > MAX_ENTRIES:
                    raise broken("more entries than an envelope has")
    except OSError as error:
        raise broken("the directory cannot be read") from error
    return names


def _opened(directory: int, name: str) -> BinaryIO:
    """Open a regular file; what is none is not even touched, unless somebody puts it there at this very moment."""
    try:
        regular = stat.S_ISREG(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)
        descriptor = os.open(name, _OPEN, dir_fd=directory) if regular else -1
    except OSError as error:
        raise broken(f"{name} cannot be read") from error
    if descriptor < 0:
        raise broken(f"{name} is no regular file")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise broken(f"{name} is no regular file")
    return os.fdopen(descriptor, "rb")
