"""SM2 and SM3: the standards' vectors, both forms of the key, and what must be refused.

GB/T 32918.5-2017 annex A (the recommended curve), GB/T 32905-2016 annex A, GM/T 0009-2012 (identifier and encodings).
A signer in plain Python makes the signatures that our libraries must not accept: over another identifier, without Z.
"""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

import pytest

from certs import der, oids, suites
from certs.errors import BadKey, BadSignature, MalformedInput, UnsupportedAlgorithm
from certs.suites.base import AlgorithmID, Use
from certs.suites.sm import ORDER
from tests.certs.suites.plain_curve import PlainCurve
from tests.conftest import keys_of

# GB/T 32918.5-2017 clause 5: y² = x³ + ax + b over p, base point of order n
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
CURVE = PlainCurve(P, A, B)

# GB/T 32918.5-2017 annex A: identifier 1234567812345678, message "message digest"
D = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
X = 0x09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020
Y = 0xCCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13
K = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
E = 0xF0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
MESSAGE, IDENTIFIER = b"message digest", b"1234567812345678"

USUAL = AlgorithmID(oids.EC, der.oid(oids.SM2))
VARIANTS = (AlgorithmID(oids.SM2, der.oid(oids.SM2)), AlgorithmID(oids.SM2))
"""The curve's OID as the algorithm: Tongsuo test/certs/sm2-*.pem, gmsm."""
SIGNATURE = AlgorithmID(oids.SM2_WITH_SM3).der()
POINT = b"\x04" + X.to_bytes(32, "big") + Y.to_bytes(32, "big")


def spki_of(point: bytes, algorithm: AlgorithmID = USUAL) -> bytes:
    return der.subject_public_key_info(algorithm, point)


def pkcs8_of(scalar: int, *members: bytes, algorithm: AlgorithmID = USUAL, size: int = 32, version: int = 1) -> bytes:
    secret = der.octet_string(scalar.to_bytes(size, "big"))
    return der.private_key_info(algorithm, der.sequence(der.integer(version), secret, *members))


def plain_digest(message: bytes, identifier: bytes | None) -> int:
    """Return e of GB/T 32918.2-2016 6.1, without Z where there is no identifier."""
    if identifier is None:
        return int.from_bytes(suites.digest("sm3", message), "big")
    numbers = b"".join(number.to_bytes(32, "big") for number in (A, B, *G, X, Y))
    z = suites.digest("sm3", (8 * len(identifier)).to_bytes(2, "big") + identifier + numbers)
    return int.from_bytes(suites.digest("sm3", z + message), "big")


def plain_sign(e: int, k: int) -> bytes:
    """GB/T 32918.2-2016 6.1 with the key of annex A."""
    point = CURVE.multiply(k, G)
    assert point is not None
    r = (e + point[0]) % ORDER
    return der.encode_integer_pair(r, pow(1 + D, -1, ORDER) * (k - r * D) % ORDER)


# Vectors -------------------------------------------------------------------------------------------------------------
def test_the_signature_of_annex_a_verifies() -> None:
    value = der.encode_integer_pair(R, S)
    assert suites.verify(spki_of(POINT), SIGNATURE, value, MESSAGE) == "sm2"
    for other in (der.encode_integer_pair(R, S - 1), der.encode_integer_pair(R + 1, S), der.encode_integer_pair(S, R)):
        with pytest.raises(BadSignature):
            suites.verify(spki_of(POINT), SIGNATURE, other, MESSAGE)


def test_the_private_key_of_annex_a_has_its_public_half() -> None:
    key = suites.load_private(pkcs8_of(D))
    assert key.public_key.spki == spki_of(POINT)
    key.public_key.verify(key.sign(MESSAGE), MESSAGE)


def test_the_plain_signer_of_this_test_is_right() -> None:
    assert plain_digest(MESSAGE, IDENTIFIER) == E
    assert plain_sign(E, K) == der.encode_integer_pair(R, S)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),  # GB/T 32905-2016 A.1
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),  # GB/T 32905-2016 A.2
    ],
)
def test_sm3_is_right_whole_and_in_pieces(message: bytes, expected: str) -> None:
    assert suites.digest("sm3", message).hex() == expected
    running = suites.new_digest("sm3")
    for octet in message:
        running.update(bytes((octet,)))
    assert running.digest().hex() == running.digest().hex() == expected


