"""What EdDSA and ML-DSA have in common: signatures over the message itself, by keys without parameters.

The digest of such a suite is the one that CMS uses around it, for the content; the signature does not depend on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidSignature

from certs.errors import BackendFault, BadSignature
from certs.suites.base import AlgorithmID, PrivateKey, PublicKey, Use
from certs.suites.common import no_parameters, wrong_algorithm
from certs.suites.plain import Algorithm, PlainSuite, pkcs8_of, spki_of


class PurePublicKey(PublicKey):
    """A public key over one of `cryptography`."""

    def __init__(self, suite: PureSuite, key: Any, spki: bytes) -> None:
        self.suite: PureSuite = suite
        self.parameter = suite.parameters[0]
        self._key = key
        self.spki = spki

    def verify(self, signature: bytes, message: bytes, *, digest: str | None = None) -> None:
        if len(signature) != self.suite.max_signature_size:
            raise BadSignature("the signature value has a wrong length")
        try:
            self._key.verify(signature, message)
        except (InvalidSignature, ValueError) as error:
            raise BadSignature("the signature value does not verify") from error

    def verify_as(self, algorithm: AlgorithmID, signature: bytes, message: bytes, *, digest: str | None = None) -> str:
        if algorithm.oid != self.suite.oid:
            raise wrong_algorithm(algorithm, self.suite.name)
        # RFC 8410 3, RFC 9881 2: MUST be absent; PDF signers met in the field write NULL for EdDSA
        no_parameters(algorithm, null=self.suite.reads_null)
        self.verify(signature, message)
        return self.suite.name


class PurePrivateKey(PrivateKey):
    """A private key over one of `cryptography`."""

    def __init__(self, suite: PureSuite, key: Any) -> None:
        self.suite: PureSuite = suite
        self._key = key
        self.public_key = PurePublicKey(suite, key.public_key(), spki_of(key.public_key()))

    def sign(self, message: bytes) -> bytes:
        try:
            value: bytes = self._key.sign(message)
        except Exception as error:
            raise BackendFault(f"the library could not sign: {type(error).__name__}") from error
        return value

    def pkcs8(self) -> bytes:
        return pkcs8_of(self._key)


class PureSuite(PlainSuite):
    """One algorithm at one size."""

    signs_only = "its algorithm makes signatures and nothing else (RFC 8410, RFC 9881)"

    def __init__(
        self, algorithm: Algorithm, size: int, known_answer: Callable[[PureSuite], str], *, reads_null: bool = False
    ) -> None:
        super().__init__(algorithm)
        self.max_signature_size = size
        self.reads_null = reads_null
        self._known_answer = known_answer

    def private_key(self, key: Any) -> PurePrivateKey:
        return PurePrivateKey(self, key)

    def public_key(self, key: Any, spki: bytes) -> PurePublicKey:
        return PurePublicKey(self, key, spki)

    def signature_algorithm(self, use: Use) -> AlgorithmID:
        return AlgorithmID(self.oid)

    def self_test(self) -> str:
        """Check the library on its vectors, and that it signs, verifies and refuses."""
        words = self._known_answer(self)
        key = self.private_key(self._algorithm.generate())
        value = key.sign(b"self-test")
        key.public_key.verify(value, b"self-test")
        try:
            key.public_key.verify(value, b"Self-test")
        except BadSignature:
            return f"{words}; signs, verifies and refuses"
        raise BackendFault("a wrong signature is taken")
