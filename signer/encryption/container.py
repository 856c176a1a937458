"""The ZIP of an envelope: stored entries, written in one pass, and read with nothing but their bounds believed.

archive = writing(sink.write)                    # a zipfile.ZipFile whose entries are not compressed
with entry(archive, "manifest.json") as write: write(octets)

container = Container(file)
read(container, "manifest.json", 4 << 20)
with container.open("china.p7m") as stream: …

`Package` and `Packing` are what sealing and opening need of it; a directory of the same entries is another one
(`signer.encryption.folder`).
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import BinaryIO, Protocol, TypeVar, cast, runtime_checkable

from certs.sink import Sink
from signer.errors import EnvelopeRefused

T = TypeVar("T")

MANIFEST = "manifest.json"
_NAMES = re.compile(r"manifest\.json|(manifest\.)?(international|china|russia)(\.about)?\.p7[ms]")
MAX_ENTRIES = 16
"""A manifest, and of each of three families two messages and a signature."""
MAX_DIRECTORY = 1 << 16
"""Octets of the directory at the end."""
_END, _END64 = struct.Struct("<4s4H2IH"), struct.Struct("<4sQ2H2I4Q")
_LOCATOR_SIZE = 20
_ERRORS = (
    zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OverflowError, OSError, EOFError, zlib.error,
    struct.error, KeyError, IndexError,
)  # fmt: skip


@runtime_checkable
class Package(Protocol):
    """An envelope's entries, to be read. Every fault is EnvelopeRefused."""

    @property
    def names(self) -> frozenset[str]:
        """The names of all entries."""
        ...

    def size(self, name: str) -> int:
        """Return the octets of an entry."""
        ...

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Yield an entry as a stream."""
        ...


@runtime_checkable
class Packing(Protocol):
    """Takes an envelope's entries, and in the end takes them all or none."""

    def entry(self, name: str) -> AbstractContextManager[Callable[[bytes], object]]:
        """Open a new entry and yield what takes its octets."""
        ...

    def commit(self) -> None:
        """Let what was written count."""
        ...

    def discard(self) -> None:
        """Forget what was written; does nothing after `commit`."""
        ...


OpenEntry = Callable[[str], AbstractContextManager[Callable[[bytes], object]]]


def read(package: Package, name: str, limit: int) -> bytes:
    """Return an entry of at most `limit` octets. Raises EnvelopeRefused."""
    if package.size(name) > limit:
        raise broken(f"{name} is too large")
    with package.open(name) as stream:
        octets = stream.read(limit + 1)
    if len(octets) > limit:  # a file that grows
        raise broken(f"{name} is too large")
    return octets


def allowed(name: str) -> str:
    """Return the name of an entry. Raises EnvelopeRefused for any that an envelope does not have."""
    if not _NAMES.fullmatch(name):
        raise broken(f"the entry {name[:64]!r} is none of an envelope's")
    return name


def content_name(family: str) -> str:
    """Return the name of the message with the content."""
    return f"{family}.p7m"


def about_name(family: str) -> str:
    """Return the name of the message with about.json."""
    return f"{family}.about.p7m"


def signature_name(family: str) -> str:
    """Return the name of a sender's signature on the manifest."""
    return f"manifest.{family}.p7s"


# Writing -------------------------------------------------------------------------------------------------------------
class _Forward:
    """The file that a ZIP is written to, where there is only a function that takes octets."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self.abandoned = False

    def write(self, data: bytes, /) -> int:
        """Pass octets on."""
        if not self.abandoned:
            self._write(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is kept back."""


@contextmanager
def writing(write: Callable[[bytes], object]) -> Iterator[zipfile.ZipFile]:
    """Open an archive to write to; its directory is written at the end, and nothing more where something failed."""
    forward = _Forward(write)
    archive = zipfile.ZipFile(cast("BinaryIO", forward), "w", zipfile.ZIP_STORED)
    try:
        yield archive
        archive.close()
    except BaseException:
        forward.abandoned = True  # a ZipFile writes its directory whenever it goes
        archive.close()
        raise


