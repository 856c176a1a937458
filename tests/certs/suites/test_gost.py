"""GOST R 34.10-2012 and Streebog: the vectors of the RFCs, every parameter set, byte orders, and what must be refused.

RFC 6986 (Streebog), RFC 7091 (the signature), RFC 9215 (encodings, key pairs), RFC 7836 A and RFC 4357 11.4 (curves).
"""

from __future__ import annotations

import pytest

from certs import der, oids, suites
from certs.errors import BadKey, BadSignature, MalformedInput, UnsupportedAlgorithm
from certs.suites import backends
from certs.suites.backends import gost_vectors
from certs.suites.base import AlgorithmID, Use
from certs.suites.gost_parameters import BY_NAME, SETS, ParameterSet
from tests.certs.suites.libraries import installed
from tests.certs.suites.plain_curve import PlainCurve
from tests.conftest import keys_of, needs_gost

MESSAGE = "Договор поставки № 7".encode()

# RFC 6986 10.1 and 10.2 (printed there most significant octet first), in the order of the octets
M1 = b"012345678901234567890123456789012345678901234567890123456789012"
M2 = bytes.fromhex(
    "d1e520e2e5f2f0e82c20d1f2f0e8e1eee6e820e2edf3f6e82c20e2e5fef2fa20f120eceef0ff20f1f2f0e5ebe0ece820ede020f5f0e0e1f0"
    "fbff20efebfaeafb20c8e3eef0e5e2fb"
)
STREEBOG = {
    ("streebog256", M1): "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500",
    ("streebog512", M1): "1b54d01a4af5b9d5cc3d86d68d285462b19abc2475222f35c085122be4ba1ffa"
    "00ad30f8767b3a82384c6574f024c311e2a481332b08ef7f41797891c1646f48",
    ("streebog256", M2): "9dd2fe4e90409e5da87f53976d7405b0c0cac628fc669a741d50063c557e8f50",
    ("streebog512", M2): "1e88e62226bfca6f9994f1f2d51569e0daf8475a3b0fe61a5300eee46d961376"
    "035fe83549ada2b8620fcd7c496ce5b33f0cb9dddc2b6460143b03dabac9fb28",
}

# RFC 9215 D.2: a key pair on 1.2.643.7.1.2.1.1.1
D2 = 0x3A929ADE789BB9BE10ED359DD39A72C10B87C83F80BE18B85C041F4325B62EC1
D2_X = 0x99C3DF265EA59350640BA69D1DE04418AF3FEA03EC0F85F2DD84E8BED4952774
D2_Y = 0xE218631A69C47C122E2D516DA1C09E6BD19344D94389D1F16C0C4D4DCF96F578

# Base points (RFC 7836 A.1.1 and A.2.3) of the curves with cofactor 4
BASE = {
    "TC26-256-A": (
        0x91E38443A5E82C0D880923425712B2BB658B9196932E02C78B2582FE742DAA28,
        0x32879423AB1A0375895786C4BB46E9565FDE0B5344766740AF268ADB32322E5C,
    ),
    "TC26-512-C": (
        0xE2E31EDFC23DE7BDEBE241CE593EF5DE2295B7A9CBAEF021D385F7074CEA043AA27272A7AE602BF2A7B9033DB9ED3610C6FB85487EAE97AAC5BC7928C1950148,
        0xF5CE40D95B5EB899ABBCCFF5911CB8577939804D6527378B8C108C3D2090FF9BE18E2D33E3021ED2EF32D85822423B6304F726AA854BAE07D0396E9A9ADDC40F,
    ),
}

# The OID of each set, and whether we write digestParamSet beside it (RFC 9215 4.3)
ENCODED = {
    "CryptoPro-A": ("06072a850302022301", True),
    "CryptoPro-B": ("06072a850302022302", True),
    "CryptoPro-C": ("06072a850302022303", True),
    "XchA": ("06072a850302022400", True),
    "XchB": ("06072a850302022401", True),
    "TC26-256-A": ("06092a8503070102010101", False),
    "TC26-256-B": ("06092a8503070102010102", False),
    "TC26-256-C": ("06092a8503070102010103", False),
    "TC26-256-D": ("06092a8503070102010104", False),
    "TC26-512-A": ("06092a8503070102010201", True),
    "TC26-512-B": ("06092a8503070102010202", True),
    "TC26-512-C": ("06092a8503070102010203", False),
}
SAME_CURVE = (
    ("TC26-256-B", "CryptoPro-A", "XchA"),
    ("TC26-256-C", "CryptoPro-B"),
    ("TC26-256-D", "CryptoPro-C", "XchB"),
)

every_set = pytest.mark.parametrize("chosen", SETS, ids=lambda item: item.name)


