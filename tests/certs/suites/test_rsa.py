"""RSA in both paddings: the verdicts of NIST, the limits of keys, and the rules of PSS parameters.

NIST CAVP, FIPS 186-3 SigVer15 and SigVerPSS, and SigVer15EMTest (paddings wrong on purpose), of cryptography-vectors;
RFC 8017, RFC 4055, RFC 3279 2.3.1.
"""

from __future__ import annotations

from functools import cache

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric import rsa as theirs

from certs import der, oids, suites
from certs.errors import BadKey, BadSignature, MalformedInput, UnsupportedAlgorithm
from certs.suites import rsa
from certs.suites.base import AlgorithmID, Use
from certs.suites.hashes import HASHES
from tests.certs.suites.known_answers import Vectors, agrees, records
from tests.conftest import keys_of

MESSAGE = b"contract"
NAMES = {"SHA1": "sha1", "SHA224": "sha224", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}
OIDS = {name: oid for oid, name in rsa.PKCS1.items()}
PLAIN = AlgorithmID(oids.RSA, der.NULL_DER)
SHA256 = AlgorithmID(oids.SHA256_WITH_RSA, der.NULL_DER)


def spki_of(modulus: int, exponent: int = 65537, algorithm: AlgorithmID = PLAIN) -> bytes:
    return der.subject_public_key_info(algorithm, der.sequence(der.integer(modulus), der.integer(exponent)))


def pss_parameters(digest: str, mask: str, salt: int, *more: bytes) -> bytes:
    """RFC 4055 3.1, every field written."""
    hashed, masked = (AlgorithmID(suites.digest_oid(name), der.NULL_DER).der() for name in (digest, mask))
    mgf = AlgorithmID(oids.MGF1, masked).der()
    return der.sequence(der.tlv(0xA0, hashed), der.tlv(0xA1, mgf), der.tlv(0xA2, der.integer(salt)), *more)


def pss(digest: str, mask: str, salt: int) -> AlgorithmID:
    return AlgorithmID(oids.RSA_PSS, pss_parameters(digest, mask, salt))


@cache
def their_key(name: str = "rsa") -> theirs.RSAPrivateKey:
    """The same key as an object of `cryptography`, to sign with any parameters."""
    _, encoded = der.split_pkcs8(keys_of(name)[0].pkcs8())
    key = serialization.load_der_private_key(encoded, None)
    assert isinstance(key, theirs.RSAPrivateKey)
    return key


def signed(digest: str, mask: str, salt: int, name: str = "rsa") -> bytes:
    pad = padding.PSS(padding.MGF1(HASHES[mask]()), salt)
    return their_key(name).sign(MESSAGE, pad, HASHES[digest]())


# Verdicts of NIST ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "good"), [("FIPS_186-2/SigVer15_186-3.rsp", 50), ("SigVer15EMTest.txt", 0)])
def test_pkcs1_agrees_with_every_verdict_of_nist(vectors: Vectors, name: str, good: int) -> None:
    verdicts = {True: 0, False: 0}
    for record in records(vectors(f"asymmetric/RSA/{name}"), "Result"):
        spki = spki_of(int(record["n"], 16), int(record["e"], 16))
        algorithm = AlgorithmID(OIDS[NAMES[record["SHAAlg"]]], der.NULL_DER)
        expected = record["Result"].startswith("P")
        value = bytes.fromhex(record["S"])
        assert agrees(spki, algorithm, value, bytes.fromhex(record["Msg"])) == expected, record["Result"]
        verdicts[expected] += 1
    assert verdicts[False] > 100
    assert verdicts[True] >= good


def test_pss_agrees_with_every_verdict_of_nist(vectors: Vectors) -> None:
    verdicts = {True: 0, False: 0}
    for record in records(vectors("asymmetric/RSA/FIPS_186-2/SigVerPSS_186-3.rsp"), "Result"):
        spki = spki_of(int(record["n"], 16), int(record["e"], 16))
        digest, salt = NAMES[record["SHAAlg"]], len(record["SaltVal"]) // 2
        expected = record["Result"].startswith("P")
        value, message = bytes.fromhex(record["S"]), bytes.fromhex(record["Msg"])
        assert agrees(spki, pss(digest, digest, salt), value, message) == expected, record["Result"]
        assert not agrees(spki, pss(digest, digest, salt + 1), value, message)
        verdicts[expected] += 1
    assert verdicts[False] > 100
    assert verdicts[True] >= 50


