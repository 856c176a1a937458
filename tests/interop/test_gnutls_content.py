"""GnuTLS computes the GOST ciphers of our messages: CTR-ACPKM, OMAC and the keys of both, and GOST 28147-89.

It has no EnvelopedData, and VKO and KExp15 inside of its TLS alone: what it cannot judge is how the content key is
encrypted; gost-engine and Bouncy Castle judge that. So the content key is taken out of the message by us here. Its
ACPKM changes the key after the octets that TLS says, not those of R 1323565.1.025-2019: so it is compared with whole
messages of one section, and over many sections of its own length.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import io
from collections.abc import Callable
from functools import cache

import pytest

from certs import ber, der, oids
from certs.enveloped import decrypt_bytes, encrypt_bytes
from certs.enveloped_view import EnvelopeView
from certs.suites import content
from certs.suites.backends import gost_encryption
from tests.certs.post import mailbox
from tests.interop.programs import missing
from tests.interop.test_envelopes import GOST, LONG, SHORT

pytestmark = pytest.mark.interop


class _Datum(ctypes.Structure):
    _fields_ = (("data", ctypes.c_char_p), ("size", ctypes.c_uint))


class GnuTLS:
    """As much of libgnutls as computes a cipher or a code under a key; what it does not know skips the test."""

    def __init__(self) -> None:
        name = ctypes.util.find_library("gnutls")
        if name is None:
            missing("no libgnutls: apt-get install libgnutls30")
        self._library = ctypes.CDLL(name)

    def cipher(self, name: str, key: bytes, iv: bytes, data: bytes, *, encrypt: bool = False) -> bytes:
        """Return `data` decrypted, or encrypted."""
        number = self._number("cipher", name)
        handle = ctypes.c_void_p()
        datums = [_Datum(octets, len(octets)) for octets in (key, iv)]
        self._check(self._library.gnutls_cipher_init(ctypes.byref(handle), number, *map(ctypes.byref, datums)))
        try:
            out = ctypes.create_string_buffer(len(data))
            work = self._library.gnutls_cipher_encrypt2 if encrypt else self._library.gnutls_cipher_decrypt2
            size = ctypes.c_size_t(len(data))
            self._check(work(handle, data, size, out, size))
            return out.raw
        finally:
            self._library.gnutls_cipher_deinit(handle)

    def code(self, name: str, key: bytes, data: bytes) -> bytes:
        """Return a message authentication code."""
        number = self._number("mac", name)
        out = ctypes.create_string_buffer(self._library.gnutls_hmac_get_len(number))
        self._check(
            self._library.gnutls_hmac_fast(
                number, key, ctypes.c_size_t(len(key)), data, ctypes.c_size_t(len(data)), out
            )
        )
        return out.raw

    def _number(self, kind: str, name: str) -> int:
        number = int(getattr(self._library, f"gnutls_{kind}_get_id")(name.encode()))
        if not number or (kind, number) == ("mac", 1):
            missing(f"this GnuTLS has no {name}")
        return number

    @staticmethod
    def _check(result: int) -> None:
        assert result == 0, result


@cache
def gnutls() -> GnuTLS:
    return GnuTLS()


FAMILIES = {
    "kuznyechik": (16, "KUZNYECHIK-CTR-ACPKM", "OMAC-KUZNYECHIK"),
    "magma": (8, "MAGMA-CTR-ACPKM", "OMAC-MAGMA"),
}
SECTIONS = {"kuznyechik": 4096, "magma": 1024}
"""Octets under one key, in TLS (RFC 9189)."""


def content_key(view: EnvelopeView, suite_name: str) -> bytes:
    return mailbox(suite_name).key.unwrap_key(view.recipients[0].wrapped, 32)


def two_keys(key: bytes, seed: bytes) -> tuple[bytes, bytes]:
    """Return the key of the cipher and that of the code (R 1323565.1.022-2018 5.1: KDF_TREE, 512 bits)."""
    parts = [bytes((number,)) + b"kdf tree" + b"\0" + seed + b"\2\0" for number in (1, 2)]
    first, second = (gnutls().code("STREEBOG-256", key, part) for part in parts)
    return first, second


@pytest.mark.parametrize("suite_name", GOST)
@pytest.mark.parametrize("family", FAMILIES)
def test_gnutls_decrypts_our_content_and_finds_its_code(family: str, suite_name: str) -> None:
    block, cipher, code = FAMILIES[family]
    message = encrypt_bytes(SHORT, [mailbox(suite_name).certificate], cipher=f"{family}-ctr-acpkm-omac")
    view = EnvelopeView(io.BytesIO(message))
    ciphertext = b"".join(view.pieces())
    tag = view.tail().tag or b""
    ukm = der.Reader(view.algorithm.parameters or b"").enter().value(der.OCTET_STRING)
    for_cipher, for_code = two_keys(content_key(view, suite_name), ukm[block // 2 :])
    plain = gnutls().cipher(cipher, for_cipher, ukm[: block // 2], ciphertext + tag)
    assert plain[: len(SHORT)] == SHORT
    assert plain[len(SHORT) :] == gnutls().code(code, for_code, SHORT)


@pytest.mark.parametrize("family", FAMILIES)
def test_gnutls_changes_keys_and_computes_codes_over_many_sections_as_we_do(family: str) -> None:
    block, cipher, code = FAMILIES[family]
    key, iv, backend = bytes(range(32)), bytes(range(100, 100 + block // 2)), gost_encryption.load()
    theirs = gnutls().cipher(cipher, key, iv, LONG, encrypt=True)
    stream = backend.acpkm(family, key, iv + bytes(block // 2), SECTIONS[family], encrypt=False)
    assert b"".join(stream.update(theirs[at : at + 50_001]) for at in range(0, len(theirs), 50_001)) == LONG
    running = backend.omac(family, key)
    running.update(LONG)
    assert running.digest() == gnutls().code(code, key, LONG)


def replaced(message: bytes, change: Callable[[list[bytes]], None]) -> bytes:
    """Return a message whose EncryptedContentInfo was changed."""
    kind, inner = ber.load(message)
    members = [member.raw() for member in inner.only()]
    info = [member.raw() for member in ber.load(members[2])]
    change(info)
    members[2] = der.sequence(*info)
    return der.sequence(kind.raw(), der.tlv(0xA0, der.sequence(*members[:3])))


@pytest.mark.parametrize("suite_name", GOST)
@pytest.mark.parametrize("family", FAMILIES)
def test_we_decrypt_what_gnutls_encrypts_without_a_code(family: str, suite_name: str) -> None:
    box, (block, cipher, _) = mailbox(suite_name), FAMILIES[family]
    message = encrypt_bytes(b"", [box.certificate], cipher=f"{family}-ctr-acpkm-omac")
    key, ukm = content_key(EnvelopeView(io.BytesIO(message)), suite_name), bytes(range(block // 2 + 8))
    oid = content.for_name(f"{family}-ctr-acpkm").oid

    def change(info: list[bytes]) -> None:
        info[1] = der.sequence(der.oid(oid), der.sequence(der.octet_string(ukm)))
        info[2] = der.tlv(0x80, gnutls().cipher(cipher, key, ukm[: block // 2], SHORT, encrypt=True))

    assert decrypt_bytes(replaced(message, change), box.key, box.certificate) == SHORT


@pytest.mark.parametrize("suite_name", GOST)
@pytest.mark.parametrize("text", [SHORT, LONG], ids=["short", "600064 octets"])
@pytest.mark.parametrize(
    "box", [("GOST28147-TC26Z-CFB", oids.GOST89_TC26_Z), ("GOST28147-CPA-CFB", oids.GOST89_CRYPTOPRO_A)]
)
def test_we_decrypt_gost_28147_as_gnutls_encrypts_it(box: tuple[str, str], text: bytes, suite_name: str) -> None:
    """With key meshing every 1024 octets (RFC 4357 2.3.2)."""
    holder, (cipher, substitution) = mailbox(suite_name), box
    message, iv = encrypt_bytes(b"", [holder.certificate]), bytes(range(8))
    key = content_key(EnvelopeView(io.BytesIO(message)), suite_name)

    def change(info: list[bytes]) -> None:
        info[1] = der.sequence(der.oid(oids.GOST89), der.sequence(der.octet_string(iv), der.oid(substitution)))
        info[2] = der.tlv(0x80, gnutls().cipher(cipher, key, iv, text, encrypt=True))

    assert decrypt_bytes(replaced(message, change), holder.key, holder.certificate) == text
