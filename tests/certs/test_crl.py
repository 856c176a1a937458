"""Revocation lists of every suite."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs import ber, der, extensions, oids
from certs.certificate import Extension
from certs.crl import CRL, build_crl, load_crls
from certs.errors import BadSignature, CertsError, IssuanceError, MalformedInput, SealroadError
from certs.ledger import REASONS
from certs.suites.base import Use
from tests.conftest import NOW, Circle, circle_of

ENTRIES = [(number + 1, NOW - timedelta(days=number), reason) for number, reason in enumerate(REASONS)]


def listed(circle: Circle, entries: list[tuple[int, object, str]] | None = None) -> CRL:
    encoded = build_crl(
        circle.issuing,
        circle.ca.issuing.key,
        ENTRIES if entries is None else entries,  # type: ignore[arg-type]
        number=7,
        this_update=NOW,
        next_update=NOW + timedelta(days=7),
    )
    return CRL(encoded)


def test_a_list_is_signed_in_its_issuers_own_suite_and_says_who_is_revoked(circle: Circle) -> None:
    crl = listed(circle)
    crl.check_signed_by(circle.issuing)
    assert crl.number == 7
    assert crl.aki == circle.issuing.ski
    assert (crl.this_update, crl.next_update) == (NOW, NOW + timedelta(days=7))
    assert {serial: (entry.at, entry.reason) for serial, entry in crl.entries.items()} == {
        serial: (at, reason) for serial, at, reason in ENTRIES
    }
    assert crl.status(1000) is None
    assert crl.unusable is None
    algorithm = circle.ca.issuing.key.suite.signature_algorithm(Use.X509).der()
    assert crl.signature_algorithm == algorithm


def _judge(encoded: bytes, circle: Circle) -> None:
    crl = CRL(encoded)
    crl.check_signed_by(circle.issuing)
    if crl.unusable:
        raise BadSignature(crl.unusable)


def test_no_flipped_bit_in_a_list_goes_unnoticed(circle: Circle) -> None:
    original = listed(circle)
    for position in range(0, len(original.der), max(5, len(original.der) // 100)):
        mutated = bytearray(original.der)
        mutated[position] ^= 1 << position % 8
        with pytest.raises(CertsError):
            _judge(bytes(mutated), circle)


def test_a_list_of_another_authority_is_not_this_ones(circle: Circle) -> None:
    with pytest.raises(BadSignature):
        listed(circle).check_signed_by(circle.root)


def test_a_person_signs_no_lists(signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    with pytest.raises(IssuanceError):
        build_crl(
            circle.person.certificate, circle.person.key, [], number=1, this_update=NOW, next_update=NOW + timedelta(1)
        )


def test_a_key_that_is_not_the_certificates_gives_no_list(signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    with pytest.raises(IssuanceError):
        build_crl(
            circle.issuing, circle.ca.root_authority.key, [], number=1, this_update=NOW, next_update=NOW + timedelta(1)
        )


def test_pem_and_der_are_read_and_several_in_one_file(circle: Circle) -> None:
    crl = listed(circle)
    assert load_crls(crl.der) == (crl,)
    assert load_crls((crl.pem + circle.crls[0].pem).encode()) == (crl, circle.crls[0])
    assert not listed(circle, []).entries


def test_a_large_list_is_read_quickly() -> None:
    circle = circle_of("ecdsa-p256")
    entries = [(1 << 140 | number, NOW, "superseded") for number in range(20_000)]
    crl = listed(circle, entries)  # type: ignore[arg-type]
    assert len(crl.entries) == 20_000
    assert crl.status(1 << 140 | 19_999) is not None


def _list_with(*more: Extension) -> CRL:
    circle = circle_of("ecdsa-p256")
    key = circle.ca.issuing.key
    algorithm = key.suite.signature_algorithm(Use.X509).der()
    tbs = der.sequence(
        der.integer(1),
        algorithm,
        circle.issuing.subject_name.der,
        ber.encode_time(NOW),
        ber.encode_time(NOW + timedelta(days=1)),
        der.tlv(0xA0, der.sequence(*map(extensions.encode, more))),
    )
    return CRL(extensions.signed(tbs, algorithm, key.sign(tbs)))


def test_a_list_that_needs_more_than_we_process_is_unusable() -> None:
    assert _list_with(Extension("1.2.3.4", True, b"\x05\x00")).unusable
    assert _list_with(Extension("1.2.3.4", False, b"\x05\x00")).unusable is None


def test_an_extension_twice_is_unusable() -> None:
    number = Extension(oids.CRL_NUMBER, False, b"\x02\x01\x01")
    assert _list_with(number, number).unusable
    assert _list_with(number).unusable is None


def test_an_entry_with_an_unknown_critical_extension_makes_the_list_unreadable() -> None:
    circle = circle_of("ecdsa-p256")
    key = circle.ca.issuing.key
    algorithm = key.suite.signature_algorithm(Use.X509).der()
    entry = der.sequence(
        der.integer(5),
        ber.encode_time(NOW),
        der.sequence(extensions.encode(Extension(oids.CERTIFICATE_ISSUER, True, b"\x30\x00"))),
    )
    tbs = der.sequence(
        der.integer(1), algorithm, circle.issuing.subject_name.der, ber.encode_time(NOW), der.sequence(entry)
    )
    crl = CRL(extensions.signed(tbs, algorithm, key.sign(tbs)))
    with pytest.raises(MalformedInput):
        crl.status(5)


@given(data=st.binary(max_size=300), wrap=st.booleans())
def test_no_octets_raise_anything_builtin(data: bytes, wrap: bool) -> None:
    try:
        for crl in load_crls(der.sequence(data) if wrap else data):
            _ = crl.entries, crl.unusable, crl.number, crl.aki, crl.issuer
    except SealroadError:
        pass


@given(st.data())
def test_no_mutated_list_raises_anything_builtin(data: st.DataObject) -> None:
    mutated = bytearray(circle_of("ed25519").crls[0].der)
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    try:
        crl = CRL(bytes(mutated))
        _ = crl.entries, crl.unusable, crl.number, crl.aki, crl.issuer
        crl.check_signed_by(circle_of("ed25519").issuing)
    except SealroadError:
        pass
