"""Requests for keys that cannot sign, signed by another key of the holder (RFC 9883)."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from certs import ber, der, extensions, oids, possession, profiles, suites
from certs.ca import ClosedCircle
from certs.certificate import Certificate, load_certificate
from certs.describe import describe
from certs.enveloped import decrypt_bytes, encrypt_bytes
from certs.errors import BadKey, BadSignature, CertsError, IssuanceError, MalformedInput, UnsupportedAlgorithm
from certs.keys import file as key_files
from certs.possession import Statement, Voucher, certified
from certs.request import Request, accept, load_request, make_request
from certs.suites import ENCRYPTION_NAMES
from certs.suites.base import Use
from tests.certs.forge import forge
from tests.certs.test_cli_issue import PW, run
from tests.conftest import NOW, circle_of, keys_of, make_circle, subjects_of

__all__ = ["run"]
pytestmark = pytest.mark.usefixtures("cheap_passwords")
ENCRYPTION = profiles.load("encryption")
PASSWORD = "пароль 密码".encode()


def voucher_of(suite_name: str) -> Voucher:
    person = circle_of(suite_name).person
    return Voucher(person.key, person.certificate)


def asked(suite_name: str, by: Voucher, number: int = 4) -> Request:
    return load_request(make_request(keys_of(suite_name)[number], subjects_of("rsa")[0], by=by))


def find(circle: ClosedCircle, at: timedelta = timedelta()):
    """Return what `accept` asks for the certificate that vouches."""
    return lambda said: certified(said, circle.issuer_of(said.serial).entry(said.serial), NOW + at)


@pytest.mark.parametrize("encryption", ["x25519", "ml-kem-768"])
def test_a_key_of_every_suite_that_signs_vouches(suite_name: str, encryption: str) -> None:
    by, circle = voucher_of(suite_name), circle_of(suite_name).ca
    request = asked(encryption, by)
    assert request.statement is not None
    assert request.statement.is_of(by.certificate)
    assert request.statement.certificate == by.certificate
    accepted = accept(request, ENCRYPTION, vouching=find(circle))
    assert (accepted.suite, accepted.spki) == (encryption, keys_of(encryption)[4].public_key.spki)
    assert accepted.passed_over == ()
    own = make_circle(suite_name).ca
    certificate = own.issue("encryption", accepted.subject, accepted.spki)
    message = encrypt_bytes(b"contract", [certificate])
    assert decrypt_bytes(message, keys_of(encryption)[4], certificate) == b"contract"


@pytest.mark.parametrize("encryption", ENCRYPTION_NAMES)
def test_without_a_voucher_there_is_no_request_and_none_is_taken(encryption: str) -> None:
    key = keys_of(encryption)[4]
    with pytest.raises(UnsupportedAlgorithm, match="makes no signatures"):
        make_request(key, subjects_of("rsa")[0])
    with pytest.raises(UnsupportedAlgorithm) as caught:
        accept(asked(encryption, voucher_of("ed25519")), ENCRYPTION)
    assert "--by-key" in str(caught.value.hint)


def test_a_key_that_signs_asks_for_itself() -> None:
    with pytest.raises(UnsupportedAlgorithm, match="signs its own request"):
        make_request(keys_of("ecdsa-p256")[4], subjects_of("rsa")[0], by=voucher_of("ed25519"))
    by = voucher_of("ed25519")
    mine = keys_of("ecdsa-p256")[4].public_key.spki
    info = asked("x25519", by).info.replace(keys_of("x25519")[4].public_key.spki, mine)
    info = der.tlv(der.SEQUENCE, b"".join(each.raw() for each in _members(asked("x25519", by).info, mine)))
    forged = Request(extensions.signed(info, by.key.suite.signature_algorithm(Use.X509).der(), by.key.sign(info)))
    assert forged.statement is None  # RFC 9883 6: never for a certificate of a key that signs
    with pytest.raises(BadSignature):
        accept(forged, profiles.load("person"), vouching=find(circle_of("ed25519").ca))


def _members(info: bytes, spki: bytes):
    version, name, _, attributes = list(ber.load(info))
    return version, name, ber.load(spki), attributes


def test_a_voucher_holds_together_and_signs() -> None:
    circle, box = circle_of("ecdsa-p256"), keys_of("ecdsa-p256")[3]
    for_encryption = circle.ca.issue("encryption", subjects_of("rsa")[0], box.public_key.spki)
    for key, certificate in ((box, circle.person.certificate), (box, for_encryption)):
        with pytest.raises(BadKey, match="vouches"):
            asked("x25519", Voucher(key, certificate))


def test_an_altered_request_or_one_signed_by_somebody_else_is_refused() -> None:
    by = voucher_of("ecdsa-p256")
    request = asked("x25519", by)
    other = keys_of("x25519")[3].public_key.spki
    stolen = request.der.replace(keys_of("x25519")[4].public_key.spki, other)
    assert stolen != request.der
    with pytest.raises(BadSignature):
        Request(stolen).verify(by.certificate)
    stranger = forge("Anna Becker", keys_of("ecdsa-p256")[4], circle_of("ecdsa-p256").issuing, by.key)
    with pytest.raises(BadSignature, match="another certificate"):
        request.verify(stranger)
    same_number = forge(
        "Anna Becker", keys_of("ecdsa-p256")[4], circle_of("ecdsa-p256").issuing, by.key, serial=by.certificate.serial
    )
    with pytest.raises(BadSignature):
        request.verify(same_number)


def test_every_changed_octet_is_refused() -> None:
    by, circle = voucher_of("ed25519"), circle_of("ed25519").ca
    request = asked("x25519", by)
    for position in range(len(request.der)):
        broken = request.der[:position] + bytes((request.der[position] ^ 1,)) + request.der[position + 1 :]
        with pytest.raises(CertsError):
            accept(Request(broken), ENCRYPTION, vouching=find(circle))


def test_who_vouches_is_certified_by_this_authority_and_good_today() -> None:
    circle = make_circle("ed25519")
    by = Voucher(circle.person.key, circle.person.certificate)
    request = asked("ml-kem-768", by)
    assert accept(request, ENCRYPTION, vouching=find(circle.ca)).suite == "ml-kem-768"
    with pytest.raises(IssuanceError, match="none of this authority"):
        accept(request, ENCRYPTION, vouching=find(make_circle("ed448").ca))
    for late in (timedelta(days=-2), timedelta(days=5000)):
        with pytest.raises(IssuanceError, match="not valid now"):
            accept(request, ENCRYPTION, vouching=find(circle.ca, late))
    circle.ca.hold(by.certificate.serial)
    with pytest.raises(IssuanceError, match="revoked or on hold"):
        accept(request, ENCRYPTION, vouching=find(circle.ca))
    circle.ca.revoke(by.certificate.serial)
    with pytest.raises(IssuanceError, match="revoked or on hold"):
        accept(request, ENCRYPTION, vouching=find(circle.ca))


def test_an_authority_or_a_certificate_for_encryption_vouches_for_nobody() -> None:
    circle = make_circle("ecdsa-p256").ca
    box = circle.issue("encryption", subjects_of("rsa")[0], keys_of("ecdsa-p256")[2].public_key.spki)
    for certificate in (box, circle.issuing.certificate):
        said = Statement(certificate.issuer_name.der, certificate.serial)
        with pytest.raises(IssuanceError, match="not for a holder's signatures"):
            certified(said, circle.issuer_of(said.serial).entry(said.serial), NOW)


def test_another_name_than_that_of_the_voucher_is_not_taken() -> None:
    by, circle = voucher_of("ed25519"), circle_of("ed25519")
    request = asked("x25519", by)
    name = circle.organisation.certificate.subject_name.der
    version, _, key, attributes = list(ber.load(request.info))
    info = der.sequence(version.raw(), name, key.raw(), attributes.raw())
    forged = Request(extensions.signed(info, by.key.suite.signature_algorithm(Use.X509).der(), by.key.sign(info)))
    with pytest.raises(IssuanceError, match="another name"):
        accept(forged, ENCRYPTION, vouching=find(circle.ca))


def test_two_statements_or_one_that_is_none_are_malformed() -> None:
    by = voucher_of("ed25519")
    request = asked("x25519", by)
    version, name, key, _ = list(ber.load(request.info))
    one = possession.encode(by.certificate)
    value = ber.load(one).members()
    value.next()
    inside = value.next(ber.SET).only().raw()
    twice = der.sequence(der.oid(oids.STATEMENT_OF_POSSESSION), der.tlv(der.SET, inside + inside))
    none = der.sequence(der.oid(oids.STATEMENT_OF_POSSESSION), der.tlv(der.SET, b"\x05\x00"))
    for attributes in (one + one, twice, none):
        info = der.sequence(version.raw(), name.raw(), key.raw(), der.tlv(0xA0, attributes))
        forged = Request(extensions.signed(info, by.key.suite.signature_algorithm(Use.X509).der(), by.key.sign(info)))
        with pytest.raises(MalformedInput):
            forged.verify(by.certificate)


def test_a_statement_without_the_certificate_is_read_and_described() -> None:
    by = voucher_of("ed25519")
    request = asked("x25519", by)
    version, name, key, _ = list(ber.load(request.info))
    signer = der.sequence(by.certificate.issuer_name.der, der.integer(by.certificate.serial))
    attribute = der.sequence(der.oid(oids.STATEMENT_OF_POSSESSION), der.tlv(der.SET, der.sequence(signer)))
    info = der.sequence(version.raw(), name.raw(), key.raw(), der.tlv(0xA0, attribute))
    bare = Request(extensions.signed(info, by.key.suite.signature_algorithm(Use.X509).der(), by.key.sign(info)))
    assert bare.statement is not None
    assert bare.statement.certificate is None
    assert accept(bare, ENCRYPTION, vouching=find(circle_of("ed25519").ca)).suite == "x25519"
    (said,) = describe(bare.der)
    assert "not in the request" in said["possession"]
    (said,) = describe(request.der)
    assert said["possession"].startswith("stated by ")


@pytest.mark.parametrize(("signing", "encryption"), [("ed25519", "x25519"), ("ml-dsa-65", "ml-kem-768")])
def test_from_two_keys_to_a_message_that_is_read(run, signing: str, encryption: str, tmp_path: Path) -> None:
    run(f"ca init ca --suite {signing} --country DE {PW} --organisation Nord")
    run(f"key generate me.key --suite {signing} {PW}")
    run(f"key request me.key -o me.csr {PW} --country DE --cn", "Anna Becker")
    run(f"ca issue ca --request me.csr -o me.pem {PW}")
    said, _ = run(f"key generate me.enc.key --suite {encryption} {PW}")
    assert encryption in said
    assert "ENCRYPTED PRIVATE KEY" in (tmp_path / "me.enc.key").read_text()
    assert encryption in run(f"key show me.enc.key {PW}")[0]
    run(f"key request me.enc.key --by-key me.key --by-cert me.pem -o enc.csr {PW}")
    (told,) = json.loads(run("inspect enc.csr --format json")[0])
    assert (told["suite"], told["subject"]) == (
        encryption,
        load_certificate((tmp_path / "me.pem").read_bytes()).subject,
    )
    run(f"ca issue ca --request enc.csr --profile encryption -o me.enc.pem {PW}")
    certificate = load_certificate((tmp_path / "me.enc.pem").read_bytes())
    (told,) = json.loads(run("inspect me.enc.pem --format json")[0])
    assert told["suite"] == encryption
    assert "Anna Becker" in certificate.subject
    key = key_files.load(tmp_path / "me.enc.key", PASSWORD)
    assert decrypt_bytes(encrypt_bytes(b"contract", [certificate]), key, certificate) == b"contract"
    run(f"ca renew ca me.enc.pem --request enc.csr -o next.pem {PW}")
    assert load_certificate((tmp_path / "next.pem").read_bytes()).spki == certificate.spki
    run(f"ca revoke ca me.pem {PW}")
    with pytest.raises(IssuanceError, match="revoked"):
        run(f"ca issue ca --request enc.csr --profile encryption -o again.pem {PW}")
    assert not (tmp_path / "again.pem").exists()


def test_the_command_says_what_is_missing(run) -> None:
    from certs.commands.console import UsageError

    run(f"key generate enc.key --suite x25519 {PW}")
    for more in ("", " --by-key enc.key", " --by-cert enc.key", " --cn A --by-key enc.key --by-cert enc.key"):
        with pytest.raises(UsageError):
            run(f"key request enc.key -o enc.csr {PW}{more}")
    with pytest.raises(UnsupportedAlgorithm, match="makes no signatures"):
        run(f"key request enc.key -o enc.csr {PW} --country DE --cn A")
    with pytest.raises(UnsupportedAlgorithm, match="makes no signatures"):
        run(f"ca init ca --suite x25519 --country DE --organisation Nord {PW}")


def test_the_names_of_the_suites_are_told_where_one_is_unknown() -> None:
    with pytest.raises(UnsupportedAlgorithm) as caught:
        suites.get("kyber")
    assert "ml-kem-1024" in str(caught.value.hint)
    assert isinstance(circle_of("ed25519").person.certificate, Certificate)
