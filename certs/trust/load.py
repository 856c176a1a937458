"""Reads a trust list of any form, from a file that an operator names and confirms.

    load_list("ee.xml#signer=ee-signers.pem")      # ETSI: signed by one of these certificates
    load_list("ru.xml#sha256=9f86d0…")             # any XML: the operator confirms the digest of the file
    load_list("partners.json#signer=5e1c77…")      # ours: signed; the operator may name who has to be the signer

A list decides who is trusted, so it is not enough that it lies in the file system: an XML list needs the certificates
of its signer, as a file or as the SHA-256 fingerprint of one, or its own digest as the publisher gives it (`sealroad
trust show FILE` prints it). What stands after "#" is no part of the file's name.
"""

from __future__ import annotations

import hmac
import string
from datetime import datetime
from pathlib import Path

from certs.certificate import load_certificates
from certs.errors import MalformedInput, TrustListError
from certs.trust.entries import TrustList
from certs.trust.etsi import NAMESPACE, read_etsi
from certs.trust.russia import read_russian
from certs.trust.signed_list import read_list

MAX_FILE = 64 * 1024 * 1024


def split_confirmation(name: str) -> tuple[Path, str, str]:
    """Return the file, the digest that is to be its own, and who has to be its signer, where they are given."""
    path, mark, rest = name.rpartition("#")
    kind, equals, value = rest.partition("=")
    if not mark or not equals or kind not in ("sha256", "signer"):
        return Path(name), "", ""
    return Path(path), _plain(value) if kind == "sha256" else "", value if kind == "signer" else ""


def signers_named(text: str) -> frozenset[str]:
    """Return the fingerprints that `text` stands for: one written out, or those of the certificates in a file.

    Raises MalformedInput.
    """
    plain = _plain(text)
    if len(plain) == 64 and set(plain) <= set(string.hexdigits):
        return frozenset({plain})
    return frozenset(item.fingerprint() for item in load_certificates(_read(Path(text))))


def _plain(text: str) -> str:
    return text.lower().replace(":", "")


def is_list(data: bytes) -> bool:
    """Tell whether `data` looks like a trust list (XML or JSON) rather than a certificate."""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"<", b"{")


def parse_list(
    data: bytes,
    *,
    signers: frozenset[str] | None = None,
    now: datetime | None = None,
    previous: TrustList | None = None,
) -> TrustList:
    """Return the list in `data`, signed by one of `signers` (SHA-256 fingerprints of certificates).

    Without them a list of ours may be signed by anybody, and the signature of an XML list is not looked at:
    `TrustList.signer` is None then. `previous` is for lists of ours. Raises MalformedInput, TrustListError.
    """
    if data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{":
        return read_list(data, signers=signers or (), now=now, previous=previous)
    if previous is not None:
        raise TrustListError("only lists of our own are compared with the one before")
    if NAMESPACE.encode() in data:
        return read_etsi(data, signers=signers, now=now)
    if signers is not None:
        raise TrustListError("how this list is signed is not documented", hint="confirm it with #sha256=")
    return read_russian(data)


def load_list(name: str | Path, *, now: datetime | None = None) -> TrustList:
    """Read the list at `name`, which may end in "#sha256=…" or "#signer=…".

    With `now` a list that is out of date is refused. Raises MalformedInput, TrustListError.
    """
    path, digest, signer = split_confirmation(str(name))
    signers = signers_named(signer) if signer else None
    return confirmed(_read(path), str(path), digest=digest, signers=signers, now=now)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE + 1)
    except OSError as error:
        raise MalformedInput(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
    if len(data) > MAX_FILE:
        raise MalformedInput(f"{path} is too large")
    return data


def confirmed(
    data: bytes, name: str, *, digest: str, signers: frozenset[str] | None, now: datetime | None
) -> TrustList:
    """Return the list in `data` if it is what the operator confirms. Raises MalformedInput, TrustListError."""
    made = parse_list(data, signers=signers, now=now)
    if digest and not hmac.compare_digest(digest, made.sha256):
        raise TrustListError(f"{name} is not the file with SHA-256 {digest}", reason="digest", sha256=made.sha256)
    if made.signer is None and not digest:
        raise TrustListError(
            f"nobody confirmed {name}",
            hint="name its signer's certificates as "
            f"{name}#signer=FILE, or compare {made.sha256} with what its publisher says and write "
            f"{name}#sha256={made.sha256[:8]}…",
            reason="not-confirmed",
            sha256=made.sha256,
        )
    check_current(made, name, now)
    if made.pointers and not made.entries:
        raise TrustListError(
            f"{name} names no authorities, only other lists",
            hint="use a directory of lists: sealroad trust pin, sealroad trust update",
            reason="list-of-lists",
        )
    return made


def check_current(made: TrustList, name: str, now: datetime | None) -> None:
    """Raise TrustListError where the list is to be replaced by now, or is of the future."""
    if now is None:
        return
    if made.next_update is not None and now > made.next_update:
        raise TrustListError(
            f"{name} was to be replaced on {made.next_update.isoformat()}",
            hint="get the current list",
            reason="out-of-date",
        )
    if made.signer is not None and made.issued is not None and made.issued > now:
        raise TrustListError(f"{name} is of the future: {made.issued.isoformat()}", reason="out-of-date")
