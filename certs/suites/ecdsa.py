"""ECDSA on the NIST and brainpool curves, by `cryptography` (RFC 5480, RFC 5639, RFC 5758)."""

from __future__ import annotations

from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.exceptions import UnsupportedAlgorithm as Unsupported
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certs import der, oids
from certs.errors import BackendFault, BackendUnavailable, BadKey, BadSignature, UnsupportedAlgorithm
from certs.suites import transport_ec
from certs.suites.base import AlgorithmID, Family, Library, PrivateKey, PublicKey, Suite, Use, WrappedKey, no_encryption
from certs.suites.common import check_pair, cryptography_version, no_parameters, wrong_algorithm
from certs.suites.encryption_vectors import check_agreement
from certs.suites.hashes import HASHES

ALGORITHMS = {
    oids.ECDSA_SHA1: "sha1",
    oids.ECDSA_SHA224: "sha224",
    oids.ECDSA_SHA256: "sha256",
    oids.ECDSA_SHA384: "sha384",
    oids.ECDSA_SHA512: "sha512",
    oids.ECDSA_SHA3_224: "sha3-224",
    oids.ECDSA_SHA3_256: "sha3-256",
    oids.ECDSA_SHA3_384: "sha3-384",
    oids.ECDSA_SHA3_512: "sha3-512",
}
READ_ONLY = frozenset({"ecdsa-p224"})
"""Curves of old signatures: verified, and called weak by `certs.path`; nothing new is made on them."""
_OIDS = {name: oid for oid, name in ALGORITHMS.items()}
_SCHEMES = {name: ec.ECDSA(kind()) for name, kind in HASHES.items()}


class ECDSAPublicKey(PublicKey):
    """A point on the suite's curve."""

    def __init__(self, suite: ECDSASuite, key: ec.EllipticCurvePublicKey, spki: bytes) -> None:
        self.suite: ECDSASuite = suite
        self.parameter = suite.parameters[0]
        self._key = key
        self.spki = spki

    def verify(self, signature: bytes, message: bytes, *, digest: str | None = None) -> None:
        name = digest or self.suite.digest_name
        if name not in _SCHEMES:
            raise UnsupportedAlgorithm(f"ECDSA over {name} is not supported", digest=name)
        check_pair(signature, self.suite.order)
        try:
            self._key.verify(signature, message, _SCHEMES[name])
        except InvalidSignature as error:
            raise BadSignature("the signature value does not verify") from error
        except Unsupported as error:
            raise UnsupportedAlgorithm(f"ECDSA over {name} is not supported here", digest=name) from error

    def verify_as(self, algorithm: AlgorithmID, signature: bytes, message: bytes, *, digest: str | None = None) -> str:
        if algorithm.oid in ALGORITHMS:
            no_parameters(algorithm)
        elif algorithm.oid != oids.EC:  # some write the key's algorithm where the signature's belongs
            raise wrong_algorithm(algorithm, self.suite.name)
        self.verify(signature, message, digest=ALGORITHMS.get(algorithm.oid) or digest)
        return self.suite.name

    def wrap_key(self, content_key: bytes, cipher: str) -> WrappedKey:
        if not self.suite.recipient_usages:
            raise no_encryption(self.suite)
        return transport_ec.wrap(self._key, content_key, self.suite.digest_name)


class ECDSAPrivateKey(PrivateKey):
    """A private key on the suite's curve."""

    def __init__(self, suite: ECDSASuite, key: ec.EllipticCurvePrivateKey) -> None:
        self.suite: ECDSASuite = suite
        self._key, self._scheme = key, _SCHEMES[suite.digest_name]
        public = key.public_key()
        encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        self.public_key = ECDSAPublicKey(suite, public, public.public_bytes(encoding, form))

    def sign(self, message: bytes) -> bytes:
        try:
            return self._key.sign(message, self._scheme)
        except Exception as error:
            raise BackendFault(f"the library could not sign: {type(error).__name__}") from error

    def pkcs8(self) -> bytes:
        encoding, form = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
        return self._key.private_bytes(encoding, form, serialization.NoEncryption())

    def unwrap_key(self, wrapped: WrappedKey, size: int) -> bytes:
        return transport_ec.unwrap(self._key, wrapped, size)


