"""Rule 3 of `signer.pdf.changes`: what may happen to form fields after a signature.

- every field that was there stays, where it was, with its type, its name and its rectangle
- an unsigned signature field may be signed; a signed one stays as it is, picture included
- text, choice and button fields may get another value; *value and picture go together*: an appearance that
  changes while the value stays is forbidden (the "shadow replace" attack of 2021 does just that)
- new fields may only be signature fields

FieldMDP and /Lock are applied afterwards, per signature, by `signer.pdf.changes.judge`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from signer.pdf.boxes import rectangle
from signer.pdf.changes import Level, Rules, plain
from signer.pdf.drawn_text import agrees, drawn_text, draws_anything, draws_more_than_text
from signer.pdf.listing import MAX_DEPTH, MAX_FIELDS
from signer.pdf.structure import BudgetSpent, View
from signer.pdf.text_strings import exact_string, text_string
from signer.pdf.tokens import Dictionary, Name, Ref, SyntaxFault

_SIGNING_KEYS = frozenset({"V", "AP", "AS", "F", "M", "P", "Type", "MK", "DA", "StructParent", "TU", "Contents"})
"""What signing may set in a field that was there before, besides /Ff."""
_FILLING_KEYS = frozenset({"V", "AP", "AS", "I", "TI", "M", "RV", "DA", "Q", "MK", "F", "Ff", "Type"})
_HIDING_FLAGS = 0b100011
"""Invisible, Hidden, NoView of /F (Table 167)."""
_READ_ONLY = 1
_PASSWORD = 1 << 13
_COMBO = 1 << 17
_RICH_TEXT = 1 << 25
_FILE_SELECT = 1 << 20
"""Bits of /Ff (Table 228, Table 231, Table 233)."""


@dataclass(frozen=True)
class _Inherited:
    """What a field has from its ancestors."""

    name: str = ""
    number: int = 0
    """Object number of the field itself."""
    page: int | None = None
    """The page that shows it."""
    kind: str | None = None
    value_changed: bool = False
    signed: bool = False

    def __str__(self) -> str:
        where = f"page {self.page}: " if self.page else ""
        return f"{where}{'signature ' if self.kind == 'Sig' else ''}field {self.name!r} (object {self.number})"


def compare_forms(rules: Rules, before: Dictionary, after: Dictionary) -> None:
    """Compare the two /AcroForm dictionaries and all fields. Raises SyntaxFault, BudgetSpent."""
    old, new = rules.old.get(before, "AcroForm"), rules.new.get(after, "AcroForm")
    if old is None and new is None:
        return
    if not isinstance(new, Dictionary) or not isinstance(old, Dictionary | None):
        rules.forbid("the form (/AcroForm) was removed")
        return
    reference = before.get("AcroForm")
    if isinstance(reference, Ref) and reference == after.get("AcroForm"):
        rules.walk.claim(reference.number, "form")
    if new.duplicates and old is not new:
        rules.forbid("the form has a key twice")
    old = Dictionary() if old is None else old
    _form_keys(rules, old, new)
    fields = _Fields(rules)
    fields.siblings(rules.old.get(old, "Fields"), rules.new.get(new, "Fields"), _Inherited(), 0)
    fields.shown_without_signer()
    fields.name_twice()


def _form_keys(rules: Rules, old: Dictionary, new: Dictionary) -> None:
    for key in sorted((old.keys() | new.keys()) - {"Fields", "SigFlags", "DR", "DA", "NeedAppearances"}):
        rules.walk.later(old.get(key), new.get(key), f"form /{key}")
    flags, new_flags = rules.old.get(old, "SigFlags") or 0, rules.new.get(new, "SigFlags") or 0
    if type(flags) is not int or type(new_flags) is not int or flags & ~new_flags:
        rules.forbid("form /SigFlags lost a flag")
    if rules.new.get(new, "NeedAppearances") is True and rules.old.get(old, "NeedAppearances") is not True:
        rules.forbid("form /NeedAppearances makes readers draw all fields anew")
    if "DA" in old:
        rules.walk.later(old["DA"], new.get("DA"), "form /DA")
    _grown(rules, old.get("DR"), new.get("DR"), 0)


_OWN_LAYERS = frozenset({"FRM", "DSz"})
"""XObjects of signature appearances that Acrobat keeps in /DR and renews with each signature."""


def _grown(rules: Rules, old: Any, new: Any, depth: int) -> None:
    """/DR may get further resources; those it had stay the same."""
    before, after = rules.old.resolve(old), rules.new.resolve(new)
    if before is None:
        return
    if depth < 2 and isinstance(before, Dictionary) and isinstance(after, Dictionary) and not after.duplicates:
        for key in sorted(before.keys() - (_OWN_LAYERS if depth else frozenset())):
            _grown(rules, before[key], after.get(key), depth + 1)
        return
    rules.walk.later(old, new, "form /DR")


class _Fields:
    """One walk through both field trees."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.count = 0
        self.known: set[str] = set()
        """Names of the fields that were there."""
        self.fresh: dict[int, str] = {}
        """Names of those that were added, by object number."""
        self.shown: list[tuple[int, Dictionary]] = []
        """Widgets of signature fields that were there, with their object numbers."""
        self.unsigned: dict[int, tuple[str, Dictionary]] = {}
        """Widgets that show something and that nobody signed, with the names of their fields, by object number."""

    def shown_without_signer(self) -> None:
        """Forbid new pictures that nobody answers for, unless the very picture was there before, in the same place."""
        rules = self.rules
        for number, (name, widget) in self.unsigned.items():
            page, box = rules.page_of.get(number), rectangle(rules.new, widget)
            known = (
                old.get("AP")
                for other, old in self.shown
                if page is not None and rules.page_of.get(other) == page and rectangle(rules.old, old) == box
            )
            if not any(rules.walk.same(picture, widget.get("AP")) for picture in known):
                rules.forbid(f"field {name!r} (object {number}), added without a signer, shows something")

    def name_twice(self) -> None:
        """Forbid new fields that bear the name of another: two fields of one name are one field (12.7.4.2)."""
        for number, name in self.fresh.items():
            if name in self.known:
                self.rules.forbid(f"form field {name!r} (object {number}) was added, and there is one of that name")

    def siblings(self, before: Any, after: Any, inherited: _Inherited, depth: int) -> None:
        """Compare two /Fields or /Kids arrays: the old ones stay in order, new ones are new signature fields."""
        rules = self.rules
        before = list(before) if isinstance(before, list) else []
        after = list(after) if isinstance(after, list) else []
        self.count += len(after) + 1
        if self.count > MAX_FIELDS or depth > MAX_DEPTH:
            raise BudgetSpent("too many form fields")
        remaining = iter(after)
        for position, item in enumerate(before):
            if not isinstance(item, Ref):
                rules.walk.later(item, after[position] if position < len(after) else None, "a field without a number")
                continue
            if item not in remaining:
                rules.forbid(f"form field {_name_of(rules.old, item, inherited.name)} was removed or moved")
                return
            self.existing(item, inherited, depth)
        had = {item for item in before if isinstance(item, Ref)}
        for item in after:
            if isinstance(item, Ref) and item not in had:
                self.added(item, inherited, depth)
            elif not isinstance(item, Ref) and not before:
                rules.forbid("a field without a number was added")

    def existing(self, item: Ref, inherited: _Inherited, depth: int) -> None:
        rules = self.rules
        old, new = rules.old.resolve(item), rules.new.resolve(item)
        if old is None and new is None:
            return
        if not isinstance(old, Dictionary) or not isinstance(new, Dictionary):
            rules.forbid(f"form field object {item.number} is no longer a dictionary")
            return
        if not rules.walk.claim(item.number, "field"):
            return
        name = _name(rules.old, old, inherited.name)
        self.known.add(name)
        own_kind = rules.old.get(old, "FT")
        kind = str(own_kind) if isinstance(own_kind, str) else inherited.kind
        value_changed = inherited.value_changed
        if "V" in old or "V" in new:
            value_changed = not rules.walk.same(old.get("V"), new.get("V"))
        signed = rules.old.get(old, "V") is not None or ("V" not in old and inherited.signed)
        here = _Inherited(name, item.number, rules.page_of.get(item.number), kind, value_changed, signed)
        if kind == "Sig":
            self.shown.append((item.number, old))
        if old is not new:
            if new.duplicates:
                rules.forbid(f"{here} has a key twice")
            self.keys(item, old, new, here)
        else:
            for key in sorted(old.keys() - {"Kids"}):
                self.unchanged_key(old, key, here)
        self.siblings(rules.old.get(old, "Kids"), rules.new.get(new, "Kids"), here, depth + 1)

    def unchanged_key(self, old: Dictionary, key: str, here: _Inherited) -> None:
        """Treat a value that stands in the same octets; what it refers to may still have changed."""
        if here.kind != "Sig" and key in ("V", "AP"):
            if not self.rules.walk.same(old[key], old[key]):
                self.filled(old, old, here, {key})
            return
        self.rules.walk.later(old[key], old[key], f"{here} /{key}")

    def keys(self, item: Ref, old: Dictionary, new: Dictionary, here: _Inherited) -> None:
        """Compare the keys of one field that was rewritten."""
        rules = self.rules
        free = frozenset({"Kids"})
        if here.kind == "Sig" and not here.signed:
            if here.value_changed:
                free |= _SIGNING_KEYS | {"Ff"}
                rules.signed_now.add(item.number)
                self.signed_now(old, new, here)
        elif here.kind != "Sig":
            free |= _FILLING_KEYS
        for key in sorted((old.keys() | new.keys()) - free):
            rules.walk.later(old.get(key), new.get(key), f"{here} /{key}")
        if here.kind != "Sig":
            changed = {key for key in _FILLING_KEYS if not rules.walk.same(old.get(key), new.get(key))}
            if changed:
                self.filled(old, new, here, changed)

    def signed_now(self, old: Dictionary, new: Dictionary, here: _Inherited) -> None:
        """Judge a signature field that was empty and has a value now."""
        rules = self.rules
        if not _rectangles_equal(rules, old, new):
            rules.forbid(f"{here} was moved")
        stamp = _is_time_stamp(rules.new, rules.new.get(new, "V"))
        if stamp and rules.walk.same(old.get("AP"), new.get("AP")):
            rules.note(Level.LTA_UPDATES, f"{here}: document time-stamp")
        else:
            rules.note(Level.FORM_FILLING, f"{here} signed", field=here.name)

    def filled(self, old: Dictionary, new: Dictionary, here: _Inherited, changed: set[str]) -> None:
        """Judge the changed keys of a text, choice or button field."""
        rules = self.rules
        if "AP" in changed and not (here.value_changed and here.kind in ("Tx", "Ch")):
            rules.forbid(f"{here}: the picture changed, the value did not")
        elif here.value_changed and here.kind in ("Tx", "Ch"):
            if self.draws_something_else(new, here):
                rules.forbid(f"{here}: the picture shows another value than the field has")
            elif "AP" in changed and draws_more_than_text(rules.new, new.get("AP")):
                rules.forbid(f"{here}: the picture holds an image or another picture, or cannot be read")
        if "AS" in changed and not self.state_exists(old, new):
            rules.forbid(f"{here}: it shows a state it did not have")
        if changed & {"DA", "Q", "RV", "MK"} and not here.value_changed:
            rules.forbid(f"{here}: its looks changed, the value did not")
        if "MK" in changed and not plain(rules.new, new.get("MK"), 0):
            rules.forbid(f"{here} /MK")  # it may hold icons (Table 192)
        if "F" in changed and (_flags(rules.old, old, "F") ^ _flags(rules.new, new, "F")) & _HIDING_FLAGS:
            rules.forbid(f"{here} was hidden or uncovered")
        if "Ff" in changed and _flags(rules.old, old, "Ff") | _READ_ONLY != _flags(rules.new, new, "Ff"):
            rules.forbid(f"{here} /Ff")
        if "Type" in changed and rules.new.get(new, "Type") != "Annot":
            rules.forbid(f"{here} /Type")
        rules.note(Level.FORM_FILLING, f"{here} filled in", field=here.name)

    def draws_something_else(self, new: Dictionary, here: _Inherited) -> bool:
        """Whether the picture of a text or choice field is known to say something else than its value.

        Not asked where a script formats the value (/AA), where it is a password, rich text, or a list with its options.
        """
        view = self.rules.new
        value = _inherited(view, new, "V")
        if not isinstance(value, bytes) or _inherited(view, new, "AA"):
            return False
        flags = _flags_of(_inherited(view, new, "Ff"))
        # the flag cannot be set later, /RV can (12.7.4.4)
        if (here.kind == "Tx" and flags & (_PASSWORD | _FILE_SELECT | _RICH_TEXT)) or (
            here.kind == "Ch" and not flags & _COMBO
        ):
            return False
        drawn = drawn_text(view, _normal(view, new))
        if drawn is None:
            self.rules.note(Level.FORM_FILLING, f"{here}: whether its picture shows its value cannot be told")
        shown = [text_string(value), *self.displayed(new, value)]
        return all(agrees(text, drawn) is False for text in shown)

    def displayed(self, field: Dictionary, value: bytes) -> list[str]:
        """Return what a choice field displays for a value (12.7.5.4): the second of a pair in /Opt."""
        view = self.rules.new
        options = _inherited(view, field, "Opt")
        pairs = [view.resolve(item) for item in options] if isinstance(options, list) else []
        return [
            text_string(text)
            for pair in pairs
            if isinstance(pair, list) and len(pair) == 2 and view.resolve(pair[0]) == value
            for text in [view.resolve(pair[1])]
            if isinstance(text, bytes)
        ]

    def state_exists(self, old: Dictionary, new: Dictionary) -> bool:
        """Whether a check box or radio button shows one of the pictures it always had (12.7.5.2.3)."""
        appearances = self.rules.old.get(old, "AP")
        normal = self.rules.old.get(appearances, "N") if isinstance(appearances, Dictionary) else None
        state = self.rules.new.get(new, "AS")
        return state in (None, "Off") or (isinstance(normal, Dictionary) and state in normal)

    def added(self, item: Ref, inherited: _Inherited, depth: int) -> None:
        """Judge a field that was not there: only a signature field without actions."""
        rules = self.rules
        new = rules.new.resolve(item)
        if new is None:
            return
        if not isinstance(new, Dictionary) or new.duplicates:
            rules.forbid("a field was added that is not a proper dictionary")
            return
        name = _name(rules.new, new, inherited.name)
        if "T" in new:
            self.fresh[item.number] = name
        own_kind = rules.new.get(new, "FT")
        kind = str(own_kind) if isinstance(own_kind, str) else inherited.kind
        if kind not in ("Sig", None) or (inherited.kind not in (None, "Sig")):
            rules.forbid(f"form field {name!r} (object {item.number}) was added")
            return
        widgets = self.new_widgets(item, new, 0)
        if kind is None and not _has_sig_kids(rules.new, new, 0):
            rules.forbid(f"form field {name!r} (object {item.number}) was added")
            return
        boxes = [rectangle(rules.new, d) for d in widgets.values()]
        visible = any(b is not None and b[2] - b[0] >= 1 and b[3] - b[1] >= 1 for b in boxes)
        for number, widget in widgets.items():
            if widget.get("A") is not None or widget.get("AA") is not None:
                rules.forbid(f"new field {name!r} carries an action")
            rules.new_widgets[number] = name
        value = rules.new.get(new, "V")
        for number, widget in widgets.items() if visible else ():
            # nobody answers for what is drawn: an empty field has no signer, and a time-stamp anybody can get
            signed = None if inherited.signed else _inherited(rules.new, widget, "V") or value
            if (signed is None or _is_time_stamp(rules.new, signed)) and draws_anything(rules.new, widget.get("AP")):
                self.unsigned[number] = (name, widget)
        if value is None and kind == "Sig":
            rules.note(
                Level.FORM_FILLING,
                f"empty signature field {name!r} (object {item.number}) added",
                field=name,
                visible_new=True,
            )
        elif _is_time_stamp(rules.new, value) and not visible:
            rules.note(Level.LTA_UPDATES, f"document time-stamp in new field {name!r} (object {item.number})")
        else:
            rules.note(
                Level.FORM_FILLING,
                f"signature added in new field {name!r} (object {item.number})",
                field=name if visible else None,
                visible_new=visible,
            )

    def new_widgets(self, item: Ref, field: Dictionary, depth: int) -> dict[int, Dictionary]:
        """Return the new field and all its kids by object number; kids of another type are forbidden."""
        rules = self.rules
        found = {item.number: field}
        kids = rules.new.get(field, "Kids")
        for kid in kids if isinstance(kids, list) else ():
            value = rules.new.resolve(kid)
            self.count += 1
            if depth > MAX_DEPTH or self.count > MAX_FIELDS:
                raise BudgetSpent("too many form fields")
            if not isinstance(kid, Ref) or not isinstance(value, Dictionary) or kid.number in rules.walk.roles:
                rules.forbid("a new field has a kid that is not a new dictionary")
                continue
            if rules.new.get(value, "FT") not in (None, "Sig"):
                rules.forbid("a new signature field has a kid of another type")
            found.update(self.new_widgets(kid, value, depth + 1))
        return found


