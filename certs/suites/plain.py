"""Keys without parameters over those of `cryptography`: how EdDSA, ML-DSA, X25519, X448 and ML-KEM encode them.

SubjectPublicKeyInfo and PrivateKeyInfo have an OID alone (RFC 8410 3, RFC 9881 2, RFC 9935 3). What the keys do is
said in `certs.suites.pure` and `certs.suites.encrypting`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm as Unsupported
from cryptography.hazmat.primitives import serialization

from certs import der
from certs.errors import BackendFault, BackendUnavailable, BadKey, BadSignature, UnsupportedAlgorithm
from certs.suites.base import AlgorithmID, Family, Library, PrivateKey, PublicKey, Suite
from certs.suites.common import cryptography_version, no_parameters


@dataclass(frozen=True)
class Algorithm:
    """What is to be known of one algorithm at one size."""

    name: str
    oid: str
    parameter: str
    digest: str
    """The suite's digest."""
    generate: Callable[[], Any]
    """Makes a private key of `cryptography`."""
    check_key: Callable[[bytes], None] | None = None
    """Looks at the octets of a public key; raises BadKey."""
    read_private: Callable[[bytes], bytes] = bytes
    """Returns the form of a private key that `cryptography` reads."""


class PlainSuite(Suite):
    """One algorithm at one size."""

    family = Family.INTERNATIONAL

    def __init__(self, algorithm: Algorithm) -> None:
        self.name, self.oid = algorithm.name, algorithm.oid
        self.digest_name = algorithm.digest
        self.parameters = (algorithm.parameter,)
        self._algorithm = algorithm
        self._library: Library | None = None

    @abstractmethod
    def private_key(self, key: Any) -> PrivateKey:
        """Return a private key over one of `cryptography`."""

    @abstractmethod
    def public_key(self, key: Any, spki: bytes) -> PublicKey:
        """Return a public key over one of `cryptography`."""

    @abstractmethod
    def self_test(self) -> str:
        """Check the library on vectors and return what was checked. Raises BadSignature or BackendFault."""

    def generate(self, parameter: str | None = None) -> PrivateKey:
        if parameter not in (None, *self.parameters):
            raise UnsupportedAlgorithm(f"{self.name} has no parameter {parameter!r}", hint=f"leave it out: {self.name}")
        self.library()
        return self.private_key(self._algorithm.generate())

    def load_private(self, pkcs8: bytes) -> PrivateKey:
        algorithm, encoded = der.split_pkcs8(pkcs8)
        if algorithm.oid != self.oid:
            raise BadKey(f"not a private key of {self.name}")
        self.library()
        # without attributes and public key (RFC 5958 2)
        plain = der.private_key_info(AlgorithmID(self.oid), self._algorithm.read_private(encoded))
        try:
            return self.private_key(serialization.load_der_private_key(plain, None))
        except Exception as error:
            raise BadKey(f"not a usable private key of {self.name}") from error

    def load_public(self, spki: bytes) -> PublicKey:
        algorithm, octets = der.split_spki(spki)
        if algorithm.oid != self.oid:
            raise BadKey(f"not a public key of {self.name}")
        no_parameters(algorithm, null=False)
        self.library()
        try:
            key = self.public_key(serialization.load_der_public_key(spki), spki)
        except Exception as error:
            raise BadKey(f"not a usable public key of {self.name}") from error
        if self._algorithm.check_key:
            self._algorithm.check_key(octets)  # of the right length by now
        return key

    def library(self) -> Library:
        """Load the library once it has passed its self-test."""
        if self._library is None:
            try:
                words = self.self_test()
            except Unsupported as error:
                raise BackendUnavailable(f"this build of cryptography has no {self.name}") from error
            except (BadSignature, BackendFault) as error:
                raise BackendUnavailable(f"cryptography failed the self-test of {self.name}") from error
            self._library = Library("cryptography", cryptography_version(), words)
        return self._library


def spki_of(key: Any) -> bytes:
    """Return the SubjectPublicKeyInfo, DER, of a public key of `cryptography`."""
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    encoded: bytes = key.public_bytes(encoding, form)
    return encoded


def pkcs8_of(key: Any) -> bytes:
    """Return the PrivateKeyInfo, DER, of a private key of `cryptography`."""
    encoding, form = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
    encoded: bytes = key.private_bytes(encoding, form, serialization.NoEncryption())
    return encoded