def suite_of(chosen: ParameterSet) -> str:
    return f"gost2012-{8 * chosen.curve.size}"


def algorithm_of(name: str) -> bytes:
    return suites.get(name).signature_algorithm(Use.X509).der()


def key_algorithm(chosen: ParameterSet, *digest: str) -> AlgorithmID:
    parameters = der.sequence(der.oid(chosen.oid), *map(der.oid, digest))
    return AlgorithmID(oids.GOST2012_512 if chosen.curve.size == 64 else oids.GOST2012_256, parameters)


def spki_of(chosen: ParameterSet, x: int, y: int) -> bytes:
    octets = b"".join(number.to_bytes(chosen.curve.size, "little") for number in (x, y))
    return der.subject_public_key_info(chosen.key_algorithm(), der.octet_string(octets))


def pkcs8_of(chosen: ParameterSet, scalar: int) -> bytes:
    return der.private_key_info(chosen.key_algorithm(), scalar.to_bytes(chosen.curve.size, "little"))


# Vectors -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "message"), STREEBOG, ids=["256 M1", "512 M1", "256 M2", "512 M2"])
def test_streebog_is_right_whole_and_in_odd_pieces(name: str, message: bytes) -> None:
    expected = STREEBOG[name, message]
    assert suites.digest(name, message).hex() == expected
    for size in (1, 3, 7, 63, 64, 65):
        running = suites.new_digest(name)
        for start in range(0, len(message), size):
            running.update(message[start : start + size])
            running.update(b"")
            running.digest()  # in between: it goes on
        assert running.digest().hex() == running.digest().hex() == expected


def test_the_signature_of_rfc_7091_verifies_in_the_library_and_nowhere_else() -> None:
    """RFC 7091 7.1 is on the test curve: for checking libraries, refused as a key (RFC 9215 4.1)."""
    engine = installed("gost_engine")
    spki, value, digest = gost_vectors.rfc7091_spki(), gost_vectors.RFC7091_SIGNATURE, gost_vectors.RFC7091_DIGEST
    key = engine.load_public(spki)
    assert engine.verify(key, value, digest)
    assert not engine.verify(key, value, digest[::-1])
    assert not engine.verify(key, value[32:] + value[:32], digest)
    with pytest.raises(BadKey):
        suites.load_public(spki)
    with pytest.raises(BadSignature):
        suites.verify(spki, algorithm_of("gost2012-256"), value, MESSAGE)


def test_the_key_pair_of_rfc_9215_d2_belongs_together() -> None:
    needs_gost("TC26-256-A")
    chosen = BY_NAME["TC26-256-A"]
    key = suites.load_private(pkcs8_of(chosen, D2))
    assert key.public_key.spki == spki_of(chosen, D2_X, D2_Y)
    suites.verify(spki_of(chosen, D2_X, D2_Y), algorithm_of("gost2012-256"), key.sign(MESSAGE), MESSAGE)


# Parameter sets ------------------------------------------------------------------------------------------------------
def test_every_set_has_an_expected_encoding() -> None:
    assert {item.name for item in SETS} == set(ENCODED)


@every_set
def test_keys_are_written_as_rfc_9215_says(chosen: ParameterSet) -> None:
    long = chosen.curve.size == 64
    curve, with_digest = ENCODED[chosen.name]
    digest = ("06082a85030701010203" if long else "06082a85030701010202") if with_digest else ""
    inner = bytes.fromhex(curve + digest)
    outer = bytes.fromhex("06082a85030701010102" if long else "06082a85030701010101") + der.sequence(inner)
    key = suites.get(suite_of(chosen)).generate(chosen.name)
    for encoded in (key.public_key.spki, suites.load_private(key.pkcs8()).public_key.spki):
        algorithm, wrapped = der.split_spki(encoded)
        assert algorithm.der() == der.sequence(outer)
        assert wrapped[: -2 * chosen.curve.size].hex() == ("048180" if long else "0440")
    algorithm, scalar = der.split_pkcs8(key.pkcs8())
    assert algorithm.der() == der.sequence(outer)
    assert len(scalar) == chosen.curve.size


@every_set
def test_the_digest_beside_the_curve_may_be_there_or_not(chosen: ParameterSet) -> None:
    """RFC 9215 4.3 against practice: TC26's examples write it for 256-A, the roots in force for 512-A."""
    key = suites.get(suite_of(chosen)).generate(chosen.name)
    _, wrapped = der.split_spki(key.public_key.spki)
    value = key.sign(MESSAGE)
    own = oids.STREEBOG512 if chosen.curve.size == 64 else oids.STREEBOG256
    for digest in ((), (own,)):
        spki = der.subject_public_key_info(key_algorithm(chosen, *digest), wrapped)
        assert suites.verify(spki, algorithm_of(suite_of(chosen)), value, MESSAGE) == suite_of(chosen)
        assert suites.load_public(spki).spki == spki
    for parameters in (
        None,
        der.NULL_DER,
        der.oid(chosen.oid),
        der.sequence(),
        der.sequence(*[der.oid(chosen.oid)] * 4),
    ):
        algorithm = AlgorithmID(key_algorithm(chosen).oid, parameters)
        with pytest.raises(MalformedInput):
            suites.load_public(der.subject_public_key_info(algorithm, wrapped))


