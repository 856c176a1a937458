"""Reads the ZIP of an ASiC container so that every reader would see the same files (ETSI EN 319 162-1 A.1).

    container = read_container(data)
    container.files["META-INF/signature.p7s"]
    container.faults          # what makes it two containers in one, or dangerous to unpack
    container.remarks         # what the standard wants otherwise

Only stored and deflated entries, within limits counted while they are unpacked, whatever the headers promise. What a
second reader may see otherwise is a fault: a name twice, octets that belong to no entry, local headers that say other
things than the directory. Nothing is written to a disk.
"""

from __future__ import annotations

import io
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass

from signer.errors import UnreadableFile

MIMETYPE = "mimetype"
ASIC_S, ASIC_E = "application/vnd.etsi.asic-s+zip", "application/vnd.etsi.asic-e+zip"
MAX_ENTRIES = 1000
MAX_ENTRY = 128 * 1024 * 1024
"""Octets of one file, unpacked."""
MAX_TOTAL = 512 * 1024 * 1024
"""Octets of all files together, unpacked."""
LOCAL_HEADER = struct.Struct("<4s5H3I2H")
ZIP64, ZIP64_FIELD = 0xFFFFFFFF, 1
"""Stands in a header where the size is in an extra field; the number of that field (APPNOTE 4.5.3)."""
UTF8_FLAG, DESCRIPTOR_FLAG, ENCRYPTED_FLAGS = 0x800, 0x8, 0x2041
DESCRIPTOR_SIZES = (12, 16, 20, 24)
"""Octets of a data descriptor: without and with its signature, the same of ZIP64 (APPNOTE 4.3.9)."""
_ERRORS = (
    zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OverflowError, OSError, EOFError, zlib.error,
    struct.error, KeyError, IndexError,
)  # fmt: skip


class LimitExceeded(Exception):
    """Unpacking would take more than is allowed; not that anything is wrong with it."""


@dataclass(frozen=True)
class Container:
    """The files of a container, by name."""

    files: dict[str, bytes]
    mimetype: str | None
    faults: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def looks_like_zip(data: bytes) -> zipfile.ZipFile | None:
    """Return the archive with its directory read, or None; nothing is unpacked."""
    if data[:4] != b"PK\x03\x04":
        return None
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except _ERRORS:
        return None


def names_in(archive: zipfile.ZipFile) -> list[str]:
    """Return the names in the directory, in its order."""
    return [_name(info) for info in archive.infolist()[: MAX_ENTRIES + 1]]


def _name(info: zipfile.ZipInfo) -> str:
    """Return the name as it stands there; without the flag for UTF-8 it is often UTF-8 all the same."""
    if not info.flag_bits & UTF8_FLAG:
        try:
            return info.orig_filename.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return info.orig_filename


def read_container(data: bytes) -> Container:
    """Unpack into memory. Raises UnreadableFile and LimitExceeded."""
    archive = looks_like_zip(data)
    if archive is None:
        raise UnreadableFile("the ZIP cannot be read", hint="it may be cut short; get the file again")
    infos = archive.infolist()
    if len(infos) > MAX_ENTRIES:
        raise LimitExceeded(f"more than {MAX_ENTRIES} files")
    files: dict[str, bytes] = {}
    faults: list[str] = []
    total = 0
    for info in infos:
        name = _name(info)
        if name in files:
            faults.append(f"{name} is there twice")
            continue
        fault = _unsafe(name) or _not_readable(info)
        if fault:
            faults.append(f"{name[:100]!r}: {fault}")
            continue
        try:
            with archive.open(info) as entry:
                body = entry.read(min(MAX_ENTRY, MAX_TOTAL - total) + 1)
        except _ERRORS as error:
            faults.append(f"{name}: it cannot be unpacked ({error})")
            continue
        total += len(body)
        if len(body) > MAX_ENTRY or total > MAX_TOTAL:
            raise LimitExceeded(f"more than {MAX_TOTAL >> 20} MiB unpacked, or a file of more than {MAX_ENTRY >> 20}")
        if not name.endswith("/"):
            files[name] = body
        elif body:
            faults.append(f"{name}: a directory with contents")
    faults += _layout(data, archive, infos)
    folded: dict[str, str] = {}
    for name in files:
        other = folded.setdefault(_folded(name), name)
        if other != name:
            faults.append(f"{other} and {name} are one file on some systems")
    mimetype, remarks = _mimetype(files, infos, archive)
    return Container(files, mimetype, tuple(faults), remarks)


def _folded(name: str) -> str:
    """Return what names are compared by where case, composition of letters, or dots and blanks at the end are lost."""
    parts = unicodedata.normalize("NFC", name).casefold().split("/")
    return unicodedata.normalize("NFC", "/".join(part.rstrip(" .") for part in parts))


def _unsafe(name: str) -> str:
    parts = name.rstrip("/").split("/")
    if not name or name.startswith("/") or "\\" in name or ":" in name or any(p in ("", ".", "..") for p in parts):
        return "a name that leads out of the container"
    return "control characters in the name" if any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in name) else ""


