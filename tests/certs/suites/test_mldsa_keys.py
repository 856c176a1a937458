"""ML-DSA private keys in the three forms of RFC 9881 6."""

from __future__ import annotations

import pytest

from certs import der, suites
from certs.errors import BadKey, MalformedInput, UnsupportedAlgorithm
from tests.conftest import keys_of

NAMES = ("ml-dsa-44", "ml-dsa-65", "ml-dsa-87")


def parts(name: str) -> tuple[suites.base.AlgorithmID, bytes]:
    """Return the algorithm and the seed of a key."""
    algorithm, encoded = der.split_pkcs8(keys_of(name)[0].pkcs8())
    return algorithm, der.Reader(encoded).value(0x80)


@pytest.mark.parametrize("name", NAMES)
def test_seed_and_expanded_key_together_are_read_by_the_seed(name: str) -> None:
    algorithm, seed = parts(name)
    both = der.sequence(der.octet_string(seed), der.octet_string(bytes(4000)))
    key = suites.load_private(der.private_key_info(algorithm, both))
    assert key.public_key.spki == keys_of(name)[0].public_key.spki
    assert der.split_pkcs8(key.pkcs8())[1] == der.tlv(0x80, seed)


@pytest.mark.parametrize("name", NAMES)
def test_an_expanded_key_alone_is_named_not_called_bad(name: str) -> None:
    algorithm, _ = parts(name)
    with pytest.raises(UnsupportedAlgorithm, match="seed"):
        suites.load_private(der.private_key_info(algorithm, der.octet_string(bytes(2560))))


def test_broken_forms_are_refused() -> None:
    algorithm, seed = parts("ml-dsa-44")
    expanded = der.octet_string(bytes(64))
    for body in (
        der.tlv(0x80, seed[:-1]),
        der.tlv(0x81, seed),
        der.sequence(der.octet_string(seed)),
        der.sequence(der.octet_string(seed), expanded, expanded),
        der.sequence(der.octet_string(seed[:-1]), expanded),
        b"",
    ):
        with pytest.raises((BadKey, MalformedInput)):
            suites.load_private(der.private_key_info(algorithm, body))
