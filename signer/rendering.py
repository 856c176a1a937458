"""Pages as pictures, drawn by PDFium in a child process under limits (`signer.limited`).

    png = render(data, page=1, dpi=96)        # RenderingFailed

A picture is for people: nothing is concluded from it. PDFium never fetches and, without its script engine, never runs
anything that is in a file.
"""

from __future__ import annotations

import atexit

from signer.errors import RenderingFailed
from signer.limited import Child, ChildFault, LimitReached

MAX_DPI = 600
MAX_PIXELS = 25_000_000
"""Of one picture; a larger page is drawn smaller."""
SECONDS = 20

_child = Child("signer.rendering_child:answer", seconds=SECONDS)
atexit.register(_child.close)


def render(data: bytes, page: int, dpi: float) -> bytes:
    """Return page `page`, from 1, of a PDF as PNG at so many dots per inch. Raises RenderingFailed."""
    if not 0 < dpi <= MAX_DPI:
        raise RenderingFailed(f"{dpi} dots per inch", hint=f"ask for 1 to {MAX_DPI}")
    try:
        return _child.ask({"page": page, "scale": dpi / 72, "pixels": MAX_PIXELS}, data)
    except LimitReached as error:
        raise RenderingFailed(
            f"page {page} could not be drawn within the limits", hint="open the file in a viewer instead"
        ) from error
    except ChildFault as error:
        raise RenderingFailed(f"page {page} cannot be drawn ({error})", hint="check that the page exists") from error
