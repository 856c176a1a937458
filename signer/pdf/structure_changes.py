"""Rule 6 of `signer.pdf.changes`: what a new signature field may add to the structure tree of a tagged PDF.

PDF/UA-1 7.18.4 wants every widget inside a Form structure element, so a signer that keeps a tagged file conformant
adds one: an element of type Form whose only content is an object reference to the new widget, hung under an
element or the root that was there before, and an entry for it in the parent tree. Whatever else changes in the
tree is compared like everything else, and forbidden.
"""

from __future__ import annotations

from typing import Any

from signer.pdf.changes import Level, Rules
from signer.pdf.structure import Stream, View
from signer.pdf.tokens import Dictionary, Ref

MAX_ELEMENTS = 200_000


def compare_structure(rules: Rules, before: Any, after: Any) -> None:
    """Compare two structure tree roots, given as written in the catalog."""
    old, new = rules.old.resolve(before), rules.new.resolve(after)
    if not isinstance(old, Dictionary) or not isinstance(new, Dictionary) or new.duplicates:
        rules.walk.later(before, after, "structure tree")
        return
    if isinstance(before, Ref) and before == after:
        rules.walk.claim(before.number, "structure")
    added = _kids(rules, old, new)
    for key in sorted((old.keys() | new.keys()) - {"K", "ParentTree", "ParentTreeNextKey"}):
        rules.walk.later(old.get(key), new.get(key), f"structure tree /{key}")
    entries = _parent_tree(rules, old.get("ParentTree"), new.get("ParentTree"))
    if added or entries:
        rules.note(Level.FORM_FILLING, "structure elements added for new signature fields")


def _as_list(view: View, holder: Dictionary) -> list[Any]:
    kids = view.get(holder, "K")
    if kids is None:
        return []
    return list(kids) if isinstance(kids, list) else [holder["K"]]


def _kids(rules: Rules, old: Dictionary, new: Dictionary) -> int:
    """Walk the elements from the top; return how many were added. Only changed elements are entered."""
    added = 0
    stack: list[tuple[Dictionary, Dictionary]] = [(old, new)]
    entered: set[int] = set()
    while stack:
        before, after = stack.pop()
        rules.walk.budget.spend(1)
        old_kids, new_kids = _as_list(rules.old, before), _as_list(rules.new, after)
        position = 0
        for kid in new_kids:
            if position < len(old_kids) and _same_kid(old_kids[position], kid):
                _descend(rules, old_kids[position], kid, stack, entered)
                position += 1
            elif _is_form_element(rules, kid):
                added += 1
            else:
                rules.forbid("the structure tree was changed")
                return added
        if position < len(old_kids):
            rules.forbid("an element was removed from the structure tree")
            return added
    return added


def _same_kid(old: Any, new: Any) -> bool:
    return type(old) is type(new) and bool(old == new)


def _descend(rules: Rules, old: Any, new: Any, stack: list[tuple[Dictionary, Dictionary]], entered: set[int]) -> None:
    """Compare one element that is in both trees, and put it on the stack when its own kids may have grown."""
    if not isinstance(old, Ref):
        rules.walk.later(old, new, "structure tree")
        return
    before, after = rules.old.resolve(old), rules.new.resolve(new)
    if (
        not isinstance(before, Dictionary)
        or not isinstance(after, Dictionary)
        or "S" not in before
        or len(entered) > MAX_ELEMENTS
    ):
        rules.walk.later(old, new, "structure tree")
        return
    if old.number in entered or old.number in rules.walk.roles:
        return
    entered.add(old.number)
    rules.walk.claim(old.number, "structure")
    if after.duplicates and before is not after:
        rules.forbid("a structure element has a key twice")
    for key in sorted((before.keys() | after.keys()) - {"K"}):
        rules.walk.later(before.get(key), after.get(key), "structure tree")
    stack.append((before, after))


def _is_form_element(rules: Rules, kid: Any) -> bool:
    """Whether a new kid is a Form element around object references to new signature widgets and nothing else."""
    element = rules.new.resolve(kid)
    if not isinstance(element, Dictionary) or rules.new.get(element, "S") != "Form":
        return False
    if not element.keys() <= {"Type", "S", "P", "K", "Pg", "Alt", "T", "Lang", "ID", "NS", "A"}:
        return False
    contents = [rules.new.resolve(item) for item in _as_list(rules.new, element)]
    return bool(contents) and all(
        isinstance(item, Dictionary)
        and rules.new.get(item, "Type") == "OBJR"
        and isinstance(item.get("Obj"), Ref)
        and item["Obj"].number in rules.new_widgets
        for item in contents
    )


def _parent_tree(rules: Rules, before: Any, after: Any) -> int:
    """Compare two number trees by their entries: all old ones stay, new ones name new Form elements."""
    if rules.old.resolve(before) is None and rules.new.resolve(after) is None:
        return 0
    # A tree without anything that points into it has no parent tree; the first new element brings one.
    old = {} if rules.old.resolve(before) is None else _numbers(rules.old, before)
    new = _numbers(rules.new, after)
    if old is None or new is None:
        rules.walk.later(before, after, "structure tree /ParentTree")
        return 0
    for key, value in old.items():
        rules.walk.later(value, new.get(key), "structure tree /ParentTree")
    extra = new.keys() - old.keys()
    if not all(_is_form_element(rules, new[key]) for key in extra):
        rules.forbid("the parent tree of the structure tree was changed")
    return len(extra)


def _numbers(view: View, root: Any) -> dict[int, Any] | None:
    """Flatten a number tree (7.9.7); None when it is not one."""
    found: dict[int, Any] = {}
    stack = [(root, 0)]
    while stack:
        item, level = stack.pop()
        node = view.resolve(item)
        view.pdf.budget.spend(5)
        if level > 30 or len(found) > MAX_ELEMENTS or not isinstance(node, Dictionary) or isinstance(node, Stream):
            return None
        pairs, kids = view.get(node, "Nums"), view.get(node, "Kids")
        if isinstance(pairs, list):
            for key, value in zip(pairs[::2], pairs[1::2], strict=False):
                if type(key) is not int or key in found:
                    return None
                found[key] = value
        if isinstance(kids, list):
            stack.extend((kid, level + 1) for kid in kids)
    return found
