"""Rules 4 and 5 of `signer.pdf.changes`: pages stay as they are, annotations may come and go.

An annotation that could act by itself (a script, a launched program, a submitted form) or that hides as page
content (watermark, media) is forbidden at every level; the others are listed by page, kind and rectangle so that
the reader can look.
"""

from __future__ import annotations

from typing import Any

from signer.pdf.boxes import intersect, rectangle, words
from signer.pdf.changes import MAX_PAGES, Level, Rules, plain
from signer.pdf.content_boxes import page_marks
from signer.pdf.structure import BudgetSpent, View
from signer.pdf.tokens import Dictionary, Ref, SyntaxFault

_FORBIDDEN_KINDS = frozenset(
    {"Watermark", "Movie", "Sound", "Screen", "3D", "RichMedia", "PrinterMark", "TrapNet", "Redact", "Projection"}
)
_NODE_KEYS = frozenset({"Type", "Parent", "Count", "Resources", "MediaBox", "CropBox", "Rotate"})
"""What a page tree node may hold and hand down (Table 30, Table 31)."""
_HARMLESS_ACTIONS = frozenset({"URI", "GoTo"})


Page = tuple[int, Dictionary, Dictionary]
"""Object number of a page, the page in the old revision, in the new one."""


def claim_pages(rules: Rules, before: Dictionary, after: Dictionary) -> list[Page]:
    """Walk both page trees together; return the pages in order. Raises SyntaxFault."""
    pages: list[Page] = []
    stack: list[tuple[Any, Any, int]] = [(before.get("Pages"), after.get("Pages"), 0)]
    while stack:
        old_ref, new_ref, depth = stack.pop()
        if depth > 60 or len(pages) > MAX_PAGES:
            raise BudgetSpent("the page tree is too deep or too large")
        if not isinstance(old_ref, Ref) or old_ref != new_ref:
            rules.forbid("pages were added, removed or replaced")
            return pages
        old, new = rules.old.resolve(old_ref), rules.new.resolve(new_ref)
        if not isinstance(old, Dictionary) or not isinstance(new, Dictionary):
            raise SyntaxFault(f"page tree node {old_ref.number} is not a dictionary")
        if not rules.walk.claim(old_ref.number, "page"):
            rules.forbid("a page stands twice in the page tree")
            return pages
        old_kids, new_kids = rules.old.get(old, "Kids"), rules.new.get(new, "Kids")
        if isinstance(old_kids, list):
            if not isinstance(new_kids, list) or list(old_kids) != list(new_kids):
                rules.forbid("pages were added, removed or replaced")
                return pages
            _node(rules, old, new)
            stack.extend((a, b, depth + 1) for a, b in zip(reversed(old_kids), reversed(new_kids), strict=True))
        else:
            if new_kids is not None:
                rules.forbid("pages were added, removed or replaced")
            pages.append((old_ref.number, old, new))
            shown = _items(rules.new, new) + (_items(rules.old, old) if old is not new else [])
            rules.page_of.update((item.number, len(pages)) for item in shown if isinstance(item, Ref))
    return pages


def _node(rules: Rules, old: Dictionary, new: Dictionary) -> None:
    for key in sorted((old.keys() | new.keys()) - {"Kids"}):
        if key not in _NODE_KEYS and plain(rules.new, new.get(key), 0):
            continue  # not inheritable, so without meaning here; some producers leave a mark
        rules.walk.later(old.get(key), new.get(key), f"page tree /{key}")


def compare_pages(rules: Rules, pages: list[Page]) -> None:
    """Compare each page; the form must have been compared before, it names the new widgets."""
    for number, (_, old, new) in enumerate(pages, 1):
        if old is new:
            for key in sorted(old.keys() - {"Annots"}):
                rules.walk.later(old[key], old[key], f"page {number} /{key}")
        else:
            for key in sorted((old.keys() | new.keys()) - {"Annots", "PieceInfo", "LastModified", "Tabs"}):
                rules.walk.later(old.get(key), new.get(key), f"page {number} /{key}")
            _tabs(rules, number, rules.old.get(old, "Tabs"), rules.new.get(new, "Tabs"))
            if new.duplicates:
                rules.forbid(f"page {number} has a key twice")
        _annotations(rules, number, old, new)


def _tabs(rules: Rules, page: int, old: Any, new: Any) -> None:
    """/Tabs is the order in which a reader walks from one annotation to the next (12.5.1)."""
    if old == new or (old is None and new == "S"):
        return
    if new in (None, "R", "C", "S", "A", "W"):
        rules.note(Level.ANNOTATIONS, f"page {page}: annotations are walked through in another order")
    else:
        rules.forbid(f"page {page} /Tabs")


def _items(view: View, page: Dictionary) -> list[Any]:
    items = view.get(page, "Annots")
    return list(items) if isinstance(items, list) else []


