"""GOST by the optional package gostcrypto (pure Python), where neither gost-engine nor GnuTLS can: verifying only.

About ten verifications a second and not constant-time, so no private key is ever given to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from certs import der
from certs.errors import BackendUnavailable, BadKey, CertsError
from certs.suites.backends import gost_vectors
from certs.suites.base import Library
from certs.suites.gost_parameters import BY_NAME, BY_OID

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12

_CURVES = {
    "TC26-256-A": "id-tc26-gost-3410-2012-256-paramSetA",
    "TC26-256-B": "id-tc26-gost-3410-2012-256-paramSetB",
    "CryptoPro-A": "id-tc26-gost-3410-2012-256-paramSetB",
    "XchA": "id-tc26-gost-3410-2012-256-paramSetB",
    "TC26-256-C": "id-tc26-gost-3410-2012-256-paramSetC",
    "CryptoPro-B": "id-tc26-gost-3410-2012-256-paramSetC",
    "TC26-256-D": "id-tc26-gost-3410-2012-256-paramSetD",
    "CryptoPro-C": "id-tc26-gost-3410-2012-256-paramSetD",
    "XchB": "id-tc26-gost-3410-2012-256-paramSetD",
    "TC26-512-A": "id-tc26-gost-3410-12-512-paramSetA",
    "TC26-512-B": "id-tc26-gost-3410-12-512-paramSetB",
    "TC26-512-C": "id-tc26-gost-3410-2012-512-paramSetC",
}


@dataclass(frozen=True)
class _Key:
    parameter: str
    x: bytes
    """Big-endian, as the package takes it."""
    y: bytes


class _Digest:
    """A running digest; the package's own cannot be finished and go on."""

    def __init__(self, package: Any, name: str) -> None:
        self._running = package.gosthash.new(name)
        self.name = name
        self.digest_size = 64 if name == "streebog512" else 32

    def update(self, data: Buffer, /) -> None:
        """Feed octets."""
        if data:
            self._running.update(bytearray(data))

    def digest(self) -> bytes:
        """Return the digest so far."""
        return bytes(self._running.copy().digest())

    def copy(self) -> _Digest:
        """Return another that was fed the same."""
        other = object.__new__(_Digest)
        other._running, other.name, other.digest_size = self._running.copy(), self.name, self.digest_size
        return other


class GOSTCrypto:
    """Digests and verification."""

    parameters = frozenset(_CURVES)
    digests = frozenset({"streebog256", "streebog512"})
    signs = False

    def __init__(self, package: Any) -> None:
        from importlib.metadata import version

        self._package = package
        self.library = Library(
            "gostcrypto",
            version("gostcrypto"),
            "RFC 6986 10; signatures of gost-engine",
            warning="GOST is computed by gostcrypto, very slowly and for verifying only: install gost-engine or GnuTLS",
        )

    def new_digest(self, name: str) -> _Digest:
        """Return a running digest."""
        return _Digest(self._package, name)

    def digest(self, name: str, data: Buffer) -> bytes:
        """Return the digest of `data`."""
        running = self.new_digest(name)
        running.update(data)
        return running.digest()

    def load_public(self, spki: bytes) -> _Key:
        """Return a handle. On a curve with cofactor the point must have order q."""
        algorithm, wrapped = der.split_spki(spki)
        chosen = BY_OID.get(der.Reader(algorithm.parameters or b"").enter().oid())
        if chosen is None:
            raise BadKey("a parameter set that is not one of ours")
        point, size = der.Reader(wrapped).value(der.OCTET_STRING), chosen.curve.size
        x, y = point[:size][::-1], point[size:][::-1]
        numbers = int.from_bytes(x, "big"), int.from_bytes(y, "big")
        if not chosen.curve.holds(*numbers):
            raise BadKey("not a point on its curve")
        if chosen.curve.cofactor != 1 and not chosen.curve.prime_order(*numbers):
            raise BadKey("the point is outside the subgroup of prime order")
        return _Key(chosen.name, x, y)

    def verify(self, key: _Key, signature: bytes, data: bytes) -> bool:
        """Tell whether the signature over the digest is right. The package takes r ‖ s, and the digest reversed."""
        package = self._package.gostsignature
        mode = package.MODE_512 if BY_NAME[key.parameter].curve.size == 64 else package.MODE_256
        half = len(signature) // 2
        signer = package.new(mode, package.CURVES_R_1323565_1_024_2019[_CURVES[key.parameter]])
        turned = bytearray(signature[half:] + signature[:half])
        try:
            return bool(signer.verify(bytearray(key.x + key.y), bytearray(data[::-1]), turned))
        except Exception:  # noqa: BLE001 - it raises for values out of range, and ValueError for no inverse
            return False

    def generate(self, parameter: str) -> NoReturn:
        """Refuse."""
        raise self._refusal()

    def load_private(self, pkcs8: bytes) -> NoReturn:
        """Refuse."""
        raise self._refusal()

    def spki(self, key: Any) -> NoReturn:
        """Refuse."""
        raise self._refusal()

    def pkcs8(self, key: Any) -> NoReturn:
        """Refuse."""
        raise self._refusal()

    def sign(self, key: Any, data: bytes) -> NoReturn:
        """Refuse."""
        raise self._refusal()

    @staticmethod
    def _refusal() -> BackendUnavailable:
        return BackendUnavailable("gostcrypto is not constant-time and gets no private key")


def load() -> GOSTCrypto:
    """Load the package and let it pass the vectors. Raises BackendUnavailable."""
    try:
        package = import_module("gostcrypto")
        for name in ("gosthash", "gostsignature"):
            import_module(f"gostcrypto.{name}")
    except ImportError as error:
        raise BackendUnavailable("the optional package gostcrypto is not installed") from error
    backend = GOSTCrypto(package)
    try:
        gost_vectors.check_digests(backend)
        gost_vectors.check_known_signatures(backend)
    except BackendUnavailable:
        raise
    except CertsError as error:
        raise BackendUnavailable(f"gostcrypto failed its self-test: {error}") from error
    return backend
