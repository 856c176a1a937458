"""What another parser, qpdf, reads of a revision: the half of `signer.pdf.second_reading` that runs in a child process.

    answer({"ends": [48211, 52007], "most": 20000, "key": None}, data)     # JSON: one reading for each end

An encrypted file comes with its file encryption key, in hexadecimal.
The file is cut off at each end and opened without any attempt at recovery: what this reader has to guess at, another
one guesses differently. Page tree and fields are walked here once more, over qpdf's objects instead of ours.
"""

from __future__ import annotations

import io
import json
from typing import Any

MAX_DEPTH = 100


def answer(header: dict[str, Any], data: bytes) -> bytes:
    """Read the file as cut off at each of `ends`; return JSON."""
    return json.dumps([_reading(data, end, header["most"], header.get("key")) for end in header["ends"]]).encode()


def _reading(data: bytes, end: int, most: int, key: str | None) -> dict[str, Any]:
    import pikepdf

    try:
        source = io.BytesIO(data if end == len(data) else memoryview(data)[:end])
        with pikepdf.open(
            source, password=key or "", hex_password=key is not None, attempt_recovery=False, suppress_warnings=True
        ) as pdf:
            root = pdf.Root
            tree = root.get("/Pages")
            return {
                "count": _plain(tree.get("/Count")) if isinstance(tree, pikepdf.Dictionary) else None,
                "pages": _pages(tree, most),
                "fields": _fields(root.get("/AcroForm"), most),
            }
    except Exception as error:  # noqa: BLE001 - whatever it is, this reader could not read it
        return {"error": type(error).__name__}


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | str) or value is None else str(value)


def _number(item: Any) -> int:
    """Return the object number of an indirect object, 0 for a direct one."""
    return int(item.objgen[0]) if hasattr(item, "objgen") else 0


def _pages(tree: Any, most: int) -> list[int]:
    """Return the object numbers of the pages in their order."""
    import pikepdf

    found: list[int] = []
    stack = [(tree, 0)]
    seen: set[int] = set()
    while stack and len(found) < most:
        node, depth = stack.pop()
        number = _number(node)
        if not isinstance(node, pikepdf.Dictionary) or depth > MAX_DEPTH or (number and number in seen):
            continue
        kids = node.get("/Kids")
        if isinstance(kids, pikepdf.Array):
            seen.add(number)
            stack.extend((kids[position], depth + 1) for position in reversed(range(len(kids))))
        else:
            found.append(number)
    return found


def _fields(form: Any, most: int) -> list[list[Any]]:
    """Return object number, partial name (hexadecimal), own type and object number of /V of each field met."""
    import pikepdf

    found: list[list[Any]] = []
    roots = form.get("/Fields") if isinstance(form, pikepdf.Dictionary) else None
    if not isinstance(roots, pikepdf.Array):
        return found
    stack = [(roots[position], 0) for position in reversed(range(len(roots)))]
    seen: set[int] = set()
    while stack and len(found) < most:
        node, depth = stack.pop()
        number = _number(node)
        if not isinstance(node, pikepdf.Dictionary) or depth > MAX_DEPTH or (number and number in seen):
            continue
        seen.add(number)
        name, kind, value, kids = (node.get(key) for key in ("/T", "/FT", "/V", "/Kids"))
        found.append(
            [
                number,
                bytes(name).hex() if isinstance(name, pikepdf.String) else None,
                str(kind)[1:] if isinstance(kind, pikepdf.Name) else None,
                _number(value),
            ]
        )
        if isinstance(kids, pikepdf.Array):
            stack.extend((kids[position], depth + 1) for position in reversed(range(len(kids))))
    return found
