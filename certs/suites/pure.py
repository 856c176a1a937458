"""What EdDSA and ML-DSA have in common: keys without parameters, signatures over the message itself.

The digest of such a suite is the one that CMS uses around it, for the content; the signature does not depend on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.exceptions import UnsupportedAlgorithm as Unsupported
from cryptography.hazmat.primitives import serialization

from certs import der
from certs.errors import BackendFault, BackendUnavailable, BadKey, BadSignature, UnsupportedAlgorithm
from certs.suites.base import AlgorithmID, Family, Library, PrivateKey, PublicKey, Suite, Use
from certs.suites.common import cryptography_version, no_parameters, wrong_algorithm


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
        encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        self.public_key = PurePublicKey(suite, key.public_key(), key.public_key().public_bytes(encoding, form))

    def sign(self, message: bytes) -> bytes:
        try:
            value: bytes = self._key.sign(message)
        except Exception as error:
            raise BackendFault(f"the library could not sign: {type(error).__name__}") from error
        return value

    def pkcs8(self) -> bytes:
        encoding, form = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
        encoded: bytes = self._key.private_bytes(encoding, form, serialization.NoEncryption())
        return encoded


class PureSuite(Suite):
    """One algorithm at one size."""

    family = Family.INTERNATIONAL
    signs_only = "its algorithm makes signatures and nothing else (RFC 8410, RFC 9881)"

    def __init__(
        self,
        name: str,
        oid: str,
        parameter: str,
        digest: str,
        size: int,
        generate: Callable[[], Any],
        self_test: Callable[[PureSuite], str],
        check_key: Callable[[bytes], None] | None = None,
        read_private: Callable[[bytes], bytes] = bytes,
        *,
        reads_null: bool = False,
    ) -> None:
        self.name = name
        self.oid = oid
        self.digest_name = digest
        self.parameters = (parameter,)
        self.max_signature_size = size
        self.reads_null = reads_null
        self._generate = generate
        self._self_test = self_test
        self._check_key = check_key
        self._read_private = read_private
        self._library: Library | None = None

    def generate(self, parameter: str | None = None) -> PurePrivateKey:
        if parameter not in (None, *self.parameters):
            raise UnsupportedAlgorithm(f"{self.name} has no parameter {parameter!r}", hint=f"leave it out: {self.name}")
        self.library()
        return PurePrivateKey(self, self._generate())

    def load_private(self, pkcs8: bytes) -> PurePrivateKey:
        algorithm, encoded = der.split_pkcs8(pkcs8)
        if algorithm.oid != self.oid:
            raise BadKey(f"not a private key of {self.name}")
        self.library()
        # without attributes and public key (RFC 5958 2)
        plain = der.private_key_info(AlgorithmID(self.oid), self._read_private(encoded))
        try:
            return PurePrivateKey(self, serialization.load_der_private_key(plain, None))
        except Exception as error:
            raise BadKey(f"not a usable private key of {self.name}") from error

    def load_public(self, spki: bytes) -> PurePublicKey:
        algorithm, octets = der.split_spki(spki)
        if algorithm.oid != self.oid:
            raise BadKey(f"not a public key of {self.name}")
        no_parameters(algorithm, null=False)
        self.library()
        try:
            key = PurePublicKey(self, serialization.load_der_public_key(spki), spki)
        except Exception as error:
            raise BadKey(f"not a usable public key of {self.name}") from error
        if self._check_key:
            self._check_key(octets)  # of the right length by now
        return key

    def signature_algorithm(self, use: Use) -> AlgorithmID:
        return AlgorithmID(self.oid)

    def library(self) -> Library:
        """Load the library once it has passed its vectors, and signed, verified and refused."""
        if self._library is None:
            failed = BackendUnavailable(f"cryptography failed the self-test of {self.name}")
            try:
                words = self._self_test(self)
                key = PurePrivateKey(self, self._generate())
                value = key.sign(b"self-test")
                key.public_key.verify(value, b"self-test")
            except Unsupported as error:
                raise BackendUnavailable(f"this build of cryptography has no {self.name}") from error
            except (BadSignature, BackendFault) as error:
                raise failed from error
            try:
                key.public_key.verify(value, b"Self-test")
            except BadSignature:
                version = cryptography_version()
                self._library = Library("cryptography", version, f"{words}; signs, verifies and refuses")
            else:
                raise failed
        return self._library
