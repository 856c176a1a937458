"""Keys on the NIST and brainpool curves that must be refused, or read: RFC 5480 2.1.1 and 2.2, SEC 1 3.2.1."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certs import der, oids, suites
from certs.errors import BadKey, BadSignature, UnsupportedAlgorithm
from certs.suites.base import AlgorithmID, Use
from tests.certs.suites.forgeries import order_of
from tests.certs.suites.known_answers import Vectors, agrees
from tests.conftest import keys_of

MESSAGE = b"contract"
NAMES = [name for name in suites.ALL_NAMES if name.startswith("ecdsa")]
DER, SPKI = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo

every_curve = pytest.mark.parametrize("name", NAMES)


def pem_octets(text: str) -> bytes:
    """Return what stands between the first two rows of dashes."""
    body = text.partition("-----BEGIN ")[2].partition("-----\n")[2].partition("-----END ")[0]
    return base64.b64decode(body)


@pytest.mark.parametrize("name", ["secp256r1", "secp384r1", "secp521r1", "secp256k1"])
def test_a_key_that_spells_out_its_curve_is_refused(vectors: Vectors, name: str) -> None:
    """RFC 5480 2.1.1: specifiedCurve MUST NOT be used; who chooses the base point chooses the private key."""
    encoded = pem_octets(vectors(f"asymmetric/EC/{name}-pub-explicit-no-seed.pem"))
    assert der.split_spki(encoded)[0].oid == oids.EC
    with pytest.raises(BadKey):
        suites.load_public(encoded)
    with pytest.raises(BadSignature):
        suites.verify(encoded, AlgorithmID(oids.ECDSA_SHA256).der(), der.encode_integer_pair(1, 1), MESSAGE)


def test_a_private_key_that_spells_out_its_curve_is_refused(vectors: Vectors) -> None:
    with pytest.raises(BadKey):
        suites.load_private(pem_octets(vectors("asymmetric/EC/secp256r1-explicit-no-seed.pem")))


def test_an_unnamed_curve_is_a_bad_key_and_an_unknown_one_unsupported(vectors: Vectors) -> None:
    _, point = der.split_spki(keys_of("ecdsa-p256")[0].public_key.spki)
    for parameters in (None, der.NULL_DER, der.sequence(), der.octet_string(b"P-256")):
        with pytest.raises(BadKey):
            suites.load_public(der.subject_public_key_info(AlgorithmID(oids.EC, parameters), point))
    secp256k1 = AlgorithmID(oids.EC, der.oid("1.3.132.0.10"))
    for encoded in (
        der.subject_public_key_info(secp256k1, point),
        pem_octets(vectors("asymmetric/EC/sect233k1-spki.pem")),
    ):
        with pytest.raises(UnsupportedAlgorithm):
            suites.load_public(encoded)


@every_curve
def test_the_hybrid_form_of_a_point_is_refused_and_the_compressed_read(name: str) -> None:
    """RFC 5480 2.2: any other first octet MUST be rejected. OpenSSL reads 06 and 07."""
    key = keys_of(name)[0]
    algorithm, point = der.split_spki(key.public_key.spki)
    parity, half = point[-1] % 2, len(point) // 2
    compressed = bytes((2 + parity,)) + point[1 : 1 + half]
    signature = key.suite.signature_algorithm(Use.X509)
    spki = der.subject_public_key_info(algorithm, compressed)
    assert agrees(spki, signature, key.sign(MESSAGE), MESSAGE)
    for wrong in (6 + parity, 7 - parity, 0, 1, 5):
        with pytest.raises(BadKey):
            suites.load_public(der.subject_public_key_info(algorithm, bytes((wrong,)) + point[1:]))
    for wrong_point in (
        b"\x00",
        b"",
        point[:-1],
        point + b"\x00",
        point[:1] + point[1 + half :] + point[1 : 1 + half],
    ):
        with pytest.raises(BadKey):
            suites.load_public(der.subject_public_key_info(algorithm, wrong_point))


@every_curve
def test_a_scalar_out_of_range_is_refused(name: str) -> None:
    """SEC 1 3.2.1: 1 ≤ d ≤ n−1."""
    algorithm, _ = der.split_pkcs8(keys_of(name)[0].pkcs8())
    n = order_of(keys_of(name)[0].public_key)
    size = (n.bit_length() + 7) // 8
    for scalar, good in ((0, False), (1, True), (n - 1, True), (n, False), (n + 1, False)):
        sec1 = der.sequence(der.integer(1), der.octet_string(scalar.to_bytes(size, "big")))
        pkcs8 = der.private_key_info(algorithm, sec1)
        if good:
            key = suites.load_private(pkcs8)
            key.public_key.verify(key.sign(MESSAGE), MESSAGE)
        else:
            with pytest.raises(BadKey):
                suites.load_private(pkcs8)


def test_nothing_new_is_made_on_the_curve_of_old_signatures() -> None:
    assert "ecdsa-p224" not in suites.ALL_NAMES
    suite = suites.get("ecdsa-p224")
    with pytest.raises(UnsupportedAlgorithm):
        suite.generate()
    key = ec.generate_private_key(ec.SECP224R1())
    encoded = key.private_bytes(DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with pytest.raises(BadKey):
        suites.load_private(encoded)
    spki = key.public_key().public_bytes(DER, SPKI)
    assert agrees(spki, AlgorithmID(oids.ECDSA_SHA224), key.sign(MESSAGE, ec.ECDSA(hashes.SHA224())), MESSAGE)
