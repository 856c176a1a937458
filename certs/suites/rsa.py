"""RSA with PKCS#1 v1.5 ("rsa") and with PSS ("rsa-pss"), by `cryptography` (RFC 8017, RFC 4055).

Keys of "rsa-pss" carry id-RSASSA-PSS without parameters, so that they sign by PSS only (RFC 4055 1.2). An ordinary RSA
key may also have made a PSS signature; verified, that is a signature of the suite "rsa-pss".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.exceptions import UnsupportedAlgorithm as Unsupported
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from certs import der, oids
from certs.errors import BackendFault, BackendUnavailable, BadKey, BadSignature, MalformedInput, UnsupportedAlgorithm
from certs.suites import transport_rsa
from certs.suites.base import AlgorithmID, Family, Library, PrivateKey, PublicKey, Suite, Use, WrappedKey, no_encryption
from certs.suites.common import cryptography_version, no_parameters, wrong_algorithm
from certs.suites.encryption_vectors import check_rsa
from certs.suites.hashes import HASHES
from certs.suites.rsa_parameters import SHA256_WITH_MGF1, read_hashes

MIN_BITS = 512
"""Read and verify from here on; whether such a key is still good enough is for the caller's policy to say."""
MAX_BITS = 16384
"""Larger ones cost more than they are worth: verifying grows with the square."""
MIN_SIGNING_BITS = 2048
SALT = 32
"""Octets of salt: as many as SHA-256 has (RFC 4055 3.1)."""

PKCS1 = {
    oids.SHA1_WITH_RSA: "sha1",
    oids.SHA224_WITH_RSA: "sha224",
    oids.SHA256_WITH_RSA: "sha256",
    oids.SHA384_WITH_RSA: "sha384",
    oids.SHA512_WITH_RSA: "sha512",
    oids.SHA3_224_WITH_RSA: "sha3-224",
    oids.SHA3_256_WITH_RSA: "sha3-256",
    oids.SHA3_384_WITH_RSA: "sha3-384",
    oids.SHA3_512_WITH_RSA: "sha3-512",
}


@dataclass(frozen=True)
class PSS:
    """RSASSA-PSS-params (RFC 4055 3.1)."""

    digest: str
    mask_digest: str
    salt: int

    def padding(self) -> padding.PSS:
        """Return the padding of `cryptography`."""
        return padding.PSS(padding.MGF1(HASHES[self.mask_digest]()), self.salt)


def read_pss(parameters: bytes | None) -> PSS:
    """Read the parameters of a signature or key. Raises MalformedInput, UnsupportedAlgorithm."""
    if parameters is None:
        raise MalformedInput("RSASSA-PSS without parameters (RFC 4055 3.1)")
    body = der.members(parameters)
    digest, mask = read_hashes(body, "RSA")
    salt = 20
    if body.peek() == 0xA2:
        salt = _only_integer(body.enter(0xA2))
    if body.peek() == 0xA3 and _only_integer(body.enter(0xA3)) != 1:
        raise MalformedInput("RSASSA-PSS with an unknown trailer field")
    body.end()
    if not 0 <= salt <= MAX_BITS // 8:
        raise MalformedInput("RSASSA-PSS with an impossible salt length")
    return PSS(digest, mask, salt)


def _only_integer(reader: der.Reader) -> int:
    value = reader.integer()
    reader.end()
    return value


_EMITTED_PSS = der.sequence(SHA256_WITH_MGF1, der.tlv(0xA2, der.integer(SALT)))


