"""A key-encryption key derived from a passphrase.

    provider = PassphraseProvider(secrets, "seller.sealed")                # scrypt, or "argon2id"

See `certs.keys.kek` for what a provider is.
"""

from __future__ import annotations

import secrets as random
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from certs import der
from certs.errors import BackendUnavailable, KeyStoreError, MalformedInput, WrongPassword
from certs.hardening import wipe
from certs.keys.base import Secrets
from certs.keys.kek import NONCE, SIZE, TAG, decrypt_key, encrypt_key

SCRYPT = {"n": 1 << 17, "r": 8, "p": 1}
"""OWASP password storage, 2023: 128 MiB."""
ARGON2ID = {"n": 3, "r": 1 << 16, "p": 4}
"""Passes, KiB of memory, lanes: RFC 9106 4, second recommended option (64 MiB)."""
MAX_MEMORY = 1 << 30
"""Octets that a stranger's file may make a derivation use."""


class PassphraseProvider:
    """A key derived from a passphrase, anew for each file, with a salt of its own.

    The blob is DER: SEQUENCE { function UTF8String, salt OCTET STRING, n INTEGER, r INTEGER, p INTEGER, wrapped OCTET
    STRING }; n, r, p are those of scrypt, or passes, KiB and lanes of Argon2id.
    """

    kind = "passphrase"
    id = b""

    def __init__(self, secrets: Secrets, name: str, function: Literal["scrypt", "argon2id"] = "scrypt") -> None:
        self._secrets, self._name, self._function = secrets, name, function

    def wrap(self, data_key: bytes | bytearray, about: bytes) -> bytes:
        """Derive a key and encrypt. Raises WrongPassword for an empty passphrase."""
        passphrase = self._secrets(f"passphrase for {self._name}")
        if not passphrase:
            raise WrongPassword("an empty passphrase protects nothing")
        salt = random.token_bytes(16)
        costs = SCRYPT if self._function == "scrypt" else ARGON2ID
        key = _derive(self._function, passphrase, salt, costs["n"], costs["r"], costs["p"])
        try:
            return der.sequence(
                der.tlv(0x0C, self._function.encode()),
                der.octet_string(salt),
                *(der.integer(costs[name]) for name in ("n", "r", "p")),
                der.octet_string(encrypt_key(key, data_key, about)),
            )
        finally:
            wipe(key)

    def unwrap(self, blob: bytes, about: bytes) -> bytearray:
        """Derive the key as the blob says, within bounds, and decrypt. Raises WrongPassword."""
        body = der.members(blob)
        function, salt = body.value(0x0C).decode("latin-1"), body.value(der.OCTET_STRING)
        n, r, p = body.integer(), body.integer(), body.integer()
        wrapped = body.value(der.OCTET_STRING)
        body.end()
        _check_costs(function, n, r, p)
        if len(wrapped) != NONCE + SIZE + TAG or not 8 <= len(salt) <= 64:
            raise MalformedInput("the wrapped key has a wrong length")
        key = _derive(function, self._secrets(f"passphrase for {self._name}"), salt, n, r, p)
        try:
            return decrypt_key(key, wrapped, about)
        except KeyStoreError as error:
            raise WrongPassword("the passphrase does not open the key") from error
        finally:
            wipe(key)


def _check_costs(function: str, n: int, r: int, p: int) -> None:
    if function == "scrypt":
        good = n >= 2 and not n & (n - 1) and 0 < r <= 1024 and 0 < p <= 16 and 128 * n * r <= MAX_MEMORY
    elif function == "argon2id":
        good = 0 < n <= 64 and 0 < p <= 64 and 8 * p <= r <= MAX_MEMORY >> 10 and n * r <= 1 << 23
    else:
        raise MalformedInput("the key was derived by a function that is not known here")
    if not good:
        raise MalformedInput(f"{function} parameters out of bounds")


def _derive(function: str, passphrase: bytes, salt: bytes, n: int, r: int, p: int) -> bytearray:
    try:
        if function == "scrypt":
            return bytearray(Scrypt(salt=salt, length=SIZE, n=n, r=r, p=p).derive(passphrase))
        argon2 = Argon2id(salt=salt, length=SIZE, iterations=n, lanes=p, memory_cost=r)
        return bytearray(argon2.derive(passphrase))
    except (ValueError, MemoryError) as error:
        raise MalformedInput(f"{function} parameters out of bounds") from error
    except UnsupportedAlgorithm as error:
        raise BackendUnavailable(f"{function} is not in this build of cryptography") from error
