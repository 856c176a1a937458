"""What no suite accepts: forged values, altered keys, other algorithms, and octets of any kind.

The same over every suite; `forgeries.py` makes the values. Nothing but errors of this project may leave `certs.suites`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certs import der, oids, suites
from certs.errors import BadSignature, MalformedInput, SealroadError, UnsupportedAlgorithm
from certs.suites.base import AlgorithmID, Use
from tests.certs.suites.forgeries import forgeries, order_of
from tests.conftest import ALL_SUITES, keys_of

MESSAGE = "Договор № 7 合同 contract".encode()
PURE = ("ed25519", "ed448", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87")


def algorithm_of(name: str) -> bytes:
    return suites.get(name).signature_algorithm(Use.X509).der()


def bad(verify: Callable[..., object], *arguments: object) -> bool:
    try:
        verify(*arguments)
    except BadSignature:
        return True
    return False


def test_no_forged_value_verifies(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    value, spki, algorithm = key.sign(MESSAGE), key.public_key.spki, algorithm_of(suite_name)
    forged = [(words, octets) for words, octets in forgeries(key.public_key, value) if octets != value]
    assert len(forged) > 30
    accepted = [words for words, octets in forged if not bad(key.public_key.verify, octets, MESSAGE)]
    accepted += [words for words, octets in forged if not bad(suites.verify, spki, algorithm, octets, MESSAGE)]
    assert accepted == []
    assert not bad(suites.verify, spki, algorithm, value, MESSAGE)


@pytest.mark.parametrize("name", ["rsa", "rsa-pss"])
def test_a_value_that_begins_with_zero_keeps_its_length(name: str) -> None:
    """RFC 8017 8.1.2 and 8.2.2, step 1: a signature of another length than the modulus is invalid."""
    key = keys_of(name)[0]
    messages = (number.to_bytes(4, "big") for number in range(20_000))
    message, value = next((each, value) for each in messages if (value := key.sign(each))[0] == 0)
    key.public_key.verify(value, message)
    for other in (value[1:], b"\x00" + value):
        with pytest.raises(BadSignature):
            key.public_key.verify(other, message)


@pytest.mark.parametrize("name", [name for name in ALL_SUITES if name not in (*PURE, "rsa", "rsa-pss")])
def test_form_and_range_are_checked_before_a_library_is_asked(name: str) -> None:
    """0 < r, s < n: SEC 1 4.1.4, GB/T 32918.2-2016 7.1 B1 and B2, RFC 7091 6.2; here under a library that says yes."""
    key = keys_of(name)[0]
    value = key.sign(MESSAGE)
    public: Any = suites.get(name).load_public(key.public_key.spki)
    if name.startswith("ecdsa"):
        public._key = SimpleNamespace(verify=lambda *_: None)
    else:
        public._backend = SimpleNamespace(verify=lambda *_: True)
    public.verify(value, MESSAGE + b".")
    ranges = {"r = 0", "s = 0", "r = n", "s = n", "r + n", "s + n", "empty", "cut by one", "one octet more", "twice"}
    tried = {words: octets for words, octets in forgeries(key.public_key, value) if words in ranges}
    assert len(tried) >= 8
    assert [words for words, octets in tried.items() if not bad(public.verify, octets, MESSAGE)] == []


def test_r_and_s_are_in_range_in_what_we_make(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    if suite_name in (*PURE, "rsa", "rsa-pss"):
        return
    value = key.sign(MESSAGE)
    half = len(value) // 2
    gost = suite_name.startswith("gost")
    numbers = [int.from_bytes(part, "big") for part in (value[half:], value[:half])]
    r, s = numbers if gost else der.decode_integer_pair(value)
    assert 0 < r < order_of(key.public_key) > s > 0


def test_no_other_message_verifies(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    value = key.sign(MESSAGE)
    for position in range(len(MESSAGE)):
        changed = bytearray(MESSAGE)
        changed[position] ^= 1
        with pytest.raises(BadSignature):
            key.public_key.verify(value, bytes(changed))
    for other in (b"", MESSAGE[:-1], MESSAGE + b"\x00", b"\x00" + MESSAGE, MESSAGE * 2):
        with pytest.raises(BadSignature):
            key.public_key.verify(value, other)


def test_no_other_key_verifies(suite_name: str) -> None:
    key, *others = keys_of(suite_name)
    value = key.sign(MESSAGE)
    for other in others:
        with pytest.raises(BadSignature):
            suites.verify(other.public_key.spki, algorithm_of(suite_name), value, MESSAGE)


def test_no_altered_key_verifies(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    value, spki = key.sign(MESSAGE), key.public_key.spki
    algorithm, octets = der.split_spki(spki)
    for position in sorted({0, 1, 2, len(octets) - 1, *range(0, len(octets), max(1, len(octets) // 20))}):
        changed = bytearray(octets)
        changed[position] ^= 1
        altered = der.subject_public_key_info(algorithm, bytes(changed))
        with pytest.raises((BadSignature, MalformedInput)):
            suites.verify(altered, algorithm_of(suite_name), value, MESSAGE)
    for altered in (spki[:-1], spki + b"\x00", b"", spki[1:], der.subject_public_key_info(algorithm, octets[:-1])):
        with pytest.raises((BadSignature, MalformedInput)):
            suites.verify(altered, algorithm_of(suite_name), value, MESSAGE)


def test_signatures_and_keys_of_other_suites_are_bad_here(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    value, algorithm = key.sign(MESSAGE), algorithm_of(suite_name)
    for other in ALL_SUITES:
        if other == suite_name:
            continue
        stranger = keys_of(other)[0]
        foreign = stranger.sign(MESSAGE)
        assert bad(suites.verify, key.public_key.spki, algorithm, foreign, MESSAGE), other
        assert bad(suites.verify, stranger.public_key.spki, algorithm, value, MESSAGE), other
        if algorithm_of(other) != algorithm:  # P-256 and brainpoolP256r1 share one
            assert bad(suites.verify, stranger.public_key.spki, algorithm, foreign, MESSAGE), other


def test_an_unknown_signature_algorithm_is_neither_good_nor_bad(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    value = key.sign(MESSAGE)
    for unknown in ("1.2.3.4", "1.2.840.113549.1.1.4", oids.PLAIN_ECDSA_SHA256, oids.SHA256):
        with pytest.raises(UnsupportedAlgorithm) as caught:
            suites.verify(key.public_key.spki, AlgorithmID(unknown).der(), value, MESSAGE)
        assert caught.value.facts["oid"] == unknown


def test_an_unknown_key_algorithm_is_neither_good_nor_bad() -> None:
    for unknown in ("1.2.3.4", oids.GOST2001, "1.2.840.10046.2.1"):
        spki = der.subject_public_key_info(AlgorithmID(unknown, der.NULL_DER), bytes(64))
        for act in (
            suites.for_spki,
            suites.load_public,
            lambda spki: suites.verify(spki, b"\x30\x03\x06\x01\x2a", b"", b""),
        ):
            with pytest.raises(UnsupportedAlgorithm):
                act(spki)


def test_parameters_that_do_not_belong_to_the_algorithm_are_malformed(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    algorithm = suites.get(suite_name).signature_algorithm(Use.X509)
    strange = AlgorithmID(algorithm.oid, der.octet_string(b"parameters")).der()
    pair = der.sequence(der.oid(algorithm.oid), der.NULL_DER, der.NULL_DER)
    for wrong in (strange, pair, algorithm.der() + b"\x00", algorithm.der()[:-1], b""):
        with pytest.raises(MalformedInput):
            suites.verify(key.public_key.spki, wrong, key.sign(MESSAGE), MESSAGE)


def test_null_parameters_pass_only_where_they_are_met_in_the_field(suite_name: str) -> None:
    """SHECA, old Russian authorities, EdDSA signers of PDFs write NULL; RFC 8410 3 and RFC 9881 2: MUST be absent."""
    key = keys_of(suite_name)[0]
    oid = suites.get(suite_name).signature_algorithm(Use.X509).oid
    with_null, without = AlgorithmID(oid, der.NULL_DER).der(), AlgorithmID(oid).der()
    value = key.sign(MESSAGE)
    if suite_name == "rsa-pss":
        for algorithm in (with_null, without):  # RFC 4055 3.1: parameters MUST be there
            with pytest.raises(MalformedInput):
                suites.verify(key.public_key.spki, algorithm, value, MESSAGE)
        return
    assert suites.verify(key.public_key.spki, without, value, MESSAGE) == suite_name
    if suite_name.startswith("ml-dsa"):
        with pytest.raises(MalformedInput):
            suites.verify(key.public_key.spki, with_null, value, MESSAGE)
    else:
        assert suites.verify(key.public_key.spki, with_null, value, MESSAGE) == suite_name


# The digest beside a signature ---------------------------------------------------------------------------------------
def test_a_digest_beside_the_signature_turns_nothing_bad_into_good(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    value, algorithm = key.sign(MESSAGE), algorithm_of(suite_name)
    for digest in ("sha1", "sha256", "sha512", "sha3-256", "shake256", "sm3", "streebog256", "streebog512", "unknown"):
        with pytest.raises(BadSignature):
            suites.verify(key.public_key.spki, algorithm, value, MESSAGE + b".", digest=digest)


def test_the_signatures_own_algorithm_decides_where_it_names_a_digest(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    value = key.sign(MESSAGE)
    for digest in ("sha1", suites.get(suite_name).digest_name, None):
        named = suites.verify(key.public_key.spki, algorithm_of(suite_name), value, MESSAGE, digest=digest)
        assert named == suite_name


def test_a_key_verifies_over_no_digest_its_suite_does_not_have(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    value = key.sign(MESSAGE)
    if suite_name in PURE:
        key.public_key.verify(value, MESSAGE, digest="sha1")  # signed without: RFC 8032, FIPS 204
        return
    for digest in ("unknown", "shake256", "gost94"):
        with pytest.raises(UnsupportedAlgorithm):
            key.public_key.verify(value, MESSAGE, digest=digest)
    with pytest.raises((BadSignature, UnsupportedAlgorithm)):
        key.public_key.verify(value, MESSAGE, digest="sha1")
    key.public_key.verify(value, MESSAGE, digest=key.suite.digest_name)


# Anything at all -----------------------------------------------------------------------------------------------------
def mutated(octets: bytes) -> st.SearchStrategy[bytes]:
    """Arbitrary octets, and real ones with a piece exchanged."""
    pieces = st.tuples(st.integers(0, len(octets)), st.integers(0, 4), st.binary(max_size=4))
    return st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=80).map(lambda data: der.sequence(data)),
        pieces.map(lambda cut: octets[: cut[0]] + cut[2] + octets[cut[0] + cut[1] :]),
    )


def quietly(act: Callable[[], object]) -> None:
    try:
        act()
    except SealroadError:
        pass


@pytest.mark.parametrize("name", ALL_SUITES)
def test_no_octets_raise_anything_builtin(name: str) -> None:
    key = keys_of(name)[0]
    spki, pkcs8, algorithm, value = key.public_key.spki, key.pkcs8(), algorithm_of(name), key.sign(MESSAGE)

    @settings(max_examples=20, deadline=None)
    @given(mutated(spki), mutated(pkcs8), mutated(algorithm), mutated(value), st.sampled_from(["sm3", "sha1", "", "x"]))
    def fuzz(bad_spki: bytes, bad_pkcs8: bytes, bad_algorithm: bytes, bad_value: bytes, digest: str) -> None:
        quietly(lambda: suites.load_public(bad_spki))
        quietly(lambda: suites.load_private(bad_pkcs8))
        quietly(lambda: suites.get(name).load_public(bad_spki))
        quietly(lambda: suites.get(name).load_private(bad_pkcs8))
        quietly(lambda: suites.verify(bad_spki, algorithm, value, MESSAGE))
        quietly(lambda: suites.verify(spki, bad_algorithm, value, MESSAGE, digest=digest))
        quietly(lambda: suites.verify(spki, algorithm, bad_value, MESSAGE, digest=digest))
        quietly(lambda: suites.suite_of_signature(spki, bad_algorithm))

    fuzz()
