"""What `cryptography` must get right before content and content keys are encrypted with it.

RSA-OAEP: RSA Laboratories, oaep-vect.txt, example 1.1; ECDH: RFC 5903 8.1; X9.63 KDF: NIST CAVP, SHA-256; AES key wrap:
RFC 3394 4.6; HKDF: RFC 5869 A.1; AES-256-GCM: McGrew and Viega, test case 16; SM4: GB/T 32907 A.1, RFC 8998 A.1.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm as Unsupported
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

from certs.errors import BackendUnavailable
from certs.suites.hashes import HASHES

_PRIMES = (
    int(
        "d32737e7267ffe1341b2d5c0d150a81b586fb3132bed2f8d5262864a9cb9f30af38be448598d413a172efb802c21acf1"
        "c11c520c2f26a471dcad212eac7ca39d",
        16,
    ),
    int(
        "cc8853d1d54da630fac004f471f281c7b8982d8224a490edbeb33d3e3d5cc93c4765703d1dd791642f1f116a0dd852be"
        "2419b2af72bfe9a030e860b0288b5d77",
        16,
    ),
)
_OAEP_PLAIN = bytes.fromhex("6628194e12073db03ba94cda9ef9532397d50dba79b987004afefe34")
_OAEP_CIPHER = bytes.fromhex(
    "354fe67b4a126d5d35fe36c777791a3f7ba13def484e2d3908aff722fad468fb21696de95d0be911c2d3174f8afcc201"
    "035f7b6d8e69402de5451618c21a535fa9d7bfc5b8dd9fc243f8cf927db31322d6e881eaa91a996170e657a05a266426"
    "d98c88003f8477c1227094a0d9fa1e8c4024309ce1ecccb5210035d47ac72e8a"
)

_SCALAR = 0xC88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433
_POINT = bytes.fromhex(
    "04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
    "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab"
)
_SHARED = bytes.fromhex("d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de")
_KDF_SECRET = bytes.fromhex("22518b10e70f2a3f243810ae3254139efbee04aa57c7af7d")
_KDF_INFO = bytes.fromhex("75eef81aa3041e33b80971203d2c0c52")
_KDF_KEY = bytes.fromhex(
    "c498af77161cc59f2962b9a713e2b215152d139766ce34a776df11866a69bf2e52a13d9c7c6fc878c50c5ea0bc7b00e0"
    "da2447cfd874f6cf92f30d0097111485500c90c3af8b487872d04685d14c8d1dc8d7fa08beb0ce0ababc11f0bd496269"
    "142d43525a78e5bc79a17f59676a5706dc54d54d4d1f0bd7e386128ec26afc21"
)
_HKDF_KEY = bytes.fromhex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
_WRAP_DATA = bytes.fromhex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f")
_WRAPPED = bytes.fromhex("28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21")

_ASSOCIATED = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
_AES_PLAIN = bytes.fromhex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
)
_AES_CIPHER = bytes.fromhex(
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
)
_AES_TAG = bytes.fromhex("76fc6ece0f4e1768cddf8853bb2d551b")
_SM4_KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")
_SM4_BLOCK = bytes.fromhex("681edf34d206965e86b3e94f536e4246")
_SM4_PLAIN = b"".join(octet * 8 for octet in (b"\xaa", b"\xbb", b"\xcc", b"\xdd", b"\xee", b"\xff", b"\xee", b"\xaa"))
_SM4_CIPHER = bytes.fromhex(
    "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
    "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
)
_SM4_TAG = bytes.fromhex("83de3541e4c2b58177e065a9bf7b62ec")


@cache
def check_rsa() -> None:
    """Raise BackendUnavailable unless RSA-OAEP decrypts the example."""
    p, q = _PRIMES
    d = pow(65537, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(65537, p * q)
    key = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key()
    sha1 = HASHES["sha1"]()
    _require(key.decrypt(_OAEP_CIPHER, padding.OAEP(padding.MGF1(sha1), sha1, None)) == _OAEP_PLAIN, "RSA-OAEP")


@cache
def check_agreement() -> None:
    """Raise BackendUnavailable unless ECDH, the KDF and the key wrap give the known answers."""
    key = ec.derive_private_key(_SCALAR, ec.SECP256R1())
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _POINT)
    _require(key.exchange(ec.ECDH(), point) == _SHARED, "ECDH")
    derived = X963KDF(hashes.SHA256(), len(_KDF_KEY), _KDF_INFO).derive(_KDF_SECRET)
    _require(derived == _KDF_KEY, "the X9.63 KDF")
    kek = bytes(range(32))
    good = aes_key_wrap(kek, _WRAP_DATA) == _WRAPPED and aes_key_unwrap(kek, _WRAPPED) == _WRAP_DATA
    _require(good, "AES key wrap")


@cache
def check_hkdf() -> None:
    """Raise BackendUnavailable unless HKDF with SHA-256 gives the known answer."""
    running = HKDF(hashes.SHA256(), len(_HKDF_KEY), bytes(range(13)), bytes(range(0xF0, 0xFA)))
    _require(running.derive(b"\x0b" * 22) == _HKDF_KEY, "HKDF")


@cache
def check_aes() -> None:
    """Raise BackendUnavailable unless AES-256-GCM gives the known answer, both ways."""
    key, nonce = bytes.fromhex("feffe9928665731c6d6a8f9467308308") * 2, bytes.fromhex("cafebabefacedbaddecaf888")
    _require(_gcm(algorithms.AES(key), nonce, _AES_PLAIN) == (_AES_CIPHER, _AES_TAG), "AES-256-GCM")


@cache
def check_sm4() -> None:
    """Raise BackendUnavailable unless SM4 is there and gives the known answers."""
    try:
        block = Cipher(algorithms.SM4(_SM4_KEY), modes.CBC(bytes(16))).encryptor().update(_SM4_KEY)
        nonce = bytes.fromhex("00001234567800000000abcd")
        good = _gcm(algorithms.SM4(_SM4_KEY), nonce, _SM4_PLAIN) == (_SM4_CIPHER, _SM4_TAG)
    except Unsupported as error:
        raise BackendUnavailable("this build of cryptography has no SM4") from error
    _require(block == _SM4_BLOCK and good, "SM4")


def _gcm(algorithm: Any, nonce: bytes, plain: bytes) -> tuple[bytes, bytes]:
    """Encrypt with the associated data that both vectors have; decrypt again."""
    running = Cipher(algorithm, modes.GCM(nonce)).encryptor()
    running.authenticate_additional_data(_ASSOCIATED)
    ciphertext = running.update(plain) + running.finalize()
    back = Cipher(algorithm, modes.GCM(nonce, running.tag)).decryptor()
    back.authenticate_additional_data(_ASSOCIATED)
    same = back.update(ciphertext) + back.finalize() == plain
    return (ciphertext, running.tag) if same else (b"", b"")


def _require(good: bool, what: str) -> None:
    if not good:
        raise BackendUnavailable(f"cryptography failed the self-test of {what}")
