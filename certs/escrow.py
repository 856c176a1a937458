"""Copies of encryption keys that an authority keeps.

    keep(directory, key, provider)                    # directory/escrow/KEY-ID.sealed

Each is a sealed key (`certs.keys.envelope`) of its own, so `sealroad key rewrap` moves them under another
key-encryption key.
"""

from __future__ import annotations

from pathlib import Path

from certs import extensions
from certs.errors import KeyStoreError
from certs.keys import sealed_files
from certs.keys.envelope import Label
from certs.keys.kek import Provider
from certs.suites.base import PrivateKey

ESCROW = "escrow"
"""The directory of an authority with the copies."""
PURPOSE = "escrow"


def path_of(directory: Path, spki: bytes) -> Path:
    """Return where the copy of a key is, if there is one."""
    return directory / ESCROW / f"{extensions.key_id(spki).hex()}.sealed"


def keep(directory: Path, key: PrivateKey, provider: Provider) -> None:
    """Write a copy of `key`. Raises KeyStoreError."""
    path = path_of(directory, key.public_key.spki)
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise KeyStoreError(f"{path.parent} cannot be made: {error.strerror}") from error
    sealed_files.save(path, key, provider, Label(path.stem, purpose=PURPOSE))