def _annotations(rules: Rules, page: int, old_page: Dictionary, new_page: Dictionary) -> None:
    before, after = _items(rules.old, old_page), _items(rules.new, new_page)
    kept = set(after) if all(isinstance(i, Ref) for i in after) else {i for i in after if isinstance(i, Ref)}
    had = {i for i in before if isinstance(i, Ref)}
    if [i for i in before if isinstance(i, Ref) and i in kept] != list(
        dict.fromkeys(i for i in after if isinstance(i, Ref) and i in had)
    ):
        rules.note(Level.ANNOTATIONS, f"page {page}: annotations were put in another order")
    direct_before = [i for i in before if not isinstance(i, Ref)]
    direct_after = [i for i in after if not isinstance(i, Ref)]
    rules.walk.later(direct_before, direct_after, f"page {page}: annotations")
    for item in before:
        if not isinstance(item, Ref):
            continue
        old = rules.old.resolve(item)
        if item in kept:
            _existing(rules, page, item, old, rules.new.resolve(item))
        elif isinstance(old, Dictionary):
            kind = rules.old.get(old, "Subtype")
            if kind == "Widget" or item.number in rules.walk.roles:
                rules.forbid(f"page {page}: a form field (object {item.number}) was removed from the page")
            else:
                rules.note(
                    Level.ANNOTATIONS,
                    f"page {page}: {kind} annotation (object {item.number}) deleted, {_box(rules.old, old)}",
                )
    for item in dict.fromkeys(i for i in after if isinstance(i, Ref)):
        if item not in had:
            _added(rules, page, item, old_page)


def _existing(rules: Rules, page: int, item: Ref, old: Any, new: Any) -> None:
    if rules.walk.roles.get(item.number) == "field":
        return  # compared as a field
    if isinstance(old, Dictionary) and rules.old.get(old, "Subtype") not in (None, "Widget"):
        rules.walk.claim(item.number, "annotation")
        if rules.walk.same(old, new, by_annotation=True):
            return
        if not isinstance(new, Dictionary) or new.get("Subtype") != old.get("Subtype") or new.duplicates:
            rules.forbid(f"page {page}: an annotation (object {item.number}) became something else")
            return
        kind = rules.old.get(old, "Subtype")
        if not _harmless(rules.new, new) and _harmless(rules.old, old):
            rules.forbid(f"page {page}: {kind} annotation (object {item.number}) can act now, {_box(rules.new, new)}")
            return
        rules.note(
            Level.ANNOTATIONS, f"page {page}: {kind} annotation (object {item.number}) changed, {_box(rules.new, new)}"
        )
        return
    rules.walk.later(item, item, f"page {page}: annotation")


def _added(rules: Rules, page: int, item: Ref, old_page: Dictionary) -> None:
    name = rules.new_widgets.get(item.number)
    new = rules.new.resolve(item)
    if item.number in rules.signed_now:
        return  # an empty field of the form that was on no page, signed now
    if name is not None:
        _drawn(rules, page, item, name, old_page)
        return
    if not isinstance(new, Dictionary):
        return  # a missing object shows nothing
    kind = rules.new.get(new, "Subtype")
    if kind == "Widget" or kind is None or item.number in rules.walk.roles:
        rules.forbid(f"page {page}: a widget (object {item.number}) was added that belongs to no new signature field")
    elif kind in _FORBIDDEN_KINDS or not _harmless(rules.new, new):
        rules.forbid(f"page {page}: {kind} annotation (object {item.number}) added, {_box(rules.new, new)}")
    else:
        rules.note(
            Level.ANNOTATIONS, f"page {page}: {kind} annotation (object {item.number}) added, {_box(rules.new, new)}"
        )


def _harmless(view: View, annotation: Dictionary) -> bool:
    """Whether an annotation does nothing by itself beyond following a link."""
    if view.get(annotation, "AA") is not None:
        return False
    action = view.get(annotation, "A")
    if action is None:
        return True
    return isinstance(action, Dictionary) and view.get(action, "S") in _HARMLESS_ACTIONS and "Next" not in action


def _box(view: View, annotation: Dictionary) -> str:
    box = rectangle(view, annotation)
    return "no rectangle" if box is None else words(box)


def _drawn(rules: Rules, page: int, item: Ref, name: str, old_page: Dictionary) -> None:
    """Say where a new signature field is drawn, and over what of the page it was put on ("sneaky signature")."""
    new = rules.new.resolve(item)
    box = rectangle(rules.new, new) if isinstance(new, Dictionary) else None
    if box is None or box[2] - box[0] < 1 or box[3] - box[1] < 1:
        return
    what = f"page {page}: signature field {name!r} (object {item.number})"
    rules.note(Level.FORM_FILLING, f"{what} drawn, {_box(rules.new, new)}")
    for other in _items(rules.old, old_page):
        old = rules.old.resolve(other)
        covered = rectangle(rules.old, old) if isinstance(old, Dictionary) else None
        if covered is None or not intersect(box, covered):
            continue
        kind = rules.old.get(old, "Subtype")
        rules.note(Level.FORM_FILLING, f"{what} covers an earlier {kind}, {_box(rules.old, old)}")
    found = page_marks(rules.old, old_page)
    if found is None:
        rules.note(Level.FORM_FILLING, f"{what} may cover page content, which cannot be read")
        return
    if not found.complete:
        rules.note(Level.FORM_FILLING, f"{what} may cover page content beyond what was read")
    for kind in ("text", "image"):
        boxes = [mark.box for mark in found.marks if mark.kind == kind and intersect(box, mark.box)]
        if boxes:
            place = tuple(round(pick(b[i] for b in boxes)) for i, pick in enumerate((min, min, max, max)))
            rules.note(
                Level.FORM_FILLING,
                f"{what} covers page content ({kind}), rectangle [{' '.join(map(str, place))}]",
            )
