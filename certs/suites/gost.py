"""GOST R 34.10-2012 with Streebog, 256 and 512 bits (RFC 7091, RFC 6986; encodings RFC 9215), by gost-engine or GnuTLS.

Octets: a public key is LE(x) ‖ LE(y), a private key LE(d), a signature BE(s) ‖ BE(r), a digest as it was hashed. Keys
are checked here before a library sees them: parameter set, range, and that the point is on its curve.
"""

from __future__ import annotations

from typing import Any

from certs import der, oids
from certs.errors import BadKey, BadSignature, MalformedInput, UnsupportedAlgorithm
from certs.suites import backends, transport_gost
from certs.suites.base import AlgorithmID, Family, Library, PrivateKey, PublicKey, Suite, Use, WrappedKey
from certs.suites.common import no_parameters, wrong_algorithm
from certs.suites.digests import digest as digest_of
from certs.suites.gost_parameters import BY_NAME, BY_OID, SETS, ParameterSet

_TEST_SETS = frozenset({oids.CRYPTOPRO_TEST, oids.TC26_512_TEST})


class GOSTPublicKey(PublicKey):
    """A point on the curve of one parameter set."""

    def __init__(
        self, suite: GOSTSuite, chosen: ParameterSet, backend: backends.GOSTBackend, handle: Any, spki: bytes
    ) -> None:
        self.suite: GOSTSuite = suite
        self.parameter = chosen.name
        self._order = chosen.curve.q
        self._handle = handle
        self._backend = backend
        self.spki = spki

    def verify(self, signature: bytes, message: bytes, *, digest: str | None = None) -> None:
        name = self.suite.digest_name
        if digest not in (None, name):
            raise UnsupportedAlgorithm(f"{self.suite.name} over {digest} is not supported", digest=digest)
        if len(signature) != self.suite.max_signature_size:
            raise BadSignature("the signature value has a wrong length")
        half = len(signature) // 2
        s, r = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
        if not (0 < r < self._order and 0 < s < self._order):
            raise BadSignature("r or s is out of range")
        if not self._backend.verify(self._handle, signature, digest_of(name, message)):
            raise BadSignature("the signature value does not verify")

    def verify_as(self, algorithm: AlgorithmID, signature: bytes, message: bytes, *, digest: str | None = None) -> str:
        if algorithm.oid not in (self.suite.signature_oid, self.suite.key_oid):
            raise wrong_algorithm(algorithm, self.suite.name)
        if (algorithm.parameters or b"")[:1] == b"\x30":
            # CryptoPro repeats the key's parameters (signatures over a ready hash)
            try:
                named = _read_parameters(algorithm).curve
            except BadKey as error:  # a test curve, which no key of ours is on
                raise BadSignature(str(error), reason="algorithm") from error
            if named != BY_NAME[self.parameter].curve:
                raise BadSignature("the signature names another parameter set than the key", reason="algorithm")
        else:
            no_parameters(algorithm)
        self.verify(signature, message)
        return self.suite.name

    def wrap_key(self, content_key: bytes, cipher: str) -> WrappedKey:
        return transport_gost.wrap(self, content_key, cipher)


class GOSTPrivateKey(PrivateKey):
    """A private key of one parameter set."""

    def __init__(self, suite: GOSTSuite, chosen: ParameterSet, backend: backends.GOSTBackend, handle: Any) -> None:
        self.suite: GOSTSuite = suite
        self._set = chosen
        self._backend = backend
        self._handle = handle
        _, wrapped = der.split_spki(backend.spki(handle))
        self.public_key: GOSTPublicKey = suite.load_public(der.subject_public_key_info(chosen.key_algorithm(), wrapped))

    def sign(self, message: bytes) -> bytes:
        return self._backend.sign(self._handle, digest_of(self.suite.digest_name, message))

    def pkcs8(self) -> bytes:
        algorithm = self._set.key_algorithm()
        scalar = _read_scalar(der.split_pkcs8(self._backend.pkcs8(self._handle))[1], self._set.curve.size)
        return der.private_key_info(algorithm, scalar.to_bytes(self._set.curve.size, "little"))

    def unwrap_key(self, wrapped: WrappedKey, size: int) -> bytes:
        return transport_gost.unwrap(self, wrapped, size)


