"""The life of an agreement, and of what ends one. Pure: values in, values out.

    move(State.DRAFT, "offer")              # State.OFFERED, or StateConflict with what is possible

    draft → offered → in_force → superseded | terminated
            offered → withdrawn

Offered means that its octets are fixed. It is in force once every party has signed them; whether a moment lies within
the dates it states is asked apart (`in_force_at`). What ends an agreement is an object of the same life: a termination,
or the agreement that supersedes it. The one that is ended is never changed.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from api.errors import StateConflict


class State(StrEnum):
    """Where an agreement is."""

    DRAFT = "draft"
    OFFERED = "offered"
    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"
    TERMINATED = "terminated"
    WITHDRAWN = "withdrawn"


class Kind(StrEnum):
    """What an object is."""

    AGREEMENT = "agreement"
    TERMINATION = "termination"


MOVES: Final[dict[State, dict[str, State]]] = {
    State.DRAFT: {"change": State.DRAFT, "offer": State.OFFERED},
    State.OFFERED: {"sign": State.OFFERED, "conclude": State.IN_FORCE, "withdraw": State.WITHDRAWN},
    State.IN_FORCE: {"supersede": State.SUPERSEDED, "terminate": State.TERMINATED},
    State.SUPERSEDED: {},
    State.TERMINATED: {},
    State.WITHDRAWN: {},
}
SIGNED: Final = frozenset({State.IN_FORCE, State.SUPERSEDED, State.TERMINATED})
"""What all parties have signed."""


def move(state: str, command: str) -> State:
    """Return the state after a command. Raises StateConflict."""
    moves = MOVES[State(state)]
    if command not in moves:
        raise StateConflict(f"an agreement that is {state} cannot {command}", state=state, allowed=sorted(moves))
    return moves[command]


def in_force_at(
    state: str, moment: datetime, *, start: datetime | None, end: datetime | None, ended: datetime | None
) -> bool:
    """Tell whether something may be signed under an agreement at a moment.

    `start` and `end` are what it states, the end inclusive; `ended` is from when the parties ended it.
    """
    if State(state) not in SIGNED or (start is not None and moment < start) or (end is not None and moment > end):
        return False
    return ended is None or moment < ended
