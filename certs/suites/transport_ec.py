"""Content keys agreed with keys on NIST and brainpool curves: ECDH-ES as RFC 5753 3.1 has it.

Every recipient gets an ephemeral key of the sender on the recipient's curve. X9.63 KDF with the digest of the suite
and AES-256 key wrap are written; the KDF with SHA-1 and the shorter key wraps are read, as other programs write them.
"""

from __future__ import annotations

from collections.abc import Callable, Container

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from certs import der, oids
from certs.errors import BadKey, DecryptionFailed, MalformedInput, UnsupportedAlgorithm
from certs.suites.base import AlgorithmID, WrappedKey
from certs.suites.encryption_vectors import check_agreement

X963_SCHEMES: dict[str, type[hashes.HashAlgorithm]] = {
    oids.ECDH_SHA1: hashes.SHA1,
    oids.ECDH_SHA224: hashes.SHA224,
    oids.ECDH_SHA256: hashes.SHA256,
    oids.ECDH_SHA384: hashes.SHA384,
    oids.ECDH_SHA512: hashes.SHA512,
}
"""dhSinglePass-stdDH-…kdf-scheme to the digest of its KDF; the curves have cofactor 1."""
_BY_DIGEST = {"sha256": oids.ECDH_SHA256, "sha384": oids.ECDH_SHA384, "sha512": oids.ECDH_SHA512}
WRAPS = {oids.AES128_WRAP: 16, oids.AES192_WRAP: 24, oids.AES256_WRAP: 32}
"""Key wrap to the octets of its key (RFC 3565 2.3.2)."""
WRAP = AlgorithmID(oids.AES256_WRAP)


def wrap(key: ec.EllipticCurvePublicKey, content_key: bytes, digest: str) -> WrappedKey:
    """Encrypt a content key; `digest` is the suite's."""
    check_agreement()
    ephemeral = ec.generate_private_key(key.curve)
    scheme = AlgorithmID(_BY_DIGEST[digest], WRAP.der())
    shared = ephemeral.exchange(ec.ECDH(), key)
    encrypted = aes_key_wrap(_derive(shared, scheme.oid, WRAP, None), content_key)
    encoding, form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    # RFC 5753 3.1.1: id-ecPublicKey without parameters, the curve is the recipient's
    originator = der.subject_public_key_info(AlgorithmID(oids.EC), ephemeral.public_key().public_bytes(encoding, form))
    return WrappedKey(scheme, encrypted, originator)


def unwrap(key: ec.EllipticCurvePrivateKey, wrapped: WrappedKey, size: int) -> bytes:
    """Decrypt a content key; see `PrivateKey.unwrap_key`."""
    return unwrap_by(lambda point: key.exchange(ec.ECDH(), point), key.curve, wrapped, size)


def unwrap_by(
    agree: Callable[[ec.EllipticCurvePublicKey], bytes], curve: ec.EllipticCurve, wrapped: WrappedKey, size: int
) -> bytes:
    """Decrypt a content key with whatever holds the private key; see `PrivateKey.unwrap_key`.

    `agree` returns the shared x coordinate, as many octets as the field has; the point it is given is on the curve.
    """
    check_agreement()
    scheme, algorithm, originator = read_agreement(wrapped, X963_SCHEMES)
    try:
        point = _point(curve, originator)
    except (BadKey, MalformedInput, ValueError):
        raise DecryptionFailed from None
    try:
        shared = agree(point)
        content_key = aes_key_unwrap(_derive(shared, scheme, algorithm, wrapped.ukm), wrapped.encrypted_key)
    except (InvalidUnwrap, ValueError):
        raise DecryptionFailed from None
    if len(content_key) != size:
        raise DecryptionFailed
    return content_key


def read_agreement(wrapped: WrappedKey, schemes: Container[str]) -> tuple[str, AlgorithmID, bytes]:
    """Return the scheme, the key wrap and the sender's key of a key agreement. Raises UnsupportedAlgorithm."""
    scheme = wrapped.algorithm
    if scheme.oid not in schemes or scheme.parameters is None or wrapped.originator is None:
        raise UnsupportedAlgorithm(f"key agreement {oids.name(scheme.oid)} is not supported", oid=scheme.oid)
    return scheme.oid, known_wrap(der.decode_algorithm_identifier(scheme.parameters)), wrapped.originator


def known_wrap(algorithm: AlgorithmID) -> AlgorithmID:
    """Return a key wrap that we compute. Raises UnsupportedAlgorithm."""
    if algorithm.oid not in WRAPS:
        raise UnsupportedAlgorithm(f"key wrap {oids.name(algorithm.oid)} is not supported", oid=algorithm.oid)
    return algorithm


def shared_info(algorithm: AlgorithmID, ukm: bytes | None) -> bytes:
    """Return ECC-CMS-SharedInfo for a key wrap (RFC 5753 7.2, RFC 8418 2)."""
    return der.sequence(
        algorithm.der(),
        b"" if ukm is None else der.tlv(0xA0, der.octet_string(ukm)),
        der.tlv(0xA2, der.octet_string((8 * WRAPS[algorithm.oid]).to_bytes(4, "big"))),
    )


def _derive(shared: bytes, scheme: str, algorithm: AlgorithmID, ukm: bytes | None) -> bytes:
    """Return the key-encryption key."""
    info = shared_info(algorithm, ukm)
    return X963KDF(X963_SCHEMES[scheme](), WRAPS[algorithm.oid], info).derive(shared)


def _point(curve: ec.EllipticCurve, spki: bytes) -> ec.EllipticCurvePublicKey:
    """Return the sender's point, which must be on the recipient's curve (RFC 5753 3.1.3)."""
    algorithm, point = der.split_spki(spki)
    if algorithm.oid != oids.EC:
        raise BadKey("the sender's key is of another kind")
    size = (curve.key_size + 7) // 8
    if (len(point), point[:1]) not in ((2 * size + 1, b"\x04"), (size + 1, b"\x02"), (size + 1, b"\x03")):
        raise BadKey("the point has a wrong form or length")
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
