"""What later revisions did to a signed one: an allow-list, everything else is forbidden.

    changes = changes_after(signed_view, view, permissions)
    changes.level        # "none", "lta-updates", "form-filling", "annotations" or "forbidden"
    changes.detail       # sentences for people, most serious first

The rules, in the order of the code:

1. trailer and catalog: only housekeeping keys may differ (document information, XMP, /Version, /Extensions);
   object streams are read as they were; /Encrypt says how everything else is read, and must be the same
2. /DSS may be added or rewritten, not removed; values lost from it are said (12.8.4.3, 12.8.4.4)
3. form fields: `signer.pdf.form_changes`
4. pages: the same pages, in the same order, each the same except for its /Annots
5. annotations: created, changed, deleted; widgets belong to rule 3
6. structure tree: new Form elements for new signature fields only
7. everything reachable from any of these that no rule explains must be the same (`signer.pdf.compare`)

Freed or overwritten objects that nothing refers to do no harm and are not looked at. Which level a signature
allows: ISO 32000-2 12.8.2.2 Table 257; without DocMDP annotations are allowed and always shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from signer.pdf.compare import Comparison
from signer.pdf.encryption import same_encryption
from signer.pdf.permissions import Permissions
from signer.pdf.structure import FREE, Stream, View
from signer.pdf.tokens import Dictionary, Ref, SyntaxFault

MAX_PAGES = 100_000
_PAGE = re.compile(r"page (\d+)\b")
"""Every detail about a page begins with it."""


class Level(IntEnum):
    """How far a change goes."""

    NONE = 0
    LTA_UPDATES = 1
    FORM_FILLING = 2
    ANNOTATIONS = 3
    FORBIDDEN = 4

    @property
    def word(self) -> str:
        """The word of the report."""
        return self.name.lower().replace("_", "-") if self else "none"


@dataclass(frozen=True)
class Change:
    """One explained or unexplained change."""

    level: Level
    detail: str
    field: str | None = None
    """Name of the form field it concerns, for FieldMDP."""
    visible_new: bool = False
    """A new field that shows something, which a lock of all fields excludes."""

    @property
    def page(self) -> int | None:
        """The page it concerns, from 1; None for what belongs to no page."""
        found = _PAGE.match(self.detail)
        return int(found.group(1)) if found else None


@dataclass(frozen=True)
class Changes:
    """The outcome for one signature."""

    level: Level
    detail: tuple[str, ...]
    forbidden_because: str = ""


class Rules:
    """The state of one comparison: the walk, the changes found, the new signature widgets."""

    def __init__(self, old: View, new: View) -> None:
        self.old, self.new = old, new
        self.walk = Comparison(old, new)
        self.changes: list[Change] = []
        self.new_widgets: dict[int, str] = {}
        """Object numbers of widgets of new signature fields, with the field's name."""
        self.signed_now: set[int] = set()
        """Object numbers of signature fields that were empty before and have a value now."""
        self.page_of: dict[int, int] = {}
        """Page number, from 1, by the object number of an annotation on it."""

    def note(self, level: Level, detail: str, **more: Any) -> None:
        """Record a change that a rule explains."""
        self.changes.append(Change(level, detail, **more))

    def forbid(self, detail: str) -> None:
        """Record a change that no rule allows."""
        self.walk.difference(detail)


def compare_revisions(old: View, new: View) -> list[Change]:
    """List every change from `old` to `new`. Raises SyntaxFault, BudgetSpent when it cannot be told."""
    if not same_encryption(old, new):
        return [Change(Level.FORBIDDEN, "trailer /Encrypt")]
    if old.entries == new.entries and all(old.trailer.get(key) == new.trailer.get(key) for key in ("Root", "Size")):
        return []
    return _compare(Rules(old, new))


def _compare(rules: Rules) -> list[Change]:
    from signer.pdf.form_changes import compare_forms
    from signer.pdf.page_changes import claim_pages, compare_pages

    before, after = _catalogs(rules)
    _object_streams(rules)
    _dss(rules, rules.old.get(before, "DSS"), rules.new.get(after, "DSS"))
    pages = claim_pages(rules, before, after)
    compare_forms(rules, before, after)
    compare_pages(rules, pages)
    _structure_tree(rules, before.get("StructTreeRoot"), after.get("StructTreeRoot"))
    rules.walk.run()
    rules.changes.extend(Change(Level.FORBIDDEN, where) for where in rules.walk.differences)
    return rules.changes


