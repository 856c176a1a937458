"""After writing, before anything leaves: read the new revision with the reader that verifies.

    check_revision(ground, whole, revision)       # raises SigningRefused where anything is not as it must be

1. the file before is an untouched prefix: it was only appended to, and its sections are read from where they were
2. the newest cross-reference section is the revision's own, and leads to the one before
3. every field that is to show the new signature dictionary shows it, and only it
4. /ByteRange is the whole file without the gap, and the gap is exactly the value of /Contents
5. no dictionary of an earlier signature is defined anew
6. whoever compares the file before with the file after, as the verifier will, finds nothing that an earlier signature
   does not allow
"""

from __future__ import annotations

from signer.errors import SigningRefused
from signer.pades.engine import Revision
from signer.pades.preflight import Ground
from signer.pdf.changes import compare_revisions, judge
from signer.pdf.listing import walk_fields
from signer.pdf.structure import BudgetSpent, Ending, PDFFile, View
from signer.pdf.tokens import Dictionary, Ref, SyntaxFault


class _Grown(PDFFile):
    """A file with one more revision; what was read of it before is not read again."""

    def __init__(self, before: PDFFile, data: bytes, tail: PDFFile) -> None:
        self.__dict__.update(before.__dict__)
        self.data = data
        start = len(before.data)
        moved = (Ending(e.start + start, e.target, e.marker_end + start, e.line_end + start) for e in tail.endings)
        self.endings = (*before.endings, *moved)
        self._views = {}


def check_revision(ground: Ground, whole: bytes, revision: Revision) -> None:
    """Raise SigningRefused unless the new revision is what it must be."""
    try:
        problem = _problem(ground, whole, revision)
    except (SyntaxFault, BudgetSpent, RecursionError) as error:
        problem = str(error) or "too deep"
    if problem is not None:
        raise SigningRefused(
            f"the signed file would not be right: {problem}",
            hint="rewrite the file with 'qpdf IN OUT' before anybody signs",
            reason="self-check",
        )


def _problem(ground: Ground, whole: bytes, revision: Revision) -> str | None:
    size = revision.start
    if len(whole) != revision.end or size != len(ground.pdf.data):
        return "its size is another one"
    tail = PDFFile(revision.data)
    if len(tail.endings) != 1 or tail.endings[0].line_end != len(revision.data):
        return "the revision does not end as it must"
    view = _Grown(ground.pdf, whole, tail).view(len(whole))
    newest = view.sections[0]
    if newest.offset < size or view.start_section != newest.offset:
        return "the revision does not begin the cross-reference"
    if newest.integer("Prev") != ground.view.start_section or view.sections[1:] != ground.view.sections:
        return "the revision does not follow the revision before"
    return _new_signature(ground, view, revision) or _earlier(ground, view)


def _new_signature(ground: Ground, view: View, revision: Revision) -> str | None:
    wanted = {spot.field for spot in ground.spots}
    fields = [item for item in walk_fields(view, []) if item.name in wanted and item.kind == "Sig"]
    values = {item.value.number for item in fields if isinstance(item.value, Ref)}
    if len(fields) != len(wanted) or {item.name for item in fields} != wanted or len(values) != 1:
        return f"field {ground.field!r} is not there once"
    located = view.locate(values.pop())
    if located is None or not isinstance(located.value, Dictionary) or located.start < revision.start:
        return "the field does not show the new signature"
    signature = located.value
    if signature.spans.get("Contents") != (revision.contents_start, revision.contents_end):
        return "/Contents is not where it must be"
    if signature.get("ByteRange") != list(revision.byte_range):
        return "/ByteRange is another one"
    if any(signature["Contents"]) or signature.duplicates:
        return "the signature dictionary is not empty"
    return None


def _earlier(ground: Ground, view: View) -> str | None:
    for signature in ground.earlier:
        number = signature.number
        if number is not None and view.entries.get(number) != ground.view.entries.get(number):
            return f"the signature in {signature.names[0]!r} would be replaced"
    return _harm(ground, view) if ground.earlier else None


def _harm(ground: Ground, view: View) -> str | None:
    """Return what the verifier would hold against an earlier signature because of this revision."""
    try:
        changes = compare_revisions(ground.view, view)
    except (SyntaxFault, BudgetSpent) as error:
        return f"nobody could tell what changed after the signature in {ground.earlier[0].names[0]!r}: {error}"
    for signature in ground.earlier:
        because = judge(changes, signature.permissions).forbidden_because
        if because:
            return f"the signature in {signature.names[0]!r} would be broken: {because}"
    return None