@pytest.mark.parametrize("names", SAME_CURVE, ids=lambda names: names[0])
def test_one_curve_under_its_several_names_is_one_key(names: tuple[str, ...]) -> None:
    key = suites.get("gost2012-256").generate(names[0])
    _, wrapped = der.split_spki(key.public_key.spki)
    value = key.sign(MESSAGE)
    for name in names:
        spki = der.subject_public_key_info(BY_NAME[name].key_algorithm(), wrapped)
        assert suites.verify(spki, algorithm_of("gost2012-256"), value, MESSAGE) == "gost2012-256"
        repeated = AlgorithmID(oids.GOST2012_256, BY_NAME[name].key_algorithm().parameters)  # CryptoPro, ready hash
        assert suites.verify(key.public_key.spki, repeated.der(), value, MESSAGE) == "gost2012-256"
    for other in ("TC26-256-A", *(group[0] for group in SAME_CURVE if group != names)):
        elsewhere = BY_NAME[other].key_algorithm()
        with pytest.raises(BadSignature):
            suites.verify(der.subject_public_key_info(elsewhere, wrapped), algorithm_of("gost2012-256"), value, MESSAGE)
        with pytest.raises(BadSignature):
            suites.verify(key.public_key.spki, elsewhere.der(), value, MESSAGE)


@pytest.mark.parametrize(("curve", "size"), [(oids.CRYPTOPRO_TEST, 32), (oids.TC26_512_TEST, 64)])
def test_the_test_curves_are_no_keys_and_name_no_signatures(curve: str, size: int) -> None:
    name = f"gost2012-{8 * size}"
    algorithm = AlgorithmID(oids.GOST2012_512 if size == 64 else oids.GOST2012_256, der.sequence(der.oid(curve)))
    spki = der.subject_public_key_info(algorithm, der.octet_string(bytes(2 * size)))
    with pytest.raises(BadKey):
        suites.load_public(spki)
    with pytest.raises(BadKey):
        suites.load_private(der.private_key_info(algorithm, b"\x01" + bytes(size - 1)))
    with pytest.raises(BadSignature):
        suites.verify(spki, algorithm_of(name), b"\x01" * 2 * size, MESSAGE)
    key = keys_of(name)[0]
    with pytest.raises(BadSignature):  # not BadKey: nobody catches that around a signature
        suites.verify(key.public_key.spki, algorithm.der(), key.sign(MESSAGE), MESSAGE)


def test_an_unknown_or_foreign_parameter_set_is_told_apart() -> None:
    point = der.octet_string(bytes(64))
    unknown = AlgorithmID(oids.GOST2012_256, der.sequence(der.oid("1.2.643.7.1.2.1.1.9")))
    with pytest.raises(UnsupportedAlgorithm):
        suites.load_public(der.subject_public_key_info(unknown, point))
    foreign = AlgorithmID(oids.GOST2012_256, der.sequence(der.oid(oids.TC26_512_A)))
    with pytest.raises(BadKey):
        suites.load_public(der.subject_public_key_info(foreign, point))


# Byte orders ---------------------------------------------------------------------------------------------------------
@every_set
def test_no_other_order_of_octets_is_accepted(chosen: ParameterSet) -> None:
    name, size = suite_of(chosen), chosen.curve.size
    key = suites.get(name).generate(chosen.name)
    value = key.sign(MESSAGE)
    for forged in (value[size:] + value[:size], value[::-1], value[:size][::-1] + value[size:][::-1]):
        with pytest.raises(BadSignature):
            suites.verify(key.public_key.spki, algorithm_of(name), forged, MESSAGE)
    digest = suites.digest(suites.get(name).digest_name, MESSAGE)
    backend = backends.gost(chosen.name, sign=True)
    handle = backend.load_public(key.public_key.spki)
    assert backend.verify(handle, value, digest)
    assert not backend.verify(handle, value, digest[::-1])
    turned = backend.sign(backend.load_private(key.pkcs8()), digest[::-1])  # as PyGOST and gostcrypto hash
    with pytest.raises(BadSignature):
        key.public_key.verify(turned, MESSAGE)


