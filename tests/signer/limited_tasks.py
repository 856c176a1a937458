"""What a hostile file might make a child process do."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

_kept: list[bytes] = []


def answer(header: dict[str, Any], body: bytes) -> bytes:
    act = header["act"]
    if act == "echo":
        return body
    if act == "pid":
        return str(os.getpid()).encode()
    if act == "sleep":
        time.sleep(60)
    if act == "spin":
        while True:
            pass
    if act == "grow":
        while True:
            _kept.append(bytes(1 << 26))
    if act == "die":
        os._exit(3)
    if act == "raise":
        raise LookupError
    if act == "exit":
        raise SystemExit(0)
    if act == "write":
        Path(header["path"]).write_bytes(body)
    if act == "print":
        print("not an answer", flush=True)
        os.write(1, b"not an answer")
        return b"answer"
    return b"?"
