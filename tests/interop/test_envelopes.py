"""openssl, with and without gost-engine, and Bouncy Castle open what we encrypt, and we open what they encrypt."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from certs.certificate import armor
from certs.enveloped import decrypt_bytes, encrypt_bytes
from certs.enveloped_view import EnvelopeView
from certs.suites import content, transport_rsa
from tests.certs.post import ENCRYPTING, Mailbox, mailbox
from tests.interop.programs import BOUNCY_CASTLE, Program, jars, java_program

pytestmark = pytest.mark.interop

INTERNATIONAL = tuple(name for name in ENCRYPTING if name == "rsa" or name.startswith("ecdsa"))
GOST = ("gost2012-256", "gost2012-512")
LONG = bytes(range(256)) * 2344
"""600 064 octets: more than two sections of Kuznyechik, and 73 of Magma."""
SHORT = LONG[:900]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    return tmp_path


def laid_out(desk: Path, box: Mailbox, text: bytes) -> Path:
    (desk / "key.pem").write_text(armor("PRIVATE KEY", box.key.pkcs8()))
    (desk / "cert.pem").write_text(box.certificate.pem)
    (desk / "content").write_bytes(text)
    return desk


def opened_by(program: Program, desk: Path, message: bytes) -> bytes:
    (desk / "message").write_bytes(message)
    where = ("-inform", "DER", "-in", desk / "message", "-recip", desk / "cert.pem", "-inkey", desk / "key.pem")
    program.run("cms", "-decrypt", "-binary", *where, "-out", desk / "opened").check()
    return (desk / "opened").read_bytes()


def encrypted_by(program: Program, desk: Path, *options: str) -> bytes:
    where = ("-in", desk / "content", "-outform", "DER", "-out", desk / "message")
    program.run("cms", "-encrypt", "-binary", *where, *options).check()
    return (desk / "message").read_bytes()


@pytest.mark.parametrize("suite_name", INTERNATIONAL)
def test_openssl_opens_ours(openssl: Program, suite_name: str, desk: Path) -> None:
    box = mailbox(suite_name)
    laid_out(desk, box, LONG)
    others = [mailbox(name, 1).certificate for name in ("rsa", "ecdsa-p256")]
    assert opened_by(openssl, desk, encrypt_bytes(LONG, [*others, box.certificate])) == LONG


@pytest.mark.parametrize("digest", transport_rsa.DIGESTS)
def test_openssl_opens_ours_by_oaep_over_every_digest(openssl: Program, digest: str, desk: Path) -> None:
    box = mailbox("rsa")
    laid_out(desk, box, SHORT)
    message = encrypt_bytes(SHORT, [mailbox("rsa", 1).certificate, box.certificate], oaep=digest)
    assert opened_by(openssl, desk, message) == SHORT
    said = openssl.run("asn1parse", "-inform", "DER", "-in", desk / "message").check("rsaesOaep").text
    assert said.count(f":{digest}") == (0 if digest == "sha1" else 4)  # the default is left out (RFC 4055 4.1)


@pytest.mark.parametrize("suite_name", INTERNATIONAL)
@pytest.mark.parametrize("cipher", ["aes-256-gcm", "aes-128-gcm", "aes-256-cbc", "aes-128-cbc"])
@pytest.mark.parametrize("stream", [True, False])
def test_we_open_what_openssl_encrypts(
    openssl: Program, suite_name: str, cipher: str, stream: bool, desk: Path
) -> None:
    box = mailbox(suite_name)
    laid_out(desk, box, LONG)
    ways = [("-stream",) if stream else ()]
    if suite_name == "rsa":
        ways += [("-keyopt", "rsa_padding_mode:oaep", "-keyopt", f"rsa_oaep_md:{md}") for md in ("sha1", "sha256")]
    else:
        ways += [("-keyopt", "ecdh_kdf_md:sha512", "-aes256-wrap")]
    for way in ways:
        message = encrypted_by(openssl, desk, f"-{cipher}", "-recip", str(desk / "cert.pem"), *way)
        assert decrypt_bytes(message, box.key, box.certificate) == LONG
        assert decrypt_bytes(message, box.key) == LONG


@pytest.mark.parametrize("suite_name", GOST)
@pytest.mark.parametrize("cipher", ["kuznyechik-ctr-acpkm-omac", "magma-ctr-acpkm-omac"])
def test_openssl_with_the_engine_opens_ours(gost_openssl: Program, suite_name: str, cipher: str, desk: Path) -> None:
    box = mailbox(suite_name)
    laid_out(desk, box, SHORT)
    assert opened_by(gost_openssl, desk, encrypt_bytes(SHORT, [box.certificate], cipher=cipher)) == SHORT


@pytest.mark.parametrize("suite_name", GOST)
@pytest.mark.parametrize("text", [SHORT, LONG], ids=["short", "600064 octets"])
@pytest.mark.parametrize("cipher", [item.name for item in content._CIPHERS if item.family == "russia"])
def test_we_open_what_openssl_with_the_engine_encrypts(
    gost_openssl: Program, suite_name: str, cipher: str, text: bytes, desk: Path
) -> None:
    box = mailbox(suite_name)
    laid_out(desk, box, text)
    message = encrypted_by(gost_openssl, desk, f"-{cipher}", str(desk / "cert.pem"))
    assert decrypt_bytes(message, box.key, box.certificate) == text
    assert decrypt_bytes(message, box.key) == text


def test_openssl_decrypts_the_content_key_and_the_content_that_we_encrypt_to_sm2(openssl: Program, desk: Path) -> None:
    box = mailbox("sm2")
    laid_out(desk, box, LONG)
    view = EnvelopeView(io.BytesIO(encrypt_bytes(LONG, [box.certificate])))
    (desk / "wrapped").write_bytes(view.recipients[0].wrapped.encrypted_key)
    (desk / "ciphertext").write_bytes(b"".join(view.pieces()))
    where = ("-inkey", desk / "key.pem", "-in", desk / "wrapped", "-out", desk / "cek")
    openssl.run("pkeyutl", "-decrypt", *where).check()
    key, iv = (desk / "cek").read_bytes(), (view.algorithm.parameters or b"")[2:]
    options = ("-K", key.hex(), "-iv", iv.hex(), "-in", desk / "ciphertext", "-out", desk / "opened")
    openssl.run("enc", "-d", "-sm4-cbc", *options).check()
    assert (desk / "opened").read_bytes() == LONG


# Bouncy Castle --------------------------------------------------------------------------------------------------------
CIPHERS = {
    **dict.fromkeys(INTERNATIONAL, ("aes-256-gcm",)),
    "sm2": ("sm4-cbc",),
    **dict.fromkeys(GOST, ("kuznyechik-ctr-acpkm-omac", "magma-ctr-acpkm-omac")),
}
OURS = [(name, cipher) for name, some in CIPHERS.items() for cipher in some]
WAYS = [("rsa", f"{key}/{text}") for key in ("oaep", "old") for text in ("gcm", "gcm+attributes", "cbc")]
WAYS += [(name, f"ecdh/{text}") for name in ("ecdsa-p256", "ecdsa-p384") for text in ("gcm", "gcm+attributes", "cbc")]


@pytest.fixture(scope="module")
def opened_by_java(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory in which one run of Java has opened all of ours, and made all of its own."""
    desk = tmp_path_factory.mktemp("java")
    (desk / "content").write_bytes(LONG)
    jobs = []
    for name, cipher in OURS:
        box = mailbox(name)
        (desk / f"{name}.p8").write_bytes(box.key.pkcs8())
        (desk / f"{name}.cer").write_bytes(box.certificate.der)
        (desk / f"{name}.{cipher}.p7m").write_bytes(encrypt_bytes(LONG, [box.certificate], cipher=cipher))
        verb = "sm2" if name == "sm2" else "gost" if name in GOST else "open"
        jobs.append((verb, f"{name}.{cipher}.p7m", f"{name}.p8", f"{name}.cer", f"{name}.{cipher}.out", ""))
    for name, way in WAYS:
        made = f"{name}.{way.replace('/', '.')}.made"
        jobs.append(("make", made, f"{name}.p8", f"{name}.cer", "content", way))
    (desk / "jobs.tsv").write_text("".join("\t".join(job) + "\n" for job in jobs))
    outcome = java_program("Opener", jars(BOUNCY_CASTLE)).run("jobs.tsv", cwd=desk)
    (desk / "said").write_text(outcome.text)
    return desk


@pytest.mark.parametrize(("suite_name", "cipher"), OURS)
def test_bouncy_castle_opens_ours(opened_by_java: Path, suite_name: str, cipher: str) -> None:
    out = opened_by_java / f"{suite_name}.{cipher}.out"
    assert out.exists(), (opened_by_java / "said").read_text()
    assert out.read_bytes() == LONG


@pytest.mark.parametrize(("suite_name", "way"), WAYS)
def test_we_open_what_bouncy_castle_encrypts(opened_by_java: Path, suite_name: str, way: str) -> None:
    box, made = mailbox(suite_name), opened_by_java / f"{suite_name}.{way.replace('/', '.')}.made"
    assert made.exists(), (opened_by_java / "said").read_text()
    message = made.read_bytes()
    assert decrypt_bytes(message, box.key, box.certificate) == LONG
    view = EnvelopeView(io.BytesIO(message))
    view.skip()
    assert bool(view.tail().attributes) == way.endswith("attributes")