# The signer's identifier ---------------------------------------------------------------------------------------------
def test_only_the_default_identifier_is_accepted() -> None:
    good = plain_sign(plain_digest(MESSAGE, IDENTIFIER), secrets.randbelow(ORDER - 1) + 1)
    assert suites.verify(spki_of(POINT), SIGNATURE, good, MESSAGE) == "sm2"
    # gmsm's openSSL3Certificate signs over the empty one, Tongsuo's sm2-noza-* without Z, TLS over that of RFC 8998
    for identifier in (b"", None, b"ALICE123@YAHOO.COM", b"TLSv1.3+GM+Cipher+Suite", IDENTIFIER + b"\0"):
        value = plain_sign(plain_digest(MESSAGE, identifier), secrets.randbelow(ORDER - 1) + 1)
        with pytest.raises(BadSignature):
            suites.verify(spki_of(POINT), SIGNATURE, value, MESSAGE)


def test_a_signature_with_r_plus_s_equal_to_n_is_bad() -> None:
    """GB/T 32918.2-2016 7.1 B5: t = r + s = 0 is a failure."""
    for r in (1, R, ORDER - 1):
        with pytest.raises(BadSignature):
            suites.verify(spki_of(POINT), SIGNATURE, der.encode_integer_pair(r, ORDER - r), MESSAGE)


def test_the_raw_digests_of_openssls_own_vectors_are_not_taken_for_messages(corpus: Path) -> None:
    """evppkey_sm2.txt signs a ready digest, without Z: the key is read, the signatures are none of ours."""
    text = (corpus / "china" / "tongsuo" / "evppkey_sm2.txt").read_text()
    body = text.split("PrivateKey=SM2_key1\n", 1)[1].split("-----END PRIVATE KEY-----", 1)[0]
    lines = body.splitlines()[1:]
    key = suites.load_private(base64.b64decode("".join(lines)))
    assert key.suite.name == "sm2"
    blocks = [
        dict(line.split(" = ", 1) for line in block.splitlines() if " = " in line) for block in text.split("\n\n")
    ]
    signed = [block for block in blocks if "Verify" in block and "Result" not in block]
    assert len(signed) == 2
    for block in signed:
        value, digest = bytes.fromhex(block["Output"]), bytes.fromhex(block["Input"])
        der.decode_integer_pair(value)
        with pytest.raises(BadSignature):
            suites.verify(key.public_key.spki, SIGNATURE, value, digest)


# Forms of the public key ---------------------------------------------------------------------------------------------
def test_the_usual_form_is_written_to_the_octet() -> None:
    assert keys_of("sm2")[0].public_key.spki.hex().startswith("3059301306072a8648ce3d020106082a811ccf5501822d03420004")


@pytest.mark.parametrize("algorithm", VARIANTS)
def test_the_curve_as_the_algorithm_is_read_too(algorithm: AlgorithmID) -> None:
    spki = spki_of(POINT, algorithm)
    assert suites.verify(spki, SIGNATURE, der.encode_integer_pair(R, S), MESSAGE) == "sm2"
    assert suites.load_public(spki).spki == spki  # to the octet: certificates are compared by it
    key = suites.load_private(pkcs8_of(D, algorithm=algorithm))
    assert key.public_key.spki == spki_of(POINT)


def test_a_compressed_point_is_the_same_key() -> None:
    compressed = bytes((2 + Y % 2,)) + X.to_bytes(32, "big")
    value = der.encode_integer_pair(R, S)
    assert suites.verify(spki_of(compressed), SIGNATURE, value, MESSAGE) == "sm2"
    turned = bytes((3 - Y % 2,)) + X.to_bytes(32, "big")
    with pytest.raises(BadSignature):
        suites.verify(spki_of(turned), SIGNATURE, value, MESSAGE)


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(POINT[:-1] + bytes((POINT[-1] ^ 1,)), id="off the curve"),
        pytest.param(b"\x04" + bytes(64), id="0, 0"),
        pytest.param(b"\x04" + X.to_bytes(32, "big") + (P - Y - 1).to_bytes(32, "big"), id="almost the negative"),
        pytest.param(b"\x04" + b"\xff" * 64, id="coordinates over p"),
        pytest.param(b"\x04" + Y.to_bytes(32, "big") + X.to_bytes(32, "big"), id="y, x"),
        pytest.param(b"\x02" + bytes(31) + b"\x04", id="no y for this x"),
        pytest.param(b"\x00", id="the neutral point"),
        pytest.param(b"", id="nothing"),
        pytest.param(POINT[1:], id="no first octet"),
        pytest.param(POINT + b"\x00", id="one octet more"),
        pytest.param(POINT[:-1], id="one octet less"),
        pytest.param(bytes((6 + Y % 2,)) + POINT[1:], id="hybrid form"),
        pytest.param(b"\x05" + POINT[1:], id="unknown form"),
    ],
)
def test_what_is_no_point_is_a_bad_key_and_a_bad_signature(point: bytes) -> None:
    for algorithm in (USUAL, *VARIANTS):
        with pytest.raises(BadKey):
            suites.load_public(spki_of(point, algorithm))
        with pytest.raises(BadSignature) as caught:
            suites.verify(spki_of(point, algorithm), SIGNATURE, der.encode_integer_pair(R, S), MESSAGE)
        assert caught.value.facts["reason"] == "bad-key"


