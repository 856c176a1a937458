"""What has to hold of dbos before it carries jobs: each use of its inside is tied to a version and tested at start.

    check()            # raises ConfigurationError

1. The version is one we know (`>=3.4,<4`), and what we use of its inside looks as it did.
2. No pickle: dbos reads every row with the serializer that the row names, so choosing JSON for what we write does not
   keep it from unpickling a row somebody else wrote. Unpickling runs code; it is replaced by a refusal.
3. Nothing of the vendor's services: no cloud mode, no Conductor, no proprietary package loaded.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from importlib import metadata
from typing import Any, Final, NoReturn

import dbos
from dbos import _queue, _serialization

from api.errors import ConfigurationError

KNOWN: Final = ((3, 4), (4, 0))
"""From this version of dbos, below that one."""
SERIALIZER: Final = dbos.DBOSPortableJSONSerializer()
_HINT: Final = "install the dbos that requirements/runtime.txt names"
_PICKLE: Final = "py_pickle"
_NOTHING: Final = "gAROLg=="
"""None, pickled, in Base64."""


class PickleRefused(ValueError):
    """A row of the job engine that would run code when it is read."""


def version() -> str:
    """Return the version of dbos."""
    return metadata.version("dbos")


def check() -> None:
    """Refuse pickle, and make sure that everything above holds. Raises ConfigurationError."""
    _check_version()
    _check_vendor()
    refuse_pickle()
    _check_inside()


def _check_version() -> None:
    found = tuple(int(part) for part in re.findall(r"\d+", version())[:2])
    if not KNOWN[0] <= found < KNOWN[1]:
        raise ConfigurationError(f"dbos {version()} is not known to work as the job engine", hint=_HINT)


def _check_vendor() -> None:
    """Refuse an environment in which dbos would connect to its vendor's services."""
    for name in os.environ:
        if name.startswith("DBOS_"):
            raise ConfigurationError(
                f"the environment variable {name} would change how jobs are carried",
                hint="unset it: Sealroad uses none of the services of the engine's vendor",
            )
    if "dbos_enterprise" in sys.modules:
        raise ConfigurationError("a proprietary part of the job engine is loaded", hint=_HINT)


def refuse_pickle() -> None:
    """Make dbos unable to pickle and unpickle, and try it."""

    def refuse(_self: Any, _value: Any) -> NoReturn:
        raise PickleRefused("pickle is not accepted in the job tables")

    default = _serialization.DefaultSerializer
    default.serialize = refuse  # type: ignore[assignment]
    default.deserialize = refuse  # type: ignore[assignment]
    for read in (_serialization.deserialize_value, _serialization.deserialize_args):
        try:
            read(_NOTHING, _PICKLE, SERIALIZER)
        except PickleRefused:
            continue
        raise ConfigurationError("the job engine reads pickle", hint=_HINT)


def _check_inside() -> None:
    """Check the one function of dbos that we call from outside, and what it asks of the event that we hand it."""
    code = _queue.queue_worker_thread
    if list(inspect.signature(code).parameters) != ["stop_event", "dbos", "queue"]:
        raise ConfigurationError("the queue of the job engine is started in another way", hint=_HINT)
    used = set(re.findall(r"stop_event\.(\w+)", inspect.getsource(code)))
    if not used <= {"wait", "is_set"}:
        raise ConfigurationError("the queue of the job engine waits in another way", hint=_HINT)
    if not callable(getattr(dbos._core.ActiveWorkflowById, "activeList", None)):  # noqa: SLF001
        raise ConfigurationError("the job engine does not say what it runs", hint=_HINT)
