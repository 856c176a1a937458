"""How many requests a key, and a tenant, may make: a token bucket for each (RateLimit header fields, IETF draft).

    limits = Limits({"key": 6000, "tenant": 12000})         # a minute; 0: no limit
    standing = limits.take({"key": "key_…", "tenant": "ten_…"})
    standing.headers                                        # RateLimit-Policy, RateLimit

A bucket holds one minute's worth and fills all the time, so a burst after a pause is let through. The buckets are in
memory, of this process: to keep them in the database would cost every request a writing transaction, which on SQLite is
a wait for the disk and for whoever else writes. With several processes a client gets as many times the limit.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

WINDOW: Final = 60
"""Seconds."""
MOST: Final = 10_000
"""Buckets kept; those that are full again are forgotten first."""


@dataclass(frozen=True)
class Standing:
    """Where a client stands after a request."""

    headers: dict[str, str]
    wait: int
    """Seconds until there is room for another request; 0: this one was let through."""


class Limits:
    """The buckets of one process; `policy` is the requests in a minute, by the kind of who makes them."""

    def __init__(self, policy: Mapping[str, int], clock: Callable[[], float] = time.monotonic) -> None:
        self._policy = {kind: number for kind, number in policy.items() if number > 0}
        self._clock, self._lock = clock, threading.Lock()
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}
        """(kind, name): what was in it, and when that was."""

    def take(self, names: Mapping[str, str]) -> Standing:
        """Take one from each bucket, or none from any if one of them is empty."""
        with self._lock:
            now = self._clock()
            left = {kind: self._left(kind, names[kind], now) for kind in self._policy}
            good = all(number >= 1 for number in left.values())
            if good:
                left = {kind: number - 1 for kind, number in left.items()}
                for kind, number in left.items():
                    self._buckets[kind, names[kind]] = (number, now)
            if len(self._buckets) > MOST:
                self._forget(now)
        waits = [math.ceil((1 - number) * WINDOW / self._policy[kind]) for kind, number in left.items()]
        return Standing(self._headers(left), 0 if good else max(waits))

    def _left(self, kind: str, name: str, now: float) -> float:
        most = self._policy[kind]
        number, since = self._buckets.get((kind, name), (float(most), now))
        return min(float(most), number + (now - since) * most / WINDOW)

    def _forget(self, now: float) -> None:
        full = [key for key in self._buckets if self._left(*key, now) >= self._policy[key[0]]]
        for key in full or list(self._buckets)[: MOST // 2]:  # the oldest, if all are in use
            del self._buckets[key]

    def _headers(self, left: Mapping[str, float]) -> dict[str, str]:
        """Return the fields as draft-ietf-httpapi-ratelimit-headers has them: r is what is left, t when it is full."""
        if not left:
            return {}
        used = {kind: self._policy[kind] - number for kind, number in left.items()}
        full = {kind: math.ceil(number * WINDOW / self._policy[kind]) for kind, number in used.items()}
        return {
            "ratelimit-policy": ", ".join(f'"{kind}";q={self._policy[kind]};w={WINDOW}' for kind in left),
            "ratelimit": ", ".join(f'"{kind}";r={int(number)};t={full[kind]}' for kind, number in left.items()),
        }
