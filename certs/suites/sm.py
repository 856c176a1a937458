"""SM2 with SM3 (GB/T 32918, GB/T 32905; encodings GM/T 0009-2012), by the system's libcrypto, else by GmSSL.

The signer's identifier is always 1234567812345678. Keys are checked here, to the octet, before a library sees them:
the curve by its OID in either of the two forms in use, the scalar 1 ≤ d ≤ n−2, the lengths.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from certs import der, oids
from certs.errors import BadKey, BadSignature, DecryptionFailed, MalformedInput, UnsupportedAlgorithm
from certs.suites import backends, enveloped_key_sm, transport_sm
from certs.suites.base import AlgorithmID, Family, Library, PrivateKey, PublicKey, Suite, Use, WrappedKey
from certs.suites.common import check_pair, no_parameters, wrong_algorithm

ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
"""n of the recommended curve (GB/T 32918.5-2017)."""
PARAMETER = "sm2p256v1"

_ALGORITHM = AlgorithmID(oids.EC, der.oid(oids.SM2))
_FORMS = (_ALGORITHM, AlgorithmID(oids.SM2, der.oid(oids.SM2)), AlgorithmID(oids.SM2))
_SIGNATURES = frozenset({oids.SM2_WITH_SM3, oids.SM2_SIGNATURE, oids.SM2, oids.EC})
"""What stands as signatureAlgorithm: the standard's, GB/T 35275's, and keys' OIDs met in the field."""


class SM2PublicKey(PublicKey):
    """A point on the SM2 curve."""

    parameter = PARAMETER

    def __init__(self, suite: SM2Suite, backend: backends.SM2Backend, handle: Any, spki: bytes) -> None:
        self.suite: SM2Suite = suite
        self._backend = backend
        self._handle = handle
        self.spki = spki

    def verify(self, signature: bytes, message: bytes, *, digest: str | None = None) -> None:
        if digest not in (None, "sm3"):
            raise UnsupportedAlgorithm(f"SM2 over {digest} is not supported", digest=digest)
        check_pair(signature, ORDER)
        if not self._backend.verify(self._handle, signature, message):
            raise BadSignature("the signature value does not verify")

    def verify_as(self, algorithm: AlgorithmID, signature: bytes, message: bytes, *, digest: str | None = None) -> str:
        if algorithm.oid not in _SIGNATURES:
            raise wrong_algorithm(algorithm, "sm2")
        if algorithm.parameters != _ALGORITHM.parameters:  # some repeat the key's parameters
            no_parameters(algorithm)
        self.verify(signature, message)
        return "sm2"

    def wrap_key(self, content_key: bytes, cipher: str) -> WrappedKey:
        return transport_sm.wrap(self._backend, self._handle, content_key)


class SM2PrivateKey(PrivateKey):
    """A private key on the SM2 curve."""

    def __init__(self, suite: SM2Suite, backend: backends.SM2Backend, handle: Any) -> None:
        self.suite: SM2Suite = suite
        self._backend = backend
        self._handle = handle
        self.public_key = suite.load_public(backend.spki(handle))

    def sign(self, message: bytes) -> bytes:
        return self._backend.sign(self._handle, message)

    def pkcs8(self) -> bytes:
        return self._backend.pkcs8(self._handle)

    def unwrap_key(self, wrapped: WrappedKey, size: int) -> bytes:
        return transport_sm.unwrap(self._backend, self._handle, wrapped, size)