class RSAPublicKey(PublicKey):
    """An RSA public key."""

    def __init__(self, suite: RSASuite, key: rsa.RSAPublicKey, spki: bytes, required: PSS | None = None) -> None:
        self.suite: RSASuite = suite
        self.parameter = str(key.key_size)
        self._key = key
        self.spki = spki
        self._required = required
        self._oaep = transport_rsa.DIGESTS[0]

    def verify(self, signature: bytes, message: bytes, *, digest: str | None = None) -> None:
        name = digest or self.suite.digest_name
        if name not in HASHES:
            raise UnsupportedAlgorithm(f"RSA over {name} is not supported", digest=name)
        if self.suite.name == "rsa-pss":
            self._check_pss(signature, message, PSS(name, name, HASHES[name]().digest_size))  # RFC 4055 3.1
        else:
            self._check(signature, message, padding.PKCS1v15(), name)

    def verify_as(self, algorithm: AlgorithmID, signature: bytes, message: bytes, *, digest: str | None = None) -> str:
        if algorithm.oid == oids.RSA_PSS:
            pss = read_pss(algorithm.parameters)
            self._check_pss(signature, message, pss)
            return "rsa-pss"
        if self.suite.name != "rsa" or (algorithm.oid not in PKCS1 and algorithm.oid != oids.RSA):
            raise wrong_algorithm(algorithm, self.suite.name)
        no_parameters(algorithm)
        name = PKCS1.get(algorithm.oid) or digest or self.suite.digest_name
        self._check(signature, message, padding.PKCS1v15(), name)
        return "rsa"

    def wrap_key(self, content_key: bytes, cipher: str) -> WrappedKey:
        if not self.suite.recipient_usages:
            raise no_encryption(self.suite)
        return transport_rsa.wrap(self._key, content_key, self._oaep)

    def with_oaep(self, digest: str) -> RSAPublicKey:
        if digest not in transport_rsa.DIGESTS:
            known = ", ".join(transport_rsa.DIGESTS)
            raise UnsupportedAlgorithm(f"nothing is encrypted by OAEP with {digest}", hint=f"known: {known}")
        other = RSAPublicKey(self.suite, self._key, self.spki, self._required)
        other._oaep = digest
        return other

    def _check_pss(self, signature: bytes, message: bytes, pss: PSS) -> None:
        wanted = self._required
        if wanted and (pss.digest, pss.mask_digest) != (wanted.digest, wanted.mask_digest):
            raise BadSignature("the key allows other PSS parameters only (RFC 4055 3.3)", reason="algorithm")
        if wanted and pss.salt < wanted.salt:
            raise BadSignature("the key asks for a longer PSS salt (RFC 4055 3.3)", reason="algorithm")
        self._check(signature, message, pss.padding(), pss.digest)

    def _check(self, signature: bytes, message: bytes, pad: padding.PKCS1v15 | padding.PSS, digest: str) -> None:
        if digest not in HASHES:
            raise UnsupportedAlgorithm(f"RSA over {digest} is not supported", digest=digest)
        if len(signature) != (self._key.key_size + 7) // 8:  # RFC 8017 8.1.2 and 8.2.2, step 1; a zero in front counts
            raise BadSignature("the signature value does not have the length of the modulus")
        try:
            self._key.verify(signature, message, pad, HASHES[digest]())
        except InvalidSignature as error:
            raise BadSignature("the signature value does not verify") from error
        except Unsupported as error:
            raise UnsupportedAlgorithm(f"RSA over {digest} is not supported here", digest=digest) from error
        except (ValueError, OverflowError, TypeError) as error:  # a key too short for the padding, an enormous salt
            raise BadSignature("the signature value does not verify") from error


