"""DSA is verified and nothing else: the vectors of NIST, keys that must be refused, and every door to new ones shut."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from certs import canonical, der, oids, profiles, suites
from certs.application import parse
from certs.errors import BadKey, BadSignature, IssuanceError, MalformedInput, UnsupportedAlgorithm
from certs.request import Request, accept
from certs.suites.base import AlgorithmID, Use
from tests.certs.old_keys import SUITE, OldKey, numbers, spki_of, without_parameters
from tests.certs.suites.known_answers import Vectors, agrees, records
from tests.conftest import keys_of, make_circle

MESSAGE = b"contract"
SIGNED = AlgorithmID(oids.DSA_SHA256)
OIDS = {
    "SHA-1": oids.DSA_SHA1,
    "SHA-224": oids.DSA_SHA224,
    "SHA-256": oids.DSA_SHA256,
    "SHA-384": oids.DSA_SHA384,
    "SHA-512": oids.DSA_SHA512,
}


# Vectors -------------------------------------------------------------------------------------------------------------
def check(vectors: Vectors, name: str) -> int:
    seen = 0
    for record in records(vectors(f"asymmetric/DSA/{name}/SigVer.rsp"), "Result"):
        seen += 1
        digest = record["section"].rpartition(",")[2].strip() if "," in record["section"] else "SHA-1"
        p, q, g, y, r, s = (int(record[item], 16) for item in ("P", "Q", "G", "Y", "R", "S"))
        value, algorithm = der.encode_integer_pair(r, s), AlgorithmID(OIDS[digest])
        good = agrees(spki_of(p, q, g, y), algorithm, value, bytes.fromhex(record["Msg"]))
        assert good == (record["Result"][0] == "P"), record
    return seen


def test_it_agrees_with_every_verdict_of_fips_186_3(vectors: Vectors) -> None:
    assert check(vectors, "FIPS_186-3") == 4 * 5 * 15


def test_it_agrees_with_every_verdict_of_fips_186_2(vectors: Vectors) -> None:
    assert check(vectors, "FIPS_186-2") == 15


# Signatures ----------------------------------------------------------------------------------------------------------
def test_a_signature_by_every_way_of_naming_it() -> None:
    key = OldKey()
    spki, value = key.public_key.spki, key.sign(MESSAGE)
    assert suites.for_spki(spki) is suites.get("dsa")
    assert suites.load_public(spki).parameter == "2048/256"
    for algorithm in (SIGNED, AlgorithmID(oids.DSA_SHA256, der.NULL_DER), AlgorithmID(oids.DSA)):
        assert suites.verify(spki, algorithm.der(), value, MESSAGE, digest="sha256") == "dsa"
        assert suites.suite_of_signature(spki, algorithm.der()) == "dsa"
    assert suites.signature_digest(SIGNED.der()) == "sha256"
    assert [suites.signature_digest(AlgorithmID(oid).der()) for oid in OIDS.values()] == [
        *("sha1", "sha224", "sha256", "sha384", "sha512")
    ]
    assert not agrees(spki, AlgorithmID(oids.DSA_SHA1), value, MESSAGE)
    assert not agrees(OldKey().public_key.spki, SIGNED, value, MESSAGE)
    assert not agrees(spki, SIGNED, value, MESSAGE + b".")
    with pytest.raises(UnsupportedAlgorithm):
        suites.load_public(spki).verify(value, MESSAGE, digest="sm3")
    with pytest.raises(MalformedInput):
        suites.verify(spki, AlgorithmID(oids.DSA_SHA256, der.integer(1)).der(), value, MESSAGE)


def test_no_forged_value_verifies() -> None:
    """FIPS 186-4 4.7: 0 < r, s < q; strict DER (RFC 3279 2.2.2)."""
    key, q = OldKey(), numbers().q
    spki, value = key.public_key.spki, key.sign(MESSAGE)
    r, s = der.decode_integer_pair(value)
    pairs = [
        (0, s),
        (r, 0),
        (0, 0),
        (q, s),
        (r, q),
        (r + q, s),
        (r, s + q),
        (-r, s),
        (r, -s),
        (r - q, s),
        (s, r),
        (1, 1),
    ]
    forged = [der.encode_integer_pair(*pair) for pair in pairs]
    forged += [b"", value[:-1], value + b"\0", value * 2, r.to_bytes(32, "big") + s.to_bytes(32, "big")]
    forged += [b"\x30\x81" + value[1:], der.sequence(der.integer(r)), der.sequence(*map(der.integer, (r, s, 1)))]
    forged += [der.sequence(der.tlv(der.INTEGER, b"\0\0" + r.to_bytes(32, "big")), der.integer(s))]
    for position in range(len(value)):
        changed = bytearray(value)
        changed[position] ^= 1
        forged.append(bytes(changed))
    assert [octets.hex() for octets in forged if agrees(spki, SIGNED, octets, MESSAGE)] == []
    assert agrees(spki, SIGNED, value, MESSAGE)


def test_keys_and_algorithms_of_others_do_not_fit(suite_name: str) -> None:
    other, old = keys_of(suite_name)[0], OldKey()
    algorithm = other.suite.signature_algorithm(Use.X509)
    for digest in (None, "sha256"):
        with pytest.raises(BadSignature):
            suites.verify(other.public_key.spki, SIGNED.der(), old.sign(MESSAGE), MESSAGE, digest=digest)
        with pytest.raises(BadSignature):
            suites.verify(old.public_key.spki, algorithm.der(), other.sign(MESSAGE), MESSAGE, digest=digest)
    assert not agrees(other.public_key.spki, AlgorithmID(oids.DSA), old.sign(MESSAGE), MESSAGE)


def test_form_and_range_are_checked_before_a_library_is_asked() -> None:
    key, q = OldKey(), numbers().q
    value = key.sign(MESSAGE)
    r, s = der.decode_integer_pair(value)
    public: Any = SUITE.load_public(key.whole)
    public._key = SimpleNamespace(verify=lambda *_: None)
    public.verify(value, MESSAGE + b".")
    wrong = [der.encode_integer_pair(*pair) for pair in ((0, s), (r, 0), (q, s), (r, q), (-r, s), (r, -s))]
    for octets in (*wrong, b"", value[:-1], value + b"\0", value * 2):
        with pytest.raises(BadSignature):
            public.verify(octets, MESSAGE)


# Keys ----------------------------------------------------------------------------------------------------------------
def test_numbers_that_do_not_belong_together_are_no_key() -> None:
    """SP 800-89 5.3.1. With y or g = 1 one value would fit every message."""
    own = numbers()
    p, q, g = own.p, own.q, own.g
    y = pow(g, 7, p)
    assert suites.load_public(spki_of(p, q, g, y))
    outside = next(item for item in range(2, 100) if pow(item, q, p) != 1)
    wrong = [(p, q, 0, y), (p, q, 1, y), (p, q, p - 1, y), (p, q, g + p, y), (p, q, -g, y), (p, q, outside, y)]
    wrong += [(p, q, g, 0), (p, q, g, 1), (p, q, g, p - 1), (p, q, g, p), (p, q, g, y + p), (p, q, g, outside)]
    wrong += [(p, q - 2, g, y), (p - 2, q, g, y), (p - 1, q, g, y), (p + q, q, g, y)]
    small = numbers(1024)  # g to the q is 1, and q divides nothing
    factor = next(item for item in range(1 << 63 | 1, 1 << 64, 2) if (small.p - 1) // small.q % item)
    while (factor * small.q).bit_length() != 224:
        factor += 1 << 60
    wrong.append((small.p, small.q * factor, small.g, pow(small.g, 7, small.p)))
    for each in wrong:
        with pytest.raises(BadKey):
            suites.load_public(spki_of(*each))
        assert not agrees(spki_of(*each), SIGNED, der.encode_integer_pair(1, 1), MESSAGE)


@pytest.mark.parametrize("bits", [(512, 160), (1023, 160), (1536, 160), (4096, 256), (200_000, 256), (2048, 2048)])
def test_other_sizes_are_not_computed_and_cost_nothing(bits: tuple[int, int]) -> None:
    p, q = (1 << size - 1 | 1 for size in bits)
    with pytest.raises(UnsupportedAlgorithm):
        suites.load_public(spki_of(p, q, 2, 3))
    with pytest.raises(UnsupportedAlgorithm):  # not computed is not forged
        suites.verify(spki_of(p, q, 2, 3), SIGNED.der(), der.encode_integer_pair(1, 1), MESSAGE)


def test_a_negative_or_absent_number_is_no_key() -> None:
    own, key = numbers(), OldKey()
    for p, q in ((-own.p, own.q), (own.p, -own.q)):
        with pytest.raises((BadKey, UnsupportedAlgorithm)):
            suites.load_public(spki_of(p, q, own.g, 5))
    algorithm, y = der.split_spki(key.whole)
    parts = [der.integer(item) for item in (own.p, own.q, own.g)]
    for parameters in (
        der.sequence(*parts[:2]),
        der.sequence(*parts, parts[0]),
        b"".join(parts),
        der.octet_string(b""),
    ):
        with pytest.raises(MalformedInput):
            suites.load_public(der.subject_public_key_info(AlgorithmID(oids.DSA, parameters), y))
    for octets in (b"", y[:-1], y + b"\0", der.octet_string(y), y * 2):
        with pytest.raises(MalformedInput):
            suites.load_public(der.subject_public_key_info(algorithm, octets))


@pytest.mark.parametrize("parameters", [None, der.NULL_DER])
def test_a_key_without_parameters_computes_nothing_alone(parameters: bytes | None) -> None:
    key = OldKey()
    bare = without_parameters(key.whole, parameters)
    assert suites.for_spki(bare).name == "dsa"
    with pytest.raises(UnsupportedAlgorithm):
        suites.load_public(bare)
    with pytest.raises(UnsupportedAlgorithm):
        suites.verify(bare, SIGNED.der(), key.sign(MESSAGE), MESSAGE)


# Nothing new ---------------------------------------------------------------------------------------------------------
def test_no_key_is_made_or_loaded() -> None:
    assert "dsa" in suites.OLD_NAMES
    assert not suites.OLD_NAMES & set(suites.ALL_NAMES)
    assert "dsa" not in suites.names()
    for parameter in (None, *SUITE.parameters):
        with pytest.raises(UnsupportedAlgorithm):
            SUITE.generate(parameter)
    for suite in (None, "dsa"):
        with pytest.raises(BadKey):
            suites.load_private(OldKey().pkcs8(), suite)


def old_spki(name: str) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec

    if name == "dsa":
        return OldKey().whole
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return ec.generate_private_key(ec.SECP224R1()).public_key().public_bytes(serialization.Encoding.DER, form)


@pytest.mark.parametrize("name", sorted(suites.OLD_NAMES))
def test_no_certificate_is_issued_for_such_a_key(name: str) -> None:
    from certs.certificate import Subject

    circle = make_circle("ecdsa-p256")
    with pytest.raises(IssuanceError, match="old signatures only"):
        circle.ca.issuing.prepare(profiles.load("person"), Subject("Old Key", country="DE"), old_spki(name))


def test_no_request_is_accepted_for_such_a_key() -> None:
    from certs import extensions
    from certs.certificate import Subject

    key = OldKey()
    subject = Subject("Old Key", country="DE").name()
    info = der.sequence(der.integer(0), subject, key.whole, der.tlv(0xA0, b""))
    request = Request(extensions.signed(info, SIGNED.der(), key.sign(info)))
    assert request.verify() == "dsa", "the sender has the key"
    with pytest.raises(UnsupportedAlgorithm, match="old signatures only"):
        accept(request, profiles.load("person"))


def test_no_application_is_read_for_such_a_key() -> None:
    from tests.certs.test_ra import application_of

    assert parse(canonical.encode(application_of("ab" * 20, "ecdsa-p256").value()))
    with pytest.raises(MalformedInput, match="old signatures only"):
        parse(canonical.encode(application_of("ab" * 20, "ecdsa-p256", spki=OldKey().whole).value()))


def test_no_circle_is_made_of_such_a_suite() -> None:
    for name in suites.OLD_NAMES:
        with pytest.raises(UnsupportedAlgorithm):
            make_circle(name)
