"""Key files of every suite: written so that OpenSSL reads them, read as others write them."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from certs import der, files, oids, suites
from certs.certificate import armor
from certs.errors import (
    BadKey,
    KeyNotFound,
    KeyStoreError,
    MalformedInput,
    SealroadError,
    UnsupportedAlgorithm,
    WrongPassword,
)
from certs.keys import KeyHandle, file, open_key, pbes2
from certs.keys.base import StrongSecret
from certs.keys.pbes2 import MAX_SCRYPT_MEMORY, decrypt_pkcs8, encrypt_pkcs8
from certs.suites.base import AlgorithmID
from tests.conftest import circle_of, keys_of, needs_gost

Kdf = Literal["scrypt", "pbkdf2"]


def test_a_password_is_dear_to_guess() -> None:
    """In a process of its own: in this one it was made cheap."""
    key = keys_of("ecdsa-p256")[0].pkcs8().hex()
    program = """
import sys

from certs.keys import kek_passphrase, pbes2
from certs.keys.pbes2 import decrypt_pkcs8, encrypt_pkcs8

print(pbes2.SCRYPT_N, pbes2.SCRYPT_R, pbes2.SCRYPT_P, pbes2.PBKDF2_ROUNDS)
print(kek_passphrase.SCRYPT, kek_passphrase.ARGON2ID)
key = bytes.fromhex(sys.argv[1])
for kdf in ("scrypt", "pbkdf2"):
    assert decrypt_pkcs8(encrypt_pkcs8(key, b"password", kdf=kdf), b"password") == key
