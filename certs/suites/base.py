"""What an algorithm suite does, and nothing about how.

A suite binds one public-key algorithm, its digest and its encodings. Everything outside `certs/suites`
speaks to suites only through this page; nobody else names SM2, GOST or RSA.

    suite = suites.get("sm2")
    key = suite.generate()
    value = key.sign(b"contract")
    key.public_key.verify(value, b"contract")       # returns None, or raises BadSignature

Octets: a signature value is what X.509 puts in its BIT STRING and CMS in its OCTET STRING
(ECDSA and SM2: DER SEQUENCE{r, s}; GOST: BE(s)‖BE(r), 64 or 128 octets; EdDSA: RFC 8032; ML-DSA: FIPS 204).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from certs.errors import UnsupportedAlgorithm
from certs.oids import RSA

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12


class Family(StrEnum):
    """Whose law a suite belongs to."""

    INTERNATIONAL = "international"
    CHINA = "china"
    RUSSIA = "russia"


class Use(StrEnum):
    """Where an AlgorithmIdentifier stands; GOST writes a different OID in CMS than in X.509."""

    X509 = "x509"
    CMS = "cms"


@dataclass(frozen=True)
class Library:
    """What computes a suite on this machine, for `sealroad doctor`."""

    name: str
    """"cryptography", "libcrypto", "gost-engine", "GnuTLS" …"""
    version: str
    self_test: str
    """What was checked when it was loaded; a library that fails is not used at all."""
    warning: str | None = None
    """Why this is only a last resort, or None."""


@dataclass(frozen=True)
class AlgorithmID:
    """An X.509 AlgorithmIdentifier.

    `oid` is dotted; `parameters` is the complete DER of the parameters, or None where they are absent.
    """

    oid: str
    parameters: bytes | None = None

    def der(self) -> bytes:
        """Return the DER of the SEQUENCE."""
        from certs.der import encode_algorithm_identifier  # der.py imports this page

        return encode_algorithm_identifier(self)


@dataclass(frozen=True)
class Encapsulated:
    """What a key encapsulation mechanism adds to a wrapped key (KEMRecipientInfo, RFC 9629 3)."""

    ciphertext: bytes
    """kemct: what the shared secret is decapsulated from."""
    kdf: AlgorithmID
    kek_size: int
    """kekLength: octets of the key-encryption key."""
    wrap: AlgorithmID
    """The key wrap."""


@dataclass(frozen=True)
class WrappedKey:
    """A content key as one recipient gets it: what its RecipientInfo says (RFC 5652 6.2.1, 6.2.2; RFC 9629 3)."""

    algorithm: AlgorithmID
    """keyEncryptionAlgorithm; where there is an encapsulated secret, its mechanism."""
    encrypted_key: bytes
    originator: bytes | None = None
    """The sender's SubjectPublicKeyInfo, DER, in key agreement; None in key transport."""
    ukm: bytes | None = None
    """User keying material of key agreement or encapsulation, where there is any."""
    encapsulated: Encapsulated | None = None
    """Where the key is wrapped under an encapsulated secret; None in key transport and agreement."""

    @property
    def tells(self) -> bool:
        """Whether a wrong private key is noticed when this is unwrapped: not with RSA PKCS #1 v1.5."""
        return self.algorithm.oid != RSA


class Digest(Protocol):
    """A running digest, as in hashlib."""

    name: str
    digest_size: int

    def update(self, data: Buffer, /) -> None:
        """Feed octets."""
        ...

    def digest(self) -> bytes:
        """Return the digest of what was fed so far (callable more than once)."""
        ...

    def copy(self) -> Digest:
        """Return another running digest that was fed the same."""
        ...


class PublicKey(ABC):
    """A public key of one suite, already checked: on its curve, of an allowed size."""

    suite: Suite
    parameter: str
    """Key size or parameter set: "3072", "P-256", "CryptoPro-A", "65"."""
    spki: bytes
    """The SubjectPublicKeyInfo, DER, in the form this suite emits (or as it was loaded)."""

    @abstractmethod
    def verify(self, signature: bytes, message: bytes, *, digest: str | None = None) -> None:
        """Check `signature` over `message`.

        `digest` names the message digest where the signature algorithm leaves it open (RSA, ECDSA);
        None means the suite's own. Raises BadSignature whatever the reason, UnsupportedAlgorithm where
        the digest is not one the suite allows.
        """

    @abstractmethod
    def verify_as(self, algorithm: AlgorithmID, signature: bytes, message: bytes, *, digest: str | None = None) -> str:
        """Check `signature` made by `algorithm`, as a certificate or a SignerInfo names it; return the suite's name.

        `digest` is the one that a SignerInfo names beside it; it counts where `algorithm` leaves the digest open.
        Raises BadSignature, also where `algorithm` belongs to keys of another kind; UnsupportedAlgorithm for one we
        cannot compute; MalformedInput for parameters that are none of it.
        """

    def wrap_key(self, content_key: bytes, cipher: str) -> WrappedKey:
        """Encrypt the key of a content cipher to the holder of this key.

        `cipher` is the name of that cipher (`certs.suites.content`): GOST exports keys by it. Raises
        UnsupportedAlgorithm where keys of the suite do not encrypt, BackendUnavailable.
        """
        raise no_encryption(self.suite)

    def with_oaep(self, digest: str) -> PublicKey:
        """Return the same key, which encrypts by OAEP with another digest than SHA-256; only RSA has OAEP.

        Raises UnsupportedAlgorithm for a digest that is not written.
        """
        return self


