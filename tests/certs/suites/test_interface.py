"""One interface, every suite: what `certs/suites/base.py` promises is asked of each, good cases and forged ones."""

from __future__ import annotations

import os
import threading
import warnings

import pytest

from certs import suites
from certs.errors import BadKey, BadSignature, MalformedInput, UnsupportedAlgorithm
from certs.suites.base import Family, Library, Use
from tests.conftest import ALL_SUITES, keys_of

MESSAGE = "Договор № 7 合同 contract".encode()

ALGORITHMS = {
    # RFC 4055 5 and 3.1 (all fields of PSS written, NULL beside the digests)
    "rsa": "300d06092a864886f70d01010b0500",
    "rsa-pss": "304106092a864886f70d01010a3034a00f300d06096086480165030402010500"
    "a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120",
    # RFC 5758 3.2: absent
    "ecdsa-p256": "300a06082a8648ce3d040302",
    "ecdsa-p384": "300a06082a8648ce3d040303",
    "ecdsa-p521": "300a06082a8648ce3d040304",
    "ecdsa-bp256": "300a06082a8648ce3d040302",
    "ecdsa-bp384": "300a06082a8648ce3d040303",
    "ecdsa-bp512": "300a06082a8648ce3d040304",
    # RFC 8410 3 and RFC 9881 2: absent
    "ed25519": "300506032b6570",
    "ed448": "300506032b6571",
    "ml-dsa-44": "300b0609608648016503040311",
    "ml-dsa-65": "300b0609608648016503040312",
    "ml-dsa-87": "300b0609608648016503040313",
    # GB/T 33560-2017 Table A.1, as GmSSL and OpenSSL write it: absent
    "sm2": "300a06082a811ccf55018375",
    # RFC 9215 2: absent
    "gost2012-256": "300a06082a85030701010302",
    "gost2012-512": "300a06082a85030701010303",
}
CMS_ALGORITHMS = ALGORITHMS | {
    # R 1323565.1.025-2019: the key's OID
    "gost2012-256": "300a06082a85030701010101",
    "gost2012-512": "300a06082a85030701010102",
}


DIGESTS = {
    # RFC 5754 2, GB/T 33560-2017 Table A.1, RFC 9215 2: absent
    "sha256": "300b0609608648016503040201",
    "sha384": "300b0609608648016503040202",
    "sha512": "300b0609608648016503040203",
    "sm3": "300a06082a811ccf55018311",
    "streebog256": "300a06082a85030701010202",
    "streebog512": "300a06082a85030701010203",
    # RFC 8419 3.1: id-shake256-len with 512
    "shake256": "300f060960864801650304021202020200",
}


def algorithm_of(name: str, use: Use = Use.X509) -> bytes:
    return suites.get(name).signature_algorithm(use).der()


def every_parameter() -> list[object]:
    slow = {("rsa", "3072"), ("rsa", "4096"), ("rsa-pss", "3072"), ("rsa-pss", "4096")}
    return [
        pytest.param(name, parameter, marks=[pytest.mark.slow] if (name, parameter) in slow else [])
        for name in ALL_SUITES
        for parameter in suites.get(name).parameters
    ]


# Keys and signatures -------------------------------------------------------------------------------------------------
def test_the_table_of_suites_is_the_one_the_tests_know() -> None:
    assert suites.ALL_NAMES == ALL_SUITES
    assert set(suites.names()) == set(ALL_SUITES)
    assert {name for name in ALL_SUITES if suites.get(name).family == Family.CHINA} == {"sm2"}
    russian = {name for name in ALL_SUITES if suites.get(name).family == Family.RUSSIA}
    assert russian == {"gost2012-256", "gost2012-512"}


