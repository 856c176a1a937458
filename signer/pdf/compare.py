"""Find what differs between two revisions, apart from what was explained.

A comparison walks the old and the new object graph at the same time, from the same starting points. Two
references are the same when what they lead to is the same; two objects found at the same octets are the same and
only what they refer to is still to be walked. Nothing is assumed from object numbers alone.

Objects with a role of their own (pages, form fields, annotations …) are compared by the rules of that role
(`signer.pdf.changes`). Such a pair is *claimed* before the walk, and the walk stops there: whoever refers to page 5
refers to whatever the page rules accept as page 5. One object may have one role only.

    walk = Comparison(old, new)
    walk.claim(5, "page")
    walk.later(old_contents, new_contents, "page 1 /Contents")
    walk.run()                      # -> walk.differences: ["page 1 /Contents"]
"""

from __future__ import annotations

from collections import deque
from typing import Any

from signer.pdf.structure import FREE, Located, Stream, View
from signer.pdf.tokens import Dictionary, Ref, SyntaxFault

MAX_DIFFERENCES = 50


class Comparison:
    """One old view against one new view."""

    def __init__(self, old: View, new: View) -> None:
        self.old = old
        self.new = new
        self.budget = new.pdf.budget
        self.differences: list[str] = []
        self.roles: dict[int, str] = {}
        self.by_annotation = False
        self._queue: deque[tuple[Any, Any, str, int | None]] = deque()
        self._seen: set[tuple[Ref, Ref]] = set()

    def difference(self, where: str) -> None:
        """Record something no rule explains."""
        if len(self.differences) < MAX_DIFFERENCES and where not in self.differences:
            self.differences.append(where)

    def claim(self, number: int, role: str) -> bool:
        """Give an object a role; False when it has it already. A second role is a difference."""
        known = self.roles.get(number)
        if known is None:
            self.roles[number] = role
            return True
        if known != role:
            self.difference(f"object {number} serves as {known} and as {role}")
        return False

    def unchanged(self, number: int) -> bool:
        """Whether both views find the object of that number at the same octets."""
        old, new = self.old.entries.get(number, FREE), self.new.entries.get(number, FREE)
        if old != new:
            return False
        if old is not FREE and old.compressed:
            holder = self.old.entries.get(old.offset, FREE)
            return holder == self.new.entries.get(old.offset, FREE)
        return True

    def later(self, old: Any, new: Any, where: str) -> None:
        """Put two values on the list of what must be the same."""
        self._queue.append((old, new, where, None))

    def run(self) -> None:
        """Compare all that was put on the list; raises SyntaxFault, BudgetSpent."""
        while self._queue and len(self.differences) < MAX_DIFFERENCES:
            old, new, where, number = self._queue.popleft()
            if not self._same(old, new, where):
                self.difference(where if number is None else f"{where} (object {number})")

    def same(self, old: Any, new: Any, *, by_annotation: bool = False) -> bool:
        """Whether two values, and all they lead to, are the same; records nothing.

        `by_annotation`: the values belong to an annotation, which may refer to others (/Popup, /IRT, /Parent).
        """
        inner = Comparison(self.old, self.new)
        inner.roles = dict(self.roles)
        inner.by_annotation = by_annotation
        inner.later(old, new, "")
        inner.run()
        return not inner.differences

    # -- the walk ---------------------------------------------------------------------------------

    def _same(self, old: Any, new: Any, where: str) -> bool:
        """Compare two values; what they refer to goes on the queue."""
        self.budget.spend(1)
        if isinstance(old, Ref) or isinstance(new, Ref):
            return self._same_references(old, new, where)
        if isinstance(old, Stream) and isinstance(new, Stream):
            return self._same_streams(old, new, where)
        if isinstance(old, Dictionary) and isinstance(new, Dictionary):
            return self._same_dictionaries(old, new, where, skipped=frozenset())
        if isinstance(old, list) and isinstance(new, list):
            return len(old) == len(new) and all(self._same(a, b, where) for a, b in zip(old, new, strict=True))
        return _same_scalars(old, new)

    def _same_references(self, old: Any, new: Any, where: str) -> bool:
        if isinstance(old, Ref) and isinstance(new, Ref):
            if old == new and self._accepts(old.number, where):
                return True
            if (old, new) in self._seen:
                return True
            self._seen.add((old, new))
            if old == new and self.unchanged(old.number):
                located = self.old.locate(old.number)
                if located is not None:
                    for reference in references(self.old, located):
                        self._queue.append((reference, reference, where, None))
                return True
            if old != new and (old.number in self.roles or new.number in self.roles):
                return False  # a page, field … in the place of another object
        number = new.number if isinstance(new, Ref) else old.number
        self._queue.append((self.old.resolve(old), self.new.resolve(new), where, number))
        return True

    def _accepts(self, number: int, where: str) -> bool:
        """Whether the walk may stop at an object because its own rules take care of it.

        An annotation may change freely, so only what cannot draw it may refer to it: another annotation, or the
        structure tree. A page whose resources are an annotation is not the same page when that changes.
        """
        role = self.roles.get(number)
        if role == "annotation":
            return self.by_annotation or where.startswith("structure tree")
        return role is not None

    def _same_dictionaries(self, old: Dictionary, new: Dictionary, where: str, *, skipped: frozenset[str]) -> bool:
        if new.duplicates and old is not new:
            return False  # two readers may take different values
        for key in old.keys() | new.keys():
            if key not in skipped and not self._same(old.get(key), new.get(key), where):
                return False
        return True

    def _same_streams(self, old: Stream, new: Stream, where: str) -> bool:
        """Streams are the same when their dictionaries and encoded octets are; re-encoded, when both decode alike."""
        if self._same_octets(old, new):
            return self._same_dictionaries(old.dictionary, new.dictionary, where, skipped=frozenset({"Length"}))
        try:
            if self.old.stream_data(old) != self.new.stream_data(new):
                return False
        except SyntaxFault:
            return False
        coded = frozenset({"Length", "Filter", "DecodeParms", "DL"})
        return self._same_dictionaries(old.dictionary, new.dictionary, where, skipped=coded)

    def _same_octets(self, old: Stream, new: Stream) -> bool:
        """Whether the encoded octets are the same, in the clear: of the same ciphertext two objects make two things."""
        if old.start == new.start and old.end == new.end:
            return True
        if old.owner is None and new.owner is None:
            data = self.new.pdf.data
            return old.end - old.start == new.end - new.start and (
                data[old.start : old.end] == data[new.start : new.end]
            )
        try:
            return self.old.encoded(old) == self.new.encoded(new)
        except SyntaxFault:
            return False


def _same_scalars(old: Any, new: Any) -> bool:
    if isinstance(old, bool) or isinstance(new, bool) or old is None or new is None:
        return old is new
    if isinstance(old, int | float) and isinstance(new, int | float):
        return old == new
    return type(old) is type(new) and bool(old == new)


def references(view: View, located: Located) -> tuple[Ref, ...]:
    """Return every reference inside an object, once each; remembered per file."""
    key = (located.start, located.number)
    known = view.pdf.references.get(key)
    if known is None:
        found: dict[Ref, None] = {}
        stack: list[Any] = [located.value]
        while stack:
            item = stack.pop()
            if isinstance(item, Ref):
                found[item] = None
            elif isinstance(item, Stream):
                stack.append(item.dictionary)
            elif isinstance(item, Dictionary):
                stack.extend(item.values())
            elif isinstance(item, list):
                stack.extend(item)
        known = tuple(found)
        view.pdf.budget.spend(len(known) + 1)
        view.pdf.references[key] = known
    return known
