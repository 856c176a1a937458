"""Reads a trust list of any form, from a file that an operator names and confirms.

    load_list("ee.xml#sha256=9f86d0…")             # XML: the operator confirms the digest of the file
    load_list("partners.json#signer=5e1c77…")      # ours: signed; the operator may name who has to be the signer

A list decides who is trusted, so it is not enough that it lies in the file system: the signature in an XML list is not
verified by us, and the operator compares the digest with the one its publisher gives (`sealroad trust show FILE`
prints it). What stands after "#" is no part of the file's name.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from pathlib import Path

from certs.errors import MalformedInput, TrustListError
from certs.trust.entries import TrustList
from certs.trust.etsi import NAMESPACE, read_etsi
from certs.trust.russia import read_russian
from certs.trust.signed_list import read_list

MAX_FILE = 64 * 1024 * 1024


def split_confirmation(name: str) -> tuple[Path, str, str]:
    """Return the file, and the digest of the file and of its signer's certificate where they are given."""
    path, mark, rest = name.rpartition("#")
    kind, equals, value = rest.partition("=")
    if not mark or not equals or kind not in ("sha256", "signer"):
        return Path(name), "", ""
    value = value.lower().replace(":", "")
    return Path(path), value if kind == "sha256" else "", value if kind == "signer" else ""


def is_list(data: bytes) -> bool:
    """Tell whether `data` looks like a trust list (XML or JSON) rather than a certificate."""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"<", b"{")


def parse_list(data: bytes, *, signer: str = "", now: datetime | None = None) -> TrustList:
    """Return the list in `data`. Raises MalformedInput, TrustListError.

    The signature of an XML list is not verified; `TrustList.signer` is None then.
    """
    if data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{":
        return read_list(data, signers=[signer] if signer else [], now=now)
    if signer:
        raise TrustListError("the signature of an XML list is not verified", hint="confirm it with #sha256=")
    return read_etsi(data) if NAMESPACE.encode() in data else read_russian(data)


def load_list(name: str | Path, *, now: datetime | None = None) -> TrustList:
    """Read the list at `name`, which may end in "#sha256=…" or "#signer=…".

    With `now` a list that is out of date is refused. Raises MalformedInput, TrustListError.
    """
    path, digest, signer = split_confirmation(str(name))
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE + 1)
    except OSError as error:
        raise MalformedInput(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
    if len(data) > MAX_FILE:
        raise MalformedInput(f"{path} is too large")
    return confirmed(data, str(path), digest=digest, signer=signer, now=now)


def confirmed(data: bytes, name: str, *, digest: str, signer: str, now: datetime | None) -> TrustList:
    """Return the list in `data` if it is what the operator confirms. Raises MalformedInput, TrustListError."""
    made = parse_list(data, signer=signer, now=now)
    if digest and not hmac.compare_digest(digest, made.sha256):
        raise TrustListError(f"{name} is not the file with SHA-256 {digest}", reason="digest", sha256=made.sha256)
    if made.signer is None and not digest:
        raise TrustListError(
            f"the signature of {name} is not verified",
            hint=f"compare {made.sha256} with what its publisher says, then write {name}#sha256={made.sha256[:8]}…",
            reason="not-confirmed",
            sha256=made.sha256,
        )
    if now is not None and made.next_update is not None and now > made.next_update:
        raise TrustListError(f"{name} was to be replaced on {made.next_update.isoformat()}", reason="out-of-date")
    return made
