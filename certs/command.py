"""One sub-command of `sealroad`, as plain data.

    COMMANDS = {"inspect": Command("inspect", "say what is in a file", configure, run)}

Every package offers such a table as `<package>.cli.COMMANDS`; `api/cli.py` joins them into the one command. `configure`
runs at every start of the program, so it only describes arguments; heavy imports belong inside `run`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """What the command line needs to know about one sub-command."""

    name: str
    """The word after `sealroad`."""
    help: str
    """One line, lower case, without a full stop."""
    configure: Callable[[argparse.ArgumentParser], None]
    """Adds the arguments; imports nothing heavy."""
    run: Callable[[argparse.Namespace], int]
    """Does the work and returns the exit code; a SealroadError is reported by the caller."""
