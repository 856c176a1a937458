"""GOST encryption by the system's libcrypto and gost-engine: ciphers, OMAC, and the transport of content keys.

Only raw operations are taken from the engine. Sections of CTR-ACPKM are set here on every context, and lengths in a
transport structure are checked by the caller (`certs.suites.transport_gost`) before the engine sees it.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_size_t, c_uint, c_void_p
from functools import cache
from typing import Any

from certs.errors import BackendFault, BackendUnavailable, BadKey
from certs.suites.backends import gost_encryption_vectors, gost_engine, libcrypto
from certs.suites.backends.libcrypto import ENCRYPTING, Key, LibCrypto
from certs.suites.base import Library

_PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "EVP_get_cipherbyname": (c_void_p, [c_char_p]),
    "EVP_CIPHER_CTX_new": (c_void_p, []),
    "EVP_CIPHER_CTX_free": (None, [c_void_p]),
    "EVP_CIPHER_CTX_ctrl": (c_int, [c_void_p, c_int, c_int, c_void_p]),
    "EVP_CIPHER_CTX_set_padding": (c_int, [c_void_p, c_int]),
    "EVP_CIPHER_asn1_to_param": (c_int, [c_void_p, c_void_p]),
    "EVP_CipherInit_ex": (c_int, [c_void_p, c_void_p, c_void_p, c_char_p, c_char_p, c_int]),
    "EVP_CipherUpdate": (c_int, [c_void_p, c_char_p, POINTER(c_int), c_char_p, c_int]),
    "d2i_ASN1_TYPE": (c_void_p, [c_void_p, POINTER(c_char_p), c_long]),
    "ASN1_TYPE_free": (None, [c_void_p]),
    "CMAC_CTX_new": (c_void_p, []),
    "CMAC_CTX_free": (None, [c_void_p]),
    "CMAC_Init": (c_int, [c_void_p, c_char_p, c_size_t, c_void_p, c_void_p]),
    "CMAC_Update": (c_int, [c_void_p, c_char_p, c_size_t]),
    "CMAC_Final": (c_int, [c_void_p, c_char_p, POINTER(c_size_t)]),
    "HMAC": (c_void_p, [c_void_p, c_char_p, c_int, c_char_p, c_size_t, c_char_p, POINTER(c_uint)]),
    "EVP_get_digestbyname": (c_void_p, [c_char_p]),
    "OBJ_txt2nid": (c_int, [c_char_p]),
    "EVP_PKEY_CTX_ctrl": (c_int, [c_void_p, c_int, c_int, c_int, c_int, c_void_p]),
    "EVP_PKEY_derive_init": (c_int, [c_void_p]),
    "EVP_PKEY_derive_set_peer": (c_int, [c_void_p, c_void_p]),
    "EVP_PKEY_derive": (c_int, [c_void_p, c_char_p, POINTER(c_size_t)]),
}
_KEY_MESH = 0x20  # EVP_CTRL_KEY_MESH: octets of a section
_SET_IV = 8  # EVP_PKEY_CTRL_SET_IV: the UKM
_CIPHER = 12  # EVP_PKEY_CTRL_CIPHER: which export of keys
_LARGEST = 1 << 30
"""Octets in one call: lengths are ints there."""


class Stream:
    """A running cipher; what goes in comes out, octet for octet."""

    __slots__ = ("_context", "_lib", "_name")

    def __init__(self, lib: LibCrypto, name: str, context: int) -> None:
        self._lib, self._name, self._context = lib, name, context

    def __del__(self) -> None:
        self._lib.EVP_CIPHER_CTX_free(self._context)

    def update(self, data: bytes) -> bytes:
        """Encrypt or decrypt the next octets, at most 1 GiB."""
        size = len(data)
        out, length = ctypes.create_string_buffer(size + 32), c_int()
        if size > _LARGEST or (
            self._lib.EVP_CipherUpdate(self._context, out, byref(length), data, size) <= 0 or length.value != size
        ):
            raise self._lib.fault(f"compute {self._name}")
        return ctypes.string_at(out, size)


class Omac:
    """A running OMAC (GOST R 34.13-2015 5.6), which is CMAC over the national ciphers."""

    __slots__ = ("_context", "_lib")

    def __init__(self, lib: LibCrypto, context: int) -> None:
        self._lib, self._context = lib, context

    def __del__(self) -> None:
        self._lib.CMAC_CTX_free(self._context)

    def update(self, data: bytes) -> None:
        """Feed octets."""
        if self._lib.CMAC_Update(self._context, data, len(data)) != 1:
            raise self._lib.fault("compute OMAC")

    def digest(self) -> bytes:
        """Return the whole block; only once."""
        out, length = ctypes.create_string_buffer(16), c_size_t()
        if self._lib.CMAC_Final(self._context, out, byref(length)) != 1:
            raise self._lib.fault("finish OMAC")
        return out.raw[: length.value]


class GOSTEncryption:
    """What the engine computes for encryption. `family` is "kuznyechik" or "magma" throughout."""

    def __init__(self, lib: LibCrypto, version: str) -> None:
        self._lib = lib
        lib.declare(_PROTOTYPES | ENCRYPTING)
        self._streebog = c_void_p(lib.EVP_get_digestbyname(b"md_gost12_256"))
        self.library = Library(
            "gost-engine", version, "R 1323565.1.025-2019 annex A, R 1323565.1.017-2018, GOST R 34.13-2015 A"
        )

    def load_public(self, spki: bytes) -> Key:
        """Return a handle; the point is for the caller to check. Raises BadKey."""
        return self._lib.load_public(spki)

    def load_private(self, pkcs8: bytes) -> Key:
        """Return a handle. Raises BadKey."""
        return self._lib.load_private(pkcs8)

    # Ciphers ----------------------------------------------------------------------------------------------------------
    def _cipher(self, name: str) -> c_void_p:
        found = self._lib.EVP_get_cipherbyname(name.encode())
        if not found:
            raise BackendUnavailable(f"this gost-engine has no {name}")
        return c_void_p(found)

    def acpkm(self, family: str, key: bytes, iv: bytes, section: int, *, encrypt: bool) -> Stream:
        """Return CTR-ACPKM that changes its key every `section` octets (R 1323565.1.017-2018 4.1)."""
        lib, context = self._lib, self._lib.EVP_CIPHER_CTX_new()
        stream = Stream(lib, f"{family}-ctr-acpkm", context)
        good = (
            lib.EVP_CipherInit_ex(context, self._cipher(f"{family}-ctr-acpkm"), None, key, iv, int(encrypt)) > 0
            and lib.EVP_CIPHER_CTX_ctrl(context, _KEY_MESH, section, None) > 0
        )
        if not good:
            raise lib.fault(f"start {family}-ctr-acpkm")
        return stream

    def gost89(self, key: bytes, parameters: bytes) -> Stream:
        """Return the decryption of GOST 28147-89 in CFB with key meshing; IV and S-box are in `parameters`, DER."""
        lib, context = self._lib, self._lib.EVP_CIPHER_CTX_new()
        stream = Stream(lib, "gost89", context)
        cursor = c_char_p(parameters)
        value = lib.d2i_ASN1_TYPE(None, byref(cursor), len(parameters))
        try:
            good = (
                value
                and lib.EVP_CipherInit_ex(context, self._cipher("gost89"), None, None, None, 0) > 0
                and lib.EVP_CIPHER_asn1_to_param(context, value) > 0
                and lib.EVP_CipherInit_ex(context, None, None, key, None, 0) > 0
            )
        finally:
            lib.ASN1_TYPE_free(value)
        if not good:
            raise lib.fault("start gost89")
        return stream

    def omac(self, family: str, key: bytes) -> Omac:
        """Return a running OMAC."""
        lib, context = self._lib, self._lib.CMAC_CTX_new()
        running = Omac(lib, context)
        if lib.CMAC_Init(context, key, len(key), self._cipher(f"{family}-cbc"), None) != 1:
            raise lib.fault("start OMAC")
        return running

    def kdf_tree(self, key: bytes, label: bytes, seed: bytes) -> bytes:
        """Return 64 octets of KDF_TREE_GOSTR3411_2012_256 with R = 1 (RFC 7836 4.5)."""
        return b"".join(self._hmac(key, bytes((i,)) + label + b"\0" + seed + b"\x02\x00") for i in (1, 2))

    def _hmac(self, key: bytes, data: bytes) -> bytes:
        out, length = ctypes.create_string_buffer(64), c_uint()
        if not self._lib.HMAC(self._streebog, key, len(key), data, len(data), out, byref(length)):
            raise self._lib.fault("compute HMAC")
        return out.raw[: length.value]

    # Content keys -----------------------------------------------------------------------------------------------------
    def wrap(self, key: Key, content_key: bytes, family: str) -> bytes:
        """Return GostR3410-KeyTransport with the key exported by KExp15 (R 1323565.1.025-2019 6.1)."""
        lib = self._lib
        context = lib.EVP_PKEY_CTX_new(key.pointer, None)
        try:
            length = c_size_t()
            good = lib.EVP_PKEY_encrypt_init(context) > 0 and self._export(context, family)
            good = good and lib.EVP_PKEY_encrypt(context, None, byref(length), content_key, len(content_key)) > 0
            out = ctypes.create_string_buffer(length.value)
            if not good or lib.EVP_PKEY_encrypt(context, out, byref(length), content_key, len(content_key)) <= 0:
                raise lib.fault("encrypt a key with GOST")
            return out.raw[: length.value]
        finally:
            lib.EVP_PKEY_CTX_free(context)

    def unwrap(self, key: Key, encrypted: bytes, family: str | None) -> bytes | None:
        """Return the content key, or None; without `family` by the older export (RFC 4490 4.2.1)."""
        lib = self._lib
        context = lib.EVP_PKEY_CTX_new(key.pointer, None)  # a new one each time: the engine keeps state in it
        try:
            out, length = ctypes.create_string_buffer(64), c_size_t(64)
            if lib.EVP_PKEY_decrypt_init(context) <= 0 or not (family is None or self._export(context, family)):
                raise lib.fault("start to decrypt a key with GOST")
            good = lib.EVP_PKEY_decrypt(context, out, byref(length), encrypted, len(encrypted)) > 0
        finally:
            lib.EVP_PKEY_CTX_free(context)
            lib.ERR_clear_error()
        return out.raw[:32] if good else None

    def unwrap_agreed(self, key: Key, peer: Key, ukm: bytes, encrypted: bytes, family: str) -> bytes | None:
        """Return the content key under one agreed with `peer`, or None: KEG, then KImp15 (R 1323565.1.025-2019 6.2)."""
        lib = self._lib
        context, cipher = lib.EVP_PKEY_CTX_new(key.pointer, None), lib.EVP_CIPHER_CTX_new()
        try:
            keys, length = ctypes.create_string_buffer(64), c_size_t(64)
            good = (
                lib.EVP_PKEY_derive_init(context) > 0
                and lib.EVP_PKEY_derive_set_peer(context, peer.pointer) > 0
                and lib.EVP_PKEY_CTX_ctrl(context, -1, -1, _SET_IV, len(ukm), ctypes.cast(c_char_p(ukm), c_void_p)) > 0
                and lib.EVP_PKEY_derive(context, keys, byref(length)) > 0
                and length.value == 64
            )
            iv = ukm[24:]  # R 1323565.1.025-2019 6.2: the last half block is the IV of KExp15
            out, size = ctypes.create_string_buffer(64), c_int()
            good = good and (
                lib.EVP_CipherInit_ex(cipher, self._cipher(f"{family}-kexp15"), None, keys.raw, iv, 0) > 0
                and lib.EVP_CipherUpdate(cipher, out, byref(size), encrypted, len(encrypted)) > 0
                and size.value == 32
            )
            return out.raw[:32] if good else None
        finally:
            lib.EVP_PKEY_CTX_free(context)
            lib.EVP_CIPHER_CTX_free(cipher)
            lib.ERR_clear_error()

    def _export(self, context: int, family: str) -> bool:
        nid = self._lib.OBJ_txt2nid(f"{family}-ctr".encode())
        good: bool = self._lib.EVP_PKEY_CTX_ctrl(context, -1, -1, _CIPHER, nid, None) > 0
        return good


@cache
def load() -> GOSTEncryption:
    """Load the engine and let it pass the vectors. Raises BackendUnavailable."""
    backend = GOSTEncryption(libcrypto.load(), gost_engine.load().library.version)
    try:
        gost_encryption_vectors.self_test(backend)
    except (BackendFault, BadKey) as error:
        raise BackendUnavailable(f"gost-engine failed the self-test of GOST encryption: {error}") from error
    return backend
