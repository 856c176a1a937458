"""Who is alive: every process that serves or works holds a locked file while it lives.

    presence = Presence(data / "processes")
    presence.name                        # "host.4711.9f3c2a10", goes into leases
    presence.is_dead("host.4711.0011aabb")

The kernel drops the lock when a process dies, however it dies. So what a killed process had in hand can be taken over
at once on the same machine; of a process on another machine only its lease or its heart-beat tells, even where both
share the directory: locks do not reach over every network file system.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
from pathlib import Path


class Presence:
    """This process's name and locked file."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.host = socket.gethostname()[:100]
        self.name = f"{self.host}.{os.getpid()}.{secrets.token_hex(4)}"
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.open(self._path(self.name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def is_dead(self, name: str) -> bool:
        """Tell whether the process of this name is known to be gone. Without its file nothing is known."""
        if name.rsplit(".", 2)[0] != self.host:
            return False
        path = self._path(name)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        return True

    def close(self) -> None:
        """Leave; the file goes too."""
        self._path(self.name).unlink(missing_ok=True)
        os.close(self._file)

    def _path(self, name: str) -> Path:
        return self._directory / f"{Path(name).name}.lock"
