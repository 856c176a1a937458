"""X25519 and X448, by `cryptography` (RFC 7748; keys and certificates RFC 8410, RFC 9295; in CMS RFC 8418)."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import x448, x25519

from certs import oids
from certs.errors import BackendFault, BadKey
from certs.suites import transport_xdh
from certs.suites.encrypting import EncryptingSuite, Transport
from certs.suites.encryption_vectors import check_agreement, check_hkdf
from certs.suites.plain import Algorithm

# RFC 7748 6.1 and 6.2: Alice's private key, Bob's public key, the secret they share
_X25519 = (
    "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
    "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
    "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
)
_X448 = (
    "9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28dd9c9baf574a9419744897391006382a6f127ab1d9ac2d8c0a598726b",
    "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b43027d8b972fc3e34fb4232a13ca706dcb57aec3dae07bdc1c67bf33609",
    "07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282bb60c0b56fd2464c335543936521c24403085d59a449a5037514a879d",
)


def _known_answer(private: Any, public: Any, vector: tuple[str, str, str]) -> None:
    check_agreement()
    check_hkdf()
    secret, point, shared = map(bytes.fromhex, vector)
    key = private.from_private_bytes(secret)
    if key.exchange(public.from_public_bytes(point)) != shared:
        raise BackendFault("not the shared secret of RFC 7748")
    try:
        key.exchange(public.from_public_bytes(bytes(len(point))))
    except ValueError:
        return
    raise BackendFault("a shared secret of zeros is given out")


def _x25519_answer() -> str:
    _known_answer(x25519.X25519PrivateKey, x25519.X25519PublicKey, _X25519)
    return "RFC 7748 6.1, RFC 5869 A.1, RFC 3394 4.6"


def _x448_answer() -> str:
    _known_answer(x448.X448PrivateKey, x448.X448PublicKey, _X448)
    return "RFC 7748 6.2, RFC 5869 A.1, RFC 3394 4.6"


def _check_x25519(octets: bytes) -> None:
    """Raise BadKey for a point of small order: with it every private key gives a shared secret of zeros."""
    _check(x25519.X25519PrivateKey.from_private_bytes(bytes.fromhex(_X25519[0])), x25519.X25519PublicKey, octets)


def _check_x448(octets: bytes) -> None:
    """Raise BadKey for a point of small order."""
    _check(x448.X448PrivateKey.from_private_bytes(bytes.fromhex(_X448[0])), x448.X448PublicKey, octets)


def _check(any_key: Any, public: Any, octets: bytes) -> None:
    try:
        any_key.exchange(public.from_public_bytes(octets))
    except ValueError as error:
        raise BadKey("the point is of small order") from error


SUITES: dict[str, EncryptingSuite] = {
    suite.name: suite
    for suite in (
        # RFC 9295 3: keyAgreement; neither signs nor enciphers
        EncryptingSuite(
            Algorithm("x25519", oids.X25519, "25519", "sha256", x25519.X25519PrivateKey.generate, _check_x25519),
            "key_agreement",
            Transport(transport_xdh.wrap_x25519, transport_xdh.unwrap_x25519, _x25519_answer),
        ),
        EncryptingSuite(
            Algorithm("x448", oids.X448, "448", "sha512", x448.X448PrivateKey.generate, _check_x448),
            "key_agreement",
            Transport(transport_xdh.wrap_x448, transport_xdh.unwrap_x448, _x448_answer),
        ),
    )
}
