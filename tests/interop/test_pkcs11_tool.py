"""Keys in a token, judged by OpenSC's pkcs11-tool and by OpenSSL: one token, two programs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certs import der, oids, suites
from certs.enveloped import decrypt_bytes
from certs.errors import DecryptionFailed
from certs.keys import generate_key, open_key
from certs.keys.base import decrypting
from certs.pem import armor
from certs.suites import transport_rsa
from certs.suites.base import AlgorithmID, WrappedKey
from certs.suites.transport_rsa import OAEP
from tests.certs.tokens import PIN, ask_pin, new_token, softhsm, with_object
from tests.conftest import circle_of, subjects_of
from tests.interop.programs import Program

pytestmark = pytest.mark.interop
pytest.importorskip("pkcs11", reason="the extra 'pkcs11' is not installed")

SUITES = {
    "rsa": ("SHA256-RSA-PKCS", "RSA"),
    "ecdsa-p256": ("ECDSA", "EC"),
    "ecdsa-p384": ("ECDSA", "EC"),
    "ecdsa-p521": ("ECDSA", "EC"),
    "ed25519": ("EDDSA", "EC_EDWARDS"),
}


@pytest.fixture(scope="module")
def token() -> str:
    return new_token()


def _label(token: str) -> str:
    return token.partition("token=")[2].partition("?")[0]


def _tool(token: str, *words: str, cwd: Path) -> str:
    os.environ["SEALROAD_TEST_PIN"] = PIN.decode()
    common = ("--module", softhsm(), "--token-label", _label(token), "--login", "--pin", "env:SEALROAD_TEST_PIN")
    return Program.find("pkcs11-tool").run(*common, *words, cwd=cwd).check().text


@pytest.mark.parametrize("name", sorted(SUITES))
def test_what_we_made_it_sees_and_signs_with_it_and_we_verify(name: str, token: str, tmp_path: Path) -> None:
    number = sorted(SUITES).index(name)
    uri = with_object(token, f"ours-{name};id=%A{number}")
    key = generate_key(uri, name, ask_pin, parameter="2048" if name == "rsa" else None)
    seen = _tool(token, "--list-objects", cwd=tmp_path)
    assert f"ours-{name}" in seen
    assert seen.count(f"label:      ours-{name}") == 2
    mechanism, _ = SUITES[name]
    message = b"contract"
    given = suites.digest(key.suite.digest_name, message) if mechanism == "ECDSA" else message
    (tmp_path / "in").write_bytes(given)
    words = ("--sign", "--mechanism", mechanism, "--id", f"a{number}", "-i", "in", "-o", "out")
    _tool(token, *words, cwd=tmp_path)
    value = (tmp_path / "out").read_bytes()
    if mechanism == "ECDSA":
        half = len(value) // 2
        value = der.encode_integer_pair(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))
    suites.load_public(key.public_key.spki).verify(value, message)


@pytest.mark.parametrize(
    ("name", "kind"), [("rsa", "rsa:2048"), ("ecdsa-p256", "EC:prime256v1"), ("ecdsa-p384", "EC:secp384r1")]
)
def test_what_it_made_signs_here_and_openssl_verifies(name: str, kind: str, token: str, tmp_path: Path) -> None:
    label = f"theirs-{name}"
    _tool(
        token,
        "--keypairgen",
        "--key-type",
        kind,
        "--label",
        label,
        "--id",
        "b0" + name.encode().hex(),
        cwd=tmp_path,
    )
    key = open_key(with_object(token, label), ask_pin)
    assert key.suite.name == name
    (tmp_path / "in").write_bytes(b"contract")
    (tmp_path / "sig").write_bytes(key.sign(b"contract"))
    (tmp_path / "pub.pem").write_text(armor("PUBLIC KEY", key.public_key.spki))
    words = ("dgst", f"-{key.suite.digest_name}", "-verify", "pub.pem", "-signature", "sig", "in")
    Program.find("openssl").run(*words, cwd=tmp_path).check("Verified OK")


# Keys that decrypt ---------------------------------------------------------------------------------------------------
ENCRYPTIONS = {
    "rsa, OAEP": ("rsa", ("-keyopt", "rsa_padding_mode:oaep")),
    "rsa, PKCS #1 v1.5": ("rsa", ()),
    "ecdsa-p256": ("ecdsa-p256", ("-keyopt", "ecdh_kdf_md:sha256")),
    "ecdsa-p384": ("ecdsa-p384", ("-keyopt", "ecdh_kdf_md:sha384")),
    "ecdsa-p521": ("ecdsa-p521", ()),
    "ecdsa-bp256": ("ecdsa-bp256", ()),
}


@pytest.mark.parametrize("way", sorted(ENCRYPTIONS))
def test_what_openssl_encrypted_opens_with_a_key_in_the_token(way: str, token: str, tmp_path: Path) -> None:
    name, options = ENCRYPTIONS[way]
    uri = with_object(token, f"mail-{way.replace(' ', '').replace(',', '-').replace('#', '')}")
    key = generate_key(uri, name, ask_pin, parameter="2048" if name == "rsa" else None, decrypts=True)
    certificate = circle_of(name).ca.issue("encryption", subjects_of(name)[0], key.public_key.spki)
    (tmp_path / "you.pem").write_text(certificate.pem)
    (tmp_path / "in").write_bytes(b"contract" * 1000)
    words = ("cms", "-encrypt", "-binary", "-aes-256-gcm", "-outform", "DER", "-in", "in", "-out", "m.p7m")
    Program.find("openssl").run(*words, "-recip", "you.pem", *options, cwd=tmp_path).check()
    message = (tmp_path / "m.p7m").read_bytes()
    assert decrypt_bytes(message, open_key(uri, ask_pin), certificate) == b"contract" * 1000
    with pytest.raises(DecryptionFailed):
        decrypt_bytes(message[:-1] + bytes((message[-1] ^ 1,)), key, certificate)


def test_a_key_that_we_made_for_decryption_decrypts_and_agrees_elsewhere(token: str, tmp_path: Path) -> None:
    rsa = generate_key(with_object(token, "d-rsa;id=%D0"), "rsa", ask_pin, parameter="2048", decrypts=True)
    (tmp_path / "in").write_bytes(transport_rsa.sample(rsa.public_key.spki, bytes(range(32)), OAEP("sha1", "sha1")))
    words = ("--decrypt", "--mechanism", "RSA-PKCS-OAEP", "--hash-algorithm", "SHA-1", "--mgf", "MGF1-SHA1")
    _tool(token, *words, "--id", "d0", "-i", "in", "-o", "out", cwd=tmp_path)
    assert (tmp_path / "out").read_bytes() == bytes(range(32))
    ours = generate_key(with_object(token, "d-ec;id=%D1"), "ecdsa-p256", ask_pin, decrypts=True)
    public = serialization.load_der_public_key(ours.public_key.spki)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    (tmp_path / "peer").write_bytes(ephemeral.public_key().public_bytes(serialization.Encoding.DER, form))
    _tool(token, "--derive", "--mechanism", "ECDH1-DERIVE", "--id", "d1", "-i", "peer", "-o", "shared", cwd=tmp_path)
    assert (tmp_path / "shared").read_bytes() == ephemeral.exchange(ec.ECDH(), public)


def test_a_key_for_signing_neither_decrypts_nor_agrees_elsewhere(token: str, tmp_path: Path) -> None:
    generate_key(with_object(token, "s-rsa;id=%E0"), "rsa", ask_pin, parameter="2048")
    generate_key(with_object(token, "d2-rsa;id=%E1"), "rsa", ask_pin, parameter="2048", decrypts=True)
    seen = _tool(token, "--list-objects", "--type", "privkey", cwd=tmp_path)
    usages = dict(re.findall(r"label: +(\S+)\n(?:(?!  label).*\n)*?  Usage: +(.*)\n", seen))
    assert usages["s-rsa"] == "sign"
    assert usages["d2-rsa"] == "decrypt, sign"


@pytest.mark.parametrize(
    ("name", "kind", "usage"), [("rsa", "rsa:2048", "decrypt"), ("ecdsa-p256", "EC:prime256v1", "derive")]
)
def test_a_key_that_it_made_decrypts_here(name: str, kind: str, usage: str, token: str, tmp_path: Path) -> None:
    label = f"its-{name}"
    more = ("--usage-sign", f"--usage-{usage}")
    _tool(
        token, "--keypairgen", "--key-type", kind, "--label", label, "--id", "f" + str(len(usage)), *more, cwd=tmp_path
    )
    key = decrypting(open_key(with_object(token, label), ask_pin))
    plain = bytes(range(32))
    if name == "rsa":
        encrypted = transport_rsa.sample(key.public_key.spki, plain, OAEP("sha1", "sha1"))
        wrapped = WrappedKey(AlgorithmID(oids.RSA_OAEP), encrypted)
    else:
        wrapped = key.public_key.wrap_key(plain, "aes-256-gcm")
    assert key.unwrap_key(wrapped, 32) == plain