"""
    done = subprocess.run([sys.executable, "-c", program, key], capture_output=True, text=True, check=True)
    assert done.stdout == "16384 8 5 600000\n{'n': 131072, 'r': 8, 'p': 1} {'n': 3, 'r': 65536, 'p': 4}\n"


@pytest.mark.parametrize("kdf", ["scrypt", "pbkdf2"])
def test_what_a_program_derived_is_not_stretched(kdf: Kdf) -> None:
    """256 random bits are not guessed, however fast that goes; any program opens the file."""
    key, secret = keys_of("ecdsa-p256")[0], StrongSecret(bytes(range(32)).hex().encode())
    encrypted = encrypt_pkcs8(key.pkcs8(), secret, kdf=kdf)
    assert der.integer(pbes2.STRONG_ROUNDS) in encrypted
    assert decrypt_pkcs8(encrypted, bytes(secret)) == key.pkcs8()
    theirs = serialization.load_der_private_key(encrypted, bytes(secret))
    assert (
        theirs.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        == key.pkcs8()
    )


def test_the_keys_of_a_service_are_opened_in_no_time(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path

from api.config import Settings
from api.context import open_context
from certs.keys import pbes2

calls = []
pbes2._scrypt = lambda *given: calls.append(given)
context = open_context(Settings(data=Path(sys.argv[1])))
context.circles.get("ecdsa-p256").tsa.stamp("sha256", bytes(32))
context.close()
assert not calls
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    assert all(b"ENCRYPTED" in path.read_bytes() for path in tmp_path.rglob("*.key.pem"))


def test_a_key_from_a_sealed_file_is_the_one_that_was_sealed(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    again = suites.load_private(key.pkcs8(), suite_name, sealed=True)
    assert again.public_key.spki == key.public_key.spki
    key.public_key.verify(again.sign(b"contract"), b"contract")


def test_every_private_key_is_a_key_handle(suite_name: str) -> None:
    assert isinstance(keys_of(suite_name)[0], KeyHandle)


@pytest.mark.parametrize("kdf", ["scrypt", "pbkdf2"])
def test_a_key_comes_back_from_its_encrypted_file(suite_name: str, tmp_path: Path, kdf: Kdf) -> None:
    key = keys_of(suite_name)[0]
    path = tmp_path / "seller.key.pem"
    file.save(path, key, "пароль 密码".encode(), kdf=kdf)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    asked: list[str] = []

    def ask(name: str) -> bytes:
        asked.append(name)
        return "пароль 密码".encode()

    for uri in (f"file:{path}", str(path)):
        opened = open_key(uri, ask)
        key.public_key.verify(opened.sign(b"contract"), b"contract")
    assert asked == ["password for seller.key.pem"] * 2


def test_a_wrong_password_is_said_to_be_wrong(signing_suite: str) -> None:
    encrypted = encrypt_pkcs8(keys_of(signing_suite)[0].pkcs8(), b"right")
    for password in (b"wrong", b"", b"Right", b"right "):
        with pytest.raises(WrongPassword):
            decrypt_pkcs8(encrypted, password)


def test_without_a_password_the_file_is_plain_and_nobody_is_asked(suite_name: str, tmp_path: Path) -> None:
    key = keys_of(suite_name)[0]
    file.save(tmp_path / "k", key, None)
    opened = open_key(str(tmp_path / "k"))
    key.public_key.verify(opened.sign(b"x"), b"x")


@pytest.mark.parametrize("kdf", ["scrypt", "pbkdf2"])
@pytest.mark.parametrize("name", ["rsa", "ecdsa-p256", "ed25519"])
def test_cryptography_opens_what_we_wrote(name: str, kdf: Kdf) -> None:
    key = keys_of(name)[0]
    encrypted = encrypt_pkcs8(key.pkcs8(), b"pw", kdf=kdf)
    theirs = serialization.load_der_private_key(encrypted, b"pw")
    spki = theirs.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert spki == key.public_key.spki


@pytest.mark.parametrize("name", ["rsa", "ecdsa-p256", "ed25519"])
def test_we_open_what_cryptography_wrote(name: str) -> None:
    key = keys_of(name)[0]
    theirs = serialization.load_der_private_key(key.pkcs8(), None)
    pem = theirs.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"pw"),
    )
    assert file.parse(pem, b"pw").public_key.spki == key.public_key.spki


@pytest.mark.parametrize(("name", "label"), [("rsa", "RSA PRIVATE KEY"), ("ecdsa-p384", "EC PRIVATE KEY")])
def test_traditional_forms_are_read(name: str, label: str) -> None:
    key = keys_of(name)[0]
    theirs = serialization.load_der_private_key(key.pkcs8(), None)
    encoding = serialization.Encoding.DER
    traditional = theirs.private_bytes(
        encoding, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    assert file.parse(armor(label, traditional).encode()).public_key.spki == key.public_key.spki
    assert file.parse(traditional).public_key.spki == key.public_key.spki


def test_two_saves_of_one_key_share_no_octets_of_secret() -> None:
    pkcs8 = keys_of("ed25519")[0].pkcs8()
    assert encrypt_pkcs8(pkcs8, b"pw") != encrypt_pkcs8(pkcs8, b"pw")


def test_an_existing_key_is_never_overwritten(tmp_path: Path) -> None:
    first, second = keys_of("ed25519")[:2]
    file.save(tmp_path / "k", first, None)
    with pytest.raises(KeyStoreError):
        file.save(tmp_path / "k", second, None)
    assert file.load(tmp_path / "k").public_key.spki == first.public_key.spki
    file.save(tmp_path / "k", second, None, replace=True)
    assert file.load(tmp_path / "k").public_key.spki == second.public_key.spki
    assert [item.name for item in tmp_path.iterdir()] == ["k"]


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("fsync", "link"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, fail)
            with pytest.raises(KeyStoreError):
                file.save(tmp_path / "k", keys_of("ed25519")[0], b"pw")
        assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="No such file"):
        files.write(tmp_path / "no" / "k", b"x")


def test_a_missing_or_unknown_key_is_said_to_be_missing(tmp_path: Path) -> None:
    for uri in ("file:/nonexistent", "/nonexistent", "pkcs15:slot=1", str(tmp_path)):
        with pytest.raises(KeyNotFound):
            open_key(uri)


def test_an_encrypted_key_without_anybody_to_ask(tmp_path: Path) -> None:
    file.save(tmp_path / "k", keys_of("sm2")[0], b"pw")
    with pytest.raises(WrongPassword):
        open_key(str(tmp_path / "k"))
    with pytest.raises(WrongPassword):
        file.load(tmp_path / "k")


def test_a_certificate_is_no_private_key() -> None:
    with pytest.raises(MalformedInput):
        file.parse(circle_of("ecdsa-p256").person.certificate.pem.encode())


def _pbes2(function: AlgorithmID, cipher: AlgorithmID) -> bytes:
    scheme = AlgorithmID(oids.PBES2, der.sequence(function.der(), cipher.der()))
    return der.sequence(scheme.der(), der.octet_string(bytes(32)))


AES = AlgorithmID(oids.AES256_CBC, der.octet_string(bytes(16)))
SALT = der.octet_string(b"12345678")


def test_costs_that_would_never_end_are_refused() -> None:
    huge = [
        AlgorithmID(oids.PBKDF2, der.sequence(SALT, der.integer(2**40))),
        AlgorithmID(oids.PBKDF2, der.sequence(SALT, der.integer(0))),
        AlgorithmID(oids.PBKDF2, der.sequence(SALT, der.integer(-5))),
        AlgorithmID(oids.SCRYPT, der.sequence(SALT, der.integer(2**30), der.integer(8), der.integer(1))),
        AlgorithmID(oids.SCRYPT, der.sequence(SALT, der.integer(2**10), der.integer(2**20), der.integer(1))),
        AlgorithmID(oids.SCRYPT, der.sequence(SALT, der.integer(3), der.integer(8), der.integer(1))),
        AlgorithmID(oids.SCRYPT, der.sequence(SALT, der.integer(2**10), der.integer(8), der.integer(2**20))),
    ]
    assert MAX_SCRYPT_MEMORY <= 1 << 30
    for function in huge:
        with pytest.raises(MalformedInput):
            decrypt_pkcs8(_pbes2(function, AES), b"pw")


def test_schemes_we_do_not_read_are_named_with_a_hint() -> None:
    pbkdf2 = AlgorithmID(oids.PBKDF2, der.sequence(SALT, der.integer(1)))
    rc2 = AlgorithmID("1.2.840.113549.3.2", der.octet_string(bytes(8)))
    pbes1 = der.sequence(
        AlgorithmID("1.2.840.113549.1.5.3", der.sequence(SALT, der.integer(1))).der(), der.octet_string(bytes(32))
    )
    cryptopro = der.sequence(
        AlgorithmID("1.2.840.113549.1.12.1.80", der.sequence(SALT, der.integer(1))).der(), der.octet_string(bytes(32))
    )
    for encrypted in (_pbes2(pbkdf2, rc2), _pbes2(AlgorithmID("1.2.3", SALT), AES), pbes1, cryptopro):
        with pytest.raises(UnsupportedAlgorithm) as caught:
            decrypt_pkcs8(encrypted, b"pw")
        assert "openssl" in caught.value.hint


def test_an_ec_key_without_a_curve_is_refused() -> None:
    with pytest.raises(BadKey):
        file.parse(der.sequence(der.integer(1), der.octet_string(bytes(32))))


def test_an_empty_password_encrypts_nothing() -> None:
    with pytest.raises(WrongPassword):
        encrypt_pkcs8(keys_of("ed25519")[0].pkcs8(), b"")


@settings(max_examples=60)
@given(data=st.binary(max_size=200), kind=st.integers(0, 2))
def test_no_octets_raise_anything_builtin(data: bytes, kind: int) -> None:
    wrapped = (data, der.sequence(data), armor("ENCRYPTED PRIVATE KEY", data).encode())[kind]
    try:
        file.parse(wrapped, b"pw")
    except SealroadError:
        pass


def test_gmssl_and_bouncycastle_and_tongsuo_keys_open(corpus: Path) -> None:
    needs_gost("TC26-256-A")
    from certs.certificate import load_certificate

    china, russia = corpus / "china", corpus / "russia"
    cases = [
        (china / "gmssl" / "signer_key_pbes2.pem", b"1234", china / "gmssl" / "signer_cert.pem"),
        (china / "ofdrw" / "sign_key.pem", None, china / "ofdrw" / "sign_cert.pem"),
        (china / "tongsuo" / "client_sign.key", None, china / "tongsuo" / "client_sign.crt"),
        (russia / "bouncycastle" / "gost2012_priv.pem", b"test", russia / "bouncycastle" / "gost2012_cert.pem"),
        (russia / "tc26-cms" / "sender256_key.pem", None, russia / "tc26-cms" / "sender256_cert.pem"),
        (russia / "tc26-cms" / "sender512_key.pem", None, russia / "tc26-cms" / "sender512_cert.pem"),
    ]
    for path, password, certificate in cases:
        key = file.load(path, password)
        public = suites.load_public(load_certificate(certificate.read_bytes()).spki)
        public.verify(key.sign(b"contract"), b"contract")
    for name in ("sm2_begin_ec.key", "sm2_begin_sm2.key"):
        assert file.load(china / "tongsuo" / name).suite.name == "sm2"


@pytest.mark.parametrize("name", ["sm2_bad_0.pem", "sm2_bad_1.pem", "sm2_bad_neg1.pem"])
def test_a_private_scalar_out_of_range_is_refused(corpus: Path, name: str) -> None:
    with pytest.raises(SealroadError):
        file.load(corpus / "china" / "tongsuo" / name)