def test_what_a_key_signs_its_public_half_verifies(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    for message in (MESSAGE, b"", b"\x00" * 100_000):
        value = key.sign(message)
        key.public_key.verify(value, message)
        for use in Use:
            assert suites.verify(key.public_key.spki, algorithm_of(suite_name, use), value, message) == suite_name
    assert suites.suite_of_signature(key.public_key.spki, algorithm_of(suite_name)) == suite_name
    assert suites.for_spki(key.public_key.spki) is suites.get(suite_name) is key.suite


@pytest.mark.parametrize(("name", "parameter"), every_parameter())
def test_every_parameter_makes_keys_that_sign_and_come_back(name: str, parameter: str) -> None:
    suite = suites.get(name)
    key = suite.generate(parameter)
    assert key.public_key.parameter == parameter
    again = suites.load_private(key.pkcs8(), name)
    public = suites.load_public(again.public_key.spki)
    assert (public.suite, public.parameter) == (suite, parameter)
    for _ in range(4):
        value = again.sign(MESSAGE)
        assert len(value) <= suite.max_signature_size
        public.verify(value, MESSAGE)


def test_keys_come_back_from_their_octets_unchanged(suite_name: str) -> None:
    for key in keys_of(suite_name):
        private, public = suites.load_private(key.pkcs8()), suites.load_public(key.public_key.spki)
        assert private.pkcs8() == key.pkcs8()
        assert private.public_key.spki == public.spki == key.public_key.spki
        assert private.suite is public.suite is key.suite
        key.public_key.verify(private.sign(MESSAGE), MESSAGE)


def test_keys_differ(suite_name: str) -> None:
    assert (
        len({key.public_key.spki for key in keys_of(suite_name)}) == len({k.pkcs8() for k in keys_of(suite_name)}) == 5
    )


def test_an_unknown_parameter_or_suite_is_refused(suite_name: str) -> None:
    for parameter in ("1", "P-192", "TC26-512-Test", "CryptoPro-Test"):
        with pytest.raises(UnsupportedAlgorithm):
            suites.get(suite_name).generate(parameter)
    with pytest.raises(UnsupportedAlgorithm):
        suites.get(suite_name.upper())


def test_a_key_is_not_loaded_as_one_of_another_suite(suite_name: str) -> None:
    pkcs8, spki = keys_of(suite_name)[0].pkcs8(), keys_of(suite_name)[0].public_key.spki
    for other in ALL_SUITES:
        if other == suite_name or {other, suite_name} == {"rsa", "rsa-pss"}:
            continue
        with pytest.raises(BadKey):
            suites.load_private(pkcs8, other)
        with pytest.raises((BadKey, MalformedInput)):
            suites.get(other).load_private(pkcs8)
        with pytest.raises((BadKey, MalformedInput)):
            suites.get(other).load_public(spki)


# What we write -------------------------------------------------------------------------------------------------------
def test_algorithm_identifiers_are_written_to_the_octet_of_the_standards(suite_name: str) -> None:
    assert algorithm_of(suite_name, Use.X509).hex() == ALGORITHMS[suite_name]
    assert algorithm_of(suite_name, Use.CMS).hex() == CMS_ALGORITHMS[suite_name]


def test_digest_algorithms_are_written_to_the_octet_of_the_standards(suite_name: str) -> None:
    suite = suites.get(suite_name)
    assert suite.digest_algorithm.der().hex() == DIGESTS[suite.digest_name]
    assert suites.digest_name(suite.digest_algorithm.oid) == suite.digest_name
    assert len(suites.digest(suite.digest_name, b"")) == suites.new_digest(suite.digest_name).digest_size


def test_the_library_says_who_it_is_and_what_it_passed(suite_name: str) -> None:
    library = suites.get(suite_name).library()
    assert isinstance(library, Library)
    assert library.name
    assert any(sign.isdigit() for sign in library.version)
    assert "refuses" in library.self_test or "FIPS 186-3" in library.self_test


# Threads and processes -----------------------------------------------------------------------------------------------
def test_four_threads_share_one_key(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(50):
                message = b"%d of %d" % (turn, number)
                value = key.sign(message)
                key.public_key.verify(value, message)
                with pytest.raises(BadSignature):
                    key.public_key.verify(value, message + b".")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_forked_process_signs_and_verifies(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    before = key.sign(MESSAGE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of threads
        child = os.fork()
    if child == 0:
        status = 1
        try:
            key.public_key.verify(before, MESSAGE)
            key.public_key.verify(key.sign(b"child"), b"child")
            suites.load_private(key.pkcs8()).sign(b"child")
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    key.public_key.verify(key.sign(MESSAGE), MESSAGE)
