"""Ed25519 and Ed448, by `cryptography` (RFC 8032, RFC 8410; in CMS RFC 8419).

OpenSSL takes any octets of the right length for a public key. Here the point must be on its curve and of large order:
under a key of small order one signature fits nearly every message, so that it says nothing about any of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ed448, ed25519

from certs import oids
from certs.errors import BadKey, BadSignature
from certs.suites.plain import Algorithm
from certs.suites.pure import PurePrivateKey, PureSuite

# RFC 8032 7.1 TEST 2 and 7.4 "1 octet": secret key, message, signature
_ED25519 = (
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "72",
    (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    ),
)
_ED448 = (
    "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463afbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e",
    "03",
    (
        "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b981b7e18f62de8ccdf633fc1bf037ab7cd779"
        "805e0dbcc0aae1cbcee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0ff3348ab21aa4adafd1d234441cf807c0"
        "3a00"
    ),
)


def _known_answer(suite: PureSuite) -> str:
    secret, message, signature = map(bytes.fromhex, _ED25519 if suite.name == "ed25519" else _ED448)
    kind = ed25519.Ed25519PrivateKey if suite.name == "ed25519" else ed448.Ed448PrivateKey
    if PurePrivateKey(suite, kind.from_private_bytes(secret)).sign(message) != signature:
        raise BadSignature("not the signature of RFC 8032")
    return "RFC 8032 7.1" if suite.name == "ed25519" else "RFC 8032 7.4"


@dataclass(frozen=True)
class _Curve:
    """ax² + y² = 1 + dx²y² over p, cofactor 2 to the power of `doublings` (RFC 8032 5.1, 5.2)."""

    p: int
    a: int
    d: int
    doublings: int

    def check(self, octets: bytes) -> None:
        """Raise BadKey unless these are the octets of a point of large order."""
        sign = octets[-1] >> 7
        y = int.from_bytes(octets, "little") - (sign << (8 * len(octets) - 1))
        square = self._x_squared(y)
        # RFC 8032 5.1.3 and 5.2.3: y < p, x² has a root, and x = 0 has no sign
        if y >= self.p or pow(square, (self.p - 1) // 2, self.p) > 1 or (square == 0 and sign):
            raise BadKey("not a point on its curve")
        for _ in range(self.doublings):
            turned = self.a * self._x_squared(y)
            y = (y * y - turned) * pow(2 - turned - y * y, -1, self.p) % self.p
        if y == 1:
            raise BadKey("the point is of small order")

    def _x_squared(self, y: int) -> int:
        return (1 - y * y) * pow(self.a - self.d * y * y, -1, self.p) % self.p


_P25519 = 2**255 - 19
_CURVE25519 = _Curve(_P25519, -1, -121665 * pow(121666, -1, _P25519), 3)
_CURVE448 = _Curve(2**448 - 2**224 - 1, 1, -39081, 2)


# RFC 8419 3.1: SHA-512 around Ed25519, SHAKE256 with 512 bits around Ed448
SUITES: dict[str, PureSuite] = {
    suite.name: suite
    for suite in (
        PureSuite(
            Algorithm(
                "ed25519", oids.ED25519, "25519", "sha512", ed25519.Ed25519PrivateKey.generate, _CURVE25519.check
            ),
            *(64, _known_answer),
            reads_null=True,
        ),
        PureSuite(
            Algorithm("ed448", oids.ED448, "448", "shake256", ed448.Ed448PrivateKey.generate, _CURVE448.check),
            *(114, _known_answer),
            reads_null=True,
        ),
    )
}
