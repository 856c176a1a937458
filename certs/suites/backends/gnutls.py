"""GOST by GnuTLS (libgnutls.so.30, LGPL-2.1+, dynamic): CryptoPro-A = XchA = 256-B, and 512-A; Streebog.

Those are the curves of nearly every Russian certificate. Debian has this library wherever it has apt.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_size_t, c_uint, c_void_p, cast
from typing import TYPE_CHECKING, Any

from certs import der
from certs.errors import BackendFault, BackendUnavailable, BadKey
from certs.suites.backends import gost_vectors
from certs.suites.base import AlgorithmID, Library
from certs.suites.gost_parameters import BY_NAME, BY_OID

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12

_DER = 0  # GNUTLS_X509_FMT_DER
_CURVE = 0x80000000  # GNUTLS_CURVE_TO_BITS
_CURVES = {
    "CryptoPro-A": b"CryptoPro-A",
    "XchA": b"CryptoPro-XchA",
    "TC26-256-B": b"TC26-256-B",
    "TC26-512-A": b"TC26-512-A",
}


class _Datum(Structure):
    """gnutls_datum_t."""

    _fields_ = (("data", c_void_p), ("size", c_uint))


def _datum(octets: bytes) -> _Datum:
    """Return a datum over `octets`, which the caller keeps alive for as long as the call lasts."""
    return _Datum(cast(c_char_p(octets), c_void_p), len(octets))


_D = POINTER(_Datum)
_PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "gnutls_check_version": (c_char_p, [c_char_p]),
    "gnutls_strerror": (c_char_p, [c_int]),
    "gnutls_digest_get_id": (c_int, [c_char_p]),
    "gnutls_pk_get_id": (c_int, [c_char_p]),
    "gnutls_ecc_curve_get_id": (c_int, [c_char_p]),
    "gnutls_pk_to_sign": (c_int, [c_int, c_int]),
    "gnutls_hash_init": (c_int, [POINTER(c_void_p), c_int]),
    "gnutls_hash": (c_int, [c_void_p, c_char_p, c_size_t]),
    "gnutls_hash_copy": (c_void_p, [c_void_p]),
    "gnutls_hash_deinit": (None, [c_void_p, c_char_p]),
    "gnutls_privkey_init": (c_int, [POINTER(c_void_p)]),
    "gnutls_privkey_deinit": (None, [c_void_p]),
    "gnutls_privkey_generate": (c_int, [c_void_p, c_int, c_uint, c_uint]),
    "gnutls_privkey_import_x509_raw": (c_int, [c_void_p, _D, c_int, c_char_p, c_uint]),
    "gnutls_privkey_export_gost_raw2": (c_int, [c_void_p, *[POINTER(c_int)] * 3, _D, _D, _D, c_uint]),
    "gnutls_privkey_sign_hash": (c_int, [c_void_p, c_int, c_uint, _D, _D]),
    "gnutls_pubkey_init": (c_int, [POINTER(c_void_p)]),
    "gnutls_pubkey_deinit": (None, [c_void_p]),
    "gnutls_pubkey_import": (c_int, [c_void_p, _D, c_int]),
    "gnutls_pubkey_verify_hash2": (c_int, [c_void_p, c_int, c_uint, _D, _D]),
}


class _Key:
    """A private or public key of the library; freed with this object."""

    __slots__ = ("_free", "bits", "parameter", "pointer")

    def __init__(self, pointer: c_void_p, free: Any, parameter: str) -> None:
        self.pointer = pointer
        self.parameter = parameter
        self.bits = 8 * BY_NAME[parameter].curve.size
        self._free = free

    def __del__(self) -> None:
        self._free(self.pointer)


class _Digest:
    """A running digest of the library."""

    __slots__ = ("_handle", "_lib", "digest_size", "name")

    def __init__(self, lib: GnuTLS, name: str, kind: int) -> None:
        self._lib = lib
        self.name = name
        self.digest_size = 64 if name == "streebog512" else 32
        self._handle = c_void_p()
        lib.check(lib.call("gnutls_hash_init", byref(self._handle), kind), f"start {name}")

    def __del__(self) -> None:
        if self._handle:
            self._lib.call("gnutls_hash_deinit", self._handle, None)

    def update(self, data: Buffer, /) -> None:
        """Feed octets."""
        octets = data if type(data) is bytes else bytes(data)
        self._lib.check(self._lib.call("gnutls_hash", self._handle, octets, len(octets)), f"compute {self.name}")

    def digest(self) -> bytes:
        """Return the digest so far; finishes a copy, so that it can go on."""
        copy = self._lib.call("gnutls_hash_copy", self._handle)
        if not copy:
            raise BackendFault(f"GnuTLS failed to finish {self.name}")
        out = ctypes.create_string_buffer(64)
        self._lib.call("gnutls_hash_deinit", copy, out)
        return out.raw[: self.digest_size]

    def copy(self) -> _Digest:
        """Return another that was fed the same."""
        other = object.__new__(_Digest)
        other._lib, other.name, other.digest_size = self._lib, self.name, self.digest_size
        other._handle = c_void_p(self._lib.call("gnutls_hash_copy", self._handle))
        if not other._handle:
            raise BackendFault(f"GnuTLS failed to copy {self.name}")
        return other


class GnuTLS:
    """Keys, signatures and digests of the library."""

    parameters = frozenset(_CURVES)
    digests = frozenset({"streebog256", "streebog512"})
    signs = True

    def __init__(self, handle: ctypes.CDLL) -> None:
        self._functions: dict[str, Any] = {}
        for name, (result, arguments) in _PROTOTYPES.items():
            try:
                function = handle[name]
            except AttributeError as error:
                raise BackendUnavailable(f"this libgnutls has no {name}") from error
            function.restype, function.argtypes = result, arguments
            self._functions[name] = function
        # gnutls_free is no function but a variable that points to one
        self._free = ctypes.CFUNCTYPE(None, c_void_p)(c_void_p.in_dll(handle, "gnutls_free").value or 0)
        self._digests = {bits: self.call("gnutls_digest_get_id", b"STREEBOG-%d" % bits) for bits in (256, 512)}
        self._keys = {bits: self.call("gnutls_pk_get_id", b"GOST R 34.10-2012-%d" % bits) for bits in (256, 512)}
        if not all((*self._digests.values(), *self._keys.values())):
            raise BackendUnavailable("this libgnutls was built without GOST")
        self._schemes = {
            bits: self.call("gnutls_pk_to_sign", self._keys[bits], self._digests[bits]) for bits in (256, 512)
        }
        version = self.call("gnutls_check_version", None).decode("ascii", "replace")
        self.library = Library(
            "GnuTLS", version, "RFC 6986 10; signatures of gost-engine; signs, verifies and refuses on 256-B and 512-A"
        )

    def call(self, name: str, *arguments: Any) -> Any:
        """Call a function of the library."""
        return self._functions[name](*arguments)

    def check(self, result: int, what: str) -> None:
        """Raise BackendFault where `result` is an error."""
        if result < 0:
            words = self.call("gnutls_strerror", result).decode("ascii", "replace")
            raise BackendFault(f"GnuTLS failed: {what}", reason=words)

    def _take(self, datum: _Datum) -> bytes:
        """Return the octets the library allocated, and free them."""
        try:
            return ctypes.string_at(datum.data or 0, datum.size) if datum.size else b""
        finally:
            self._free(datum.data)

    def new_digest(self, name: str) -> _Digest:
        """Return a running digest."""
        return _Digest(self, name, self._digests[512 if name == "streebog512" else 256])

    def digest(self, name: str, data: Buffer) -> bytes:
        """Return the digest of `data`."""
        running = self.new_digest(name)
        running.update(data)
        return running.digest()

    def _private(self, parameter: str) -> _Key:
        pointer = c_void_p()
        self.check(self.call("gnutls_privkey_init", byref(pointer)), "make a key")
        return _Key(pointer, self._functions["gnutls_privkey_deinit"], parameter)

    def generate(self, parameter: str) -> _Key:
        """Return a new key."""
        key = self._private(parameter)
        curve = _CURVE | self.call("gnutls_ecc_curve_get_id", _CURVES[parameter])
        self.check(self.call("gnutls_privkey_generate", key.pointer, self._keys[key.bits], curve, 0), "generate a key")
        return key

    def load_public(self, spki: bytes) -> _Key:
        """Return a handle."""
        pointer = c_void_p()
        self.check(self.call("gnutls_pubkey_init", byref(pointer)), "make a key")
        key = _Key(pointer, self._functions["gnutls_pubkey_deinit"], _parameter(der.split_spki(spki)[0]))
        if self.call("gnutls_pubkey_import", pointer, byref(_datum(spki)), _DER) < 0:
            raise BadKey("not a usable public key")
        return key

    def load_private(self, pkcs8: bytes) -> _Key:
        """Return a handle."""
        key = self._private(_parameter(der.split_pkcs8(pkcs8)[0]))
        if self.call("gnutls_privkey_import_x509_raw", key.pointer, byref(_datum(pkcs8)), _DER, None, 0) < 0:
            raise BadKey("not a usable private key")
        return key

    def _numbers(self, key: _Key) -> tuple[bytes, bytes, bytes]:
        """Return x, y and d, little-endian, in full length."""
        kinds, data = [c_int() for _ in range(3)], [_Datum() for _ in range(3)]
        arguments = [byref(item) for item in (*kinds, *data)]
        self.check(self.call("gnutls_privkey_export_gost_raw2", key.pointer, *arguments, 0), "encode a key")
        x, y, d = (self._take(item).ljust(key.bits // 8, b"\0")[: key.bits // 8] for item in data)
        return x, y, d

    def spki(self, key: _Key) -> bytes:
        """Return the public half of a private key."""
        x, y, _ = self._numbers(key)
        return der.subject_public_key_info(BY_NAME[key.parameter].key_algorithm(), der.octet_string(x + y))

    def pkcs8(self, key: _Key) -> bytes:
        """Return the private key."""
        return der.private_key_info(BY_NAME[key.parameter].key_algorithm(), self._numbers(key)[2])

    def sign(self, key: _Key, data: bytes) -> bytes:
        """Return s ‖ r over a digest."""
        out = _Datum()
        arguments = (key.pointer, self._digests[key.bits], 0, byref(_datum(data)), byref(out))
        self.check(self.call("gnutls_privkey_sign_hash", *arguments), "sign with GOST")
        return self._take(out)

    def verify(self, key: _Key, signature: bytes, data: bytes) -> bool:
        """Tell whether the signature over the digest is right."""
        arguments = (key.pointer, self._schemes[key.bits], 0, byref(_datum(data)), byref(_datum(signature)))
        good: bool = self.call("gnutls_pubkey_verify_hash2", *arguments) >= 0
        return good


def _parameter(algorithm: AlgorithmID) -> str:
    chosen = BY_OID.get(der.Reader(algorithm.parameters or b"").enter().oid())
    if chosen is None or chosen.name not in _CURVES:
        raise BadKey("a parameter set that GnuTLS does not compute")
    return chosen.name


def load() -> GnuTLS:
    """Load the library and let it pass the vectors. Raises BackendUnavailable."""
    try:
        handle = ctypes.CDLL("libgnutls.so.30")
    except OSError as error:
        raise BackendUnavailable("there is no libgnutls.so.30 on this machine") from error
    try:
        backend = GnuTLS(handle)
        gost_vectors.check_digests(backend)
        gost_vectors.check_known_signatures(backend)
        gost_vectors.check_signing(backend, ("TC26-256-B", "TC26-512-A"))
    except (BackendFault, BadKey) as error:
        raise BackendUnavailable(f"GnuTLS failed its self-test: {error}") from error
    return backend
