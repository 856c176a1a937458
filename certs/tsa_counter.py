"""Serial numbers and times of one time-stamping unit: both only grow, across threads, processes, crashes and restarts.

    counter = FileCounter("pki/sm2/tsa.counter")
    counter.next(now, strict=True)         # Stamp(serial, moment), or TimeStampError where the clock went back

The file holds what was used last and what is reserved. Every stamp is written under a lock, so that a process killed
at any point loses nothing; the reservation alone is forced to disk, once for many stamps, and where the machine itself
went down (another boot) counting goes on behind it. RFC 3161 2.4.2: the serial number is unique even after a crash.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import threading
import zlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol

from certs.errors import KeyStoreError, TimeStampError

TOLERANCE = timedelta(milliseconds=500)
"""A clock this little behind the last stamp is not set back: stamps in quick succession run ahead of it."""
TICK = timedelta(microseconds=1)
BLOCK = 4096
"""Serial numbers reserved at once."""
AHEAD = timedelta(seconds=2)
"""Time reserved at once."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Stamp(NamedTuple):
    """What goes into one token."""

    serial: int
    moment: datetime


class Counter(Protocol):
    """Hands out serial numbers and times that only grow."""

    def next(self, now: datetime, *, strict: bool) -> Stamp:
        """Return the next serial number, and `now`, or with `strict` a moment after that of every earlier stamp.

        Raises TimeStampError with reason "clock" where the clock went back, KeyStoreError where nothing can be kept.
        """
        ...


def advance(last: datetime | None, now: datetime, *, strict: bool) -> datetime:
    """Return the moment of the next stamp. Raises TimeStampError where `now` lies before the last one."""
    if last is None or now > last:
        return now
    if not strict:
        if now < last:
            raise _went_back(last, now)
        return now
    if last - now > TOLERANCE:
        raise _went_back(last, now)
    return last + TICK


def _went_back(last: datetime, now: datetime) -> TimeStampError:
    return TimeStampError("the clock went back", reason="clock", behind=(last - now).total_seconds())


def first_serial(now: datetime) -> int:
    """Return where a new counter starts: milliseconds in the upper bits, so that a lost file repeats nothing."""
    return (now - _EPOCH) // timedelta(milliseconds=1) << 64


class MemoryCounter:
    """A counter of this process only; for tests and for one-off authorities."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._serial: int | None = None
        self._last: datetime | None = None

    def next(self, now: datetime, *, strict: bool) -> Stamp:
        """See Counter."""
        with self._lock:
            moment = advance(self._last, now, strict=strict)
            self._serial = (first_serial(now) if self._serial is None else self._serial) + 1
            self._last = moment
            return Stamp(self._serial, moment)


_RECORD = struct.Struct(">8s16s20s20sqq")
"""Mark, boot, last serial number, reserved serial number, last time, reserved time (microseconds); CRC-32 follows."""
_MARK = b"srtsa/1\n"


class _State(NamedTuple):
    boot: bytes
    serial: int
    reserved: int
    last: datetime
    horizon: datetime

    def encode(self) -> bytes:
        body = _RECORD.pack(
            _MARK,
            self.boot,
            self.serial.to_bytes(20, "big"),
            self.reserved.to_bytes(20, "big"),
            (self.last - _EPOCH) // TICK,
            (self.horizon - _EPOCH) // TICK,
        )
        return body + zlib.crc32(body).to_bytes(4, "big")


class FileCounter:
    """A counter in a small file. Several processes may share it; the file system must know flock."""

    def __init__(self, path: str | Path, *, boot: bytes | None = None) -> None:
        """`boot` names this run of the machine; by default the kernel's boot_id."""
        self._path = Path(path)
        self._boot = (boot if boot is not None else _boot_id())[:16].ljust(16, b"\0")
        self._lock = threading.Lock()
        self._file: int | None = None
        self._owner = 0
        self._known: tuple[bytes, _State] | None = None
        """What this object wrote last; found in the file again, it need not be read again."""

    def next(self, now: datetime, *, strict: bool) -> Stamp:
        """See Counter."""
        with self._lock:
            try:
                if self._file is None or self._owner != os.getpid():  # a forked process would share the lock
                    self._owner = os.getpid()
                    self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                fcntl.flock(self._file, fcntl.LOCK_EX)
                try:
                    return self._advance(self._file, now, strict=strict)
                finally:
                    fcntl.flock(self._file, fcntl.LOCK_UN)
            except OSError as error:
                raise KeyStoreError(f"{self._path} cannot be kept: {error.strerror}") from error

    def _advance(self, file: int, now: datetime, *, strict: bool) -> Stamp:
        state = self._read(file)
        fresh = state is None
        if state is None:
            start = first_serial(now)
            state = _State(self._boot, start, start, _EPOCH, _EPOCH)
        elif state.boot != self._boot:  # the machine went down: what was not forced to disk may be missing
            state = _State(self._boot, state.reserved, state.reserved, max(state.last, state.horizon), _EPOCH)
        moment = advance(state.last, now, strict=strict)
        serial, reserved, horizon = state.serial + 1, state.reserved, state.horizon
        force = serial > reserved or moment > horizon
        if force:
            reserved, horizon = max(reserved, serial + BLOCK), moment + AHEAD
        state = _State(self._boot, serial, reserved, moment, horizon)
        encoded = state.encode()
        if os.pwrite(file, encoded, 0) != len(encoded):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if force:
            os.fsync(file)
        if fresh:
            _sync_directory(self._path.parent)
        self._known = encoded, state
        return Stamp(serial, moment)

    def _read(self, file: int) -> _State | None:
        data = os.pread(file, _RECORD.size + 5, 0)
        if not data:
            return None
        if self._known is not None and data == self._known[0]:
            return self._known[1]
        body, check = data[: _RECORD.size], data[_RECORD.size :]
        if not body.startswith(_MARK) or zlib.crc32(body).to_bytes(4, "big") != check:
            raise KeyStoreError(
                f"{self._path} is damaged",
                hint="remove it only if the clock is right: a new counter starts at the present time",
            )
        _, boot, serial, reserved, last, horizon = _RECORD.unpack(body)
        return _State(
            boot,
            int.from_bytes(serial, "big"),
            int.from_bytes(reserved, "big"),
            _EPOCH + last * TICK,
            _EPOCH + horizon * TICK,
        )


def _boot_id() -> bytes:
    with suppress(OSError, ValueError):
        return bytes.fromhex(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip().replace("-", ""))
    return os.urandom(16)  # not to be known here: every start counts as a new boot


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
