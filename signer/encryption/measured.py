"""Octets on their way, counted and digested by the algorithm of every family.

measure = Measure()
write = tee(sink.write, measure.write)
measure.result().digests["sm3"]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any, BinaryIO

from certs import suites
from certs.suites.base import Family

DIGESTS = {Family.INTERNATIONAL: "sha256", Family.CHINA: "sm3", Family.RUSSIA: "streebog256"}
"""Family to the digest that its recipients check by; all are computed for all."""


@dataclass(frozen=True)
class Measured:
    """Octets as they are known: how many, and their digest by each family's algorithm, in hexadecimal."""

    size: int
    digests: Mapping[str, str]

    def matches(self, other: Measured, *families: Family) -> bool:
        """Tell whether the octets are the same, by the digests of some families, or by all."""
        names = [DIGESTS[family] for family in families or DIGESTS]
        same = all(compare_digest(self.digests[name], other.digests[name]) for name in names)
        return same and self.size == other.size

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {"size": self.size, "digests": dict(self.digests)}


class Measure:
    """Counts and digests octets on their way, by all families' algorithms or by one."""

    def __init__(self, *families: Family) -> None:
        self._running = {DIGESTS[item]: suites.new_digest(DIGESTS[item]) for item in families or DIGESTS}
        self._size = 0

    def write(self, data: bytes) -> None:
        """Take octets."""
        self._size += len(data)
        for running in self._running.values():
            running.update(data)

    def result(self) -> Measured:
        """Return what was measured; digests of other families are empty."""
        empty = dict.fromkeys(DIGESTS.values(), "")
        return Measured(self._size, empty | {name: item.digest().hex() for name, item in self._running.items()})


def measured(data: bytes, *families: Family) -> Measured:
    """Measure octets at hand."""
    measure = Measure(*families)
    measure.write(data)
    return measure.result()


def tee(*takers: Callable[[bytes], object]) -> Callable[[bytes], None]:
    """Return a function that gives octets to each of `takers`."""

    def write(data: bytes) -> None:
        for take in takers:
            take(data)

    return write


class Measuring:
    """A reader whose octets are measured as they are read; enough of BinaryIO for encrypting."""

    def __init__(self, reader: BinaryIO, measure: Measure) -> None:
        self._reader, self._measure = reader, measure

    def read(self, size: int = -1, /) -> bytes:
        """Read, and measure."""
        data = self._reader.read(size)
        self._measure.write(data)
        return data
