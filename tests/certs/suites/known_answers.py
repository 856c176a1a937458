"""Reading files of known answers, and asking a suite for its verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from certs import suites
from certs.errors import BadSignature
from certs.suites.base import AlgorithmID

Vectors = Callable[[str], str]
Record = dict[str, str]


def records(text: str, last: str) -> Iterator[Record]:
    """Yield the fields known at each `last`; those of earlier lines stay, as in the files of CAVP."""
    known: Record = {}
    for line in text.splitlines():
        if line.startswith("["):
            known["section"] = line.strip("[]")
        elif "=" in line and not line.startswith("#"):
            name, value = (part.strip() for part in line.split("=", 1))
            known[name] = value
            if name == last:
                yield dict(known)


def agrees(spki: bytes, algorithm: AlgorithmID, value: bytes, message: bytes) -> bool:
    try:
        suites.verify(spki, algorithm.der(), value, message)
    except BadSignature:
        return False
    return True
