"""GOST by the system's libcrypto and gost-engine (Debian 12: libengine-gost-openssl). All parameter sets, fast.

Loaded without a configuration file and without environment: the engine lies in the library's own ENGINESDIR. Only raw
operations are taken from it: digests, keys, sign and verify over a digest. SEALROAD_GOST_ENGINE names another file.
"""

from __future__ import annotations

import ctypes
import os
import re
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint, c_uint64, c_void_p
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certs.errors import BackendFault, BackendUnavailable, BadKey
from certs.suites.backends import gost_vectors, libcrypto
from certs.suites.backends.libcrypto import Key, LibCrypto
from certs.suites.base import Library
from certs.suites.gost_parameters import BY_NAME, Curve

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12

_PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "OPENSSL_init_crypto": (c_int, [c_uint64, c_void_p]),
    "ENGINE_by_id": (c_void_p, [c_char_p]),
    "ENGINE_free": (c_int, [c_void_p]),
    "ENGINE_init": (c_int, [c_void_p]),
    "ENGINE_ctrl_cmd_string": (c_int, [c_void_p, c_char_p, c_char_p, c_int]),
    "ENGINE_set_default": (c_int, [c_void_p, c_uint]),
    "ENGINE_get_name": (c_char_p, [c_void_p]),
    "EVP_get_digestbyname": (c_void_p, [c_char_p]),
    "EVP_MD_CTX_new": (c_void_p, []),
    "EVP_MD_CTX_free": (None, [c_void_p]),
    "EVP_MD_CTX_copy_ex": (c_int, [c_void_p, c_void_p]),
    "EVP_DigestInit_ex": (c_int, [c_void_p, c_void_p, c_void_p]),
    "EVP_DigestUpdate": (c_int, [c_void_p, c_char_p, c_size_t]),
    "EVP_DigestFinal_ex": (c_int, [c_void_p, c_char_p, POINTER(c_uint)]),
    "EVP_Digest": (c_int, [c_char_p, c_size_t, c_char_p, POINTER(c_uint), c_void_p, c_void_p]),
    "OBJ_txt2nid": (c_int, [c_char_p]),
    "EVP_PKEY_get_size": (c_int, [c_void_p]),
    "EVP_PKEY_CTX_new_id": (c_void_p, [c_int, c_void_p]),
    "EVP_PKEY_CTX_ctrl_str": (c_int, [c_void_p, c_char_p, c_char_p]),
    "EVP_PKEY_keygen_init": (c_int, [c_void_p]),
    "EVP_PKEY_keygen": (c_int, [c_void_p, POINTER(c_void_p)]),
    "EVP_PKEY_sign_init": (c_int, [c_void_p]),
    "EVP_PKEY_sign": (c_int, [c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t]),
    "EVP_PKEY_verify_init": (c_int, [c_void_p]),
    "EVP_PKEY_verify": (c_int, [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t]),
    "BN_bin2bn": (c_void_p, [c_char_p, c_int, c_void_p]),
    "BN_free": (None, [c_void_p]),
    "EC_GROUP_new_curve_GFp": (c_void_p, [c_void_p, c_void_p, c_void_p, c_void_p]),
    "EC_GROUP_free": (None, [c_void_p]),
    "EC_POINT_new": (c_void_p, [c_void_p]),
    "EC_POINT_free": (None, [c_void_p]),
    "EC_POINT_set_affine_coordinates": (c_int, [c_void_p, c_void_p, c_void_p, c_void_p, c_void_p]),
    "EC_POINT_mul": (c_int, [c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p]),
    "EC_POINT_is_at_infinity": (c_int, [c_void_p, c_void_p]),
}
_INIT = 0x400 | 0x2  # OPENSSL_INIT_ENGINE_DYNAMIC, OPENSSL_INIT_LOAD_CRYPTO_STRINGS
_EVERYTHING = 0xFFFF  # ENGINE_METHOD_ALL

_DIGESTS = {"streebog256": b"md_gost12_256", "streebog512": b"md_gost12_512", "gost94": b"md_gost94"}
_KEYS = {32: b"1.2.643.7.1.1.1.1", 64: b"1.2.643.7.1.1.1.2"}
_PARAMETERS = {
    "CryptoPro-A": b"A",
    "CryptoPro-B": b"B",
    "CryptoPro-C": b"C",
    "XchA": b"XA",
    "XchB": b"XB",
    "TC26-256-A": b"TCA",
    "TC26-256-B": b"TCB",
    "TC26-256-C": b"TCC",
    "TC26-256-D": b"TCD",
    "TC26-512-A": b"A",
    "TC26-512-B": b"B",
    "TC26-512-C": b"C",
}
"""Our name to the engine's."""


