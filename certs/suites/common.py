"""What several suites share: reading AlgorithmIdentifiers of signatures, and the library behind most of them."""

from __future__ import annotations

from certs import der, oids
from certs.errors import BadSignature, MalformedInput, UnsupportedAlgorithm
from certs.suites.base import AlgorithmID

_KNOWN = frozenset(
    oid
    for oid, row in oids.TABLE.items()
    if "-with-" in row.name
    or row.name in ("ed25519", "ed448", "rsassa-pss")
    or row.name.startswith(("ml-dsa-", "dsa-sha"))
)
"""Signature algorithms that belong to some suite."""


def wrong_algorithm(algorithm: AlgorithmID, suite: str) -> BadSignature | UnsupportedAlgorithm:
    """Return the error for a signature algorithm that is none of `suite`'s: for other keys, or unknown to us."""
    name = oids.name(algorithm.oid)
    if algorithm.oid in _KNOWN or algorithm.oid in (*_KEYS, oids.SM2_SIGNATURE, *_GOST_KEYS):
        return BadSignature(f"a key of {suite} makes no signature of algorithm {name}", reason="algorithm")
    return UnsupportedAlgorithm(f"signature algorithm {name} is not supported", oid=algorithm.oid)


_KEYS = (oids.RSA, oids.EC, oids.DSA, oids.SM2)
_GOST_KEYS = (oids.GOST2012_256, oids.GOST2012_512, oids.GOST2001)


def no_parameters(algorithm: AlgorithmID, *, null: bool = True) -> None:
    """Raise MalformedInput where parameters stand that have no meaning; NULL is met where nothing belongs."""
    if algorithm.parameters is not None and not (null and algorithm.parameters == der.NULL_DER):
        raise MalformedInput(f"algorithm {oids.name(algorithm.oid)} with parameters it does not have")


def check_pair(signature: bytes, order: int) -> None:
    """Raise BadSignature unless a value is the DER of r and s, each from 1 to below the order of the group."""
    try:
        r, s = der.decode_integer_pair(signature)
    except MalformedInput as error:
        raise BadSignature("the signature value is not DER") from error
    if not (0 < r < order and 0 < s < order):
        raise BadSignature("r or s is out of range")


def cryptography_version() -> str:
    """Return the version of `cryptography` and of the OpenSSL inside it."""
    import cryptography
    from cryptography.hazmat.backends.openssl import backend

    return f"{cryptography.__version__} with {backend.openssl_version_text()}"
