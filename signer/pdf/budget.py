"""The work that may be done for one file: counted in steps, and in octets inflated."""

from __future__ import annotations

from dataclasses import dataclass

MAX_INFLATED = 1024 * 1024 * 1024


class BudgetSpent(Exception):
    """The work allowed for one file is used up. Stays inside `signer`."""


@dataclass
class Budget:
    """Steps left for one file; shared by everything that reads it."""

    steps: int = 12_000_000
    """Some 20 s on one slow core; the honest file seen to need most, with 25 signatures, takes a twelfth of it."""
    inflated: int = MAX_INFLATED

    def spend(self, steps: int) -> None:
        """Use up `steps`; raises BudgetSpent."""
        self.steps -= steps
        if self.steps < 0:
            raise BudgetSpent("the work limit for one file is reached")