class PrivateKey(ABC):
    """A private key in this process. Also the simplest KeyHandle (see `certs.keys.base`)."""

    suite: Suite
    public_key: PublicKey
    """The matching public key."""
    in_process = True
    """See `certs.keys.base.in_process`."""

    @abstractmethod
    def sign(self, message: bytes) -> bytes:
        """Sign `message` (not its digest) with the suite's own digest."""

    @abstractmethod
    def pkcs8(self) -> bytes:
        """Return PrivateKeyInfo, DER, unencrypted: for `certs.keys` only."""

    def unwrap_key(self, wrapped: WrappedKey, size: int) -> bytes:
        """Return the content key of `size` octets that was encrypted to this key.

        Raises DecryptionFailed whatever the reason, but UnsupportedAlgorithm for an algorithm we do not compute, and
        BackendUnavailable. A wrong RSA PKCS #1 v1.5 padding is no error but gives a random key (RFC 3218 2.3.2).
        """
        raise no_encryption(self.suite)


class Suite(ABC):
    """One algorithm suite."""

    name: str
    family: Family
    digest_name: str
    """The digest used for content and attributes: "sha256", "sm3", "streebog256" …"""
    parameters: tuple[str, ...]
    """Key sizes or parameter sets; the first is the default."""
    max_signature_size: int
    """Octets to reserve for a signature value."""
    one_fault_tells: bool = True
    """Whether a random fault in one computation may give the private key away (decision 16). Not where every value has
    fresh randomness of its own and nothing but that is at stake in it."""

    recipient_usages: tuple[str, ...] = ()
    """Key usages, one of which a certificate must allow so that content keys are encrypted to it; none: keys of the
    suite do not encrypt."""
    signs_only: str = ""
    """Which standard says so, where keys of the suite must not encrypt."""
    encrypts_only: str = ""
    """Which standard says so, where keys of the suite make no signatures; empty for all others."""
    enveloped_label: str = "CMS"
    """PEM label of a private key that was encrypted to a key of the suite (`envelop`); RFC 7468 9."""

    @abstractmethod
    def generate(self, parameter: str | None = None) -> PrivateKey:
        """Make a new key pair. Raises UnsupportedAlgorithm for an unknown parameter."""

    @abstractmethod
    def load_private(self, pkcs8: bytes) -> PrivateKey:
        """Load PrivateKeyInfo (DER). Raises BadKey or MalformedInput."""

    def load_sealed(self, pkcs8: bytes) -> PrivateKey:
        """Load what a key that was loaded before was stored as, where nobody can have changed it meanwhile.

        What takes long about a stranger's key, whether its primes are some, is not looked at again. Raises as
        `load_private`.
        """
        return self.load_private(pkcs8)

    @abstractmethod
    def load_public(self, spki: bytes) -> PublicKey:
        """Load SubjectPublicKeyInfo (DER). Raises BadKey or MalformedInput."""

    def envelop(self, key: PrivateKey, recipient: PublicKey) -> bytes | None:
        """Return a private key for the holder of another key of the suite, in a form of the suite's own.

        None where the suite has none, and CMS is the form (`certs.key_delivery`). Raises BackendUnavailable.
        """
        return None

    def open_enveloped(self, encoded: bytes, unwrap_key: Callable[[WrappedKey, int], bytes]) -> PrivateKey | None:
        """Return the key in what `envelop` returned, or None where `encoded` is nothing of that form.

        `unwrap_key` is that of the key it is encrypted to. Raises DecryptionFailed whatever the reason, but
        MalformedInput and UnsupportedAlgorithm for what everybody can read.
        """
        return None

    def load_delivered(self, octets: bytes) -> PrivateKey:
        """Load a private key as an authority delivers it inside of CMS: PrivateKeyInfo, or as the suite's law has it.

        Raises BadKey, MalformedInput, DecryptionFailed.
        """
        return self.load_private(octets)

    def usual_spki(self, spki: bytes) -> bytes:
        """Return a key of this suite in the form that certificates have it; most suites know one form only."""
        return spki

    @abstractmethod
    def signature_algorithm(self, use: Use) -> AlgorithmID:
        """Return the AlgorithmIdentifier we emit for this suite's signatures."""

    @property
    def digest_algorithm(self) -> AlgorithmID:
        """The AlgorithmIdentifier of the digest, as we emit it."""
        from certs.suites.digests import digest_algorithm

        return digest_algorithm(self.digest_name)

    @property
    def stamp_digest_name(self) -> str:
        """The digest for time-stamps over signatures: hardly any authority takes SHAKE256, which Ed448 asks for."""
        return "sha512" if self.digest_name == "shake256" else self.digest_name

    @abstractmethod
    def library(self) -> Library:
        """Return what computes the suite here. Raises BackendUnavailable where nothing does."""

    def encryption_library(self) -> Library:
        """Return what encrypts content keys to keys of the suite here.

        Raises BackendUnavailable where nothing does, UnsupportedAlgorithm where they only sign.
        """
        if not self.recipient_usages:
            raise no_encryption(self)
        return self.library()


def no_signature(suite: Suite, hint: str | None = None) -> UnsupportedAlgorithm:
    """Return the error for keys of a suite that only encrypts."""
    words = f"a key of {suite.name} makes no signatures: {suite.encrypts_only}"
    return UnsupportedAlgorithm(words, hint=hint, suite=suite.name)


def no_encryption(suite: Suite) -> UnsupportedAlgorithm:
    """Return the error for keys of a suite that only signs."""
    why = f": {suite.signs_only}" if suite.signs_only else ""
    return UnsupportedAlgorithm(f"nothing can be encrypted to a key of {suite.name}{why}", suite=suite.name)
