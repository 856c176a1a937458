"""Message digests by name: one-shot and streaming, of every suite.

    digests.digest("sm3", b"abc").hex()          # "66c7f0f4…"
    running = digests.new_digest("streebog256")  # as in hashlib: update(), digest()
    digests.digest_name("1.2.643.7.1.1.2.2")     # "streebog256"

SHA and SM3 come from hashlib (SM3 from `cryptography` where Python's OpenSSL has none), Streebog and the old
GOST R 34.11-94 from whatever computes GOST on this machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from certs import oids
from certs.errors import UnsupportedAlgorithm
from certs.suites.base import AlgorithmID, Digest

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12


@dataclass(frozen=True)
class _Kind:
    """One digest: its OID and what makes a running one."""

    oid: str
    make: Callable[[], Digest]
    once: Callable[[Buffer], bytes] | None = None
    """Digests octets at once, where that is quicker than a running digest."""


def _hashlib(name: str) -> Callable[[], Digest]:
    return lambda: cast(
        "Digest", hashlib.new(name, usedforsecurity=False)
    )  # "for security" would refuse SHA-1 on FIPS machines


def _sm3() -> Digest:
    try:
        return cast("Digest", hashlib.new("sm3"))
    except ValueError:  # an OpenSSL built without SM3
        return _CryptographySM3()


def _gost(name: str, oid: str) -> _Kind:
    def make() -> Digest:
        from certs.suites.backends import gost_digests

        return gost_digests(name).new_digest(name)

    def once(data: Buffer) -> bytes:
        from certs.suites.backends import gost_digests

        return gost_digests(name).digest(name, data)

    return _Kind(oid, make, once)


class _CryptographySM3:
    """SM3 of `cryptography`, whose contexts can be finished only once."""

    name, digest_size = "sm3", 32

    def __init__(self) -> None:
        from cryptography.hazmat.primitives import hashes

        self._running = hashes.Hash(hashes.SM3())

    def update(self, data: Buffer, /) -> None:
        self._running.update(memoryview(data))

    def digest(self) -> bytes:
        return self._running.copy().finalize()

    def copy(self) -> _CryptographySM3:
        other = _CryptographySM3()
        other._running = self._running.copy()
        return other


class _Shake256:
    """SHAKE256 with 512 bits of output: the digest that goes with Ed448 in CMS (RFC 8419 3.1)."""

    name, digest_size = "shake256", 64

    def __init__(self) -> None:
        self._running = hashlib.shake_256()

    def update(self, data: Buffer, /) -> None:
        self._running.update(data)

    def digest(self) -> bytes:
        return self._running.digest(64)

    def copy(self) -> _Shake256:
        other = _Shake256()
        other._running = self._running.copy()
        return other


_KINDS: dict[str, _Kind] = {
    "sha1": _Kind(oids.SHA1, _hashlib("sha1")),
    "sha224": _Kind(oids.SHA224, _hashlib("sha224")),
    "sha256": _Kind(oids.SHA256, _hashlib("sha256")),
    "sha384": _Kind(oids.SHA384, _hashlib("sha384")),
    "sha512": _Kind(oids.SHA512, _hashlib("sha512")),
    "sha3-224": _Kind(oids.SHA3_224, _hashlib("sha3_224")),
    "sha3-256": _Kind(oids.SHA3_256, _hashlib("sha3_256")),
    "sha3-384": _Kind(oids.SHA3_384, _hashlib("sha3_384")),
    "sha3-512": _Kind(oids.SHA3_512, _hashlib("sha3_512")),
    "shake256": _Kind(oids.SHAKE256, _Shake256),
    "sm3": _Kind(oids.SM3, _sm3),
    "streebog256": _gost("streebog256", oids.STREEBOG256),
    "streebog512": _gost("streebog512", oids.STREEBOG512),
    "gost94": _gost("gost94", oids.GOST94),
}
_NAMES = {kind.oid: name for name, kind in _KINDS.items()} | {oids.SHAKE256_LEN: "shake256"}
_IN_CMS = {"shake256": AlgorithmID(oids.SHAKE256_LEN, bytes.fromhex("02020200"))}
"""Where CMS wants more than the digest's OID: SHAKE256 with its length in bits, 512 (RFC 8419 3.1)."""


def _kind(name: str) -> _Kind:
    kind = _KINDS.get(name)
    if kind is None:
        raise UnsupportedAlgorithm(f"there is no digest {name!r}", hint="known: " + ", ".join(_KINDS), digest=name)
    return kind


def new_digest(name: str) -> Digest:
    """Return a running digest. Raises UnsupportedAlgorithm, BackendUnavailable."""
    return _kind(name).make()


def digest(name: str, data: Buffer) -> bytes:
    """Return the digest of `data`. Raises UnsupportedAlgorithm, BackendUnavailable."""
    kind = _kind(name)
    if kind.once is not None:
        return kind.once(data)
    running = kind.make()
    running.update(data)
    return running.digest()


def digest_oid(name: str) -> str:
    """Return the OID of a digest. Raises UnsupportedAlgorithm."""
    return _kind(name).oid


def digest_algorithm(name: str) -> AlgorithmID:
    """Return the AlgorithmIdentifier of a digest as CMS has it: nearly always the OID alone (RFC 5754 2, RFC 9215 2).

    Raises UnsupportedAlgorithm.
    """
    return _IN_CMS.get(name) or AlgorithmID(digest_oid(name))


def digest_name(oid: str) -> str:
    """Return the name of the digest that `oid` stands for. Raises UnsupportedAlgorithm, naming the OID."""
    name = _NAMES.get(oid)
    if name is None:
        raise UnsupportedAlgorithm(f"digest {oids.name(oid)} is not supported", oid=oid)
    return name
