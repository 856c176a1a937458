"""What `openssl ts -reply` does, in a loop in this process: TS_RESP_create_response of the system's libcrypto.

    peer = OpenSSLStamper(key, certificate, chain)
    peer.respond(request)                  # TimeStampResp, DER

The command answers one request and ends, so that starting it would be most of what is measured. The calls here are
those it makes, by way of ctypes (about a microsecond each, beside several tens for an answer): the request is read,
checked and answered with a token in strict order, signed and encoded. It does not verify what it signed.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_ulong, c_void_p
from typing import Any

from certs.certificate import Certificate
from certs.errors import BackendUnavailable, BadKey
from certs.suites.backends import libcrypto
from certs.suites.base import PrivateKey
from certs.tsa import DEFAULT_POLICY

_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "TS_RESP_CTX_new": (c_void_p, []),
    "TS_RESP_CTX_free": (None, [c_void_p]),
    "TS_RESP_CTX_set_signer_cert": (c_int, [c_void_p, c_void_p]),
    "TS_RESP_CTX_set_signer_key": (c_int, [c_void_p, c_void_p]),
    "TS_RESP_CTX_set_signer_digest": (c_int, [c_void_p, c_void_p]),
    "TS_RESP_CTX_set_ess_cert_id_digest": (c_int, [c_void_p, c_void_p]),
    "TS_RESP_CTX_set_def_policy": (c_int, [c_void_p, c_void_p]),
    "TS_RESP_CTX_set_certs": (c_int, [c_void_p, c_void_p]),
    "TS_RESP_CTX_add_md": (c_int, [c_void_p, c_void_p]),
    "TS_RESP_CTX_set_accuracy": (c_int, [c_void_p, c_int, c_int, c_int]),
    "TS_RESP_CTX_add_flags": (None, [c_void_p, c_int]),
    "TS_RESP_create_response": (c_void_p, [c_void_p, c_void_p]),
    "TS_RESP_free": (None, [c_void_p]),
    "i2d_TS_RESP": (c_int, [c_void_p, POINTER(c_void_p)]),
    "d2i_X509": (c_void_p, [c_void_p, POINTER(c_char_p), c_long]),
    "X509_free": (None, [c_void_p]),
    "OBJ_txt2obj": (c_void_p, [c_char_p, c_int]),
    "ASN1_OBJECT_free": (None, [c_void_p]),
    "EVP_get_digestbyname": (c_void_p, [c_char_p]),
    "BIO_new_mem_buf": (c_void_p, [c_char_p, c_int]),
    "BIO_free": (c_int, [c_void_p]),
    "OPENSSL_sk_new_null": (c_void_p, []),
    "OPENSSL_sk_push": (c_int, [c_void_p, c_void_p]),
    "OPENSSL_sk_free": (None, [c_void_p]),
    "ERR_peek_last_error": (c_ulong, []),
    "ERR_reason_error_string": (c_char_p, [c_ulong]),
}
_TIMES_IN_ORDER = 0x02
_DIGESTS = {"streebog256": b"md_gost12_256", "streebog512": b"md_gost12_512"}


class OpenSSLStamper:
    """One TS_RESP_CTX with everything in it. Raises BackendUnavailable where libcrypto has not got what it takes."""

    def __init__(self, key: PrivateKey, certificate: Certificate, chain: Sequence[Certificate]) -> None:
        self._lib = lib = libcrypto.load()
        lib.declare(_FUNCTIONS)
        self.version = lib.version()
        self._context = lib.TS_RESP_CTX_new()
        try:
            self._key = lib.load_private(key.pkcs8())
        except BadKey:
            raise BackendUnavailable(f"{self.version} has no such keys") from None
        digest, imprint = (
            lib.EVP_get_digestbyname(_DIGESTS.get(name, name.encode()))
            for name in (key.suite.digest_name, key.suite.stamp_digest_name)
        )
        signer, *others = [self._certificate(each) for each in (certificate, *chain)]
        bag = lib.OPENSSL_sk_new_null()
        for each in others:
            lib.OPENSSL_sk_push(bag, each)
        policy = lib.OBJ_txt2obj(DEFAULT_POLICY.encode(), 1) or lib.OBJ_txt2obj(b"1.3.6.1.4.1.1", 1)
        for good in (
            lib.TS_RESP_CTX_set_signer_cert(self._context, signer),
            lib.TS_RESP_CTX_set_signer_key(self._context, self._key.pointer),
            lib.TS_RESP_CTX_set_signer_digest(self._context, digest),
            lib.TS_RESP_CTX_set_ess_cert_id_digest(self._context, digest),
            lib.TS_RESP_CTX_set_def_policy(self._context, policy),
            lib.TS_RESP_CTX_set_certs(self._context, bag),
            lib.TS_RESP_CTX_add_md(self._context, imprint),
            lib.TS_RESP_CTX_set_accuracy(self._context, 1, 0, 0),
        ):
            if not good:
                raise BackendUnavailable(f"{self.version} refuses: {self._reason()}")
        lib.TS_RESP_CTX_add_flags(self._context, _TIMES_IN_ORDER)
        # the context has copies, or counts its references
        lib.OPENSSL_sk_free(bag)
        lib.ASN1_OBJECT_free(policy)
        for each in (signer, *others):
            lib.X509_free(each)

    def __del__(self) -> None:
        self._lib.TS_RESP_CTX_free(self._context)

    def respond(self, request: bytes) -> bytes:
        """Answer TimeStampReq with TimeStampResp, both DER."""
        lib, out = self._lib, c_void_p()
        source = lib.BIO_new_mem_buf(request, len(request))
        answer = lib.TS_RESP_create_response(self._context, source)
        lib.BIO_free(source)
        length = lib.i2d_TS_RESP(answer, byref(out))
        lib.TS_RESP_free(answer)
        try:
            return ctypes.string_at(out, length)
        finally:
            lib.CRYPTO_free(out, None, 0)

    def why_not(self) -> str:
        """Return the library's words for the last refusal."""
        return f"{self.version} gives no token: {self._reason()}"

    def _certificate(self, certificate: Certificate) -> int:
        pointer: int | None = self._lib.d2i_X509(None, byref(c_char_p(certificate.der)), len(certificate.der))
        if not pointer:
            raise BackendUnavailable(f"{self.version} cannot read the certificate")
        return pointer

    def _reason(self) -> str:
        reason: bytes | None = self._lib.ERR_reason_error_string(self._lib.ERR_peek_last_error())
        self._lib.ERR_clear_error()
        return (reason or b"no reason given").decode("ascii", "replace")
