"""What a content cipher does, and nothing about how; see `certs.suites.content` for the table of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import StrEnum
from typing import Protocol

from certs.errors import UnsupportedAlgorithm
from certs.suites.base import Family


class Authentication(StrEnum):
    """How a change of the ciphertext is noticed, and where the value for it stands."""

    TAG = "tag"
    """The mac of AuthEnvelopedData (RFC 5083 2.1)."""
    MAC = "mac"
    """An unprotected attribute of EnvelopedData (R 1323565.1.025-2019 7)."""
    NONE = "none"
    """Not at all: something around the message must do it."""


class Sealing(Protocol):
    """A running encryption."""

    tag: bytes
    """What authenticates, once it is finished; empty where the cipher does not."""

    def update(self, data: bytes) -> bytes:
        """Encrypt the next octets."""
        ...

    def finish(self) -> bytes:
        """Return the last octets of the ciphertext."""
        ...


class Opening(Protocol):
    """A running decryption."""

    def update(self, data: bytes) -> bytes:
        """Decrypt the next octets."""
        ...

    def finish(self, tag: bytes | None) -> bytes:
        """Return the last octets, once `tag` is right. Raises DecryptionFailed."""
        ...


class ContentCipher(ABC):
    """One content cipher; its parameters are DER, as contentEncryptionAlgorithm has them."""

    authentication = Authentication.NONE
    written = False
    """Whether we encrypt with it; the others are only read."""
    tag_size = 0
    max_size = (1 << 63) - 1
    """Octets of content under one key."""

    def __init__(self, name: str, oid: str, family: Family, key_size: int) -> None:
        self.name, self.oid, self.family, self.key_size = name, oid, family, key_size

    def new_parameters(self) -> bytes:
        """Return fresh parameters."""
        raise UnsupportedAlgorithm(f"{self.name} is read, not written", cipher=self.name)

    def ciphertext_size(self, size: int) -> int:
        """Return how many octets `size` octets of content become."""
        return size

    def seal(self, key: bytes, parameters: bytes) -> Sealing:
        """Start to encrypt."""
        raise UnsupportedAlgorithm(f"{self.name} is read, not written", cipher=self.name)

    @abstractmethod
    def open(self, key: bytes, parameters: bytes | None, associated: bytes = b"") -> Opening:
        """Start to decrypt; `associated` are the octets of authenticated attributes.

        Raises MalformedInput for parameters that are none of this cipher.
        """
