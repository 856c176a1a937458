"""The system's libcrypto (OpenSSL 3) through ctypes: loading it, keys in and out, its error queue.

SM2 and gost-engine both stand on this page. `cryptography` brings an OpenSSL of its own that exports none of these
functions; the two live in one process. SEALROAD_LIBCRYPTO names another build, for example a faster one.

Only the public EVP interface is used: no arithmetic and no padding is done here. A handle is freed with its Python
object; every call makes its own context, so handles may be shared by threads.
"""

from __future__ import annotations

import ctypes
import os
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_size_t, c_ulong, c_void_p
from functools import cache
from typing import Any

from certs.errors import BackendFault, BackendUnavailable, BadKey

_KEYS: dict[str, tuple[Any, list[Any]]] = {
    "OpenSSL_version": (c_char_p, [c_int]),
    "CRYPTO_free": (None, [c_void_p, c_char_p, c_int]),
    "ERR_get_error": (c_ulong, []),
    "ERR_error_string_n": (None, [c_ulong, c_void_p, c_size_t]),
    "ERR_clear_error": (None, []),
    "EVP_PKEY_free": (None, [c_void_p]),
    "EVP_PKEY_CTX_new": (c_void_p, [c_void_p, c_void_p]),
    "EVP_PKEY_CTX_free": (None, [c_void_p]),
    "d2i_PUBKEY": (c_void_p, [c_void_p, POINTER(c_char_p), c_long]),
    "i2d_PUBKEY": (c_int, [c_void_p, POINTER(c_void_p)]),
    "d2i_AutoPrivateKey": (c_void_p, [c_void_p, POINTER(c_char_p), c_long]),
    "EVP_PKEY2PKCS8": (c_void_p, [c_void_p]),
    "i2d_PKCS8_PRIV_KEY_INFO": (c_int, [c_void_p, POINTER(c_void_p)]),
    "PKCS8_PRIV_KEY_INFO_free": (None, [c_void_p]),
}
ENCRYPTING: dict[str, tuple[Any, list[Any]]] = {
    "EVP_PKEY_encrypt_init": (c_int, [c_void_p]),
    "EVP_PKEY_encrypt": (c_int, [c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t]),
    "EVP_PKEY_decrypt_init": (c_int, [c_void_p]),
    "EVP_PKEY_decrypt": (c_int, [c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t]),
}
"""For whoever encrypts to keys: SM2, and gost-engine's transport."""
_NAMES = ("libcrypto.so.3", "libcrypto.so.4")


class Key:
    """An EVP_PKEY; freed with this object."""

    __slots__ = ("_free", "pointer")

    def __init__(self, library: LibCrypto, pointer: int) -> None:
        self.pointer = pointer
        self._free = library.EVP_PKEY_free

    def __del__(self) -> None:
        self._free(self.pointer)


class LibCrypto:
    """One loaded libcrypto; its functions are attributes."""

    def __init__(self, handle: ctypes.CDLL) -> None:
        self._handle = handle
        self.declare(_KEYS)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{name} was not declared")  # a call without prototype would pass pointers as 32 bits

    def declare(self, prototypes: dict[str, tuple[Any, list[Any]]]) -> None:
        """Make functions attributes of this object. Raises BackendUnavailable where the build has not got one."""
        for name, (result, arguments) in prototypes.items():
            try:
                function = self._handle[name]
            except AttributeError as error:
                raise BackendUnavailable(f"{self._handle._name} has no {name}") from error  # noqa: SLF001 - for people
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)

    def version(self) -> str:
        """Return "OpenSSL 3.0.17 1 Jul 2025"."""
        text: bytes = self.OpenSSL_version(0)
        return text.decode("ascii", "replace")

    def fault(self, what: str) -> BackendFault:
        """Return the error for a call that failed, with the library's own words; empties the error queue."""
        reasons = []
        while code := self.ERR_get_error():
            text = ctypes.create_string_buffer(256)
            self.ERR_error_string_n(code, text, 256)
            reasons.append(text.value.decode("ascii", "replace"))
        return BackendFault(f"libcrypto failed: {what}", reasons=reasons)

    def _encode(self, function: Any, pointer: int, what: str) -> bytes:
        """Call an i2d function that allocates."""
        out = c_void_p()
        length = function(pointer, byref(out))
        if length <= 0 or out.value is None:
            raise self.fault(what)
        try:
            return ctypes.string_at(out.value, length)
        finally:
            self.CRYPTO_free(out, None, 0)

    def spki(self, key: Key) -> bytes:
        """Return SubjectPublicKeyInfo, DER."""
        return self._encode(self.i2d_PUBKEY, key.pointer, "encode a public key")

    def pkcs8(self, key: Key) -> bytes:
        """Return PrivateKeyInfo, DER."""
        info = self.EVP_PKEY2PKCS8(key.pointer)
        if not info:
            raise self.fault("encode a private key")
        try:
            return self._encode(self.i2d_PKCS8_PRIV_KEY_INFO, info, "encode a private key")
        finally:
            self.PKCS8_PRIV_KEY_INFO_free(info)

    def load_public(self, spki: bytes) -> Key:
        """Return the key in SubjectPublicKeyInfo. Raises BadKey."""
        return self._decode(self.d2i_PUBKEY, spki, "public")

    def load_private(self, pkcs8: bytes) -> Key:
        """Return the key in PrivateKeyInfo; its range is for the caller to check. Raises BadKey."""
        return self._decode(self.d2i_AutoPrivateKey, pkcs8, "private")

    def _decode(self, function: Any, encoded: bytes, what: str) -> Key:
        cursor = c_char_p(encoded)
        pointer = function(None, byref(cursor), len(encoded))
        if not pointer:
            self.ERR_clear_error()
            raise BadKey(f"not a usable {what} key")
        return Key(self, pointer)


@cache
def load() -> LibCrypto:
    """Load the library. Raises BackendUnavailable where there is none."""
    wanted = os.environ.get("SEALROAD_LIBCRYPTO")
    for name in (wanted,) if wanted else _NAMES:
        try:
            return LibCrypto(ctypes.CDLL(name))
        except OSError:
            continue
    raise BackendUnavailable(
        f"there is no {wanted or ' or '.join(_NAMES)} on this machine", hint="install OpenSSL 3 (Debian: libssl3)"
    )
