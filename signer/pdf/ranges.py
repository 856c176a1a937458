"""The octets that signatures of one file cover, hashed without starting again for each of them.

    hashed = Hashed(data)
    ranges = Ranges(hashed, (0, 1200, 17584, 900))
    ranges.digest("sm3")

Every later signature covers what the earlier ones did, and more. A running digest is kept at the gap of each, and the
next one goes on from there: a file is hashed about once for each algorithm, not once for each signature.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from certs.suites.base import Digest

PIECE = 1 << 20
"""Octets that are fed at a time; a backend may copy them."""
MAX_KEPT = 400
"""Running digests that are kept for one file."""


class Hashed:
    """One file with the digests of its beginnings."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._kept: dict[str, dict[int, Digest]] = {}
        self._ends: dict[str, list[int]] = {}

    def beginning(self, name: str, end: int) -> Digest:
        """Return a running digest that was fed the first `end` octets. Raises UnsupportedAlgorithm."""
        from certs import suites

        kept, ends = self._kept.setdefault(name, {}), self._ends.setdefault(name, [])
        place = bisect_right(ends, end)
        start = ends[place - 1] if place else 0
        running = kept[start].copy() if place else suites.new_digest(name)
        if start < end:
            feed(running, self.data, start, end)
            if len(ends) < MAX_KEPT:
                kept[end] = running.copy()
                insort(ends, end)
        return running


class Ranges:
    """What one signature covers: everything up to its end but the gap; hashed at most once per algorithm."""

    def __init__(self, hashed: Hashed, byte_range: tuple[int, int, int, int]) -> None:
        self._hashed = hashed
        self._byte_range = byte_range
        self._digests: dict[str, bytes] = {}

    def digest(self, name: str) -> bytes:
        """Return the digest by name; raises UnsupportedAlgorithm, BackendUnavailable."""
        if name not in self._digests:
            _, gap_start, gap_end, tail = self._byte_range
            running = self._hashed.beginning(name, gap_start)
            feed(running, self._hashed.data, gap_end, gap_end + tail)
            self._digests[name] = running.digest()
        return self._digests[name]

    def content(self) -> bytes:
        """Return the octets themselves, for algorithms that must see them."""
        _, gap_start, gap_end, tail = self._byte_range
        return self._hashed.data[:gap_start] + self._hashed.data[gap_end : gap_end + tail]


def feed(running: Digest, data: bytes, start: int, end: int) -> None:
    """Feed a part of the file."""
    whole = memoryview(data)
    for at in range(start, min(end, len(data)), PIECE):
        running.update(whole[at : min(at + PIECE, end)])
