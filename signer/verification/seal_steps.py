"""What the checks of seals are called, which clause each is, and when a seal was used.

    clause(seal.version, "maker")                    # "GM/T 0031-2014 6.1.2 c"
    Use(moment, latest).within(begin, end)           # "inside", "unproven", "before", "after"

The text of GM/T 0031-2014 is public, and its letters are cited. Of GB/T 38540-2020 and GM/T 0031-2025 the order of the
steps is known at second hand only: their steps bear our own numbers, which docs/seal-verification.md lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from signer.seals.model import SealVersion

Step = Literal["format", "value", "made", "maker", "validity", "stamp"]
"""Of a seal, in the order of the standards."""
UseStep = Literal["format", "value", "listed", "seal", "signer", "document", "stamp"]
"""Of a signature made with a seal."""

_SEAL: dict[Step, tuple[str, str]] = {
    "format": ("S1", "6.1.2 a"),
    "value": ("S2", "6.1.2 b"),
    "made": ("S3", "6.1.2 c"),
    "maker": ("S4", "6.1.2 c"),
    "validity": ("S5", "6.1.2 d"),
    "stamp": ("S6", "6.1.2"),
}
_USE: dict[UseStep, tuple[str, str]] = {
    "format": ("D1", "6.2.3 a"),
    "value": ("D2", "6.2.3 b"),
    "listed": ("D3", "6.2.2 c"),
    "seal": ("D4", "6.2.3 f"),
    "signer": ("D5", "6.2.3 c, d"),
    "document": ("D6", "6.2.3 e"),
    "stamp": ("D7", "6.2.3 d"),
}
"""Number in our list, and letter in GM/T 0031-2014."""


def clause(version: SealVersion, step: Step) -> str:
    """Return where a step of verifying a seal stands."""
    return _clause(version, *_SEAL[step])


def use_clause(version: SealVersion, step: UseStep) -> str:
    """Return where a step of verifying a signature made with a seal stands."""
    return _clause(version, *_USE[step])


def _clause(version: SealVersion, number: str, letter: str) -> str:
    if version is SealVersion.V1:
        return f"{version.standard} {letter}"
    return f"{version.standard}, step {number}"


Place = Literal["inside", "unproven", "before", "after"]


@dataclass(frozen=True)
class Use:
    """When something was done, as far as that is known."""

    moment: datetime
    """What is claimed, or proven."""
    latest: datetime
    """It is proven that it was not later: by a time-stamp, else by the moment of validation."""

    def within(self, begin: datetime, end: datetime) -> Place:
        """Say where it lies; "unproven" where only the claim puts it inside."""
        if self.moment > end:
            return "after"
        if self.moment < begin or self.latest < begin:
            return "before"
        return "inside" if self.latest <= end else "unproven"
