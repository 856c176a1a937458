"""The signature's place in the structure tree of a tagged PDF.

A visible widget of a tagged file stands inside a Form element, reached by an object reference, and the page says that
its annotations are read in the order of the structure (ISO 14289-1 7.18.3 and 7.18.4; ISO 32000-2 14.7.5).

    StructTreeRoot ─ K ─ Document ─ K ─ …, Form ─ K ─ OBJR ─ Obj ─ widget
                   └ ParentTree ─ Nums ─ … n Form         widget ─ StructParent n
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name

from signer.errors import SigningRefused
from signer.pades.engine import items, resolved

if TYPE_CHECKING:
    from signer.pades.engine import RevisionWriter

MAX_NODES = 100_000


def order_by_structure(writer: RevisionWriter, widget: Any) -> None:
    """Say that the annotations of the widget's page are read in the order of the structure (ISO 14289-2 8.9.3.3)."""
    page = _page(widget)
    if page is not None and "/Tabs" not in page.get_object():
        page.get_object()[pdf_name("/Tabs")] = pdf_name("/S")
        writer.mark_update(page)


def _page(widget: Any) -> Any:
    return widget.raw_get("/P") if "/P" in widget else None


def tag_widget(writer: RevisionWriter, field: Any, widget: Any, alternative: str, language: str) -> None:
    """Add the widget to the structure tree, unless it is there already. Raises SigningRefused.

    `alternative` is what it says, in `language`, which need not be that of the document.
    """
    if "/Contents" not in widget:
        widget[pdf_name("/Contents")] = generic.pdf_string(alternative)  # no label beside it: ISO 14289-2 8.10.2.3
    if "/StructParent" in widget:
        return
    root = writer.root["/StructTreeRoot"]
    key = _next_key(root)
    reference = field if widget is field.get_object() else field.get_object()["/Kids"].raw_get(0)
    holder, holder_reference = _holder(writer, root)
    form = _dictionary(Type="StructElem", S="Form")
    form[pdf_name("/P")] = holder_reference
    page = _page(widget)
    if page is not None:
        form[pdf_name("/Pg")] = page
    form[pdf_name("/Alt")] = generic.pdf_string(alternative)
    form[pdf_name("/Lang")] = generic.pdf_string(language)
    if "/NS" in holder and holder is not root:
        form[pdf_name("/NS")] = holder.raw_get("/NS")
    objr = _dictionary(Type="OBJR")
    objr[pdf_name("/Obj")] = reference
    form[pdf_name("/K")] = objr
    form_reference = writer.add_object(form)
    _append(writer, holder, form_reference)
    widget[pdf_name("/StructParent")] = generic.NumberObject(key)  # type: ignore[no-untyped-call]
    _register(writer, root, key, form_reference)


def _dictionary(**names: str) -> Any:
    entries = {pdf_name("/" + key): pdf_name("/" + value) for key, value in names.items()}
    return generic.DictionaryObject(entries)  # type: ignore[no-untyped-call]


def _holder(writer: RevisionWriter, root: Any) -> tuple[Any, Any]:
    """Return the one Document element at the top, or else the root: PDF 2.0 wants a single one there (14.8.4.3)."""
    kids = resolved(root, "/K")
    raw = root.raw_get("/K") if kids is not None else None
    if isinstance(kids, generic.ArrayObject):
        raw, kids = (kids.raw_get(0), kids[0]) if len(kids) == 1 else (None, None)
    roles = resolved(root, "/RoleMap") or {}
    if isinstance(kids, generic.DictionaryObject) and isinstance(raw, generic.IndirectObject):
        kind = resolved(kids, "/S")
        role = resolved(roles, kind) if kind is not None else None
        if "/Document" in (kind, role) and resolved(kids, "/Type") != "/OBJR":
            return kids, raw
    reference = writer.root.raw_get("/StructTreeRoot")
    if not isinstance(reference, generic.IndirectObject):
        raise SigningRefused("the structure tree is no indirect object", hint="sign without a visible appearance")
    return root, reference


def _append(writer: RevisionWriter, holder: Any, reference: Any) -> None:
    """Make `reference` the last kid of `holder`."""
    kids = resolved(holder, "/K")
    if isinstance(kids, generic.ArrayObject):
        kids.append(reference)
        writer.update_container(kids)
        return
    before = [] if kids is None else [holder.raw_get("/K")]
    holder[pdf_name("/K")] = generic.ArrayObject([*before, reference])
    writer.update_container(holder)


def _nodes(tree: Any) -> Iterator[Any]:
    """Yield the leaves of a number tree (7.9.7)."""
    stack = [tree]
    for _ in range(MAX_NODES):
        if not stack:
            return
        node = stack.pop()
        if "/Nums" in node:
            yield node
        stack.extend(reversed(items(resolved(node, "/Kids") or ())))
    raise SigningRefused("the structure tree is too large", hint="sign without a visible appearance")


def _next_key(root: Any) -> int:
    """Return a key of the parent tree that is free."""
    used = -1
    for leaf in _nodes(root["/ParentTree"]) if "/ParentTree" in root else ():
        keys = [int(key) for key in items(leaf["/Nums"])[::2]]
        used = max([used, *keys])
    announced = resolved(root, "/ParentTreeNextKey") or 0
    return max(used + 1, int(announced))


def _register(writer: RevisionWriter, root: Any, key: int, form: Any) -> None:
    """Enter the form element under `key`: behind the last key, so at the end of the last leaf."""
    number = generic.NumberObject(key)  # type: ignore[no-untyped-call]
    if "/ParentTree" not in root:
        tree = generic.DictionaryObject({pdf_name("/Nums"): generic.ArrayObject()})  # type: ignore[no-untyped-call]
        root[pdf_name("/ParentTree")] = writer.add_object(tree)
        writer.update_container(root)
    tree = root["/ParentTree"]
    if "/Kids" in tree and "/Nums" not in tree:
        leaf = generic.DictionaryObject(  # type: ignore[no-untyped-call]
            {
                pdf_name("/Limits"): generic.ArrayObject([number, number]),
                pdf_name("/Nums"): generic.ArrayObject([number, form]),
            }
        )
        kids = tree["/Kids"]
        kids.append(writer.add_object(leaf))
        writer.update_container(kids)
    else:
        if "/Nums" not in tree:
            tree[pdf_name("/Nums")] = generic.ArrayObject()
        numbers = tree["/Nums"]
        numbers.extend([number, form])
        writer.update_container(numbers)
    root[pdf_name("/ParentTreeNextKey")] = generic.NumberObject(key + 1)  # type: ignore[no-untyped-call]
    writer.update_container(root)
