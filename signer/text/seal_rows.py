"""Rows about an electronic seal, for text, HTML and PDF."""

from __future__ import annotations

from collections.abc import Mapping

from signer.report import SealReport
from signer.text.answers import readable


def seal_rows(words: Mapping[str, str], seal: SealReport | None) -> list[tuple[str, str]]:
    """Return label and value of what the seal says of itself; nothing where there is none. Not cleaned."""
    if seal is None:
        return []
    facts = words["seal.facts"].format(name=seal.name, id=seal.id, standard=seal.standard, type=seal.type)
    term = words["seal.term"].format(begin=readable(seal.valid_from), end=readable(seal.valid_to))
    size = words["seal.picture"].format(type=seal.picture_type, width=seal.width, height=seal.height)
    rows = [(words["label.seal"], facts), (words["label.seal-validity"], term)]
    if seal.maker:
        rows.append((words["label.seal-maker"], seal.maker))
    if seal.filing_number is not None:
        rows.append((words["label.seal-filing"], seal.filing_number))
    return [*rows, (words["label.seal-picture"], size)]
