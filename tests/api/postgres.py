"""A PostgreSQL of one's own on a Unix socket, thrown away afterwards; PostgreSQL refuses to run as root.

with cluster() as server:
    server.url("postgres"); server.create("other"); server.restart()
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def tool(name: str) -> str:
    found = shutil.which(name)
    for directory in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        found = found or (str(directory / name) if (directory / name).exists() else None)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL is missing: apt-get install postgresql")
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    return found


class Cluster:
    """A cluster in a directory that belongs to whoever may run it."""

    def __init__(self, directory: Path, *, durable: bool = False) -> None:
        self._directory, self._prefix, self._durable = directory, [], durable
        if os.geteuid() == 0:
            user = next(name for name in ("postgres", "nobody") if name in {entry.pw_name for entry in pwd.getpwall()})
            entry = pwd.getpwnam(user)
            os.chown(directory, entry.pw_uid, entry.pw_gid)
            self._prefix = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]

    def run(self, *command: str) -> None:
        done = subprocess.run(
            [*self._prefix, *command], capture_output=True, text=True, cwd=self._directory, check=False, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def make(self) -> None:
        self.run(tool("initdb"), "-D", self._data, "-A", "trust", "-E", "UTF8", "--no-locale", "-U", "sealroad")

    def start(self) -> None:
        options = f"-k {self._directory} -c listen_addresses= -c max_connections=200"
        options += "" if self._durable else " -c fsync=off"
        log = str(self._directory / "log")
        self.run(tool("pg_ctl"), "-D", self._data, "-l", log, "-w", "-o", options, "start")

    def stop(self) -> None:
        self.run(tool("pg_ctl"), "-D", self._data, "-m", "immediate", "stop")

    def create(self, name: str, template: str = "template1") -> str:
        """Make a database, a copy of another that nobody is in, and return its URL."""
        self.run(tool("createdb"), "-h", str(self._directory), "-U", "sealroad", "-T", template, name)
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql://sealroad@/{name}?host={self._directory}"

    @property
    def pid(self) -> int:
        """Of the process whose children are all others."""
        return int((self._directory / "data" / "postmaster.pid").read_text().split()[0])

    @property
    def _data(self) -> str:
        return str(self._directory / "data")


@contextlib.contextmanager
def cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """Run a cluster while the block runs; `durable` waits for the disk at every commit, as one that is in use does."""
    tool("initdb")
    pytest.importorskip("psycopg", reason="the driver psycopg is not installed")
    directory = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket path has at most 107 octets
    try:
        found = Cluster(directory, durable=durable)
        found.make()
        found.start()
        try:
            yield found
        finally:
            found.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