def _not_readable(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & ENCRYPTED_FLAGS:
        return "encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"compression method {info.compress_type}"
    if (info.external_attr >> 16) & 0xF000 == 0xA000:
        return "a symbolic link"
    return ""


def _layout(data: bytes, archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo]) -> list[str]:
    """Return what a reader that goes from header to header would see otherwise than one that uses the directory."""
    faults: list[str] = []
    position, before = 0, None
    for info in sorted(infos, key=lambda item: item.header_offset):
        shown = repr(info.filename[:100])
        if not _may_stand_between(data[position : info.header_offset], info.header_offset - position, before):
            faults.append(f"octets before {shown} that belong to no file")
        try:
            header = LOCAL_HEADER.unpack_from(data, info.header_offset)
        except struct.error:
            return [*faults, "a local header outside the file"]
        _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = header
        descriptor = bool(flags & DESCRIPTOR_FLAG)
        if method != info.compress_type or (flags ^ info.flag_bits) & (ENCRYPTED_FLAGS | DESCRIPTOR_FLAG):
            faults.append(f"two descriptions of {shown}")
        body = info.header_offset + LOCAL_HEADER.size + name_length + extra_length
        stated = _stated(crc, packed, size, data[body - extra_length : body])
        # with a descriptor behind the file the header says nothing (APPNOTE 4.4.4), but not something else
        wrong = any(sizes != _sizes(info) and (any(sizes) or not descriptor) for sizes in stated)
        if wrong or not stated or not _agrees(info):
            faults.append(f"two sizes of {shown}")
        before = info if descriptor else None
        position = body + info.compress_size
    start = archive.start_dir
    if not _may_stand_between(data[position:start], start - position, before):
        faults.append("octets before the directory that belong to no file")
    end = data.rfind(b"PK\x05\x06")
    comment = int.from_bytes(data[end + 20 : end + 22], "little")
    if end < 0 or end + 22 + comment != len(data):
        faults.append("octets behind the end of the ZIP")
    return faults


def _sizes(info: zipfile.ZipInfo) -> tuple[int, int, int]:
    return info.CRC, info.compress_size, info.file_size


def _stated(crc: int, packed: int, size: int, extra: bytes) -> list[tuple[int, int, int]]:
    """Return what a local header says of a file, by its own numbers and by its ZIP64 field; nothing where it is broken.

    The field has both sizes (APPNOTE 4.5.3), and counts for some readers whether it is asked for or not.
    """
    fields = _zip64(extra)
    if not fields:
        return [] if ZIP64 in (packed, size) else [(crc, packed, size)]
    if len(fields) > 1 or len(fields[0]) < 2:
        return []
    large, small = fields[0][:2]
    own = (crc, small if packed == ZIP64 else packed, large if size == ZIP64 else size)
    return [own, (crc, small, large)]


def _agrees(info: zipfile.ZipInfo) -> bool:
    """Tell whether the ZIP64 field in the directory says, in its order, nothing but what is taken for true."""
    fields = _zip64(info.extra)
    known = iter((info.file_size, info.compress_size, info.header_offset))
    return len(fields) < 2 and all(number in known for numbers in fields for number in numbers)


def _zip64(extra: bytes) -> list[tuple[int, ...]]:
    """Return the numbers in each ZIP64 field among the extra fields of a header."""
    found = []
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == ZIP64_FIELD:
            found.append(struct.unpack_from(f"<{len(field) // 8}Q", field))
    return found


def _may_stand_between(octets: bytes, length: int, before: zipfile.ZipInfo | None) -> bool:
    """Tell whether nothing stands between two entries, or the data descriptor that `before` promises, as it must be."""
    if length == 0:
        return True
    if before is None or length not in DESCRIPTOR_SIZES:
        return False
    crc, packed, size = _sizes(before)
    form = "<III" if length in DESCRIPTOR_SIZES[:2] else "<IQQ"
    signature = b"PK\x07\x08" if length in DESCRIPTOR_SIZES[1::2] else b""
    return octets == signature + struct.pack(form, crc, packed, size)


def _mimetype(
    files: dict[str, bytes], infos: list[zipfile.ZipInfo], archive: zipfile.ZipFile
) -> tuple[str | None, tuple[str, ...]]:
    """Return what kind of container it says it is (EN 319 162-1 A.1): in a file, or in the comment of the ZIP."""
    remarks: list[str] = []
    body = files.get(MIMETYPE)
    first = min(infos, key=lambda item: item.header_offset, default=None)
    if body is None:
        comment = archive.comment[:200].decode("utf-8", "replace")
        text = comment.removeprefix("mimetype=").strip() if comment.startswith("mimetype=") else None
        if text is None:
            remarks.append("no mimetype")
        return text, tuple(remarks)
    text = body[:200].decode("utf-8", "replace")
    if text != text.strip():
        remarks.append("space around the mimetype")
    if first is None or first.filename != MIMETYPE:
        remarks.append("the mimetype is not the first file")
    elif first.compress_type != zipfile.ZIP_STORED or first.extra or first.header_offset:
        remarks.append("the mimetype is compressed or has extra fields")
    return text.strip(), tuple(remarks)
