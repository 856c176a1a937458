"""What certificates, requests, lists and answers have in common: octets of anybody, kept as they came, split once.

@dataclass(frozen=True)
class CRL(Encoded[Parts]):
def _split(self, encoded: bytes) -> Parts: ...
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

P = TypeVar("P")


@dataclass(frozen=True)
class Encoded(Generic[P]):
    """Octets and what they say. Two of one class are equal if their octets are; octets that say nothing raise."""

    der: bytes

    def __post_init__(self) -> None:
        object.__setattr__(self, "der", bytes(self.der))
        _ = self._parts

    @cached_property
    def _parts(self) -> P:
        return self._split(self.der)

    def _split(self, encoded: bytes) -> P:
        """Return the members of `encoded`. Raises MalformedInput."""
        raise NotImplementedError
