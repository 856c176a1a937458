"""Encrypted PKCS#8 (RFC 5958) with PBES2 (RFC 8018), for keys of every suite.

    encrypted = encrypt_pkcs8(pkcs8, b"password")            # scrypt, AES-256-CBC
    pkcs8 = decrypt_pkcs8(encrypted, b"password")            # WrongPassword, UnsupportedAlgorithm, MalformedInput

Writes what `openssl pkcs8` reads. Reads PBKDF2 with HMAC over SHA-1, SHA-2 and SM3, and scrypt, with AES-CBC (OpenSSL),
SM4-CBC (GmSSL) and triple DES (Bouncy Castle, older OpenSSL). Cost parameters of a stranger's file are bounded, so that
opening one ends.
"""

from __future__ import annotations

import os
import warnings
from typing import Literal

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from certs import ber, der, oids
from certs.errors import MalformedInput, UnsupportedAlgorithm, WrongPassword
from certs.keys.base import StrongSecret
from certs.suites.base import AlgorithmID

PBKDF2_ROUNDS = 600_000
"""HMAC-SHA256; OWASP password storage, 2023."""
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**14, 8, 5
"""OWASP password storage, 2023; N is the largest that OpenSSL reads with its default memory limit of 32 MiB."""
STRONG_ROUNDS = 1000
"""HMAC-SHA256 for a `StrongSecret`, which needs no stretching; the least that NIST SP 800-132 5.2 has."""
MAX_ROUNDS = 20_000_000
MAX_SCRYPT_MEMORY = 1 << 30
"""Octets (128·N·r) that a stranger's file may make us use."""

_PRFS: dict[str, type[hashes.HashAlgorithm]] = {
    oids.HMAC_SHA1: hashes.SHA1,
    oids.HMAC_SHA256: hashes.SHA256,
    oids.HMAC_SHA384: hashes.SHA384,
    oids.HMAC_SHA512: hashes.SHA512,
    oids.HMAC_SM3: hashes.SM3,
}
_CIPHERS: dict[str, tuple[type[AES | SM4 | TripleDES], int]] = {
    oids.AES128_CBC: (AES, 16),
    oids.AES192_CBC: (AES, 24),
    oids.AES256_CBC: (AES, 32),
    oids.SM4_CBC: (SM4, 16),
    oids.DES_EDE3_CBC: (TripleDES, 24),
}
"""Cipher and octets of its key; the last is read, for old files, and never written."""
_NOT_SUPPORTED_HINT = "convert the key with 'openssl pkcs8 -topk8 -v2 aes-256-cbc'"


def encrypt_pkcs8(pkcs8: bytes, password: bytes, *, kdf: Literal["scrypt", "pbkdf2"] = "scrypt") -> bytes:
    """Return EncryptedPrivateKeyInfo (DER) of PrivateKeyInfo `pkcs8`: AES-256-CBC with a fresh salt.

    `kdf` makes guesses at a password slow. A `StrongSecret` cannot be guessed, and is opened in no time.
    """
    if not password:
        raise WrongPassword("an empty password protects nothing")
    salt, iv = os.urandom(16), os.urandom(16)
    strong = isinstance(password, StrongSecret)
    if kdf == "scrypt" and not strong:
        derived = _scrypt(password, salt, SCRYPT_N, SCRYPT_R, SCRYPT_P, 32)
        parameters = der.sequence(
            der.octet_string(salt), der.integer(SCRYPT_N), der.integer(SCRYPT_R), der.integer(SCRYPT_P)
        )
        function = AlgorithmID(oids.SCRYPT, parameters)
    else:
        rounds = STRONG_ROUNDS if strong else PBKDF2_ROUNDS
        derived = PBKDF2HMAC(hashes.SHA256(), 32, salt, rounds).derive(password)
        prf = AlgorithmID(oids.HMAC_SHA256, der.NULL_DER).der()
        parameters = der.sequence(der.octet_string(salt), der.integer(rounds), prf)
        function = AlgorithmID(oids.PBKDF2, parameters)
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(AES(derived), CBC(iv)).encryptor()
    secret = encryptor.update(padder.update(pkcs8) + padder.finalize()) + encryptor.finalize()
    scheme = AlgorithmID(oids.AES256_CBC, der.octet_string(iv))
    return der.sequence(
        AlgorithmID(oids.PBES2, der.sequence(function.der(), scheme.der())).der(), der.octet_string(secret)
    )


