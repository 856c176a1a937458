"""Rule G10: page tree, form fields and page count of each signed revision, read by a second parser too.

    reading = SecondReading(pdf)                       # starts the other parser
    reading.ask([entry_end, …])                        # every revision somebody signed, once
    reading.finding(signed_view, view)                 # passed, failed with what differs, not-checked with the reason

The second parser is qpdf, in a child process under limits (`signer.limited`), without recovery. Both walk the same
tree in the same order. Two parsers may share a mistake, so agreement proves little; a difference means that two people
may be shown two documents under one signature. This adds to G1 to G9 and replaces none of them.
"""

from __future__ import annotations

import atexit
import contextlib
import json
from typing import Any

from signer.limited import Child, ChildFault, LimitReached
from signer.pdf.guard import CLAUSES, Finding
from signer.pdf.structure import BudgetSpent, PDFFile, View
from signer.pdf.tokens import Dictionary, Ref, SyntaxFault

RULE = "G10-two-parsers"

MOST = 20_000
"""Pages, and fields, that are compared; of more, the first so many and the page count."""
MAX_ENDS = 200
MAX_DEPTH = 100
SECONDS = 10

_child = Child("signer.pdf.second_child:answer", seconds=SECONDS)
"""One for all files: what a hostile file could do to it is withhold a difference in another."""
atexit.register(_child.close)


def prepare(data: bytes) -> None:
    """Start the other parser beside other work, where a file may have a signature. Never raises."""
    if b"ByteRange" in data:
        with contextlib.suppress(ChildFault):
            _child.start()


class NotCompared(Exception):
    """The second reading was not to be had, and why. Stays inside `signer`."""


class CannotOpen(NotCompared):
    """The second parser has no way to open a file encrypted so: its lack, nothing the file could be blamed for."""


class SecondReading:
    """The second parser's readings of one file."""

    def __init__(self, pdf: PDFFile) -> None:
        self._pdf = pdf
        self._found: dict[int, dict[str, Any]] = {}
        self._fault = ""

    def ask(self, ends: list[int]) -> None:
        """Let the file be read as cut off at each of `ends`. Never raises: what failed is said by `compare`."""
        ends = sorted(set(ends))[:MAX_ENDS]
        if not ends or not self._can_open:
            return
        decryptor = self._pdf.decryptor
        key = decryptor.file_key.hex() if decryptor is not None and decryptor.file_key is not None else None
        try:
            answers = json.loads(_child.ask({"ends": ends, "most": MOST, "key": key}, self._pdf.data))
            self._found = dict(zip(ends, answers, strict=True))
        except LimitReached:
            self._fault = "the second parser could not finish within the limits"
        except (ChildFault, ValueError) as error:
            self._fault = f"the second parser does not run: {error}"

    @property
    def _can_open(self) -> bool:
        return self._pdf.decryptor is None or self._pdf.decryptor.file_key is not None

    def finding(self, signed: View | None, now: View | None) -> Finding:
        """Return rule G10 for one signature: its signed revision, and the file as it is now."""
        if signed is None or now is None:
            return Finding(RULE, CLAUSES[RULE], "not-checked", "the signed revision cannot be read")
        try:
            differs = self.compare(signed)
            if not differs and now.end != signed.end:
                differs = self.compare(now)
                differs = differs and f"in the file as it is now: {differs}"
        except CannotOpen as error:
            return Finding(RULE, CLAUSES[RULE], "not-checked", str(error))
        except (NotCompared, SyntaxFault, BudgetSpent) as error:
            return Finding(RULE, CLAUSES[RULE], "not-checked", str(error), "indeterminate")
        if differs:
            return Finding(RULE, CLAUSES[RULE], "failed", f"two parsers disagree: {differs}", "indeterminate")
        return Finding(RULE, CLAUSES[RULE], "passed", "page count, page tree and form fields")

    def compare(self, view: View) -> str:
        """Return what differs in the revision that `view` shows, "" where nothing does.

        Raises NotCompared, SyntaxFault, BudgetSpent.
        """
        if not self._can_open:
            raise CannotOpen("the second parser opens no file that is encrypted for certificates, or by AES-GCM")
        theirs = self._found.get(view.end)
        if theirs is None:
            raise NotCompared(self._fault or "the revision was not read twice")
        if "error" in theirs:
            return f"the second parser cannot open the signed revision ({theirs['error']})"
        tree = view.get(view.catalog, "Pages")
        count = view.get(tree, "Count") if isinstance(tree, Dictionary) else None
        if count != theirs["count"]:
            return f"page count: {count} and {theirs['count']}"
        return _first_difference("page", pages_of(view), theirs["pages"]) or _first_difference(
            "form field", _fields(view), theirs["fields"]
        )


def _first_difference(what: str, ours: list[Any], theirs: list[Any]) -> str:
    for position, (mine, other) in enumerate(zip(ours, theirs, strict=False), 1):
        if mine != other:
            return f"{what} {position}: object {_object(mine)} and object {_object(other)}"
    if len(ours) != len(theirs):
        return f"{what}s: {len(ours)} and {len(theirs)}"
    return ""


def _object(item: Any) -> str:
    return str(item[0]) + f" with /T {item[1]}, /FT {item[2]}, /V {item[3]}" if isinstance(item, list) else str(item)


def pages_of(view: View) -> list[int]:
    """Return the object numbers of the pages in their order, 0 for a page without one."""
    found: list[int] = []
    stack: list[tuple[Any, int]] = [(view.catalog.get("Pages"), 0)]
    seen: set[int] = set()
    while stack and len(found) < MOST:
        item, depth = stack.pop()
        view.pdf.budget.spend(2)
        number, node = _number(item), view.resolve(item)
        if not isinstance(node, Dictionary) or depth > MAX_DEPTH or (number and number in seen):
            continue
        kids = view.get(node, "Kids")
        if isinstance(kids, list):
            seen.add(number)
            stack.extend((kid, depth + 1) for kid in reversed(kids))
        else:
            found.append(number)
    return found


def _fields(view: View) -> list[list[Any]]:
    """Return object number, partial name (hexadecimal), own type and object number of /V of each field met."""
    found: list[list[Any]] = []
    form = view.get(view.catalog, "AcroForm")
    roots = view.get(form, "Fields") if isinstance(form, Dictionary) else None
    stack: list[tuple[Any, int]] = [(item, 0) for item in reversed(roots)] if isinstance(roots, list) else []
    seen: set[int] = set()
    while stack and len(found) < MOST:
        item, depth = stack.pop()
        view.pdf.budget.spend(5)
        number, node = _number(item), view.resolve(item)
        if not isinstance(node, Dictionary) or depth > MAX_DEPTH or (number and number in seen):
            continue
        seen.add(number)
        name, kind, kids = (view.get(node, key) for key in ("T", "FT", "Kids"))
        value = node.get("V")
        found.append(
            [
                number,
                name.hex() if isinstance(name, bytes) else None,
                str(kind) if isinstance(kind, str) else None,
                _number(value) if view.resolve(value) is not None else 0,
            ]
        )
        if isinstance(kids, list):
            stack.extend((kid, depth + 1) for kid in reversed(kids))
    return found


def _number(item: Any) -> int:
    return item.number if isinstance(item, Ref) else 0
