"""Certificates of every suite: issued, read back, verified, and not changed by one bit unnoticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs import ber, der, extensions, oids, suites
from certs.certificate import Certificate, Extension, Subject, load_certificate, load_certificates
from certs.errors import BadIdentifier, BadSignature, CertsError, MalformedInput, SealroadError
from certs.identifiers import Identifier
from certs.signed_data import certificate_bundle
from tests.certs.forge import forge
from tests.conftest import ALL_SUITES, NOW, Circle, circle_of, keys_of, subjects_of


def test_the_fixtures_cover_every_suite() -> None:
    assert tuple(suites.ALL_NAMES) == ALL_SUITES


def test_a_chain_verifies_in_its_own_suite(circle: Circle, suite_name: str) -> None:
    issuing, root = circle.chain
    assert circle.person.certificate.verify_signed_by(issuing) == suite_name
    assert issuing.verify_signed_by(root) == suite_name
    assert root.verify_signed_by(root) == suite_name


def test_a_certificate_says_what_was_asked_for(circle: Circle, suite_name: str) -> None:
    certificate = circle.organisation.certificate
    wanted = subjects_of(suite_name)[1]
    assert certificate.common_name == wanted.common_name
    assert certificate.organisation == wanted.organisation
    assert certificate.identifiers == wanted.identifiers
    assert all(item.checksum_ok for item in certificate.identifiers)
    assert certificate.key_usage == {"digital_signature", "non_repudiation"}
    assert certificate.extended_key_usage == {oids.DOCUMENT_SIGNING, oids.EMAIL_PROTECTION}
    assert certificate.spki == circle.organisation.key.public_key.spki
    assert certificate.suite_name == suite_name
    assert certificate.aki == circle.issuing.ski
    assert certificate.version == 3
    assert not certificate.is_ca
    assert not certificate.problems
    assert not certificate.self_issued
    assert certificate.crl_urls == (f"http://pki.example/pki/crl/{circle.issuing.ski.hex()}.crl",)  # type: ignore[union-attr]
    assert certificate.not_before <= NOW < certificate.not_after
    assert circle.issuing.path_length == 0


def test_the_wrong_key_is_not_the_issuer(circle: Circle) -> None:
    with pytest.raises(BadSignature):
        circle.person.certificate.verify_signed_by(circle.root)


def test_a_key_of_another_suite_is_not_the_issuer(suite_name: str) -> None:
    other = circle_of("ed25519" if suite_name != "ed25519" else "ecdsa-p256")
    with pytest.raises(BadSignature):
        circle_of(suite_name).person.certificate.verify_signed_by(other.issuing)


def test_pem_and_der_and_bundle_hold_the_same_octets(circle: Circle) -> None:
    certificate = circle.person.certificate
    assert load_certificate(certificate.pem.encode()) == certificate
    assert load_certificate(certificate.der) == certificate
    everything = (certificate, *circle.chain)
    assert set(load_certificates(certificate_bundle(everything))) == set(everything)
    assert load_certificates("".join(item.pem for item in everything).encode()) == everything


def _judge(encoded: bytes, issuing: Certificate) -> None:
    certificate = Certificate(encoded)
    if not certificate.algorithms_agree:
        raise BadSignature("the algorithms differ")
    certificate.verify_signed_by(issuing)


def test_no_flipped_bit_in_a_certificate_goes_unnoticed(circle: Circle) -> None:
    original, issuing = circle.person.certificate, circle.issuing
    step = max(5, len(original.der) // 150)
    for position in range(0, len(original.der), step):
        mutated = bytearray(original.der)
        mutated[position] ^= 1 << position % 8
        with pytest.raises(CertsError):
            _judge(bytes(mutated), issuing)


@pytest.mark.parametrize("name", ["王𠮷", "𪚥 龘", "Ёлкин Пётр Ильич", "Ғалымжан Әлиұлы", "O'Brien & Söhne, GmbH + Co"])
def test_rare_hanzi_cyrillic_and_punctuation_survive(signing_suite: str, name: str) -> None:
    circle = circle_of(signing_suite)
    subject = Subject(name, organisation="北京𠮷野贸易", country="CN")
    certificate = circle.ca.issue("person", subject, circle.person.key.public_key.spki)
    assert certificate.common_name == name
    assert certificate.asn1.subject.native["common_name"] == name
    assert certificate.verify_signed_by(circle.issuing) == signing_suite


def test_asn1crypto_reads_the_same(circle: Circle) -> None:
    certificate = circle.organisation.certificate
    other = certificate.asn1
    assert other.serial_number == certificate.serial
    assert other.key_identifier == certificate.ski
    assert other.authority_key_identifier == certificate.aki
    assert other.not_valid_before == certificate.not_before
    assert other.not_valid_after == certificate.not_after
    assert other.key_usage_value.native == certificate.key_usage
    assert other.dump() == certificate.der


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (Subject("a", country="CN", identifiers=(Identifier("CN-USCC", "9144030071526726XG"),)), "CN-USCC"),
        (Subject("a", country="KZ", identifiers=(Identifier("KZ-BIN", "940140000385"),)), "KZ-BIN"),
        (Subject("a", country="KZ", identifiers=(Identifier("KZ-IIN", "120340005670"),)), "KZ-IIN"),
        (Subject("a", country="RU", identifiers=(Identifier("RU-OGRNIP", "304500116000157"),)), "RU-OGRNIP"),
        (Subject("a", country="FR", identifiers=(Identifier("VAT-FR", "40303265045"),)), "VAT-FR"),
        (Subject("a", country="DE", identifiers=(Identifier("LEI", "529900T8BM49AURSDO55"),)), "LEI"),
    ],
)
def test_every_identifier_comes_back_from_a_certificate(subject: Subject, expected: str) -> None:
    key = keys_of("ecdsa-p256")[0]
    certificate = forge(subject, key, None, key)
    assert certificate.identifiers == subject.identifiers
    assert certificate.identifiers[0].scheme == expected


def test_a_wrong_checksum_never_gets_into_a_name() -> None:
    with pytest.raises(BadIdentifier):
        Subject("a", identifiers=(Identifier("RU-INN", "7707083894"),)).name()


def test_an_organisations_inn_of_the_old_form_is_read() -> None:
    key = keys_of("ecdsa-p256")[0]
    name = der.sequence(der.tlv(0x31, der.sequence(der.oid(oids.INN), der.tlv(0x12, b"007707083893"))))
    certificate = forge("x", key, None, key)
    tbs = extensions.certificate_tbs(
        serial=1,
        algorithm=certificate.signature_algorithm,
        issuer=name,
        not_before=NOW,
        not_after=NOW,
        subject=name,
        spki=key.public_key.spki,
        extensions=[],
    )
    old = Certificate(extensions.signed(tbs, certificate.signature_algorithm, b"\0"))
    assert old.identifiers == (Identifier("RU-INN", "7707083893"),)


@pytest.mark.parametrize("oid", [oids.SHECA_USCC, oids.GM_USCC])
@pytest.mark.parametrize("tag", [0x0C, 0x13, 0x16])
def test_a_chinese_code_in_a_private_extension_is_read(oid: str, tag: int) -> None:
    key = keys_of("ecdsa-p256")[0]
    value = der.tlv(tag, b"9144030071526726XG")
    for form in (value, der.sequence(value), b"9144030071526726XG"):
        certificate = forge("x", key, None, key, more=[Extension(oid, False, form)])
        assert certificate.identifiers == (Identifier("CN-USCC", "9144030071526726XG"),)


def test_times_that_cannot_be_read_make_a_certificate_never_valid() -> None:
    key = keys_of("ecdsa-p256")[0]
    broken = der.sequence(der.tlv(ber.UTC_TIME, b"991332256199Z"), der.tlv(ber.UTC_TIME, b"soon"))
    certificate = forge("x", key, None, key, raw_times=broken)
    assert certificate.not_before > certificate.not_after
    assert len(certificate.problems) == 2


def test_a_ber_true_in_basic_constraints_is_read() -> None:
    key = keys_of("ecdsa-p256")[0]
    loose = Extension(oids.BASIC_CONSTRAINTS, True, bytes.fromhex("3003010101"))
    assert forge("x", key, None, key, fields=[loose]).is_ca


def test_extensions_that_cannot_be_read_are_named() -> None:
    key = keys_of("ecdsa-p256")[0]
    broken = [
        Extension(oids.KEY_USAGE, True, b"\x04\x00"),
        Extension(oids.BASIC_CONSTRAINTS, True, b"\x30\x05"),
        Extension(oids.BASIC_CONSTRAINTS, True, b"\x30\x00"),
    ]
    certificate = forge("x", key, None, key, fields=broken)
    assert len(certificate.problems) == 3
    assert certificate.key_usage == frozenset()
    assert not certificate.is_ca


@pytest.mark.parametrize(
    "data", [b"", b"\x30\x00", b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----", b"hello"]
)
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        load_certificates(data)


@given(data=st.binary(max_size=400), wrap=st.booleans())
def test_no_octets_raise_anything_builtin(data: bytes, wrap: bool) -> None:
    try:
        load_certificates(der.sequence(data) if wrap else data)
    except SealroadError:
        pass


@given(st.data())
def test_no_mutated_certificate_raises_anything_builtin(data: st.DataObject) -> None:
    original = circle_of("ecdsa-p256").organisation.certificate.der
    mutated = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    try:
        certificate = Certificate(bytes(mutated))
        _ = certificate.subject, certificate.identifiers, certificate.problems, certificate.not_after, certificate.ski
        _ = certificate.crl_urls, certificate.policies, certificate.suite_name, repr(certificate)
        certificate.verify_signed_by(certificate)
    except SealroadError:
        pass


def test_a_certificate_says_whether_others_may_encrypt_to_it(suite_name: str) -> None:
    """The suite can, and keyUsage allows it; a certificate for signing never."""
    ca, spki = circle_of(suite_name).ca, keys_of(suite_name)[3].public_key.spki
    for profile in ("person", "encryption"):
        try:
            certificate = ca.issue(profile, Subject("Anna", country="DE"), spki)
        except CertsError:  # a suite that only signs has no certificate for encryption
            assert profile == "encryption"
            assert not suites.get(suite_name).recipient_usages
            continue
        assert certificate.encrypts == (profile == "encryption")