def decrypt_pkcs8(encrypted: bytes, password: bytes) -> bytes:
    """Return PrivateKeyInfo (DER) out of EncryptedPrivateKeyInfo.

    Raises WrongPassword, UnsupportedAlgorithm for a scheme we do not read, MalformedInput for broken DER.
    """
    members = ber.load(encrypted).members()
    algorithm, parameters = _algorithm(members.next(ber.SEQUENCE))
    secret = members.next().octets()
    members.end()
    if algorithm != oids.PBES2 or parameters is None:
        raise UnsupportedAlgorithm(f"key encryption {oids.name(algorithm)} is not PBES2", hint=_NOT_SUPPORTED_HINT)
    schemes = parameters.members()
    function, function_parameters = _algorithm(schemes.next(ber.SEQUENCE))
    cipher, cipher_parameters = _algorithm(schemes.next(ber.SEQUENCE))
    schemes.end()
    if cipher not in _CIPHERS or cipher_parameters is None or function_parameters is None:
        raise UnsupportedAlgorithm(f"key encryption with {oids.name(cipher)}", hint=_NOT_SUPPORTED_HINT)
    block_cipher, size = _CIPHERS[cipher]
    iv = cipher_parameters.octets()
    block = block_cipher.block_size // 8
    if len(iv) != block or not secret or len(secret) % block:
        raise MalformedInput("the encrypted key has a wrong length")
    derived = _derive(function, function_parameters, password, size)
    decryptor = Cipher(block_cipher(derived), CBC(iv)).decryptor()
    padded = decryptor.update(secret) + decryptor.finalize()
    unpadder = padding.PKCS7(8 * block).unpadder()
    try:
        pkcs8 = unpadder.update(padded) + unpadder.finalize()
        der.split_pkcs8(pkcs8)
    except (ValueError, MalformedInput) as error:
        raise WrongPassword("the password does not open the key") from error
    return pkcs8


def _algorithm(value: ber.Value) -> tuple[str, ber.Value | None]:
    members = value.members()
    algorithm = members.next().oid()
    parameters = None if members.peek() is None else members.next()
    members.end()
    return algorithm, parameters


def _derive(function: str, parameters: ber.Value, password: bytes, size: int) -> bytes:
    if function not in (oids.SCRYPT, oids.PBKDF2):
        raise UnsupportedAlgorithm(f"key derivation {oids.name(function)}", hint=_NOT_SUPPORTED_HINT)
    members = parameters.members()
    salt = members.next().octets()
    if function == oids.SCRYPT:
        n, r, p = (members.next().integer() for _ in range(3))
        length = members.optional(ber.INTEGER)
        members.end()
        if n < 2 or n & (n - 1) or not 0 < r <= 1024 or not 0 < p <= 64 or 128 * n * r > MAX_SCRYPT_MEMORY:
            raise MalformedInput("scrypt parameters out of bounds")
        _same_length(length, size)
        return _scrypt(password, salt, n, r, p, size)
    rounds = members.next().integer()
    length = members.optional(ber.INTEGER)
    prf_value = members.optional(ber.SEQUENCE)
    members.end()
    prf = _algorithm(prf_value)[0] if prf_value else oids.HMAC_SHA1
    if prf not in _PRFS:
        raise UnsupportedAlgorithm(f"key derivation with {oids.name(prf)}", hint=_NOT_SUPPORTED_HINT)
    if not 0 < rounds <= MAX_ROUNDS:
        raise MalformedInput("PBKDF2 rounds out of bounds")
    _same_length(length, size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SHA-1 is announced as deprecated; old files must stay readable
        return PBKDF2HMAC(_PRFS[prf](), size, salt, rounds).derive(password)


def _same_length(value: ber.Value | None, size: int) -> None:
    if value is not None and value.integer() != size:
        raise MalformedInput("the derived key does not fit the cipher")


def _scrypt(password: bytes, salt: bytes, n: int, r: int, p: int, size: int) -> bytes:
    try:
        return Scrypt(salt=salt, length=size, n=n, r=r, p=p).derive(password)
    except (ValueError, MemoryError) as error:
        raise MalformedInput("scrypt parameters out of bounds") from error
