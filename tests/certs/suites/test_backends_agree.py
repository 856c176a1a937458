"""The libraries behind SM2 and GOST agree with one another: keys, signatures, digests, and what each refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from certs import der
from certs.errors import SealroadError
from certs.suites import backends
from certs.suites.gost_parameters import SETS
from tests.certs.suites.libraries import GOST, SM2, in_a_process, installed

MESSAGE = b"contract"


@pytest.mark.parametrize("signer", SM2)
@pytest.mark.parametrize("verifier", SM2)
def test_sm2_libraries_verify_one_anothers_signatures(signer: str, verifier: str) -> None:
    maker, judge = installed(signer), installed(verifier)
    for _ in range(5):
        key = maker.generate("sm2p256v1")
        public, value = judge.load_public(maker.spki(key)), maker.sign(key, MESSAGE)
        assert judge.verify(public, value, MESSAGE)
        assert not judge.verify(public, value, MESSAGE + b".")
        assert not judge.verify(public, value[:-1], MESSAGE)
        again = judge.load_private(maker.pkcs8(key))
        assert judge.spki(again) == maker.spki(key)
        assert maker.verify(maker.load_public(judge.spki(again)), judge.sign(again, MESSAGE), MESSAGE)


def pairs() -> Iterator[Any]:
    """Every signer, verifier and parameter set that both compute; gostcrypto takes a second for 512 bits."""
    for chosen in SETS:
        for signer in GOST[:2]:
            for verifier in GOST:
                slow = verifier == "gostcrypto" and (chosen.curve.size == 64 or signer == "gnutls")
                marks = [pytest.mark.slow] if slow else []
                yield pytest.param(signer, verifier, chosen, marks=marks, id=f"{signer}-{verifier}-{chosen.name}")


@pytest.mark.parametrize(("signer", "verifier", "chosen"), list(pairs()))
def test_gost_libraries_verify_one_anothers_signatures(signer: str, verifier: str, chosen: Any) -> None:
    maker, judge = installed(signer), installed(verifier)
    if chosen.name not in maker.parameters & judge.parameters:
        return
    size = chosen.curve.size
    key, digest = maker.generate(chosen.name), bytes(range(7, 7 + size))
    public, value = judge.load_public(maker.spki(key)), maker.sign(key, digest)
    assert len(value) == 2 * size
    assert judge.verify(public, value, digest)
    for forged, data in ((value, digest[::-1]), (value[size:] + value[:size], digest), (value[:-1] + b"\0\0", digest)):
        assert not judge.verify(public, forged, data)
    if judge.signs:
        again = judge.load_private(maker.pkcs8(key))
        assert judge.spki(again) == maker.spki(key)
        assert maker.verify(maker.load_public(judge.spki(again)), judge.sign(again, digest), digest)


@pytest.mark.parametrize("module", GOST)
def test_gost_libraries_hash_alike(module: str) -> None:
    backend, reference = installed(module), backends.gost_digests("streebog256")
    for name in ("streebog256", "streebog512"):
        for length in (0, 1, 31, 32, 63, 64, 65, 200):
            message = bytes(range(length))
            assert backend.digest(name, message) == reference.digest(name, message)


# What may not happen -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("module", GOST)
def test_a_digest_of_a_wrong_length_is_refused_and_ends_no_process(module: str) -> None:
    """Our rule, whatever a library makes of it: the length is checked before the library is asked."""
    installed(module)
    if module == "gostcrypto":
        installed("gost_engine")  # which makes the signature
    code = f"""
from certs.errors import BackendFault
from certs.suites import backends
tested, maker = backends._load({module!r}), backends._load({"gnutls" if module == "gnutls" else "gost_engine"!r})
for parameter, size in (("TC26-256-B", 32), ("TC26-512-A", 64))[: 1 if {module!r} == "gostcrypto" else 2]:
    key = maker.generate(parameter)
    public, value = tested.load_public(maker.spki(key)), maker.sign(key, bytes(size))
    assert tested.verify(public, value, bytes(size))
    for length in (0, 1, 31, 32, 33, 63, 64, 65, 128, 1000):
        if length == size:
            continue
        assert not tested.verify(public, value, bytes(length)), length
        if tested.signs:
            try:
                tested.sign(key, bytes(length))
            except BackendFault:
                continue
            raise AssertionError(length)
print("alive")
"""
    assert in_a_process(code) == "alive"


@pytest.mark.parametrize("module", [*SM2, *GOST])
def test_octets_that_are_no_signature_or_key_raise_nothing_builtin(module: str) -> None:
    backend = installed(module)
    maker = installed("gost_engine") if module in GOST else backend
    key = maker.generate("TC26-256-B" if module in GOST else "sm2p256v1")
    spki = maker.spki(key)
    public, data = backend.load_public(spki), bytes(32)
    value = maker.sign(key, data)
    for wrong in (
        b"",
        b"\0",
        b"\xff" * 64,
        bytes(64),
        der.encode_integer_pair(1, 1),
        value + b"\0",
        value[:-1],
        value * 2,
    ):
        assert backend.verify(public, wrong, data) is False
    for position in range(0, len(spki), 3):
        changed = bytearray(spki)
        changed[position] ^= 0x11
        try:
            backend.load_public(bytes(changed))
        except SealroadError:
            pass
