"""What kind of seal a number means: the numbers are open, and no text of a standard in our hands lists more than two.

    number_of("contract", SealVersion.V4)      # 4
    word_of(4, SealVersion.V4)                 # "contract"

GM/T 0031-2014 knows 1, a seal of an organisation, and 2, of a person. Later standards leave the number open. From them
on we write the two digits by which seals are on file with the public security authorities and which seal services use:
01 legal name, 02 finance, 03 invoice, 04 contract, 05 name of the legal representative, 99 other. A department has no
number there; 90 is ours.
"""

from __future__ import annotations

from signer.errors import OptionError
from signer.seals.model import SealVersion

SEAL_TYPES: dict[str, int] = {
    "legal-name": 1,
    "finance": 2,
    "invoice": 3,
    "contract": 4,
    "personal": 5,
    "department": 90,
    "other": 99,
}
"""Word to number, from GB/T 38540-2020 on."""

EARLY_TYPES: dict[str, int] = {"organisation": 1, "personal": 2}
"""Word to number in GM/T 0031-2014."""


def number_of(word: str, version: SealVersion) -> int:
    """Return the number for a word, or for a number as text. Raises OptionError.

    A seal of 2014 that is not personal is one of an organisation.
    """
    if word.isascii() and word.isdigit() and len(word) < 10:
        return int(word)
    if word not in SEAL_TYPES and word not in EARLY_TYPES:
        raise OptionError(f"{word!r} is no type of seal", hint=f"a number, or one of {', '.join(SEAL_TYPES)}")
    if version == SealVersion.V1:
        return EARLY_TYPES.get(word, EARLY_TYPES["organisation"])
    return SEAL_TYPES.get(word, SEAL_TYPES["legal-name"])


def word_of(number: int, version: SealVersion) -> str | None:
    """Return the word for a number, or None: other vendors' numbers mean what they say they mean."""
    table = EARLY_TYPES if version == SealVersion.V1 else SEAL_TYPES
    return next((word for word, known in table.items() if known == number), None)
