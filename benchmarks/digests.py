"""Megabytes per second of every digest, as ratio to SHA-256 of hashlib; for information.

    python -m benchmarks digests

The octets are fed as a signer feeds a file: a mebibyte at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from statistics import median

from benchmarks.compare import Row, Table, alternate
from certs import suites
from certs.suites.base import Digest

CHUNK = bytes(range(256)) * 4096
CHUNKS = 8
ROUNDS = 9


def run(*, quick: bool = False) -> list[Table]:
    """Return one table: the digests of all suites that work on this machine."""
    names = dict.fromkeys(suites.get(name).digest_name for name in suites.names())
    chunks, rounds = (1, 1) if quick else (CHUNKS, ROUNDS)
    rows = [_row(name, chunks, rounds) for name in names]
    return [Table("digests: against SHA-256 of hashlib", "sealroad", "SHA-256", rows, "ours / SHA-256's")]


def _row(name: str, chunks: int, rounds: int) -> Row:
    pairs = alternate(_feeding(lambda: suites.new_digest(name), chunks), _feeding(hashlib.sha256, chunks), rounds)
    return Row(name, _rate(pairs.ours, chunks), _rate(pairs.peer, chunks), pairs.speedups)


def _feeding(make: Callable[[], Digest], chunks: int) -> Callable[[], bytes]:
    def feed() -> bytes:
        running = make()
        for _ in range(chunks):
            running.update(CHUNK)
        return running.digest()

    return feed


def _rate(times: Sequence[float], chunks: int) -> str:
    return f"{chunks * len(CHUNK) / median(times) / 1e6:.0f} MB/s"
