"""Key-encryption keys: what wraps the data keys of `certs.keys.envelope`, and where it comes from.

    provider = open_provider("file:/etc/sealroad/kek")           # 64 hexadecimal digits, mode 0600
    provider = open_provider("env:SEALROAD_KEK")
    provider = open_provider("passphrase", secrets)              # scrypt;  "passphrase:argon2id"
    provider = open_provider("pkcs11:token=ca;object=kek?module-path=…", secrets)     # an AES key in a token
    provider = open_provider("command:/etc/sealroad/kms.toml")   # a program that wraps: a client of a KMS, gpg, …

    blob = provider.wrap(data_key, about)
    provider.unwrap(blob, about)                                 # bytearray; WrongPassword, KeyStoreError

A new kind is one module with a class that has `kind`, `id`, `wrap` and `unwrap` (see `Provider`), and one branch in
`open_provider`.
"""

from __future__ import annotations

import os
import secrets as random
from pathlib import Path
from typing import Protocol, runtime_checkable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, Hash

from certs import files
from certs.errors import KeyNotFound, KeyStoreError, MalformedInput
from certs.hardening import lock, wipe
from certs.keys.base import Secrets, no_secrets

SIZE = 32
"""Octets of a key-encryption key and of a data key: AES-256."""
NONCE, TAG = 12, 16


@runtime_checkable
class Provider(Protocol):
    """A key-encryption key somewhere: a file, a token, a service."""

    @property
    def kind(self) -> str:
        """The word that stands in the sealed file: "file", "env", "passphrase", "pkcs11", "command"."""
        ...

    @property
    def id(self) -> bytes:
        """Which key it is, in at most 64 octets; nothing secret."""
        ...

    def wrap(self, data_key: bytes | bytearray, about: bytes) -> bytes:
        """Encrypt a data key, bound to `about`."""
        ...

    def unwrap(self, blob: bytes, about: bytes) -> bytearray:
        """Decrypt what `wrap` returned. Raises KeyStoreError, WrongPassword."""
        ...


class KeyProvider:
    """A key-encryption key in this process, from a file or the environment."""

    def __init__(self, key: bytes | bytearray, kind: str = "file") -> None:
        if len(key) != SIZE:
            raise KeyStoreError(f"the key-encryption key is not {SIZE} octets long")
        self._key = bytearray(key)
        lock(self._key)
        self.kind = kind
        self.id = key_check(key)

    def __repr__(self) -> str:
        return f"<KeyProvider {self.kind} {self.id.hex()}>"

    def wrap(self, data_key: bytes | bytearray, about: bytes) -> bytes:
        """Return nonce ‖ ciphertext ‖ tag (AES-256-GCM, NIST SP 800-38D)."""
        return encrypt_key(self._key, data_key, about)

    def unwrap(self, blob: bytes, about: bytes) -> bytearray:
        """Return the data key. Raises KeyStoreError where another key wrapped it or anything was changed."""
        return decrypt_key(self._key, blob, about)

    def secret(self) -> bytearray:
        """Return the key itself, for splitting into shares."""
        return bytearray(self._key)

    def close(self) -> None:
        """Wipe the key."""
        wipe(self._key)


def key_check(key: bytes | bytearray) -> bytes:
    """Return eight octets that name a key-encryption key and tell nothing of it."""
    digest = Hash(SHA256())
    digest.update(b"sealroad kek " + bytes(key))
    return digest.finalize()[:8]


def encrypt_key(key: bytes | bytearray, data_key: bytes | bytearray, about: bytes) -> bytes:
    """Return nonce ‖ ciphertext ‖ tag of a data key under a key of this process."""
    nonce = random.token_bytes(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, data_key, about)


def decrypt_key(key: bytes | bytearray, blob: bytes, about: bytes) -> bytearray:
    """Decrypt nonce ‖ ciphertext ‖ tag. Raises MalformedInput, KeyStoreError."""
    if len(blob) != NONCE + SIZE + TAG:
        raise MalformedInput("the wrapped key has a wrong length")
    try:
        return bytearray(AESGCM(key).decrypt(blob[:NONCE], blob[NONCE:], about))
    except InvalidTag as error:
        raise KeyStoreError("the sealed key was changed, or belongs to something else") from error


# Where keys come from -----------------------------------------------------------------------------------------------
def read_key_file(path: str | Path, *, make: bool = False) -> bytearray:
    """Return the key in a file of 64 hexadecimal digits and mode 0600; with `make`, make it where there is none.

    Raises KeyNotFound, KeyStoreError (readable by others, no key).
    """
    place = Path(path)
    if make:
        _make_file(place)
    try:
        if place.stat().st_mode & 0o077:
            raise KeyStoreError(f"the key file {place} is open to others", hint=f"chmod 600 {place}")
        with place.open("rb") as stream:
            text = stream.read(4096)
    except OSError as error:
        raise KeyNotFound(f"the key file {place} cannot be read: {error.strerror}") from error
    return _from_hex(text, f"the key file {place}")


def _make_file(place: Path) -> None:
    if place.exists():
        return
    try:
        files.write(place, random.token_hex(SIZE).encode() + b"\n", mode=0o600, replace=False)
    except FileExistsError:
        return  # another process made it
    except OSError as error:
        raise KeyStoreError(f"the key file {place} cannot be made: {error.strerror}") from error


def _from_hex(text: bytes, name: str) -> bytearray:
    try:
        key = bytearray.fromhex(text.strip().decode("ascii"))
    except ValueError:
        raise KeyStoreError(f"{name} holds no key: {2 * SIZE} hexadecimal digits belong there") from None
    if len(key) != SIZE:
        raise KeyStoreError(f"{name} holds no key of {SIZE} octets")
    return key


def open_provider(text: str, secrets: Secrets = no_secrets, *, name: str = "the key", make: bool = False) -> Provider:
    """Return the provider that "file:PATH", "env:NAME", "passphrase[:argon2id]", "pkcs11:…" or "command:PATH" names.

    `make` makes a missing file, or a missing key in a token. Raises KeyNotFound, KeyStoreError, WrongPassword.
    """
    kind, _, rest = text.partition(":")
    if kind == "file":
        return KeyProvider(read_key_file(rest, make=make), "file")
    if kind == "env":
        value = os.environ.get(rest)
        if value is None:
            raise KeyNotFound(f"the environment has no {rest}", hint="it holds 64 hexadecimal digits")
        return KeyProvider(_from_hex(value.encode(), f"the variable {rest}"), "env")
    if text in ("passphrase", "passphrase:scrypt", "passphrase:argon2id"):
        from certs.keys.kek_passphrase import PassphraseProvider

        return PassphraseProvider(secrets, name, "argon2id" if rest == "argon2id" else "scrypt")
    if kind == "pkcs11":
        from certs.keys.kek_token import TokenProvider, make_token_kek

        try:
            return TokenProvider(text, secrets)
        except KeyNotFound:
            if not make:
                raise
            return make_token_kek(text, secrets)
    if kind == "command":
        from certs.keys.kek_command import CommandProvider, read_config

        return CommandProvider(read_config(rest))
    raise KeyNotFound(
        f"no key-encryption key is called {kind!r}",
        hint="known: file:PATH, env:NAME, passphrase, pkcs11:…, command:PATH",
    )