class _Digest:
    """A running digest of the engine."""

    __slots__ = ("_context", "_lib", "digest_size", "name")

    def __init__(self, lib: LibCrypto, name: str, kind: c_void_p) -> None:
        self._lib = lib
        self.name = name
        self.digest_size = 64 if name == "streebog512" else 32
        self._context = lib.EVP_MD_CTX_new()
        if lib.EVP_DigestInit_ex(self._context, kind, None) != 1:
            raise lib.fault(f"start {name}")

    def __del__(self) -> None:
        self._lib.EVP_MD_CTX_free(self._context)

    def update(self, data: Buffer, /) -> None:
        """Feed octets."""
        octets = data if type(data) is bytes else bytes(data)
        if self._lib.EVP_DigestUpdate(self._context, octets, len(octets)) != 1:
            raise self._lib.fault(f"compute {self.name}")

    def digest(self) -> bytes:
        """Return the digest so far; finishes a copy, so that it can go on."""
        lib = self._lib
        copy = lib.EVP_MD_CTX_new()
        try:
            out, length = ctypes.create_string_buffer(64), c_uint()
            if (
                lib.EVP_MD_CTX_copy_ex(copy, self._context) != 1
                or lib.EVP_DigestFinal_ex(copy, out, byref(length)) != 1
            ):
                raise lib.fault(f"finish {self.name}")
            return out.raw[: length.value]
        finally:
            lib.EVP_MD_CTX_free(copy)

    def copy(self) -> _Digest:
        """Return another that was fed the same."""
        other = object.__new__(_Digest)
        other._lib, other.name, other.digest_size = self._lib, self.name, self.digest_size
        other._context = self._lib.EVP_MD_CTX_new()
        if self._lib.EVP_MD_CTX_copy_ex(other._context, self._context) != 1:
            raise self._lib.fault(f"copy {self.name}")
        return other


class GOSTEngine:
    """Keys, signatures and digests of the engine."""

    parameters = frozenset(_PARAMETERS)
    digests = frozenset(_DIGESTS)
    signs = True

    def __init__(self, lib: LibCrypto) -> None:
        self._lib = lib
        lib.declare(_PROTOTYPES)
        engine = _load_engine(lib)
        self._digests = {name: c_void_p(lib.EVP_get_digestbyname(theirs)) for name, theirs in _DIGESTS.items()}
        self._nids = {size: lib.OBJ_txt2nid(oid) for size, oid in _KEYS.items()}
        title: bytes = lib.ENGINE_get_name(engine) or b"gost"
        self.library = Library(
            "gost-engine",
            f"{title.decode('ascii', 'replace')}, {lib.version()}",
            "RFC 6986 10, RFC 7091 7.1; signs, verifies and refuses on 256-B and 512-A",
        )

    def new_digest(self, name: str) -> _Digest:
        """Return a running digest."""
        return _Digest(self._lib, name, self._digests[name])

    def digest(self, name: str, data: Buffer) -> bytes:
        """Return the digest of `data`: one call instead of ten, which shows beside a signature."""
        octets = data if type(data) is bytes else bytes(data)
        out, length = ctypes.create_string_buffer(64), c_uint()
        if self._lib.EVP_Digest(octets, len(octets), out, byref(length), self._digests[name], None) != 1:
            raise self._lib.fault(f"compute {name}")
        return out.raw[: length.value]

    def generate(self, parameter: str) -> Key:
        """Return a new key."""
        lib, out = self._lib, c_void_p()
        context = lib.EVP_PKEY_CTX_new_id(self._nids[BY_NAME[parameter].curve.size], None)
        try:
            good = (
                lib.EVP_PKEY_keygen_init(context) > 0
                and lib.EVP_PKEY_CTX_ctrl_str(context, b"paramset", _PARAMETERS[parameter]) > 0
                and lib.EVP_PKEY_keygen(context, byref(out)) > 0
            )
            if not good or out.value is None:
                raise lib.fault(f"generate a key of {parameter}")
            return Key(lib, out.value)
        finally:
            lib.EVP_PKEY_CTX_free(context)

    def load_public(self, spki: bytes) -> Key:
        """Return a handle. On a curve with cofactor the point must have order q."""
        from certs import der, oids
        from certs.suites.gost_parameters import BY_OID

        algorithm, wrapped = der.split_spki(spki)
        curve = der.Reader(algorithm.parameters or b"").enter().oid()
        chosen = BY_OID.get(curve)
        if chosen is None and curve != oids.CRYPTOPRO_TEST:
            raise BadKey("a parameter set that is not one of ours")
        if chosen is not None and chosen.curve.cofactor != 1:
            self._check_order(chosen.curve, der.Reader(wrapped).value(der.OCTET_STRING))
        return self._lib.load_public(spki)

    def load_private(self, pkcs8: bytes) -> Key:
        """Return a handle."""
        return self._lib.load_private(pkcs8)

    def spki(self, key: Key) -> bytes:
        """Return the public half."""
        return self._lib.spki(key)

    def pkcs8(self, key: Key) -> bytes:
        """Return the private key."""
        return self._lib.pkcs8(key)

    def sign(self, key: Key, data: bytes) -> bytes:
        """Return s ‖ r over a digest."""
        lib = self._lib
        if not self._fits(key, data):
            raise BackendFault("a GOST digest is as long as its key")
        out, length = ctypes.create_string_buffer(128), c_size_t(128)
        context = lib.EVP_PKEY_CTX_new(key.pointer, None)
        try:
            if lib.EVP_PKEY_sign_init(context) <= 0 or (
                lib.EVP_PKEY_sign(context, out, byref(length), data, len(data)) <= 0
            ):
                raise lib.fault("sign with GOST")
            return out.raw[: length.value]
        finally:
            lib.EVP_PKEY_CTX_free(context)

    def verify(self, key: Key, signature: bytes, data: bytes) -> bool:
        """Tell whether the signature over the digest is right."""
        lib = self._lib
        if not self._fits(key, data) or len(signature) != 2 * len(data):  # s ‖ r, nothing behind them
            return False
        context = lib.EVP_PKEY_CTX_new(key.pointer, None)
        try:
            if lib.EVP_PKEY_verify_init(context) <= 0:
                raise lib.fault("start to verify with GOST")
            good: bool = lib.EVP_PKEY_verify(context, signature, len(signature), data, len(data)) == 1
        finally:
            lib.EVP_PKEY_CTX_free(context)
        if not good:
            lib.ERR_clear_error()  # a refusal leaves entries that a later call would report as its own
        return good

    def _fits(self, key: Key, data: bytes) -> bool:
        """Tell whether a digest is as long as the key's numbers."""
        size: int = self._lib.EVP_PKEY_get_size(key.pointer)  # of a signature: two numbers
        return 2 * len(data) == size

    def _check_order(self, curve: Curve, point: bytes) -> None:
        """Raise BadKey unless q·P is the neutral point."""
        lib = self._lib
        x, y = point[: curve.size][::-1], point[curve.size :][::-1]
        numbers = [curve.p, curve.a, curve.b, curve.q]
        octets = [number.to_bytes(curve.size, "big") for number in numbers] + [x, y]
        bignums = [lib.BN_bin2bn(item, len(item), None) for item in octets]
        group = lib.EC_GROUP_new_curve_GFp(*bignums[:3], None)
        start, end = lib.EC_POINT_new(group), lib.EC_POINT_new(group)
        try:
            if lib.EC_POINT_set_affine_coordinates(group, start, bignums[4], bignums[5], None) != 1:
                lib.ERR_clear_error()
                raise BadKey("not a point on its curve")
            if lib.EC_POINT_mul(group, end, None, start, bignums[3], None) != 1:
                raise lib.fault("check the order of a point")
            if lib.EC_POINT_is_at_infinity(group, end) != 1:
                raise BadKey("the point is outside the subgroup of prime order")
        finally:
            lib.EC_POINT_free(start)
            lib.EC_POINT_free(end)
            lib.EC_GROUP_free(group)
            for bignum in bignums:
                lib.BN_free(bignum)


