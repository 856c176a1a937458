"""Where a text stands on the pages of a PDF: read by PDFium in a child process under limits (`signer.limited`).

    for hit in find_text(data, "（盖章）"):          # in reading order; SearchFailed
        hit.page, hit.box

Blanks do not count: what is typeset with spaces between its characters is found too. Only what PDFium takes for text
is found, not a picture of it.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from signer.errors import SearchFailed
from signer.limited import Child, ChildFault, LimitReached

SECONDS = 20
MEMORY = 2 << 30
MAX_HITS = 1000


@dataclass(frozen=True)
class Hit:
    """One occurrence."""

    page: int
    """Counted from 1."""
    box: tuple[float, float, float, float]
    """Left, bottom, right, top in the page's user space."""


def find_text(data: bytes, text: str, *, enough: int = -1) -> tuple[Hit, ...]:
    """Return where `text` stands, the first MAX_HITS; it is stopped at `enough` hits where that is positive.

    Raises SearchFailed where the file cannot be read, or not within the limits.
    """
    most = min(enough, MAX_HITS) if enough > 0 else MAX_HITS
    try:
        with Child("signer.searching_child:answer", seconds=SECONDS, memory=MEMORY) as child:
            answer = json.loads(child.ask({"text": text, "most": most}, data))
        hits = tuple(Hit(int(page), _box(box)) for page, *box in answer)
    except LimitReached as error:
        raise SearchFailed("the text could not be read within the limits", hint="give a point instead") from error
    except (ChildFault, ValueError, TypeError) as error:
        raise SearchFailed(f"the text cannot be read ({error})", hint="give a point instead") from error
    return hits


def _box(edges: list[float]) -> tuple[float, float, float, float]:
    left, bottom, right, top = (float(edge) for edge in edges)
    if not all(math.isfinite(edge) for edge in (left, bottom, right, top)):
        raise ValueError("a box is none")
    return (left, bottom, right, top)