# Points --------------------------------------------------------------------------------------------------------------
@every_set
def test_what_is_no_point_of_the_curve_is_a_bad_key_and_a_bad_signature(chosen: ParameterSet) -> None:
    name, size, p = suite_of(chosen), chosen.curve.size, chosen.curve.p
    key = suites.get(name).generate(chosen.name)
    value = key.sign(MESSAGE)
    octets = der.Reader(der.split_spki(key.public_key.spki)[1]).value(der.OCTET_STRING)
    x, y = (int.from_bytes(part, "little") for part in (octets[:size], octets[size:]))
    bad = [spki_of(chosen, *point) for point in ((x, y ^ 1), (x ^ 1, y), (y, x), (0, 0), (p, y), (x, p))]
    bad += [
        der.subject_public_key_info(chosen.key_algorithm(), der.octet_string(wrong))
        for wrong in (octets[:-1], octets + b"\x00", octets[:size], b"", b"\x04" + octets, octets[::-1])
    ]
    if x + p < 1 << (8 * size):
        bad.append(spki_of(chosen, x + p, y))
    for spki in bad:
        with pytest.raises(BadKey):
            suites.load_public(spki)
        with pytest.raises(BadSignature):
            suites.verify(spki, algorithm_of(name), value, MESSAGE)
    for wrapped in (octets, der.octet_string(octets) + b"\x00", der.bit_string(octets)):
        with pytest.raises(MalformedInput):
            suites.load_public(der.subject_public_key_info(chosen.key_algorithm(), wrapped))


@pytest.mark.parametrize("name", BASE)
def test_a_point_outside_the_subgroup_of_prime_order_is_refused(name: str) -> None:
    """256-A and 512-C have cofactor 4; a point of order 4q is on the curve and no key (RFC 9215 4.2)."""
    chosen = BY_NAME[name]
    curve, base, q = PlainCurve(chosen.curve.p, chosen.curve.a, chosen.curve.b), BASE[name], chosen.curve.q
    assert curve.multiply(q, base) is None
    small = next(
        point
        for seed in range(1, 100)
        if (point := curve.multiply(q, curve.some_point(seed))) and curve.multiply(2, point) is not None
    )
    assert curve.multiply(4, small) is None
    for point in (curve.add(base, small), curve.add(base, curve.multiply(2, small)), small, curve.multiply(2, small)):
        assert point is not None
        assert curve.holds(point)
        assert curve.multiply(4 * q, point) is None
        spki = spki_of(chosen, *point)
        with pytest.raises(BadKey):
            suites.load_public(spki)
        with pytest.raises(BadSignature):
            suites.verify(spki, algorithm_of(suite_of(chosen)), b"\x01" * 2 * chosen.curve.size, MESSAGE)
        for module in ("gost_engine", "gostcrypto"):
            backend = backends._load(module)
            if not isinstance(backend, Exception):
                with pytest.raises(BadKey):
                    backend.load_public(spki)
    assert suites.load_public(spki_of(chosen, *base)).parameter == name


# Private keys --------------------------------------------------------------------------------------------------------
@every_set
def test_a_scalar_out_of_range_is_refused(chosen: ParameterSet) -> None:
    size, q = chosen.curve.size, chosen.curve.q
    for scalar in {0, q, min(q + 1, 256**size - 1), 256**size - 1}:
        with pytest.raises(BadKey):
            suites.load_private(pkcs8_of(chosen, scalar))
    for scalar in (0, -1, q, q + 1, 1 << (8 * size)):
        with pytest.raises(BadKey):
            suites.load_private(der.private_key_info(chosen.key_algorithm(), der.integer(scalar)))
    for scalar in (1, q - 1):
        key = suites.load_private(pkcs8_of(chosen, scalar))
        key.public_key.verify(key.sign(MESSAGE), MESSAGE)


@every_set
def test_the_private_key_is_read_in_the_three_forms_that_are_met(chosen: ParameterSet) -> None:
    number = int.from_bytes(b"\xa5\x3c" * (chosen.curve.size // 2), "big") % chosen.curve.q
    key = suites.load_private(pkcs8_of(chosen, number))
    algorithm, bare = der.split_pkcs8(key.pkcs8())
    for form in (bare, der.octet_string(bare), der.integer(number)):
        again = suites.load_private(der.private_key_info(algorithm, form))
        assert again.public_key.spki == key.public_key.spki
        assert again.pkcs8() == key.pkcs8()
    for form in (bare[:-1], der.octet_string(bare[1:]), der.sequence(der.integer(number)), der.octet_string(bare * 2)):
        with pytest.raises((BadKey, MalformedInput)):
            suites.load_private(der.private_key_info(algorithm, form))
    with pytest.raises(MalformedInput):
        suites.load_private(der.private_key_info(algorithm, der.octet_string(bare) + b"\x00"))
