"""Files that are whole or not there: a temporary name in the same directory, fsync, then rename.

files.write("issuing.crl", data)
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write(path: str | Path, data: bytes, *, mode: int = 0o644, replace: bool = True) -> None:
    """Write `data` to `path` so that nobody ever sees half of it.

    `mode` is subject to the umask unless it is 0600. Raises OSError; FileExistsError where the file is there and
    `replace` is false.
    """
    target = Path(path)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            if mode != 0o600:
                os.fchmod(stream.fileno(), mode & ~_umask())
            os.fsync(stream.fileno())
        if replace:
            Path(temporary).replace(target)
        else:
            os.link(temporary, target)  # unlike rename, refuses an existing name, without a race
            Path(temporary).unlink()
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
