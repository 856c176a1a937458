"""Content keys encrypted to RSA keys: OAEP written (RFC 3560, RFC 8017 7.1), SHA-256 unless asked; PKCS #1 v1.5 read.

Whoever can make a reader tell a good PKCS #1 v1.5 padding from a bad one can decrypt with his key (RFC 3218). So a bad
one is no error here: it gives a random content key, and the content then fails as it does with any wrong key.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from certs import der, oids
from certs.errors import DecryptionFailed, UnsupportedAlgorithm
from certs.suites.base import AlgorithmID, WrappedKey
from certs.suites.common import no_parameters
from certs.suites.encryption_vectors import check_rsa
from certs.suites.hashes import HASHES
from certs.suites.rsa_parameters import read_hashes, with_mgf1

DIGESTS = ("sha256", "sha384", "sha512", "sha1")
"""Digests of OAEP that are written. SHA-1 for tokens that have no other: what OAEP needs of its digest is not what
SHA-1 has lost (RFC 8017 7.1 and B.1)."""


@dataclass(frozen=True)
class OAEP:
    """What RSAES-OAEP-params say (RFC 4055 4.1)."""

    digest: str
    mask: str
    """Digest of MGF1."""
    label: bytes | None = None

    def __str__(self) -> str:
        mask = "" if self.mask == self.digest else f" and MGF1 with {_word(self.mask)}"
        return f"RSA-OAEP with {_word(self.digest)}{mask}{' and a label' if self.label else ''}"

    def padding(self) -> padding.OAEP:
        """Return the padding of `cryptography`."""
        return padding.OAEP(padding.MGF1(HASHES[self.mask]()), HASHES[self.digest](), self.label)


Decrypt = Callable[[bytes, OAEP | None], bytes]
"""Decrypts octets by OAEP, or by PKCS #1 v1.5 where there is None, wherever the private key is. Raises DecryptionFailed
whatever is wrong with the octets, and other errors only for what has nothing to do with them."""


def _word(digest: str) -> str:
    return digest.upper() if digest.startswith("sha3-") else digest.upper().replace("SHA", "SHA-", 1)


def wrap(key: rsa.RSAPublicKey, content_key: bytes, digest: str = "sha256") -> WrappedKey:
    """Encrypt a content key by OAEP with a digest of DIGESTS, in MGF1 too."""
    check_rsa()
    scheme = OAEP(digest, digest)
    algorithm = AlgorithmID(oids.RSA_OAEP, der.sequence(with_mgf1(digest)))
    return WrappedKey(algorithm, key.encrypt(content_key, scheme.padding()))


def sample(spki: bytes, content_key: bytes, scheme: OAEP | None) -> bytes:
    """Encrypt a content key of our own as a message has it: so a token shows what it can (`certs.keys.pkcs11_opening`).

    Never for anybody else: nothing is sent with PKCS #1 v1.5.
    """
    key = serialization.load_der_public_key(spki)
    assert isinstance(key, rsa.RSAPublicKey)
    return key.encrypt(content_key, padding.PKCS1v15() if scheme is None else scheme.padding())


def unwrap(key: rsa.RSAPrivateKey, wrapped: WrappedKey, size: int) -> bytes:
    """Decrypt a content key; see `PrivateKey.unwrap_key`."""
    check_rsa()

    def decrypt(octets: bytes, scheme: OAEP | None) -> bytes:
        try:
            return key.decrypt(octets, padding.PKCS1v15() if scheme is None else scheme.padding())
        except Exception:  # noqa: BLE001 - whatever it is, it must look the same
            raise DecryptionFailed from None

    return unwrap_by(decrypt, wrapped, size)


def unwrap_by(decrypt: Decrypt, wrapped: WrappedKey, size: int) -> bytes:
    """Decrypt a content key with whatever holds the private key; see `PrivateKey.unwrap_key`."""
    if wrapped.algorithm.oid == oids.RSA:
        no_parameters(wrapped.algorithm)
        return _old_padding(decrypt, wrapped.encrypted_key, size)
    if wrapped.algorithm.oid != oids.RSA_OAEP:
        name = oids.name(wrapped.algorithm.oid)
        raise UnsupportedAlgorithm(f"key encryption {name} is not supported for RSA", oid=wrapped.algorithm.oid)
    content_key = decrypt(wrapped.encrypted_key, _read_oaep(wrapped.algorithm.parameters))
    if len(content_key) != size:
        raise DecryptionFailed
    return content_key


def _old_padding(decrypt: Decrypt, encrypted: bytes, size: int) -> bytes:
    """Return the content key, or a random one where the padding or the length is wrong (RFC 3218 2.3.2)."""
    other = secrets.token_bytes(size)
    try:
        content_key = decrypt(encrypted, None)
    except DecryptionFailed:
        return other
    return content_key if len(content_key) == size else other


def _read_oaep(parameters: bytes | None) -> OAEP:
    """Read RSAES-OAEP-params (RFC 4055 4.1); absent or empty, they mean SHA-1. Raises MalformedInput."""
    digest, mask, label = "sha1", "sha1", None
    if parameters is not None:
        body = der.members(parameters)
        digest, mask = read_hashes(body, "OAEP")
        if body.peek() == 0xA2:
            source = der.decode_algorithm_identifier(body.value(0xA2))
            if source.oid != oids.P_SPECIFIED or source.parameters is None:
                raise UnsupportedAlgorithm("an OAEP label of an unknown kind", oid=source.oid)
            label = der.Reader(source.parameters).value(der.OCTET_STRING)
        body.end()
    return OAEP(digest, mask, label or None)
