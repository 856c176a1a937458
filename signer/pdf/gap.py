"""Whether anything but the value of /Contents is read from the octets that a /ByteRange leaves out (rule G2).

    problem = read_from_gap(signed, own_start, (a, b))       # None, or a sentence

The gap is signed by nobody, and behind the CMS in it there is room. A stream, a string or a cross-reference section
that reaches over it, or an object that begins in a comment before it, would change with what is written there while
the signature holds (ISO 32000-2 12.8.1: every octet but that value is covered).
"""

from __future__ import annotations

from signer.pdf.structure import FREE, Located, Stream, View
from signer.pdf.tokens import SyntaxFault


def read_from_gap(signed: View, own_start: int, gap: tuple[int, int]) -> str | None:
    """Look at every object and section of the signed revision but the one at `own_start`. Raises BudgetSpent."""
    first, behind = gap
    for section in signed.sections:
        if section.offset < behind and section.end > first:
            return f"the cross-reference section at {section.offset} reaches over the gap"
    signed.pdf.budget.spend(len(signed.entries) // 8 + 1)
    for number, entry in signed.entries.items():
        if entry is FREE or entry.compressed or entry.offset >= behind:
            continue
        if entry.offset > own_start:
            return f"object {number} begins inside the signature dictionary"
        try:
            located = signed.pdf.object_at(entry.offset, signed)
        except SyntaxFault:
            continue  # nobody reads it; where something refers to it, other rules say so
        if located.start != own_start and located.start < behind and _end(signed, located) > first:
            return f"object {number} reaches over the gap"
    return None


def _end(signed: View, located: Located) -> int:
    """Return the end of an object, or the one that its /Length promises where that is further off."""
    if not isinstance(located.value, Stream):
        return located.end
    try:
        length = signed.get(located.value.dictionary, "Length")
    except SyntaxFault:
        length = None
    return max(located.end, located.value.start + length) if type(length) is int else located.end
