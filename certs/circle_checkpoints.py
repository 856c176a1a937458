"""The checkpoints that a circle makes of its audit log: when one is due, and the files beside the log.

    if checkpoint_due(log_of(circle), clock.now(), timedelta(hours=1)):
        path = checkpoint(directory, circle, secrets, clock)        # checkpoints/0000000217.checkpoint
    checkpoints_beside(directory)                                   # what `ca audit verify` reads without being told

`certs.audit.checkpoint` says what is in one.
"""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from pathlib import Path

from certs import files
from certs.audit.checkpoint import make, parse
from certs.audit.log import AuditLog
from certs.ca import ClosedCircle
from certs.circle_books import auditor, log_of
from certs.circle_files import CHECKPOINT, CHECKPOINTS
from certs.circle_units import timestamper
from certs.clock import Clock
from certs.errors import AuditError, KeyNotFound, KeyStoreError
from certs.keys.base import Secrets


def checkpoint_due(log: AuditLog, now: datetime, interval: timedelta) -> bool:
    """Tell whether something happened since the last checkpoint, and that one is older than `interval`.

    A checkpoint's own entry is the last one it writes: where nothing follows it, nothing happened. A log without a
    checkpoint is as old as its first entry.
    """
    last = log.last
    if last is None or last.act == "checkpoint":
        return False
    made = log.last_checkpoint()
    return now - (parse(made).at if made is not None else log.begun) >= interval


def checkpoint(directory: str | Path, circle: ClosedCircle, secrets: Secrets, clock: Clock) -> Path:
    """Sign the state of the log, time-stamped where the circle has a unit for that, and write it beside the log.

    The file is in CHECKPOINTS, under the number of entries it covers. Raises AuditError, TimeStampError, KeyStoreError
    and what the keys raise.
    """
    place, log = Path(directory), log_of(circle)
    if log is None:
        raise AuditError("the authority keeps no audit log")
    stamp = None
    with contextlib.suppress(KeyNotFound):  # made without a time-stamping authority
        stamp = timestamper(place, circle, secrets, clock).stamp
    make(log, [auditor(place, circle, secrets)], clock.now(), stamp=stamp)
    return write_checkpoint(place, log)


def write_checkpoint(place: Path, log: AuditLog) -> Path:
    """Write the newest checkpoint, which the log has, to its file where that is not there. Raises AuditError."""
    made = log.last_checkpoint()
    if made is None:
        raise AuditError("the log has no checkpoint yet")
    path = place / CHECKPOINTS / f"{parse(made).size:010}{CHECKPOINT}"
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if not path.exists():
            files.write(path, made)
    except OSError as error:
        raise KeyStoreError(f"{path} cannot be written: {error.strerror}") from error
    return path


def checkpoints_beside(directory: str | Path) -> list[Path]:
    """Return the checkpoints that lie beside the log, oldest first."""
    return sorted((Path(directory) / CHECKPOINTS).glob(f"*{CHECKPOINT}"))
