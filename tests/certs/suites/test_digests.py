"""Every digest by name: known values, object identifiers, streaming.

Values of "abc": FIPS 180-4 and FIPS 202 as NIST publishes them in its examples, GB/T 32905-2016 A.1; Streebog of
M1: RFC 6986 10.1. GOST R 34.11-94 with the parameters of CryptoPro (RFC 4357 11.2): as the documentation of
RustCrypto's gost94 has it; GnuTLS agrees.
"""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certs import oids, suites
from certs.errors import UnsupportedAlgorithm
from certs.suites import digests
from tests.certs.suites.libraries import installed

M1 = b"012345678901234567890123456789012345678901234567890123456789012"

KNOWN = {
    "sha1": ("1.3.14.3.2.26", b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    "sha224": ("2.16.840.1.101.3.4.2.4", b"abc", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
    "sha256": (
        "2.16.840.1.101.3.4.2.1",
        b"abc",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ),
    "sha384": (
        "2.16.840.1.101.3.4.2.2",
        b"abc",
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    ),
    "sha512": (
        "2.16.840.1.101.3.4.2.3",
        b"abc",
        (
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
    ),
    "sha3-224": ("2.16.840.1.101.3.4.2.7", b"abc", "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"),
    "sha3-256": (
        "2.16.840.1.101.3.4.2.8",
        b"abc",
        "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
    ),
    "sha3-384": (
        "2.16.840.1.101.3.4.2.9",
        b"abc",
        "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
    ),
    "sha3-512": (
        "2.16.840.1.101.3.4.2.10",
        b"abc",
        (
            "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
            "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0"
        ),
    ),
    "shake256": (  # 512 bits, of nothing: FIPS 202, NIST's SHAKE256 example of 0 bits
        "2.16.840.1.101.3.4.2.12",
        b"",
        (
            "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f"
            "d75dc4ddd8c0f200cb05019d67b592f6fc821c49479ab48640292eacb3b7c4be"
        ),
    ),
    "sm3": (
        "1.2.156.10197.1.401",
        b"abc",
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
    ),
    "streebog256": (
        "1.2.643.7.1.1.2.2",
        M1,
        "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500",
    ),
    "streebog512": (
        "1.2.643.7.1.1.2.3",
        M1,
        (
            "1b54d01a4af5b9d5cc3d86d68d285462b19abc2475222f35c085122be4ba1ffa"
            "00ad30f8767b3a82384c6574f024c311e2a481332b08ef7f41797891c1646f48"
        ),
    ),
    "gost94": (
        "1.2.643.2.2.9",
        b"The quick brown fox jumps over the lazy dog",
        "9004294a361a508c586fe53d1f1b02746765e71b765472786e4770d565830a76",
    ),
}

every_digest = pytest.mark.parametrize("name", KNOWN)


@pytest.fixture(autouse=True)
def _computed_here(request: pytest.FixtureRequest) -> None:
    """GOST R 34.11-94 is computed by gost-engine only."""
    if "gost94" in request.node.name:
        installed("gost_engine")


def test_every_digest_of_the_product_is_tested_here() -> None:
    assert set(digests._KINDS) == set(KNOWN)


@every_digest
def test_known_values(name: str) -> None:
    _, message, expected = KNOWN[name]
    assert suites.digest(name, message).hex() == expected
    running = suites.new_digest(name)
    running.update(message)
    assert running.digest().hex() == expected
    assert running.digest_size == len(expected) // 2


@every_digest
def test_object_identifiers_go_both_ways(name: str) -> None:
    dotted = KNOWN[name][0]
    assert suites.digest_oid(name) == dotted
    assert suites.digest_name(dotted) == name
    assert oids.name(dotted) == name
    assert suites.digest_name(suites.digest_algorithm(name).oid) == name


def test_shake256_of_512_bits_has_a_second_name() -> None:
    """RFC 8419 3.1: id-shake256-len with 512 around Ed448; RFC 8702 3.1: id-shake256, whose output is 64 octets."""
    assert suites.digest_name("2.16.840.1.101.3.4.2.18") == suites.digest_name("2.16.840.1.101.3.4.2.12") == "shake256"


@pytest.mark.parametrize("name", ["", "md5", "SHA256", "sha-256", "sha3_256", "streebog", "blake2b", "shake128"])
def test_an_unknown_name_is_refused_whatever_python_knows(name: str) -> None:
    for ask in (suites.new_digest, suites.digest_oid, suites.digest_algorithm, lambda name: suites.digest(name, b"")):
        with pytest.raises(UnsupportedAlgorithm):
            ask(name)


@pytest.mark.parametrize("oid", ["", "1.2.3.4", "1.2.840.113549.2.5", oids.SHA256_WITH_RSA, oids.SM2])
def test_an_unknown_oid_is_named_in_the_error(oid: str) -> None:
    with pytest.raises(UnsupportedAlgorithm) as caught:
        suites.digest_name(oid)
    assert caught.value.facts["oid"] == oid


@every_digest
@settings(max_examples=15, deadline=None)
@given(pieces=st.lists(st.binary(max_size=150), max_size=8))
def test_streaming_gives_what_one_call_gives(name: str, pieces: list[bytes]) -> None:
    running = suites.new_digest(name)
    for number, piece in enumerate(pieces):
        running.update(piece)
        if number % 2:
            assert running.digest() == suites.digest(name, b"".join(pieces[: number + 1]))
    whole = b"".join(pieces)
    assert running.digest() == running.digest() == suites.digest(name, whole)


@every_digest
def test_octets_may_lie_in_any_kind_of_memory(name: str) -> None:
    message = bytes(range(256)) * 3
    expected = suites.digest(name, message)
    for view in (
        bytearray(message),
        memoryview(message),
        memoryview(bytearray(message)),
        memoryview(b"." + message)[1:],
    ):
        running = suites.new_digest(name)
        running.update(view)
        assert running.digest() == expected
        assert suites.digest(name, view) == expected  # type: ignore[arg-type]


@every_digest
def test_two_running_digests_do_not_meet(name: str) -> None:
    first, second = suites.new_digest(name), suites.new_digest(name)
    first.update(b"a")
    second.update(b"b")
    first.update(b"c")
    assert first.digest() == suites.digest(name, b"ac")
    assert second.digest() == suites.digest(name, b"b")


@every_digest
def test_a_copy_goes_its_own_way(name: str) -> None:
    first = suites.new_digest(name)
    first.update(b"a")
    second = first.copy()
    first.update(b"b")
    second.update(b"c")
    assert first.digest() == suites.digest(name, b"ab")
    assert second.digest() == suites.digest(name, b"ac")
    assert (second.name, second.digest_size) == (first.name, first.digest_size)


def test_sm3_does_without_the_openssl_of_python(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str, *_: object, **__: object) -> None:
        raise ValueError(f"unsupported hash type {name}")

    monkeypatch.setattr(hashlib, "new", without)
    _, message, expected = KNOWN["sm3"]
    running = suites.new_digest("sm3")
    running.update(memoryview(message)[:1])
    running.digest()
    running.update(message[1:])
    assert running.digest().hex() == running.digest().hex() == expected
    assert (running.name, running.digest_size) == ("sm3", 32)
