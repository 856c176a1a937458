"""DSA, for old signatures only, by `cryptography` (FIPS 186-4, RFC 3279 2.2.2 and 2.3.2, RFC 5758 3.1).

FIPS 186-5 withdraws DSA for new signatures and lets old ones be verified. So no key is made, loaded or accepted here,
and `certs.path_algorithms` says until when such a signature proved something.

A key may leave its parameters out and take those of its issuer. Only a path validation knows them: alone such a key
computes nothing, and `with_parameters` makes it whole.
"""

from __future__ import annotations

from functools import cache
from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.exceptions import UnsupportedAlgorithm as Unsupported
from cryptography.hazmat.primitives.asymmetric import dsa

from certs import der, oids
from certs.errors import BackendUnavailable, BadKey, BadSignature, UnsupportedAlgorithm
from certs.suites.base import AlgorithmID, Family, Library, PublicKey, Suite, Use
from certs.suites.common import check_pair, cryptography_version, no_parameters, wrong_algorithm
from certs.suites.hashes import HASHES

ALGORITHMS = {
    oids.DSA_SHA1: "sha1",
    oids.DSA_SHA224: "sha224",
    oids.DSA_SHA256: "sha256",
    oids.DSA_SHA384: "sha384",
    oids.DSA_SHA512: "sha512",
}
_DIGESTS = frozenset(ALGORITHMS.values())
P_BITS = (1024, 2048, 3072)
Q_BITS = (160, 224, 256)
"""FIPS 186-4 4.2; keys of other sizes are not computed."""


class DSAPublicKey(PublicKey):
    """A number y of the group that p, q and g span."""

    def __init__(self, suite: DSASuite, key: dsa.DSAPublicKey, p_bits: int, q: int, spki: bytes) -> None:
        self.suite: DSASuite = suite
        self.parameter = f"{p_bits}/{q.bit_length()}"
        self._key, self._q = key, q
        self.spki = spki

    def verify(self, signature: bytes, message: bytes, *, digest: str | None = None) -> None:
        name = digest or self.suite.digest_name
        if name not in _DIGESTS:
            raise UnsupportedAlgorithm(f"DSA over {name} is not supported", digest=name)
        check_pair(signature, self._q)  # FIPS 186-4 4.7
        try:
            self._key.verify(signature, message, HASHES[name]())
        except InvalidSignature as error:
            raise BadSignature("the signature value does not verify") from error
        except Unsupported as error:
            raise UnsupportedAlgorithm(f"DSA over {name} is not supported here", digest=name) from error

    def verify_as(self, algorithm: AlgorithmID, signature: bytes, message: bytes, *, digest: str | None = None) -> str:
        if algorithm.oid in ALGORITHMS:
            no_parameters(algorithm)
        elif algorithm.oid != oids.DSA:  # some write the key's algorithm where the signature's belongs
            raise wrong_algorithm(algorithm, self.suite.name)
        self.verify(signature, message, digest=ALGORITHMS.get(algorithm.oid) or digest)
        return self.suite.name


class DSASuite(Suite):
    """DSA of the sizes of FIPS 186-4."""

    name = "dsa"
    family = Family.INTERNATIONAL
    digest_name = "sha256"
    parameters = ("2048/256", "3072/256", "2048/224", "1024/160")
    max_signature_size = 2 * (32 + 3) + 2

    def generate(self, parameter: str | None = None) -> NoReturn:
        raise UnsupportedAlgorithm("no new keys are made for DSA (FIPS 186-5)")

    def load_private(self, pkcs8: bytes) -> NoReturn:
        raise BadKey("nothing new is signed with DSA (FIPS 186-5)")

    def load_public(self, spki: bytes) -> DSAPublicKey:
        algorithm, encoded = der.split_spki(spki)
        if algorithm.oid != oids.DSA:
            raise BadKey("not a DSA key")
        if algorithm.parameters in (None, der.NULL_DER):
            raise UnsupportedAlgorithm("the DSA key has no parameters of its own (RFC 3279 2.3.2)", reason="inherited")
        p, q, g = _integers(algorithm.parameters or b"", 3)
        y = _integers(der.sequence(encoded), 1)[0]
        if p.bit_length() not in P_BITS or q.bit_length() not in Q_BITS or min(p, q) < 0:
            sizes = f"{p.bit_length()} and {q.bit_length()} bits"
            raise UnsupportedAlgorithm(f"DSA keys of {sizes} are not computed")
        # SP 800-89 5.3.1 and FIPS 186-4 A.2.2: in the group of order q. With g or y = 1 one value would fit every
        # message. That p and q are prime is whose key it is to answer for.
        if not p & 1 or (p - 1) % q or not all(1 < item < p - 1 and pow(item, q, p) == 1 for item in (g, y)):
            raise BadKey("the numbers of the DSA key do not belong together")
        self.library()
        return DSAPublicKey(self, _key(p, q, g, y), p.bit_length(), q, spki)

    def signature_algorithm(self, use: Use) -> AlgorithmID:
        return AlgorithmID(oids.DSA_SHA256)

    def library(self) -> Library:
        return _library()


def parameters_of(spki: bytes) -> bytes | None:
    """Return the parameters that a DSA key states, DER; None where it states none, or is a key of another kind.

    Raises MalformedInput.
    """
    algorithm, _ = der.split_spki(spki)
    return None if algorithm.oid != oids.DSA or algorithm.parameters == der.NULL_DER else algorithm.parameters


def with_parameters(spki: bytes, parameters: bytes) -> bytes:
    """Return a DSA key with `parameters` (DER) in the place of its own. Raises MalformedInput."""
    return der.subject_public_key_info(AlgorithmID(oids.DSA, parameters), der.split_spki(spki)[1])


def _integers(encoded: bytes, count: int) -> list[int]:
    """Return what a SEQUENCE of exactly `count` INTEGERs holds."""
    body = der.members(encoded)
    out = [body.integer() for _ in range(count)]
    body.end()
    return out


def _key(p: int, q: int, g: int, y: int) -> dsa.DSAPublicKey:
    try:
        return dsa.DSAPublicNumbers(y, dsa.DSAParameterNumbers(p, q, g)).public_key()
    except ValueError as error:
        raise BadKey("not a usable DSA public key") from error


@cache
def _library() -> Library:
    """Load the library once it has verified the vector, and refused it altered."""
    from certs.suites import dsa_vectors as known

    failed = BackendUnavailable("cryptography failed the self-test of DSA")
    try:
        key = _key(*(int(number, 16) for number in (known.P, known.Q, known.G, known.Y)))
    except BadKey as error:
        raise failed from error
    message, value = bytes.fromhex(known.MESSAGE), der.encode_integer_pair(int(known.R, 16), int(known.S, 16))
    if not _verifies(key, value, message) or _verifies(key, value, message + b"\0"):
        raise failed
    return Library("cryptography", cryptography_version(), "NIST CAVP FIPS 186-3 SigVer, 2048 and 256 bits")


def _verifies(key: dsa.DSAPublicKey, value: bytes, message: bytes) -> bool:
    try:
        key.verify(value, message, HASHES["sha256"]())
    except InvalidSignature:
        return False
    return True


SUITES: dict[str, DSASuite] = {"dsa": DSASuite()}