def changes_after(
    old: View, new: View, permissions: Permissions, earlier: tuple[tuple[str, Permissions], ...] = ()
) -> Changes:
    """Judge every later change by what a signature permits. Raises SyntaxFault, BudgetSpent.

    `earlier` are the permissions, with their field names, of the signatures that were there when this one was made:
    what they forbid stays forbidden (12.8.2.2, 12.8.2.4).
    """
    changes = compare_revisions(old, new)
    judged = judge(changes, permissions)
    for name, others in earlier:
        if not judged.forbidden_because:
            foreign = judge(changes, others)
            if foreign.forbidden_because:
                reason = f"{foreign.forbidden_because} (said by the earlier signature {name!r})"
                judged = Changes(foreign.level, foreign.detail, reason)
    return judged


def readable(view: View) -> bool:
    """Whether a revision can be compared at all: if so, whatever stops a comparison was brought by a later one."""
    try:
        _compare(Rules(view, view))
    except SyntaxFault:
        return False
    return True


def judge(changes: list[Change], permissions: Permissions) -> Changes:
    """Apply DocMDP and the field locks to a list of changes."""
    highest = {1: Level.LTA_UPDATES, 2: Level.FORM_FILLING}.get(permissions.level or 0, Level.ANNOTATIONS)
    level = max((c.level for c in changes), default=Level.NONE)
    reasons = [f"{c.detail}: no change of this kind is allowed" for c in changes if c.level is Level.FORBIDDEN]
    reasons += [
        f"{c.detail}: DocMDP level {permissions.level} does not allow it"
        for c in changes
        if highest < c.level < Level.FORBIDDEN
    ]
    reasons += [
        f"{c.detail}: the field is locked by this signature"
        for c in changes
        if c.field is not None and c.level >= Level.FORM_FILLING and permissions.locks(c.field) and not c.visible_new
    ]
    reasons += [
        f"{c.detail}: all fields are locked by this signature"
        for c in changes
        if c.visible_new and permissions.locks_all
    ]
    ordered = tuple(dict.fromkeys(c.detail for c in sorted(changes, key=lambda c: -c.level)))
    if reasons:
        return Changes(Level.FORBIDDEN, ordered, reasons[0])
    return Changes(level, ordered)


# -- 1. trailer and catalog ---------------------------------------------------------------------------

_TRAILER_KEYS = frozenset(
    {"Root", "Info", "ID", "Size", "Prev", "XRefStm", "Type", "W", "Index", "Length", "Filter", "DecodeParms", "DL"}
    | {"Encrypt", "AuthCode"}
)
"""Keys of 7.5.5 and 7.5.8.2 that every update writes anew, the MAC over all of it (ISO/TS 32004), and the three
compared by themselves."""


def _catalogs(rules: Rules) -> tuple[Dictionary, Dictionary]:
    old, new = rules.old, rules.new
    before, after = old.catalog, new.catalog
    rules.walk.claim(old.trailer["Root"].number, "catalog")
    if old.trailer["Root"] != new.trailer["Root"]:
        # some writers give the catalog of each update a new number; what is in it is compared all the same
        rules.walk.claim(new.trailer["Root"].number, "catalog")
        rules.note(Level.LTA_UPDATES, f"the document catalog is object {new.trailer['Root'].number} now")
    if after.duplicates and before is not after:
        rules.forbid("the document catalog has a key twice")
    if new.trailer.get("Encrypt") is not None and new.pdf.decryptor is None:
        raise SyntaxFault("the revisions are encrypted")
    for key in sorted((old.trailer.keys() & new.trailer.keys()) - _TRAILER_KEYS):
        rules.walk.later(old.trailer[key], new.trailer[key], f"trailer /{key}")
    size, had = new.trailer.get("Size"), old.trailer.get("Size")
    if type(size) is int and type(had) is int and size < had:
        # 7.5.5: what is not below it is null, for readers that keep to it
        gone = [n for n, entry in old.entries.items() if size <= n < had and entry is not FREE]
        if gone:
            rules.forbid(f"trailer /Size is {size} now, so that object {min(gone)} is none")
    if not rules.walk.same(old.trailer.get("Info"), new.trailer.get("Info")):
        rules.note(Level.LTA_UPDATES, "document information updated")
    own_rules = {"AcroForm", "Pages", "DSS", "Extensions", "Metadata", "Version", "StructTreeRoot", "PieceInfo"}
    own_rules |= {"Names"}
    _names(rules, before.get("Names"), after.get("Names"))
    for key in sorted((before.keys() | after.keys()) - own_rules):
        rules.walk.later(before.get(key), after.get(key), f"catalog /{key}")
    if not rules.walk.same(before.get("Metadata"), after.get("Metadata")):
        metadata = new.get(after, "Metadata")
        if isinstance(metadata, Stream) and metadata.dictionary.get("Subtype") == "XML":
            rules.note(Level.LTA_UPDATES, "XMP metadata updated")
        else:
            rules.forbid("catalog /Metadata")
    for key in ("Extensions", "Version"):
        if not rules.walk.same(before.get(key), after.get(key)):
            if not plain(rules.new, after.get(key), 0):
                rules.forbid(f"catalog /{key}")
            rules.note(Level.LTA_UPDATES, f"catalog /{key} updated")
    return before, after


