"""One page of a PDF as a picture, drawn by PDFium in a child process with little time and memory.

    png = render(data, 1, 84)

A drawing program is large and reads the file its own way: it never runs in this process, decides nothing, and a picture
that cannot be drawn is a RenderingFailed, not a verdict. The child is an isolated Python that knows only the file.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from signer.errors import RenderingFailed

SECONDS = 20
"""Wall clock for one page."""
MAX_FILE = 128 * 1024 * 1024
MAX_PICTURE = 32 * 1024 * 1024
"""Octets of one PNG."""
MAX_DPI = 300
_CHILD = Path(__file__).with_name("rendering_child.py")


def render(data: bytes, page: int, dpi: int) -> bytes:
    """Return page number `page`, from 1, as a PNG. Raises RenderingFailed."""
    if not 1 <= dpi <= MAX_DPI or page < 1:
        raise RenderingFailed(f"no page {page} at {dpi} dpi")
    if len(data) > MAX_FILE:
        raise RenderingFailed(f"the file is larger than {MAX_FILE >> 20} MiB")
    command = [sys.executable, "-I", str(_CHILD), str(page), str(dpi), str(SECONDS)]
    try:
        done = subprocess.run(
            command,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
            env={},
            cwd="/",
        )
    except subprocess.TimeoutExpired as error:
        raise RenderingFailed(f"page {page} takes too long to draw") from error
    except OSError as error:
        raise RenderingFailed("no process can be started to draw a page") from error
    if done.returncode == NO_LIBRARY:
        raise RenderingFailed("pypdfium2 is not installed", hint="pip install pypdfium2")
    if done.returncode != 0 or not done.stdout.startswith(b"\x89PNG\r\n\x1a\n") or len(done.stdout) > MAX_PICTURE:
        raise RenderingFailed(f"page {page} cannot be drawn")
    return done.stdout


NO_LIBRARY = 3
"""Exit code of the child where the library is missing."""
