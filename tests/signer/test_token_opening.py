"""Messages, envelopes and encrypted PDFs open with a key in a token, as people and scripts do it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from api.cli import main
from certs import oids
from certs.certificate import Certificate, Subject, load_certificates
from certs.enveloped import encrypt_bytes
from certs.errors import BackendFault, DecryptionFailed, KeyNotFound, KeyStoreError, MalformedInput, SealroadError
from certs.keys import file as key_file
from certs.keys import generate_key, pkcs11, pkcs11_token
from certs.keys.base import DecryptionKey
from certs.suites.base import AlgorithmID, WrappedKey
from signer.encryption.pdf import CIPHERS, encrypt_pdf
from signer.errors import EncryptedPDF
from signer.pdf.encryption import Credentials, Recipient
from signer.relayed_keys import RelayedKey, is_request, unwrapped
from signer.report import Verdict
from signer.sandbox import Sandbox
from signer.verify import VerifyOptions
from tests.certs.post import mailbox
from tests.certs.tokens import PIN, ask_pin, new_token, with_object
from tests.conftest import CLOCK, NOW, circle_of, make_pdf
from tests.signer.seal_pdf.marks import seal
from tests.signer.test_sign_encrypted import signed

pytest.importorskip("pkcs11", reason="the extra 'pkcs11' is not installed")
interop = pytest.mark.interop

TEXT = "合同 𠮷 Договор".encode() * 1000
SUBJECT = Subject("张𠮷伟", country="CN")
HELD = ("rsa", "ecdsa-p256", "ecdsa-bp384")
OAEP = {"rsa": "sha1"}
"""SoftHSM2 has no other."""


@dataclass(frozen=True)
class Held:
    """A key in a token, with a certificate for encryption that was issued for its request."""

    uri: str
    certificate: Certificate


@pytest.fixture(scope="module")
def token() -> str:
    return new_token()


@pytest.fixture(scope="module")
def held(token: str) -> Iterator[dict[str, Held]]:
    """Made with the library once; `test_the_way_of_a_key` makes one as people do."""
    found = {}
    for name in HELD:
        uri = with_object(token, f"reader-{name}")
        key = pkcs11.generate(uri, name, ask_pin, parameter="2048" if name == "rsa" else None, decrypts=True)
        found[name] = Held(uri, circle_of(name).ca.issue("encryption", SUBJECT, key.public_key.spki))
    yield found
    for item in found.values():
        pkcs11.destroy(item.uri, ask_pin)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("certs.clock.SystemClock.now", lambda self: NOW)
    (tmp_path / "pin").write_bytes(PIN + b"\n")
    (tmp_path / "contract.pdf").write_bytes(TEXT)
    for name in (*HELD, "sm2"):
        circle = circle_of(name)
        (tmp_path / name).mkdir()
        (tmp_path / name / "root.pem").write_text(circle.root.pem)
        for number, crl in enumerate(circle.crls):
            (tmp_path / name / f"{number}.crl").write_bytes(crl.der)
        key_file.save(tmp_path / f"{name}.me.key", circle.organisation.key, None)
        (tmp_path / f"{name}.me.pem").write_text(circle.organisation.certificate.pem + circle.issuing.pem)
    return tmp_path


def give(desk: Path, name: str, item: Held) -> None:
    (desk / "reader.pem").write_text(item.certificate.pem + circle_of(name).issuing.pem)


def locked_out() -> None:
    """End every session of this process: the next one needs the PIN."""
    for module in pkcs11_token._modules.values():
        pkcs11_token._restart(module)


# As people do it -----------------------------------------------------------------------------------------------------
@interop
@pytest.mark.parametrize("suite", ["rsa", "ecdsa-p256"])
def test_the_way_of_a_key(suite: str, token: str, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    uri = with_object(token, f"way-{suite}")
    ask = ("--password-file", "pin")
    size = ("--parameter", "2048") if suite == "rsa" else ()
    assert main(["key", "generate", "--key", uri, "--suite", suite, *size, "--decrypts", *ask]) == 0
    said = capsys.readouterr().out
    assert ("note: " in said) == (suite == "rsa")  # SoftHSM2 has OAEP with SHA-1 only, and encrypt writes SHA-256
    assert ("does not decrypt by RSA-OAEP with SHA-256" in said) == (suite == "rsa")
    assert main(["key", "request", uri, "--cn", "张𠮷伟", "--country", "CN", "--output", "reader.csr", *ask]) == 0
    assert main(["ca", "init", "ca", "--suite", suite, "--organisation", "T", "--country", "CN", "--no-password"]) == 0
    lenient = ("--revocation", "if-present")  # the lists are of today, and the clock here is not
    issue = ["ca", "issue", "ca", "--request", "reader.csr", "--profile", "encryption", "--chain"]
    assert main([*issue, "--output", "reader.pem"]) == 0
    (certificate, *_) = load_certificates((desk / "reader.pem").read_bytes())
    assert certificate.allows("key_encipherment" if suite == "rsa" else "key_agreement")
    assert main(["encrypt", "contract.pdf", "contract.p7m", "--to", "reader.pem", "--trust", "ca", *lenient]) == 0
    capsys.readouterr()
    locked_out()
    code = main(["decrypt", "contract.p7m", "out.pdf", "--key", uri, "--cert", "reader.pem", *ask])
    if suite == "rsa":
        assert code == 2
        err = capsys.readouterr().err
        assert "RSA-OAEP with SHA-256" in err
        assert "--oaep sha1" in err
        assert not (desk / "out.pdf").exists()
        again = ("--oaep", "sha1", "--to", "reader.pem", "--trust", "ca", *lenient)
        assert main(["encrypt", "contract.pdf", "again.p7m", *again]) == 0
        code = main(["decrypt", "again.p7m", "out.pdf", "--key", uri, "--cert", "reader.pem", *ask])
    assert code == 0
    assert (desk / "out.pdf").read_bytes() == TEXT
    pkcs11.destroy(uri, ask_pin)


@interop
def test_a_pair_of_an_authority_is_accepted_by_the_signing_key_in_a_token(token: str, desk: Path) -> None:
    uri, ask = with_object(token, "pair"), ("--password-file", "pin")
    assert main(["key", "generate", "--key", uri, "--suite", "ecdsa-p256", "--decrypts", *ask]) == 0
    assert main(["key", "request", uri, "--cn", "张𠮷伟", "--country", "CN", "--output", "me.csr", *ask]) == 0
    new = ("--suite", "ecdsa-p256", "--organisation", "T", "--country", "CN", "--no-password")
    assert main(["ca", "init", "ca", *new]) == 0
    assert main(["ca", "issue-pair", "ca", "--request", "me.csr", "--output", "me.pair"]) == 0
    (desk / "new").write_text("correct horse")
    accepts = ("--key", uri, "--output", "mail.key", "--encryption-cert", "mail.pem", "--new-password-file", "new")
    assert main(["key", "accept-pair", "me.pair", *accepts, *ask]) == 0
    opened = key_file.load("mail.key", b"correct horse")
    (certificate,) = load_certificates((desk / "mail.pem").read_bytes())
    assert opened.public_key.spki == certificate.spki
    pkcs11.destroy(uri, ask_pin)


@interop
@pytest.mark.parametrize("name", HELD)
def test_an_envelope_opens_with_a_key_in_a_token(
    name: str, held: dict[str, Held], desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    give(desk, name, held[name])
    sender = ("--sign-key", f"{name}.me.key", "--cert", f"{name}.me.pem")
    oaep = ("--oaep", "sha1") if name == "rsa" else ()
    assert main(["encrypt", "contract.pdf", "contract.zip", "--to", "reader.pem", "--trust", name, *sender, *oaep]) == 0
    opens = ("--key", held[name].uri, "--cert", "reader.pem", "--trust", name)
    locked_out()
    assert main(["decrypt", "contract.zip", "out.pdf", *opens, "--password-file", "pin"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("TOTAL-PASSED")
    assert (desk / "out.pdf").read_bytes() == TEXT


@interop
@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("name", HELD)
def test_an_encrypted_pdf_is_opened_signed_sealed_and_verified(
    name: str, cipher: str, held: dict[str, Held], desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    give(desk, name, held[name])
    (desk / "in.pdf").write_bytes(
        encrypt_pdf(
            make_pdf(),
            [held[name].certificate, mailbox("sm2").certificate],
            cipher=cipher,
            oaep=OAEP.get(name, "sha256"),
        )
    )
    (desk / "seal.esl").write_bytes(seal("sm2").der)
    who = ("--key", "sm2.me.key", "--cert", "sm2.me.pem")
    opens = ("--open-key", held[name].uri, "--open-cert", "reader.pem", "--open-password-file", "pin")
    key = ("--key", held[name].uri, "--cert", "reader.pem", "--password-file", "pin")
    locked_out()
    assert main(["sign", "in.pdf", "signed.pdf", *who, *opens]) == 0
    assert main(["seal", "apply", "signed.pdf", "sealed.pdf", *who, "--seal", "seal.esl", "--every-page", *opens]) == 0
    capsys.readouterr()
    assert main(["verify", "sealed.pdf", "signed.pdf", "--trust", "sm2", "--format", "json", *key]) == 0
    reports = json.loads(capsys.readouterr().out)
    assert [item["verdict"] for item in reports] == ["TOTAL-PASSED"] * 2
    assert [one["kind"] for one in reports[0]["signatures"]] == ["signature", "seal"]
    assert main(["decrypt", "sealed.pdf", "copy.pdf", *key]) == 0
    assert (desk / "copy.pdf").read_bytes().startswith(b"%PDF-")


# What goes wrong -----------------------------------------------------------------------------------------------------
@interop
def test_what_goes_wrong_is_said_and_nothing_is_written(
    held: dict[str, Held], token: str, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    item = held["ecdsa-p256"]
    give(desk, "ecdsa-p256", item)
    (desk / "m.p7m").write_bytes(encrypt_bytes(TEXT, [item.certificate]))
    (desk / "in.pdf").write_bytes(encrypt_pdf(make_pdf(), [item.certificate]))
    (desk / "theirs.p7m").write_bytes(encrypt_bytes(TEXT, [mailbox("ecdsa-p256").certificate]))
    (desk / "bad").write_text("000000")
    signs = with_object(token, "only-signs")
    key = pkcs11.generate(signs, "ecdsa-p256", ask_pin)
    theirs = circle_of("ecdsa-p256").ca.issue("encryption", SUBJECT, key.public_key.spki)
    (desk / "signs.pem").write_text(theirs.pem)
    (desk / "signs.p7m").write_bytes(encrypt_bytes(TEXT, [theirs]))
    (desk / "signs.pdf").write_bytes(encrypt_pdf(make_pdf(), [theirs]))
    ask, cert = ("--password-file", "pin"), ("--cert", "reader.pem")
    gone = item.uri.replace("token=", "token=x")
    cases = {
        "the PIN does not open": ["m.p7m", item.uri, *cert, "--password-file", "bad"],
        "is not there": ["m.p7m", gone, *cert, *ask],
        "not encrypted to": ["theirs.p7m", item.uri, *cert, *ask],
        "must not derive": ["signs.p7m", signs, "--cert", "signs.pem", *ask],
        "cannot be used: the key 'only-signs'": ["signs.pdf", signs, "--cert", "signs.pem", *ask],
        "no certificate beside the key": ["in.pdf", item.uri, *ask],
        "for the holders of other certificates": ["in.pdf", signs, "--cert", "signs.pem", *ask],
    }
    before = set(desk.iterdir())
    for words, (source, uri, *more) in cases.items():
        locked_out()
        assert main(["decrypt", source, "out.pdf", "--key", uri, *more]) == 2, words
        err = capsys.readouterr().err
        assert words in err
        assert PIN.decode() not in err
    locked_out()
    assert main(["verify", "signs.pdf", "--trust", "ecdsa-p256", "--key", signs, "--cert", "signs.pem", *ask]) == 2
    assert "must not derive (CKA_DERIVE)" in capsys.readouterr().err
    assert set(desk.iterdir()) == before
    pkcs11.destroy(signs, ask_pin)


@interop
def test_a_changed_message_says_the_same_whatever_was_changed(
    held: dict[str, Held], desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    item = held["ecdsa-p256"]
    give(desk, "ecdsa-p256", item)
    message = encrypt_bytes(TEXT, [item.certificate])
    key = pkcs11.open_uri(item.uri.removeprefix("pkcs11:"), ask_pin)
    info = key.public_key.wrap_key(bytes(32), "aes-256-gcm")
    assert info.originator is not None
    wrapped = message.index(b"\x04\x28") + 2  # the wrapped key, 40 octets
    point = message.index(b"\x03\x42\x00\x04") + 4
    said = set()
    for at in (wrapped, wrapped + 39, point + 3, point + 60, len(message) - 3, len(message) - 500):
        (desk / "m.p7m").write_bytes(message[:at] + bytes((message[at] ^ 1,)) + message[at + 1 :])
        ask = ("--key", item.uri, "--cert", "reader.pem", "--password-file", "pin")
        assert main(["decrypt", "m.p7m", "out.pdf", *ask]) == 2
        said.add(capsys.readouterr().err)
        assert not (desk / "out.pdf").exists()
    assert len(said) == 1


@interop
def test_the_pin_comes_from_a_descriptor_too(held: dict[str, Held], desk: Path) -> None:
    item = held["ecdsa-p256"]
    give(desk, "ecdsa-p256", item)
    (desk / "m.p7m").write_bytes(encrypt_bytes(TEXT, [item.certificate]))
    locked_out()
    reader, writer = os.pipe()
    os.write(writer, PIN + b"\n")
    os.close(writer)
    ask = ("--key", item.uri, "--cert", "reader.pem", "--password-fd", str(reader))
    assert main(["decrypt", "m.p7m", "out.pdf", *ask]) == 0
    assert (desk / "out.pdf").read_bytes() == TEXT


def test_a_sealed_key_opens_an_encrypted_pdf_too(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    uri = "sealed:mail.sealed?kek=file:kek"
    made = generate_key(uri, "ecdsa-p256", decrypts=True)
    certificate = circle_of("ecdsa-p256").ca.issue("encryption", SUBJECT, made.public_key.spki)
    (desk / "reader.pem").write_text(certificate.pem)
    (desk / "in.pdf").write_bytes(encrypt_pdf(make_pdf(), [certificate]))
    assert main(["decrypt", "in.pdf", "out.pdf", "--key", uri, "--cert", "reader.pem"]) == 0
    who = ("--key", "sm2.me.key", "--cert", "sm2.me.pem")
    assert main(["sign", "in.pdf", "signed.pdf", *who, "--open-key", uri, "--open-cert", "reader.pem"]) == 0
    assert main(["verify", "signed.pdf", "--trust", "sm2", "--key", uri, "--cert", "reader.pem"]) == 0
    capsys.readouterr()
    assert main(["verify", "signed.pdf", "--trust", "sm2", "--key", uri]) == 2
    assert "no certificate beside the key" in capsys.readouterr().err


# The key of a child --------------------------------------------------------------------------------------------------
class Elsewhere:
    """A key that is not handed over, and counts what it is asked."""

    def __init__(self, key: DecryptionKey, fault: SealroadError | None = None) -> None:
        self.key, self.fault, self.asked = key, fault, 0
        self.suite, self.public_key = key.suite, key.public_key

    def sign(self, message: bytes) -> bytes:
        raise AssertionError

    def unwrap_key(self, wrapped: WrappedKey, size: int) -> bytes:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        return self.key.unwrap_key(wrapped, size)


@pytest.mark.parametrize("suite", ["rsa", "ecdsa-p256", "sm2", "gost2012-256"])
def test_a_file_is_verified_in_a_child_by_a_key_that_is_not_there(suite: str) -> None:
    box = mailbox(suite)
    data = encrypt_pdf(make_pdf(), [box.certificate])
    opened = Recipient(box.certificate.der, box.key.pkcs8())
    data = signed(data, "sm2", Credentials(recipient=opened))
    key = Elsewhere(box.key)
    options = VerifyOptions(recipient=Recipient(box.certificate.der, key))
    sandbox = Sandbox(trust=circle_of("sm2").trust, clock=CLOCK, options=options)
    assert sandbox.verify(data, name="x.pdf").verdict is Verdict.TOTAL_PASSED
    assert key.asked > 0  # in this process, not in the fork


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (DecryptionFailed(), "does not open it"),
        (KeyNotFound("the token is not there"), "the token is not there"),
        (KeyStoreError("the key must not derive"), "must not derive"),
        (BackendFault("the token failed"), "the token failed"),
    ],
)
def test_what_the_store_of_the_key_says_comes_through(fault: SealroadError, words: str) -> None:
    box = mailbox("ecdsa-p256")
    data = encrypt_pdf(make_pdf(), [box.certificate])
    options = VerifyOptions(recipient=Recipient(box.certificate.der, Elsewhere(box.key, fault)))
    sandbox = Sandbox(trust=circle_of("sm2").trust, clock=CLOCK, options=options)
    with pytest.raises(EncryptedPDF, match=words):
        sandbox.verify(data, name="x.pdf")


def test_a_child_asks_and_is_answered_and_nothing_else_is_believed() -> None:
    key = mailbox("ecdsa-p256").key
    wrapped = key.public_key.wrap_key(bytes(range(32)), "aes-256-gcm")
    seen: list[bytes] = []

    def ask(request: bytes) -> bytes:
        seen.append(request)
        assert is_request(request)
        return unwrapped(key, request)

    child = RelayedKey(key, ask)
    assert isinstance(child, DecryptionKey)
    assert child.public_key.spki == key.public_key.spki
    assert child.unwrap_key(wrapped, 32) == bytes(range(32))
    for broken in (replace(wrapped, encrypted_key=bytes(40)), replace(wrapped, originator=b"")):
        with pytest.raises(DecryptionFailed):
            child.unwrap_key(broken, 32)
    with pytest.raises(SealroadError, match="not supported"):
        child.unwrap_key(replace(wrapped, algorithm=AlgorithmID(oids.SHA256)), 32)
    with pytest.raises(SealroadError):
        child.sign(b"x")
    for request in (
        *(b'{"unwrap":', b'{"unwrap":1}', b'{"unwrap":[1,2,3,4],"oid":"1","size":1}', b'{"unwrap":[]}'),
        *(b'{"unwrap":[null,null,null,null],"oid":"1.2","size":16}', b'{"unwrap":' + b"[" * 100_000),
        json.dumps(json.loads(seen[0]) | {"size": 10**9}).encode(),
        json.dumps(json.loads(seen[0]) | {"size": "32"}).encode(),
        json.dumps(json.loads(seen[0]) | {"oid": None}).encode(),
        json.dumps(json.loads(seen[0]) | {"oid": "x" * 1000}).encode(),
    ):
        assert json.loads(unwrapped(key, request))["code"] in {MalformedInput.code, "unsupported-algorithm"}