def _has_sig_kids(view: View, field: Dictionary, depth: int) -> bool:
    """Whether a new non-terminal field leads to signature fields only."""
    kids = view.get(field, "Kids")
    if depth > MAX_DEPTH or not isinstance(kids, list) or not kids:
        return False
    values = [view.resolve(kid) for kid in kids]
    return all(
        isinstance(v, Dictionary) and (view.get(v, "FT") == "Sig" or _has_sig_kids(view, v, depth + 1)) for v in values
    )


def _normal(view: View, field: Dictionary) -> Any:
    """Return the normal appearance of a field, not resolved."""
    appearances = view.get(field, "AP")
    return appearances.get("N") if isinstance(appearances, Dictionary) else None


def _name(view: View, field: Dictionary, parent: str) -> str:
    partial = view.get(field, "T")
    if not isinstance(partial, bytes):
        return parent
    own = exact_string(partial)
    return f"{parent}.{own}" if parent else own


def _name_of(view: View, item: Ref, parent: str) -> str:
    field = view.resolve(item)
    name = _name(view, field, parent) if isinstance(field, Dictionary) else parent
    return f"{name!r} (object {item.number})"


def _rectangles_equal(rules: Rules, old: Dictionary, new: Dictionary) -> bool:
    return "Rect" not in old or rectangle(rules.old, old) == rectangle(rules.new, new)


def _inherited(view: View, field: Dictionary, key: str) -> Any:
    return view.resolve(view.inherited(field, key, MAX_DEPTH))


def _flags_of(value: Any) -> int:
    return value if type(value) is int else 0


def _flags(view: View, dictionary: Dictionary, key: str) -> int:
    value = view.get(dictionary, key)
    if value is None:
        return 0
    if type(value) is not int:
        raise SyntaxFault(f"/{key} is not an integer")
    return value


def _is_time_stamp(view: View, value: Any) -> bool:
    """Whether a /V is a document time-stamp dictionary (12.8.5)."""
    return isinstance(value, Dictionary) and view.get(value, "SubFilter") == Name("ETSI.RFC3161")
