"""Ed25519 and Ed448, by `cryptography` (RFC 8032, RFC 8410; in CMS RFC 8419)."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ed448, ed25519

from certs import oids
from certs.errors import BadSignature
from certs.suites.pure import PurePrivateKey, PureSuite

# RFC 8032 7.1 TEST 2 and 7.4 "1 octet": secret key, message, signature
_ED25519 = (
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
)
_ED448 = (
    "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463afbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e",
    "03",
    "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b981b7e18f62de8ccdf633fc1bf037ab7cd779"
    "805e0dbcc0aae1cbcee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0ff3348ab21aa4adafd1d234441cf807c0"
    "3a00",
)


def _known_answer(suite: PureSuite) -> str:
    secret, message, signature = map(bytes.fromhex, _ED25519 if suite.name == "ed25519" else _ED448)
    kind = ed25519.Ed25519PrivateKey if suite.name == "ed25519" else ed448.Ed448PrivateKey
    if PurePrivateKey(suite, kind.from_private_bytes(secret)).sign(message) != signature:
        raise BadSignature("not the signature of RFC 8032")
    return "RFC 8032 7.1" if suite.name == "ed25519" else "RFC 8032 7.4"


# RFC 8419 3.1: SHA-512 around Ed25519, SHAKE256 with 512 bits around Ed448
SUITES: dict[str, PureSuite] = {
    suite.name: suite
    for suite in (
        PureSuite("ed25519", oids.ED25519, "25519", "sha512", 64, ed25519.Ed25519PrivateKey.generate, _known_answer),
        PureSuite("ed448", oids.ED448, "448", "shake256", 114, ed448.Ed448PrivateKey.generate, _known_answer),
    )
}
