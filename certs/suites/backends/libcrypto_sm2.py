"""SM2 by the system's libcrypto. Some distributions build it without (Red Hat, SUSE, Alpine); Debian's has it.

The identifier 1234567812345678 (GM/T 0009-2012 clause 10) is set on every context: OpenSSL's own default is none.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_void_p
from typing import Any

from certs.errors import BackendFault, BackendUnavailable, BadKey
from certs.suites.backends import libcrypto
from certs.suites.backends.libcrypto import ENCRYPTING, Key, LibCrypto
from certs.suites.backends.sm2_vectors import IDENTIFIER, self_test
from certs.suites.base import Library

_SM2: dict[str, tuple[Any, list[Any]]] = {
    "EVP_sm3": (c_void_p, []),
    "EVP_MD_CTX_new": (c_void_p, []),
    "EVP_MD_CTX_free": (None, [c_void_p]),
    "EVP_MD_CTX_set_pkey_ctx": (None, [c_void_p, c_void_p]),
    "EVP_PKEY_CTX_set1_id": (c_int, [c_void_p, c_char_p, c_int]),
    "EVP_DigestSignInit": (c_int, [c_void_p, c_void_p, c_void_p, c_void_p, c_void_p]),
    "EVP_DigestSign": (c_int, [c_void_p, c_void_p, POINTER(c_size_t), c_char_p, c_size_t]),
    "EVP_DigestVerifyInit": (c_int, [c_void_p, c_void_p, c_void_p, c_void_p, c_void_p]),
    "EVP_DigestVerify": (c_int, [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t]),
    "EVP_PKEY_Q_keygen": (c_void_p, [c_void_p, c_char_p, c_char_p]),
    "EVP_PKEY_is_a": (c_int, [c_void_p, c_char_p]),
    "EVP_PKEY_check": (c_int, [c_void_p]),
}
_MAX_SIGNATURE = 72
_CIPHER_OVERHEAD = 128
"""Octets of SM2Cipher around its ciphertext: two coordinates, the hash and the headers; 112 at most."""


class LibCryptoSM2:
    """SM2 keys and signatures."""

    def __init__(self, lib: LibCrypto) -> None:
        self._lib = lib
        lib.declare(_SM2 | ENCRYPTING)
        sm3 = lib.EVP_sm3()
        if not sm3:
            raise BackendUnavailable("this libcrypto was built without SM3")
        self._sm3 = c_void_p(sm3)
        self.library = Library(
            "libcrypto", lib.version(), "GB/T 32918.5 annexes A and C; signs, verifies, decrypts and refuses"
        )

    def generate(self, parameter: str) -> Key:
        """Return a new key."""
        pointer = self._lib.EVP_PKEY_Q_keygen(None, None, b"SM2")
        if not pointer:
            raise self._lib.fault("generate an SM2 key")
        return Key(self._lib, pointer)

    def load_public(self, spki: bytes) -> Key:
        """Return a handle; libcrypto refuses a point that is not on the curve."""
        return self._is_sm2(self._lib.load_public(spki))

    def load_private(self, pkcs8: bytes) -> Key:
        """Return a handle, once range and pair are checked: 1 ≤ d ≤ n−2 (GB/T 32918.1-2016 6.1)."""
        key = self._is_sm2(self._lib.load_private(pkcs8))
        context = self._lib.EVP_PKEY_CTX_new(key.pointer, None)
        good = self._lib.EVP_PKEY_check(context) == 1
        self._lib.EVP_PKEY_CTX_free(context)
        self._lib.ERR_clear_error()
        if not good:
            raise BadKey("the SM2 private key is out of range, or its public half belongs to another")
        return key

    def _is_sm2(self, key: Key) -> Key:
        if not self._lib.EVP_PKEY_is_a(key.pointer, b"SM2"):
            raise BadKey("not an SM2 key")
        return key

    def spki(self, key: Key) -> bytes:
        """Return the public half."""
        return self._lib.spki(key)

    def pkcs8(self, key: Key) -> bytes:
        """Return the private key."""
        return self._lib.pkcs8(key)

    def sign(self, key: Key, data: bytes) -> bytes:
        """Return DER SEQUENCE { r, s } over SM3(Z ‖ message)."""
        digest, context = self._start(self._lib.EVP_DigestSignInit, key)
        try:
            out, length = ctypes.create_string_buffer(_MAX_SIGNATURE), c_size_t(_MAX_SIGNATURE)
            if self._lib.EVP_DigestSign(digest, out, byref(length), data, len(data)) <= 0:
                raise self._lib.fault("sign with SM2")
            return out.raw[: length.value]
        finally:
            self._end(digest, context)

    def verify(self, key: Key, signature: bytes, data: bytes) -> bool:
        """Tell whether the signature over the message is right."""
        digest, context = self._start(self._lib.EVP_DigestVerifyInit, key)
        try:
            good: bool = self._lib.EVP_DigestVerify(digest, signature, len(signature), data, len(data)) == 1
        finally:
            self._end(digest, context)
        if not good:
            self._lib.ERR_clear_error()  # a refusal leaves entries that a later call would report as its own
        return good

    def encrypt(self, key: Key, data: bytes) -> bytes:
        """Return SM2Cipher."""
        out = self._crypt(self._lib.EVP_PKEY_encrypt_init, self._lib.EVP_PKEY_encrypt, key, data)
        if out is None:
            raise self._lib.fault("encrypt with SM2")
        return out

    def decrypt(self, key: Key, ciphertext: bytes) -> bytes | None:
        """Return the plaintext, or None."""
        out = self._crypt(self._lib.EVP_PKEY_decrypt_init, self._lib.EVP_PKEY_decrypt, key, ciphertext)
        self._lib.ERR_clear_error()
        return out

    def _crypt(self, init: Any, function: Any, key: Key, data: bytes) -> bytes | None:
        size = len(data) + _CIPHER_OVERHEAD
        out, length = ctypes.create_string_buffer(size), c_size_t(size)
        context = self._lib.EVP_PKEY_CTX_new(key.pointer, None)
        try:
            good = init(context) > 0 and function(context, out, byref(length), data, len(data)) > 0
        finally:
            self._lib.EVP_PKEY_CTX_free(context)
        return out.raw[: length.value] if good else None

    def _start(self, init: Any, key: Key) -> tuple[int, int]:
        lib = self._lib
        digest = lib.EVP_MD_CTX_new()
        context = lib.EVP_PKEY_CTX_new(key.pointer, None)
        if lib.EVP_PKEY_CTX_set1_id(context, IDENTIFIER, len(IDENTIFIER)) > 0:
            lib.EVP_MD_CTX_set_pkey_ctx(digest, context)
            if init(digest, None, self._sm3, None, key.pointer) > 0:
                return digest, context
        self._end(digest, context)
        raise lib.fault("start with SM2")

    def _end(self, digest: int, context: int) -> None:
        self._lib.EVP_MD_CTX_free(digest)
        self._lib.EVP_PKEY_CTX_free(context)


def load() -> LibCryptoSM2:
    """Load the library and let it pass the vectors. Raises BackendUnavailable."""
    backend = LibCryptoSM2(libcrypto.load())
    try:
        self_test(backend)
    except (BackendFault, BadKey) as error:
        raise BackendUnavailable(f"libcrypto failed the self-test of SM2: {error}") from error
    return backend
