"""ML-KEM-768 and -1024, by `cryptography` (FIPS 203; keys and certificates RFC 9935; in CMS RFC 9936).

ML-KEM-512 is not here: `cryptography` has none.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import partial
from typing import Any

from cryptography.hazmat.primitives.asymmetric import mlkem

from certs import der, oids
from certs.errors import BackendFault, BadKey, UnsupportedAlgorithm
from certs.suites import transport_kem
from certs.suites.encrypting import EncryptingSuite, Transport
from certs.suites.encryption_vectors import check_agreement, check_hkdf
from certs.suites.plain import Algorithm

_SEED = bytes(range(64))
"""The seed of the examples in RFC 9935 C.1."""
_PUBLIC_KEYS = {
    oids.ML_KEM_768: "0b7934c83125c788995e2ba6bd761e33046b3e40571be53e023309a29f398cc9",
    oids.ML_KEM_1024: "c7b8fa0aa471d5ae18922d6ccad5b31e1d84f92ae723abfd13747018740a8530",
}
"""SHA-256 of the public keys there, which are 1184 and 1568 octets long."""
_KINDS: dict[str, Any] = {oids.ML_KEM_768: mlkem.MLKEM768PrivateKey, oids.ML_KEM_1024: mlkem.MLKEM1024PrivateKey}
_CIPHERTEXTS = {oids.ML_KEM_768: 1088, oids.ML_KEM_1024: 1568}
"""Octets (FIPS 203 table 3)."""
_SEED_SIZE, _HALF = 64, 32


def _known_answer(oid: str) -> str:
    check_agreement()  # the key wrap among it
    check_hkdf()
    key = _KINDS[oid].from_seed_bytes(_SEED)
    if hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest() != _PUBLIC_KEYS[oid]:
        raise BackendFault("not the public key of RFC 9935")
    wrong = bytes(_CIPHERTEXTS[oid])
    # FIPS 203 algorithm 18, line 7: what nobody encapsulated gives J(z‖c)
    if key.decapsulate(wrong) != hashlib.shake_256(_SEED[_HALF:] + wrong).digest(_HALF):
        raise BackendFault("not the implicit rejection of FIPS 203")
    return "keys of RFC 9935 C.1, implicit rejection of FIPS 203, RFC 5869 A.1, RFC 3394 4.6"


def _seed(oid: str, encoded: bytes) -> bytes:
    """Return the seed form of a private key (RFC 9935 6): from [0] seed, or from the seed beside the expanded key.

    The expanded key is computed from the seed. One that stands beside it and is another key's is a fault or an attack,
    so what can be seen of that is refused: its public key, the digest of that, and z (FIPS 203 algorithm 16).
    """
    reader = der.Reader(encoded)
    if reader.peek() == der.OCTET_STRING:
        raise UnsupportedAlgorithm(
            "an ML-KEM key without its seed is not read", hint="keep the seed when making the key"
        )
    if reader.peek() != der.SEQUENCE:
        return encoded
    both = reader.enter()
    reader.end()
    seed, expanded = both.value(der.OCTET_STRING), both.value(der.OCTET_STRING)
    both.end()
    if len(seed) != _SEED_SIZE:
        raise BadKey("the seed of an ML-KEM key has a wrong length")
    public = _KINDS[oid].from_seed_bytes(seed).public_key().public_bytes_raw()
    tail = public + hashlib.sha3_256(public).digest() + seed[_HALF:]
    # dk is s‖ek‖H(ek)‖z, and ek is as long as s and 32 octets more
    if len(expanded) != len(public) - _HALF + len(tail) or not hmac.compare_digest(expanded[-len(tail) :], tail):
        raise BadKey("the expanded ML-KEM key is another one than its seed gives")
    return der.tlv(0x80, seed)


def _wrap(oid: str, key: Any, content_key: bytes) -> Any:
    return transport_kem.wrap(key, oid, content_key)


def _unwrap(oid: str, key: Any, wrapped: Any, size: int) -> bytes:
    return transport_kem.unwrap(key, oid, wrapped, size)


def _suite(name: str, oid: str) -> EncryptingSuite:
    # RFC 9935 5: keyEncipherment, and nothing else
    return EncryptingSuite(
        Algorithm(
            *(name, oid, name.rpartition("-")[2], "sha256", _KINDS[oid].generate), read_private=partial(_seed, oid)
        ),
        "key_encipherment",
        Transport(partial(_wrap, oid), partial(_unwrap, oid), partial(_known_answer, oid)),
    )


SUITES: dict[str, EncryptingSuite] = {
    suite.name: suite for suite in (_suite("ml-kem-768", oids.ML_KEM_768), _suite("ml-kem-1024", oids.ML_KEM_1024))
}
