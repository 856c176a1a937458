"""What a process can do so that its keys stay inside it.

    done = harden()                      # the commands that hold keys call this first
    done.core_dumps, done.memory         # in words, for `sealroad doctor`
    lock(buffer)                         # a bytearray with a key that stays: its pages are not swapped out
    wipe(buffer)                         # a bytearray that held a secret

No core file (RLIMIT_CORE 0; PR_SET_DUMPABLE 0, which also keeps other processes of the same user from reading this
one's memory), memory that is not swapped out where the limits allow it, files for the owner only.

What it cannot do: Python copies `bytes` as it pleases and never clears them, and libraries keep keys in memory of their
own. `wipe` clears the one buffer it is given. Root reads everything; a hibernated machine writes everything to disk.
Keys that must withstand that belong into a token (`pkcs11:`).
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PR_GET_DUMPABLE, PR_SET_DUMPABLE = 3, 4
MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT = 1, 2, 4
CAP_IPC_LOCK = 14
LOCK_ENOUGH = 1 << 29
"""Octets of RLIMIT_MEMLOCK under which memory is not locked: future allocations of a busy service would fail."""


@dataclass(frozen=True)
class Hardening:
    """What was done, in words for people."""

    core_dumps: str
    dumpable: str
    memory: str
    umask: str

    def to_json(self) -> dict[str, str]:
        """Return plain data."""
        return {name: getattr(self, name) for name in ("core_dumps", "dumpable", "memory", "umask")}


_done: Hardening | None = None


def harden() -> Hardening:
    """Do what can be done, once per process; never raises."""
    global _done  # noqa: PLW0603 - it is the process that this is about
    if _done is None:
        os.umask(0o077)
        _done = Hardening(_no_core(), _not_dumpable(), _lock_memory(), "077")
    return _done


def status() -> dict[str, str]:
    """Return what `harden` did, as plain data; empty where it was not called."""
    return {} if _done is None else _done.to_json()


def _no_core() -> str:
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ValueError, OSError) as error:
        return f"could not be switched off: {error}"
    return "off"


def _not_dumpable() -> str:
    if not sys.platform.startswith("linux"):
        return "not known on this system"
    libc = _libc()
    if libc is None or libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 or libc.prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0:
        return "could not be cleared"
    return "cleared: no core file, and no tracing by other processes of this user"


def _lock_memory() -> str:
    soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    with suppress(ValueError, OSError):  # what is allowed need not be asked for by whoever starts the process
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (hard, hard))
        soft = hard
    if soft != resource.RLIM_INFINITY and soft < LOCK_ENOUGH and not _has_no_limit():
        return f"may be swapped out: the limit of locked memory is {soft >> 10} KiB (raise it: LimitMEMLOCK=infinity)"
    libc = _libc()
    if libc is None or libc.mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0:
        reason = os.strerror(ctypes.get_errno()) if libc is not None else "no C library"
        return f"may be swapped out: mlockall failed ({reason})"
    return "locked: never swapped out"


def _has_no_limit() -> bool:
    """Tell whether RLIMIT_MEMLOCK is not for us: CAP_IPC_LOCK, and not only inside a user namespace (mlock(2))."""
    try:
        status = Path("/proc/self/status").read_bytes()
        owners = Path("/proc/self/uid_map").read_bytes()
        effective = int(status.partition(b"\nCapEff:")[2].split()[0], 16)
    except (OSError, ValueError, IndexError):
        return False
    return bool(effective >> CAP_IPC_LOCK & 1) and owners.split() == [b"0", b"0", b"4294967295"]


@cache
def _libc() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(None, use_errno=True)
        _ = library.prctl, library.mlockall, library.mlock
    except (OSError, AttributeError):
        return None
    return library


def lock(buffer: bytearray) -> bool:
    """Keep the pages of a buffer out of swap (mlock), also where the limit is too small for all memory.

    Return whether that was done. A child process made by fork does not inherit it. The pages stay locked after the
    buffer is gone: this is for the few keys that live as long as the process.
    """
    libc, length = _libc(), len(buffer)
    if libc is None or not length:
        return False
    held = (ctypes.c_char * length).from_buffer(buffer)
    return bool(libc.mlock(ctypes.c_void_p(ctypes.addressof(held)), ctypes.c_size_t(length)) == 0)


def wipe(buffer: bytearray) -> None:
    """Overwrite a buffer with zeros, in place. Copies that others made are out of reach."""
    length = len(buffer)
    if length:
        ctypes.memset((ctypes.c_char * length).from_buffer(buffer), 0, length)
