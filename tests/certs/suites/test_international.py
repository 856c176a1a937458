"""ECDSA, EdDSA and ML-DSA against the vectors of NIST and the RFCs, and the keys that must be refused.

The vectors come from the package cryptography-vectors, whose documentation names the source of every file: NIST CAVP
(FIPS 186-2 to 186-4), RFC 6979 A.2, RFC 8032 7, the ML-DSA key generation of FIPS 204. Short ones stand here.
"""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization

from certs import der, oids, suites
from certs.errors import BadKey
from certs.suites.base import AlgorithmID, Use
from tests.certs.suites.forgeries import EDDSA_ORDER
from tests.certs.suites.known_answers import Vectors, agrees, records

MESSAGE = b"contract"
# EdDSA (RFC 8032) ----------------------------------------------------------------------------------------------------
RFC8032 = [
    (  # 7.1 TEST 1
        "ed25519",
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (  # 7.1 TEST 2
        "ed25519",
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (  # 7.1 TEST 3
        "ed25519",
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


def eddsa_key(name: str, secret: bytes) -> bytes:
    """RFC 8410 7: the secret in an OCTET STRING inside that of PrivateKeyInfo."""
    return der.private_key_info(
        AlgorithmID(suites.get(name).signature_algorithm(Use.X509).oid), der.octet_string(secret)
    )


def check_eddsa(name: str, secret: bytes, public: bytes, message: bytes, expected: bytes) -> None:
    key = suites.load_private(eddsa_key(name, secret))
    assert der.split_spki(key.public_key.spki)[1] == public
    assert key.sign(message) == expected
    assert suites.verify(key.public_key.spki, key.suite.signature_algorithm(Use.CMS).der(), expected, message) == name


@pytest.mark.parametrize(("name", "secret", "public", "message", "expected"), RFC8032, ids=["1", "2", "3"])
def test_ed25519_signs_as_rfc_8032_7_1(name: str, secret: str, public: str, message: str, expected: str) -> None:
    check_eddsa(name, *(bytes.fromhex(part) for part in (secret, public, message, expected)))


def test_ed25519_signs_as_the_authors_file_of_1024_vectors(vectors: Vectors) -> None:
    lines = vectors("asymmetric/Ed25519/sign.input").splitlines()
    assert len(lines) == 1024
    for line in lines[::16]:
        secret, public, message, signed = map(bytes.fromhex, line.split(":")[:4])
        check_eddsa("ed25519", secret[:32], public, message, signed[:64])


def test_ed448_signs_as_rfc_8032_7_4(vectors: Vectors) -> None:
    seen = 0
    for block in vectors("asymmetric/Ed448/rfc8032.txt").split("COUNT")[1:]:
        (record,) = records(block, "SIGNATURE")
        parts = [bytes.fromhex(record[name]) for name in ("SECRET", "PUBLIC", "MESSAGE", "SIGNATURE")]
        if "CONTEXT" in record:  # RFC 8410 and 8419 know no context: such a signature is bad
            key = suites.load_private(eddsa_key("ed448", parts[0]))
            assert not agrees(key.public_key.spki, AlgorithmID(oids.ED448), parts[3], parts[2])
        else:
            check_eddsa("ed448", *parts)
            seen += 1
    assert seen >= 8


SMALL = {
    # order 1, 2, 4 and 8, each sign; the last four are not canonical (RFC 8032 5.1.3)
    "ed25519": [
        *("01" + "00" * 31, "ec" + "ff" * 30 + "7f", "00" * 31 + "80", "00" * 32),
        *(f"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03{sign}" for sign in ("7a", "fa")),
        *(f"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc{sign}" for sign in ("05", "85")),
        *("ee" + "ff" * 30 + "7f", "ed" + "ff" * 30 + "7f", "01" + "00" * 30 + "80", "ec" + "ff" * 31),
    ],
    # order 1, 2 and 4
    "ed448": ["01" + "00" * 56, "fe" + "ff" * 27 + "fe" + "ff" * 27 + "00", "00" * 57, "00" * 56 + "80"],
}


@pytest.mark.parametrize(("name", "octets"), [(name, octets) for name in SMALL for octets in SMALL[name]])
def test_an_eddsa_key_of_small_order_is_refused(name: str, octets: str) -> None:
    """With S = 0 and R of small order one value would fit nearly every message."""
    algorithm, size = AlgorithmID(suites.get(name).signature_algorithm(Use.X509).oid), len(octets) // 2
    spki = der.subject_public_key_info(algorithm, bytes.fromhex(octets))
    with pytest.raises(BadKey):
        suites.load_public(spki)
    for r in SMALL[name]:
        for message in (b"pay 1", b"pay 2", b"pay 1000000"):
            assert not agrees(spki, algorithm, bytes.fromhex(r) + bytes(size), message)


def test_an_eddsa_key_off_its_curve_is_refused() -> None:
    """RFC 8032 5.1.3 and 5.2.3: x² must have a root. Half of all numbers y have none."""
    for name, size in (("ed25519", 32), ("ed448", 57)):
        algorithm, refused = AlgorithmID(suites.get(name).signature_algorithm(Use.X509).oid), 0
        for y in range(2, 66):
            spki = der.subject_public_key_info(algorithm, y.to_bytes(size, "little"))
            try:
                suites.load_public(spki)
            except BadKey:
                refused += 1
        assert 16 < refused < 48
        for octets in (b"\xff" * size, bytes(size - 1), bytes(size + 1)):
            with pytest.raises(BadKey):
                suites.load_public(der.subject_public_key_info(algorithm, octets))


def test_every_honest_eddsa_key_passes() -> None:
    for name in EDDSA_ORDER:
        for _ in range(50):
            suites.load_public(suites.get(name).generate().public_key.spki)


# ML-DSA (FIPS 204) ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", ["44", "65", "87"])
def test_ml_dsa_keys_and_signatures_are_those_of_the_known_answers(vectors: Vectors, size: str) -> None:
    algorithm = suites.get(f"ml-dsa-{size}").signature_algorithm(Use.X509)
    known = list(records(vectors(f"asymmetric/MLDSA/kat_MLDSA_{size}_det_pure.rsp"), "ctx"))
    assert len(known) == 100
    for record in known[::10]:
        seed = der.tlv(0x80, bytes.fromhex(record["xi"]))  # RFC 9881 6: the seed alone
        key = suites.load_private(der.private_key_info(algorithm, seed))
        assert der.split_spki(key.public_key.spki)[1].hex() == record["pk"]
        message, signed = bytes.fromhex(record["msg"]), bytes.fromhex(record["sm"])
        value = signed[: len(signed) - len(message)]
        assert len(value) == key.suite.max_signature_size
        assert not agrees(key.public_key.spki, algorithm, value, message)  # made with a context: RFC 9881 3 has none
        assert agrees(key.public_key.spki, algorithm, key.sign(message), message)


def test_an_ml_dsa_key_is_read_with_its_seed(vectors: Vectors) -> None:
    import cryptography_vectors

    with cryptography_vectors.open_vector_file("asymmetric/MLDSA/mldsa44_priv.der", "rb") as stream:
        key = suites.load_private(stream.read())
    with cryptography_vectors.open_vector_file("asymmetric/MLDSA/mldsa44_pub.der", "rb") as stream:
        assert key.public_key.spki == stream.read()


# ECDSA ---------------------------------------------------------------------------------------------------------------
CURVES = {
    "P-224": ("ecdsa-p224", 28),
    "P-256": ("ecdsa-p256", 32),
    "P-384": ("ecdsa-p384", 48),
    "P-521": ("ecdsa-p521", 66),
}
CURVE_OIDS = {"P-224": oids.P224, "P-256": oids.P256, "P-384": oids.P384, "P-521": oids.P521}
ECDSA_OIDS = {
    "SHA-1": oids.ECDSA_SHA1,
    "SHA-224": oids.ECDSA_SHA224,
    "SHA-256": oids.ECDSA_SHA256,
    "SHA-384": oids.ECDSA_SHA384,
    "SHA-512": oids.ECDSA_SHA512,
}


def ec_spki(curve: str, x: int, y: int) -> bytes:
    size = CURVES[curve][1]
    point = b"\x04" + x.to_bytes(size, "big") + y.to_bytes(size, "big")
    return der.subject_public_key_info(AlgorithmID(oids.EC, der.oid(CURVE_OIDS[curve])), point)


def test_ecdsa_agrees_with_every_verdict_of_fips_186_3(vectors: Vectors) -> None:
    seen = 0
    for record in records(vectors("asymmetric/ECDSA/FIPS_186-3/SigVer.rsp"), "Result"):
        curve, _, digest = record["section"].partition(",")
        if curve not in CURVES:
            continue
        seen += 1
        x, y, r, s = (int(record[name], 16) for name in ("Qx", "Qy", "R", "S"))
        value, algorithm = der.encode_integer_pair(r, s), AlgorithmID(ECDSA_OIDS[digest])
        assert agrees(ec_spki(curve, x, y), algorithm, value, bytes.fromhex(record["Msg"])) == (
            record["Result"][0] == "P"
        )
    assert seen == 4 * 5 * 15


def test_ecdsa_agrees_with_every_public_key_verdict_of_fips_186_3(vectors: Vectors) -> None:
    """Off the curve, and coordinates out of range."""
    seen = 0
    for record in records(vectors("asymmetric/ECDSA/FIPS_186-3/PKV.rsp"), "Result"):
        curve = record["section"].partition(",")[0]
        x, y = int(record["Qx"], 16), int(record["Qy"], 16)
        if curve not in CURVES or max(x, y) >= 1 << (8 * CURVES[curve][1]):
            continue
        seen += 1
        if record["Result"][0] == "P":
            assert suites.load_public(ec_spki(curve, x, y)).suite.name == CURVES[curve][0]
        else:
            with pytest.raises(BadKey):
                suites.load_public(ec_spki(curve, x, y))
    assert seen == 4 * 12 - 12


def test_ecdsa_verifies_every_signature_of_rfc_6979_a_2(vectors: Vectors) -> None:
    """As OpenSSL's evppkey_ecdsa_rfc6979.txt holds them; P-384 is A.2.6, P-521 A.2.7."""
    text = vectors("asymmetric/ECDSA/RFC6979/evppkey_ecdsa_rfc6979.txt")
    keys: dict[str, bytes] = {}
    seen = 0
    for block in text.split("\n\n"):
        head, _, body = block.strip().partition("\n")
        if head.startswith("PublicKey=") and any(curve in head for curve in CURVES):
            keys[head.partition("=")[2]] = serialization.load_pem_public_key(body.encode()).public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        fields = dict(line.split(" = ", 1) for line in block.splitlines() if " = " in line)
        digest = fields.get("DigestVerify", "").replace("SHA", "SHA-")
        if fields.get("Key") not in keys or digest not in ECDSA_OIDS:
            continue
        seen += 1
        value, message = bytes.fromhex(fields["Output"]), fields["Input"].strip('"').encode()
        good = agrees(keys[fields["Key"]], AlgorithmID(ECDSA_OIDS[digest]), value, message)
        assert good == ("Result" not in fields)
    assert seen >= 4 * 5 * 2
