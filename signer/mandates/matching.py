"""Whether two descriptions are of the same organisation, or of the same person.

Numbers decide where both have one of the same kind, and one that differs is a contradiction whatever else agrees. Names
are compared where there is nothing else, and then the answer is not a yes: names are not unique.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from certs.identifiers import Identifier

PERSONAL = frozenset({"RU-INN/12", "RU-SNILS", "RU-OGRNIP", "CN-ID", "KZ-IIN"})
"""Kinds of numbers that people have; PNO-, PAS-, IDC- and TIN- too."""


def kind_of(identifier: Identifier) -> str:
    """Return what is compared with what: the INN of an organisation (10 digits) is not that of a person (12)."""
    return f"RU-INN/{len(identifier.value)}" if identifier.scheme == "RU-INN" else identifier.scheme


def is_personal(identifier: Identifier) -> bool:
    """Tell whether it is the number of a person."""
    return kind_of(identifier) in PERSONAL or identifier.scheme.startswith(("PNO-", "PAS-", "IDC-", "TIN-"))


def compare(one: Iterable[Identifier], other: Iterable[Identifier]) -> tuple[list[str], list[str]]:
    """Return the kinds of numbers in which both agree, and those in which they contradict each other."""
    first, second = _by_kind(one), _by_kind(other)
    shared = [kind for kind in first if kind in second]
    same = [kind for kind in shared if first[kind] == second[kind]]
    return same, [kind for kind in shared if kind not in same]


def same_person_name(whole: str, given: str) -> bool:
    """Tell whether a name may be that of somebody who is called `whole`: surname, given name, perhaps a patronymic.

    The order does not matter and a patronymic may be missing on one side, for parties write "Ольга Смирнова" where a
    file has "Смирнова Ольга Ивановна". Of two words both must be there; "ё" is written as "е" as often as not.
    """
    first, second = words_of(whole), words_of(given)
    if len(first) < 2 or len(second) < 2:
        return first == second
    shorter, longer = sorted((first, second), key=len)
    return all(word in longer for word in shorter) and set(first[:2]) <= set(second)


def same_organisation_name(one: str, other: str) -> bool:
    """Tell whether two names differ in case, width of characters, spaces and quotation marks at most."""
    return _plain(one) == _plain(other)


def words_of(name: str) -> list[str]:
    """Return the words of a name for comparison."""
    folded = unicodedata.normalize("NFKC", name).casefold().replace("ё", "е")
    return "".join(char if char.isalnum() or char == "-" else " " for char in folded).split()


def _plain(name: str) -> str:
    return " ".join(words_of(name))


def _by_kind(identifiers: Iterable[Identifier]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in identifiers:
        found.setdefault(kind_of(each), set()).add(each.value)
    return found