class ECDSASuite(Suite):
    """One curve with the digest that matches it in strength."""

    family = Family.INTERNATIONAL
    one_fault_tells = False

    def __init__(self, name: str, parameter: str, curve: ec.EllipticCurve, digest: str) -> None:
        self.name = name
        self.digest_name = digest
        self.parameters = (parameter,)
        self.recipient_usages = () if name in READ_ONLY else ("key_agreement",)
        self.curve = curve
        self.order = curve.group_order
        octets = (self.order.bit_length() + 7) // 8
        self.max_signature_size = 2 * (octets + 3) + 3  # two INTEGERs with a sign octet, and the SEQUENCE

    def generate(self, parameter: str | None = None) -> ECDSAPrivateKey:
        if self.name in READ_ONLY:
            raise UnsupportedAlgorithm(f"no new keys are made on {self.parameters[0]}")
        if parameter not in (None, *self.parameters):
            raise UnsupportedAlgorithm(f"{self.name} has no parameter {parameter!r}", hint=f"leave it out: {self.name}")
        self.library()
        return ECDSAPrivateKey(self, ec.generate_private_key(self.curve))

    def load_private(self, pkcs8: bytes) -> ECDSAPrivateKey:
        algorithm, encoded = der.split_pkcs8(pkcs8)
        if self.name in READ_ONLY:
            raise BadKey(f"nothing new is signed on {self.parameters[0]}")
        self.library()
        plain = der.private_key_info(algorithm, encoded)  # without attributes (RFC 5958 2)
        try:
            key = serialization.load_der_private_key(plain, None)
        except Exception as error:
            raise BadKey("not a usable EC private key") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != self.curve.name:
            raise BadKey(f"not a private key on {self.parameters[0]}")
        return ECDSAPrivateKey(self, key)

    def load_public(self, spki: bytes) -> ECDSAPublicKey:
        _, point = der.split_spki(spki)
        size = (self.order.bit_length() + 7) // 8
        if (len(point), point[:1]) not in ((2 * size + 1, b"\x04"), (size + 1, b"\x02"), (size + 1, b"\x03")):
            raise BadKey("the point has a wrong form or length (RFC 5480 2.2)")  # the library reads a hybrid form too
        self.library()
        try:
            key = serialization.load_der_public_key(spki)
        except Exception as error:
            raise BadKey("not a point on its curve") from error
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != self.curve.name:
            raise BadKey(f"not a point on {self.parameters[0]}")
        return ECDSAPublicKey(self, key, spki)

    def signature_algorithm(self, use: Use) -> AlgorithmID:
        return AlgorithmID(_OIDS[self.digest_name])

    def library(self) -> Library:
        return _library(self.name)

    def encryption_library(self) -> Library:
        if not self.recipient_usages:
            raise no_encryption(self)
        check_agreement()
        return Library("cryptography", cryptography_version(), "RFC 5903 8.1, CAVP X9.63 KDF, RFC 3394 4.6")


# RFC 6979 A.2.5: P-256, SHA-256, message "sample"
_P256_KEY = (
    "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
)
_P256_R = 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
_P256_S = 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8


@cache
def _library(name: str) -> Library:
    """Load the library once it has passed RFC 6979 A.2.5, and signed, verified and refused on the curve."""
    suite, p256 = SUITES[name], SUITES["ecdsa-p256"]
    failed = BackendUnavailable(f"cryptography failed the self-test of {name}")
    algorithm = AlgorithmID(oids.EC, der.oid(oids.P256))
    known = der.subject_public_key_info(algorithm, bytes.fromhex(_P256_KEY))
    try:
        point = serialization.load_der_public_key(known)
        assert isinstance(point, ec.EllipticCurvePublicKey)
        ECDSAPublicKey(p256, point, known).verify(der.encode_integer_pair(_P256_R, _P256_S), b"sample")
        key = ECDSAPrivateKey(suite, ec.generate_private_key(suite.curve))
        value = key.sign(b"self-test")
        key.public_key.verify(value, b"self-test")
    except Unsupported as error:
        raise BackendUnavailable(f"this build of cryptography has no {suite.parameters[0]}") from error
    except (BadSignature, BackendFault, ValueError) as error:
        raise failed from error
    try:
        key.public_key.verify(value, b"Self-test")
    except BadSignature:
        return Library("cryptography", cryptography_version(), "RFC 6979 A.2.5; signs, verifies and refuses")
    raise failed


SUITES: dict[str, ECDSASuite] = {
    suite.name: suite
    for suite in (
        ECDSASuite("ecdsa-p256", "P-256", ec.SECP256R1(), "sha256"),
        ECDSASuite("ecdsa-p384", "P-384", ec.SECP384R1(), "sha384"),
        ECDSASuite("ecdsa-p521", "P-521", ec.SECP521R1(), "sha512"),
        ECDSASuite("ecdsa-bp256", "brainpoolP256r1", ec.BrainpoolP256R1(), "sha256"),
        ECDSASuite("ecdsa-bp384", "brainpoolP384r1", ec.BrainpoolP384R1(), "sha384"),
        ECDSASuite("ecdsa-bp512", "brainpoolP512r1", ec.BrainpoolP512R1(), "sha512"),
        ECDSASuite("ecdsa-p224", "P-224", ec.SECP224R1(), "sha224"),
    )
}