@pytest.mark.parametrize("digest", list(HASHES))
def test_every_digest_verifies_in_both_paddings(digest: str) -> None:
    spki = keys_of("rsa")[0].public_key.spki
    value = their_key().sign(MESSAGE, padding.PKCS1v15(), HASHES[digest]())
    assert suites.verify(spki, AlgorithmID(OIDS[digest], der.NULL_DER).der(), value, MESSAGE) == "rsa"
    assert suites.verify(spki, PLAIN.der(), value, MESSAGE, digest=digest) == "rsa"  # CMS: the digest stands beside it
    assert suites.signature_digest(AlgorithmID(OIDS[digest], der.NULL_DER).der()) == digest
    salt = HASHES[digest]().digest_size
    assert suites.verify(spki, pss(digest, digest, salt).der(), signed(digest, digest, salt), MESSAGE) == "rsa-pss"
    assert suites.signature_digest(pss(digest, "sha1", salt).der()) == digest


def test_contradictory_digests_are_neither_good_nor_bad() -> None:
    """RFC 5652 5.4 knows one digest for content and signature; some signers write two."""
    spki = keys_of("rsa")[0].public_key.spki
    value = their_key().sign(MESSAGE, padding.PKCS1v15(), HASHES["sha512"]())
    with pytest.raises(BadSignature):
        suites.verify(spki, SHA256.der(), value, MESSAGE)
    with pytest.raises(UnsupportedAlgorithm) as caught:
        suites.verify(spki, SHA256.der(), value, MESSAGE, digest="sha512")
    assert caught.value.facts["reason"] == "contradictory-digests"
    for digest in ("sha384", "sm3", "unknown"):
        with pytest.raises(BadSignature):
            suites.verify(spki, SHA256.der(), value, MESSAGE, digest=digest)


