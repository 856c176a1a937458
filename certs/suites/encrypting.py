"""What X25519, X448 and ML-KEM have in common: keys that content keys are encrypted to, and that never sign.

A request for a certificate of such a key cannot prove possession by its own signature: the authority makes the key
(`certs.pairs`), or another key of the holder signs the request (RFC 9883, `certs.request`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from certs.errors import BackendFault, BadSignature, DecryptionFailed
from certs.suites.base import AlgorithmID, Library, PrivateKey, PublicKey, Use, WrappedKey, no_signature
from certs.suites.common import wrong_algorithm
from certs.suites.plain import Algorithm, PlainSuite, pkcs8_of, spki_of


@dataclass(frozen=True)
class Transport:
    """How content keys go to keys of one algorithm."""

    wrap: Callable[[Any, bytes], WrappedKey]
    """Given a public key of `cryptography` and a content key."""
    unwrap: Callable[[Any, WrappedKey, int], bytes]
    """Given a private key of `cryptography`, a wrapped key and its octets; see `PrivateKey.unwrap_key`."""
    known_answer: Callable[[], str]
    """Checks the library on vectors and returns what was checked. Raises BackendFault."""


class EncryptingPublicKey(PublicKey):
    """A public key over one of `cryptography`."""

    def __init__(self, suite: EncryptingSuite, key: Any, spki: bytes) -> None:
        self.suite: EncryptingSuite = suite
        self.parameter = suite.parameters[0]
        self._key = key
        self.spki = spki

    def verify(self, signature: bytes, message: bytes, *, digest: str | None = None) -> None:
        raise BadSignature(str(no_signature(self.suite)), reason="algorithm")

    def verify_as(self, algorithm: AlgorithmID, signature: bytes, message: bytes, *, digest: str | None = None) -> str:
        raise wrong_algorithm(algorithm, self.suite.name)

    def wrap_key(self, content_key: bytes, cipher: str) -> WrappedKey:
        self.suite.library()
        return self.suite.transport.wrap(self._key, content_key)


class EncryptingPrivateKey(PrivateKey):
    """A private key over one of `cryptography`."""

    def __init__(self, suite: EncryptingSuite, key: Any) -> None:
        self.suite: EncryptingSuite = suite
        self._key = key
        self.public_key = EncryptingPublicKey(suite, key.public_key(), spki_of(key.public_key()))

    def sign(self, message: bytes) -> bytes:
        """Raise UnsupportedAlgorithm."""
        raise no_signature(self.suite)

    def pkcs8(self) -> bytes:
        return pkcs8_of(self._key)

    def unwrap_key(self, wrapped: WrappedKey, size: int) -> bytes:
        self.suite.library()
        return self.suite.transport.unwrap(self._key, wrapped, size)


class EncryptingSuite(PlainSuite):
    """One algorithm at one size."""

    encrypts_only = "its algorithm establishes keys and nothing else (RFC 8410, RFC 9935)"
    max_signature_size = 0

    def __init__(self, algorithm: Algorithm, usage: str, transport: Transport) -> None:
        super().__init__(algorithm)
        self.recipient_usages = (usage,)
        self.transport = transport

    def private_key(self, key: Any) -> EncryptingPrivateKey:
        return EncryptingPrivateKey(self, key)

    def public_key(self, key: Any, spki: bytes) -> EncryptingPublicKey:
        return EncryptingPublicKey(self, key, spki)

    def signature_algorithm(self, use: Use) -> AlgorithmID:
        """Raise UnsupportedAlgorithm."""
        raise no_signature(self)

    def self_test(self) -> str:
        """Check the library on its vectors, and that it encrypts, decrypts and refuses."""
        words = self.transport.known_answer()
        key, other = (self._algorithm.generate() for _ in range(2))
        content_key = bytes(range(32))
        wrapped = self.transport.wrap(key.public_key(), content_key)
        if self.transport.unwrap(key, wrapped, 32) != content_key:
            raise BackendFault("another content key comes out")
        try:
            self.transport.unwrap(other, wrapped, 32)
        except DecryptionFailed:
            return f"{words}; encrypts, decrypts and refuses"
        raise BackendFault("a wrong key decrypts")

    def encryption_library(self) -> Library:
        return self.library()
