"""Libraries that compute the national suites, in the order they are tried.

    backend = backends.sm2()                 # libcrypto, else GmSSL
    backend = backends.gost("TC26-256-B")    # gost-engine, else GnuTLS, else (verifying only) a slow Python package

Each is loaded when it is first needed and must pass the official vectors; one that fails is not used, and `tried` says
why. What only a last resort computes is announced by a `LastResortWarning`.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from certs.errors import BackendUnavailable
from certs.suites.base import Digest, Library

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12


class LastResortWarning(UserWarning):
    """A slow library computes a suite because no better one is on this machine."""


class Backend(Protocol):
    """A library that signs and verifies. Keys go in and out as DER in the suite's own form; handles are opaque."""

    library: Library

    def generate(self, parameter: str) -> Any:
        """Return a new private key."""
        ...

    def load_public(self, spki: bytes) -> Any:
        """Return a handle. Raises BadKey."""
        ...

    def load_private(self, pkcs8: bytes) -> Any:
        """Return a handle. Raises BadKey."""
        ...

    def spki(self, key: Any) -> bytes:
        """Return the public half."""
        ...

    def pkcs8(self, key: Any) -> bytes:
        """Return the private key, unencrypted."""
        ...

    def sign(self, key: Any, data: bytes) -> bytes:
        """Return a signature over `data`: SM2 takes the message, GOST the digest as hashed. Raises BackendFault."""
        ...

    def verify(self, key: Any, signature: bytes, data: bytes) -> bool:
        """Tell whether the signature is right."""
        ...


class SM2Backend(Backend, Protocol):
    """A library that also encrypts; a ciphertext is SM2Cipher, DER (GM/T 0009-2012 7.2)."""

    def encrypt(self, key: Any, data: bytes) -> bytes:
        """Return `data` (1 to 255 octets) encrypted to a public key. Raises BackendFault."""
        ...

    def decrypt(self, key: Any, ciphertext: bytes) -> bytes | None:
        """Return what was encrypted to the private key, or None where it does not decrypt."""
        ...


class GOSTBackend(Backend, Protocol):
    """A library that also hashes."""

    parameters: frozenset[str]
    """The parameter sets it computes; the names of `certs.suites.gost_parameters`."""
    signs: bool
    digests: frozenset[str]
    """The digests it computes; the names of `certs.suites.digests`."""

    def new_digest(self, name: str) -> Digest:
        """Return a running digest, one of `digests`."""
        ...

    def digest(self, name: str, data: Buffer) -> bytes:
        """Return the digest of `data` at once."""
        ...


_SM2 = ("libcrypto_sm2", "gmssl")
_GOST = ("gost_engine", "gnutls", "gostcrypto")
"""Modules here, best first; each has `load()` that returns a Backend or raises BackendUnavailable."""


_LAST_RESORT = frozenset({"gmssl", "gostcrypto"})

_lock = threading.RLock()
_loaded: dict[str, Any] = {}
"""Module to its backend, or to the BackendUnavailable it raised."""


def _load(name: str) -> Any:
    with _lock:
        if name not in _loaded:
            load: Callable[[], Any] = import_module(f"{__name__}.{name}").load
            try:
                _loaded[name] = load()
            except BackendUnavailable as error:
                _loaded[name] = error
        return _loaded[name]


def _working(modules: tuple[str, ...]) -> Iterator[Any]:
    """Yield the backends that work, best first; the next is loaded only where the one before does not do."""
    for name in modules:
        backend = _load(name)
        if not isinstance(backend, BackendUnavailable):
            yield backend


def reset() -> None:
    """Forget what was loaded, so that the next use tries again; for tests."""
    with _lock:
        _loaded.clear()


def tried() -> dict[str, str]:
    """Return every library there is a module for, and what came of it; a last resort is not loaded without need."""
    out = {}
    for modules in (_SM2, _GOST):
        best = _load(modules[0])
        for name in modules:
            if name in _LAST_RESORT and not isinstance(best, BackendUnavailable):
                out[name] = "not needed"
                continue
            backend = _load(name)
            out[name] = str(backend) if isinstance(backend, BackendUnavailable) else "works"
    return out


def _announce(backend: Any) -> None:
    if backend.library.warning:
        warnings.warn(backend.library.warning, LastResortWarning, stacklevel=4)


def _nothing(what: str, modules: tuple[str, ...]) -> BackendUnavailable:
    reasons = {name: str(_loaded[name]) for name in modules if isinstance(_loaded.get(name), BackendUnavailable)}
    return BackendUnavailable(f"no library on this machine {what}", tried=reasons)


def sm2() -> SM2Backend:
    """Return the library that computes SM2. Raises BackendUnavailable."""
    for backend in _working(_SM2):
        _announce(backend)
        chosen: SM2Backend = backend
        return chosen
    raise _nothing("computes SM2", _SM2)


def gost(parameter: str, *, sign: bool = False) -> GOSTBackend:
    """Return the library that computes GOST R 34.10-2012 with a parameter set. Raises BackendUnavailable."""
    for backend in _working(_GOST):
        if parameter in backend.parameters and (backend.signs or not sign):
            _announce(backend)
            chosen: GOSTBackend = backend
            return chosen
    raise _nothing(f"{'signs' if sign else 'verifies'} with GOST parameter set {parameter}", _GOST)


def gost_digests(name: str) -> GOSTBackend:
    """Return the library that computes a digest of the GOST family. Raises BackendUnavailable."""
    for backend in _working(_GOST):
        if name in backend.digests:
            _announce(backend)
            chosen: GOSTBackend = backend
            return chosen
    raise _nothing(f"computes {name}", _GOST)
