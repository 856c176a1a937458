"""openssl opens the keys that we deliver with the holder's signing key, and we accept what it delivers."""

from __future__ import annotations

from pathlib import Path

import pytest

from certs import der, key_delivery, oids
from certs.certificate import armor
from certs.keys import file as key_files
from certs.suites.base import AlgorithmID
from tests.certs.post import BOTH, mailbox, secret_of
from tests.conftest import circle_of, keys_of
from tests.interop.programs import Program, gost_openssl

pytestmark = pytest.mark.interop

CMS = tuple(name for name in BOTH if name != "sm2")


def program_for(suite_name: str, openssl: Program, directory: Path) -> Program:
    return gost_openssl(directory) if suite_name.startswith("gost") else openssl


@pytest.mark.parametrize("suite_name", CMS)
def test_openssl_opens_a_delivered_key(openssl: Program, suite_name: str, tmp_path: Path) -> None:
    program = program_for(suite_name, openssl, tmp_path)
    circle = circle_of(suite_name)
    signing = circle.person
    (tmp_path / "sign.key").write_text(armor("PRIVATE KEY", signing.key.pkcs8()))
    (tmp_path / "sign.pem").write_text(signing.certificate.pem)
    delivery = key_delivery.deliver(mailbox(suite_name, 1).key, signing.key.public_key)
    (tmp_path / "delivery").write_text(key_delivery.to_pem(delivery, signing.key.public_key))
    where = ("-inform", "PEM", "-in", tmp_path / "delivery", "-recip", tmp_path / "sign.pem")
    program.run("cms", "-decrypt", "-binary", *where, "-inkey", tmp_path / "sign.key", "-out", tmp_path / "key").check()
    assert (tmp_path / "key").read_bytes() == mailbox(suite_name, 1).key.pkcs8()
    program.run("pkey", "-inform", "DER", "-in", tmp_path / "key", "-noout").check()


def test_openssl_opens_an_sm2_enveloped_key(openssl: Program, tmp_path: Path) -> None:
    signing, box = keys_of("sm2")[0], mailbox("sm2")
    body = der.Reader(key_delivery.deliver(box.key, signing.public_key)).enter()
    body.raw()
    (tmp_path / "wrapped").write_bytes(body.raw())
    body.raw()
    (tmp_path / "scalar.sm4").write_bytes(body.bit_string())
    (tmp_path / "sign.key").write_text(armor("PRIVATE KEY", signing.pkcs8()))
    key = ("-inkey", tmp_path / "sign.key")
    content_key = openssl.run("pkeyutl", "-decrypt", *key, "-in", tmp_path / "wrapped").check().output
    sm4 = ("-sm4-ecb", "-d", "-nopad", "-K", content_key.hex())
    assert openssl.run("enc", *sm4, "-in", tmp_path / "scalar.sm4").check().output == secret_of(box.key)


def test_an_sm2_enveloped_key_of_openssl_is_accepted(openssl: Program, tmp_path: Path) -> None:
    signing, box = keys_of("sm2")[0], mailbox("sm2")
    content_key = bytes(range(16))
    (tmp_path / "scalar").write_bytes(secret_of(box.key))
    (tmp_path / "key").write_bytes(content_key)
    (tmp_path / "sign.pub").write_text(armor("PUBLIC KEY", signing.public_key.spki))
    to = ("-pubin", "-inkey", tmp_path / "sign.pub")
    wrapped = openssl.run("pkeyutl", "-encrypt", *to, "-in", tmp_path / "key").check().output
    sm4 = ("-sm4-ecb", "-e", "-nopad", "-K", content_key.hex())
    encrypted = openssl.run("enc", *sm4, "-in", tmp_path / "scalar").check().output
    point = der.split_spki(box.certificate.spki)[1]
    delivery = der.sequence(AlgorithmID(oids.SM4_ECB).der(), wrapped, der.bit_string(point), der.bit_string(encrypted))
    assert key_delivery.accept(delivery, signing, box.certificate).pkcs8() == box.key.pkcs8()


@pytest.mark.parametrize("suite_name", ["rsa", "ecdsa-p256", "ecdsa-p384"])
def test_a_key_that_openssl_delivers_is_accepted(openssl: Program, suite_name: str, tmp_path: Path) -> None:
    box = mailbox(suite_name)
    signing = circle_of(suite_name).person
    (tmp_path / "sign.pem").write_text(signing.certificate.pem)
    key_files.save(tmp_path / "enc.pem", box.key, None)
    plain = ("-topk8", "-nocrypt", "-outform", "DER", "-out", tmp_path / "enc.key")
    openssl.run("pkcs8", "-in", tmp_path / "enc.pem", *plain).check()
    where = ("-in", tmp_path / "enc.key", "-outform", "PEM", "-out", tmp_path / "delivery", "-aes256", "-keyid")
    openssl.run("cms", "-encrypt", "-binary", *where, "-recip", tmp_path / "sign.pem").check()
    accepted = key_delivery.accept((tmp_path / "delivery").read_bytes(), signing.key, box.certificate)
    assert accepted.public_key.spki == box.certificate.spki
