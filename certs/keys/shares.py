"""A key-encryption key in m-of-n shares (SLIP-39), for the day its only copy is lost.

    shares = split(key, threshold=3, count=5)       # five lines of 33 words, one for each officer
    key = recover(shares[:3])                       # two are refused

Shares are words that can be written on paper and read back: SLIP-39 has a checksum in every share and a digest in the
secret, so that a misread word or shares of two different keys are noticed. Needs the package shamir-mnemonic.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from certs.errors import BackendUnavailable, KeyStoreError, MalformedInput
from certs.keys.kek import SIZE

MAX_SHARES = 16
"""SLIP-39: four bits for the number of a share."""
MAX_WORDS = 4096


def _library() -> Any:
    try:
        return import_module("shamir_mnemonic")
    except ImportError as error:
        raise BackendUnavailable(
            "shares need the package shamir-mnemonic",
            hint="in the checkout of Sealroad: .venv/bin/pip install -e '.[ceremony]'",
        ) from error


def split(key: bytes | bytearray, *, threshold: int, count: int) -> list[str]:
    """Return `count` shares of which `threshold` are needed. Raises KeyStoreError, BackendUnavailable."""
    if len(key) != SIZE:
        raise KeyStoreError(f"only keys of {SIZE} octets are split")
    if not 2 <= threshold <= count <= MAX_SHARES:
        raise KeyStoreError(
            f"{threshold} of {count} cannot be", hint=f"at least 2 must be needed, and there are at most {MAX_SHARES}"
        )
    made: list[str] = _library().generate_mnemonics(1, [(threshold, count)], bytes(key))[0]
    if recover(made[:threshold]) != key or recover(made[-threshold:]) != key:
        raise KeyStoreError("the shares do not give the key back")
    return made


def recover(shares: Sequence[str]) -> bytearray:
    """Return the key of enough shares.

    Raises KeyStoreError where there are too few, or they are of different keys; MalformedInput for a misread share.
    """
    library = _library()
    lines = [" ".join(share.split()).lower() for share in shares]
    if any(len(line) > MAX_WORDS for line in lines):
        raise MalformedInput("too long for a share")
    for number, line in enumerate(lines, 1):
        try:
            library.Share.from_mnemonic(line)
        except library.MnemonicError as error:
            raise MalformedInput(f"share {number} was misread: its checksum is wrong") from error
        except (ValueError, LookupError) as error:
            raise MalformedInput(f"share {number} is none") from error
    try:
        key = bytearray(library.combine_mnemonics(lines))
    except (library.MnemonicError, ValueError, LookupError) as error:
        raise KeyStoreError(
            "these shares do not give a key: there are too few, one is there twice, or they are of different keys"
        ) from error
    if len(key) != SIZE:
        raise KeyStoreError(f"the shares are of a key that has not {SIZE} octets")
    return key
