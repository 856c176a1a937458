"""What a library must get right before it may compute GOST: RFC 6986 10, RFC 7091 7.1, signatures of another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certs import der
from certs.errors import BackendUnavailable
from certs.suites.gost_parameters import BY_NAME

if TYPE_CHECKING:
    from certs.suites.backends import GOSTBackend

MESSAGE = b"012345678901234567890123456789012345678901234567890123456789012"
"""M1 of RFC 6986 10.1."""
_DIGEST = bytes(range(1, 65))
"""Stands for a digest where any octets will do."""
_STREEBOG = {
    "streebog256": "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500",
    "streebog512": "1b54d01a4af5b9d5cc3d86d68d285462b19abc2475222f35c085122be4ba1ffa"
    "00ad30f8767b3a82384c6574f024c311e2a481332b08ef7f41797891c1646f48",
}

# RFC 7091 7.1 on the test curve: the key, the digest as hashed, s ‖ r
RFC7091_POINT = (
    bytes.fromhex("7f2b49e270db6d90d8595bec458b50c58585ba1d4e9b788f6689dbd8e56fd80b")[::-1]
    + (bytes.fromhex("26f1b489d6701dd185c8413a977b3cbbaf64d1c593d26627dffb101a87ff77da")[::-1])
)
RFC7091_DIGEST = bytes.fromhex("2dfbc1b372d89a1188c09c52e0eec61fce52032ab1022e8e67ece6672b043ee5")[::-1]
RFC7091_SIGNATURE = bytes.fromhex(
    "01456c64ba4642a1653c235a98a60249bcd6d3f746b631df928014f6c5bf9c40"
    "41aa28d2f1ab148280cd9ed56feda41974053554a42767b83ad043fd39dc0493"
)

_KNOWN: tuple[tuple[str, str, str], ...] = (
    (
        "TC26-256-B",
        (
            "2f375ea5a2c969adce7191afac1f39f9d2f3d314e7806ce786819852a54ece7b6c04e1815a8c1366e648c7bce99c2ae3"
            "6a1e22875796b1b7f43ffb19601eafbc"
        ),
        (
            "3010a8c4b254f23bb23b1eb1d967deb000b0e0dc5c03f0e1d1608695d8ace7fac2904c6c074f7ab4b5511d40c63e8b8c"
            "0f7b9813b7938f5637781cf1da95d872"
        ),
    ),
    (
        "TC26-512-A",
        (
            "7b211c95db96f04abaf17c030b2ed1c1da8d8bb8aa4d2c0c2ff0fd2e0359fbe51f67e50ef0069f79f8b6c42917eff209"
            "2ccda5bd3720f4bb8c0492183d1ae07814b9e2760329d87e229f4df6eb2dbdb7d57e8ac0a00b53f8dfd1a569fa07fe0c"
            "f49af310fa3f56909f3ce098e8d200791875d45340480810991e94afd0f5f084"
        ),
        (
            "80cc1f72f910592bc4aeeb26aeafe229a91c37ddab28cf2000cafed08795a8fc8ff818cdf5ba1e06673f0dcbe711710a"
            "a98344574e9e404de563558bae3efe66581b8449e394eafc28ee6c0eb156b8e6a8baa09bd5b484a56c5b758617d8aee7"
            "5527bbd82c7d4e8c76324c444dc1c732ecfafa3f30e65989a53a2c8b9a64b416"
        ),
    ),
)
"""Parameter set, public key and signature over _DIGEST: made by gost-engine, which passed RFC 7091."""


def check_digests(backend: GOSTBackend) -> None:
    """Raise BackendUnavailable unless Streebog is right, at once and fed in pieces, and asked twice."""
    for name, expected in _STREEBOG.items():
        running = backend.new_digest(name)
        running.update(MESSAGE[:5])
        running.digest()
        running.update(MESSAGE[5:])
        found = {running.digest().hex(), running.digest().hex(), backend.digest(name, MESSAGE).hex()}
        if found != {expected}:
            raise BackendUnavailable(f"{backend.library.name} computes a wrong {name}")


def check_known_signatures(backend: GOSTBackend) -> None:
    """Raise BackendUnavailable unless it verifies signatures of another library, and refuses altered ones."""
    for name, point, signature in _KNOWN:
        chosen = BY_NAME[name]
        spki = der.subject_public_key_info(chosen.key_algorithm(), der.octet_string(bytes.fromhex(point)))
        key, value, digest = backend.load_public(spki), bytes.fromhex(signature), _DIGEST[: chosen.curve.size]
        if not backend.verify(key, value, digest) or backend.verify(key, value, digest[::-1]):
            raise BackendUnavailable(f"{backend.library.name} failed a known signature of {name}")


def check_signing(backend: GOSTBackend, parameters: tuple[str, ...]) -> None:
    """Raise BackendUnavailable unless it signs, verifies and refuses with each of `parameters`."""
    for name in parameters:
        key = backend.generate(name)
        public = backend.load_public(backend.spki(key))
        digest = _DIGEST[: BY_NAME[name].curve.size]
        value = backend.sign(key, digest)
        half = len(value) // 2
        checks = (
            backend.verify(public, value, digest),
            not backend.verify(public, value, digest[::-1]),
            not backend.verify(public, value[half:] + value[:half], digest),
            not backend.verify(public, value[:-1] + bytes((value[-1] ^ 1,)), digest),
            len(value) == 2 * len(digest),
        )
        again = backend.load_private(backend.pkcs8(key))
        if not all(checks) or backend.spki(again) != backend.spki(key):
            raise BackendUnavailable(f"{backend.library.name} failed the self-test of {name}", checks=checks)


def rfc7091_spki() -> bytes:
    """Return the key of RFC 7091 7.1 as SubjectPublicKeyInfo on the test curve."""
    from certs import oids
    from certs.suites.base import AlgorithmID

    parameters = der.sequence(der.oid(oids.CRYPTOPRO_TEST), der.oid(oids.STREEBOG256))
    return der.subject_public_key_info(AlgorithmID(oids.GOST2012_256, parameters), der.octet_string(RFC7091_POINT))
