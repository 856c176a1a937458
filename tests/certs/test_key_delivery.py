"""A private key is handed to the holder of another, in every suite that encrypts; what was changed opens for nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certs import der, key_delivery, oids, suites
from certs.certificate import load_certificate
from certs.enveloped import encrypt_bytes
from certs.errors import BadKey, CertsError, DecryptionFailed, MalformedInput, UnsupportedAlgorithm
from certs.keys import file as key_files
from certs.pem import armor, pem_blocks
from certs.suites.base import AlgorithmID
from tests.certs.post import ENCRYPTING, FAMILIES, mailbox, secret_of
from tests.conftest import ALL_SUITES, keys_of


def delivery(suite_name: str) -> bytes:
    """Return the key of the suite's first mailbox, for the holder of the suite's first key."""
    return key_delivery.deliver(mailbox(suite_name).key, keys_of(suite_name)[0].public_key)


@pytest.mark.parametrize("suite_name", ENCRYPTING)
def test_a_delivered_key_is_the_one_that_was_made(suite_name: str) -> None:
    signing, box = keys_of(suite_name)[0], mailbox(suite_name)
    data = delivery(suite_name)
    for form in (data, key_delivery.to_pem(data, signing.public_key).encode()):
        opened = key_delivery.accept(form, signing, box.certificate)
        assert opened.pkcs8() == box.key.pkcs8()
    assert secret_of(box.key) not in data


@pytest.mark.parametrize("suite_name", ENCRYPTING)
def test_only_the_signing_key_opens_a_delivery(suite_name: str) -> None:
    with pytest.raises(CertsError) as caught:
        key_delivery.accept(delivery(suite_name), keys_of(suite_name)[1], mailbox(suite_name).certificate)
    assert caught.value.code == "decryption-failed"


@pytest.mark.parametrize("suite_name", ENCRYPTING)
def test_a_key_delivered_with_the_certificate_of_another_is_refused(suite_name: str) -> None:
    with pytest.raises(BadKey, match="not the one of") as caught:
        key_delivery.accept(delivery(suite_name), keys_of(suite_name)[0], mailbox(suite_name, 1).certificate)
    assert caught.value.code == "bad-key"


@pytest.mark.parametrize("suite_name", sorted({*ALL_SUITES} - {*ENCRYPTING}))
def test_a_suite_that_only_signs_gets_no_delivery_and_is_told_why(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    with pytest.raises(UnsupportedAlgorithm, match=r"RFC 4055 1\.2|RFC 8410, RFC 9881") as caught:
        key_delivery.deliver(key, key.public_key)
    assert caught.value.code == "unsupported-algorithm"
    assert "encryption" in caught.value.hint


def test_a_pair_is_of_one_suite() -> None:
    with pytest.raises(UnsupportedAlgorithm, match="of the same suite, or only encrypts"):
        key_delivery.deliver(mailbox("sm2").key, keys_of("ecdsa-p256")[0].public_key)


def test_a_key_that_only_signs_cannot_accept() -> None:
    class Token:
        def __init__(self, key: Any) -> None:
            self.suite, self.public_key, self.sign = key.suite, key.public_key, key.sign

    with pytest.raises(UnsupportedAlgorithm, match="signs only"):
        key_delivery.accept(delivery("sm2"), Token(keys_of("sm2")[0]), mailbox("sm2").certificate)


@pytest.mark.parametrize("suite_name", FAMILIES)
def test_a_bit_flipped_anywhere_in_a_delivery_gives_no_other_key(suite_name: str) -> None:
    signing, box, data = keys_of(suite_name)[0], mailbox(suite_name), delivery(suite_name)
    step = max(1, len(data) // 120)
    for place in range(0, len(data), step):
        changed = bytearray(data)
        changed[place] ^= 1 << (place % 8)
        try:
            opened = key_delivery.accept(bytes(changed), signing, box.certificate)
        except CertsError:
            continue
        assert opened.pkcs8() == box.key.pkcs8()  # a bit that says nothing, as a name of the recipient


def test_content_that_is_no_key_opens_as_nothing() -> None:
    for content in (b"", b"no key", der.sequence(der.integer(0))):
        box = mailbox("ecdsa-p256")
        with pytest.raises(DecryptionFailed):
            key_delivery.accept(encrypt_bytes(content, [box.certificate]), box.key, box.certificate)


@pytest.mark.parametrize("data", [b"", b"0", b"-----BEGIN CMS-----", b"\x30\x80", bytes(200_000)])
def test_what_is_no_delivery_is_malformed(data: bytes) -> None:
    for suite_name in FAMILIES:
        with pytest.raises(MalformedInput):
            key_delivery.accept(data, keys_of(suite_name)[0], mailbox(suite_name).certificate)


def test_two_deliveries_in_one_file_are_refused() -> None:
    data = key_delivery.to_pem(delivery("sm2"), keys_of("sm2")[0].public_key) * 2
    with pytest.raises(MalformedInput, match="one key"):
        key_delivery.accept(data.encode(), keys_of("sm2")[0], mailbox("sm2").certificate)


# SM2EnvelopedKey -----------------------------------------------------------------------------------------------------
def members(data: bytes) -> list[bytes]:
    body = der.Reader(data).enter()
    return [body.raw() for _ in range(4)]


def test_an_sm2_key_is_delivered_in_the_form_of_gmt_0009() -> None:
    algorithm, encrypted_key, point, encrypted = members(delivery("sm2"))
    assert algorithm == AlgorithmID("1.2.156.10197.1.104.1", der.NULL_DER).der()
    cipher = der.Reader(encrypted_key).enter()
    assert cipher.integer() > 0
    assert cipher.integer() > 0
    assert (len(cipher.value(der.OCTET_STRING)), len(cipher.value(der.OCTET_STRING))) == (32, 16)
    assert der.Reader(point).bit_string() == der.split_spki(mailbox("sm2").certificate.spki)[1]
    assert len(der.Reader(encrypted).bit_string()) == 32


@pytest.mark.parametrize(
    "algorithm",
    [
        der.oid(oids.SM4),
        der.oid(oids.SM4_ECB),
        AlgorithmID(oids.SM4).der(),
        AlgorithmID(oids.SM4, der.NULL_DER).der(),
        AlgorithmID(oids.SM4_ECB).der(),
    ],
    ids=["bare-sm4", "bare-ecb", "sm4", "sm4-null", "ecb"],
)
def test_other_ways_to_name_the_cipher_are_read(algorithm: bytes) -> None:
    data = der.sequence(algorithm, *members(delivery("sm2"))[1:])
    opened = key_delivery.accept(data, keys_of("sm2")[0], mailbox("sm2").certificate)
    assert opened.pkcs8() == mailbox("sm2").key.pkcs8()


def test_another_cipher_is_not_supported_and_says_which() -> None:
    data = der.sequence(der.oid(oids.SM4_CBC), *members(delivery("sm2"))[1:])
    with pytest.raises(UnsupportedAlgorithm, match="sm4-cbc"):
        key_delivery.accept(data, keys_of("sm2")[0], mailbox("sm2").certificate)


def test_a_scalar_out_of_range_or_of_another_point_is_one_error() -> None:
    suite, signing = suites.get("sm2"), keys_of("sm2")[0]
    own, other = members(delivery("sm2")), members(suite.envelop(keys_of("sm2")[1], signing.public_key) or b"")
    wrong = [der.sequence(own[0], own[1], other[2], own[3]), der.sequence(own[0], own[1], own[2], other[3])]
    for scalar in (bytes(32), b"\xff" * 32):
        from certs.suites import enveloped_key_sm

        point = der.split_spki(mailbox("sm2").certificate.spki)[1]
        wrong.append(enveloped_key_sm.wrap(scalar, point, signing.public_key))
    for data in wrong:
        with pytest.raises(DecryptionFailed):
            key_delivery.accept(data, signing, mailbox("sm2").certificate)


def test_a_scalar_with_zeros_in_front_is_read_as_tokens_have_it() -> None:
    from certs.suites import enveloped_key_sm

    box, signing = mailbox("sm2"), keys_of("sm2")[0]
    own = members(delivery("sm2"))
    scalar = enveloped_key_sm.unwrap(delivery("sm2"), signing.unwrap_key)[0]
    long = enveloped_key_sm.wrap(bytes(32) + scalar, der.Reader(own[2]).bit_string(), signing.public_key)
    assert key_delivery.accept(long, signing, box.certificate).pkcs8() == box.key.pkcs8()
    shifted = enveloped_key_sm.wrap(scalar + bytes(32), der.Reader(own[2]).bit_string(), signing.public_key)
    with pytest.raises(DecryptionFailed):
        key_delivery.accept(shifted, signing, box.certificate)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 240))
def test_any_octets_are_an_error_of_ours(junk: bytes, place: int) -> None:
    data = delivery("sm2")
    for octets in (junk, data[:place] + junk, data[:place] + junk + data[place:]):
        try:
            opened = key_delivery.accept(octets, keys_of("sm2")[0], mailbox("sm2").certificate)
        except CertsError:
            continue
        assert opened.pkcs8() == mailbox("sm2").key.pkcs8()


@pytest.mark.corpus
def test_what_a_chinese_authority_delivers_opens(corpus: Path) -> None:
    folder = corpus / "china" / "gmsm"
    key = key_files.load(folder / "signed_enveloped_sign_key.pem")
    certificate = load_certificate((folder / "signed_enveloped_enc_cert.pem").read_bytes())
    data = (folder / "signed_enveloped.p7m").read_bytes()
    expected = key_files.load(folder / "signed_enveloped_expected_key.pem")
    opened = key_delivery.accept(data, key, certificate)
    assert opened.public_key.spki == expected.public_key.spki
    (encoded,) = [block for _, block in pem_blocks(data)] or [data]
    assert key_delivery.accept(armor("CMS", encoded).encode(), key, certificate).pkcs8() == opened.pkcs8()
    with pytest.raises(DecryptionFailed):
        key_delivery.accept(data, keys_of("sm2")[0], certificate)
