"""Seals and seal signatures among the third-party files, by name."""

from __future__ import annotations

import zipfile
from pathlib import Path

SEALS = ("UserV1.esl", "UserV4.esl", "UserV5.esl", "UserV5_ts.esl")
SIGNATURES = ("SignedValueV4.dat", "SignedValueV5.dat")
PACKAGES = {"allprotected.ofd": 1, "V4RideRight.ofd": 1, "h.ofd": 2, "SESV4SignDoc.ofd": 1}
"""OFD packages and how many seal signatures are in each."""


def folder(corpus: Path) -> Path:
    return corpus / "china" / "ofdrw"


def seals(corpus: Path) -> dict[str, bytes]:
    """Return the seals: files of their own, and those beside the signatures in packages."""
    found = {name: (folder(corpus) / name).read_bytes() for name in SEALS}
    return found | _members(corpus, "Seal.esl")


def signatures(corpus: Path) -> dict[str, bytes]:
    found = {name: (folder(corpus) / name).read_bytes() for name in SIGNATURES}
    return found | _members(corpus, "SignedValue.dat")


def _members(corpus: Path, name: str) -> dict[str, bytes]:
    found = {}
    for package in PACKAGES:
        with zipfile.ZipFile(folder(corpus) / package) as opened:
            found |= {f"{package}:{item}": opened.read(item) for item in opened.namelist() if item.endswith(name)}
    return found
