"""From a template and what is filled in to a contract draft, which then goes the way of every other.

    draft = narrowed(template.draft, filled.parties)     # the slots, with what was left open
    body = fill(draft, filled, now)                      # a ContractIn

What is wrong with a contract is told of its parties by number. `told_as` turns that into where it was said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from api.contracts.schemas import ContractIn
from api.errors import ValidationFailed
from api.kit.refusals import problem_at, validated
from api.templates.schemas import FilledIn, SlotIn
from certs.errors import SealroadError

PLACED: Final = frozenset({"slot", "role", "order", "signature_area", "seal_placement"})
"""What only the template says of a party: its part, and where it stands."""

Draft = dict[str, Any]
"""A template as it is stored: JSON of a `TemplateIn`, without what was not said."""


def narrowed(draft: Draft, values: Sequence[SlotIn]) -> Draft:
    """Return a template that says more of its parties. Raises ValidationFailed with every finding."""
    slots = {slot["slot"]: dict(slot) for slot in draft["parties"]}
    findings, seen = [], set()
    for index, value in enumerate(values):
        slot, pointer = slots.get(value.slot), f"/parties/{index}"
        if slot is None:
            findings.append(problem_at(f"{pointer}/slot", "unknown-slot", f"known: {', '.join(slots)}"))
            continue
        if value.slot in seen:
            findings.append(problem_at(f"{pointer}/slot", "repeated", "is filled in twice"))
            continue
        seen.add(value.slot)
        for name, said in value.model_dump(mode="json", exclude_unset=True, exclude={"slot"}).items():
            if name in PLACED or name in slot:
                findings.append(problem_at(f"{pointer}/{name}", "fixed", "the template says this itself"))
            elif said is not None:
                slot[name] = said
    if findings:
        raise ValidationFailed("the slots cannot be filled in so", errors=findings)
    return draft | {"parties": list(slots.values())}


def fill(draft: Draft, filled: FilledIn, now: datetime) -> ContractIn:
    """Return a contract draft of a narrowed template. Raises ValidationFailed with every finding."""
    said = filled.model_dump(mode="json", exclude_none=True, exclude={"parties"})
    contract = {name: value for name, value in draft.items() if name != "expires_after_days"} | said
    days = draft.get("expires_after_days")
    if days is not None:
        contract.setdefault("expires_at", (now + timedelta(days=days)).isoformat())
    contract["parties"] = [{name: value for name, value in slot.items() if name != "slot"} for slot in draft["parties"]]
    return validated(ContractIn, contract)


@contextmanager
def told_as(place: Callable[[str, str], str], slots: Sequence[str]) -> Iterator[None]:
    """Tell what errors say of a party by where it was said: `place` gets the slot and the rest of the pointer."""
    try:
        yield
    except SealroadError as error:
        for entry in error.facts.get("errors", ()):
            found = re.fullmatch(r"/parties/(\d+)(/.*)?", entry["pointer"])
            if found is not None:
                entry["pointer"] = place(slots[int(found[1])], found[2] or "")
        raise


def slots_of(draft: Draft) -> list[str]:
    """Return the names of the slots, as the template lists them."""
    return [slot["slot"] for slot in draft["parties"]]


def acting_of(draft: Draft) -> list[str]:
    """Return the names of the slots as a contract lists its parties: in the order in which they act."""
    return [slot["slot"] for slot in sorted(draft["parties"], key=lambda slot: slot.get("order", 1))]
