"""Keys in a token, judged by OpenSC's pkcs11-tool and by OpenSSL: one token, two programs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from certs import der, suites
from certs.keys import generate_key, open_key
from certs.pem import armor
from tests.certs.tokens import PIN, ask_pin, new_token, softhsm, with_object
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
