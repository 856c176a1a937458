"""A service as it is deployed: `sealroad serve`, workers beside it, a database; and what their processes use.

with deployment(Path("/tmp/x"), None) as found:          # None: SQLite
    worker = found.worker(); ...; found.stop(worker)
    before = found.used(); ...; found.used() - before    # seconds of processor time
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from api.config import Settings
from api.context import Context, open_context
from api.migrations import upgrade

_TICK = os.sysconf("SC_CLK_TCK")
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Used:
    """Processor time in seconds: of the serving process, of the workers, of the database's own processes."""

    serve: float = 0.0
    workers: float = 0.0
    database: float = 0.0

    @property
    def total(self) -> float:
        return self.serve + self.workers + self.database

    def __sub__(self, other: Used) -> Used:
        return Used(self.serve - other.serve, self.workers - other.workers, self.database - other.database)


@dataclass
class Deployment:
    """Processes on one data directory."""

    data: Path
    database: str | None
    postmaster: int | None
    context: Context
    """The same data, seen from this process."""
    serve: subprocess.Popen[str] = field(init=False)
    address: str = field(init=False)
    workers: list[subprocess.Popen[str]] = field(default_factory=list)
    _ended: float = 0.0

    def start(self) -> None:
        """Start the service, without a worker inside."""
        self.serve, line = self._run("listening on", "serve", "--port", "0", "--no-worker")
        self.address = line.split("listening on ")[1].split(",")[0]

    def worker(self) -> subprocess.Popen[str]:
        """Start a worker; return when it takes jobs."""
        process, _ = self._run("working as", "worker")
        self.workers.append(process)
        return process

    def stop(self, process: subprocess.Popen[str]) -> None:
        """Let a worker end what it has in hand."""
        before = _processor_time(process.pid)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        self.workers.remove(process)
        self._ended += before

    def close(self) -> None:
        """End everything."""
        for process in (self.serve, *self.workers):
            process.kill()
            process.communicate()
        self.context.close()

    @property
    def token(self) -> str:
        """The first API key."""
        return (self.data / "admin.key").read_text("ascii").strip()

    def used(self) -> Used:
        """Return what has been used so far."""
        workers = sum(_processor_time(process.pid) for process in self.workers) + self._ended
        database = _processor_time(self.postmaster) if self.postmaster is not None else 0.0
        return Used(_processor_time(self.serve.pid), workers, database)

    def memory(self) -> dict[str, int]:
        """Return the resident memory of each process, in octets; of those that verify, by whom they were started."""
        found = {"serve": _resident(self.serve.pid)}
        found |= {f"worker {number}": _resident(process.pid) for number, process in enumerate(self.workers, start=1)}
        for name, process in (("serve", self.serve), *((f"worker {n}", p) for n, p in enumerate(self.workers, 1))):
            for number, child in enumerate(_family(process.pid)[1:], start=1):
                found[f"{name}, verifier {number}"] = _resident(child)
        return found

    def _run(self, ready: str, *words: str) -> tuple[subprocess.Popen[str], str]:
        environment = os.environ | {"SEALROAD_DATA": str(self.data), "PYTHONPATH": str(_ROOT)}
        if self.database is not None:
            environment["SEALROAD_DATABASE_URL"] = self.database
        command = [sys.executable, "-m", "api.cli", *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=_ROOT)
        assert process.stdout is not None
        line = ""
        while ready not in line:
            line = process.stdout.readline()
            if not line:
                process.kill()
                raise RuntimeError(f"sealroad {words[0]} ended")
        return process, line


@contextmanager
def deployment(data: Path, database: str | None, postmaster: int | None = None) -> Iterator[Deployment]:
    """Run a service while the block runs."""
    context = open_context(Settings(data=data, database=database, worker=False))
    found = Deployment(data, database, postmaster, context)
    upgrade(context.database)
    try:
        found.start()
        yield found
    finally:
        with suppress(AttributeError):  # it did not start
            found.close()


def _family(pid: int) -> list[int]:
    """Return a process and all that came of it and live."""
    found = [pid]
    for parent in found:
        with suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def _processor_time(pid: int) -> float:
    """Return the seconds that a process and its family have computed, those that have ended included."""
    ticks = 0
    for member in _family(pid):
        with suppress(OSError):
            ticks += sum(map(int, Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return ticks / _TICK


def _resident(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0
