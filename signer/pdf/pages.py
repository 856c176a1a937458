"""The pages of a file in their order, from its page tree (ISO 32000-2 7.7.3), for what is shown or warned of.

What a verdict rests on walks the tree itself: `page_changes` two trees at once, `second_reading` as the other parser.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from signer.pdf.structure import View
from signer.pdf.tokens import Dictionary, Ref

MAX_DEPTH = 60
INHERITED = ("MediaBox", "CropBox", "Rotate")


class Page(NamedTuple):
    """One page."""

    number: int
    """Object number, 0 for a page without one."""
    dictionary: Dictionary
    inherited: dict[str, Any]
    """Its own MediaBox, CropBox and Rotate, or those of the node it hangs from (7.7.3.4), not resolved."""


def pages(view: View, most: int) -> Iterator[Page]:
    """Yield the first `most` pages, each object once. Raises SyntaxFault, BudgetSpent."""
    stack: list[tuple[Any, dict[str, Any], int]] = [(view.catalog.get("Pages"), {}, 0)]
    seen: set[int] = set()
    while stack and most > 0:
        item, inherited, depth = stack.pop()
        view.pdf.budget.spend(2)
        if isinstance(item, Ref):
            if item.number in seen:
                continue
            seen.add(item.number)
        node = view.resolve(item)
        if not isinstance(node, Dictionary) or depth > MAX_DEPTH:
            continue
        inherited = {**inherited, **{key: node[key] for key in INHERITED if key in node}}
        kids = view.get(node, "Kids")
        if isinstance(kids, list):
            stack.extend((kid, inherited, depth + 1) for kid in reversed(kids))
        else:
            most -= 1
            yield Page(item.number if isinstance(item, Ref) else 0, node, inherited)


__all__ = ["Page", "pages"]
