"""The ZIP of an envelope: stored entries, written in one pass, and read with nothing but their bounds believed.

archive = writing(sink.write)                    # a zipfile.ZipFile whose entries are not compressed
with entry(archive, "manifest.json") as write: write(octets)

container = Container(file)
container.read("manifest.json", 4 << 20)
with container.open("china.p7m") as stream: …
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, TypeVar, cast

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
            raise _broken("the container cannot be read") from error
        self._infos = {info.filename: info for info in infos}
        if len(self._infos) != len(infos):
            raise _broken("an entry stands twice")
        for info in infos:
            whole = info.compress_type == zipfile.ZIP_STORED and info.file_size == info.compress_size
            if not _NAMES.fullmatch(info.filename) or not whole or info.flag_bits & 0x2041:
                raise _broken(f"the entry {info.filename[:64]!r} is none of an envelope's")

    @property
    def names(self) -> frozenset[str]:
        """The names of all entries."""
        return frozenset(self._infos)

    def read(self, name: str, limit: int) -> bytes:
        """Return an entry of at most `limit` octets."""
        info = self._infos.get(name)
        if info is None:
            raise _broken(f"{name} is missing")
        if info.file_size > limit:
            raise _broken(f"{name} is too large")
        with self.open(name) as stream:
            return stream.read()

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Yield an entry as a stream."""
        if name not in self._infos:
            raise _broken(f"{name} is missing")
        entry = _Entry(self._archive, name)
        try:
            yield cast("BinaryIO", entry)
        finally:
            entry.close()


class _Entry:
    """An entry as a stream whose own faults are EnvelopeRefused; as much of BinaryIO as decrypting needs."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._name = name
        self._stream = self._guarded(lambda: archive.open(name))

    def _guarded(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except _ERRORS as error:
            raise _broken(f"{self._name} cannot be read") from error

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
        raise _broken("no ZIP, or something stands behind it")
    bounds = [(entries, length)]
    start = size - _END.size - _LOCATOR_SIZE - _END64.size
    if start >= 0 and _at(reader, start + _END64.size, 4) == b"PK\x06\x07":
        *_, entries, length, _ = _END64.unpack(_at(reader, start, _END64.size))
        bounds.append((entries, length))
    if any(entries > MAX_ENTRIES or length > MAX_DIRECTORY for entries, length in bounds):
        raise _broken("more entries than an envelope has")
    reader.seek(0)


def _at(reader: BinaryIO, position: int, size: int) -> bytes:
    if position < 0:
        raise _broken("no ZIP")
    reader.seek(position)
    octets = reader.read(size)
    if len(octets) != size:
        raise _broken("no ZIP")
    return octets


def _broken(what: str) -> EnvelopeRefused:
    return EnvelopeRefused(f"not an envelope: {what}", hint="ask the sender to send it again", reason="container")
