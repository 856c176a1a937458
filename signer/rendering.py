"""Pages as pictures, drawn by PDFium in a child process under limits (`signer.limited`).

    png = render(data, page=1, dpi=96)        # RenderingFailed

    with Renderer() as renderer:              # many pages of one file, in one process
        png = renderer.render(data, 1, 96)

A picture is for people: nothing is concluded from it. PDFium never fetches and, without its script engine, never runs
anything that is in a file. A process draws one file (and its revisions) only, so that none can touch another's picture.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from signer.errors import RenderingFailed
from signer.limited import Child, ChildFault, LimitReached

MAX_DPI = 600
MAX_PIXELS = 25_000_000
"""Of one picture; a larger page is drawn smaller."""
SECONDS = 20
MEMORY = 2 << 30


class Renderer:
    """A process that draws the pages of one file; closed after use."""

    def __init__(self) -> None:
        self._child = Child("signer.rendering_child:answer", seconds=SECONDS, memory=MEMORY)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._child.close()

    def render(self, data: bytes, page: int, dpi: float, *, transparent: bool = False) -> bytes:
        """Return page `page`, from 1, as PNG at so many dots per inch, on white or `transparent`.

        Raises RenderingFailed.
        """
        if not 0 < dpi <= MAX_DPI or page < 1:
            raise RenderingFailed(f"no page {page} at {dpi} dpi", hint=f"ask for 1 to {MAX_DPI} dots per inch")
        header = {"page": page, "scale": dpi / 72, "pixels": MAX_PIXELS, "transparent": transparent}
        try:
            return self._child.ask(header, data)
        except LimitReached as error:
            raise RenderingFailed(
                f"page {page} could not be drawn within the limits", hint="open the file in a viewer instead"
            ) from error
        except ChildFault as error:
            raise RenderingFailed(
                f"page {page} cannot be drawn ({error})", hint="check that the page exists"
            ) from error


def render(data: bytes, page: int, dpi: float, *, transparent: bool = False) -> bytes:
    """Return page `page`, from 1, of a PDF as PNG at so many dots per inch, on white or `transparent`.

    Raises RenderingFailed.
    """
    with Renderer() as renderer:
        return renderer.render(data, page, dpi, transparent=transparent)
