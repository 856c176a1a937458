"""DSA keys that sign: by `cryptography` directly, because nothing of ours makes or uses one."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa

from certs import der, oids, suites
from certs.suites import dsa_vectors as known
from certs.suites.base import AlgorithmID

ALGORITHMS = {"sha1": (oids.DSA_SHA1, hashes.SHA1()), "sha256": (oids.DSA_SHA256, hashes.SHA256())}


@cache
def numbers(size: int = 2048) -> dsa.DSAParameterNumbers:
    if size == 2048:
        return dsa.DSAParameterNumbers(*(int(item, 16) for item in (known.P, known.Q, known.G)))
    return dsa.generate_parameters(size).parameter_numbers()


class OldKey:
    """As much of a key handle as `tests.certs.forge` needs; `bare` leaves the parameters out of the public key."""

    def __init__(
        self,
        size: int = 2048,
        digest: str = "sha256",
        *,
        bare: bool = False,
        private: dsa.DSAPrivateKey | None = None,
    ) -> None:
        self._key = private or numbers(size).parameters().generate_private_key()
        self._oid, self._hash = ALGORITHMS[digest]
        self.suite: Any = SimpleNamespace(signature_algorithm=lambda _: AlgorithmID(self._oid))
        self.whole = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.public_key: Any = SimpleNamespace(spki=without_parameters(self.whole) if bare else self.whole)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message, self._hash)

    def pkcs8(self) -> bytes:
        form = serialization.PrivateFormat.PKCS8
        return self._key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())


def without_parameters(spki: bytes, parameters: bytes | None = None) -> bytes:
    return der.subject_public_key_info(AlgorithmID(oids.DSA, parameters), der.split_spki(spki)[1])


def spki_of(p: int, q: int, g: int, y: int) -> bytes:
    parameters = der.sequence(der.integer(p), der.integer(q), der.integer(g))
    return der.subject_public_key_info(AlgorithmID(oids.DSA, parameters), der.integer(y))


SUITE = suites.get("dsa")