class GOSTSuite(Suite):
    """One length of key and digest."""

    family = Family.RUSSIA
    one_fault_tells = False
    recipient_usages = ("key_encipherment", "key_agreement")  # RFC 9215 3: VKO agrees on the key that encrypts

    def __init__(self, bits: int, key_oid: str, signature_oid: str) -> None:
        self.name = f"gost2012-{bits}"
        self.digest_name = f"streebog{bits}"
        self.key_oid = key_oid
        self.signature_oid = signature_oid
        self.parameters = tuple(item.name for item in SETS if item.curve.size == bits // 8)
        self.max_signature_size = bits // 4

    def generate(self, parameter: str | None = None) -> GOSTPrivateKey:
        name = parameter or self.parameters[0]
        if name not in self.parameters:
            raise UnsupportedAlgorithm(
                f"{self.name} has no parameter set {name!r}", hint="known: " + ", ".join(self.parameters)
            )
        backend = backends.gost(name, sign=True)
        return GOSTPrivateKey(self, BY_NAME[name], backend, backend.generate(name))

    def load_private(self, pkcs8: bytes) -> GOSTPrivateKey:
        algorithm, encoded = der.split_pkcs8(pkcs8)
        chosen = self._parameter_set(algorithm)
        scalar = _read_scalar(encoded, chosen.curve.size)
        if not 0 < scalar < chosen.curve.q:
            raise BadKey("the GOST private key is out of range")
        backend = backends.gost(chosen.name, sign=True)
        plain = der.private_key_info(chosen.key_algorithm(), scalar.to_bytes(chosen.curve.size, "little"))
        return GOSTPrivateKey(self, chosen, backend, backend.load_private(plain))

    def load_public(self, spki: bytes) -> GOSTPublicKey:
        algorithm, wrapped = der.split_spki(spki)
        chosen = self._parameter_set(algorithm)
        reader = der.Reader(wrapped)
        point = reader.value(der.OCTET_STRING)
        reader.end()
        size = chosen.curve.size
        if len(point) != 2 * size:
            raise BadKey("the GOST public key has a wrong length")
        x, y = (int.from_bytes(part, "little") for part in (point[:size], point[size:]))
        if not chosen.curve.holds(x, y):
            raise BadKey("not a point on its curve")
        backend = backends.gost(chosen.name)
        handle = backend.load_public(der.subject_public_key_info(chosen.key_algorithm(), wrapped))
        return GOSTPublicKey(self, chosen, backend, handle, spki)

    def _parameter_set(self, algorithm: AlgorithmID) -> ParameterSet:
        if algorithm.oid != self.key_oid:
            raise BadKey(f"not a key of {self.name}")
        chosen = _read_parameters(algorithm)
        if chosen.name not in self.parameters:
            raise BadKey(f"parameter set {chosen.name} does not belong to {self.name}")
        return chosen

    def signature_algorithm(self, use: Use) -> AlgorithmID:
        # RFC 9215 2 in X.509; in CMS the key's OID, as R 1323565.1.025-2019 and every Russian product write it
        return AlgorithmID(self.signature_oid if use == Use.X509 else self.key_oid)

    def library(self) -> Library:
        return backends.gost(self.parameters[0]).library

    def encryption_library(self) -> Library:
        from certs.suites.backends import gost_encryption

        return gost_encryption.load().library


def _read_parameters(algorithm: AlgorithmID) -> ParameterSet:
    """Read GostR3410-2012-PublicKeyParameters: curve, digest, and in old keys a cipher; only the curve matters."""
    if algorithm.parameters is None:
        raise MalformedInput("a GOST key without parameters")
    body = der.members(algorithm.parameters)
    curve = body.oid()
    for _ in range(2):
        if not body.at_end():
            body.oid()
    body.end()
    if curve in _TEST_SETS:
        raise BadKey(f"the parameter set {oids.name(curve)} is for tests only", oid=curve)
    if curve not in BY_OID:
        raise UnsupportedAlgorithm(f"the GOST parameter set {oids.name(curve)} is not one we compute", oid=curve)
    return BY_OID[curve]


def _read_scalar(encoded: bytes, size: int) -> int:
    """Return d of the octets in PrivateKeyInfo: bare or in an OCTET STRING little-endian, or an INTEGER."""
    if len(encoded) == size:
        return int.from_bytes(encoded, "little")
    reader = der.Reader(encoded)
    if reader.peek() == der.INTEGER:
        value = reader.integer()
        reader.end()
        return value
    if reader.peek() == der.OCTET_STRING:
        inner = reader.value(der.OCTET_STRING)
        reader.end()
        if len(inner) == size:
            return int.from_bytes(inner, "little")
    raise BadKey(
        "the GOST private key has a form that is not read here", hint="convert it with 'openssl pkcs8' and gost-engine"
    )


SUITES: dict[str, GOSTSuite] = {
    suite.name: suite
    for suite in (
        GOSTSuite(256, oids.GOST2012_256, oids.GOST2012_256_SIGNATURE),
        GOSTSuite(512, oids.GOST2012_512, oids.GOST2012_512_SIGNATURE),
    )
}