def _names(rules: Rules, old: Any, new: Any) -> None:
    """/Names: only the named appearances of annotations (7.7.4, /AP) may be added."""
    before, after = rules.old.resolve(old), rules.new.resolve(new)
    if not isinstance(after, Dictionary) or not isinstance(before, Dictionary | None) or after.duplicates:
        rules.walk.later(old, new, "catalog /Names")
        return
    before = Dictionary() if before is None else before
    for key in sorted(before.keys() | after.keys()):
        if key == "AP" and "AP" not in before:
            rules.note(Level.ANNOTATIONS, "named appearances for annotations added")
        else:
            rules.walk.later(before.get(key), after.get(key), f"catalog /Names /{key}")


def plain(view: View, value: Any, depth: int) -> bool:
    """Tell whether a value is made of names, numbers and strings only, with no way to anything else."""
    value = view.resolve(value)
    if depth > 6 or isinstance(value, Stream):
        return False
    if isinstance(value, Dictionary):
        return all(plain(view, item, depth + 1) for item in value.values())
    if isinstance(value, list):
        return all(plain(view, item, depth + 1) for item in value)
    return True


def _object_streams(rules: Rules) -> None:
    """Ask that an object stream in its old place is read as it was: by its length and its coding (7.5.7)."""
    holders = {entry.offset for entry in rules.old.entries.values() if entry.compressed}
    rules.walk.budget.spend(len(rules.old.entries) // 8 + len(holders))
    for number in sorted(holders):
        located = rules.old.locate(number) if rules.walk.unchanged(number) else None
        if located is not None and isinstance(located.value, Stream):
            for key in ("Length", "Filter", "DecodeParms"):
                value = located.value.dictionary.get(key)
                rules.walk.later(value, value, f"object stream {number} /{key}")


# -- 2. document security store -----------------------------------------------------------------------


def _dss(rules: Rules, before: Any, after: Any) -> None:
    """/DSS may grow (12.8.4.3) and its /VRI may be rewritten (12.8.4.4)."""
    if before is None and after is None:
        return
    if not isinstance(after, Dictionary):
        rules.forbid("the document security store (/DSS) was removed")
        return
    values = _dss_values(rules.new, after)
    if before is None:
        rules.note(Level.LTA_UPDATES, "document security store added")
        return
    if not isinstance(before, Dictionary):
        raise SyntaxFault("/DSS is not a dictionary")
    known = _dss_values(rules.old, before)
    if known - values:
        # Evidence lost, not the document changed: it weakens later validation, and is said.
        rules.note(Level.LTA_UPDATES, f"{len(known - values)} value(s) removed from the document security store")
    elif values - known or not rules.walk.same(before, after):
        rules.note(Level.LTA_UPDATES, "document security store updated")


def _dss_values(view: View, dss: Dictionary) -> set[bytes]:
    """Return the decoded certificates, CRLs and OCSP responses reachable from a /DSS dictionary."""
    found: set[bytes] = set()
    vri = view.get(dss, "VRI")
    holders = [dss]
    if isinstance(vri, Dictionary):
        holders += [d for d in (view.resolve(item) for item in vri.values()) if isinstance(d, Dictionary)]
    for holder in holders:
        for key in ("Certs", "CRLs", "OCSPs", "Cert", "CRL", "OCSP"):
            items = view.get(holder, key)
            for item in items if isinstance(items, list) else ():
                stream = view.resolve(item)
                view.pdf.budget.spend(20)
                if not isinstance(stream, Stream):
                    raise SyntaxFault(f"/DSS /{key} holds something else than streams")
                found.add(view.stream_data(stream))
    return found


# -- 6. structure tree --------------------------------------------------------------------------------


def _structure_tree(rules: Rules, before: Any, after: Any) -> None:
    """Tagged PDF: a new signature field may bring its own Form element (14.7.2, 14.8.4.8.3) and nothing else."""
    if not rules.new_widgets or rules.walk.same(before, after):
        rules.walk.later(before, after, "structure tree")
        return
    from signer.pdf.structure_changes import compare_structure

    compare_structure(rules, before, after)


__all__ = ["Change", "Changes", "Level", "Ref", "Rules", "changes_after", "compare_revisions", "judge", "plain"]