class SM2Suite(Suite):
    """SM2 with SM3."""

    name = "sm2"
    family = Family.CHINA
    digest_name = "sm3"
    parameters = (PARAMETER,)
    max_signature_size = 72
    one_fault_tells = False
    enveloped_label = "SM2 ENVELOPED KEY"  # ours: no standard names one
    recipient_usages = ("key_encipherment", "data_encipherment", "key_agreement")
    """Any of the three that Chinese encryption certificates carry (GM/T 0015)."""

    def generate(self, parameter: str | None = None) -> SM2PrivateKey:
        if parameter not in (None, PARAMETER):
            raise UnsupportedAlgorithm(f"sm2 has no parameter {parameter!r}", hint=f"leave it out, or {PARAMETER}")
        backend = backends.sm2()
        return SM2PrivateKey(self, backend, backend.generate(PARAMETER))

    def load_private(self, pkcs8: bytes) -> SM2PrivateKey:
        algorithm, encoded = der.split_pkcs8(pkcs8)
        if algorithm not in _FORMS:
            raise BadKey("not a private key on the SM2 curve")
        scalar, public = _read_sec1(encoded)
        if not 1 <= scalar <= ORDER - 2:
            raise BadKey("the SM2 private key is out of range")
        sec1 = der.sequence(
            der.integer(1),
            der.octet_string(scalar.to_bytes(32, "big")),
            b"" if public is None else der.tlv(0xA1, der.bit_string(public)),
        )
        backend = backends.sm2()
        return SM2PrivateKey(self, backend, backend.load_private(der.private_key_info(_ALGORITHM, sec1)))

    def envelop(self, key: PrivateKey, recipient: PublicKey) -> bytes:
        scalar, _ = _read_sec1(der.split_pkcs8(key.pkcs8())[1])
        point = der.split_spki(key.public_key.spki)[1]
        return enveloped_key_sm.wrap(scalar.to_bytes(32, "big"), point, recipient)

    def open_enveloped(self, encoded: bytes, unwrap_key: Callable[[WrappedKey, int], bytes]) -> SM2PrivateKey | None:
        if not enveloped_key_sm.is_one(encoded):
            return None
        scalar, point = enveloped_key_sm.unwrap(encoded, unwrap_key)
        key = self._from_scalar(scalar)
        if der.split_spki(key.public_key.spki)[1] != point:
            raise DecryptionFailed
        return key

    def load_delivered(self, octets: bytes) -> SM2PrivateKey:
        # as Chinese authorities deliver it in CMS: 32 zeros and the number; or a PrivateKeyInfo, as we do
        return self.load_private(octets) if len(octets) > 64 else self._from_scalar(enveloped_key_sm.bare(octets))

    def _from_scalar(self, scalar: bytes) -> SM2PrivateKey:
        """Return the key of a decrypted scalar, with its public half. Raises DecryptionFailed where it is none."""
        start = der.integer(1) + der.octet_string(scalar)
        try:
            key = self.load_private(der.private_key_info(_ALGORITHM, der.sequence(start)))
        except BadKey:
            raise DecryptionFailed from None
        public = der.tlv(0xA1, der.bit_string(der.split_spki(key.public_key.spki)[1]))
        return self.load_private(der.private_key_info(_ALGORITHM, der.sequence(start, public)))

    def load_public(self, spki: bytes) -> SM2PublicKey:
        algorithm, point = der.split_spki(spki)
        if algorithm not in _FORMS:
            raise BadKey("not a point on the SM2 curve")
        if (len(point), point[:1]) not in ((65, b"\x04"), (33, b"\x02"), (33, b"\x03")):
            raise BadKey("the SM2 point has a wrong form or length")
        backend = backends.sm2()
        handle = backend.load_public(der.subject_public_key_info(_ALGORITHM, point))
        return SM2PublicKey(self, backend, handle, spki)

    def usual_spki(self, spki: bytes) -> bytes:
        # GM/T 0009 and every reader: id-ecPublicKey with the curve, not the curve's OID as the algorithm
        return der.subject_public_key_info(_ALGORITHM, der.split_spki(spki)[1])

    def signature_algorithm(self, use: Use) -> AlgorithmID:
        return AlgorithmID(oids.SM2_WITH_SM3)

    def library(self) -> Library:
        return backends.sm2().library


def _read_sec1(encoded: bytes) -> tuple[int, bytes | None]:
    """Return the scalar and, where it is there, the point of ECPrivateKey (RFC 5915 3)."""
    body = der.members(encoded)
    if body.integer() != 1:
        raise MalformedInput("ECPrivateKey of an unknown version")
    scalar = body.value(der.OCTET_STRING)
    if len(scalar) > 64:
        raise BadKey("the SM2 private key is out of range")
    if body.peek() == 0xA0 and body.value(0xA0) != der.oid(oids.SM2):
        raise BadKey("the private key names another curve")
    public = None
    if body.peek() == 0xA1:
        inner = body.enter(0xA1)
        public = inner.bit_string()
        inner.end()
    body.end()
    return int.from_bytes(scalar, "big"), public


SUITES: dict[str, SM2Suite] = {"sm2": SM2Suite()}