@cache
def _load_engine(lib: LibCrypto) -> int:
    """Load the engine once: a second time in one process fails."""
    lib.OPENSSL_init_crypto(_INIT, None)
    path = os.environ.get("SEALROAD_GOST_ENGINE")
    if not path:
        # 'ENGINESDIR: "/usr/lib/…/engines-3"' of this very library (OPENSSL_ENGINES_DIR = 5)
        where = re.search(rb'"(.*)"', lib.OpenSSL_version(5) or b"")
        path = str(Path(where[1].decode()) / "gost.so") if where else "gost.so"
    if not Path(path).is_file():
        raise BackendUnavailable(
            "gost-engine is not installed", hint="Debian 12: apt-get install libengine-gost-openssl"
        )
    engine: int = lib.ENGINE_by_id(b"dynamic")
    if not engine:
        raise BackendUnavailable("this libcrypto loads no engines")
    commands = ((b"SO_PATH", path.encode()), (b"ID", b"gost"), (b"LIST_ADD", b"1"), (b"LOAD", None))
    if not (
        all(lib.ENGINE_ctrl_cmd_string(engine, name, value, 0) for name, value in commands)
        and lib.ENGINE_init(engine)
        and lib.ENGINE_set_default(engine, _EVERYTHING)
    ):
        lib.ENGINE_free(engine)
        raise BackendUnavailable(f"gost-engine could not be loaded: {lib.fault('load it').facts['reasons']}")
    return engine


def load() -> GOSTEngine:
    """Load the engine and let it pass the vectors. Raises BackendUnavailable."""
    try:
        backend = GOSTEngine(libcrypto.load())
        gost_vectors.check_digests(backend)
        known = backend.load_public(gost_vectors.rfc7091_spki())
        value, digest = gost_vectors.RFC7091_SIGNATURE, gost_vectors.RFC7091_DIGEST
        if not backend.verify(known, value, digest) or backend.verify(known, value[32:] + value[:32], digest):
            raise BackendUnavailable("gost-engine failed RFC 7091 7.1")
        gost_vectors.check_signing(backend, ("TC26-256-B", "TC26-512-A"))
    except (BackendFault, BadKey) as error:
        raise BackendUnavailable(f"gost-engine failed its self-test: {error}") from error
    return backend