def _unsigned(modulus: int) -> int:
    """Read a modulus whose zero octet in front is missing, as in certificates of 2014: X.690 8.3.3 makes it negative.

    What is meant is clear, a modulus is never negative (RFC 8017 A.1.1); such keys are read and never certified.
    """
    return modulus if modulus >= 0 else modulus + (1 << 8 * ((~modulus).bit_length() // 8 + 1))


def has_negative_modulus(spki: bytes) -> bool:
    """Tell whether an RSA key stands there with its modulus encoded as a negative INTEGER."""
    try:
        algorithm, encoded = der.split_spki(spki)
        return algorithm.oid in (oids.RSA, oids.RSA_PSS) and der.Reader(encoded).enter(der.SEQUENCE).integer() < 0
    except MalformedInput:
        return False


class RSAPrivateKey(PrivateKey):
    """An RSA private key."""

    def __init__(self, suite: RSASuite, key: rsa.RSAPrivateKey) -> None:
        self.suite: RSASuite = suite
        self._key = key
        public = key.public_key()
        encoded = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
        self.public_key = RSAPublicKey(suite, public, der.subject_public_key_info(suite.key_algorithm, encoded))

    def sign(self, message: bytes) -> bytes:
        pss = self.suite.name == "rsa-pss"
        pad = padding.PSS(padding.MGF1(hashes.SHA256()), SALT) if pss else padding.PKCS1v15()
        try:
            return self._key.sign(message, pad, hashes.SHA256())
        except Exception as error:
            raise BackendFault(f"the library could not sign: {type(error).__name__}") from error

    def pkcs8(self) -> bytes:
        form = serialization.PrivateFormat.TraditionalOpenSSL
        encoded = self._key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())
        return der.private_key_info(self.suite.key_algorithm, encoded)

    def unwrap_key(self, wrapped: WrappedKey, size: int) -> bytes:
        if not self.suite.recipient_usages:
            raise no_encryption(self.suite)
        return transport_rsa.unwrap(self._key, wrapped, size)


class RSASuite(Suite):
    """RSA keys of one use."""

    family = Family.INTERNATIONAL
    digest_name = "sha256"
    parameters = ("3072", "2048", "4096")
    max_signature_size = 512
    """A key of 4096 bits; for a larger foreign one, the certificate's key says more."""

    def __init__(self, name: str, key_algorithm: AlgorithmID, signature: AlgorithmID) -> None:
        self.name = name
        self.recipient_usages = ("key_encipherment",) if name == "rsa" else ()
        self.signs_only = "" if name == "rsa" else "a key for RSASSA-PSS does nothing else (RFC 4055 1.2)"
        self.key_algorithm = key_algorithm
        self._signature = signature

    def generate(self, parameter: str | None = None) -> RSAPrivateKey:
        self.library()
        size = parameter or self.parameters[0]
        if size not in self.parameters:
            raise UnsupportedAlgorithm(
                f"there is no {self.name} of {size} bits", hint="known: " + ", ".join(sorted(self.parameters))
            )
        return RSAPrivateKey(self, rsa.generate_private_key(65537, int(size)))

    def load_private(self, pkcs8: bytes) -> RSAPrivateKey:
        return self._load_private(pkcs8, known=False)

    def load_sealed(self, pkcs8: bytes) -> RSAPrivateKey:
        return self._load_private(pkcs8, known=True)

    def _load_private(self, pkcs8: bytes, *, known: bool) -> RSAPrivateKey:
        algorithm, encoded = der.split_pkcs8(pkcs8)
        self._check_algorithm(algorithm)
        if algorithm.oid == oids.RSA_PSS and algorithm.parameters not in (None, der.NULL_DER):
            self._only_ours(read_pss(algorithm.parameters))
        self.library()
        plain = der.private_key_info(AlgorithmID(oids.RSA, der.NULL_DER), encoded)
        try:
            # RSA_check_key takes 50 ms for 2048 bits and 400 for 4096, a signature 1 and 6
            key = serialization.load_der_private_key(plain, None, unsafe_skip_rsa_key_validation=known)
        except Exception as error:
            raise BadKey("not a usable RSA private key") from error
        if not isinstance(key, rsa.RSAPrivateKey) or not MIN_SIGNING_BITS <= key.key_size <= MAX_BITS:
            raise BadKey(f"RSA keys that sign have {MIN_SIGNING_BITS} to {MAX_BITS} bits")
        return RSAPrivateKey(self, key)

    def _check_algorithm(self, algorithm: AlgorithmID) -> None:
        if algorithm.oid == oids.RSA_PSS:
            if self.name == "rsa":
                raise BadKey("the key is for PSS only (RFC 4055 1.2)")
        elif algorithm.oid == oids.RSA:
            no_parameters(algorithm)  # RFC 3279 2.3.1: NULL
        else:
            raise BadKey(f"not an RSA key but {oids.name(algorithm.oid)}")

    @staticmethod
    def _only_ours(pss: PSS) -> None:
        if (pss.digest, pss.mask_digest) != ("sha256", "sha256") or pss.salt > SALT:
            raise UnsupportedAlgorithm("the key allows other PSS parameters than SHA-256 with 32 octets of salt")

    def load_public(self, spki: bytes) -> RSAPublicKey:
        algorithm, encoded = der.split_spki(spki)
        self._check_algorithm(algorithm)
        required = None
        if algorithm.oid == oids.RSA_PSS and algorithm.parameters not in (None, der.NULL_DER):
            required = read_pss(algorithm.parameters)
        self.library()
        numbers = der.members(encoded)
        modulus, exponent = _unsigned(numbers.integer()), numbers.integer()
        numbers.end()
        if not MIN_BITS <= modulus.bit_length() <= MAX_BITS or not modulus & 1:
            raise BadKey(f"the RSA modulus is even or not of {MIN_BITS} to {MAX_BITS} bits")
        if not 3 <= exponent < 1 << 64 or not exponent & 1:
            raise BadKey("the RSA exponent is out of range")
        try:
            key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
        except ValueError as error:
            raise BadKey("not a usable RSA public key") from error
        return RSAPublicKey(self, key, spki, required)

    def signature_algorithm(self, use: Use) -> AlgorithmID:
        return self._signature

    def library(self) -> Library:
        return _library()

    def encryption_library(self) -> Library:
        if not self.recipient_usages:
            raise no_encryption(self)
        check_rsa()
        return Library("cryptography", cryptography_version(), "RSA Laboratories' OAEP example 1.1")


@cache
def _library() -> Library:
    """Load the library once it has verified the vectors, and refused altered ones, in both paddings."""
    from certs.suites import rsa_vectors as known

    cases = (
        (known.PKCS1_MODULUS, known.PKCS1_MESSAGE, known.PKCS1_SIGNATURE, padding.PKCS1v15()),
        (known.PSS_MODULUS, known.PSS_MESSAGE, known.PSS_SIGNATURE, PSS("sha256", "sha256", known.PSS_SALT).padding()),
    )
    for modulus, message, signature, pad in cases:
        key = rsa.RSAPublicNumbers(known.EXPONENT, int(modulus, 16)).public_key()
        data, value = bytes.fromhex(message), bytes.fromhex(signature)
        if not _verifies(key, value, data, pad) or _verifies(key, value, data + b"\0", pad):
            raise BackendUnavailable(f"cryptography failed the self-test of RSA, {pad.name}")
    return Library("cryptography", cryptography_version(), "NIST CAVP FIPS 186-3 SigGen15 and SigGenPSS, 2048 bits")


def _verifies(key: rsa.RSAPublicKey, value: bytes, data: bytes, pad: padding.PKCS1v15 | padding.PSS) -> bool:
    try:
        key.verify(value, data, pad, hashes.SHA256())
    except InvalidSignature:
        return False
    return True


SUITES: dict[str, RSASuite] = {
    "rsa": RSASuite("rsa", AlgorithmID(oids.RSA, der.NULL_DER), AlgorithmID(oids.SHA256_WITH_RSA, der.NULL_DER)),
    "rsa-pss": RSASuite("rsa-pss", AlgorithmID(oids.RSA_PSS), AlgorithmID(oids.RSA_PSS, _EMITTED_PSS)),
}
