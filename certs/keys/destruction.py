"""Destroying a private key, and a signed statement that it was done.

    done = destroy("seller.key.pem", secrets)                # overwritten, flushed to the disk, removed
    done = destroy("sealed:seller.sealed?kek=…", secrets)    # the wrapped data key with it
    done = destroy("pkcs11:token=ca;object=seller", secrets) # objects in the token

    statement = state(done, officer_key, officer_certificate, at=now, reason="superseded", state="done")

The words of the result say what was done and what cannot be known. A file that was overwritten may live on: a
journaling or copy-on-write file system writes new blocks and keeps old ones, flash memory moves what it overwrites,
and backups and snapshots are copies. A sealed key is gone for good once its key-encryption key is destroyed everywhere,
a token's key once the token says so; of a key in a plain file nobody can be sure.
"""

from __future__ import annotations

import json
import os
import secrets as random
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from certs import extensions, suites
from certs.certificate import Certificate
from certs.errors import KeyNotFound, KeyStoreError, MalformedInput
from certs.keys.base import KeyHandle, Secrets
from certs.signed_data import build_signed_data, parse_signed_data

SCHEMA = "sealroad.destruction/1"
PASSES = 2
"""Random octets, then zeros. More passes were for disks of the last century."""

_PROBE = b"sealroad: the key that is to be destroyed"
_LIMITS = "copies in journals, snapshots, backups and moved flash blocks cannot be reached"


@dataclass(frozen=True)
class Destroyed:
    """One key that is gone."""

    store: str
    """"file", "sealed" or "pkcs11"."""
    suite: str
    key_identifier: str
    """Of the public key, hexadecimal, as certificates carry it."""
    done: str
    """What was done, in words."""
    limits: str
    """What cannot be known, in words; empty where the store vouches for it."""


def identify(uri: str, secrets: Secrets) -> tuple[str, str, str]:
    """Return store, suite and key identifier of the key that `uri` names. Raises what `open_key` raises."""
    from certs.keys import open_key, split_uri

    scheme, _ = split_uri(uri)
    key = open_key(uri, secrets)
    public = key.public_key
    public.verify(key.sign(_PROBE), _PROBE)  # some keys are opened only when they sign
    return scheme, public.suite.name, extensions.key_id(public.spki).hex()


def destroy(uri: str, secrets: Secrets, *, expect: str | None = None) -> Destroyed:
    """Destroy the key that `uri` names, which must open: nobody destroys what he cannot name.

    `expect` is the key identifier it must have. Raises what `open_key` raises, and KeyStoreError.
    """
    from certs.keys import split_uri

    store, suite, identifier = identify(uri, secrets)
    if expect is not None and expect.lower().replace(":", "") != identifier:
        raise KeyStoreError(f"the key is {identifier}, not the one to destroy", hint="nothing was destroyed")
    _, rest = split_uri(uri)
    if store == "pkcs11":
        from certs.keys import pkcs11

        _, count = pkcs11.destroy(rest, secrets)
        objects = "the private key object" if count == 1 else f"{count} objects"
        return Destroyed(store, suite, identifier, f"{objects} destroyed in the token, which has them no more", "")
    if store == "sealed":
        from certs.keys.sealed_files import split_rest

        path, _ = split_rest(rest)
        erase(path)
        done = "sealed key and its wrapped data key overwritten, flushed and removed"
        return Destroyed(store, suite, identifier, done, f"{_LIMITS}; they open only with the key-encryption key")
    erase(Path(rest))
    return Destroyed(store, suite, identifier, "key file overwritten, flushed and removed", _LIMITS)


def erase(path: Path) -> None:
    """Overwrite a file, flush it to the disk, remove it, flush the directory.

    A link is followed: its target is overwritten, and both are removed. Raises KeyNotFound, KeyStoreError.
    """
    target = path.resolve()
    try:
        if not target.is_file():
            raise KeyNotFound(f"{path} is no file")
        if target.stat().st_nlink > 1:
            raise KeyStoreError(f"{path} has other names (hard links)", hint="remove them first: find -samefile")
        with target.open("r+b", buffering=0) as stream:
            size = os.fstat(stream.fileno()).st_size
            for number in range(PASSES):
                stream.seek(0)
                left = size
                while left:
                    block = random.token_bytes(min(left, 1 << 16)) if number == 0 else bytes(min(left, 1 << 16))
                    left -= stream.write(block) or 0
                os.fsync(stream.fileno())
        target.unlink()
        if path.is_symlink():
            path.unlink()
        for directory in {target.parent, path.absolute().parent}:
            _flush(directory)
    except OSError as error:
        raise KeyStoreError(f"{path} could not be destroyed: {error.strerror}") from error


def _flush(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


# Statements ----------------------------------------------------------------------------------------------------------
def state(
    facts: Destroyed,
    officer: KeyHandle,
    certificate: Certificate,
    *,
    at: datetime,
    reason: str,
    state: Literal["started", "done"] = "done",
) -> bytes:
    """Return a signed statement (CMS SignedData, DER) that the key was destroyed, or is about to be.

    "started" is written before and replaced by "done": where the process is killed between, somebody must look.
    """
    content = {
        "schema": SCHEMA,
        "state": state,
        "store": facts.store,
        "suite": facts.suite,
        "key_identifier": facts.key_identifier,
        "done": facts.done,
        "limits": facts.limits,
        "reason": reason,
        "at": at.isoformat(),
    }
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
    return build_signed_data(text.encode(), officer, certificate, signing_time=at)


def read_statement(data: bytes) -> tuple[dict[str, str], Certificate]:
    """Return what a statement says and who signed it; whether that one is trusted is for the caller to say.

    Raises MalformedInput, BadSignature, UnsupportedAlgorithm.
    """
    view = parse_signed_data(data)
    if len(view.signers) != 1 or view.content is None:
        raise MalformedInput("a statement has one signer and its content inside")
    certificate = view.signers[0].certificate
    if certificate is None:
        raise MalformedInput("the statement lacks its signer's certificate")
    view.signers[0].verify(certificate=certificate)
    try:
        content = json.loads(view.content)
    except (ValueError, RecursionError) as error:
        raise MalformedInput("the statement is no JSON") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA or content.get("suite") not in suites.ALL_NAMES:
        raise MalformedInput(f"the statement is not of schema {SCHEMA}")
    return {str(name): str(value) for name, value in content.items()}, certificate
