"""The one seam to places where private keys live.

    key = open_key("file:seller.key.pem", secrets)
    value = key.sign(b"octets to sign")       # the message, not its digest

A private key in this process, a token, an HSM or a remote service all look like this; nobody outside `certs.keys` asks
which one it is. Secrets are asked for by name through a callback and never passed around.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from certs.errors import UnsupportedAlgorithm, WrongPassword
from certs.suites.base import PublicKey, Suite, WrappedKey

Secrets = Callable[[str], bytes]
"""Asked by what is wanted ("password for seller.key.pem"), answers with the secret's octets."""


class StrongSecret(bytes):
    """A password that a program drew or derived, with 256 bits of entropy: to make guesses slow would gain nothing."""


@runtime_checkable
class KeyHandle(Protocol):
    """A private key somewhere. `certs.suites.base.PrivateKey` is the simplest one."""

    @property
    def suite(self) -> Suite:
        """The suite the key belongs to."""
        ...

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature value over `message` with the suite's own digest."""
        ...


@runtime_checkable
class DecryptionKey(KeyHandle, Protocol):
    """A private key that also decrypts: those in files, sealed files and tokens."""

    def unwrap_key(self, wrapped: WrappedKey, size: int) -> bytes:
        """Return the content key of `size` octets; see `certs.suites.base.PrivateKey.unwrap_key`."""
        ...


def decrypting(key: KeyHandle) -> DecryptionKey:
    """Return a key as one that decrypts. Raises UnsupportedAlgorithm where it only signs."""
    if not isinstance(key, DecryptionKey):
        raise UnsupportedAlgorithm(
            "this key signs only; it cannot decrypt", hint="give a key of a store that opens messages"
        )
    return key


def in_process(key: object) -> bool:
    """Tell whether a key is known to compute in this process; a token, an HSM or a service of others does not."""
    return getattr(key, "in_process", False) is True


def no_secrets(name: str) -> bytes:
    """Answer every question with a refusal, for places where nobody can be asked."""
    raise WrongPassword(f"the {name} is needed and nobody can be asked for it")
