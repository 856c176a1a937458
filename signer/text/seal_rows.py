"""Rows about an electronic seal, for text, HTML and PDF."""

from __future__ import annotations

from collections.abc import Mapping

from signer.report import SealReport, SignatureReport
from signer.text.answers import readable


def seal_rows(words: Mapping[str, str], signature: SignatureReport) -> list[tuple[str, str]]:
    """Return label and value of what the seal says of itself; nothing where there is none. Not cleaned."""
    seal = signature.seal
    if seal is None:
        return []
    facts = words["seal.facts"].format(name=seal.name, id=seal.id, standard=seal.standard, type=_type(words, seal))
    term = words["seal.term"].format(begin=readable(seal.valid_from), end=readable(seal.valid_to))
    size = words["seal.picture"].format(type=seal.picture_type, width=seal.width, height=seal.height)
    rows = [(words["label.seal"], facts), (words["label.seal-validity"], term)]
    if seal.maker and signature.kind != "seal-object":  # there the maker is the signer
        rows.append((words["label.seal-maker"], seal.maker))
    if seal.filing_number is not None:
        rows.append((words["label.seal-filing"], seal.filing_number))
    return [*rows, (words["label.seal-picture"], size)]


def _type(words: Mapping[str, str], seal: SealReport) -> str:
    """Return the number, and what it usually means: vendors may mean something else by it."""
    from signer.seals.kinds import word_of
    from signer.seals.model import SealVersion

    word = word_of(seal.type, SealVersion(seal.version))
    return (
        str(seal.type) if word is None else words["seal.type"].format(number=seal.type, word=words[f"seal.type.{word}"])
    )
