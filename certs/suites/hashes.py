"""Our digest names as `cryptography` knows them, for RSA and ECDSA."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes

HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
    "sha3-224": hashes.SHA3_224,
    "sha3-256": hashes.SHA3_256,
    "sha3-384": hashes.SHA3_384,
    "sha3-512": hashes.SHA3_512,
}
"""SHA-1 is for old signatures only; callers say that it is weak."""
