"""Public keys as JWK and signatures as JWS: as much of JOSE as a client needs to show who it is.

    keys = [read_key(member) for member in members]            # RFC 7517, public members only
    claims = verify(token, keys)                               # compact JWS (RFC 7515), or ValueError

The algorithm is the key's, never the token's word alone: a key verifies by the algorithms of its kind, of which the
header has to name one. `none` and keys that sign and verify alike (HS256) are of no kind (RFC 8725 3.1).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from certs import canonical
from certs.errors import CertsError

ALGORITHMS: Final = {"RSA": ("PS256", "RS256"), "EC": ("ES256",), "OKP": ("EdDSA", "Ed25519")}
"""By `kty`; RFC 7518 3.1, RFC 8037, RFC 9864 (which calls EdDSA with Ed25519 by the curve's name)."""
MEMBERS: Final = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}
"""What makes the key, in the order of RFC 7638."""
PRIVATE: Final = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
RSA_BITS: Final = (2048, 8192)
MAX_TOKEN: Final = 8000

JWK = dict[str, str]
_TEXT = re.compile(r"[A-Za-z0-9_-]*")


def read_key(given: Mapping[str, Any]) -> JWK:
    """Return the members of a public key that count, with its `kid`. Raises ValueError: what is wrong, in words."""
    if PRIVATE & given.keys():
        raise ValueError("this is not a public key; whoever has seen it can use it, so make another")
    kind, use, algorithm = given.get("kty"), given.get("use", "sig"), given.get("alg")
    if kind not in MEMBERS:
        raise ValueError(f"kty is one of {', '.join(MEMBERS)}")
    if use != "sig" or (algorithm is not None and algorithm not in ALGORITHMS[kind]):
        raise ValueError(f"the key is for signatures: {', '.join(ALGORITHMS[kind])}")
    key = {name: given.get(name) for name in MEMBERS[kind]}
    if not all(isinstance(value, str) and len(value) <= 1500 for value in key.values()):
        raise ValueError(f"a key of this kind has {', '.join(MEMBERS[kind])}")
    _public_key(key)
    thumbprint = hashlib.sha256(json.dumps(key, separators=(",", ":"), sort_keys=True).encode()).digest()  # RFC 7638
    name = given.get("kid", _b64(thumbprint))
    if not isinstance(name, str) or not 1 <= len(name) <= 200 or not name.isprintable():
        raise ValueError("kid has 1 to 200 printable characters")
    return {**key, "kid": name, **({"alg": algorithm} if algorithm is not None else {})}


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token claims, unverified: who is it from? Raises ValueError."""
    return _object(_parts(token)[1])


def verify(token: str, keys: Sequence[JWK]) -> dict[str, Any]:
    """Return the claims of a token that one of the keys has signed. Raises ValueError."""
    header, payload, signature = _parts(token)
    fields = _object(header)
    if "crit" in fields or "b64" in fields:
        raise ValueError("the header asks for what is not known here")
    name, algorithm = fields.get("kid"), fields.get("alg")
    signed = token.rpartition(".")[0].encode("ascii")
    for key in keys:
        fits = algorithm == key["alg"] if "alg" in key else algorithm in ALGORITHMS[key["kty"]]
        if fits and name in {None, key["kid"]} and _good(_public_key(key), str(algorithm), signature, signed):
            return _object(payload)
    raise ValueError("none of the client's keys has made the signature")


def _public_key(key: Mapping[str, Any]) -> Any:
    """Return the key itself. Raises ValueError."""
    if key["kty"] == "RSA":
        modulus, exponent = (int.from_bytes(_unb64(key[name])) for name in ("n", "e"))
        if not RSA_BITS[0] <= modulus.bit_length() <= RSA_BITS[1] or not 3 <= exponent < 2**32:
            raise ValueError(f"an RSA key has {RSA_BITS[0]} to {RSA_BITS[1]} bits and a small exponent")
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    if key["kty"] == "EC" and key["crv"] == "P-256":
        x, y = (_sized(key[name], 32) for name in ("x", "y"))
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\4" + x + y)
    if key["kty"] == "OKP" and key["crv"] == "Ed25519":
        return ed25519.Ed25519PublicKey.from_public_bytes(_sized(key["x"], 32))
    raise ValueError("the curve is P-256 or Ed25519")


def _good(key: Any, algorithm: str, signature: bytes, signed: bytes) -> bool:
    try:
        if algorithm == "RS256":
            key.verify(signature, signed, padding.PKCS1v15(), SHA256())
        elif algorithm == "PS256":  # the salt is as long as the digest (RFC 7518 3.5)
            key.verify(signature, signed, padding.PSS(padding.MGF1(SHA256()), SHA256.digest_size), SHA256())
        elif algorithm == "ES256":  # R and S, 32 octets each (RFC 7518 3.4)
            if len(signature) != 64:
                return False
            value = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
            key.verify(value, signed, ec.ECDSA(SHA256()))
        else:
            key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _parts(token: str) -> tuple[bytes, bytes, bytes]:
    pieces = token.split(".")
    if len(pieces) != 3 or len(token) > MAX_TOKEN:
        raise ValueError("not a compact JWS")
    header, payload, signature = (_unb64(piece) for piece in pieces)
    return header, payload, signature


def _object(data: bytes) -> dict[str, Any]:
    """Return a JSON object that can be read in one way only: a name that stands twice is an attack or a mistake."""
    try:
        found = canonical.read(data)
    except CertsError as error:
        raise ValueError(f"the JSON cannot be read: {error}") from None
    if isinstance(found, dict):
        return found
    raise ValueError("the JSON is not an object")


def _sized(text: str, size: int) -> bytes:
    value = _unb64(text)
    if len(value) != size:
        raise ValueError(f"a coordinate has {size} octets")
    return value


def _unb64(text: str) -> bytes:
    """Return octets of base64url without padding, in its one spelling (RFC 7515 2). Raises ValueError."""
    if not _TEXT.fullmatch(text):
        raise ValueError("not base64url")
    value = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _b64(value) != text:
        raise ValueError("not base64url in its one spelling")
    return value


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
