"""Whether everything the document uses stands where the file says it does.

    check_places(view)            # raises SyntaxFault, naming the first object that is not

Asked before a signature: a file with an object out of its place is shown by one reader, repaired by another and refused
by a third, and after the next signature nobody could tell what that one changed. Entries are looked at one by one,
without parsing; only where one of them is wrong are the objects followed from the trailer, since an object that nothing
refers to does no harm.
"""

from __future__ import annotations

from signer.pdf.compare import references
from signer.pdf.structure import FREE, Entry, View
from signer.pdf.tokens import Ref, SyntaxFault, object_header


def check_places(view: View) -> None:
    """Raise SyntaxFault where an object that the document uses is not in its place; also raises BudgetSpent."""
    view.pdf.budget.spend(len(view.entries) // 8 + 1)
    if all(entry is FREE or _in_place(view, number, entry) for number, entry in view.entries.items()):
        return
    waiting = [item for key in ("Root", "Info") if isinstance(item := view.trailer.get(key), Ref)]
    seen: set[int] = set()
    while waiting:
        number = waiting.pop().number
        if number not in seen:
            seen.add(number)
            located = view.locate(number)
            if located is not None:
                waiting.extend(references(view, located))


def _in_place(view: View, number: int, entry: Entry) -> bool:
    if entry.compressed:
        holder = view.entries.get(entry.offset, FREE)
        return holder is not FREE and not holder.compressed
    try:
        found, generation, _ = object_header(view.pdf.data, entry.offset)
    except SyntaxFault:
        return False
    return found == number and generation == entry.place
