"""Documents in several languages: which version a party is shown, and the manifest of the whole set.

A document of a contract may say its language, and of which other document it is a version. Everybody signs every
version; each party is shown the one in its language. Where the versions differ the prevailing language decides.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from api.contracts.models import Contract, ContractDocument
from api.contracts.parts import DocumentEntry
from api.kit.refusals import problem_at


def objections(entries: Sequence[DocumentEntry], prevailing: str | None) -> list[dict[str, str]]:
    """Return what is wrong with a set of entries: versions of versions, languages missing or said twice."""
    by_id = {entry.id: (index, entry) for index, entry in enumerate(entries)}
    found = []
    for index, entry in enumerate(entries):
        if entry.version_of is None:
            continue
        pointer = f"/documents/{index}"
        original = by_id.get(entry.version_of)
        if original is None or entry.version_of == entry.id:
            found.append(problem_at(f"{pointer}/version_of", "not-found", "names no other document of the contract"))
        elif original[1].version_of is not None:
            found.append(problem_at(f"{pointer}/version_of", "version-of-version", "names a version itself"))
        elif original[1].language is None:
            found.append(problem_at(f"/documents/{original[0]}", "no-language", "has versions and says no language"))
        if entry.language is None:
            found.append(problem_at(pointer, "no-language", "is a version and says no language"))
        elif any(
            _root(other) == entry.version_of and other.language == entry.language and other is not entry
            for place, other in enumerate(entries)
            if place < index or other.version_of is None
        ):
            found.append(problem_at(f"{pointer}/language", "repeated", "there is a version in this language already"))
    if prevailing is not None:
        found += _without(entries, prevailing)
    return found


def _without(entries: Sequence[DocumentEntry], prevailing: str) -> list[dict[str, str]]:
    """Return where the prevailing language is missing: from a document with versions, or from all of them."""
    pointer = "/prevailing_language"
    if all(entry.language != prevailing for entry in entries):
        return [problem_at(pointer, "no-such-version", "no document is in this language")]
    several = {entry.version_of for entry in entries if entry.version_of is not None}
    having = {_root(entry) for entry in entries if entry.language == prevailing}
    return [problem_at(pointer, "no-such-version", f"{name} has no such version") for name in sorted(several - having)]


def _root(entry: DocumentEntry) -> str:
    return entry.version_of or entry.id


def shown_to(contract: Contract, locale: str) -> list[str]:
    """Return the ids of the documents that somebody who reads `locale` is shown: of each one version.

    The one in that language, else the prevailing one, else the original.
    """
    sets: dict[str, list[ContractDocument]] = {
        row.document_id: [row] for row in contract.documents if row.version_of is None
    }
    for row in contract.documents:
        if row.version_of is not None:
            sets[row.version_of].append(row)
    return [_best(versions, locale, contract.prevailing_language).document_id for versions in sets.values()]


def _best(versions: list[ContractDocument], locale: str, prevailing: str | None) -> ContractDocument:
    for wanted in (locale, prevailing):
        for row in versions:
            if row.language is not None and wanted is not None and _speaks(row.language, wanted):
                return row
    return versions[0]


def _speaks(language: str, wanted: str) -> bool:
    """Tell whether a language is the wanted one, or a form of it: zh-Hant is zh."""
    return language == wanted or language.startswith(f"{wanted}-")


def manifest_of(contract: Contract) -> dict[str, Any]:
    """Return the documents as uploaded, in the order of the contract, with the digests that they came in with."""
    return {
        "schema": "sealroad.documents/1",
        "contract": contract.id,
        "prevailing_language": contract.prevailing_language,
        "documents": [
            {
                "id": row.document_id,
                "name": row.document.name,
                "language": row.language,
                "version_of": row.version_of,
                "size": row.document.size,
                "pages": row.document.pages,
                "sha256": row.document.sha256,
                "sm3": row.document.sm3,
                "streebog256": row.document.streebog256,
            }
            for row in contract.documents
        ],
    }


def manifest_octets(manifest: dict[str, Any]) -> bytes:
    """Return the octets that are digested: JSON with sorted keys and no spaces, UTF-8."""
    return json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digests_of(manifest: dict[str, Any]) -> dict[str, str]:
    """Return the digests of a manifest, hexadecimal: SHA-256, and the national ones that this machine computes."""
    from api.documents.service import available_digests
    from certs import suites

    octets = manifest_octets(manifest)
    found = {"sha256": hashlib.sha256(octets).hexdigest()}
    for name in available_digests()[1:]:
        digest = suites.new_digest(name)
        digest.update(octets)
        found[name] = digest.digest().hex()
    return found