# Limits of keys ------------------------------------------------------------------------------------------------------
def odd_of(bits: int) -> int:
    return (1 << (bits - 1)) | (1 << (bits // 2)) | 1


@pytest.mark.parametrize(
    ("modulus", "exponent"),
    [
        pytest.param(odd_of(rsa.MIN_BITS - 1), 65537, id="a bit too short"),
        pytest.param(odd_of(rsa.MAX_BITS + 1), 65537, id="a bit too long"),
        pytest.param(odd_of(2048) + 1, 65537, id="even modulus"),
        pytest.param(0, 65537, id="zero"),
        pytest.param(1, 65537, id="one"),
        pytest.param(odd_of(2048), 0, id="e = 0"),
        pytest.param(odd_of(2048), 1, id="e = 1"),
        pytest.param(odd_of(2048), 2, id="e = 2"),
        pytest.param(odd_of(2048), 65536, id="e even"),
        pytest.param(odd_of(2048), -3, id="e negative"),
        pytest.param(odd_of(2048), 2**64 + 1, id="e huge"),
        pytest.param(odd_of(2048), odd_of(2048) - 2, id="e as long as n"),
    ],
)
def test_a_key_out_of_limits_is_refused(modulus: int, exponent: int) -> None:
    for algorithm in (PLAIN, AlgorithmID(oids.RSA_PSS)):
        with pytest.raises(BadKey):
            suites.load_public(spki_of(modulus, exponent, algorithm))
    with pytest.raises(BadSignature):
        suites.verify(spki_of(modulus, exponent), SHA256.der(), bytes(256), MESSAGE)


def test_a_modulus_without_its_zero_octet_is_read_as_unsigned_and_said() -> None:
    """Seen in certificates of 2014: 256 octets whose first bit is set and no zero octet in front of them."""
    key = keys_of("rsa")[0].public_key.spki
    numbers = der.Reader(der.split_spki(key)[1]).enter(der.SEQUENCE)
    modulus = numbers.integer()
    for bits in (512, 1024, 2048):
        unsigned = modulus if bits == 2048 else odd_of(bits)
        negative = spki_of(unsigned - (1 << bits))
        assert rsa.has_negative_modulus(negative)
        assert suites.load_public(negative).parameter == str(bits)
    assert not rsa.has_negative_modulus(key)
    assert not rsa.has_negative_modulus(b"")
    value = keys_of("rsa")[0].sign(MESSAGE)
    suites.verify(spki_of(modulus - (1 << 2048)), SHA256.der(), value, MESSAGE)
    with pytest.raises(BadSignature):
        suites.verify(spki_of(modulus - (1 << 2048)), SHA256.der(), value, MESSAGE + b"!")


def test_keys_at_the_limits_are_read() -> None:
    for bits in (rsa.MIN_BITS, 1024, rsa.MAX_BITS):
        assert suites.load_public(spki_of(odd_of(bits))).parameter == str(bits)
    for exponent in (3, 17, 2**64 - 1):
        suites.load_public(spki_of(odd_of(2048), exponent))


def test_a_key_too_short_for_its_padding_verifies_nothing() -> None:
    spki = spki_of(odd_of(rsa.MIN_BITS))
    for algorithm in (
        AlgorithmID(OIDS["sha512"], der.NULL_DER),
        pss("sha512", "sha512", 64),
        pss("sha256", "sha256", 2048),
    ):
        for length in (rsa.MIN_BITS // 8, 64, 0):
            assert not agrees(spki, algorithm, b"\x01" * length, MESSAGE)


def test_keys_too_short_to_sign_with_are_not_loaded() -> None:
    key = theirs.generate_private_key(65537, 1024)
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    with pytest.raises(BadKey):
        suites.load_private(key.private_bytes(serialization.Encoding.DER, form, plain))


def test_a_key_file_whose_numbers_do_not_belong_together_is_refused() -> None:
    algorithm, encoded = der.split_pkcs8(keys_of("rsa")[0].pkcs8())
    body = der.Reader(encoded).enter()
    numbers = [body.integer() for _ in range(9)]
    for position in (1, 3, 4):  # n, d, p (RFC 8017 A.1.2)
        changed = [number + 2 * (index == position) for index, number in enumerate(numbers)]
        with pytest.raises(BadKey):
            suites.load_private(der.private_key_info(algorithm, der.sequence(*map(der.integer, changed))))
    suites.load_private(der.private_key_info(algorithm, der.sequence(*map(der.integer, numbers))))


def test_the_form_of_a_public_key_is_kept_to() -> None:
    """RFC 8017 A.1.1 and RFC 3279 2.3.1; parameters left out are met, anything but NULL is not."""
    modulus = der.integer(odd_of(2048))
    suites.load_public(spki_of(odd_of(2048), algorithm=AlgorithmID(oids.RSA)))
    for algorithm in (AlgorithmID(oids.RSA, der.octet_string(b"?")), AlgorithmID(oids.RSA, der.sequence())):
        with pytest.raises(MalformedInput):
            suites.load_public(spki_of(odd_of(2048), algorithm=algorithm))
    for body in (modulus, modulus + der.integer(3) * 2, der.integer(3), b"", modulus + der.octet_string(b"\x03")):
        with pytest.raises(MalformedInput):
            suites.load_public(der.subject_public_key_info(PLAIN, der.sequence(body)))
    with pytest.raises(MalformedInput):
        suites.load_public(der.subject_public_key_info(PLAIN, der.sequence(modulus, der.integer(3)) + b"\x00"))


# PSS parameters ------------------------------------------------------------------------------------------------------
def test_an_ordinary_key_may_have_made_a_pss_signature() -> None:
    key, algorithm = keys_of("rsa")[0], suites.get("rsa-pss").signature_algorithm(Use.X509)
    value = signed("sha256", "sha256", 32)
    assert suites.verify(key.public_key.spki, algorithm.der(), value, MESSAGE) == "rsa-pss"
    assert suites.suite_of_signature(key.public_key.spki, algorithm.der()) == "rsa-pss"
    assert not agrees(key.public_key.spki, SHA256, value, MESSAGE)
    assert suites.load_private(key.pkcs8(), "rsa-pss").suite.name == "rsa-pss"


def test_a_pss_key_makes_no_pkcs1_signature() -> None:
    """RFC 4055 1.2: id-RSASSA-PSS limits the key to PSS."""
    key = keys_of("rsa-pss")[0]
    value = their_key("rsa-pss").sign(MESSAGE, padding.PKCS1v15(), HASHES["sha256"]())
    for algorithm in (SHA256, PLAIN, AlgorithmID(oids.RSA)):
        assert not agrees(key.public_key.spki, algorithm, value, MESSAGE)
    with pytest.raises(BadKey):
        suites.get("rsa").load_public(key.public_key.spki)
    for load in (lambda: suites.load_private(key.pkcs8(), "rsa"), lambda: suites.get("rsa").load_private(key.pkcs8())):
        with pytest.raises(BadKey):
            load()


def test_parameters_of_a_key_restrict_its_signatures() -> None:
    """RFC 4055 3.3: the same digest and mask, and no less salt."""
    _, encoded = der.split_spki(keys_of("rsa")[0].public_key.spki)
    bound = der.subject_public_key_info(pss("sha256", "sha256", 32), encoded)
    free = der.subject_public_key_info(AlgorithmID(oids.RSA_PSS), encoded)
    cases = {
        ("sha256", "sha256", 32): True,
        ("sha256", "sha256", 48): True,
        ("sha256", "sha256", 31): False,
        ("sha256", "sha256", 0): False,
        ("sha512", "sha512", 64): False,
        ("sha256", "sha1", 32): False,
        ("sha384", "sha256", 48): False,
    }
    for (digest, mask, salt), allowed in cases.items():
        value = signed(digest, mask, salt)
        assert agrees(free, pss(digest, mask, salt), value, MESSAGE)
        assert agrees(bound, pss(digest, mask, salt), value, MESSAGE) == allowed
    assert not agrees(free, pss("sha256", "sha256", 20), signed("sha256", "sha256", 32), MESSAGE)
    key = suites.load_public(bound)
    key.verify(signed("sha256", "sha256", 32), MESSAGE)
    with pytest.raises(BadSignature, match="parameters"):
        key.verify(signed("sha512", "sha512", 64), MESSAGE, digest="sha512")


def test_empty_parameters_are_the_defaults_of_rfc_4055() -> None:
    spki = keys_of("rsa")[0].public_key.spki
    defaults = AlgorithmID(oids.RSA_PSS, der.sequence())
    assert agrees(spki, defaults, signed("sha1", "sha1", 20), MESSAGE)
    assert not agrees(spki, defaults, signed("sha256", "sha256", 32), MESSAGE)
    trailer = der.tlv(0xA3, der.integer(1))
    explicit = AlgorithmID(oids.RSA_PSS, pss_parameters("sha256", "sha256", 32, trailer))
    assert agrees(spki, explicit, signed("sha256", "sha256", 32), MESSAGE)


def test_parameters_that_are_none_of_pss_are_malformed() -> None:
    spki, value = keys_of("rsa")[0].public_key.spki, signed("sha256", "sha256", 32)
    hashed = AlgorithmID(oids.SHA256, der.NULL_DER).der()
    fields = [hashed, AlgorithmID(oids.MGF1, hashed).der(), der.integer(32), der.integer(1)]
    for position in range(4):
        longer = [field + der.NULL_DER * (index == position) for index, field in enumerate(fields)]
        for broken in (longer, [*fields[:position], b"", *fields[position + 1 :]]):
            body = der.sequence(*(der.tlv(0xA0 + tag, field) for tag, field in enumerate(broken)))
            with pytest.raises(MalformedInput):
                suites.verify(spki, AlgorithmID(oids.RSA_PSS, body).der(), value, MESSAGE)
    for parameters in (
        None,
        der.NULL_DER,
        pss_parameters("sha256", "sha256", -1),
        pss_parameters("sha256", "sha256", 1 << 40),
        pss_parameters("sha256", "sha256", 32, der.tlv(0xA3, der.integer(2))),
        pss_parameters("sha256", "sha256", 32, der.tlv(0xA4, der.integer(1))),
    ):
        with pytest.raises(MalformedInput):
            suites.verify(spki, AlgorithmID(oids.RSA_PSS, parameters).der(), value, MESSAGE)


def test_digests_and_masks_we_cannot_compute_are_unsupported() -> None:
    spki, value = keys_of("rsa")[0].public_key.spki, signed("sha256", "sha256", 32)
    hashed = AlgorithmID(oids.SHA256, der.NULL_DER).der()
    other_mask = der.sequence(der.tlv(0xA0, hashed), der.tlv(0xA1, AlgorithmID("1.2.3.4", hashed).der()))
    for parameters in (pss_parameters("sm3", "sha256", 32), pss_parameters("sha256", "streebog256", 32), other_mask):
        with pytest.raises(UnsupportedAlgorithm):
            suites.verify(spki, AlgorithmID(oids.RSA_PSS, parameters).der(), value, MESSAGE)
    for name in ("rsa", "rsa-pss"):  # reached from outside: the digest beside a signature that does not verify
        key = keys_of(name)[0].public_key
        algorithm = key.suite.signature_algorithm(Use.CMS).der()
        for digest in ("sm3", "streebog256", "unknown"):
            with pytest.raises(BadSignature):
                suites.verify(key.spki, algorithm, bytes(256), MESSAGE, digest=digest)


def test_a_private_key_bound_to_other_parameters_is_not_signed_with() -> None:
    _, encoded = der.split_pkcs8(keys_of("rsa-pss")[0].pkcs8())
    for parameters, good in (
        (("sha256", "sha256", 32), True),
        (("sha512", "sha512", 64), False),
        (("sha256", "sha256", 48), False),
    ):
        pkcs8 = der.private_key_info(pss(*parameters), encoded)
        if good:
            suites.load_private(pkcs8).sign(MESSAGE)
        else:
            with pytest.raises(UnsupportedAlgorithm):
                suites.load_private(pkcs8)
