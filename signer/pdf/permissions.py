"""What a signature allows to be changed after it: DocMDP, FieldMDP and the /Lock of its field.

allowed = permissions_of(signed_view, entry)
allowed.level          # 1, 2, 3 or None where nothing is said (ISO 32000-2 12.8.2.2, Table 257)
allowed.locks("total") # whether FieldMDP or /Lock forbids to change the field of that name (12.8.2.4, Table 259)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from signer.pdf.listing import SignatureEntry
from signer.pdf.structure import View
from signer.pdf.text_strings import exact_string
from signer.pdf.tokens import Dictionary, SyntaxFault


@dataclass(frozen=True)
class FieldLock:
    """One FieldMDP transform or /Lock dictionary."""

    action: str
    """All, Include or Exclude."""
    fields: tuple[str, ...] = ()

    def covers(self, name: str) -> bool:
        """Whether the field of that fully qualified name is locked; a name stands for all below it."""
        listed = any(name == field or name.startswith(field + ".") for field in self.fields)
        return self.action == "All" or listed == (self.action == "Include")


@dataclass(frozen=True)
class Permissions:
    """Everything one signature says about later changes."""

    level: int | None = None
    """DocMDP /P: 1 nothing, 2 forms and signatures, 3 annotations too; None: not said."""
    certification: bool = False
    """Whether the signature carries a DocMDP transform of its own."""
    fields: tuple[FieldLock, ...] = ()

    def locks(self, name: str) -> bool:
        """Whether the field of that name must not change."""
        return any(lock.covers(name) for lock in self.fields)

    @property
    def locks_all(self) -> bool:
        """Whether every field is locked, those included that do not exist yet."""
        return any(lock.action == "All" for lock in self.fields)


def permissions_of(view: View, entry: SignatureEntry) -> Permissions:
    """Read the permissions from the signed revision. Raises SyntaxFault for what cannot be understood."""
    level: int | None = None
    certification = "DocMDP" in entry.permissions
    locks: list[FieldLock] = []
    references = view.get(entry.dictionary, "Reference")
    if references is not None and not isinstance(references, list):
        raise SyntaxFault("/Reference is not an array")
    for item in references or ():
        reference = view.resolve(item)
        if not isinstance(reference, Dictionary):
            raise SyntaxFault("a signature reference is not a dictionary")
        method = view.get(reference, "TransformMethod")
        parameters = view.get(reference, "TransformParams")
        if method == "DocMDP":
            certification = True
            own = view.get(parameters, "P") if isinstance(parameters, Dictionary) else None
            level = _stricter(level, 2 if own is None else own)
        elif method == "FieldMDP":
            locks.append(_lock(view, parameters))
    if certification and level is None:
        level = 2
    for number in entry.field_objects:
        located = view.locate(number)
        lock = view.get(located.value, "Lock") if located and isinstance(located.value, Dictionary) else None
        if isinstance(lock, Dictionary):
            locks.append(_lock(view, lock))
            own = view.get(lock, "P")
            if own is not None:
                level = _stricter(level, own)
    return Permissions(level, certification, tuple(locks))


def _stricter(level: int | None, other: Any) -> int:
    """Return the stricter of two DocMDP levels; a value outside 1 to 3 counts as 1."""
    value = other if type(other) is int and other in (1, 2, 3) else 1
    return value if level is None else min(level, value)


def _lock(view: View, parameters: Any) -> FieldLock:
    if not isinstance(parameters, Dictionary):
        raise SyntaxFault("a field lock is not a dictionary")
    action = view.get(parameters, "Action")
    if action not in ("All", "Include", "Exclude"):
        return FieldLock("All")  # unknown words lock everything rather than nothing
    return FieldLock(str(action), locked_names(view, parameters))


def locked_names(view: View, lock: Dictionary) -> tuple[str, ...]:
    """Return the names in /Fields of a lock, as they are compared."""
    names = view.get(lock, "Fields")
    items = [view.resolve(name) for name in names] if isinstance(names, list) else []
    return tuple(exact_string(name) for name in items if isinstance(name, bytes))
