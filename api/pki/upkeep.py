"""What the circles need done without anybody asking: promises kept, and the audit log signed off.

    upkeep = Upkeep(circles, settings)
    upkeep()                 # every few seconds, in the process that does the jobs
    upkeep.finish()          # when that process stops
    upkeep.failures          # {("sm2", "checkpoint"): "time-stamp-error"}: what went wrong the last time it was tried

 1. suspensions end when their time has come, and a revocation list is made before the one at hand reaches nextUpdate
 2. a checkpoint of the audit log is signed, time-stamped and written beside it, when something happened since the last
    one and that is older than `Settings.checkpoint_interval`; and at the end

A failure is logged, told by /readyz and /metrics, and tried again. It stops nothing: certificates and time-stamps go
on, because every one of them has its entry in the log before it is made.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from api.config import Settings
from api.pki.circles import Circles
from certs.errors import SealroadError

if TYPE_CHECKING:
    from api.pki.circle import Circle

log = logging.getLogger("sealroad.pki")

PAUSE: Final = 2.0
"""Seconds from one round to the next."""
TASKS: Final = ("promises", "checkpoint")


class Upkeep:
    """Looks after every circle that has been made. To be called by one thread; `failures` may be read by any."""

    def __init__(self, circles: Circles, settings: Settings) -> None:
        self._circles, self._interval = circles, settings.checkpoint_interval
        self.failures: dict[tuple[str, str], str] = {}

    def __call__(self) -> None:
        """Do what is due."""
        for circle in self._each():
            self._try(circle, "promises", circle.keep_promises)
            if self._interval is not None:
                self._checkpoint(circle, self._interval)

    def finish(self) -> None:
        """Sign off what happened since the last checkpoint."""
        if self._interval is None:
            return
        for circle in self._each():
            self._try(circle, "checkpoint", circle.end_batches)
            self._checkpoint(circle, timedelta(0))

    def _each(self) -> list[Circle]:
        try:
            return self._circles.existing()
        except SealroadError:
            log.exception("the circles cannot be opened")
            return []

    def _checkpoint(self, circle: Circle, interval: timedelta) -> None:
        self._try(circle, "checkpoint", lambda: circle.checkpoint(interval))

    def _try(self, circle: Circle, task: str, action: Callable[[], object]) -> None:
        about = (circle.suite, task)
        try:
            action()
        except Exception as error:
            code = error.code if isinstance(error, SealroadError) else "internal-error"
            if self.failures.get(about) != code:  # once, not every few seconds
                log.exception("%s of the circle of %s", task, circle.suite)
            self.failures[about] = code
        else:
            if self.failures.pop(about, None) is not None:
                log.warning("%s of the circle of %s is well again", task, circle.suite)