@contextmanager
def packing(target: Sink | Packing) -> Iterator[OpenEntry]:
    """Yield what opens the next entry of a target: a ZIP, where it takes octets only. Nobody commits it here."""
    if isinstance(target, Packing):
        yield target.entry
        return
    with writing(target.write) as archive:
        yield partial(entry, archive)


@contextmanager
def entry(archive: zipfile.ZipFile, name: str) -> Iterator[Callable[[bytes], object]]:
    """Open a new entry and yield what takes its octets. The date is always the same: the manifest has the real one."""
    with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as stream:
        yield stream.write


# Reading -------------------------------------------------------------------------------------------------------------
class Container:
    """An envelope's entries; the reader must be able to go back. Every fault is EnvelopeRefused."""

    def __init__(self, reader: BinaryIO) -> None:
        _check_directory(reader)
        try:
            self._archive = zipfile.ZipFile(reader)
            infos = self._archive.infolist()
        except _ERRORS as error:
            raise broken("the container cannot be read") from error
        self._infos = {info.filename: info for info in infos}
        if len(self._infos) != len(infos):
            raise broken("an entry stands twice")
        for info in infos:
            whole = info.compress_type == zipfile.ZIP_STORED and info.file_size == info.compress_size
            if not whole or info.flag_bits & 0x2041:
                raise broken(f"the entry {info.filename[:64]!r} is none of an envelope's")
            allowed(info.filename)

    @property
    def names(self) -> frozenset[str]:
        """The names of all entries."""
        return frozenset(self._infos)

    def size(self, name: str) -> int:
        """Return the octets of an entry."""
        info = self._infos.get(name)
        if info is None:
            raise broken(f"{name} is missing")
        return info.file_size

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Yield an entry as a stream."""
        if name not in self._infos:
            raise broken(f"{name} is missing")
        entry = Entry(name, lambda: cast("BinaryIO", self._archive.open(name)))
        try:
            yield cast("BinaryIO", entry)
        finally:
            entry.close()


class Entry:
    """An entry as a stream whose own faults are EnvelopeRefused; as much of BinaryIO as decrypting needs."""

    def __init__(self, name: str, opening: Callable[[], BinaryIO]) -> None:
        self._name = name
        self._stream = self._guarded(opening)

    def _guarded(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except _ERRORS as error:
            raise broken(f"{self._name} cannot be read") from error

    def read(self, size: int = -1, /) -> bytes:
        """Read octets."""
        return self._guarded(lambda: self._stream.read(size))

    def seekable(self) -> bool:
        """Tell whether it can go back."""
        return self._stream.seekable()

    def tell(self) -> int:
        """Return where it is."""
        return self._stream.tell()

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go elsewhere."""
        return self._guarded(lambda: self._stream.seek(offset, whence))

    def close(self) -> None:
        """Let it go."""
        self._stream.close()


def _check_directory(reader: BinaryIO) -> None:
    """Refuse a directory that is not the last thing in the file, or is too large to be an envelope's.

    `zipfile` reads it whole. Where a ZIP64 record stands before the end, it is the one that counts.
    """
    size = reader.seek(0, 2)
    signature, _, _, _, entries, length, _, comment = _END.unpack(_at(reader, size - _END.size, _END.size))
    if signature != b"PK\x05\x06" or comment:
        raise broken("no ZIP, or something stands behind it")
    bounds = [(entries, length)]
    start = size - _END.size - _LOCATOR_SIZE - _END64.size
    if start >= 0 and _at(reader, start + _END64.size, 4) == b"PK\x06\x07":
        *_, entries, length, _ = _END64.unpack(_at(reader, start, _END64.size))
        bounds.append((entries, length))
    if any(entries > MAX_ENTRIES or length > MAX_DIRECTORY for entries, length in bounds):
        raise broken("more entries than an envelope has")
    reader.seek(0)


def _at(reader: BinaryIO, position: int, size: int) -> bytes:
    if position < 0:
        raise broken("no ZIP")
    reader.seek(position)
    octets = reader.read(size)
    if len(octets) != size:
        raise broken("no ZIP")
    return octets


def broken(what: str) -> EnvelopeRefused:
    """Return the refusal of a container, with the reason at the end of a sentence."""
    return EnvelopeRefused(f"not an envelope: {what}", hint="ask the sender to send it again", reason="container")
