"""ML-DSA-44, -65 and -87, by `cryptography` (FIPS 204; keys and certificates RFC 9881; in CMS RFC 9882)."""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric import mldsa

from certs import der, oids
from certs.errors import BadSignature, UnsupportedAlgorithm
from certs.suites.plain import Algorithm
from certs.suites.pure import PureSuite

_SEED = bytes(range(32))
"""The seed of the examples in RFC 9881 C."""
_PUBLIC_KEYS = {
    "ml-dsa-44": "9f107644c1084526af3bc8098680b05499a2325a644e388fb4f970e058d19d46",
    "ml-dsa-65": "d666806e11cee19a7c989f7445f90dd419cf4d2d51db8c0fdb4c0f0a542238c9",
    "ml-dsa-87": "91dc389cfaa01470b7f66eee45a4ae9026d154817c754dfe22298b3fa241ffcd",
}
"""SHA-256 of the public keys there, which are 1312 to 2592 octets long."""
_KINDS: dict[str, Any] = {
    "ml-dsa-44": mldsa.MLDSA44PrivateKey,
    "ml-dsa-65": mldsa.MLDSA65PrivateKey,
    "ml-dsa-87": mldsa.MLDSA87PrivateKey,
}


def _known_answer(suite: PureSuite) -> str:
    public = _KINDS[suite.name].from_seed_bytes(_SEED).public_key().public_bytes_raw()
    if hashlib.sha256(public).hexdigest() != _PUBLIC_KEYS[suite.name]:
        raise BadSignature("not the public key of RFC 9881")
    return "keys of RFC 9881 C"


def _seed(encoded: bytes) -> bytes:
    """Return the seed form of a private key (RFC 9881 6): from [0] seed, or the seed beside the expanded key.

    OpenSSL writes both. The expanded key is left aside: it is computed from the seed, and a wrong one would only be a
    way to be misled.
    """
    reader = der.Reader(encoded)
    if reader.peek() == der.OCTET_STRING:
        raise UnsupportedAlgorithm(
            "an ML-DSA key without its seed is not read", hint="keep the seed when making the key"
        )
    if reader.peek() != der.SEQUENCE:
        return encoded
    both = reader.enter()
    reader.end()
    seed = both.value(der.OCTET_STRING)
    both.value(der.OCTET_STRING)
    both.end()
    return der.tlv(0x80, seed)


def _suite(name: str, oid: str, size: int) -> PureSuite:
    # SHA-512 in CMS, for all three (RFC 9882 3.3)
    algorithm = Algorithm(name, oid, name[-2:], "sha512", _KINDS[name].generate, read_private=_seed)
    return PureSuite(algorithm, size, _known_answer)


SUITES: dict[str, PureSuite] = {
    suite.name: suite
    for suite in (
        _suite("ml-dsa-44", oids.ML_DSA_44, 2420),
        _suite("ml-dsa-65", oids.ML_DSA_65, 3309),
        _suite("ml-dsa-87", oids.ML_DSA_87, 4627),
    )
}
"""With the octets of a signature (FIPS 204 table 2)."""