def test_x_without_y_is_really_no_point() -> None:
    square = (4**3 + A * 4 + B) % P
    assert pow(square, (P - 1) // 2, P) != 1


# Forms of the private key --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("scalar", [0, ORDER - 1, ORDER, ORDER + 1, 2**256 - 1])
def test_a_scalar_out_of_range_is_refused_at_once(scalar: int) -> None:
    """GB/T 32918.2-2016 6.1: 1 ≤ d ≤ n−2; with n−1, 1 + d has no inverse."""
    for algorithm in (USUAL, *VARIANTS):
        with pytest.raises(BadKey):
            suites.load_private(pkcs8_of(scalar, algorithm=algorithm))


@pytest.mark.parametrize("scalar", [1, 2, ORDER - 2])
def test_the_ends_of_the_range_sign(scalar: int) -> None:
    key = suites.load_private(pkcs8_of(scalar))
    point = CURVE.multiply(scalar, G)
    assert point is not None
    assert key.public_key.spki == spki_of(b"\x04" + b"".join(number.to_bytes(32, "big") for number in point))
    key.public_key.verify(key.sign(MESSAGE), MESSAGE)


def test_a_scalar_with_leading_zeros_left_out_or_added_is_the_same() -> None:
    for size in (1, 31, 32, 33, 64):
        assert suites.load_private(pkcs8_of(5, size=size)).public_key.spki == (
            suites.load_private(pkcs8_of(5)).public_key.spki
        )
    with pytest.raises(BadKey):
        suites.load_private(pkcs8_of(5, size=65))


def test_members_of_the_private_key_must_fit() -> None:
    curve, public = der.tlv(0xA0, der.oid(oids.SM2)), der.tlv(0xA1, der.bit_string(POINT))
    for members in ((), (curve,), (public,), (curve, public)):
        assert suites.load_private(pkcs8_of(D, *members)).public_key.spki == spki_of(POINT)
    other = der.tlv(0xA1, der.bit_string(b"\x04" + b"".join(number.to_bytes(32, "big") for number in G)))
    for members in ((der.tlv(0xA0, der.oid(oids.P256)),), (other,), (der.tlv(0xA1, der.bit_string(b"\x04")),)):
        with pytest.raises(BadKey):
            suites.load_private(pkcs8_of(D, *members))
    trailing = der.tlv(0xA1, der.bit_string(POINT) + der.NULL_DER)
    for members in ((public, curve), (public, public), (trailing,), (der.NULL_DER,)):
        with pytest.raises(MalformedInput):
            suites.load_private(pkcs8_of(D, *members))
    with pytest.raises(MalformedInput):
        suites.load_private(pkcs8_of(D, version=0))


def test_a_key_on_p256_is_none_of_sm2() -> None:
    foreign = keys_of("ecdsa-p256")[0]
    with pytest.raises(BadKey):
        suites.get("sm2").load_public(foreign.public_key.spki)
    with pytest.raises(BadKey):
        suites.load_private(foreign.pkcs8(), "sm2")
    _, point = der.split_spki(foreign.public_key.spki)
    with pytest.raises(BadKey):
        suites.load_public(spki_of(point))


# Signature algorithms ------------------------------------------------------------------------------------------------
def test_the_names_met_for_the_algorithm_mean_the_same() -> None:
    """GB/T 35275 writes ~.1.301.1, others the key's OID or its parameters; SHECA and gmssl.cn add NULL."""
    value = der.encode_integer_pair(R, S)
    for oid in (oids.SM2_WITH_SM3, oids.SM2_SIGNATURE, oids.SM2, oids.EC):
        for parameters in (None, der.NULL_DER, der.oid(oids.SM2)):
            assert suites.verify(spki_of(POINT), AlgorithmID(oid, parameters).der(), value, MESSAGE) == "sm2"
        with pytest.raises(MalformedInput):
            suites.verify(spki_of(POINT), AlgorithmID(oid, der.oid(oids.P256)).der(), value, MESSAGE)
    for oid in ("1.2.156.10197.1.504", "1.2.156.10197.1.502", "1.2.156.10197.501"):  # RSA, SM9, a misprint of ofdrw
        with pytest.raises(UnsupportedAlgorithm):
            suites.verify(spki_of(POINT), AlgorithmID(oid).der(), value, MESSAGE)
    assert suites.get("sm2").signature_algorithm(Use.CMS).der().hex() == "300a06082a811ccf55018375"
